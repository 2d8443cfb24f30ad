/**
 * Makes a Protobuf-ES service fit nice-grpc, typed on both sides: requests as init shapes, answers
 * whole.
 */

import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

/** How one message type is written and read. */
interface MessageCodec<Message extends DescMessage> {
  encode(message: MessageShape<Message>): { finish(): Uint8Array };
  decode(bytes: Uint8Array): MessageShape<Message>;
  fromPartial(init: MessageInitShape<Message>): MessageShape<Message>;
}

interface MethodDefinition<Method extends DescMethod> {
  readonly name: string;
  readonly requestType: MessageCodec<Method["input"]>;
  readonly requestStream: Method["methodKind"] extends "client_streaming" | "bidi_streaming"
    ? true
    : false;
  readonly responseType: MessageCodec<Method["output"]>;
  readonly responseStream: Method["methodKind"] extends "server_streaming" | "bidi_streaming"
    ? true
    : false;
  readonly options: { idempotencyLevel?: "IDEMPOTENT" | "NO_SIDE_EFFECTS" };
}

/**
 * A service in the shape that nice-grpc knows from ts-proto; it would mistake its own shape for
 * grpc-js's.
 */
export interface ServiceDefinition<Service extends DescService> {
  readonly name: string;
  readonly fullName: string;
  readonly methods: {
    readonly [Name in keyof Service["method"]]: MethodDefinition<Service["method"][Name]>;
  };
}

/** The definition of a service, to be served or called. */
export function definitionOf<Service extends DescService>(
  service: Service,
): ServiceDefinition<Service> {
  const methods = service.methods.map((method) => [
    method.localName,
    {
      name: method.name,
      requestType: codecOf(method.input),
      requestStream: isRequestStream(method),
      responseType: codecOf(method.output),
      responseStream: isResponseStream(method),
      options: optionsOf(method),
    },
  ]);
  const { name, typeName: fullName } = service;
  // The entries are built from the very methods that the type is computed from.
  return { name, fullName, methods: Object.fromEntries(methods) } as ServiceDefinition<Service>;
}

function codecOf(message: DescMessage): MessageCodec<DescMessage> {
  return {
    encode: (value) => ({ finish: () => toBinary(message, value) }),
    decode: (bytes) => fromBinary(message, bytes),
    fromPartial: (init) => create(message, init),
  };
}

function isRequestStream({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

function isResponseStream({ methodKind }: DescMethod): boolean {
  return methodKind === "server_streaming" || methodKind === "bidi_streaming";
}

function optionsOf({ idempotency }: DescMethod): MethodDefinition<DescMethod>["options"] {
  switch (idempotency) {
    case MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS:
      return { idempotencyLevel: "NO_SIDE_EFFECTS" };
    case MethodOptions_IdempotencyLevel.IDEMPOTENT:
      return { idempotencyLevel: "IDEMPOTENT" };
    default:
      return {};
  }
}
