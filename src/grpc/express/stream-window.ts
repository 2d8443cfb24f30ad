/** What a server may still send on one stream, and what it is to be granted. */

import { firstWindowBytes, Unexpected } from "./frames.js";

export class StreamWindow {
  #left = firstWindowBytes;
  #waiting = 0;

  /** So many bytes are about to arrive. */
  begin(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Unexpected("more than the window of a stream");
  }

  /** So many of them wait for somebody. */
  waits(bytes: number): void {
    this.#waiting += bytes;
  }

  /** So many of those were taken. */
  taken(bytes: number): void {
    this.#waiting -= bytes;
  }

  /**
   * What is to be granted now, so that no more than `most` bytes are on their way or wait: nothing,
   * until it is worth a frame.
   */
  grant(most: number): number {
    const due = most - this.#left - this.#waiting;
    if (due < most / 4) return 0;
    this.#left += due;
    return due;
  }
}
