// One campaign: what it changed, in words and intervals; what it cost; and why a member was, or was not, sent something.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Input, Popconfirm } from "antd";
import { lazy, Suspense, useState } from "react";
import { decimal, fineMoney, money, share, whole } from "../format";
import { useCurrency, useMay } from "../home";
import { useCampaignNames } from "../live";
import { Card, Facts, Figures, Page, Pill } from "../parts/page";
import { Rails } from "../parts/rails";
import { Asked, Bones, None } from "../parts/states";
import { DataTable } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { lookUp } from "../seek";
import { useWords, word } from "../words";
import { stateTone } from "./campaigns";

const Flow = lazy(() => import("./campaign/flow"));

type Effect = Schemas["EffectView"];
type Measure = Effect["measures"][number];

export function Campaign() {
  const { t, lang } = useWords();
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const may = useMay();
  const nameOf = useCampaignNames();
  const [{ tab = "results" }, setAddress] = useAddress();
  const params = { path: { campaign: id } };
  const campaign = useQuery({ queryKey: ["campaign", id, lang], queryFn: ({ signal }) => got(api.GET("/v1/campaigns/{campaign}", { params, signal })) });
  const effect = useQuery({ queryKey: ["effect", id, "whole", lang], queryFn: ({ signal }) => got(api.GET("/v1/campaigns/{campaign}/effect", { params, signal })) });
  return (
    <Page
      title={campaign.data ? nameOf(id, campaign.data.name) : t("campaigns.one")}
      back={{ to: "/campaigns", label: t("campaigns.title") }}
      lead={
        campaign.data ? (
          <span className="row" style={{ gap: "2px 12px" }}>
            <Pill tone={stateTone(campaign.data.state)}>{word("campaign_state", campaign.data.state)}</Pill>
            <span>{t("campaigns.lead_of", { on: word("on", campaign.data.on), purpose: word("purpose", campaign.data.purpose), holdout: share(campaign.data.holdout, 10_000, 0) })}</span>
          </span>
        ) : undefined
      }
      actions={may("campaigns_manage") && campaign.data ? <Doings id={id} state={campaign.data.state} /> : undefined}
    >
      <Asked of={campaign} bones={6} height={24}>
        {(data) => (
          <div className="stack">
            <Figures
              of={[
                { label: t("campaigns.began"), value: whole(data.counts.began ?? 0), note: t("campaigns.held_out_n", { n: whole(data.counts.held_out ?? 0) }) },
                { label: t("campaigns.sent"), value: whole(data.counts.sent ?? 0), note: t("campaigns.not_sent_n", { n: whole(data.counts.not_sent ?? 0) }) },
                { label: t("campaigns.coupons"), value: whole(data.counts.coupon ?? 0), note: t("campaigns.steps_n", { n: data.steps }) },
                { label: t("campaigns.goals"), value: whole(data.counts.goal ?? 0), note: t("campaigns.ended_n", { n: whole(data.counts.ended ?? 0) }) },
              ]}
            />
            <div>
              <Tabs
                label={t("campaigns.one")}
                activeKey={tab}
                onChange={(next) => setAddress({ tab: next, step: "" }, { push: true })}
                items={[
                  {
                    key: "results",
                    label: t("campaigns.changed"),
                    children: (
                      <div className="stack">
                        <Costs campaign={data} />
                        <Asked of={effect} bones={6}>
                          {(found) => <Changed effect={found} />}
                        </Asked>
                      </div>
                    ),
                  },
                  {
                    key: "flow",
                    label: t("flow.title"),
                    children: (
                      <Suspense fallback={<Bones lines={10} />}>
                        <Flow id={id} />
                      </Suspense>
                    ),
                  },
                  { key: "trace", label: t("campaigns.trace"), children: <Trace id={id} /> },
                ]}
              />
            </div>
          </div>
        )}
      </Asked>
    </Page>
  );
}

function Doings({ id, state }: { id: string; state: string }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const params = { path: { campaign: id } };
  const act = async (doing: () => Promise<unknown>) => {
    try {
      await doing();
      await client.invalidateQueries();
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  return (
    <>
      {state === "running" ? <Button onClick={() => void act(() => got(api.POST("/v1/campaigns/{campaign}/pause", { params })))}>{t("campaigns.pause")}</Button> : null}
      {state === "paused" ? (
        <Button type="primary" onClick={() => void act(() => got(api.POST("/v1/campaigns/{campaign}/resume", { params })))}>
          {t("campaigns.resume")}
        </Button>
      ) : null}
      {state !== "stopped" ? (
        <Popconfirm title={t("campaigns.stop_ask")} description={t("campaigns.stop_say")} okText={t("campaigns.stop")} onConfirm={() => act(() => got(api.POST("/v1/campaigns/{campaign}/stop", { params })))}>
          <Button danger>{t("campaigns.stop")}</Button>
        </Popconfirm>
      ) : null}
    </>
  );
}

function Changed({ effect }: { effect: Effect }) {
  const { t, lang } = useWords();
  const says = (both: { zh: string; en: string }) => (lang === "zh" ? both.zh : both.en);
  const show = (value: number, unit: string) => (unit === "share" ? `${decimal(value * 100, 1)}%` : unit === "money" ? money(value, effect.currency) : decimal(value, 2));
  const measured = effect.measures.filter((one) => one.sequential ?? one.fixed);
  return (
    <>
      <Card title={t("campaigns.changed")} aside={t("campaigns.arms", { n: whole(effect.members) })}>
        {effect.members === 0 ? (
          <None slim title={t("campaigns.nobody_yet")}>
            {t("campaigns.nobody_yet_say")}
          </None>
        ) : measured.length === 0 ? (
          <div className="stack">
            <div className="note">
              <span className="grow">
                <strong>{t("campaigns.too_early")}</strong>
                <br />
                <span className="quiet">{effect.measures[0] ? says(effect.measures[0].says) : ""}</span>
                {effect.measures[0] && effect.measures[0].waiting > 0 ? (
                  <span className="quiet"> {t("campaigns.waiting", { n: whole(effect.measures[0].waiting), days: decimal(effect.measures[0].within_minutes / 1440, 0) })}</span>
                ) : null}
              </span>
            </div>
          </div>
        ) : (
          <ul className="stack">
            {measured.map((measure) => (
              <li key={measure.measure} className="grid" style={{ gridTemplateColumns: "minmax(120px, 1fr) minmax(160px, 2fr)", alignItems: "center" }}>
                <div>
                  <strong>{word("measure", measure.measure)}</strong>
                  <div className="small quiet">{t("campaigns.against", { treated: show(measure.treated.mean, measure.unit), control: show(measure.control.mean, measure.unit) })}</div>
                </div>
                <div>
                  <Interval measure={measure} show={(value) => show(value, measure.unit)} />
                  <p>{says(measure.says)}</p>
                </div>
              </li>
            ))}
          </ul>
        )}
        {effect.notes.length > 0 ? (
          <ul className="small quiet" style={{ marginTop: 14 }}>
            {effect.notes.map((note) => (
              <li key={note.en}>{says(note)}</li>
            ))}
          </ul>
        ) : null}
      </Card>
      <div className="grid g2">
        <Card flush title={t("campaigns.by_arm")}>
          <DataTable
            label={t("campaigns.by_arm")}
            rows={effect.arms}
            id={(row) => row.arm}
            columns={[
              { key: "arm", title: t("campaigns.arm"), cell: (row) => word("arm", row.arm) },
              { key: "members", title: t("campaigns.members"), right: true, cell: (row) => whole(row.members) },
              { key: "sent", title: t("campaigns.sent"), right: true, cell: (row) => whole(row.sent) },
              { key: "coupons", title: t("campaigns.coupon_cost"), right: true, cell: (row) => money(row.coupon_cost, effect.currency) },
              { key: "points", title: t("campaigns.points"), right: true, far: true, cell: (row) => whole(row.points) },
            ]}
          />
        </Card>
        <Card title={t("campaigns.trust")}>
          <Facts
            of={[
              [
                t("campaigns.sample_ratio"),
                <Pill key="ratio" tone={effect.sample_ratio < 0.001 ? "bad" : "good"}>
                  {effect.sample_ratio < 0.001 ? t("campaigns.ratio_bad") : t("campaigns.ratio_good")} (p = {decimal(effect.sample_ratio, 3)})
                </Pill>,
              ],
              [t("campaigns.contaminated"), t("campaigns.contaminated_n", { n: whole(effect.contaminated) })],
              effect.cost ? [t("campaigns.cost"), says(effect.cost.says)] : null,
            ]}
          />
        </Card>
      </div>
    </>
  );
}

/** What it may cost in all and costs so far, and what its messages came to where each costs something. */
function Costs({ campaign }: { campaign: Schemas["CampaignView"] }) {
  const { t } = useWords();
  const currency = useCurrency();
  const sending = Object.entries(campaign.sending);
  if (sending.length === 0 && campaign.budget_minor === null) return null;
  return (
    <Card title={t("costs.title")} aside={campaign.budget_minor === null ? undefined : t("costs.budget", { cost: money(campaign.cost_minor ?? 0, currency), budget: money(campaign.budget_minor, currency) })}>
      {sending.length === 0 ? (
        <p className="quiet">{t("costs.none")}</p>
      ) : (
        <DataTable
          label={t("costs.title")}
          rows={sending}
          id={([channel]) => channel}
          dense
          columns={[
            { key: "channel", title: t("messages.channel"), cell: ([channel]) => word("channel", channel) },
            { key: "taken", title: t("costs.taken"), right: true, cell: ([, spent]) => whole(spent.taken) },
            { key: "parts", title: t("costs.parts"), right: true, cell: ([, spent]) => whole(spent.parts) },
            { key: "cost", title: t("costs.cost"), right: true, cell: ([, spent]) => fineMoney(spent.cost_ten_thousandths, currency) },
          ]}
        />
      )}
    </Card>
  );
}

/** A difference with its interval, and where nothing would lie. */
function Interval({ measure, show }: { measure: Measure; show: (value: number) => string }) {
  const found = measure.sequential ?? measure.fixed;
  if (!found) return null;
  const far = Math.max(Math.abs(found.low), Math.abs(found.high), 1e-9) * 1.1;
  const at = (value: number) => `${50 + (50 * value) / far}%`;
  const unsure = found.low <= 0 && found.high >= 0;
  return (
    <div className={unsure ? "interval unsure" : "interval"} role="img" aria-label={`${show(found.at)} (${show(found.low)} – ${show(found.high)})`}>
      <span className="axis" />
      <span className="zero" style={{ left: "50%" }} />
      <span className="span" style={{ left: at(found.low), right: `calc(100% - ${at(found.high)})` }} />
      <span className="at" style={{ left: at(found.at) }} />
    </div>
  );
}

function Trace({ id }: { id: string }) {
  const { t } = useWords();
  const [{ member = "" }, setAddress] = useAddress();
  const [typed, setTyped] = useState("");
  const [nobody, setNobody] = useState(false);
  const look = async () => {
    setNobody(false);
    const found = await lookUp(typed, JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[]);
    if (found[0]) setAddress({ member: found[0].id });
    else setNobody(true);
  };
  return (
    <Card title={t("campaigns.trace")} aside={t("campaigns.trace_say")}>
      <div className="filters">
        <Input.Search
          style={{ maxWidth: 360 }}
          aria-label={t("campaigns.trace_find")}
          placeholder={t("campaigns.trace_find")}
          value={typed}
          status={nobody ? "error" : ""}
          onChange={(event) => setTyped(event.target.value)}
          onSearch={() => void look()}
          enterButton={t("do.look")}
        />
        {nobody ? (
          <span className="danger small" role="alert">
            {t("campaigns.trace_nobody")}
          </span>
        ) : null}
      </div>
      {member ? <Rails member={member} campaign={id} /> : <None slim title={t("campaigns.trace_none")}>{t("campaigns.trace_none_say")}</None>}
    </Card>
  );
}
