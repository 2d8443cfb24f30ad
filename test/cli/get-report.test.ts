import assert from "node:assert/strict";
import {
  agreementLines,
  receiptTable,
  receiptText,
  reportDownload,
} from "../../src/cli/get-report.js";
import type { DownloadEvent, ReplicaProgress } from "../../src/download/progress.js";
import { replicaId } from "../../src/trust/quorum.js";
import * as world from "./verdicts.js";

const { claimed, claims, line, missing, receipt, silent, verdict } = world;
const a = claims.a.digest.slice(7, 19);
const b = claims.b.digest.slice(7, 19);
const replica = replicaId("r1:1");

describe("an agreement in words", () => {
  it("says who agrees on what, and why the others do not", () => {
    const answers = [claimed(claims.a), claimed(claims.a), claimed(claims.b), missing, silent];
    const lines = agreementLines("a.bin", verdict(answers, { kind: "at-least", count: 2 }));
    assert.deepEqual(lines, [
      `a.bin: 2 of 5 replicas agree (rule: 2): ${a}…, 1.50 MiB`,
      `a.bin: r3:3 dissents: ${b}…, 1.00 KiB`,
      "a.bin: r4:4 has no such file",
      "a.bin: r5:5 is silent: unreachable: gone",
    ]);
  });
  it("of a single replica says that nobody could contradict it", () => {
    assert.deepEqual(agreementLines("a.bin", verdict([claimed(claims.a)])), [
      `a.bin: 1 of 1 replica agrees (rule: majority): ${a}…, 1.50 MiB`,
      "a.bin: with a single replica there is nobody to contradict it",
    ]);
  });
  it("with a pinned digest contradicts a single replica by it", () => {
    const rule = { kind: "digest", digest: claims.a.digest } as const;
    const lines = agreementLines("a.bin", verdict([claimed(claims.a)], rule));
    assert.deepEqual(lines, [`a.bin: 1 of 1 replica agrees (rule: sha256:${a}…): ${a}…, 1.50 MiB`]);
  });
  it("that was not reached is left to the error", () => {
    assert.deepEqual(agreementLines("a.bin", verdict([silent])), []);
  });
});

describe("a receipt in words", () => {
  it("says what came from whom, how fast, that it is verified, and where it is", () => {
    assert.deepEqual(receiptText(receipt()), [
      "a.bin: 1.50 MiB from 1 replica in 2.00 s, 768 KiB/s",
      `verified ${claims.a.digest}`,
      "/tmp/a.bin",
    ]);
  });
  it("counts for the speed only what was fetched now, and tells the rest", () => {
    const kept = { resumedBytes: 1024 * 1024, wastedBytes: 2048 };
    assert.equal(
      receiptText(receipt(kept))[0],
      "a.bin: 1.50 MiB from 1 replica in 2.00 s, 256 KiB/s" +
        ", 1.00 MiB of them from an earlier run, 2.00 KiB fetched in vain",
    );
  });
  it("of a file that an old copy had is not from 0 replicas", () => {
    const replicas = [line({ address: replica, deliveredBytes: 0 })];
    const seeded = { seededBytes: receipt().size, replicas };
    assert.equal(
      receiptText(receipt(seeded))[0],
      "a.bin: 1.50 MiB in 2.00 s, nothing fetched, 1.50 MiB from an old copy",
    );
  });
  it("counts those that delivered, and needs no time", () => {
    const replicas = [line(), line(), line({ deliveredBytes: 0 })];
    const [head] = receiptText(receipt({ replicas, seconds: 0 }));
    assert.equal(head, "a.bin: 1.50 MiB from 2 replicas in 0.00 s");
  });
  it("has a table of who did what", () => {
    const banned = { address: replicaId("r2:22"), standing: "banned" } as const;
    const replicas = [
      line(),
      line({ ...banned, deliveredBytes: 0, wastedBytes: 1024, faults: { late: 2, corrupt: 1 } }),
    ];
    assert.deepEqual(receiptTable(receipt({ replicas })), [
      "replica  standing  delivered   in vain  faults",
      "r1:1     good       1.50 MiB       0 B",
      "r2:22    banned          0 B  1.00 KiB  late ×2, corrupt ×1",
    ]);
  });
});

describe("a download told to a person", () => {
  function told(events: readonly DownloadEvent[], isLive = false, columns = 110, name = "a.bin") {
    const screen = new world.MemoryScreen({ isLive, columns });
    const tell = reportDownload(name, screen);
    for (const event of events) tell(event);
    return screen;
  }
  const one = (changes: Partial<ReplicaProgress>): ReplicaProgress => {
    const good = { address: replica, standing: "good", reason: undefined } as const;
    return { ...good, rate: 1024, deliveredBytes: 512, leases: 1, ...changes };
  };
  const progress: DownloadEvent = {
    event: "progress",
    doneBytes: 1023,
    totalBytes: 2048,
    rate: 1024,
    replicas: [
      one({}),
      one({ address: replicaId("r2:2"), standing: "withdrawn", reason: "late", leases: 0 }),
    ],
  };

  it("has a line for each interval where nothing can be drawn", () => {
    const { said, drawn } = told([progress]);
    assert.deepEqual(said, ["a.bin: 49.9 % of 2.00 KiB, 1.00 KiB/s from 1 replica"]);
    assert.deepEqual(drawn, []);
  });

  it("is drawn on a terminal: the whole, and a line for each replica", () => {
    const { said, drawn } = told([progress], true);
    assert.deepEqual(said, []);
    assert.match(
      drawn[0] ?? "",
      /^a\.bin {2}█{9}░{11} {2}49\.9 % of 2\.00 KiB {2}1\.00 KiB\/s {2}[\d.]+ s, 1\.00 s left$/,
    );
    assert.deepEqual(drawn.slice(1), [
      "  replica  standing         rate   share",
      "  r1:1     good       1.00 KiB/s  50.0 %",
      "  r2:2     withdrawn  1.00 KiB/s  50.0 %  late",
    ]);
  });

  it("has a bar as long as leaves room for the numbers, and says at least how long it takes", () => {
    const widths = [110, 79, 75, 71, 67, 58].map((columns) => {
      const [head = ""] = told([progress], true, columns).drawn;
      assert.match(head, /49\.9 % of 2\.00 KiB {2}.*1\.00 s left$/, head);
      assert.ok(head.length <= columns, head);
      return head.replace(/[^█░]/g, "").length;
    });
    assert.deepEqual(widths, [20, 16, 12, 8, 0, 0]);
    const [narrow] = told([progress], true, 40).drawn;
    assert.match(narrow ?? "", /^a\.bin {2}49\.9 % {2}1\.00 KiB\/s {2}1\.00 s left$/);
  });

  it("is drawn without its bar where that leaves no room for the numbers", () => {
    const { drawn } = told([progress], true, 60);
    assert.match(drawn[0] ?? "", /^a\.bin {2}49\.9 % of 2\.00 KiB {2}1\.00 KiB\/s {2}/);
  });

  it("is drawn with no more of a long name than leaves room for the numbers", () => {
    const { drawn } = told([progress], true, 80, "漢".repeat(85));
    assert.match(drawn[0] ?? "", /^漢{19}… {2}49\.9 % {2}1\.00 KiB\/s {2}/);
  });

  it("that moves no byte is waiting, and nobody has a share yet", () => {
    const replicas = [one({ deliveredBytes: 0, rate: 0 })];
    const { drawn } = told([{ ...progress, doneBytes: 0, rate: 0, replicas }], true);
    assert.match(drawn[0] ?? "", /0\.0 % of .*, waiting$/);
    assert.match(drawn[2] ?? "", /0 B\/s +–$/);
  });

  it("tells of old copies: how far, what came of them, and why not", () => {
    const at = { path: "old", doneBytes: 1024, totalBytes: 2048 };
    const events: readonly DownloadEvent[] = [
      { event: "seeding", ...at },
      { event: "seeded", path: "old", bytes: 1024 },
      { event: "seeded", path: "other", bytes: 0 },
      { event: "seed-skipped", paths: ["old", "other"], why: "because" },
    ];
    const lines = [
      "a.bin: comparing with old, 50.0 %",
      "a.bin: 1.00 KiB are equal in old and are not fetched",
      "a.bin: nothing in other is equal at the same place",
      "a.bin: old, other is of no use: because",
    ];
    assert.deepEqual(told(events).said, lines);
    const live = told(events, true);
    assert.deepEqual([live.drawn, live.said], [lines.slice(0, 1), lines.slice(1)]);
  });

  it("tells a replica's first three faults, and leaves the rest to the receipt", () => {
    const fault = { event: "fault", replica, fault: { kind: "missing" } } as const;
    const other = { ...fault, replica: replicaId("r2:2") };
    const { said } = told([fault, fault, fault, fault, fault, other]);
    const first = "a.bin: r1:1: has no such file";
    assert.deepEqual(said, [first, first, first, "a.bin: r2:2: has no such file"]);
  });

  it("tells who joins, who is banned and for what, and what is kept", () => {
    const evidence = { piece: 7, expected: "aa", actual: "bb", atMs: 5 };
    const { said } = told([
      { event: "resumed", bytes: 2048 },
      { event: "joined", replica },
      { event: "banned", replica, evidence, why: "served piece 7 corrupt" },
      { event: "banned", replica, evidence: undefined, why: "its disk failed" },
    ]);
    assert.deepEqual(said, [
      "a.bin: 2.00 KiB of an earlier run are right and are kept",
      "a.bin: r1:1 answered late, agrees, and takes part",
      "a.bin: r1:1 is banned: served piece 7 corrupt",
      "a.bin: r1:1 is banned: its disk failed",
    ]);
  });

  it("tells why another attempt follows", () => {
    const root = `sha256:${"ab".repeat(32)}`;
    const { said } = told([
      { event: "asked-again", why: "r1:1 changed", times: 1 },
      { event: "root-doubted", root, why: "it lies", freed: [replica] },
      { event: "second-opinions" },
    ]);
    assert.deepEqual(said, [
      "a.bin: the file changed during the download, the quorum is asked again: r1:1 changed",
      "a.bin: root abababababab… judges pieces no longer: it lies; r1:1 no longer banned",
      "a.bin: the whole file is wrong: it is read again from others to find out whose bytes are",
    ]);
  });

  it("tells that somebody hashes, at most once a second in lines", () => {
    const hashing = { event: "hashing", replica, doneBytes: 512, totalBytes: 1024 } as const;
    const line50 = "a.bin: r1:1 is still hashing it, 50.0 % of 1.00 KiB";
    assert.deepEqual(told([hashing, hashing, hashing]).said, [line50]);
    assert.deepEqual(told([hashing], true).drawn, [line50]);
  });

  it("takes the live view away for the agreement, and draws the last check", () => {
    const hashing = { event: "hashing", replica, doneBytes: 512, totalBytes: 1024 } as const;
    const agreement = { event: "agreement", agreement: verdict([silent]) } as const;
    assert.deepEqual(told([hashing, agreement], true).drawn, []);
    const verifying = { event: "verifying", doneBytes: 1023, totalBytes: 1024 } as const;
    assert.deepEqual(told([verifying], true).drawn, ["a.bin: checking the whole digest, 99.9 %"]);
    assert.deepEqual(told([verifying]).said, []);
  });

  it("says nothing of single answers and of the receipt, which are told elsewhere", () => {
    const vote = { replica, answer: missing };
    const { said, drawn } = told([
      { event: "answer", vote, roundTripMs: 1 },
      { event: "receipt", ...receipt() },
    ]);
    assert.deepEqual([...said, ...drawn], []);
  });
});
