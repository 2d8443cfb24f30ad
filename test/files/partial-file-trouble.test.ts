import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { StorageError } from "../../src/errors.js";
import { openPartialFile } from "../../src/files/partial-file.js";
import { resolveTarget } from "../../src/files/target.js";
import type { JournalRecord, Sink } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusingOn } from "../support/refusing-disk.js";
import { scratchFolder } from "../support/scratch-folder.js";

const bytes = Buffer.alloc(200_000, "quorate");
const manifest = manifestOfBytes(bytes);
const record = (piece: number): JournalRecord => {
  return { piece: pieceIndex(piece), digest: Uint8Array.from(leafAt(manifest.pieces, piece)) };
};

const codes: readonly (readonly [code: string, says: RegExp])[] = [
  ["ENOSPC", /the disk is full; free some space and run it again to resume$/],
  ["EDQUOT", /the disk quota is used up; free some space and run it again to resume$/],
  ["EIO", /the disk failed \(EIO\); what was verified before is kept$/],
  ["EFBIG", /larger than the file system or `ulimit -f` allows$/],
  ["EROFS", /the file system is read-only$/],
];

describe("a disk that refuses in mid-transfer", () => {
  const at = scratchFolder();
  const open = async () => {
    const target = await resolveTarget(at("out"), "x");
    return openPartialFile(target, { manifest, isForced: false, resumes: true });
  };

  for (const [code, says] of codes) {
    for (const [call, what] of [
      ["write", "a write"],
      ["datasync", "a sync"],
      ["write", "the journal"],
      ["datasync", "the journal's sync"],
    ] as const) {
      it(`with ${code} for ${what} is told in words, and what was journaled before is kept`, async () => {
        {
          await using partial = await open();
          await partial.sink.write(0, bytes);
          await partial.journal.append([record(0), record(1)]);
          await partial.journal.sync(() => partial.sink.sync());
          await partial.sink.write(0, bytes);
          await partial.journal.append([record(2)]);
          const operation = {
            "a write": () => partial.sink.write(0, bytes),
            "a sync": () => partial.journal.sync(() => partial.sink.sync()),
            "the journal": () => partial.journal.append([record(3)]),
            "the journal's sync": () => partial.journal.sync(async () => {}),
          }[what];
          const refused = refusingOn(call, code, operation);
          await assert.rejects(refused, (error) => isStorage(error, says));
        }
        await using again = await open();
        const kept = what === "a sync" ? [0, 1] : [0, 1, 2];
        assert.deepEqual(again.journal.claimed, kept.map(record));
        const there = Buffer.alloc(bytes.length);
        assert.equal(await again.sink.read(0, there), bytes.length);
        assert.deepEqual(there, bytes);
      });
    }
  }

  it("is asked once for what is there: what an earlier run left, then what was written since", async () => {
    const refusing = (partial: { sink: Sink }) =>
      refusingOn("datasync", "EIO", () => partial.sink.sync());
    {
      await using partial = await open();
      await partial.sink.write(0, bytes);
    }
    await using again = await open();
    await assert.rejects(refusing(again), (error) => isStorage(error, /disk failed/));
    await again.sink.sync();
    await refusing(again);
    await again.sink.write(0, bytes);
    await assert.rejects(refusing(again), (error) => isStorage(error, /disk failed/));
  });

  it("with no room for the header of the journal leaves nothing behind", async () => {
    const isJournal = async (handle: FileHandle) => (await handle.stat()).size < manifest.size;
    const refused = refusingOn("write", "ENOSPC", open, isJournal);
    await assert.rejects(refused, (error) => isStorage(error, /write the journal .*disk is full/));
    await using again = await open();
    assert.deepEqual([again.leftoverBytes, again.journal.claimed], [0, undefined]);
  });
});

function isStorage(error: unknown, says: RegExp): boolean {
  return error instanceof StorageError && error.exitCode === 7 && says.test(error.message);
}
