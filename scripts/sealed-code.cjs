/**
 * Ties code that V8 made to the program and to the Node that it was made of and by, so that no other
 * is ever given to V8, which looks at its version, its flags and two lengths only: one flipped bit,
 * and the process ends.
 */

const { statSync } = require("node:fs");
const { arch, config, execPath, platform, versions } = require("node:process");
const { crc32 } = require("node:zlib");

const seals = 3;

/** What to keep of `code`, made from `source`. */
function seal({ source, code }) {
  return Buffer.concat([code, sealsOf({ source, code })]);
}

/** The code in `kept`, or nothing when it is of something else, or not whole. */
function unseal({ source, kept }) {
  const code = kept.subarray(0, -4 * seals);
  return sealsOf({ source, code }).equals(kept.subarray(code.length)) ? code : undefined;
}

function sealsOf({ source, code }) {
  // Two builds of one version lay out V8's own objects differently, and code points to them.
  const node = JSON.stringify([platform, arch, versions, config, statSync(execPath).size]);
  const sums = Buffer.alloc(4 * seals);
  for (const [index, part] of [node, source, code].entries()) {
    sums.writeUInt32LE(crc32(part), 4 * index);
  }
  return sums;
}

module.exports = { seal, unseal };
