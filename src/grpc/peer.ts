/** Decides what counts as one client: an IPv4 address, or the 64 bits that an IPv6 network has. */

/** `127.0.0.1:5000` or `::1:5000`, as grpc-js writes them, without the port. */
export function addressOfPeer(peer: string): string {
  const colon = peer.lastIndexOf(":");
  return colon === -1 ? peer : peer.slice(0, colon);
}

/**
 * What is counted by. Whoever has one IPv6 address commonly has 2^64 of them, so they count as one.
 */
export function clientOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === "" ? [] : tail.split(":");
  while (plain.includes("::") && groups.length + behind.length < 8) groups.push("0");
  return `${[...groups, ...behind].slice(0, 4).join(":")}::/64`;
}
