/** Finds out where a host's name leads, so that one server under two names does not vote twice. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { limits } from "../limits.js";

/** The host's address; the host itself, in lower case, when it has none or nobody says in time. */
export async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host.toLowerCase();
  const end = new AbortController();
  const named = host.toLowerCase();
  const unknown = () => named;
  const found = lookup(host).then(({ address }) => address, unknown);
  try {
    return await Promise.race([found, delay(limits.resolveMs, named, { signal: end.signal })]);
  } finally {
    end.abort();
  }
}

/** Whether an address stays on this machine, where nobody is on the path. */
export function isLoopback(address: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+|localhost)$/i.test(address);
}

/** `host:port`, with an IPv6 address in brackets, as every list of servers takes it. */
export function endpointText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
