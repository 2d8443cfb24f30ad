/**
 * Decides who is guilty of a bad piece. A replica is only charged when its piece does not match; it
 * is guilty once the same piece came right from another one. Until then our memory, or the disk
 * between, could be at fault, and a ban would be unjust.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";
import type { Evidence } from "./faults.js";

/** A bad piece that a replica delivered. */
export interface Charge {
  readonly replica: ReplicaId;
  readonly evidence: Evidence;
  /** How often it delivered this piece wrong. */
  readonly times: number;
}

export class Blame {
  readonly #charges = new Map<number, Charge[]>();

  /** Books a bad piece; gives the charge as it stands now. */
  charge(replica: ReplicaId, piece: number, evidence: Evidence): Charge {
    const charges = this.#charges.get(piece) ?? [];
    const earlier = charges.find((charge) => charge.replica === replica);
    const charge = { replica, evidence, times: (earlier?.times ?? 0) + 1 };
    this.#charges.set(piece, [...charges.filter((other) => other !== earlier), charge]);
    return charge;
  }

  /** A piece came right: whoever delivered it wrong, other than its deliverer, is guilty. */
  settle(piece: number, deliverer: ReplicaId): readonly Charge[] {
    const charges = this.#charges.get(piece) ?? [];
    this.#charges.delete(piece);
    return charges.filter(({ replica }) => replica !== deliverer);
  }

  /** Whether a replica is charged with anything that is not decided. */
  isCharged(replica: ReplicaId): boolean {
    return this.#all().some((charge) => charge.replica === replica);
  }

  /**
   * The charges of those who delivered the same piece wrong too often to be trusted with a retry.
   */
  beyondDoubt(): readonly Charge[] {
    return this.#all().filter(({ times }) => times > limits.corruptRetries);
  }

  /** Drops the charges against a replica, when it is out of the download anyway. */
  drop(replica: ReplicaId): void {
    for (const [piece, charges] of this.#charges) {
      this.#charges.set(
        piece,
        charges.filter((charge) => charge.replica !== replica),
      );
    }
  }

  #all(): readonly Charge[] {
    return [...this.#charges.values()].flat();
  }
}
