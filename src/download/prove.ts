/**
 * Proves what a partial holds by its whole digest, read back from the disk. When that is wrong
 * though every piece was right, the pieces are read back and mended. When it still is, a doubtful
 * root is at fault, or, in a file without pieces, some replica, which second opinions may find.
 */

import { IntegrityError } from "../errors.js";
import type { PrefixDigest } from "../hash-ports.js";
import type { Fault } from "../schedule/faults.js";
import { pieceIndex } from "../schedule/pieces.js";
import { leafAt } from "../trust/merkle.js";
import { secondOpinions } from "./doubt/second-opinions.js";
import type { FillRun } from "./fill-job.js";
import type { Stop } from "./outcome.js";
import { differing, piecesOf } from "./resume.js";
import { transferMissing } from "./transfer-missing.js";
import { wholeDigest } from "./whole-digest.js";

/**
 * Resolves with nothing once the whole digest is the agreed one. Throws IntegrityError when it
 * cannot be made so.
 */
export async function prove(run: FillRun): Promise<Stop | undefined> {
  const { agreed, doubts, partial, prefix, resolved, request, support, world } = run;
  const { manifest } = agreed.agreement;
  const whole = (running?: PrefixDigest) =>
    wholeDigest(partial.sink, manifest.size, { ...resolved, prefix: running });
  if ((await whole(prefix)) === manifest.digest) return undefined;
  const stop = await mend(run);
  if (stop !== undefined) return stop;
  const actual = await whole();
  if (actual === manifest.digest) return undefined;
  if (doubts !== undefined) {
    const proof = { piece: undefined, expected: manifest.digest, actual, atMs: world.clock.now() };
    return { kind: "root-doubted", why: "the bytes that it accepts have another digest", proof };
  }
  const isFound = await isFoundByOpinions(run);
  // Who was asked for an opinion may have had another file by then.
  if (support.isLost) return { kind: "lost-quorum", why: support.lossText };
  if (isFound) return undefined;
  await partial.discard();
  throw new IntegrityError(
    `get ${request.name}: the whole file does not have the digest that the quorum agreed on ` +
      `(${manifest.digest}); nothing was published`,
  );
}

/** Reads the disk again by pieces, and fetches those again that are not as they came. */
async function mend(run: FillRun): Promise<Stop | undefined> {
  const { agreed, partial, pieceList, scheduler, deliveries, resolved } = run;
  const { manifest } = agreed.agreement;
  const { digests } = pieceList.list;
  if (digests === undefined && !deliveries.keepsDigests) return undefined;
  const expected = Array.from({ length: manifest.pieceCount }, (_, index) => {
    const digest = digests === undefined ? deliveries.digestOf(index) : leafAt(digests, index);
    return { piece: pieceIndex(index), digest };
  });
  const wrong = await differing(partial, manifest, { ...resolved, expected });
  if (wrong.isEmpty) return undefined;
  await partial.journal.disown(piecesOf(wrong));
  // The same scheduler: who was banned stays banned, and the receipt counts all of it.
  scheduler.reopen(wrong);
  // The running digest is over, and was one of other bytes.
  return transferMissing({ ...run, prefix: undefined, chain: undefined });
}

/** Whether the wrong bytes were found by reading them from others; whoever sent them is banned. */
async function isFoundByOpinions(run: FillRun): Promise<boolean> {
  const { pieceList, deliveries, resolved, scheduler } = run;
  if (pieceList.hasDigests || !deliveries.keepsDigests) return false;
  resolved.onEvent({ event: "second-opinions" });
  const bans = await secondOpinions(run);
  for (const ban of bans ?? []) {
    const { replica, evidence, why } = ban;
    const fault: Fault = { kind: "corrupt", detail: why, ...(evidence && { evidence }) };
    scheduler.count(replica, fault);
    scheduler.ban(ban);
    resolved.onEvent({ event: "banned", ...ban });
  }
  return bans !== undefined;
}
