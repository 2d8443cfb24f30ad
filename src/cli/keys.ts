/**
 * Reads keys from a terminal: a server's number, `q`, and Ctrl-C, which raw mode no longer makes a
 * signal.
 */

/** What the keys do. */
export interface KeyActions {
  /** The highest number that makes sense. */
  readonly highest: number;
  readonly onNumber: (number: number) => Promise<void>;
  /** Digits typed so far, while the number is not complete. */
  readonly onTyped: (typed: string) => void;
  readonly onQuit: () => void;
}

/** Listens until it is disposed of; does nothing where stdin is no terminal. */
export function listenToKeys(actions: KeyActions): Disposable {
  const { stdin } = process;
  if (stdin.isTTY !== true) return { [Symbol.dispose]() {} };
  const reader = new NumberReader(actions.highest);
  const onData = (data: Buffer) => {
    for (const key of data.toString("latin1")) {
      if (key === "q" || key === "\u0003") actions.onQuit();
      const number = reader.press(key);
      actions.onTyped(reader.typed);
      if (number !== undefined) void actions.onNumber(number);
    }
  };
  stdin.setRawMode(true);
  stdin.on("data", onData);
  stdin.resume();
  return {
    [Symbol.dispose]() {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** Turns keys into numbers: at once when no further digit could belong to it, else on Enter. */
export class NumberReader {
  readonly #highest: number;
  /** Where in a sequence such as `ESC [ 3 ~`, which is one key, the last key stood. */
  #sequence: "none" | "escape" | "inside" = "none";
  typed = "";

  constructor(highest: number) {
    this.#highest = highest;
  }

  /** The number that this key completes, or `undefined`. */
  press(key: string): number | undefined {
    if (this.#isOfSequence(key)) {
      this.typed = "";
      return undefined;
    }
    const isEnter = key === "\r" || key === "\n";
    if (/^\d$/.test(key)) this.typed += key;
    else if (!isEnter) this.typed = "";
    const number = Number(this.typed);
    const isComplete = this.typed !== "" && (isEnter || number * 10 > this.#highest);
    if (!isComplete) return undefined;
    this.typed = "";
    return number >= 1 && number <= this.#highest ? number : undefined;
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
