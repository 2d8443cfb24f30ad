/**
 * A folder for one suite of end-to-end tests, and everything that was started in it: all gone
 * after.
 */

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Finished, Running, type RunOptions, run, startServing } from "./cli.js";

/** A folder, and the processes of a suite. */
export class Workspace {
  #folder: string | undefined;
  readonly #running: Running[] = [];

  /** Makes it before the suite and removes it after; call inside a `describe`. */
  static forSuite(): Workspace {
    const workspace = new Workspace();
    before(async () => {
      workspace.#folder = await mkdtemp(join(tmpdir(), "quorate-e2e-"));
    });
    afterEach(() => workspace.#endAll());
    after(() => rm(workspace.folder, { recursive: true, force: true }));
    return workspace;
  }

  get folder(): string {
    if (this.#folder === undefined) throw new Error("the suite has not begun");
    return this.#folder;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Writes a file, with the folders above it; gives its path. */
  async write(name: string, bytes: Uint8Array | string): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    return path;
  }

  /** Makes an empty folder; gives its path. */
  async mkdir(name: string): Promise<string> {
    await mkdir(this.path(name), { recursive: true });
    return this.path(name);
  }

  /** The names in a folder, hidden ones too, sorted. */
  async names(name: string): Promise<string[]> {
    return (await readdir(this.path(name))).sort();
  }

  run(args: readonly (string | number)[], options?: RunOptions): Promise<Finished> {
    return run(args.map(String), this.#here(options));
  }

  start(args: readonly (string | number)[], options?: RunOptions): Running {
    const running = new Running(args.map(String), this.#here(options));
    this.#running.push(running);
    return running;
  }

  async serve(args: readonly (string | number)[], options?: RunOptions): Promise<Running> {
    const running = await startServing(args.map(String), this.#here(options));
    this.#running.push(running);
    return running;
  }

  #here(options: RunOptions = {}): RunOptions {
    const env = { XDG_CACHE_HOME: this.path(".cache"), ...options.env };
    return { cwd: this.folder, ...options, env };
  }

  async #endAll(): Promise<void> {
    for (const running of this.#running.splice(0)) {
      // A stopped process dies of nothing but SIGKILL.
      await running.end("SIGKILL");
    }
  }
}
