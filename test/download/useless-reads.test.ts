/** Reads that bring nothing any more: each is let go as soon as that is known. */

import assert from "node:assert/strict";
import type { Replica } from "../../src/ports.js";
import * as broken from "../support/broken-replica.js";
import { content, honest, pieceBytes, SmallDownload } from "./small-download.js";

describe("reads that are of no use any more", () => {
  /** The same replica; when each of its reads is let go is booked. */
  function booked(replica: Replica, letGoAt: number[], { clock }: SmallDownload): Replica {
    return broken.altered(replica, {
      read(request, call) {
        call.signal.addEventListener("abort", () => letGoAt.push(clock.now()));
        return replica.read(request, call);
      },
    });
  }

  it("because another was sooner are let go at once, not at the end", async () => {
    const world = new SmallDownload();
    const [bytes, { clock }] = [content.subarray(0, 6 * pieceBytes), world];
    const letGoAt: number[] = [];
    const slow = (): Replica =>
      booked(broken.paced(honest(bytes, 1000), clock, { rate: 5_000 }), letGoAt, world);
    const B = broken.paced(honest(bytes, 1000), clock, { rate: 200_000 });
    const receipt = await world.get({ A: slow(), B, C: slow() });
    world.assertPublished(bytes);
    const isLittle = receipt.hedgedBytes > 0 && receipt.hedgedBytes < pieceBytes;
    assert.ok(letGoAt.length >= 2 && isLittle, "both slow ones were hedged, and little came twice");
    assert.ok(Math.min(...letGoAt) < clock.now() - 200, "the first was let go before the end");
  });

  const small = () => honest(content, 4096);
  const vices: readonly (readonly [string, (world: SmallDownload) => Replica, told: string])[] = [
    [
      "they are late",
      ({ clock }) => broken.stallingAfter(broken.paced(small(), clock, { rate: 9e4 }), 2, clock),
      "fault",
    ],
    [
      "their replica is banned for something else",
      ({ clock }) => broken.wrongPieces(broken.paced(honest(), clock, { rate: 9e4 })),
      "banned",
    ],
  ];
  for (const [why, vice, told] of vices) {
    it(`because ${why} are let go in that moment`, async () => {
      const world = new SmallDownload();
      const letGoAt: number[] = [];
      let toldAt = Number.NaN;
      world.listen = (event) => {
        const isTold = event.event === told && "replica" in event && event.replica === "A";
        if (isTold) toldAt ||= world.clock.now();
      };
      const good = () => broken.paced(small(), world.clock, { rate: 9e4 });
      await world.get({ A: booked(vice(world), letGoAt, world), B: good(), C: good() });
      world.assertPublished();
      assert.equal(letGoAt[0], toldAt);
      assert.ok(toldAt < world.clock.now() - 1000, "long before the end");
    });
  }

  it("because the download is aborted end before the partial is closed", async () => {
    const world = new SmallDownload();
    const abort = new AbortController();
    const reason = new Error("enough");
    let isClosed = false;
    let writes = 0;
    world.wrap = (partial) => ({
      ...partial,
      sink: {
        ...partial.sink,
        async write(offset, bytes) {
          if (++writes === 3) abort.abort(reason);
          await world.clock.sleep(100);
          assert.equal(isClosed, false, "nothing is written to what is closed");
          await partial.sink.write(offset, bytes);
          writes--;
        },
      },
      async [Symbol.asyncDispose]() {
        assert.equal(writes, 0, "no write is under way");
        isClosed = true;
        await partial[Symbol.asyncDispose]();
      },
    });
    const got = world.get({ A: honest(), B: honest(), C: honest() }, { signal: abort.signal });
    await assert.rejects(got, (error) => error === reason);
    assert.equal(isClosed, true);
  });
});
