/**
 * What a transfer learns against its own agreement: replicas take their votes back, and pieces
 * contradict a doubtful root. Says when that makes the attempt pointless.
 */

import type { Fault } from "../../schedule/faults.js";
import type { ReplicaId } from "../../trust/quorum.js";
import type { Stop } from "../outcome.js";
import type { Doubts } from "./doubts.js";
import type { Support } from "./support.js";

export class Objections {
  readonly #support: Support;
  readonly #doubts: Doubts | undefined;

  /** `doubts`: `undefined` when the root is beyond doubt, or there is none. */
  constructor(support: Support, doubts: Doubts | undefined) {
    this.#support = support;
    this.#doubts = doubts;
  }

  /** A replica did something wrong; gives why the attempt is pointless now, if it is. */
  faulted(replica: ReplicaId, fault: Fault): Stop | undefined {
    if (fault.kind === "changed") {
      this.#support.left(replica);
      if (this.#support.isLost) return { kind: "lost-quorum", why: this.#support.lossText };
    }
    if (fault.kind !== "corrupt" || fault.evidence === undefined) return undefined;
    this.#doubts?.accused(replica, fault.evidence);
    return this.#doubts?.contradiction;
  }

  /** A replica delivered a piece that the root accepts. */
  settled(replica: ReplicaId, piece: number): void {
    this.#doubts?.settled(replica, piece);
  }

  /** Nobody is left to ask: gives why, when that may be the root's fault. */
  leftAlone(): Stop | undefined {
    if (this.#doubts === undefined || this.#doubts.accusations.length === 0) return undefined;
    const why = "nobody delivers what it accepts";
    return { kind: "root-doubted", why, proof: undefined };
  }
}
