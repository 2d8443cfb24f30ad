/** A question that takes the express way, and what becomes of it when its answer is strange. */

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  GetSizeRequestSchema,
  GetSizeResponseSchema,
  ListPiecesResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import { frame, frameKind } from "../../src/grpc/express/frames.js";
import { prefixed } from "../../src/grpc/express/messages.js";
import { overEachWire } from "../support/wires.js";
import { headers } from "./express/raw-server.js";
import { laneOnTrial, rejectsWith, says, sizeOn } from "./tried-lane.js";

const unspoken = new AbortController().signal;

overEachWire("a lane to a replica", (wire) => {
  const on = laneOnTrial(wire);

  const answer = (name: string) =>
    messageOf(toBinary(GetSizeResponseSchema, create(GetSizeResponseSchema, { name, size: 5n })));
  const messageOf = (bytes: Uint8Array) => (stream: number) =>
    frame(frameKind.data, 0, stream, prefixed(bytes));
  const raw = (text: string) => (stream: number) =>
    frame(frameKind.data, 0, stream, Buffer.from(text.replaceAll(" ", ""), "hex"));
  const ok = (stream: number) => says(stream, "0", false);
  const fails = (stream: number) => says(stream, "5", false);
  const failsAtOnce = (stream: number) => says(stream, "5");
  type Frames = readonly ((stream: number) => Buffer)[];
  /** Asks for a size, and answers so. */
  async function answered(frames: Frames): ReturnType<typeof sizeOn> {
    const asking = sizeOn(on.lane);
    const { stream, payload } = await on.server.next(frameKind.data);
    const asked = toBinary(GetSizeRequestSchema, create(GetSizeRequestSchema, { name: "a.bin" }));
    assert.ok(payload.equals(prefixed(asked)));
    on.server.greet();
    on.server.send(...frames.map((make) => make(stream)));
    return asking;
  }

  describe("with a question", () => {
    it("takes one answer that ends well, however it is cut", async () => {
      const whole = answer("it")(1).subarray(9);
      for (const cut of [0, 1, 5, 6, whole.length]) {
        const asking = sizeOn(on.lane);
        const { stream } = await on.server.next(frameKind.data);
        if (cut === 0) on.server.greet();
        const parts = [whole.subarray(0, cut), whole.subarray(cut)];
        const frames = parts.map((bytes) => frame(frameKind.data, 0, stream, bytes));
        on.server.send(headers(stream), ...frames, ok(stream));
        const { name, size: bytes } = await asking;
        assert.deepEqual([name, bytes], ["it", 5n]);
      }
      assert.deepEqual(on.tried.ordinary, []);
    });

    it("gives the fault that the server names, alone or behind an answer", async () => {
      await rejectsWith(answered([failsAtOnce]), "missing");
      await rejectsWith(answered([headers, answer("it"), fails]), "missing");
      assert.deepEqual(on.tried.ordinary, []);
    });

    const strange: readonly (readonly [what: string, frames: Frames])[] = [
      ["two answers", [headers, answer("it"), answer("it"), ok]],
      ["no answer", [headers, ok]],
      ["no answer, at once", [ok]],
      [
        "an answer without an end",
        [headers, answer("it"), (stream) => frame(0, 1, stream, Buffer.alloc(0))],
      ],
      [
        "an answer, and a reset",
        [headers, answer("it"), (stream) => frame(frameKind.reset, 0, stream, Buffer.alloc(4))],
      ],
      ["an answer, and no status", [headers, answer("it"), (stream) => headers(stream, 5)]],
      [
        "an answer, and a status in a table",
        [headers, answer("it"), (stream) => frame(1, 5, stream, Buffer.from([0xbe]))],
      ],
      ["half an answer", [headers, raw("00 00000005 0a"), ok]],
      ["half an answer behind one", [headers, answer("it"), raw("00 000000"), ok]],
      ["half an answer, and an error", [headers, raw("00 00000005 0a"), fails]],
      ["garbage", [headers, raw("00 00000003 ffffff"), ok]],
      ["a compressed answer", [headers, raw("01 00000003 0a0141"), ok]],
      ["an answer of 4 GiB", [headers, raw("00 ffffffff 0a")]],
      ["an answer just beyond the bound", [headers, raw("00 00400001 0a")]],
      [
        "headers in several frames",
        [(stream) => frame(frameKind.headers, 0, stream, Buffer.from([0x88]))],
      ],
      [
        "headers beyond a frame",
        [(stream) => frame(frameKind.headers, 4, stream, Buffer.alloc(16_385))],
      ],
      [
        "a farewell before its answer",
        [() => frame(frameKind.goAway, 0, 0, Buffer.alloc(8)), headers, answer("it"), ok],
      ],
    ];
    for (const [what, frames] of strange) {
      it(`asks the ordinary way when a server gives ${what}`, async () => {
        assert.equal((await answered(frames)).name, "the ordinary way");
        assert.deepEqual(on.tried.ordinary, ["a.bin"]);
      });
    }

    it("finishes an answer that the server still gives before it goes away", async () => {
      const farewell = () => frame(frameKind.goAway, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));
      assert.equal((await answered([farewell, headers, answer("it"), ok])).name, "it");
    });

    it("asks the ordinary way when a server hangs up", async () => {
      const asking = sizeOn(on.lane);
      const { stream } = await on.server.next(frameKind.data);
      on.server.greet();
      await on.server.sent(headers(stream), answer("it")(stream));
      on.server.hangUp();
      assert.equal((await asking).name, "the ordinary way");
    });

    it("is late when half an answer is all that comes", async () => {
      const asking = sizeOn(on.lane, { deadlineMs: 100 });
      const { stream } = await on.server.next(frameKind.data);
      on.server.greet();
      on.server.send(headers(stream), raw("00 00000005 0a")(stream));
      await rejectsWith(asking, "late");
      await on.server.next(frameKind.reset);
      assert.deepEqual(on.tried.ordinary, []);
    });

    it("ends with the caller's reason, and asks nobody else", async () => {
      const abort = new AbortController();
      const asking = sizeOn(on.lane, { signal: abort.signal });
      await on.server.next(frameKind.data);
      const reason = new Error("enough");
      abort.abort(reason);
      await assert.rejects(asking, (error) => error === reason);
      await on.server.next(frameKind.reset);
      assert.deepEqual(on.tried.ordinary, []);
    });

    it("asks the ordinary way where nobody listens", async () => {
      on.server.close();
      assert.equal((await sizeOn(on.lane)).name, "the ordinary way");
    });
  });

  describe("with a question of many answers", () => {
    const broken = (stream: number) => frame(frameKind.reset, 0, stream, Buffer.alloc(4));
    const list = (text: string) => {
      const response = create(ListPiecesResponseSchema, { digests: Buffer.from(text) });
      return messageOf(toBinary(ListPiecesResponseSchema, response));
    };
    async function listed(frames: Frames): Promise<string> {
      const asking = on.lane.ask({ signal: unspoken, deadlineMs: 9000 }, async (put) => {
        let text = "";
        for await (const { digests } of put.listPieces({ name: "a.bin" })) {
          text += Buffer.from(digests).toString();
        }
        return text;
      });
      const { stream } = await on.server.next(frameKind.data);
      on.server.greet();
      on.server.send(...frames.map((make) => make(stream)));
      return asking;
    }

    it("takes all of them, and none", async () => {
      assert.equal(await listed([headers, list("one"), list(""), list("two"), ok]), "onetwo");
      assert.equal(await listed([ok]), "");
      assert.deepEqual(on.tried.ordinary, []);
    });
    it("begins again the ordinary way when they break off", async () => {
      assert.equal(await listed([headers, list("one"), raw("00 00"), broken]), "the ordinary way");
    });
  });
});
