// A list as a file that a spreadsheet opens: UTF-8 with its mark, and nothing in it that a spreadsheet would reckon with.
export type Cell = string | number | boolean | null | undefined;

const written = (cell: Cell): string => {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  // What begins like a formula is kept from being one.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvOf = (head: string[], rows: Cell[][]): string => `\ufeff${[head, ...rows].map((row) => row.map(written).join(",")).join("\r\n")}\r\n`;

export function keep(name: string, data: Blob) {
  const address = URL.createObjectURL(data);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // A browser may still read it when the click returns.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const keepCsv = (name: string, head: string[], rows: Cell[][]) => keep(`${name}.csv`, new Blob([csvOf(head, rows)], { type: "text/csv;charset=utf-8" }));
