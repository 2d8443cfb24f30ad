/** What the two ways to a replica have in common; a lane chooses one for each call. */

import type { Chunk, ReadRequest } from "../ports.js";
import type { Deadline } from "./deadline.js";
import type { calls } from "./express/calls.js";
import type { Message } from "./express/fields.js";

type Calls = typeof calls;
type Request<Name extends keyof Calls> = Partial<Message<Calls[Name]["request"]>>;
type Answer<Name extends keyof Calls> = Message<Calls[Name]["answer"]>;

/** All calls but the read of bytes. */
export interface Questions {
  getChecksum(request: Request<"getChecksum">): Promise<Answer<"getChecksum">>;
  getSize(request: Request<"getSize">): Promise<Answer<"getSize">>;
  listPieces(request: Request<"listPieces">): AsyncIterable<Answer<"listPieces">>;
  listFiles(request: Request<"listFiles">): Promise<Answer<"listFiles">>;
}

/** A way to a replica. Calls throw ReplicaFaults; once their deadline has passed, anything. */
export interface Way {
  questions(deadline: Deadline): Questions;
  /** The bytes of a range that is not empty. */
  read(request: ReadRequest, deadline: Deadline): AsyncIterable<Chunk>;
  close(): void;
}

/** How a read is asked for. */
export function readRangeRequest({ name, range, ifDigest }: ReadRequest) {
  const length = BigInt(range.end - range.start);
  return { name, offset: BigInt(range.start), length, ifDigest: ifDigest ?? "" };
}
