/**
 * Power cuts on a real file system: a loop-mounted ext4 or XFS that is shut down with everything in
 * its cache, mounted again, and gone on with.
 */

import { spawn } from "node:child_process";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Running } from "../support/cli.js";
import { receiptOf } from "../support/e2e-receipt.js";
import { Seeded } from "../support/seeded.js";
import { type Claims, type Ended, type Lab, lastNumber, momentOf, orEnded } from "./lab.js";

const MiB = 1024 * 1024;
/** No download of a test takes so many milliseconds. */
export const atTheEnd = 120_000;

/** The smallest image that each can be made in, with room for a file of some tens of MiB. */
const imageBytes = { ext4: 96 * MiB, xfs: 320 * MiB } as const;

export type FileSystem = keyof typeof imageBytes;

/** What a cut did. */
export interface PowerReport {
  readonly cuts: number;
  /** Cuts right after exit 0. */
  readonly afterTheEnd: number;
  /** Cuts after which an earlier run's pieces were taken up. */
  readonly resumes: number;
  /** Cuts before which a checkpoint was over. */
  readonly checkpoints: number;
  /** Cuts after which the journal knew of pieces whose bytes were lost. */
  readonly ahead: number;
  /** The most bytes that one cut made us fetch again. */
  readonly worstAgainBytes: number;
}

/** What no cut at all did. */
export const noCuts: PowerReport = {
  cuts: 0,
  afterTheEnd: 0,
  resumes: 0,
  checkpoints: 0,
  ahead: 0,
  worstAgainBytes: 0,
};

/** What cuts did, in words. */
export function cutsText(report: PowerReport): string {
  const { cuts, afterTheEnd, resumes, ahead, worstAgainBytes } = report;
  const worst = (worstAgainBytes / MiB).toFixed(1);
  return (
    `${cuts} cuts, ${afterTheEnd} right after exit 0, ${resumes} with pieces kept, ` +
    `${ahead} with a journal ahead of them, at worst ${worst} MiB again`
  );
}

/** A file system in a file, mounted. */
export class LoopDisk {
  readonly #image: string;
  readonly mountpoint: string;

  private constructor(image: string, mountpoint: string) {
    this.#image = image;
    this.mountpoint = mountpoint;
  }

  /** Makes one in `folder`. Rejects with the reason when it cannot be made or mounted here. */
  static async make(folder: string, kind: FileSystem): Promise<LoopDisk> {
    const disk = new LoopDisk(join(folder, `${kind}.img`), join(folder, kind));
    await mkdir(disk.mountpoint);
    const image = await open(disk.#image, "w");
    await image.truncate(imageBytes[kind]);
    await image.close();
    await command(`mkfs.${kind}`, ["-q", ...(kind === "ext4" ? ["-F"] : []), disk.#image]);
    await disk.mount();
    return disk;
  }

  async mount(): Promise<void> {
    await command("mount", ["-o", "loop", this.#image, this.mountpoint]);
  }

  /** Cuts the power: nothing reaches the disk any more. */
  async cut(): Promise<void> {
    const script = `open(F, "<", $ARGV[0]) or die "$!\\n"; my $how = pack("L", 2);
      defined(ioctl(F, 0x8004587d, $how)) or die "$!\\n";`;
    await command("perl", ["-e", script, this.mountpoint]);
  }

  /** Turns it on again. */
  async restart(): Promise<void> {
    await this.unmount();
    await this.mount();
  }

  async unmount(): Promise<void> {
    // Whoever has just died may still be on it.
    for (let attempt = 0; ; attempt++) {
      try {
        return await command("umount", [this.mountpoint]);
      } catch (error) {
        if (attempt === 100) throw error;
        await pause(50);
      }
    }
  }

  /** Unmounts it, whatever state it is in; the loop device goes with it. */
  async remove(): Promise<void> {
    await command("umount", [this.mountpoint]).catch(() =>
      command("umount", ["-l", this.mountpoint]).catch(() => {}),
    );
  }
}

/** Why the power cannot be cut here; `undefined` when it can: it was, once. */
export async function powerProblem(folder: string, kind: FileSystem): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "cutting the power of a file system needs root";
  const probe = join(folder, `probe-${kind}`);
  await mkdir(probe);
  let disk: LoopDisk | undefined;
  try {
    disk = await LoopDisk.make(probe, kind);
    await disk.cut();
    const isCut = await mkdir(join(disk.mountpoint, "after")).then(
      () => false,
      () => true,
    );
    if (!isCut) return `a ${kind} goes on after it was shut down`;
    await disk.restart();
    return undefined;
  } catch (error) {
    return `no ${kind} can be made, mounted and shut down here (${String(error).trim()})`;
  } finally {
    await disk?.remove();
    await rm(probe, { recursive: true, force: true }).catch(() => {});
  }
}

/** Watches in a client what becomes durable, and may change that. */
const watchedSyncs = join(import.meta.dirname, "watched-syncs.mjs");

/**
 * One cut and what comes after, from the lab's last lane. `program`: another than ours. Throws when
 * something is lost.
 */
export async function powerRound(
  lab: Lab,
  disk: LoopDisk,
  options: {
    readonly seed: number;
    readonly lane: number;
    /** When the power goes, at the latest; a moment of the seed's choice otherwise. */
    readonly afterMs?: number;
    readonly program?: string;
    /** Whether the journal is durable before its bytes are; as the seed has it otherwise. */
    readonly isAhead?: boolean;
    /** Whether syncs of the partial only say that they did. */
    readonly isHollow?: boolean;
  },
): Promise<PowerReport> {
  const { seed, lane, afterMs, program, isHollow = false } = options;
  const random = new Seeded(seed);
  // Left to itself, the kernel rarely writes the journal before the bytes.
  const { isAhead = random.below(2) === 0 } = options;
  const output = join(disk.mountpoint, "file.bin");
  const durable = join(lab.folder, `durable-${lane}`);
  await rm(durable, { force: true });
  const env = {
    NODE_OPTIONS: `--import=${watchedSyncs}`,
    DURABLE: durable,
    ...(isAhead ? { AHEAD: "1" } : {}),
    ...(isHollow ? { HOLLOW: "1" } : {}),
  };
  const client = lab.start(output, { lane, env, ...(program === undefined ? {} : { program }) });
  // Now and then the very moment after the end is the one.
  const ms = afterMs ?? (random.below(6) === 0 ? atTheEnd : undefined);
  if (ms !== undefined) await orEnded(client, ms);
  else await momentOf(client, random, lab.content.length);
  const isOver = client.child.exitCode === 0;
  const claimed = lab.claimsIn(await readFile(durable).catch(() => Buffer.alloc(0)));
  await disk.cut();
  const first = await endAfterCut(lab, client);
  await disk.restart();
  const report = await judge(lab, { output, seed, first, isOver, claimed });
  for (const name of await readdir(disk.mountpoint)) {
    if (name !== "lost+found") await rm(join(disk.mountpoint, name), { recursive: true });
  }
  return report;
}

/** Nothing can be written any more: it stops by itself, soon, or is ended. */
async function endAfterCut(lab: Lab, client: Running): Promise<Ended> {
  const timer = setTimeout(() => client.child.kill("SIGKILL"), 30_000);
  const ended = await lab.ended(client);
  clearTimeout(timer);
  return ended;
}

async function judge(
  lab: Lab,
  round: {
    readonly output: string;
    readonly seed: number;
    readonly first: Ended;
    readonly isOver: boolean;
    /** What must still be there. */
    readonly claimed: Claims;
  },
): Promise<PowerReport> {
  const { output, seed, first, isOver, claimed } = round;
  const verdict = await lab.verdict(output);
  if (verdict === "wrong") fail(seed, "a wrong file bears the output's name");
  if (isOver && verdict !== "right") fail(seed, `exit 0, and the output is ${verdict}`);
  const checkpoints = claimed.bytes > 0 ? 1 : 0;
  const report = { ...noCuts, cuts: 1, afterTheEnd: isOver ? 1 : 0, checkpoints };
  if (verdict === "right") return report;
  const claims = await lab.claims(output);
  const ahead = await lab.unbacked(output, claims);
  const kept = lab.without(claims, ahead);
  const lost = [...claimed.pieces].filter((piece) => !kept.pieces.has(piece));
  if (lost.length > 0) fail(seed, `${lost.length} pieces were durable, and are lost`);
  const second = await lab.runAgain(output, lab.lanes.length - 1);
  if (second.code !== 0) fail(seed, `the last run ended with ${second.code}: ${second.stderr}`);
  const end = await lab.verdict(output);
  if (end !== "right") fail(seed, `the last run ended well, and the output is ${end}`);
  const resumedBytes = lastNumber(second.stdout, "receipt", "resumedBytes");
  if (resumedBytes < kept.bytes) fail(seed, "what the journal claims and has was fetched again");
  const blamed = blamedIn(second.stdout);
  if (blamed.length > 0) fail(seed, `${blamed} are blamed for the cut`);
  const done = lastNumber(first.stdout, "progress", "doneBytes");
  return {
    ...report,
    resumes: resumedBytes > 0 ? 1 : 0,
    ahead: ahead.length > 0 ? 1 : 0,
    worstAgainBytes: Math.max(0, done - resumedBytes),
  };
}

/** The replicas that are told to have sent something wrong. */
function blamedIn(stdout: string): string[] {
  const { replicas } = receiptOf(stdout);
  const blamed = replicas.filter(({ standing, faults }) => {
    return standing === "banned" || (faults.corrupt ?? 0) > 0;
  });
  return blamed.map(({ address }) => address);
}

export function addCuts(one: PowerReport, other: PowerReport): PowerReport {
  return {
    cuts: one.cuts + other.cuts,
    afterTheEnd: one.afterTheEnd + other.afterTheEnd,
    resumes: one.resumes + other.resumes,
    checkpoints: one.checkpoints + other.checkpoints,
    ahead: one.ahead + other.ahead,
    worstAgainBytes: Math.max(one.worstAgainBytes, other.worstAgainBytes),
  };
}

function command(name: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name}: ${said.trim() || code}`));
    });
  });
}

function fail(seed: number, what: string): never {
  throw new Error(`SEED=${seed}: ${what}`);
}
