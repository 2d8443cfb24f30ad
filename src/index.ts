/**
 * The public API: get a file from many servers without trusting any one of them, and serve files.
 */

export type { Access } from "./api/access.js";
export { digestFile, list, survey, verify } from "./api/check.js";
export type { Entrance } from "./api/entrance.js";
export { download, type GetRequest } from "./api/get.js";
export { downloadInOrder, type GetInOrderRequest } from "./api/get-in-order.js";
export { verifyReceipt } from "./api/receipts.js";
export { type RepairRequest, repair } from "./api/repair.js";
export type { Address } from "./api/replicas.js";
export { type ServeRequest, type Serving, serve } from "./api/serve.js";
export type { Offer, Offers } from "./download/list.js";
export type { DownloadOptions } from "./download/options.js";
export type {
  DownloadEvent,
  OnEvent,
  ReplicaProgress,
  TransferProgress,
} from "./download/progress.js";
export type { Repair, RepairOptions } from "./download/repair.js";
export type { Survey } from "./download/survey.js";
export type { Verification } from "./download/verify.js";
export {
  type ErrorCode,
  exitCodes,
  IntegrityError,
  InterruptedError,
  NoQuorumError,
  NotFoundError,
  OutOfReplicasError,
  QuorateError,
  StorageError,
  type TallyFacts,
  type TallyLine,
  UsageError,
} from "./errors.js";
export { findLeftovers, type Leftover } from "./files/leftovers.js";
export type { DigestFileOptions } from "./files/local-file.js";
export { type Removal, removeLeftovers } from "./files/remove-leftovers.js";
export { type ListedServer, readServers } from "./files/servers-file.js";
export type { ReceiptDifference, ReceiptVerification } from "./receipt/check-receipt.js";
export type { KeptReceipt } from "./receipt/kept-receipt.js";
export type { Receipt, ReplicaReceipt } from "./receipt/receipt.js";
export { type Evidence, type Fault, type FaultKind, faultText } from "./schedule/faults.js";
export type { Range } from "./schedule/range.js";
export type { Standing } from "./schedule/score.js";
export { type FaultName, faultNames } from "./serve/fault-names.js";
export type { ServeOptions } from "./serve/options.js";
export type { OnServeEvent, ServeEvent, ServerStatus } from "./serve/serve-events.js";
export type { CallRecord, OnCall } from "./server-ports.js";
export { type Digest, parseDigest, shortDigest } from "./trust/digest.js";
export type { Claim, FileManifest, Manifest } from "./trust/manifest.js";
export { nameProblem } from "./trust/name.js";
export type {
  Agreement,
  Answer,
  Group,
  NotReached,
  Reached,
  ReplicaId,
  Vote,
} from "./trust/quorum.js";
export { parseRule, type Rule, ruleText } from "./trust/rule.js";
export { cleanText } from "./trust/text.js";
export { version } from "./version.js";
