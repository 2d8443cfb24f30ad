/** Certificates for tests, made with openssl in a folder of the test. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why no certificates can be made here, as an end for a title; empty when they can. */
export function opensslProblem(): string {
  return spawnSync("openssl", ["version"]).status === 0 ? "" : " (skipped: openssl is missing)";
}

/** A certificate and its key: paths and bytes. */
export interface Pair {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Signs certificates, or signs itself. */
export class Authority {
  readonly pair: Pair;
  readonly #folder: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.pair = this.#selfSigned(name);
  }

  /** A certificate for `localhost` and 127.0.0.1 (or another name), signed by this authority. */
  issue(name: string, { host = "localhost", days = 30 } = {}): Pair {
    const { key, csr, cert, extensions } = this.#paths(name);
    const address = host === "localhost" ? ",IP:127.0.0.1" : "";
    writeFileSync(extensions, `subjectAltName=DNS:${host}${address}\n`);
    openssl("req", "-new", ...newKey, "-keyout", key, "-subj", `/CN=${name}`, "-out", csr);
    const { certPath, keyPath } = this.pair;
    const signer = ["-CA", certPath, "-CAkey", keyPath, "-CAcreateserial", "-days", String(days)];
    openssl("x509", "-req", "-in", csr, ...signer, "-extfile", extensions, "-out", cert);
    return pairOf(cert, key);
  }

  #selfSigned(name: string): Pair {
    const { key, cert } = this.#paths(name);
    const subject = ["-subj", `/CN=${name}`, "-days", "30"];
    openssl("req", "-x509", ...newKey, "-keyout", key, ...subject, "-out", cert);
    return pairOf(cert, key);
  }

  #paths(name: string) {
    const at = (ending: string) => join(this.#folder, `${name}.${ending}`);
    return { key: at("key"), csr: at("csr"), cert: at("crt"), extensions: at("ext") };
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}

function pairOf(certPath: string, keyPath: string): Pair {
  return { certPath, keyPath, cert: readFileSync(certPath), key: readFileSync(keyPath) };
}
