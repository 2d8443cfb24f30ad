/** Asks every replica what the file is, and waits no longer than the verdict needs. */

import { messageOf } from "../errors.js";
import { limits } from "../limits.js";
import { type Clock, type Replica, ReplicaFault } from "../ports.js";
import { clampedRetryMs } from "../schedule/backoff.js";
import { type Fault, faultText } from "../schedule/faults.js";
import type { Claim } from "../trust/manifest.js";
import {
  type Agreement,
  type Answer,
  decide,
  isSettled,
  type ReplicaId,
  type Vote,
} from "../trust/quorum.js";
import type { Rule } from "../trust/rule.js";
import { Bell } from "./bell.js";
import type { OnEvent } from "./progress.js";

/** The replicas of one download, in the order of configuration. */
export type Replicas = ReadonlyMap<ReplicaId, Replica>;

/** What a survey needs. */
export interface SurveyRequest {
  readonly replicas: Replicas;
  readonly name: string;
  readonly rule: Rule;
  /** Claims whose root was tried before, and is not to be tried again. */
  readonly doubted?: readonly Claim[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/** What came of it. */
export interface Survey {
  readonly agreement: Agreement;
  /** Milliseconds from the question to the claim; a latecomer's once it is there. */
  readonly roundTripsMs: ReadonlyMap<ReplicaId, number>;
  /**
   * Replicas that had not answered when the verdict was clear; each resolves, and never rejects.
   */
  readonly latecomers: ReadonlyMap<ReplicaId, Promise<Vote>>;
}

/**
 * Asks all replicas at once. Ends when each has answered or its time is up, or, a short grace
 * after, when no further answer could change the verdict. Replicas that are hashing are waited for.
 */
export async function survey(request: SurveyRequest): Promise<Survey> {
  const { replicas, rule, doubted = [], clock, signal, onEvent } = request;
  const votes = new Map<ReplicaId, Vote>();
  const roundTripsMs = new Map<ReplicaId, number>();
  const clear = new Bell();
  const asked = new Map<ReplicaId, Promise<Vote>>();
  for (const [id, replica] of replicas) {
    const vote = ask(id, replica, request).then(({ answer, roundTripMs }) => {
      const vote = { replica: id, answer };
      votes.set(id, vote);
      roundTripsMs.set(id, roundTripMs);
      if (!signal.aborted) onEvent({ event: "answer", vote, roundTripMs });
      const pending = replicas.size - votes.size;
      if (isSettled([...votes.values()], pending, { rule, doubted })) clear.ring();
      return vote;
    });
    asked.set(id, vote);
  }
  const everyone = Promise.all(asked.values());
  const askedAt = clock.now();
  const grace = clear.rung().then(() => clock.sleep(graceMs(clock.now() - askedAt), signal));
  await Promise.race([everyone, grace]);
  signal.throwIfAborted();
  const pending: Answer = { kind: "silent", why: "had not answered when the quorum was clear" };
  const inOrder = [...replicas.keys()].map(
    (id) => votes.get(id) ?? { replica: id, answer: pending },
  );
  const agreement = decide(inOrder, rule, doubted);
  onEvent({ event: "agreement", agreement });
  const latecomers = new Map([...asked].filter(([id]) => !votes.has(id)));
  return { agreement, roundTripsMs, latecomers };
}

/** How long stragglers are waited for when the verdict was clear after so long. */
function graceMs(clearAfterMs: number): number {
  return Math.min(Math.max(limits.surveyGraceLeastMs, clearAfterMs / 2), limits.surveyGraceMs);
}

/** One replica's answer, asked again for as long as it hashes or is busy. Never rejects. */
export async function ask(id: ReplicaId, replica: Replica, request: SurveyRequest): Promise<Asked> {
  const { name, clock, signal, onEvent } = request;
  let patientUntil = clock.now() + limits.surveyMs;
  let furthestBytes = -1;
  for (;;) {
    const askedAt = clock.now();
    const deadlineMs = Math.max(1, patientUntil - askedAt);
    const reply = await askOnce(replica, name, { signal, deadlineMs });
    const roundTripMs = clock.now() - askedAt;
    if (reply.kind === "claimed") return { answer: reply, roundTripMs };
    const { fault } = reply;
    if (fault.kind !== "hashing" && fault.kind !== "busy") {
      return { answer: answerOf(fault), roundTripMs };
    }
    if (fault.kind === "hashing" && !signal.aborted) {
      const { doneBytes, totalBytes } = fault;
      onEvent({ event: "hashing", replica: id, doneBytes, totalBytes });
      if (doneBytes > furthestBytes) patientUntil = clock.now() + limits.hashingStallMs;
      furthestBytes = Math.max(furthestBytes, doneBytes);
    }
    const waitMs = clampedRetryMs(fault.retryMs);
    if (signal.aborted || clock.now() + waitMs >= patientUntil) {
      return { answer: answerOf(fault), roundTripMs };
    }
    // An abort ends the wait; the next question then fails at once, and the survey itself throws.
    await clock.sleep(waitMs, signal).catch(() => {});
  }
}

interface Asked {
  readonly answer: Answer;
  /** Milliseconds that the last question took. */
  readonly roundTripMs: number;
}

/** What one question was answered with. */
type Reply =
  | { readonly kind: "claimed"; readonly claim: Claim }
  | { readonly kind: "failed"; readonly fault: Fault };

async function askOnce(
  replica: Replica,
  name: string,
  call: { signal: AbortSignal; deadlineMs: number },
): Promise<Reply> {
  try {
    const named = await replica.claim(name, call);
    if (named.name === name || name === "") return { kind: "claimed", claim: named.claim };
    return failed({ kind: "incompatible", detail: "it answered for another name" });
  } catch (error) {
    if (error instanceof ReplicaFault) return failed(error.fault);
    return failed({ kind: "incompatible", detail: messageOf(error) });
  }
}

function failed(fault: Fault): Reply {
  return { kind: "failed", fault };
}

function answerOf(fault: Fault): Answer {
  return fault.kind === "missing" ? { kind: "missing" } : { kind: "silent", why: faultText(fault) };
}
