/**
 * Decides what can go wrong with one lease, and what each of it costs. One closed union, one table.
 */

/** Something went wrong with one call to one replica: a value, for the schedule to weigh. */
export type Fault =
  /** No connection, or it broke. */
  | { readonly kind: "unreachable"; readonly detail: string }
  /** Too slow by one of our clocks, or by the deadline. */
  | { readonly kind: "late"; readonly clock: LateClock; readonly waitedMs: number }
  /** The replica asks us to come back later; no blame. */
  | { readonly kind: "busy"; readonly retryMs: number }
  /** The replica is still reading the file for its claim. */
  | {
      readonly kind: "hashing";
      readonly retryMs: number;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** The stream ended early, ran over, or had a gap. */
  | { readonly kind: "short"; readonly detail: string }
  /** Bytes, or a piece list, that do not match what the quorum agreed on. */
  | { readonly kind: "corrupt"; readonly detail: string; readonly evidence?: Evidence }
  /** The file there is not, or no longer, the one that was agreed on. */
  | { readonly kind: "changed"; readonly detail: string }
  /** No such file there. */
  | { readonly kind: "missing" }
  /** We may not read it. */
  | { readonly kind: "denied"; readonly detail: string }
  /** The two sides do not understand each other. */
  | { readonly kind: "incompatible"; readonly detail: string };

/**
 * What a ban rests on: a piece (or, without one, the piece list), what it should have been, what
 * came, and when.
 */
export interface Evidence {
  readonly piece: number | undefined;
  readonly expected: string;
  readonly actual: string;
  /** When it was seen: milliseconds since the download began. */
  readonly atMs: number;
}

/** The clock that ran out: for an answer, a first byte, the next byte, or the whole lease. */
export type LateClock = "answer" | "first-byte" | "idle" | "lease";

export type FaultKind = Fault["kind"];

/**
 * What a fault does to its replica.
 * `back-off`: wait, longer each time; withdrawn after several in a row. `unlessBrought`: only when
 * the lease brought no piece. `wait`: as told, without a
 * mark.
 * `accuse`: suspended until the piece came right from somebody else, then banned. `ban`: at once.
 * `withdraw`: no more leases in this download.
 */
export type Consequence =
  | { readonly kind: "back-off"; readonly unlessBrought: boolean }
  | { readonly kind: "wait"; readonly retryMs: number }
  | { readonly kind: "accuse"; readonly piece: number; readonly evidence: Evidence }
  | { readonly kind: "ban"; readonly evidence: Evidence | undefined }
  | { readonly kind: "withdraw" };

/**
 * The one table from fault to consequence. The range of a lease that failed is always wanted again.
 */
export function consequenceOf(fault: Fault): Consequence {
  switch (fault.kind) {
    case "unreachable":
    case "late":
      return { kind: "back-off", unlessBrought: false };
    case "short":
      return { kind: "back-off", unlessBrought: true };
    case "busy":
    case "hashing":
      return { kind: "wait", retryMs: fault.retryMs };
    case "corrupt": {
      const { evidence } = fault;
      if (evidence?.piece === undefined) return { kind: "ban", evidence };
      return { kind: "accuse", piece: evidence.piece, evidence };
    }
    case "changed":
    case "missing":
    case "denied":
    case "incompatible":
      return { kind: "withdraw" };
    default:
      return fault satisfies never;
  }
}

/** A fault in words, for a report. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case "unreachable":
      return `unreachable: ${fault.detail}`;
    case "late":
      return lateText(fault.clock, fault.waitedMs);
    case "busy":
      return `busy for ${Math.round(fault.retryMs)} ms`;
    case "hashing":
      return `still hashing, ${fault.doneBytes} of ${fault.totalBytes} bytes`;
    case "missing":
      return "has no such file";
    case "corrupt":
    case "short":
    case "changed":
    case "denied":
    case "incompatible":
      return `${fault.kind}: ${fault.detail}`;
    default:
      return fault satisfies never;
  }
}

function lateText(clock: LateClock, waitedMs: number): string {
  const waited = `${(waitedMs / 1000).toFixed(1)} s`;
  switch (clock) {
    case "answer":
      return `no answer within ${waited}`;
    case "first-byte":
      return `no first byte within ${waited}`;
    case "idle":
      return `no byte for ${waited}`;
    case "lease":
      return `lease not done within ${waited}`;
    default:
      return clock satisfies never;
  }
}
