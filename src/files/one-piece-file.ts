/**
 * The partial of a file of one piece. Nothing of it could be resumed, so nothing of it is kept:
 * it is made once its only piece was verified, under a name that nobody else has, and a moment
 * later it is published or gone. So it needs no lock, no journal and no reserved space.
 */

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { noJournal, type PartialOutput, type Sink } from "../ports.js";
import { closeQuietly } from "./close.js";
import { type SyncFolder, syncFolder, unlinkIfThere } from "./folder.js";
import { readAll, writeAll } from "./in-full.js";
import { lostNameError } from "./locked-file.js";
import { nameFree } from "./name-free.js";
import type { PartialOptions } from "./partial-file.js";
import { errorCode, storageError } from "./storage-error.js";
import { checkTarget, type Target } from "./target.js";

/** The partial of a target where no earlier run left anything. */
export function onePieceFile(
  target: Target,
  options: Pick<PartialOptions, "isForced" | "syncFolder">,
): PartialOutput {
  const file = new OnePieceFile(target, options);
  return {
    sink: file,
    journal: noJournal,
    leftoverBytes: 0,
    publish: () => file.publish(),
    discard: () => file.remove(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

class OnePieceFile implements Sink {
  readonly #target: Target;
  readonly #isForced: boolean;
  readonly #syncFolder: SyncFolder;
  readonly #path: string;
  #opening: Promise<FileHandle> | undefined;
  #writes = 0;
  /** How many of the writes are durable; fewer than none until the file itself is. */
  #durable = -1;
  #isThere = false;

  constructor(target: Target, options: Pick<PartialOptions, "isForced" | "syncFolder">) {
    this.#target = target;
    this.#isForced = options.isForced;
    this.#syncFolder = options.syncFolder ?? syncFolder;
    this.#path = `${target.partial}.${randomUUID()}`;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const handle = await this.#open();
    try {
      await writeAll(handle, bytes, offset);
      this.#writes++;
    } catch (error) {
      throw storageError("write", this.#target.output, error);
    }
  }

  async read(offset: number, buffer: Uint8Array): Promise<number> {
    if (this.#opening === undefined) return 0;
    try {
      return await readAll(await this.#opening, buffer, offset);
    } catch (error) {
      throw storageError("read", this.#target.output, error);
    }
  }

  async sync(): Promise<void> {
    const writes = this.#writes;
    if (this.#opening === undefined || writes === this.#durable) return;
    try {
      await (await this.#opening).sync();
      this.#durable = writes;
    } catch (error) {
      throw storageError("sync", this.#target.output, error);
    }
  }

  async publish(): Promise<string> {
    const { output, folder } = this.#target;
    const handle = await this.#open();
    // The bytes first: a name that survives a power cut must not point to less than everything.
    await this.sync();
    try {
      await this.#name(handle);
      // A crash before this leaves the output absent or right, and a name that nobody misses.
      await this.#syncFolder(folder);
    } catch (error) {
      if (errorCode(error) === "ENOENT") throw lostNameError(output);
      throw storageError("publish", output, error);
    }
    return output;
  }

  async #name(handle: FileHandle): Promise<void> {
    const { output } = this.#target;
    const path = this.#path;
    if (this.#isForced) {
      await checkTarget(this.#target, true);
      await rename(path, output);
      this.#isThere = false;
      return;
    }
    const how = await nameFree({ handle, path, output }, async () => {});
    if (how === "renamed") this.#isThere = false;
    // The file is in its place: what cannot be removed is litter, for `clean`, and no failure.
    else await this.remove().catch(() => {});
  }

  async remove(): Promise<void> {
    if (!this.#isThere) return;
    await unlinkIfThere(this.#path);
    this.#isThere = false;
  }

  async close(): Promise<void> {
    const handle = await this.#opening?.catch(() => undefined);
    await closeQuietly(handle);
    await this.remove().catch(() => {});
  }

  /** Nobody could read of it what is not public once it is published: it has its last mode. */
  #open(): Promise<FileHandle> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#opening ??= open(this.#path, flags, 0o666).then(
      (handle) => {
        this.#isThere = true;
        return handle;
      },
      (error: unknown) => {
        throw storageError("write", this.#target.output, error);
      },
    );
    return this.#opening;
  }
}
