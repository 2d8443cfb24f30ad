/** Header lines come out as they went in, by our hand or Node's; what is none says nothing. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { headerBlock, headersOf } from "../../../src/grpc/express/headers.js";
import { seed } from "../../support/seeded.js";

const idle = new AbortController().signal;
const ok = [":status", "200"] as const;

describe("headers of an express read", () => {
  for (const length of [0, 1, 126, 127, 128, 253, 254, 255, 256, 8000]) {
    it(`with ${length} characters come out as they went in`, async () => {
      const value = "v".repeat(length);
      const only = { block: headerBlock([ok, ["x-a", value]]), areOnly: true };
      assert.equal((await headersOf(only, idle))?.["x-a"], value);
      const last = { block: headerBlock([["x-a", value]]), areOnly: false };
      assert.equal((await headersOf(last, idle))?.["x-a"], value);
    });
  }

  it("compressed as servers do, after a word on the table", async () => {
    // RFC 7541, C.6.1: cache-control: private, in Huffman's code.
    const block = Buffer.from("20885885aec3771a4b", "hex");
    const headers = await headersOf({ block, areOnly: true }, idle);
    assert.deepEqual([headers?.[":status"], headers?.["cache-control"]], [200, "private"]);
  });

  const nothing: readonly (readonly [what: string, block: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["a place in a table that is not there", Buffer.from([0xff, 0x80, 0x01])],
    ["a text that does not end", Buffer.from([0x10, 0x7f])],
    ["200 more than anybody needs", headerBlock(Array.from({ length: 200 }, () => ["a", "b"]))],
    ["no answer yet", headerBlock([[":status", "100"]])],
  ];
  for (const [what, block] of nothing) {
    it(`that are ${what} say nothing`, async () => {
      assert.equal((await headersOf({ block, areOnly: true }, idle))?.["grpc-status"], undefined);
    });
  }

  it("that are garbage do no harm", async () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const check = async (block: Uint8Array, areOnly: boolean) => {
      await headersOf({ block, areOnly }, idle);
    };
    await fc.assert(fc.asyncProperty(bytes, fc.boolean(), check), { seed, numRuns: 300 });
  });

  it("are not waited for once nobody waits", async () => {
    const abort = new AbortController();
    const reading = headersOf({ block: headerBlock([ok]), areOnly: false }, abort.signal);
    abort.abort();
    await reading;
    assert.equal(
      await headersOf({ block: headerBlock([ok]), areOnly: true }, abort.signal),
      undefined,
    );
  });
});
