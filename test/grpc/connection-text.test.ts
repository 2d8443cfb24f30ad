import assert from "node:assert/strict";
import { ClientError, Status } from "nice-grpc";
import { faultOfClientError } from "../../src/grpc/status.js";

/** What grpc-js puts around what it was told. */
const framed = (cause: string) =>
  `No connection established. Last error: ${cause}. Resolution note: `;
const ssl = (what: string) =>
  `Error: 802C86EF1B7F0000:error:0A00010B:SSL routines:${what}:../deps/openssl/openssl/x.c:350:`;

describe("a paragraph about a connection, in a few words", () => {
  const cases: readonly (readonly [said: string, text: string])[] = [
    [framed("Error: connect ECONNREFUSED 127.0.0.1:1"), "connection refused"],
    [framed("Protocol error (2026-11-26T14:43:51.270Z)"), "it does not speak gRPC"],
    [
      framed("Failed to connect (2026-11-26T15:07:02.299Z)"),
      "it hung up before it spoke gRPC; it may want TLS",
    ],
    [framed(ssl("ssl3_get_record:wrong version number")), "it does not speak TLS"],
    [
      framed(ssl("ssl3_read_bytes:tlsv13 alert certificate required")),
      "it asks for a client certificate",
    ],
    [
      framed(
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match " +
          "certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ",
      ),
      "its certificate is for another name",
    ],
    [
      framed("Error: self-signed certificate"),
      "its certificate is not trusted: self-signed certificate",
    ],
    [
      framed("Error: unable to verify the first certificate"),
      "its certificate is not trusted: unable to verify the first certificate",
    ],
    [
      framed("Error: certificate has expired"),
      "its certificate is not trusted: certificate has expired",
    ],
    [
      framed(ssl("ssl3_read_bytes:tlsv1 alert unknown ca")),
      "it does not accept our client certificate: unknown ca",
    ],
    [
      framed(ssl("ssl3_read_bytes:sslv3 alert certificate expired")),
      "it does not accept our client certificate: certificate expired",
    ],
    [
      framed(ssl("ssl3_read_bytes:sslv3 alert handshake failure")),
      "it refuses TLS: handshake failure",
    ],
    [framed(ssl("ssl3_read_bytes:tlsv1 alert no application protocol")), "it does not speak gRPC"],
    ["Received HTTP status code 503", "it does not speak gRPC: HTTP status 503"],
    [framed("Error: read ECONNRESET"), "it hung up before it spoke gRPC; it may want TLS"],
    [framed("Error: something new: $1 $& happened"), "something new: $1 $& happened"],
    ["read ECONNRESET", "the connection broke"],
    ["a server's own words", "a server's own words"],
    ["\u001b[2J\u202e", "?[2J?"],
  ];
  for (const [said, detail] of cases) {
    it(detail, () => {
      const error = new ClientError("/x/y", Status.UNAVAILABLE, said);
      assert.deepEqual(faultOfClientError(error, undefined).fault, { kind: "unreachable", detail });
    });
  }

  it("what a web server answers in place of a message is no riddle", () => {
    const rows = [
      [
        Status.UNIMPLEMENTED,
        "Received HTTP status code 404",
        "it does not speak gRPC: HTTP status 404",
      ],
      [
        Status.RESOURCE_EXHAUSTED,
        "Received message larger than max (1752460652 vs 4194304)",
        "it sent more than fits a message, or does not speak gRPC",
      ],
      [Status.UNIMPLEMENTED, "a server's own words", "a server's own words"],
    ] as const;
    for (const [code, said, detail] of rows) {
      const { fault } = faultOfClientError(new ClientError("/x/y", code, said), undefined);
      assert.deepEqual(fault, { kind: "incompatible", detail });
    }
  });

  it("advises nobody to use TLS who does, and thinks of our certificate when we show one", () => {
    const tls = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };
    const hungUp = "it hung up before it spoke gRPC";
    const rows = [
      [tls, hungUp],
      [{ ...tls, cert: Buffer.from("PEM") }, `${hungUp}; it may not accept our client certificate`],
    ] as const;
    for (const [over, detail] of rows) {
      for (const cause of [
        "Failed to connect (2026-11-26T15:07:02.299Z)",
        "Error: read ECONNRESET",
      ]) {
        const error = new ClientError("/x/y", Status.UNAVAILABLE, framed(cause));
        const { fault } = faultOfClientError(error, undefined, over);
        assert.deepEqual(fault, { kind: "unreachable", detail });
      }
    }
  });
});
