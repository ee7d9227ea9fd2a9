// A tree as a list of rows, each after what it lies under: how many lie below each, and what is left where some are folded.
type Row = { code: string; level: number };

/** How many lie below each place, however deep; those with none are left out. */
export function below(rows: readonly Row[]): Map<string, number> {
  const counted = new Map<string, number>();
  const above: Row[] = [];
  for (const row of rows) {
    while ((above.at(-1)?.level ?? -1) >= row.level) above.pop();
    for (const one of above) counted.set(one.code, (counted.get(one.code) ?? 0) + 1);
    above.push(row);
  }
  return counted;
}

/** The rows that are seen where those of `shut` are folded. */
export function folded<T extends Row>(rows: readonly T[], shut: ReadonlySet<string>): T[] {
  let hidden = Number.POSITIVE_INFINITY;
  return rows.filter((row) => {
    if (row.level > hidden) return false;
    hidden = shut.has(row.code) ? row.level : Number.POSITIVE_INFINITY;
    return true;
  });
}
