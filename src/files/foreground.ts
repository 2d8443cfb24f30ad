/** Finds out whether a terminal's keys are ours, or those of the shell that started us. */

import { readFileSync } from "node:fs";

/**
 * Whether this process is in the foreground of its terminal; `true` where nobody can say. In the
 * background a read of the terminal, or a change of its mode, would stop the process.
 */
export function isInForeground(): boolean {
  try {
    return isForegroundStat(readFileSync("/proc/self/stat", "latin1"));
  } catch {
    // No Linux: then it is as it was when nobody asked.
    return true;
  }
}

/** The same, of the text of `/proc/PID/stat` (proc(5)). */
export function isForegroundStat(stat: string): boolean {
  // The program's name may hold spaces and parentheses; after it come state, parent, group,
  // session, terminal, and the group that has the terminal.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [group, foreground] = [Number(fields[2]), Number(fields[5])];
  // Without a terminal of its own, it is -1.
  return !(foreground > 0) || group === foreground;
}
