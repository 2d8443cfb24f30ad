/**
 * Gets the list of piece digests from a member of the quorum, the nearest first; the agreed root
 * says whether it is right. Prefixes come along where their root is agreed on, too.
 */

import { assert, OutOfReplicasError } from "../errors.js";
import { limits } from "../limits.js";
import { type Clock, type Replica, ReplicaFault } from "../ports.js";
import { clampedRetryMs } from "../schedule/backoff.js";
import { type Fault, faultText } from "../schedule/faults.js";
import { digestBytes } from "../trust/digest.js";
import type { Manifest } from "../trust/manifest.js";
import { endsIn, onlyLeaf, type PieceDigests, rootOf } from "../trust/merkle.js";
import type { Reached, ReplicaId } from "../trust/quorum.js";
import { Bell } from "./bell.js";
import { thenLetGo } from "./let-go.js";
import type { Replicas } from "./survey.js";

/** What was met by those who asked for a list. */
export type ListFaults = readonly { readonly replica: ReplicaId; readonly fault: Fault }[];

/** A list that matches the root, and what was learnt of those who were asked before. */
export interface PieceList {
  /** `undefined` when the agreement has no root: then only the whole digest can tell. */
  readonly digests: PieceDigests | undefined;
  /**
   * For each piece, the digest of the file from its beginning to the end of that piece: they have
   * the agreed root. `undefined` when the agreement has none, the file is small, or none were given.
   */
  readonly prefixes: PieceDigests | undefined;
  readonly faults: ListFaults;
}

/** Somebody gave it. */
export interface GivenList {
  readonly kind: "given";
  readonly list: PieceList;
}

/** What came of asking for a list. */
export type ListAnswer =
  | GivenList
  /** There is a root, and nobody gave its list; with why. */
  | { readonly kind: "refused"; readonly why: string; readonly faults: ListFaults };

/** What it takes to ask for a piece list. */
export interface PieceListRequest {
  readonly replicas: Replicas;
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How far each replica is, in milliseconds; the order of configuration without it. */
  readonly roundTripsMs?: ReadonlyMap<ReplicaId, number>;
  /** Who earned a ban before and is not asked. */
  readonly banned?: ReadonlySet<ReplicaId>;
}

/** The same as `askForPieceList`; throws OutOfReplicasError when nobody gives a list. */
export async function fetchPieceList(
  agreement: Reached,
  request: PieceListRequest,
): Promise<PieceList> {
  const answer = await askForPieceList(agreement, request);
  if (answer.kind === "refused") throw noListError(request.name, answer.why);
  return answer.list;
}

/** What ends a download that has no list for a root that a quorum agreed on. */
export function noListError(name: string, why: string): OutOfReplicasError {
  const what = `no replica gave a usable piece list (${why})`;
  return new OutOfReplicasError(`get ${name}: not all chunks are downloaded: ${what}`);
}

/** Whether a file has a list of pieces to check them by, small enough to be held in memory. */
export function hasList({ root, pieceCount }: Manifest): boolean {
  return root !== undefined && pieceCount * digestBytes <= limits.pieceListBytes;
}

/** Whether prefixes are worth their way and, beside the digests, small enough as well. */
function wantsPrefixes({ prefixRoot, manifest: { size, pieceCount } }: Reached): boolean {
  const isWorthIt = size >= limits.prefixDigestBytes;
  return (
    prefixRoot !== undefined && isWorthIt && 2 * pieceCount * digestBytes <= limits.pieceListBytes
  );
}

/**
 * Asks the nearest member, then others, until a list has the agreed root. One list serves all
 * replicas: that it has the root makes it as good as the root itself. For a single piece nobody is
 * asked: the root of a tree of one leaf is that leaf.
 */
export async function askForPieceList(
  agreement: Reached,
  request: PieceListRequest,
): Promise<ListAnswer> {
  const { root, pieceCount } = agreement.manifest;
  if (root === undefined || !hasList(agreement.manifest)) return given(none);
  if (pieceCount === 0) return given({ ...none, digests: new Uint8Array(0) });
  if (pieceCount === 1) return given({ ...none, digests: onlyLeaf(root) });
  const faults: { replica: ReplicaId; fault: Fault }[] = [];
  const { clock, signal } = request;
  const patientUntil = clock.now() + limits.pieceListMs;
  let members = givers(agreement, request);
  while (members.length > 0) {
    const later: ReplicaId[] = [];
    let waitMs: number = limits.retryMaxMs;
    const { right, refusals } = await askRound(agreement, members, request);
    for (const { replica, fault } of refusals) {
      if (fault.kind !== "busy" && fault.kind !== "hashing") {
        faults.push({ replica, fault });
        continue;
      }
      later.push(replica);
      waitMs = Math.min(waitMs, clampedRetryMs(fault.retryMs));
    }
    if (right !== undefined) return given(right, faults);
    if (clock.now() + waitMs >= patientUntil) break;
    // Who only asked for patience gets it, once nobody else has the list.
    if (later.length > 0) await clock.sleep(waitMs, signal);
    members = later;
  }
  const whys = faults.map(({ replica, fault }) => `${replica} ${faultText(fault)}`);
  return { kind: "refused", why: whys.join("; ") || "nobody may be asked", faults };
}

type Lists = Pick<PieceList, "digests" | "prefixes">;

const none: Lists = { digests: undefined, prefixes: undefined };

function given(lists: Lists, faults: ListFaults = []): GivenList {
  return { kind: "given", list: { ...lists, faults } };
}

type OneAnswer =
  | { readonly kind: "right"; readonly lists: Lists }
  | { readonly kind: "refused"; readonly fault: Fault };

interface Round {
  readonly right: Lists | undefined;
  readonly refusals: ListFaults;
}

/** One after the other, but nobody is waited for alone for long; ends with the first right list. */
function askRound(
  agreement: Reached,
  members: readonly ReplicaId[],
  request: PieceListRequest,
): Promise<Round> {
  return thenLetGo(request.signal, async (signal) => {
    const bell = new Bell();
    const waiting = [...members];
    const refusals: { replica: ReplicaId; fault: Fault }[] = [];
    let right: Lists | undefined;
    let failure: { readonly error: unknown } | undefined;
    let open = 0;
    const ask = (replica: ReplicaId) => {
      open++;
      void askOne(agreement, replica, { ...request, signal })
        .then(
          (answer) => {
            if (answer.kind === "right") right ??= answer.lists;
            else refusals.push({ replica, fault: answer.fault });
          },
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => {
          open--;
          bell.ring();
        });
    };
    let waitMs: number = limits.pieceListPatienceMs;
    while (right === undefined && refusals.length < members.length) {
      const [next] = open < limits.pieceListsAtOnce ? waiting.splice(0, 1) : [];
      if (next !== undefined) {
        ask(next);
        waitMs = patienceMs(agreement, request.roundTripsMs?.get(next) ?? 0);
      }
      await bell.rungWithin(waitMs, request.clock);
      if (failure !== undefined) throw failure.error;
    }
    return { right, refusals };
  });
}

/** What a list that is near takes at a modest rate: bytes of pieces wait for it meanwhile. */
function patienceMs({ manifest }: Reached, roundTripMs: number): number {
  const bytes = 2 * manifest.pieceCount * digestBytes;
  const expectedMs = roundTripMs + (bytes / limits.pieceListRate) * 1000;
  return Math.min(limits.pieceListPatienceMs, limits.pieceListPatienceLeastMs + expectedMs);
}

/** The list when it has the agreed root, else what is wrong with it. */
async function askOne(
  agreement: Reached,
  member: ReplicaId,
  request: PieceListRequest,
): Promise<OneAnswer> {
  const { root: expected, digest, pieceCount } = agreement.manifest;
  const replica: Replica | undefined = request.replicas.get(member);
  assert(replica !== undefined && expected !== undefined, `${member} is a member with a list`);
  try {
    const withPrefixes = wantsPrefixes(agreement);
    const all = { name: request.name, first: 0, count: pieceCount };
    const call = { signal: request.signal, deadlineMs: limits.pieceListMs };
    const asked = { ...all, ifDigest: digest, withPrefixes };
    const { digests, prefixes } = await replica.pieces(asked, call);
    const actual = rootOf(digests);
    if (actual === expected) {
      return { kind: "right", lists: { digests, prefixes: rightPrefixes(agreement, prefixes) } };
    }
    const evidence = { piece: undefined, expected, actual, atMs: request.clock.now() };
    const detail = "its piece list does not have the agreed root";
    return { kind: "refused", fault: { kind: "corrupt", detail, evidence } };
  } catch (error) {
    request.signal.throwIfAborted();
    if (!(error instanceof ReplicaFault)) throw error;
    return { kind: "refused", fault: error.fault };
  }
}

/** What was given when it has the agreed root. None is as good as another: pieces have digests. */
function rightPrefixes(
  agreement: Reached,
  prefixes: PieceDigests | undefined,
): PieceDigests | undefined {
  const { prefixRoot, manifest } = agreement;
  if (prefixes === undefined || !wantsPrefixes(agreement)) return undefined;
  // The nodes above them, passed off as a shorter list, would have the same root.
  if (prefixes.length !== manifest.pieceCount * digestBytes) return undefined;
  const isRight = rootOf(prefixes) === prefixRoot && endsIn(prefixes, manifest.digest);
  return isRight ? prefixes : undefined;
}

/**
 * The members that name the root themselves, nearest first; others have no list of it. Where
 * prefixes are wanted, who has none comes after all who name theirs.
 */
function givers(agreement: Reached, { roundTripsMs, banned }: PieceListRequest): ReplicaId[] {
  const { manifest, agreeing, votes, prefixRoot } = agreement;
  const claims = new Map(
    votes.flatMap(({ replica, answer }) =>
      answer.kind === "claimed" && answer.claim.root === manifest.root
        ? [[replica, answer.claim] as const]
        : [],
    ),
  );
  const distance = (member: ReplicaId) => roundTripsMs?.get(member) ?? 0;
  const nearest = agreeing
    .filter((member) => claims.has(member) && banned?.has(member) !== true)
    .sort((left, right) => distance(left) - distance(right));
  if (!wantsPrefixes(agreement)) return nearest;
  const names = (member: ReplicaId) => claims.get(member)?.prefixRoot === prefixRoot;
  return [...nearest.filter(names), ...nearest.filter((member) => !names(member))];
}
