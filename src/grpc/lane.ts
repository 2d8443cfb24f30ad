/**
 * Calls to one replica on one lane: by the express way, and whatever that does not get, by the
 * ordinary way, which names what is wrong. A replica whose express way keeps failing is only asked
 * the ordinary way.
 */

import { messageOf } from "../errors.js";
import { type Call, type Chunk, type ReadRequest, ReplicaFault } from "../ports.js";
import { Deadline } from "./deadline.js";
import { Unexpected } from "./express/frames.js";
import type { Questions, Way } from "./way.js";

/** How often the ordinary way gets what express did not, until express is not tried any more. */
const mostLetDowns = 3;

export class Lane {
  readonly #express: Way | undefined;
  readonly #openOrdinary: () => Promise<Way>;
  #ordinary: Promise<Way> | undefined;
  #letDowns = 0;
  #isClosed = false;

  /** `openOrdinary` is called when the ordinary way is first needed, if ever. */
  constructor(express: Way | undefined, openOrdinary: () => Promise<Way>) {
    this.#express = express;
    this.#openOrdinary = openOrdinary;
  }

  /** What is answered; `put` is run again, the ordinary way, when an answer is unexpected. */
  async ask<Answer>(call: Call, put: (questions: Questions) => Promise<Answer>): Promise<Answer> {
    using deadline = new Deadline(call, "answer");
    const express = this.#expressNow();
    try {
      if (express !== undefined) return await put(express.questions(deadline));
    } catch (error) {
      if (!isUnexpected(error, deadline)) throw deadline.meaningOf(error);
    }
    try {
      const answer = await put((await this.#ordinaryNow()).questions(deadline));
      if (express !== undefined) this.#letDowns++;
      return answer;
    } catch (error) {
      throw deadline.meaningOf(error);
    }
  }

  async *read(request: ReadRequest, call: Call): AsyncGenerator<Chunk> {
    const { start, end } = request.range;
    // On the wire, a length of 0 would ask for everything up to the end.
    if (start === end) return;
    using deadline = new Deadline(call, "lease");
    const express = this.#expressNow();
    let next = start;
    try {
      for await (const chunk of express?.read(request, deadline) ?? []) {
        yield chunk;
        next += chunk.bytes.length;
      }
      if (next === end) return;
    } catch (error) {
      if (!isUnexpected(error, deadline)) throw deadline.meaningOf(error);
    }
    if (request.isEarly === true) return;
    try {
      const rest = { ...request, range: { start: next, end } };
      let isLetDown = express !== undefined;
      for await (const chunk of (await this.#ordinaryNow()).read(rest, deadline)) {
        if (isLetDown) this.#letDowns++;
        isLetDown = false;
        yield chunk;
      }
    } catch (error) {
      throw deadline.meaningOf(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#express?.close();
    const neverOpened = () => {};
    this.#ordinary?.then((way) => way.close(), neverOpened);
  }

  #expressNow(): Way | undefined {
    return this.#letDowns < mostLetDowns ? this.#express : undefined;
  }

  async #ordinaryNow(): Promise<Way> {
    if (this.#isClosed) throw unreachable("it was let go of");
    this.#ordinary ??= this.#openOrdinary();
    try {
      return await this.#ordinary;
    } catch (cause) {
      // It is loaded from files, for which descriptors may be missing just now.
      this.#ordinary = undefined;
      throw unreachable(messageOf(cause), cause);
    }
  }
}

function unreachable(detail: string, cause?: unknown): ReplicaFault {
  return new ReplicaFault({ kind: "unreachable", detail }, { cause });
}

function isUnexpected(error: unknown, { signal }: Deadline): boolean {
  return error instanceof Unexpected && !signal.aborted;
}
