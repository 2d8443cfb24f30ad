/** Programs that benches start: whether they are there, what they say, and their end. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** Whether a program can be started. */
export function isInstalled(program: string, flag: string): boolean {
  return spawnSync(program, [flag], { stdio: "ignore" }).error === undefined;
}

/** A started process. */
export class Started {
  readonly child: ChildProcess;
  readonly closed: Promise<number | null>;
  stdout = "";

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout?.on("data", (text: Buffer) => {
      this.stdout += text.toString("utf8");
    });
    this.closed = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code) => resolve(code));
    });
    this.closed.catch(() => {});
  }

  /** Resolves once stdout matches; rejects when it ends before that. */
  async says(pattern: RegExp): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(this.stdout)) resolve();
      };
      this.child.stdout?.on("data", look);
      look();
    });
    const ended = this.closed.then((code) => {
      throw new Error(`${this.child.spawnfile} ended with ${code}: ${this.stdout}`);
    });
    await Promise.race([heard, ended]);
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGTERM");
    await this.closed;
  }
}
