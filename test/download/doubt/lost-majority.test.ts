/** When the file changes meanwhile the quorum is asked again, before another byte counts. */

import assert from "node:assert/strict";
import { limits } from "../../../src/limits.js";
import type { Replica } from "../../../src/ports.js";
import {
  altered,
  corruptAt,
  lateClaim,
  lying,
  paced,
  withoutBytes,
  wrongPieces,
} from "../../support/broken-replica.js";
import { replaced, turning } from "../../support/changing-replica.js";
import { madeUp } from "../../support/made-up.js";
import { content, errorOf, honest, lineOf, pieceBytes, SmallDownload } from "../small-download.js";

const half = 10 * pieceBytes;
/** The same in its first half, and something else from there on. */
const next = Buffer.concat([content.subarray(0, half), madeUp(content.length - half, 7)]);
const rate = 200_000;

/** A world with replicas whose file becomes another one once so much is done. */
class ChangingDownload extends SmallDownload {
  #doneBytes = 0;
  readonly changeAt: number;

  constructor(changeAt = 4 * pieceBytes) {
    super();
    this.changeAt = changeAt;
    this.listen = (event) => {
      if (event.event === "progress") this.#doneBytes = Math.max(this.#doneBytes, event.doneBytes);
    };
  }

  get hasChanged(): boolean {
    return this.#doneBytes >= this.changeAt;
  }

  slow(replica: Replica): Replica {
    return paced(replica, this.clock, { rate });
  }

  steady(bytes: Uint8Array = content): Replica {
    return this.slow(honest(bytes, 16_384));
  }

  changing(to: Uint8Array = next): Replica {
    return this.slow(replaced(honest(content, 16_384), honest(to, 16_384), () => this.hasChanged));
  }

  get asks(): number {
    return this.events.filter(({ event }) => event === "asked-again").length;
  }
}

const options = { intervalMs: 100 };

describe("a file that changes on most replicas during its download", () => {
  it("is asked for again, and comes as it is now", async () => {
    const world = new ChangingDownload();
    const [A, B, C] = [world.changing(), world.changing(), world.steady()];
    const receipt = await world.get({ A, B, C }, options);
    world.assertPublished(next);
    assert.equal(world.asks, 1);
    const { digest: claimed } = lineOf(receipt, "A").claim ?? {};
    assert.equal(claimed, receipt.digest);
    assert.deepEqual(
      receipt.replicas.map(({ standing }) => standing),
      ["good", "good", "dissenting"],
    );
  });

  it("keeps the pieces that both have, and each byte counts once", async () => {
    const world = new ChangingDownload(8 * pieceBytes);
    const [A, B, C] = [world.changing(), world.changing(), world.steady()];
    const { resumedBytes, replicas } = await world.get({ A, B, C }, options);
    const kept = world.events.find(({ event }) => event === "resumed");
    assert.ok(kept?.event === "resumed" && kept.bytes >= pieceBytes, "something was kept");
    const delivered = replicas.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
    assert.deepEqual([resumedBytes, delivered], [0, next.length]);
  });

  it("stops before another byte counts", async () => {
    const world = new ChangingDownload();
    let lostAt: number | undefined;
    let written = 0;
    world.wrap = (partial) => ({
      ...partial,
      journal: {
        ...partial.journal,
        async append(records) {
          if (lostAt === undefined) written += records.length;
          await partial.journal.append(records);
        },
      },
    });
    const { listen } = world;
    let settled = 0;
    world.listen = (event) => {
      listen(event);
      const changes = world.faultsOf("A").length + world.faultsOf("B").length;
      if (event.event === "progress" && lostAt === undefined) settled = event.doneBytes;
      if (event.event === "asked-again" && lostAt === undefined) lostAt = world.clock.now();
      if (event.event === "progress") assert.ok(lostAt !== undefined || changes < 2);
    };
    await world.get({ A: world.changing(), B: world.changing(), C: world.steady() }, options);
    world.assertPublished(next);
    assert.ok(written * pieceBytes >= settled, "what counted is in the journal");
  });

  it("without a new quorum is an error that says so, and what was verified is kept", async () => {
    const world = new ChangingDownload(6 * pieceBytes);
    const [A, B, C] = [world.changing(), world.changing(madeUp(999_999, 9)), world.steady()];
    const text = /^get file\.bin: the file changed during the download: no quorum: 1 of 3/;
    await assert.rejects(world.get({ A, B, C }, options), errorOf("NoQuorumError", text));
    world.assertUnpublished();
    assert.ok((world.store.journal?.records.length ?? 0) >= 6);
    assert.equal(world.asks, limits.asksAgain);
  });

  it("one after the other is waited for", async () => {
    const world = new ChangingDownload();
    let isLater = false;
    void world.clock.sleep(9_000).then(() => {
      isLater = true;
    });
    const B = world.slow(replaced(honest(content, 16_384), honest(next), () => isLater));
    const receipt = await world.get({ A: world.changing(), B }, options);
    world.assertPublished(next);
    assert.ok(world.asks > 1 && receipt.digest === lineOf(receipt, "B").claim?.digest);
  });

  it("again and again has an end", async () => {
    const world = new ChangingDownload();
    let version = 0;
    const ever = () => {
      const replica = (): Replica => honest(madeUp(content.length, 100 + version), 16_384);
      return {
        ...replica(),
        claim: (name, call) => replica().claim(name, call),
        pieces: (request, call) => replica().pieces(request, call),
        read: (request, call) => turning(replica(), 3).read(request, call),
      } satisfies Replica;
    };
    world.listen = ({ event }) => {
      if (event === "asked-again") version++;
    };
    const text = /not all chunks are downloaded: the file changed again and again/;
    const got = world.get({ A: ever(), B: ever(), C: ever() }, options);
    await assert.rejects(got, errorOf("OutOfReplicasError", text));
    world.assertUnpublished();
    assert.equal(world.asks, limits.asksAgain);
  });

  it("is asked for again by a rule of N, and of a pinned digest not had any more", async () => {
    const world = new ChangingDownload();
    const parts = () => ({ A: world.changing(), B: world.changing(), C: world.changing() });
    await world.get(parts(), { ...options, rule: { kind: "at-least", count: 2 } });
    world.assertPublished(next);
    const pinned = new ChangingDownload();
    const { digest } = (await honest().claim("file.bin", call())).claim;
    const both = { A: pinned.changing(), B: pinned.changing() };
    const got = pinned.get(both, { ...options, rule: { kind: "digest", digest } });
    await assert.rejects(got, errorOf("NoQuorumError", /changed during.*pinned/));
  });
});

const call = () => ({ signal: new AbortController().signal, deadlineMs: 1000 });

describe("a file that changes on few replicas during its download", () => {
  it("is got from the others, and nobody is asked again", async () => {
    const world = new ChangingDownload();
    const receipt = await world.get(
      { A: world.changing(), B: world.steady(), C: world.steady() },
      options,
    );
    world.assertPublished();
    assert.equal(world.asks, 0);
    assert.equal(lineOf(receipt, "A").standing, "withdrawn");
  });

  it("is got from the others when a late one makes up for the one that left", async () => {
    const world = new ChangingDownload(8 * pieceBytes);
    const C = lateClaim(world.steady(), 1000, world.clock);
    const receipt = await world.get({ A: world.changing(), B: world.steady(), C }, options);
    world.assertPublished();
    assert.equal(world.asks, 0);
    assert.equal(lineOf(receipt, "C").standing, "good");
  });

  it("is not lost by one that cannot be reached: it has voted", async () => {
    const world = new ChangingDownload();
    const C = withoutBytes(honest(), world.clock);
    await world.get({ A: world.changing(), B: world.steady(), C }, options);
    world.assertPublished();
    assert.equal(world.asks, 0);
  });

  it("but says so of a needed one that claims the same again: twice, then it only votes", async () => {
    const world = new ChangingDownload();
    const A = world.slow(turning(honest(content, 16_384), 6));
    const B = world.slow(turning(honest(content, 16_384), 6));
    const receipt = await world.get({ A, B, C: world.steady() }, options);
    world.assertPublished();
    assert.equal(world.asks, limits.timesTurned);
    assert.equal(lineOf(receipt, "A").standing, "withdrawn");
    assert.ok(lineOf(receipt, "C").deliveredBytes > 0);
  });
});

describe("a lost quorum", () => {
  it("bans nobody whose file changed without its saying so", async () => {
    const world = new ChangingDownload();
    // C, a foreign server, minds no digest: what it sends of the new file is corrupt for the old.
    const before = honest(content, 16_384);
    const after = honest(next, 16_384);
    const C: Replica = world.slow({
      ...before,
      claim: (name, each) => (world.hasChanged ? after : before).claim(name, each),
      read: (request, each) =>
        (world.hasChanged ? after : before).read({ ...request, ifDigest: undefined }, each),
    });
    const parts = { A: world.changing(), B: world.changing(), C, D: world.steady() };
    const receipt = await world.get(parts, options);
    world.assertPublished(next);
    for (const letter of "ABC") assert.equal(lineOf(receipt, letter).standing, "good", letter);
  });

  it("keeps the ban of one that was corrupt, when the same is agreed on again", async () => {
    const world = new ChangingDownload(6 * pieceBytes);
    const A = world.slow(corruptAt(honest(content, 16_384), 0));
    const B = world.slow(turning(honest(content, 16_384), 9));
    const C = paced(honest(), world.clock, { rate: 4 * rate });
    const parts = { A, B, C, D: world.slow(lying(honest())) };
    const receipt = await world.get(parts, options);
    world.assertPublished();
    const story = world.story().filter((event) => event === "banned" || event === "asked-again");
    assert.deepEqual(story.slice(0, 2), ["banned", "asked-again"]);
    assert.equal(lineOf(receipt, "A").standing, "banned");
    assert.equal(lineOf(receipt, "A").evidence?.piece, 0);
    assert.equal(lineOf(receipt, "A").faults.corrupt, 1, "it was not asked again");
  });

  it("asks who gave a wrong piece list for no other one", async () => {
    const world = new ChangingDownload();
    let lists = 0;
    const wrong = wrongPieces(honest(content, 16_384));
    const A = world.slow(
      altered(wrong, {
        pieces(request, each) {
          lists++;
          return wrong.pieces(request, each);
        },
      }),
    );
    const B = world.slow(turning(honest(content, 16_384), 6));
    const parts = { A, B, C: world.steady(), D: world.slow(lying(honest())) };
    const receipt = await world.get(parts, options);
    world.assertPublished();
    assert.ok(world.asks >= 1 && lists === 1, `${lists} lists`);
    assert.equal(lineOf(receipt, "A").standing, "banned");
  });
});
