/** The completion script, in a real bash. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Workspace } from "../support/workspace.js";

const execute = promisify(execFile);

describe("completion", () => {
  const here = Workspace.forSuite();

  const cases: readonly (readonly [words: string, index: number, offered: string])[] = [
    ["quorate s", 1, "serve\nsurvey"],
    ["quorate get --qu", 2, "--quorum"],
    ["quorate serve --f", 2, "--file\n--fault"],
    ["quorate get data", 2, ""],
  ];
  it("offers commands and flags in bash", async () => {
    const { stdout: script } = await here.run(["completion", "bash"]);
    for (const [words, index, offered] of cases) {
      const typed = `COMP_WORDS=(${words}); COMP_CWORD=${index}; _quorate`;
      const shown = `${script}\n${typed}; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await execute("bash", ["-c", shown]);
      assert.equal(stdout.trim(), offered, words);
    }
  });

  it("refuses a shell that it does not know", async () => {
    const ended = await here.run(["completion", "tcsh"]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /"tcsh" is no shell that it knows: bash, zsh, fish/);
  });
});
