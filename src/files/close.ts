/** Closes files whose fate no longer depends on it. */

import type { FileHandle } from "node:fs/promises";

/**
 * Closes a file of which all that matters was synced before, or is thrown away. A close that fails
 * then loses nothing (the descriptor is gone either way), and must not stand in front of the error
 * that is on its way. Whoever relies on what was written without a sync closes by hand.
 */
export async function closeQuietly(handle: Pick<FileHandle, "close"> | undefined): Promise<void> {
  await handle?.close().catch(() => {});
}
