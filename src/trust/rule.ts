/** How many equal claims are enough for a verdict: the rules, and how they are written. */

import { type Digest, parseDigest } from "./digest.js";

/** How many equal claims are enough. A pinned digest beats any vote. */
export type Rule =
  | { readonly kind: "majority" }
  | { readonly kind: "at-least"; readonly count: number }
  | { readonly kind: "all" }
  | { readonly kind: "digest"; readonly digest: Digest };

/** How many equal claims a rule asks for among so many configured replicas. */
export function neededBy(rule: Rule, configured: number): number {
  switch (rule.kind) {
    case "majority":
      return Math.floor(configured / 2) + 1;
    case "at-least":
      return rule.count;
    case "all":
      return configured;
    case "digest":
      return 1;
    default:
      return rule satisfies never;
  }
}

/** Reads `majority`, `all`, a count, or `sha256:…`; `undefined` when it is none of them. */
export function parseRule(text: string): Rule | undefined {
  if (text === "majority" || text === "all") return { kind: text };
  if (/^[1-9][0-9]{0,3}$/.test(text)) return { kind: "at-least", count: Number(text) };
  const digest = parseDigest(text);
  return digest === undefined ? undefined : { kind: "digest", digest };
}

/** Writes a rule as `parseRule` reads it. */
export function ruleText(rule: Rule): string {
  switch (rule.kind) {
    case "majority":
    case "all":
      return rule.kind;
    case "at-least":
      return String(rule.count);
    case "digest":
      return rule.digest;
    default:
      return rule satisfies never;
  }
}
