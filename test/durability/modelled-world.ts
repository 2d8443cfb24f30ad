/** What a modelled world is: its file in two states, its disk, and its client's bug, if any. */

import type { FileManifest } from "../../src/trust/manifest.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { Seeded } from "../support/seeded.js";

/**
 * What is wrong with the client on purpose; `none` for ours. It does not sync the pieces; it
 * journals a piece before it is written; it begins a new journal before the old one is gone; it
 * leaves the journal as it is when a sync fails; it never disowns what proved wrong; it believes
 * what nobody synced.
 */
export type Plant =
  | ("none" | "no-sync" | "early-records")
  | ("old-records" | "nothing-taken-back" | "nothing-disowned" | "unsettled");

/** How a world is. */
export interface ModelledWorld {
  readonly seed: number;
  readonly plant: Plant;
}

/** A world, as it came of its seed. */
export interface World {
  readonly random: Seeded;
  readonly sectorBytes: number;
  /** Two states of one file, with most pieces equal. */
  readonly files: readonly [FileOfWorld, FileOfWorld];
  /** Whether the replicas give piece lists. */
  readonly hasDigests: boolean;
  /** Whether the disk refuses bytes now and then. */
  readonly refuses: boolean;
  readonly options: ModelledWorld;
}

/** One state of its file. */
export interface FileOfWorld {
  readonly bytes: Buffer;
  readonly manifest: FileManifest;
}

/** Makes it. */
export function worldOf(options: ModelledWorld): World {
  const random = new Seeded(options.seed);
  const pieceBytes = 512 * (1 + random.below(8));
  const bytes = Buffer.alloc(pieceBytes * (2 + random.below(14)) + random.below(pieceBytes));
  for (let at = 0; at < bytes.length; at++) bytes[at] = 1 + random.below(255);
  const other = Buffer.from(bytes);
  for (let changes = 0; changes < 3; changes++) other[random.below(other.length)] = 0;
  const stateOf = (of: Buffer) => ({ bytes: of, manifest: manifestOfBytes(of, pieceBytes) });
  const sectorBytes = random.pick([512, 4096]) ?? 512;
  const hasDigests = random.below(3) > 0;
  const refuses = random.below(3) === 0;
  const files = [stateOf(bytes), stateOf(other)] as const;
  return { random, sectorBytes, files, hasDigests, refuses, options };
}
