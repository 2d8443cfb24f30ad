import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  type CallContext,
  type Channel,
  ClientError,
  createChannel,
  createClient,
  createServer,
  Metadata,
  type Server,
  Status,
} from "nice-grpc";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { createHealth, type ServerHealth } from "../../src/grpc/health.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { definitionOf } from "../../src/grpc/service.js";
import { type Replica, ReplicaFault } from "../../src/ports.js";
import { memoryReplica } from "../support/memory-replica.js";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;
const definition = definitionOf(Health);
const service = "quorate.v1.ReplicaService";

describe("health", () => {
  let server: Server;
  let health: ServerHealth;
  let port: number;
  const channels: Channel[] = [];
  beforeEach(async () => {
    server = createServer();
    health = createHealth([service]);
    server.add(definition, health.implementation);
    port = await server.listen("127.0.0.1:0");
  });
  afterEach(() => {
    for (const channel of channels.splice(0)) channel.close();
    server.forceShutdown();
  });
  function client(at = port) {
    const channel = createChannel(`127.0.0.1:${at}`);
    channels.push(channel);
    return createClient(definition, channel);
  }
  type Statuses = AsyncIterator<{ readonly status: ServingStatus }>;
  function watch(named: string, signal = new AbortController().signal, at = port): Statuses {
    return client(at).watch({ service: named }, { signal })[Symbol.asyncIterator]();
  }
  const statusOf = async (watching: Statuses) => (await watching.next()).value?.status;

  for (const named of ["", service]) {
    it(`of ${JSON.stringify(named)} is serving, and no more once it stops`, async () => {
      const asking = client();
      assert.equal((await asking.check({ service: named })).status, SERVING);
      health.stopServing();
      assert.equal((await asking.check({ service: named })).status, NOT_SERVING);
    });
  }

  it("of a service that there is not is NOT_FOUND", async () => {
    await assert.rejects(client().check({ service: "nobody.Knows" }), (error) => {
      return error instanceof ClientError && error.code === Status.NOT_FOUND;
    });
  });

  it("lists the server as a whole and each service", async () => {
    const asking = client();
    const listed = async () => {
      const { statuses } = await asking.list({});
      return Object.entries(statuses).map(([name, { status }]) => [name, status]);
    };
    const both = (status: ServingStatus) => [
      ["", status],
      [service, status],
    ];
    assert.deepEqual(await listed(), both(SERVING));
    health.stopServing();
    assert.deepEqual(await listed(), both(NOT_SERVING));
  });

  it("tells whoever watches when it stops, and ends the stream", async () => {
    const watching = watch(service);
    assert.equal(await statusOf(watching), SERVING);
    health.stopServing();
    assert.equal(await statusOf(watching), NOT_SERVING);
    assert.equal((await watching.next()).done, true);
  });

  it("tells whoever begins to watch after it stopped", async () => {
    health.stopServing();
    const watching = watch("");
    assert.equal(await statusOf(watching), NOT_SERVING);
    assert.equal((await watching.next()).done, true);
  });

  it("of an unknown service can be watched: it stays unknown", async () => {
    const watching = watch("nobody.Knows");
    assert.equal(await statusOf(watching), SERVICE_UNKNOWN);
    health.stopServing();
    assert.equal((await watching.next()).done, true, "a drain need not wait for it");
  });

  it("tells a stop that comes while the first answer is on its way", async () => {
    const watching = health.implementation.watch(create(HealthCheckRequestSchema), context());
    const statuses = watching[Symbol.asyncIterator]();
    assert.equal((await statuses.next()).value?.status, SERVING);
    health.stopServing();
    assert.equal((await statuses.next()).value?.status, NOT_SERVING);
  });

  it("is watched by many without a trace of those that left", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on("warning", onWarning);
    try {
      for (let watcher = 0; watcher < 20; watcher++) {
        const left = new AbortController();
        const watching = watch(service, left.signal);
        await watching.next();
        left.abort();
        await assert.rejects(watching.next());
      }
      // Warnings come a turn of the event loop later.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("warning", onWarning);
    }
    assert.deepEqual(warnings, []);
  });

  it("after a disk failed is told as not serving for a while, and then as serving again", async () => {
    const marked = createHealth([service], 300);
    const request = create(HealthCheckRequestSchema);
    const watching = marked.implementation.watch(request, context())[Symbol.asyncIterator]();
    const next = async () => (await watching.next()).value?.status;
    const check = async () => (await marked.implementation.check(request, context())).status;
    assert.equal(await next(), SERVING);
    const markedAt = performance.now();
    marked.trouble();
    assert.equal(await check(), NOT_SERVING);
    assert.equal(await next(), NOT_SERVING);
    // The mark's own timer keeps no process alive; a test has to.
    const alive = setInterval(() => {}, 1000);
    assert.equal(await next(), SERVING);
    clearInterval(alive);
    assert.ok(performance.now() - markedAt >= 250);
    assert.equal(await check(), SERVING);
  });

  it("of a virtual server whose disk fails is not serving; it goes on all the same", async () => {
    const honest = memoryReplica({ "a.bin": Buffer.from("good") });
    const fault = { kind: "corrupt", detail: "its disk failed (EIO)" } as const;
    const failing: Replica = { ...honest, size: () => Promise.reject(new ReplicaFault(fault)) };
    const { port: at, kill } = await listenReplica(failing, { host: "127.0.0.1", port: 0 });
    const channel = createChannel(`127.0.0.1:${at}`);
    channels.push(channel);
    const asking = createClient(definitionOf(ReplicaService), channel);
    try {
      const { digest } = await asking.getChecksum({});
      assert.equal((await client(at).check({})).status, SERVING);
      await assert.rejects(asking.getSize({}), (error) => {
        return error instanceof ClientError && error.code === Status.DATA_LOSS;
      });
      assert.equal((await client(at).check({})).status, NOT_SERVING);
      assert.equal((await asking.getChecksum({})).digest, digest);
    } finally {
      kill();
    }
  });

  it("of a virtual server is told as no more serving when it drains", async () => {
    const at = { host: "127.0.0.1", port: 0 };
    const listening = await listenReplica(memoryReplica({}), at);
    const watching = watch(service, undefined, listening.port);
    assert.equal(await statusOf(watching), SERVING);
    const drained = listening.drain(10_000);
    assert.equal(await statusOf(watching), NOT_SERVING);
    assert.equal((await watching.next()).done, true);
    await drained;
  });
});

/** The context of a call that nobody ends. */
function context(): CallContext {
  return {
    metadata: Metadata(),
    peer: "here",
    header: Metadata(),
    trailer: Metadata(),
    sendHeader() {},
    signal: new AbortController().signal,
  };
}
