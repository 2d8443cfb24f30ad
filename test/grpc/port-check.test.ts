import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { bindProblem, checkPort } from "../../src/grpc/port-check.js";
import { freePorts } from "../support/cli.js";
import { asOrdinaryUser } from "../support/scratch-folder.js";

const host = "127.0.0.1";

describe("why listening failed", () => {
  const framed = (why: string) =>
    `No address added out of total 1 resolved errors: [listen ${why}]`;
  const cases: readonly (readonly [said: string, why: string])[] = [
    [framed("EADDRINUSE: address already in use 127.0.0.1:1"), "it is in use"],
    [
      framed("EMFILE: too many open files 127.0.0.1:1"),
      "too many files are open; raise `ulimit -n`",
    ],
    ["listen EACCES: permission denied 127.0.0.1:80", "permission denied"],
    ["something else", "something else"],
  ];
  for (const [said, why] of cases) {
    it(why, () => assert.equal(bindProblem(new Error(said)), why));
  }
});

describe("a port check", () => {
  const open: Server[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  async function listen(at: { readonly host: string; readonly port: number }): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, resolve);
    });
    open.push(server);
    return (server.address() as AddressInfo).port;
  }

  it("finds nothing wrong with a free port, and leaves it free", async () => {
    const [port = 0] = await freePorts(1);
    assert.equal(await checkPort({ host, port }), undefined);
    assert.equal(await checkPort({ host, port }), undefined);
    assert.equal(await listen({ host, port }), port);
  });

  it("finds a port that is in use", async () => {
    const port = await listen({ host, port: 0 });
    assert.equal(await checkPort({ host, port }), "it is in use");
  });

  it("finds a port that is in use on all addresses", async () => {
    const port = await listen({ host: "0.0.0.0", port: 0 });
    assert.equal(await checkPort({ host, port }), "it is in use");
  });

  const lowest = lowestUnprivileged();
  const maySkip = lowest <= 1 ? it.skip : it;
  const whyNot = lowest <= 1 ? " (skipped: here every port is free to everybody)" : "";
  maySkip(`finds that a port below 1024 needs a permission${whyNot}`, async () => {
    const why = await asOrdinaryUser(() => checkPort({ host, port: lowest - 1 }));
    assert.equal(why, "permission denied");
  });

  it("finds an address that this machine does not have", async () => {
    const why = await checkPort({ host: "192.0.2.1", port: 10_001 });
    assert.equal(why, "this machine does not have that address");
  });

  for (const name of ["nobody.invalid", "300.1.2.3", "::g"]) {
    it(`says that ${name} is no address`, async () => {
      const why = await checkPort({ host: name, port: 10_001 });
      // Without a resolver it is not that the name is unknown, but that nobody can be asked.
      assert.match(why ?? "", /^the host's name is not known$|EAI_AGAIN/);
    });
  }
});

/** The first port that anybody may listen on. */
function lowestUnprivileged(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
  } catch {
    // Not Linux: nothing says where the privileged ports end.
    return 0;
  }
}
