/** Header lines come out as they went in, by our hand or Node's; what is none says nothing. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { headerBlock, saysOk } from "../../../src/grpc/express/headers.js";
import { headersOf } from "../../../src/grpc/express/last-headers.js";
import { seed } from "../../support/seeded.js";

const idle = new AbortController().signal;
const ok = [":status", "200"] as const;

describe("headers of an express answer", () => {
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

describe("headers that say OK", () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
  /** `grpc-status` in Huffman's code, and as it is. */
  const coded = "889acac8b21234da8f";
  const plain = "0b677270632d737461747573";
  const message = headerBlock([["grpc-message", "OK"]]).toString("hex");
  const rows: readonly (readonly [isOk: boolean, what: string, block: string])[] = [
    [true, "as they are, not indexed", `00 ${plain} 0130`],
    [true, "never indexed", `10 ${plain} 0130`],
    [true, "to be indexed", `40 ${plain} 0130`],
    [true, "in Huffman's code", `00 ${coded} 8107`],
    [true, "behind a word on the table, and with a message", `20 40 ${coded} 0130 ${message}`],
    [
      true,
      "behind lines that everybody knows",
      `88 5f 10 ${"6170706c69636174696f6e2f67727063"}
      ${message} 10 ${plain} 0130`.replaceAll("\n", ""),
    ],
    [false, "but only seem to, in another line", `10 0161 ${plain}`],
    [false, "of another kind", `10 ${plain} 0135`],
    [false, "twice, once otherwise", `10 ${plain} 0130 10 ${plain} 0135`],
    [false, "with more digits", `10 ${plain} 023030`],
    [false, "with none", `10 ${plain} 00`],
    [false, "and stand in a table that is not there", `10 ${plain} 0130 be`],
    [false, "in a line that is named there", `10 ${plain} 0130 7e 0130`],
    [false, "and do not end", `10 ${plain} 0130 10 7f`],
    [false, "and end within a text", `10 ${plain} 0130 10 05 61`],
    [false, "and name no line", `10 ${plain} 0130 80`],
    [false, "and have a number without end", `10 ${plain} 0130 10 7fffffffffffffff`],
    [false, "not", message],
    [false, "not at all", ""],
  ];
  for (const [isOk, what, block] of rows) {
    it(`${what}: ${isOk}`, () => assert.equal(saysOk(hex(block)), isOk));
  }

  it("say it only when Node reads the same", async () => {
    const part = fc.constantFrom(
      plain,
      coded,
      "0130",
      "8107",
      "10",
      "40",
      "00",
      "88",
      "20",
      message,
    );
    const bytes = fc.uint8Array({ maxLength: 3 }).map((some) => Buffer.from(some).toString("hex"));
    const parts = fc.array(fc.oneof({ weight: 5, arbitrary: part }, bytes), { maxLength: 6 });
    let oks = 0;
    const check = async (texts: string[]) => {
      const block = hex(texts.join(""));
      if (!saysOk(block)) return;
      oks++;
      const said = await headersOf({ block, areOnly: false }, idle);
      if (said !== undefined) assert.equal(said["grpc-status"], "0");
    };
    await fc.assert(fc.asyncProperty(parts, check), { seed, numRuns: 20_000 });
    assert.ok(oks > 20, `${oks} of them were read`);
  });
});
