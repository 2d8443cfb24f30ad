import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { defaultCacheFolder, manifestCache, parseEntry } from "../../src/files/manifest-cache.js";
import { digestOf } from "../../src/trust/digest.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

const manifest = manifestOfBytes(Buffer.alloc(200_000, "quorate"));
const another = manifestOfBytes(Buffer.alloc(200_000, "another"));
const key = "0123456789abcdef0123456789abcdef";

describe("the manifest cache", () => {
  const at = scratchFolder();

  it("gives back what was put, after a restart too", async () => {
    for (const size of [0, 1, 65_536, 65_537, 200_000]) {
      const put = manifestOfBytes(Buffer.alloc(size, "quorate"));
      await manifestCache(at("cache")).put(key, put);
      assert.deepEqual(await manifestCache(at("cache")).get(key), put);
    }
  });

  it("has nothing that was not put", async () => {
    assert.equal(await manifestCache(at("cache")).get(key), undefined);
  });

  it("keeps to the user, with no draft left", async () => {
    await manifestCache(at("a/cache")).put(key, manifest);
    assert.deepEqual(await readdir(at("a/cache")), [`${key}.json`]);
    assert.equal((await stat(at("a/cache"))).mode & 0o777, 0o700);
    assert.equal((await stat(at("a/cache", `${key}.json`))).mode & 0o777, 0o600);
  });

  it("takes the last of two puts", async () => {
    const cache = manifestCache(at("cache"));
    await cache.put(key, another);
    await cache.put(key, manifest);
    assert.deepEqual(await cache.get(key), manifest);
  });

  it("does not take an entry for that of another file", async () => {
    const cache = manifestCache(at("cache"));
    const other = "f".repeat(32);
    await cache.put(key, manifest);
    await copyFile(at("cache", `${key}.json`), at("cache", `${other}.json`));
    assert.equal(await cache.get(other), undefined);
  });

  it("forgets in silence where no folder can be made, and comes to an end", async () => {
    await manifestCache("/proc/a/cache").put(key, manifest);
  });

  it("forgets in silence when its folder cannot be made", async () => {
    await writeFile(at("file"), "");
    const cache = manifestCache(at("file/cache"));
    await cache.put(key, manifest);
    assert.equal(await cache.get(key), undefined);
  });

  it("forgets in silence when its folder may not be written to", async () => {
    await mkdir(at("cache"), { mode: 0o555 });
    const cache = manifestCache(at("cache"));
    await asOrdinaryUser(() => cache.put(key, manifest));
    assert.deepEqual(await readdir(at("cache")), []);
  });

  it("forgets in silence, and clears its draft, when the entry's place is taken", async () => {
    await mkdir(at("cache", `${key}.json`), { recursive: true });
    const cache = manifestCache(at("cache"));
    await cache.put(key, manifest);
    assert.equal(await cache.get(key), undefined);
    assert.deepEqual(await readdir(at("cache")), [`${key}.json`]);
  });

  it("forgets what may not be read", async () => {
    const cache = manifestCache(at("cache"));
    await cache.put(key, manifest);
    await chmod(at("cache"), 0o000);
    await asOrdinaryUser(async () => assert.equal(await cache.get(key), undefined));
  });

  describe("does not believe an entry", () => {
    const tampered: readonly (readonly [what: string, change: Record<string, unknown>])[] = [
      ["of another key", { key: "f".repeat(32) }],
      ["of no key", { key: undefined }],
      ["with another size in as many pieces", { size: 199_999 }],
      ["with another size in more pieces", { size: 300_000 }],
      ["with a negative size", { size: -1 }],
      ["with a size that is no whole number", { size: 199_999.5 }],
      ["with a size in quotes", { size: "200000" }],
      ["with a size beyond all measure", { size: 2 ** 60 }],
      ["with another digest", { digest: another.digest }],
      ["with no digest", { digest: undefined }],
      ["with a digest that is none", { digest: "sha256:12" }],
      ["with another root", { root: another.root }],
      ["with no root", { root: null }],
      ["with other pieces", { pieces: base64(another.pieces) }],
      ["with one piece less", { pieces: base64(manifest.pieces.subarray(32)) }],
      ["with a piece cut short", { pieces: base64(manifest.pieces.subarray(1)) }],
      ["with pieces that are no text", { pieces: [1, 2, 3] }],
      ["with no pieces", { pieces: undefined }],
      ["with other prefixes", { prefixes: base64(another.prefixes) }],
      ["with one prefix less", { prefixes: base64(manifest.prefixes.subarray(32)) }],
      ["with prefixes that are no text", { prefixes: [1, 2, 3] }],
      ["with no prefixes", { prefixes: undefined }],
      ["of a format to come", { format: 3 }],
      ["of no format", { format: undefined }],
    ];
    for (const [what, change] of tampered) {
      it(what, async () => {
        const cache = manifestCache(at("cache"));
        await cache.put(key, manifest);
        const text = await readFile(at("cache", `${key}.json`), "utf8");
        const entry: unknown = JSON.parse(text);
        assert.ok(typeof entry === "object");
        await writeFile(at("cache", `${key}.json`), JSON.stringify({ ...entry, ...change }));
        assert.equal(await cache.get(key), undefined);
      });
    }

    it("of another format, however right it is in itself", () => {
      const facts = (format: number) => {
        const { size, digest, root } = manifest;
        const [pieces, prefixes] = [base64(manifest.pieces), base64(manifest.prefixes)];
        return [format, key, size, digest, root, pieces, prefixes];
      };
      const entry = (format: number) => {
        const names = ["format", "key", "size", "digest", "root", "pieces", "prefixes"];
        const fields = names.map((name, index) => [name, facts(format)[index]]);
        const check = digestOf(Buffer.from(JSON.stringify(facts(format))));
        return JSON.stringify({ ...Object.fromEntries(fields), check });
      };
      assert.deepEqual(parseEntry(entry(2), key), manifest);
      assert.equal(parseEntry(entry(3), key), undefined);
    });

    it("as it was before there were prefixes: the file is hashed again, and kept anew", async () => {
      const { size, digest, root } = manifest;
      const pieces = base64(manifest.pieces);
      const check = digestOf(Buffer.from(JSON.stringify([key, size, digest, root, pieces])));
      await mkdir(at("cache"));
      const old = JSON.stringify({ key, size, digest, root, pieces, check });
      await writeFile(at("cache", `${key}.json`), old);
      const cache = manifestCache(at("cache"));
      assert.equal(await cache.get(key), undefined);
      await cache.put(key, manifest);
      assert.deepEqual(await cache.get(key), manifest);
    });

    it("whose prefixes do not end in the file", () => {
      const text = (prefixes: Uint8Array) => {
        const { size, digest, root } = manifest;
        const facts = [2, key, size, digest, root, base64(manifest.pieces), base64(prefixes)];
        const check = digestOf(Buffer.from(JSON.stringify(facts)));
        const [format, , , , , pieces, given] = facts;
        return JSON.stringify({ format, key, size, digest, root, pieces, prefixes: given, check });
      };
      assert.deepEqual(parseEntry(text(manifest.prefixes), key), manifest);
      assert.equal(parseEntry(text(another.prefixes), key), undefined);
    });

    it("that was cut at any byte", async () => {
      const cache = manifestCache(at("cache"));
      await cache.put(key, manifest);
      const text = await readFile(at("cache", `${key}.json`), "utf8");
      for (let length = 0; length < text.length; length++) {
        assert.equal(parseEntry(text.slice(0, length), key), undefined);
      }
    });

    for (const text of ["", "null", "[]", "1", '"text"', "{}", "\0"]) {
      it(`that is ${JSON.stringify(text)}`, () => {
        assert.equal(parseEntry(text, key), undefined);
      });
    }
  });
});

describe("the cache's folder", () => {
  const { XDG_CACHE_HOME } = process.env;
  afterEach(() => {
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
  });

  it("is in XDG_CACHE_HOME, or else in ~/.cache", () => {
    process.env.XDG_CACHE_HOME = "/caches";
    assert.equal(defaultCacheFolder(), "/caches/quorate/manifests");
    process.env.XDG_CACHE_HOME = "";
    assert.equal(defaultCacheFolder(), join(homedir(), ".cache/quorate/manifests"));
  });
});

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
