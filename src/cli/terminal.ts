/**
 * Where a command writes: results to stdout, progress to stderr, a live view only where one can be
 * seen.
 */

import { createLogUpdate } from "log-update";
import { fitted } from "./format.js";

/** Lines that stay, and, on a terminal, a block below them that is drawn again and again. */
export interface Screen {
  /** Whether there is a live view. */
  readonly isLive: boolean;
  /** Writes a line that stays. */
  say(line: string): void;
  /** Draws the live view; nothing when there is none. */
  draw(lines: readonly string[]): void;
  /** Takes the live view away. */
  clear(): void;
}

/** Writes a line to stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes an event as one line of JSON to stdout. */
export function printJson(event: object): void {
  print(JSON.stringify(event, (_, value) => (typeof value === "bigint" ? String(value) : value)));
}

/**
 * A screen on stderr. `isQuiet`: nothing is written at all (with `--json`, whose reader is a
 * program).
 * What a pipe does not take is dropped, not queued: a reader that sleeps must not cost memory.
 */
export function openScreen({ isQuiet }: { readonly isQuiet: boolean }): Screen {
  const { stderr } = process;
  const isLive = !isQuiet && stderr.isTTY === true;
  const live = isLive ? createLogUpdate(stderr, { showCursor: true }) : undefined;
  let drawn: readonly string[] = [];
  // A terminal that does not know its size says 0.
  const redraw = () => {
    if (drawn.length > 0)
      live?.(drawn.map((line) => fitted(line, stderr.columns || 80)).join("\n"));
  };
  return {
    isLive,
    say(line) {
      if (isQuiet || (!isLive && stderr.writableLength > 0)) return;
      live?.clear();
      stderr.write(`${line}\n`);
      redraw();
    },
    draw(lines) {
      drawn = lines;
      redraw();
    },
    clear() {
      drawn = [];
      live?.clear();
    },
  };
}

/** A reader that goes away must end no transfer: `quorate get … | head` finishes its work. */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

/** Ends a use case on SIGINT and SIGTERM; a second signal ends the process at once. */
export function onSignals(stop: (exitCode: 130 | 143) => void): Disposable {
  let isStopping = false;
  const listen = (exitCode: 130 | 143) => () => {
    if (isStopping) process.exit(exitCode);
    isStopping = true;
    stop(exitCode);
  };
  const onInterrupt = listen(130);
  const onTerminate = listen(143);
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return {
    [Symbol.dispose]() {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
    },
  };
}
