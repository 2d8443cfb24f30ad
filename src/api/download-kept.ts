/** The download itself, from real replicas by the real clock, and its receipt when one is kept. */

import { download } from "../download/download.js";
import type { DownloadOptions } from "../download/options.js";
import type { OnEvent } from "../download/progress.js";
import type { DownloadWorld } from "../download/request.js";
import type { Receipt } from "../receipt/receipt.js";
import { systemClock, systemRandom } from "../system.js";
import type { ReceiptKeeper } from "./receipts.js";
import { type Address, withReplicas } from "./replicas.js";

/** Throws what `download` throws, and StorageError when the file is right but its receipt is lost. */
export async function downloadKept(
  { replicas, name }: { readonly replicas: readonly Address[]; readonly name: string },
  place: Omit<DownloadWorld, "clock" | "random">,
  keeper: ReceiptKeeper | undefined,
  options: DownloadOptions | undefined,
): Promise<Receipt> {
  const world = { ...place, clock: systemClock, random: systemRandom };
  const onEvent: OnEvent = (event) => {
    keeper?.onEvent(event);
    options?.onEvent?.(event);
  };
  const receipt = await withReplicas(
    replicas,
    (connected) => download({ name, replicas: connected }, world, { ...options, onEvent }),
    onEvent,
  );
  await keeper?.keep(receipt);
  return receipt;
}
