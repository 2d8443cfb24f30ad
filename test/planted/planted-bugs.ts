/**
 * Bugs that each take one protection away, and what must then turn red: worlds that need it, or a
 * test file. `find` stands exactly once in the source; when it does not any more, the list is out
 * of date, and the test says so.
 */

import { knownWorlds, manySilent, replicaWith, worldOf } from "../simulation/known-worlds.js";
import { changing, steady } from "../simulation/shapes.js";
import { forever, type Trouble, type World, type WorldReplica } from "../simulation/world.js";
import { prefixBugs } from "./prefix-bugs.js";

/** One bug. */
export interface PlantedBug {
  /** What is broken by it. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Worlds of which one must fail, or a test file that must. */
  readonly worlds: readonly World[];
  readonly testFile?: string;
}

const none: Trouble = { kind: "none" };
const corrupt: Trouble = { kind: "corrupt", share: 0.5, always: true };

/** A replica of so many megabytes a second. */
const at = (megabytes: number, trouble: Trouble = none): WorldReplica =>
  replicaWith(trouble, { rateAt: steady(megabytes), shape: `steady ${megabytes}` });

const times = <Item>(count: number, item: Item): Item[] =>
  Array.from({ length: count }, () => item);

const slowing = (megabytes: number, low: number): WorldReplica =>
  replicaWith(none, { rateAt: changing(megabytes, low, 400), shape: "falling", isSteady: false });

const large = { size: 4 * 1024 * 1024 };
/** Few and slow chunks under way when the client stands still, at several moments. */
const stalls = [500, 700, 900, 1_100, 1_300, 1_500].map((moment): World => {
  return worldOf([], {
    ...large,
    replicas: [at(0.2), at(0.23), at(0.31)],
    stalls: [{ at: moment, ms: 15_000 }],
  });
});

/** Two of three go on to the next version while the download runs. */
const edited: Trouble = { kind: "changed", from: 900, version: 1 };
const editedAtTwo = worldOf([], {
  ...large,
  replicas: [at(0.3, edited), at(0.3, edited), at(0.3)],
});

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "no piece is checked",
    file: "src/download/check-pieces.ts",
    find: "if (Buffer.compare(due, leaf) === 0) continue;",
    replace: "continue;",
    worlds: [worldOf([corrupt, none, none])],
  },
  {
    name: "what a failed lease left is forgotten",
    file: "src/schedule/ledger.ts",
    find: "this.#pool = this.#pool.union(rest.subtract(this.#settled).subtract(this.#leased()));",
    replace: "this.#pool = this.#pool.union(rest.subtract(rest));",
    worlds: [worldOf([{ kind: "short", share: 1 }, none])],
  },
  {
    name: "the watchdog sleeps",
    file: "src/schedule/watchdog.ts",
    find: "if (waitedMs < grantedMs) return undefined;",
    replace: "if (waitedMs < grantedMs * 1000) return undefined;",
    worlds: [manySilent],
  },
  {
    name: "offsets are not counted",
    file: "src/download/read-lease.ts",
    find: "    checkChunk(chunk, offset, bytes.end);\n",
    replace: "",
    worlds: [],
    testFile: "test/download/read-lease.test.ts",
  },
  {
    name: "half is a majority",
    file: "src/trust/rule.ts",
    find: "return Math.floor(configured / 2) + 1;",
    replace: "return Math.ceil(configured / 2);",
    worlds: [
      worldOf([
        ...times(2, { kind: "lie", version: 3, holds: true } as const),
        { kind: "missing", from: 0, until: forever },
        none,
      ]),
    ],
  },
  {
    name: "hedges have no budget",
    file: "src/schedule/hedge.ts",
    find: "return Math.max(limits.hedgePieces, Math.floor(pieceCount * limits.hedgeShare));",
    replace: "return Math.max(pieceCount, limits.hedgePieces);",
    worlds: [worldOf([], { ...large, replicas: [...times(8, slowing(1, 0.02)), at(1), at(1)] })],
  },
  {
    name: "a ban needs no second opinion",
    file: "src/schedule/faults.ts",
    find: 'return { kind: "accuse", piece: evidence.piece, evidence };',
    replace: 'return { kind: "ban", evidence };',
    worlds: [],
    testFile: "test/schedule/discipline.test.ts",
  },
  {
    name: "the whole digest is not checked",
    file: "src/download/prove.ts",
    find: "if ((await whole(prefix)) === manifest.digest) return undefined;",
    replace: 'if ((await whole(prefix)) !== "sha256:") return undefined;',
    worlds: [worldOf([{ kind: "false-root", story: 1 }])],
  },
  {
    name: "a checkpoint does not sync the bytes",
    file: "src/download/checkpoint.ts",
    find: "const synced = journal.sync(() => sink.sync(), isLast);",
    replace: "const synced = journal.sync(async () => void sink);",
    worlds: [worldOf([none])],
  },
  {
    name: "who joins late may claim anything",
    file: "src/download/latecomers.ts",
    find: "if (!isMember || scheduler.isDone",
    replace: "if (scheduler.isDone",
    worlds: [
      worldOf([], {
        ...large,
        replicas: [
          ...times(3, at(0.3)),
          replicaWith({ kind: "lie", version: 3, holds: true }, { latencyMs: 1500 }),
        ],
      }),
    ],
  },
  {
    name: "RetryInfo is not obeyed",
    file: "src/schedule/backoff.ts",
    find: "return Math.min(limits.retryMaxMs, Math.max(limits.retryMinMs, retryMs));",
    replace: "return Math.min(limits.retryMinMs, retryMs);",
    worlds: [
      worldOf([{ kind: "busy", from: 700, until: 3000, retryMs: 2000 }, none], {
        ...large,
        replicas: [at(0.3, { kind: "busy", from: 700, until: 3000, retryMs: 2000 }), at(0.3)],
      }),
    ],
  },
  {
    name: "replicas pay for our own stall",
    file: "src/schedule/scheduler.ts",
    find: "if (this.#stoodStillMs === 0) return;",
    replace: "if (this.#stoodStillMs >= 0) return;",
    worlds: stalls,
  },
  {
    name: "a cut takes the piece in progress, too",
    file: "src/schedule/ledger.ts",
    find: "const end = Math.max(lease.next + 1, lease.end - left);",
    replace: "const end = Math.min(lease.next, lease.end - left);",
    worlds: [],
    testFile: "test/schedule/ledger.test.ts",
  },
  {
    name: "a read does not say which version it means",
    file: "src/download/read-lease.ts",
    find: "ifDigest: reading.fileDigest }",
    replace: "ifDigest: undefined }",
    worlds: [worldOf([none])],
  },
  {
    name: "a piece list is believed without its root",
    file: "src/download/piece-list.ts",
    find: "if (actual === expected) {",
    replace: "if (actual !== undefined) {",
    worlds: [worldOf([{ kind: "false-list", piece: 2, isCutShort: false }, none, none])],
  },
  {
    name: "who is banned is asked on",
    file: "src/schedule/scoreboard.ts",
    find: 'return score.standing !== "banned" && score.notBefore <= now;',
    replace: "return score.notBefore <= now || score.evidence !== undefined;",
    worlds: [worldOf([], { ...large, replicas: [at(0.5, corrupt), at(0.5), at(0.5)] })],
  },
  {
    name: "whose file changed has voted all the same",
    file: "src/download/doubt/support.ts",
    find: "this.#changed.add(replica);",
    replace: "this.#changed.delete(replica);",
    worlds: [editedAtTwo],
  },
  {
    name: "a resumed run believes the journal",
    file: "src/download/resume.ts",
    find: "return Buffer.compare(leafAt(found, index), digest) === 0;",
    replace: "return Buffer.compare(leafAt(found, index), digest) < 2;",
    worlds: [],
    testFile: "test/download/resume.test.ts",
  },
  {
    name: "a record is more durable than its bytes",
    file: "src/files/journal-file.ts",
    find: "await syncBytes();",
    replace: "await Promise.resolve();",
    worlds: [],
    testFile: "test/durability/modelled-disk.test.ts",
  },
  {
    name: "a new header may stand above another file's records",
    file: "src/files/journal-file.ts",
    find: "if (this.#endBytes === 0 && !this.isNew) await this.#handle.datasync();",
    replace: "",
    worlds: [],
    testFile: "test/durability/modelled-disk.test.ts",
  },
  {
    name: "one more stream is judged without the others",
    file: "src/schedule/streams.ts",
    find: "ownGain >= least && sumBetween(from, sample) - sumRate >= least",
    replace: "ownGain >= least",
    worlds: [],
    testFile: "test/schedule/streams.test.ts",
  },
  {
    name: "who ends a read early waits, whatever it brought",
    file: "src/schedule/discipline.ts",
    find: "if (consequence.unlessBrought && hasBrought) return;",
    replace: "",
    worlds: [],
    testFile: "test/schedule/ends-early.test.ts",
  },
  {
    name: "who ends reads early is asked for one piece, which never comes whole",
    file: "src/schedule/scheduler.ts",
    find: "Math.max(lease.end, lease.start + least)",
    replace: "lease.end",
    worlds: [],
    testFile: "test/schedule/ends-early.test.ts",
  },
  {
    name: "a stream that failed stays",
    file: "src/schedule/streams.ts",
    find: "line.streams = Math.max(1, line.streams - 1);",
    replace: "",
    worlds: [],
    testFile: "test/schedule/streams.test.ts",
  },
  ...prefixBugs,
];

/** The worlds of all bugs: none of them fails while no bug is planted. */
export const controls: readonly World[] = [
  ...knownWorlds.values(),
  ...plantedBugs.flatMap(({ worlds }) => worlds),
];
