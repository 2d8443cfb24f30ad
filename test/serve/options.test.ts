import assert from "node:assert/strict";
import { once } from "node:events";
import { UsageError } from "../../src/errors.js";
import type { FaultName } from "../../src/serve/fault-names.js";
import { resolveServeOptions, type ServeOptions } from "../../src/serve/options.js";
import type { ServeEvent } from "../../src/serve/serve-events.js";

const ports = [10_001, 10_002];

describe("options of a group", () => {
  it("have defaults: loopback, every 5 s, no limit, nothing broken, nobody told", () => {
    const { onEvent, ...rest } = resolveServeOptions({}, ports);
    const bounds = { maxReads: 256, maxClientReads: 64, maxConnections: 256 };
    const rates = { limitRate: undefined, limitRateClient: undefined };
    const defaults = { host: "127.0.0.1", intervalMs: 5000, faults: new Map() };
    assert.deepEqual(rest, { ...defaults, ...rates, ...bounds });
    onEvent({ event: "draining" });
  });

  it("let one client have two reads on each of many virtual servers", () => {
    const many = Array.from({ length: 64 }, (_, index) => 10_001 + index);
    assert.equal(resolveServeOptions({}, many).maxClientReads, 128);
    assert.equal(resolveServeOptions({ maxClientReads: 9 }, many).maxClientReads, 9);
  });

  it("are taken as they are given", () => {
    const told: string[] = [];
    const listen = ({ event }: ServeEvent) => told.push(event);
    const faults = new Map<number, FaultName>([[10_002, "lie"]]);
    const bounds = { maxReads: 3, maxClientReads: 2, maxConnections: 1 };
    const rates = { limitRate: 1024, limitRateClient: 2048 };
    const given = { host: "::1", intervalMs: 0.5, faults, ...rates, ...bounds };
    const { onEvent, ...rest } = resolveServeOptions({ ...given, onEvent: listen }, ports);
    onEvent({ event: "draining" });
    assert.deepEqual([rest, told], [given, ["draining"]]);
  });

  it("a listener that throws stops nothing", () => {
    const warned = once(process, "warning");
    const { onEvent } = resolveServeOptions({ onEvent: () => assert.fail("mine") }, ports);
    onEvent({ event: "draining" });
    return warned.then(([warning]) =>
      assert.match(String(warning), /a listener failed on draining/),
    );
  });

  const senseless: readonly (readonly [what: string, options: ServeOptions])[] = [
    ["an interval of 0", { intervalMs: 0 }],
    ["a negative interval", { intervalMs: -1 }],
    ["an interval that is no number", { intervalMs: Number.NaN }],
    // Node's timers take 2^31 ms and more for 1 ms: a thousand reports a second.
    ["an interval that no timer can wait", { intervalMs: 2 ** 31 }],
    ["an endless interval", { intervalMs: Number.POSITIVE_INFINITY }],
    ["a rate below 1 KiB a second", { limitRate: 1023 }],
    ["a rate of 0", { limitRate: 0 }],
    ["a rate of 0 for each client", { limitRateClient: 0 }],
    ["no reads at all", { maxReads: 0 }],
    ["half a connection", { maxConnections: 0.5 }],
    ["a rate that is no number", { limitRate: Number.NaN }],
    ["a fault on a port that is not among them", { faults: new Map([[10_003, "lie"]]) }],
  ];
  for (const [what, options] of senseless) {
    it(`${what} is refused`, () => {
      assert.throws(() => resolveServeOptions(options, ports), UsageError);
    });
  }

  it("a fault that there is not is refused, as from a caller without types", () => {
    const faults: Map<number, FaultName> = new Map(JSON.parse('[[10001, "explode"]]'));
    assert.throws(
      () => resolveServeOptions({ faults }, ports),
      /explode is none of lie, corrupt, stall, slow, die, short/,
    );
  });
});
