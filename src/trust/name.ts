/**
 * Decides which texts are file names that may travel, and what a download may be called on disk.
 */

import { limits } from "../limits.js";

/**
 * Says what is wrong with a name, or `undefined` when it is a good one.
 *
 * A good name is relative, at most 1,024 bytes of UTF-8, has `/` between components, and none of
 * them is empty, `.` or `..`. Control characters, backslashes, bidirectional marks, U+FFFD (what
 * broken UTF-8 decodes to) and lone surrogates are refused, because a terminal, a log or a path
 * would show something other than what is there.
 */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "is not valid Unicode";
  if (Buffer.byteLength(name) > limits.nameBytes) return `is longer than ${limits.nameBytes} bytes`;
  if (/\p{Cc}/u.test(name)) return "has control characters";
  if (/[\u2028\u2029]|\p{Bidi_Control}/u.test(name)) return "has invisible or bidirectional marks";
  if (name.includes("\uFFFD")) return "is not valid UTF-8";
  if (name.includes("\\")) return "has a backslash";
  const components = name.split("/");
  if (components.includes("")) return "has an empty component, or begins or ends with a slash";
  if (components.some((component) => component === "." || component === "..")) {
    return "has a `.` or `..` component";
  }
  return undefined;
}

/**
 * Whether any component is hidden (begins with a dot); hidden files are neither served nor listed.
 */
export function isHidden(name: string): boolean {
  return name.split("/").some((component) => component.startsWith("."));
}

/** The last component: what a download is called on disk when the user names only a folder. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/**
 * Says why a name that came from a server may not become a file's name here, or `undefined`.
 * Stricter than `nameProblem`: a leading dash would be read as a flag, a leading dot hides the
 * file.
 */
export function outputNameProblem(name: string): string | undefined {
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  const base = baseName(name);
  if (base.startsWith("-")) return "begins with a dash";
  if (base.startsWith(".")) return "begins with a dot";
  return undefined;
}
