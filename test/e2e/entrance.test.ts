/** Who may come in, from the command line: TLS, tokens, and what is refused. */

import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { Authority, opensslProblem } from "../support/authority.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const token = "a-token-of-some-length";
const problem = opensslProblem();

describe("an entrance beyond this machine", function () {
  this.timeout(120_000);
  const workspace = Workspace.forSuite();
  before(() => workspace.write("shared/a.bin", madeUp(100_000)));

  const open = async () => ["serve", "shared", "--host", "0.0.0.0", "-p", ...(await freePorts(1))];

  it("without TLS and without knowing who comes is refused, and says what is missing", async () => {
    const { code, stderr } = await workspace.run(await open());
    assert.equal(code, 2);
    assert.match(stderr, /0\.0\.0\.0.*--tls-cert.*--client-ca or --token-file.*--insecure/);
  });

  it("with --insecure it opens, with a warning for each danger, and tells no schema", async () => {
    const [command = "", ...args] = await open();
    assert.equal(command, "serve");
    const serving = await workspace.serve([...args, "--insecure"]);
    assert.match(serving.stderr, /warning: on 0\.0\.0\.0.*path can read and change/);
    assert.match(serving.stderr, /warning: on 0\.0\.0\.0.*anybody may read/);
  });

  it("with tokens in clear text it is refused even with --insecure", async () => {
    await workspace.write("tokens", `${token}\n`);
    const args = await open();
    const refused = await workspace.run([...args, "--token-file", "tokens", "--insecure"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /clear text/);
  });

  it("metrics beyond this machine are refused, and open with --insecure", async () => {
    const [port = 0, metrics = 0] = await freePorts(2);
    const args = ["shared", "-p", port, "--metrics", `0.0.0.0:${metrics}`];
    const refused = await workspace.run(["serve", ...args]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--metrics 0\.0\.0\.0: beyond this machine: needs --insecure/);
    await workspace.serve([...args, "--insecure"]);
    assert.equal((await fetch(`http://127.0.0.1:${metrics}/metrics`)).status, 200);
  });

  it("metrics whose port is in use end it at once", async () => {
    const [port = 0, metrics = 0] = await freePorts(2);
    await workspace.serve(["shared", "-p", metrics]);
    const args = ["serve", "shared", "-p", port, "--metrics", `127.0.0.1:${metrics}`];
    const refused = await workspace.run(args);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--metrics 127\.0\.0\.1:\d+: .*in use/i);
  });

  it("a client sends no token in clear text beyond this machine", async () => {
    await workspace.write("tokens", `${token}\n`);
    const args = ["get", "a.bin", "-a", "192.0.2.1", "-p", 1, "--token-file", "tokens"];
    const { code, stderr } = await workspace.run(args);
    assert.equal(code, 2);
    assert.match(stderr, /not sent to 192\.0\.2\.1 in clear text/);
  });

  it("a client warns that on a path in plain text one man is every voter", async () => {
    const args = ["survey", "a.bin", "-a", "192.0.2.1", "-p", 1, "--json"];
    const { stderr } = await workspace.run(args);
    assert.match(stderr, /one man on the path is every voter/);
  });
});

describe(`TLS and tokens from the command line${problem}`, function () {
  this.timeout(120_000);
  const workspace = Workspace.forSuite();
  const data = madeUp(300_000);
  before(async function () {
    if (problem !== "") this.skip();
    await workspace.write("shared/a.bin", data);
    const authority = new Authority(workspace.folder, "ca");
    authority.issue("server");
    authority.issue("renewed");
    authority.issue("client");
  });

  it("a file comes over TLS to who has certificate and token; the token is nowhere told", async () => {
    await workspace.write("tokens", `# two\nsomebody-elses-token\n${token}\n`);
    await workspace.write("mine", token);
    const ports = await freePorts(2);
    const tls = ["--tls-cert", "server.crt", "--tls-key", "server.key", "--client-ca", "ca.crt"];
    const args = ["shared", "-p", ...ports, ...tls, "--token-file", "tokens"];
    const serving = await workspace.serve(args);
    const own = ["--tls-ca", "ca.crt", "--tls-cert", "client.crt", "--tls-key", "client.key"];
    const get = ["get", "a.bin", "-p", ...ports, ...own, "-o", "out.bin"];
    const denied = await workspace.run(get);
    assert.notEqual(denied.code, 0);
    assert.match(denied.stderr, /denied: a token is needed/);
    await workspace.write("strangers", "nobody-knows-this-token");
    const stranger = await workspace.run([...get, "--token-file", "strangers"]);
    assert.match(stranger.stderr, /denied: its token is none of those that are known/);
    const got = await workspace.run([...get, "--token-file", "mine"]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok((await readFile(workspace.path("out.bin"))).equals(data));
    const said = serving.stdout + serving.stderr + got.stdout + got.stderr + denied.stderr;
    assert.doesNotMatch(said, new RegExp(token));
    const list = ["list", "-p", ...ports, ...own, "--token-file", "mine"];
    assert.match((await workspace.run(list)).stdout, /a\.bin/);
  });

  it("renewed certificates and tokens are taken up without a restart", async () => {
    await workspace.write("tokens", `${token}\n`);
    await workspace.write("mine", "a-token-that-is-new-here");
    for (const [from, to] of [
      ["server.crt", "live.crt"],
      ["server.key", "live.key"],
    ] as const) {
      await workspace.write(to, await readFile(workspace.path(from)));
    }
    const ports = await freePorts(1);
    const tls = ["--tls-cert", "live.crt", "--tls-key", "live.key"];
    const args = ["shared", "-p", ...ports, ...tls, "--token-file", "tokens"];
    const serving = await workspace.serve(args);
    const survey = ["survey", "a.bin", "-p", ...ports, "--tls-ca", "ca.crt"];
    assert.notEqual((await workspace.run([...survey, "--token-file", "mine"])).code, 0);
    await workspace.write("tokens.new", "a-token-that-is-new-here\n");
    await rename(workspace.path("tokens.new"), workspace.path("tokens"));
    await serving.says(/new tokens hold/);
    assert.equal((await workspace.run([...survey, "--token-file", "mine"])).code, 0);
    await rename(workspace.path("renewed.crt"), workspace.path("live.crt"));
    await serving.says(/old certificates stay/);
    await rename(workspace.path("renewed.key"), workspace.path("live.key"));
    await serving.says(/new certificates hold/);
    assert.equal((await workspace.run([...survey, "--token-file", "mine"])).code, 0);
  });
});
