// A table that stays fast with any number of rows: what is not seen is not drawn. A row can be opened by mouse or by the link in it.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, type ReactNode } from "react";
import type { Cell } from "../csv";
import { useAddress } from "../router";
import { useWords } from "../words";
import { Bones } from "./states";

export type Column<Row> = {
  key: string;
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  right?: boolean;
  /** Left out on a phone. */
  far?: boolean;
  width?: number | string;
  /** By what the list is put in order when its head is pressed; of lists that are read whole only. */
  by?: (row: Row) => string | number | null | undefined;
  /** What stands in a file; columns without it are left out there. */
  text?: (row: Row) => Cell;
};

/** The rows by a column (`points`, `-points`), as they came where there is none; what is not known comes last either way. */
export function inOrder<Row>(rows: Row[], columns: Column<Row>[], sort: string): Row[] {
  const down = sort.startsWith("-");
  const by = columns.find((column) => column.key === (down ? sort.slice(1) : sort))?.by;
  if (!by) return rows;
  return rows
    .map((row) => [row, by(row)] as const)
    .sort(([, a], [, b]) => {
      if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1;
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
      return down ? -order : order;
    })
    .map(([row]) => row);
}

export function DataTable<Row>({
  label,
  rows: given,
  columns,
  id,
  open,
  more,
  loading = false,
  tall = false,
  whole,
  dense = false,
  sorts = "sort",
}: {
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  id: (row: Row) => string;
  open?: (row: Row) => void;
  /** Called when the end comes into sight and there is more. */
  more?: (() => void) | undefined;
  loading?: boolean;
  tall?: boolean;
  whole?: (row: Row) => boolean;
  dense?: boolean;
  /** Under which name the address holds the order. */
  sorts?: string;
}) {
  const { t } = useWords();
  const [address, setAddress] = useAddress();
  const sort = address[sorts] ?? "";
  const rows = useMemo(() => inOrder(given, columns, sort), [given, columns, sort]);
  const box = useRef<HTMLDivElement>(null);
  const height = dense ? 34 : 40;
  const many = rows.length > 60;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => height, overscan: 12, enabled: many });
  const seen = many ? virtual.getVirtualItems() : rows.map((_, index) => ({ index, start: 0, end: 0 }));
  const first = seen[0];
  const last = seen.at(-1);
  const before = many && first ? first.start : 0;
  const after = many && last ? virtual.getTotalSize() - last.end : 0;

  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const mark = end.current;
    if (!mark || !more || loading) return;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), { root: tall ? box.current : null, rootMargin: "400px" });
    watch.observe(mark);
    return () => watch.disconnect();
  }, [more, loading, tall]);

  const mark = (column: Column<Row>) => [column.right ? "right" : "", column.far ? "far" : ""].join(" ").trim() || undefined;
  return (
    <div ref={box} className={tall || many ? "table-box tall" : "table-box"} tabIndex={0} role="region" aria-label={label}>
      <table className={dense ? "data dense" : "data"} aria-rowcount={rows.length}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={mark(column)}
                style={{ width: column.width }}
                aria-sort={column.by ? (sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : "none") : undefined}
              >
                {column.by ? (
                  <button type="button" className="plain sorts" onClick={() => setAddress({ [sorts]: sort === column.key ? `-${column.key}` : sort === `-${column.key}` ? "" : column.key })}>
                    {column.title} <span aria-hidden="true">{sort === column.key ? "↑" : sort === `-${column.key}` ? "↓" : ""}</span>
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 ? (
            <tr className="spacer" aria-hidden="true">
              <td colSpan={columns.length} style={{ height: before }} />
            </tr>
          ) : null}
          {seen.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <tr
                key={id(row)}
                className={[open ? "goes" : "", whole?.(row) ? "whole" : ""].join(" ").trim() || undefined}
                onClick={
                  open
                    ? (event) => {
                        if ((event.target as HTMLElement).closest("a, button, input")) return;
                        open(row);
                      }
                    : undefined
                }
              >
                {columns.map((column) => (
                  <td key={column.key} className={mark(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 ? (
            <tr className="spacer" aria-hidden="true">
              <td colSpan={columns.length} style={{ height: after }} />
            </tr>
          ) : null}
        </tbody>
      </table>
      {loading ? (
        <div style={{ padding: "4px 20px 12px" }}>
          <Bones lines={rows.length === 0 ? 8 : 2} />
        </div>
      ) : null}
      <div ref={end} />
      {!loading && rows.length > 0 && !more && tall ? (
        <p className="quiet small" style={{ padding: "10px 20px" }}>
          {t("state.end")}
        </p>
      ) : null}
    </div>
  );
}
