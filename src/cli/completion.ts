/** `quorate completion`: a script that lets a shell complete commands and flags, made from the flags themselves. */

import { UsageError } from "../index.js";
import { print } from "./terminal.js";

/** What a shell can complete of one command. */
export interface Completable {
  readonly name: string;
  readonly summary: string;
  /** Long and short flags, with dashes. */
  readonly flags: readonly string[];
}

/** The shells that there are scripts for. */
export const shells = ["bash", "zsh", "fish"] as const;

/** Prints the script for a shell; it is to be sourced. */
export function runCompletion(shell: string, commands: readonly Completable[]): void {
  switch (shells.find((known) => known === shell)) {
    case "bash":
      print(bashScript(commands));
      return;
    case "zsh":
      // zsh runs bash's completions once it is told to.
      print(`autoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`);
      return;
    case "fish":
      print(fishScript(commands));
      return;
    default:
      throw new UsageError(
        `completion: ${JSON.stringify(shell)} is no shell that it knows: ${shells.join(", ")}`,
      );
  }
}

/** Words after a flag that takes a file are files, as everywhere in bash. */
function bashScript(commands: readonly Completable[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map(({ name, flags }) => `    ${name}) words="${flags.join(" ")}" ;;`);
  return [
    "_quorate() {",
    '  local word="$' + '{COMP_WORDS[COMP_CWORD]}" words=""',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${names}"; fi`,
    '  if [ "$COMP_CWORD" -gt 1 ]; then case "$' + '{COMP_WORDS[1]}" in',
    ...cases,
    "  esac; fi",
    '  case "$word" in -*) ;; *) [ "$COMP_CWORD" -gt 1 ] && words="" ;; esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _quorate quorate",
  ].join("\n");
}

function fishScript(commands: readonly Completable[]): string {
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c quorate -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "")}'`,
    ...flags
      .filter((flag) => flag.startsWith("--"))
      .map((flag) => {
        return `complete -c quorate -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`;
      }),
  ]);
  return lines.join("\n");
}
