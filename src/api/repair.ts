/** Repairing a file, wired to the real wire, disk, threads and clock. */

import { checkRequest } from "../download/options.js";
import { type Repair, type RepairOptions, repair as repairWith } from "../download/repair.js";
import { messageOf, StorageError } from "../errors.js";
import { checkReadable } from "../files/local-file.js";
import { openPartialFile } from "../files/partial-file.js";
import { checkReplaceable, lookAt } from "../files/replaced-file.js";
import { openSeeds } from "../files/seed-file.js";
import { resolveTarget } from "../files/target.js";
import { systemClock, systemRandom, systemSyncs } from "../system.js";
import { hashPieces } from "../threads/hash-pieces.js";
import type { Manifest } from "../trust/manifest.js";
import { localDigest } from "./check.js";
import type { GetRequest } from "./get.js";
import { withReplicas } from "./replicas.js";

/** Which file to make right, and by whom. */
export interface RepairRequest extends Pick<GetRequest, "replicas" | "name"> {
  /** The local file; no link. */
  readonly path: string;
  /** Whether a file with further names (hard links) is repaired under this one. Default: no. */
  readonly force?: boolean;
}

/**
 * Makes a file right that is not; see `download/repair.ts` for what it promises and what it throws.
 * Mode, owner and group are kept as far as permitted; times, ACLs and extended attributes are not.
 */
export async function repair(request: RepairRequest, options: RepairOptions = {}): Promise<Repair> {
  const { name, path, replicas: addresses, force: isForced = false } = request;
  checkRequest("repair", name, addresses.length);
  // A file that cannot be read is no question for a vote.
  await checkReadable(path);
  const replaces = await lookAt(path);
  const target = await resolveTarget(path, name);
  await using opened = await openSeeds({ named: [], existing: path }, () => {});
  const world = {
    clock: systemClock,
    random: systemRandom,
    seeds: opened.seeds,
    digestLocal: localDigest(path, options),
    // Only a file that is wrong is replaced, so only then does it matter whether it may be.
    async openPartial(manifest: Manifest) {
      checkReplaceable(path, replaces, isForced);
      try {
        return await openPartialFile(target, {
          manifest,
          isForced: true,
          resumes: true,
          replaces,
          hashPieces,
          syncFolder: systemSyncs.sync,
        });
      } catch (error) {
        throw new StorageError(`repair ${path}: a copy is made beside it: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
  };
  return await withReplicas(
    addresses,
    (replicas) => repairWith({ name, replicas }, world, options),
    options.onEvent,
  );
}
