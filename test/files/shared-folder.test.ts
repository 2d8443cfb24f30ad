import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { UsageError } from "../../src/errors.js";
import { shareFile, shareFolder } from "../../src/files/shared-folder.js";
import { type ListRequest, ReplicaFault } from "../../src/ports.js";
import type { SharedFiles } from "../../src/server-ports.js";
import { hashFile } from "../../src/threads/hash-file.js";
import { asOrdinaryUser, scratchFolder } from "../support/scratch-folder.js";

/** What is in the folder that is shared, and beside it. */
async function furnish(at: (...names: string[]) => string): Promise<void> {
  await mkdir(at("shared/sub/deep"), { recursive: true });
  await mkdir(at("shared/.hidden"));
  await mkdir(at("outside"));
  const files = ["b", "sub/c", "sub/deep/d", "a", ".hidden/x", ".h", "sub/.h", "-dash", "späße 1"];
  for (const name of files) await writeFile(at("shared", name), `in ${name}`);
  await writeFile(at("outside/secret"), "secret");
  await symlink(at("outside/secret"), at("shared/link"));
  await symlink("a", at("shared/inner-link"));
  await symlink(at("outside"), at("shared/link-folder"));
  await symlink("sub", at("shared/inner-link-folder"));
  spawnSync("mkfifo", [at("shared/fifo")]);
}

describe("a shared folder", () => {
  const at = scratchFolder();
  let files: Awaited<ReturnType<typeof shareFolder>>;
  beforeEach(async () => {
    await furnish(at);
    files = await shareFolder(at("shared"), hashFile);
  });
  afterEach(() => files.close());

  for (const name of ["a", "sub/c", "sub/deep/d", "-dash", "späße 1"]) {
    it(`serves ${name}`, async () => {
      assert.equal(await contentOf(files, name), `in ${name}`);
    });
  }

  const missing: readonly (readonly [what: string, name: string])[] = [
    ["what is not there", "nothing"],
    ["what is below a file", "a/x"],
    ["an empty name", ""],
    ["the folder itself", "."],
    ["a parent", ".."],
    ["what lies beside it", "../outside/secret"],
    ["what lies beside it, by way of a folder", "sub/../../outside/secret"],
    ["a way that comes back", "sub/../a"],
    ["an absolute name", "/etc/hostname"],
    ["an absolute name of a file in it", "//a"],
    ["an empty component", "sub//c"],
    ["a trailing slash", "a/"],
    ["a hidden file", ".h"],
    ["a hidden file in a folder", "sub/.h"],
    ["a file in a hidden folder", ".hidden/x"],
    ["our own partial", ".a.quorate-part"],
    ["a link to a file outside", "link"],
    ["a link to a file inside", "inner-link"],
    ["a file behind a link to a folder outside", "link-folder/secret"],
    ["a file behind a link to a folder inside", "inner-link-folder/c"],
    ["a folder", "sub"],
    ["a FIFO, without waiting for its writer", "fifo"],
    ["a name with a NUL", "a\0"],
    ["a name with a backslash", "sub\\c"],
    ["a name as long as a path may not be", "n".repeat(1000)],
  ];
  for (const [what, name] of missing) {
    it(`calls missing: ${what}`, async () => {
      await assert.rejects(async () => files.open(name), isFault("missing"));
    });
  }

  it("rejects for a bad name, rather than throw before there is a promise", async () => {
    let opened: Promise<unknown> | undefined;
    assert.doesNotThrow(() => {
      opened = files.open("..");
      opened.catch(() => {});
    });
    await assert.rejects(async () => opened, isFault("missing"));
  });

  it("calls denied what we may not read", async () => {
    await chmod(at("shared/a"), 0o000);
    await chmod(at("shared/sub"), 0o000);
    await asOrdinaryUser(async () => {
      await assert.rejects(files.open("a"), isFault("denied"));
      await assert.rejects(files.open("sub/c"), isFault("denied"));
    });
    await chmod(at("shared/sub"), 0o755);
  });

  it("stays the folder that it was when another one takes its name", async () => {
    await rename(at("shared"), at("moved"));
    await rename(at("outside"), at("shared"));
    assert.equal(await contentOf(files, "a"), "in a");
    await assert.rejects(files.open("secret"), isFault("missing"));
  });

  it("keeps no descriptor of what it refused, or what was closed", async () => {
    await files.open("a").then((file) => file.close());
    const before = (await readdir("/proc/self/fd")).length;
    for (const [, name] of missing) await assert.rejects(async () => files.open(name));
    await contentOf(files, "sub/deep/d");
    await listed(files);
    assert.equal((await readdir("/proc/self/fd")).length, before);
  });
});

describe("the list of a shared folder", () => {
  const at = scratchFolder();
  let files: Awaited<ReturnType<typeof shareFolder>>;
  beforeEach(async () => {
    await furnish(at);
    files = await shareFolder(at("shared"), hashFile);
  });
  afterEach(() => files.close());
  const all = ["-dash", "a", "b", "späße 1", "sub/c", "sub/deep/d"];

  it("has the regular files, sorted, and neither hidden ones nor links nor FIFOs", async () => {
    const { files: entries, nextPageToken } = await files.list(request());
    assert.deepEqual(
      entries,
      all.map((name) => ({ name, size: Buffer.byteLength(`in ${name}`) })),
    );
    assert.equal(nextPageToken, "");
  });

  it("comes in pages that make up the whole", async () => {
    for (const pageSize of [1, 2, 4, 5, 6, 7]) {
      const pages: string[][] = [];
      let pageToken: string | undefined;
      while (pageToken !== "") {
        const page = await files.list(request({ pageSize, pageToken: pageToken ?? "" }));
        pages.push(page.files.map(({ name }) => name));
        pageToken = page.nextPageToken;
      }
      assert.deepEqual(pages.flat(), all);
      assert.equal(pages.length, Math.ceil(all.length / pageSize));
    }
  });

  it("has what begins with the prefix only, paged as well", async () => {
    assert.deepEqual(await listed(files, { prefix: "sub/" }), ["sub/c", "sub/deep/d"]);
    assert.deepEqual(await listed(files, { prefix: "s" }), ["späße 1", "sub/c", "sub/deep/d"]);
    assert.deepEqual(await listed(files, { prefix: "nothing" }), []);
    const { nextPageToken } = await files.list(request({ prefix: "sub/", pageSize: 1 }));
    const rest = await listed(files, { prefix: "sub/", pageToken: nextPageToken });
    assert.deepEqual(rest, ["sub/deep/d"]);
  });

  it("is read once for all of its pages, and afresh for the next one", async () => {
    const { nextPageToken } = await files.list(request({ pageSize: 2 }));
    await writeFile(at("shared/c"), "");
    assert.deepEqual(await listed(files, { pageToken: nextPageToken }), all.slice(2));
    assert.ok((await listed(files)).includes("c"));
    assert.ok((await listed(files, { pageToken: nextPageToken })).includes("c"));
  });

  it("goes on behind a token whose file is gone", async () => {
    const { nextPageToken } = await files.list(request({ pageSize: 2 }));
    await rm(at("shared/a"));
    assert.deepEqual(await listed(files, { pageToken: nextPageToken }), all.slice(2));
  });

  it("leaves out folders that may not be read", async () => {
    await chmod(at("shared/sub/deep"), 0o111);
    await chmod(at("shared/sub"), 0o711);
    const names = await asOrdinaryUser(() => listed(files));
    assert.deepEqual(names, ["-dash", "a", "b", "späße 1"]);
  });

  it("is empty when the folder itself is gone", async () => {
    await rm(at("shared"), { recursive: true });
    assert.deepEqual(await listed(files), []);
    assert.equal(await files.onlyName(), undefined);
  });

  it("names the only file, when there is one only", async () => {
    assert.equal(await files.onlyName(), undefined);
    for (const name of all.slice(0, -1)) await rm(at("shared", name));
    assert.equal(await files.onlyName(), "sub/deep/d");
    await rm(at("shared/sub/deep/d"));
    assert.equal(await files.onlyName(), undefined);
  });
});

describe("shareFolder", () => {
  const at = scratchFolder();

  it("refuses what is not there, no folder, or forbidden, in one line", async () => {
    await writeFile(at("file"), "");
    await mkdir(at("locked/sub"), { recursive: true });
    await chmod(at("locked"), 0o000);
    await assert.rejects(shareFolder(at("x"), hashFile), usage("x: no such file or folder"));
    await assert.rejects(shareFolder(at("file"), hashFile), usage("file: it is no folder"));
    const locked = () => shareFolder(at("locked/sub"), hashFile);
    await asOrdinaryUser(() => assert.rejects(locked(), usage("sub: permission denied")));
    const closed = () => shareFolder(at("locked"), hashFile);
    await asOrdinaryUser(() => assert.rejects(closed(), usage("locked: permission denied")));
  });
});

describe("a shared file", () => {
  const at = scratchFolder();
  beforeEach(() => furnish(at));

  it("is served under its base name, and nothing beside it is", async () => {
    const files = await shareFile(at("shared/a"), hashFile);
    assert.equal(await files.onlyName(), "a");
    assert.equal(await contentOf(files, "a"), "in a");
    assert.deepEqual(await listed(files), ["a"]);
    assert.deepEqual(await listed(files, { prefix: "b" }), []);
    assert.deepEqual(await listed(files, { pageToken: "a" }), []);
    for (const name of ["b", "", "../shared/a", "sub/c"]) {
      await assert.rejects(files.open(name), isFault("missing"));
    }
    await files.close();
  });

  it("may be a link: it is followed once, and keeps the link's name", async () => {
    const files = await shareFile(at("shared/link"), hashFile);
    assert.equal(await contentOf(files, "link"), "secret");
    await assert.rejects(files.open("secret"), isFault("missing"));
    await rm(at("shared/link"));
    await symlink(at("shared/a"), at("shared/link"));
    assert.equal(await contentOf(files, "link"), "secret");
    await files.close();
  });

  it("is missing once a link takes the file's place", async () => {
    const files = await shareFile(at("shared/a"), hashFile);
    await rm(at("shared/a"));
    await symlink(at("outside/secret"), at("shared/a"));
    await assert.rejects(files.open("a"), isFault("missing"));
    await assert.rejects(files.list(request()), isFault("missing"));
    await files.close();
  });

  it("is refused in one line when it is missing, a folder, a FIFO or forbidden", async () => {
    await chmod(at("shared/b"), 0o000);
    const refused = (name: string, says: string) =>
      assert.rejects(shareFile(at(name), hashFile), usage(says));
    await refused("shared/nothing", "nothing: no such file or folder");
    await refused("shared/sub", "sub: it is a folder; leave out -f");
    await refused("shared/fifo", "fifo: it is no regular file");
    await asOrdinaryUser(() =>
      refused("shared/b", "b: it cannot be read: permission denied (EACCES)"),
    );
  });
});

function request(wishes: Partial<ListRequest> = {}): ListRequest {
  return { pageSize: 0, pageToken: "", prefix: "", ...wishes };
}

async function listed(files: SharedFiles, wishes: Partial<ListRequest> = {}): Promise<string[]> {
  return (await files.list(request(wishes))).files.map(({ name }) => name);
}

async function contentOf(files: SharedFiles, name: string): Promise<string> {
  const file = await files.open(name);
  try {
    const buffer = Buffer.alloc(1000);
    return buffer.toString("utf8", 0, await file.read(0, buffer));
  } finally {
    await file.close();
  }
}

function isFault(kind: string) {
  return (error: unknown) => error instanceof ReplicaFault && error.fault.kind === kind;
}

/** Matches a UsageError of one line that ends so. */
function usage(end: string) {
  return (error: unknown) =>
    error instanceof UsageError && error.message.endsWith(end) && !error.message.includes("\n");
}
