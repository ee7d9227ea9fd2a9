// Audiences: a condition as text, how many it holds for while it is typed, what they are made of, who they are, and why somebody is among them.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, asking, got, Refusal } from "@zhiyin/api";
import { App, Button, Drawer, Input, Select } from "antd";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { keep } from "../csv";
import { called, decimal, share, whole } from "../format";
import { useMay, useOverview } from "../home";
import { CHANNELS } from "../parts/channels";
import { stageTint, tierTint, Tint, When } from "../parts/marks";
import { Bars, Card, Page, Pill } from "../parts/page";
import { Asked, Bones, Fault, None } from "../parts/states";
import { DataTable } from "../parts/table";
import { useAddress } from "../router";
import { useWords, word } from "../words";
import type { Problem, Word } from "../parts/editor";
import type { Vocabulary } from "./audiences/blocks";

const Editor = lazy(() => import("../parts/editor"));
const Blocks = lazy(() => import("./audiences/blocks"));
const Overlap = lazy(() => import("./audiences/overlap"));
const Save = lazy(() => import("./audiences/save"));
const BY = ["tier", "lifecycle", "tags", "store"] as const;
/** More that an audience may be broken down by, as the language says it, in steps. */
const MORE: Record<string, { by: string; step?: string }> = {
  orders: { by: 'size(within(orders, "365d"))', step: "5" },
  paid: { by: 'sum(within(orders, "365d").map(o, o.paid))', step: "500" },
  points: { by: "points", step: "500" },
  last: { by: "days_since(last(orders))", step: "30" },
};
const EXAMPLES = ["dormant", "frequent", "rising"] as const;
const WRITTEN = {
  dormant: 'tier == "gold" && days_since(last(orders)) > 30',
  frequent: 'size(within(orders, "90d")) >= 10',
  rising: 'tier == "silver" && sum(within(orders, "90d").map(o, o.paid)) >= 300',
};

/** Where in the text a refusal of the condition points. */
export function problemsOf(error: unknown, text: string): Problem[] {
  if (!(error instanceof Refusal) || error.code !== "bad_condition") return [];
  const found = /^column (\d+): (.*)$/s.exec(error.detail ?? "");
  if (!found?.[1]) return [{ line: 1, column: 1, message: error.detail ?? error.title }];
  let at = Number(found[1]) - 1;
  let line = 1;
  for (const one of text.split("\n")) {
    if (at <= one.length) break;
    at -= one.length + 1;
    line += 1;
  }
  return [{ line, column: at + 1, message: found[2] ?? "" }];
}

export function Audiences() {
  const { t } = useWords();
  const may = useMay();
  const [address, setAddress] = useAddress();
  const { c = "", by = "lifecycle", day = "", why = "" } = address;
  const [text, setText] = useState(c);
  const [settled, setSettled] = useState(c);
  // What this page itself put into the address is no news: text that was changed since would be lost to it.
  const sent = useRef(c);
  useEffect(() => {
    if (c === sent.current) return;
    sent.current = c;
    setText(c);
    setSettled(c);
  }, [c]);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 120);
    return () => clearTimeout(timer);
  }, [text]);
  // The address follows once somebody pauses, so that a link holds what is seen.
  useEffect(() => {
    if (settled === c) return;
    const timer = setTimeout(() => {
      sent.current = settled;
      setAddress({ c: settled });
    }, 700);
    return () => clearTimeout(timer);
  }, [settled, c, setAddress]);

  const condition = settled.trim();
  const asOf = day ? { as_of: day } : {};
  const total = useOverview().data?.members.total;
  const counted = useQuery({
    queryKey: ["count", condition, day],
    enabled: condition !== "",
    queryFn: ({ signal }) => got(api.POST("/v1/audiences/count", { body: { condition, ...asOf }, signal })),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const problems = useMemo(() => problemsOf(counted.error, settled), [counted.error, settled]);
  const right = condition !== "" && !counted.error && counted.data !== undefined;
  const found = right && counted.data !== undefined && counted.data.count > 0;
  const words = useVocabulary();
  const vocabulary = useBlockWords();
  const [saving, setSaving] = useState(false);
  return (
    <Page
      title={t("audiences.title")}
      lead={t("audiences.lead")}
      actions={
        right ? (
          <>
            {may("member_export") ? <Export condition={condition} day={day} /> : null}
            {may("playbook_apply") ? (
              <Button type="primary" onClick={() => setSaving(true)}>
                {t("save.title")}
              </Button>
            ) : null}
          </>
        ) : undefined
      }
    >
      <div className="grid" style={{ gridTemplateColumns: "minmax(0, 1fr)", gap: 16 }}>
        <div className="grid g21">
          <Card
            title={t("audiences.condition")}
            aside={
              <label className="row" style={{ gap: 6 }}>
                <span>{t("audiences.as_of")}</span>
                <input className="input" style={{ width: 148, height: 30 }} type="date" value={day} onChange={(event) => setAddress({ day: event.target.value })} />
              </label>
            }
          >
            <Suspense fallback={<Bones lines={3} />}>
              <Blocks text={text} words={vocabulary} onChange={setText} />
            </Suspense>
            <p className="small quiet" style={{ margin: "12px 0 4px" }}>
              {t("blocks.as_text")}
            </p>
            <Suspense fallback={<Bones lines={3} />}>
              <Editor kind="condition" label={t("audiences.condition")} value={text} onChange={setText} problems={problems} words={words} placeholder={t("audiences.placeholder")} />
            </Suspense>
            <div className="row" style={{ marginTop: 10, minHeight: 24 }} aria-live="polite">
              {problems.length > 0 ? (
                <span className="danger small">{problems[0]?.message}</span>
              ) : condition === "" ? (
                <>
                  <span className="quiet small">{t("audiences.try")}</span>
                  {EXAMPLES.map((name) => (
                    <Button key={name} size="small" onClick={() => setAddress({ c: WRITTEN[name] })}>
                      {t(`audiences.example_${name}`)}
                    </Button>
                  ))}
                </>
              ) : counted.error ? (
                <Fault error={counted.error} retry={() => void counted.refetch()} />
              ) : (
                <span className="quiet small">{t("audiences.right")}</span>
              )}
            </div>
          </Card>
          <div className="stack">
            <Card>
              <div className="stack tight" aria-live="polite" style={{ gap: 2 }}>
                <span className="quiet">{t("audiences.holds_for")}</span>
                <span style={{ fontSize: 40, lineHeight: "48px", fontWeight: 600, letterSpacing: "-0.02em", opacity: counted.isPlaceholderData ? 0.65 : 1 }}>
                  {condition !== "" && counted.data && !counted.error ? whole(counted.data.count) : "—"}
                </span>
                {counted.data && !counted.error && condition !== "" ? (
                  <>
                    {total ? (
                      <>
                        <div className="meter" style={{ margin: "6px 0" }} aria-hidden="true">
                          <span style={{ width: `${(100 * counted.data.count) / total}%`, background: "var(--celadon)" }} />
                        </div>
                        <span>{t("audiences.of_all", { share: share(counted.data.count, total), n: whole(total) })}</span>
                      </>
                    ) : null}
                    <span className="quiet small">
                      {t("audiences.took", { ms: decimal(counted.data.took_ms, counted.data.took_ms < 10 ? 1 : 0) })} · <When at={counted.data.as_of} />
                    </span>
                    {day ? <span className="golden small">{t("audiences.past")}</span> : null}
                  </>
                ) : (
                  <span className="quiet small">{t("audiences.nothing_yet")}</span>
                )}
              </div>
            </Card>
            {found ? <Breakdown condition={condition} day={day} by={by} choose={(next) => setAddress({ by: next })} /> : null}
          </div>
        </div>
        {found ? (
          <Who condition={condition} day={day} open={(id) => setAddress({ why: id })} />
        ) : right ? (
          <Card>
            <None title={t("audiences.nobody")}>{t("audiences.nobody_say")}</None>
          </Card>
        ) : null}
        {right && counted.data ? (
          <Suspense fallback={<Bones lines={3} />}>
            <Overlap condition={condition} day={day} />
          </Suspense>
        ) : null}
        <Saved open={(who) => setAddress({ c: who })} />
      </div>
      {saving ? (
        <Suspense fallback={null}>
          <Save condition={condition} close={() => setSaving(false)} />
        </Suspense>
      ) : null}
      <Drawer open={why !== "" && right} onClose={() => setAddress({ why: "" })} title={t("audiences.why")} size={560}>
        {why && right ? <Why id={why} condition={condition} day={day} /> : null}
      </Drawer>
    </Page>
  );
}

/** What blocks let one choose from. */
function useBlockWords(): Vocabulary {
  const { data } = useOverview();
  const { lang } = useWords();
  const saved = useQuery({ queryKey: ["audiences"], queryFn: ({ signal }) => got(api.GET("/v1/audiences", { signal })) });
  // biome-ignore lint/correctness/useExhaustiveDependencies: names change with the language.
  return useMemo(() => {
    const options = (of: { id: string; name: { zh?: string | null; en?: string | null } }[] | undefined) => (of ?? []).map((one) => ({ value: one.id, label: called(one.name, one.id) }));
    const worded = (group: "attribute" | "purpose" | "channel" | "event", values: string[]) => values.map((value) => ({ value, label: word(group, value) }));
    return {
      tiers: options(data?.tiers),
      stages: options(data?.lifecycle.stages),
      tags: options(data?.tags),
      audiences: options(saved.data?.items),
      attributes: worded("attribute", ["city", "gender", "household_size", "kids_count", "income", "age_range", "home_ownership", "marital_status"]),
      purposes: worded("purpose", ["marketing", "service", "profiling", "sharing"]),
      channels: worded("channel", [...CHANNELS]),
      events: worded("event", ["Order Refunded", "Coupon Issued", "Coupon Redeemed", "Coupon Expired", "Points Spent", "Tier Changed", "Message Seen"]),
      currency: new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-US", { style: "currency", currency: data?.brand.currency ?? "CNY", currencyDisplay: "narrowSymbol" }).formatToParts(0).find((part) => part.type === "currency")?.value ?? "",
    };
  }, [data, saved.data, lang]);
}

/** What may be written here: functions and names of the language, and what this brand calls its tiers, stages and tags. */
function useVocabulary(): Word[] {
  const { data } = useOverview();
  const { t, lang } = useWords();
  // biome-ignore lint/correctness/useExhaustiveDependencies: names change with the language.
  return useMemo(() => {
    const names = ["tier", "lifecycle", "tags", "points", "store", "age", "is_birthday", "enrolled_at", "orders", "items", "attr.", "dependants"];
    const functions = ["size(", "within(", "sum(", "avg(", "min(", "max(", "first(", "last(", "days_since(", "median_gap(", "has(", "consent(", "audience(", "events(", "bucket("];
    return [
      ...names.map((label) => ({ label, type: "variable" as const })),
      ...functions.map((label) => ({ label, type: "function" as const })),
      ...(data?.tiers ?? []).map((one) => ({ label: `"${one.id}"`, detail: `${t("members.tier")} ${called(one.name)}` })),
      ...(data?.lifecycle.stages ?? []).map((one) => ({ label: `"${one.id}"`, detail: `${t("members.stage")} ${called(one.name)}` })),
      ...(data?.tags ?? []).map((one) => ({ label: `"${one.id}"`, detail: `${t("members.tag")} ${called(one.name)}` })),
    ];
  }, [data, lang]);
}

function Breakdown({ condition, day, by, choose }: { condition: string; day: string; by: string; choose: (by: string) => void }) {
  const { t } = useWords();
  const overview = useOverview().data;
  const broken = useQuery({
    queryKey: ["breakdown", condition, day, by],
    queryFn: ({ signal }) => got(api.POST("/v1/audiences/breakdown", { body: { condition, ...(MORE[by] ?? { by }), ...(day ? { as_of: day } : {}) }, signal })),
    placeholderData: keepPreviousData,
  });
  const known = by === "tier" ? overview?.tiers : by === "lifecycle" ? overview?.lifecycle.stages : by === "tags" ? overview?.tags : undefined;
  return (
    <Card title={t("audiences.made_of")}>
      <Select
        aria-label={t("audiences.by")}
        style={{ width: "100%", marginBottom: 12 }}
        value={by}
        onChange={choose}
        options={[...BY.map((value) => ({ value: value as string, label: t(`audiences.by_${value}`) })), ...Object.keys(MORE).map((value) => ({ value, label: t(`audiences.by_${value as "orders"}`) }))]}
      />
      <Asked of={broken}>
        {(data) => (
          <Bars
            most={Math.max(...data.values.map((one) => one.count), 1)}
            of={(MORE[by] ? [...data.values].sort((a, b) => (a.value === null ? 1 : b.value === null ? -1 : Number(a.value) - Number(b.value))).slice(0, 16) : [...data.values].sort((a, b) => b.count - a.count).slice(0, 10))
              .map((one, at) => ({
                key: one.value ?? "",
                label: one.value && MORE[by] ? t("audiences.from_on", { from: whole(Number(one.value)), to: whole(Number(one.value) + Number(MORE[by]?.step ?? 1) - 1) }) : one.value ? called(known?.find((each) => each.id === one.value)?.name, one.value) : t("audiences.unknown"),
                value: one.count,
                shown: whole(one.count),
                more: share(one.count, data.count, 0),
                color: one.value && MORE[by] ? "var(--celadon)" : one.value && by === "tier" ? tierTint(one.value, at) : one.value && by === "lifecycle" ? stageTint(one.value) : "var(--mute-1)",
              }))}
          />
        )}
      </Asked>
    </Card>
  );
}

function Who({ condition, day, open }: { condition: string; day: string; open: (id: string) => void }) {
  const { t } = useWords();
  const overview = useOverview().data;
  const list = useInfiniteQuery({
    queryKey: ["audience members", condition, day],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.POST("/v1/audiences/members", { body: { condition, limit: 50, ...(day ? { as_of: day } : {}), ...(pageParam ? { cursor: pageParam } : {}) }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.error && rows.length === 0) return <Fault error={list.error} retry={() => void list.refetch()} />;
  return (
    <Card flush title={t("audiences.who")} aside={t("audiences.who_say")}>
      <DataTable
        label={t("audiences.who")}
        rows={rows}
        id={(row) => row.id}
        open={(row) => open(row.id)}
        loading={list.isFetching && rows.length === 0}
        more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        tall={rows.length > 10}
        columns={[
          {
            key: "who",
            title: t("members.who"),
            cell: (row) => (
              <Link to="/members/$id" params={{ id: row.id }}>
                {row.name ?? <span className="mono">{row.id.slice(0, 8)}</span>}
              </Link>
            ),
          },
          { key: "tier", title: t("members.tier"), cell: (row) => (row.tier ? <Tint color={tierTint(row.tier)}>{called(overview?.tiers.find((one) => one.id === row.tier)?.name, row.tier)}</Tint> : "—") },
          {
            key: "stage",
            title: t("members.stage"),
            far: true,
            cell: (row) => (row.lifecycle ? <Tint color={stageTint(row.lifecycle)}>{called(overview?.lifecycle.stages.find((one) => one.id === row.lifecycle)?.name, row.lifecycle)}</Tint> : "—"),
          },
          { key: "store", title: t("members.store"), far: true, cell: (row) => row.store ?? "—" },
          { key: "points", title: t("members.points"), right: true, cell: (row) => whole(row.points) },
          {
            key: "why",
            title: <span className="only-heard">{t("audiences.why")}</span>,
            right: true,
            cell: (row) => (
              <button type="button" className="plain small" style={{ color: "var(--celadon)" }} onClick={() => open(row.id)}>
                {t("audiences.why_short")}
              </button>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Why({ id, condition, day }: { id: string; condition: string; day: string }) {
  const { t } = useWords();
  const why = useQuery({
    queryKey: ["audience why", id, condition, day],
    queryFn: ({ signal }) => got(api.POST("/v1/members/{id}/why", { params: { path: { id } }, body: { condition, ...(day ? { as_of: day } : {}) }, signal })),
  });
  return (
    <Asked of={why}>
      {(data) => (
        <div className="stack">
          <div className="row">
            <Pill tone={data.holds ? "good" : "bad"}>{data.holds ? t("audiences.is_in") : t("audiences.is_out")}</Pill>
            {data.turns_at ? (
              <span className="small quiet">
                {t("audiences.turns_at")} <When at={data.turns_at} />
              </span>
            ) : null}
            <Link to="/members/$id" params={{ id }}>
              {t("audiences.to_member")}
            </Link>
          </div>
          <ul className="stack tight">
            {data.parts.map((part, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: parts have no names of their own.
              <li key={at} style={{ paddingLeft: part.depth * 18 }}>
                <div className="row" style={{ flexWrap: "nowrap", alignItems: "flex-start" }}>
                  <span aria-hidden="true" style={{ color: part.holds ? "var(--celadon)" : "var(--cinnabar)" }}>
                    {part.holds ? "✓" : "✕"}
                  </span>
                  <div className="grow">
                    <code style={{ overflowWrap: "anywhere" }}>{part.text}</code>
                    <div className="small quiet">
                      {[
                        part.value != null ? t("audiences.is", { value: part.value }) : "",
                        part.against != null ? t("audiences.against", { value: part.against }) : "",
                        part.needs != null ? t("audiences.needs", { value: part.needs }) : "",
                      ]
                        .filter(Boolean)
                        .join(t("list_semicolon"))}
                    </div>
                  </div>
                </div>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Asked>
  );
}

function Saved({ open }: { open: (who: string) => void }) {
  const { t } = useWords();
  const [wanted, setWanted] = useState("");
  const saved = useQuery({ queryKey: ["audiences"], queryFn: ({ signal }) => got(api.GET("/v1/audiences", { signal })) });
  return (
    <Asked of={saved}>
      {(data) => {
        const items = data.items.filter((one) => `${one.id} ${called(one.name)}`.toLowerCase().includes(wanted.toLowerCase()));
        return (
          <Card
            flush
            title={t("audiences.saved")}
            aside={data.items.length > 5 ? <Input size="small" allowClear aria-label={t("audiences.find")} placeholder={t("audiences.find")} value={wanted} onChange={(event) => setWanted(event.target.value)} /> : t("audiences.saved_say")}
          >
            {data.items.length === 0 ? (
              <None title={t("audiences.none_saved")} action={<Link to="/playbook">{t("audiences.to_playbook")}</Link>}>
                {t("audiences.none_saved_say")}
              </None>
            ) : (
              <DataTable
                label={t("audiences.saved")}
                rows={items}
                id={(row) => row.id}
                open={(row) => open(row.who ?? `audience("${row.id}")`)}
                columns={[
                  {
                    key: "name",
                    title: t("audiences.name"),
                    cell: (row) => (
                      <button type="button" className="plain" onClick={() => open(row.who ?? `audience("${row.id}")`)}>
                        {called(row.name, row.id)}
                      </button>
                    ),
                  },
                  {
                    key: "who",
                    title: t("audiences.condition"),
                    far: true,
                    cell: (row) => (
                      <code className="quiet cut" style={{ display: "block", maxWidth: 520 }} title={row.who ?? undefined}>
                        {row.who ?? t("audiences.a_list")}
                      </code>
                    ),
                  },
                  { key: "standing", title: t("audiences.kept"), far: true, cell: (row) => <Pill tone={row.standing ? "good" : ""}>{row.standing ? t("audiences.standing") : t("audiences.asked")}</Pill> },
                  { key: "n", title: t("audiences.members"), right: true, cell: (row) => (data.standing[row.id] === undefined ? <Count id={row.id} /> : whole(data.standing[row.id] ?? 0)) },
                ]}
              />
            )}
          </Card>
        );
      }}
    </Asked>
  );
}

function Count({ id }: { id: string }) {
  const one = useQuery({ queryKey: ["audience", id], queryFn: ({ signal }) => got(api.GET("/v1/audiences/{id}", { params: { path: { id } }, signal })), retry: false });
  return <>{one.data?.now ? whole(one.data.now.count) : "—"}</>;
}

function Export({ condition, day }: { condition: string; day: string }) {
  const { t } = useWords();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    try {
      const response = await fetch("/v1/audiences/export", {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-Zhiyin-CSRF": asking.csrf, "Accept-Language": asking.language },
        body: JSON.stringify({ condition, format: "csv", ...(day ? { as_of: day } : {}) }),
      });
      if (!response.ok) throw new Error(String(response.status));
      keep("audience.csv", await response.blob());
    } catch {
      message.error(t("state.wrong"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button loading={busy} onClick={() => void take()}>
      {t("audiences.export")}
    </Button>
  );
}
