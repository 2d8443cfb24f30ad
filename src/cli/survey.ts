/** `quorate survey`: who claims what, and whether it makes a quorum. */

import { exitCodes, InterruptedError, type Rule, ruleText, shortDigest, survey } from "../index.js";
import { askName } from "./ask-name.js";
import { countText, table } from "./format.js";
import { ruleOf } from "./get.js";
import { agreementJson, standingOf } from "./json.js";
import { type ReplicaFlags, replicasOf } from "./replicas.js";
import { onSignals } from "./signals.js";
import { print, printJson } from "./terminal.js";

/** The flags of `survey`, parsed. */
export interface SurveyFlags extends ReplicaFlags {
  readonly quorum?: Rule | undefined;
  readonly digest?: Rule | undefined;
  readonly json?: boolean | undefined;
}

export async function runSurvey(named: string | undefined, flags: SurveyFlags): Promise<void> {
  const replicas = await replicasOf("survey", flags);
  const rule = ruleOf("survey", flags);
  const abort = new AbortController();
  using _signals = onSignals((exitCode) =>
    abort.abort(new InterruptedError("survey: interrupted", exitCode)),
  );
  const { signal } = abort;
  const name = await askName("survey", named, replicas, signal);
  const options = rule === undefined ? { signal } : { signal, rule };
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
  const head = ["replica", "standing", "digest", "bytes", "round trip", ""];
  for (const line of table(head, rows, ["bytes", "round trip"])) print(line);
  const { votes, needed } = agreement;
  const most = agreement.reached
    ? agreement.agreeing.length
    : (agreement.groups[0]?.members.length ?? 0);
  const verdict = agreement.reached ? `quorum: ${agreement.manifest.digest}` : "no quorum";
  const tally = `${most} of ${countText(votes.length, "replica")} agree`;
  print(`${name}: ${verdict} (${tally}, ${ruleText(agreement.rule)} needs ${needed})`);
}
