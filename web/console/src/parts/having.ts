// What is looked for in a list that was read.
import type { Column } from "./table";

/** Rows in whose words all that is typed stands, whatever the column. */
export function having<Row>(rows: Row[], columns: Column<Row>[], typed: string): Row[] {
  const wanted = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  const said = columns.flatMap((column) => (column.text ? [column.text] : []));
  return rows.filter((row) => {
    const words = said.map((text) => String(text(row) ?? "")).join(" ").toLowerCase();
    return wanted.every((one) => words.includes(one));
  });
}
