/**
 * The one place that knows gRPC status: which fault is which code, with which details, in both
 * directions.
 */

import type { IncomingHttpHeaders } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, type Duration } from "@bufbuild/protobuf/wkt";
import { ClientError, Metadata, ServerError, Status } from "nice-grpc-common";
import {
  type ErrorInfo,
  ErrorInfoSchema,
  ResourceInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { ReplicaFault } from "../ports.js";
import type { Fault } from "../schedule/faults.js";
import { cleanText } from "../trust/text.js";
import type { ClientTls } from "./channel.js";
import { connectionText } from "./connection-text.js";

/** The trailer in which details travel. */
export const detailsKey = "grpc-status-details-bin";

const domain = "quorate";
const defaultRetryMs = 1000;

/** A fault of our own replica as the error that a client gets; the details go into `trailer`. */
export function serverErrorOf(fault: Fault, name: string, trailer: Metadata): ServerError {
  const { code, reason, text } = statusOf(fault, name);
  // A lone surrogate in a text would end the process: grpc-js encodes it outside any handler.
  const message = text.toWellFormed();
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, infoOf(fault, reason)))];
  if (fault.kind === "busy" || fault.kind === "hashing") {
    const retryDelay = durationOf(fault.retryMs);
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  if (fault.kind === "missing" || fault.kind === "changed") {
    const resource = {
      resourceType: "file",
      resourceName: name.toWellFormed(),
      description: message,
    };
    details.push(anyPack(ResourceInfoSchema, create(ResourceInfoSchema, resource)));
  }
  const status = create(StatusSchema, { code, message, details });
  trailer.set(detailsKey, toBinary(StatusSchema, status));
  return new ServerError(code, message);
}

function statusOf(fault: Fault, name: string): { code: Status; reason: string; text: string } {
  switch (fault.kind) {
    case "unreachable":
      return { code: Status.UNAVAILABLE, reason: "UNREACHABLE", text: fault.detail };
    case "late":
      return { code: Status.DEADLINE_EXCEEDED, reason: "LATE", text: "it took too long" };
    case "busy":
      return { code: Status.RESOURCE_EXHAUSTED, reason: "BUSY", text: "too many reads; come back" };
    case "hashing": {
      const text = `${name} is being hashed: ${fault.doneBytes} of ${fault.totalBytes} bytes`;
      return { code: Status.UNAVAILABLE, reason: "HASHING", text };
    }
    case "short":
      return { code: Status.OUT_OF_RANGE, reason: "OUT_OF_RANGE", text: fault.detail };
    case "corrupt":
      return { code: Status.DATA_LOSS, reason: "UNREADABLE", text: fault.detail };
    case "changed":
      return { code: Status.FAILED_PRECONDITION, reason: "CHANGED", text: fault.detail };
    case "missing":
      return { code: Status.NOT_FOUND, reason: "NOT_FOUND", text: `no file ${name} here` };
    case "denied":
      return { code: Status.PERMISSION_DENIED, reason: "DENIED", text: fault.detail };
    case "incompatible":
      return { code: Status.INVALID_ARGUMENT, reason: "INVALID", text: fault.detail };
    default:
      return fault satisfies never;
  }
}

function infoOf(fault: Fault, reason: string) {
  if (fault.kind !== "hashing") return { reason, domain };
  const metadata = {
    done_bytes: String(fault.doneBytes),
    total_bytes: String(fault.totalBytes),
  };
  return { reason, domain, metadata };
}

/**
 * The failure that the last headers of a call tell of, as nice-grpc would throw it; `undefined` when
 * they tell of none.
 */
export function failureIn(
  headers: IncomingHttpHeaders,
): { readonly error: ClientError; readonly trailer: Metadata } | undefined {
  const said = String(headers["grpc-status"]);
  const code = /^\d{1,2}$/.test(said) ? Number(said) : Status.OK;
  if (code === Status.OK || Status[code] === undefined) return undefined;
  const trailer = Metadata();
  const details = headers[detailsKey];
  if (typeof details === "string") trailer.set(detailsKey, Buffer.from(details, "base64"));
  const text = decodedText(String(headers["grpc-message"] ?? ""));
  return { error: new ClientError("", code, text), trailer };
}

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded as it should be: still the best there is to show.
    return text;
  }
}

/**
 * What a call's failure means for us; `trailer` is what came with it, `tls` what it was tried with.
 * Texts are fit to be shown.
 */
export function faultOfClientError(
  error: unknown,
  trailer: Metadata | undefined,
  tls?: ClientTls,
): ReplicaFault {
  if (!(error instanceof ClientError)) {
    const detail = cleanText(error instanceof Error ? error.message : String(error));
    return new ReplicaFault({ kind: "incompatible", detail }, { cause: error });
  }
  const fault = faultOf(error, detailsOf(trailer), tls);
  return new ReplicaFault(fault, { cause: error });
}

function faultOf(error: ClientError, { info, retry }: Details, tls?: ClientTls): Fault {
  const detail = cleanText(connectionText(error.details, tls));
  const retryMs =
    retry?.retryDelay === undefined ? defaultRetryMs : millisecondsOf(retry.retryDelay);
  switch (error.code) {
    case Status.NOT_FOUND:
      return { kind: "missing" };
    case Status.FAILED_PRECONDITION:
      return { kind: "changed", detail };
    case Status.DATA_LOSS:
      return { kind: "corrupt", detail };
    case Status.OUT_OF_RANGE:
      return { kind: "short", detail };
    case Status.DEADLINE_EXCEEDED:
      return { kind: "late", clock: "lease", waitedMs: 0 };
    case Status.RESOURCE_EXHAUSTED:
      // grpc-js says this itself of a message above our own bound; waiting would not make it
      // smaller.
      if (/larger than max/i.test(error.details)) return { kind: "incompatible", detail };
      return { kind: "busy", retryMs };
    case Status.PERMISSION_DENIED:
    case Status.UNAUTHENTICATED:
      return { kind: "denied", detail };
    case Status.UNIMPLEMENTED:
    case Status.INVALID_ARGUMENT:
      return { kind: "incompatible", detail };
    case Status.UNAVAILABLE:
      if (info?.reason === "HASHING") return { kind: "hashing", retryMs, ...hashedOf(info) };
      return { kind: "unreachable", detail };
    case Status.CANCELLED:
      // Not by us, or we would not be here: a server that shuts down ends its calls so.
      return { kind: "unreachable", detail: "the server ended the call" };
    default:
      // INTERNAL from a reset, UNKNOWN from a crash: all worth another try.
      return { kind: "unreachable", detail: detail || `status ${error.code}` };
  }
}

interface Details {
  readonly info: ErrorInfo | undefined;
  readonly retry: RetryInfo | undefined;
}

function detailsOf(trailer: Metadata | undefined): Details {
  const bytes = trailer?.get(detailsKey);
  if (bytes === undefined) return { info: undefined, retry: undefined };
  try {
    const { details } = fromBinary(StatusSchema, bytes);
    const infos = details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? []);
    const retries = details.flatMap((detail) => anyUnpack(detail, RetryInfoSchema) ?? []);
    return { info: infos[0], retry: retries[0] };
  } catch {
    // Details that cannot be read are no details; the code still says what to do.
    return { info: undefined, retry: undefined };
  }
}

function hashedOf({ metadata }: ErrorInfo): { doneBytes: number; totalBytes: number } {
  return { doneBytes: countOf(metadata.done_bytes), totalBytes: countOf(metadata.total_bytes) };
}

function countOf(text: string | undefined): number {
  const count = Number(text);
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  const whole = Math.max(0, Math.round(ms));
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}

function millisecondsOf({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1_000_000;
}
