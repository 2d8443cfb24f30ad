/** Runs the production download in a world, and again when its process or its disk gave out. */

import { download } from "../../src/download/download.js";
import type { DownloadOptions } from "../../src/download/options.js";
import { StorageError } from "../../src/errors.js";
import type { Replica } from "../../src/ports.js";
import type { Receipt } from "../../src/receipt/receipt.js";
import type { Manifest } from "../../src/trust/manifest.js";
import { type ReplicaId, replicaId } from "../../src/trust/quorum.js";
import type { MemoryOperation, MemoryStore } from "../support/memory-partial.js";
import { Seeded } from "../support/seeded.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { isWritten, SimulatedDisk } from "./disk.js";
import { Link } from "./link.js";
import { Marks } from "./marks.js";
import { troubledReplica } from "./troubled-replica.js";
import { name } from "./versions.js";
import { Witness } from "./witness.js";
import type { Ending, World } from "./world.js";

/** One run of the program. */
export interface Run {
  readonly startedAt: number;
  readonly tookMs: number;
  readonly receipt: Receipt | undefined;
  readonly error: unknown;
  /** How it was ended from outside, if it was. */
  readonly ended: Ending["how"] | undefined;
  /** The one operation of the disk that failed, if it did. */
  readonly diskFailed: MemoryOperation | undefined;
  readonly witness: Witness;
  /** What it opened a partial for. */
  readonly manifest: Manifest | undefined;
  /** Pieces that it had in the beginning, and in a journal of this manifest. */
  readonly journaled: readonly number[];
  /** What the next run finds. */
  readonly store: MemoryStore;
  /** What was published, and whether the lock was held, when this run was over. */
  readonly published: Uint8Array | undefined;
  readonly isLocked: boolean;
}

/** All that came of a world. */
export interface Story {
  readonly world: World;
  readonly runs: readonly Run[];
  /** What was asked for and told, in order: the same seed gives the same trace. */
  readonly trace: readonly string[];
}

/**
 * The slowest link drawn, 0.01 MB/s, takes 420 s for 4 MiB; what takes longer hangs, and what hangs
 * is found at once: time jumps to whoever sleeps.
 */
const longestMs = 1_500_000;
/** A run that wakes so often gets nowhere; the longest that was seen took 100,000. */
const mostTurns = 2_000_000;

/** What ended a run that would not end by itself. */
export class Hang extends Error {}

/** The whole story of a world. */
export async function runWorld(world: World, marks = new Marks()): Promise<Story> {
  return new Stage(world, marks).play();
}

class Stage {
  readonly #world: World;
  readonly #marks: Marks;
  readonly #clock = new VirtualClock();
  readonly #chance: Seeded;
  readonly #replicas: ReadonlyMap<ReplicaId, Replica>;
  #witness: Witness;

  constructor(world: World, marks: Marks) {
    this.#world = world;
    this.#marks = marks;
    this.#chance = new Seeded(world.seed ^ 0x5eed);
    this.#witness = new Witness(world, this.#clock, marks);
    const { cap } = world;
    const clientLink = cap === undefined ? undefined : new Link(() => cap * 1e6);
    const parts = {
      world,
      marks,
      clientLink,
      clock: this.#clock,
      chance: this.#chance,
      witness: () => this.#witness,
    };
    this.#replicas = new Map(
      world.replicas.map((spec, index) => {
        const id = replicaId(`r${index}`);
        return [id, troubledReplica(id, spec, parts)];
      }),
    );
  }

  async play(): Promise<Story> {
    const world = this.#world;
    this.#markWorld();
    for (const { at, ms } of world.stalls) {
      void this.#clock.sleep(at).then(() => this.#clock.jump(ms));
    }
    const first = await this.#run(world.disk, world.ending, undefined);
    const runs = [first];
    const hasDiskEndedIt = first.diskFailed !== undefined && first.receipt === undefined;
    if (first.ended !== undefined || hasDiskEndedIt) {
      await this.#clock.sleep(world.ending?.pauseMs ?? 1000);
      const { writeMs } = world.disk;
      runs.push(await this.#run({ writeMs, failsAt: undefined }, undefined, first.store));
    }
    return { world, runs, trace: runs.flatMap(({ witness }) => witness.trace) };
  }

  async #run(
    diskSpec: World["disk"],
    ending: Ending | undefined,
    left: MemoryStore | undefined,
  ): Promise<Run> {
    const world = this.#world;
    const clock = this.#clock;
    const witness = new Witness(world, clock, this.#marks);
    this.#witness = witness;
    const parts = { clock, witness, ...(left === undefined ? {} : { store: left }) };
    const disk = new SimulatedDisk(diskSpec, parts);
    let manifest: Manifest | undefined;
    let isSame: boolean | undefined;
    const openPartial = async (agreed: Manifest) => {
      const partial = await disk.open(agreed);
      // Who asked again before he took anything up has another file's journal by then.
      if (witness.resumedBytes === undefined) isSame = undefined;
      manifest = agreed;
      isSame ??= partial.journal.claimed !== undefined;
      return partial;
    };
    const end = new AbortController();
    const over = new AbortController();
    let ended: Ending["how"] | undefined;
    let store = disk.store;
    const startedAt = clock.now();
    if (ending !== undefined) {
      const kill = () => {
        if (disk.store.published !== undefined || over.signal.aborted) return;
        ended = ending.how;
        if (ending.how !== "abort") store = disk.left(ending.how === "kill");
        end.abort(new Error("ended"));
      };
      clock.sleep(ending.at, over.signal).then(kill, () => {});
    }
    const { chunks, limitRate, rule } = world;
    const options: DownloadOptions = {
      rule,
      signal: end.signal,
      onEvent: (event) => witness.told(event),
      ...(chunks === undefined ? {} : { chunks }),
      ...(limitRate === undefined ? {} : { limitRate }),
    };
    const request = { name, replicas: this.#replicas };
    const random = () => this.#chance.next();
    const downloading = download(request, { clock, random, openPartial }, options);
    const { receipt, error } = await this.#outcome(downloading, over.signal);
    over.abort();
    if (error instanceof Hang) end.abort(error);
    this.#markEnd(ended, disk.failed !== undefined && error instanceof StorageError);
    const tookMs = clock.now() - startedAt;
    const journaled = isSame === true ? journaledIn(left) : [];
    if (isSame !== true && (receipt?.resumedBytes ?? 0) > 0) this.#marks.add("resumed-from-other");
    const outcome = { receipt, error, ended, diskFailed: disk.failed };
    const { published, isLocked } = store;
    const rest = { manifest, journaled, store, published, isLocked };
    return { startedAt, tookMs, ...outcome, witness, ...rest };
  }

  async #outcome(
    downloading: Promise<Receipt>,
    over: AbortSignal,
  ): Promise<{ receipt: Receipt | undefined; error: unknown }> {
    const clock = this.#clock;
    const turnsBefore = clock.turns;
    const watch = async () => {
      for (let waited = 0; waited < longestMs; waited += 1000) {
        await clock.sleep(1000, over);
        if (clock.turns - turnsBefore > mostTurns) throw new Hang("it wakes, and gets nowhere");
      }
      throw new Hang(`it takes longer than ${longestMs} virtual ms`);
    };
    const watching = watch();
    watching.catch(() => {});
    try {
      const receipt = await Promise.race([downloading, watching]);
      return { receipt, error: undefined };
    } catch (error) {
      return { receipt: undefined, error };
    }
  }

  #markWorld(): void {
    const { cap, disk, stalls, chunks, limitRate, rule } = this.#world;
    if (cap !== undefined) this.#marks.add("capped");
    if (disk.writeMs > 0) this.#marks.add("slow-disk");
    if (stalls.length > 0) this.#marks.add("stood-still");
    if (chunks !== undefined) this.#marks.add("chunks");
    if (limitRate !== undefined) this.#marks.add("limit");
    this.#marks.addNamed(`rule:${rule.kind}`);
  }

  #markEnd(ended: Ending["how"] | undefined, hasDiskFailed: boolean): void {
    if (ended === "kill") this.#marks.add("killed");
    if (ended === "power-cut") this.#marks.add("power-cut");
    if (ended === "abort") this.#marks.add("aborted");
    if (hasDiskFailed) this.#marks.add("disk-failed");
  }
}

/** Pieces that a journal vouches for and that are there: a power cut left zeros of others. */
function journaledIn(left: MemoryStore | undefined): number[] {
  const { journal, partial } = left ?? {};
  const pieces = new Set(journal?.records.map(({ piece }) => piece as number));
  return [...pieces].filter((piece) => partial !== undefined && isWritten(partial, piece));
}
