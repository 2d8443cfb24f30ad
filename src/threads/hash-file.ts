/**
 * Hashes an open file in a thread of its own, so that whoever serves or draws meanwhile does not
 * stand still.
 */

import type { HashFile } from "../server-ports.js";
import type { FileManifest } from "../trust/manifest.js";
import type { HashOrder } from "./hash-worker.js";
import { runWorker } from "./run-worker.js";

/**
 * Reads the file from start to end and says what it is. Rejects with the signal's reason when it is
 * aborted, and with the error of the read that failed, or when the file ends before `size`.
 */
export const hashFile: HashFile = ({ fd, size, pieceBytes, onProgress, signal }) => {
  const order: HashOrder = { fd, size, pieceBytes };
  return runWorker<FileManifest>("hash-worker", order, { onProgress, signal });
};
