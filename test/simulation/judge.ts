/**
 * Says whether a story ended as it must, from the world alone: none of its rules is the product's
 * code.
 */

import assert from "node:assert/strict";
import { messageOf, QuorateError } from "../../src/errors.js";
import type { Marks } from "./marks.js";
import { mustSucceed, neededFor, supportersOf } from "./promises.js";
import { Hang, type Run, type Story } from "./run-world.js";
import { pieceBytes, versionOf } from "./versions.js";
import type { World, WorldReplica } from "./world.js";

const attemptsAgain = /"event":"(?:root-doubted|asked-again)"/;
const reconsiders = /"event":"(?:second-opinions|root-doubted|asked-again)"/;

/** Throws unless every run of a story ended as it must; counts how they ended. */
export function judge({ world, runs }: Story, marks: Marks): void {
  for (const run of runs) judgeRun(world, run, marks);
}

function judgeRun(world: World, run: Run, marks: Marks): void {
  const { error, receipt, witness, ended, diskFailed } = run;
  assert.ok(!(error instanceof Hang), `a hang: ${messageOf(error)}`);
  assert.deepEqual(witness.problems, []);
  judgeBlame(world, run);
  if (receipt !== undefined) {
    // What could not be read may be read once more: right bytes come of it, or none.
    assert.ok(diskFailed === undefined || diskFailed === "read", `it succeeds after ${diskFailed}`);
    marks.add("succeeded");
    judgeFile(world, run, marks);
    judgeReceipt(world, run);
    return;
  }
  // A killed process says nothing; one that is asked to stop says so, and has published nothing.
  if (ended === undefined) {
    assert.ok(error instanceof QuorateError, `a bug, not an answer: ${stackOf(error)}`);
    marks.addNamed(`error:${error.code}`);
    const excused = diskFailed !== undefined && error.code === "storage";
    assert.ok(excused || error.code !== "storage", `the disk works: ${error.message}`);
    assert.ok(excused || !mustSucceed(world, run.startedAt), `it had to succeed: ${error.message}`);
  }
  assert.ok(run.published === undefined, "what failed is not published");
  if (ended === undefined || ended === "abort") assert.equal(run.isLocked, false);
}

/** What is published is a version that as many replicas stood for as the rule asks. */
function judgeFile(world: World, { published, error, witness }: Run, marks: Marks): void {
  const { standing, needed } = witness;
  assert.ok(standing.size >= needed, `${standing.size} stood by it in the end, not ${needed}`);
  assert.ok(published !== undefined && error === undefined);
  const version = [0, 1, 2, 3].find((index) => {
    return Buffer.compare(versionOf(index, world.size).content, published) === 0;
  });
  assert.ok(version !== undefined, "wrong bytes: a file that nobody has");
  const supporters = supportersOf(world, version);
  assert.ok(supporters >= neededFor(world, version), `version ${version}: ${supporters} say so`);
  if (version !== 0) marks.add("lie-won");
}

/** Nobody honest is banned, whatever came of it. */
function judgeBlame(world: World, { witness, receipt, manifest }: Run): void {
  // By a doubtful root nobody is judged for good before the right file is there.
  if (receipt === undefined && witness.isRootDoubtful) return;
  // A majority that agrees on a false root decides who looks guilty: no vote can help that.
  // That of another version is as false: it is a root of other bytes than the digest's.
  const isTrue = [0, 1, 2, 3].some((one) => {
    const { root, digest } = versionOf(one, world.size).manifest;
    return root === manifest?.root && digest === manifest?.digest;
  });
  if (manifest?.root !== undefined && !isTrue && !witness.isRootDoubtful) return;
  const banned = new Set(witness.banned.keys());
  for (const line of receipt?.replicas ?? [])
    if (line.standing === "banned") banned.add(line.address);
  for (const id of banned) {
    const replica = replicaOf(world, id);
    assert.ok(mayBeBanned(replica), `${id} (${replica.trouble.kind}) is banned`);
  }
  for (const line of receipt?.replicas ?? []) {
    if (line.standing === "banned") assert.ok(line.evidence, `${line.address}: what for?`);
  }
}

function mayBeBanned({ trouble }: WorldReplica): boolean {
  switch (trouble.kind) {
    case "corrupt":
    case "false-list":
    case "false-root":
    case "changes-its-story":
      return true;
    case "lie":
      return !trouble.holds;
    default:
      return false;
  }
}

/** The receipt's figures agree with what the disk saw. */
function judgeReceipt(world: World, { receipt, witness, journaled, manifest }: Run): void {
  assert.ok(receipt !== undefined && manifest !== undefined);
  const { size } = manifest;
  assert.equal(receipt.replicas.length, world.replicas.length, "a line for each replica");
  const delivered = receipt.replicas.reduce((sum, line) => sum + line.deliveredBytes, 0);
  assert.equal(delivered + receipt.resumedBytes, size, "every byte counts once");
  const pieces = Math.ceil(size / pieceBytes);
  // Each attempt has a budget of its own.
  const attempts = 1 + witness.trace.filter((line) => attemptsAgain.test(line)).length;
  const budget = attempts * Math.max(4, Math.floor(pieces * 0.02));
  assert.ok(receipt.hedgedBytes <= budget * pieceBytes, `${receipt.hedgedBytes} bytes hedged`);
  judgeResumed(world, { witness, journaled, size });
  // Another attempt, or another opinion, writes again what turned out to be something else.
  const isReconsidered = witness.trace.some((line) => reconsiders.test(line));
  if (!isReconsidered) judgeWrites(world, witness, receipt.hedgedBytes);
}

/** What the journal vouched for was taken up. */
function judgeResumed(
  world: World,
  { witness, journaled, size }: Pick<Run, "witness" | "journaled"> & { readonly size: number },
): void {
  // By a false root right pieces are wrong; under doubt the journal vouches for wrong ones.
  if (world.replicas.some(({ trouble }) => trouble.kind === "false-root")) return;
  const vouchedBytes = journaled.reduce((sum, piece) => {
    return sum + Math.max(0, Math.min(pieceBytes, size - piece * pieceBytes));
  }, 0);
  const takenUp = witness.resumedBytes ?? 0;
  assert.ok(takenUp >= vouchedBytes, `only ${takenUp} bytes resumed, not ${vouchedBytes}`);
}

/** No piece is written twice, but for hedges, and for what a late read had under way. */
function judgeWrites(world: World, witness: Run["witness"], hedgedBytes: number): void {
  const again = witness.writtenAgain;
  const underWay = world.disk.writeMs > 0 ? witness.lates + witness.banned.size : 0;
  const allowed = Math.ceil(hedgedBytes / pieceBytes) + underWay;
  assert.ok(again <= allowed, `${again} writes too many, ${allowed} allowed`);
}

function replicaOf(world: World, id: string): WorldReplica {
  const replica = world.replicas[Number(id.slice(1))];
  assert.ok(replica !== undefined, `${id} takes part`);
  return replica;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
