/** A client in another language, generated from the .proto by Debian's own protoc. */

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const root = join(import.meta.dirname, "../..");
const execute = promisify(execFile);
/** Debian's Python: another one, earlier on the PATH, would not find Debian's grpc. */
const python = "/usr/bin/python3";
const plugin = "/usr/bin/grpc_python_plugin";

function hasPython(): boolean {
  if (!existsSync(python) || !existsSync(plugin) || !existsSync("/usr/bin/protoc")) return false;
  try {
    execFileSync(python, ["-c", "import grpc, google.protobuf"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const isThere = hasPython();
const packages = "python3-grpcio, protobuf-compiler, protobuf-compiler-grpc";
const title = isThere ? "a Python client" : `a Python client (skipped: install ${packages})`;

(isThere ? describe : describe.skip)(title, () => {
  const here = Workspace.forSuite();
  let generated = "";
  before(async () => {
    generated = await here.mkdir("generated");
    const outputs = [`--python_out=${generated}`, `--grpc_out=${generated}`];
    const proto = join(root, "proto");
    const file = join(proto, "quorate/v1/replica.proto");
    await execute("/usr/bin/protoc", [
      ...["-I", proto, ...outputs],
      ...[`--plugin=protoc-gen-grpc=${plugin}`, file],
    ]);
  });

  it("asks for a claim, reads the file and checks it", async () => {
    await here.write("data.bin", madeUp(3_000_000));
    const [port] = await freePorts(1);
    await here.serve(["-f", "data.bin", "-p", String(port)]);
    const script = join(root, "examples/get_range.py");
    const env = { ...process.env, PYTHONPATH: generated };
    const { stdout } = await execute(python, [script, `127.0.0.1:${port}`], { env });
    assert.equal(stdout, "data.bin 3000000 right\n");
  });
});
