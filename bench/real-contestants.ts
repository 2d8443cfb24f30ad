/** Who gets the file in the comparison over real sockets, and who serves it to them. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { freePorts, mainPath } from "../test/support/cli.js";

/** What a run of one tool is given. */
export interface Course {
  /** The file that is served. */
  readonly source: string;
  /** `sha256:…` of it. */
  readonly digest: string;
  /** Where it goes; the folder is empty. */
  readonly output: string;
  /** Where the proxy listens, `host:port` each. */
  readonly addresses: readonly string[];
}

/** A tool that can be timed. */
export interface Contestant {
  readonly name: string;
  /** Which servers it is fed by. */
  readonly feed: "quorate" | "nginx";
  command(course: Course): readonly [program: string, ...args: string[]];
}

export const ours: Contestant = {
  name: "quorate",
  feed: "quorate",
  command: ({ output, addresses }) => {
    const args = ["get", basename(output), "-o", output, "--json", "--servers", addresses.join()];
    return [process.execPath, mainPath, ...args];
  },
};

/**
 * The flags are those that help aria2 most here: every mirror at once, the smallest split, no time
 * lost on allocation, and a mirror that is silent for 2 s is left (its default waits for 60).
 */
function aria2(name: string, hasChecksum: boolean): Contestant {
  return {
    name,
    feed: "nginx",
    command: ({ source, output, digest, addresses }) => {
      const urls = addresses.map((address) => `http://${address}/${basename(source)}`);
      const place = [`--dir=${dirname(output)}`, `--out=${basename(output)}`, "--no-conf=true"];
      const split = ["-x1", `-s${addresses.length}`, "-k1M", "--file-allocation=none"];
      const waits = ["--timeout=2", "--connect-timeout=2", "--max-tries=0", "--retry-wait=0"];
      const quiet = ["--quiet=true", "--allow-overwrite=true", "--auto-file-renaming=false"];
      const checksum = hasChecksum ? [`--checksum=sha-256=${digest.slice("sha256:".length)}`] : [];
      return ["aria2c", ...place, ...split, ...waits, ...quiet, ...checksum, ...urls];
    },
  };
}

export const rivals = [aria2("aria2", false), aria2("aria2 checked", true)];

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

/** Our servers on so many ports, with the digest of the file known before anybody asks. */
export async function startQuorate(source: string, count: number) {
  const ports = await freePorts(count);
  const listed = ports.map(String);
  const process_ = process.execPath;
  const server = new Started([
    process_,
    mainPath,
    "serve",
    "--json",
    "-f",
    source,
    "-p",
    ...listed,
  ]);
  await server.says(/"event":"listening"/);
  const asked = new Started([process_, mainPath, "survey", basename(source), "-p", ...listed]);
  if ((await asked.closed) !== 0) throw new Error(`our servers do not agree: ${asked.stdout}`);
  return { ports, server };
}

/** nginx on so many ports; it lives and writes in `folder`. */
export async function startNginx(source: string, count: number, folder: string) {
  const ports = await freePorts(count);
  mkdirSync(folder);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const listens = ports.map((port) => `listen 127.0.0.1:${port};`);
  const lines = [
    ...["daemon off;", "master_process off;", "worker_rlimit_nofile 1024;"],
    ...[`pid ${folder}/pid;`, `error_log ${folder}/errors;`, "events {}", "http {"],
    ...["access_log off;", "sendfile on;", "tcp_nopush on;", ...temporary],
    ...["server {", ...listens, `root ${dirname(source)};`, "}", "}"],
  ];
  const config = join(folder, "nginx.conf");
  writeFileSync(config, lines.join("\n"));
  const server = new Started(["nginx", "-e", `${folder}/errors`, "-p", folder, "-c", config]);
  await accepts(ports, server);
  return { ports, server };
}

async function accepts(ports: readonly number[], server: Started): Promise<void> {
  for (const port of ports) {
    for (;;) {
      const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      await reply?.body?.cancel();
      if (reply !== undefined) break;
      if (server.child.exitCode !== null) throw new Error("nginx ended at once");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
