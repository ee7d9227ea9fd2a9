// A list as people use it: what is looked for in it, views of it, itself as a file, and the table. Of rows that were read; a list that reads
// further as one scrolls looks in what is there and says so by going on.
import { useMemo, type ReactNode } from "react";
import { useAddress } from "../router";
import { useWords } from "../words";
import { having } from "./having";
import { Csv, Find, Views } from "./list-tools";
import { None } from "./states";
import { DataTable } from "./table";

export function Listed<Row>({
  name,
  finds = "find",
  views,
  tools,
  ...table
}: {
  /** Of the file, and of its views. */
  name: string;
  /** Under which name the address holds what is looked for. */
  finds?: string;
  /** What of the address a view keeps; without it there are none. */
  views?: readonly string[];
  /** What stands beside what is looked for. */
  tools?: ReactNode;
} & React.ComponentProps<typeof DataTable<Row>>) {
  const { t } = useWords();
  const [address] = useAddress();
  const typed = address[finds] ?? "";
  const rows = useMemo(() => having(table.rows, table.columns, typed), [table.rows, table.columns, typed]);
  return (
    <>
      <div className="list-bar">
        <Find label={t("views.find")} name={finds} width={200} />
        {tools}
        <span className="row" style={{ marginLeft: "auto" }}>
          {views ? <Views page={name} names={views} /> : null}
          <Csv name={name} columns={table.columns} rows={rows} />
        </span>
      </div>
      {rows.length === 0 && table.rows.length > 0 && !table.more ? <None slim title={t("views.none_match")} /> : <DataTable {...table} rows={rows} />}
    </>
  );
}
