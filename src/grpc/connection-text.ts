/** Says in a few words what grpc-js, Node and OpenSSL say of a connection in a paragraph. */

import type { ClientTls } from "./channel.js";

const words: readonly (readonly [found: RegExp, text: string])[] = [
  [/ECONNREFUSED/, "connection refused"],
  [
    /Last error: (?:Failed to connect \(|.*(?:ECONNRESET|EPIPE))/,
    "it hung up before it spoke gRPC$2",
  ],
  [/ECONNRESET|EPIPE|RST_STREAM|Connection dropped/, "the connection broke"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "no way to the host"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, "the host's name is not known"],
  [/wrong version number|unknown protocol|http request/, "it does not speak TLS"],
  [/alert certificate required/, "it asks for a client certificate"],
  // What RFC 8446 6.2 has servers say of it; those on Node only hang up.
  [/alert (unknown ca|[a-z ]*certificate[a-z ]*)/, "it does not accept our client certificate: $1"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "its certificate is for another name"],
  // Node's words for a failed check of a chain.
  [/(self[- ]signed certificate)/, "its certificate is not trusted: $1"],
  [/(unable to (?:get|verify)[^.]*)/, "its certificate is not trusted: $1"],
  [/(certificate (?:has expired|is not yet valid))/, "its certificate is not trusted: $1"],
  [/Last error: Protocol error|alert no application protocol/, "it does not speak gRPC"],
  [/(?:ssl|tls)v\d+ alert ([a-z ]+)/, "it refuses TLS: $1"],
  [/^Received HTTP status code (\d+)$/, "it does not speak gRPC: HTTP status $1"],
  // The first bytes of a page of HTML, for one, are the length of a huge message.
  [/^Received message larger than max/, "it sent more than fits a message, or does not speak gRPC"],
  // Whatever else it is, without the frame that grpc-js puts around it.
  [/Last error: (?:Error: )?(.*?)\.? Resolution note:/, "$1"],
];

/**
 * The text in fewer words, if we know them; else as it is. Not yet fit to be shown. `tls`: what the
 * connection was tried with, if it was over TLS.
 */
export function connectionText(said: string, tls?: ClientTls): string {
  for (const [found, text] of words) {
    const match = found.exec(said);
    if (match !== null) return text.replace("$1", () => match[1] ?? "").replace("$2", guess(tls));
  }
  return said;
}

/** Why it may have hung up without a word. */
function guess(tls: ClientTls | undefined): string {
  if (tls === undefined) return "; it may want TLS";
  return tls.cert === undefined ? "" : "; it may not accept our client certificate";
}
