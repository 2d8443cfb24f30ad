/** Keeps a record of every call: who asked for what, what came of it, how long it took. */

import { randomBytes } from "node:crypto";
import { type CallContext, ServerError, type ServerMiddlewareCall, Status } from "nice-grpc";
import type { OnCall } from "../server-ports.js";
import { cleanText } from "../trust/text.js";

/** What went wrong in a way that nobody foresaw, by the call in which it did. */
const unforeseen = new WeakMap<
  ServerError,
  { readonly reference: string; readonly cause: unknown }
>();

/**
 * The answer to a call that failed in a way that was not foreseen: it tells the client a number,
 * under which the record of the call says why.
 */
export function unforeseenError(cause: unknown): ServerError {
  const reference = randomBytes(4).toString("hex");
  const error = new ServerError(Status.INTERNAL, `the server failed (reference ${reference})`);
  unforeseen.set(error, { reference, cause });
  return error;
}

/** Runs a call, and tells `onCall` once it is over, however it ends. */
export async function* recorded<Request, Response>(
  call: ServerMiddlewareCall<Request, Response>,
  context: CallContext,
  {
    run,
    onCall,
    open,
  }: {
    readonly run: () => AsyncGenerator<Response, Awaited<Response> | undefined, undefined>;
    readonly onCall: OnCall;
    /** Its stream, unless that was closed before. */
    readonly open: { readonly sentBytes: number } | undefined;
  },
): AsyncGenerator<Awaited<Response>, Awaited<Response> | undefined, undefined> {
  const startedAt = performance.now();
  let failure: unknown;
  let isOver = false;
  try {
    const responses = run();
    try {
      for (;;) {
        const next = await responses.next();
        if (next.done === true) {
          isOver = true;
          return next.value;
        }
        yield next.value;
      }
    } finally {
      if (!isOver) await responses.return(undefined);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const unknown = failure instanceof ServerError ? unforeseen.get(failure) : undefined;
    onCall({
      peer: context.peer,
      method: call.method.path.slice(call.method.path.lastIndexOf("/") + 1),
      ...askedOf(call.request),
      bytes: open?.sentBytes ?? 0,
      ms: performance.now() - startedAt,
      status: Status[codeOf(failure, { isOver, signal: context.signal })] ?? "UNKNOWN",
      ...(unknown === undefined ? {} : unknown),
    });
  }
}

function codeOf(
  failure: unknown,
  { isOver, signal }: { readonly isOver: boolean; readonly signal: AbortSignal },
): Status {
  if (failure instanceof ServerError) return failure.code;
  if (isOver) return Status.OK;
  return signal.aborted || failure === undefined ? Status.CANCELLED : Status.UNKNOWN;
}

/** Name and range of a request that has them; names are strangers' words. */
function askedOf(request: unknown): { name?: string; offset?: number; length?: number } {
  if (typeof request !== "object" || request === null) return {};
  const name = "name" in request && typeof request.name === "string" ? request.name : undefined;
  const named = name === undefined ? {} : { name: cleanText(name) };
  if (!("offset" in request && "length" in request)) return named;
  return { ...named, offset: Number(request.offset), length: Number(request.length) };
}
