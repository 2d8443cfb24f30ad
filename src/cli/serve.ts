/** `quorate serve`: a group of virtual servers over a file or a folder. */

import { messageOf } from "../command-line.js";
import {
  type CallRecord,
  cleanText,
  type Entrance,
  type FaultName,
  type OnServeEvent,
  type ServeEvent,
  type Serving,
  serve,
  UsageError,
} from "../index.js";
import type { LogLevel } from "./flags.js";
import { given } from "./given.js";
import { listenToKeys } from "./keys.js";
import { openServeLog } from "./serve-log.js";
import { reportServing } from "./serve-report.js";
import { onSignals } from "./signals.js";
import { openScreen, printJson, type Screen } from "./terminal.js";

/**
 * The flags of `serve`, parsed but for the ports: a bad one is dropped with a warning, not refused.
 */
export interface ServeFlags {
  readonly file?: string | undefined;
  readonly number?: number | undefined;
  readonly port?: readonly string[] | undefined;
  readonly interval?: number | undefined;
  readonly host: string;
  readonly limitRate?: number | undefined;
  readonly limitRateClient?: number | undefined;
  readonly maxReads?: number | undefined;
  readonly maxClientReads?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly clientCa?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly reflection?: boolean | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  readonly fault?: readonly (readonly [port: number, fault: FaultName])[] | undefined;
  readonly json?: boolean | undefined;
}

export async function runServe(folder: string | undefined, flags: ServeFlags): Promise<void> {
  const named = flags.port ?? [];
  checkCounts(named, flags.number);
  if (folder !== undefined && flags.file !== undefined) {
    throw new UsageError("serve: a folder and -f at once: name one of them");
  }
  const screen = await openScreen({ isQuiet: flags.json === true });
  const share = flags.file === undefined ? { folder: folder ?? "." } : { file: flags.file };
  const what = flags.file ?? `the folder ${folder ?? "."}`;
  const keys = { typed: "" };
  const footer = () => `type a server's number to stop or start it, q to end ${keys.typed}`;
  const tell = reportServing(what, flags.host, screen, footer);
  const log = flags.logLevel === undefined ? undefined : await openServeLog(flags.logLevel);
  // Where a log is asked for, it says all of it; a live view and JSON on stdout go on beside it.
  const isTold = log === undefined || screen.isLive;
  const show = flags.json === true ? tellJson : isTold ? tell : () => {};
  const onEvent = (event: ServeEvent) => {
    show(event);
    log?.event(event);
  };
  const ports = numericPorts(named, { screen, isShareNamed: (flags.file ?? folder) !== undefined });
  // From the first moment: a signal while the servers start must end them, too.
  const ended = new AbortController();
  using _signals = onSignals(() => ended.abort());
  const intervalMs = flags.interval ?? (screen.isLive ? 1000 : 5000);
  const serving = await serve(
    {
      share,
      ports: ports.map(Number),
      entrance: entranceOf(flags),
      metrics: flags.metrics,
      onCall: log?.call ?? explaining(onEvent),
    },
    {
      host: flags.host,
      intervalMs,
      faults: new Map(flags.fault ?? []),
      ...given({
        limitRate: flags.limitRate,
        limitRateClient: flags.limitRateClient,
        maxReads: flags.maxReads,
        maxClientReads: flags.maxClientReads,
        maxConnections: flags.maxConnections,
      }),
      onEvent,
    },
  );
  const redraw = () => {
    if (screen.isLive) onEvent({ event: "status", servers: serving.status() });
  };
  redraw();
  using _survival = surviving(onEvent);
  await untilEnded(serving, { keys, redraw, ended });
  screen.clear();
  log?.flush();
}

/** Without a log, what nobody foresaw is told all the same: its client has the number. */
function explaining(onEvent: OnServeEvent): (port: number, record: CallRecord) => void {
  return (port, { reference, cause }) => {
    if (reference === undefined) return;
    onEvent({ event: "unforeseen", port, reference, why: cleanText(messageOf(cause)) });
  };
}

/**
 * The last resort: a library that throws where nobody can catch it must not take down servers that
 * others rely on. What it was serving is checked by whoever reads it, byte by byte.
 */
function surviving(onEvent: OnServeEvent): Disposable {
  const survive = (error: unknown) => {
    const reference = Math.random().toString(16).slice(2, 10);
    const name = error instanceof Error ? `${error.name}: ` : "";
    const why = cleanText(name + messageOf(error));
    const stack = error instanceof Error ? error.stack : undefined;
    onEvent({ event: "survived", reference, why, stack });
  };
  process.on("uncaughtException", survive);
  return { [Symbol.dispose]: () => process.off("uncaughtException", survive) };
}

/**
 * A word among the ports is dropped like any bad port, unless it may be the folder that was meant:
 * then another one would be served, which its owner did not choose.
 */
function numericPorts(
  named: readonly string[],
  { screen, isShareNamed }: { readonly screen: Screen; readonly isShareNamed: boolean },
): string[] {
  return named.filter((text) => {
    if (/^-?\d+$/.test(text)) return true;
    const what = `port ${JSON.stringify(text)}`;
    const why = "it is no number (a folder comes before -p)";
    if (!isShareNamed) throw new UsageError(`serve: ${what}: ${why}`);
    screen.say(`serve: ${what} is dropped: ${why}`);
    return false;
  });
}

function entranceOf(flags: ServeFlags): Entrance {
  const { tlsCert, tlsKey, clientCa, tokenFile, insecure, reflection } = flags;
  const isInsecure = insecure;
  return { tlsCert, tlsKey, clientCa, tokenFile, isInsecure, hasReflection: reflection };
}

function tellJson(event: ServeEvent): void {
  // A reader that sleeps must not cost memory; the next status says it all again.
  if (event.event === "status" && process.stdout.writableLength > 0) return;
  printJson(event);
}

function checkCounts(ports: readonly string[], number: number | undefined): void {
  if (ports.length === 0) throw new UsageError("serve: no ports: name them with -p PORT…");
  if (number !== undefined && number !== ports.length) {
    throw new UsageError(`serve: -n ${number} is not the number of ports given, ${ports.length}`);
  }
}

/** Runs until a signal, or `q` on a terminal, and then drains. */
async function untilEnded(
  serving: Serving,
  {
    keys,
    redraw,
    ended,
  }: { readonly keys: { typed: string }; redraw: () => void; ended: AbortController },
): Promise<void> {
  using _keys = listenToKeys({
    highest: serving.servers.length,
    onNumber: async (number) => {
      await serving.toggle(number);
      redraw();
    },
    onTyped: (typed) => {
      keys.typed = typed;
      redraw();
    },
    onQuit: () => ended.abort(),
  });
  if (!ended.signal.aborted) {
    await new Promise<void>((resolve) => {
      ended.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  await serving.drain();
}
