/**
 * Loaded into a serving process before anything else: at SIGUSR2 it makes the trouble that
 * `TROUBLE` names, as a bug in a library would.
 */

import { subscribe } from "node:diagnostics_channel";
import { open } from "node:fs/promises";

const servers = [];
subscribe("tracing:net.server.listen:asyncStart", ({ server }) => {
  if (typeof server.updateSettings === "function") servers.push(server);
});

const thrownLater = (thrown) =>
  setImmediate(() => {
    throw thrown;
  });

const troubles = {
  throw: () => thrownLater(new Error("planted")),
  reject: () => void Promise.reject(new TypeError("planted")),
  literal: () => thrownLater("planted"),
  unprintable: () => thrownLater(Object.create(null)),
  "stop listening": () => servers.at(-1)?.close(),
  "fail when looked at again": async () => {
    const handle = await open(import.meta.filename);
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { stat } = prototype;
    const seen = new WeakSet();
    prototype.stat = function (...args) {
      if (seen.has(this)) throw new TypeError("planted");
      seen.add(this);
      return stat.apply(this, args);
    };
  },
};

process.on("SIGUSR2", async () => {
  await troubles[process.env.TROUBLE]();
  process.stderr.write("trouble is made\n");
});
