/**
 * Finds out whose bytes are wrong when the whole digest is, and nobody gives pieces: reads them
 * again from others, and tries explanations until the whole digest fits. Then the right file says
 * who was wrong. An explanation is a set of replicas that are left out.
 */

import { assert } from "../../errors.js";
import { limits } from "../../limits.js";
import type { Ban } from "../../schedule/discipline.js";
import { pieceIndex, pieceLength } from "../../schedule/pieces.js";
import { isOutForGood } from "../../schedule/score.js";
import { TokenBucket } from "../../schedule/token-bucket.js";
import { type Digest, digestFromRaw } from "../../trust/digest.js";
import { leafDigest } from "../../trust/merkle.js";
import type { ReplicaId } from "../../trust/quorum.js";
import type { Source } from "../deliveries.js";
import type { FillRun } from "../fill-job.js";
import { thenLetGo } from "../let-go.js";
import { wholeDigest } from "../whole-digest.js";
import { readAgain } from "./opinion-reader.js";
import { Opinions, type Suspects } from "./opinions.js";

/**
 * Makes the partial right and gives the bans that this justifies, or `undefined` when no explanation
 * fits within the bounds.
 */
export async function secondOpinions(run: FillRun): Promise<readonly Ban[] | undefined> {
  const inquiry = new Inquiry(run);
  return (await inquiry.isSolved()) ? inquiry.bans() : undefined;
}

const nobody: Suspects = new Set();

class Inquiry {
  readonly #run: FillRun;
  readonly #opinions: Opinions;
  /** What lies on the disk. */
  readonly #there: Digest[];
  /** Who may be asked. */
  readonly #members: Set<ReplicaId>;
  readonly #bucket: TokenBucket | undefined;
  #isChanged = false;
  #explanationsTried = 0;

  constructor(run: FillRun) {
    const { deliveries, scheduler, resolved } = run;
    const { pieceCount } = scheduler.layout;
    const { limitRate } = resolved;
    this.#run = run;
    this.#opinions = new Opinions(pieceCount);
    this.#there = Array.from({ length: pieceCount }, (_, piece) => {
      const digest = digestFromRaw(deliveries.digestOf(piece));
      this.#opinions.add(piece, deliveries.sourceOf(piece), digest);
      return digest;
    });
    const live = scheduler.scores.filter((score) => !isOutForGood(score));
    this.#members = new Set(live.map(({ replica }) => replica));
    this.#bucket = limitRate === undefined ? undefined : new TokenBucket(limitRate);
  }

  /** Each round asks one more about every piece: what all agree on may still be a lie of two. */
  async isSolved(): Promise<boolean> {
    const all = this.#there.map((_, piece) => piece);
    for (let round = 0; round < limits.opinionRounds; round++) {
      if ((await this.#ask(all, nobody)) === 0) return false;
      while ((await this.#ask(this.#undecided(), nobody)) > 0);
      for (const suspects of this.#opinions.explanations()) {
        if (this.#explanationsTried >= limits.explanations) return false;
        if (await this.#explains(suspects)) return true;
      }
    }
    return false;
  }

  /** Who delivered what the right file shows to be wrong. */
  bans(): Ban[] {
    const atMs = this.#run.world.clock.now();
    const guilty = new Map<Source, Ban>();
    for (const [piece, expected] of this.#there.entries()) {
      for (const [source, actual] of this.#opinions.of(piece)) {
        if (actual === expected || guilty.has(source)) continue;
        const replica = this.#replicaOf(source);
        if (replica === undefined) continue;
        const evidence = { piece, expected, actual, atMs };
        guilty.set(source, { replica, evidence, why: `served piece ${piece} corrupt` });
      }
    }
    return [...guilty.values()];
  }

  /** Contested pieces about which one more opinion could change what most say. */
  #undecided(): number[] {
    return this.#opinions.contested.filter((piece) => {
      return (this.#opinions.verdict(piece, nobody)?.lead ?? 0) < 2;
    });
  }

  /** Whether the whole digest fits once only those who are no suspects are believed. */
  async #explains(suspects: Suspects): Promise<boolean> {
    const { agreed, partial, resolved } = this.#run;
    const { manifest } = agreed.agreement;
    const alone = () =>
      this.#there.flatMap((there, piece) => {
        return this.#opinions.verdict(piece, suspects, there) === undefined ? [piece] : [];
      });
    while ((await this.#ask(alone(), suspects)) > 0);
    // More was learnt, and it explains no longer: another set will.
    if (suspects.size > 0 && this.#opinions.isContradicted(suspects)) return false;
    if (!(await this.#believe(suspects)) || !this.#isChanged) return false;
    this.#isChanged = false;
    this.#explanationsTried++;
    return (await wholeDigest(partial.sink, manifest.size, resolved)) === manifest.digest;
  }

  /** Makes the disk hold what most of the others say; false when that cannot be had. */
  async #believe(suspects: Suspects): Promise<boolean> {
    const wanted = new Map<number, Digest>();
    const from = new Map<ReplicaId, number[]>();
    for (const [piece, there] of this.#there.entries()) {
      const verdict = this.#opinions.verdict(piece, suspects, there);
      if (verdict === undefined) return false;
      if (verdict.digest === there) continue;
      const [giver] = verdict.supporters.flatMap((each) => this.#replicaOf(each) ?? []);
      if (giver === undefined) return false;
      wanted.set(piece, verdict.digest);
      from.set(giver, [...(from.get(giver) ?? []), piece]);
    }
    await this.#read(from, async (piece, content, giver) => {
      const digest = leafDigest(content);
      if (digestFromRaw(digest) !== wanted.get(piece)) return;
      await this.#replace(giver, piece, { content, digest });
    });
    return [...wanted].every(([piece, digest]) => this.#there[piece] === digest);
  }

  async #replace(
    giver: ReplicaId,
    piece: number,
    { content, digest }: { readonly content: Uint8Array; readonly digest: Uint8Array },
  ): Promise<void> {
    const { scheduler, partial, checkpoint, deliveries, world } = this.#run;
    const { layout } = scheduler;
    await partial.sink.write(piece * layout.pieceBytes, content);
    const record = { piece: pieceIndex(piece), digest };
    checkpoint.add(record, pieceLength(layout, piece), world.clock.now());
    deliveries.came(piece, giver, digest);
    this.#there[piece] = digestFromRaw(digest);
    this.#isChanged = true;
  }

  /** Asks one more, no suspect, about each of these pieces; gives how many opinions came of it. */
  async #ask(pieces: readonly number[], suspects: Suspects): Promise<number> {
    const from = new Map<ReplicaId, number[]>();
    let last: ReplicaId | undefined;
    for (const piece of pieces) {
      const able = [...this.#members].filter((member) => {
        return !suspects.has(member) && !this.#opinions.of(piece).has(member);
      });
      // Long runs from one, so that few reads are enough; and about equally many from each.
      const asked = last === undefined ? 0 : (from.get(last)?.length ?? 0);
      const goesOn = last !== undefined && able.includes(last) && asked % runPieces !== 0;
      last = goesOn ? last : leastAsked(able, from);
      if (last !== undefined) from.set(last, [...(from.get(last) ?? []), piece]);
    }
    let count = 0;
    await this.#read(from, async () => {
      count++;
    });
    return count;
  }

  /** Reads from all of them side by side; what came is an opinion, whatever becomes of it. */
  async #read(
    from: ReadonlyMap<ReplicaId, readonly number[]>,
    onPiece: (piece: number, content: Uint8Array, from: ReplicaId) => Promise<void>,
  ): Promise<void> {
    await thenLetGo(this.#run.resolved.signal, async (signal) => {
      const end = new AbortController();
      const either = AbortSignal.any([signal, end.signal]);
      const reads = [...from].map(([replica, pieces]) =>
        this.#readFrom(replica, pieces, { signal: either, onPiece }).catch((error: unknown) => {
          end.abort();
          throw error;
        }),
      );
      // All of them are over before anything else: no write may come after the partial is closed.
      const results = await Promise.allSettled(reads);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    });
  }

  async #readFrom(
    id: ReplicaId,
    pieces: readonly number[],
    use: {
      readonly signal: AbortSignal;
      readonly onPiece: (piece: number, content: Uint8Array, from: ReplicaId) => Promise<void>;
    },
  ): Promise<void> {
    const { request, world, resolved, scheduler, agreed, lessons, support } = this.#run;
    const replica = request.replicas.get(id);
    assert(replica !== undefined, `${id} is configured`);
    const fault = await readAgain(pieces, {
      name: request.name,
      fileDigest: agreed.agreement.manifest.digest,
      replica,
      layout: scheduler.layout,
      clock: world.clock,
      bucket: this.#bucket,
      notBefore: scheduler.scoreOf(id)?.notBefore ?? Number.NEGATIVE_INFINITY,
      signal: use.signal,
      onPiece: async (piece, content) => {
        lessons.received(id, content.length);
        this.#opinions.add(piece, id, digestFromRaw(leafDigest(content)));
        await use.onPiece(piece, content, id);
      },
    });
    if (fault === undefined) return;
    this.#members.delete(id);
    lessons.faulted(id, fault.kind);
    if (fault.kind === "changed") support.left(id);
    resolved.onEvent({ event: "fault", replica: id, fault });
  }

  #replicaOf(source: Source): ReplicaId | undefined {
    const { scores } = this.#run.scheduler;
    return scores.find(({ replica }) => replica === source)?.replica;
  }
}

/** Pieces that are asked of one replica before it is another's turn. */
const runPieces = 64;

function leastAsked(
  able: readonly ReplicaId[],
  from: ReadonlyMap<ReplicaId, readonly number[]>,
): ReplicaId | undefined {
  const asked = (replica: ReplicaId) => from.get(replica)?.length ?? 0;
  return [...able].sort((left, right) => asked(left) - asked(right))[0];
}
