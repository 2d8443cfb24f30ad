/** Four mirrors for aria2, shaped as our virtual servers are, one of them broken when asked for. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { freePorts } from "../test/support/cli.js";
import { runNginx } from "./nginx.js";
import type { Started } from "./started.js";

/** What is wrong with the second mirror. */
export type Broken = "nothing" | "corrupt" | "stall";

/** Running mirrors. */
export interface Mirrors {
  readonly urls: readonly string[];
  /** Bytes of bodies that nginx says it has sent since it was last asked. */
  sentBytes(): number;
  close(): Promise<void>;
}

/** nginx on four ports, `rate` bytes a second a connection; a mirror that stalls is our own. */
export async function startMirrors(options: {
  readonly folder: string;
  readonly content: Buffer;
  readonly rate: number;
  readonly broken: Broken;
}): Promise<Mirrors> {
  const { folder, content, rate, broken } = options;
  const good = join(folder, "good");
  const bad = join(folder, "bad");
  for (const path of [good, bad]) mkdirSync(path, { recursive: true });
  writeFileSync(join(good, "file.bin"), content);
  const corrupt = Buffer.from(content);
  // One byte in each MiB.
  for (let at = 1000; at < corrupt.length; at += 1024 * 1024)
    corrupt[at] = 255 - (corrupt[at] ?? 0);
  writeFileSync(join(bad, "file.bin"), corrupt);
  const ports = await freePorts(4);
  const log = join(folder, "sent");
  const nginx = await startNginx({ folder, log, rate, ports, roots: rootsOf(broken, good, bad) });
  const stalled = broken === "stall" ? await startStalled(content) : undefined;
  const urls = ports.map((port, index) => `http://${hostOf(index)}:${port}/file.bin`);
  if (stalled !== undefined) urls[1] = stalled.url;
  let seen = 0;
  return {
    urls,
    sentBytes() {
      const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
      const sum = lines.reduce((total, line) => total + Number(line), 0);
      const since = sum - seen;
      seen = sum;
      return since;
    },
    async close() {
      await nginx.end();
      await stalled?.close();
    },
  };
}

/** aria2 counts connections by host, whatever the port: each mirror is a host of its own. */
function hostOf(index: number): string {
  return `127.0.0.${index + 1}`;
}

function rootsOf(broken: Broken, good: string, bad: string): readonly string[] {
  return [good, broken === "corrupt" ? bad : good, good, good];
}

async function startNginx(options: {
  readonly folder: string;
  readonly log: string;
  readonly rate: number;
  readonly ports: readonly number[];
  readonly roots: readonly string[];
}): Promise<Started> {
  const { folder, log, rate, ports, roots } = options;
  const servers = ports.map(
    (port, index) => `server { listen ${hostOf(index)}:${port}; root ${roots[index]}; }`,
  );
  const http = [
    ...["log_format sent '$body_bytes_sent';", `access_log ${log} sent;`],
    ...[`limit_rate ${rate};`, ...servers],
  ];
  const urls = ports.map((port, index) => `http://${hostOf(index)}:${port}/`);
  const server = await runNginx({ folder, http, urls });
  // What answered while it was started is no part of what is sent.
  writeFileSync(log, "");
  return server;
}

/** A mirror that sends 64 KiB of what it is asked for, and then nothing, for ever. */
async function startStalled(content: Buffer) {
  const server = createServer((request, response) => {
    const [, from = "0"] = /bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
    const start = Number(from);
    const isPart = request.headers.range !== undefined;
    response.writeHead(isPart ? 206 : 200, {
      "content-length": content.length - start,
      "accept-ranges": "bytes",
      ...(isPart
        ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }
        : {}),
    });
    response.write(content.subarray(start, start + 64 * 1024));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}/file.bin`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
