/** What a troubled replica says the file is, and which piece list it gives. */

import { ReplicaFault } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { type Digest, digestBytes, digestOf } from "../../src/trust/digest.js";
import type { Claim } from "../../src/trust/manifest.js";
import { type PieceDigests, rootOf } from "../../src/trust/merkle.js";
import { type Version, versionOf } from "./versions.js";
import { forever, type Trouble } from "./world.js";

/** The version that a replica serves at a moment. */
export function versionAt(trouble: Trouble, now: number): number {
  if (trouble.kind === "lie") return trouble.version;
  return trouble.kind === "changed" && now >= trouble.from ? trouble.version : 0;
}

/** The version whose bytes it delivers: with a false root that has a story, those that fit it. */
export function bytesVersionAt(trouble: Trouble, now: number): number {
  return isEdited(trouble) ? 1 : versionAt(trouble, now);
}

/** What it claims. */
export function claimOf(trouble: Trouble, version: Version, now: number): Claim {
  const { size, digest, root } = version.manifest;
  switch (trouble.kind) {
    case "changes-its-story": {
      const invented = digestOf(Buffer.from(`a lie of ${now}`));
      return { size, digest: invented, root: invented };
    }
    case "false-root":
      return { size, digest, root: falseRoot(trouble, version) };
    case "foreign":
      return { size, digest, root: undefined };
    default:
      return { size, digest, root };
  }
}

/** Which piece list it gives. */
export function listOf(trouble: Trouble, version: Version): PieceDigests {
  const { pieces } = version.manifest;
  switch (trouble.kind) {
    case "false-list":
      if (trouble.isCutShort) return pieces.subarray(0, Math.max(0, pieces.length - digestBytes));
      return forged(pieces, trouble.piece, "false");
    case "false-root":
      if (isEdited(trouble)) return versionOf(1, version.manifest.size).manifest.pieces;
      return forged(pieces, trouble.story, `story ${trouble.story}`);
    case "foreign":
      throw new ReplicaFault({ kind: "incompatible", detail: "no pieces here" });
    default:
      return pieces;
  }
}

function falseRoot(trouble: Trouble, version: Version): Digest {
  return rootOf(listOf(trouble, version));
}

/** Story 1 is the whole of another version behind the true digest; others forge one leaf. */
function isEdited(trouble: Trouble): boolean {
  return trouble.kind === "false-root" && trouble.story === 1;
}

function forged(pieces: PieceDigests, piece: number, text: string): PieceDigests {
  const count = pieces.length / digestBytes;
  if (count === 0) return pieces;
  const list = Uint8Array.from(pieces);
  const leaf = digestOf(Buffer.from(text)).slice("sha256:".length);
  list.set(Buffer.from(leaf, "hex"), (piece % count) * digestBytes);
  return list;
}

/** What anybody who asks this replica for anything is told at a moment, instead of an answer. */
export function refusalAt(trouble: Trouble, now: number): ReplicaFault | undefined {
  const fault = refusalOf(trouble, now);
  if (fault === undefined || !("from" in trouble) || now < trouble.from) return undefined;
  if ("until" in trouble && now >= trouble.until) return undefined;
  return new ReplicaFault(fault);
}

function refusalOf(trouble: Trouble, now: number): Fault | undefined {
  switch (trouble.kind) {
    case "away":
      return { kind: "unreachable", detail: "away" };
    case "busy":
      return { kind: "busy", retryMs: trouble.retryMs };
    case "hashing": {
      const totalBytes = 1_000_000;
      const done = (now - trouble.from) / (trouble.until - trouble.from);
      const doneBytes = trouble.stuck ? 0 : Math.floor(done * totalBytes);
      return { kind: "hashing", retryMs: 300, doneBytes, totalBytes };
    }
    case "missing":
      return { kind: "missing" };
    case "denied":
      return { kind: "denied", detail: "not for you" };
    case "incompatible":
      return { kind: "incompatible", detail: "what is that?" };
    default:
      return undefined;
  }
}

/** Whether it is there again after it was gone. */
export function hasReturned(trouble: Trouble, now: number): boolean {
  const isGoing = trouble.kind === "away" || trouble.kind === "silent";
  return isGoing && trouble.until !== forever && now >= trouble.until;
}
