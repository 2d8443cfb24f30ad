/** Bugs in what proves pieces by the digests of prefixes. */

import type { PlantedBug } from "./planted-bugs.js";

export const prefixBugs: readonly PlantedBug[] = [
  {
    name: "prefixes need no agreed root",
    file: "src/download/piece-list.ts",
    find: "rootOf(prefixes) === prefixRoot && ",
    replace: "",
    worlds: [],
    testFile: "test/download/piece-list-prefixes.test.ts",
  },
  {
    name: "the word of few makes a prefix root",
    file: "src/trust/quorum.ts",
    find: "most !== undefined && enough(most[1]) && ",
    replace: "most !== undefined && ",
    worlds: [],
    testFile: "test/trust/quorum-prefixes.test.ts",
  },
  {
    name: "a prefix ends where its piece begins",
    file: "src/trust/manifest-builder.ts",
    find: "this.#prefixes.set(this.#whole.soFar(), at);",
    replace: "this.#prefixes.set(this.#whole.soFar(), Math.max(0, at - digestBytes));",
    worlds: [],
    testFile: "test/trust/manifest-builder.test.ts",
  },
  {
    name: "what was left to the chain is settled before it is proven",
    file: "src/download/stretch.ts",
    find: "(await isProven);",
    replace: "isProven !== undefined;",
    worlds: [],
    testFile: "test/download/chained-lease.test.ts",
  },
  {
    name: "an unchecked piece may be written over what was reached",
    file: "src/download/chain.ts",
    find: "if (lease.isHedge || pieces.start < this.#reachedPieces) return false;",
    replace: "",
    worlds: [],
    testFile: "test/download/chain.test.ts",
  },
  {
    name: "a prefix is right whatever it is",
    file: "src/threads/prefix-worker.ts",
    find: "if (Buffer.compare(due, this.#digest.soFar()) !== 0) return false;",
    replace: "",
    worlds: [],
    testFile: "test/threads/prefix-digest.test.ts",
  },
];
