import assert from "node:assert/strict";
import { agreementJson, downloadEventJson, standingOf } from "../../src/cli/json.js";
import type { DownloadEvent } from "../../src/download/progress.js";
import type { Claim } from "../../src/trust/manifest.js";
import { replicaId } from "../../src/trust/quorum.js";
import { claimed, claims, line, missing, receipt, silent, verdict } from "./verdicts.js";

/** What a reader of the line gets. */
function read(event: object | undefined): unknown {
  const text = JSON.stringify(event);
  assert.ok(!/null|undefined|NaN/.test(text), text);
  return JSON.parse(text);
}

function claimOf({ size, digest, root }: Claim): object {
  return root === undefined ? { size, digest } : { size, digest, pieceRoot: root };
}

describe("an agreement in JSON", () => {
  const { a, b, bare } = claims;

  it("tells what was agreed on, and every replica's claim and standing", () => {
    const agreement = verdict(
      [claimed(a), claimed(a), claimed(bare), claimed(b), missing, silent],
      {
        kind: "at-least",
        count: 3,
      },
    );
    assert.deepEqual(read(agreementJson(agreement)), {
      event: "agreement",
      reached: true,
      needed: 3,
      configured: 6,
      ...claimOf(a),
      pieceSize: 65_536,
      replicas: [
        { address: "r1:1", standing: "agrees", claim: claimOf(a) },
        { address: "r2:2", standing: "agrees", claim: claimOf(a) },
        { address: "r3:3", standing: "agrees", claim: claimOf(bare) },
        { address: "r4:4", standing: "dissents", claim: claimOf(b) },
        { address: "r5:5", standing: "missing" },
        { address: "r6:6", standing: "silent", reason: "unreachable: gone" },
      ],
    });
  });

  it("that was not reached says why, and names no file", () => {
    assert.deepEqual(read(agreementJson(verdict([claimed(a), claimed(b), silent]))), {
      event: "agreement",
      reached: false,
      why: "too-few",
      needed: 2,
      configured: 3,
      replicas: [
        { address: "r1:1", standing: "claims", claim: claimOf(a) },
        { address: "r2:2", standing: "claims", claim: claimOf(b) },
        { address: "r3:3", standing: "silent", reason: "unreachable: gone" },
      ],
    });
  });

  it("without pieces names no piece root", () => {
    const json = read(agreementJson(verdict([claimed(bare)])));
    assert.ok(typeof json === "object" && json !== null);
    assert.ok(!("pieceRoot" in json) && "digest" in json);
  });

  it("gives round trips that were measured, to a tenth of a millisecond", () => {
    const roundTrips = new Map([[replicaId("r1:1"), 12.3456]]);
    const json = JSON.stringify(agreementJson(verdict([claimed(a), silent]), roundTrips));
    assert.deepEqual(json.match(/"roundTripMs":[\d.]+/g), ['"roundTripMs":12.3']);
  });

  it("everybody stands somewhere", () => {
    const agreement = verdict([claimed(a), claimed(a), claimed(b), missing, silent], {
      kind: "at-least",
      count: 2,
    });
    const standings = agreement.votes.map((vote) => standingOf(agreement, vote));
    assert.deepEqual(standings, ["agrees", "agrees", "dissents", "missing", "silent"]);
  });
});

describe("a receipt in JSON", () => {
  it("has the shape that is promised, and nothing that is undefined", () => {
    const faults = { late: 2, corrupt: 1 };
    const evidence = { piece: 7, expected: "aa", actual: "bb", atMs: 1234 };
    const banned = { address: replicaId("r2:2"), standing: "banned", faults, evidence } as const;
    const gone = { address: replicaId("r3:3"), standing: "silent", claim: undefined } as const;
    const replicas = [
      line(),
      line({ ...banned, reason: "corrupt", deliveredBytes: 5, wastedBytes: 9 }),
      line({ ...gone, reason: "gone", deliveredBytes: 0 }),
    ];
    const claim = claimOf(claims.a);
    assert.deepEqual(read(downloadEventJson({ event: "receipt", ...receipt({ replicas }) })), {
      event: "receipt",
      name: "a.bin",
      path: "/tmp/a.bin",
      digest: claims.a.digest,
      size: 1_572_864,
      seconds: 2,
      resumedBytes: 0,
      seededBytes: 0,
      hedgedBytes: 0,
      wastedBytes: 0,
      replicas: [
        { ...{ address: "r1:1", standing: "good", claim }, ...bytes(1_572_864, 0), faults: {} },
        {
          address: "r2:2",
          standing: "banned",
          reason: "corrupt",
          claim,
          ...bytes(5, 9),
          faults,
          evidence,
        },
        { address: "r3:3", standing: "silent", reason: "gone", ...bytes(0, 0), faults: {} },
      ],
    });
  });

  it("begins with its event, as every line does", () => {
    const json = JSON.stringify(downloadEventJson({ event: "receipt", ...receipt() }));
    assert.ok(json.startsWith('{"event":"receipt","name":"a.bin","path":'));
  });
});

describe("events in JSON", () => {
  const replica = replicaId("r1:1");
  const printed: readonly DownloadEvent[] = [
    { event: "hashing", replica, doneBytes: 1, totalBytes: 2 },
    { event: "resumed", bytes: 5 },
    { event: "joined", replica },
    { event: "asked-again", why: "r1:1 changed", times: 1 },
    { event: "root-doubted", root: "sha256:ab", why: "a contradiction", freed: [replica] },
    { event: "second-opinions" },
    { event: "fault", replica, fault: { kind: "late", clock: "idle", waitedMs: 1500 } },
    {
      event: "banned",
      replica,
      why: "served piece 1 corrupt",
      evidence: { piece: 1, expected: "aa", actual: "bb", atMs: 1234 },
    },
    { event: "progress", doneBytes: 1, totalBytes: 2, rate: 0.5, replicas: [] },
  ];
  for (const event of printed) {
    it(`${event.event} is printed as it is`, () => {
      assert.deepEqual(read(downloadEventJson(event)), event);
    });
  }

  it("what is undefined is left out, not null", () => {
    const of = { address: replica, standing: "good" as const, reason: undefined };
    const one = { ...of, rate: 1, deliveredBytes: 1, leases: 1 };
    const progress = { doneBytes: 1, totalBytes: 2, rate: 1, replicas: [one] };
    const { reason, ...rest } = one;
    assert.equal(reason, undefined);
    assert.deepEqual(read(downloadEventJson({ event: "progress", ...progress })), {
      event: "progress",
      ...progress,
      replicas: [rest],
    });
    const banned = downloadEventJson({
      event: "banned",
      replica,
      why: "lost",
      evidence: undefined,
    });
    assert.deepEqual(read(banned), { event: "banned", replica, why: "lost" });
  });

  it("an agreement is printed as an agreement", () => {
    const agreement = verdict([claimed(claims.a)]);
    const printedOne = downloadEventJson({ event: "agreement", agreement });
    assert.deepEqual(printedOne, agreementJson(agreement));
  });

  it("answers and the check of the whole digest are only for eyes", () => {
    const vote = { replica, answer: missing };
    assert.equal(downloadEventJson({ event: "answer", vote, roundTripMs: 1 }), undefined);
    const verifying = { event: "verifying", doneBytes: 1, totalBytes: 2 } as const;
    assert.equal(downloadEventJson(verifying), undefined);
  });
});

function bytes(deliveredBytes: number, wastedBytes: number) {
  return { deliveredBytes, wastedBytes };
}
