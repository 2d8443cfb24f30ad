/** Runs the built command line as a user does: as a process, from a folder of its own. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

/** The built program. */
export const mainPath = join(import.meta.dirname, "../../dist/cli/main.js");

const overrides = "-dac_override,-dac_read_search";
const dropOverrides = ["setpriv", `--bounding-set=${overrides}`, `--inh-caps=${overrides}`];

/** What a finished run left. */
export interface Finished {
  /** The exit code, or the signal's name. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is started. */
export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether root, when it is root that runs it, loses the right to read and write everything. */
  readonly isUnprivileged?: boolean;
  /** A command that runs the command line: it gets program and arguments as its own. */
  readonly prefix?: readonly string[];
  /** Another program than the built one, as a copy with a bug planted. */
  readonly program?: string;
}

/** A running command line. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  stdout = "";
  stderr = "";
  readonly #watchers = new Set<() => void>();

  constructor(
    args: readonly string[],
    { cwd, input, env, isUnprivileged = false, prefix = [], program = mainPath }: RunOptions = {},
  ) {
    const dropped = isUnprivileged && process.getuid?.() === 0 ? dropOverrides : [];
    const [command = "", ...rest] = [...dropped, ...prefix, process.execPath, program, ...args];
    this.child = spawn(command, rest, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
    });
    this.child.stdin.end(input ?? "");
    this.child.stdout.on("data", (data: Buffer) => this.#heard("stdout", data));
    this.child.stderr.on("data", (data: Buffer) => this.#heard("stderr", data));
    this.finished = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        resolve({ code: code ?? signal ?? "?", stdout: this.stdout, stderr: this.stderr });
        for (const watcher of this.#watchers) watcher();
      });
    });
  }

  /** Resolves once what it said so far, on either stream, matches. Rejects when it ends before. */
  async says(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const hasEnded = this.child.exitCode !== null || this.child.signalCode !== null;
        if (pattern.test(this.stdout + this.stderr)) resolve();
        else if (hasEnded) reject(new Error(`it ended and said:\n${this.stdout}${this.stderr}`));
        else return;
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Ends it, unless it has ended, and waits until it is gone. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<Finished> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.finished;
  }

  #heard(stream: "stdout" | "stderr", data: Buffer): void {
    this[stream] += data.toString("utf8");
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Runs a command line to its end. */
export function run(args: readonly string[], options?: RunOptions): Promise<Finished> {
  return new Running(args, options).finished;
}

/** Starts `quorate serve` and waits until it listens. */
export async function startServing(
  args: readonly string[],
  options?: RunOptions,
): Promise<Running> {
  const serving = new Running(["serve", ...args], options);
  await serving.says(/serve: .* from \d+ virtual server|"event":"listening"/);
  return serving;
}

/**
 * Ports that nobody listens on now, below those that the system hands out by itself: nobody is to
 * get one of them before it is used. Each process that runs tests begins elsewhere.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = firstPort + ((process.pid * processPorts + portsTried++) % portsInAll);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

const firstPort = 10_240;
const portsInAll = 22_000;
const processPorts = 1_999;
let portsTried = 0;

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (listens) await new Promise((resolve) => probe.close(resolve));
  return listens;
}
