// Who is named in a text or a file: the first word of each line, as spreadsheets and people write them.

/** At most so many in one request. */
export const PIECE = 20_000;

export function namedIn(text: string): string[] {
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => (line.split(/[,;\t]/)[0] ?? "").trim().replace(/^"(.*)"$/, "$1").trim())
    .filter((value) => value !== "");
}

export function inPieces<T>(all: readonly T[], size = PIECE): T[][] {
  const pieces: T[][] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
  return pieces;
}
