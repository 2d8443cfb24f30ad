/** Decides when what ended streams and connections left in memory is collected. */

import { limits } from "../limits.js";
import { garbageCollector } from "./collect-garbage.js";

/**
 * V8 finds what is dead in the first, makes its heap smaller in one after some seconds with little
 * to do, and gives pages back in the one behind that.
 */
const collections = 8;

/** What a server's streams and connections leave behind. */
export class Litter {
  readonly #onQuiet: () => void;
  /** Streams and connections: opened since the last look, ended since garbage was collected. */
  #openedLately = 0;
  #endedLately = 0;
  #collectionsLeft = 0;
  #goneConnections = 0;

  /** `onQuiet`: called once it is quiet after a flood, before garbage is collected. */
  constructor(onQuiet: () => void) {
    this.#onQuiet = onQuiet;
  }

  /** A stream or a connection begins. */
  opened(): void {
    this.#openedLately++;
  }

  streamEnded(): void {
    this.#endedLately++;
  }

  connectionEnded(): void {
    this.#endedLately++;
    this.#goneConnections++;
    if (this.#goneConnections < limits.connectionsCollected) return;
    if (garbageCollector.collect()) this.#goneConnections = 0;
  }

  /** To be called now and then. After a flood, once nothing comes any more, nobody waits for us. */
  look(): void {
    const isQuiet = this.#openedLately === 0;
    this.#openedLately = 0;
    if (this.#endedLately >= limits.endingsCollected) {
      this.#endedLately = 0;
      this.#collectionsLeft = collections;
    }
    if (!isQuiet || this.#collectionsLeft === 0) return;
    this.#collectionsLeft--;
    this.#onQuiet();
    garbageCollector.collect();
  }
}
