/** A file system that refuses what ours can do: the calls themselves fail, whoever makes them. */

import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

type Call = "access" | "link" | "rename" | "unlink" | "statfs";
type HandleCall = "chmod" | "sync" | "datasync" | "truncate" | "write";

/** What a failed system call throws. */
export function refusalOf(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: refused by the test`), {
    code: code === "EDQUOT" ? "Unknown system error -122" : code,
    errno: code === "EDQUOT" ? -122 : -1,
  });
}

/** Runs this while a call on paths fails. */
export function refusing<T>(call: Call, code: string, run: () => Promise<T>): Promise<T> {
  return replacing(call, () => Promise.reject(refusalOf(code)), run);
}

/** Runs this; `before` happens once, just before the first such call on paths. */
export function disturbing<T>(
  call: Call,
  before: () => Promise<void>,
  run: () => Promise<T>,
): Promise<T> {
  const real = fs[call];
  let isFirst = true;
  const late = async (...args: readonly unknown[]) => {
    const isDue = isFirst;
    isFirst = false;
    if (isDue) await before();
    return Reflect.apply(real, fs, args);
  };
  return replacing(call, late, run);
}

/** Runs this while a call on open files fails, for those that `concerns` picks. */
export async function refusingOn<T>(
  call: HandleCall,
  code: string,
  run: () => Promise<T>,
  concerns: (handle: FileHandle) => Promise<boolean> = async () => true,
): Promise<T> {
  const probe = await fs.open("/dev/null", "r");
  const prototype = Object.getPrototypeOf(probe);
  await probe.close();
  const real = prototype[call];
  prototype[call] = async function (this: FileHandle, ...args: readonly unknown[]) {
    if (await concerns(this)) throw refusalOf(code);
    return Reflect.apply(real, this, args);
  };
  try {
    return await run();
  } finally {
    prototype[call] = real;
  }
}

/** Runs this while every file that is opened fails to close; it is closed all the same. */
export function refusingToClose<T>(code: string, run: () => Promise<T>): Promise<T> {
  const real = fs.open;
  const opening = async (...args: Parameters<typeof fs.open>) => {
    const handle = await real(...args);
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await close();
      throw refusalOf(code);
    };
    return handle;
  };
  return replacing("open", opening, run);
}

async function replacing<T>(
  call: Call | "open",
  by: (...args: never) => Promise<unknown>,
  run: () => Promise<T>,
): Promise<T> {
  const real = fs[call];
  Object.assign(fs, { [call]: by });
  syncBuiltinESMExports();
  try {
    return await run();
  } finally {
    Object.assign(fs, { [call]: real });
    syncBuiltinESMExports();
  }
}
