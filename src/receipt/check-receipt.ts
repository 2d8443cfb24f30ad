/** Decides whether a file is what a kept receipt says; nobody is asked. */

import type { FileManifest } from "../trust/manifest.js";
import type { KeptReceipt } from "./kept-receipt.js";

/** In what a file may differ from its receipt. */
export type ReceiptDifference = "size" | "digest" | "root";

/** The verdict on a file that was compared with a receipt. */
export interface ReceiptVerification {
  readonly isRight: boolean;
  readonly receipt: KeptReceipt;
  readonly local: FileManifest;
  /** Empty when it is right. Without piece digests in the receipt, nobody can say where. */
  readonly differs: readonly ReceiptDifference[];
}

/** Compares them. `local` was divided into the receipt's pieces. */
export function checkReceipt(receipt: KeptReceipt, local: FileManifest): ReceiptVerification {
  const { size, digest, root } = receipt.manifest;
  const differs: ReceiptDifference[] = [];
  if (local.size !== size) differs.push("size");
  if (local.digest !== digest) differs.push("digest");
  if (root !== undefined && local.root !== root) differs.push("root");
  return { isRight: differs.length === 0, receipt, local, differs };
}
