/** Bad input: each with one clear line and the right exit code, and never a stack. */

import assert from "node:assert/strict";
import { chmod, symlink } from "node:fs/promises";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

type Case = readonly [args: string, code: number, says: RegExp];

/** Refused before anybody is asked. */
const refused: readonly Case[] = [
  ["serve", 2, /serve: no ports: name them with -p PORT…/],
  ["serve -f file.bin", 2, /serve: no ports/],
  ["serve -f file.bin -p 0", 2, /serve: no port is left to listen on/],
  ["serve -f file.bin -p 70000 abc", 2, /serve: no port is left to listen on/],
  ["serve -f file.bin -n 3 -p 10001 10002", 2, /-n 3 is not the number of ports given, 2/],
  ["serve -f file.bin -n 0 -p 10001", 2, /"0" is not a whole number from 1/],
  ["serve -f nothing.bin -p 10001", 2, /serve nothing\.bin: no such file or folder/],
  ["serve -f folder -p 10001", 2, /serve folder: it is a folder; leave out -f/],
  ["serve nowhere -p 10001", 2, /serve nowhere: no such file or folder/],
  ["serve file.bin -p 10001", 2, /serve file\.bin: it is no folder/],
  ["serve folder -f file.bin -p 10001", 2, /a folder and -f at once/],
  ["serve -f file.bin -i 0 -p 10001", 2, /"0" is not a number of seconds above 0/],
  ["serve -f file.bin -i abc -p 10001", 2, /"abc" is not a number of seconds/],
  ["serve -f file.bin --limit-rate fast -p 10001", 2, /"fast" is no number of bytes/],
  ["serve -f file.bin --fault 10001:explode -p 10001", 2, /"10001:explode" is not PORT:KIND/],
  ["serve -f file.bin --fault 10002:lie -p 10001", 2, /no virtual server on port 10002/],
  ["serve --metrics here -p 10001", 2, /"here" is no HOST:PORT\.\n$/],
  ["get -x.bin -p 10001", 2, /unknown option '-x\.bin'\n\(a name that begins with a dash comes/],
  ["get", 2, /get: no replicas: name them with -p PORT… or --servers FILE/],
  ["get x -p 0", 2, /"0" is no port/],
  ["get x -p 70000", 2, /"70000" is no port; a port is a number from 1 to 65535/],
  ["get x -p abc", 2, /"abc" is no port/],
  ["get -p 10001 x", 2, /"x" is no port; .*what follows -p is read as ports/],
  ["get x -i 0 -p 10001", 2, /"0" is not a number of seconds above 0/],
  ["get x -i abc -p 10001", 2, /"abc" is not a number of seconds/],
  ["get x --chunks 0 -p 10001", 2, /"0" is not a whole number from 1/],
  ["get x --quorum most -p 10001", 2, /"most" is no rule: it is majority, all, or how many/],
  ["get x --quorum 0 -p 10001", 2, /"0" is no rule/],
  ["get x --digest md5:abcd -p 10001", 2, /the digest algorithm md5 is not known: it is sha256/],
  ["get x --digest sha256:abcd -p 10001", 2, /"sha256:abcd" is not sha256: and 64 hexadecimal/],
  ["get x --timeout soon -p 10001", 2, /"soon" is no duration/],
  ["get x --limit-rate 12 -p 10001", 2, /"12" is below 1 KiB a second/],
  ["get x --servers nothing.txt", 2, /read the servers file nothing\.txt: no such file/],
  ["get x --servers broken.txt", 2, /broken\.txt, line 3: "localhost" is not `host port`/],
  ["get x --servers empty.txt", 2, /empty\.txt: it names no server/],
  ["get ../x -p 10001", 2, /get: the name "\.\.\/x" has a `\.` or `\.\.` component/],
  ["get a//b -p 10001", 2, /the name "a\/\/b" has an empty component/],
  ["get x -o no/such/x -p 10001", 7, /write into .*no\/such: no such file or folder/],
  ["get x -o file.bin -p 10001", 7, /write .*file\.bin: it exists already; --force replaces it/],
  ["get x -o - -r -p 10001", 2, /get: -o -: what went down a pipe cannot be resumed/],
  ["verify gone.bin -p 10001", 7, /read gone\.bin: no such file or folder/],
  ["get x -o link -p 10001", 7, /write .*link: it is a symbolic link/],
  ["get x -o file.bin/x -p 10001", 7, /write into .*file\.bin: it is no folder/],
  ["digest nothing.bin", 7, /read nothing\.bin: no such file or folder/],
  ["digest folder", 7, /read folder: it is a folder/],
  ["survey", 2, /survey: no replicas/],
  ["verify file.bin", 2, /verify: no replicas/],
  ["list", 2, /list: no replicas/],
  ["fetch x", 2, /unknown command 'fetch'/],
  ["help fetch", 2, /^quorate: unknown command 'fetch'\n$/],
  ["help srve", 2, /^quorate: unknown command 'srve'\n\(Did you mean serve\?\)\n$/],
  ["survey x -a 127.0.0.1:1 -p 2", 2, /"127\.0\.0\.1:1" is no host/],
  ["serve -f file.bin -p 123456789", 2, /port 123456789 is dropped: a port is a number from 1 to/],
  ["get x --chunk 4 -p 10001", 2, /unknown option '--chunk'\n?.*Did you mean --chunks/],
];

describe("bad input", () => {
  const here = Workspace.forSuite();
  before(async () => {
    await here.write("file.bin", madeUp(1000));
    await here.write("broken.txt", "# replicas\n127.0.0.1 10001\nlocalhost\n");
    await here.write("empty.txt", "# none\n");
    await here.mkdir("folder");
    await symlink("file.bin", here.path("link"));
  });

  for (const [args, code, says] of refused) {
    it(`quorate ${args}`, async () => {
      const ended = await here.run(args.split(" ").filter((word) => word !== ""));
      assert.deepEqual([ended.code, ended.stdout], [code, ""], ended.stderr);
      assert.match(ended.stderr, says);
      assert.doesNotMatch(ended.stderr, /\n\s+at /, "no stack for a user's mistake");
    });
  }

  it("the same port twice: serve drops the second, get counts it once", async () => {
    const [port] = await freePorts(1);
    const serving = await here.serve(["-f", "file.bin", "-p", String(port), String(port)]);
    assert.match(serving.stderr, new RegExp(`port ${port} is dropped: it was given twice`));
    const args = ["get", "-o", "twice.bin", "-p", String(port), String(port)];
    const got = await here.run(args);
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, new RegExp(`:${port} is named more than once, and counts once`));
    assert.match(got.stderr, /1 of 1 replica agree/);
  });

  it("one server under two names: survey says so, list counts it once", async () => {
    const [port] = await freePorts(1);
    await here.serve(["-f", "file.bin", "-p", String(port)]);
    const servers = ["--servers", `127.0.0.1:${port},localhost:${port}`];
    const survey = await here.run(["survey", ...servers]);
    assert.match(
      survey.stderr,
      /: localhost:\d+ is the same server as 127\.0\.0\.1:\d+, and counts/,
    );
    assert.match(survey.stdout, /1 of 1 replica agrees, majority needs 1/);
    const listed = await here.run(["list", ...servers]);
    assert.equal(listed.stdout, "file.bin\t1000\t1 of 1\n");
    const [free] = await freePorts(1);
    const nobody = await here.run(["list", "--servers", `127.0.0.1:${free},localhost:${free}`]);
    assert.equal(nobody.code, 3);
  });

  it("list gives a long name whole: it is there to be used", async () => {
    const [port] = await freePorts(1);
    const name = "n".repeat(250);
    await here.write(`long/${name}`, "a");
    await here.serve(["long", "-p", String(port)]);
    const listed = await here.run(["list", "-p", String(port)]);
    assert.equal(listed.stdout, `${name}\t1\t1 of 1\n`);
  });

  it("survey says what is in the way of a quorum", async () => {
    const [port] = await freePorts(1);
    await here.serve(["-f", "file.bin", "-p", String(port)]);
    const said = async (...args: string[]) => {
      const { stdout } = await here.run(["survey", ...args, "-p", String(port)]);
      return stdout.trimEnd().split("\n").at(-1);
    };
    const pin = `sha256:${"0".repeat(64)}`;
    assert.equal(await said("gone.bin"), "gone.bin: no quorum (no replica has it)");
    assert.equal(
      await said("file.bin", "--quorum", "5"),
      "file.bin: no quorum (1 of 1 replica agrees, 5 are asked for)",
    );
    assert.equal(
      await said("file.bin", "--digest", pin),
      "file.bin: no quorum (no replica claims the pinned 000000000000…)",
    );
  });

  it("the folder that one stands in was removed: a line that says so", async () => {
    const remove = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    for (const args of [["get", "x", "-p", "1"], ["clean"]]) {
      const ended = await here.run(args, { prefix: ["sh", "-c", remove, "sh"] });
      assert.equal(ended.code, 7);
      assert.equal(ended.stderr, "find .: the folder that one stands in was removed\n");
    }
  });

  it("a folder that was named after the ports is not replaced by the one one stands in", async () => {
    const ended = await here.run(["serve", "-p", "10001", "folder"]);
    assert.equal(ended.code, 2);
    assert.equal(
      ended.stderr,
      'serve: port "folder": it is no number (a folder comes before -p)\n',
    );
  });

  it("an authority's file without a certificate is refused before anybody is asked", async () => {
    const ended = await here.run(["survey", "x", "-p", "1", "--tls-ca", "broken.txt"]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /^--tls-ca broken\.txt: there is no certificate in it$/m);
  });

  it("an empty output is no folder that one happens to stand in", async () => {
    const ended = await here.run(["get", "x", "-o", "", "-p", "1"]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /'-o, --output <path>' argument '' is invalid/);
  });

  it("with --json, a failure is an event too, whatever failed", async () => {
    for (const args of [
      ["get", "x", "--bogus"],
      ["get", "x"],
    ]) {
      const ended = await here.run([...args, "--json"]);
      const { event, code } = JSON.parse(ended.stdout);
      assert.deepEqual([ended.code, event, code], [2, "error", "usage"]);
    }
  });

  it("nobody listens: no quorum, with each replica's reason", async () => {
    const [port] = await freePorts(1);
    const got = await here.run(["get", "x", "-p", String(port)]);
    assert.equal(got.code, 3);
    assert.match(
      got.stderr,
      /^get x: no quorum: 0 of 1 replica agrees, majority needs 1 \(silent ×1/,
    );
    assert.equal(got.stderr.trim().split("\n").length, 1, "one line");
  });

  it("an unreadable file, an unwritable folder", async () => {
    const nobody = { isUnprivileged: true };
    await chmod(await here.write("secret.bin", madeUp(10)), 0o000);
    const served = await here.run(["serve", "-f", "secret.bin", "-p", 10001], nobody);
    assert.deepEqual([served.code, served.stdout], [2, ""]);
    assert.match(
      served.stderr,
      /^serve secret\.bin: it cannot be read: permission denied \(EACCES\)\n$/,
    );
    await chmod(await here.mkdir("closed"), 0o555);
    const [port] = await freePorts(1);
    await here.serve(["-f", "file.bin", "-p", String(port)]);
    const got = await here.run(["get", "-o", "closed", "-p", String(port)], nobody);
    assert.equal(got.code, 7);
    assert.match(got.stderr, /write into .*closed: permission denied .*name another place with -o/);
  });
});
