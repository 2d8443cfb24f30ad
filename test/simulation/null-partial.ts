/** A partial that keeps nothing but the count: for runs in which only the schedule matters. */

import { type Journal, noJournal, type Sink } from "../../src/ports.js";

/** A sink and a journal that take everything at once. */
export interface NullPartial {
  readonly sink: Sink;
  readonly journal: Journal;
  /** Bytes written so far, those written twice counted twice. */
  writtenBytes: number;
}

export function nullPartial(): NullPartial {
  const partial: NullPartial = {
    writtenBytes: 0,
    sink: {
      async write(_, bytes) {
        partial.writtenBytes += bytes.length;
      },
      async read() {
        return 0;
      },
      async sync() {},
    },
    journal: noJournal,
  };
  return partial;
}
