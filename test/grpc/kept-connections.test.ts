import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { KeptConnections } from "../../src/grpc/kept-connections.js";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import type { Route } from "../../src/grpc/route.js";
import { limits } from "../../src/limits.js";
import { type Call, ReplicaFault } from "../../src/ports.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { Doorman } from "../support/doorman.js";
import { madeUp } from "../support/made-up.js";
import { memoryReplica } from "../support/memory-replica.js";

const content = madeUp(1_000_000);
const root = join(import.meta.dirname, "../..");

describe("a connection", function () {
  this.timeout(30_000);
  let listening: ListeningServer;
  let doorman: Doorman;
  let port: number;
  let connections: KeptConnections;

  beforeEach(async () => {
    connections = new KeptConnections();
    listening = await listen(0);
    doorman = new Doorman(listening.port);
    port = await doorman.listen();
  });
  afterEach(async () => {
    listening.kill();
    while (doorman.open.size > 0) await once(doorman.server, "left");
    doorman.server.close();
  });

  const connect = (route: Route) => connectReplica(route.host, route.port, route);
  const take = (token?: string) =>
    connections.take({ host: "127.0.0.1", port, tls: undefined, token }, connect);
  async function use(token?: string): Promise<void> {
    const replica = take(token);
    await replica.claim("a.bin", call());
    replica.close();
  }
  /** Reads until so many bytes are there. */
  async function read(
    replica: ReturnType<typeof take>,
    most: number,
    range = { start: 0, end: content.length },
    isEarly = false,
  ): Promise<void> {
    let got = 0;
    for await (const { bytes } of replica.read(
      { name: "a.bin", range, ifDigest: undefined, isEarly },
      call(),
    )) {
      got += bytes.length;
      if (got >= most) return;
    }
  }

  it("serves one download after the other", async () => {
    await use();
    await use();
    const third = take();
    await third.claim("a.bin", call());
    await read(third, content.length);
    third.close();
    await use();
    assert.equal(doorman.came, 1);
  });

  it("is one download's alone for as long as that has it", async () => {
    const [one, other] = [take(), take()];
    await Promise.all([one.claim("a.bin", call()), other.claim("a.bin", call())]);
    assert.equal(doorman.came, 2);
    one.close();
    other.close();
    await use();
    assert.equal(doorman.came, 2);
  });

  it("is nobody else's who shows another token", async () => {
    await use("one token of some length");
    await use("another token of some length");
    await use();
    assert.equal(doorman.came, 3);
    await use("one token of some length");
    assert.equal(doorman.came, 3);
  });

  it("is kept when its server only had to say that there is no such file", async () => {
    const replica = take();
    await assert.rejects(replica.claim("b.bin", call()), ReplicaFault);
    replica.close();
    await use();
    assert.equal(doorman.came, 1);
  });

  it("is kept when an early read asked for what is not in the file", async () => {
    const replica = take();
    await replica.claim("a.bin", call());
    await read(replica, 1, { start: content.length, end: 2 * content.length }, true);
    replica.close();
    await use();
    assert.equal(doorman.came, 1);
  });

  for (const [what, end] of [
    [
      "an early read on it was left",
      async (replica) => {
        await replica.claim("a.bin", call());
        await read(replica, 1, { start: 0, end: content.length }, true);
      },
    ],
    [
      "a read on it was left early",
      async (replica) => {
        await replica.claim("a.bin", call());
        await read(replica, 1);
      },
    ],
    [
      "a call on it was broken off",
      async (replica) => {
        await replica.claim("a.bin", call());
        const abort = new AbortController();
        const asked = replica.claim("a.bin", { ...call(), signal: abort.signal });
        abort.abort();
        await asked.catch(() => {});
      },
    ],
    [
      "a call on it still runs",
      async (replica) => {
        await replica.claim("a.bin", call());
        replica.claim("a.bin", call()).catch(() => {});
      },
    ],
  ] satisfies [string, (replica: ReturnType<typeof take>) => Promise<void>][]) {
    it(`is not kept when ${what}`, async () => {
      const replica = take();
      await end(replica);
      replica.close();
      await use();
      assert.equal(doorman.came, 2);
    });
  }

  it("is closed when nobody has used it for a while", async () => {
    await use();
    assert.equal(doorman.open.size, 1);
    while (doorman.open.size > 0) await once(doorman.server, "left");
  });

  it("is kept by few", async () => {
    const useMany = async () => {
      const many = Array.from({ length: limits.keptPerReplica + 5 }, () => take());
      await Promise.all(many.map((replica) => replica.claim("a.bin", call())));
      for (const replica of many) replica.close();
    };
    await useMany();
    await useMany();
    assert.equal(doorman.came, limits.keptPerReplica + 10);
  });

  it("to a server that was started again meanwhile is made anew", async () => {
    await use();
    const { port: inner } = listening;
    listening.kill();
    while (doorman.open.size > 0) await once(doorman.server, "left");
    listening = await listen(inner);
    await use();
    assert.equal(doorman.came, 2);
  });

  it("that breaks in the moment it is taken up again is made anew, for all who ask", async () => {
    await use();
    for (const socket of doorman.open) socket.once("data", () => socket.destroy());
    const replica = take();
    await Promise.all([replica.claim("a.bin", call()), replica.size("a.bin", call())]);
    replica.close();
    assert.equal(doorman.came, 2);
  });

  it("that is new and breaks is made anew once, and then says so", async () => {
    const replica = take();
    await replica.claim("a.bin", call());
    for (const socket of doorman.open) socket.once("data", () => socket.destroy());
    await replica.claim("a.bin", call());
    assert.equal(doorman.came, 2);
    doorman.server.on("connection", (socket) => socket.once("data", () => socket.destroy()));
    for (const socket of doorman.open) socket.once("data", () => socket.destroy());
    await assert.rejects(replica.claim("a.bin", call()), ReplicaFault);
    replica.close();
  });

  it("keeps no process alive", async () => {
    const script = `
      import { KeptConnections } from "./src/grpc/kept-connections.js";
      import { connectReplica } from "./src/grpc/replica-client.js";
      import { limits } from "./src/limits.js";
      Object.assign(limits, { keptConnectionMs: 1e9 });
      const connect = ({ host, port }) => connectReplica(host, port);
      const place = { host: "127.0.0.1", port: ${port} };
      const replica = new KeptConnections().take(place, connect);
      await replica.claim("a.bin", { signal: new AbortController().signal, deadlineMs: 30_000 });
      replica.close();`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    try {
      assert.deepEqual(await once(child, "exit"), [0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

function call(): Call {
  return { signal: new AbortController().signal, deadlineMs: 30_000 };
}

function listen(port: number): Promise<ListeningServer> {
  return listenReplica(memoryReplica({ "a.bin": content }), { host: "127.0.0.1", port });
}
