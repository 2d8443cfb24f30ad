import assert from "node:assert/strict";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { UsageError } from "../../src/errors.js";
import { parseServer, parseServers, readServers } from "../../src/files/servers-file.js";
import { scratchFolder } from "../support/scratch-folder.js";

describe("parseServer", () => {
  const good: readonly (readonly [line: string, host: string, port: number])[] = [
    ["localhost 9000", "localhost", 9000],
    ["localhost:9000", "localhost", 9000],
    ["localhost \t 9000", "localhost", 9000],
    ["10.0.0.1:1", "10.0.0.1", 1],
    ["a.example 65535", "a.example", 65535],
    ["[::1]:9000", "::1", 9000],
    ["[::1] 9000", "::1", 9000],
    ["::1 9000", "::1", 9000],
    ["[fe80::1:2]:80", "fe80::1:2", 80],
    ["[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", 80],
    ["under_score-dash:080", "under_score-dash", 80],
  ];
  for (const [line, host, port] of good) {
    it(`takes ${JSON.stringify(line)}`, () => {
      assert.deepEqual(parseServer(line), { host, port });
    });
  }

  const bad = [
    ...["localhost", "9000", ":9000", "localhost:", "localhost:0", "localhost 65536"],
    ...["localhost:99999999", "localhost:-1", "localhost:1.5", "localhost:0x10", "localhost:9000x"],
    ...["a b 9000", "a:b:9000", "a 9000 9001", "a : 9000", "http://a:9000", "a:9000/"],
    ...["::1:9000", "[::1:9000", "::1]:9000", "[]:9000", "[a.example]:9000", "[::1]9000"],
  ];
  for (const line of bad) {
    it(`refuses ${JSON.stringify(line)}`, () => assert.equal(parseServer(line), undefined));
  }
});

describe("parseServers", () => {
  it("skips comments and empty lines, and takes every kind of line end", () => {
    const text = "\uFEFF# ours\r\n\r\n  a 1  # the first\r\n\tb:2\n\n#c:3\n[::1]:4#x";
    assert.deepEqual(parseServers(text, "servers.txt"), [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
      { host: "::1", port: 4 },
    ]);
  });

  it("names the line that is wrong, and what stands there", () => {
    for (const end of ["\n", "\r\n"]) {
      assert.throws(
        () => parseServers(["# ours", "", "a 1", "b two # x", "c"].join(end), "servers.txt"),
        usage('servers.txt, line 4: "b two" is not `host port` or `host:port`'),
      );
    }
  });

  it("shows control characters as escapes", () => {
    assert.throws(() => parseServers("a\u001b[2J", "s"), usage('s, line 1: "a\\u001b[2J" is not'));
  });

  it("refuses a list of none", () => {
    for (const text of ["", "\n\n", "# nobody\r\n"]) {
      assert.throws(() => parseServers(text, "servers.txt"), usage("servers.txt: it names no"));
    }
  });
});

describe("readServers", () => {
  const at = scratchFolder();

  it("reads a file", async () => {
    await writeFile(at("servers"), "a 1\nb 2\n");
    const servers = await readServers(at("servers"));
    assert.deepEqual(servers, [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
    ]);
  });

  const lists: readonly (readonly [text: string, ports: readonly number[]])[] = [
    ["a:1", [1]],
    ["[::1]:1", [1]],
    ["a:1,b:2", [1, 2]],
    ["a:1, b:2 ,[::1]:3,", [1, 2, 3]],
    ["a 1,b 2", [1, 2]],
  ];
  for (const [text, ports] of lists) {
    it(`takes ${JSON.stringify(text)} for the list itself`, async () => {
      const servers = await readServers(text);
      assert.deepEqual(
        servers.map(({ port }) => port),
        ports,
      );
    });
  }

  it("refuses a list with something wrong in it", async () => {
    await assert.rejects(readServers("a:1,b"), usage("the list of servers, line 2"));
    await assert.rejects(readServers(","), usage("the list of servers: it names no server"));
  });

  it("refuses a file that cannot be read, with the reason", async () => {
    await mkdir(at("folder"));
    await assert.rejects(readServers(at("none")), usage(`${at("none")}: no such file or folder`));
    await assert.rejects(readServers(at("folder")), usage(`${at("folder")}: it is a folder`));
  });

  it("refuses a file that is too large for a list, unread", async () => {
    await writeFile(at("servers"), "");
    await truncate(at("servers"), 2 ** 40);
    await assert.rejects(readServers(at("servers")), usage(`${at("servers")}: it is too large`));
  });

  it("names the file and the line that is wrong", async () => {
    await writeFile(at("servers"), "a 1\nb\n");
    await assert.rejects(readServers(at("servers")), usage(`${at("servers")}, line 2: "b"`));
  });

  it("shows no more of a wrong line than tells which it is", async () => {
    await writeFile(at("servers"), "x".repeat(100_000));
    await assert.rejects(readServers(at("servers")), usage(`line 1: "${"x".repeat(80)}…" is not`));
  });
});

/** Matches a UsageError that contains the text. */
function usage(text: string) {
  return (error: unknown) => error instanceof UsageError && error.message.includes(text);
}
