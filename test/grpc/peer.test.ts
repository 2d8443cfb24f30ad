import assert from "node:assert/strict";
import { addressOfPeer, clientOf } from "../../src/grpc/peer.js";

describe("the address of a peer", () => {
  const cases: readonly (readonly [peer: string, address: string])[] = [
    ["127.0.0.1:5000", "127.0.0.1"],
    ["::1:5000", "::1"],
    ["2001:db8::7:443", "2001:db8::7"],
    ["unknown", "unknown"],
  ];
  for (const [peer, address] of cases) {
    it(`${peer} is ${address}`, () => assert.equal(addressOfPeer(peer), address));
  }
});

describe("what counts as one client", () => {
  const cases: readonly (readonly [address: string, client: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["2001:db8::3:4:5:6", "2001:db8:0:0::/64"],
    ["2001:db8:1::5:6:7:8", "2001:db8:1:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
  ];
  for (const [address, client] of cases) {
    it(`${address} is ${client}`, () => assert.equal(clientOf(address), client));
  }

  it("all 2^64 addresses of one network are one, those of two networks two", () => {
    assert.equal(clientOf("2001:db8:1:2::1"), clientOf("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert.notEqual(clientOf("2001:db8:1:2::1"), clientOf("2001:db8:1:3::1"));
  });
});
