/** Reads the receipt that `--json` ends with, and damages files in a few places. */

/** What tests read of a receipt. */
export interface ReceiptJson {
  readonly size: number;
  readonly seconds: number;
  readonly seededBytes: number;
  readonly resumedBytes: number;
  readonly wastedBytes: number;
  readonly replicas: readonly {
    readonly address: string;
    readonly standing: string;
    readonly deliveredBytes: number;
    readonly faults: Readonly<Record<string, number>>;
    readonly claim?: { readonly size: number; readonly root?: string };
    readonly evidence?: {
      readonly piece: number;
      readonly expected: string;
      readonly actual: string;
    };
  }[];
}

/** The receipt among the lines of JSON; throws when there is none. */
export function receiptOf(stdout: string): ReceiptJson {
  const line = stdout.split("\n").find((text) => text.startsWith('{"event":"receipt"'));
  if (line === undefined) throw new Error(`no receipt among:\n${stdout}`);
  return JSON.parse(line);
}

/** What all replicas together delivered. */
export function deliveredBytes({ replicas }: ReceiptJson): number {
  return replicas.reduce((sum, replica) => sum + replica.deliveredBytes, 0);
}

/** The same bytes, other than at these offsets. */
export function changedAt(bytes: Uint8Array, ...offsets: readonly number[]): Buffer {
  const changed = Buffer.from(bytes);
  for (const offset of offsets) changed[offset] = (changed[offset] ?? 0) ^ 1;
  return changed;
}
