/**
 * Keeps asking the replicas that were silent at the vote: a server that comes back may still take
 * part.
 */

import { limits } from "../limits.js";
import type { Random } from "../ports.js";
import type { Vote } from "../trust/quorum.js";
import { ask, type Survey, type SurveyRequest } from "./survey.js";

/**
 * For each silent replica, its vote once it has one: what was under way when the survey ended, or
 * what it says when asked again, each 5 to 10 s. They resolve when they are known or the signal is
 * aborted, and never reject. No vote changes the verdict; it only lets a replica join.
 */
export function lateVotes(
  { agreement, latecomers }: Survey,
  request: SurveyRequest,
  random: Random,
): Promise<Vote>[] {
  const silent = agreement.votes.filter(({ answer }) => answer.kind === "silent");
  return silent.map(async (vote) => {
    const underWay = latecomers.get(vote.replica);
    return untilAnswered(underWay === undefined ? vote : await underWay, request, random);
  });
}

async function untilAnswered(first: Vote, request: SurveyRequest, random: Random): Promise<Vote> {
  const { replicas, clock, signal } = request;
  const replica = replicas.get(first.replica);
  let vote = first;
  while (vote.answer.kind === "silent" && replica !== undefined && !signal.aborted) {
    // The end of the download ends the wait, which says so by rejecting.
    await clock.sleep(limits.breakerMs * (1 + random()), signal).catch(() => {});
    if (signal.aborted) break;
    const quietly = { ...request, onEvent: () => {} };
    vote = { replica: vote.replica, answer: (await ask(vote.replica, replica, quietly)).answer };
  }
  return vote;
}
