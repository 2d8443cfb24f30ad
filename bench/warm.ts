/**
 * Makes memory warm: a virtual machine's host takes back what lies idle, and whoever uses it next
 * pays 2 processor seconds a GiB for that, which is as much as a download costs.
 */

import { execFileSync } from "node:child_process";
import { freemem } from "node:os";

/** Takes so many bytes of memory, or half of what is free, touches each page, and lets go of it. */
export function warmMemory(bytes: number): void {
  const taken = Math.floor(Math.min(bytes, freemem() / 2));
  const script = `held = bytearray(${taken})\nfor at in range(0, ${taken}, 4096): held[at] = 1`;
  execFileSync("/usr/bin/python3", ["-c", script]);
}
