/**
 * Holds the house rules: who may import whom, how long things are, what is pure, which names are
 * banned.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { plantedBugs } from "./planted/planted-bugs.js";

const root = join(import.meta.dirname, "..");

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, lines: text.split("\n") };
    });
}

const sources = sourcesBelow("src");
const everything = [...sources, ...sourcesBelow("test")];

/**
 * The layers, outermost first. A file imports from its own layer's folder or from layers further
 * in.
 */
const layers: readonly (readonly string[])[] = [
  ["cli"],
  ["index", "command-line"],
  ["api"],
  ["system"],
  ["grpc", "files", "threads"],
  ["download", "serve"],
  ["server-ports"],
  ["ports"],
  ["hash-ports"],
  ["receipt"],
  ["schedule"],
  ["trust"],
  ["errors", "limits", "version"],
];

/** What each edge alone may touch. `gen` is our own generated code. */
const monopolies: readonly (readonly [module: RegExp, layer: readonly string[]])[] = [
  [/^(node:fs|node:fs\/promises)$/, ["files", "threads"]],
  [/^node:worker_threads$/, ["threads"]],
  [/^(nice-grpc(-common)?|@grpc\/grpc-js|@bufbuild\/protobuf.*)$/, ["grpc"]],
  [/^node:(net|http|http2|tls|dgram)$/, ["grpc"]],
  [/^node:child_process$/, ["files"]],
  [/^(commander|@commander-js\/.*|log-update|pino)$/, ["cli"]],
  [/^prom-client$/, ["grpc"]],
];

function layerOf(path: string): string {
  return (relative("src", path).split("/")[0] ?? "").replace(/\.ts$/, "");
}

function importsOf({ text }: Source): string[] {
  const statements = /(?:^|\n)(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"/g;
  const dynamic = /\bimport\("([^"]+)"\)/g;
  return [...text.matchAll(statements), ...text.matchAll(dynamic)].map((match) => match[1] ?? "");
}

describe("tidy", () => {
  it("every file of src/ lies in a layer", () => {
    const known = layers.flat();
    const lost = sources.filter(({ path }) => !known.includes(layerOf(path)));
    assert.deepEqual(
      lost.map(({ path }) => path),
      [],
    );
  });

  it("imports go one way, and neighbours never import each other", () => {
    const depth = (layer: string) => layers.findIndex((names) => names.includes(layer));
    const wrong: string[] = [];
    for (const source of sources) {
      const own = layerOf(source.path);
      for (const specifier of importsOf(source).filter((name) => name.startsWith("."))) {
        const target = normalize(join(dirname(source.path), specifier));
        if (target.startsWith("gen/")) {
          if (own !== "grpc") wrong.push(`${source.path} → ${target}`);
          continue;
        }
        const other = layerOf(target.replace(/\.js$/, ".ts"));
        const isAllowed = other === own || depth(other) > depth(own);
        const skipsIndex = own === "cli" && !["cli", "index", "command-line"].includes(other);
        if (!isAllowed || skipsIndex) wrong.push(`${source.path} → ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("the disk, the wire, threads and the terminal are each touched by one edge alone", () => {
    const wrong = sources.flatMap((source) =>
      importsOf(source)
        .filter((name) =>
          monopolies.some(
            ([module, owners]) => module.test(name) && !owners.includes(layerOf(source.path)),
          ),
        )
        .map((name) => `${source.path} → ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("trust/ and schedule/ are pure: no async, clock, chance, process or console", () => {
    const impure =
      /\b(async|await|Promise|setTimeout|setInterval|setImmediate|console|process|performance)\b|Math\.random|Date\.now|new Date\b/;
    const wrong = sources
      .filter(({ path }) => ["trust", "schedule"].includes(layerOf(path)))
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, index) => {
          const code = line.replace(/^\s*(\/?\*|\/\/).*/, "").replace(/\/\/.*/, "");
          return impure.test(code) ? [`${path}:${index + 1} ${line.trim()}`] : [];
        }),
      );
    assert.deepEqual(wrong, []);
  });

  it("use cases have their time and chance from the world that they are given", () => {
    const own = /\b(setTimeout|setInterval|setImmediate|performance)\b|Math\.random/;
    const wrong = sources
      .filter(({ path }) => ["download", "serve"].includes(layerOf(path)))
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, index) => (own.test(line) ? [`${path}:${index + 1}`] : [])),
      );
    assert.deepEqual(wrong, []);
  });

  it("use cases ask the scheduler, and never reach through it to its books", () => {
    const wrong = sources
      .filter(({ path }) => layerOf(path) !== "schedule")
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, index) => {
          return /\bscheduler\.(ledger|scoreboard)\b|(ledger|scoreboard)\b.* = \S*scheduler;/.test(
            line,
          )
            ? [`${path}:${index + 1}`]
            : [];
        }),
      );
    assert.deepEqual(wrong, []);
  });

  it("no deadline hangs on the wall clock, which jumps", () => {
    const dated = /Date\.now|new Date\b|\bDate\(/;
    // Files tell their times by it, and a receipt says when to people; neither waits for anything.
    const allowed = [
      "src/api/receipts.ts",
      "src/cli/verify-receipt.ts",
      "src/receipt/kept-receipt.ts",
      "src/files/leftovers.ts",
      "src/files/open-file.ts",
    ];
    const wrong = sources.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => {
        const isCode = !/^\s*(\/?\*|\/\/)/.test(line);
        return isCode && dated.test(line) && !allowed.includes(path)
          ? [`${path}:${index + 1}`]
          : [];
      }),
    );
    assert.deepEqual(wrong, []);
  });

  it("no file is longer than 300 lines, no line than 100 columns", () => {
    const wrong = everything.flatMap(({ path, lines }) => [
      ...(lines.length - 1 > 300 ? [`${path}: ${lines.length - 1} lines`] : []),
      ...lines.flatMap((line, index) =>
        [...line].length > 100 && !/https?:\/\/|`|^\} from|^import|^ +\/.*\/;$|^ +it\("/.test(line)
          ? [`${path}:${index + 1}`]
          : [],
      ),
    ]);
    assert.deepEqual(wrong, []);
  });

  it("no function is longer than 60 lines", () => {
    const wrong = sources.flatMap(({ path, lines }) =>
      functionLengths(lines)
        .filter(({ length }) => length > 60)
        .map(({ line, length }) => `${path}:${line} has ${length} lines`),
    );
    assert.deepEqual(wrong, []);
  });

  it("no name says nothing: manager, helper, util, common, misc, processor, data, info, do, handle, impl, base", () => {
    const banned = "manager|helpers?|utils?|common|misc|processor|data|info|do|handle|impl|base";
    const declared = new RegExp(
      `^(?:export )?(?:abstract )?(?:class|interface|type|function|enum)\\s+(?:\\w*(?:Manager|Helpers?|Utils?|Processor|Impl|Info)|(?:${banned}))\\b`,
    );
    const named = new RegExp(`(?:^|[-/])(?:${banned})\\.ts$`);
    const wrong = everything.flatMap(({ path, lines }) => [
      ...(named.test(path) ? [path] : []),
      ...lines.flatMap((line, index) => (declared.test(line) ? [`${path}:${index + 1}`] : [])),
    ]);
    assert.deepEqual(wrong, []);
  });

  it("no default exports, no non-null assertions, no any, nothing left for later", () => {
    const sloppy =
      /\bexport default\b|[\w)\]]!(?:\.|;|,|\))|\bas any\b|: any\b|@ts-(?:ignore|expect-error|nocheck)|\b(?:TODO|FIXME)\b/;
    const wrong = sources.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (sloppy.test(line) ? [`${path}:${index + 1}`] : [])),
    );
    assert.deepEqual(wrong, []);
  });

  it("every bug that is planted elsewhere still has its place, once", () => {
    const lost = plantedBugs.filter(({ file, find }) => {
      return readFileSync(join(root, file), "utf8").split(find).length !== 2;
    });
    assert.deepEqual(
      lost.map(({ name, file }) => `${name}: ${file}`),
      [],
    );
  });

  it("every file of src/ begins with a sentence that says what it decides", () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*\s/.test(text));
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    );
  });
});

/** Functions found by their indentation, which the formatter guarantees. */
function functionLengths(lines: readonly string[]): { line: number; length: number }[] {
  const starts =
    /^(\s*)(?:export )?(?:(?:async )?function\*? \w+|(?:async )?\*?#?\w+\(.*\).*\{$|(?:get|static|constructor)\b.*\{$|const \w+ = (?:async )?\(.*=> \{$)/;
  return lines.flatMap((text, index) => {
    const match = starts.exec(text);
    if (match === null || /^\s*(?:if|for|while|switch|return)\b/.test(text)) return [];
    const close = `${match[1] ?? ""}}`;
    const end = lines.findIndex(
      (line, later) =>
        later > index &&
        line.startsWith(close) &&
        !/^\s*\} (?:else|catch|finally)/.test(line) &&
        !/^\s*\}: /.test(line) &&
        !/^\s*\}\)?: /.test(line),
    );
    return end === -1 ? [] : [{ line: index + 1, length: end - index + 1 }];
  });
}
