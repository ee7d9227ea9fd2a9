// Accounts on platforms: how well each is known and what holds it up, how full it is, and the codes that lead to its staff.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button } from "antd";
import { ago, money, whole } from "../../format";
import { useMay } from "../../home";
import { Csv } from "../../parts/list-tools";
import { When } from "../../parts/marks";
import { Card, Figures, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";

type Platform = Schemas["PlatformView"];
type Seat = Schemas["AccountSeats"];
type Way = Schemas["WayView"];
/** What of it people count; the rest is how the home keeps count of itself. */
const KINDS = new Set(["contact", "customer", "group", "seat", "tag", "desk", "word", "talk", "way"]);
/** Rows of the home's own, where conversations lie: no account of the brand's. */
const isOwn = (row: Platform) => row.account === "inbox" && row.staff === 0 && row.looked_from == null && row.began == null;
/** What the platform asks is in yuan, whatever the brand sells in. */
const FEE_IN = "CNY";

export default function Platforms() {
  const { t } = useWords();
  const may = useMay();
  const [{ counts = "" }, setAddress] = useAddress();
  const list = useQuery({
    queryKey: ["platforms", counts],
    queryFn: async ({ signal }) => ({ items: (await got(api.GET("/v1/platforms", { params: { query: counts ? { counts: true } : {} }, signal }))).items.filter((row) => !isOwn(row)) }),
    refetchInterval: 15_000,
  });
  const seats = useQuery({ queryKey: ["seats"], queryFn: ({ signal }) => got(api.GET("/v1/seats", { signal })) });
  const columns: Column<Platform>[] = [
    { key: "account", title: t("platforms.account"), by: (row) => row.account, text: (row) => `${row.channel} ${row.account}`, cell: (row) => <span className="nowrap">{`${word("channel", row.channel)} · ${row.account}`}</span> },
    {
      key: "looked",
      title: t("platforms.looked"),
      by: (row) => row.age_seconds ?? null,
      text: (row) => row.looked_from,
      cell: (row) => (row.age_seconds == null ? <span className="quiet">{t("platforms.never")}</span> : <span title={row.looked_from ?? undefined}>{ago(row.age_seconds)}</span>),
    },
    { key: "stage", title: t("platforms.stage"), far: true, text: (row) => row.stage, cell: (row) => word("platform_stage", row.stage) },
    { key: "next", title: t("platforms.next"), far: true, text: (row) => row.next_look, cell: (row) => <When at={row.next_look} /> },
    { key: "staff", title: t("platforms.staff"), right: true, far: true, by: (row) => row.staff, text: (row) => row.staff, cell: (row) => whole(row.staff) },
    {
      key: "state",
      title: t("platforms.state"),
      text: (row) => (row.failed > 0 ? `${row.failed} ${row.why ?? ""}` : ""),
      cell: (row) => (
        <span className="row" style={{ gap: 6 }}>
          <Pill tone={row.failed > 0 ? "bad" : row.age_seconds == null ? "warn" : "good"}>{row.failed > 0 ? t("platforms.failed", { n: whole(row.failed) }) : row.age_seconds == null ? t("platforms.never") : t("platforms.well")}</Pill>
          {row.why ? <code className="small">{row.why}</code> : null}
        </span>
      ),
    },
    ...(counts
      ? [
          {
            key: "known",
            title: t("platforms.known"),
            far: true,
            text: (row: Platform) => row.known.filter((one) => KINDS.has(one.kind)).map((one) => `${one.kind} ${one.n}`).join("; "),
            cell: (row: Platform) => <span className="small">{row.known.filter((one) => KINDS.has(one.kind)).map((one) => `${word("known_kind", one.kind)} ${whole(one.n)}`).join(t("list_comma")) || "—"}</span>,
          },
        ]
      : []),
  ];
  return (
    <div className="stack">
      <Asked of={list}>
        {({ items }) => (
          <Card
            flush
            title={t("platforms.title")}
            aside={
              <span className="row">
                {counts ? null : (
                  <Button size="small" disabled={items.length === 0} onClick={() => setAddress({ counts: "1" })}>
                    {t("platforms.count")}
                  </Button>
                )}
                <Csv name="platforms" columns={columns} rows={items} />
              </span>
            }
          >
            {items.length === 0 ? <None title={t("platforms.none")}>{t("platforms.none_say")}</None> : <DataTable label={t("platforms.title")} rows={items} id={(row) => `${row.channel} ${row.account}`} columns={columns} />}
          </Card>
        )}
      </Asked>
      <Asked of={seats} bones={2} height={24}>
        {(data) => <Seats data={data} />}
      </Asked>
      {may("playbook_read") ? <Ways /> : null}
    </div>
  );
}

function Seats({ data }: { data: Schemas["SeatsView"] }) {
  const { t } = useWords();
  if (data.at == null && data.accounts.length === 0) return null;
  const columns: Column<Seat>[] = [
    { key: "account", title: t("platforms.account"), by: (row) => row.account, text: (row) => row.account, cell: (row) => <span className="mono">{row.account}</span> },
    { key: "persona", title: t("platforms.persona"), far: true, by: (row) => row.persona, text: (row) => row.persona, cell: (row) => (row.persona ? word("persona", row.persona) : "—") },
    { key: "friends", title: t("platforms.friends"), right: true, by: (row) => row.friends, text: (row) => row.friends, cell: (row) => whole(row.friends) },
    { key: "most", title: t("platforms.most"), right: true, by: (row) => row.most, text: (row) => row.most, cell: (row) => (row.most == null ? "—" : whole(row.most)) },
    { key: "room", title: t("platforms.state"), text: (row) => (row.warn ? t("platforms.nearly_full") : t("platforms.room")), cell: (row) => <Pill tone={row.warn ? "warn" : "good"}>{row.warn ? t("platforms.nearly_full") : t("platforms.room")}</Pill> },
  ];
  return (
    <>
      <Figures
        of={[
          { label: t("platforms.contacts"), value: whole(data.contacts), note: t("platforms.contacts_note") },
          { label: t("platforms.free"), value: data.free == null ? "—" : whole(data.free), note: data.warn ? <Pill tone="warn">{t("platforms.nearly_full")}</Pill> : t("platforms.room") },
          { label: t("platforms.seats_of"), value: data.seats == null ? "—" : whole(data.seats), note: data.why ?? data.of },
          { label: t("platforms.fee"), value: data.fee_a_year == null ? "—" : money(data.fee_a_year, FEE_IN), note: t("platforms.fee_note") },
        ]}
      />
      {data.accounts.length > 0 ? (
        <Card
          flush
          title={t("platforms.seats")}
          aside={
            <span className="row">
              <span>
                {data.at ? (
                  <>
                    {t("platforms.measured")} <When at={data.at} />
                  </>
                ) : (
                  t("platforms.not_measured")
                )}
              </span>
              <Csv name="seats" columns={columns} rows={data.accounts} />
            </span>
          }
        >
          <DataTable label={t("platforms.seats")} rows={data.accounts} id={(row) => row.account} columns={columns} sorts="seats" />
        </Card>
      ) : null}
    </>
  );
}

function Ways() {
  const { t } = useWords();
  const list = useQuery({ queryKey: ["ways"], queryFn: ({ signal }) => got(api.GET("/v1/ways", { signal })) });
  const today = (row: Way) => row.today.reduce((sum, one) => sum + one.adds, 0);
  const columns: Column<Way>[] = [
    { key: "name", title: t("platforms.way"), by: (row) => row.name, text: (row) => row.name, cell: (row) => row.name || row.touchpoint },
    { key: "leads", title: t("platforms.leads"), text: (row) => row.leads_to, cell: (row) => word("leads_to", row.leads_to) },
    { key: "to", title: t("platforms.to"), far: true, text: (row) => row.to.join(" "), cell: (row) => <span className="mono small">{row.to.join(t("list_comma")) || "—"}</span> },
    { key: "today", title: t("platforms.today"), right: true, far: true, by: today, text: today, cell: (row) => whole(today(row)) },
    {
      key: "state",
      title: t("platforms.state"),
      text: (row) => row.state,
      cell: (row) => (
        <span className="row" style={{ gap: 6 }}>
          <Pill tone={row.why ? "bad" : row.state === "there" ? "good" : "warn"}>{word("way_state", row.state)}</Pill>
          {row.why ? <code className="small">{row.why}</code> : null}
        </span>
      ),
    },
    {
      key: "picture",
      title: t("platforms.picture"),
      right: true,
      text: (row) => row.picture,
      cell: (row) =>
        row.picture ? (
          <a href={row.picture} target="_blank" rel="noreferrer noopener">
            {t("do.look")}
          </a>
        ) : (
          "—"
        ),
    },
  ];
  return (
    <Asked of={list}>
      {({ items }) => (
        <Card flush title={t("platforms.ways")} aside={items.length > 0 ? <Csv name="codes" columns={columns} rows={items} /> : t("platforms.ways_say")}>
          {items.length === 0 ? <None slim title={t("platforms.no_ways")}>{t("platforms.no_ways_say")}</None> : <DataTable label={t("platforms.ways")} rows={items} id={(row) => `${row.account} ${row.touchpoint} ${row.leads_to}`} columns={columns} sorts="ways" />}
        </Card>
      )}
    </Asked>
  );
}
