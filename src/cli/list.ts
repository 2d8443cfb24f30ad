/** `quorate list`: which files there are, and how many replicas serve each. */

import { cleanText, exitCodes, list } from "../index.js";
import { table } from "./format.js";
import { type ReplicaFlags, replicasOf } from "./replicas.js";
import { interruptible } from "./signals.js";
import { complain, insistOnResults, print, printJson } from "./terminal.js";

/** The flags of `list`, parsed. */
export interface ListFlags extends ReplicaFlags {
  readonly json?: boolean | undefined;
}

export async function runList(flags: ListFlags): Promise<void> {
  insistOnResults();
  const replicas = await replicasOf("list", flags);
  using interruption = interruptible("list: interrupted");
  const { asked, offers, silent } = await list({ replicas }, { signal: interruption.signal });
  if (silent.length === asked) process.exitCode = exitCodes["no-quorum"];
  if (flags.json === true) {
    for (const offer of offers) printJson({ event: "file", ...offer });
    for (const { replica, why } of silent) {
      printJson({ event: "silent", address: replica, reason: why });
    }
    return;
  }
  const rows = offers.map(({ name, sizes, replicas: by }) => [
    // Whole: a name is there to be used, and what is too long for one is no name.
    cleanText(name, Number.POSITIVE_INFINITY),
    sizes.join(" or "),
    `${by.length} of ${asked}`,
  ]);
  // A table is for eyes; a program gets columns that it can cut.
  const lines = process.stdout.isTTY
    ? table(["name", "bytes", "replicas"], rows, ["bytes"])
    : rows.map((row) => row.join("\t"));
  for (const line of lines) print(line);
  for (const { replica, why } of silent) complain(`list: ${replica}: ${why}`);
}
