import assert from "node:assert/strict";
import { create, type DescMessage, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ReplicaService } from "../../../gen/quorate/v1/replica_pb.js";
import { calls } from "../../../src/grpc/express/calls.js";
import { decoded, encoded, type Fields, type Message } from "../../../src/grpc/express/fields.js";
import { Unexpected } from "../../../src/grpc/express/frames.js";

const kinds = new Map<ScalarType, string>([
  [ScalarType.STRING, "string"],
  [ScalarType.UINT64, "uint64"],
  [ScalarType.UINT32, "uint32"],
  [ScalarType.BYTES, "bytes"],
  [ScalarType.BOOL, "bool"],
]);

/** The table that a descriptor makes. */
function tableOf({ fields }: DescMessage): object {
  const entries = fields.map((field) => {
    if (field.fieldKind === "scalar")
      return [field.localName, [field.number, kinds.get(field.scalar)]];
    assert.ok(field.fieldKind === "list" && field.listKind === "message", field.name);
    return [field.localName, [field.number, [tableOf(field.message)]]];
  });
  return Object.fromEntries(entries);
}

/** Any values of those fields; those of `skips` are left out now and then. */
function anyMessage(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  const values = Object.entries(fields).map(([name, [, kind]]) => [name, anyValue(kind)] as const);
  return fc.record(Object.fromEntries(values), { requiredKeys: [] });
}

function anyValue(kind: Fields[string][1]): fc.Arbitrary<unknown> {
  switch (kind) {
    case "string":
      return fc.string({ unit: "binary" }).map((text) => text.toWellFormed());
    case "uint64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "uint32":
      return fc.nat({ max: 2 ** 32 - 1 });
    case "bytes":
      return fc.uint8Array();
    case "bool":
      return fc.boolean();
    default:
      return fc.array(anyMessage(kind[0]));
  }
}

/** Without what only Protobuf-ES knows of a message. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !name.startsWith("$"));
  return Object.fromEntries(entries.map(([name, each]) => [name, plain(each)]));
}

const methods = Object.entries(ReplicaService.method);
const all = methods.map(([name, method]) => {
  const call = calls[name as keyof typeof calls];
  return { name, ...call, input: method.input, output: method.output };
});

describe("messages by a table of their fields", () => {
  it("the tables are those of the descriptors", () => {
    const made = methods.map(([name, { parent, name: method, input, output }]) => {
      const path = `/${parent.typeName}/${method}`;
      return [name, { path, request: tableOf(input), answer: tableOf(output) }];
    });
    assert.deepEqual(calls, Object.fromEntries(made));
  });

  for (const { name, request, answer, input, output } of all) {
    it(`a request of ${name} travels as Protobuf-ES would write it`, () => {
      fc.assert(
        fc.property(anyMessage(request), (message) => {
          const ours = encoded<Fields>(request, message as Message<Fields>);
          assert.deepEqual([...ours], [...toBinary(input, create(input, message))]);
        }),
      );
    });

    it(`an answer of ${name} is read as by Protobuf-ES`, () => {
      fc.assert(
        fc.property(anyMessage(answer), (message) => {
          const bytes = toBinary(output, create(output, message));
          assert.deepEqual(plain(decoded<Fields>(answer, bytes)), plain(fromBinary(output, bytes)));
        }),
      );
    });

    it(`a damaged answer of ${name} is unexpected, or read as by Protobuf-ES`, () => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 });
      fc.assert(
        fc.property(anyMessage(answer), damage, fc.uint8Array(), (message, changes, more) => {
          const whole = toBinary(output, create(output, message));
          const bytes = Buffer.concat([whole, more]);
          for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
          let ours: unknown;
          try {
            ours = decoded<Fields>(answer, bytes);
          } catch (error) {
            assert.ok(error instanceof Unexpected, String(error));
            return;
          }
          assert.deepEqual(plain(ours), plain(fromBinary(output, bytes)));
        }),
        { numRuns: 1000 },
      );
    });
  }

  const table = { name: [1, "string"], size: [2, "uint64"] } as const;
  const cases: readonly (readonly [what: string, bytes: readonly number[]])[] = [
    ["a number that ends early", [0x10, 0x80]],
    ["a number of eleven bytes", [0x10, ...Array.from({ length: 10 }, () => 0x80), 1]],
    ["a text that is longer than the message", [0x0a, 5, 0x61]],
    ["a text where a number is due", [0x12, 1, 0x61]],
    ["a number where a text is due", [0x08, 1]],
    ["a text that is no UTF-8", [0x0a, 1, 0xff]],
    ["a group that ends as another", [0x1b, 0x24]],
    ["a field of number 0", [0x00, 1]],
    ["a fixed number that ends early", [0x1d, 1, 2, 3]],
  ];
  for (const [what, bytes] of cases) {
    it(`${what} is unexpected`, () => {
      assert.throws(() => decoded(table, Uint8Array.from(bytes)), Unexpected);
    });
  }

  it("fields of other numbers are passed over, and of one that comes twice the last counts", () => {
    const others = [0x18, 7, 0x22, 1, 0x61, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x35, 1, 2, 3, 4];
    const bytes = [0x10, 3, ...others, 0x10, 4];
    assert.deepEqual(decoded(table, Uint8Array.from(bytes)), { name: "", size: 4n });
  });
});
