// Campaigns: what each is set off by, how far it came, and what it costs; one opens into what it changed. And a calendar of what is sent when.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, got, type Schemas } from "@zhiyin/api";
import { Segmented } from "antd";
import { lazy, Suspense } from "react";
import { money, share, whole } from "../format";
import { useCurrency } from "../home";
import { useCampaignNames } from "../live";
import { Csv, Find, Views } from "../parts/list-tools";
import { Card, Page, Pill } from "../parts/page";
import { Asked, Bones, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords, word } from "../words";

const Calendar = lazy(() => import("./campaign/calendar"));

export const stateTone = (state: string) => (state === "running" ? "good" : state === "paused" ? "warn" : "") as "good" | "warn" | "";
type Row = Schemas["CampaignView"];

export function Campaigns() {
  const { t } = useWords();
  const [{ tab = "list" }, setAddress] = useAddress();
  return (
    <Page wide title={t("campaigns.title")} lead={t("campaigns.lead")}>
      <Tabs
        label={t("campaigns.title")}
        activeKey={tab}
        onChange={(next) => setAddress({ tab: next }, { push: true })}
        items={[
          { key: "list", label: t("campaigns.list"), children: <List /> },
          {
            key: "calendar",
            label: t("calendar.title"),
            children: (
              <Suspense fallback={<Bones lines={10} />}>
                <Calendar />
              </Suspense>
            ),
          },
        ]}
      />
    </Page>
  );
}

function List() {
  const { t, lang } = useWords();
  const navigate = useNavigate();
  const currency = useCurrency();
  const nameOf = useCampaignNames();
  const [{ state = "all", find = "" }, setAddress] = useAddress();
  const campaigns = useQuery({ queryKey: ["campaigns", lang], queryFn: ({ signal }) => got(api.GET("/v1/campaigns", { signal })) });
  const count = (key: string) => (row: Row) => row.counts[key] ?? 0;
  const counted = (key: string, title: string, far = false): Column<Row> => ({ key, title, right: true, far, by: count(key), text: count(key), cell: (row) => whole(count(key)(row)) });
  const columns: Column<Row>[] = [
    {
      key: "name",
      title: t("campaigns.name"),
      by: (row) => nameOf(row.campaign, row.name),
      text: (row) => nameOf(row.campaign, row.name),
      cell: (row) => (
        <Link to="/campaigns/$id" params={{ id: row.campaign }}>
          {nameOf(row.campaign, row.name)}
        </Link>
      ),
    },
    { key: "state", title: t("campaigns.state"), by: (row) => row.state, text: (row) => word("campaign_state", row.state), cell: (row) => <Pill tone={stateTone(row.state)}>{word("campaign_state", row.state)}</Pill> },
    { key: "on", title: t("campaigns.on"), far: true, by: (row) => row.on, text: (row) => word("on", row.on), cell: (row) => word("on", row.on) },
    { key: "purpose", title: t("campaigns.purpose"), far: true, by: (row) => row.purpose, text: (row) => word("purpose", row.purpose), cell: (row) => word("purpose", row.purpose) },
    { key: "holdout", title: t("campaigns.holdout"), far: true, right: true, by: (row) => row.holdout, text: (row) => row.holdout / 10_000, cell: (row) => share(row.holdout, 10_000, 0) },
    counted("began", t("campaigns.began")),
    counted("sent", t("campaigns.sent")),
    counted("not_sent", t("campaigns.not_sent"), true),
    {
      key: "cost",
      title: t("campaigns.cost"),
      far: true,
      right: true,
      by: (row) => row.cost_minor ?? null,
      text: (row) => (row.cost_minor == null ? "" : row.cost_minor / 100),
      cell: (row) => (row.cost_minor == null ? <span className="quiet">—</span> : `${money(row.cost_minor, currency)}${row.budget_minor == null ? "" : ` / ${money(row.budget_minor, currency)}`}`),
    },
  ];
  return (
    <Asked of={campaigns}>
      {({ items }) => {
        const rows = items.filter((one) => (state === "all" || one.state === state) && `${one.campaign} ${nameOf(one.campaign, one.name)}`.toLowerCase().includes(find.trim().toLowerCase()));
        return items.length === 0 ? (
          <Card>
            <None title={t("campaigns.none")} action={<Link to="/playbook">{t("audiences.to_playbook")}</Link>}>
              {t("campaigns.none_say")}
            </None>
          </Card>
        ) : (
          <>
            <div className="apart" style={{ marginBottom: 12 }}>
              <div className="row">
                <Find label={t("campaigns.find")} name="find" width={200} />
                <Segmented
                  aria-label={t("campaigns.state")}
                  value={state}
                  onChange={(next) => setAddress({ state: next === "all" ? "" : next })}
                  options={["all", "running", "paused", "stopped"].map((value) => ({
                    value,
                    label: `${word("campaign_state", value)} ${whole(value === "all" ? items.length : items.filter((one) => one.state === value).length)}`,
                  }))}
                />
              </div>
              <div className="row">
                <Views page="campaigns" names={["state", "find", "sort"]} />
                <Csv name="campaigns" columns={columns} rows={rows} />
              </div>
            </div>
            <Card flush>
              {rows.length === 0 ? <None title={t("campaigns.none_match")} /> : <DataTable label={t("campaigns.title")} rows={rows} id={(row) => row.campaign} open={(row) => void navigate({ to: "/campaigns/$id", params: { id: row.campaign } })} columns={columns} />}
            </Card>
          </>
        );
      }}
    </Asked>
  );
}
