/**
 * Reads fields of a JSON document by a stranger: each is asked for by its type and bounds, and what
 * is not as asked ends the reading with its path and one clear sentence.
 */

import { UsageError } from "../errors.js";
import { type Digest, parseDigest } from "../trust/digest.js";
import { cleanText } from "../trust/text.js";

/** An object in the document, and the way to it. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;

  /** `path`: what messages put before a field's name, such as `receipt r.json: votes[2].`. */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new UsageError(`${path.replace(/[.: ]+$/, "")}: it is no JSON object`);
    }
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** A text, cleaned. */
  text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? cleanText(value) : this.fail(name, "no text");
  }

  /** A text that is kept as it is, because `problemOf` finds nothing wrong with it. */
  checkedText(name: string, problemOf: (text: string) => string | undefined): string {
    const value = this.#value(name);
    if (typeof value !== "string") return this.fail(name, "no text");
    const problem = problemOf(value);
    if (problem !== undefined) throw new UsageError(`${this.#path}${name}: it ${problem}`);
    return value;
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#value(name);
    return words.find((word) => word === value) ?? this.fail(name, `none of ${words.join(", ")}`);
  }

  /** A whole number from 0 to `most`. */
  whole(name: string, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value(name);
    const isWhole = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    return isWhole && value <= most ? value : this.fail(name, `no whole number up to ${most}`);
  }

  /** A finite number that is not negative. */
  number(name: string): number {
    const value = this.#value(name);
    return typeof value === "number" && Number.isFinite(value) && value >= 0
      ? value
      : this.fail(name, "no number that is not negative");
  }

  digest(name: string): Digest {
    const value = this.#value(name);
    const digest = typeof value === "string" ? parseDigest(value) : undefined;
    return digest ?? this.fail(name, "not sha256: and 64 hexadecimal digits");
  }

  /** A moment, as ISO 8601 in UTC; gives milliseconds since 1970. */
  time(name: string): number {
    const value = this.#value(name);
    const isTime =
      typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
    const ms = isTime ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? this.fail(name, "no time such as 2026-01-31T12:00:00.000Z") : ms;
  }

  object(name: string): Fields {
    return new Fields(this.#value(name), `${this.#path}${name}.`);
  }

  /** A list of 1 to `most` objects. */
  objects(name: string, most: number): Fields[] {
    const value = this.#value(name);
    if (!Array.isArray(value) || value.length === 0 || value.length > most) {
      return this.fail(name, `no list of 1 to ${most}`);
    }
    return value.map((one, index) => new Fields(one, `${this.#path}${name}[${index}].`));
  }

  fail(name: string, what: string): never {
    throw new UsageError(`${this.#path}${name}: it is ${what}`);
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }
}
