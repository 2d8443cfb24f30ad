/**
 * One hostile server among three honest ones, one row a vice: the file is right, in time, and the
 * honest ones are not blamed. In several files, since rows wait more than they work.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type Serving, serve } from "../../src/index.js";
import { freePorts } from "../support/cli.js";
import { madeUp } from "../support/made-up.js";
import { overEachWire, type Wire } from "../support/wires.js";
import { Workspace } from "../support/workspace.js";
import { type Known, knownOf, type Listener, listenHostile } from "./hostile-server.js";
import type { Row } from "./vices.js";

/** What a receipt says of a replica. */
export interface Line {
  readonly address: string;
  readonly standing: string;
  readonly wastedBytes: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** A peer that took all that it could get away with would cost no more than this in vain. */
const mostWastedBytes = 8 * 1024 * 1024;

/** A client, the honest servers, and what it said of the hostile one beside them. */
export interface Among {
  readonly known: Known;
  readonly wire: Wire;
  readonly downloadBeside: (hostile: Listener) => Promise<{ said: string; line: Line }>;
  /** A test of a row. Each is asked over an express connection first, and then the ordinary way. */
  readonly check: (row: Row) => void;
}

/** A suite of such rows over each wire. */
export function amongServers(part: string, rows: (among: Among) => void): void {
  overEachWire(`a client among hostile servers, ${part}`, function (wire) {
    // A vice that costs a deadline costs seconds, and a machine may be slow.
    this.timeout(120_000);
    rows(among(wire));
  });
}

/** Call inside a `describe`. */
function among(wire: Wire): Among {
  const here = Workspace.forSuite();
  const name = "file.bin";
  const content = madeUp(6 * 1024 * 1024 + 3);
  const known = knownOf(name, content);
  let honest: Serving;
  let honestPorts: readonly number[];
  let number = 0;
  const trust: string[] = [];

  before(async () => {
    const file = await here.write(`of/${name}`, content);
    honestPorts = await freePorts(3);
    const tls = wire.tls();
    const entrance = {
      tlsCert: tls && (await here.write("server.crt", tls.server.cert)),
      tlsKey: tls && (await here.write("server.key", tls.server.key)),
    };
    if (tls?.client.ca !== undefined) {
      trust.push("--tls-ca", await here.write("authority.crt", tls.client.ca));
    }
    // So slow that on a busy machine, too, who was late at first is asked again.
    const options = { limitRate: 1024 * 1024, cacheFolder: here.path(".cache") };
    honest = await serve({ share: { file }, ports: honestPorts, entrance }, options);
  });
  after(() => honest.kill());

  async function downloadBeside(hostile: Listener): Promise<{ said: string; line: Line }> {
    const output = `${number++}.bin`;
    const ports = [hostile.port, ...honestPorts];
    try {
      const got = await here.run(["get", name, "-o", output, "--json", ...trust, "-p", ...ports]);
      assert.equal(got.code, 0, got.stderr + got.stdout);
      assert.ok(content.equals(await readFile(here.path(output))), "the file is right");
      const last = got.stdout.trim().split("\n").at(-1) ?? "";
      const { replicas } = JSON.parse(last) as { readonly replicas: readonly Line[] };
      const [line, ...others] = replicas;
      assert.ok(line !== undefined);
      assert.ok(line.address.endsWith(`:${hostile.port}`));
      for (const other of others) assert.equal(other.standing, "good", JSON.stringify(other));
      assert.ok(line.wastedBytes <= mostWastedBytes, `${line.wastedBytes} bytes in vain`);
      return { said: got.stdout + got.stderr, line };
    } finally {
      hostile.close();
    }
  }

  function check(row: Row): void {
    it(`one that ${row.title}`, async () => {
      const hostile = await listenHostile(known, row, wire.tls()?.server);
      const { said, line } = await downloadBeside(hostile);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
      assert.doesNotMatch(said, /[\x00-\x09\x0b-\x1f\x7f\u202e]|\\u001b|\\u202e/);
      const kinds = Object.keys(line.faults);
      const isNone = kinds.length === 0 && row.faults.includes("none");
      // On a busy machine, what names a fault may be loaded too late for the first one.
      const named = kinds.filter((kind) => kind !== "late" || row.faults.includes("late"));
      const isKnown = named.length > 0 && named.every((kind) => row.faults.some((f) => f === kind));
      assert.ok(isNone || isKnown, `booked as ${JSON.stringify(line)}`);
      const isAsked = row.pieces === undefined;
      const method = row.read === undefined ? "GetChecksum" : "ReadRange";
      if (isAsked) assert.ok(hostile.expressCalls(method) > 0, "it is asked so at first");
    });
  }

  return { known, wire, downloadBeside, check };
}
