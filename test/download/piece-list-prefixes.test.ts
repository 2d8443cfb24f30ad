/** Prefixes come with the piece list of a large file, and count only under the agreed root. */

import assert from "node:assert/strict";
import { fetchPieceList } from "../../src/download/piece-list.js";
import { limits } from "../../src/limits.js";
import type { ListedPieces, PiecesRequest, Replica } from "../../src/ports.js";
import { digestFromRaw } from "../../src/trust/digest.js";
import { type Claim, manifestOf } from "../../src/trust/manifest.js";
import { type PieceDigests, rootOf } from "../../src/trust/merkle.js";
import { decide, replicaId, type Vote } from "../../src/trust/quorum.js";
import { altered } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { madeUp } from "../support/made-up.js";
import { honest } from "./small-download.js";

/** What a file of this size could be: nobody asks for its bytes. */
function fileOf(size: number) {
  const lies = { size, digest: digestFromRaw(madeUp(32)), root: undefined };
  const { pieceCount } = manifestOf(lies);
  const lists = madeUp(2 * pieceCount * 32);
  const [digests, prefixes] = [lists.subarray(0, pieceCount * 32), lists.subarray(pieceCount * 32)];
  const digest = digestFromRaw(prefixes.subarray(-32));
  const [root, prefixRoot] = [rootOf(digests), rootOf(prefixes)];
  return { claim: { size, digest, root, prefixRoot }, digests, prefixes };
}

const large = fileOf(limits.prefixDigestBytes);

/** Replicas that claim this, and give this list each; whether they were asked for prefixes. */
class World {
  readonly asked: (boolean | undefined)[] = [];
  readonly #votes: Vote[] = [];
  readonly #replicas = new Map<ReturnType<typeof replicaId>, Replica>();

  add(claim: Claim, gives: (request: PiecesRequest) => ListedPieces): this {
    const replica = replicaId(`${this.#votes.length + 1}`);
    this.#votes.push({ replica, answer: { kind: "claimed", claim } });
    const pieces: Replica["pieces"] = async (request) => {
      this.asked.push(request.withPrefixes);
      return gives(request);
    };
    this.#replicas.set(replica, altered(honest(), { pieces }));
    return this;
  }

  async list() {
    const agreement = decide(this.#votes, { kind: "majority" });
    assert.ok(agreement.reached);
    const { signal } = new AbortController();
    const ask = { replicas: this.#replicas, name: "file.bin", signal, clock: new FakeClock() };
    return fetchPieceList(agreement, ask);
  }
}

const { claim, digests, prefixes } = large;
const { prefixRoot: _, ...plain } = claim;
const changed = (list: PieceDigests, at: number) =>
  Uint8Array.from(list, (byte, index) => (index === at ? byte ^ 1 : byte));
const all = (gives: (request: PiecesRequest) => ListedPieces, of: Claim = claim) =>
  new World().add(of, gives).add(of, gives).add(of, gives);

describe("prefixes in the piece list", () => {
  it("come along from the one who gives it", async () => {
    const world = all(() => ({ digests, prefixes }));
    assert.deepEqual(await world.list(), { digests, prefixes, faults: [] });
    assert.deepEqual(world.asked, [true]);
  });

  const others: readonly (readonly [what: string, list: PieceDigests | undefined])[] = [
    ["none", undefined],
    ["an empty list", new Uint8Array(0)],
    ["one too few", prefixes.subarray(0, -32)],
    ["one too many", Buffer.concat([prefixes, prefixes.subarray(0, 32)])],
    ["a part of one too few", prefixes.subarray(1)],
    ["one wrong bit in the first", changed(prefixes, 0)],
    ["one wrong bit in one amid them", changed(prefixes, prefixes.length / 2 + 7)],
    ["one wrong bit in the last", changed(prefixes, prefixes.length - 1)],
    ["the digests of pieces", digests],
  ];
  for (const [what, given] of others) {
    it(`are left out without blame when ${what} came`, async () => {
      const world = all(() => ({ digests, prefixes: given }));
      assert.deepEqual(await world.list(), { digests, prefixes: undefined, faults: [] });
      assert.equal(world.asked.length, 1, "the list is right, so nobody else is asked");
    });
  }

  it("that end in another file are left out, whoever agreed on them", async () => {
    const others = changed(prefixes, prefixes.length - 1);
    const world = all(() => ({ digests, prefixes: others }), {
      ...claim,
      prefixRoot: rootOf(others),
    });
    assert.equal((await world.list()).prefixes, undefined);
  });

  it("that nobody agreed on are not asked for, and not taken", async () => {
    const gives = () => ({ digests, prefixes });
    const world = new World().add(claim, gives).add(plain, gives).add(plain, gives);
    assert.equal((await world.list()).prefixes, undefined);
    assert.deepEqual(world.asked, [false]);
  });

  it("of a file below 128 MiB are not asked for, and not taken", async () => {
    const small = fileOf(limits.prefixDigestBytes - 1);
    const world = all(() => small, small.claim);
    assert.equal((await world.list()).prefixes, undefined);
    assert.deepEqual(world.asked, [false]);
  });

  it("without which the digests alone fill the memory there is are not asked for", async () => {
    // As many pieces as may be held; the list itself is never made.
    const size = (limits.pieceListBytes / 32) * 4 * 1024 * 1024;
    const world = all(() => ({ digests, prefixes }), { ...claim, size });
    assert.equal((await world.list()).prefixes, undefined);
    assert.deepEqual(world.asked, [false]);
  });

  it("are asked of those first who name their root, however far", async () => {
    const without = () => ({ digests });
    const gives = () => ({ digests, prefixes });
    const world = new World().add(plain, without).add(claim, gives).add(claim, gives);
    assert.deepEqual((await world.list()).prefixes, prefixes);
    assert.equal(world.asked.length, 1);
  });

  it("come with the digests of one who has none when the others fail", async () => {
    const wrong = () => ({ digests: changed(digests, 3), prefixes });
    const world = new World()
      .add(plain, () => ({ digests }))
      .add(claim, wrong)
      .add(claim, wrong);
    const list = await world.list();
    assert.deepEqual([list.digests, list.prefixes], [digests, undefined]);
    assert.deepEqual(
      list.faults.map(({ replica, fault }) => `${replica} ${fault.kind}`),
      ["2 corrupt", "3 corrupt"],
    );
  });
});
