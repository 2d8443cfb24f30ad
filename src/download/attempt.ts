/**
 * One attempt, under one agreement: the piece list, the partial, the bytes, and the file in its
 * place. What it may end with, other than that or an error, is an outcome; who decides again is the
 * download.
 */

import { UsageError } from "../errors.js";
import { limits } from "../limits.js";
import { faultText } from "../schedule/faults.js";
import type { ReplicaId, Vote } from "../trust/quorum.js";
import { account } from "./account.js";
import type { AttemptJob, AttemptRun } from "./attempt-job.js";
import { ComingList } from "./coming-list.js";
import { Doubts } from "./doubt/doubts.js";
import { judge } from "./doubt/judge.js";
import { Support } from "./doubt/support.js";
import { fill } from "./fill.js";
import type { FillRun } from "./fill-job.js";
import { thenLetGo } from "./let-go.js";
import type { Outcome, Stop } from "./outcome.js";
import { askForPieceList, type GivenList, type ListAnswer, noListError } from "./piece-list.js";
import { leavesOf } from "./resume.js";

/** Gets what was agreed on. Throws what ends the download. */
export async function attempt(job: AttemptJob): Promise<Outcome> {
  const { agreed, lessons, resolved } = job;
  const { agreement } = agreed;
  const support = new Support(agreement);
  const names = (replica: ReplicaId) => support.names(replica);
  const doubts = agreement.isRootDoubtful ? new Doubts(names) : undefined;
  // Late votes are asked for as long as the attempt lasts, and no longer.
  const outcome = await thenLetGo(resolved.signal, (signal) =>
    get({ ...job, resolved: { ...resolved, signal }, support, doubts }),
  );
  lessons.voted(support.votes);
  switch (outcome.kind) {
    case "done":
      break;
    case "lost-quorum":
      lessons.lost(agreement.manifest, support);
      break;
    case "root-doubted":
      lessons.doubt(agreement.manifest, doubts?.accusations ?? [], outcome.proof);
      break;
    default:
      outcome satisfies never;
  }
  return outcome;
}

async function get(run: AttemptRun): Promise<Outcome> {
  const { request, world, resolved, agreed } = run;
  const { manifest } = agreed.agreement;
  const { signal, onEvent, maxBytes } = resolved;
  if (manifest.size > maxBytes) {
    const facts = `${manifest.size} bytes are more than the ${maxBytes} that may be fetched`;
    throw new UsageError(`get ${request.name}: too large: ${facts}`);
  }
  const pieceList = new ComingList(manifest, askForList(run));
  await using partial = await world.openPartial(manifest);
  if (partial.setAside !== undefined) onEvent({ event: "set-aside", path: partial.setAside });
  const filled = await fill({ ...run, pieceList, partial }).finally(async () => {
    // Where no piece could be checked none was written, and what was only reserved is litter.
    if (pieceList.hasFailed && partial.leftoverBytes === 0) await partial.discard();
  });
  if (filled.kind !== "filled") {
    partial.sink.handoff?.throwIfGiven();
    return filled;
  }
  await passSentence(filled.run);
  signal.throwIfAborted();
  const path = await partial.publish();
  const { digest, size } = manifest;
  const got = { path, digest, size, ...account({ ...filled.run, agreement: agreed.agreement }) };
  return { kind: "done", got };
}

async function askForList(run: AttemptRun): Promise<GivenList | Stop> {
  const { request, world, resolved, agreed, support, doubts, lessons } = run;
  const { agreement, roundTripsMs } = agreed;
  const { signal, onEvent } = resolved;
  const banned = new Set(lessons.sentenced(agreement).map(({ replica }) => replica));
  const asked = { ...request, clock: world.clock, signal, roundTripsMs, banned };
  const first = await askForPieceList(agreement, asked);
  const isLast = first.kind === "given" || doubts !== undefined;
  const answer = isLast ? first : await askLatecomers(run, first, asked);
  const { faults } = answer.kind === "given" ? answer.list : answer;
  for (const { replica, fault } of faults) {
    onEvent({ event: "fault", replica, fault });
    if (fault.kind === "changed") support.left(replica);
  }
  if (support.isLost) return { kind: "lost-quorum", why: support.lossText };
  if (answer.kind === "given") return answer;
  if (doubts === undefined) throw noListError(request.name, answer.why);
  for (const { replica, fault } of faults) {
    lessons.faulted(replica, fault.kind);
    if (fault.kind !== "corrupt") continue;
    const { evidence } = fault;
    lessons.convicted(agreement.manifest, { replica, why: faultText(fault), evidence });
  }
  return { kind: "root-doubted", why: `nobody gives its pieces: ${answer.why}`, proof: undefined };
}

/**
 * The list of those who had not answered when the quorum was clear: one of them may be the only
 * honest one. They are waited for as long as a survey would have.
 */
async function askLatecomers(
  { agreed, support, world, resolved }: AttemptRun,
  first: Extract<ListAnswer, { kind: "refused" }>,
  asked: Parameters<typeof askForPieceList>[1],
): Promise<ListAnswer> {
  const { agreement, latecomers } = agreed;
  if (latecomers.size === 0) return first;
  const votes: Vote[] = [];
  const answered = [...latecomers.values()].map(async (vote) => votes.push(await vote));
  await thenLetGo(resolved.signal, (signal) =>
    Promise.race([Promise.all(answered), world.clock.sleep(limits.surveyMs, signal)]),
  );
  const agreeing = votes.filter((vote) => support.heard(vote)).map(({ replica }) => replica);
  const late = await askForPieceList({ ...agreement, agreeing, votes: support.votes }, asked);
  if (late.kind === "refused") return first;
  // Who joins late is judged by what he does then.
  return { kind: "given", list: { ...late.list, faults: first.faults } };
}

/** Now that the file is right, it judges what was alleged under roots that were doubted. */
async function passSentence(run: FillRun): Promise<void> {
  const { agreed, lessons, pieceList, partial, scheduler, resolved, world } = run;
  const { manifest, votes } = agreed.agreement;
  const cases = lessons.openCases(manifest);
  if (cases.accusations.length === 0 && cases.roots.length === 0) return;
  const { digests } = pieceList.list;
  // What was handed on is gone, and proves nothing about pieces that nobody gave.
  if (digests === undefined && partial.sink.handoff !== undefined) return;
  const truth = digests ?? (await leavesOf(partial, manifest, resolved));
  for (const ban of judge({ ...cases, ...run, truth, votes, now: world.clock.now() })) {
    if (scheduler.scoreOf(ban.replica) === undefined) continue;
    scheduler.ban(ban);
    if (ban.evidence?.piece === undefined) lessons.faulted(ban.replica, "corrupt");
    resolved.onEvent({ event: "banned", ...ban });
  }
}
