/** `quorate get`: gets a file from the replicas that agree on what it is. */

import {
  type DownloadEvent,
  download,
  downloadInOrder,
  InterruptedError,
  type Rule,
  UsageError,
} from "../index.js";
import { askName } from "./ask-name.js";
import type { GetFlags } from "./get-flags.js";
import { receiptText, reportDownload } from "./get-report.js";
import { given } from "./given.js";
import { downloadEventJson } from "./json.js";
import { optimizeLater } from "./optimize-later.js";
import { replicasOf } from "./replicas.js";
import { onSignals } from "./signals.js";
import { giveStdout, leaveSoon, ReaderGone } from "./stdout.js";
import { areResultsBehind, complain, openScreen, print, printJson } from "./terminal.js";

/** Milliseconds from a signal to our end, whatever the disk does. */
const lastMs = 2000;

/** `asksResume`: whether `-r` was given, rather than taken for granted. */
export async function runGet(
  named: string | undefined,
  flags: GetFlags,
  asksResume: boolean,
): Promise<void> {
  optimizeLater();
  const take = flags.output === "-" ? await giveStdout(flags, asksResume) : undefined;
  const replicas = await replicasOf("get", flags);
  const rule = ruleOf("get", flags);
  const isJson = flags.json === true;
  const isForced = flags.force === true;
  const seeds = flags.seed === false ? [] : flags.seed === true ? undefined : flags.seed;
  const screen = await openScreen({ isQuiet: isJson });
  const abort = new AbortController();
  using _signals = endInOrder(`get${named === undefined ? "" : ` ${named}`}`, flags, abort);
  try {
    const name = await askName("get", named, replicas, abort.signal);
    const tell = isJson ? tellJson : reportDownload(name, screen);
    const options = {
      ...given({
        rule,
        chunks: flags.chunks,
        limitRate: flags.limitRate,
        maxBytes: flags.maxSize,
        timeoutMs: flags.timeout,
        hashThreads: flags.hashThreads,
      }),
      intervalMs: screen.isLive ? screen.intervalMs : (flags.interval ?? screen.intervalMs),
      signal: abort.signal,
      onEvent: tell,
    };
    const asked = { replicas, name, force: isForced, receipt: flags.receipt };
    const { output } = flags;
    const resume = flags.resume !== false;
    const receipt =
      take === undefined
        ? await download({ ...asked, output, resume, seeds, early: true }, options)
        : await downloadInOrder(asked, take, options);
    screen.clear();
    if (!isJson) for (const line of receiptText(receipt)) print(line);
  } catch (error) {
    if (take !== undefined) leaveSoon();
    if (!(error instanceof ReaderGone)) throw error;
    process.exitCode = error.exitCode;
  } finally {
    screen.clear();
  }
}

/** What is left to do after a signal is one checkpoint; `lastMs` is what the disk has for it. */
function endInOrder(what: string, flags: GetFlags, abort: AbortController): Disposable {
  const again =
    flags.output === "-"
      ? "what was written is incomplete"
      : flags.resume !== false
        ? "run the same command again to resume"
        : "run it again without --no-resume to resume";
  const onLate = () => {
    const message =
      `${what}: interrupted; the disk took more than ${lastMs / 1000} s for the last checkpoint, ` +
      `and what came after the one before may be lost; ${again}`;
    complain(message);
    if (flags.json === true) printJson({ event: "error", code: "interrupted", message });
  };
  return onSignals(
    (exitCode) => abort.abort(new InterruptedError(`${what}: interrupted; ${again}`, exitCode)),
    { ms: lastMs, onLate },
  );
}

/**
 * The rule that the flags ask for; a pinned digest beats any vote, so both at once make no sense.
 */
export function ruleOf(
  command: string,
  flags: { readonly quorum?: Rule | undefined; readonly digest?: Rule | undefined },
): Rule | undefined {
  if (flags.digest !== undefined && flags.quorum !== undefined) {
    throw new UsageError(
      `${command}: --digest pins the file, so --quorum has no say: leave one out`,
    );
  }
  return flags.digest ?? flags.quorum;
}

/** Prints an event of a download as JSON, unless it is only for eyes. */
export function tellJson(event: DownloadEvent): void {
  // A reader that sleeps must not cost memory; the next progress says it all again.
  if (event.event === "progress" && areResultsBehind()) return;
  const json = downloadEventJson(event);
  if (json !== undefined) printJson(json);
}
