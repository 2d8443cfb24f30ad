/**
 * What a signal means: the first one ends a command in order, the second at once. A closed terminal
 * (SIGHUP) is one like the others: what was fetched is made durable.
 */

import { exitCodes, InterruptedError } from "../index.js";
import { leaveTerminal } from "./keys.js";

/** What is to be when ending in order takes too long. */
export interface Patience {
  /** Milliseconds. */
  readonly ms: number;
  /** Says so; the process ends after that. */
  readonly onLate: () => void;
}

/** With 128 + the signal's number, as a shell reports it. */
const signals = [
  ["SIGHUP", exitCodes["hung-up"]],
  ["SIGINT", exitCodes.interrupted],
  ["SIGTERM", exitCodes.terminated],
] as const;

/** What a process that a signal ended in order exits with. */
type SignalExit = (typeof signals)[number][1];

/**
 * Calls `stop` on the first signal, once. A second one, or no end within the patience, ends the
 * process there and then, as the signal itself would.
 */
export function onSignals(stop: (exitCode: SignalExit) => void, patience?: Patience): Disposable {
  let isStopping = false;
  let late: NodeJS.Timeout | undefined;
  const deafen = () => {
    clearTimeout(late);
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
  const listeners = signals.map(([signal, exitCode]) => {
    const listener = () => {
      if (isStopping) {
        deafen();
        endBy(signal);
        return;
      }
      isStopping = true;
      if (patience !== undefined) {
        const giveUp = () => {
          patience.onLate();
          deafen();
          endBy(signal);
        };
        late = setTimeout(giveUp, patience.ms);
      }
      stop(exitCode);
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  return { [Symbol.dispose]: deafen };
}

/** A signal for what runs until it is disposed of, aborted with this message by the first one. */
export function interruptible(message: string): Disposable & { readonly signal: AbortSignal } {
  const abort = new AbortController();
  const signals = onSignals((exitCode) => abort.abort(new InterruptedError(message, exitCode)));
  return { signal: abort.signal, [Symbol.dispose]: () => signals[Symbol.dispose]() };
}

/**
 * `process.exit` would wait for the disk: it joins the threads that write and sync, for as long as a
 * slow disk or a dead network file system holds them. Nobody waits for a process that was killed.
 */
function endBy(signal: NodeJS.Signals): void {
  leaveTerminal();
  process.kill(process.pid, signal);
}
