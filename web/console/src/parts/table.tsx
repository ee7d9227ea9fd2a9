// A table that stays fast with any number of rows: what is not seen is not drawn. A row can be opened by mouse or by the link in it.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";
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
};

export function DataTable<Row>({
  label,
  rows,
  columns,
  id,
  open,
  more,
  loading = false,
  tall = false,
  whole,
  dense = false,
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
}) {
  const { t } = useWords();
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
              <th key={column.key} scope="col" className={mark(column)} style={{ width: column.width }}>
                {column.title}
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
