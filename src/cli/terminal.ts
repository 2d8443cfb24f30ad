/**
 * Where a command writes: results to stdout, progress to stderr, a live view only where one can be
 * seen.
 */

import { isInForeground, storageError } from "../command-line.js";
import { exitCodes } from "../index.js";
import { countText, fitted } from "./format.js";
import { openLiveView } from "./live-view.js";

/** Lines that stay, and, on a terminal, a block below them that is drawn again and again. */
export interface Screen {
  /** Whether there is a live view. */
  readonly isLive: boolean;
  /** How wide it is, as of now. */
  readonly columns: number;
  /** Milliseconds between two drawings of the live view, or between two lines without one. */
  readonly intervalMs: number;
  /** Writes a line that stays. */
  say(line: string): void;
  /** Draws the live view; nothing when there is none. */
  draw(lines: readonly string[]): void;
  /** Takes the live view away. */
  clear(): void;
}

/** Lines that a terminal which takes nothing may still find waiting: some 600 of them. */
const mostQueuedBytes = 64 * 1024;

/** Often enough to look alive, and seldom enough to be read. */
const liveMs = 200;
const lineMs = 1000;

/** Where results go: stdout, unless that carries a file. */
let results: NodeJS.WriteStream = process.stdout;

/** Leaves stdout to somebody else, for the rest of this process. */
export function reportOnStderr(): void {
  results = process.stderr;
}

/** Whether the reader of results has not taken the last ones yet. */
export function areResultsBehind(): boolean {
  return results.writableLength > 0;
}

/** Writes a line to stdout, or wherever results go. */
export function print(line: string): void {
  results.write(`${line}\n`);
}

/** Writes a line to stderr, whether or not there is a screen. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes an event as one line of JSON, where results go. */
export function printJson(event: object): void {
  print(JSON.stringify(event, (_, value) => (typeof value === "bigint" ? String(value) : value)));
}

/**
 * A screen on stderr. `isQuiet`: nothing is written at all (with `--json`, whose reader is a
 * program).
 * What a pipe or a terminal does not take is dropped, not queued: a reader that sleeps must cost
 * neither time nor memory.
 */
export async function openScreen({ isQuiet }: { readonly isQuiet: boolean }): Promise<Screen> {
  const { stderr } = process;
  const isLive = !isQuiet && stderr.isTTY === true && process.env.TERM !== "dumb";
  const live = isLive ? await openLiveView(stderr) : undefined;
  const isBehind = () => stderr.writableLength > (isLive ? mostQueuedBytes : 0);
  let drawn: readonly string[] = [];
  // A terminal that does not know its size says 0.
  const columns = () => stderr.columns || 80;
  const redraw = () => {
    // In the background of a shell it would be drawn over what its user types.
    if (drawn.length === 0 || stderr.writableLength > 0 || !isInForeground()) return;
    const lines = atMost(drawn, (stderr.rows || 24) - 1);
    live?.draw(
      lines.map((line) => fitted(line, columns())),
      columns(),
    );
  };
  return {
    isLive,
    intervalMs: isLive ? liveMs : lineMs,
    get columns() {
      return columns();
    },
    say(line) {
      if (isQuiet || isBehind()) return;
      live?.clear(columns());
      complain(line);
      redraw();
    },
    draw(lines) {
      drawn = lines;
      redraw();
    },
    clear() {
      drawn = [];
      live?.clear(columns());
    },
  };
}

/** What fits into so many lines: the first ones, which say most, and how many are missing. */
function atMost(lines: readonly string[], count: number): readonly string[] {
  if (lines.length <= count) return lines;
  const kept = lines.slice(0, Math.max(1, count - 1));
  return [...kept, `… and ${countText(lines.length - kept.length, "more line")}`].slice(0, count);
}

/**
 * A reader that goes away must end no transfer: `quorate get … | head` finishes its work, and so it
 * does when its terminal is closed, or when its log is on a disk that is full.
 */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Whatever is wrong with where we talk to, it is no reason to lose what we work for.
    stream.on("error", () => {});
    takeNoBreath(stream);
  }
}

/** For commands whose results are all they make: when a disk refuses those, it was for nothing. */
export function insistOnResults(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    complain(storageError("write", "stdout", error, "nothing").message);
    process.exitCode = exitCodes.storage;
  });
}

/**
 * A terminal that takes nothing (Ctrl-S, a connection that hangs) would stop us in the middle of a
 * write: Node writes to terminals in blocking mode. Without it what cannot be written is queued,
 * and whoever writes looks at the queue first.
 */
function takeNoBreath(stream: NodeJS.WriteStream): void {
  if (stream.isTTY !== true) return;
  const handle: unknown = Reflect.get(stream, "_handle");
  if (typeof handle !== "object" || handle === null || !("setBlocking" in handle)) return;
  if (typeof handle.setBlocking === "function") handle.setBlocking(false);
}
