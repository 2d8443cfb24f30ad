/** What the tests of this folder ask of a command line that was ended: what it kept. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { freePorts, type Running } from "../support/cli.js";
import { type ReceiptJson, receiptOf } from "../support/e2e-receipt.js";
import type { Workspace } from "../support/workspace.js";

/** The bytes that were verified and written when it last said so, with `--json`. */
export function doneBytesOf({ stdout }: Pick<Running, "stdout">): number {
  const told = [...stdout.matchAll(/"doneBytes":(\d+),/g)].map(([, bytes]) => Number(bytes));
  return Math.max(0, ...told);
}

/**
 * Two virtual servers of one file, so slow that there is time for trouble. In one process: when the
 * machine is busy, they are late together, and nobody can take that for one's fault.
 */
export async function slowServers(
  here: Workspace,
  bytes: Uint8Array,
  rate = "3MiB",
): Promise<readonly number[]> {
  await here.write("of/file.bin", bytes);
  const ports = await freePorts(2);
  await here.serve(["-f", "of/file.bin", "-p", ...ports, "--limit-rate", rate]);
  return ports;
}

/** Runs the command again, and asks that it is right in the end and kept at least so much. */
export async function resumes(
  here: Workspace,
  args: readonly (string | number)[],
  expected: { readonly output: string; readonly bytes: Uint8Array; readonly keptBytes: number },
): Promise<ReceiptJson> {
  const got = await here.run(args);
  assert.equal(got.code, 0, got.stderr);
  assert.ok(Buffer.from(expected.bytes).equals(await readFile(here.path(expected.output))));
  const receipt = receiptOf(got.stdout);
  const { resumedBytes } = receipt;
  assert.ok(resumedBytes >= expected.keptBytes, `${resumedBytes} of ${expected.keptBytes} kept`);
  return receipt;
}
