/** The flow-control window of one stream: what the server may still send, and is granted next. */

import { firstWindowBytes, Unexpected } from "./frames.js";

export class StreamWindow {
  #left = firstWindowBytes;
  #waiting = 0;

  /** So many bytes are about to arrive. */
  begin(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Unexpected("more than the window of a stream");
  }

  /** So many of them wait for the reader. */
  waits(bytes: number): void {
    this.#waiting += bytes;
  }

  /** The reader took so many of those. */
  taken(bytes: number): void {
    this.#waiting -= bytes;
  }

  /**
   * Bytes to grant now, so that at most `most` are on their way or wait; 0 until it is worth a
   * frame.
   */
  grant(most: number): number {
    const due = most - this.#left - this.#waiting;
    if (due < most / 4) return 0;
    this.#left += due;
    return due;
  }
}
