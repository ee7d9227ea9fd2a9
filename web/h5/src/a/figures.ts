// Sums over a report's rows: cells are whole numbers or texts.
export type Rows = readonly Record<string, unknown>[];
export const number = (cell: unknown): number => (typeof cell === "number" ? cell : typeof cell === "string" && /^-?\d+$/.test(cell) ? Number(cell) : 0);
export const sum = (rows: Rows, column: string): number => rows.reduce((all, row) => all + number(row[column]), 0);
/** Rows that hold somebody, with the share of all that each has. */
export function shares(rows: Rows, by: string): { of: string; members: number; share: number }[] {
  const all = sum(rows, "members");
  return rows.flatMap((row) => {
    const members = number(row.members);
    return members > 0 ? [{ of: String(row[by] ?? ""), members, share: all > 0 ? members / all : 0 }] : [];
  });
}
