/**
 * A client among strangers: servers that break the protocol in every way cost it one fault, named
 * right.
 */

import assert from "node:assert/strict";
import { createServer, type Server, ServerError, Status } from "nice-grpc";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { connectReplica, type RemoteReplica } from "../../src/grpc/replica-client.js";
import { definitionOf } from "../../src/grpc/service.js";
import { type Call, ReplicaFault } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-replica.js";

const data = madeUp(100_000);
const { digest, root } = manifestOfBytes(data);

const unimplemented = () => {
  throw new ServerError(Status.UNIMPLEMENTED, "not here");
};
/** A server that implements nothing; each test replaces what it is about. */
const nothing = {
  getChecksum: unimplemented,
  getSize: unimplemented,
  readRange: unimplemented,
  listPieces: unimplemented,
  listFiles: unimplemented,
};
const definition = definitionOf(ReplicaService);
type Service = Parameters<typeof addTo>[1];

function addTo(
  server: Server,
  service: import("nice-grpc").ServiceImplementation<typeof definition>,
) {
  server.add(definition, service);
}

describe("a client among strangers", () => {
  let server: Server | undefined;
  const opened: { readonly server: Server; readonly replica: RemoteReplica }[] = [];
  afterEach(() => {
    for (const { server, replica } of opened.splice(0)) {
      replica.close();
      server.forceShutdown();
    }
  });

  async function to(service: Partial<Service>): Promise<RemoteReplica> {
    server = createServer();
    addTo(server, { ...nothing, ...service });
    const port = await server.listen("127.0.0.1:0");
    const replica = connectReplica("127.0.0.1", port);
    opened.push({ server, replica });
    return replica;
  }
  const call = (deadlineMs = 5000): Call => ({ signal: new AbortController().signal, deadlineMs });
  const asked = { name: "a.bin", range: { start: 0, end: 10 }, ifDigest: undefined };

  async function faultOf(promise: Promise<unknown>): Promise<Fault> {
    try {
      await promise;
    } catch (error) {
      if (error instanceof ReplicaFault) return error.fault;
      throw error;
    }
    throw new Error("there was no fault");
  }
  async function read(from: RemoteReplica, deadlineMs?: number): Promise<void> {
    for await (const _ of from.read(asked, call(deadlineMs))) {
      // Only its end matters.
    }
  }

  it("a server with the three core calls only gives a claim without pieces", async () => {
    const core = await to({
      getChecksum: async () => ({ name: "a.bin", digest }),
      getSize: async () => ({ name: "a.bin", size: 100_000n }),
    });
    const { claim } = await core.claim("a.bin", call());
    assert.deepEqual(claim, { size: 100_000, digest, root: undefined });
  });

  const claims = [
    { digest: "md5:abc", size: 1n },
    { digest, size: 2n ** 63n },
    { digest, size: 100_000n, pieceRoot: root, pieceSize: 4096n },
    { digest, size: 100_000n, pieceRoot: "sha256:short", pieceSize: 65_536n },
    { digest, size: 100_000n, pieceRoot: root, pieceSize: 65_536n, prefixRoot: "sha256:short" },
  ];
  for (const claim of claims) {
    it(`a claim of ${claim.size} bytes, ${claim.pieceSize ?? 0n} a piece is refused`, async () => {
      const liar = await to({ getChecksum: async () => ({ name: "a.bin", ...claim }) });
      assert.equal((await faultOf(liar.claim("a.bin", call()))).kind, "incompatible");
    });
  }

  it("an answer that does not come is late, and the server is told to stop", async () => {
    const cancelled = new Promise<void>((resolve) => {
      void to({
        getChecksum: (_, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              resolve();
              reject(signal.reason);
            });
          }),
      }).then(async (slow) => {
        const fault = await faultOf(slow.claim("a.bin", call(150)));
        assert.deepEqual(fault, { kind: "late", clock: "answer", waitedMs: 150 });
      });
    });
    await cancelled;
  });

  it("a stream that breaks off is unreachable", async () => {
    const dying = await to({
      async *readRange() {
        yield { offset: 0n, data: data.subarray(0, 5) };
        server?.forceShutdown();
        await new Promise(() => {});
      },
    });
    assert.equal((await faultOf(read(dying))).kind, "unreachable");
  });

  it("nobody listens: unreachable", async () => {
    const gone = await to({});
    server?.forceShutdown();
    assert.equal((await faultOf(gone.claim("a.bin", call()))).kind, "unreachable");
  });

  it("a message larger than our bound is incompatible", async () => {
    const huge = await to({
      async *readRange() {
        yield { offset: 0n, data: Buffer.alloc(5 * 1024 * 1024) };
      },
    });
    assert.equal((await faultOf(read(huge))).kind, "incompatible");
  });

  it("prefixes count where each piece has one, and else the piece list stands alone", async () => {
    const [digests, prefixes] = [madeUp(64), madeUp(64).reverse()];
    const both = { first: 0n, digests, prefixes };
    const halves = [0, 32].map((at) => ({
      first: BigInt(at / 32),
      digests: digests.subarray(at, at + 32),
      prefixes: prefixes.subarray(at, at + 32),
    }));
    const [first = both, second = both] = halves;
    const none = Buffer.alloc(0);
    const lists: (readonly [messages: readonly (typeof both)[], isTaken: boolean])[] = [
      [[both], true],
      [[first, second], true],
      [[{ ...both, prefixes: none }], false],
      [[{ ...both, prefixes: prefixes.subarray(1) }], false],
      [[{ ...both, prefixes: prefixes.subarray(32) }], false],
      [[{ ...both, prefixes: Buffer.alloc(96) }], false],
      [[{ ...both, prefixes: Buffer.alloc(1024 * 1024) }], false],
      [[{ ...first, prefixes: none }, second], false],
      [[first, { ...second, prefixes: none }], false],
      [[first, { ...second, prefixes: Buffer.alloc(64) }], false],
      [
        [
          { ...first, prefixes },
          { ...second, prefixes: none },
        ],
        false,
      ],
      [
        [
          { ...both, first: 0n, digests: none },
          { ...both, prefixes: none },
        ],
        false,
      ],
    ];
    for (const [messages, isTaken] of lists) {
      const server = await to({
        async *listPieces() {
          yield* messages;
        },
      });
      const request = { name: "a.bin", first: 0, count: 2, ifDigest: undefined };
      const asked = await server.pieces({ ...request, withPrefixes: true }, call());
      const taken = asked.prefixes && Buffer.from(asked.prefixes);
      assert.deepEqual(
        [Buffer.from(asked.digests), taken],
        [digests, isTaken ? prefixes : undefined],
      );
      const unasked = await server.pieces(request, call());
      assert.deepEqual([Buffer.from(unasked.digests), unasked.prefixes], [digests, undefined]);
    }
  });

  it("a piece list that is out of order, too long or too short is short", async () => {
    const lists = [
      [{ first: 1n, digests: Buffer.alloc(32) }],
      [{ first: 0n, digests: Buffer.alloc(96) }],
      [{ first: 0n, digests: Buffer.alloc(33) }],
      [{ first: 0n, digests: Buffer.alloc(32) }],
      [],
    ];
    for (const list of lists) {
      const liar = await to({
        async *listPieces() {
          yield* list;
        },
      });
      const request = { name: "a.bin", first: 0, count: 2, ifDigest: undefined };
      assert.equal((await faultOf(liar.pieces(request, call()))).kind, "short");
    }
  });
});
