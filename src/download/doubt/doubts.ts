/**
 * What speaks against a doubtful root while pieces are judged by it. Two replicas that deliver the
 * same other bytes for a piece may both lie; or the root does, which then judges nobody any more.
 */

import type { Evidence } from "../../schedule/faults.js";
import type { ReplicaId } from "../../trust/quorum.js";
import type { Stop } from "../outcome.js";

/** A piece that did not match, from whom. To be judged again once the file is right. */
export interface Accusation {
  readonly replica: ReplicaId;
  readonly evidence: Evidence;
}

export class Doubts {
  readonly #names: (replica: ReplicaId) => boolean;
  #accusations: readonly Accusation[] = [];

  /** `names`: whether a replica names the root itself: then it contradicts itself, not the root. */
  constructor(names: (replica: ReplicaId) => boolean) {
    this.#names = names;
  }

  /** What nobody took back. */
  get accusations(): readonly Accusation[] {
    return this.#accusations;
  }

  /** A replica delivered a piece that the root refuses. */
  accused(replica: ReplicaId, evidence: Evidence): void {
    if (this.#names(replica)) return;
    this.#accusations = [...this.#accusations, { replica, evidence }];
  }

  /** The same replica delivered the same piece right: what it was accused of was a slip. */
  settled(replica: ReplicaId, piece: number): void {
    if (this.#accusations.length === 0) return;
    this.#accusations = this.#accusations.filter(
      (known) => known.replica !== replica || known.evidence.piece !== piece,
    );
  }

  /** That two agree with each other and not with the root; `undefined` while none do. */
  get contradiction(): Stop | undefined {
    for (const [index, one] of this.#accusations.entries()) {
      const other = this.#accusations.slice(index + 1).find(({ replica, evidence }) => {
        const { piece, actual } = one.evidence;
        return replica !== one.replica && evidence.piece === piece && evidence.actual === actual;
      });
      if (other === undefined) continue;
      const who = `${one.replica} and ${other.replica}`;
      const why = `${who} agree on piece ${one.evidence.piece}, and the root does not`;
      return { kind: "root-doubted", why, proof: undefined };
    }
    return undefined;
  }
}
