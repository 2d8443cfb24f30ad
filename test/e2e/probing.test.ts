/** Probing by hand: reflection, health and calls with a tool that knows nothing of our .proto. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../support/cli.js";
import { Workspace } from "../support/workspace.js";

const root = join(import.meta.dirname, "../..");
const execute = promisify(execFile);

describe("probing with buf curl", () => {
  const here = Workspace.forSuite();
  let port = 0;
  beforeEach(async () => {
    [port = 0] = await freePorts(1);
    await here.write("hello.txt", "hello, world\n");
    await here.serve(["-f", "hello.txt", "-p", port]);
  });

  /** Runs `buf curl`; gives what it printed, whether it succeeded or not. */
  async function curl(...args: string[]): Promise<string> {
    const flags = ["curl", "--protocol", "grpc", "--http2-prior-knowledge"];
    const buf = join(root, "node_modules/.bin/buf");
    try {
      return (await execute(buf, [...flags, ...args], { cwd: here.folder })).stdout;
    } catch (error) {
      if (error instanceof Error && "stderr" in error) return String(error.stderr);
      throw error;
    }
  }
  const url = (path: string) => `http://127.0.0.1:${port}${path}`;
  const callTo = (method: string, data: object) =>
    curl("-d", JSON.stringify(data), url(`/quorate.v1.ReplicaService/${method}`));

  it("lists services and methods by reflection", async () => {
    assert.deepEqual((await curl("--list-services", url(""))).trim().split("\n"), [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "quorate.v1.ReplicaService",
    ]);
    const methods = await curl("--list-methods", url(""));
    assert.match(methods, /quorate\.v1\.ReplicaService\/ReadRange/);
  });

  it("lists by the older reflection too", async () => {
    const flags = ["--reflect-protocol", "grpc-v1alpha", "--list-methods"];
    assert.match(await curl(...flags, url("")), /quorate\.v1\.ReplicaService\/GetSize/);
  });

  it("calls every method by reflection", async () => {
    const checksum = JSON.parse(await callTo("GetChecksum", { name: "hello.txt" }));
    assert.deepEqual([checksum.name, checksum.size], ["hello.txt", "13"]);
    assert.equal(
      checksum.digest,
      "sha256:853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020",
    );
    assert.deepEqual(JSON.parse(await callTo("GetSize", {})), { name: "hello.txt", size: "13" });
    const chunk = JSON.parse(await callTo("ReadRange", { offset: 7, length: 5 }));
    assert.equal(Buffer.from(chunk.data, "base64").toString(), "world");
    const rest = JSON.parse(await callTo("ReadRange", { offset: 7 }));
    assert.equal(Buffer.from(rest.data, "base64").toString(), "world\n", "length 0: to the end");
    const pieces = JSON.parse(await callTo("ListPieces", {}));
    assert.equal(Buffer.from(pieces.digests, "base64").length, 32);
    assert.deepEqual(JSON.parse(await callTo("ListFiles", {})), {
      files: [{ name: "hello.txt", size: "13" }],
    });
  });

  it("shows errors with details that can be read", async () => {
    const missing = await callTo("GetSize", { name: "nobody.txt" });
    assert.match(missing, /"code": "not_found"/);
    // buf prints a detail's type and its bytes; grpcurl would print them as JSON.
    const [info, resource] = JSON.parse(missing).details;
    assert.equal(info.type, "google.rpc.ErrorInfo");
    assert.match(Buffer.from(info.value, "base64").toString(), /NOT_FOUND.*quorate/s);
    assert.equal(resource.type, "google.rpc.ResourceInfo");
    assert.match(Buffer.from(resource.value, "base64").toString(), /nobody\.txt/);
    assert.match(await callTo("ReadRange", { offset: 14 }), /"code": "out_of_range"/);
    assert.match(await callTo("ReadRange", { length: 14 }), /"code": "out_of_range"/);
    const other = { ifDigest: `sha256:${"0".repeat(64)}` };
    assert.match(await callTo("ReadRange", other), /"code": "failed_precondition"/);
    assert.match(await callTo("GetSize", { name: "../x" }), /"code": "invalid_argument"/);
  });

  it("asks for health", async () => {
    const health = await curl("-d", "{}", url("/grpc.health.v1.Health/Check"));
    assert.deepEqual(JSON.parse(health), { status: "SERVING" });
  });
});
