/**
 * Loaded into a client before anything else: it keeps, in the file that `DURABLE` names, a copy of
 * as much of the journal as is durable together with the bytes that it vouches for. With `AHEAD` set
 * every write to the journal is durable at once, long before those bytes are. With `HOLLOW` set,
 * syncs of the partial do nothing, and say that they did.
 */

import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";

const handle = await open(import.meta.filename);
const prototype = Object.getPrototypeOf(handle);
await handle.close();

const { datasync, write } = prototype;
const pathOf = ({ fd }) => readlinkSync(`/proc/self/fd/${fd}`);
/** What stood in the journal when the last sync of the partial that is over began. */
let vouched;

prototype.datasync = async function () {
  const path = pathOf(this);
  if (path.endsWith(".quorate-part")) {
    const journal = readOrNothing(path.replace(/-part$/, "-journal"));
    if (process.env.HOLLOW === undefined) await datasync.call(this);
    vouched = journal;
    return;
  }
  const now = vouched;
  await datasync.call(this);
  if (now !== undefined) writeFileSync(process.env.DURABLE, now);
};

if (process.env.AHEAD !== undefined) {
  prototype.write = async function (...args) {
    const written = await write.apply(this, args);
    if (pathOf(this).endsWith("-journal")) await datasync.call(this);
    return written;
  };
}

function readOrNothing(path) {
  try {
    return readFileSync(path);
  } catch {
    // It goes when the file is published.
    return undefined;
  }
}
