/** Worlds of answers for the quorum's tests: one letter an answer. */

import { digestOf } from "../../src/trust/digest.js";
import { type Claim, sameClaim } from "../../src/trust/manifest.js";
import { type Agreement, type Answer, replicaId, type Vote } from "../../src/trust/quorum.js";
import type { Rule } from "../../src/trust/rule.js";

export const d = (letter: string) => digestOf(Buffer.from(letter));

export const claims = {
  A: { size: 10, digest: d("a"), root: d("root of a") },
  B: { size: 20, digest: d("b"), root: d("root of b") },
  C: { size: 30, digest: d("c"), root: d("root of c") },
  /** A, from a replica that gives no pieces. */
  a: { size: 10, digest: d("a"), root: undefined },
  b: { size: 20, digest: d("b"), root: undefined },
  /** A's bytes, they say, under another piece root. */
  X: { size: 10, digest: d("a"), root: d("another root") },
  /** A's digest, they say, of another size. */
  L: { size: 11, digest: d("a"), root: d("root of a") },
} satisfies Record<string, Claim>;

const c = (claim: Claim): Answer => ({ kind: "claimed", claim });
export const A = c(claims.A);
export const B = c(claims.B);
export const C = c(claims.C);
export const a = c(claims.a);
export const b = c(claims.b);
export const X = c(claims.X);
export const L = c(claims.L);
export const m: Answer = { kind: "missing" };
export const s: Answer = { kind: "silent", why: "no answer" };

export const majority: Rule = { kind: "majority" };
export const all: Rule = { kind: "all" };
export const pinned: Rule = { kind: "digest", digest: d("a") };
export const n = (count: number): Rule => ({ kind: "at-least", count });

/** A, with the root of its prefixes: as they are, and as somebody else has them. */
export const P = c({ ...claims.A, prefixRoot: d("prefixes of a") });
export const Q = c({ ...claims.A, prefixRoot: d("other prefixes") });

/** Replicas 1, 2, 3… with these answers. */
export const votesOf = (answers: readonly Answer[]): Vote[] =>
  answers.map((answer, index) => ({ replica: replicaId(`${index + 1}`), answer }));

/**
 * The verdict in words: whose claim won (`?`: its root is doubtful), by whom, against whom; or why
 * nobody's did.
 */
export function verdictOf(agreement: Agreement): string {
  if (!agreement.reached) return agreement.why;
  const { manifest, isRootDoubtful, agreeing, dissenting } = agreement;
  const doubt = isRootDoubtful ? "?" : "";
  const against = dissenting.length === 0 ? "" : ` against ${dissenting.join("")}`;
  return `${letterOf(manifest)}${doubt} by ${agreeing.join("")}${against}`;
}

/** A world as its letters. */
export function worldText(answers: readonly Answer[]): string {
  const letters = answers.map((answer) =>
    answer.kind === "claimed" ? letterOf(answer.claim) : answer === m ? "m" : "s",
  );
  return letters.join(" ") || "nobody";
}

function letterOf(claim: Claim): string {
  return Object.entries(claims).find(([, known]) => sameClaim(known, claim))?.[0] ?? "?";
}
