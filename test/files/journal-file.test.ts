import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { link, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { StorageError } from "../../src/errors.js";
import {
  encodeRecord,
  headerOf,
  identityOf,
  openJournal,
  parseJournal,
} from "../../src/files/journal-file.js";
import type { JournalRecord } from "../../src/ports.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { leafAt } from "../../src/trust/merkle.js";
import { manifestOfBytes } from "../support/memory-partial.js";
import { refusal } from "../support/refusal.js";
import { scratchFolder } from "../support/scratch-folder.js";

const recordBytes = 40;
const manifest = manifestOfBytes(Buffer.alloc(10_000, "quorate"), 1000);
const another = manifestOfBytes(Buffer.alloc(10_000, "another"), 1000);
const identity = identityOf(manifest);
const header = headerOf(identity);
const records = [7, 0, 9].map(record);
const journal = Buffer.concat([header, ...records.map(encodeRecord)]);

describe("parseJournal", () => {
  const parse = (bytes: Buffer) => parseJournal(bytes, identity, manifest.pieceCount);

  it("gives back what was encoded", () => {
    assert.deepEqual(parse(journal), { kind: "known", records, endBytes: journal.length });
  });

  it("gives, of a journal cut at any byte, the records that are whole", () => {
    for (let length = 0; length <= journal.length; length++) {
      const parsed = parse(journal.subarray(0, length));
      const whole = Math.floor((length - header.length) / recordBytes);
      const expected =
        length < header.length
          ? { kind: "other" }
          : {
              kind: "known",
              records: records.slice(0, whole),
              endBytes: header.length + whole * recordBytes,
            };
      assert.deepEqual(parsed, expected, `cut at ${length}`);
    }
  });

  it("loses, whichever bit is flipped, the record that it was in and no other", () => {
    for (let bit = 0; bit < journal.length * 8; bit++) {
      const parsed = parse(withFlipped(journal, bit));
      const hit = Math.floor((bit / 8 - header.length) / recordBytes);
      if (hit < 0) assert.notEqual(parsed.kind, "known", `bit ${bit}`);
      else {
        const others = records.filter((_, index) => index !== hit);
        assert.deepEqual(parsed.kind === "known" && parsed.records, others, `bit ${bit}`);
      }
    }
  });

  it("gives nothing of what never was a journal", () => {
    for (const text of ["", "QJL", "QJL1", "QJL0".padEnd(500), "\0".repeat(500)]) {
      assert.deepEqual(parse(Buffer.from(text)), { kind: "other" }, JSON.stringify(text));
    }
  });

  it("believes no piece beyond the last one, nor what stands at no record's place", () => {
    const beyond = encodeRecord({ ...record(0), piece: pieceIndex(10) });
    const parsed = parse(Buffer.concat([header, encodeRecord(record(1)), beyond, ...[journal]]));
    const endBytes = header.length + recordBytes;
    assert.deepEqual(parsed, { kind: "known", records: [record(1)], endBytes });
  });

  it("tells manifests apart by every fact of theirs", () => {
    const others = [
      { ...manifest, size: 9_999 },
      { ...manifest, digest: another.digest },
      { ...manifest, root: another.root },
      { ...manifest, root: undefined },
      { ...manifest, pieceBytes: 999 },
    ];
    for (const other of others) {
      assert.deepEqual(parseJournal(journal, identityOf(other), 10), { kind: "other" });
    }
  });
});

describe("openJournal", () => {
  const at = scratchFolder();

  const begun = async () => {
    const opened = await openJournal(at("j"), manifest);
    await opened.begin();
    await opened.close();
    return opened;
  };

  it("makes a journal that only its owner reads, with a header and nothing else", async () => {
    assert.equal((await begun()).claimed, undefined);
    assert.deepEqual(await readFile(at("j")), header);
    assert.equal((await stat(at("j"))).mode & 0o777, 0o600);
  });

  it("leaves one of another manifest as it is, and begins anew with the first append", async () => {
    await writeFile(at("j"), journal);
    const opened = await openJournal(at("j"), another);
    assert.equal(opened.claimed, undefined);
    await opened.sync(async () => {});
    assert.deepEqual(await readFile(at("j")), journal);
    await opened.append([record(4)]);
    await opened.append([record(5)]);
    await opened.close();
    const expected = [headerOf(identityOf(another)), ...[4, 5].map((n) => encodeRecord(record(n)))];
    assert.deepEqual(await readFile(at("j")), Buffer.concat(expected));
  });

  it("becomes an empty one of its own, when bytes of another state cannot be synced", async () => {
    await writeFile(at("j"), journal);
    const opened = await openJournal(at("j"), another);
    const refused = opened.sync(() => Promise.reject(new StorageError("the disk refuses")));
    await assert.rejects(refused, refusal(/the disk refuses/));
    await opened.close();
    assert.deepEqual(await readFile(at("j")), headerOf(identityOf(another)));
  });

  it("begins anew when the header was torn", async () => {
    await writeFile(at("j"), journal.subarray(0, header.length - 1));
    await begun();
    assert.deepEqual(await readFile(at("j")), header);
  });

  it("reads no more than a journal can hold, and cuts off the rest", async () => {
    await writeFile(at("j"), journal);
    await truncate(at("j"), 2 ** 40);
    assert.deepEqual((await begun()).claimed, records);
    assert.deepEqual(await readFile(at("j")), journal);
  });

  it("writes over a torn tail, wherever it was torn", async () => {
    for (let torn = 1; torn < recordBytes; torn += 13) {
      await writeFile(at("j"), journal.subarray(0, journal.length - recordBytes + torn));
      const opened = await openJournal(at("j"), manifest);
      await opened.append([record(4)]);
      await opened.close();
      const expected = [header, ...[7, 0, 4].map((piece) => encodeRecord(record(piece)))];
      assert.deepEqual(await readFile(at("j")), Buffer.concat(expected), `${torn} bytes left`);
    }
  });

  it("keeps what follows a broken record", async () => {
    const broken = Buffer.alloc(recordBytes, "x");
    await writeFile(at("j"), Buffer.concat([header, broken, encodeRecord(record(9))]));
    const opened = await openJournal(at("j"), manifest);
    await opened.append([record(4)]);
    await opened.close();
    assert.deepEqual(opened.claimed, [record(9)]);
    assert.deepEqual((await begun()).claimed, [record(9), record(4)]);
  });

  it("refuses, and leaves alone, what a newer version wrote", async () => {
    const newer = Buffer.concat([Buffer.from("QJL2"), journal.subarray(4)]);
    await writeFile(at("j"), newer);
    await assert.rejects(openJournal(at("j"), manifest), refusal(/newer quorate.*--no-resume/));
    assert.deepEqual(await readFile(at("j")), newer);
  });
});

describe("openJournal, where something else bears the journal's name", () => {
  const at = scratchFolder();

  it("refuses a symlink, and leaves what it points to alone", async () => {
    await writeFile(at("precious"), "mine");
    await symlink(at("precious"), at("j"));
    await assert.rejects(openJournal(at("j"), manifest), refusal(/open the journal/));
    assert.equal(await readFile(at("precious"), "utf8"), "mine");
  });

  it("refuses a file with a second name, and leaves it alone", async () => {
    await writeFile(at("precious"), "mine");
    await link(at("precious"), at("j"));
    await assert.rejects(openJournal(at("j"), manifest), refusal(/open the journal/));
    assert.equal(await readFile(at("precious"), "utf8"), "mine");
  });

  it("refuses a folder", async () => {
    await assert.rejects(openJournal(at(), manifest), refusal(/it is a folder/));
  });

  it("refuses a FIFO, and does not wait for its writer", () => {
    spawnSync("mkfifo", [at("j")]);
    // In a process of its own: a read that waits for ever could not be ended in this one.
    const source = new URL("../../src/files/journal-file.ts", import.meta.url);
    const code = `
      import { openJournal } from ${JSON.stringify(source.href)};
      await openJournal(${JSON.stringify(at("j"))}, ${JSON.stringify({ ...manifest, pieces: [] })})
        .then(() => process.exit(1), (error) => process.exit(error.code === "storage" ? 0 : 2));`;
    const argv = ["--import", "tsx", "--input-type=module", "-e", code];
    const { status, error } = spawnSync(process.execPath, argv, { timeout: 5000 });
    assert.equal(error, undefined, "it ends by itself");
    assert.equal(status, 0);
  });
});

function record(piece: number): JournalRecord {
  return { piece: pieceIndex(piece), digest: Uint8Array.from(leafAt(manifest.pieces, piece)) };
}

function withFlipped(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  const place = Math.floor(bit / 8);
  flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << (bit % 8)), place);
  return flipped;
}
