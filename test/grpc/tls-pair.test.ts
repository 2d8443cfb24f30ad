import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { keysOf } from "../../src/api/access.js";
import { UsageError } from "../../src/errors.js";
import { checkPair } from "../../src/grpc/tls-pair.js";
import { Authority, opensslProblem } from "../support/authority.js";
import { scratchFolder } from "../support/scratch-folder.js";

const problem = opensslProblem();
const suite = problem === "" ? describe : describe.skip;

suite(`a certificate and its key${problem}`, () => {
  const at = scratchFolder();

  it("are told to be useless in words, before anybody is asked", async () => {
    const authority = new Authority(at(), "ca");
    const one = authority.issue("one");
    const other = authority.issue("other");
    checkPair(one);
    const kept = at("kept.key");
    const protect = ["pkey", "-aes128", "-passout", "pass:x", "-in", one.keyPath, "-out", kept];
    execFileSync("openssl", protect, { stdio: "ignore" });
    const rows = [
      [one.certPath, other.keyPath, /cannot be used: the key is another certificate's$/],
      [one.keyPath, one.certPath, /they are not a certificate and a key in PEM$/],
      [one.certPath, kept, /the key needs a passphrase: take it off$/],
    ] as const;
    for (const [certPath, keyPath, says] of rows) {
      const pair = { cert: readFileSync(certPath), key: readFileSync(keyPath) };
      assert.throws(() => checkPair(pair), says);
      await assert.rejects(
        keysOf({ tlsCert: certPath, tlsKey: keyPath }),
        (error) => error instanceof UsageError && error.message.startsWith("--tls-cert and --tls-"),
      );
    }
  });
});
