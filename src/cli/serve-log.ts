/** Writes what a group of virtual servers does as a log: JSON, or plain lines on a terminal. */

import { messageOf } from "../command-line.js";
import type { CallRecord, ServeEvent } from "../index.js";
import { cleanText } from "../index.js";
import type { LogLevel } from "./flags.js";

/** A log, to be flushed at the end. */
export interface ServeLog {
  event(event: ServeEvent): void;
  call(port: number, record: CallRecord): void;
  flush(): void;
}

/** What may wait for a reader that sleeps; the rest is dropped, for memory is worth more. */
const waitingBytes = 4 * 1024 * 1024;

/** Opens a log on stderr. */
export async function openServeLog(level: LogLevel): Promise<ServeLog> {
  const { pino } = await import("pino");
  const target = pino.destination({ dest: 2, sync: false, maxLength: waitingBytes });
  // A log that nobody reads any more must not end the servers.
  target.on("error", () => {});
  const isTerminal = process.stderr.isTTY === true;
  const sink = isTerminal ? { write: (line: string) => target.write(plainLine(line)) } : target;
  const base = { pid: process.pid };
  const logger = pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, sink);
  return {
    event(event) {
      logger[levelOf(event)]({ ...event }, event.event);
    },
    call(port, { cause, ...record }) {
      const facts = { port, ...record, ms: Math.round(record.ms * 10) / 10 };
      if (cause === undefined) logger.info(facts, "call");
      else logger.error({ ...facts, ...causeOf(cause) }, "call failed in an unforeseen way");
    },
    flush: () => target.flushSync(),
  };
}

function causeOf(cause: unknown): { why: string; stack: string | undefined } {
  return {
    why: cleanText(messageOf(cause)),
    stack: cause instanceof Error ? cause.stack : undefined,
  };
}

function levelOf({ event }: ServeEvent): LogLevel {
  switch (event) {
    case "status":
    case "hashing":
      return "debug";
    case "dropped":
    case "insecure":
    case "not-reloaded":
    case "stopped":
      return "warn";
    case "failed":
    case "survived":
    case "unforeseen":
      return "error";
    default:
      return "info";
  }
}

/** `12:34:56.789 info call port=10001 …`, from a line of JSON. */
function plainLine(json: string): string {
  const { level, time, msg, pid: _, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const named = { 20: "debug", 30: "info", 40: "warn", 50: "error" }[Number(level)] ?? level;
  const rest = Object.entries(facts).map(([name, value]) => {
    return `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  return `${cleanText([String(time).slice(11, 23), named, msg, ...rest].join(" "))}\n`;
}
