/** One stream of a connection: what arrives on it waits for its reader. */

export interface ExpressStream<Item> {
  /** Whether nothing more will come, or its reader has left. */
  readonly isOver: boolean;
  /** Whether all that was asked for has arrived, though the end of the stream may not have. */
  readonly isWhole: boolean;
  /** A frame of `bytes` bytes begins. */
  begin(bytes: number): void;
  /** Takes bytes `[from, to)`. */
  data(bytes: Buffer, from: number, to: number): void;
  /** Takes a block of headers. */
  headers(block: Buffer, areLast: boolean): void;
  /** Bytes to grant the server now, for a window of `windowBytes`: 0 until it is worth a frame. */
  grant(windowBytes: number): number;
  /** Nothing more will come. */
  end(): void;
  /** Wakes the reader if it waits and there is something to take. */
  ring(): void;
  /** What arrives, in order, until nothing more comes or the signal is aborted. */
  items(signal: AbortSignal, onTaken: () => void): AsyncGenerator<Item>;
}
