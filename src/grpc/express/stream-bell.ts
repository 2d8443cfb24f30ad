/** Wakes the one reader of a stream that waits for what comes next. */

export class StreamBell {
  #wake: (() => void) | undefined;

  /** Whether the reader waits. */
  get isAwaited(): boolean {
    return this.#wake !== undefined;
  }

  /** Wakes the reader if it waits; it is not remembered if it does not. */
  ring(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when it is rung next. */
  rung(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
