/**
 * The standard reflection service: lets grpcurl and `buf curl` list, describe and call without a
 * .proto.
 */

import { createRegistry, type DescFile, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
} from "@bufbuild/protobuf/wkt";
import { type ServiceImplementation, Status } from "nice-grpc";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.js";
import { file_grpc_health_v1_health } from "../../gen/grpc/health/v1/health_pb.js";
import {
  file_grpc_reflection_v1_reflection,
  type ServerReflection,
  type ServerReflectionRequest,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { file_grpc_reflection_v1alpha_reflection } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { file_quorate_v1_replica } from "../../gen/quorate/v1/replica_pb.js";
import type { ServiceDefinition } from "./service.js";

/** Error details are among them: without their file, grpcurl prints details as base64. */
const files: readonly DescFile[] = [
  file_quorate_v1_replica,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
  file_google_rpc_error_details,
  file_google_rpc_status,
  file_google_protobuf_any,
  file_google_protobuf_duration,
];
const registry = createRegistry(...files);

type Answer =
  | {
      readonly case: "fileDescriptorResponse";
      readonly value: { readonly fileDescriptorProto: Uint8Array[] };
    }
  | {
      readonly case: "listServicesResponse";
      readonly value: { readonly service: { readonly name: string }[] };
    }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { readonly baseTypeName: string; readonly extensionNumber: number[] };
    }
  | {
      readonly case: "errorResponse";
      readonly value: { readonly errorCode: number; readonly errorMessage: string };
    };

/** Describes these services; serves version 1 and, being the same on the wire, version 1 alpha. */
export function createReflection(
  services: readonly string[],
): ServiceImplementation<ServiceDefinition<typeof ServerReflection>> {
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(request.messageRequest, services);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

function answer(
  asked: ServerReflectionRequest["messageRequest"],
  services: readonly string[],
): Answer {
  switch (asked.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return filesOf(files.find(({ proto }) => proto.name === asked.value));
    case "fileContainingSymbol":
      return filesOf(filesOfSymbols.get(asked.value));
    case "allExtensionNumbersOfType": {
      const value = { baseTypeName: asked.value, extensionNumber: [] };
      return registry.getMessage(asked.value) === undefined
        ? notFound
        : { case: "allExtensionNumbersResponse", value };
    }
    default:
      return notFound;
  }
}

const notFound: Answer = {
  case: "errorResponse",
  value: { errorCode: Status.NOT_FOUND, errorMessage: "not found" },
};

/**
 * Every symbol's file: types, and what is declared in them. Found by one look, however long the
 * symbol that a client makes up.
 */
const filesOfSymbols = new Map<string, DescFile>(
  files.flatMap((file) => [...symbolsOf(file)].map((symbol) => [symbol, file] as const)),
);

function* symbolsOf({ proto }: DescFile): Generator<string> {
  for (const service of proto.service) {
    const name = `${proto.package}.${service.name}`;
    yield name;
    for (const method of service.method) yield `${name}.${method.name}`;
  }
  yield* typesIn(proto.package, proto.messageType, proto.enumType);
}

/** Messages and enums of a scope; the values of an enum stand beside it, not in it. */
function* typesIn(
  scope: string,
  messages: readonly DescriptorProto[],
  enums: readonly EnumDescriptorProto[],
): Generator<string> {
  for (const { name, value } of enums) {
    for (const declared of [name, ...value.map((one) => one.name)]) yield `${scope}.${declared}`;
  }
  for (const { name, field, oneofDecl, nestedType, enumType } of messages) {
    const own = `${scope}.${name}`;
    yield own;
    for (const member of [...field, ...oneofDecl]) yield `${own}.${member.name}`;
    yield* typesIn(own, nestedType, enumType);
  }
}

/** A file and all that it imports, each once: a client asks for what it lacks, but need not. */
function filesOf(file: DescFile | undefined): Answer {
  if (file === undefined) return notFound;
  const found = new Set<DescFile>();
  const visit = (next: DescFile) => {
    if (found.has(next)) return;
    found.add(next);
    next.dependencies.forEach(visit);
  };
  visit(file);
  const fileDescriptorProto = [...found].map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}
