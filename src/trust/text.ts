/**
 * Makes a stranger's text fit to be shown: a terminal obeys control characters, a reader
 * bidirectional ones.
 */

const longestShown = 200;

/** The text with everything invisible or steering replaced by `?`, cut to 200 characters. */
export function cleanText(text: string): string {
  const safe = text.toWellFormed().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return safe.length > longestShown ? `${safe.slice(0, longestShown)}…`.toWellFormed() : safe;
}
