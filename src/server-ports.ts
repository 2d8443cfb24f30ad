/**
 * What serving needs from the world, beside what a replica is: files that may be served, what is
 * remembered of them, ports to listen on, and somebody who hears of each call.
 */

import type { FilePage, ListRequest, Replica } from "./ports.js";
import type { FileManifest } from "./trust/manifest.js";

/** What identifies one state of a file on this machine. */
export interface FileVersion {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since it last changed when it was looked at. */
  readonly ageMs: number;
}

/** A file opened for serving. */
export interface OpenFile {
  readonly version: FileVersion;
  /** Gives fewer bytes than the buffer holds only at the end of the file. */
  read(offset: number, buffer: Uint8Array): Promise<number>;
  /** Whether the file is no longer what it was when it was opened. */
  hasChanged(): Promise<boolean>;
  /** Reads it all and says what it is. */
  digest(onProgress: (doneBytes: number) => void, signal: AbortSignal): Promise<FileManifest>;
  close(): Promise<void>;
}

/** Hashes an open file somewhere else than in the thread that asks. */
export type HashFile = (request: {
  /** An open descriptor; it must stay open until this is over. */
  readonly fd: number;
  readonly size: number;
  /** Bytes in a piece; the protocol's for the size by default. */
  readonly pieceBytes?: number | undefined;
  readonly onProgress: (doneBytes: number) => void;
  /** It rejects with the signal's reason when it is aborted. */
  readonly signal: AbortSignal;
}) => Promise<FileManifest>;

/** The files that may be served, and no others. Failures are ReplicaFaults. */
export interface SharedFiles {
  /** The one file's name when there is one, else `undefined`. */
  onlyName(): Promise<string | undefined>;
  open(name: string): Promise<OpenFile>;
  list(request: ListRequest, signal?: AbortSignal): Promise<FilePage>;
}

/** Remembers manifests across restarts. Forgetting is always allowed; lying never. */
export interface ManifestStore {
  get(key: string): Promise<FileManifest | undefined>;
  put(key: string, manifest: FileManifest): Promise<void>;
}

/** A call that is over. */
export interface CallRecord {
  /** The client's address and port. */
  readonly peer: string;
  readonly method: string;
  /** What was asked for, where the call has that; a length of 0 is up to the end. */
  readonly name?: string;
  readonly offset?: number;
  readonly length?: number;
  /** Bytes of the file that were sent. */
  readonly bytes: number;
  readonly ms: number;
  /** As gRPC names it: `OK`, `NOT_FOUND`. */
  readonly status: string;
  /** What the client was told instead of an unforeseen cause. */
  readonly reference?: string;
  readonly cause?: unknown;
}

export type OnCall = (record: CallRecord) => void;

/** A virtual server that takes calls. */
export interface ListeningServer {
  readonly port: number;
  /** Resolves with the reason when it ends without being asked to. */
  readonly died?: Promise<string>;
  /** Takes no new calls, lets running ones finish for at most `ms`, then closes. */
  drain(ms: number): Promise<void>;
  /** Breaks every connection at once. */
  kill(): void;
}

/** Puts a replica on a port. Rejects with the reason when the port cannot be had. */
export type Listen = (
  replica: Replica,
  at: { readonly host: string; readonly port: number },
) => Promise<ListeningServer>;

/** Says why a port cannot be listened on, or `undefined` when it can. */
export type CheckPort = (at: {
  readonly host: string;
  readonly port: number;
}) => Promise<string | undefined>;
