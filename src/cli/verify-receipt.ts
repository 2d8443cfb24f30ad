/** `quorate verify --receipt`: a local file against a receipt that was kept; nobody is asked. */

import {
  exitCodes,
  type ReceiptVerification,
  ruleText,
  UsageError,
  verifyReceipt,
} from "../index.js";
import { countText } from "./format.js";
import { given } from "./given.js";
import { receiptVerificationJson } from "./json.js";
import { interruptible } from "./signals.js";
import { print, printJson } from "./terminal.js";
import type { VerifyFlags } from "./verify.js";

export async function runVerifyReceipt(
  path: string,
  receipt: string,
  flags: VerifyFlags,
): Promise<void> {
  refuseQuestions(flags);
  using interruption = interruptible("verify: interrupted");
  const verification = await verifyReceipt({ path, receipt }, { signal: interruption.signal });
  if (!verification.isRight) process.exitCode = exitCodes.integrity;
  if (flags.json === true) {
    printJson(receiptVerificationJson(path, verification));
    return;
  }
  for (const line of verificationLines(path, verification)) print(line);
}

/** With a receipt nobody is asked, so flags that say whom, or for what, contradict it. */
function refuseQuestions(flags: VerifyFlags): void {
  const { port, servers, quorum, digest, name, repair } = flags;
  const [flag] = Object.keys(given({ port, servers, quorum, digest, name, repair }));
  if (flag === undefined) return;
  throw new UsageError(`verify: --receipt asks nobody, so --${flag} has no say: leave one out`);
}

function verificationLines(path: string, verification: ReceiptVerification): string[] {
  const { isRight, receipt, local, differs } = verification;
  const { manifest, name, rule, finishedAtMs, votes } = receipt;
  if (isRight) {
    const agreeing = votes.filter(
      ({ answer }) => answer.kind === "claimed" && answer.claim.digest === manifest.digest,
    );
    const who = `${agreeing.length} of ${countText(votes.length, "replica")}`;
    const when = new Date(finishedAtMs).toISOString();
    return [
      `${path}: right: ${local.digest}`,
      `${path}: as the receipt of ${name} says: ${who} (rule: ${ruleText(rule)}), ${when}`,
    ];
  }
  return differs.map((difference) => {
    switch (difference) {
      case "size":
        return `${path}: wrong: ${local.size} bytes; the receipt: ${manifest.size} bytes`;
      case "digest":
        return `${path}: wrong: ${local.digest}; the receipt: ${manifest.digest}`;
      case "root":
        return `${path}: wrong: the root of its pieces differs; a receipt cannot say where`;
      default:
        return difference satisfies never;
    }
  });
}
