/** Every fault survives the way over the wire: fault → status with details → the same fault. */

import assert from "node:assert/strict";
import { ClientError, Metadata, Status } from "nice-grpc";
import { faultOfClientError, serverErrorOf } from "../../src/grpc/status.js";
import type { Fault } from "../../src/schedule/faults.js";

/** What a client makes of what a server says. */
function overTheWire(fault: Fault): Fault {
  const trailer = Metadata();
  const { code, details } = serverErrorOf(fault, "a.bin", trailer);
  return faultOfClientError(new ClientError("/x/y", code, details), trailer).fault;
}

/** What a client makes of a bare status, without details. */
function ofStatus(code: Status, text = "said"): Fault {
  return faultOfClientError(new ClientError("/x/y", code, text), undefined).fault;
}

describe("status", () => {
  const faithful: readonly Fault[] = [
    { kind: "unreachable", detail: "gone" },
    { kind: "busy", retryMs: 1500 },
    { kind: "hashing", retryMs: 250, doneBytes: 7, totalBytes: 99 },
    { kind: "short", detail: "beyond" },
    { kind: "corrupt", detail: "its disk failed" },
    { kind: "changed", detail: "another file" },
    { kind: "missing" },
    { kind: "denied", detail: "no" },
    { kind: "incompatible", detail: "what?" },
  ];
  for (const fault of faithful) {
    it(`${fault.kind} is the same fault at the other end`, () => {
      assert.deepEqual(overTheWire(fault), fault);
    });
  }

  const strangers: readonly (readonly [code: Status, kind: Fault["kind"]])[] = [
    [Status.CANCELLED, "unreachable"],
    [Status.UNKNOWN, "unreachable"],
    [Status.INVALID_ARGUMENT, "incompatible"],
    [Status.DEADLINE_EXCEEDED, "late"],
    [Status.NOT_FOUND, "missing"],
    [Status.ALREADY_EXISTS, "unreachable"],
    [Status.PERMISSION_DENIED, "denied"],
    [Status.RESOURCE_EXHAUSTED, "busy"],
    [Status.FAILED_PRECONDITION, "changed"],
    [Status.ABORTED, "unreachable"],
    [Status.OUT_OF_RANGE, "short"],
    [Status.UNIMPLEMENTED, "incompatible"],
    [Status.INTERNAL, "unreachable"],
    [Status.UNAVAILABLE, "unreachable"],
    [Status.DATA_LOSS, "corrupt"],
    [Status.UNAUTHENTICATED, "denied"],
  ];
  for (const [code, kind] of strangers) {
    it(`a stranger's ${Status[code]} is ${kind}`, () => assert.equal(ofStatus(code).kind, kind));
  }

  it("a message too large for us is incompatible: waiting would not make it smaller", () => {
    const fault = ofStatus(Status.RESOURCE_EXHAUSTED, "Received message larger than max (9 vs 4)");
    assert.equal(fault.kind, "incompatible");
  });
  it("texts lose what a terminal would obey", () => {
    const fault = ofStatus(Status.INTERNAL, "\u001b[2Jgone\r\n\u202e");
    assert.deepEqual(fault, { kind: "unreachable", detail: "?[2Jgone???" });
  });
  it("details that are no details are ignored", () => {
    const trailer = Metadata().set("grpc-status-details-bin", Uint8Array.of(255, 255, 255));
    const error = new ClientError("/x/y", Status.UNAVAILABLE, "gone");
    assert.deepEqual(faultOfClientError(error, trailer).fault.kind, "unreachable");
  });
  it("a lone surrogate in a name does not leave the process", () => {
    const { details } = serverErrorOf({ kind: "missing" }, "a\ud800b", Metadata());
    assert.ok(details.isWellFormed());
  });
});
