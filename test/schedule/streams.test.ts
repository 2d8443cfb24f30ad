/** Streams on trial: when one more is tried, and what it must bring to be kept. */

import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { type Flow, Streams } from "../../src/schedule/streams.js";
import { replicaId } from "../../src/trust/quorum.js";

const [A, B] = [replicaId("A"), replicaId("B")];
const MB = 1e6;

/** Replicas that send at rates which follow from how many streams each has. */
class Source {
  readonly streams: Streams;
  now = 0;
  readonly #rates: (of: (name: string) => number, now: number) => Readonly<Record<string, number>>;
  readonly #parts: Partial<Flow>;
  readonly #bytes = new Map<string, number>();
  /** Each change of a replica's streams, in order. */
  readonly seen: string[] = [];

  constructor(
    rates: (of: (name: string) => number, now: number) => Readonly<Record<string, number>>,
    parts: Partial<Flow> = {},
    most?: number,
  ) {
    this.streams = new Streams(most);
    this.#rates = rates;
    this.#parts = parts;
  }

  of = (name: string) => this.streams.of(replicaId(name));

  /** Lets time pass. */
  run(ms: number): this {
    for (const until = this.now + ms; this.now < until; ) {
      this.now += 50;
      const rates = Object.entries(this.#rates(this.of, this.now));
      const flows = rates.map(([name, rate]): Flow => {
        const bytes = (this.#bytes.get(name) ?? 0) + rate / 20;
        this.#bytes.set(name, bytes);
        const usual = { isGood: true, latencyMs: 20, workMs: 60_000, pieceMs: 50 };
        return { replica: replicaId(name), bytes, ...usual, ...this.#parts };
      });
      const before = rates.map(([name]) => this.of(name));
      this.streams.update(flows, this.now);
      for (const [index, [name]] of rates.entries()) {
        const [was, is] = [before[index] ?? 1, this.of(name)];
        if (was !== is) this.seen.push(`${name}${is}`);
      }
    }
    return this;
  }
}

/** Each connection carries so much, and the link of each replica no more than that. */
const capped = (connection: number, link: number) => (of: (name: string) => number) => ({
  A: Math.min(of("A") * connection, link) * MB,
});
const shared = capped(40, 40);

describe("schedule/streams", () => {
  it("a replica whose connections are narrow gets as many as it may have", () => {
    const source = new Source(capped(5, 40)).run(60_000);
    assert.deepEqual(source.seen, ["A2", "A3", "A4"]);
  });

  it("a stream that brings nothing is taken back, and tried again half a minute later", () => {
    const source = new Source(shared).run(10_000);
    assert.deepEqual([source.seen, source.of("A")], [["A2", "A1"], 1]);
    source.run(limits.streamPauseMs - 6_000);
    assert.deepEqual(source.seen, ["A2", "A1"]);
    source.run(11_000);
    assert.deepEqual(source.seen, ["A2", "A1", "A2", "A1"]);
    // And then only after a minute.
    source.run(limits.streamPauseMs + 10_000);
    assert.equal(source.seen.length, 4);
    source.run(limits.streamPauseMs);
    assert.equal(source.seen.length, 6);
  });

  const gains: readonly (readonly [number, number])[] = [
    [1.1, 1],
    [1.18, 1],
    [1.25, 2],
    [2, 2],
  ];
  for (const [gain, kept] of gains) {
    it(`a second stream that multiplies the rate by ${gain} leaves ${kept}`, () => {
      const rates = (of: (name: string) => number) => ({ A: (of("A") > 1 ? gain : 1) * 10 * MB });
      assert.equal(new Source(rates, {}, 2).run(8_000).of("A"), kept);
    });
  }

  it("what one gains and another loses is no gain: our own link is the narrow place", () => {
    const rates = (of: (name: string) => number) => {
      const all = of("A") + of("B");
      return { A: (30 * MB * of("A")) / all, B: (30 * MB * of("B")) / all };
    };
    const source = new Source(rates).run(25_000);
    assert.deepEqual([source.of("A"), source.of("B")], [1, 1]);
    assert.deepEqual(source.seen, ["A2", "A1", "B2", "B1"]);
  });

  it("nor is it when another becomes faster meanwhile", () => {
    const rates = (_: unknown, now: number) => ({ A: 10 * MB, B: (now < 2_300 ? 10 : 30) * MB });
    const source = new Source(rates).run(5_000);
    assert.deepEqual([source.seen.slice(0, 2), source.of("A")], [["A2", "A1"], 1]);
  });

  it("one is tried at a time, whoever has the fewest first", () => {
    const rates = (of: (name: string) => number) => ({ A: of("A") * MB, B: of("B") * MB });
    const source = new Source(rates).run(60_000);
    assert.deepEqual(source.seen, ["A2", "B2", "A3", "B3", "A4", "B4"]);
  });

  const reasons: readonly (readonly [string, Partial<Flow>])[] = [
    ["nobody out of good standing", { isGood: false }],
    ["nobody on this machine", { latencyMs: 1 }],
    ["nobody who is nearly done", { workMs: 4_900 }],
    ["nobody whose pieces take long", { pieceMs: 300 }],
  ];
  for (const [fact, parts] of reasons) {
    it(`${fact} gets another stream`, () => {
      assert.deepEqual(new Source(capped(5, 40), parts).run(30_000).seen, []);
    });
  }

  it("nobody whose rate changes gets another stream, nor who sends nothing", () => {
    const changing = (_: unknown, now: number) => ({ A: now % 4000 < 2000 ? MB : 3 * MB });
    assert.deepEqual(new Source(changing).run(1_900).seen, []);
    const rising = (_: unknown, now: number) => ({ A: MB * 1.5 ** (now / 1000) });
    assert.deepEqual(new Source(rising).run(20_000).seen, []);
    assert.deepEqual(new Source(() => ({ A: 0 })).run(30_000).seen, []);
  });

  it("a stream that fails is gone, whether on trial or kept", () => {
    const source = new Source(capped(5, 40)).run(2_500);
    assert.deepEqual(source.seen, ["A2"]);
    source.streams.failed(A, source.now);
    assert.equal(source.run(20_000).of("A"), 1);
    const kept = new Source(capped(5, 40)).run(60_000);
    kept.streams.failed(A, kept.now);
    assert.equal(kept.run(20_000).of("A"), 3);
    kept.streams.failed(B, kept.now);
    assert.equal(kept.of("B"), 1);
  });

  it("all of them together have no more than there may be leases", () => {
    const names = Array.from({ length: limits.leases - 3 }, (_, at) =>
      String.fromCodePoint(512 + at),
    );
    const rates = (of: (name: string) => number) =>
      Object.fromEntries(names.map((name) => [name, of(name) * MB]));
    const source = new Source(rates).run(30_000);
    const total = names.reduce((sum, name) => sum + source.of(name), 0);
    assert.equal(total, limits.leases);
  });

  it("when we stood still, a trial is void: no stream of it, and no pause after it", () => {
    const source = new Source(capped(5, 40)).run(2_500);
    source.streams.forget();
    assert.equal(source.of("A"), 1);
    assert.deepEqual(source.run(3_000).seen, ["A2", "A2"]);
  });
});
