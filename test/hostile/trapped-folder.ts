/**
 * A folder with files that may be served, among links and odd entries that lead outside or nowhere,
 * beside a folder of secrets. What each file holds says which one it is.
 */

import { spawnSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { At } from "../support/scratch-folder.js";

/** What every secret begins with: nothing inside does. */
export const secretMark = "SECRET";

/** What may be had, and nothing else. */
export const served = ["a", "b.bin", "sub/a", "sub/deep/a", "sub/deep/b.bin", "späße", "-dash"];
const hidden = [".h", "sub/.h", ".hidden/a", ".a.quorate-part", "sub/.a.quorate-journal"];
const secrets = ["a", "b.bin", "secret", "deep/a", "sub/a"];

/** Where each link below `shared` points. */
const links: readonly (readonly [name: string, target: string])[] = [
  ["link", "../outside/secret"],
  ["out", "../outside"],
  ["up", ".."],
  ["root", "/"],
  ["proc", "/proc/self/fd"],
  ["chain", "link"],
  ["far", "out/deep"],
  ["loop", "loop"],
  ["self", "."],
  ["inner", "a"],
  ["sub/out", "../../outside"],
  ["sub/link", "../../outside/a"],
  ["sub/deep/up", "../../.."],
  ["sub/deep/out", "../../../outside/deep"],
];

/** Components to make names of: what there is on both sides, those that lead outside thrice. */
export const vocabulary: readonly string[] = [
  ...new Set([...served, ...secrets, ...hidden].flatMap((name) => name.split("/"))),
  ...["link", "out", "up", "far", "absolute", "outside", "secret", "deep"].flatMap((name) =>
    Array<string>(3).fill(name),
  ),
  ...["root", "proc", "chain", "loop", "self", "inner", "fifo", "shared", "etc", "passwd", "10"],
];

/** Makes `shared` and `outside` in a folder. */
export async function trapFolder(at: At): Promise<void> {
  const write = async (path: string, content: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  for (const name of served) await write(at("shared", name), `inside ${name}`);
  for (const name of hidden) await write(at("shared", name), `${secretMark} of ${name}`);
  for (const name of secrets) await write(at("outside", name), `${secretMark} beside: ${name}`);
  await symlink(at("outside"), at("shared/absolute"));
  for (const [name, target] of links) await symlink(target, at("shared", name));
  spawnSync("mkfifo", [at("shared/fifo")]);
}
