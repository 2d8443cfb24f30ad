/**
 * `quorate demo`: a real download from five virtual servers, four of which are broken in different
 * ways.
 */

import { makeScratch } from "../command-line.js";
import { download, exitCodes, type FaultName, serve, UsageError } from "../index.js";
import { bytesText, table } from "./format.js";
import { receiptTable, receiptText, reportDownload } from "./get-report.js";
import { openScreen, print, printJson } from "./terminal.js";

const MiB = 1024 * 1024;
/** Large enough to watch, small enough not to wait. */
const fileBytes = 48 * MiB;
const rateBytesPerSecond = 12 * MiB;

const cast: readonly { readonly fault: FaultName | undefined; readonly role: string }[] = [
  { fault: undefined, role: "honest" },
  { fault: "lie", role: "claims another file" },
  { fault: "corrupt", role: "claims the truth, serves changed bytes" },
  { fault: "stall", role: "goes silent in every read" },
  { fault: "die", role: "breaks off in mid-transfer" },
];

export async function runDemo(flags: { readonly json?: boolean | undefined }): Promise<void> {
  const isJson = flags.json === true;
  const screen = await openScreen({ isQuiet: isJson });
  const name = "demo.bin";
  await using scratch = await makeScratch(name, fileBytes);
  const ports = await freePorts(cast.length, scratch.file, scratch.cache);
  const faults = new Map(
    cast.flatMap(({ fault }, index) => (fault === undefined ? [] : [[ports[index] ?? 0, fault]])),
  );
  const serving = await serve(
    { share: { file: scratch.file }, ports },
    { faults, limitRate: rateBytesPerSecond, cacheFolder: scratch.cache },
  );
  try {
    screen.say(
      `demo: five virtual servers with ${name} (${bytesText(fileBytes)}), each a real gRPC server`,
    );
    const rows = cast.map(({ role }, index) => [`  127.0.0.1:${ports[index]}`, role]);
    for (const line of table(["  replica", "what it does"], rows)) screen.say(line);
    const replicas = ports.map((port) => ({ host: "127.0.0.1", port }));
    const receipt = await download(
      { replicas, name, output: scratch.output },
      { intervalMs: screen.intervalMs, onEvent: reportDownload(name, screen) },
    );
    screen.clear();
    if (isJson) {
      printJson({ event: "receipt", ...receipt });
      return;
    }
    for (const line of receiptTable(receipt)) print(line);
    const [head = "", digest = ""] = receiptText(receipt);
    print(head);
    print(`${digest}; the scratch folder is removed again`);
  } finally {
    screen.clear();
    await serving.kill();
  }
}

/** Ports that are free now, found by trying: a group drops those that are not. */
async function freePorts(count: number, file: string, cacheFolder: string): Promise<number[]> {
  const from = 20_000 + Math.floor(Math.random() * 20_000);
  const candidates = Array.from({ length: count * 4 }, (_, index) => from + index);
  const probe = await serve({ share: { file }, ports: candidates }, { cacheFolder });
  const free = probe.servers.map(({ port }) => port).slice(0, count);
  await probe.kill();
  if (free.length === count) return free;
  throw new UsageError(
    `demo: too few free ports near ${from} (exit ${exitCodes.usage}); try again`,
  );
}
