// The overview: how many members, what they bought, how they move, what is owed to them, what campaigns changed; each figure opens into its audience.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, got, Refusal, type Overview as Data } from "@zhiyin/api";
import { lazy, Suspense, useCallback } from "react";
import { called, decimal, day, money, moment, month, share, short, shortMoney, whole } from "../format";
import { useMay, useOverview } from "../home";
import { CHANNELS } from "../parts/channels";
import { Short, stageTint, Tint, tierTint } from "../parts/marks";
import { Bars, Card, Facts, Figures, Page, Pill } from "../parts/page";
import { Asked, Bones, None } from "../parts/states";
import { useWords, word } from "../words";
import type { ChartOption } from "../parts/chart";
import { colour } from "../colour";

const Chart = lazy(() => import("../parts/chart"));

const count = (condition: string) => ({
  queryKey: ["count", condition],
  queryFn: ({ signal }: { signal: AbortSignal }) => got(api.POST("/v1/audiences/count", { body: { condition }, signal })),
  staleTime: 60_000,
  retry: false,
});

const ACTIVE = 'size(within(orders, "90d")) >= 1';

export function Overview() {
  const { t } = useWords();
  const overview = useOverview();
  const zone = overview.data?.brand.timezone;
  return (
    <Page
      title={t("overview.title")}
      lead={
        overview.data
          ? t("overview.as_of", { at: moment(overview.data.clock.business_now, zone), brand: overview.data.brand.playbook, version: overview.data.brand.version })
          : undefined
      }
    >
      <Asked of={overview} bones={8} height={28}>
        {(data) => (data.members.total === 0 ? <Empty /> : <Full data={data} />)}
      </Asked>
    </Page>
  );
}

function Empty() {
  const { t } = useWords();
  return (
    <Card>
      <None title={t("overview.none")} action={<a href="/docs">{t("overview.none_do")}</a>}>
        {t("overview.none_say")}
      </None>
    </Card>
  );
}

function Full({ data }: { data: Data }) {
  const { t } = useWords();
  const active = useQuery(count(ACTIVE));
  const { currency } = data.brand;
  const year = data.weeks.reduce((sum, week) => sum + week.paid_minor, 0);
  return (
    <div className="stack">
      <Figures
        of={[
          {
            label: t("overview.members"),
            value: <Short n={data.members.total} />,
            note: t("overview.members_note", { n: whole(data.members.enrolled) }),
            to: "/members",
          },
          {
            label: t("overview.active"),
            value: active.data ? <Short n={active.data.count} /> : "—",
            note: active.data ? t("overview.active_note", { share: share(active.data.count, data.members.total) }) : undefined,
            to: "/audiences",
            search: { c: ACTIVE },
          },
          {
            label: t("overview.sales"),
            value: shortMoney(year, currency),
            exact: money(year, currency),
            note: t("overview.sales_note", { n: short(data.weeks.reduce((sum, week) => sum + week.orders, 0)) }),
            to: "/audiences",
            search: { c: 'size(within(orders, "365d")) >= 1' },
          },
          {
            label: t("overview.owed"),
            value: <Short n={data.points.outstanding} />,
            note: data.points.worth_minor === null ? t("overview.no_worth") : t("overview.worth", { money: shortMoney(data.points.worth_minor, currency) }),
            to: "/books",
          },
          {
            label: t("overview.at_risk"),
            value: <Short n={stage(data, "decline") + stage(data, "lost")} />,
            note: t("overview.at_risk_note", { share: share(stage(data, "decline") + stage(data, "lost"), data.members.total) }),
            to: "/audiences",
            search: { c: 'lifecycle in ["decline", "lost"]' },
          },
        ]}
      />
      <div className="grid g21">
        <Sales data={data} />
        <Tiers data={data} />
      </div>
      <div className="grid g21">
        <Flow data={data} />
        <Stages data={data} />
      </div>
      <div className="grid g3">
        <Reach total={data.members.total} />
        <Liability data={data} />
        <Tags data={data} />
      </div>
      <div className="grid g21">
        <Running />
        <Freshness data={data} />
      </div>
    </div>
  );
}

/** Stages in the order in which members go through them. */
const STAGES = ["introduction", "growth", "maturity", "decline", "lost"];
const stageRank = (id: string) => (STAGES.includes(id) ? STAGES.indexOf(id) : STAGES.length);

const stage = (data: Data, id: string) => data.lifecycle.stages.find((one) => one.id === id)?.members ?? 0;

/** Who bought in a week: as of its last day. */
const boughtIn = (start: string) => {
  const end = new Date(`${start.slice(0, 10)}T00:00:00Z`);
  end.setUTCDate(end.getUTCDate() + 6);
  return { c: 'size(within(orders, "7d")) >= 1', day: end.toISOString().slice(0, 10) };
};

function Sales({ data }: { data: Data }) {
  const { t, lang } = useWords();
  const navigate = useNavigate();
  const { currency } = data.brand;
  // The weeks in which the record begins and ends are not whole, and would read as a rise and a fall.
  const weeks = data.weeks.length > 8 ? data.weeks.slice(1, -1) : data.weeks;
  // biome-ignore lint/correctness/useExhaustiveDependencies: words and numbers change with the language.
  const option = useCallback(
    (): ChartOption => ({
      grid: { left: 8, right: 12, top: 16, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        backgroundColor: colour("--surface"),
        borderColor: colour("--line"),
        textStyle: { color: colour("--ink"), fontSize: 12.5 },
        formatter: (points: unknown) => {
          const at = (points as { dataIndex: number }[])[0]?.dataIndex ?? 0;
          const week = weeks[at];
          return week ? `${t("overview.week_of", { day: day(week.start) })}<br/><b>${money(week.paid_minor, currency)}</b> · ${t("overview.orders", { n: whole(week.orders) })}` : "";
        },
      },
      xAxis: {
        type: "category",
        data: weeks.map((week) => week.start),
        boundaryGap: false,
        axisLine: { lineStyle: { color: colour("--line") } },
        axisTick: { show: false },
        axisLabel: { color: colour("--ink-2"), formatter: (value: string) => month(value), interval: (at: number) => at > 0 && weeks[at]?.start.slice(0, 7) !== weeks[at - 1]?.start.slice(0, 7) && Number(weeks[at]?.start.slice(5, 7)) % 2 === 1, hideOverlap: true },
      },
      yAxis: {
        type: "value",
        min: 0,
        splitNumber: 4,
        splitLine: { lineStyle: { color: colour("--line"), type: "dashed" } },
        axisLabel: { color: colour("--ink-2"), formatter: (value: number) => (value === 0 ? "0" : shortMoney(value, currency)) },
      },
      series: [
        {
          type: "line",
          data: weeks.map((week) => week.paid_minor),
          showSymbol: false,
          smooth: 0.25,
          lineStyle: { color: colour("--celadon"), width: 2 },
          itemStyle: { color: colour("--celadon") },
          areaStyle: { color: colour("--celadon"), opacity: 0.08 },
        },
      ],
    }),
    [data, lang],
  );
  const last = weeks.at(-1);
  const four = weeks.slice(-4).reduce((sum, week) => sum + week.paid_minor, 0);
  const before = weeks.slice(-8, -4).reduce((sum, week) => sum + week.paid_minor, 0);
  const says = t("overview.sales_say", { n: weeks.length, money: last ? money(last.paid_minor, currency) : "" });
  return (
    <Card
      title={t("overview.sales_by_week")}
      aside={
        last && before > 0 ? (
          <Link to="/audiences" search={boughtIn(last.start)}>
            {t("overview.four_weeks", { change: signedShare(four / before - 1) })}
          </Link>
        ) : undefined
      }
    >
      <Suspense fallback={<Bones lines={6} />}>
        <Chart
          option={option}
          height={252}
          says={says}
          onColumn={(at) => {
            const week = weeks[at];
            if (week) void navigate({ to: "/audiences", search: boughtIn(week.start) as never });
          }}
        />
      </Suspense>
    </Card>
  );
}

const signedShare = (part: number) => `${part > 0 ? "+" : ""}${decimal(part * 100, 1)}%`;

function Tiers({ data }: { data: Data }) {
  const { t } = useWords();
  const paid = data.tiers.reduce((sum, tier) => sum + tier.paid_minor, 0);
  const total = data.tiers.reduce((sum, tier) => sum + tier.members, 0);
  return (
    <Card title={t("overview.tiers")} aside={t("overview.tiers_aside")}>
      {data.tiers.length === 0 ? (
        <None slim title={t("overview.no_tiers")} />
      ) : (
        <div className="stack">
          {[...data.tiers].reverse().map((tier, at) => (
            <Link key={tier.id} to="/audiences" search={{ c: `tier == "${tier.id}"` }} style={{ color: "inherit" }}>
              <div className="apart" style={{ gap: 8 }}>
                <Tint color={tierTint(tier.id, at)}>
                  <strong style={{ fontWeight: 600 }}>{called(tier.name, tier.id)}</strong>
                </Tint>
                <span>{t("overview.tier_members", { n: whole(tier.members), share: share(tier.members, total, 0) })}</span>
              </div>
              <div className="stack tight" style={{ gap: 3, marginTop: 6 }}>
                <Line part={tier.members / (total || 1)} color={tierTint(tier.id, at)} />
                <Line part={tier.paid_minor / (paid || 1)} color="var(--celadon)" />
              </div>
              <div className="small quiet">{t("overview.tier_paid", { share: share(tier.paid_minor, paid), money: shortMoney(tier.paid_minor, data.brand.currency) })}</div>
            </Link>
          ))}
        </div>
      )}
    </Card>
  );
}

const Line = ({ part, color }: { part: number; color: string }) => (
  <span style={{ display: "block", height: 6, borderRadius: 3, background: "var(--sunken)" }}>
    <span style={{ display: "block", height: 6, borderRadius: 3, width: `${Math.max(0.5, part * 100)}%`, background: color }} />
  </span>
);

function Flow({ data }: { data: Data }) {
  const { t, lang } = useWords();
  const navigate = useNavigate();
  const { flow, stages } = data.lifecycle;
  const name = (id: string | null) => (id === null ? t("overview.new_then") : called(stages.find((one) => one.id === id)?.name, id));
  const rank = (id: string | null) => (id === null ? -1 : stageRank(id));
  const links = [...flow.links].sort((a, b) => rank(a.from) - rank(b.from) || rank(a.to) - rank(b.to));
  // biome-ignore lint/correctness/useExhaustiveDependencies: words and numbers change with the language.
  const option = useCallback((): ChartOption => {
    const then = [...new Set(links.map((link) => link.from))];
    const now = [...new Set(links.map((link) => link.to))].sort((a, b) => rank(a) - rank(b));
    const sum = (keep: (link: (typeof links)[number]) => boolean) => links.filter(keep).reduce((all, link) => all + link.members, 0);
    const label = (id: string | null, n: number) => `${name(id)} ${whole(n)}`;
    return {
      tooltip: {
        backgroundColor: colour("--surface"),
        borderColor: colour("--line"),
        textStyle: { color: colour("--ink"), fontSize: 12.5 },
        formatter: (point: unknown) => {
          const { dataType, data: what } = point as { dataType: string; data: { source: string; target: string; value: number; says?: string } };
          return dataType === "edge" ? `${name(what.source === "a:" ? null : what.source.slice(2))} → ${name(what.target.slice(2))}<br/><b>${t("overview.people", { n: whole(what.value) })}</b>` : (what.says ?? "");
        },
      },
      series: [
        {
          type: "sankey",
          left: 4,
          right: 92,
          top: 8,
          bottom: 8,
          nodeWidth: 10,
          nodeGap: 20,
          layoutIterations: 0,
          emphasis: { focus: "adjacency" },
          draggable: false,
          data: [
            ...then.map((id) => ({
              name: `a:${id ?? ""}`,
              depth: 0,
              says: label(id, sum((link) => link.from === id)),
              itemStyle: { color: id === null ? colour("--mute-2") : colour(stageTint(id)), borderWidth: 0 },
              label: { position: "right" as const, formatter: label(id, sum((link) => link.from === id)) },
            })),
            ...now.map((id) => ({
              name: `b:${id}`,
              depth: 1,
              says: label(id, sum((link) => link.to === id)),
              itemStyle: { color: colour(stageTint(id)), borderWidth: 0 },
              label: { position: "right" as const, formatter: label(id, sum((link) => link.to === id)) },
            })),
          ],
          links: links.map((link) => ({ source: `a:${link.from ?? ""}`, target: `b:${link.to}`, value: link.members })),
          lineStyle: { color: "gradient", opacity: 0.22, curveness: 0.5 },
          label: { color: colour("--ink"), fontSize: 12.5 },
        },
      ],
    };
  }, [data, lang]);
  const stayed = links.filter((link) => link.from === link.to).reduce((sum, link) => sum + link.members, 0);
  const fell = links.filter((link) => link.from !== null && rank(link.to) > rank(link.from) && rank(link.to) >= 3).reduce((sum, link) => sum + link.members, 0);
  const back = links.filter((link) => rank(link.from) >= 3 && rank(link.to) < 3).reduce((sum, link) => sum + link.members, 0);
  const says = t("overview.flow_say", { stayed: whole(stayed), fell: whole(fell), back: whole(back) });
  return (
    <Card title={t("overview.flow")} aside={t("overview.from_to", { from: day(flow.from), to: day(flow.to) })}>
      {links.length === 0 ? (
        <None slim title={t("overview.no_flow")} />
      ) : (
        <>
          <Suspense fallback={<Bones lines={6} />}>
            <Chart
              option={option}
              height={330}
              says={says}
              onPick={(picked) => {
                const target = (picked as { name?: string }).name;
                if (target?.startsWith("b:")) void navigate({ to: "/audiences", search: { c: `lifecycle == "${target.slice(2)}"` } as never });
              }}
            />
          </Suspense>
          <p className="small quiet" style={{ marginTop: 8 }}>
            {says}
          </p>
        </>
      )}
    </Card>
  );
}

function Stages({ data }: { data: Data }) {
  const { t } = useWords();
  const total = data.members.total;
  return (
    <Card title={t("overview.stages")} aside={t("overview.now")}>
      <Bars
        of={[...data.lifecycle.stages].sort((a, b) => stageRank(a.id) - stageRank(b.id)).map((one) => ({
          key: one.id,
          label: called(one.name, one.id),
          value: one.members,
          shown: whole(one.members),
          more: share(one.members, total),
          color: stageTint(one.id),
          to: "/audiences",
          search: { c: `lifecycle == "${one.id}"` },
        }))}
      />
    </Card>
  );
}

/** Channels that a playbook may ask consent for; those that it does not ask for are refused, and left out. */
const ASKED = [...CHANNELS, "phone"];

function Reach({ total }: { total: number }) {
  const { t } = useWords();
  const condition = (channel: string) => `consent("marketing", "${channel}")`;
  const asked = useQueries({ queries: ASKED.map((channel) => count(condition(channel))) });
  const known = ASKED.flatMap((channel, at) => {
    const n = asked[at]?.data?.count;
    return n === undefined ? [] : [{ channel, n }];
  });
  const waiting = asked.some((one) => one.isPending);
  const failed = asked.find((one) => one.error && !(one.error instanceof Refusal && one.error.code === "bad_condition"));
  return (
    <Card title={t("overview.reach")} aside={t("overview.reach_aside")}>
      {waiting ? (
        <Bones lines={4} />
      ) : failed ? (
        <Asked of={failed as typeof failed}>{() => null}</Asked>
      ) : known.length === 0 ? (
        <None slim title={t("overview.no_reach")}>
          {t("overview.no_reach_say")}
        </None>
      ) : (
        <Bars
          most={total}
          of={known.map(({ channel, n }) => ({
            key: channel,
            label: word("channel", channel),
            value: n,
            shown: whole(n),
            more: share(n, total),
            color: "var(--indigo)",
            to: "/audiences",
            search: { c: condition(channel) },
          }))}
        />
      )}
    </Card>
  );
}

function Liability({ data }: { data: Data }) {
  const { t } = useWords();
  return (
    <Card title={t("overview.liability")} aside={<Link to="/books">{t("overview.to_books")}</Link>}>
      {data.liability.length === 0 ? (
        <None slim title={t("overview.no_liability")} />
      ) : (
        <>
          <Bars
            of={data.liability.slice(0, 6).map((one) => ({
              key: one.month,
              label: t("overview.expires_in", { month: month(one.month) }),
              value: one.points,
              shown: <Short n={one.points} />,
              color: "var(--gold)",
            }))}
          />
          <p className="small quiet" style={{ marginTop: 10 }}>
            {t("overview.points_say", { earned: short(data.points.earned), spent: short(data.points.spent), expired: short(data.points.expired) })}
          </p>
        </>
      )}
    </Card>
  );
}

function Tags({ data }: { data: Data }) {
  const { t } = useWords();
  const top = [...data.tags].sort((a, b) => b.members - a.members).slice(0, 6);
  return (
    <Card title={t("overview.tags")} aside={t("overview.tags_aside", { n: data.tags.length })}>
      {top.length === 0 ? (
        <None slim title={t("overview.no_tags")} />
      ) : (
        <Bars
          of={top.map((tag) => ({
            key: tag.id,
            label: called(tag.name, tag.id),
            value: tag.members,
            shown: whole(tag.members),
            more: share(tag.members, data.members.total, 0),
            color: "var(--mute-1)",
            to: "/audiences",
            search: { c: `"${tag.id}" in tags` },
          }))}
        />
      )}
    </Card>
  );
}

function Running() {
  const { t, lang } = useWords();
  const may = useMay();
  const campaigns = useQuery({
    queryKey: ["campaigns", lang],
    queryFn: ({ signal }) => got(api.GET("/v1/campaigns", { signal })),
    enabled: may("campaigns_manage"),
  });
  const first = (campaigns.data?.items ?? []).filter((one) => (one.counts.began ?? 0) > 0).slice(0, 4);
  const effects = useQueries({
    queries: first.map((one) => ({
      queryKey: ["effect", one.campaign, "whole", lang],
      queryFn: ({ signal }: { signal: AbortSignal }) => got(api.GET("/v1/campaigns/{campaign}/effect", { params: { path: { campaign: one.campaign } }, signal })),
      staleTime: 60_000,
    })),
  });
  if (!may("campaigns_manage")) return null;
  return (
    <Card title={t("overview.campaigns")} aside={<Link to="/campaigns">{t("overview.all_campaigns")}</Link>}>
      <Asked of={campaigns}>
        {({ items }) =>
          items.length === 0 ? (
            <None slim title={t("campaigns.none")}>
              {t("campaigns.none_say")}
            </None>
          ) : first.length === 0 ? (
            <None slim title={t("overview.none_began")}>
              {t("overview.none_began_say", { n: items.length })}
            </None>
          ) : (
            <ul className="stack tight">
              {first.map((one, at) => {
                const effect = effects[at];
                const measure = effect?.data?.measures[0];
                return (
                  <li key={one.campaign} className="apart" style={{ alignItems: "flex-start", flexWrap: "nowrap", padding: "4px 0" }}>
                    <div className="grow">
                      <div className="row">
                        <Link to="/campaigns/$id" params={{ id: one.campaign }}>
                          <strong>{one.name}</strong>
                        </Link>
                        <Pill tone={one.state === "running" ? "good" : "warn"}>{word("campaign_state", one.state)}</Pill>
                      </div>
                      <div className="small quiet">{measure ? (lang === "zh" ? measure.says.zh : measure.says.en) : effect?.isPending ? t("state.loading") : ""}</div>
                    </div>
                    <div className="small quiet right nowrap">{t("overview.began_sent", { began: whole(one.counts.began ?? 0), sent: whole(one.counts.sent ?? 0) })}</div>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Asked>
    </Card>
  );
}

function Freshness({ data }: { data: Data }) {
  const { t } = useWords();
  const fresh = data.freshness;
  const zone = data.brand.timezone;
  const well = fresh.dead_letters === 0 && (fresh.oldest_waiting_seconds ?? 0) < 60;
  return (
    <Card title={t("overview.freshness")} aside={<Pill tone={well ? "good" : "warn"}>{well ? t("overview.current") : t("overview.behind")}</Pill>}>
      <Facts
        of={[
          [t("overview.last_event"), fresh.last_event_at ? moment(fresh.last_event_at, zone) : "—"],
          [t("overview.waiting"), fresh.inbox_waiting === 0 ? t("overview.nothing_waits") : t("overview.waits", { n: whole(fresh.inbox_waiting), seconds: fresh.oldest_waiting_seconds ?? 0 })],
          [
            t("overview.dead_letters"),
            fresh.dead_letters === 0 ? (
              t("overview.no_dead_letters")
            ) : (
              <Link to="/messages" search={{ tab: "dead" }}>
                {whole(fresh.dead_letters)}
              </Link>
            ),
          ],
          [t("overview.timers"), t("overview.timers_say", { n: whole(fresh.timers_open), at: fresh.next_timer_at ? moment(fresh.next_timer_at, zone) : "—" })],
        ]}
      />
    </Card>
  );
}
