/** Bytes in a KiB and a MiB. */

export const KiB = 1024;
export const MiB = 1024 * KiB;
