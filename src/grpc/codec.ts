/**
 * Writes ReadRange's messages, where nearly all bytes of the protocol are, with one copy instead of
 * three.
 */

import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type ReadRangeResponse,
  ReadRangeResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import type { Codecs, MessageCodec } from "./service.js";

const { offset: offsetField, data: dataField } = ReadRangeResponseSchema.field;

/** The bytes of a ReadRangeResponse, equal to what Protobuf-ES writes. */
export function encodeReadRangeResponse({ offset, data }: ReadRangeResponse): Buffer {
  const header = new BinaryWriter();
  if (offset !== 0n) header.tag(offsetField.number, WireType.Varint).uint64(offset);
  if (data.length > 0) header.tag(dataField.number, WireType.LengthDelimited).uint32(data.length);
  const head = header.finish();
  // Its own memory, not a slice of a pool: nice-grpc then makes a view of it instead of a copy.
  const message = Buffer.allocUnsafeSlow(head.length + data.length);
  message.set(head);
  message.set(data, head.length);
  return message;
}

const readRangeCodec: MessageCodec<typeof ReadRangeResponseSchema> = {
  encode: (message) => ({
    // `Buffer.from` copies a Uint8Array and wraps an ArrayBuffer; the type of ts-proto's writer
    // knows only the former, and nice-grpc hands over whatever comes.
    finish: () => encodeReadRangeResponse(message).buffer as unknown as Uint8Array,
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
