/**
 * A folder for a demonstration, with a made-up file in it, which goes away with all that is in it.
 */

import { randomFillSync } from "node:crypto";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A scratch folder. */
export interface Scratch extends AsyncDisposable {
  /** What is served. */
  readonly file: string;
  /** Where to download to; empty. */
  readonly output: string;
  /** For a manifest cache of its own. */
  readonly cache: string;
}

/** Makes one in the system's folder for temporary files, with `size` random bytes in `name`. */
export async function makeScratch(name: string, size: number): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-"));
  const output = join(folder, "got");
  const file = join(folder, "served", name);
  await mkdir(output);
  await mkdir(join(folder, "served"));
  const handle = await open(file, "wx");
  try {
    const block = Buffer.alloc(1024 * 1024);
    for (let left = size; left > 0; left -= block.length) {
      await handle.write(randomFillSync(block), 0, Math.min(left, block.length));
    }
  } finally {
    await handle.close();
  }
  const remove = () => rm(folder, { recursive: true, force: true });
  return { file, output, cache: join(folder, "cache"), [Symbol.asyncDispose]: remove };
}
