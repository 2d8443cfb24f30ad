/** The ways in which a server may misbehave when it is asked what the file is. */

import { setTimeout as delay } from "node:timers/promises";
import {
  GetChecksumResponseSchema,
  ListPiecesResponseSchema,
} from "../../gen/quorate/v1/replica_pb.js";
import {
  begin,
  claimHonestly,
  fail,
  framed,
  listHonestly,
  message,
  sent,
} from "./hostile-server.js";
import { evilText, type Row } from "./vices.js";

export const claiming: readonly Row[] = [
  {
    title: "claims a size of 2^63",
    faults: ["none"],
    checksum: (stream, known, range) =>
      claimHonestly(stream, { ...known, claim: { ...known.claim, size: 2n ** 63n } }, range),
  },
  {
    title: "makes a different claim each time",
    faults: ["none"],
    checksum: (stream, known, range) => {
      const digest = `sha256:${Math.random().toString(16).slice(2).padEnd(64, "0").slice(0, 64)}`;
      return claimHonestly(stream, { ...known, claim: { ...known.claim, digest } }, range);
    },
  },
  {
    title: "claims in escape codes",
    faults: ["none"],
    checksum: (stream, known, range) => {
      const evil = decodeURIComponent(evilText.replace("%ED%A0%80", ""));
      const claim = { ...known.claim, name: evil, digest: evil, version: evil };
      return claimHonestly(stream, { ...known, claim }, range);
    },
  },
  {
    title: "fails in escape codes and surrogates",
    faults: ["none"],
    checksum: (stream) => fail(stream, 5, evilText),
  },
  {
    title: "is busy for a year",
    faults: ["none"],
    checksum: (stream) => fail(stream, 8, "later", { "grpc-retry-pushback-ms": "31536000000" }),
  },
  {
    title: "answers with two claims",
    faults: ["none"],
    checksum: async (stream, known) => {
      begin(stream);
      await sent(stream, message(GetChecksumResponseSchema, known.claim));
      stream.end(message(GetChecksumResponseSchema, known.claim));
    },
  },
  {
    title: "claims without end",
    faults: ["none"],
    checksum: async (stream, known) => {
      begin(stream);
      while (await sent(stream, message(GetChecksumResponseSchema, known.claim)));
    },
  },
  {
    title: "says OK and claims nothing",
    faults: ["none"],
    checksum: (stream) => {
      begin(stream);
      stream.end();
    },
  },
  {
    title: "claims another prefix root",
    faults: ["none"],
    checksum: (stream, known, range) => {
      const claim = { ...known.claim, prefixRoot: known.claim.pieceRoot ?? "" };
      return claimHonestly(stream, { ...known, claim }, range);
    },
  },
  {
    title: "claims a prefix root in escape codes",
    faults: ["none"],
    checksum: (stream, known, range) => {
      const claim = { ...known.claim, prefixRoot: "\u001b[2J" };
      return claimHonestly(stream, { ...known, claim }, range);
    },
  },
  {
    title: "claims, and then fails",
    faults: ["none"],
    checksum: (stream, known) => {
      begin(stream, { "grpc-status": "13" });
      stream.end(message(GetChecksumResponseSchema, known.claim));
    },
  },
  {
    title: "claims in a megabyte of trailers",
    faults: ["none"],
    checksum: (stream, known) => {
      const many = Array.from({ length: 2000 }, (_, index) => [`x-${index}`, "y".repeat(500)]);
      begin(stream, Object.fromEntries(many));
      stream.end(message(GetChecksumResponseSchema, known.claim));
    },
  },
  {
    title: "gives half a claim, and then nothing",
    faults: ["none"],
    checksum: async (stream, known) => {
      begin(stream);
      await sent(stream, message(GetChecksumResponseSchema, known.claim).subarray(0, 40));
    },
  },
  {
    title: "gives half a claim, and says OK",
    faults: ["none"],
    checksum: (stream, known) => {
      begin(stream);
      stream.end(message(GetChecksumResponseSchema, known.claim).subarray(0, 40));
    },
  },
  {
    title: "announces a claim of 1 GiB and pours",
    faults: ["none"],
    checksum: async (stream) => {
      begin(stream);
      await sent(stream, framed(Buffer.alloc(0), 2 ** 30));
      const zeros = Buffer.alloc(1 << 20);
      while (await sent(stream, zeros));
    },
  },
  {
    title: "goes away before it claims",
    faults: ["none"],
    checksum: (stream) => {
      stream.session?.goaway(0);
      stream.session?.destroy();
    },
  },
  {
    title: "answers its claim with garbage",
    faults: ["none"],
    checksum: (stream) => {
      begin(stream);
      stream.end(framed(Buffer.alloc(1000, 0xff)));
    },
  },
];

export const listing: readonly Row[] = [
  {
    title: "gives piece digests without end",
    faults: ["short", "late", "incompatible", "none"],
    pieces: async (stream, known) => {
      begin(stream);
      const digests = framed(
        Buffer.concat([Buffer.from([0x12, 0x80, 0x08]), known.digests.subarray(0, 1024)]),
      );
      while (await sent(stream, digests));
    },
  },
  {
    title: "gives a piece list of another tree",
    faults: ["corrupt", "none"],
    pieces: (stream, known, range) =>
      listHonestly(stream, { ...known, digests: Buffer.alloc(known.digests.length, 7) }, range),
  },
  {
    title: "gives an empty piece list for ever",
    faults: ["late", "none"],
    pieces: async (stream) => {
      begin(stream);
      while (await sent(stream, framed(Buffer.alloc(0)))) await delay(1);
    },
  },
  {
    title: "gives half of its piece list, and goes away",
    faults: ["unreachable", "none"],
    pieces: async (stream, { digests }) => {
      begin(stream);
      const half = digests.subarray(0, 32);
      await sent(stream, message(ListPiecesResponseSchema, { first: 0n, digests: half }));
      stream.session?.destroy();
    },
  },
  {
    title: "gives its piece list, and then fails",
    faults: ["unreachable", "none"],
    pieces: (stream, { digests }) => {
      begin(stream, { "grpc-status": "13" });
      stream.end(message(ListPiecesResponseSchema, { first: 0n, digests }));
    },
  },
  {
    title: "gives prefixes that nobody asked for, fewer than pieces",
    faults: ["none"],
    pieces: (stream, { digests }) => {
      begin(stream);
      const prefixes = Buffer.alloc(33, 7);
      stream.end(message(ListPiecesResponseSchema, { first: 0n, digests, prefixes }));
    },
  },
  {
    title: "gives prefixes without end, and no pieces",
    faults: ["late", "none"],
    pieces: async (stream) => {
      begin(stream);
      const prefixes = Buffer.alloc(1 << 20, 7);
      const poured = message(ListPiecesResponseSchema, { first: 0n, prefixes });
      while (await sent(stream, poured));
    },
  },
  {
    title: "gives a message of prefixes beyond all bounds",
    faults: ["incompatible", "none"],
    pieces: (stream, { digests }) => {
      begin(stream);
      const prefixes = Buffer.alloc(8 << 20, 7);
      stream.end(message(ListPiecesResponseSchema, { first: 0n, digests, prefixes }));
    },
  },
  {
    title: "never gives its piece list",
    faults: ["late", "none"],
    pieces: (stream) => begin(stream),
  },
];
