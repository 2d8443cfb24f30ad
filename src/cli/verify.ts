/** `quorate verify`: a local file against the quorum, naming the ranges that differ. */

import { basename } from "node:path";
import {
  exitCodes,
  NotFoundError,
  type Rule,
  UsageError,
  type Verification,
  verify,
} from "../index.js";
import { ruleOf } from "./get.js";
import { reportDownload } from "./get-report.js";
import { given } from "./given.js";
import { agreementJson } from "./json.js";
import { type ReplicaFlags, replicasOf } from "./replicas.js";
import { interruptible } from "./signals.js";
import { openScreen, print, printJson } from "./terminal.js";

/** The flags of `verify`, parsed. */
export interface VerifyFlags extends ReplicaFlags {
  readonly name?: string | undefined;
  readonly quorum?: Rule | undefined;
  readonly digest?: Rule | undefined;
  readonly repair?: boolean | undefined;
  /** With `repair`: replace one name of a file that has more. */
  readonly force?: boolean | undefined;
  /** A kept receipt to go by; nobody is asked then. */
  readonly receipt?: string | undefined;
  readonly json?: boolean | undefined;
}

export async function runVerify(path: string, flags: VerifyFlags): Promise<void> {
  if (flags.force === true) {
    throw new UsageError("verify: --force replaces a file, which only --repair does: add it");
  }
  const replicas = await replicasOf("verify", flags);
  const rule = ruleOf("verify", flags);
  const name = flags.name ?? basename(path);
  using interruption = interruptible("verify: interrupted");
  const { signal } = interruption;
  const isJson = flags.json === true;
  const screen = await openScreen({ isQuiet: isJson });
  const onEvent = reportDownload(name, screen);
  const asked = verify({ replicas, name, path }, { signal, onEvent, ...given({ rule }) }).catch(
    (error: unknown) => {
      throw withAdvice(error, flags);
    },
  );
  const verification = await asked.finally(() => screen.clear());
  const { isRight, agreement, local } = verification;
  if (!isRight) process.exitCode = exitCodes.integrity;
  if (isJson) {
    printJson(agreementJson(agreement));
    printJson(verificationJson(path, verification));
    return;
  }
  if (isRight) {
    print(`${path}: right: ${local.digest}`);
    return;
  }
  for (const line of wrongText(path, verification)) print(line);
}

/** What is known here by a name of its own may have another one there. */
export function withAdvice(error: unknown, { name }: VerifyFlags): unknown {
  if (!(error instanceof NotFoundError) || name !== undefined) return error;
  return new NotFoundError(`${error.message}; --name NAME is what the replicas call it`, {
    cause: error,
  });
}

/** The verdict as it is printed with `--json`; `undefined` of a file that cannot all be read. */
export function verificationJson(path: string, verification: Verification | undefined): object {
  if (verification === undefined) return { event: "verification", path, isRight: false };
  const { isRight, local, bad } = verification;
  const { digest, size } = local;
  return { event: "verification", path, isRight, digest, size, bad };
}

/** What is wrong, and where. */
export function wrongText(path: string, { agreement, local, bad }: Verification): string[] {
  const { digest, size } = agreement.manifest;
  const is = `${local.digest}, ${local.size} bytes`;
  const ranges = bad?.map(({ start, end }) => `${path}: bytes ${start}–${end} differ`) ?? [
    `${path}: no replica gives pieces, so where it differs is not known`,
  ];
  return [`${path}: wrong: ${is}; agreed: ${digest}, ${size} bytes`, ...ranges];
}
