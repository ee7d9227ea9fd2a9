// The audit log: who did what on what, how it went; and the proof that no line was changed.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button, Drawer } from "antd";
import { useState, type ReactNode } from "react";
import { Csv, Find, Views } from "../parts/list-tools";
import { When } from "../parts/marks";
import { Card, Facts, Page, Pill } from "../parts/page";
import { Bones, Fault, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { useAddress } from "../router";
import { useWords, word } from "../words";

/** What a line says besides, as the home wrote it: names of its own, and values. */
const detailOf = (detail: unknown): [string, string][] =>
  typeof detail === "object" && detail !== null
    ? Object.entries(detail)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [key.replaceAll("_", " "), typeof value === "string" ? value : JSON.stringify(value)])
    : [];
const detailSaid = (detail: unknown): string =>
  detailOf(detail)
    .map(([key, value]) => `${key} ${value}`)
    .join(" \u00b7 ");

export function Audit() {
  const { t } = useWords();
  const [{ since = "", who = "", line = "" }, setAddress] = useAddress();
  const [asked, setAsked] = useState(false);
  const list = useInfiniteQuery({
    queryKey: ["audit", since],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/audit", { params: { query: { limit: 200, ...(since ? { since } : {}), ...(pageParam ? { cursor: pageParam } : {}) } as { limit: number } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const proof = useQuery({ queryKey: ["audit verify"], enabled: asked, queryFn: ({ signal }) => got(api.GET("/v1/audit/verify", { signal })) });
  const rows = (list.data?.pages.flatMap((page) => page.items) ?? []).filter((row) => who === "" || `${row.who} ${row.operation} ${row.target} ${detailSaid(row.detail)}`.toLowerCase().includes(who.toLowerCase()));
  const opened = rows.find((row) => String(row.no) === line);
  const columns: Column<(typeof rows)[number]>[] = [
    { key: "no", title: t("audit.no"), right: true, width: 72, far: true, text: (row) => row.no, cell: (row) => row.no },
    { key: "at", title: t("audit.at"), text: (row) => row.at, cell: (row) => <When at={row.at} /> },
    { key: "who", title: t("audit.who"), text: (row) => row.who, cell: (row) => <span className="nowrap">{row.who}</span> },
    { key: "role", title: t("audit.role"), far: true, text: (row) => row.role, cell: (row) => word("role", row.role) },
    { key: "what", title: t("audit.what"), text: (row) => row.operation, cell: (row) => <span className="nowrap">{word("operation", row.operation)}</span> },
    {
      key: "target",
      title: t("audit.target"),
      text: (row) => row.target,
      far: true,
      cell: (row) => (
        <span className="mono quiet cut" style={{ display: "block", maxWidth: 260 }} title={row.target}>
          {row.target}
        </span>
      ),
    },
    {
      key: "detail",
      title: t("audit.detail"),
      far: true,
      text: (row) => detailSaid(row.detail),
      cell: (row) => (
        <span className="quiet small cut" style={{ display: "block", maxWidth: 320 }}>
          {detailSaid(row.detail)}
        </span>
      ),
    },
    { key: "outcome", title: t("audit.outcome"), text: (row) => row.outcome, cell: (row) => <Pill tone={row.outcome === "done" ? "good" : row.outcome === "failed" || row.outcome === "refused" ? "bad" : ""}>{word("outcome", row.outcome)}</Pill> },
  ];
  return (
    <Page
      wide
      title={t("audit.title")}
      lead={t("audit.lead")}
      actions={
        <>
          {proof.data ? (
            <Pill tone={proof.data.holds ? "good" : "bad"}>{proof.data.holds ? t("audit.holds") : t("audit.broken", { at: proof.data.broken ?? "" })}</Pill>
          ) : null}
          <Button loading={proof.isFetching} onClick={() => (asked ? void proof.refetch() : setAsked(true))}>
            {t("audit.verify")}
          </Button>
        </>
      }
    >
      <div className="filters">
        <Find label={t("audit.search")} name="who" width={260} />
        <label className="row">
          <span className="quiet">{t("audit.since")}</span>
          <input className="input" style={{ width: 152, height: 32 }} type="date" value={since} onChange={(event) => setAddress({ since: event.target.value })} />
        </label>
        <span className="row" style={{ marginLeft: "auto" }}>
          <Views page="audit" names={["who", "since"]} />
          <Csv name="audit" columns={columns} rows={rows} />
        </span>
      </div>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None title={t("audit.none")} />
          ) : (
            <DataTable
              label={t("audit.title")}
              rows={rows}
              id={(row) => String(row.no)}
              open={(row) => setAddress({ line: String(row.no) })}
              tall
              dense
              more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loading={list.isFetching}
              columns={columns}
            />
          )}
        </Card>
      )}
      <Drawer open={line !== ""} onClose={() => setAddress({ line: "" })} title={t("audit.line", { no: line })} size={520} destroyOnHidden>
        {opened ? (
          <div className="stack">
            <Facts
              of={[
                [t("audit.at"), <When key="at" at={opened.at} />],
                [t("audit.who"), opened.who],
                [t("audit.role"), word("role", opened.role)],
                [t("audit.what"), word("operation", opened.operation)],
                [t("audit.target"), <code key="target">{opened.target}</code>],
                [t("audit.outcome"), word("outcome", opened.outcome)],
                ...detailOf(opened.detail).map(([key, value]): [string, ReactNode] => [key, value]),
              ]}
            />
            <p className="small quiet" style={{ overflowWrap: "anywhere" }}>
              {t("audit.hash")} <code>{`${opened.no}:${opened.hash}`}</code>
            </p>
          </div>
        ) : list.isFetching ? (
          <Bones lines={6} />
        ) : (
          <None slim title={t("audit.not_read")} action={list.hasNextPage ? <Button onClick={() => void list.fetchNextPage()}>{t("do.more")}</Button> : undefined} />
        )}
      </Drawer>
    </Page>
  );
}
