/** What comes on one stream of a connection, and waits for somebody who takes it. */

export interface ExpressStream<Item> {
  /** Whether nothing more will come, or is wanted. */
  readonly isOver: boolean;
  /** Whether everything is there, though its end may not be. */
  readonly isWhole: boolean;
  /** So many bytes are about to arrive. */
  begin(bytes: number): void;
  /** Takes bytes `[from, to)`. */
  data(bytes: Buffer, from: number, to: number): void;
  /** Takes a block of headers. */
  headers(block: Buffer, areLast: boolean): void;
  /** What the server is to be granted now, of a window of so many bytes: 0 until it is worth it. */
  grant(windowBytes: number): number;
  /** Nothing more will come. */
  end(): void;
  /** Wakes who waits, if there is something to hand over now. */
  ring(): void;
  /** What came, in order, until nothing more comes, or the signal says so. */
  items(signal: AbortSignal, onTaken: () => void): AsyncGenerator<Item>;
}
