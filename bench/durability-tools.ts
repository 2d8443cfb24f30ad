/** Quorate and aria2, each as a process that gets the same file into the same kind of trouble. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { besides, lastNumber } from "../test/durability/lab.js";
import { freePorts, mainPath, startServing } from "../test/support/cli.js";
import { type Broken, startMirrors } from "./durability-mirrors.js";

/** A running client. */
export interface Getting {
  readonly child: ChildProcess;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Bytes of the file that it has, as far as can be told from outside. */
  hasBytes(): Promise<number>;
  /** What it said of what an earlier run left; 0 when it says nothing of that. */
  resumedBytes(): number;
}

/** A tool with its servers running. */
export interface Tool {
  readonly name: string;
  get(output: string): Getting;
  /** Bytes that were sent to it since it was last asked, where the servers tell. */
  sentBytes(): number | undefined;
  /** What an unfinished file of it is called, and its list of what is there. */
  besides(output: string): { readonly partial: string; readonly control: string };
  close(): Promise<void>;
}

/** What a tool is set up with. */
export interface Setting {
  /** An empty folder of its own. */
  readonly folder: string;
  readonly content: Buffer;
  /** Hex SHA-256 of it. */
  readonly sha256: string;
  /** Bytes a second from each of four servers. */
  readonly rate: number;
  readonly broken: Broken;
}

export async function quorate(setting: Setting): Promise<Tool> {
  const { folder, content, rate, broken } = setting;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "file.bin");
  writeFileSync(file, content);
  const ports = (await freePorts(4)).map(String);
  const fault = broken === "nothing" ? [] : ["--fault", `${ports[1]}:${broken}`];
  const args = ["-f", file, "-p", ...ports, "--limit-rate", String(rate), ...fault];
  const serving = await startServing(args, { env: { XDG_CACHE_HOME: join(folder, "cache") } });
  return {
    name: "quorate",
    get(output) {
      const flags = ["get", "file.bin", "-o", output, "--json", "-i", "0.05", "-p", ...ports];
      const getting = started(process.execPath, [mainPath, ...flags]);
      return {
        ...getting,
        hasBytes: async () => lastNumber(getting.said(), "progress", "doneBytes"),
        resumedBytes: () => lastNumber(getting.said(), "receipt", "resumedBytes"),
      };
    },
    sentBytes: () => undefined,
    besides: (output) => ({ partial: besides(output).partial, control: besides(output).journal }),
    close: async () => {
      await serving.end();
    },
  };
}

/** With its defaults but for what makes it split, and the checksum that it is given. */
export async function aria2(setting: Setting): Promise<Tool> {
  const { folder, sha256 } = setting;
  const mirrors = await startMirrors(setting);
  return {
    name: "aria2",
    get(output) {
      const at = output.lastIndexOf("/");
      const place = ["-d", output.slice(0, at), "-o", output.slice(at + 1), "--no-conf", "-q"];
      const split = ["-x1", "-s4", "-k1M", "--file-allocation=none", "--auto-file-renaming=false"];
      const flags = [...place, ...split, `--checksum=sha-256=${sha256}`, ...mirrors.urls];
      const getting = started("aria2c", flags, folder);
      return {
        ...getting,
        hasBytes: async () => ((await stat(output).catch(() => undefined))?.blocks ?? 0) * 512,
        resumedBytes: () => 0,
      };
    },
    sentBytes: () => mirrors.sentBytes(),
    besides: (output) => ({ partial: output, control: `${output}.aria2` }),
    close: () => mirrors.close(),
  };
}

/** What bears the output's name. */
export async function verdictOf(output: string, content: Buffer): Promise<string> {
  const found = await readFile(output).catch(() => undefined);
  if (found === undefined) return "no file";
  return found.equals(content) ? "right file" : "wrong file";
}

function started(program: string, args: readonly string[], cwd?: string) {
  const place = cwd === undefined ? {} : { cwd };
  const child = spawn(program, args, { ...place, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (text: Buffer) => {
    said += text.toString("utf8");
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  return { child, ended, said: () => said };
}
