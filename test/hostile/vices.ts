/**
 * The ways in which a server may misbehave in a read: one row a vice, and how a download is to take
 * it.
 */

import { setTimeout as delay } from "node:timers/promises";
import { ReadRangeResponseSchema } from "../../gen/quorate/v1/replica_pb.js";
import type { FaultKind } from "../../src/index.js";
import {
  begin,
  chunk,
  fail,
  framed,
  type Known,
  message,
  readHonestly,
  sent,
  type Vice,
} from "./hostile-server.js";

/** A vice, and the faults that it may be booked as; none when it never gets to deliver. */
export interface Row extends Vice {
  readonly title: string;
  readonly faults: readonly (FaultKind | "none")[];
}

/** Steers a terminal, breaks a line, writes backwards, and is no Unicode, percent-encoded. */
export const evilText = "%1B%5B2J%1B]0;owned%07%0D%0Aexit 0%E2%80%AE%ED%A0%80%00";

const chunkBytes = 16 * 1024;
const part = (known: Known, at: number, saidAt?: number) =>
  chunk(known, at, at + chunkBytes, saidAt);

export const reading: readonly Row[] = [
  {
    title: "ends early and says OK",
    faults: ["short"],
    read: async (stream, known, { start }) => {
      begin(stream);
      await sent(stream, part(known, start));
      stream.end();
    },
  },
  {
    title: "says OK without a byte",
    faults: ["short"],
    read: (stream) => {
      begin(stream);
      stream.end();
    },
  },
  {
    title: "sends more than was asked for",
    faults: ["short"],
    read: async (stream, known, { start, end }) => {
      begin(stream);
      for (let at = start; at < end - chunkBytes; at += chunkBytes) {
        if (!(await sent(stream, part(known, at)))) return;
      }
      const data = Buffer.alloc(2 * chunkBytes);
      await sent(
        stream,
        message(ReadRangeResponseSchema, { offset: BigInt(end - chunkBytes), data }),
      );
      stream.end();
    },
  },
  {
    title: "ends within a message",
    faults: ["short", "unreachable", "incompatible"],
    read: (stream) => {
      begin(stream);
      stream.end(framed(Buffer.alloc(10), 1000));
    },
  },
  {
    title: "begins at another offset",
    faults: ["short"],
    read: async (stream, known, { start }) => {
      begin(stream);
      await sent(stream, part(known, start, start + 1));
      stream.end();
    },
  },
  {
    title: "sends each chunk twice",
    faults: ["short"],
    read: async (stream, known, { start }) => {
      begin(stream);
      await sent(stream, part(known, start));
      await sent(stream, part(known, start));
      stream.end();
    },
  },
  {
    title: "sends chunks in another order",
    faults: ["short"],
    read: async (stream, known, { start }) => {
      begin(stream);
      await sent(stream, part(known, start + chunkBytes));
      await sent(stream, part(known, start));
      stream.end();
    },
  },
  {
    title: "says an offset beyond any number",
    faults: ["short", "incompatible"],
    read: (stream) => {
      begin(stream);
      stream.end(
        message(ReadRangeResponseSchema, { offset: 2n ** 64n - 1n, data: Buffer.alloc(9) }),
      );
    },
  },
  {
    title: "drips a byte at a time",
    faults: ["late", "none"],
    read: async (stream, known, { start, end }) => {
      begin(stream);
      for (let at = start; at < end; at++) {
        if (!(await sent(stream, chunk(known, at, at + 1)))) return;
        await delay(200);
      }
    },
  },
  { title: "never sends a byte", faults: ["late", "none"], read: (stream) => begin(stream) },
  { title: "does not even answer a read", faults: ["late", "none"], read: () => {} },
  {
    title: "sends empty messages for ever",
    faults: ["late", "none", "short"],
    read: async (stream) => {
      begin(stream);
      const nothing = message(ReadRangeResponseSchema, {});
      while (await sent(stream, nothing)) await delay(1);
    },
  },
  {
    title: "announces a message of 1 GiB and pours",
    faults: ["incompatible", "short", "unreachable"],
    read: async (stream) => {
      begin(stream);
      await sent(stream, framed(Buffer.alloc(0), 2 ** 30));
      const zeros = Buffer.alloc(1 << 20);
      while (await sent(stream, zeros));
    },
  },
  {
    title: "flips a bit of every piece",
    faults: ["corrupt"],
    read: (stream, known, range) => {
      const content = Buffer.from(known.content.map((byte) => byte ^ 1));
      return readHonestly(stream, { ...known, content }, range);
    },
  },
  {
    title: "sends garbage for a message",
    faults: ["short", "incompatible", "unreachable"],
    read: (stream) => {
      begin(stream);
      stream.end(framed(Buffer.alloc(chunkBytes, 0xff)));
    },
  },
  {
    title: "ends in a megabyte of trailers",
    // So many headers are refused with ENHANCE_YOUR_CALM, which reads like "busy".
    faults: ["short", "unreachable", "incompatible", "busy"],
    read: (stream) => {
      const many = Array.from({ length: 2000 }, (_, index) => [`x-${index}`, "y".repeat(500)]);
      begin(stream, Object.fromEntries(many));
      stream.end();
    },
  },
  {
    title: "resets every read",
    faults: ["unreachable"],
    read: (stream) => stream.close(2),
  },
  {
    title: "goes away in the middle of every read",
    faults: ["unreachable", "short"],
    read: async (stream, known, { start }) => {
      begin(stream);
      await sent(stream, part(known, start));
      stream.session?.goaway(0);
      stream.session?.destroy();
    },
  },
  {
    title: "fails every read in escape codes and surrogates",
    faults: ["unreachable"],
    read: (stream) => fail(stream, 2, evilText),
  },
  {
    title: "is busy at every read, for a year",
    faults: ["busy"],
    read: (stream) => fail(stream, 8, "later"),
  },
];
