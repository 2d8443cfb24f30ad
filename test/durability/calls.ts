/**
 * The n-th system call fails: `strace` makes one call on our own files fail, for every call that a
 * download makes, with EIO and with ENOSPC; or the client is killed there.
 */

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseLeftoverName } from "../../src/files/leftover-name.js";
import { besides, type Ended, type Lab } from "./lab.js";

/** Each kind of call, with its names on this and other machines. */
export const kinds = {
  write: "pwrite64,pwritev",
  fdatasync: "fdatasync",
  fsync: "fsync",
  fallocate: "fallocate",
  link: "?link,linkat",
  unlink: "?unlink,unlinkat",
  rename: "?rename,?renameat,renameat2",
  open: "?open,openat",
} as const;

export type CallKind = keyof typeof kinds;

/** Those that only our files see, so that they need no names: of one piece, a file has none yet. */
export const onePieceKinds = ["write", "fsync", "link", "unlink", "rename"] as const;

/** One call to fail. */
export interface CallCase {
  readonly kind: CallKind;
  readonly error: "EIO" | "ENOSPC" | "SIGKILL";
  /** The first call is 1. */
  readonly when: number;
  readonly isForced: boolean;
}

/** What the failure did. */
export type CallOutcome = "stopped" | "done anyway" | "killed" | "never came";

/** Why no call can be made to fail here; `undefined` when one can. */
export async function callsProblem(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-strace-"));
  try {
    const file = join(folder, "file");
    await writeFile(file, "x");
    const script = `const fs=require("fs");const f=fs.openSync(${JSON.stringify(file)},"r+");
      try{fs.fdatasyncSync(f)}catch(e){process.exit(e.code==="EIO"?33:1)}`;
    const strace = traced([file], "fdatasync", "fdatasync:error=EIO:when=1", "/dev/null");
    const [command = "", ...args] = [...strace, process.execPath, "-e", script];
    const { status, stderr, error } = spawnSync(command, args, { timeout: 60_000 });
    if (error !== undefined) return `strace cannot be run (${error.message})`;
    if (status === 33) return undefined;
    return `strace cannot make a call fail here (${String(stderr).trim().split("\n")[0]})`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How many calls of a kind an undisturbed download makes on its files. */
export async function countCalls(lab: Lab, kind: CallKind, isForced: boolean): Promise<number> {
  const at = await place(lab, `count-${kind}-${isForced}`, isForced);
  const log = join(at.folder, "log");
  const ended = await runTraced(lab, at, isForced, traced(at.ours, kinds[kind], undefined, log));
  if (ended.code !== 0)
    throw new Error(`undisturbed, it ended with ${ended.code}: ${ended.stderr}`);
  // One thread does all the calls on files: the n-th of the log is the n-th that strace counts.
  const lines = (await readFile(log, "utf8")).split("\n");
  const counts = new Map<string, number>();
  for (const line of lines.filter((text) => /^\d+ +\w+\(/.test(text))) {
    const [thread = ""] = line.split(" ");
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
  }
  await rm(at.folder, { recursive: true, force: true });
  return Math.max(0, ...counts.values());
}

/** Fails one call. Throws when a wrong file, a hang or a lost download comes of it. */
export async function failCall(lab: Lab, failing: CallCase): Promise<CallOutcome> {
  const { kind, error, when, isForced } = failing;
  const name = `${kind}-${error}-${when}-${isForced}`;
  const at = await place(lab, name, isForced);
  const log = join(at.folder, "log");
  const names = kinds[kind].replaceAll("?", "");
  const how = error === "SIGKILL" ? "signal=SIGKILL" : `error=${error}`;
  const inject = `${names}:${how}:when=${when}`;
  const first = await runTraced(lab, at, isForced, traced(at.ours, kinds[kind], inject, log));
  const hasCome = /\(INJECTED\)|killed by/.test(await readFile(log, "utf8").catch(() => ""));
  const wrong = await judge(lab, at, isForced, first);
  if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
  await rm(at.folder, { recursive: true, force: true });
  if (!hasCome) return "never came";
  return first.code === 0 ? "done anyway" : first.code === 7 ? "stopped" : "killed";
}

interface Place {
  readonly folder: string;
  readonly output: string;
  /** The files whose calls are to fail. */
  readonly ours: readonly string[];
}

const earlier = Buffer.from("what was there before");

async function place(lab: Lab, name: string, isForced: boolean): Promise<Place> {
  const folder = join(lab.folder, name);
  const got = join(folder, "got");
  await mkdir(got, { recursive: true });
  const output = join(got, "file.bin");
  if (isForced) await writeFile(output, earlier);
  const { partial, journal } = besides(output);
  const isOnePiece = lab.manifest.pieceCount === 1;
  return { folder, output, ours: isOnePiece ? [] : [got, output, partial, journal] };
}

function traced(
  ours: readonly string[],
  calls: string,
  inject: string | undefined,
  log: string,
): string[] {
  const paths = ours.flatMap((path) => ["-P", path]);
  const fault = inject === undefined ? [] : ["-e", `inject=${inject}`];
  return ["strace", "-f", "-qq", "-o", log, "-e", `trace=${calls}`, ...fault, ...paths];
}

function runTraced(
  lab: Lab,
  at: Place,
  isForced: boolean,
  prefix: readonly string[],
): Promise<Ended> {
  // strace counts a thread's calls on its own: one thread makes them all.
  const env = { UV_THREADPOOL_SIZE: "1" };
  return lab.ended(lab.start(at.output, { prefix, env, isForced }));
}

async function judge(
  lab: Lab,
  { output }: Place,
  isForced: boolean,
  first: Ended,
): Promise<string | undefined> {
  const { code, stderr } = first;
  if (code === "hang") return "it hangs";
  if (code !== 0 && code !== 7 && code !== "SIGKILL") return `it ended with ${code}: ${stderr}`;
  const lines = stderr.split("\n").filter((line) => line !== "");
  if (code === 7 && lines.length !== 1) return `it said ${lines.length} lines: ${stderr}`;
  const verdict = await verdictOf(lab, output, isForced);
  if (verdict === "wrong") return `a wrong file bears the output's name after exit ${code}`;
  if (code === 0) return verdict === "right" ? undefined : `exit 0, and the output is ${verdict}`;
  // It stopped after the name was given: the file is right, and there is nothing to resume.
  if (verdict === "right" && !isForced) return undefined;
  const left = await readdir(dirname(output));
  const isLeft = left.some((name) => parseLeftoverName(name)?.isOnePiece === true);
  if (isLeft && code === 7) return `it left ${left}`;
  const second = await lab.ended(lab.start(output, { isForced, lane: lab.lanes.length - 1 }));
  if (second.code !== 0) return `run again, it ended with ${second.code}: ${second.stderr}`;
  const end = await lab.verdict(output);
  return end === "right" ? undefined : `run again, it ended well, and the output is ${end}`;
}

/** With `--force`, what was there before is as good as nothing. */
async function verdictOf(lab: Lab, output: string, isForced: boolean) {
  const verdict = await lab.verdict(output);
  if (!isForced || verdict !== "wrong") return verdict;
  return (await readFile(output)).equals(earlier) ? "absent" : "wrong";
}
