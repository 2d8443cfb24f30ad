/**
 * Reads keys from a terminal: a server's number, `q`, and Ctrl-C and Ctrl-Z, which raw mode no longer
 * makes signals.
 */

import { isInForeground } from "../command-line.js";

/** Milliseconds until a job in the background looks whether it is in front now. */
const lookAgainMs = 500;

/** What the keys do. */
export interface KeyActions {
  /** The highest number that makes sense. */
  readonly highest: number;
  readonly onNumber: (number: number) => Promise<void>;
  /** Digits typed so far, while the number is not complete; or what is wrong with one. */
  readonly onTyped: (typed: string) => void;
  readonly onQuit: () => void;
}

/**
 * Listens until it is disposed of, whenever it is in the foreground; does nothing where stdin is no
 * terminal.
 */
export function listenToKeys(actions: KeyActions): Disposable {
  const { stdin } = process;
  if (stdin.isTTY !== true) return { [Symbol.dispose]() {} };
  const reader = new NumberReader(actions.highest);
  let waiting: NodeJS.Timeout | undefined;
  const onData = (data: Buffer) => {
    for (const key of data.toString("latin1")) {
      if (key === "q") actions.onQuit();
      // As the terminal would if it were not raw: a second one ends it at once.
      else if (key === "\u0003") process.kill(process.pid, "SIGINT");
      else if (key === "\u001a") suspend(listen);
      const { number, problem } = reader.press(key);
      actions.onTyped(problem ?? reader.typed);
      if (number !== undefined) void actions.onNumber(number);
    }
  };
  const listen = () => {
    clearTimeout(waiting);
    stdin.pause();
    if (!isInForeground()) {
      // `fg` says nothing to a job that runs.
      waiting = setTimeout(listen, lookAgainMs).unref();
      return;
    }
    // A shell that took the terminal back put it into its own mode, of which Node knows nothing.
    stdin.setRawMode(false);
    stdin.setRawMode(true);
    stdin.resume();
  };
  stdin.on("data", onData);
  process.on("SIGCONT", listen);
  listen();
  return {
    [Symbol.dispose]() {
      clearTimeout(waiting);
      stdin.off("data", onData);
      process.off("SIGCONT", listen);
      leaveTerminal();
    },
  };
}

/** Stops the whole job, as the terminal would: `npm`, or a shell that waits for us, is of it. */
function suspend(listen: () => void): void {
  leaveTerminal();
  process.kill(0, "SIGTSTP");
  // Where there is no job control nothing has stopped, and nobody will tell us to continue.
  listen();
}

/** Gives the terminal back as it was: raw mode would outlive us. */
export function leaveTerminal(): void {
  const { stdin } = process;
  if (stdin.isTTY !== true) return;
  stdin.pause();
  if (isInForeground()) stdin.setRawMode(false);
}

/** What a key made of the digits before it. */
export interface Press {
  /** The number that it completed. */
  readonly number?: number;
  /** What is wrong with it. */
  readonly problem?: string;
}

/** Turns keys into numbers: at once when no further digit could belong to it, else on Enter. */
export class NumberReader {
  readonly #highest: number;
  /** Where in a sequence such as `ESC [ 3 ~`, which is one key, the last key stood. */
  #sequence: "none" | "escape" | "inside" = "none";
  /** What was wrong with the last number: who types Enter behind it shall still see it. */
  #last: Press = {};
  typed = "";

  constructor(highest: number) {
    this.#highest = highest;
  }

  /** The number that this key completes, if it does. */
  press(key: string): Press {
    if (this.#isOfSequence(key)) {
      this.typed = "";
      return {};
    }
    const isEnter = key === "\r" || key === "\n";
    if (isEnter && this.typed === "") return this.#last;
    if (/^\d$/.test(key)) this.typed += key;
    else if (!isEnter) this.typed = "";
    const number = Number(this.typed);
    const isComplete = this.typed !== "" && (isEnter || number * 10 > this.#highest);
    this.#last = {};
    if (!isComplete) return {};
    this.typed = "";
    if (number >= 1 && number <= this.#highest) return { number };
    this.#last = { problem: `(there is no server ${number})` };
    return this.#last;
  }

  /** `Delete` is sent as `ESC [ 3 ~`: its digit is no server's number. */
  #isOfSequence(key: string): boolean {
    const before = this.#sequence;
    if (key === "\u001b") this.#sequence = "escape";
    else if (before === "escape" && (key === "[" || key === "O")) this.#sequence = "inside";
    else if (before === "inside" && /^[ -?]$/.test(key)) this.#sequence = "inside";
    else this.#sequence = "none";
    return this.#sequence !== "none" || before === "inside";
  }
}
