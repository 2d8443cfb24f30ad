import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { type ReadRequest, type Replica, ReplicaFault } from "../../src/ports.js";
import { altered, corruptAt, lying, withoutPieces } from "../support/broken-replica.js";
import {
  type ByLetter,
  content,
  honest,
  lineOf,
  pieceBytes,
  SmallDownload,
} from "./small-download.js";

const half = limits.earlyBytes;

/** A download whose reads are watched. Two stretches lie in the file, a third beyond its end. */
class World extends SmallDownload {
  override readsEarly = true;
  readonly reads: { readonly letter: string; readonly request: ReadRequest }[] = [];
  readonly #byLetter: ByLetter;

  constructor(byLetter: ByLetter) {
    super();
    this.#byLetter = byLetter;
  }

  run() {
    const watched = Object.entries(this.#byLetter).map(([letter, replica]) => {
      const read: Replica["read"] = (request, call) => {
        this.reads.push({ letter, request });
        return replica.read(request, call);
      };
      return [letter, altered(replica, { read })] as const;
    });
    return this.get(Object.fromEntries(watched));
  }

  /** Who was asked early, for which bytes. */
  early(): string[] {
    return this.reads.flatMap(({ letter, request: { isEarly, range } }) =>
      isEarly === true ? [`${letter} ${range.start}-${range.end}`] : [],
    );
  }
}

/** Early it does this, and else what the replica does. */
function onlyEarly(replica: Replica, early: Replica): Replica {
  return altered(replica, {
    read: (request, call) => (request.isEarly === true ? early : replica).read(request, call),
  });
}

describe("reads that begin with the vote", () => {
  it("are asked for before any answer, and are first leases: nothing is read twice", async () => {
    const world = new World({ A: honest(), B: honest(), C: honest() });
    let answered = 0;
    world.listen = ({ event }) => {
      if (event === "answer" && answered++ === 0) assert.equal(world.early().length, 3);
    };
    const receipt = await world.run();
    world.assertPublished();
    assert.deepEqual(world.early(), [
      `A 0-${half}`,
      `B ${half}-${2 * half}`,
      `C ${2 * half}-${3 * half}`,
    ]);
    const starts = world.reads.map(({ request }) => request.range.start);
    assert.equal(
      starts.filter((start) => start === 0).length,
      1,
      "the first piece is asked for once",
    );
    const delivered = receipt.replicas.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
    assert.equal(delivered, content.length);
    assert.equal(receipt.wastedBytes, 0);
  });

  it("are not begun where they might be useless", async () => {
    const world = new World({ A: honest(), B: honest(), C: honest() });
    world.readsEarly = false;
    await world.run();
    assert.deepEqual(world.early(), []);
  });

  it("are dropped of those who claim something else", async () => {
    const dissenting = altered(lying(honest()), {
      async *read() {
        yield { offset: 0, bytes: content.subarray(0, 2 * pieceBytes) };
      },
    });
    const world = new World({ A: dissenting, B: honest(), C: honest(), D: honest() });
    const receipt = await world.run();
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").deliveredBytes, 0);
    assert.equal(lineOf(receipt, "A").wastedBytes, 2 * pieceBytes);
    assert.equal(receipt.wastedBytes, 2 * pieceBytes);
  });

  it("count what came of them and was never handed over", async () => {
    const losing: Pick<Replica, "read"> = {
      async *read(request, call) {
        try {
          yield* honest().read(request, call);
        } finally {
          request.onLost?.(1000);
        }
      },
    };
    const dissenting = altered(lying(honest()), losing);
    const world = new World({
      A: dissenting,
      B: honest(),
      C: honest(),
      D: altered(honest(), losing),
    });
    const receipt = await world.run();
    world.assertPublished();
    const lost = lineOf(receipt, "A").wastedBytes + lineOf(receipt, "D").wastedBytes;
    assert.ok(lost >= 2000, `${lost} of 2000 bytes`);
  });

  it("are nobody's fault when they bring other bytes, fewer, or an error", async () => {
    const thrown = altered(honest(), {
      async *read() {
        yield await Promise.reject(new ReplicaFault({ kind: "corrupt", detail: "it is lost" }));
      },
    });
    const fewer = altered(honest(), {
      async *read(request, call) {
        for await (const chunk of honest().read(request, call)) {
          yield chunk;
          return;
        }
      },
    });
    for (const early of [corruptAt(honest(), 3), thrown, fewer]) {
      const world = new World({ A: onlyEarly(honest(), early), B: honest(), C: honest() });
      const receipt = await world.run();
      world.assertPublished();
      assert.deepEqual(world.faultsOf("A"), []);
      assert.equal(lineOf(receipt, "A").standing, "good");
    }
  });

  it("excuse nobody: who sends wrong pieces when they are asked for again is banned", async () => {
    const wrong = altered(honest(), {
      async *read(request, call) {
        for await (const { offset, bytes } of honest().read(request, call)) {
          yield { offset, bytes: bytes.map((byte) => byte ^ 1) };
        }
      },
    });
    const world = new World({ A: wrong, B: honest(), C: honest() });
    const receipt = await world.run();
    world.assertPublished();
    assert.equal(lineOf(receipt, "A").standing, "banned");
    assert.ok(world.faultsOf("A").every((kind) => kind === "corrupt"));
  });

  it("are of no use where nobody gives pieces", async () => {
    const foreign = () => withoutPieces(honest());
    const world = new World({ A: foreign(), B: foreign(), C: foreign() });
    await world.run();
    world.assertPublished();
    assert.equal(world.reads.filter(({ request }) => request.range.start === 0).length, 2);
  });
});
