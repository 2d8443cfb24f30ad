/**
 * Decides who has fallen so far behind its own pace that its work is better given to others. That
 * is nobody's fault: whoever slumps keeps its piece in progress, and its good name.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";

/** How a replica does in comparison with itself. */
export interface Pace {
  readonly replica: ReplicaId;
  /** Bytes per second, as of now. */
  readonly recent: number;
  /** The same over all the time in which it sent anything. */
  readonly usual: number;
}

export class SlumpWatch {
  /** Since when each is far below its own pace while others are not. */
  readonly #since = new Map<ReplicaId, number>();

  /** Those whose slump has lasted; each is told again only when it lasts as long once more. */
  update(paces: readonly Pace[], now: number): ReplicaId[] {
    const slumping = paces.filter(isSlumping);
    // When most slump together, it is the network, or us.
    const isTheirs = 2 * slumping.length <= paces.length;
    const current = new Set(isTheirs ? slumping.map(({ replica }) => replica) : []);
    for (const replica of this.#since.keys()) {
      if (!current.has(replica)) this.#since.delete(replica);
    }
    const lasting: ReplicaId[] = [];
    for (const replica of current) {
      const since = this.#since.get(replica) ?? now;
      const isLasting = now - since >= limits.slumpMs;
      if (isLasting) lasting.push(replica);
      this.#since.set(replica, isLasting ? now : since);
    }
    return lasting;
  }

  /** We ourselves stood still: what was seen before says nothing. */
  forget(): void {
    this.#since.clear();
  }
}

function isSlumping({ recent, usual }: Pace): boolean {
  return recent < limits.slumpShare * usual;
}
