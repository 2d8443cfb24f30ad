import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { type FaultName, faultNames } from "../../src/serve/fault-names.js";
import { faultyReplica } from "../../src/serve/faulty-replica.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes, memoryReplica } from "../support/memory-replica.js";
import { HandClock, settled } from "./hand-clock.js";
import { asked, bytesOf, call } from "./reading.js";

const data = madeUp(800_000);
const honest = memoryReplica({ "a.bin": data }, limits.chunkBytes);
const pieces = { name: "a.bin", first: 0, count: 1, ifDigest: undefined };
const page = { pageSize: 0, pageToken: "", prefix: "" };

describe("a replica broken on purpose", () => {
  let deaths: number;
  let clock: HandClock;
  beforeEach(() => {
    deaths = 0;
    clock = new HandClock();
  });
  const broken = (fault: FaultName) => faultyReplica(honest, fault, { clock, die: () => deaths++ });

  for (const fault of faultNames) {
    it(`to ${fault} still gives the size, the list and the pieces`, async () => {
      const replica = broken(fault);
      assert.deepEqual(await replica.size("", call()), await honest.size("", call()));
      assert.deepEqual(await replica.list(page, call()), await honest.list(page, call()));
      assert.deepEqual(await replica.pieces(pieces, call()), await honest.pieces(pieces, call()));
    });
  }
  for (const fault of faultNames.filter((name) => name !== "lie")) {
    it(`to ${fault} claims the truth`, async () => {
      assert.deepEqual(await broken(fault).claim("", call()), await honest.claim("", call()));
    });
  }

  it("to lie claims another file of the same size, always the same one", async () => {
    const { name, claim, version } = await broken("lie").claim("", call());
    const truth = manifestOfBytes(data);
    assert.deepEqual([name, claim.size], ["a.bin", data.length]);
    assert.notEqual(claim.digest, truth.digest);
    assert.notEqual(claim.root, truth.root);
    assert.deepEqual(await broken("lie").claim("", call()), { name, claim, version });
    assert.ok(
      (await bytesOf(broken("lie").read(asked(0, 10), call()))).equals(data.subarray(0, 10)),
    );
  });

  it("to corrupt changes one byte in every chunk, and not what others hold", async () => {
    const before = Buffer.from(data);
    for await (const { offset, bytes } of broken("corrupt").read(asked(7, 700_007), call())) {
      const right = data.subarray(offset, offset + bytes.length);
      const wrong = bytes.filter((byte, index) => byte !== right[index]);
      assert.equal(wrong.length, 1, `in the chunk at ${offset}`);
    }
    assert.ok(data.equals(before));
  });

  it("to corrupt changes a chunk of a single byte too", async () => {
    assert.notDeepEqual(
      await bytesOf(broken("corrupt").read(asked(5, 6), call())),
      data.subarray(5, 6),
    );
  });

  it("to stall sends an eighth and then nothing, until the call is ended", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    let received = 0;
    const reading = (async () => {
      const chunks = broken("stall").read(asked(100, 80_100), call(abort.signal));
      for await (const { bytes } of chunks) received += bytes.length;
    })();
    const outcome = reading.catch((error: unknown) => error);
    await settled();
    await clock.advance(3_600_000);
    assert.equal(received, 10_000);
    abort.abort(reason);
    assert.equal(await outcome, reason);
  });

  it("to stall ends at once when the call has ended before", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(bytesOf(broken("stall").read(asked(0, 8), call(signal))), /enough/);
  });

  it("to be slow sends 64 KiB a second", async () => {
    const bytes = await clock.until(bytesOf(broken("slow").read(asked(0, 655_360), call())));
    assert.ok(bytes.equals(data.subarray(0, 655_360)));
    assert.ok(Math.abs(clock.now() - 10_000) <= 100, `it took ${clock.now()} ms`);
  });

  it("to be slow keeps sending: no idle clock takes it for one that stalls", async () => {
    let last = 0;
    let longest = 0;
    const reading = (async () => {
      for await (const _ of broken("slow").read(asked(0, 655_360), call())) {
        longest = Math.max(longest, clock.now() - last);
        last = clock.now();
      }
    })();
    await clock.until(reading);
    assert.ok(longest < limits.idleMs, `it was silent for ${longest} ms`);
  });

  it("to die sends an eighth of what it was asked for, and dies", async () => {
    const bytes = await bytesOf(broken("die").read(asked(0, 80_000), call()));
    assert.ok(bytes.equals(data.subarray(0, 10_000)));
    assert.equal(deaths, 1);
  });

  it("to die lives while nothing is read", async () => {
    const replica = broken("die");
    await replica.claim("", call());
    await replica.size("", call());
    assert.equal(deaths, 0);
  });

  const halves: readonly (readonly [start: number, end: number, sent: number])[] = [
    [0, 80_000, 40_000],
    [80_000, 80_003, 1],
    [3, 4, 0],
    [9, 9, 0],
  ];
  for (const [start, end, sent] of halves) {
    it(`to be short ends bytes ${start}–${end} after ${sent}`, async () => {
      const bytes = await bytesOf(broken("short").read(asked(start, end), call()));
      assert.ok(bytes.equals(data.subarray(start, start + sent)));
    });
  }
});
