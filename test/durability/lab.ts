/**
 * What every proof of durability stands on: a made-up file, servers that serve it slowly and fast,
 * clients as processes, and a verdict on what is under the output's name. All gone after `close`.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { identityOf, parseJournal } from "../../src/files/journal-file.js";
import { bytesOf } from "../../src/schedule/pieces.js";
import type { FileManifest } from "../../src/trust/manifest.js";
import { freePorts, Running, type RunOptions, startServing } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import type { Seeded } from "../support/seeded.js";

/** No single run takes this long, however slow the machine: it hangs. */
const hangMs = 180_000;

/** How a finished run ended. */
export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a client is started. */
export interface ClientOptions extends RunOptions {
  /** Whose servers it asks. */
  readonly lane?: number;
  /** Whether it may replace an output. */
  readonly isForced?: boolean;
}

/** What a journal on the disk claims. */
export interface Claims {
  readonly bytes: number;
  readonly pieces: ReadonlySet<number>;
}

export class Lab {
  readonly folder: string;
  readonly content: Buffer;
  readonly manifest: FileManifest;
  /** One group of three virtual servers for each lane. */
  readonly lanes: readonly (readonly number[])[];
  readonly #running: readonly Running[];
  readonly #clients = new Set<Running>();

  private constructor(made: {
    readonly folder: string;
    readonly content: Buffer;
    readonly lanes: readonly (readonly number[])[];
    readonly running: readonly Running[];
  }) {
    this.folder = made.folder;
    this.content = made.content;
    this.lanes = made.lanes;
    this.#running = made.running;
    this.manifest = manifestOfBytes(made.content);
  }

  /**
   * Serves `size` bytes as `file.bin`. Each lane has a rate of its own: bytes a second from each of
   * its three virtual servers, `undefined` for as many as they can.
   */
  static async open(size: number, rates: readonly (number | undefined)[]): Promise<Lab> {
    const folder = await mkdtemp(join(tmpdir(), "quorate-durability-"));
    const running: Running[] = [];
    try {
      const content = madeUp(size);
      await mkdir(join(folder, "served"));
      await writeFile(join(folder, "served", "file.bin"), content);
      const lanes: number[][] = [];
      for (const rate of rates) {
        const ports = await freePorts(3);
        const limit = rate === undefined ? [] : ["--limit-rate", String(rate)];
        const args = [
          "-f",
          join(folder, "served", "file.bin"),
          "-p",
          ...ports.map(String),
          ...limit,
        ];
        running.push(await startServing(args, { env: { XDG_CACHE_HOME: join(folder, "cache") } }));
        lanes.push(ports);
      }
      return new Lab({ folder, content, lanes, running });
    } catch (error) {
      for (const serving of running) await serving.end();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Starts `quorate get` to `output`. */
  start(output: string, options: ClientOptions = {}): Running {
    const { lane = 0, isForced = false, env, ...rest } = options;
    const ports = (this.lanes[lane] ?? []).map(String);
    const args = ["get", "file.bin", "-o", output, "--json", "-i", "0.1", "-p", ...ports];
    if (isForced) args.push("--force");
    const client = new Running(args, { cwd: this.folder, ...rest, ...(env ? { env } : {}) });
    this.#clients.add(client);
    return client;
  }

  /** Waits for a client's end; one that hangs is ended, and its code is `hang`. */
  async ended(client: Running): Promise<Ended> {
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      client.child.kill("SIGKILL");
    }, hangMs);
    try {
      const { code, stdout, stderr } = await client.finished;
      return { code: hangs ? "hang" : code, stdout, stderr };
    } finally {
      clearTimeout(timer);
      this.#clients.delete(client);
    }
  }

  /**
   * Runs a client whose forerunner has just died. A child of that one (`flock`, `fallocate`) may live
   * some milliseconds longer, and the lock with it; or the machine may be so busy that no server
   * answers. Then the client says so, and is run again.
   */
  async runAgain(output: string, lane: number): Promise<Ended> {
    for (let attempt = 0; ; attempt++) {
      const ended = await this.ended(this.start(output, { lane }));
      const isLocked = ended.code === 7 && /^lock /m.test(ended.stderr);
      if (!(isLocked || isStarved(ended)) || attempt === 20) return ended;
      await pause(100);
    }
  }

  /** Whether nothing bears the output's name, or the right file does, or a wrong one. */
  async verdict(output: string): Promise<"absent" | "right" | "wrong"> {
    const found = await readFile(output).catch(() => undefined);
    if (found === undefined) return "absent";
    return found.equals(this.content) ? "right" : "wrong";
  }

  /** What a journal of this file claims; nothing when there is none. */
  async claims(output: string): Promise<Claims> {
    return this.claimsIn(await readFile(besides(output).journal).catch(() => Buffer.alloc(0)));
  }

  claimsIn(journal: Buffer): Claims {
    const { manifest } = this;
    const parsed = parseJournal(journal, identityOf(manifest), manifest.pieceCount);
    const records = parsed.kind === "known" ? parsed.records : [];
    return this.#claimsOf(records.map(({ piece }) => piece));
  }

  /** Claims but for some pieces. */
  without({ pieces }: Claims, some: readonly number[]): Claims {
    return this.#claimsOf([...pieces].filter((piece) => !some.includes(piece)));
  }

  #claimsOf(pieces: readonly number[]): Claims {
    const lengths = pieces.map((piece) => {
      const { start, end } = bytesOf(this.manifest, { start: piece, end: piece + 1 });
      return end - start;
    });
    return { bytes: lengths.reduce((sum, length) => sum + length, 0), pieces: new Set(pieces) };
  }

  /** The claimed pieces that the partial's bytes do not back. */
  async unbacked(output: string, { pieces }: Claims): Promise<number[]> {
    const partial = await readFile(besides(output).partial).catch(() => Buffer.alloc(0));
    return [...pieces].filter((piece) => {
      const { start, end } = bytesOf(this.manifest, { start: piece, end: piece + 1 });
      return !partial.subarray(start, end).equals(this.content.subarray(start, end));
    });
  }

  /** Removes an output and what stands beside it. */
  async remove(output: string): Promise<void> {
    const { partial, journal } = besides(output);
    for (const path of [output, partial, journal]) await rm(path, { force: true });
  }

  async close(): Promise<void> {
    for (const client of [...this.#clients, ...this.#running]) await client.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Whether it ended because no server had its turn for seconds. */
export function isStarved({ code, stderr }: Ended): boolean {
  return code === 3 && /0 of \d+ replicas agree.*silent/.test(stderr);
}

/**
 * Resolves at a moment of a client's life that chance picks, or at its end: while it starts, or
 * some time after it has so much of the file. A slow machine comes to the same places.
 */
export async function momentOf(client: Running, random: Seeded, size: number): Promise<void> {
  if (random.below(6) === 0) return orEnded(client, random.below(1_000));
  const wanted = random.below(size + 1);
  while (client.child.exitCode === null) {
    if (lastNumber(client.stdout, "progress", "doneBytes") >= wanted) break;
    await orEnded(client, 10);
  }
  return orEnded(client, random.below(150));
}

/** Resolves when the time is over or the client has ended, whichever is first. */
export async function orEnded(client: Running, ms: number): Promise<void> {
  const timer = new AbortController();
  const waited = pause(ms, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([waited, client.finished]);
  // A timer that nobody waits for would keep the process alive.
  timer.abort();
}

/** Where the partial and the journal of an output stand. */
export function besides(output: string): { readonly partial: string; readonly journal: string } {
  const at = output.lastIndexOf("/") + 1;
  const stem = `${output.slice(0, at)}.${output.slice(at)}`;
  return { partial: `${stem}.quorate-part`, journal: `${stem}.quorate-journal` };
}

/** The last event of a kind that a client printed. */
function lastEvent(stdout: string, event: string): Record<string, unknown> | undefined {
  for (const line of stdout.split("\n").reverse()) {
    if (!line.includes(`"event":"${event}"`)) continue;
    try {
      return JSON.parse(line);
    } catch {
      // Killed in the middle of a line.
    }
  }
  return undefined;
}

/** A number in the last event of a kind; 0 when it was never printed. */
export function lastNumber(stdout: string, event: string, field: string): number {
  const value = lastEvent(stdout, event)?.[field];
  return typeof value === "number" ? value : 0;
}
