// What passed with partners: whom each brought, what those bought since, whom we sent to them.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Named } from "@zhiyin/api";
import { Drawer } from "antd";
import { called, money, whole } from "../../format";
import { useCurrency } from "../../home";
import { useFile } from "../../live";
import { Listed } from "../../parts/listed";
import { Card, Facts } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import type { Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords } from "../../words";

const COUNTS = ["brought_new", "brought_known", "buyers", "orders", "sent", "sent_times", "redeemed"] as const;
type Row = { partner: string; name: string; paid: number } & Record<(typeof COUNTS)[number], number>;

export default function Partners() {
  const { t } = useWords();
  const currency = useCurrency();
  const file = useFile();
  const [{ partner = "", day = "" }, setAddress] = useAddress();
  const report = useQuery({ queryKey: ["partners", day], queryFn: ({ signal }) => got(api.GET("/v1/partners", { params: { query: day ? { as_of: day } : {} }, signal })) });
  const said = (id: string) => file.data?.partners[id] as { name?: Named; ours?: Named; theirs?: Named } | null | undefined;
  const shown = (row: Row) => called(said(row.partner)?.name, row.name || row.partner);
  const count = (key: (typeof COUNTS)[number], far: boolean): Column<Row> => ({ key, title: t(`partners.${key}`), right: true, far, by: (row) => row[key], text: (row) => row[key], cell: (row) => whole(row[key]) });
  const columns: Column<Row>[] = [
    {
      key: "name",
      title: t("partners.one"),
      by: shown,
      text: shown,
      cell: (row) => (
        <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ partner: row.partner })}>
          {shown(row)}
        </button>
      ),
    },
    count("brought_new", false),
    count("brought_known", true),
    count("buyers", true),
    count("orders", true),
    { key: "paid", title: t("partners.paid"), right: true, by: (row) => row.paid, text: (row) => row.paid / 100, cell: (row) => money(row.paid, currency) },
    count("sent", true),
    count("redeemed", true),
  ];
  return (
    <Asked of={report}>
      {(data) => {
        const rows = data.rows.map((raw) => {
          const cells = raw as Record<string, unknown>;
          return { partner: String(cells.partner ?? ""), name: String(cells.name ?? ""), paid: Number(cells.paid_cents ?? 0), ...Object.fromEntries(COUNTS.map((key) => [key, Number(cells[key] ?? 0)])) } as Row;
        });
        const open = rows.find((row) => row.partner === partner);
        const about = open ? said(open.partner) : undefined;
        return (
          <>
            <Card flush>
              {rows.length === 0 && day === "" ? (
                <None title={t("partners.none")}>{t("partners.none_say")}</None>
              ) : (
                <Listed
                  name="partners"
                  views={["tab", "find", "sort", "day"]}
                  label={t("partners.title")}
                  rows={rows}
                  id={(row) => row.partner}
                  columns={columns}
                  open={(row) => setAddress({ partner: row.partner })}
                  tools={
                    <label className="row">
                      <span className="quiet">{t("partners.day")}</span>
                      <input className="input" style={{ width: 152, height: 32 }} type="date" value={day} onChange={(event) => setAddress({ day: event.target.value })} />
                    </label>
                  }
                />
              )}
            </Card>
            <Drawer open={partner !== ""} onClose={() => setAddress({ partner: "" })} title={open ? shown(open) : partner} size={480} destroyOnHidden>
              {open ? (
                <div className="stack">
                  <Facts
                    of={[
                      [t("partners.code"), <code key="code">{open.partner}</code>],
                      about?.ours ? [t("partners.ours"), called(about.ours)] : null,
                      about?.theirs ? [t("partners.theirs"), called(about.theirs)] : null,
                      ...COUNTS.map((key): [string, string] => [t(`partners.${key}`), whole(open[key])]),
                      [t("partners.paid"), money(open.paid, currency)],
                    ]}
                  />
                  <p className="quiet small">{t("partners.codes_say")}</p>
                </div>
              ) : (
                <None slim title={t("partners.gone")} />
              )}
            </Drawer>
          </>
        );
      }}
    </Asked>
  );
}
