/** The ways in which a virtual server can be broken on purpose; `faulty-replica.ts` breaks it. */

export const faultNames = ["lie", "corrupt", "stall", "slow", "die", "short"] as const;

export type FaultName = (typeof faultNames)[number];
