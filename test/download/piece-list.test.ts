import assert from "node:assert/strict";
import { fetchPieceList, type PieceList } from "../../src/download/piece-list.js";
import { limits } from "../../src/limits.js";
import type { Replica } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { leafDigest } from "../../src/trust/merkle.js";
import {
  decide,
  type Reached,
  type ReplicaId,
  replicaId,
  type Vote,
} from "../../src/trust/quorum.js";
import {
  altered,
  refusingPieces,
  silent,
  withoutPieces,
  wrongPieces,
} from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { type ByLetter, content, errorOf, honest, name, replicasOf } from "./small-download.js";

async function agreementOf(byLetter: ByLetter): Promise<Reached> {
  const call = { signal: new AbortController().signal, deadlineMs: 1000 };
  const votes: Vote[] = [];
  for (const [replica, asked] of replicasOf(byLetter)) {
    const { claim } = await asked.claim(name, call);
    votes.push({ replica, answer: { kind: "claimed", claim } });
  }
  const agreement = decide(votes, { kind: "majority" });
  assert.ok(agreement.reached);
  return agreement;
}

async function fetchFrom(
  byLetter: ByLetter,
  signal = new AbortController().signal,
): Promise<PieceList> {
  const agreement = await agreementOf(byLetter);
  // Not every version asks for a clock; more than it asks for does no harm.
  const request = { replicas: replicasOf(byLetter), name, signal, clock: new FakeClock() };
  return fetchPieceList(agreement, request);
}

const { pieces, root } = manifestOfBytes(content);
const far = (replica: ReplicaId, index: number) => [replica, 100 - index] as const;
const file = honest();
const unreachable: Fault = { kind: "unreachable", detail: "no route" };
const faultsOf = ({ faults }: PieceList) =>
  faults.map(({ replica, fault }) => `${replica} ${fault.kind}`);

describe("the piece list", () => {
  it("comes from one member, and the others are not asked", async () => {
    let asked = 0;
    const counted = (replica: Replica): Replica =>
      altered(replica, {
        pieces(request, call) {
          asked++;
          return replica.pieces(request, call);
        },
      });
    const { digests } = await fetchFrom({ A: counted(file), B: counted(file) });
    assert.deepEqual(digests && Buffer.from(digests), Buffer.from(pieces));
    assert.equal(asked, 1);
  });

  it("of a single piece follows from the root, and nobody is asked", async () => {
    const single = honest(content.subarray(0, 1000));
    const { digests } = await fetchFrom({ A: altered(single, { pieces: () => assert.fail() }) });
    assert.deepEqual(digests && Buffer.from(digests), leafDigest(content.subarray(0, 1000)));
  });

  it("comes from the nearest member", async () => {
    const roundTripsMs = new Map([...replicasOf({ A: file, B: file, C: file }).keys()].map(far));
    const asked: string[] = [];
    const told = (letter: string): Replica =>
      altered(file, {
        pieces(request, call) {
          asked.push(letter);
          return file.pieces(request, call);
        },
      });
    const byLetter = { A: told("A"), B: told("B"), C: told("C") };
    const agreement = await agreementOf(byLetter);
    const { signal } = new AbortController();
    const request = { replicas: replicasOf(byLetter), name, signal, clock: new FakeClock() };
    await fetchPieceList(agreement, { ...request, roundTripsMs });
    assert.deepEqual(asked, ["C"]);
  });

  it("is asked of a second one when the first says nothing for a second, without blame", async () => {
    const clock = new FakeClock();
    let hasLetGo = false;
    const mute = altered(file, {
      pieces: (_, call) => {
        call.signal.addEventListener("abort", () => {
          hasLetGo = true;
        });
        return silent(file, clock).pieces({ ..._ }, call);
      },
    });
    const byLetter = { A: mute, B: file };
    const agreement = await agreementOf(byLetter);
    const { signal } = new AbortController();
    const request = { replicas: replicasOf(byLetter), name, signal, clock };
    const list = await fetchPieceList(agreement, request);
    assert.deepEqual(list.digests && Buffer.from(list.digests), Buffer.from(pieces));
    assert.deepEqual(list.faults, []);
    const waitedMs = clock.now() - 1000;
    const listMs = (2 * pieces.length * 1000) / limits.pieceListRate;
    assert.equal(Math.round(waitedMs), Math.round(limits.pieceListPatienceLeastMs + listMs));
    assert.ok(hasLetGo, "nobody waits for the first one any more");
  });

  for (const { awayMs, patienceMs } of [
    { awayMs: 300, patienceMs: limits.pieceListPatienceLeastMs + 300 },
    { awayMs: 4000, patienceMs: limits.pieceListPatienceMs },
  ]) {
    it(`is waited for for ${patienceMs} ms from one that is ${awayMs} ms away`, async () => {
      const clock = new FakeClock();
      const byLetter = { A: silent(file, clock), B: file };
      const agreement = await agreementOf({ A: file, B: file });
      const { signal } = new AbortController();
      const asked = { replicas: replicasOf(byLetter), name, signal, clock };
      const distances = Object.entries({ A: awayMs, B: awayMs + 1 });
      const roundTripsMs = new Map(distances.map(([letter, ms]) => [replicaId(letter), ms]));
      await fetchPieceList(agreement, { ...asked, roundTripsMs });
      assert.ok(Math.abs(clock.now() - 1000 - patienceMs) < 5);
    });
  }

  it("without the agreed root is its sender's fault, and the next one is asked", async () => {
    const list = await fetchFrom({ A: wrongPieces(file), B: file });
    assert.deepEqual(list.digests && Buffer.from(list.digests), Buffer.from(pieces));
    assert.deepEqual(faultsOf(list), ["A corrupt"]);
    const [first] = list.faults;
    assert.ok(first?.fault.kind === "corrupt");
    assert.equal(first.fault.evidence?.piece, undefined);
    assert.equal(first.fault.evidence?.expected, root);
    assert.notEqual(first.fault.evidence?.actual, root);
  });

  it("that does not come at all is its sender's fault, too", async () => {
    const list = await fetchFrom({
      A: refusingPieces(file, unreachable),
      B: refusingPieces(file, { kind: "missing" }),
      C: file,
    });
    assert.deepEqual(faultsOf(list), ["A unreachable", "B missing"]);
  });

  it("is not asked of those who gave no root", async () => {
    const list = await fetchFrom({ A: withoutPieces(file), B: file });
    assert.deepEqual(faultsOf(list), []);
    assert.notEqual(list.digests, undefined);
  });

  it("does not exist when no member gives pieces", async () => {
    const list = await fetchFrom({ A: withoutPieces(file), B: withoutPieces(file) });
    assert.deepEqual(list, { digests: undefined, prefixes: undefined, faults: [] });
  });

  it("of an empty file is empty, and nobody is asked", async () => {
    const empty = refusingPieces(honest(new Uint8Array(0)), unreachable);
    const list = await fetchFrom({ A: empty });
    assert.deepEqual(list, { digests: new Uint8Array(0), prefixes: undefined, faults: [] });
  });

  it("that nobody gives is the end: not all chunks are downloaded", async () => {
    const replicas = { A: wrongPieces(file), B: refusingPieces(file, unreachable) };
    const expected = errorOf("OutOfReplicasError", /not all chunks are downloaded/);
    await assert.rejects(fetchFrom(replicas), expected);
  });

  it("is asked for again when the only one to give it was busy", async () => {
    const busy = refusingPieces(file, { kind: "busy", retryMs: 200 }, 2);
    const { digests } = await fetchFrom({ A: busy });
    assert.deepEqual(digests && Buffer.from(digests), Buffer.from(pieces));
  });

  it("is not waited for once it is aborted", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const reason = new Error("enough");
    const { pieces: never } = silent(file, clock);
    const fetched = fetchFrom({ A: altered(file, { pieces: never }) }, abort.signal);
    void clock.sleep(100).then(() => abort.abort(reason));
    await assert.rejects(fetched, (error) => error === reason);
    assert.equal(clock.now(), 1100);
  });
});
