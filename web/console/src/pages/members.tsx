// Members: found by anything, narrowed by tier, stage, tag or store, drawn only as far as they are seen.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, got } from "@zhiyin/api";
import { Button, Input, Select } from "antd";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { called, whole } from "../format";
import { useMay, useOverview } from "../home";
import { Csv, Views } from "../parts/list-tools";
import { stageTint, tierTint, Tint, When } from "../parts/marks";
import { Card, Page } from "../parts/page";
import { Asked, Bones, Fault, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { isName, lookUp, type MemberRow } from "../seek";
import { useWords, word } from "../words";

const NAMESPACES = "zhiyin.namespaces";

const Doubles = lazy(() => import("./members/doubles"));
const Lists = lazy(() => import("./members/lists"));

export function Members() {
  const { t } = useWords();
  const may = useMay();
  const overview = useOverview();
  const [{ tab = "all" }, setAddress] = useAddress();
  return (
    <Page wide title={t("members.title")} lead={overview.data ? t("members.lead", { n: whole(overview.data.members.total) }) : undefined}>
      {may("duplicates_review") || may("reports_read") ? (
        <Tabs
          label={t("members.title")}
          activeKey={tab}
          onChange={(next) => setAddress({ tab: next === "all" ? "" : next, state: "", find: "", sort: "", list: "" }, { push: true })}
          items={[
            { key: "all", label: t("members.all"), children: <List /> },
            ...(may("reports_read")
              ? [
                  {
                    key: "lists",
                    label: t("lists.title"),
                    children: (
                      <Suspense fallback={<Bones lines={8} />}>
                        <Lists />
                      </Suspense>
                    ),
                  },
                ]
              : []),
            ...(may("duplicates_review")
              ? [
                  {
                    key: "doubles",
                    label: t("doubles.title"),
                    children: (
                      <Suspense fallback={<Bones lines={8} />}>
                        <Doubles />
                      </Suspense>
                    ),
                  },
                ]
              : []),
          ]}
        />
      ) : (
        <List />
      )}
    </Page>
  );
}

function List() {
  const { t } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const [address, setAddress] = useAddress();
  const { q = "", tier = "", stage = "", tag = "", store = "", audience = "", advisor = "" } = address;
  const [typed, setTyped] = useState(q);
  const sent = useRef(q);
  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setTyped(q);
  }, [q]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      setAddress({ q: typed });
    }, 250);
    return () => clearTimeout(timer);
  }, [typed, setAddress]);

  const overview = useOverview();
  const filters = { tier, lifecycle: stage, tag, store, audience, advisor };
  const byIdentifier = q.trim() !== "" && !isName(q);
  const list = useInfiniteQuery({
    queryKey: ["members", q, filters],
    enabled: may("member_list") && !byIdentifier,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const query = Object.fromEntries(
        Object.entries({ ...filters, name: byIdentifier ? "" : q.trim(), cursor: pageParam, limit: 100 }).filter(([, value]) => value !== ""),
      ) as { limit: number };
      return got(api.GET("/v1/members", { params: { query }, signal }));
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = useMemo(() => (byIdentifier ? [] : (list.data?.pages.flatMap((page) => page.items) ?? [])), [list.data, byIdentifier]);

  // What namespaces there are is learned from members as they are seen: nothing says it otherwise.
  useEffect(() => {
    const seen = new Set(rows.flatMap((row) => row.identifiers.map(({ namespace }) => namespace)));
    if (seen.size === 0) return;
    const kept = new Set(JSON.parse(localStorage.getItem(NAMESPACES) ?? "[]") as string[]);
    for (const namespace of seen) kept.add(namespace);
    localStorage.setItem(NAMESPACES, JSON.stringify([...kept].slice(0, 12)));
  }, [rows]);
  const found = useQuery({
    queryKey: ["look up", q],
    enabled: q.trim() !== "" && may("member_lookup"),
    queryFn: ({ signal }) => lookUp(q, JSON.parse(localStorage.getItem(NAMESPACES) ?? "[]") as string[], signal),
  });

  const tiers = overview.data?.tiers ?? [];
  const stages = overview.data?.lifecycle.stages ?? [];
  const tags = overview.data?.tags ?? [];
  const nameOf = (of: { id: string; name: { zh?: string | null; en?: string | null } }[], id: string | null | undefined) =>
    id ? called(of.find((one) => one.id === id)?.name, id) : "—";

  const columns: Column<MemberRow>[] = [
    {
      key: "who",
      title: t("members.who"),
      text: (row) => row.name ?? row.id,
      cell: (row) => (
        <Link to="/members/$id" params={{ id: row.id }} className="nowrap">
          {row.name ?? (row.identifiers[0] ? `${word("namespace", row.identifiers[0].namespace)} ${row.identifiers[0].value}` : row.id.slice(0, 8))}
        </Link>
      ),
    },
    {
      key: "called",
      title: t("members.called"),
      far: true,
      text: (row) => row.identifiers.map(({ namespace, value }) => `${namespace}:${value}`).join(" "),
      cell: (row) => (
        <span className="quiet cut" style={{ display: "block", maxWidth: 240 }}>
          {row.identifiers
            .slice(row.name ? 0 : 1)
            .map(({ namespace, value }) => `${word("namespace", namespace)} ${value}`)
            .join(" · ") || "—"}
        </span>
      ),
    },
    { key: "tier", title: t("members.tier"), text: (row) => nameOf(tiers, row.tier), cell: (row) => (row.tier ? <Tint color={tierTint(row.tier)}>{nameOf(tiers, row.tier)}</Tint> : <span className="quiet">—</span>) },
    {
      key: "stage",
      title: t("members.stage"),
      far: true,
      text: (row) => nameOf(stages, row.lifecycle),
      cell: (row) => (row.lifecycle ? <Tint color={stageTint(row.lifecycle)}>{nameOf(stages, row.lifecycle)}</Tint> : <span className="quiet">—</span>),
    },
    { key: "points", title: t("members.points"), right: true, text: (row) => row.points, cell: (row) => whole(row.points) },
    {
      key: "tags",
      title: t("members.tags"),
      far: true,
      text: (row) => row.tags.map((id) => nameOf(tags, id)).join("; "),
      cell: (row) => (
        <span className="quiet cut" style={{ display: "block", maxWidth: 280 }} title={row.tags.map((id) => nameOf(tags, id)).join(t("list_comma"))}>
          {row.tags.length === 0 ? "—" : row.tags.map((id) => nameOf(tags, id)).join(t("list_comma"))}
        </span>
      ),
    },
    { key: "store", title: t("members.store"), far: true, text: (row) => row.store, cell: (row) => row.store ?? <span className="quiet">—</span> },
    { key: "since", title: t("members.since"), far: true, right: true, text: (row) => row.enrolled_at ?? row.known_since, cell: (row) => <When at={row.enrolled_at ?? row.known_since} only="day" /> },
  ];

  const narrowed = Object.values(filters).some((value) => value !== "");
  const options = (of: { id: string; name: { zh?: string | null; en?: string | null } }[]) => of.map((one) => ({ value: one.id, label: called(one.name, one.id) }));
  const pick = (label: string, name: string, value: string, of: { value: string; label: string }[], width = 132) => (
    <Select
      aria-label={label}
      placeholder={label}
      allowClear
      showSearch={of.length > 8 ? { optionFilterProp: "label" } : false}
      style={{ width }}
      value={value || undefined}
      options={of}
      onChange={(next: string | undefined) => setAddress({ [name]: next ?? "" })}
    />
  );
  return (
    <>
      <div className="filters">
        <Input
          allowClear
          aria-label={t("members.search")}
          placeholder={t("members.search")}
          style={{ width: 320, maxWidth: "100%" }}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {pick(t("members.tier"), "tier", tier, options(tiers))}
        {pick(t("members.stage"), "stage", stage, options(stages))}
        {pick(t("members.tag"), "tag", tag, options(tags), 160)}
        <Input
          allowClear
          aria-label={t("members.store")}
          placeholder={t("members.store")}
          style={{ width: 112 }}
          defaultValue={store}
          onPressEnter={(event) => setAddress({ store: event.currentTarget.value.trim() })}
          onBlur={(event) => setAddress({ store: event.currentTarget.value.trim() })}
        />
        {audience ? <Button onClick={() => setAddress({ audience: "" })}>{t("members.in_audience", { name: audience })} ✕</Button> : null}
        {narrowed ? (
          <Button type="link" onClick={() => setAddress({ tier: "", stage: "", tag: "", store: "", audience: "", advisor: "" })}>
            {t("do.clear")}
          </Button>
        ) : null}
        <span className="row" style={{ marginLeft: "auto" }}>
          <Views page="members" names={["q", "tier", "stage", "tag", "store", "audience", "advisor"]} />
          <Csv name="members" columns={columns} rows={rows} />
        </span>
      </div>
      {q.trim() !== "" && found.data && found.data.length > 0 ? (
        <Card title={t("members.found_by")} style={{ marginBottom: 12 }}>
          <ul className="stack tight">
            {found.data.map((one) => (
              <li key={one.id} className="apart">
                <Link to="/members/$id" params={{ id: one.id }}>
                  <strong>{one.name ?? (one.by || one.id.slice(0, 8))}</strong>
                </Link>
                <span className="quiet">
                  {[one.by, nameOf(tiers, one.tier), t("members.n_points", { n: whole(one.points) })].filter((part) => part && part !== "—").join(" · ")}
                </span>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
      {byIdentifier ? (
        <Asked of={found}>
          {(all) =>
            all.length === 0 ? (
              <Card>
                <None title={t("members.nobody_called", { q })}>{t("members.nobody_called_say")}</None>
              </Card>
            ) : null
          }
        </Asked>
      ) : list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            list.hasNextPage ? (
              <None title={t("members.go_on")} action={<Button onClick={() => void list.fetchNextPage()}>{t("members.look_further")}</Button>}>
                {t("members.go_on_say")}
              </None>
            ) : (
              <None title={q || narrowed ? t("members.none_match") : t("members.none")}>{q || narrowed ? t("members.none_match_say") : t("members.none_say")}</None>
            )
          ) : (
            <DataTable
              label={t("members.title")}
              rows={rows}
              columns={columns}
              id={(row) => row.id}
              open={(row) => void navigate({ to: "/members/$id", params: { id: row.id } })}
              more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loading={list.isFetching}
              tall
            />
          )}
        </Card>
      )}
    </>
  );
}
