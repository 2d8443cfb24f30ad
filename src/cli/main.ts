/**
 * The command line: which commands there are, what their flags mean, and what an error exits with.
 */

import { Command, CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { exitCodes, QuorateError, version } from "../index.js";
import * as flag from "./flags.js";
import { cleanCommand, digestCommand, verifyCommand } from "./local-commands.js";
import { addReplicaFlags, addRuleFlags, examples, json } from "./shared-flags.js";
import { complain, printJson, surviveClosedPipes } from "./terminal.js";

function serveCommand() {
  return new Command("serve")
    .summary("serve a file or a folder from virtual servers")
    .description("Serves a file, or a folder, from one gRPC server on each port.")
    .argument("[folder]", "the folder to serve; the current one by default")
    .option("-f, --file <file>", "serve this one file instead of a folder")
    .option("-n, --number <count>", "how many ports there must be", flag.count)
    .option("-p, --port <port...>", "one virtual server on each", flag.several(String))
    .option(
      "-i, --interval <seconds>",
      "between two reports (default: 1 on a terminal, else 5)",
      flag.seconds,
    )
    .option("--host <address>", "the address to listen on", flag.host, "127.0.0.1")
    .option("--limit-rate <rate>", "at most so much a second from each virtual server", flag.rate)
    .option("--limit-rate-client <rate>", "at most so much a second to each address", flag.rate)
    .option("--max-reads <count>", "reads at once, in all (default: 256)", flag.count)
    .option(
      "--max-client-reads <count>",
      "reads at once by one address (default: 64, or 2 a port)",
      flag.count,
    )
    .option("--max-connections <count>", "to each virtual server (default: 256)", flag.count)
    .option("--tls-cert <file>", "listen with TLS; read again when it changes")
    .option("--tls-key <file>", "the certificate's key")
    .option("--client-ca <file>", "clients need a certificate that this authority signed")
    .option("--token-file <file>", "clients need a bearer token, one of these lines")
    .option("--insecure", "listen beyond this machine without TLS or knowing who comes")
    .option("--reflection", "let clients ask for the schema (default: on this machine only)")
    .option("--no-reflection", "never let them")
    .option("--log-level <level>", "a log on stderr: debug, info, warn, error", flag.logLevel)
    .option("--metrics <host:port>", "where Prometheus may ask", flag.endpoint)
    .option(
      "--fault <port:kind...>",
      "break a server: lie, corrupt, stall, slow, die, short",
      flag.several(flag.fault),
    )
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "quorate serve -f data.mp4 -n 4 -i 1 -p 10001 10002 10003 10004",
        "quorate serve ~/public -p 30001",
        "quorate serve -f data.mp4 -p 10001 10002 10003 --fault 10002:lie --limit-rate 10MiB",
      ),
    )
    .action(async (folder, flags) => (await import("./serve.js")).runServe(folder, flags));
}

function getCommand() {
  return addRuleFlags(addReplicaFlags(new Command("get")))
    .summary("get a file from the replicas that agree on it")
    .description(
      "Gets a file from all replicas that agree on what it is, and checks every byte of it.",
    )
    .argument("[name]", "the file; `-` reads its name from stdin (default: the only one there is)")
    .option("-o, --output <path>", "a folder, the file itself, or - for stdout", flag.path, ".")
    .option(
      "-i, --interval <seconds>",
      "between two lines of progress, where there is no live view (default: 1)",
      flag.seconds,
    )
    .option("-r, --resume", "take up what an earlier run left (this is the default)")
    .option("--no-resume", "start afresh, and set what an earlier run left aside")
    .option("--force", "replace an existing file")
    .option(
      "--seed <file>",
      "take what is equal from an old copy; repeatable (default: with --force, the file replaced)",
      flag.paths,
    )
    .option("--no-seed", "take nothing from an old copy")
    .option("--chunks <count>", "into how many regions the file is divided at first", flag.count)
    .option("--limit-rate <rate>", "at most so much a second", flag.rate)
    .option("--max-size <size>", "refuse a file that is larger, before any of it", flag.bytes)
    .option("--receipt <file>", "keep the receipt in this file, as JSON")
    .option(
      "--hash-threads <count>",
      "hash the pieces of a large file in so many threads (default: by cores, none on two)",
      flag.threads,
    )
    .option(
      "--timeout <duration>",
      "give up after so long without a byte from anybody (default: 60s)",
      flag.duration,
    )
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "quorate get -o . -a 127.0.0.1 -i 1 -r -p 10001 10002 10003 10004",
        "quorate get data.mp4 --servers server-info.txt --chunks 4 --quorum 1",
        "quorate get data.mp4 -p 10001 10002 --digest sha256:9f2c…",
        "quorate get data.iso -p 10001 10002 10003 --seed yesterday/data.iso",
        "quorate get site.tar -o - -p 10001 10002 10003 | tar x",
      ),
    )
    .action(async (name, flags, command) => {
      const asksResume = command.getOptionValueSource("resume") === "cli" && flags.resume === true;
      await (await import("./get.js")).runGet(name, flags, asksResume);
    });
}

function surveyCommand() {
  return addRuleFlags(addReplicaFlags(new Command("survey")))
    .summary("show who claims what")
    .description(
      "Asks every replica what a file is. Exits with 0 when there is a quorum, with 3 when not.",
    )
    .argument("[name]", "the file (default: the only one there is)")
    .option(...json)
    .addHelpText("after", examples("quorate survey data.mp4 -p 10001 10002 10003"))
    .action(async (name, flags) => (await import("./survey.js")).runSurvey(name, flags));
}

function listCommand() {
  return addReplicaFlags(new Command("list"))
    .summary("list the files that replicas serve")
    .description("Lists the files that the replicas serve, and how many of them serve each.")
    .option(...json)
    .addHelpText(
      "after",
      examples("quorate list -p 10001 10002", "quorate list --servers server-info.txt"),
    )
    .action(async (flags) => (await import("./list.js")).runList(flags));
}

function demoCommand() {
  return new Command("demo")
    .summary("watch a download survive four broken servers")
    .description(
      "In a scratch folder: five virtual servers, four of them broken, and one real download.",
    )
    .option(...json)
    .addHelpText("after", examples("quorate demo"))
    .action(async (flags) => (await import("./demo.js")).runDemo(flags));
}

function completionCommand(commands: () => readonly CommandUnknownOpts[]) {
  return new Command("completion")
    .summary("print a completion script for a shell")
    .description("Prints a script that lets bash, zsh or fish complete commands and flags.")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", examples("source <(quorate completion bash)"))
    .action(async (shell) => {
      const completable = commands().map((command) => ({
        name: command.name(),
        summary: command.summary(),
        flags: command.options.flatMap(({ long, short }) => [long, short]).filter(isText),
      }));
      (await import("./completion.js")).runCompletion(shell, completable);
    });
}

/** Commander's own takes an unknown command for no command. */
function helpCommand(commands: () => CommandUnknownOpts) {
  return new Command("help")
    .summary("show what a command does, and its flags")
    .description("Shows what a command does, and its flags; without one, which commands there are.")
    .argument("[command]", "which one")
    .action(async (name) => {
      const all = commands();
      const found = all.commands.find((command) => command.name() === name);
      if (name !== undefined && found === undefined) await all.parseAsync([name], { from: "user" });
      (found ?? all).help();
    });
}

function isText(value: string | undefined | null): value is string {
  return typeof value === "string";
}

function program(): Command {
  const commands = new Command("quorate")
    .description("Get a file from many servers at once, without trusting any one of them.")
    .version(version)
    .showSuggestionAfterError()
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(errorText(text)),
    });
  const all = [
    serveCommand(),
    getCommand(),
    surveyCommand(),
    listCommand(),
    digestCommand(),
    verifyCommand(),
    cleanCommand(),
    demoCommand(),
    completionCommand(() => commands.commands),
    helpCommand(() => commands),
  ];
  for (const command of all) commands.addCommand(command.copyInheritedSettings(commands));
  return commands;
}

/** What commander complains of, in our words. A name that begins with a dash is a name, too. */
function errorText(text: string): string {
  const ours = text.replace(/^error: (.)/, (_, first) => `quorate: ${first}`);
  const isName = /unknown option '-[^-].+'/.test(text);
  return isName ? `${ours}(a name that begins with a dash comes after all flags and a --)\n` : ours;
}

/** Programs that read events read failures there, too. */
function tellJson(code: string, message: string): void {
  if (process.argv.includes("--json")) printJson({ event: "error", code, message });
}

/** What the process exits with; a user's mistake is one line, a bug of ours shows its stack. */
function exitCodeOf(error: unknown): number {
  // Commander has said it already; --help and --version arrive here too, as successes.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    tellJson("usage", error.message.replace(/^error: /, ""));
    return exitCodes.usage;
  }
  if (error instanceof QuorateError) {
    complain(error.message);
    tellJson(error.code, error.message);
    return error.exitCode;
  }
  const stack = error instanceof Error ? error.stack : String(error);
  complain(`quorate ${version}: a bug, please report it:\n${stack}`);
  return exitCodes.bug;
}

/** Ends the process, once nothing keeps it alive, with what came of the command. */
function endWithCode(running: Promise<unknown>): void {
  let hasEnded = false;
  running
    .catch((error: unknown) => {
      process.exitCode = exitCodeOf(error);
    })
    .finally(() => {
      hasEnded = true;
    });
  process.once("beforeExit", () => {
    if (hasEnded) return;
    process.exitCode = exitCodeOf(new Error("the command waits for what will never come"));
  });
}

// What a library will not do any more some day is no business of whoever gets a file.
process.noDeprecation = true;
surviveClosedPipes();
endWithCode(program().parseAsync());
