/** A replica of a simulated world: its link, its pace, and what it does wrong. */

import { type Call, type Chunk, type Clock, type Replica, ReplicaFault } from "../../src/ports.js";
import type { Seeded } from "../support/seeded.js";
import { Link, type RateAt } from "./link.js";
import type { Marks } from "./marks.js";
import { simulatedReplica, sleepWithin } from "./simulated-replica.js";
import {
  bytesVersionAt,
  claimOf,
  hasReturned,
  listOf,
  refusalAt,
  versionAt,
} from "./troubled-claims.js";
import { answering, versionOf } from "./versions.js";
import type { Witness } from "./witness.js";
import type { Trouble, World, WorldReplica } from "./world.js";

/** What a replica of a world is made of. */
export interface ReplicaParts {
  readonly world: World;
  readonly clock: Clock;
  readonly chance: Seeded;
  readonly marks: Marks;
  /** The client's link, when that is the narrow place. */
  readonly clientLink: Link | undefined;
  /** Who sees the calls of the run that is under way. */
  readonly witness: () => Witness;
}

const chunkBytes = 16 * 1024;
const pieceBytes = 64 * 1024;
type ReadRequest = Parameters<Replica["read"]>[0];

export function troubledReplica(id: string, spec: WorldReplica, parts: ReplicaParts): Replica {
  return new Troubled(id, spec, parts);
}

class Troubled implements Replica {
  readonly #id: string;
  readonly #spec: WorldReplica;
  readonly #parts: ReplicaParts;
  readonly #link: Link;
  readonly #byVersion = new Map<number, Replica>();

  constructor(id: string, spec: WorldReplica, parts: ReplicaParts) {
    this.#id = id;
    this.#spec = spec;
    this.#parts = parts;
    this.#link = new Link(silenced(spec.rateAt, spec.trouble));
  }

  async claim(name: string, call: Call) {
    const { marks, witness, clock } = this.#parts;
    const { trouble } = this.#spec;
    witness().askedForClaim(this.#id);
    await this.#answer(call);
    const version = versionAt(trouble, clock.now());
    const truth = await this.#serving(version).claim(name, call);
    const claim = claimOf(trouble, versionOf(version, this.#parts.world.size), clock.now());
    const isTelling = ["lie", "changes-its-story", "false-root", "foreign"].includes(trouble.kind);
    if (isTelling) marks.addNamed(trouble.kind);
    witness().claimed(this.#id, claim.digest);
    return { ...truth, claim };
  }

  async size(name: string, call: Call) {
    return this.#serving(versionAt(this.#spec.trouble, this.#parts.clock.now())).size(name, call);
  }

  list(request: Parameters<Replica["list"]>[0], call: Call) {
    return this.#serving(0).list(request, call);
  }

  async pieces(request: Parameters<Replica["pieces"]>[0], call: Call) {
    const { world, clock, marks, witness } = this.#parts;
    const { trouble } = this.#spec;
    witness().asked(this.#id);
    if (request.ifDigest === undefined) witness().broken(`${this.#id}: pieces of which file?`);
    await this.#answer(call);
    await sleepWithin(clock, this.#spec.latencyMs, call);
    const version = versionAt(trouble, clock.now());
    this.#checkDigest(request.ifDigest, version);
    if (trouble.kind === "false-list") marks.add("false-list");
    return { digests: listOf(trouble, versionOf(version, world.size)) };
  }

  async *read(request: ReadRequest, call: Call): AsyncGenerator<Chunk> {
    const { clock, witness, marks } = this.#parts;
    const { trouble, connectionRate } = this.#spec;
    const watching = witness();
    const read = watching.opened(this.#id, request.range, request.ifDigest);
    if (connectionRate !== undefined) marks.add("connection-capped");
    if ((call.lane ?? 0) > 0) marks.addNamed("second-stream");
    try {
      await this.#answer(call);
      const version = versionAt(trouble, clock.now());
      this.#checkDigest(request.ifDigest, version);
      const stop = this.#stopOf(request);
      const serving = this.#serving(bytesVersionAt(trouble, clock.now()));
      let heardAt = clock.now();
      for await (const chunk of serving.read(request, call)) {
        this.#markLink(heardAt);
        heardAt = clock.now();
        if (refusalAt(trouble, clock.now()) !== undefined) marks.add("broke-off");
        this.#refuse();
        if (versionAt(trouble, clock.now()) !== version) this.#checkDigest(undefined, -1);
        if (chunk.offset + chunk.bytes.length > stop) {
          marks.add("short");
          return;
        }
        watching.handed(read, chunk.bytes.length);
        yield this.#spoilt(chunk, request);
      }
    } catch (error) {
      const isBusy = error instanceof ReplicaFault && error.fault.kind === "busy";
      if (isBusy && trouble.kind === "busy") watching.putOff(this.#id, trouble.retryMs);
      throw error;
    } finally {
      this.#markSilence();
      watching.closed(read);
    }
  }

  #serving(version: number): Replica {
    const { world, clock, clientLink } = this.#parts;
    const known = this.#byVersion.get(version);
    if (known !== undefined) return known;
    const file = versionOf(version, world.size);
    const { latencyMs, connectionRate } = this.#spec;
    const behaviour = { latencyMs, link: this.#link, clientLink, connectionRate, chunkBytes };
    const at = { ...behaviour, content: file.content };
    const honest = { ...answering(file), read: () => emptyStream() };
    const replica = simulatedReplica(honest, at, clock);
    this.#byVersion.set(version, replica);
    return replica;
  }

  /** Throws what it says instead of an answer; while it is silent, it says nothing. */
  async #answer(call: Call): Promise<void> {
    const { clock, marks } = this.#parts;
    const { trouble } = this.#spec;
    this.#markSilence();
    const isSilent = trouble.kind === "silent" && clock.now() >= trouble.from;
    if (isSilent) await sleepWithin(clock, trouble.until - clock.now(), call);
    this.#refuse();
    if (hasReturned(trouble, clock.now())) marks.add("returned");
  }

  #refuse(): void {
    const refusal = refusalAt(this.#spec.trouble, this.#parts.clock.now());
    if (refusal === undefined) return;
    this.#parts.marks.addNamed(this.#spec.trouble.kind);
    throw refusal;
  }

  #checkDigest(asked: string | undefined, version: number): void {
    const { world, marks } = this.#parts;
    const { trouble } = this.#spec;
    if (trouble.kind === "changes-its-story") return;
    if (version >= 0 && asked === versionOf(version, world.size).manifest.digest) return;
    if (trouble.kind === "changed") marks.add("changed");
    throw new ReplicaFault({ kind: "changed", detail: "another version" });
  }

  #markSilence(): void {
    const { trouble } = this.#spec;
    const now = this.#parts.clock.now();
    if (trouble.kind !== "silent" || now < trouble.from || now >= trouble.until) return;
    this.#parts.marks.add("silent");
  }

  /** What its link did while a chunk was on its way. */
  #markLink(since: number): void {
    const { rateAt, shape, isSteady } = this.#spec;
    const [how] = shape.split(" ");
    if (isSteady) return;
    const aStepMs = (this.#parts.clock.now() - since) / 8;
    const moments = Array.from({ length: 8 }, (_, index) => since + index * aStepMs);
    const hasChanged = moments.some((ms) => rateAt(ms) !== rateAt(0));
    if (how === "slow" || hasChanged) this.#parts.marks.addNamed(`link:${how}`);
  }

  #stopOf({ range }: ReadRequest): number {
    const { trouble } = this.#spec;
    if (trouble.kind !== "short") return range.end;
    const { chance } = this.#parts;
    if (chance.next() >= trouble.share) return range.end;
    return range.start + Math.floor((range.end - range.start) * chance.next());
  }

  #spoilt(chunk: Chunk, { range }: ReadRequest): Chunk {
    const { chance, marks } = this.#parts;
    const { trouble } = this.#spec;
    const { offset, bytes } = chunk;
    const isLast = offset + bytes.length === range.end;
    switch (trouble.kind) {
      case "lie":
        return trouble.holds ? chunk : this.#flipped(chunk);
      case "corrupt":
        return this.#isCorrupt(trouble, offset) ? this.#flipped(chunk) : chunk;
      case "overrun":
        if (!isLast || chance.next() >= trouble.share) return chunk;
        marks.add("overrun");
        return { offset, bytes: Buffer.concat([bytes, bytes.subarray(0, 1)]) };
      case "wrong-offset":
        if (chance.next() >= trouble.share) return chunk;
        marks.add("wrong-offset");
        return { offset: offset + (chance.next() < 0.5 ? pieceBytes : -1), bytes };
      default:
        return chunk;
    }
  }

  #isCorrupt({ share, always }: Extract<Trouble, { kind: "corrupt" }>, offset: number): boolean {
    if (!always) return this.#parts.chance.next() < share;
    if (offset % pieceBytes !== 0) return false;
    return (Math.imul(offset / pieceBytes + 1, 0x9e3779b1) >>> 0) / 2 ** 32 < share;
  }

  #flipped({ offset, bytes }: Chunk): Chunk {
    const { chance, marks } = this.#parts;
    marks.add("corrupt");
    const changed = Uint8Array.from(bytes);
    const place = chance.below(changed.length);
    changed[place] = (changed[place] ?? 0) ^ 255;
    return { offset, bytes: changed };
  }
}

/** The rate of a link that is silent for a while. */
function silenced(rateAt: RateAt, trouble: Trouble): RateAt {
  if (trouble.kind !== "silent") return rateAt;
  return (ms) => (ms >= trouble.from && ms < trouble.until ? 0 : rateAt(ms));
}

async function* emptyStream(): AsyncGenerator<Chunk> {}
