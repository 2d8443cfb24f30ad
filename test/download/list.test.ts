import assert from "node:assert/strict";
import { list } from "../../src/download/list.js";
import { limits } from "../../src/limits.js";
import { type FileEntry, type FilePage, type Replica, ReplicaFault } from "../../src/ports.js";
import { systemClock } from "../../src/system.js";
import { altered, silent } from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { memoryReplica } from "../support/memory-replica.js";
import { type ByLetter, replicasOf } from "./small-download.js";

const file = (size: number) => Buffer.alloc(size);
const none = memoryReplica({});
const ask = (byLetter: ByLetter, signal = new AbortController().signal) =>
  list(replicasOf(byLetter), { signal, clock: systemClock });

/** A replica whose pages are these, by their tokens. */
const paging = (pages: (token: string) => FilePage): Replica =>
  altered(none, { list: async ({ pageToken }) => pages(pageToken) });

const entries = (...names: string[]): FileEntry[] => names.map((name) => ({ name, size: 1 }));

describe("a list", () => {
  it("names each file once, with who serves it and how large they say it is", async () => {
    const A = memoryReplica({ "b.bin": file(2), "a.bin": file(1) });
    const B = memoryReplica({ "b.bin": file(3), "c/d.bin": file(4) });
    const { offers, silent: without } = await ask({ A, B });
    assert.deepEqual(offers, [
      { name: "a.bin", sizes: [1], replicas: ["A"] },
      { name: "b.bin", sizes: [2, 3], replicas: ["A", "B"] },
      { name: "c/d.bin", sizes: [4], replicas: ["B"] },
    ]);
    assert.deepEqual(without, []);
  });

  it("follows the pages to the last", async () => {
    const A = paging((token) => {
      const page = Number(token);
      return { files: entries(`f${page}.bin`), nextPageToken: page < 9 ? `${page + 1}` : "" };
    });
    const { offers } = await ask({ A });
    assert.equal(offers.length, 10);
  });

  it("one that knows the core calls only names the one file that it serves", async () => {
    const core = (files: Record<string, Buffer>) =>
      altered(memoryReplica(files), {
        list: async () => {
          throw new ReplicaFault({ kind: "incompatible", detail: "Method not found!" });
        },
      });
    const A = core({ "a.bin": file(1) });
    const B = core({ "a.bin": file(1), "b.bin": file(2) });
    const { offers, silent: without } = await ask({ A, B });
    assert.deepEqual(offers, [{ name: "a.bin", sizes: [1], replicas: ["A"] }]);
    // What it does not know is the list: that it serves several files says nothing of that.
    assert.deepEqual(without, [{ replica: "B", why: "incompatible: Method not found!" }]);
  });

  it("a replica that names a file twice counts once", async () => {
    const A = paging(() => ({ files: entries("a.bin", "a.bin"), nextPageToken: "" }));
    const { offers } = await ask({ A });
    assert.deepEqual(offers, [{ name: "a.bin", sizes: [1], replicas: ["A"] }]);
  });

  it("leaves out names that may not travel", async () => {
    const bad = ["../up", "/root", "a\u001b[31m", "a\\b", "", "a//b"];
    const A = paging(() => ({ files: entries(...bad, "good"), nextPageToken: "" }));
    const { offers } = await ask({ A });
    assert.deepEqual(
      offers.map(({ name }) => name),
      ["good"],
    );
  });

  it("ends when a replica gives the same page for ever", async () => {
    const A = paging(() => ({ files: entries("a.bin"), nextPageToken: "again" }));
    assert.equal((await ask({ A })).offers.length, 1);
  });

  it("ends when a replica has new pages for ever", async () => {
    let asked = 0;
    const A = paging(() => ({ files: entries(`f${++asked}`), nextPageToken: `${asked}` }));
    await ask({ A });
    assert.equal(asked, limits.listedFiles / limits.listPageFiles);
  });

  it("names who was silent, and why, and shows what the others serve", async () => {
    const clock = new FakeClock();
    const broken = altered(none, {
      list: async () => {
        throw new TypeError("a bug of its own");
      },
    });
    const A = memoryReplica({ "a.bin": file(1) });
    const { offers, silent: without } = await ask({ A, B: silent(none, clock), C: broken });
    assert.equal(offers.length, 1);
    const whys = without.map(({ replica, why }) => `${replica}: ${why}`).sort();
    assert.deepEqual(whys, ["B: no answer within 5.0 s", "C: a bug of its own"]);
  });

  it("a long list may take longer than one answer, but not for ever", async () => {
    for (const [pageMs, isThere] of [
      [1000, true],
      [4000, false],
    ] as const) {
      const clock = new FakeClock();
      const A = altered(none, {
        list: async ({ pageToken }, { deadlineMs }) => {
          assert.equal(deadlineMs, limits.surveyMs);
          await clock.sleep(pageMs, new AbortController().signal);
          const page = Number(pageToken);
          return { files: entries(`f${page}.bin`), nextPageToken: page < 19 ? `${page + 1}` : "" };
        },
      });
      const signal = new AbortController().signal;
      const { offers, silent: without } = await list(replicasOf({ A }), { signal, clock });
      assert.equal(offers.length, isThere ? 20 : 0);
      assert.equal(without.length, isThere ? 0 : 1);
      if (!isThere) assert.match(without[0]?.why ?? "", /^no answer within 32\.0 s$/);
    }
  });

  it("an abort ends it with the reason", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const clock = new FakeClock();
    const asked = ask({ A: silent(none, clock) }, abort.signal);
    abort.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
  });
});
