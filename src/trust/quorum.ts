/**
 * Decides what a file is, from what each configured replica answered. Pure: votes in, verdict out.
 */

import { assert } from "../errors.js";
import { type Digest, parseDigest } from "./digest.js";
import { type Claim, type Manifest, manifestOf, sameClaim } from "./manifest.js";

declare const replicaBrand: unique symbol;

/** Names one replica, as `host:port`. */
export type ReplicaId = string & { readonly [replicaBrand]: true };

/** Takes a text for a replica's name; two replicas of one download never share one. */
export function replicaId(address: string): ReplicaId {
  return address as ReplicaId;
}

/** How many equal claims are enough. A pinned digest beats any vote. */
export type Rule =
  | { readonly kind: "majority" }
  | { readonly kind: "at-least"; readonly count: number }
  | { readonly kind: "all" }
  | { readonly kind: "digest"; readonly digest: Digest };

/**
 * What one replica answered. "missing" is an answer; "silent" is the lack of one, with the reason.
 */
export type Answer =
  | { readonly kind: "claimed"; readonly claim: Claim }
  | { readonly kind: "missing" }
  | { readonly kind: "silent"; readonly why: string };

/** One configured replica's answer. */
export interface Vote {
  readonly replica: ReplicaId;
  readonly answer: Answer;
}

/** Equal claims, and who made them. */
export interface Group {
  readonly claim: Claim;
  readonly members: readonly ReplicaId[];
}

interface Verdict {
  readonly rule: Rule;
  /** Equal claims that the rule asks for. */
  readonly needed: number;
  /** Every vote, in the order of configuration. */
  readonly votes: readonly Vote[];
  /**
   * Groups of equal claims, the largest first. A replica that gives no pieces stands in every group
   * that it fits.
   */
  readonly groups: readonly Group[];
}

/** A quorum: what the file is, and who says so. */
export interface Reached extends Verdict {
  readonly reached: true;
  readonly manifest: Manifest;
  readonly agreeing: readonly ReplicaId[];
  /** Replicas that claim something else. */
  readonly dissenting: readonly ReplicaId[];
}

/** No quorum: the verdict fails closed. */
export interface NotReached extends Verdict {
  readonly reached: false;
  /**
   * `missing` when the replicas that answered do not have the file, `tie` when two groups are
   * largest.
   */
  readonly why: "missing" | "tie" | "too-few";
}

/** The verdict. */
export type Agreement = Reached | NotReached;

/**
 * Counts the votes. The denominator is every configured replica, not those that answered, so that
 * silencing voters makes no majority. A tie never wins, whatever the rule.
 */
export function decide(votes: readonly Vote[], rule: Rule): Agreement {
  const needed = neededBy(rule, votes.length);
  const groups = groupsOf(votes).filter((group) => mayWin(group, rule));
  const verdict = { rule, needed, votes, groups: groupsOf(votes) };
  const [largest, second] = groups;
  if (largest === undefined) {
    return { ...verdict, reached: false, why: isMissing(votes) ? "missing" : "too-few" };
  }
  const tied = second !== undefined && second.members.length === largest.members.length;
  if (tied && rule.kind === "digest" && second.claim.size === largest.claim.size) {
    return reachedWithoutRoot(verdict, largest.claim);
  }
  if (largest.members.length < needed) return { ...verdict, reached: false, why: "too-few" };
  if (tied) return { ...verdict, reached: false, why: "tie" };
  return reachedBy(verdict, largest.claim, largest.members);
}

/** Whether the verdict stays what it is, however `pending` more replicas answer. */
export function isSettled(votes: readonly Vote[], pending: number, rule: Rule): boolean {
  if (pending === 0) return true;
  if (rule.kind === "all") return false;
  const silent = Array.from({ length: pending }, (_, index): Vote => {
    return { replica: replicaId(`pending ${index}`), answer: { kind: "silent", why: "pending" } };
  });
  const agreement = decide([...votes, ...silent], rule);
  if (!agreement.reached) return false;
  const rivals = agreement.groups.filter((group) => !sameClaim(group.claim, agreement.manifest));
  // Who gives no pieces joins a rival that differs only in them, even one that nobody claimed yet.
  const bare = claimsOf(votes).filter(
    (claim) => claim.root === undefined && fits(claim, agreement.manifest),
  );
  const strongest = Math.max(bare.length, ...rivals.map((group) => group.members.length));
  return agreement.agreeing.length > strongest + pending;
}

/** How many equal claims a rule asks for among so many configured replicas. */
export function neededBy(rule: Rule, configured: number): number {
  switch (rule.kind) {
    case "majority":
      return Math.floor(configured / 2) + 1;
    case "at-least":
      return rule.count;
    case "all":
      return configured;
    case "digest":
      return 1;
    default:
      return rule satisfies never;
  }
}

/** Reads `majority`, `all`, a count, or `sha256:…`; `undefined` when it is none of them. */
export function parseRule(text: string): Rule | undefined {
  if (text === "majority" || text === "all") return { kind: text };
  if (/^[1-9][0-9]{0,3}$/.test(text)) return { kind: "at-least", count: Number(text) };
  const digest = parseDigest(text);
  return digest === undefined ? undefined : { kind: "digest", digest };
}

/** Writes a rule as `parseRule` reads it. */
export function ruleText(rule: Rule): string {
  switch (rule.kind) {
    case "majority":
    case "all":
      return rule.kind;
    case "at-least":
      return String(rule.count);
    case "digest":
      return rule.digest;
    default:
      return rule satisfies never;
  }
}

/**
 * Whether a later claim makes its replica a member: equal, or equal but for pieces that it does not
 * give.
 */
export function fits(claim: Claim, agreed: Claim): boolean {
  if (claim.size !== agreed.size || claim.digest !== agreed.digest) return false;
  return claim.root === undefined || agreed.root === undefined || claim.root === agreed.root;
}

function mayWin(group: Group, rule: Rule): boolean {
  return rule.kind !== "digest" || group.claim.digest === rule.digest;
}

/**
 * One group for each distinct whole claim; a claim without pieces joins every group that it fits,
 * and makes one of its own only when it fits none: it says less, but contradicts nobody.
 */
function groupsOf(votes: readonly Vote[]): Group[] {
  const claims: Claim[] = [];
  for (const claim of claimsOf(votes)) {
    if (claim.root !== undefined && !claims.some((known) => sameClaim(known, claim))) {
      claims.push(claim);
    }
  }
  for (const claim of claimsOf(votes)) {
    if (!claims.some((known) => fits(claim, known))) claims.push(claim);
  }
  const groups = claims.map((claim) => ({ claim, members: membersOf(votes, claim) }));
  return groups.sort((left, right) => right.members.length - left.members.length);
}

function claimsOf(votes: readonly Vote[]): Claim[] {
  return votes.flatMap(({ answer }) => (answer.kind === "claimed" ? [answer.claim] : []));
}

function membersOf(votes: readonly Vote[], claim: Claim): ReplicaId[] {
  return votes.flatMap(({ replica, answer }) =>
    answer.kind === "claimed" && fits(answer.claim, claim) ? [replica] : [],
  );
}

function isMissing(votes: readonly Vote[]): boolean {
  const missing = votes.filter(({ answer }) => answer.kind === "missing").length;
  const claimed = votes.some(({ answer }) => answer.kind === "claimed");
  return !claimed && missing > 0 && missing >= neededBy({ kind: "majority" }, votes.length);
}

function reachedBy(verdict: Verdict, claim: Claim, agreeing: readonly ReplicaId[]): Reached {
  const dissenting = verdict.votes.flatMap(({ replica, answer }) =>
    answer.kind === "claimed" && !agreeing.includes(replica) ? [replica] : [],
  );
  return { ...verdict, reached: true, manifest: manifestOf(claim), agreeing, dissenting };
}

/**
 * With a pinned digest, a tie between roots leaves the root out: the pinned digest still checks the
 * whole.
 */
function reachedWithoutRoot(verdict: Verdict, claim: Claim): Reached {
  const bare = { ...claim, root: undefined };
  const agreeing = membersOf(verdict.votes, bare);
  assert(agreeing.length > 0, "a tie has members");
  return reachedBy(verdict, bare, agreeing);
}
