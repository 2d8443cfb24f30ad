/** What a way to a replica offers: two of them lead there, and a lane chooses. */

import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ReplicaService } from "../../gen/quorate/v1/replica_pb.js";
import type { Chunk, ReadRequest } from "../ports.js";
import type { Deadline } from "./deadline.js";

type Methods = typeof ReplicaService.method;
type Request<Name extends keyof Methods> = MessageInitShape<Methods[Name]["input"]>;
type Answer<Name extends keyof Methods> = MessageShape<Methods[Name]["output"]>;

/** The calls that ask a replica for something else than bytes of a file. */
export interface Questions {
  getChecksum(request: Request<"getChecksum">): Promise<Answer<"getChecksum">>;
  getSize(request: Request<"getSize">): Promise<Answer<"getSize">>;
  listPieces(request: Request<"listPieces">): AsyncIterable<Answer<"listPieces">>;
  listFiles(request: Request<"listFiles">): Promise<Answer<"listFiles">>;
}

/**
 * A way to a replica, until it is closed. Calls throw a ReplicaFault; once their deadline is over,
 * anything.
 */
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
