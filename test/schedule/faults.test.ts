import assert from "node:assert/strict";
import { consequenceOf, type Fault, faultText } from "../../src/schedule/faults.js";

const detail = "why";
const evidence = { piece: 7, expected: "right", actual: "wrong", atMs: 5 };
const list = { piece: undefined, expected: "right", actual: "wrong", atMs: 5 };
const late = (clock: "answer" | "first-byte" | "idle" | "lease"): Fault => {
  return { kind: "late", clock, waitedMs: 1540 };
};

describe("schedule/faults", () => {
  const table: readonly (readonly [fault: Fault, consequence: string, text: string])[] = [
    [{ kind: "unreachable", detail }, "back-off", "unreachable: why"],
    [late("answer"), "back-off", "no answer within 1.5 s"],
    [late("first-byte"), "back-off", "no first byte within 1.5 s"],
    [late("idle"), "back-off", "no byte for 1.5 s"],
    [late("lease"), "back-off", "lease not done within 1.5 s"],
    [{ kind: "short", detail }, "back-off", "short: why"],
    [{ kind: "busy", retryMs: 700.4 }, "wait 700.4", "busy for 700 ms"],
    [
      { kind: "hashing", retryMs: 500, doneBytes: 1, totalBytes: 9 },
      "wait 500",
      "still hashing, 1 of 9 bytes",
    ],
    [{ kind: "corrupt", detail, evidence }, "accuse 7", "corrupt: why"],
    [{ kind: "corrupt", detail, evidence: list }, "ban", "corrupt: why"],
    [{ kind: "corrupt", detail }, "ban", "corrupt: why"],
    [{ kind: "changed", detail }, "withdraw", "changed: why"],
    [{ kind: "missing" }, "withdraw", "has no such file"],
    [{ kind: "denied", detail }, "withdraw", "denied: why"],
    [{ kind: "incompatible", detail }, "withdraw", "incompatible: why"],
  ];
  for (const [fault, expected, text] of table) {
    it(`"${text}" costs: ${expected}`, () => {
      const consequence = consequenceOf(fault);
      const { kind } = consequence;
      const fact =
        kind === "wait" ? consequence.retryMs : kind === "accuse" ? consequence.piece : undefined;
      assert.equal(fact === undefined ? kind : `${kind} ${fact}`, expected);
      assert.equal(faultText(fault), text);
    });
  }

  it("an accusation and a ban carry what they rest on", () => {
    const accused = consequenceOf({ kind: "corrupt", detail, evidence });
    assert.deepEqual(accused, { kind: "accuse", piece: 7, evidence });
    const banned = consequenceOf({ kind: "corrupt", detail, evidence: list });
    assert.deepEqual(banned, { kind: "ban", evidence: list });
  });
});
