/**
 * Header lines in HPACK (RFC 7541). Ours are written in full, so that no table is needed; of the
 * server's, only as much is read as tells whether the call went well.
 */

/** The block of these headers, marked as never to be indexed: there may be a token in it. */
export function headerBlock(headers: readonly (readonly [name: string, value: string])[]): Buffer {
  const neverIndexed = Buffer.from([0x10]);
  return Buffer.concat(
    headers.flatMap(([name, value]) => [neverIndexed, literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** The last headers of an answer, as they came. */
export interface LastHeaders {
  readonly block: Uint8Array;
  /** Whether they are its only ones, and not behind others and data. */
  readonly areOnly: boolean;
}

/** `grpc-status` and `0` as literals in hexadecimal: plain, and in Huffman's code. */
const statusNames = ["0b677270632d737461747573", "889acac8b21234da8f"];
const zeros = ["0130", "8107"];
/** The size of the static table; lines behind it would be in the dynamic one, and we have none. */
const staticLines = 61;

/** Whether these say that the call went well; `false` when in doubt. */
export function saysOk(block: Uint8Array): boolean {
  const lines = new LineReader(block);
  let isOk = false;
  while (!lines.isOver) {
    const line = lines.next();
    if (line === undefined) return false;
    if (!statusNames.includes(line.name)) continue;
    if (!zeros.includes(line.value)) return false;
    isOk = true;
  }
  return isOk;
}

/** Takes a block apart into lines, as hexadecimal digits where they are written in full. */
class LineReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = Buffer.from(block);
  }

  get isOver(): boolean {
    return this.#at >= this.#block.length;
  }

  /** `undefined` for what cannot be read. */
  next(): { readonly name: string; readonly value: string } | undefined {
    const first = this.#block[this.#at] ?? 0;
    const isKnown = (first & 0x80) !== 0;
    const isTableSize = (first & 0xe0) === 0x20;
    const bits = isKnown ? 7 : isTableSize ? 5 : (first & 0x40) !== 0 ? 6 : 4;
    const index = this.#number(bits);
    if (index === undefined) return undefined;
    if (isTableSize) return { name: "", value: "" };
    if (index > staticLines || (isKnown && index === 0)) return undefined;
    if (isKnown) return { name: "", value: "" };
    const name = index === 0 ? this.#text() : "";
    const value = this.#text();
    return name === undefined || value === undefined ? undefined : { name, value };
  }

  #text(): string | undefined {
    const start = this.#at;
    const length = this.#number(7);
    if (length === undefined || length > this.#block.length - this.#at) return undefined;
    this.#at += length;
    return this.#block.toString("hex", start, this.#at);
  }

  /** A number in the last bits of a byte, and in those behind it when it does not fit. */
  #number(bits: number): number | undefined {
    const most = 2 ** bits - 1;
    let number = (this.#block[this.#at++] ?? 0) & most;
    if (number < most) return number;
    for (let scale = 1; scale < 2 ** 21; scale *= 128) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) return undefined;
      number += (byte & 127) * scale;
      if (byte < 128) return number;
    }
    return undefined;
  }
}
