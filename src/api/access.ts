/** How replicas are reached: over TLS or not, with which certificates and token, from files. */

import { messageOf, UsageError } from "../errors.js";
import { readSecret, readTokens } from "../files/secret-files.js";
import type { ClientTls } from "../grpc/channel.js";
import { isLoopback } from "../grpc/resolve.js";
import { checkPair } from "../grpc/tls-pair.js";

/** Paths of PEM files, and of a file with a token in its first line. All are optional. */
export interface Access {
  /** Whether to use TLS with the system's authorities. Any of the other `tls…` implies TLS. */
  readonly tls?: boolean | undefined;
  /** The authority that signs the servers' certificates. */
  readonly tlsCa?: string | undefined;
  /** Our own certificate, for servers that ask for one, with its key. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** The name that the servers' certificates must bear; each one's host by default. */
  readonly serverName?: string | undefined;
}

/** The same with the files read. */
export interface Keys {
  readonly tls: ClientTls | undefined;
  readonly token: string | undefined;
}

/** Reads what an access names. Throws UsageError for what is missing or makes no sense. */
export async function keysOf(access: Access = {}): Promise<Keys> {
  const { tlsCa, tlsCert, tlsKey, tokenFile, serverName } = access;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("--tls-cert and --tls-key: one without the other");
  }
  const read = async (flag: string, path: string | undefined) =>
    path === undefined ? undefined : readSecret(flag, path);
  const isOverTls = isTls(access);
  if (serverName !== undefined && !isOverTls) {
    throw new UsageError("--server-name: without TLS nobody proves a name");
  }
  const tls = {
    ca: await readAuthority(tlsCa),
    cert: await read("--tls-cert", tlsCert),
    key: await read("--tls-key", tlsKey),
    serverName,
  };
  if (tls.cert !== undefined && tls.key !== undefined) checkOwn(tls.cert, tls.key);
  const tokens = tokenFile === undefined ? [] : await readTokens("--token-file", tokenFile);
  return { tls: isOverTls ? tls : undefined, token: tokens[0] };
}

/** Every connection would fail, and look like the server's fault. */
function checkOwn(cert: Buffer, key: Buffer): void {
  try {
    checkPair({ cert, key });
  } catch (error) {
    throw new UsageError(`--tls-cert and --tls-key: ${messageOf(error)}`, { cause: error });
  }
}

/** OpenSSL takes a file without any certificate, and then trusts nobody. */
async function readAuthority(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readSecret("--tls-ca", path);
  if (/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(bytes.toString("latin1"))) return bytes;
  throw new UsageError(`--tls-ca ${path}: there is no certificate in it`);
}

/** Whether an access is over TLS. */
export function isTls({ tls, tlsCa, tlsCert }: Access): boolean {
  return tls === true || tlsCa !== undefined || tlsCert !== undefined;
}

/** A token in clear text is everybody's: it stays on this machine unless TLS hides it. */
export function checkToken({ tls, token }: Keys, address: string): void {
  if (token === undefined || tls !== undefined || isLoopback(address)) return;
  throw new UsageError(`--token-file: a token is not sent to ${address} in clear text: use TLS`);
}
