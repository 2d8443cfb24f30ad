/** What a server may still send on one stream, and what it is to be granted again. */

import { limits } from "../../limits.js";
import { Unexpected } from "./frames.js";

export class StreamWindow {
  #left: number = limits.windowBytes;
  #owed = 0;

  /** So many bytes are about to arrive. */
  begin(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new Unexpected("more than the window of a stream");
    this.#owed += bytes;
  }

  /** So many of them wait for somebody. */
  waits(bytes: number): void {
    this.#owed -= bytes;
  }

  /** So many of those were taken. */
  taken(bytes: number): void {
    this.#owed += bytes;
  }

  /** What is to be granted now: nothing, until it is worth a frame. */
  grant(): number {
    if (this.#owed < limits.windowBytes / 8) return 0;
    const granted = this.#owed;
    this.#owed = 0;
    this.#left += granted;
    return granted;
  }
}
