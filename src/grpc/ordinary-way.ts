/**
 * The ordinary way to a replica: nice-grpc over grpc-js, which knows the whole protocol and names
 * whatever is wrong. Loading it takes longer than a small file: only who needs it does.
 */

import { type CallOptions, createClientFactory, Metadata } from "nice-grpc";
import { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import { ReplicaFault } from "../ports.js";
import { type ClientTls, openChannel } from "./channel.js";
import type { Deadline } from "./deadline.js";
import type { Route } from "./route.js";
import { definitionOf } from "./service.js";
import { faultOfClientError } from "./status.js";
import { readRangeRequest, type Way } from "./way.js";

const definition = definitionOf(ReplicaService);

/** Connects when first asked. */
export function openOrdinaryWay({ host, port, tls, token }: Route): Way {
  const channel = openChannel(host, port, tls);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const client = createClientFactory().create(definition, channel);
  return {
    questions: (deadline) => {
      const call = new OrdinaryCall(deadline, authorization, tls);
      return {
        getChecksum: (request) => call.one((options) => client.getChecksum(request, options)),
        getSize: (request) => call.one((options) => client.getSize(request, options)),
        listPieces: (request) => call.each((options) => client.listPieces(request, options)),
        listFiles: (request) => call.one((options) => client.listFiles(request, options)),
      };
    },
    async *read(request, deadline) {
      const call = new OrdinaryCall(deadline, authorization, tls);
      const asked = readRangeRequest(request);
      for await (const message of call.each((options) => client.readRange(asked, options))) {
        // After an abort, nice-grpc still yields what it had queued.
        deadline.throwIfOver();
        yield { offset: Number(message.offset), bytes: message.data };
      }
    },
    close: () => channel.close(),
  };
}

/** Calls that share a deadline; their failures become faults. */
class OrdinaryCall {
  readonly #deadline: Deadline;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #tls: ClientTls | undefined;
  #trailer: Metadata | undefined;

  constructor(
    deadline: Deadline,
    headers: Readonly<Record<string, string>>,
    tls: ClientTls | undefined,
  ) {
    this.#deadline = deadline;
    this.#headers = headers;
    this.#tls = tls;
  }

  async one<Answer>(put: (options: CallOptions) => Promise<Answer>): Promise<Answer> {
    try {
      return await put(this.#options());
    } catch (error) {
      throw this.#faultOf(error);
    }
  }

  async *each<Answer>(put: (options: CallOptions) => AsyncIterable<Answer>) {
    try {
      yield* put(this.#options());
    } catch (error) {
      throw this.#faultOf(error);
    }
  }

  /** nice-grpc's own deadline stays on this side: the server hears of ours. */
  #options(): CallOptions {
    const { signal, timeout } = this.#deadline;
    return {
      signal,
      metadata: Metadata({ "grpc-timeout": timeout, ...this.#headers }),
      onTrailer: (trailer) => {
        this.#trailer = trailer;
      },
    };
  }

  #faultOf(error: unknown): ReplicaFault {
    return error instanceof ReplicaFault
      ? error
      : faultOfClientError(error, this.#trailer, this.#tls);
  }
}
