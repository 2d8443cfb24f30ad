/**
 * `kill -9` at a random moment, again and again: the output is absent or right at every instant,
 * and whatever was journaled is not fetched again.
 */

import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Running } from "../support/cli.js";
import { Seeded } from "../support/seeded.js";
import { besides, type Ended, isStarved, type Lab, lastNumber, momentOf } from "./lab.js";

/** What kills did. */
export interface KillReport {
  readonly kills: number;
  /** Kills after which an earlier run's pieces were taken up. */
  readonly resumes: number;
  /** The most bytes that one kill made us fetch again. */
  readonly worstAgainBytes: number;
}

/**
 * One client's life: killed at random moments, and run again until it is done, the last time from
 * the lab's last lane.
 */
export async function killRound(
  lab: Lab,
  { seed, lane }: { readonly seed: number; readonly lane: number },
): Promise<KillReport> {
  const random = new Seeded(seed);
  const output = `${lab.folder}/killed-${seed}.bin`;
  let report: KillReport = { kills: 0, resumes: 0, worstAgainBytes: 0 };
  const most = random.below(3) === 0 ? 2 : 1;
  for (let kills = 0; kills < most; kills++) {
    const client = lab.start(output, { lane });
    await momentOf(client, random, lab.content.length);
    const first = await killed(lab, client, output, seed);
    if (first.code === 0) {
      await rm(output);
      return report;
    }
    // It was never killed, and has nothing yet.
    if (first.code !== "SIGKILL") break;
    report = add(report, await kept(lab, { output, lane, seed, first }));
  }
  await lastRun(lab, output, lab.lanes.length - 1, seed);
  await rm(output);
  return report;
}

/** Kills a client at a moment of the caller's choice; gives what it cost. */
export async function killWhen(
  lab: Lab,
  options: { readonly doneBytes: number; readonly program?: string | undefined },
): Promise<KillReport> {
  const { doneBytes, program } = options;
  const output = `${lab.folder}/killed-when-${doneBytes}.bin`;
  const run = { lane: 0, ...(program === undefined ? {} : { program }) };
  const client = lab.start(output, run);
  const isThere = () => lastNumber(client.stdout, "progress", "doneBytes") >= doneBytes;
  while (!isThere() && client.child.exitCode === null) await pause(10);
  const first = await killed(lab, client, output, 0);
  return kept(lab, { output, lane: 0, seed: 0, first });
}

async function killed(lab: Lab, client: Running, output: string, seed: number): Promise<Ended> {
  client.child.kill("SIGKILL");
  const first = await lab.ended(client);
  if (first.code !== 0 && first.code !== "SIGKILL" && !isStarved(first))
    fail(seed, `it ended with ${tell(first)}`);
  const verdict = await lab.verdict(output);
  if (verdict === "wrong") fail(seed, "a wrong file bears the output's name");
  if (first.code === 0 && verdict !== "right") fail(seed, `exit 0, and the output is ${verdict}`);
  return first;
}

/** What the journal claims is backed by bytes; the rest is what is fetched again. */
async function kept(
  lab: Lab,
  round: {
    readonly output: string;
    readonly lane: number;
    readonly seed: number;
    readonly first: Ended;
  },
): Promise<KillReport> {
  const { output, seed, first } = round;
  // Killed between its last two steps: the file is in its place, and nothing is fetched again.
  if ((await lab.verdict(output)) === "right") return { kills: 1, resumes: 0, worstAgainBytes: 0 };
  const claims = await lab.claims(output);
  const unbacked = await lab.unbacked(output, claims);
  if (unbacked.length > 0) fail(seed, `the journal claims pieces ${unbacked} without their bytes`);
  const done = lastNumber(first.stdout, "progress", "doneBytes");
  return {
    kills: 1,
    resumes: claims.bytes > 0 ? 1 : 0,
    worstAgainBytes: Math.max(0, done - claims.bytes),
  };
}

/** Runs it to its end: exit 0, the right file, and all that the journal claimed was kept. */
async function lastRun(lab: Lab, output: string, lane: number, seed: number): Promise<void> {
  const isThere = (await lab.verdict(output)) === "right";
  const claims = await lab.claims(output);
  const last = await lab.runAgain(output, lane);
  if (isThere) {
    if (last.code !== 7) fail(seed, `the output was there, and it ended with ${tell(last)}`);
  } else {
    if (last.code !== 0) fail(seed, `the last run ended with ${tell(last)}`);
    const resumedBytes = lastNumber(last.stdout, "receipt", "resumedBytes");
    if (resumedBytes < claims.bytes) {
      fail(seed, `${claims.bytes} bytes were journaled, and ${resumedBytes} were kept`);
    }
  }
  if ((await lab.verdict(output)) !== "right") fail(seed, "the file is not right in the end");
  await rm(besides(output).partial, { force: true });
  await rm(besides(output).journal, { force: true });
}

export function add(one: KillReport, other: KillReport): KillReport {
  return {
    kills: one.kills + other.kills,
    resumes: one.resumes + other.resumes,
    worstAgainBytes: Math.max(one.worstAgainBytes, other.worstAgainBytes),
  };
}

/** What kills did, in words. */
export function killText({ kills, resumes, worstAgainBytes }: KillReport): string {
  const worst = (worstAgainBytes / 1024 / 1024).toFixed(1);
  return `${kills} kills, ${resumes} with pieces kept, at worst ${worst} MiB again`;
}

function tell({ code, stderr }: Ended): string {
  return `${code}: ${stderr.trim()}`;
}

function fail(seed: number, what: string): never {
  throw new Error(`SEED=${seed}: ${what}`);
}
