/**
 * Reads what stands on the command line: numbers with units, addresses, and what each flag means.
 */

import { InvalidArgumentError } from "commander";
import { type FaultName, faultNames, parseDigest, parseRule, type Rule } from "../index.js";

/** The levels of `--log-level`, the most talkative first. */
const logLevels = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof logLevels)[number];

/** A port, 1–65535. */
export function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= 65535) return number;
  const hint = /^\d+$/.test(text)
    ? ""
    : /^[\d,-]+$/.test(text)
      ? " (several are separated by spaces)"
      : " (what follows -p is read as ports: put other words before)";
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is no port; a port is a number from 1 to 65535${hint}.`,
  );
}

/** A host; an IPv6 address may stand in brackets, as in a URL. */
export function host(text: string): string {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (bare !== "" && !/[\s/[\]]/.test(bare) && !isHostAndPort(bare)) return bare;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no host; it is a name or an address.`);
}

/** A colon is of an IPv6 address, or of a port that belongs elsewhere. */
function isHostAndPort(text: string): boolean {
  return /^[^:]*:[^:]*$/.test(text);
}

/** Gathers the values of an option that takes several. */
export function several<Value>(parse: (text: string) => Value) {
  return (text: string, before: Value[] | undefined): Value[] => [...(before ?? []), parse(text)];
}

/** A path, which is never empty: an unset variable would name the folder that one stands in. */
export function path(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("it is empty.");
}

/** Gathers paths, of an option that `--no-…` turns off; the last word counts. */
export function paths(text: string, before: string[] | boolean | undefined): string[] {
  return [...(Array.isArray(before) ? before : []), path(text)];
}

/** A whole number from 1. */
export function count(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from 1.`);
}

/** A number of threads, 0 for none; how many are too many is said by who starts them. */
export function threads(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from 0.`);
}

/** Seconds, as in `-i 0.5`; gives milliseconds. */
export function seconds(text: string): number {
  const number = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && number > 0 && number <= 86_400) return number * 1000;
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is not a number of seconds above 0 and at most 86400.`,
  );
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `30s`, `500ms`, `2m`, `1h`, or a bare number of seconds; gives milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const unit = (match?.[2] ?? "s") as keyof typeof unitMs;
  const ms = Number(match?.[1]) * unitMs[unit];
  if (ms > 0 && ms <= 86_400_000) return ms;
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is no duration above 0 and at most 24h, such as 30s, 500ms or 2m.`,
  );
}

const ageUnitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `7d`, `12h`, `2w`; gives milliseconds. */
export function age(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  const ms = Number(match?.[1]) * ageUnitMs[match?.[2] as keyof typeof ageUnitMs];
  if (ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no age such as 7d, 12h or 30m.`);
}

const unitPowers = { "": 0, k: 1, m: 2, g: 3, t: 4 } as const;

/** `10MiB`, `500k`, `1.5GB`; a bare number is bytes. KB is 1000, KiB and K are 1024. */
export function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?b)?|b)?(?:\/s)?$/i.exec(text);
  const letter = (match?.[2] ?? "").toLowerCase() as keyof typeof unitPowers;
  const factor = match?.[3]?.toLowerCase() === "b" ? 1000 : 1024;
  const number = Math.floor(Number(match?.[1]) * factor ** unitPowers[letter]);
  if (match !== null && Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no number of bytes such as 10MiB.`);
}

/** Bytes a second; too little is as good as nothing, so below 1 KiB it is refused. */
export function rate(text: string): number {
  const perSecond = bytes(text);
  if (perSecond >= 1024) return perSecond;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is below 1 KiB a second.`);
}

/** `majority`, `all`, or a number. */
export function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (parsed !== undefined && parsed.kind !== "digest") return parsed;
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is no rule: it is majority, all, or how many must agree.`,
  );
}

/** `sha256:…`, or the bare digits as sha256sum prints them; gives the rule that pins it. */
export function pin(text: string): Rule {
  const digest = parseDigest(/^[0-9a-f]{64}$/i.test(text) ? `sha256:${text}` : text);
  if (digest !== undefined) return { kind: "digest", digest };
  const algorithm = /^([a-z0-9-]+):/i.exec(text)?.[1];
  const problem =
    algorithm !== undefined && algorithm.toLowerCase() !== "sha256"
      ? `the digest algorithm ${algorithm} is not known: it is sha256`
      : `${JSON.stringify(text)} is not sha256: and 64 hexadecimal digits`;
  throw new InvalidArgumentError(`${problem}.`);
}

/** How much a log tells. */
export function logLevel(text: string): LogLevel {
  const known = logLevels.find((level) => level === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is none of ${logLevels.join(", ")}.`);
}

/** `HOST:PORT`, or a bare port on this machine. */
export function endpoint(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  const named = colon === -1 ? "127.0.0.1" : text.slice(0, colon);
  const number = text.slice(colon + 1);
  if (/\D/.test(number)) throw new InvalidArgumentError(`${JSON.stringify(text)} is no HOST:PORT.`);
  return { host: host(named), port: port(number) };
}

/** `PORT:KIND`, how to break which virtual server. */
export function fault(text: string): readonly [port: number, fault: FaultName] {
  const [number = "", kind = "", ...rest] = text.split(":");
  const known = faultNames.find((name) => name === kind);
  if (known !== undefined && rest.length === 0) return [port(number), known];
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is not PORT:KIND, with ${faultNames.join(", ")} for KIND.`,
  );
}
