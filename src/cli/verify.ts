/** `quorate verify`: a local file against the quorum, naming the ranges that differ. */

import { basename } from "node:path";
import { exitCodes, InterruptedError, NotFoundError, type Rule, verify } from "../index.js";
import { ruleOf } from "./get.js";
import { agreementLines } from "./get-report.js";
import { agreementJson } from "./json.js";
import { type ReplicaFlags, replicasOf } from "./replicas.js";
import { onSignals, openScreen, print, printJson } from "./terminal.js";

/** The flags of `verify`, parsed. */
export interface VerifyFlags extends ReplicaFlags {
  readonly name?: string | undefined;
  readonly quorum?: Rule | undefined;
  readonly digest?: Rule | undefined;
  readonly json?: boolean | undefined;
}

export async function runVerify(path: string, flags: VerifyFlags): Promise<void> {
  const replicas = await replicasOf("verify", flags);
  const rule = ruleOf("verify", flags);
  const name = flags.name ?? basename(path);
  const abort = new AbortController();
  using _signals = onSignals((exitCode) =>
    abort.abort(new InterruptedError("verify: interrupted", exitCode)),
  );
  const { signal } = abort;
  const options = rule === undefined ? { signal } : { signal, rule };
  const asked = verify({ replicas, name, path }, options).catch((error: unknown) => {
    if (!(error instanceof NotFoundError) || flags.name !== undefined) throw error;
    throw new NotFoundError(`${error.message}; --name NAME is what the replicas call it`);
  });
  const { isRight, agreement, local, bad } = await asked;
  if (!isRight) process.exitCode = exitCodes.integrity;
  if (flags.json === true) {
    printJson(agreementJson(agreement));
    printJson({
      event: "verification",
      path,
      isRight,
      digest: local.digest,
      size: local.size,
      bad,
    });
    return;
  }
  const screen = openScreen({ isQuiet: false });
  for (const line of agreementLines(name, agreement)) screen.say(line);
  if (isRight) {
    print(`${path}: right: ${local.digest}`);
    return;
  }
  const { digest, size } = agreement.manifest;
  print(`${path}: wrong: ${local.digest}, ${local.size} bytes; agreed: ${digest}, ${size} bytes`);
  if (bad === undefined)
    print(`${path}: no replica gives pieces, so where it differs is not known`);
  for (const { start, end } of bad ?? []) print(`${path}: bytes ${start}–${end} differ`);
}
