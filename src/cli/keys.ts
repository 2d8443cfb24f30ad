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
  typed = "";

  constructor(highest: number) {
    this.#highest = highest;
  }

  /** The number that this key completes, or `undefined`. */
  press(key: string): number | undefined {
    const isEnter = key === "\r" || key === "\n";
    if (/^\d$/.test(key)) this.typed += key;
    else if (!isEnter) this.typed = "";
    const number = Number(this.typed);
    const isComplete = this.typed !== "" && (isEnter || number * 10 > this.#highest);
    if (!isComplete) return undefined;
    this.typed = "";
    return number >= 1 && number <= this.#highest ? number : undefined;
  }
}
