// Codes of a partner as a text or a file says them: one a line, or a column `code` of a CSV with a head. What is none is named by its line.

/** At most so many in one part of an upload, and so many parts. */
export const PART = 4_096;
export const PARTS_MAX = 490;
const BYTES_MAX = 255;

export type CodeIn = { code: string; line: number };
/** Why a line is not taken: nothing in it, too long, signs that nobody sees, or it stood above. */
export type NoCode = { line: number; text: string; why: "empty" | "text_too_long" | "bad_text" | "twice" | "known"; /** Where it came before. */ before: string };

/** The cells of a line of CSV: commas, semicolons or tabs, with quotes where one says such a sign. */
function cells(line: string): string[] {
  const found: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] as string;
    if (quoted && sign === '"' && line[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"') quoted = !quoted;
    else if (!quoted && /[,;\t]/.test(sign)) {
      found.push(cell);
      cell = "";
    } else cell += sign;
  }
  return [...found, cell];
}

const bytes = new TextEncoder();
const hidden = /[\u0000-\u001f\u007f-\u009f]/;

/** The codes in their order, those that stood above too: which of them is a double the home says as well, and counts. */
export function codesIn(text: string): { codes: CodeIn[]; none: NoCode[] } {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  const head = cells(lines[0] ?? "").map((cell) => cell.trim().toLowerCase());
  const column = head.indexOf("code");
  const codes: CodeIn[] = [];
  const none: NoCode[] = [];
  const first = new Map<string, number>();
  for (const [at, raw] of lines.entries()) {
    if (column >= 0 && at === 0) continue;
    const line = at + 1;
    const code = (column >= 0 ? (cells(raw)[column] ?? "") : raw).trim();
    const why = code === "" ? "empty" : bytes.encode(code).length > BYTES_MAX ? "text_too_long" : hidden.test(code) ? "bad_text" : undefined;
    if (why) {
      none.push({ line, text: code.slice(0, 40), why, before: "" });
      continue;
    }
    const above = first.get(code);
    if (above === undefined) first.set(code, line);
    else none.push({ line, text: code, why: "twice", before: String(above) });
    codes.push({ code, line });
  }
  return { codes, none };
}

/** What the home named of a part, beside what was seen here: by the line in the file. */
export function withNamed(none: NoCode[], part: readonly CodeIn[], doubles: readonly { line: number; upload: string }[], batch: string): NoCode[] {
  const seen = new Set(none.map((one) => one.line));
  const more = doubles.flatMap(({ line, upload }): NoCode[] => {
    const of = part[line - 1];
    if (!of || seen.has(of.line)) return [];
    return [{ line: of.line, text: of.code, why: upload === batch ? "twice" : "known", before: upload === batch ? "" : upload }];
  });
  return [...none, ...more].sort((a, b) => a.line - b.line);
}
