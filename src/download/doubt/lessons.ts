/**
 * What earlier attempts of one download taught, and the next one weighs: whose file changed, who is
 * banned under which claim, which root proved false, and what all of them delivered. It decides
 * nothing about the file: that is the quorum's.
 */

import { limits } from "../../limits.js";
import type { Ban } from "../../schedule/discipline.js";
import type { Evidence, FaultKind } from "../../schedule/faults.js";
import type { Layout } from "../../schedule/pieces.js";
import type { RangeSet } from "../../schedule/range.js";
import type { Scheduler } from "../../schedule/scheduler.js";
import { type Claim, type Manifest, sameClaim } from "../../trust/manifest.js";
import { type Reached, type ReplicaId, sameBytes, type Vote } from "../../trust/quorum.js";
import { Deliveries } from "../deliveries.js";
import type { Accusation } from "./doubts.js";
import type { Support } from "./support.js";

/** A root that was tried and is not to be tried again. */
interface Doubted {
  readonly claim: Claim;
  readonly proof: Evidence | undefined;
  /** Whether pieces were judged by it; if not, nobody is to blame for it. */
  readonly wasTried: boolean;
}

/** What a replica did in earlier attempts. */
export interface Past {
  /** All that came from it, of use or not. */
  readonly receivedBytes: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
}

class PastLine implements Past {
  receivedBytes = 0;
  readonly faults = new Map<FaultKind, number>();

  count(kind: FaultKind, times = 1): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + times);
  }
}

export class Lessons {
  #deliveries: Deliveries | undefined;
  #hedgedBytes = 0;
  #timesAsked = 0;
  #votes: readonly Vote[] = [];
  readonly #doubted: Doubted[] = [];
  readonly #bans: { readonly ban: Ban; readonly under: Claim }[] = [];
  readonly #accusations: { readonly accusation: Accusation; readonly under: Claim }[] = [];
  readonly #turned: { readonly replica: ReplicaId; readonly claim: Claim }[] = [];
  readonly #past = new Map<ReplicaId, PastLine>();

  /** What came twice of pieces that were fetched twice. */
  get hedgedBytes(): number {
    return this.#hedgedBytes;
  }

  /** How often a lost quorum was asked for again. */
  get timesAsked(): number {
    return this.#timesAsked;
  }

  /** It is asked for once more: how many times that makes. */
  asked(): number {
    return ++this.#timesAsked;
  }

  /** The votes as they were when the last attempt ended. */
  get votes(): readonly Vote[] {
    return this.#votes;
  }

  /** An attempt ended, with these votes. */
  voted(votes: readonly Vote[]): void {
    this.#votes = votes;
  }

  /**
   * Where the pieces on the disk came from, as far as that still holds for this state of the file,
   * in which these pieces were found there.
   */
  deliveriesOf(layout: Layout, found: RangeSet, keepsDigests: boolean): Deliveries {
    const before = this.#deliveries ?? new Deliveries(layout, keepsDigests);
    this.#deliveries = before.onto(layout, found, keepsDigests);
    return this.#deliveries;
  }

  /** Claims whose root is not to be tried again. */
  get doubted(): readonly Claim[] {
    return this.#doubted.map(({ claim }) => claim);
  }

  /** Whether any other doubtful root may be tried. */
  get triesRoots(): boolean {
    return this.#doubted.length < limits.rootsTried;
  }

  pastOf(replica: ReplicaId): Past {
    return this.#line(replica);
  }

  /** Bytes came that no attempt's scoreboard counted. */
  received(replica: ReplicaId, bytes: number): void {
    this.#line(replica).receivedBytes += bytes;
  }

  /**
   * An attempt ended: what was delivered and done wrong in it counts in the receipt. A ban holds
   * for the claim under which it was earned: under another one the replica's file may have changed
   * without its saying so. Charges that nothing proved are dropped.
   */
  attempted(manifest: Manifest, { hedgedBytes, scores }: Scheduler): void {
    this.#hedgedBytes += hedgedBytes;
    for (const score of scores) {
      const { replica, deliveredBytes, wastedBytes, faults } = score;
      if (score.standing === "banned") {
        const { reason, evidence } = score;
        this.convicted(manifest, { replica, why: reason ?? "", evidence });
      }
      const past = this.#line(replica);
      past.receivedBytes += deliveredBytes + wastedBytes;
      for (const [kind, times] of faults) past.count(kind, times);
    }
  }

  /** A fault that no attempt's scoreboard counted. */
  faulted(replica: ReplicaId, kind: FaultKind): void {
    this.#line(replica).count(kind);
  }

  /** A ban that was earned under this manifest. */
  convicted(manifest: Manifest, ban: Ban): void {
    this.#bans.push({ ban, under: manifest });
  }

  /** The quorum was lost, because these went back on their claim. */
  lost(claim: Claim, support: Support): void {
    for (const replica of support.changed) this.#turned.push({ replica, claim });
  }

  /** A root is not to be tried again: whom it judged is free until the file itself judges. */
  doubt(manifest: Manifest, accusations: readonly Accusation[], proof: Evidence | undefined): void {
    this.#doubted.push({ claim: manifest, proof, wasTried: true });
    for (const { replica, answer } of proof === undefined ? [] : this.#votes) {
      if (answer.kind !== "claimed" || !sameClaim(answer.claim, manifest)) continue;
      this.faulted(replica, "corrupt");
    }
    for (const accusation of accusations) this.#accusations.push({ accusation, under: manifest });
  }

  /** Who was banned by pieces under this claim, and is free now that its root judges nobody. */
  freedFrom(manifest: Manifest): readonly ReplicaId[] {
    const names = (replica: ReplicaId) =>
      this.#votes.some((vote) => {
        const { answer } = vote;
        const isOf = vote.replica === replica && answer.kind === "claimed";
        return isOf && sameClaim(answer.claim, manifest);
      });
    const freed = this.#bans.filter(({ ban, under }) => {
      const isByPieces = ban.evidence?.piece !== undefined && sameClaim(under, manifest);
      return isByPieces && !names(ban.replica);
    });
    return [...new Set(freed.map(({ ban }) => ban.replica))];
  }

  /** Doubts every root that is named: too many were tried in vain. */
  doubtAll(): void {
    for (const { answer } of this.#votes) {
      if (answer.kind === "claimed" && answer.claim.root !== undefined) {
        this.#doubted.push({ claim: answer.claim, proof: undefined, wasTried: false });
      }
    }
  }

  /** The bans with which an attempt under this agreement begins. */
  sentenced({ votes, agreeing, manifest }: Reached): readonly Ban[] {
    return votes.flatMap(({ replica, answer }) => {
      if (answer.kind !== "claimed" || !agreeing.includes(replica)) return [];
      return this.sentenceOf(replica, answer.claim, manifest) ?? [];
    });
  }

  /** The ban with which a replica begins an attempt, if it earned one under the same claim. */
  sentenceOf(replica: ReplicaId, claim: Claim | undefined, manifest: Manifest): Ban | undefined {
    const kept = this.#bans.find(({ ban, under }) => {
      if (ban.replica !== replica || !sameBytes(under, manifest)) return false;
      // Who names the root that its pieces do not match is wrong, whatever becomes of the root.
      const judges = sameClaim(under, manifest) || (claim !== undefined && sameClaim(under, claim));
      return ban.evidence?.piece === undefined || judges;
    });
    if (kept !== undefined || claim === undefined) return kept?.ban;
    const named = this.#doubted.find((known) => sameClaim(known.claim, claim));
    if (named?.proof === undefined) return undefined;
    return { replica, why: "its piece root contradicts the digest", evidence: named.proof };
  }

  /** Whether a replica said too often that it has these bytes no longer, and claimed them again. */
  turnsTooOften(replica: ReplicaId, claim: Claim): boolean {
    const turns = this.#turned.filter(
      (turned) => turned.replica === replica && sameBytes(turned.claim, claim),
    );
    return turns.length >= limits.timesTurned;
  }

  /** What was alleged of these bytes, to be judged by the right file. */
  openCases(manifest: Manifest): {
    readonly accusations: readonly Accusation[];
    readonly roots: readonly Claim[];
  } {
    const open = this.#accusations.filter(({ under }) => sameBytes(under, manifest));
    const roots = this.#doubted.filter(
      ({ claim, proof, wasTried }) => wasTried && proof === undefined && sameBytes(claim, manifest),
    );
    return {
      accusations: open.map(({ accusation }) => accusation),
      roots: roots.map(({ claim }) => claim),
    };
  }

  #line(replica: ReplicaId): PastLine {
    const line = this.#past.get(replica) ?? new PastLine();
    this.#past.set(replica, line);
    return line;
  }
}
