/**
 * What our own command line needs beside the public API. Nobody else can import it, so that none of
 * it is a promise.
 */

export { isTls } from "./api/access.js";
export { agreeText, verdictText } from "./download/agree.js";
export { messageOf } from "./errors.js";
export { isInForeground } from "./files/foreground.js";
export { makeScratch } from "./files/scratch.js";
export { stdoutFile } from "./files/stdout-file.js";
export { storageError } from "./files/storage-error.js";
export { endpointText, isLoopback } from "./grpc/resolve.js";
