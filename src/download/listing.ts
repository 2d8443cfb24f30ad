/**
 * A piece list from when it is asked for: reads may begin before it is there, and what they bring
 * waits for it in memory.
 */

import { assert } from "../errors.js";
import type { Manifest } from "../trust/manifest.js";
import type { PieceDigests } from "../trust/merkle.js";
import type { Stop } from "./outcome.js";
import { hasList, type PieceList } from "./piece-list.js";

export class Listing {
  /** Whether pieces can be checked, once it is there. */
  readonly hasDigests: boolean;
  /** The list, or why the attempt has become pointless; rejects with what ends the download. */
  readonly outcome: Promise<PieceList | Stop>;
  #list: PieceList | undefined;
  #hasFailed = false;

  constructor(manifest: Manifest, coming: Promise<PieceList | Stop>) {
    this.hasDigests = hasList(manifest);
    this.outcome = coming;
    coming.then(
      (outcome) => {
        if ("kind" in outcome) this.#hasFailed = true;
        else this.#list = outcome;
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

  get isKnown(): boolean {
    return this.#list !== undefined;
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
      this.outcome.then(
        (outcome) => {
          if (!("kind" in outcome) && outcome.digests !== undefined) resolve(outcome.digests);
        },
        () => {
          // It is the outcome's to say.
        },
      );
    });
  }

  /** What the file must be up to the end of each piece; of some lists, and before it is there. */
  get prefixes(): PieceDigests | undefined {
    return this.#list?.prefixes;
  }

  /** Resolves, or rejects, if and when it turns out that there is no list. */
  get pointless(): Promise<Stop> {
    return new Promise((resolve, reject) => {
      this.outcome.then((outcome) => {
        if ("kind" in outcome) resolve(outcome);
      }, reject);
    });
  }
}
