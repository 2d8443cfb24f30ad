/**
 * Decides what a file is, from what each configured replica answered. Pure: votes in, verdict out.
 */

import type { Digest } from "./digest.js";
import { type Claim, type Manifest, manifestOf, sameClaim } from "./manifest.js";
import { neededBy, type Rule } from "./rule.js";

declare const replicaBrand: unique symbol;

/** Names one replica, as `host:port`. */
export type ReplicaId = string & { readonly [replicaBrand]: true };

/** Takes a text for a replica's name; two replicas of one download never share one. */
export function replicaId(address: string): ReplicaId {
  return address as ReplicaId;
}

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

/** Claims of the same bytes, and who made them. */
export interface Group {
  /**
   * Their size and digest, with the root that most of them name; without one when none does, or
   * when two roots have equally many.
   */
  readonly claim: Claim;
  readonly members: readonly ReplicaId[];
}

interface Verdict {
  readonly rule: Rule;
  /** Equal claims that the rule asks for. */
  readonly needed: number;
  /** Every vote, in the order of configuration. */
  readonly votes: readonly Vote[];
  /** Who claims the same bytes, the largest group first, whatever the roots. */
  readonly groups: readonly Group[];
}

/** A quorum: what the file is, and who says so. */
export interface Reached extends Verdict {
  readonly reached: true;
  readonly manifest: Manifest;
  /**
   * Whether fewer name the root than the rule asks for, or the digest is pinned and nobody's word
   * counts. Pieces may be judged by such a root, but it stands or falls with the whole digest.
   */
  readonly isRootDoubtful: boolean;
  /**
   * The prefix root that as many of those who agree name as a root needs to be beyond doubt.
   * `undefined` where the root itself is not, or when there is none. Nobody is judged by it.
   */
  readonly prefixRoot: Digest | undefined;
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
 * silencing voters makes no majority. A tie never wins, whatever the rule. Who claims the same size
 * and digest counts together: one liar's other root must not prevent a quorum about the bytes.
 * `doubted`: claims whose root was tried and is not to be tried again; the rest of them counts.
 */
export function decide(
  votes: readonly Vote[],
  rule: Rule,
  doubted: readonly Claim[] = [],
): Agreement {
  const needed = neededBy(rule, votes.length);
  const groups = groupsOf(votes, doubted);
  const verdict = { rule, needed, votes, groups };
  const [largest, second] = groups.filter((group) => mayWin(group, rule));
  if (largest === undefined) {
    return { ...verdict, reached: false, why: isMissing(votes) ? "missing" : "too-few" };
  }
  if (largest.members.length < needed) return { ...verdict, reached: false, why: "too-few" };
  if (second?.members.length === largest.members.length) {
    return { ...verdict, reached: false, why: "tie" };
  }
  return reachedBy(verdict, largest.claim);
}

/**
 * Whether no answer of `pending` more replicas can change the verdict. It may still change the
 * prefix root, for which nobody waits.
 */
export function isSettled(
  votes: readonly Vote[],
  pending: number,
  { rule, doubted = [] }: { readonly rule: Rule; readonly doubted?: readonly Claim[] },
): boolean {
  if (pending === 0) return true;
  if (rule.kind === "all") return false;
  const silent = Array.from({ length: pending }, (_, index): Vote => {
    return { replica: replicaId(`pending ${index}`), answer: { kind: "silent", why: "pending" } };
  });
  const agreement = decide([...votes, ...silent], rule, doubted);
  if (!agreement.reached) return false;
  const { manifest, groups, isRootDoubtful } = agreement;
  const members = groups.find((group) => sameBytes(group.claim, manifest))?.members.length ?? 0;
  // Groups come in the order of their sizes.
  const rivals = groups.find((group) => !sameBytes(group.claim, manifest))?.members.length ?? 0;
  if (members <= rivals + pending) return false;
  // A doubtful root may yet become a firm one, and any root may be outdone by another.
  if (isRootDoubtful && rule.kind !== "digest") return false;
  const [most, next] = rootsOf(votes, manifest, doubted);
  return (most?.count ?? 0) > (next?.count ?? 0) + pending;
}

/** Whether a claim is of the same bytes, and names no other root. */
export function fits(claim: Claim, agreed: Claim): boolean {
  if (!sameBytes(claim, agreed)) return false;
  return claim.root === undefined || agreed.root === undefined || claim.root === agreed.root;
}

/** Whether a later claim makes its replica a member: a doubtful root keeps nobody out. */
export function joins(claim: Claim, { manifest, isRootDoubtful }: Reached): boolean {
  return isRootDoubtful ? sameBytes(claim, manifest) : fits(claim, manifest);
}

/** Whether two claims are of the same bytes, whatever their roots. */
export function sameBytes(left: Claim, right: Claim): boolean {
  return left.size === right.size && left.digest === right.digest;
}

function mayWin(group: Group, rule: Rule): boolean {
  return rule.kind !== "digest" || group.claim.digest === rule.digest;
}

function groupsOf(votes: readonly Vote[], doubted: readonly Claim[]): Group[] {
  const distinct: Claim[] = [];
  for (const claim of claimsOf(votes)) {
    if (!distinct.some((known) => sameBytes(known, claim))) distinct.push(claim);
  }
  const groups = distinct.map(({ size, digest }): Group => {
    const bare = { size, digest, root: undefined };
    const [most, next] = rootsOf(votes, bare, doubted);
    const root = most?.count === next?.count ? undefined : most?.root;
    return { claim: { size, digest, root }, members: membersOf(votes, bare) };
  });
  return groups.sort((left, right) => right.members.length - left.members.length);
}

/** The roots that are named for these bytes, the one that most name first. */
function rootsOf(
  votes: readonly Vote[],
  bytes: Claim,
  doubted: readonly Claim[],
): { readonly root: Digest; readonly count: number }[] {
  const counts = new Map<Digest, number>();
  for (const claim of claimsOf(votes)) {
    if (claim.root === undefined || !sameBytes(claim, bytes)) continue;
    if (doubted.some((known) => sameClaim(known, claim))) continue;
    counts.set(claim.root, (counts.get(claim.root) ?? 0) + 1);
  }
  const roots = [...counts].map(([root, count]) => ({ root, count }));
  return roots.sort((left, right) => right.count - left.count);
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

/**
 * Replicas that name another root dissent if enough name this one, else they are members. The word
 * of one replica alone is never enough to judge others by, even where the rule asks for one claim.
 */
function reachedBy(verdict: Verdict, claim: Claim): Reached {
  const { votes, rule, needed } = verdict;
  const named = votes.filter(
    ({ answer }) => answer.kind === "claimed" && sameClaim(answer.claim, claim),
  ).length;
  const members = membersOf(votes, { ...claim, root: undefined });
  const enough = (count: number) =>
    count >= (members.length === count ? needed : Math.max(needed, 2));
  const isFirm = claim.root !== undefined && rule.kind !== "digest" && enough(named);
  const agreeing = isFirm ? membersOf(votes, claim) : members;
  const dissenting = votes.flatMap(({ replica, answer }) =>
    answer.kind === "claimed" && !agreeing.includes(replica) ? [replica] : [],
  );
  const isRootDoubtful = claim.root !== undefined && !isFirm;
  return {
    ...verdict,
    reached: true,
    manifest: manifestOf(claim),
    isRootDoubtful,
    prefixRoot: isFirm ? prefixRootOf(votes, claim, enough) : undefined,
    agreeing,
    dissenting,
  };
}

/** The prefix root that most of those who make this very claim name, if they are enough. */
function prefixRootOf(
  votes: readonly Vote[],
  claim: Claim,
  enough: (count: number) => boolean,
): Digest | undefined {
  const counts = new Map<Digest, number>();
  for (const other of claimsOf(votes)) {
    const { prefixRoot } = other;
    if (prefixRoot === undefined || !sameClaim(other, claim)) continue;
    counts.set(prefixRoot, (counts.get(prefixRoot) ?? 0) + 1);
  }
  const [most, next] = [...counts].sort(([, left], [, right]) => right - left);
  return most !== undefined && enough(most[1]) && most[1] !== next?.[1] ? most[0] : undefined;
}
