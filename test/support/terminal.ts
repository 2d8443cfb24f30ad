/** Runs the command line in a real pseudo-terminal, types into it, and reads what is drawn. */

import { type IPty, spawn } from "@lydell/node-pty";
import { mainPath } from "./cli.js";

/** What else a terminal can be. */
export interface TerminalOptions {
  /** `TERM`. */
  readonly kind?: string;
  readonly rows?: number;
  /** Another program than the command line. */
  readonly program?: string;
}

/** A command line in a terminal, 110 columns wide. */
export class Terminal {
  readonly #pty: IPty;
  readonly ended: Promise<number>;
  #hasEnded = false;
  output = "";
  readonly #watchers = new Set<() => void>();

  constructor(
    args: readonly (string | number)[],
    cwd: string,
    { kind = "xterm-256color", rows = 30, program }: TerminalOptions = {},
  ) {
    const main = program === undefined ? [mainPath] : [];
    this.#pty = spawn(program ?? process.execPath, [...main, ...args.map(String)], {
      name: kind,
      cols: 110,
      rows,
      cwd,
      env: { ...process.env, XDG_CACHE_HOME: cwd },
    });
    this.#pty.onData((data) => {
      this.output += data;
      for (const watcher of [...this.#watchers]) watcher();
    });
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        this.#hasEnded = true;
        resolve(exitCode);
        for (const watcher of [...this.#watchers]) watcher();
      });
    });
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
  }

  kill(): void {
    if (!this.#hasEnded) this.#pty.kill("SIGKILL");
  }

  /** Resolves once what was drawn since the last call matches. */
  async shows(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (pattern.test(this.output)) resolve();
        else if (this.#hasEnded) reject(new Error(`it ended and had shown:\n${this.output}`));
        else return;
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
    this.output = "";
  }
}
