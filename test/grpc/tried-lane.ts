/** A lane to a raw server, whose ordinary way tells what it was asked for. */

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  GetSizeResponseSchema,
  ListPiecesResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import { frame, frameKind } from "../../src/grpc/express/frames.js";
import { headerBlock } from "../../src/grpc/express/headers.js";
import { ReadMemory } from "../../src/grpc/express/read-memory.js";
import { ExpressWay } from "../../src/grpc/express-way.js";
import { Lane } from "../../src/grpc/lane.js";
import type { Questions, Way } from "../../src/grpc/way.js";
import { type ReadRequest, ReplicaFault } from "../../src/ports.js";
import { madeUp } from "../support/made-up.js";
import type { Wire, WireTls } from "../support/wires.js";
import { RawServer } from "./express/raw-server.js";

export const content = madeUp(2_000_000);
const unspoken = new AbortController().signal;

/** What a test of a lane works with; another one for each test. */
export interface LaneOnTrial {
  readonly tried: TriedLane;
  readonly server: RawServer;
  readonly lane: Lane;
}

/** A lane for each test of the enclosing `describe`, closed after it. */
export function laneOnTrial(wire: Wire): LaneOnTrial {
  let tried: TriedLane;
  let lane: Lane;
  beforeEach(async () => {
    tried = new TriedLane(wire);
    lane = await tried.open();
  });
  afterEach(() => tried.close());
  return {
    get tried() {
      return tried;
    },
    get server() {
      return tried.server;
    },
    get lane() {
      return lane;
    },
  };
}

class TriedLane {
  readonly server: RawServer;
  /** Ranges and names that were asked for the ordinary way, and what becomes of that. */
  readonly ordinary: (readonly [start: number, end: number] | string)[] = [];
  failure: Error | undefined;
  readonly way: Way = {
    questions: () => this.#questions,
    read: (request) => this.#read(request),
    close: () => {},
  };
  readonly #tls: WireTls | undefined;
  #lane: Lane | undefined;
  readonly #questions: Questions = {
    getChecksum: () => assert.fail("nobody asks for it"),
    getSize: async ({ name = "" }) => {
      this.#take(name);
      return create(GetSizeResponseSchema, { name: "the ordinary way" });
    },
    listPieces: ({ name = "" }) => this.#list(name),
    listFiles: () => assert.fail("nobody asks for it"),
  };

  constructor(wire: Wire) {
    this.#tls = wire.tls();
    this.server = new RawServer(this.#tls?.server);
  }

  async open(): Promise<Lane> {
    const port = await this.server.listen();
    const tls = this.#tls?.client;
    const route = { host: "127.0.0.1", port, tls, token: "t".repeat(300) };
    this.#lane = new Lane(new ExpressWay(route, new ReadMemory()), async () => this.way);
    return this.#lane;
  }

  close(): void {
    this.#lane?.close();
    this.server.close();
  }

  #take(asked: readonly [start: number, end: number] | string): void {
    this.ordinary.push(asked);
    if (this.failure !== undefined) throw this.failure;
  }

  async *#read({ range: { start, end } }: ReadRequest) {
    this.#take([start, end]);
    yield { offset: start, bytes: content.subarray(start, end) };
  }

  async *#list(name: string) {
    this.#take(name);
    yield create(ListPiecesResponseSchema, { digests: Buffer.from("the ordinary way") });
  }
}

/** Asks for the size of a file. */
export function sizeOn(
  lane: Lane,
  { signal = unspoken, deadlineMs = 9000 } = {},
): ReturnType<Questions["getSize"]> {
  return lane.ask({ signal, deadlineMs }, (questions) => questions.getSize({ name: "a.bin" }));
}

/** The last headers of an answer, which are the only ones or stand behind others. */
export function says(stream: number, status: string, areOnly = true): Buffer {
  const lines: [string, string][] = areOnly ? [[":status", "200"]] : [];
  const block = headerBlock([...lines, ["grpc-status", status], ["grpc-message", "%20x"]]);
  return frame(frameKind.headers, 5, stream, block);
}

export function rejectsWith(promise: Promise<unknown>, kind: string): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof ReplicaFault, String(error));
    assert.equal(error.fault.kind, kind);
    return true;
  });
}
