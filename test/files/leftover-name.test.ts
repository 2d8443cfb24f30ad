import assert from "node:assert/strict";
import { basename } from "node:path";
import { parseLeftoverName } from "../../src/files/leftover-name.js";
import { resolveTarget } from "../../src/files/target.js";

const uuid = "01234567-89ab-cdef-0123-456789abcdef";

describe("a leftover's name", () => {
  const cases: readonly (readonly [name: string, kind: string, key: string])[] = [
    [".a.bin.quorate-part", "partial", "/a.bin"],
    [".a.bin.quorate-journal", "journal", "/a.bin"],
    [".a.bin.quorate-part.3", "partial", "3/a.bin"],
    [".a.bin.quorate-journal.3", "journal", "3/a.bin"],
    [".a.bin.quorate-part.lock", "lock", "/a.bin"],
    [".a.bin.quorate-part.lock.taking", "lock", "/a.bin"],
    [`.a.bin.quorate-part.lock.${uuid}`, "lock", "/a.bin"],
    [`.a.bin.quorate-part.${uuid}`, "partial", `${uuid}/a.bin`],
    ["..hidden.quorate-part", "partial", "/.hidden"],
    [".two\nlines.quorate-part", "partial", "/two\nlines"],
    [".x.quorate-part.quorate-part", "partial", "/x.quorate-part"],
  ];
  for (const [name, kind, key] of cases) {
    it(`is ${JSON.stringify(name)}`, () => {
      const parsed = parseLeftoverName(name);
      assert.deepEqual([parsed?.kind, parsed?.key], [kind, key]);
    });
  }

  for (const name of [
    "a.bin",
    "a.bin.quorate-part",
    ".quorate-part",
    "..quorate-part",
    ".a.quorate-part.0",
    ".a.quorate-part.1.bak",
    ".a.quorate-parts",
    ".a.quorate-journal.lock",
    ".a.quorate-part.lock.other",
    ".a.quorate-part.lock.taking.1",
    `.a.quorate-journal.${uuid}`,
    `.a.quorate-part.${uuid}.1`,
    `.quorate-part.${uuid}`,
  ]) {
    it(`is not ${name}`, () => assert.equal(parseLeftoverName(name), undefined));
  }

  it("is what a download makes, of names of any length", async () => {
    for (const output of ["a.bin", "x".repeat(240)]) {
      const target = await resolveTarget(`/nowhere/${output}`, "any");
      assert.equal(parseLeftoverName(basename(target.partial))?.kind, "partial");
      assert.equal(parseLeftoverName(basename(target.journal))?.kind, "journal");
      assert.equal(parseLeftoverName(basename(target.output)), undefined);
    }
  });
});
