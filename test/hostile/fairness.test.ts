/** Equal readers get equal shares of a server, whoever came first. */

import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { connectReplica } from "../../src/grpc/replica-client.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { Workspace } from "../support/workspace.js";

const MiB = 1024 * 1024;
const readers = 100;

/** 1 when all are equal, 1/n when one has it all (Jain, Chiu, Hawe 1984). */
function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}

describe("a hundred equal readers", function () {
  this.timeout(120_000);
  const workspace = Workspace.forSuite();
  const size = 64 * MiB;
  before(() => workspace.write("shared/a.bin", madeUp(size)));

  it("get equal shares", async () => {
    const [port = 0] = await freePorts(1);
    await workspace.serve(["shared", "-p", port, "--max-client-reads", "128"]);
    const shares = new Array<number>(readers).fill(0);
    const end = new AbortController();
    setMaxListeners(readers, end.signal);
    const call = { signal: end.signal, deadlineMs: 100_000 };
    const remotes = Array.from({ length: readers / 2 }, () => connectReplica("127.0.0.1", port));
    // Counted from when all have chunks of full size: who comes first has the first ones first.
    const begun = readers * 4 * MiB;
    const enough = readers * 20 * MiB;
    let total = 0;
    let first: readonly number[] | undefined;
    const reading = shares.map(async (_, index) => {
      const remote = remotes[index % remotes.length];
      const range = { start: 0, end: size };
      const chunks = remote?.read({ name: "a.bin", range, ifDigest: undefined }, call) ?? [];
      for await (const { bytes } of chunks) {
        shares[index] = (shares[index] ?? 0) + bytes.length;
        total += bytes.length;
        if (total > begun) first ??= [...shares];
        if (total > enough) end.abort(new Error("enough"));
      }
    });
    await Promise.allSettled(reading);
    for (const remote of remotes) remote.close();
    const index = jainIndex(shares.map((share, reader) => share - (first?.[reader] ?? 0)));
    assert.ok(index >= 0.95, `Jain's index is ${index.toFixed(3)}`);
  });
});
