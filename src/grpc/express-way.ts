/**
 * The express way to a replica: calls over a small HTTP/2 client of our own instead of grpc-js. It
 * takes good answers, and failures that a server names; for anything else it throws `Unexpected`,
 * and the ordinary way looks into it.
 */

import type { Chunk, ReadRequest } from "../ports.js";
import type { Deadline } from "./deadline.js";
import { calls, type WireCall } from "./express/calls.js";
import { ExpressConnection, type ExpressRequest } from "./express/express-connection.js";
import { decoded, encoded, type Message } from "./express/fields.js";
import { Unexpected } from "./express/frames.js";
import { headerBlock, type LastHeaders, saysOk } from "./express/headers.js";
import { prefixed } from "./express/messages.js";
import type { ReadMemory } from "./express/read-memory.js";
import { endpointText } from "./resolve.js";
import type { Route } from "./route.js";
import { type Questions, readRangeRequest, type Way } from "./way.js";

const { getChecksum, getSize, listPieces, listFiles, readRange } = calls;

export class ExpressWay implements Way {
  readonly #route: Route;
  readonly #memory: ReadMemory;
  #connection: ExpressConnection | undefined;
  #isClosed = false;

  /** Connects when first asked, and again whenever a connection is spent. */
  constructor(route: Route, memory: ReadMemory) {
    this.#route = route;
    this.#memory = memory;
  }

  questions(deadline: Deadline): Questions {
    return {
      getChecksum: (request) => only(this.#ask(getChecksum, request, deadline)),
      getSize: (request) => only(this.#ask(getSize, request, deadline)),
      listPieces: (request) => this.#ask(listPieces, request, deadline),
      listFiles: (request) => only(this.#ask(listFiles, request, deadline)),
    };
  }

  async *read(request: ReadRequest, deadline: Deadline): AsyncGenerator<Chunk> {
    const { range, onLost } = request;
    const end = new AnswerEnd();
    const asked = this.#request(readRange, readRangeRequest(request), deadline, end);
    let { start: next } = range;
    for await (const chunk of this.#open().read({ ...asked, range, onLost }, deadline.signal)) {
      deadline.throwIfOver();
      yield chunk;
      next += chunk.bytes.length;
    }
    if (next < range.end && request.isEarly !== true) await end.throwFault(deadline);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }

  /** Each message of an answer that ends well. */
  async *#ask<Call extends WireCall>(
    call: Call,
    request: Partial<Message<Call["request"]>>,
    deadline: Deadline,
  ): AsyncGenerator<Message<Call["answer"]>> {
    const end = new AnswerEnd();
    const asked = this.#request(call, request, deadline, end);
    for await (const message of this.#open().ask(asked, deadline.signal)) {
      deadline.throwIfOver();
      yield decoded<Call["answer"]>(call.answer, message);
    }
    if (!end.isGood) await end.throwFault(deadline);
  }

  #open(): ExpressConnection {
    if (this.#isClosed) throw new Unexpected("it is closed");
    if (this.#connection === undefined || this.#connection.isSpent) {
      this.#connection = connected(this.#route, this.#memory);
    }
    return this.#connection;
  }

  #request<Call extends WireCall>(
    call: Call,
    request: Partial<Message<Call["request"]>>,
    { timeout }: Deadline,
    { onLastHeaders }: AnswerEnd,
  ): ExpressRequest {
    const { host, port, tls, token } = this.#route;
    const headers = headerBlock([
      [":method", "POST"],
      [":scheme", tls === undefined ? "http" : "https"],
      [":path", call.path],
      [":authority", tls?.serverName ?? endpointText(host, port)],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ["user-agent", "quorate"],
      ["grpc-timeout", timeout],
      ...(token === undefined ? [] : [["authorization", `Bearer ${token}`] as const]),
    ]);
    const message = prefixed(encoded<Call["request"]>(call.request, request));
    return { headers, message, onLastHeaders };
  }
}

function connected(to: Route, memory: ReadMemory): ExpressConnection {
  try {
    return new ExpressConnection(to, memory);
  } catch (cause) {
    // A certificate that is none, for one.
    throw new Unexpected("no socket can be made", { cause });
  }
}

/** How an answer ended. */
class AnswerEnd {
  #last: LastHeaders | undefined;
  readonly onLastHeaders = (last: LastHeaders): void => {
    this.#last = last;
  };

  get isGood(): boolean {
    return this.#last !== undefined && saysOk(this.#last.block);
  }

  /** Throws what the server said, whose time is up, or that neither is so. */
  async throwFault(deadline: Deadline): Promise<never> {
    deadline.throwIfOver();
    if (this.#last !== undefined) {
      const { headersOf, failureIn, faultOfClientError } = await namers();
      const said = await headersOf(this.#last, deadline.signal);
      deadline.throwIfOver();
      const failure = said === undefined ? undefined : failureIn(said);
      if (failure !== undefined) throw faultOfClientError(failure.error, failure.trailer);
    }
    throw new Unexpected("an answer that does not end well");
  }
}

/** Loaded only when a call failed. */
async function namers() {
  try {
    const loading = [import("./express/last-headers.js"), import("./status.js")] as const;
    const [{ headersOf }, { failureIn, faultOfClientError }] = await Promise.all(loading);
    return { headersOf, failureIn, faultOfClientError };
  } catch (cause) {
    throw new Unexpected("what names a failure is not there", { cause });
  }
}

async function only<Answer>(answers: AsyncIterable<Answer>): Promise<Answer> {
  const found: Answer[] = [];
  for await (const answer of answers) {
    if (found.push(answer) > 1) throw new Unexpected("more than one answer");
  }
  const [answer] = found;
  if (answer === undefined) throw new Unexpected("no answer");
  return answer;
}
