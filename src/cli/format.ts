/** How numbers, times and tables are written for people. */

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1.5 MiB`; at most four digits. */
export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

export function rateText(bytesPerSecond: number): string {
  return `${bytesText(bytesPerSecond)}/s`;
}

/** `0.42 s`, `12.3 s`, `2 min 05 s`, `3 h 07 min`. */
export function durationText(seconds: number): string {
  // Bounds at which rounding would reach the next form: never `10.00 s`, never `60.0 s`.
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.max(60, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const pad = (value: number) => String(value).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `42 s`, `5 min`, `3 h`, `12 days`: how old something is, in its largest unit. */
export function ageText(seconds: number): string {
  const [minute, hour, day] = [60, 3600, 86_400];
  if (seconds < 2 * minute) return `${Math.floor(seconds)} s`;
  if (seconds < 2 * hour) return `${Math.floor(seconds / minute)} min`;
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)} h`;
  return `${Math.floor(seconds / day)} days`;
}

/** `43.2 %`; 100 % only when it is all. */
export function percentText(part: number, whole: number): string {
  if (whole === 0 || part >= whole) return "100 %";
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

/** `1 replica`, `3 replicas`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A bar of so many columns. */
export function barText(part: number, whole: number, columns: number): string {
  const filled = whole === 0 ? columns : Math.floor((part / whole) * columns);
  return "█".repeat(filled) + "░".repeat(Math.max(0, columns - filled));
}

/**
 * Columns as wide as their widest cell, two spaces between; `right` names those aligned to the
 * right.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => {
    const cells = head.map((title, column) => {
      const cell = row[column] ?? "";
      const width = widths[column] ?? 0;
      return right.includes(title) ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join("  ").trimEnd();
  });
}

/** Cuts a line to a terminal's width, so that a live view never wraps. */
export function fitted(line: string, columns: number): string {
  if (columns < 1) return "";
  if (columnsOf(line) <= columns) return line;
  let [kept, left] = ["", columns - 1];
  for (const character of line) {
    left -= columnsOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** How many columns of a terminal a text takes: CJK and emoji are two wide, marks have none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text)
    columns += isWide.test(character) ? 2 : isMark.test(character) ? 0 : 1;
  return columns;
}

// What Unicode's East Asian Width calls wide, in blocks: a live view can bear to be off by a few.
const isWide = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60" +
    "\\uffe0-\\uffe6\\u{20000}-\\u{3fffd}]|\\p{Emoji_Presentation}",
  "u",
);
const isMark = /\p{M}|\p{Cf}/u;
