/** The n-th operation of the disk fails, for every n: no wrong file, and the next run works. */

import assert from "node:assert/strict";
import { StorageError } from "../../src/errors.js";
import { paced, withoutBytes, withoutPieces } from "../support/broken-replica.js";
import type { MemoryOperation } from "../support/memory-partial.js";
import {
  type ByLetter,
  content,
  errorOf,
  honest,
  pieceBytes,
  SmallDownload,
} from "./small-download.js";

const bytes = content.subarray(0, 6 * pieceBytes + 7);

function pair(world: SmallDownload, isForeign: boolean): ByLetter {
  const [A, B] = [honest(bytes), honest(bytes)].map((replica) =>
    paced(isForeign ? withoutPieces(replica) : replica, world.clock, { rate: 60_000 }),
  );
  assert.ok(A !== undefined && B !== undefined);
  return { A, B };
}

/**
 * Fails the n-th of these operations, and every read after it: what cannot be read is read again.
 * Tells whether it came to that.
 */
async function runWithFailure(
  world: SmallDownload,
  failing: MemoryOperation,
  n: number,
  isForeign: boolean,
): Promise<boolean> {
  let count = 0;
  let hasFailed = false;
  let syncs = 0;
  world.store.before = (operation) => {
    if (operation === "sync") assert.ok(!hasFailed || failing !== "sync", "no sync is tried again");
    if (operation === "sync") syncs++;
    if (operation === "journal-sync") assert.ok(syncs-- > 0, "the bytes are synced first");
    if (operation !== failing || count++ < n || (hasFailed && failing !== "read")) return;
    hasFailed = true;
    throw new StorageError(`${operation} memory: no space left`);
  };
  const run = world.get(pair(world, isForeign));
  const outcome = await run.catch((error: unknown) => error);
  world.store.before = () => {};
  assert.equal(outcome instanceof StorageError, hasFailed, String(outcome));
  return hasFailed;
}

const disk = ["write", "read", "append", "sync", "journal-sync", "publish"] as const;

describe("a disk whose n-th operation fails", () => {
  for (const isForeign of [false, true]) {
    for (const operation of disk) {
      const from = isForeign ? "foreign replicas" : "replicas with pieces";
      it(`(${operation}, from ${from}) ends the download, and the next run succeeds`, async () => {
        let n = 0;
        for (; ; n++) {
          const world = new SmallDownload();
          if (!(await runWithFailure(world, operation, n, isForeign))) break;
          world.assertUnpublished();
          await world.get(pair(world, isForeign));
          world.assertPublished(bytes);
        }
        assert.ok(n >= (operation === "write" ? 7 : 1), `${n} operations were made to fail`);
      });
    }
  }

  it("(opening) ends the download before a byte was asked for", async () => {
    const world = new SmallDownload();
    world.store.isLocked = true;
    const outcome = await world.get(pair(world, false)).catch((error: unknown) => error);
    assert.ok(outcome instanceof StorageError);
    assert.equal(world.store.published, undefined);
  });

  it("(opening, while reads run) ends the download at once, though nobody delivers", async () => {
    const world = new SmallDownload();
    const refused = async (): Promise<never> => {
      await world.clock.sleep(20, new AbortController().signal);
      throw new StorageError("lock memory: somebody else is writing this output");
    };
    world.wrap = (partial) => {
      const opening = refused();
      opening.catch(() => {});
      return { ...partial, opening, sink: { ...partial.sink, write: () => opening } };
    };
    const { A } = pair(world, false);
    assert.ok(A !== undefined);
    const startedAt = world.clock.now();
    await assert.rejects(
      world.get({ A: withoutBytes(A, world.clock) }),
      errorOf("StorageError", /somebody else is writing/),
    );
    assert.equal(world.clock.now() - startedAt, 20);
    world.assertUnpublished();
  });

  it("(write) keeps what was verified before: the next run resumes", async () => {
    const world = new SmallDownload();
    assert.equal(await runWithFailure(world, "write", 5, false), true);
    const { resumedBytes } = await world.get(pair(world, false));
    assert.equal(Math.ceil(resumedBytes / pieceBytes), 5, "the last piece is short");
  });

  it("(publish) leaves nothing to be fetched again", async () => {
    const world = new SmallDownload();
    assert.equal(await runWithFailure(world, "publish", 0, false), true);
    const { resumedBytes } = await world.get(pair(world, false));
    world.assertPublished(bytes);
    assert.equal(resumedBytes, bytes.length);
  });
});
