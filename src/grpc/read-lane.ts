/**
 * Reads from one replica on one lane: over an express connection where that pays, and whatever is
 * left of the range through nice-grpc, which names what is wrong.
 */

import { create, toBinary } from "@bufbuild/protobuf";
import type { CallOptions } from "nice-grpc";
import {
  type ReadRangeRequest,
  ReadRangeRequestSchema,
  ReplicaService,
} from "../../gen/quorate/v1/replica_pb.js";
import type { Call, Chunk, ReadRequest } from "../ports.js";
import { Deadline } from "./deadline.js";
import { ExpressConnection } from "./express/express-connection.js";
import { headerBlock, headersOf, type LastHeaders } from "./express/headers.js";
import { prefixed } from "./express/messages.js";
import { endpointText } from "./resolve.js";
import { failureIn } from "./status.js";

/** Where express connections lead, and the least read that opens one. */
export interface ExpressRoute {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly fromBytes: number;
}

/** How often the ordinary way may get further than the express way, until that is not tried. */
const mostLetDowns = 3;

/** What the ordinary way needs of a client. */
interface Client {
  readRange(
    request: ReadRangeRequest,
    options: CallOptions,
  ): AsyncIterable<{ readonly offset: bigint; readonly data: Uint8Array }>;
}

export class ReadLane {
  readonly #connect: () => Client;
  readonly #route: ExpressRoute | undefined;
  #client: Client | undefined;
  #express: ExpressConnection | undefined;
  #letDowns = 0;
  #isClosed = false;

  /** `connect` is called when the ordinary way is first needed; no route, no express connection. */
  constructor(connect: () => Client, route: ExpressRoute | undefined) {
    this.#connect = connect;
    this.#route = route;
  }

  /** So many bytes may be read soon: the first read shall not wait for a connection. */
  expect(bytes: number): void {
    this.#expressFor(bytes);
  }

  async *read(request: ReadRequest, call: Call): AsyncGenerator<Chunk> {
    const { start, end } = request.range;
    // On the wire, a length of 0 would ask for everything up to the end.
    if (start === end) return;
    using deadline = new Deadline(call, "lease");
    const express = this.#expressFor(end - start);
    let offset = start;
    if (express !== undefined) {
      for await (const chunk of this.#readExpress(express, request, deadline)) {
        yield chunk;
        offset += chunk.bytes.length;
      }
      if (offset === end) return;
    }
    try {
      this.#client ??= this.#connect();
      const rest = this.#client.readRange(messageOf(request, offset), deadline.options);
      let isLetDown = express !== undefined;
      for await (const { offset, data } of rest) {
        deadline.throwIfOver();
        if (isLetDown) this.#letDowns++;
        isLetDown = false;
        yield { offset: Number(offset), bytes: data };
      }
    } catch (error) {
      throw deadline.faultOf(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#express?.close();
  }

  #expressFor(bytes: number): ExpressConnection | undefined {
    if (this.#route === undefined || this.#letDowns >= mostLetDowns) return undefined;
    if (this.#express?.isSpent === false) return this.#express;
    if (bytes < this.#route.fromBytes || this.#isClosed) return undefined;
    this.#express = new ExpressConnection(this.#route.host, this.#route.port);
    return this.#express;
  }

  /** What comes the express way. Throws what the server said, or whose time is up. */
  async *#readExpress(express: ExpressConnection, request: ReadRequest, deadline: Deadline) {
    let last: LastHeaders | undefined;
    const onLastHeaders = (headers: LastHeaders) => {
      last = headers;
    };
    const asked = { ...this.#expressRequest(request, deadline), onLastHeaders };
    for await (const chunk of express.read(asked, deadline.signal)) {
      deadline.throwIfOver();
      yield chunk;
    }
    const said = last === undefined ? undefined : await headersOf(last, deadline.signal);
    deadline.throwIfOver();
    const failure = said === undefined ? undefined : failureIn(said);
    if (failure !== undefined) throw deadline.faultOf(failure.error, failure.trailer);
  }

  #expressRequest(request: ReadRequest, deadline: Deadline) {
    const { host = "", port = 0, token } = this.#route ?? {};
    const headers = headerBlock([
      [":method", "POST"],
      [":scheme", "http"],
      [":path", `/${ReplicaService.typeName}/${ReplicaService.method.readRange.name}`],
      [":authority", endpointText(host, port)],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ["user-agent", "quorate"],
      ["grpc-timeout", deadline.timeout],
      ...(token === undefined ? [] : [["authorization", `Bearer ${token}`] as const]),
    ]);
    const asked = messageOf(request, request.range.start);
    const message = prefixed(toBinary(ReadRangeRequestSchema, asked));
    return { headers, message, range: request.range };
  }
}

function messageOf({ name, range, ifDigest }: ReadRequest, start: number): ReadRangeRequest {
  const length = BigInt(range.end - start);
  const offset = BigInt(start);
  return create(ReadRangeRequestSchema, { name, offset, length, ifDigest: ifDigest ?? "" });
}
