/** The events of a download tell its story in order, and end with the receipt. */

import assert from "node:assert/strict";
import { progressOf } from "../../src/download/progress.js";
import { limits } from "../../src/limits.js";
import { RangeSet } from "../../src/schedule/range.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { replicaId } from "../../src/trust/quorum.js";
import {
  corruptAt,
  lateClaim,
  lying,
  paced,
  refusing,
  silent,
  wrongPieces,
} from "../support/broken-replica.js";
import { content, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

describe("the events of a download", () => {
  it("come in order: answers, agreement, progress, verifying, receipt", async () => {
    const world = new SmallDownload();
    const receipt = await world.get({ A: honest(), B: honest(), C: honest() });
    assert.deepEqual(world.story(), ["answer", "agreement", "progress", "verifying", "receipt"]);
    assert.deepEqual(world.events.at(-1), { event: "receipt", ...receipt });
  });

  it("progress never goes back, and ends with everything", async () => {
    const world = new SmallDownload();
    const slow = paced(honest(), world.clock, { rate: 200_000 });
    await world.get({ A: slow }, { intervalMs: 300 });
    const progress = world.events.filter((event) => event.event === "progress");
    const done = progress.map(({ doneBytes }) => doneBytes);
    assert.ok(done.length > 10, `${done.length} progress events in 6.5 s`);
    assert.deepEqual(
      done,
      [...done].sort((left, right) => left - right),
    );
    assert.equal(done.at(-1), content.length);
    const rates = progress.map(({ rate }) => rate).slice(5, 11);
    for (const rate of rates) assert.ok(rate > 150_000 && rate < 250_000, `${rate} bytes a second`);
  });

  it("progress shows no rate of a replica that went silent, though it is asked again", () => {
    const layout = { size: content.length, pieceBytes, pieceCount: 20 };
    const scheduler = new Scheduler(layout, { verified: RangeSet.empty, random: () => 0.5 });
    scheduler.join(replicaId("A"), 10);
    const [first] = scheduler.decide(0);
    assert.ok(first !== undefined);
    for (let now = 20; now < 200; now += 20) scheduler.arrived(first.lease, 5000, now);
    const rateAt = (now: number) => progressOf(scheduler, 0, now).rate;
    assert.ok(rateAt(200) > 100_000, `${rateAt(200)} while it sends`);
    scheduler.ended(first.lease, { kind: "late", clock: "idle", waitedMs: 1500 }, 300);
    // Asked again, and no first byte comes.
    assert.ok(scheduler.decide(900).some(({ kind }) => kind === "read"));
    assert.ok(rateAt(1000) > 0, "a short pause is none");
    assert.equal(rateAt(200 + limits.shownSilenceMs), 0);
  });

  it("the receipt is the last one, even when an answer comes after the end", async () => {
    const world = new SmallDownload();
    await world.get({ A: honest(), B: honest(), C: silent(honest(), world.clock) });
    await world.clock.sleep(2 * limits.surveyMs);
    assert.equal(world.events.at(-1)?.event, "receipt");
  });

  it("tell of a ban, with its evidence", async () => {
    const world = new SmallDownload();
    const receipt = await world.get({ A: honest(), B: corruptAt(honest(), 900_000) });
    const { evidence } = lineOf(receipt, "B");
    const banned = world.events.filter(({ event }) => event === "banned");
    const why = `served piece ${evidence?.piece} corrupt`;
    assert.deepEqual(banned, [{ event: "banned", replica: "B", evidence, why }]);
  });

  it("tell of a piece list that was wrong", async () => {
    const world = new SmallDownload();
    await world.get({ A: wrongPieces(honest()), B: honest() });
    assert.deepEqual(world.faultsOf("A"), ["corrupt"]);
  });

  it("a line for every replica: members, dissenters, silent ones and those without", async () => {
    const world = new SmallDownload();
    const receipt = await world.get({
      A: honest(),
      B: honest(),
      C: honest(),
      D: honest(),
      E: lying(honest()),
      F: silent(honest(), world.clock),
    });
    const standings = receipt.replicas.map(({ address, standing }) => `${address} ${standing}`);
    assert.deepEqual(standings, [
      "A good",
      "B good",
      "C good",
      "D good",
      "E dissenting",
      "F silent",
    ]);
    assert.notEqual(lineOf(receipt, "E").claim?.digest, receipt.digest);
    assert.match(lineOf(receipt, "F").reason ?? "", /had not answered/);
  });

  it("a replica that joined late stands in the receipt with its claim", async () => {
    const world = new SmallDownload();
    const rate = 300_000;
    const A = paced(honest(), world.clock, { rate });
    const B = paced(honest(), world.clock, { rate });
    const C = lateClaim(paced(honest(), world.clock, { rate }), 1000, world.clock);
    const receipt = await world.get({ A, B, C });
    assert.equal(lineOf(receipt, "C").claim?.digest, receipt.digest);
  });
});

describe("a listener that throws", () => {
  const everything = (world: SmallDownload) => {
    const rate = 200_000;
    const slow = () => paced(honest(), world.clock, { rate });
    return {
      A: refusing(slow(), { kind: "busy", retryMs: 100 }, 1),
      B: slow(),
      C: slow(),
      D: corruptAt(slow(), Math.floor(0.85 * content.length)),
      E: lateClaim(slow(), 1000, world.clock),
    };
  };
  const kinds = [
    ...(["answer", "agreement", "joined", "fault", "banned", "progress"] as const),
    ...(["verifying"] as const),
  ];
  for (const kind of kinds) {
    it(`at "${kind}" ends the download with what it threw`, async () => {
      const world = new SmallDownload();
      const mine = new Error("mine");
      let heard = 0;
      world.listen = ({ event }) => {
        if (event !== kind) return;
        heard++;
        throw mine;
      };
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown) => unhandled.push(reason);
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.on("unhandledRejection", onUnhandled);
      try {
        const outcome = await world.get(everything(world)).catch((error: unknown) => error);
        await world.clock.sleep(1);
        assert.ok(heard > 0, "there was such an event");
        assert.deepEqual(unhandled, []);
        assert.equal(outcome, mine);
      } finally {
        process.off("unhandledRejection", onUnhandled);
        for (const other of others) process.on("unhandledRejection", other);
      }
      world.assertUnpublished();
    });
  }
});
