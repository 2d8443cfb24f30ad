import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type Channel, createChannel, createClient, Status } from "nice-grpc";
import {
  ServerReflection,
  type ServerReflectionResponse,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionResponse as ServerReflectionResponseAlpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { listenReplica } from "../../src/grpc/replica-server.js";
import { definitionOf } from "../../src/grpc/service.js";
import type { ListeningServer } from "../../src/server-ports.js";
import { memoryReplica } from "../support/memory-replica.js";

type Asked =
  | {
      readonly case:
        | "fileByFilename"
        | "fileContainingSymbol"
        | "allExtensionNumbersOfType"
        | "listServices";
      readonly value: string;
    }
  | {
      readonly case: "fileContainingExtension";
      readonly value: { readonly containingType: string; readonly extensionNumber: number };
    }
  | { readonly case: undefined };
type Answered = ServerReflectionResponse | ServerReflectionResponseAlpha;

const services = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "quorate.v1.ReplicaService",
];
const replicaFile = "quorate/v1/replica.proto";

describe("reflection", () => {
  let listening: ListeningServer;
  let channel: Channel;
  before(async () => {
    listening = await listenReplica(memoryReplica({}), { host: "127.0.0.1", port: 0 });
    channel = createChannel(`127.0.0.1:${listening.port}`);
  });
  after(() => {
    channel.close();
    listening.kill();
  });

  async function* requests(all: readonly Asked[]) {
    for (const messageRequest of all) yield { host: "a host", messageRequest };
  }
  const askNew = (all: readonly Asked[]): AsyncIterable<Answered> =>
    createClient(definitionOf(ServerReflection), channel).serverReflectionInfo(requests(all));
  const askAlpha = (all: readonly Asked[]): AsyncIterable<Answered> =>
    createClient(definitionOf(ServerReflectionAlpha), channel).serverReflectionInfo(requests(all));

  async function answersTo(all: readonly Asked[], ask = askNew) {
    const answers: Answered["messageResponse"][] = [];
    for await (const { messageResponse } of ask(all)) answers.push(messageResponse);
    return answers;
  }
  /** The names of the files in an answer, or the code of its error. */
  async function filesFor(asked: Asked, ask = askNew): Promise<readonly string[] | number> {
    const [answer] = await answersTo([asked], ask);
    if (answer?.case === "errorResponse") return answer.value.errorCode;
    assert.equal(answer?.case, "fileDescriptorResponse");
    return answer.value.fileDescriptorProto.map(
      (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
    );
  }
  const symbol = (value: string): Asked => ({ case: "fileContainingSymbol", value });

  for (const [version, ask] of [["v1", askNew] as const, ["v1alpha", askAlpha] as const]) {
    it(`${version} lists the services`, async () => {
      const [answer] = await answersTo([{ case: "listServices", value: "" }], ask);
      assert.equal(answer?.case, "listServicesResponse");
      assert.deepEqual(answer.value.service.map(({ name }) => name).sort(), services);
    });

    it(`${version} gives a file by its name`, async () => {
      const asked: Asked = { case: "fileByFilename", value: replicaFile };
      assert.deepEqual(await filesFor(asked, ask), [replicaFile]);
    });

    it(`${version} gives the file of a symbol, and an error for one that nobody knows`, async () => {
      assert.deepEqual(await filesFor(symbol("quorate.v1.ReplicaService"), ask), [replicaFile]);
      assert.equal(await filesFor(symbol("nobody.Knows"), ask), Status.NOT_FOUND);
    });
  }

  const known: readonly (readonly [what: string, symbol: string, file: string])[] = [
    ["a service", "quorate.v1.ReplicaService", replicaFile],
    ["a method", "quorate.v1.ReplicaService.ReadRange", replicaFile],
    ["a message", "quorate.v1.ReadRangeResponse", replicaFile],
    ["a field", "quorate.v1.ReadRangeResponse.data", replicaFile],
    [
      "a nested enum",
      "grpc.health.v1.HealthCheckResponse.ServingStatus",
      "grpc/health/v1/health.proto",
    ],
    [
      "a value of an enum",
      "grpc.health.v1.HealthCheckResponse.NOT_SERVING",
      "grpc/health/v1/health.proto",
    ],
    ["an error's detail", "google.rpc.ErrorInfo", "google/rpc/error_details.proto"],
    [
      "the entries of a map",
      "grpc.health.v1.HealthListResponse.StatusesEntry",
      "grpc/health/v1/health.proto",
    ],
    [
      "the older reflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "grpc/reflection/v1alpha/reflection.proto",
    ],
  ];
  for (const [what, asked, file] of known) {
    it(`finds the file of ${what}`, async () => {
      const files = await filesFor(symbol(asked));
      assert.ok(Array.isArray(files) && files[0] === file, String(files));
    });
  }

  it("gives a file with all that it imports, each once", async () => {
    const files = await filesFor({ case: "fileByFilename", value: "google/rpc/status.proto" });
    assert.deepEqual(files, ["google/rpc/status.proto", "google/protobuf/any.proto"]);
  });

  const unknown: readonly Asked[] = [
    symbol(""),
    symbol("."),
    symbol("quorate"),
    symbol("quorate.v1"),
    symbol("quorate.v1.Nothing"),
    symbol("quorate.v1.ReplicaService.Nothing"),
    symbol("quorate.v1.ReadRangeResponse.nothing"),
    symbol(`${"a.".repeat(1000)}b`),
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "fileByFilename", value: "" },
    { case: "allExtensionNumbersOfType", value: "nobody.Knows" },
    {
      case: "fileContainingExtension",
      value: { containingType: "quorate.v1.File", extensionNumber: 1000 },
    },
  ];
  for (const asked of unknown) {
    it(`answers ${shown(asked)} with an error, not with a broken stream`, async () => {
      assert.equal(await filesFor(asked), Status.NOT_FOUND);
    });
  }

  it("knows of no extensions of a message that it knows", async () => {
    const value = "quorate.v1.File";
    const [answer] = await answersTo([{ case: "allExtensionNumbersOfType", value }]);
    assert.equal(answer?.case, "allExtensionNumbersResponse");
    assert.deepEqual([answer.value.baseTypeName, answer.value.extensionNumber], [value, []]);
  });

  it("answers many questions on one stream, each in its turn", async () => {
    const answers = await answersTo([
      { case: "fileByFilename", value: replicaFile },
      symbol("nobody.Knows"),
      { case: "listServices", value: "" },
    ]);
    assert.deepEqual(
      answers.map((answer) => answer.case),
      ["fileDescriptorResponse", "errorResponse", "listServicesResponse"],
    );
  });

  it("answers an empty request with an error", async () => {
    const [answer] = await answersTo([{ case: undefined }]);
    assert.equal(answer?.case, "errorResponse");
  });
});

function shown(asked: Asked): string {
  return JSON.stringify(asked).slice(0, 70);
}
