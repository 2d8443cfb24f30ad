/** `quorate verify --repair`: makes a local file what the quorum says it should be. */

import { basename } from "node:path";
import { repair, type Verification } from "../index.js";
import { ruleOf, tellJson } from "./get.js";
import { receiptText, reportDownload } from "./get-report.js";
import { given } from "./given.js";
import { replicasOf } from "./replicas.js";
import { interruptible } from "./signals.js";
import { openScreen, print, printJson } from "./terminal.js";
import { type VerifyFlags, verificationJson, withAdvice, wrongText } from "./verify.js";

/** Ranges that are told before the repair; all of them are in the receipt's sum. */
const mostRanges = 10;

export async function runRepair(path: string, flags: VerifyFlags): Promise<void> {
  const replicas = await replicasOf("verify", flags);
  const rule = ruleOf("verify", flags);
  const name = flags.name ?? basename(path);
  const isJson = flags.json === true;
  const screen = await openScreen({ isQuiet: isJson });
  using interruption = interruptible(
    `repair ${path}: interrupted; it is as it was; run it again to go on`,
  );
  const onWrong = (verification: Verification | undefined) => {
    if (isJson) printJson(verificationJson(path, verification));
    else for (const line of wrongLines(path, verification)) screen.say(line);
  };
  try {
    const asked = { replicas, name, path, force: flags.force === true };
    const { verification, receipt } = await repair(asked, {
      ...given({ rule }),
      intervalMs: screen.intervalMs,
      signal: interruption.signal,
      onEvent: isJson ? tellJson : reportDownload(name, screen),
      onWrong,
    }).catch((error: unknown) => {
      throw withAdvice(error, flags);
    });
    screen.clear();
    if (receipt === undefined) {
      if (isJson) printJson(verificationJson(path, verification));
      else print(`${path}: right: ${verification?.local.digest}`);
    } else if (!isJson) {
      const [head = ""] = receiptText(receipt);
      print(head);
      print(`${path}: repaired: ${receipt.digest}`);
    }
  } finally {
    screen.clear();
  }
}

function wrongLines(path: string, verification: Verification | undefined): string[] {
  if (verification === undefined) return [`${path}: wrong: it cannot all be read`];
  const [head = "", ...ranges] = wrongText(path, verification);
  const more = ranges.length - mostRanges;
  const rest = more > 0 ? [`${path}: and ${more} more ranges`] : [];
  return [head, ...ranges.slice(0, mostRanges), ...rest];
}
