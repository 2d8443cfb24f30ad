/** What may be expected of a world: which versions could win the vote, and when it must succeed. */

import { versionOf } from "./versions.js";
import { forever, type World, type WorldReplica } from "./world.js";

/** Equal claims that the world's rule asks for, for this version. */
export function neededFor({ rule, replicas, size }: World, version: number): number {
  switch (rule.kind) {
    case "majority":
      return Math.floor(replicas.length / 2) + 1;
    case "at-least":
      return rule.count;
    case "all":
      return replicas.length;
    case "digest":
      return versionOf(version, size).manifest.digest === rule.digest ? 1 : forever;
    default:
      return rule satisfies never;
  }
}

/** How many replicas claim a version at one time or another. */
export function supportersOf({ replicas, size }: World, version: number): number {
  const { digest } = versionOf(version, size).manifest;
  const claims = (index: number) => versionOf(index, size).manifest.digest === digest;
  return replicas.filter(({ trouble }) => {
    switch (trouble.kind) {
      case "lie":
        return claims(trouble.version);
      case "changed":
        return claims(0) || claims(trouble.version);
      case "changes-its-story":
        return false;
      default:
        return claims(0);
    }
  }).length;
}

/**
 * Whether a run that begins at a moment has no excuse: enough tell the truth from its start, more
 * than agree on any lie, the true root outnumbers every false one, the list of pieces is to be had,
 * and somebody delivers in the end. The same goes for a file that is edited everywhere at once.
 */
export function mustSucceed(world: World, startedAt: number): boolean {
  const { replicas } = world;
  if (isEditedEverywhere(world, startedAt)) return true;
  // Once somebody takes a vote back all are asked again, whoever fell silent for good included.
  const isFickle = replicas.some(({ trouble }) => isTakenBack(trouble.kind));
  const truthful = replicas.filter((replica) => {
    return isTruthful(replica, startedAt) && !(isFickle && isGoneForGood(replica));
  });
  if (truthful.length < neededFor(world, 0)) return false;
  if (truthful.length <= largestLie(replicas)) return false;
  const roots = truthful.filter(({ trouble }) => !hasNoTrueRoot(trouble.kind)).length;
  if (roots <= largestFalseRoot(replicas)) return false;
  return truthful.some(givesTheList) && truthful.some(isReliable);
}

/** Whether all go on to one other version, not while they are asked, and the rule allows for it. */
function isEditedEverywhere({ replicas, rule }: World, startedAt: number): boolean {
  const [first] = replicas;
  if (first?.trouble.kind !== "changed" || rule.kind === "digest") return false;
  const { from, version } = first.trouble;
  return replicas.every(({ trouble, latencyMs }) => {
    const isSame = trouble.kind === "changed" && trouble.version === version;
    const isClear = from <= startedAt || from > startedAt + 2 * latencyMs + 600;
    return isSame && trouble.from === from && isClear;
  });
}

/** Whether it claims what is true, soon enough to be counted. */
function isTruthful({ trouble, latencyMs }: WorldReplica, startedAt: number): boolean {
  switch (trouble.kind) {
    case "lie":
    case "changes-its-story":
    case "changed":
    case "hashing":
      return false;
    case "missing":
    case "denied":
    case "incompatible":
    case "away":
    case "busy":
    case "silent":
      return trouble.from > startedAt + 2 * latencyMs + 600 || trouble.until <= startedAt;
    default:
      return true;
  }
}

function isTakenBack(kind: WorldReplica["trouble"]["kind"]): boolean {
  return kind === "changed" || kind === "changes-its-story";
}

function isGoneForGood({ trouble }: WorldReplica): boolean {
  return "until" in trouble && trouble.until === forever;
}

/** Whether, by itself, it would deliver the right file in the end. */
function isReliable({ trouble }: WorldReplica): boolean {
  switch (trouble.kind) {
    case "none":
    case "busy":
      return true;
    case "away":
    case "silent":
      return trouble.until !== forever;
    default:
      return false;
  }
}

/** Whether the right piece list can be had from it at any time, whatever its bytes are. */
function givesTheList({ trouble }: WorldReplica): boolean {
  return ["none", "corrupt", "short", "overrun", "wrong-offset"].includes(trouble.kind);
}

function hasNoTrueRoot(kind: WorldReplica["trouble"]["kind"]): boolean {
  return kind === "foreign" || kind === "false-root";
}

/** The most replicas that may ever agree on another version, or on the truth too late. */
function largestLie(replicas: readonly WorldReplica[]): number {
  const counts = [1, 2, 3].map((version) => {
    return replicas.filter(({ trouble }) => {
      return "version" in trouble && trouble.version === version;
    }).length;
  });
  const hasStoryteller = replicas.some(({ trouble }) => trouble.kind === "changes-its-story");
  return Math.max(hasStoryteller ? 1 : 0, ...counts);
}

function largestFalseRoot(replicas: readonly WorldReplica[]): number {
  const counts = [1, 2, 3].map((story) => {
    return replicas.filter(({ trouble }) => {
      return trouble.kind === "false-root" && trouble.story === story;
    }).length;
  });
  return Math.max(...counts);
}
