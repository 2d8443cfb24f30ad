/**
 * Asks the replicas, and insists on a quorum: the first step of whatever needs to know what is
 * true.
 */

import { NoQuorumError, NotFoundError } from "../errors.js";
import { shortDigest } from "../trust/digest.js";
import type { NotReached, Reached, Vote } from "../trust/quorum.js";
import { type Survey, type SurveyRequest, survey } from "./survey.js";

/** A survey that found a quorum. */
export type Agreed = Survey & { readonly agreement: Reached };

/**
 * Surveys; throws NotFoundError when nobody has the file, NoQuorumError when too few agree. `after`:
 * what happened before that made it ask, for the message.
 */
export async function agree(what: string, request: SurveyRequest, after?: string): Promise<Agreed> {
  const result = await survey(request);
  const { agreement } = result;
  if (agreement.reached) return { ...result, agreement };
  const doing = `${what} ${request.name}`;
  throw failureOf(after === undefined ? doing : `${doing}: ${after}`, agreement);
}

/** The error that no quorum is. */
export function failureOf(what: string, agreement: NotReached): Error {
  const { votes, needed } = agreement;
  const silent = votes.filter(({ answer }) => answer.kind === "silent").length;
  const missing = votes.filter(({ answer }) => answer.kind === "missing").length;
  if (agreement.why === "missing") {
    const have = isOne(missing, votes.length) ? "has" : "have";
    const facts = `${countOf(missing, votes.length)} ${have} no such file, ${silent} silent`;
    return new NotFoundError(`${what}: Cannot transfer this file: ${facts}`);
  }
  const tally = agreement.groups.map(({ claim, members }) => {
    return { digest: claim.digest as string, size: claim.size, count: members.length };
  });
  const counted = [
    ...tally.map(
      ({ digest, size, count }) =>
        `${shortDigest(digest)}… (${size} ${size === 1 ? "byte" : "bytes"}) ×${count}`,
    ),
    ...(missing > 0 ? [`missing ×${missing}`] : []),
    ...(silent > 0 ? [`silent ×${silent}`] : []),
  ];
  const verdict = `no quorum: ${verdictText(agreement)} (${counted.join(", ")})`;
  const message = `${what}: ${verdict}${silenceText(votes)}${advice(agreement)}`;
  return new NoQuorumError(message, { needed, configured: votes.length, tally, silent, missing });
}

/** How many agree, and how many must, or what else is in the way. */
export function verdictText(agreement: NotReached): string {
  const { why, rule, votes, needed } = agreement;
  const most = mostOf(agreement);
  if (why === "missing") return "no replica has it";
  if (why === "tie") return `a tie, ${most} against ${most} of ${votes.length} replicas`;
  if (rule.kind === "digest") return `no replica claims the pinned ${shortDigest(rule.digest)}…`;
  const needs =
    rule.kind === "at-least" ? `${needed} are asked for` : `${rule.kind} needs ${needed}`;
  return `${agreeText(most, votes.length)}, ${needs}`;
}

/** `2 of 3 replicas agree`. */
export function agreeText(count: number, configured: number): string {
  return `${countOf(count, configured)} ${isOne(count, configured) ? "agrees" : "agree"}`;
}

function countOf(count: number, configured: number): string {
  return `${count} of ${configured} ${configured === 1 ? "replica" : "replicas"}`;
}

function isOne(count: number, configured: number): boolean {
  return count === 1 || configured === 1;
}

/** How many the largest group has. */
function mostOf({ groups }: NotReached): number {
  return groups[0]?.members.length ?? 0;
}

/** Why the first silent one is: a wrong token, for example, is everybody's reason. */
function silenceText(votes: readonly Vote[]): string {
  for (const { replica, answer } of votes) {
    if (answer.kind === "silent") return `; ${replica}: ${answer.why}`;
  }
  return "";
}

/** Which `--quorum` would take what was seen, and that this means trusting fewer. */
function advice(agreement: NotReached): string {
  const { groups, rule } = agreement;
  const most = mostOf(agreement);
  if (most === 0 || rule.kind === "digest") return "";
  const largest = groups.filter(({ members }) => members.length === most);
  if (largest.length > 1) return "; no --quorum settles a tie, --digest sha256:… does";
  return `; --quorum ${most} would accept the largest group`;
}
