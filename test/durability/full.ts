/** A small disk of its own, in memory: filled to the brim, and freed again. */

import { spawnSync } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";

/** A tmpfs that holds so many bytes. */
export class SmallDisk {
  readonly mountpoint: string;

  private constructor(mountpoint: string) {
    this.mountpoint = mountpoint;
  }

  /** Mounts one at `mountpoint`, which is made. Rejects with the reason when that cannot be. */
  static async make(mountpoint: string, bytes: number): Promise<SmallDisk> {
    await mkdir(mountpoint);
    const args = ["-t", "tmpfs", "-o", `size=${bytes}`, "none", mountpoint];
    const { status, stderr, error } = spawnSync("mount", args);
    if (status !== 0) {
      throw new Error(`no small disk can be mounted here: ${error?.message ?? String(stderr)}`);
    }
    return new SmallDisk(mountpoint);
  }

  /** Takes all the space that is left. */
  async fill(): Promise<void> {
    const filler = await open(join(this.mountpoint, "filler"), "a");
    const block = Buffer.alloc(64 * 1024, 1);
    try {
      for (;;) await filler.write(block);
    } catch {
      // Full: that is the aim.
    } finally {
      await filler.close();
    }
  }

  /** Gives it back. */
  async free(): Promise<void> {
    await rm(join(this.mountpoint, "filler"), { force: true });
  }

  async remove(): Promise<void> {
    spawnSync("umount", ["-l", this.mountpoint]);
  }
}
