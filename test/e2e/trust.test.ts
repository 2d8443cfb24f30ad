/** Who is believed: votes over real sockets, with servers that differ. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

describe("a vote", () => {
  const here = Workspace.forSuite();
  const right = madeUp(2_000_000);
  const other = madeUp(2_000_000, 2);

  /** A server process for each content, all of one name. */
  async function servers(...contents: readonly Uint8Array[]): Promise<number[]> {
    const ports = await freePorts(contents.length);
    for (const [index, content] of contents.entries()) {
      await here.write(`s${index}/file.bin`, content);
      await here.serve([here.path(`s${index}`), "-p", String(ports[index])]);
    }
    return ports;
  }

  it("of three equal, one other and one truncated gives the right file and names both", async () => {
    const ports = await servers(right, other, right, right.subarray(0, 1_500_000), right);
    const got = await here.run(["get", "file.bin", "-o", "five.bin", "-p", ...ports]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(right.equals(await readFile(here.path("five.bin"))));
    assert.match(got.stderr, new RegExp(`127.0.0.1:${ports[1]} dissents: \\w{12}…, 1.91 MiB`));
    assert.match(got.stderr, new RegExp(`127.0.0.1:${ports[3]} dissents: \\w{12}…, 1.43 MiB`));
    assert.match(got.stderr, /3 of 5 replicas agree \(rule: majority\)/);
  });

  it("of two against two is no quorum: exit 3, and nothing is written", async () => {
    const ports = await servers(right, other, right, other);
    const folder = await here.mkdir("none");
    const got = await here.run(["get", "file.bin", "-o", folder, "-p", ...ports]);
    assert.equal(got.code, 3);
    assert.match(
      got.stderr,
      /^get file\.bin: no quorum: 2 of 4 replicas agree, majority needs 3 \(/,
    );
    assert.match(got.stderr, /no --quorum settles a tie, --digest sha256:… does/);
    assert.deepEqual(await here.names("none"), []);
    const survey = await here.run(["survey", "file.bin", "-p", ...ports]);
    assert.equal(survey.code, 3);
    assert.match(survey.stdout, /file\.bin: no quorum \(2 of 4 replicas agree, majority needs 3\)/);
  });

  it("counts a server once, however many names it is given", async () => {
    const ports = await servers(right, other);
    const [first, second] = ports;
    const names = `127.0.0.1:${second},localhost:${second},127.0.0.1:${first}`;
    const got = await here.run(["get", "file.bin", "-o", "alias.bin", "--servers", names]);
    assert.equal(got.code, 3);
    assert.match(got.stderr, new RegExp(`localhost:${second} is the same server as 127.0.0.1`));
    assert.match(got.stderr, /1 of 2 replicas agrees, majority needs 2/);
  });

  it("is beaten by a pinned digest", async () => {
    const ports = await servers(right, other, other);
    const shown = await here.run(["digest", "s0/file.bin", "--json"]);
    const { digest } = JSON.parse(shown.stdout);
    const got = await here.run([
      "get",
      "file.bin",
      "-o",
      "pin.bin",
      "--digest",
      digest,
      "-p",
      ...ports,
    ]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok(right.equals(await readFile(here.path("pin.bin"))));
  });

  it("says which --quorum would accept what was seen, and that one does", async () => {
    const ports = await servers(right);
    const [dead] = await freePorts(1);
    const args = ["get", "file.bin", "-o", "one.bin", "-p", ...ports, String(dead)];
    const refused = await here.run(args);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /--quorum 1 would accept the largest group/);
    const got = await here.run([...args, "--quorum", 1]);
    assert.equal(got.code, 0, got.stderr);
  });

  it("survey shows who claims what, and list who serves what", async () => {
    const ports = await servers(right, other, right);
    const survey = await here.run(["survey", "file.bin", "-p", ...ports]);
    assert.equal(survey.code, 0, survey.stderr);
    assert.match(survey.stdout, new RegExp(`127.0.0.1:${ports[1]} +dissents +\\w{12} +2000000`));
    assert.match(survey.stdout, /file\.bin: quorum: sha256:\w{64} \(2 of 3 replicas agree/);
    const json = await here.run(["survey", "file.bin", "--json", "-p", ...ports]);
    const agreement = JSON.parse(json.stdout);
    assert.deepEqual(
      [agreement.event, agreement.reached, agreement.size, agreement.replicas.length],
      ["agreement", true, 2_000_000, 3],
    );
    const list = await here.run(["list", "-p", ...ports]);
    assert.equal(list.code, 0, list.stderr);
    assert.match(list.stdout, /file\.bin\t2000000\t3 of 3/);
  });

  it("verify names the ranges of a local file that differ", async () => {
    const ports = await servers(right, right, other);
    const damaged = Buffer.from(right);
    damaged[70_000] = (damaged[70_000] ?? 0) ^ 255;
    await here.write("file.bin", damaged);
    const wrong = await here.run(["verify", "file.bin", "-p", ...ports]);
    assert.equal(wrong.code, 6);
    assert.match(wrong.stdout, /file\.bin: bytes 65536–131072 differ\n/);
    await here.write("file.bin", right);
    const fine = await here.run(["verify", "file.bin", "-p", ...ports]);
    assert.equal(fine.code, 0, fine.stderr);
    assert.match(fine.stdout, /file\.bin: right: sha256:/);
  });
});
