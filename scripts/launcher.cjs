#!/usr/bin/env node
/**
 * Starts the program with what V8 made of it when it was built (`code-cache.mjs`). Without that, as
 * under another Node, the program is compiled.
 */

const { readFileSync } = require("node:fs");
const { wrap } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");
const { unseal } = require("./sealed-code.cjs");

const filename = join(__dirname, "program.js");

function compiledProgram() {
  try {
    const source = readFileSync(filename);
    const cachedData = unseal({ source, kept: readFileSync(join(__dirname, "program.cache")) });
    // The bundle is ASCII. On its first line, which `wrap` moves, nothing can throw.
    return cachedData && new Script(wrap(source.latin1Slice()), { filename, cachedData });
  } catch {
    // There is none, or it cannot be read.
    return undefined;
  }
}

const program = compiledProgram();
if (program === undefined) require("./program.js");
else program.runInThisContext()(exports, require, module, filename, __dirname);
