import assert from "node:assert/strict";
import { checkRequest, type DownloadOptions, resolveOptions } from "../../src/download/options.js";
import { limits } from "../../src/limits.js";
import { errorOf } from "./small-download.js";

describe("options", () => {
  it("have defaults", () => {
    const { signal, onEvent, ...rest } = resolveOptions();
    assert.deepEqual(rest, {
      rule: { kind: "majority" },
      chunks: undefined,
      limitRate: undefined,
      maxBytes: Number.POSITIVE_INFINITY,
      timeoutMs: limits.noProgressMs,
      intervalMs: 1000,
      hashThreads: undefined,
    });
    assert.equal(signal.aborted, false);
    assert.equal(typeof onEvent, "function");
  });

  const refused: readonly DownloadOptions[] = [
    ...[0, -1, 1.5, Number.NaN, 1e6 + 1].map((chunks) => ({ chunks })),
    ...[0, 1023, Number.NaN].map((limitRate) => ({ limitRate })),
    ...[-1, Number.NaN].map((maxBytes) => ({ maxBytes })),
    ...[0, -1, Number.NaN].map((timeoutMs) => ({ timeoutMs })),
    ...[0, -1, Number.NaN].map((intervalMs) => ({ intervalMs })),
    ...[-1, 0.5, 65, Number.NaN].map((hashThreads) => ({ hashThreads })),
  ];
  for (const options of refused) {
    const [[key, value] = []] = Object.entries(options);
    it(`refuse ${key}: ${value}`, () => {
      assert.throws(() => resolveOptions(options), errorOf("UsageError", new RegExp(`${value}`)));
    });
  }

  const taken: readonly DownloadOptions[] = [
    ...[1, 1e6].map((chunks) => ({ chunks })),
    ...[1024, 1e12].map((limitRate) => ({ limitRate })),
    ...[0, 2 ** 40].map((maxBytes) => ({ maxBytes })),
    { timeoutMs: 1, intervalMs: 1 },
    ...[0, 64].map((hashThreads) => ({ hashThreads })),
  ];
  for (const options of taken) {
    it(`take ${JSON.stringify(options)}`, () => {
      const resolved = { ...resolveOptions(options) };
      assert.deepEqual({ ...resolved, ...options }, resolved);
    });
  }
});

describe("a request", () => {
  const refused: readonly (readonly [name: string, replicas: number])[] = [
    ["../up", 1],
    ["/root", 1],
    ["a\u0000b", 1],
    ["file.bin", 0],
    ["file.bin", limits.replicas + 1],
  ];
  for (const [name, replicas] of refused) {
    it(`for ${JSON.stringify(name)} from ${replicas} is refused`, () => {
      assert.throws(() => checkRequest("get", name, replicas), errorOf("UsageError", /^get/));
    });
  }
  it("for a good name from some is taken", () => {
    const nameless = () => Reflect.apply(checkRequest, undefined, ["get", undefined, 1]);
    assert.throws(nameless, errorOf("UsageError", /^get: no name was given$/));
    checkRequest("get", "folder/file.bin", limits.replicas);
  });
});
