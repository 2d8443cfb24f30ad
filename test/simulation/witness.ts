/**
 * Sees every call to a replica, every write and every event of one run, and books what must not be:
 * it knows nothing of the schedule, only what any download has to keep.
 */

import type { DownloadEvent } from "../../src/download/progress.js";
import { limits } from "../../src/limits.js";
import type { Clock } from "../../src/ports.js";
import type { Range } from "../../src/schedule/range.js";
import type { Manifest } from "../../src/trust/manifest.js";
import type { Reached } from "../../src/trust/quorum.js";
import type { Marks } from "./marks.js";
import { versionOf } from "./versions.js";
import type { World } from "./world.js";

/** A read that a replica is serving. */
export interface OpenRead {
  readonly replica: string;
  readonly range: Range;
  /** Bytes handed out so far, as an offset in the file. */
  position: number;
  /** Up to here everything handed out was written. */
  written: number;
}

const pieceBytes = 64 * 1024;
/** Reads of one replica: of which bytes come, that are written, or cancelled. */
const readsOfOne = 4 * limits.leasesPerStream;

export class Witness {
  /** What must not be, in words. */
  readonly problems: string[] = [];
  readonly trace: string[] = [];
  readonly banned = new Map<string, string>();
  readonly writes = new Map<number, number>();
  /** Who stands by the agreement: those whose file changed do no longer. */
  standing = new Set<string>();
  needed = 0;
  /** What was taken up first; more may prove wrong later. */
  resumedBytes: number | undefined;
  isRootDoubtful = false;
  hedges = 0;
  lates = 0;
  readonly #world: World;
  readonly #clock: Clock;
  readonly #marks: Marks;
  /** Whoever is banned under the agreement of now: under another one it may have another file. */
  readonly #shutOut = new Map<string, string>();
  readonly #askedForClaim = new Set<string>();
  readonly #claims = new Map<string, string>();
  readonly #putOff = new Map<string, { readonly at: number; readonly until: number }>();
  #agreed = "";
  #writtenBefore = 0;
  /** Whether what comes is only compared with what is on the disk. */
  #isComparing = false;
  readonly #reads = new Set<OpenRead>();

  constructor(world: World, clock: Clock, marks: Marks) {
    this.#world = world;
    this.#clock = clock;
    this.#marks = marks;
  }

  broken(problem: string): void {
    this.problems.push(`${this.#clock.now().toFixed(1)}: ${problem}`);
  }

  /** A replica is asked for bytes or for its piece list. */
  asked(replica: string): void {
    const why = this.#shutOut.get(replica);
    if (why !== undefined) this.broken(`${replica} was asked after its ban (${why})`);
  }

  /** A replica says what the file is. */
  claimed(replica: string, digest: string): void {
    this.#claims.set(replica, digest);
  }

  /** A replica is asked what the file is. */
  askedForClaim(replica: string): void {
    if (this.#askedForClaim.has(replica)) this.#marks.add("asked-again");
    this.#askedForClaim.add(replica);
  }

  /** A read is put off: nobody may ask for another one before the time is over. */
  putOff(replica: string, retryMs: number): void {
    const waitMs = Math.min(retryMs, limits.retryMaxMs);
    const at = this.#clock.now();
    if (waitMs > 0) this.#putOff.set(replica, { at, until: at + waitMs });
  }

  opened(replica: string, range: Range, ifDigest: string | undefined): OpenRead {
    this.asked(replica);
    const now = this.#clock.now();
    const putOff = this.#putOff.get(replica);
    // Of what is said in this very moment nobody can have heard.
    if (putOff !== undefined && putOff.at < now && now < putOff.until)
      this.broken(`${replica} asked for patience and gets none`);
    this.trace.push(`${now.toFixed(3)} ${replica} reads ${range.start}–${range.end}`);
    if (ifDigest === undefined) this.broken(`${replica} was not told which file is meant`);
    for (const other of this.#reads) {
      if (other.replica === replica || other.range.end <= range.start) continue;
      const inProgress = Math.floor(other.position / pieceBytes) * pieceBytes;
      if (other.range.start > range.start || inProgress > range.start) continue;
      this.#marks.add(inProgress === range.start ? "hedge" : "cut");
      if (inProgress === range.start) this.hedges++;
    }
    const read = { replica, range, position: range.start, written: range.start };
    this.#reads.add(read);
    if (this.#reads.size > 2 * limits.leases) this.broken(`${this.#reads.size} reads at once`);
    const own = [...this.#reads].filter((open) => open.replica === replica).length;
    if (own > readsOfOne) this.broken(`${own} reads of ${replica} at once`);
    return read;
  }

  /** Bytes are handed to the download, which may hold few of them unwritten. */
  handed(read: OpenRead, bytes: number): void {
    while (read.written < read.position) {
      const piece = Math.floor(read.written / pieceBytes);
      const end = Math.min((piece + 1) * pieceBytes, this.#world.size + 2 * pieceBytes);
      if (end > read.position || !this.writes.has(piece)) break;
      read.written = end;
    }
    const held = read.position - read.written;
    // A piece in progress, a chunk of the next, and right ones that are written together.
    const isTooMuch = held > 2 * pieceBytes + limits.stretchBytes && !this.#isComparing;
    if (isTooMuch) this.broken(`${held} bytes of ${read.replica} are held unwritten`);
    read.position += bytes;
  }

  closed(read: OpenRead): void {
    this.#reads.delete(read);
  }

  /** Writes of pieces that were written before, under the same agreement. */
  get writtenAgain(): number {
    const counts = [...this.writes.values()];
    return this.#writtenBefore + counts.reduce((sum, count) => sum + count - 1, 0);
  }

  /** Pieces touch the disk: what has a root is verified by then. */
  wrote(first: number, bytes: Uint8Array, manifest: Manifest): void {
    for (let from = 0; from < bytes.length; from += pieceBytes) {
      const piece = first + from / pieceBytes;
      this.#wrote(piece, bytes.subarray(from, from + pieceBytes), manifest);
    }
  }

  #wrote(piece: number, bytes: Uint8Array, manifest: Manifest): void {
    // One answer after the other is tried then.
    if (!this.#isComparing) this.writes.set(piece, (this.writes.get(piece) ?? 0) + 1);
    for (const index of [0, 1, 2, 3]) {
      const version = versionOf(index, this.#world.size);
      const { digest, root } = version.manifest;
      if (digest !== manifest.digest || root !== manifest.root) continue;
      const at = piece * pieceBytes;
      const right = version.content.subarray(at, at + bytes.length);
      if (Buffer.compare(right, bytes) !== 0) this.broken(`piece ${piece} is wrong on the disk`);
    }
  }

  told(event: DownloadEvent): void {
    this.trace.push(`${this.#clock.now().toFixed(3)} ${JSON.stringify(event)}`);
    const marks = this.#marks;
    switch (event.event) {
      case "fault": {
        const { fault } = event;
        if (fault.kind === "changed") this.standing.delete(event.replica);
        if (fault.kind === "late") this.#late(event.replica);
        const isList = fault.kind === "corrupt" && fault.evidence?.piece === undefined;
        if (fault.kind === "late") marks.addNamed(`fault:late:${fault.clock}`);
        else marks.addNamed(isList ? "fault:false-list" : `fault:${fault.kind}`);
        return;
      }
      case "banned":
        this.banned.set(event.replica, event.why);
        this.#shutOut.set(event.replica, event.why);
        marks.add("banned");
        return;
      case "agreement":
        if (event.agreement.reached) this.#agree(event.agreement);
        // What was written under another agreement may be wrong under this one.
        this.#forgetWrites();
        return;
      case "second-opinions":
        this.#forgetWrites();
        this.#isComparing = true;
        marks.add("second-opinions");
        return;
      case "root-doubted":
        for (const freed of event.freed) {
          this.banned.delete(freed);
          this.#shutOut.delete(freed);
        }
        marks.add("root-doubted");
        return;
      case "progress":
        if (event.doneBytes > event.totalBytes) this.broken("more is done than there is");
        return;
      case "asked-again":
        marks.add("quorum-asked-again");
        return;
      case "joined":
        this.standing.add(event.replica);
        if (this.#claims.get(event.replica) !== this.#agreed) {
          this.broken(`${event.replica} joined with another claim`);
        }
        marks.add("joined");
        return;
      case "resumed":
        this.resumedBytes ??= event.bytes;
        marks.add("resumed");
        return;
      default:
    }
  }

  #forgetWrites(): void {
    this.#writtenBefore = this.writtenAgain;
    this.writes.clear();
  }

  #agree({ manifest: { digest }, agreeing, needed, isRootDoubtful }: Reached): void {
    this.#isComparing = false;
    this.isRootDoubtful = isRootDoubtful;
    this.standing = new Set(agreeing);
    this.needed = needed;
    if (digest !== this.#agreed) this.#shutOut.clear();
    this.#agreed = digest;
  }

  /** A replica whose link always carries is never late, however long we stood still ourselves. */
  #late(replica: string): void {
    this.lates++;
    const spec = this.#world.replicas[Number(replica.slice(1))];
    if (spec?.isSteady !== true || spec.trouble.kind === "silent") return;
    this.broken(`${replica} is called late, and is not`);
  }
}
