/** Says in a few words what grpc-js, Node and OpenSSL say of a connection in a paragraph. */

const words: readonly (readonly [found: RegExp, text: string])[] = [
  [/ECONNREFUSED/, "connection refused"],
  [/ECONNRESET|EPIPE|RST_STREAM|Connection dropped/, "the connection broke"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "no way to the host"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, "the host's name is not known"],
  [/wrong version number|unknown protocol|http request/, "it does not speak TLS"],
  [/alert certificate required/, "it asks for a client certificate"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "its certificate is for another name"],
  // Node's words for a failed check of a chain.
  [/(self[- ]signed certificate)/, "its certificate is not trusted: $1"],
  [/(unable to (?:get|verify)[^.]*)/, "its certificate is not trusted: $1"],
  [/(certificate (?:has expired|is not yet valid))/, "its certificate is not trusted: $1"],
  [/Last error: Protocol error/, "it does not speak gRPC"],
  [/Last error: Failed to connect \(/, "it hung up before it spoke gRPC; it may want TLS"],
  // Whatever else it is, without the frame that grpc-js puts around it.
  [/Last error: (?:Error: )?(.*?)\.? Resolution note:/, "$1"],
];

/** The text in fewer words, if we know them; else as it is. Not yet fit to be shown. */
export function connectionText(said: string): string {
  for (const [found, text] of words) {
    const match = found.exec(said);
    if (match !== null) return text.replace("$1", () => match[1] ?? "");
  }
  return said;
}
