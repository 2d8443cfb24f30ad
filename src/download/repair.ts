/**
 * Makes a damaged file right: finds out that it is wrong, then downloads it with the damaged one as
 * an old copy, so that only what differs is fetched. The damaged file itself is never written to.
 */

import {
  IntegrityError,
  messageOf,
  NoQuorumError,
  NotFoundError,
  OutOfReplicasError,
  StorageError,
} from "../errors.js";
import type { Receipt } from "../receipt/receipt.js";
import { download } from "./download.js";
import type { DownloadOptions } from "./options.js";
import type { OnEvent } from "./progress.js";
import type { DownloadRequest, DownloadWorld } from "./request.js";
import { type Verification, type VerifyWorld, verify } from "./verify.js";

/** How a repair may be tuned. */
export interface RepairOptions extends DownloadOptions {
  /** Told what is wrong before anything is fetched; `undefined` when it cannot all be read. */
  readonly onWrong?: (verification: Verification | undefined) => void;
}

/** What came of a repair. */
export interface Repair {
  /** What the file was; `undefined` when it could not all be read. */
  readonly verification: Verification | undefined;
  /** `undefined` when the file was right, and was left alone. */
  readonly receipt: Receipt | undefined;
}

/**
 * Resolves once the file is right. Throws IntegrityError when it is wrong and replicas could not
 * make it right, NoQuorumError or NotFoundError when nobody can say what is right, StorageError, or
 * the signal's reason; the file then is as it was, and what was fetched is kept to be resumed.
 */
export async function repair(
  request: DownloadRequest,
  world: DownloadWorld & VerifyWorld,
  options: RepairOptions = {},
): Promise<Repair> {
  const verification = await verify(request, world, options).catch((error: unknown) => {
    // A disk that fails is what repairs are for: what cannot be read is as good as wrong.
    if (error instanceof StorageError) return undefined;
    throw error;
  });
  if (verification?.isRight === true) return { verification, receipt: undefined };
  options.onWrong?.(verification);
  try {
    const onEvent = withoutTheVote(options.onEvent, verification);
    const receipt = await download(request, world, { ...options, onEvent });
    return { verification, receipt };
  } catch (error) {
    throw isOfReplicas(error) ? notRepaired(request.name, error) : error;
  }
}

/** The vote that a download begins with is no news when it is the one that was just told. */
function withoutTheVote(
  onEvent: OnEvent = () => {},
  verification: Verification | undefined,
): OnEvent {
  const told = verification?.agreement.manifest.digest;
  return (event) => {
    if (event.event === "answer") return;
    const { agreement } = event.event === "agreement" ? event : {};
    if (agreement?.reached === true && agreement.manifest.digest === told) return;
    onEvent(event);
  };
}

function isOfReplicas(error: unknown): boolean {
  return (
    error instanceof OutOfReplicasError ||
    error instanceof NoQuorumError ||
    error instanceof NotFoundError ||
    error instanceof IntegrityError
  );
}

/** The file is known to be wrong: that is what its owner must hear, whatever stopped the repair. */
function notRepaired(name: string, error: unknown): IntegrityError {
  return new IntegrityError(
    `repair ${name}: it is wrong, and is left as it was; run it again to go on: ${messageOf(error)}`,
    { cause: error },
  );
}
