import assert from "node:assert/strict";
import {
  type CallCase,
  type CallKind,
  callsProblem,
  countCalls,
  failCall,
  kinds,
} from "./calls.js";
import { Lab } from "./lab.js";
import { inLanes } from "./lanes.js";

/** More of a kind are left to the long form. */
const mostOfAKind = 6;

describe("the n-th system call on our files fails", function () {
  this.timeout(900_000);
  let lab: Lab | undefined;

  before(async function () {
    const problem = await callsProblem();
    if (problem !== undefined) {
      process.stderr.write(`      skipped: ${problem}\n`);
      this.skip();
    }
    lab = await Lab.open(3 * 64 * 1024 + 5, [undefined]);
  });
  after(() => lab?.close());

  for (const kind of Object.keys(kinds) as CallKind[]) {
    it(`${kind}, with EIO and ENOSPC: stopped and resumed, or done`, async () => {
      assert.ok(lab !== undefined);
      const here = lab;
      // A rename is made only where an output is replaced.
      const isForced = kind === "rename";
      const count = await countCalls(here, kind, isForced);
      assert.ok(count > 0, `a download makes such calls`);
      const cases = Array.from(
        { length: Math.min(count, mostOfAKind) },
        (_, index) => index + 1,
      ).flatMap((when) => [
        { kind, error: "EIO", when, isForced } as const,
        { kind, error: "ENOSPC", when, isForced } as const,
      ]) satisfies CallCase[];
      const outcomes = await inLanes(cases.length, 2, (number) => {
        const failing = cases[number];
        assert.ok(failing !== undefined);
        return failCall(here, failing);
      });
      assert.ok(outcomes.includes("stopped") || outcomes.includes("done anyway"), String(outcomes));
    });
  }
});
