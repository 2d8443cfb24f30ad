/** Decides which kind of partial an output gets, by its file and by what an earlier run left. */

import { lstat } from "node:fs/promises";
import type { PartialOutput } from "../ports.js";
import { comingPartial } from "./coming-partial.js";
import { onePieceFile } from "./one-piece-file.js";
import { openPartialFile, type PartialOptions } from "./partial-file.js";
import type { Target } from "./target.js";

/**
 * The partial of a target. Where an earlier run left one it is taken up or set aside, and open when
 * this resolves; otherwise it is one of a single piece, or on its way.
 */
export async function openOutput(target: Target, options: PartialOptions): Promise<PartialOutput> {
  const { manifest } = options;
  // Without a root nobody could tell a right piece from a wrong one before it is written.
  const isOnePiece = manifest.pieceCount <= 1 && manifest.root !== undefined;
  if (await hasEarlier(target)) return openPartialFile(target, options);
  if (!isOnePiece) return comingPartial(target, options);
  return onePieceFile(target, options);
}

/** Whether an earlier run left something to take up. */
export async function hasEarlier({ partial, journal }: Target): Promise<boolean> {
  const isThere = (path: string) => lstat(path).catch(() => undefined);
  const found = await Promise.all([isThere(partial), isThere(journal)]);
  return found.some((stats) => stats !== undefined);
}
