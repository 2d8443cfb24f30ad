/**
 * The receipt as it is kept: what was got, what made it true, and what each replica did, as a JSON
 * document that stands for itself. Who reads one back is `parse-receipt.ts`.
 */

import type { Claim, Manifest } from "../trust/manifest.js";
import type { Reached, Vote } from "../trust/quorum.js";
import { type Rule, ruleText } from "../trust/rule.js";
import type { Receipt } from "./receipt.js";

/** Names the form; another form gets another number. */
export const receiptFormat = "quorate-receipt-1";

/** A receipt, with everything that it takes to check the file against it without asking anybody. */
export interface KeptReceipt extends Omit<Receipt, "digest" | "size"> {
  /** The program that made it, with its version. */
  readonly program: string;
  /** With the file's digest and size. */
  readonly manifest: Manifest;
  readonly rule: Rule;
  /** Equal claims that the rule asked for. */
  readonly needed: number;
  readonly votes: readonly Vote[];
  /** Wall-clock times in milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** What only the caller knows. */
export type ReceiptContext = Pick<KeptReceipt, "program" | "startedAtMs" | "finishedAtMs">;

/** What is to be kept of a download. */
export function keptReceipt(
  receipt: Receipt,
  { manifest, rule, needed, votes }: Reached,
  context: ReceiptContext,
): KeptReceipt {
  const { digest: _digest, size: _size, ...rest } = receipt;
  return { ...rest, manifest, rule, needed, votes, ...context };
}

/** The document, for people too: indented, with a line end. */
export function receiptDocument(kept: KeptReceipt): string {
  const { program, name, path, manifest, rule, needed, startedAtMs, finishedAtMs } = kept;
  const { seconds, resumedBytes, seededBytes, hedgedBytes, wastedBytes } = kept;
  const document = {
    format: receiptFormat,
    program,
    name,
    path,
    startedAt: new Date(startedAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
    seconds,
    resumedBytes,
    seededBytes,
    hedgedBytes,
    wastedBytes,
    manifest: { ...claimFields(manifest), pieceSize: manifest.pieceBytes },
    rule: ruleText(rule),
    needed,
    votes: kept.votes.map(voteFields),
    replicas: kept.replicas.map(({ claim, ...line }) => ({
      ...line,
      ...(claim === undefined ? {} : { claim: claimFields(claim) }),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function voteFields({ replica, answer }: Vote): object {
  switch (answer.kind) {
    case "claimed":
      return { address: replica, answer: answer.kind, claim: claimFields(answer.claim) };
    case "missing":
      return { address: replica, answer: answer.kind };
    case "silent":
      return { address: replica, answer: answer.kind, reason: answer.why };
    default:
      return answer satisfies never;
  }
}

function claimFields({ digest, size, root }: Claim): object {
  return { digest, size, ...(root === undefined ? {} : { pieceRoot: root }) };
}
