import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import * as flags from "../../src/cli/flags.js";
import { digestOf } from "../../src/trust/digest.js";

/** One line a case: what is typed, and what it means. */
type Good = readonly (readonly [text: string, value: unknown])[];

function parses(parse: (text: string) => unknown, good: Good, bad: readonly string[]): void {
  for (const [text, value] of good) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(parse(text), value);
    });
  }
  for (const text of bad) {
    it(`${JSON.stringify(text)} is refused, and shown`, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert.ok(error instanceof InvalidArgumentError);
          return error.message.includes(JSON.stringify(text)) && error.message.endsWith(".");
        },
      );
    });
  }
}

const nonsense = ["", " ", "x", "-1", "+1", "1e3", "0x10", "１", "NaN", "Infinity", "1,5", "1 2"];
const MiB = 1024 * 1024;

describe("flags: a port", () => {
  const good: Good = [
    ["1", 1],
    ["80", 80],
    ["00080", 80],
    ["65535", 65_535],
  ];
  parses(flags.port, good, [...nonsense, "0", "65536", "99999", "100000", "80.0", " 80", "80\n"]);
  it("a word where a port is expected gets a hint", () => {
    assert.throws(() => flags.port("data.mp4"), /put other words before/);
    assert.throws(
      () => flags.port("10001,10002"),
      /a number from 1 to 65535 \(several are separated by spaces\)\.$/,
    );
    assert.throws(
      () => flags.port("70000"),
      (error) => error instanceof Error && !/put other words/.test(error.message),
    );
  });
});

describe("flags: several values", () => {
  it("are gathered in order", () => {
    const parse = flags.several(flags.port);
    assert.deepEqual(parse("2", parse("1", undefined)), [1, 2]);
  });
  it("are refused when one is bad", () => {
    assert.throws(() => flags.several(flags.port)("x", [1]), InvalidArgumentError);
  });
  it("leave what was gathered before as it was", () => {
    const before = [1];
    flags.several(flags.port)("2", before);
    assert.deepEqual(before, [1]);
  });
});

describe("flags: a count", () => {
  const good: Good = [
    ["1", 1],
    ["007", 7],
    ["999999999", 999_999_999],
  ];
  parses(flags.count, good, [...nonsense, "0", "000", "1.5", "1000000000", "4k"]);
});

describe("flags: seconds", () => {
  const good: Good = [
    ["1", 1000],
    ["0.5", 500],
    ["86400", 86_400_000],
  ];
  parses(flags.seconds, good, [...nonsense, "0", "0.0", "86400.1", "86401", "1s", ".5", "5."]);
});

describe("flags: a duration", () => {
  const good: Good = [
    ["30s", 30_000],
    ["30", 30_000],
    ["500ms", 500],
    ["0.5ms", 0.5],
    ["2m", 120_000],
    ["1.5h", 5_400_000],
    ["24h", 86_400_000],
    ["86400000ms", 86_400_000],
  ];
  const bad = ["0", "0s", "24.1h", "25h", "86400001ms", "1d", "s", "1 s", "1S", "1h30m", ".5s"];
  parses(flags.duration, good, [...nonsense, ...bad]);
});

describe("flags: an age", () => {
  const good: Good = [
    ["0s", 0],
    ["30m", 1_800_000],
    ["12h", 43_200_000],
    ["7d", 604_800_000],
    ["1.5d", 129_600_000],
    ["2w", 1_209_600_000],
  ];
  parses(flags.age, good, [...nonsense, "7", "7D", "1d12h", "-1d", "500ms", "1y"]);
});

describe("flags: paths that --no-… turns off", () => {
  it("are gathered, and begin anew after it", () => {
    assert.deepEqual(flags.paths("b", ["a"]), ["a", "b"]);
    for (const before of [undefined, false, true]) {
      assert.deepEqual(flags.paths("a", before), ["a"]);
    }
  });
});

describe("flags: bytes", () => {
  const good: Good = [
    ["1", 1],
    ["1b", 1],
    ["1023B", 1023],
    ["1k", 1024],
    ["1K", 1024],
    ["1KiB", 1024],
    ["1KB", 1000],
    ["1kb", 1000],
    ["500k", 512_000],
    ["10MiB", 10 * MiB],
    ["10mib", 10 * MiB],
    ["10 MiB", 10 * MiB],
    ["10MiB/s", 10 * MiB],
    ["1.5GB", 1_500_000_000],
    ["1.5G", 1.5 * 1024 * MiB],
    ["0.5K", 512],
    ["8191T", 8191 * MiB * MiB],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ];
  const bad = ["0", "0K", "0.5", "0.0001K", "K", "1X", "1KK", "1iB", "1KiBs", "1K/m", "1P", ".5M"];
  parses(flags.bytes, good, [...nonsense, ...bad, "8192T", "9007199254740992", "1K\n2"]);
});

describe("flags: a rate", () => {
  const good: Good = [
    ["1K", 1024],
    ["1024", 1024],
    ["10MiB", 10 * MiB],
    ["10MB/s", 10_000_000],
  ];
  parses(flags.rate, good, [...nonsense, "0", "1", "1023", "1KB", "0.99K"]);
});

describe("flags: a rule", () => {
  const good: Good = [
    ["majority", { kind: "majority" }],
    ["all", { kind: "all" }],
    ["1", { kind: "at-least", count: 1 }],
    ["9999", { kind: "at-least", count: 9999 }],
  ];
  const bad = ["0", "01", "10000", "1.5", "Majority", "most", digestOf(Buffer.from("x"))];
  parses(flags.rule, good, [...nonsense.filter((text) => text !== "1"), ...bad]);
});

describe("flags: a pinned digest", () => {
  const digest = digestOf(Buffer.from("x"));
  const good: Good = [
    [digest, { kind: "digest", digest }],
    [digest.toUpperCase(), { kind: "digest", digest }],
    [digest.slice(7), { kind: "digest", digest }],
  ];
  const bad = [digest.slice(8), digest.slice(0, -1), `${digest}0`, "sha256:", ` ${digest}`];
  parses(flags.pin, good, ["", "x", "majority", "3", ...bad]);
  for (const text of ["md5:abc", "sha512:abc", "SHA-1:abc"]) {
    it(`${text} names an algorithm that is not known, and says which is`, () => {
      const algorithm = text.split(":")[0] ?? "";
      const isTold = (error: unknown) =>
        error instanceof InvalidArgumentError &&
        error.message.includes(`${algorithm} is not known: it is sha256`);
      assert.throws(() => flags.pin(text), isTold);
    });
  }
});

describe("flags: a fault", () => {
  const good: Good = ["lie", "corrupt", "stall", "slow", "die", "short"].map((kind) => [
    `10002:${kind}`,
    [10_002, kind],
  ]);
  const bad = ["", "lie", ":lie", "10002", "10002:", "10002:LIE", "10002: lie", "10002:lies"];
  parses(
    flags.fault,
    good,
    bad.filter((text) => text !== ":lie"),
  );
  for (const text of [":lie", "0:lie", "70000:lie", "x:lie"]) {
    it(`${text} has no port`, () => {
      assert.throws(() => flags.fault(text), /is no port/);
    });
  }
  for (const text of ["10002:lie:corrupt", "10002:lie:", "10002:lie:2"]) {
    it(`${text} says more than PORT:KIND, and is refused`, () => {
      assert.throws(() => flags.fault(text), InvalidArgumentError);
    });
  }
});
