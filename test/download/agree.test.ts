/** No quorum, no download; and the message says what was counted and what would settle it. */

import assert from "node:assert/strict";
import { agree } from "../../src/download/agree.js";
import { NoQuorumError, NotFoundError } from "../../src/errors.js";
import type { Replica } from "../../src/ports.js";
import { digestOf } from "../../src/trust/digest.js";
import type { Rule } from "../../src/trust/rule.js";
import { lying, silent } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { memoryReplica } from "../support/memory-replica.js";
import { type ByLetter, content, honest, name, replicasOf } from "./small-download.js";

const clock = new FakeClock();
const file = honest();
const H = file;
const L = lying(file);
const K = lying(file, "another lie");
const S = silent(file, clock);
const M: Replica = memoryReplica({ "other.bin": Buffer.alloc(3) });

const byNumber = (replicas: readonly Replica[]): ByLetter =>
  Object.fromEntries(replicas.map((replica, index) => [`r${index + 1}`, replica]));

const majority: Rule = { kind: "majority" };

function ask(replicas: readonly Replica[], rule: Rule = majority) {
  const { signal } = new AbortController();
  const onEvent = () => {};
  return agree("get", {
    replicas: replicasOf(byNumber(replicas)),
    name,
    rule,
    clock,
    signal,
    onEvent,
  });
}

async function refusalOf(replicas: readonly Replica[], rule: Rule = majority): Promise<Error> {
  try {
    await ask(replicas, rule);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("they agreed");
}

const short = (digest: string) => digest.slice("sha256:".length, "sha256:".length + 12);
const right = `${short(digestOf(content))}… (${content.length} bytes)`;
const lie = `${short(digestOf(Buffer.from("a lie")))}… (${content.length} bytes)`;
const pin = digestOf(Buffer.from("what nobody has"));

describe("replicas that agree", () => {
  it("give the manifest, and who is in and who is not", async () => {
    const { agreement } = await ask([H, L, H]);
    assert.equal(agreement.manifest.digest, digestOf(content));
    assert.deepEqual([agreement.agreeing, agreement.dissenting], [["r1", "r3"], ["r2"]]);
  });
  it("a pinned digest beats the majority", async () => {
    const rule: Rule = { kind: "digest", digest: digestOf(content) };
    const { agreement } = await ask([L, L, L, H], rule);
    assert.deepEqual(agreement.agreeing, ["r4"]);
  });
});

describe("replicas that do not agree", () => {
  const cases: readonly (readonly [string, readonly Replica[], Rule, string])[] = [
    [
      "too few",
      [H, H, L, S, S],
      majority,
      `no quorum: 2 of 5 replicas agree, majority needs 3 (${right} ×2, ${lie} ×1, silent ×2); ` +
        "r4: no answer within 5.0 s; --quorum 2 would accept the largest group",
    ],
    [
      "a tie",
      [H, L],
      { kind: "at-least", count: 1 },
      `no quorum: a tie, 1 against 1 of 2 replicas (${right} ×1, ${lie} ×1); ` +
        "no --quorum settles a tie, --digest sha256:… does",
    ],
    [
      "all, but for one without the file",
      [H, M],
      { kind: "all" },
      `no quorum: 1 of 2 replicas agrees, all needs 2 (${right} ×1, missing ×1); ` +
        "--quorum 1 would accept the largest group",
    ],
    [
      "none claims the pinned digest",
      [H, L],
      { kind: "digest", digest: pin },
      `no quorum: no replica claims the pinned ${short(pin)}… (${right} ×1, ${lie} ×1)`,
    ],
    [
      "nobody answers",
      [S, S],
      majority,
      "no quorum: 0 of 2 replicas agree, majority needs 2 (silent ×2); r1: no answer within 5.0 s",
    ],
  ];
  for (const [title, replicas, rule, message] of cases) {
    it(`${title}: ${message.slice(0, 40)}…`, async () => {
      const error = await refusalOf(replicas, rule);
      assert.ok(error instanceof NoQuorumError);
      assert.equal(error.message, `get ${name}: ${message}`);
      assert.equal(error.exitCode, 3);
    });
  }

  it("the facts are there for a program, too", async () => {
    const error = await refusalOf([H, H, L, K, S, M]);
    assert.ok(error instanceof NoQuorumError);
    const { needed, configured, silent, missing, tally } = error.facts;
    assert.deepEqual(
      { needed, configured, silent, missing },
      {
        needed: 4,
        configured: 6,
        silent: 1,
        missing: 1,
      },
    );
    assert.deepEqual(
      tally.map(({ count }) => count),
      [2, 1, 1],
    );
    assert.equal(tally[0]?.digest, digestOf(content));
  });
});

describe("a file that nobody has", () => {
  it("cannot be transferred, and the message counts who said so", async () => {
    const error = await refusalOf([M, M, S]);
    assert.ok(error instanceof NotFoundError);
    assert.equal(
      error.message,
      `get ${name}: Cannot transfer this file: 2 of 3 replicas have no such file, 1 silent`,
    );
    assert.equal(error.exitCode, 4);
  });
  it("is another thing than silence: a minority without it settles nothing", async () => {
    assert.ok((await refusalOf([M, S, S])) instanceof NoQuorumError);
  });
});
