/**
 * A piece list that is on its way: reads may begin before it is there, and what they bring waits
 * for it in memory.
 */

import { assert } from "../errors.js";
import type { Manifest } from "../trust/manifest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Stop } from "./outcome.js";
import { type GivenList, hasList, type PieceList } from "./piece-list.js";

export class ComingList {
  /** Whether the list will have digests: not when nobody gives pieces. */
  readonly hasDigests: boolean;
  /** The list, or why the attempt has become pointless; rejects with what ends the download. */
  readonly outcome: Promise<GivenList | Stop>;
  #list: PieceList | undefined;
  #hasFailed = false;

  constructor(manifest: Manifest, outcome: Promise<GivenList | Stop>) {
    this.hasDigests = hasList(manifest);
    this.outcome = outcome;
    outcome.then(
      (known) => {
        if (known.kind === "given") this.#list = known.list;
        else this.#hasFailed = true;
      },
      () => {
        // Whoever waits for the outcome gets the error.
        this.#hasFailed = true;
      },
    );
  }

  /** Whether it turned out that there is none. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The list. To be asked for only once it is there. */
  get list(): PieceList {
    assert(this.#list !== undefined, "the piece list is there");
    return this.#list;
  }

  /** What pieces are checked by. A promise until the list is there; pending when it never is. */
  get digests(): PieceDigests | Promise<PieceDigests> | undefined {
    if (this.#list !== undefined) return this.#list.digests;
    if (!this.hasDigests) return undefined;
    return new Promise((resolve) => {
      this.whenGiven(({ digests }) => {
        if (digests !== undefined) resolve(digests);
      });
    });
  }

  /** Calls back with the list, at once if it is there, and never if there is none. */
  whenGiven(use: (list: PieceList) => void): void {
    if (this.#list !== undefined) {
      use(this.#list);
      return;
    }
    this.outcome.then(
      (known) => {
        if (known.kind === "given") use(known.list);
      },
      () => {
        // Whoever waits for the outcome gets the error.
      },
    );
  }

  /** Resolves or rejects when it turns out that there is no list; else stays pending. */
  get pointless(): Promise<Stop> {
    return new Promise((resolve, reject) => {
      this.outcome.then((known) => {
        if (known.kind !== "given") resolve(known);
      }, reject);
    });
  }
}
