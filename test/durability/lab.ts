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

  /** Milliseconds that an undisturbed run takes here and now: moments are drawn from within. */
  async lifeMs(output: string, lane: number): Promise<number> {
    const startedAt = performance.now();
    const { code, stderr } = await this.ended(this.start(output, { lane }));
    if (code !== 0) throw new Error(`undisturbed, it ended with ${code}: ${stderr}`);
    await this.remove(output);
    return performance.now() - startedAt;
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
    const pieces = new Set(records.map(({ piece }) => piece as number));
    let bytes = 0;
    for (const piece of pieces) {
      const { start, end } = bytesOf(manifest, { start: piece, end: piece + 1 });
      bytes += end - start;
    }
    return { bytes, pieces };
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

/** Resolves when the time is over or the client has ended, whichever is first. */
export async function momentOf(client: Running, ms: number): Promise<void> {
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
