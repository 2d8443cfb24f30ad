/**
 * What a group of virtual servers tells while it runs: one event for lines, live table and JSON
 * alike.
 */

import type { FaultName } from "./fault-names.js";
import type { HashingProgress } from "./manifests.js";

/** How one virtual server stands. */
export interface ServerStatus {
  /** Its number in the group, from 1. */
  readonly number: number;
  readonly port: number;
  readonly state: "alive" | "stopped";
  /** How it is broken on purpose, if it is. */
  readonly fault: FaultName | undefined;
  /** Reads that run now. */
  readonly streams: number;
  /** Calls, bytes and errors since the group started. */
  readonly calls: number;
  readonly bytes: number;
  readonly errors: number;
  /** Bytes per second since the last status. */
  readonly rate: number;
}

/** Everything that a group tells. */
export type ServeEvent =
  | { readonly event: "dropped"; readonly port: number; readonly why: string }
  | {
      readonly event: "listening";
      readonly host: string;
      readonly servers: readonly { readonly number: number; readonly port: number }[];
    }
  | ({ readonly event: "hashing" } & HashingProgress)
  | { readonly event: "started"; readonly number: number; readonly port: number }
  | {
      readonly event: "stopped";
      readonly number: number;
      readonly port: number;
      readonly why: string;
    }
  | {
      readonly event: "failed";
      readonly number: number;
      readonly port: number;
      readonly why: string;
    }
  | { readonly event: "status"; readonly servers: readonly ServerStatus[] }
  /** It listens beyond this machine without what would make that safe, because it was told to. */
  | { readonly event: "insecure"; readonly host: string; readonly why: string }
  /** Certificates or tokens were changed, and hold from now on; or they do not, and the old do. */
  | { readonly event: "reloaded"; readonly what: string }
  | { readonly event: "not-reloaded"; readonly what: string; readonly why: string }
  /** Something failed outside of any call, and the servers go on. */
  | {
      readonly event: "survived";
      readonly reference: string;
      readonly why: string;
      readonly stack: string | undefined;
    }
  /** A call failed in a way that nobody foresaw: its client was told this number, and no more. */
  | {
      readonly event: "unforeseen";
      readonly port: number;
      readonly reference: string;
      readonly why: string;
    }
  | { readonly event: "draining" }
  | { readonly event: "drained"; readonly servers: readonly ServerStatus[] };

export type OnServeEvent = (event: ServeEvent) => void;
