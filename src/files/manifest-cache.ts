/**
 * Remembers manifests across restarts, in a folder of the user's. An entry is found by the state of
 * its file (device, inode, size, both times), and believed only when its pieces make up its root.
 * One of another format is as good as none.
 */

import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ManifestStore } from "../server-ports.js";
import { digestBytes, digestOf, parseDigest } from "../trust/digest.js";
import { type FileManifest, manifestOf } from "../trust/manifest.js";
import { endsIn, type PieceDigests, rootOf } from "../trust/merkle.js";
import { errorCode } from "./storage-error.js";

/** 2: with prefixes. An entry of before had no number. */
const format = 2;

/** Where manifests are kept unless said otherwise: XDG_CACHE_HOME, or ~/.cache. */
export function defaultCacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(caches, "quorate", "manifests");
}

/**
 * A store in `folder`, made when first needed. It never fails: what cannot be read is hashed again,
 * what cannot be written is forgotten.
 */
export function manifestCache(folder: string): ManifestStore {
  const pathOf = (key: string) => join(folder, `${key}.json`);
  return {
    async get(key) {
      const text = await readFile(pathOf(key), "utf8").catch(() => undefined);
      return text === undefined ? undefined : parseEntry(text, key);
    },
    async put(key, manifest) {
      const { size, digest, root } = manifest;
      const [pieces, prefixes] = [encoded(manifest.pieces), encoded(manifest.prefixes)];
      const facts = { format, key, size, digest, root, pieces, prefixes };
      const entry = { ...facts, check: checkOf(facts) };
      const draft = join(folder, `.${key}.${randomUUID()}`);
      try {
        await makeFolders(folder);
        const handle = await open(draft, "wx", 0o600);
        try {
          await handle.writeFile(JSON.stringify(entry));
        } finally {
          await handle.close();
        }
        await rename(draft, pathOf(key));
      } catch {
        // A cache that cannot be written costs a hash at the next start, nothing else.
        await unlink(draft).catch(() => {});
      }
    },
  };
}

/**
 * Makes a folder with those above it. Node's own `recursive` tries for ever, in a thread at full
 * speed, where a folder that is there says that a new one in it has no folder: in `/proc`, which is
 * the home of some who serve.
 */
async function makeFolders(folder: string): Promise<void> {
  const make = () => mkdir(folder, { mode: 0o700 });
  try {
    await make();
  } catch (error) {
    if (errorCode(error) === "EEXIST") return;
    if (errorCode(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolders(dirname(folder));
    await make();
  }
}

/**
 * A digest over all facts of an entry: a flipped bit in the size or the digest shows nowhere else.
 */
function checkOf(fields: Record<string, unknown>): string {
  const { key, size, digest, root, pieces, prefixes } = fields;
  const facts = [fields.format, key, size, digest, root, pieces, prefixes];
  return digestOf(Buffer.from(JSON.stringify(facts)));
}

function encoded(digests: PieceDigests): string {
  return Buffer.from(digests).toString("base64");
}

/** An entry, or `undefined` when anything about it does not hold together. */
export function parseEntry(text: string, key: string): FileManifest | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof entry !== "object" || entry === null) return undefined;
  const fields = entry as Record<string, unknown>;
  const { size } = fields;
  if (fields.format !== format || fields.check !== checkOf(fields)) return undefined;
  const digest = parseDigest(String(fields.digest));
  const root = parseDigest(String(fields.root));
  if (fields.key !== key || digest === undefined || root === undefined) return undefined;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  const manifest = manifestOf({ size, digest, root });
  const pieces = decoded(fields.pieces, manifest.pieceCount);
  const prefixes = decoded(fields.prefixes, manifest.pieceCount);
  if (pieces === undefined || rootOf(pieces) !== root) return undefined;
  if (prefixes === undefined || !endsIn(prefixes, digest)) return undefined;
  return { ...manifest, root, pieces, prefixRoot: rootOf(prefixes), prefixes };
}

function decoded(text: unknown, count: number): PieceDigests | undefined {
  if (typeof text !== "string") return undefined;
  const digests = new Uint8Array(Buffer.from(text, "base64"));
  return digests.length === count * digestBytes ? digests : undefined;
}
