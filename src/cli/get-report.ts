/**
 * Tells a download to a person: lines that stay, a live view or a line each interval, and the end.
 */

import { agreeText } from "../command-line.js";
import {
  type Agreement,
  type DownloadEvent,
  faultText,
  type Receipt,
  ruleText,
  shortDigest,
  type TransferProgress,
} from "../index.js";
import {
  barText,
  bytesText,
  columnsOf,
  countText,
  durationText,
  fitted,
  percentText,
  rateText,
  table,
} from "./format.js";
import type { Screen } from "./terminal.js";
import { timeLeft } from "./time-left.js";

/** What a reporter of downloads does with each event. */
export function reportDownload(name: string, screen: Screen): (event: DownloadEvent) => void {
  const told = new Map<string, number>();
  // In a live view the name leaves room for what happens to it.
  const short = fitted(name, 40);
  const times = stopwatch();
  let lastLineAt = Number.NEGATIVE_INFINITY;
  const oncePerSecond = (): boolean => {
    const now = performance.now();
    if (now - lastLineAt < 1000) return false;
    lastLineAt = now;
    return true;
  };
  return (event) => {
    switch (event.event) {
      case "hashing":
        if (screen.isLive) screen.draw([hashingLine(short, event)]);
        else if (oncePerSecond()) screen.say(hashingLine(name, event));
        return;
      case "agreement":
        screen.clear();
        for (const line of agreementLines(name, event.agreement)) screen.say(line);
        return;
      case "asked-again":
      case "second-opinions":
      case "root-doubted":
      case "merged":
      case "set-aside":
      case "resumed":
      case "seed-skipped":
      case "seeded":
      case "joined":
      case "banned":
        screen.say(`${name}: ${newsText(event)}`);
        return;
      case "fault":
        if (!isNews(event.replica, told)) return;
        screen.say(`${name}: ${event.replica}: ${faultText(event.fault)}`);
        return;
      case "progress":
        if (screen.isLive) screen.draw(liveLines(short, screen.columns, event, times(event)));
        // The last one would only say what the receipt says better.
        else if (event.doneBytes < event.totalBytes) screen.say(progressLine(name, event));
        return;
      case "rereading":
      case "verifying":
      case "seeding":
        if (screen.isLive) screen.draw([readingLine(short, event)]);
        else if (event.event === "seeding") screen.say(readingLine(name, event));
        return;
      case "answer":
      case "receipt":
        return;
      default:
        event satisfies never;
    }
  };
}

/** What a download has taken so far, and what it still takes. */
interface Times {
  readonly elapsedMs: number;
  readonly leftSeconds: number;
}

function stopwatch(): (progress: TransferProgress) => Times {
  const startedAt = performance.now();
  const left = timeLeft();
  return (progress) => {
    const elapsedMs = performance.now() - startedAt;
    return { elapsedMs, leftSeconds: left(progress, elapsedMs) };
  };
}

/** The first few faults of a replica are; the receipt counts the rest. */
function isNews(replica: string, told: Map<string, number>): boolean {
  const times = (told.get(replica) ?? 0) + 1;
  told.set(replica, times);
  return times <= 3;
}

type News = Extract<
  DownloadEvent,
  {
    event:
      | "asked-again"
      | "root-doubted"
      | "second-opinions"
      | "merged"
      | "set-aside"
      | "resumed"
      | "seed-skipped"
      | "seeded"
      | "joined"
      | "banned";
  }
>;

/** What happens seldom, in a line each. */
function newsText(event: News): string {
  switch (event.event) {
    case "asked-again":
      return `the file changed during the download, the quorum is asked again: ${event.why}`;
    case "second-opinions":
      return "the whole file is wrong: it is read again from others to find out whose bytes are";
    case "root-doubted":
      return `root ${shortDigest(event.root)}… judges pieces no longer: ${event.why}${freedText(event)}`;
    case "merged":
      return mergedText(event);
    case "set-aside":
      return `what an earlier run left is set aside as ${event.path}`;
    case "resumed":
      return `${bytesText(event.bytes)} of an earlier run are right and are kept`;
    case "seed-skipped":
      return `${event.paths.join(", ")} is of no use: ${event.why}`;
    case "seeded":
      return event.bytes === 0
        ? `nothing in ${event.path} is equal at the same place`
        : `${bytesText(event.bytes)} are equal in ${event.path} and are not fetched`;
    case "joined":
      return `${event.replica} answered late, agrees, and takes part`;
    case "banned":
      return `${event.replica} is banned: ${event.why}`;
    default:
      return event satisfies never;
  }
}

export function mergedText({ replica, into }: Extract<DownloadEvent, { event: "merged" }>): string {
  return `${replica} is the same server as ${into}, and counts once`;
}

function freedText({ freed }: Extract<DownloadEvent, { event: "root-doubted" }>): string {
  return freed.length === 0 ? "" : `; ${freed.join(", ")} no longer banned`;
}

/** What was agreed on, and who does not agree. */
export function agreementLines(name: string, agreement: Agreement): string[] {
  if (!agreement.reached) return [];
  const { manifest, agreeing, votes, rule } = agreement;
  const tally = agreeText(agreeing.length, votes.length);
  const what = `${shortDigest(manifest.digest)}…, ${bytesText(manifest.size)}`;
  const lines = [`${name}: ${tally} (rule: ${shortRule(ruleText(rule))}): ${what}`];
  if (votes.length === 1 && rule.kind !== "digest") {
    lines.push(`${name}: with a single replica there is nobody to contradict it`);
  }
  for (const { replica, answer } of votes) {
    if (agreeing.includes(replica)) continue;
    if (answer.kind === "missing") lines.push(`${name}: ${replica} has no such file`);
    if (answer.kind === "silent") lines.push(`${name}: ${replica} is silent: ${answer.why}`);
    if (answer.kind === "claimed") {
      const { digest, size } = answer.claim;
      lines.push(`${name}: ${replica} dissents: ${shortDigest(digest)}…, ${bytesText(size)}`);
    }
  }
  return lines;
}

function shortRule(rule: string): string {
  return rule.startsWith("sha256:") ? `sha256:${shortDigest(rule)}…` : rule;
}

function hashingLine(
  name: string,
  { replica, doneBytes, totalBytes }: Extract<DownloadEvent, { event: "hashing" }>,
): string {
  const done = percentText(doneBytes, totalBytes);
  return `${name}: ${replica} is still hashing it, ${done} of ${bytesText(totalBytes)}`;
}

function progressLine(name: string, progress: TransferProgress): string {
  const { doneBytes, totalBytes, rate, replicas } = progress;
  const active = replicas.filter(({ leases }) => leases > 0).length;
  const done = `${percentText(doneBytes, totalBytes)} of ${bytesText(totalBytes)}`;
  return `${name}: ${done}, ${rateText(rate)} from ${countText(active, "replica")}`;
}

/** How far reading is, while nothing is fetched. */
function readingLine(
  name: string,
  event: Extract<DownloadEvent, { event: "rereading" | "verifying" | "seeding" }>,
): string {
  const done = percentText(event.doneBytes, event.totalBytes);
  switch (event.event) {
    case "rereading":
      return `${name}: checking what an earlier run left, ${done}`;
    case "verifying":
      return `${name}: checking the whole digest, ${done}`;
    case "seeding":
      return `${name}: comparing with ${event.path}, ${done}`;
    default:
      return event satisfies never;
  }
}

/** In steps: a bar that fitted exactly would change with every digit beside it. */
const barColumns = [20, 16, 12, 8];

/** The whole file on one line, and a line for each replica: standing, rate, share. */
function liveLines(
  name: string,
  columns: number,
  progress: TransferProgress,
  { elapsedMs, leftSeconds }: Times,
): string[] {
  const { doneBytes, totalBytes, rate, replicas } = progress;
  // Hardly anything would promise thousands of years.
  const left = leftSeconds < 360_000 ? `${durationText(leftSeconds)} left` : "waiting";
  const percent = percentText(doneBytes, totalBytes);
  const spent = durationText(elapsedMs / 1000);
  const facts = `${percent} of ${bytesText(totalBytes)}  ${rateText(rate)}  ${spent}, ${left}`;
  const least = `${name}  ${percent}  ${rateText(rate)}  ${left}`;
  const bars = barColumns.map(
    (wide) => `${name}  ${barText(doneBytes, totalBytes, wide)}  ${facts}`,
  );
  const fits = (line: string) => columnsOf(line) <= columns;
  const head = [...bars, `${name}  ${facts}`].find(fits) ?? least;
  const delivered = replicas.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
  const rows = replicas.map((replica) => [
    `  ${replica.address}`,
    replica.standing,
    rateText(replica.rate),
    delivered === 0 ? "–" : percentText(replica.deliveredBytes, delivered),
    replica.reason ?? "",
  ]);
  const titles = ["  replica", "standing", "rate", "share", ""];
  return [head, ...table(titles, rows, ["rate", "share"])];
}

/** What was fetched, from whom, how fast, and that it was verified. */
export function receiptText(receipt: Receipt): string[] {
  const { name, size, seconds, digest, path, replicas, wastedBytes } = receipt;
  const { resumedBytes, seededBytes } = receipt;
  const fetched = size - resumedBytes - seededBytes;
  const from = replicas.filter(({ deliveredBytes }) => deliveredBytes > 0).length;
  // Time that went into comparing says nothing about the servers.
  const speed =
    seconds > 0 && fetched > 0 && seededBytes === 0 ? `, ${rateText(fetched / seconds)}` : "";
  const resumed =
    resumedBytes > 0 ? `, ${bytesText(resumedBytes)} of them from an earlier run` : "";
  const seeded = seededBytes > 0 ? `, ${bytesText(seededBytes)} from an old copy` : "";
  const wasted = wastedBytes > 0 ? `, ${bytesText(wastedBytes)} fetched in vain` : "";
  const source = from > 0 ? ` from ${countText(from, "replica")}` : "";
  const spent = `${durationText(seconds)}${from > 0 || size === 0 ? "" : ", nothing fetched"}`;
  const head = `${name}: ${bytesText(size)}${source} in ${spent}${speed}${resumed}${seeded}${wasted}`;
  // What went to stdout is nowhere.
  return [head, `verified ${digest}`, ...(path === "-" ? [] : [path])];
}

/** A table of who did what. */
export function receiptTable({ replicas }: Receipt): string[] {
  const rows = replicas.map((replica) => [
    replica.address,
    replica.standing,
    bytesText(replica.deliveredBytes),
    bytesText(replica.wastedBytes),
    Object.entries(replica.faults)
      .map(([kind, times]) => `${kind} ×${times}`)
      .join(", "),
  ]);
  return table(["replica", "standing", "delivered", "in vain", "faults"], rows, [
    "delivered",
    "in vain",
  ]);
}
