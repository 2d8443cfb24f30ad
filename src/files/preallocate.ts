/** Takes a file's space before its bytes come, so that a full disk shows at the start. */

import type { FileHandle } from "node:fs/promises";
import { StorageError } from "../errors.js";
import { limits } from "../limits.js";
import { writeAll } from "./in-full.js";
import { runProgram } from "./run-program.js";
import { codeText, storageError } from "./storage-error.js";

interface Allocation {
  /** Bytes that the file has, and is to have. */
  readonly present: number;
  readonly size: number;
  /** Whether it lies in memory (tmpfs), where reserving takes as long as writing does. */
  readonly isInMemory?: boolean;
}

/**
 * Makes the file `size` bytes long with its blocks reserved, by util-linux's `fallocate` on an
 * inherited descriptor: Node has no call for it, and `ftruncate` reserves nothing. Where there is
 * no `fallocate`, or the file system cannot, or in memory, the length alone is set, and a full disk
 * shows later. A small file is filled with zeros instead, which takes less time than another
 * process does. Throws StorageError when there is no room, with the file as long as it was.
 */
export async function preallocate(
  handle: FileHandle,
  { present, size, isInMemory = false }: Allocation,
): Promise<void> {
  if (size === 0) return;
  const isSmall = size <= limits.zeroFilledBytes;
  const reserve = () => (isInMemory ? "unavailable" : fallocate(handle.fd, size));
  const outcome = isSmall ? undefined : await reserve();
  if (outcome === "done") return;
  try {
    if (outcome === undefined) {
      return await writeAll(handle, Buffer.alloc(size - present), present);
    }
    if (outcome !== "unavailable") {
      throw new StorageError(`reserve ${size} bytes: ${codeText(outcome, "a partial")}`);
    }
    if (present < size) await handle.truncate(size);
  } catch (error) {
    // A failed reservation keeps what it got: the next try, and everybody else, would lack it.
    await handle.truncate(present).catch(() => {});
    throw storageError("reserve", `${size} bytes`, error);
  }
}

type Outcome = "done" | "ENOSPC" | "EDQUOT" | "EFBIG" | "unavailable";

async function fallocate(fd: number, size: number): Promise<Outcome> {
  const args = ["-l", String(size), "/proc/self/fd/3"];
  // What cannot be started reserves nothing, and is no reason to do without the file.
  const end = await runProgram("fallocate", args, fd).catch(() => undefined);
  if (end?.kind !== "ended") return "unavailable";
  const { code, killedBy, said } = end;
  if (code === 0) return "done";
  if (/No space left/i.test(said)) return "ENOSPC";
  if (/quota/i.test(said)) return "EDQUOT";
  // Node ignores SIGXFSZ and gets EFBIG; other programs die of it beyond `ulimit -f`.
  if (/too large/i.test(said) || killedBy === "SIGXFSZ") return "EFBIG";
  return "unavailable";
}
