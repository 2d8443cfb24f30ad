/** A broken replica costs time, never the file; and the receipt says who broke what. */

import assert from "node:assert/strict";
import type { Clock, Replica } from "../../src/ports.js";
import type { Receipt, ReplicaReceipt } from "../../src/receipt/receipt.js";
import type { Fault, FaultKind } from "../../src/schedule/faults.js";
import * as broken from "../support/broken-replica.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "./small-download.js";

interface Case {
  readonly title: string;
  readonly make: (replica: Replica, clock: Clock) => Replica;
  readonly standings: readonly ReplicaReceipt["standing"][];
  readonly fault?: FaultKind;
  /** Whether the file can be had beside one honest replica: they must agree on what it is. */
  readonly claims?: false;
}

const busy: Fault = { kind: "busy", retryMs: 100 };
const changed: Fault = { kind: "changed", detail: "another version" };
const denied: Fault = { kind: "denied", detail: "no" };
const dataLoss: Fault = { kind: "corrupt", detail: "it says so itself" };

const bad: Case["standings"] = ["backing-off", "withdrawn"];
const cases: readonly Case[] = [
  {
    title: "silent from the start",
    make: (each, clock) => broken.silent(each, clock),
    standings: ["silent"],
    claims: false,
  },
  {
    title: "without a byte",
    make: (each, clock) => broken.withoutBytes(each, clock),
    standings: bad,
    fault: "late",
  },
  {
    title: "stalling after two chunks",
    make: (each, clock) => broken.stallingAfter(each, 2, clock),
    standings: ["good", ...bad],
    fault: "late",
  },
  { title: "babbling", make: broken.babbling, standings: bad, fault: "late" },
  {
    title: "corrupt in piece 1",
    make: (each) => broken.corruptAt(each, pieceBytes + 77),
    standings: ["banned"],
    fault: "corrupt",
  },
  {
    title: "corrupt by its own word",
    make: (each) => broken.refusing(each, dataLoss),
    standings: ["banned"],
    fault: "corrupt",
  },
  {
    title: "dying after three chunks",
    make: (each) => broken.dyingAfter(each, 3),
    standings: bad,
    fault: "unreachable",
  },
  { title: "overrunning", make: broken.overrunning, standings: ["good", ...bad], fault: "short" },
  { title: "misplacing", make: broken.misplacing, standings: bad, fault: "short" },
  { title: "reordering", make: broken.reordering, standings: bad, fault: "short" },
  { title: "ending early", make: broken.endingEarly, standings: ["good", ...bad], fault: "short" },
  {
    title: "busy for a while",
    make: (each) => broken.refusing(each, busy, 3),
    standings: ["good"],
    fault: "busy",
  },
  {
    title: "of a file that changed",
    make: (each) => broken.refusing(each, changed),
    standings: ["withdrawn"],
    fault: "changed",
  },
  {
    title: "closed to us",
    make: (each) => broken.refusing(each, denied),
    standings: ["withdrawn"],
    fault: "denied",
  },
  {
    title: "with a wrong piece list",
    make: broken.wrongPieces,
    standings: ["banned"],
    fault: "corrupt",
  },
  { title: "lying", make: (e) => broken.lying(e), standings: ["dissenting"], claims: false },
  { title: "fickle", make: broken.fickle, standings: ["dissenting"], claims: false },
  { title: "answering for another", make: broken.renaming, standings: ["silent"], claims: false },
];

const rate = 200_000;

function assertHonest(receipt: Receipt, letters: string): void {
  for (const letter of letters) {
    const { standing, faults } = lineOf(receipt, letter);
    assert.deepEqual([standing, faults], ["good", {}], `${letter} did nothing wrong`);
  }
}

describe("a replica that is broken", () => {
  for (const { title, make, standings, fault, claims } of cases) {
    for (const companions of claims === false ? ["BC"] : ["B", "BC"]) {
      it(`(${title}) beside ${companions.length} honest: the right file, and it is named`, async () => {
        const world = new SmallDownload();
        const fresh = () => broken.paced(honest(content, 20_000), world.clock, { rate });
        const others = Object.fromEntries([...companions].map((letter) => [letter, fresh()]));
        const receipt = await world.get({ A: make(fresh(), world.clock), ...others });
        world.assertPublished();
        const { standing, faults, evidence } = lineOf(receipt, "A");
        assert.ok(standings.includes(standing), `${standing} is one of ${standings}`);
        assert.deepEqual(Object.keys(faults), fault === undefined ? [] : [fault]);
        const hasEvidence = standing === "banned" && title !== "corrupt by its own word";
        assert.equal(evidence !== undefined, hasEvidence);
        assertHonest(receipt, companions);
      });
    }
  }

  it("and is corrupt: the evidence is the piece, what it should be, what it was, and when", async () => {
    const world = new SmallDownload();
    world.clock.jump(1_000_000);
    const paced = () => broken.paced(honest(), world.clock, { rate: 1e6 });
    const A = broken.corruptAt(paced(), 3 * pieceBytes);
    const { evidence, reason } = lineOf(await world.get({ A, B: paced() }), "A");
    assert.equal(evidence?.piece, 3);
    assert.notEqual(evidence.expected, evidence.actual);
    assert.ok(evidence.atMs > 0 && evidence.atMs < 60_000, "since the beginning");
    assert.match(reason ?? "", /served piece 3 corrupt/);
  });

  it("and two are, in two ways, beside one that is not: both are named", async () => {
    const world = new SmallDownload();
    const A = broken.corruptAt(honest(), 0);
    const B = broken.corruptAt(honest(), content.length - 1);
    const receipt = await world.get({ A, B, C: honest() }, { chunks: 20 });
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").standing, "banned");
    assertHonest(receipt, "C");
  });

  it("is banned only once the piece came right from another: one flipped bit of ours is none", async () => {
    const world = new SmallDownload();
    const A = broken.corruptAt(honest(), 5, 1);
    const receipt = await world.get({ A });
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").standing, "good");
  });
});

describe("replicas that are all broken", () => {
  it("because they are corrupt: an error, and nothing is published", async () => {
    const world = new SmallDownload();
    const corrupt = () => broken.corruptAt(honest(), 3 * pieceBytes);
    const expected = errorOf("IntegrityError", /no replica serves what the quorum agreed/);
    await assert.rejects(world.get({ A: corrupt(), B: corrupt(), C: corrupt() }), expected);
    world.assertUnpublished();
    assert.ok((world.store.journal?.records.length ?? 0) >= 15, "what was right is kept");
  });

  it("because they died: not all chunks are downloaded, and a second run resumes", async () => {
    const world = new SmallDownload();
    const dying = () => broken.dyingAfter(honest(), 5);
    const expected = errorOf("OutOfReplicasError", /^get file\.bin: not all chunks are downloaded/);
    await assert.rejects(world.get({ A: dying(), B: dying() }), expected);
    world.assertUnpublished();
    const receipt = await world.get({ A: honest(), B: honest() });
    world.assertPublished();
    assert.equal(receipt.resumedBytes, 10 * pieceBytes);
    const fetched = lineOf(receipt, "A").deliveredBytes + lineOf(receipt, "B").deliveredBytes;
    assert.equal(fetched, content.length - 10 * pieceBytes);
  });

  it("because they are busy for ever: the download ends by its timeout", async () => {
    const world = new SmallDownload();
    const startedAt = world.clock.now();
    const A = broken.refusing(honest(), busy);
    const expected = errorOf("OutOfReplicasError", /no byte for 5 s/);
    await assert.rejects(world.get({ A }, { timeoutMs: 5000 }), expected);
    assert.ok(world.clock.now() - startedAt < 6000);
  });
});

describe("a download that is aborted", () => {
  it("keeps what was verified, and a second run takes it up", async () => {
    const world = new SmallDownload();
    const abort = new AbortController();
    const reason = new Error("enough");
    world.listen = (event) => {
      if (event.event === "progress" && event.doneBytes > 6 * pieceBytes) abort.abort(reason);
    };
    const paced = () => broken.paced(honest(), world.clock, { rate: 100_000 });
    const first = world.get({ A: paced(), B: paced() }, { signal: abort.signal });
    await assert.rejects(first, (error) => error === reason);
    world.assertUnpublished();
    const kept = world.store.journal?.records.length ?? 0;
    assert.ok(kept >= 7, `${kept} pieces are journaled`);
    world.listen = () => {};
    const { resumedBytes } = await world.get({ A: honest(), B: honest() });
    world.assertPublished();
    assert.equal(resumedBytes, kept * pieceBytes);
  });

  it("while it reads back the whole publishes nothing", async () => {
    const world = new SmallDownload();
    const abort = new AbortController();
    const reason = new Error("enough");
    world.listen = ({ event }) => {
      if (event === "verifying") abort.abort(reason);
    };
    const got = world.get({ A: honest() }, { signal: abort.signal });
    await assert.rejects(got, (error) => error === reason);
    world.assertUnpublished();
  });
});

describe("a stall of our own", () => {
  for (const stallMs of [5_000, 90_000, 3_600_000]) {
    it(`of ${stallMs / 1000} s punishes nobody, and the download goes on`, async () => {
      const world = new SmallDownload();
      const paced = () => broken.paced(honest(), world.clock, { rate: 100_000 });
      const got = world.get({ A: paced(), B: paced() });
      // Between two looks at the clock, and with no bytes waiting to be read when it is over.
      void world.clock.sleep(1130).then(() => world.clock.jump(stallMs));
      const receipt = await got;
      world.assertPublished();
      assertHonest(receipt, "AB");
    });
  }
});
