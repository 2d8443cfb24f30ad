/**
 * A partial that is being opened: whoever fills it need not wait, since a lock and reserved space
 * take two processes. What is written waits for it.
 */

import { assert, StorageError } from "../errors.js";
import type { PartialOutput } from "../ports.js";
import { openPartialFile, type PartialFile, type PartialOptions } from "./partial-file.js";
import type { Target } from "./target.js";

/** The partial of a target where no earlier run left anything; opened in the background. */
export function comingPartial(target: Target, options: PartialOptions): PartialOutput {
  let opened: PartialFile | undefined;
  const coming = openFresh(target, options).then((partial) => {
    opened = partial;
    return partial;
  });
  const file = {
    get fd() {
      assert(opened !== undefined, "it is open once there is something to digest");
      return opened.fd;
    },
    size: options.manifest.size,
    pieceBytes: options.manifest.pieceBytes,
  };
  const hashPieces: PartialOutput["hashPieces"] = async (request) => {
    const hash = (await coming).hashPieces;
    assert(hash !== undefined, "it hashes where it was told how to");
    return hash(request);
  };
  // Whoever uses it is told what went wrong, and nobody may.
  coming.catch(() => {});
  return {
    opening: coming.then(() => {}),
    sink: {
      write: async (offset, bytes) => (await coming).sink.write(offset, bytes),
      read: async (offset, buffer) => (await coming).sink.read(offset, buffer),
      sync: async () => (await coming).sink.sync(),
    },
    journal: {
      claimed: undefined,
      append: async (records) => (await coming).journal.append(records),
      disown: async (pieces) => (await coming).journal.disown(pieces),
      sync: async (syncBytes, isLast) => (await coming).journal.sync(syncBytes, isLast),
    },
    leftoverBytes: 0,
    hashPieces: options.hashPieces && hashPieces,
    startDigest: () => options.startPrefixDigest?.(file),
    publish: async () => (await coming).publish(),
    discard: () => coming.then((partial) => partial.discard(), nothingThere),
    [Symbol.asyncDispose]: () =>
      coming.then((partial) => partial[Symbol.asyncDispose](), nothingThere),
  };
}

const nothingThere = () => {};

/** What another run left between our look and our lock is its own, and not known to be missing. */
async function openFresh(target: Target, options: PartialOptions): Promise<PartialFile> {
  const partial = await openPartialFile(target, options);
  if (partial.leftoverBytes === 0 && partial.journal.claimed === undefined) return partial;
  await partial[Symbol.asyncDispose]();
  throw new StorageError(
    `write ${target.partial}: another run left it in this moment; run it again to resume`,
  );
}
