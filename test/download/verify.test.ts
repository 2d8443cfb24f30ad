import assert from "node:assert/strict";
import { type Verification, verify } from "../../src/download/verify.js";
import { StorageError } from "../../src/errors.js";
import { lying, refusingPieces, withoutPieces, wrongPieces } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { madeUp } from "../support/made-up.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import {
  type ByLetter,
  content,
  errorOf,
  honest,
  name,
  pieceBytes,
  replicasOf,
} from "./small-download.js";

function check(local: Uint8Array, byLetter: ByLetter): Promise<Verification> {
  const digestLocal = async (bytes: number) => manifestOfBytes(local, bytes);
  const request = { name, replicas: replicasOf(byLetter) };
  return verify(request, { clock: new FakeClock(), digestLocal });
}

const honestPair = (): ByLetter => ({ A: honest(), B: honest() });

/** The file with these bytes changed. */
function damaged(...offsets: readonly number[]): Buffer {
  const bytes = Buffer.from(content);
  for (const offset of offsets) bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  return bytes;
}

const piece = (start: number, end = start + 1) => {
  return { start: start * pieceBytes, end: Math.min(end * pieceBytes, content.length) };
};

describe("a verification", () => {
  it("of the right file says so", async () => {
    const { isRight, bad, agreement, local } = await check(content, honestPair());
    assert.deepEqual([isRight, bad], [true, []]);
    assert.equal(local.digest, agreement.manifest.digest);
  });

  const cases: readonly (readonly [
    string,
    Uint8Array,
    readonly { start: number; end: number }[],
  ])[] = [
    ["one wrong byte", damaged(3 * pieceBytes), [piece(3)]],
    ["neighbours", damaged(3 * pieceBytes, 4 * pieceBytes + 7), [piece(3, 5)]],
    ["the first and the last byte", damaged(0, content.length - 1), [piece(0), piece(19)]],
    ["a tail that is not there", content.subarray(0, 18 * pieceBytes + 5), [piece(18, 20)]],
    ["nothing at all", new Uint8Array(0), [piece(0, 20)]],
  ];
  for (const [title, local, expected] of cases) {
    it(`names the bad ranges: ${title}`, async () => {
      const { isRight, bad } = await check(local, honestPair());
      assert.deepEqual([isRight, bad], [false, expected]);
    });
  }

  it("names what is too much", async () => {
    const whole = madeUp(2 * pieceBytes);
    const replicas = { A: honest(whole) };
    const { isRight, bad } = await check(Buffer.concat([whole, Buffer.alloc(9)]), replicas);
    assert.deepEqual([isRight, bad], [false, [{ start: whole.length, end: whole.length + 9 }]]);
  });

  it("names what is too much after a short piece", async () => {
    const { bad } = await check(Buffer.concat([content, Buffer.alloc(9)]), honestPair());
    assert.deepEqual(bad?.at(-1)?.end, content.length + 9);
  });

  it("of something where nothing should be names all of it", async () => {
    const { bad } = await check(Buffer.alloc(5), { A: honest(new Uint8Array(0)) });
    assert.deepEqual(bad, [{ start: 0, end: 5 }]);
  });

  it("without pieces tells right from wrong, and not where", async () => {
    const replicas = { A: withoutPieces(honest()), B: withoutPieces(honest()) };
    assert.deepEqual((await check(content, replicas)).isRight, true);
    const { isRight, bad } = await check(damaged(5), replicas);
    assert.deepEqual([isRight, bad], [false, undefined]);
  });

  it("takes the piece list from whoever has the right one", async () => {
    const { bad } = await check(damaged(5), { A: wrongPieces(honest()), B: honest() });
    assert.deepEqual(bad, [piece(0)]);
  });

  it("tells wrong even when nobody hands out the piece list", async () => {
    const refuses = refusingPieces(honest(), { kind: "denied", detail: "no" });
    const { isRight, bad } = await check(damaged(5), { A: refuses });
    assert.deepEqual([isRight, bad], [false, undefined]);
  });

  it("without a quorum there is no verdict", async () => {
    const replicas = { A: honest(), B: lying(honest()) };
    await assert.rejects(check(content, replicas), errorOf("NoQuorumError", /^verify file\.bin: /));
  });

  it("a local file that cannot be read is a storage error", async () => {
    const digestLocal = async () => {
      throw new StorageError("read file.bin: denied");
    };
    const request = { name, replicas: replicasOf(honestPair()) };
    await assert.rejects(verify(request, { clock: new FakeClock(), digestLocal }), StorageError);
  });
});
