/** Verdicts, receipts and a screen that only remembers, for tests of what is said of them. */

import type { Screen } from "../../src/cli/terminal.js";
import type { Receipt, ReplicaReceipt } from "../../src/receipt/receipt.js";
import { digestOf } from "../../src/trust/digest.js";
import type { Claim } from "../../src/trust/manifest.js";
import { type Agreement, type Answer, decide, replicaId } from "../../src/trust/quorum.js";
import type { Rule } from "../../src/trust/rule.js";

/** Claims of a file of 1.5 MiB, of another one, and of the first without pieces. */
export const claims = {
  a: { size: 1_572_864, digest: digestOf(Buffer.from("a")), root: digestOf(Buffer.from("ra")) },
  b: { size: 1024, digest: digestOf(Buffer.from("b")), root: digestOf(Buffer.from("rb")) },
  bare: { size: 1_572_864, digest: digestOf(Buffer.from("a")), root: undefined },
} satisfies Record<string, Claim>;

export const claimed = (claim: Claim): Answer => ({ kind: "claimed", claim });
export const missing: Answer = { kind: "missing" };
export const silent: Answer = { kind: "silent", why: "unreachable: gone" };

/** What these answers, of replicas `r1:1`, `r2:2` and so on, decide. */
export function verdict(answers: readonly Answer[], rule: Rule = { kind: "majority" }): Agreement {
  const votes = answers.map((answer, index) => {
    return { replica: replicaId(`r${index + 1}:${index + 1}`), answer };
  });
  return decide(votes, rule);
}

/** One line of a receipt; good, unless said otherwise. */
export function line(changes: Partial<ReplicaReceipt> = {}): ReplicaReceipt {
  return {
    address: replicaId("r1:1"),
    standing: "good",
    reason: undefined,
    claim: claims.a,
    deliveredBytes: 1_572_864,
    wastedBytes: 0,
    faults: {},
    evidence: undefined,
    ...changes,
  };
}

/** A receipt of a download of 1.5 MiB in 2 s. */
export function receipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    name: "a.bin",
    path: "/tmp/a.bin",
    digest: claims.a.digest,
    size: claims.a.size,
    seconds: 2,
    resumedBytes: 0,
    seededBytes: 0,
    hedgedBytes: 0,
    wastedBytes: 0,
    replicas: [line()],
    ...changes,
  };
}

/** A screen that remembers what was said, and what is drawn now. */
export class MemoryScreen implements Screen {
  readonly isLive: boolean;
  readonly intervalMs = 1000;
  readonly columns: number;
  readonly said: string[] = [];
  drawn: readonly string[] = [];

  constructor({ isLive = false, columns = 110 } = {}) {
    this.isLive = isLive;
    this.columns = columns;
  }

  say(said: string): void {
    this.said.push(said);
  }

  draw(lines: readonly string[]): void {
    this.drawn = lines;
  }

  clear(): void {
    this.drawn = [];
  }
}
