/** nginx as a process of ours, in the foreground, with all that it writes in a folder of its own. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Started } from "./started.js";

/** Starts it with these lines in its `http` block; resolves once each of the URLs answers. */
export async function runNginx({
  folder,
  http,
  urls,
}: {
  readonly folder: string;
  readonly http: readonly string[];
  readonly urls: readonly string[];
}): Promise<Started> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const lines = [
    ...["daemon off;", "master_process off;", "worker_rlimit_nofile 1024;"],
    ...[`pid ${folder}/pid;`, `error_log ${folder}/errors;`, "events {}"],
    ...["http {", ...temporary, ...http, "}"],
  ];
  const config = join(folder, "nginx.conf");
  writeFileSync(config, lines.join("\n"));
  const server = new Started(["nginx", "-e", `${folder}/errors`, "-p", folder, "-c", config]);
  for (const url of urls) await answers(url, server);
  return server;
}

async function answers(url: string, server: Started): Promise<void> {
  for (;;) {
    const reply = await fetch(url).catch(() => undefined);
    await reply?.body?.cancel();
    if (reply !== undefined) return;
    if (server.child.exitCode !== null) throw new Error("nginx ended at once");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
