/**
 * Decides how many streams a replica may have side by side, each on a connection of its own: one,
 * and one more for as long as the last one brought something. What is read on them is the
 * allotment's.
 */

import { limits } from "../limits.js";
import type { ReplicaId } from "../trust/quorum.js";

/** What came from a replica, and what is to come. */
export interface Flow {
  readonly replica: ReplicaId;
  /** Bytes that came so far, whatever became of them. */
  readonly bytes: number;
  readonly isGood: boolean;
  /** The least time to first byte that was seen. */
  readonly latencyMs: number;
  /** Milliseconds of work that it has at its rate. */
  readonly workMs: number;
  /** Milliseconds that one piece takes at its rate. */
  readonly pieceMs: number;
}

interface Line {
  streams: number;
  /** No trial before this time. */
  notBefore: number;
  /** How long the next failure is remembered. */
  pauseMs: number;
}

/** What had come from each by then. */
interface Sample {
  readonly at: number;
  readonly bytes: ReadonlyMap<ReplicaId, number>;
}

/** One more stream, on trial. Rates are those before it, in bytes per second. */
interface Trial {
  readonly replica: ReplicaId;
  /** When its bytes should have come up to speed. */
  readonly settledAt: number;
  readonly ownRate: number;
  readonly sumRate: number;
  /** Where the measuring began. */
  readonly from: Sample | undefined;
}

const sampleMs = 100;

export class Streams {
  readonly #most: number;
  readonly #lines = new Map<ReplicaId, Line>();
  #samples: Sample[] = [];
  #trial: Trial | undefined;

  /** `most`: streams that one replica may have. */
  constructor(most: number = limits.streams) {
    this.#most = most;
  }

  /** How many streams a replica may have now: 1 or more. */
  of(replica: ReplicaId): number {
    return this.#lines.get(replica)?.streams ?? 1;
  }

  /** Whether it is time to be told what came from everybody. */
  isDue(now: number): boolean {
    const last = this.#samples.at(-1);
    return last === undefined || now - last.at >= sampleMs;
  }

  /** To be told at least each `limits.watchMs` what came from everybody. */
  update(flows: readonly Flow[], now: number): void {
    if (!this.isDue(now)) return;
    const sample = this.#sampled(flows, now);
    // One at a time: of two trials, nobody could say which one changed the sum.
    if (this.#trial === undefined) this.#begin(flows, sample);
    else this.#judge(this.#trial, flows, sample);
  }

  /** What a replica read on a stream beyond the first failed: it does without, for a while. */
  failed(replica: ReplicaId, now: number): void {
    if (this.#trial?.replica === replica) this.#trial = undefined;
    this.#takeBack(replica, now);
  }

  /** We ourselves stood still: what was seen before says nothing, and a trial is void. */
  forget(): void {
    this.#samples = [];
    if (this.#trial !== undefined) this.#line(this.#trial.replica).streams--;
    this.#trial = undefined;
  }

  #sampled(flows: readonly Flow[], now: number): Sample {
    const bytes = new Map(flows.map((flow) => [flow.replica, flow.bytes]));
    const sample = { at: now, bytes };
    this.#samples.push(sample);
    while ((this.#samples[1]?.at ?? now) <= now - limits.streamSteadyMs) this.#samples.shift();
    return sample;
  }

  #begin(flows: readonly Flow[], sample: Sample): void {
    const total = flows.reduce((sum, { replica }) => sum + this.of(replica), 0);
    const [first] = this.#samples;
    if (first === undefined || total >= limits.leases) return;
    const candidates = flows.filter((flow) => this.#mayTry(flow, sample));
    // Who has the fewest gains the most, and who has the most to do has the most of it.
    candidates.sort((left, right) => {
      return this.of(left.replica) - this.of(right.replica) || right.workMs - left.workMs;
    });
    const [chosen] = candidates;
    if (chosen === undefined) return;
    const { replica, latencyMs } = chosen;
    const ownRate = rateBetween(first, sample, replica);
    const sumRate = sumBetween(first, sample);
    // A connection takes two round trips before it carries anything, and grows for some more.
    const settledAt = sample.at + limits.streamSettleMs + 4 * latencyMs;
    this.#line(replica).streams++;
    this.#trial = { replica, settledAt, ownRate, sumRate, from: undefined };
  }

  #mayTry({ replica, isGood, latencyMs, workMs, pieceMs }: Flow, sample: Sample): boolean {
    const streams = this.of(replica);
    if (!isGood || streams >= this.#most) return false;
    if (sample.at < (this.#lines.get(replica)?.notBefore ?? 0)) return false;
    if (latencyMs < limits.streamLatencyMs || workMs < limits.streamWorkMs) return false;
    // Pieces side by side come later than one after the other, and the last ones are waited for.
    if (pieceMs * (streams + 1) > limits.streamPieceMs) return false;
    return this.#isSteady(replica, sample);
  }

  #isSteady(replica: ReplicaId, sample: Sample): boolean {
    const [first] = this.#samples;
    if (first === undefined || sample.at - first.at < limits.streamSteadyMs) return false;
    const middle = this.#samples[Math.floor(this.#samples.length / 2)];
    if (middle === undefined) return false;
    const [early, late] = [
      rateBetween(first, middle, replica),
      rateBetween(middle, sample, replica),
    ];
    if (early === 0 || late === 0) return false;
    return Math.abs(late - early) <= limits.streamSteadyShare * Math.max(early, late);
  }

  #judge(trial: Trial, flows: readonly Flow[], sample: Sample): void {
    const { replica, settledAt, from } = trial;
    const isGood = flows.some((flow) => flow.replica === replica && flow.isGood);
    if (!isGood) {
      this.failed(replica, sample.at);
      return;
    }
    if (from === undefined) {
      if (sample.at >= settledAt) this.#trial = { ...trial, from: sample };
      return;
    }
    if (sample.at - from.at < limits.streamTrialMs) return;
    this.#trial = undefined;
    // The next trial is compared with what was measured since this one settled.
    this.#samples = this.#samples.filter(({ at }) => at >= from.at);
    if (!this.#pays(trial, from, sample)) this.#takeBack(replica, sample.at);
  }

  /**
   * Whether its own rate and that of all together rose by enough: where our own link is the narrow
   * place, one replica's gain is the loss of the others.
   */
  #pays({ replica, ownRate, sumRate }: Trial, from: Sample, sample: Sample): boolean {
    const linear = ownRate / (this.of(replica) - 1);
    const least = limits.streamGainShare * linear;
    const ownGain = rateBetween(from, sample, replica) - ownRate;
    return ownGain >= least && sumBetween(from, sample) - sumRate >= least;
  }

  #takeBack(replica: ReplicaId, now: number): void {
    const line = this.#line(replica);
    line.streams = Math.max(1, line.streams - 1);
    line.notBefore = now + line.pauseMs;
    line.pauseMs *= 2;
  }

  #line(replica: ReplicaId): Line {
    const known = this.#lines.get(replica);
    if (known !== undefined) return known;
    const line = { streams: 1, notBefore: 0, pauseMs: limits.streamPauseMs };
    this.#lines.set(replica, line);
    return line;
  }
}

/** Bytes per second of one replica; who was not there yet had sent nothing. */
function rateBetween(first: Sample, last: Sample, replica: ReplicaId): number {
  const bytes = (last.bytes.get(replica) ?? 0) - (first.bytes.get(replica) ?? 0);
  return last.at > first.at ? (bytes * 1000) / (last.at - first.at) : 0;
}

function sumBetween(first: Sample, last: Sample): number {
  return [...last.bytes.keys()].reduce((sum, one) => sum + rateBetween(first, last, one), 0);
}
