/** Who may come in to a group of virtual servers: reads the files, refuses careless openings. */

import { messageOf, UsageError } from "../errors.js";
import { readSecret, readTokens, watchSecrets } from "../files/secret-files.js";
import type { Doors, ServerTls } from "../grpc/doors.js";
import { addressOf, isLoopback } from "../grpc/resolve.js";
import type { ResolvedServeOptions } from "../serve/options.js";

/** Paths of PEM files and of a file with tokens; they are read again when they change. */
export interface Entrance {
  /** The servers' certificate, with its key: connections are then over TLS. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Who signs the certificates that clients must have. Needs TLS. */
  readonly clientCa?: string | undefined;
  /** Bearer tokens, one a line, of which every call must bring one. Beyond loopback, needs TLS. */
  readonly tokenFile?: string | undefined;
  /** Whether to listen beyond loopback without TLS, or without knowing who comes. Default: no. */
  readonly isInsecure?: boolean | undefined;
  /** Whether clients may ask what the services look like. Default: on loopback only. */
  readonly hasReflection?: boolean | undefined;
}

/** The doors, until they are disposed of. */
export interface OpenEntrance extends Disposable {
  readonly doors: Doors;
  readonly hasReflection: boolean;
}

/** Reads the files and watches them. Throws UsageError for what is missing, or too open. */
export async function openEntrance(
  entrance: Entrance,
  { host, onEvent }: Pick<ResolvedServeOptions, "host" | "onEvent">,
): Promise<OpenEntrance> {
  const isLocal = isLoopback(await addressOf(host));
  if (!isLocal) checkOpenness(entrance, host);
  const { tlsCert, tlsKey, clientCa, tokenFile, hasReflection = isLocal } = entrance;
  const { Doors } = await import("../grpc/doors.js");
  const doors = await made(
    async () => new Doors({ tls: await tlsOf(entrance), tokens: await tokensOf(entrance) }),
  );
  if (!isLocal && entrance.isInsecure === true) {
    for (const why of dangersOf(entrance)) onEvent({ event: "insecure", host, why });
  }
  const reload = async (what: string, change: () => Promise<void>) => {
    try {
      await change();
      onEvent({ event: "reloaded", what });
    } catch (error) {
      // Half a pair is what a renewal looks like from outside: the old one stays until both fit.
      onEvent({ event: "not-reloaded", what, why: messageOf(error) });
    }
  };
  const paths = [tlsCert, tlsKey, clientCa].filter((path) => path !== undefined);
  const watches = [
    watchSecrets(paths, () =>
      reload("certificates", async () => {
        const tls = await tlsOf(entrance);
        if (tls !== undefined) doors.changeTls(tls);
      }),
    ),
    watchSecrets(tokenFile === undefined ? [] : [tokenFile], () =>
      reload("tokens", async () => doors.changeTokens((await tokensOf(entrance)) ?? [])),
    ),
  ];
  return {
    doors,
    hasReflection,
    [Symbol.dispose]: () => {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}

function checkOpenness(entrance: Entrance, host: string): void {
  if (entrance.tokenFile !== undefined && entrance.tlsCert === undefined) {
    throw new UsageError(
      `serve: --token-file on ${host}: tokens would travel in clear text: add --tls-cert, --tls-key`,
    );
  }
  const dangers = dangersOf(entrance);
  if (dangers.length === 0 || entrance.isInsecure === true) return;
  throw new UsageError(
    `serve: on ${host}, beyond this machine: ${dangers.join("; ")}: --insecure does it anyway`,
  );
}

function dangersOf({ tlsCert, clientCa, tokenFile }: Entrance): string[] {
  const isOpen = clientCa === undefined && tokenFile === undefined;
  return [
    ...(tlsCert === undefined
      ? ["without --tls-cert anybody on the path can read and change what is served"]
      : []),
    ...(isOpen ? ["without --client-ca or --token-file anybody may read what is served"] : []),
  ];
}

async function tlsOf({ tlsCert, tlsKey, clientCa }: Entrance): Promise<ServerTls | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("serve: --tls-cert and --tls-key: one without the other");
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    if (clientCa === undefined) return undefined;
    throw new UsageError("serve: --client-ca needs --tls-cert and --tls-key");
  }
  return {
    cert: await readSecret("--tls-cert", tlsCert),
    key: await readSecret("--tls-key", tlsKey),
    clientCa: clientCa === undefined ? undefined : await readSecret("--client-ca", clientCa),
  };
}

async function tokensOf({ tokenFile }: Entrance): Promise<string[] | undefined> {
  return tokenFile === undefined ? undefined : readTokens("--token-file", tokenFile);
}

async function made<Result>(make: () => Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`serve: ${messageOf(error)}`, { cause: error });
  }
}
