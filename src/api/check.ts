/** Everything that only looks, wired to the real wire, disk, threads and clock. */

import { thenLetGo } from "../download/let-go.js";
import { list as listWith, type Offers } from "../download/list.js";
import { checkRequest, type DownloadOptions, resolveOptions } from "../download/options.js";
import { type Survey, survey as surveyWith } from "../download/survey.js";
import { type Verification, type VerifyWorld, verify as verifyWith } from "../download/verify.js";
import {
  checkReadable,
  type DigestFileOptions,
  digestFile as digestFileWith,
} from "../files/local-file.js";
import { systemClock } from "../system.js";
import { hashFile } from "../threads/hash-file.js";
import type { FileManifest } from "../trust/manifest.js";
import type { GetRequest } from "./get.js";
import { withReplicas } from "./replicas.js";

/** Asks who claims what; does not insist on a quorum. */
export async function survey(
  request: Pick<GetRequest, "replicas" | "name">,
  options?: DownloadOptions,
): Promise<Survey> {
  const { name } = request;
  checkRequest("survey", name, request.replicas.length);
  const resolved = resolveOptions(options);
  return thenLetGo(resolved.signal, (signal) =>
    withReplicas(
      request.replicas,
      (replicas) => surveyWith({ ...resolved, signal, replicas, name, clock: systemClock }),
      options?.onEvent,
    ),
  );
}

/** Compares a local file with what a quorum says it should be. */
export async function verify(
  request: Pick<GetRequest, "replicas" | "name"> & {
    /** The local file. */
    readonly path: string;
  },
  options?: DownloadOptions,
): Promise<Verification> {
  const { name, path } = request;
  const digestLocal = localDigest(path, options);
  // A file that cannot be read is no question for a vote.
  await checkReadable(path);
  return withReplicas(
    request.replicas,
    (replicas) => verifyWith({ name, replicas }, { clock: systemClock, digestLocal }, options),
    options?.onEvent,
  );
}

/** Says what a local file is for whoever verifies it, and how far that is. */
export function localDigest(
  path: string,
  { signal, onEvent }: Pick<DownloadOptions, "signal" | "onEvent"> = {},
): VerifyWorld["digestLocal"] {
  const onProgress = (doneBytes: number, totalBytes: number) =>
    onEvent?.({ event: "verifying", doneBytes, totalBytes });
  return (pieceBytes) => digestFileWith(path, hashFile, { pieceBytes, signal, onProgress });
}

/** Asks which files there are, and who serves them. */
export async function list(
  request: Pick<GetRequest, "replicas">,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Offers> {
  const signal = options.signal ?? new AbortController().signal;
  return thenLetGo(signal, (signal) =>
    withReplicas(request.replicas, (replicas) =>
      listWith(replicas, { signal, clock: systemClock }),
    ),
  );
}

/** Says what a local file is: what replicas that hold it should claim. */
export function digestFile(path: string, options?: DigestFileOptions): Promise<FileManifest> {
  return digestFileWith(path, hashFile, options);
}
