/**
 * Who stands by an agreement while it is carried out. A replica whose file changed takes its vote
 * back; one that cannot be reached, or is banned, has voted all the same; one that answers late
 * adds its vote.
 */

import { sameClaim } from "../../trust/manifest.js";
import { joins, type Reached, type ReplicaId, type Vote } from "../../trust/quorum.js";

export class Support {
  readonly #agreement: Reached;
  readonly #changed = new Set<ReplicaId>();
  readonly #late = new Map<ReplicaId, Vote>();

  constructor(agreement: Reached) {
    this.#agreement = agreement;
  }

  /** A replica says that its file is no longer the one agreed on. */
  left(replica: ReplicaId): void {
    this.#changed.add(replica);
  }

  /** A replica that was silent answers; gives whether it stands by the agreement. */
  heard(vote: Vote): boolean {
    this.#late.set(vote.replica, vote);
    return vote.answer.kind === "claimed" && joins(vote.answer.claim, this.#agreement);
  }

  /** Whether a replica names the very root of the agreement. */
  names(replica: ReplicaId): boolean {
    const answer = this.votes.find((vote) => vote.replica === replica)?.answer;
    return answer?.kind === "claimed" && sameClaim(answer.claim, this.#agreement.manifest);
  }

  /** Whether too few are left for the rule. */
  get isLost(): boolean {
    return this.#standing < this.#agreement.needed;
  }

  /** Those whose file changed, in the order in which they said so. */
  get changed(): readonly ReplicaId[] {
    return [...this.#changed];
  }

  /** What happened, in words. */
  get lossText(): string {
    const { votes, needed } = this.#agreement;
    const who = [...this.#changed].join(", ");
    return `${who} changed; ${this.#standing} of ${votes.length} stand by it, ${needed} are needed`;
  }

  /** The votes, with what was heard late in place of silence. */
  get votes(): readonly Vote[] {
    return this.#agreement.votes.map((vote) => this.#late.get(vote.replica) ?? vote);
  }

  get #standing(): number {
    const { agreeing } = this.#agreement;
    const joined = [...this.#late.values()].filter(({ replica, answer }) => {
      const isNew = !agreeing.includes(replica) && answer.kind === "claimed";
      return isNew && joins(answer.claim, this.#agreement);
    });
    const all = [...agreeing, ...joined.map(({ replica }) => replica)];
    return all.filter((replica) => !this.#changed.has(replica)).length;
  }
}
