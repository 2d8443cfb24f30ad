/** Takes a file's space before its bytes come, so that a full disk shows at the start. */

import { spawn } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import { StorageError } from "../errors.js";

/**
 * Makes the file `size` bytes long with its blocks reserved, by util-linux's `fallocate` on an
 * inherited descriptor: Node has no call for it, and `ftruncate` reserves nothing. Where there is
 * no `fallocate`, or the file system cannot, the length alone is set. A failed reservation keeps
 * what it got, so it is undone.
 */
export async function preallocate(
  handle: FileHandle,
  { present, size }: { readonly present: number; readonly size: number },
): Promise<void> {
  if (size === 0) return;
  const outcome = await fallocate(handle.fd, size);
  if (outcome === "full") {
    await handle.truncate(present);
    throw new StorageError(
      `reserve ${size} bytes: the disk is full; free some space and run it again to resume`,
    );
  }
  if (outcome === "unavailable" && present < size) await handle.truncate(size);
}

function fallocate(fd: number, size: number): Promise<"done" | "full" | "unavailable"> {
  return new Promise((resolve) => {
    const child = spawn("fallocate", ["-l", String(size), "/proc/self/fd/3"], {
      stdio: ["ignore", "ignore", "pipe", fd],
      env: { ...process.env, LC_ALL: "C" },
    });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString("utf8");
    });
    child.once("error", () => resolve("unavailable"));
    child.once("close", (code) => {
      if (code === 0) resolve("done");
      else resolve(/No space left|quota/i.test(said) ? "full" : "unavailable");
    });
  });
}
