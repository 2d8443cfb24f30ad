import assert from "node:assert/strict";
import { roomProblem } from "../../bench/folder.js";
import { MiB } from "../../src/limits/byte-units.js";

describe("the folder of a bench", () => {
  const rows: readonly (readonly [
    isMemory: boolean,
    free: number,
    available: number,
    says: RegExp,
  ])[] = [
    [false, 2000, 100, /^no problem$/],
    [false, 1999, 9000, /^2000 MiB are needed and 1999 are free$/],
    [true, 9000, 3024, /^no problem$/],
    [true, 1999, 9000, /^2000 MiB are needed and 1999 are free$/],
    [true, 9000, 3023, /^2000 MiB are needed of memory and 3023 are available, 1024 of which/],
  ];
  for (const [isMemory, free, available, says] of rows) {
    it(`${isMemory ? "in memory" : "on a disk"}, ${free} MiB free, ${available} in all: ${says}`, () => {
      const room = { isMemory, freeBytes: free * MiB, availableBytes: available * MiB };
      assert.match(roomProblem(room, 2000 * MiB) ?? "no problem", says);
    });
  }
});
