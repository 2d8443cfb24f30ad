/**
 * Makes a stranger's text fit to be shown: a terminal obeys control characters, a reader
 * bidirectional ones.
 */

const longestShown = 200;

/** The text with everything invisible or steering replaced by `?`, cut to so many characters. */
export function cleanText(text: string, most = longestShown): string {
  const safe = text.toWellFormed().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return safe.length > most ? `${safe.slice(0, most)}…`.toWellFormed() : safe;
}
