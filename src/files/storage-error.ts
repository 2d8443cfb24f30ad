/** Says what a failed system call means for the user: one clear line, with what to do. */

import { messageOf, StorageError } from "../errors.js";

/** EDQUOT has no code name in Node; it is Linux errno 122. */
const quotaErrno = -122;

/** The code name of a failed system call, `EDQUOT` included; `undefined` for other errors. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errno" in error && error.errno === quotaErrno) return "EDQUOT";
  const code = "code" in error ? String(error.code) : "";
  return /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Whether the file system cannot do what it was asked at all, rather than failed to. */
export function isUnsupported(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOSYS" || code === "ENOTSUP" || code === "EOPNOTSUPP" || code === "EINVAL";
}

/** What is there for the next run: nobody is promised to resume what cannot be. */
type Left = "a partial" | "nothing";

/** A StorageError of what we were doing, with the cause kept. `left`: what it leaves behind. */
export function storageError(
  doing: string,
  path: string,
  error: unknown,
  left: Left = "a partial",
): StorageError {
  if (error instanceof StorageError) return error;
  return new StorageError(`${doing} ${path}: ${storageErrorText(error, left)}`, { cause: error });
}

/** What a failed system call means, in words, with what to do where there is something. */
export function storageErrorText(error: unknown, left: Left = "nothing"): string {
  const code = errorCode(error);
  return code === undefined ? messageOf(error) : codeText(code, left);
}

/** The same of a code name. */
export function codeText(code: string, left: Left): string {
  const resume = left === "a partial" ? "; free some space and run it again to resume" : "";
  switch (code) {
    case "ENOSPC":
      return `the disk is full${resume}`;
    case "EDQUOT":
      return `the disk quota is used up${resume}`;
    case "EFBIG":
      return "the file is larger than the file system or `ulimit -f` allows";
    case "EACCES":
    case "EPERM":
      return `permission denied (${code})`;
    case "EROFS":
      return "the file system is read-only";
    case "ENOENT":
      return "no such file or folder";
    case "ENOTDIR":
      return "a part of the path is no folder";
    case "EISDIR":
      return "it is a folder";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "EMFILE":
    case "ENFILE":
      return `too many files are open (${code}); raise \`ulimit -n\``;
    case "EIO":
      return `the disk failed (EIO)${left === "a partial" ? "; what was verified before is kept" : ""}`;
    default:
      return `the disk refused (${code})`;
  }
}
