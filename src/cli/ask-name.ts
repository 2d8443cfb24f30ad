/**
 * Finds out which file is meant when none was named: the only one there is, or the one that is
 * typed.
 */

import { createInterface } from "node:readline/promises";
import {
  type Address,
  cleanText,
  InterruptedError,
  list,
  NoQuorumError,
  NotFoundError,
  UsageError,
} from "../index.js";

const namesShown = 10;

/** The name to get. `-` reads it from stdin; without one, what the replicas offer decides. */
export async function askName(
  command: string,
  named: string | undefined,
  replicas: readonly Address[],
  signal: AbortSignal,
): Promise<string> {
  if (named === "-") return readName(command);
  if (named !== undefined) return named;
  const { asked, offers, silent } = await list({ replicas }, { signal });
  // More than half must offer it, as for a vote: one liar adds no name to choose from.
  const common = offers.filter(({ replicas: by }) => by.length * 2 > asked);
  const names = (common.length > 0 ? common : offers).map(({ name }) => name);
  const [only] = names;
  if (only === undefined && silent.length === asked) {
    const facts = silent.map(({ replica, why }) => `${replica} ${why}`).join("; ");
    throw new NoQuorumError(
      `${command}: no replica says what it serves (${facts}); name the file`,
      {
        needed: 1,
        configured: asked,
        tally: [],
        silent: silent.length,
        missing: 0,
      },
    );
  }
  if (only === undefined) {
    throw new NotFoundError(`${command}: Cannot transfer this file: no replica serves any`);
  }
  if (names.length === 1) return only;
  const shown = names.slice(0, namesShown).map((name) => cleanText(name));
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : "";
  if (process.stdin.isTTY !== true) {
    const choice = `${shown.join(", ")}${more}`;
    throw new UsageError(
      `${command}: which file? the replicas serve ${choice}; name one, or - to read the name from stdin`,
    );
  }
  return prompt(command, `${shown.join("\n")}${more}\nfile name: `, signal);
}

async function prompt(command: string, text: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(text, { signal }).catch((error: unknown) => {
      // Ctrl-C, Ctrl-D and the signal all come as an AbortError without the signal's reason.
      signal.throwIfAborted();
      if (!(error instanceof Error) || error.name !== "AbortError") throw error;
      throw new InterruptedError(`${command}: interrupted: no name was typed`);
    });
    const name = answer.trim();
    if (name !== "") return name;
    throw new UsageError(`${command}: no name was typed`);
  } finally {
    terminal.close();
  }
}

async function readName(command: string): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) {
      if (line.trim() !== "") return line.trim();
    }
  } finally {
    lines.close();
  }
  throw new UsageError(`${command}: no name came on stdin`);
}
