/**
 * Walks a name one component after the other from a folder that was opened once, without following
 * links: each step is relative to a descriptor, so a rename meanwhile leads nowhere else.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Linux's O_PATH, which Node does not name: a descriptor that only stands for a place. */
export const O_PATH = 0o10000000;
const folderFlags = O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY;

/** The path of a component in an open folder, whatever that folder is called by now. */
export function below(folder: FileHandle, component: string): string {
  return `/proc/self/fd/${folder.fd}/${component}`;
}

/**
 * Opens a folder within a folder. Rejects with ELOOP or ENOTDIR when it is a link, or no folder.
 */
export function openFolder(folder: FileHandle, component: string): Promise<FileHandle> {
  return open(below(folder, component), folderFlags);
}

/**
 * Walks to the folder of the last component, and closes what it opened once `use` is done with it.
 */
export async function withFolder<Result>(
  root: FileHandle,
  components: readonly string[],
  use: (folder: FileHandle, last: string) => Promise<Result>,
): Promise<Result> {
  let folder = root;
  try {
    for (const component of components.slice(0, -1)) {
      const next = await openFolder(folder, component);
      if (folder !== root) await folder.close();
      folder = next;
    }
    return await use(folder, components.at(-1) ?? "");
  } finally {
    if (folder !== root) await folder.close();
  }
}
