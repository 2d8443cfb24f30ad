/** Raw calls to a virtual server over its wire, and what they fail with. */

import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  type Channel,
  ChannelCredentials,
  type Client,
  ClientError,
  createChannel,
  createClient,
  type Metadata,
  type Status,
} from "nice-grpc";
import {
  ErrorInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { type ListenOptions, listenReplica } from "../../src/grpc/replica-server.js";
import { definitionOf } from "../../src/grpc/service.js";
import { detailsKey } from "../../src/grpc/status.js";
import type { Replica } from "../../src/ports.js";
import type { ListeningServer } from "../../src/server-ports.js";

const definition = definitionOf(ReplicaService);

export type RawClient = Client<typeof definition>;

/** A call that failed: its code, its text, and the details that came with it. */
export interface Failure {
  readonly code: Status;
  readonly text: string;
  readonly reason: string | undefined;
  readonly metadata: object | undefined;
  readonly retrySeconds: number | undefined;
  readonly resource: string | undefined;
}

/** What a call fails with, its details decoded. */
export async function failureOf(run: (options: CallOptions) => Promise<unknown>): Promise<Failure> {
  let trailer: Metadata | undefined;
  const onTrailer = (came: Metadata) => {
    trailer = came;
  };
  const error = await run({ onTrailer }).then(
    () => new Error("it did not fail"),
    (failure: unknown) => failure,
  );
  if (!(error instanceof ClientError)) throw error;
  const bytes = trailer?.get(detailsKey);
  const details = bytes === undefined ? [] : fromBinary(StatusSchema, bytes).details;
  const info = details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? [])[0];
  const retry = details.flatMap((detail) => anyUnpack(detail, RetryInfoSchema) ?? [])[0];
  const resource = details.flatMap((detail) => anyUnpack(detail, ResourceInfoSchema) ?? [])[0];
  const delay = retry?.retryDelay;
  return {
    code: error.code,
    text: error.details,
    reason: info?.reason,
    metadata: info?.metadata,
    retrySeconds: delay === undefined ? undefined : Number(delay.seconds) + delay.nanos / 1e9,
    resource: resource?.resourceName,
  };
}

/** All messages of a stream. */
export async function all<Message>(stream: AsyncIterable<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** A call of each kind; `length` and `count` are given, so that none asks for a size first. */
export function callsTo(client: RawClient): ((options: CallOptions) => Promise<unknown>)[] {
  return [
    (options) => client.getChecksum({}, options),
    (options) => client.getSize({}, options),
    (options) => client.listFiles({}, options),
    (options) => all(client.listPieces({ count: 1n }, options)),
    (options) => all(client.readRange({ length: 1n }, options)),
  ];
}

/** Servers and clients of one suite; those of a test end with it. Call inside a `describe`. */
export function wires() {
  const servers: ListeningServer[] = [];
  const channels: Channel[] = [];
  afterEach(() => {
    for (const channel of channels.splice(0)) channel.close();
    for (const server of servers.splice(0)) server.kill();
  });
  async function listen(replica: Replica, options?: ListenOptions): Promise<number> {
    const server = await listenReplica(replica, { host: "127.0.0.1", port: 0 }, options);
    servers.push(server);
    return server.port;
  }
  /** A client with a connection of its own. */
  function connect(port: number): RawClient {
    const options = { "grpc.use_local_subchannel_pool": 1 };
    const credentials = ChannelCredentials.createInsecure();
    const channel = createChannel(`127.0.0.1:${port}`, credentials, options);
    channels.push(channel);
    return createClient(definition, channel);
  }
  const serving = async (replica: Replica, options?: ListenOptions) =>
    connect(await listen(replica, options));
  return { listen, connect, serving };
}
