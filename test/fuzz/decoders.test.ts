/**
 * Everything that reads a stranger's bytes or texts, fed with whatever there is: it takes what is
 * good, refuses what is not in its own way, and does nothing else. fast-check prints the seed and
 * the smallest case of what fails; `SEED=n` begins elsewhere.
 */

import assert from "node:assert/strict";
import { posix } from "node:path";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { ClientError, Metadata } from "nice-grpc";
import * as flags from "../../src/cli/flags.js";
import { UsageError } from "../../src/errors.js";
import { encodeRecord, headerOf, parseJournal } from "../../src/files/journal-file.js";
import { parseServers } from "../../src/files/servers-file.js";
import { replicaDefinition } from "../../src/grpc/replica-calls.js";
import { detailsKey, faultOfClientError, serverErrorOf } from "../../src/grpc/status.js";
import { limits } from "../../src/limits.js";
import { clampedRetryMs } from "../../src/schedule/backoff.js";
import { pieceIndex } from "../../src/schedule/pieces.js";
import { digestOf, parseDigest } from "../../src/trust/digest.js";
import { manifestOf, parseClaim } from "../../src/trust/manifest.js";
import { nameProblem, outputNameProblem } from "../../src/trust/name.js";
import { cleanText } from "../../src/trust/text.js";
import { seed } from "../support/seeded.js";

const runs = Number(process.env.FUZZ ?? 2000);

/** Any UTF-16 at all, lone surrogates and what steers terminals well represented. */
const wildText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("/", ".", "..", "-", "\\", "\0", "\x1b", "\n", "\u202e", "\ud800", "\udfff"),
    fc.constantFrom("\u2028", "\uFFFD", "\u0085", "\u200f", "é", "😀", " ", ":", "[", "]"),
    fc.string({ unit: "binary", maxLength: 1 }),
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  ),
  maxLength: 40,
});
const bytes = fc.uint8Array({ maxLength: 400 });

function holds<Value>(what: fc.Arbitrary<Value>, check: (value: Value) => void): void {
  fc.assert(fc.property(what, check), { numRuns: runs, seed });
}

describe("a name", () => {
  it("that is taken is one path below the root, and nothing in it steers a terminal", () => {
    holds(wildText, (name) => {
      if (nameProblem(name) !== undefined) return;
      assert.ok(name.isWellFormed() && Buffer.byteLength(name) <= 1024);
      assert.equal(posix.join("/root", name), `/root/${name}`);
      assert.doesNotMatch(name, /[\p{Cc}\\\u2028\u2029\u202a-\u202e\u2066-\u2069\uFFFD]/u);
      for (const part of name.split("/")) assert.ok(!["", ".", ".."].includes(part));
    });
  });

  it("that may be given to a file here begins with no dot and no dash", () => {
    holds(wildText, (name) => {
      if (outputNameProblem(name) === undefined) assert.doesNotMatch(name, /(?:^|\/)[-.][^/]*$/);
    });
  });
});

describe("a claim", () => {
  const bare = Buffer.alloc(2);
  const raw = fc.record({
    size: fc.bigInt({ min: -(2n ** 64n), max: 2n ** 65n }),
    digest: fc.oneof(wildText, fc.constant(digestOf(Buffer.alloc(0)) as string)),
    pieceBytes: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n }), fc.constant(65_536n)),
    root: fc.oneof(wildText, fc.constant(""), fc.constant(digestOf(Buffer.alloc(1)) as string)),
    prefixRoot: fc.oneof(wildText, fc.constant(""), fc.constant(digestOf(bare) as string)),
  });

  it("that is taken has a size that is a safe integer, and a number of pieces that fits it", () => {
    holds(raw, (given) => {
      const claim = parseClaim(given);
      if ("problem" in claim) return assert.ok(claim.problem.length < 200);
      assert.ok(Number.isSafeInteger(claim.size) && claim.size >= 0);
      for (const each of [claim.digest, claim.root, claim.prefixRoot]) {
        assert.ok(each === undefined || parseDigest(each) === each);
      }
      if (claim.root === undefined) assert.equal(claim.prefixRoot, undefined);
      const { pieceBytes, pieceCount } = manifestOf(claim);
      assert.ok((pieceCount - 1) * pieceBytes < claim.size || pieceCount === 0);
      assert.ok(pieceCount * pieceBytes >= claim.size);
    });
  });

  it("has a digest only in its one form", () => {
    holds(wildText, (text) => assert.equal(parseDigest(text), undefined));
  });
});

describe("a journal", () => {
  const identity = "identity";
  const records = fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 20 });
  const whole = (pieces: readonly number[]) =>
    Buffer.concat([
      headerOf(identity),
      ...pieces.map((piece) => {
        return encodeRecord({ piece: pieceIndex(piece), digest: Buffer.alloc(32, piece) });
      }),
    ]);

  it("of any bytes is read without a complaint, and believed for nothing", () => {
    holds(bytes, (given) => {
      const parsed = parseJournal(Buffer.from(given), identity, 100);
      assert.ok(parsed.kind !== "known" || parsed.records.length === 0);
    });
  });

  it("that was overwritten, cut or lengthened anywhere tells only what was written", () => {
    const change = fc.record({ pieces: records, at: fc.nat(), length: fc.nat(), noise: bytes });
    holds(change, ({ pieces, at, length, noise }) => {
      const right = whole(pieces);
      const damaged = Buffer.from(right.subarray(0, length % (right.length + 1)));
      damaged.set(
        noise.subarray(0, Math.max(0, damaged.length - (at % (damaged.length + 1)))),
        at % (damaged.length + 1),
      );
      const parsed = parseJournal(Buffer.concat([damaged, noise]), identity, 100);
      if (parsed.kind !== "known") return;
      for (const { piece, digest } of parsed.records) {
        assert.ok(pieces.includes(piece));
        assert.deepEqual(Buffer.from(digest), Buffer.alloc(32, piece));
      }
    });
  });
});

describe("a list of servers", () => {
  it("gives hosts without spaces and ports from 1 to 65535, or one line of what is wrong", () => {
    const line = fc.oneof(
      wildText,
      fc.constantFrom("a 1", "b:65535", "[::1]:80", "c 0", "d:65536"),
    );
    holds(fc.array(line, { maxLength: 6 }), (lines) => {
      try {
        for (const { host, port } of parseServers(lines.join("\n"), "list")) {
          assert.doesNotMatch(host, /\s/);
          assert.ok(port >= 1 && port <= 65_535);
        }
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
        assert.doesNotMatch(error.message, /[\n\r]/);
      }
    });
  });
});

describe("a flag", () => {
  const { port, host, count, seconds, duration, bytes: size, rate, rule, pin, fault } = flags;
  for (const parse of [port, host, count, seconds, duration, size, rate, rule, pin, fault]) {
    it(`is a ${parse.name} or refused`, () => {
      holds(wildText, (text) => {
        try {
          assert.notEqual(parse(text), undefined);
        } catch (error) {
          assert.ok(error instanceof InvalidArgumentError, String(error));
        }
      });
    });
  }
});

describe("a message", () => {
  const codec = replicaDefinition.methods.readRange.responseType;

  it("of any bytes is decoded or refused", () => {
    holds(bytes, (given) => {
      try {
        codec.decode(given);
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
      }
    });
  });
});

describe("an error that a server sent", () => {
  const code = fc.integer({ min: 1, max: 20 });

  it("is a fault whose text may be shown, and whose wait is bounded", () => {
    holds(fc.record({ code, text: wildText, details: bytes }), ({ code, text, details }) => {
      const trailer = Metadata();
      trailer.set(detailsKey, details);
      const { fault } = faultOfClientError(new ClientError("/a/b", code, text), trailer);
      assert.doesNotMatch(JSON.stringify(fault), /[\p{Cc}\p{Cs}\p{Bidi_Control}]|\\u/u);
      if (!("retryMs" in fault)) return;
      const waitMs = clampedRetryMs(fault.retryMs);
      assert.ok(waitMs >= limits.retryMinMs && waitMs <= limits.retryMaxMs);
    });
  });

  it("that we send is well formed, whatever name was asked for", () => {
    holds(fc.record({ name: wildText, detail: wildText }), ({ name, detail }) => {
      for (const kind of ["missing", "changed"] as const) {
        const error = serverErrorOf({ kind, detail }, name, Metadata());
        assert.ok(error.details.isWellFormed());
        encodeURI(error.details);
      }
    });
  });
});

describe("a stranger's text", () => {
  it("is short and harmless once it is cleaned, and clean when it is cleaned again", () => {
    holds(wildText, (text) => {
      const clean = cleanText(text);
      assert.ok(clean.isWellFormed() && clean.length <= 201);
      assert.doesNotMatch(clean, /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.equal(cleanText(clean), clean);
    });
  });
});
