/** Opens old copies of a file, from which a download takes what is equal. Never writes to them. */

import { constants } from "node:fs";
import { messageOf, UsageError } from "../errors.js";
import { limits } from "../limits.js";
import type { Seed } from "../ports.js";
import { readerOf } from "./in-full.js";
import { openRegular } from "./local-file.js";
import { errorCode, storageError } from "./storage-error.js";

/** Which old copies there may be. */
export interface SeedPaths {
  /** Those that the user named: each a regular file that can be read. Links are followed. */
  readonly named: readonly string[];
  /** One that may be there. It is left out when it is a link, or cannot be read. */
  readonly existing: string | undefined;
}

/** Open seeds; closed all at once. */
export interface Seeds extends AsyncDisposable {
  readonly seeds: readonly Seed[];
}

/**
 * Opens the seeds. `onSkipped` is told why the existing one is left out; of the named ones, the
 * first that cannot be read is a StorageError: whoever names a file wants it to be used.
 */
export async function openSeeds(
  { named, existing }: SeedPaths,
  onSkipped: (path: string, why: string) => void,
): Promise<Seeds> {
  if (named.length > limits.seeds) {
    throw new UsageError(`more than ${limits.seeds} seeds were named`);
  }
  const opened: SeedFile[] = [];
  const close = async () => {
    for (const seed of opened) await seed.close();
  };
  try {
    for (const path of named) opened.push(await openSeed(path, 0));
    if (existing !== undefined) {
      const seed = await openSeed(existing, constants.O_NOFOLLOW).catch((error: unknown) => {
        const { cause } = error instanceof Error ? error : {};
        if (errorCode(cause) !== "ENOENT") onSkipped(existing, messageOf(error));
      });
      if (seed !== undefined) opened.push(seed);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { seeds: opened, [Symbol.asyncDispose]: close };
}

interface SeedFile extends Seed {
  close(): Promise<void>;
}

async function openSeed(path: string, flags: number): Promise<SeedFile> {
  try {
    const handle = await openRegular(path, flags);
    const { size } = await handle.stat();
    return {
      path,
      size,
      read: readerOf(handle, path),
      close: () => handle.close(),
    };
  } catch (error) {
    throw storageError("read", path, error, "nothing");
  }
}
