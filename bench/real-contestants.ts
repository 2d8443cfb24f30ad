/** Who gets the file in the comparison over real sockets, and who serves it to them. */

import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { freePorts, mainPath } from "../test/support/cli.js";
import { runNginx } from "./nginx.js";
import { Started } from "./started.js";

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

/** Our servers on so many ports, with the digest of the file known before anybody asks. */
export async function startQuorate(source: string, count: number) {
  return startServing(["-f", source], [basename(source)], count);
}

/** The same of what these arguments serve, with the digests of these names known. */
export async function startServing(
  served: readonly string[],
  names: readonly string[],
  count: number,
) {
  const ports = await freePorts(count);
  const listed = ports.map(String);
  const own = [process.execPath, mainPath] as const;
  const server = new Started([...own, "serve", "--json", ...served, "-p", ...listed]);
  await server.says(/"event":"listening"/);
  for (const name of names) {
    const asked = new Started([...own, "survey", name, "-p", ...listed]);
    if ((await asked.closed) !== 0) throw new Error(`our servers do not agree: ${asked.stdout}`);
  }
  return { ports, server };
}

/** nginx on so many ports; it lives and writes in `folder`. */
export async function startNginx(source: string, count: number, folder: string) {
  const ports = await freePorts(count);
  mkdirSync(folder);
  const listens = ports.map((port) => `listen 127.0.0.1:${port};`);
  const http = [
    ...["access_log off;", "sendfile on;", "tcp_nopush on;"],
    ...["server {", ...listens, `root ${dirname(source)};`, "}"],
  ];
  const urls = ports.map((port) => `http://127.0.0.1:${port}/`);
  return { ports, server: await runNginx({ folder, http, urls }) };
}
