// Campaigns: what each is set off by, how far it came, and what it costs; one opens into what it changed.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, got } from "@zhiyin/api";
import { Segmented } from "antd";
import { money, share, whole } from "../format";
import { useCurrency } from "../home";
import { Card, Page, Pill } from "../parts/page";
import { Asked, None } from "../parts/states";
import { DataTable } from "../parts/table";
import { useAddress } from "../router";
import { useWords, word } from "../words";

export const stateTone = (state: string) => (state === "running" ? "good" : state === "paused" ? "warn" : "") as "good" | "warn" | "";

export function Campaigns() {
  const { t, lang } = useWords();
  const navigate = useNavigate();
  const currency = useCurrency();
  const [{ state = "all" }, setAddress] = useAddress();
  const campaigns = useQuery({ queryKey: ["campaigns", lang], queryFn: ({ signal }) => got(api.GET("/v1/campaigns", { signal })) });
  return (
    <Page wide title={t("campaigns.title")} lead={t("campaigns.lead")}>
      <Asked of={campaigns}>
        {({ items }) =>
          items.length === 0 ? (
            <Card>
              <None title={t("campaigns.none")} action={<Link to="/playbook">{t("audiences.to_playbook")}</Link>}>
                {t("campaigns.none_say")}
              </None>
            </Card>
          ) : (
            <>
              <div className="filters">
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
              <Card flush>
                <DataTable
                  label={t("campaigns.title")}
                  rows={items.filter((one) => state === "all" || one.state === state)}
                  id={(row) => row.campaign}
                  open={(row) => void navigate({ to: "/campaigns/$id", params: { id: row.campaign } })}
                  columns={[
                    {
                      key: "name",
                      title: t("campaigns.name"),
                      cell: (row) => (
                        <Link to="/campaigns/$id" params={{ id: row.campaign }}>
                          {row.name}
                        </Link>
                      ),
                    },
                    { key: "state", title: t("campaigns.state"), cell: (row) => <Pill tone={stateTone(row.state)}>{word("campaign_state", row.state)}</Pill> },
                    { key: "on", title: t("campaigns.on"), far: true, cell: (row) => word("on", row.on) },
                    { key: "purpose", title: t("campaigns.purpose"), far: true, cell: (row) => word("purpose", row.purpose) },
                    { key: "holdout", title: t("campaigns.holdout"), far: true, right: true, cell: (row) => share(row.holdout, 10_000, 0) },
                    { key: "began", title: t("campaigns.began"), right: true, cell: (row) => whole(row.counts.began ?? 0) },
                    { key: "sent", title: t("campaigns.sent"), right: true, cell: (row) => whole(row.counts.sent ?? 0) },
                    { key: "not", title: t("campaigns.not_sent"), far: true, right: true, cell: (row) => whole(row.counts.not_sent ?? 0) },
                    {
                      key: "cost",
                      title: t("campaigns.cost"),
                      far: true,
                      right: true,
                      cell: (row) =>
                        row.cost_minor == null ? <span className="quiet">—</span> : `${money(row.cost_minor, currency)}${row.budget_minor == null ? "" : ` / ${money(row.budget_minor, currency)}`}`,
                    },
                  ]}
                />
              </Card>
            </>
          )
        }
      </Asked>
    </Page>
  );
}
