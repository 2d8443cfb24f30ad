/** Writes ReadRange's messages, where nearly all bytes of the protocol are, without a copy. */

import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  type ReadRangeResponse,
  ReadRangeResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import { ReadMessage } from "./read-message.js";
import type { Codecs, MessageCodec } from "./service.js";

/** The bytes of a ReadRangeResponse, equal to what Protobuf-ES writes. */
export function encodeReadRangeResponse(message: ReadRangeResponse): ArrayBuffer {
  if (message instanceof ReadMessage) return message.take();
  const { offset, data } = message;
  const made = new ReadMessage(data.length);
  made.fill({ offset: Number(offset), bytes: data });
  return made.take();
}

const readRangeCodec: MessageCodec<typeof ReadRangeResponseSchema> = {
  encode: (message) => ({
    // `Buffer.from` copies a Uint8Array and wraps an ArrayBuffer; the type of ts-proto's writer
    // knows only the former, and nice-grpc hands over whatever comes.
    finish: () => encodeReadRangeResponse(message) as unknown as Uint8Array,
  }),
  decode: (bytes) => fromBinary(ReadRangeResponseSchema, bytes),
  fromPartial: (init) => {
    const isComplete = init.offset !== undefined && init.data !== undefined;
    return isComplete && "$typeName" in init
      ? (init as MessageShape<typeof ReadRangeResponseSchema>)
      : create(ReadRangeResponseSchema, init);
  },
};

/** The codecs of the replica service. */
export const replicaCodecs: Codecs = new Map<DescMessage, MessageCodec<DescMessage>>([
  [ReadRangeResponseSchema, readRangeCodec as MessageCodec<DescMessage>],
]);
