import assert from "node:assert/strict";
import {
  type CallCase,
  type CallKind,
  type CallOutcome,
  callsProblem,
  countCalls,
  failCall,
  kinds,
  onePieceKinds,
} from "./calls.js";
import { Lab } from "./lab.js";
import { inLanes } from "./lanes.js";

/** More of a kind are left to the long form. */
const mostOfAKind = 6;

for (const isOnePiece of [false, true]) {
  const what = isOnePiece ? "a file of one piece" : "our files";
  describe(`the n-th system call on ${what} fails`, function () {
    this.timeout(900_000);
    let lab: Lab | undefined;

    before(async function () {
      const problem = await callsProblem();
      if (problem !== undefined) {
        process.stderr.write(`      skipped: ${problem}\n`);
        this.skip();
      }
      lab = await Lab.open(isOnePiece ? 1000 : 3 * 64 * 1024 + 5, [undefined]);
    });
    after(() => lab?.close());

    const here = isOnePiece ? onePieceKinds : (Object.keys(kinds) as CallKind[]);
    const errors = ["EIO", "ENOSPC", ...(isOnePiece ? (["SIGKILL"] as const) : [])] as const;
    for (const kind of here) {
      it(`${kind}, with ${errors.join(", ")}: it ended right, or can be run again`, async () => {
        assert.ok(lab !== undefined);
        const { length } = await outcomesOf(lab, kind, errors);
        assert.ok(length > 0);
      });
    }
  });
}

async function outcomesOf(
  lab: Lab,
  kind: CallKind,
  errors: readonly CallCase["error"][],
): Promise<CallOutcome[]> {
  // A rename is made only where an output is replaced.
  const isForced = kind === "rename";
  const count = await countCalls(lab, kind, isForced);
  assert.ok(count > 0, `a download makes such calls`);
  const whens = Array.from({ length: Math.min(count, mostOfAKind) }, (_, index) => index + 1);
  const cases = whens.flatMap((when) => errors.map((error) => ({ kind, error, when, isForced })));
  const outcomes = await inLanes(cases.length, 2, (number) => {
    const failing = cases[number];
    assert.ok(failing !== undefined);
    return failCall(lab, failing);
  });
  assert.ok(
    outcomes.some((outcome) => outcome !== "never came"),
    String(outcomes),
  );
  if (errors.includes("SIGKILL")) assert.ok(outcomes.includes("killed"), String(outcomes));
  return outcomes;
}
