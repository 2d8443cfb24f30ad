/** What a kept receipt says, and what is not taken for one. */

import assert from "node:assert/strict";
import { UsageError } from "../../src/errors.js";
import { keptReceipt, receiptDocument } from "../../src/receipt/kept-receipt.js";
import { parseReceipt } from "../../src/receipt/parse-receipt.js";
import type { FaultKind } from "../../src/schedule/faults.js";
import { digestOf } from "../../src/trust/digest.js";
import { claimed, claims, line, missing, receipt, silent, verdict } from "../cli/verdicts.js";

const everyFault: Record<FaultKind, number> = {
  unreachable: 1,
  late: 2,
  busy: 3,
  hashing: 4,
  short: 5,
  corrupt: 6,
  changed: 7,
  missing: 8,
  denied: 9,
  incompatible: 10,
};
const evidence = {
  piece: 3,
  expected: digestOf(Buffer.from("as agreed")),
  actual: digestOf(Buffer.from("as it came")),
  atMs: 1234.5,
};

function kept() {
  const { a, b } = claims;
  const agreement = verdict([claimed(a), claimed(a), claimed(a), claimed(b), missing, silent], {
    kind: "at-least",
    count: 3,
  });
  assert.ok(agreement.reached);
  const replicas = [
    line({ faults: everyFault }),
    line({ standing: "banned", reason: "served piece 3 corrupt", evidence }),
    line({ standing: "silent", reason: "unreachable: gone", claim: undefined }),
  ];
  const context = { program: "quorate 1.2.3", startedAtMs: 1e12, finishedAtMs: 1e12 + 2000 };
  return keptReceipt(receipt({ replicas }), agreement, context);
}

type Document = Record<string, unknown> & {
  manifest: Record<string, unknown>;
  votes: Record<string, unknown>[];
  replicas: Record<string, unknown>[];
};

/** The document after a change, as text. */
function changed(change: (document: Document) => void): string {
  const document = JSON.parse(receiptDocument(kept())) as Document;
  change(document);
  return JSON.stringify(document);
}

describe("a kept receipt", () => {
  it("is read back as it was: manifest, rule, votes, every fault, and the evidence of a ban", () => {
    assert.deepEqual(parseReceipt(receiptDocument(kept()), "r"), kept());
  });

  it("of a file without pieces has no root", () => {
    const { bare } = claims;
    const agreement = verdict([claimed(bare), claimed(bare)]);
    assert.ok(agreement.reached);
    const context = { program: "quorate 1.2.3", startedAtMs: 0, finishedAtMs: 1 };
    const text = receiptDocument(keptReceipt(receipt(), agreement, context));
    assert.equal(parseReceipt(text, "r").manifest.root, undefined);
  });

  it("may say more than is understood", () => {
    assert.deepEqual(
      parseReceipt(
        changed((one) => Object.assign(one, { x: 1 })),
        "r",
      ),
      kept(),
    );
  });

  const hostile: readonly (readonly [what: string, text: string, says: RegExp])[] = [
    ["nothing", "", /^receipt r: it is no JSON$/],
    ["half of one", receiptDocument(kept()).slice(0, 500), /^receipt r: it is no JSON$/],
    ["a list", "[]", /^receipt r: it is no JSON object$/],
    ["null", "null", /no JSON object$/],
    ["a million brackets", "[".repeat(1_000_000), /no JSON/],
    [
      "another format",
      changed((one) => Object.assign(one, { format: "quorate-receipt-2" })),
      /^receipt r: format: it is not quorate-receipt-1: another version/,
    ],
    [
      "a negative size",
      changed(({ manifest }) => Object.assign(manifest, { size: -1 })),
      /^receipt r: manifest\.size: it is no whole number up to \d+$/,
    ],
    [
      "a size beyond every file",
      changed(({ manifest }) => Object.assign(manifest, { size: 2 ** 52 })),
      /manifest\.size/,
    ],
    [
      "a size as text",
      changed(({ manifest }) => Object.assign(manifest, { size: "5" })),
      /manifest\.size/,
    ],
    [
      "a piece size that is not the protocol's",
      changed(({ manifest }) => Object.assign(manifest, { pieceSize: 1 })),
      /manifest\.pieceSize: it is not 65536/,
    ],
    [
      "a digest of another kind",
      changed(({ manifest }) => Object.assign(manifest, { digest: "md5:00" })),
      /manifest\.digest: it is not sha256: and 64 hexadecimal digits$/,
    ],
    [
      "a name that leads outside",
      changed((one) => Object.assign(one, { name: "../x" })),
      /^receipt r: name: it has a `\.` or `\.\.` component$/,
    ],
    [
      "a standing that there is not",
      changed(({ replicas }) => Object.assign(replicas[1] ?? {}, { standing: "king" })),
      /replicas\[1\]\.standing: it is none of good, backing-off/,
    ],
    [
      "faults by the text",
      changed(({ replicas }) => Object.assign(replicas[0] ?? {}, { faults: { late: "two" } })),
      /replicas\[0\]\.faults\.late/,
    ],
    [
      "evidence that is no digest",
      changed(({ replicas }) =>
        Object.assign(replicas[1] ?? {}, { evidence: { ...evidence, actual: "?" } }),
      ),
      /replicas\[1\]\.evidence\.actual/,
    ],
    ["no votes", changed((one) => Object.assign(one, { votes: [] })), /votes: it is no list of 1/],
    [
      "two thousand votes",
      changed((one) => Object.assign(one, { votes: Array(2000).fill({}) })),
      /votes: it is no list of 1 to 1024$/,
    ],
    [
      "the manifest of another file",
      changed(({ manifest }) => Object.assign(manifest, { digest: claims.b.digest })),
      /^receipt r: votes: it is no quorum for the manifest: 0 claim it, 3 are needed$/,
    ],
    [
      "fewer votes than were needed",
      changed((one) => Object.assign(one, { needed: 4 })),
      /votes: it is no quorum for the manifest: 3 claim it, 4 are needed$/,
    ],
    [
      "votes that need nobody",
      changed((one) => {
        Object.assign(one, { needed: 0 });
        for (const vote of one.votes) Object.assign(vote, { answer: "missing" });
      }),
      /votes: it is no quorum for the manifest/,
    ],
    [
      "an answer that there is not",
      changed(({ votes }) => Object.assign(votes[0] ?? {}, { answer: "yes" })),
      /votes\[0\]\.answer/,
    ],
    [
      "a rule that there is not",
      changed((one) => Object.assign(one, { rule: "none" })),
      /rule: it is no rule$/,
    ],
    [
      "a time in words",
      changed((one) => Object.assign(one, { startedAt: "yesterday" })),
      /startedAt: it is no time/,
    ],
    [
      "numbers that are none",
      changed((one) => Object.assign(one, { seconds: null })),
      /seconds: it is no number/,
    ],
  ];
  for (const [what, text, says] of hostile) {
    it(`is not taken from ${what}`, () => {
      assert.throws(
        () => parseReceipt(text, "r"),
        (error: Error) =>
          error instanceof UsageError && says.test(error.message) && !error.message.includes("\n"),
      );
    });
  }

  it("shows no terminal what it should obey", () => {
    const text = changed((one) => {
      Object.assign(one, { program: "\u001b[2Jquorate", path: "a\u202eb" });
      Object.assign(one.replicas[0] ?? {}, { reason: "x\r\ny", address: "\u0007" });
    });
    const { program, path, replicas } = parseReceipt(text, "r");
    assert.equal(program, "?[2Jquorate");
    assert.equal(path, "a?b");
    assert.equal(replicas[0]?.reason, "x??y");
    assert.equal(replicas[0]?.address, "?");
  });
});
