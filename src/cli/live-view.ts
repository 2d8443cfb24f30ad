/** Draws a block of lines over the last one, on a terminal whose width may change meanwhile. */

import { columnsOf } from "./format.js";

/** A block at the end of what a terminal shows. */
export interface LiveView {
  /** Draws these lines, none wider than `columns`, in place of the last ones. */
  draw(lines: readonly string[], columns: number): void;
  /** Takes them away. */
  clear(columns: number): void;
}

/** log-update is loaded only where it is seen: most runs start without it. */
export async function openLiveView(stderr: NodeJS.WriteStream): Promise<LiveView> {
  const { createLogUpdate } = await import("log-update");
  const live = createLogUpdate(stderr, { showCursor: true });
  let shown: readonly string[] = [];
  const forget = () => {
    shown = [];
    live.done();
  };
  /** In a window that became narrower, a line that was drawn takes several rows. */
  const unwrap = (columns: number) => {
    const rows = rowsOf(shown, columns);
    if (rows === shown.length) return;
    stderr.write(`\u001b[${rows}A\r\u001b[J`);
    forget();
  };
  // The shell has written below what was drawn: that stays, and the next drawing starts afresh.
  process.on("SIGCONT", forget);
  return {
    draw(lines, columns) {
      unwrap(columns);
      live(lines.join("\n"));
      shown = lines;
    },
    clear(columns) {
      unwrap(columns);
      live.clear();
      shown = [];
    },
  };
}

/** How many rows lines take on a terminal that wraps them. */
export function rowsOf(lines: readonly string[], columns: number): number {
  const rows = lines.map((line) => Math.max(1, Math.ceil(columnsOf(line) / columns)));
  return rows.reduce((sum, each) => sum + each, 0);
}
