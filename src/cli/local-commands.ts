/** The commands about files on this machine: what their flags mean. */

import { Command } from "@commander-js/extra-typings";
import * as flag from "./flags.js";
import { addReplicaFlags, addRuleFlags, examples, json } from "./shared-flags.js";

/** What a person should know before. */
const repairNotes = `
--repair builds the right file beside the wrong one, for which there must be
space, and replaces it in one step. Mode, owner and group are kept where that is
permitted; times, ACLs and extended attributes are not. A file that cannot be
made right stays as it was.
`;

/** `digest` */
export function digestCommand() {
  return new Command("digest")
    .summary("say what a local file is")
    .description("Prints the manifest of a local file: what replicas that hold it should claim.")
    .argument("<file>", "the file")
    .option(...json)
    .addHelpText("after", examples("quorate digest data.mp4"))
    .action(async (path, flags) => (await import("./digest.js")).runDigest(path, flags));
}

/** `verify` */
export function verifyCommand() {
  return addRuleFlags(addReplicaFlags(new Command("verify")))
    .summary("check a local file against the quorum")
    .description(
      "Compares a local file with what the replicas agree on, and names the ranges that differ.",
    )
    .argument("<file>", "the local file")
    .option("--name <name>", "its name on the replicas (default: its own)")
    .option("--repair", "make it right when it is wrong; only what differs is fetched")
    .option("--force", "with --repair: replace one name of a file that has more (hard links)")
    .option("--receipt <file>", "go by a receipt that get kept, and ask nobody")
    .option(...json)
    .addHelpText(
      "after",
      repairNotes +
        examples(
          "quorate verify data.mp4 -p 10001 10002 10003",
          "quorate verify data.mp4 --repair -p 10001 10002 10003",
          "quorate verify data.mp4 --receipt data.mp4.receipt",
        ),
    )
    .action(async (path, flags) => {
      if (flags.receipt !== undefined) {
        await (await import("./verify-receipt.js")).runVerifyReceipt(path, flags.receipt, flags);
      } else if (flags.repair === true) await (await import("./repair.js")).runRepair(path, flags);
      else await (await import("./verify.js")).runVerify(path, flags);
    });
}

/** `clean` */
export function cleanCommand() {
  return new Command("clean")
    .summary("remove what downloads that ended early left")
    .description(
      "Lists unfinished files, journals and locks of downloads in folders (not below them), and " +
        "removes them with --yes or when a person says so. What is in use stays.",
    )
    .argument("[folder...]", "where to look; the current folder by default")
    .option("-y, --yes", "remove them without being asked")
    .option("--older-than <age>", "only what did not change for so long: 7d, 12h, 30m", flag.age)
    .option(...json)
    .addHelpText(
      "after",
      examples("quorate clean", "quorate clean ~/Downloads --older-than 7d --yes"),
    )
    .action(async (folders, flags) => (await import("./clean.js")).runClean(folders, flags));
}
