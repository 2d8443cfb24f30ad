import assert from "node:assert/strict";
import { reportServing } from "../../src/cli/serve-report.js";
import type { ServeEvent, ServerStatus } from "../../src/serve/serve-events.js";
import { MemoryScreen } from "./verdicts.js";

function told(events: readonly ServeEvent[], isLive = false, host = "127.0.0.1"): MemoryScreen {
  const screen = new MemoryScreen({ isLive });
  const tell = reportServing("a.bin", host, screen, () => "the footer");
  for (const event of events) tell(event);
  return screen;
}

const alive: ServerStatus = {
  number: 1,
  port: 10_001,
  state: "alive",
  fault: undefined,
  streams: 1,
  calls: 3,
  bytes: 1536,
  errors: 0,
  rate: 512,
};
const stopped: ServerStatus = {
  number: 2,
  port: 10_002,
  state: "stopped",
  fault: "lie",
  streams: 0,
  calls: 3,
  bytes: 0,
  errors: 1,
  rate: 0,
};
const hashing = (doneBytes: number, name = "a.bin") =>
  ({ event: "hashing", name, doneBytes, totalBytes: 1000 }) as const;

describe("a group told to a person", () => {
  const server = { number: 2, port: 10_002 };
  const lines: readonly (readonly [event: ServeEvent, line: string])[] = [
    [{ event: "dropped", port: 70_000, why: "no port" }, "serve: port 70000 is dropped: no port"],
    [
      { event: "listening", host: "::1", servers: [{ number: 1, port: 10_001 }, server] },
      "serve: a.bin from 2 virtual servers on ::1, ports 10001, 10002",
    ],
    [
      { event: "listening", host: "::1", servers: [server] },
      "serve: a.bin from 1 virtual server on ::1, port 10002",
    ],
    [{ event: "started", ...server }, "serve: server 2 on port 10002 is started"],
    [
      { event: "stopped", ...server, why: "asked to" },
      "serve: server 2 on port 10002 is stopped: asked to",
    ],
    [
      { event: "failed", ...server, why: "in use" },
      "serve: server 2 on port 10002 cannot start: in use",
    ],
    [{ event: "draining" }, "serve: stopping: running reads may finish for up to 10 s"],
    [{ event: "drained", servers: [alive, alive] }, "serve: stopped; 3.00 KiB were sent"],
  ];
  for (const [event, line] of lines) {
    it(`${event.event} is “${line}”`, () => assert.deepEqual(told([event]).said, [line]));
  }

  it("writes addresses as get takes them", () => {
    const status = { event: "status", servers: [alive] } as const;
    assert.match(told([status], false, "::1").said[0] ?? "", /server 1 \[::1\]:10001 alive/);
    assert.match(told([status], true, "::1").drawn[1] ?? "", / \[::1\]:10001 /);
  });

  it("has a line for each server and interval where nothing can be drawn", () => {
    const { said, drawn } = told([{ event: "status", servers: [alive, stopped] }]);
    assert.deepEqual(said, [
      "serve: server 1 127.0.0.1:10001 alive, 1 stream, 1.50 KiB sent, 512 B/s, 0 errors",
      "serve: server 2 127.0.0.1:10002 stopped, 0 streams, 0 B sent, 0 B/s, 1 error" +
        ", broken on purpose (lie)",
    ]);
    assert.deepEqual(drawn, []);
  });

  it("is a table on a terminal, with the footer below", () => {
    const { said, drawn } = told([{ event: "status", servers: [alive, stopped] }], true);
    assert.deepEqual(said, []);
    assert.deepEqual(drawn, [
      "#  address          state    streams      sent     rate  errors",
      "1  127.0.0.1:10001  alive          1  1.50 KiB  512 B/s       0",
      "2  127.0.0.1:10002  stopped        0       0 B    0 B/s       1  fault: lie",
      "the footer",
    ]);
  });

  it("takes the table away when it stops", () => {
    const events = [{ event: "status", servers: [alive] }, { event: "draining" }] as const;
    assert.deepEqual(told(events, true).drawn, []);
  });

  it("tells of a hash each tenth, however often it is told of it", () => {
    const events = Array.from({ length: 1001 }, (_, doneBytes) => hashing(doneBytes));
    const { said } = told(events);
    assert.equal(said.length, 11);
    assert.equal(said[0], "serve: hashing a.bin: 0.0 % of 1000 B");
    assert.equal(said[10], "serve: hashing a.bin: 100 % of 1000 B");
  });

  it("tells of the hash of an empty file without dividing by nothing", () => {
    const { said } = told([{ ...hashing(0), totalBytes: 0 }]);
    assert.deepEqual(said, ["serve: hashing a.bin: 100 % of 0 B"]);
  });

  it("tells of each file that is hashed", () => {
    const { said } = told([hashing(500, "a.bin"), hashing(500, "b.bin")]);
    assert.equal(said.length, 2);
  });

  it("tells each tenth once when two files are hashed side by side", () => {
    const turns = Array.from({ length: 20 }, () => [hashing(250, "a.bin"), hashing(450, "b.bin")]);
    assert.equal(told(turns.flat()).said.length, 2);
  });
});
