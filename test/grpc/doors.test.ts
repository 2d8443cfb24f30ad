/** Who gets in with which certificate and token, and that the others learn nothing. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { Metadata } from "nice-grpc";
import type { ClientTls } from "../../src/grpc/channel.js";
import { Doors } from "../../src/grpc/doors.js";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { Authority, opensslProblem, type Pair } from "../support/authority.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

const problem = opensslProblem();
const token = "a-token-of-some-length";
const other = "another-token-of-length";

/** Its files, and whether anybody ever got as far as asking for one. */
function watched() {
  let asked = 0;
  const honest = memoryReplica({ "secret.bin": madeUp(10) });
  const size: Replica["size"] = (name, call) => {
    asked++;
    return honest.size(name, call);
  };
  return { replica: { ...honest, size }, asked: () => asked };
}

describe(`doors of a virtual server${problem}`, function () {
  this.timeout(60_000);
  let folder = "";
  let ours: Authority;
  let theirs: Authority;
  let server: Pair;
  const open: { close(): void }[] = [];

  before(async function () {
    if (problem !== "") this.skip();
    folder = await mkdtemp(join(tmpdir(), "quorate-test-"));
    ours = new Authority(folder, "ours");
    theirs = new Authority(folder, "theirs");
    server = ours.issue("server");
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => {
    for (const each of open.splice(0).reverse()) each.close();
  });

  async function listen(doors: Doors, replica: Replica): Promise<ListeningServer> {
    const listening = await listenReplica(replica, { host: "127.0.0.1", port: 0 }, { doors });
    open.push({ close: () => listening.kill() });
    return listening;
  }

  /** What comes of asking: `let in`, or the kind of fault. */
  async function ask(port: number, how: { tls?: ClientTls; token?: string }): Promise<string> {
    const remote = connectReplica("127.0.0.1", port, how);
    open.push(remote);
    const call = { signal: new AbortController().signal, deadlineMs: 20_000 };
    try {
      await remote.size("secret.bin", call);
      return "let in";
    } catch (error) {
      if (error instanceof ReplicaFault) return error.fault.kind;
      throw error;
    }
  }

  const trusting = (by: Authority, own?: Pair, serverName?: string): ClientTls => ({
    ca: by.pair.cert,
    cert: own?.cert,
    key: own?.key,
    serverName,
  });

  it("TLS: who trusts the authority gets in; plain text and strangers' trust do not", async () => {
    const { replica, asked } = watched();
    const tls = { cert: server.cert, key: server.key, clientCa: undefined };
    const { port } = await listen(new Doors({ tls }), replica);
    assert.equal(await ask(port, { tls: trusting(ours) }), "let in");
    assert.equal(await ask(port, { tls: trusting(theirs) }), "unreachable");
    assert.equal(await ask(port, {}), "unreachable");
    assert.equal(await ask(port, { tls: trusting(ours, undefined, "elsewhere") }), "unreachable");
    assert.equal(asked(), 1);
  });

  it("client certificates: only those that the authority signed get in", async () => {
    const { replica, asked } = watched();
    const tls = { cert: server.cert, key: server.key, clientCa: ours.pair.cert };
    const { port } = await listen(new Doors({ tls }), replica);
    const friend = ours.issue("friend");
    const stranger = theirs.issue("stranger");
    const pretender = new Authority(folder, "friend-of-nobody").pair;
    assert.equal(await ask(port, { tls: trusting(ours, friend) }), "let in");
    for (const own of [stranger, pretender, undefined]) {
      assert.equal(await ask(port, { tls: trusting(ours, own) }), "unreachable");
    }
    assert.equal(asked(), 1);
  });

  it("tokens: each of several gets in, and nothing else", async () => {
    const { replica, asked } = watched();
    const { port } = await listen(new Doors({ tokens: [token, other] }), replica);
    assert.equal(await ask(port, { token }), "let in");
    assert.equal(await ask(port, { token: other }), "let in");
    const wrong = [
      undefined,
      `${token}x`,
      token.slice(1),
      token.toUpperCase(),
      `${token},${other}`,
    ];
    for (const each of wrong) {
      assert.equal(await ask(port, each === undefined ? {} : { token: each }), "denied");
    }
    assert.equal(asked(), 2);
  });

  it("both: a certificate without a token, or a token without one, is not enough", async () => {
    const { replica, asked } = watched();
    const tls = { cert: server.cert, key: server.key, clientCa: ours.pair.cert };
    const { port } = await listen(new Doors({ tls, tokens: [token] }), replica);
    const friend = ours.issue("friend2");
    assert.equal(await ask(port, { tls: trusting(ours, friend) }), "denied");
    assert.equal(await ask(port, { tls: trusting(ours), token }), "unreachable");
    assert.equal(await ask(port, { tls: trusting(ours, friend), token }), "let in");
    assert.equal(asked(), 1);
  });

  it("a TLS handshake that does not come is not waited for; who came in is left alone", async () => {
    const tls = { cert: server.cert, key: server.key, clientCa: undefined };
    const doors = new Doors({ tls, handshakeMs: 1500 });
    const { port } = await listen(doors, watched().replica);
    const ca = ours.pair.cert;
    const shaken = connectTls({ host: "127.0.0.1", port, ca, ALPNProtocols: ["h2"] });
    open.push({ close: () => shaken.destroy() });
    shaken.resume();
    await once(shaken, "secureConnect");
    // Twice: time enough for the first one to have been ended, too.
    for (let time = 0; time < 2; time++) {
      const silent = connectTcp(port, "127.0.0.1");
      silent.on("error", () => {});
      await once(silent.resume(), "close");
    }
    assert.ok(!shaken.destroyed && !shaken.readableEnded);
  });

  it("new certificates and tokens hold from the next connection and call on", async () => {
    const { replica } = watched();
    const tls = { cert: server.cert, key: server.key, clientCa: undefined };
    const doors = new Doors({ tls, tokens: [token] });
    const { port } = await listen(doors, replica);
    const renewed = theirs.issue("server-of-theirs");
    assert.throws(() => doors.changeTls({ ...tls, key: renewed.key }), /cannot be used/);
    assert.equal(await ask(port, { tls: trusting(ours), token }), "let in");
    doors.changeTls({ cert: renewed.cert, key: renewed.key, clientCa: undefined });
    assert.equal(await ask(port, { tls: trusting(ours), token }), "unreachable");
    assert.equal(await ask(port, { tls: trusting(theirs), token }), "let in");
    doors.changeTokens([other]);
    assert.equal(await ask(port, { tls: trusting(theirs), token }), "denied");
    assert.equal(await ask(port, { tls: trusting(theirs), token: other }), "let in");
  });
});

describe("tokens in a header", () => {
  const doors = new Doors({ tokens: [token] });
  const admits = (value: string) => doors.admits(Metadata({ authorization: value }));
  it("are read as RFC 6750 writes them", () => {
    assert.ok(admits(`Bearer ${token}`));
    assert.ok(admits(`bearer ${token}`));
  });
  for (const value of ["", token, `Basic ${token}`, `Bearer ${token} `, "Bearer "]) {
    it(`${JSON.stringify(value)} is none`, () => assert.ok(!admits(value)));
  }
  it("are not needed where there are none", () => {
    assert.ok(new Doors({}).admits(Metadata()));
  });
});
