import assert from "node:assert/strict";
import { limits } from "../../src/limits.js";
import { ReplicaFault } from "../../src/ports.js";
import { type HashingProgress, Manifests } from "../../src/serve/manifests.js";
import { systemClock } from "../../src/system.js";
import { manifestOfBytes } from "../support/memory-replica.js";
import { FakeFiles, FakeStore, type FileState } from "./fake-files.js";
import { settled } from "./hand-clock.js";
import { faultOf } from "./reading.js";

const patient = { patienceMs: 60_000 };
const impatient = { patienceMs: 0 };

describe("manifests", () => {
  let files: FakeFiles;
  let store: FakeStore;
  let end: AbortController;
  let told: HashingProgress[];
  let manifests: Manifests;
  beforeEach(() => {
    files = new FakeFiles();
    store = new FakeStore();
    end = new AbortController();
    told = [];
    const onProgress = (progress: HashingProgress) => told.push(progress);
    manifests = new Manifests({ store, clock: systemClock, signal: end.signal, onProgress });
  });
  // Whatever a test did: what was opened is closed.
  afterEach(() => assert.equal(files.closed, files.opened, "every file opened was closed"));

  const ask = (options = patient, state?: FileState) =>
    manifests.of("a.bin", () => files.open(state), options);
  async function hashed(options = patient) {
    const asking = ask(options);
    await files.begun(files.hashings.length + 1);
    files.hashings.at(-1)?.finish();
    return asking;
  }

  it("say what a file is, with the state that it was in", async () => {
    const { version, manifest } = await hashed();
    assert.equal(version, "v1");
    assert.deepEqual(manifest, manifestOfBytes(files.state.bytes));
  });

  it("need one hash, however many ask at once", async () => {
    const asking = Array.from({ length: 50 }, () => ask());
    await files.begun(1);
    await settled();
    files.hashings[0]?.finish();
    const all = await Promise.all(asking);
    assert.equal(files.hashings.length, 1);
    assert.ok(all.every(({ manifest }) => manifest === all[0]?.manifest));
  });

  it("out of patience is a hashing fault that tells how far it is", async () => {
    const first = faultOf(ask(impatient));
    await files.begun(1);
    const retryMs = limits.hashingRetryMs;
    assert.deepEqual(await first, { kind: "hashing", retryMs, doneBytes: 0, totalBytes: 5 });
    files.hashings[0]?.progress(3);
    const second = await faultOf(ask(impatient));
    assert.deepEqual(second, { kind: "hashing", retryMs, doneBytes: 3, totalBytes: 5 });
    assert.deepEqual(told, [{ name: "a.bin", doneBytes: 3, totalBytes: 5 }]);
    files.hashings[0]?.finish();
    await settled();
    assert.equal((await ask(impatient)).version, "v1", "hashing went on with nobody waiting");
    assert.equal(files.hashings.length, 1);
  });

  it("are remembered by the file's state, not by its name", async () => {
    await hashed();
    assert.equal((await ask()).version, "v1");
    assert.equal(files.hashings.length, 1, "the same state is not hashed again");
    files.state = { ...files.state, key: "v2", bytes: Buffer.from("other") };
    const { version, manifest } = await hashed();
    assert.deepEqual([version, manifest.digest], ["v2", manifestOfBytes(files.state.bytes).digest]);
    const other = await manifests.of("b.bin", () => files.open());
    assert.equal(other.manifest, manifest, "another name of the same file shares its manifest");
  });

  it("of a file that changes while it is hashed are neither given nor remembered", async () => {
    files.hasChanged = true;
    assert.equal((await faultOf(hashed())).kind, "changed");
    assert.equal(store.kept.size, 0);
    files.hasChanged = false;
    assert.equal((await hashed()).version, "v1");
    assert.equal(files.hashings.length, 2, "it was hashed again");
  });

  const ages: readonly (readonly [ageMs: number, isStored: boolean])[] = [
    [-5000, false],
    [0, false],
    [limits.youngFileMs - 1, false],
    [limits.youngFileMs, true],
    [60_000, true],
  ];
  for (const [ageMs, isStored] of ages) {
    it(`of a file ${ageMs} ms old are ${isStored ? "stored" : "not stored"}`, async () => {
      files.state = { ...files.state, ageMs };
      const { manifest } = await hashed();
      assert.equal(store.kept.get("v1"), isStored ? manifest : undefined);
    });
  }

  it("that the store has are believed without a hash", async () => {
    const manifest = manifestOfBytes(files.state.bytes);
    store.kept.set("v1", manifest);
    assert.equal((await ask()).manifest, manifest);
    await ask();
    assert.deepEqual([store.asked, files.hashings.length], [["v1"], 0], "asked for it once");
  });

  it("are made of a few files at once; the rest wait their turn", async () => {
    const states = Array.from({ length: 7 }, (_, index) => {
      return { ...files.state, key: `file ${index}` };
    });
    const asking = states.map((state) => ask(patient, state));
    for (let done = 0; done < states.length; done++) {
      await files.begun(Math.min(states.length, done + limits.hashersAtOnce));
      await settled();
      assert.ok(files.running <= limits.hashersAtOnce);
      files.hashings[done]?.finish();
    }
    const versions = (await Promise.all(asking)).map(({ version }) => version);
    assert.deepEqual(
      versions,
      states.map(({ key }) => key),
    );
    assert.equal(files.mostRunning, limits.hashersAtOnce);
  });

  it("that could not be made leave their turn to the next", async () => {
    const states = ["a", "b", "c", "d"].map((key) => ({ ...files.state, key }));
    const outcomes = states.map((state) => ask(patient, state).catch(String));
    for (let failed = 0; failed < states.length; failed++) {
      await files.begun(failed + 1);
      files.hashings[failed]?.fail(new Error(`no ${failed}`));
    }
    assert.deepEqual(
      await Promise.all(outcomes),
      ["no 0", "no 1", "no 2", "no 3"].map((no) => `Error: ${no}`),
    );
  });

  it("that failed are not remembered: the next one to ask starts again", async () => {
    const asking = Promise.allSettled([ask(), ask()]);
    await files.begun(1);
    await settled();
    const error = new ReplicaFault({ kind: "corrupt", detail: "its disk failed" });
    files.hashings[0]?.fail(error);
    const reasons = (await asking).map((one) => (one.status === "rejected" ? one.reason : one));
    assert.deepEqual(reasons, [error, error], "whoever waited is told");
    assert.equal((await hashed()).version, "v1");
    assert.equal(files.hashings.length, 2);
  });

  it("that the store fails to look up are a failure that is not remembered either", async () => {
    const { get } = store;
    store.get = () => Promise.reject(new Error("no store"));
    await assert.rejects(ask(), /no store/);
    store.get = get;
    assert.equal((await hashed()).version, "v1");
  });

  it("end with the group, those in flight and those that wait for their turn", async () => {
    const reason = new Error("the group ended");
    const outcomes = ["a", "b", "c", "d"].map((key) =>
      ask(patient, { ...files.state, key }).catch((error: unknown) => error),
    );
    await files.begun(limits.hashersAtOnce);
    end.abort(reason);
    await files.begun(3).then(() => files.hashings.slice(2).map(({ fail }) => fail(reason)));
    await files.begun(4).then(() => files.hashings.slice(3).map(({ fail }) => fail(reason)));
    assert.deepEqual(await Promise.all(outcomes), [reason, reason, reason, reason]);
  });

  it("of a file that cannot be opened are its fault, and nothing is remembered", async () => {
    const missing = () => Promise.reject(new ReplicaFault({ kind: "missing" }));
    assert.equal((await faultOf(manifests.of("a.bin", missing))).kind, "missing");
    assert.equal((await hashed()).version, "v1");
  });

  it("are forgotten from the least recently used on", async function () {
    this.timeout(10_000);
    const manifest = manifestOfBytes(files.state.bytes);
    const keyed = (index: number) => ({ ...files.state, key: `file ${index}` });
    for (let index = 0; index <= limits.manifestsKept; index++) {
      store.kept.set(`file ${index}`, manifest);
    }
    for (let index = 0; index < limits.manifestsKept; index++) await ask(patient, keyed(index));
    await ask(patient, keyed(0));
    await ask(patient, keyed(limits.manifestsKept));
    store.asked.splice(0);
    await ask(patient, keyed(0));
    await ask(patient, keyed(1));
    assert.deepEqual(store.asked, ["file 1"], "0 was used again, so 1 had to go");
  });
});
