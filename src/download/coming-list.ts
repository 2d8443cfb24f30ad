/**
 * A piece list from when it is asked for: reads may begin before it is there, and what they bring
 * waits for it in memory.
 */

import { assert } from "../errors.js";
import type { Manifest } from "../trust/manifest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Stop } from "./outcome.js";
import { type GivenList, hasList, type PieceList } from "./piece-list.js";

export class ComingList {
  /** Whether pieces can be checked, once it is there. */
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
        // Whoever waits for the outcome is told.
        this.#hasFailed = true;
      },
    );
  }

  /** Whether there will be none. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The list, which is there by now. */
  get list(): PieceList {
    assert(this.#list !== undefined, "the piece list is there");
    return this.#list;
  }

  /** What pieces are checked by, or will be; then it stays open for ever when there is none. */
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
        // It is the outcome's to say.
      },
    );
  }

  /** Resolves, or rejects, if and when it turns out that there is no list. */
  get pointless(): Promise<Stop> {
    return new Promise((resolve, reject) => {
      this.outcome.then((known) => {
        if (known.kind !== "given") resolve(known);
      }, reject);
    });
  }
}
