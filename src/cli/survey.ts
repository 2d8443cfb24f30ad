/** `quorate survey`: who claims what, and whether it makes a quorum. */

import { agreeText, verdictText } from "../command-line.js";
import {
  type Agreement,
  type DownloadEvent,
  exitCodes,
  type Rule,
  ruleText,
  shortDigest,
  survey,
} from "../index.js";
import { askName } from "./ask-name.js";
import { table } from "./format.js";
import { ruleOf } from "./get.js";
import { mergedText } from "./get-report.js";
import { given } from "./given.js";
import { agreementJson, standingOf } from "./json.js";
import { type ReplicaFlags, replicasOf } from "./replicas.js";
import { interruptible } from "./signals.js";
import { complain, insistOnResults, print, printJson } from "./terminal.js";

/** The flags of `survey`, parsed. */
export interface SurveyFlags extends ReplicaFlags {
  readonly quorum?: Rule | undefined;
  readonly digest?: Rule | undefined;
  readonly json?: boolean | undefined;
}

export async function runSurvey(named: string | undefined, flags: SurveyFlags): Promise<void> {
  insistOnResults();
  const replicas = await replicasOf("survey", flags);
  const rule = ruleOf("survey", flags);
  using interruption = interruptible("survey: interrupted");
  const { signal } = interruption;
  const name = await askName("survey", named, replicas, signal);
  const onEvent = (event: DownloadEvent) => {
    if (event.event === "merged") complain(`${name}: ${mergedText(event)}`);
  };
  const options = { signal, onEvent, ...given({ rule }) };
  const { agreement, roundTripsMs } = await survey({ replicas, name }, options);
  if (!agreement.reached) process.exitCode = exitCodes["no-quorum"];
  if (flags.json === true) {
    printJson({ ...agreementJson(agreement, roundTripsMs), name });
    return;
  }
  const rows = agreement.votes.map((vote) => {
    const { replica, answer } = vote;
    const claim = answer.kind === "claimed" ? answer.claim : undefined;
    const roundTrip = roundTripsMs.get(replica);
    return [
      replica,
      standingOf(agreement, vote),
      claim === undefined ? "–" : shortDigest(claim.digest),
      claim === undefined ? "–" : String(claim.size),
      roundTrip === undefined ? "–" : `${roundTrip.toFixed(1)} ms`,
      answer.kind === "silent" ? answer.why : "",
    ];
  });
  const head = ["replica", "standing", "digest", "bytes", "took", ""];
  for (const line of table(head, rows, ["bytes", "took"])) print(line);
  print(`${name}: ${conclusion(agreement)}`);
}

/** What the last line says. */
function conclusion(agreement: Agreement): string {
  if (!agreement.reached) return `no quorum (${verdictText(agreement)})`;
  const { manifest, agreeing, votes, rule, needed } = agreement;
  const tally = agreeText(agreeing.length, votes.length);
  const needs = rule.kind === "digest" ? "as pinned" : `${ruleText(rule)} needs ${needed}`;
  return `quorum: ${manifest.digest} (${tally}, ${needs})`;
}
