/** Runs the command line in a real pseudo-terminal, types into it, and reads what is drawn. */

import { type IPty, spawn } from "@lydell/node-pty";
import { mainPath } from "./cli.js";

/** A command line in a terminal of 110 × 30. */
export class Terminal {
  readonly #pty: IPty;
  readonly ended: Promise<number>;
  #hasEnded = false;
  output = "";
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly (string | number)[], cwd: string) {
    this.#pty = spawn(process.execPath, [mainPath, ...args.map(String)], {
      name: "xterm-256color",
      cols: 110,
      rows: 30,
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
