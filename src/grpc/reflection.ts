/**
 * The standard reflection service: lets grpcurl and `buf curl` list, describe and call without a
 * .proto.
 */

import { createRegistry, type DescFile, toBinary } from "@bufbuild/protobuf";
import {
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
      return filesOf(fileOfSymbol(asked.value));
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
 * A symbol may be a type or something within one (a method, a field): then its parent's file has
 * it.
 */
function fileOfSymbol(symbol: string): DescFile | undefined {
  for (
    let known = symbol;
    known !== "";
    known = known.slice(0, Math.max(0, known.lastIndexOf(".")))
  ) {
    const found = registry.get(known);
    if (found !== undefined && "file" in found) return found.file;
  }
  return undefined;
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
