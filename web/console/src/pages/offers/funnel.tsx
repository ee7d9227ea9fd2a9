// What became of coupons in a month: held at its beginning and issued in it, and of these used, over, taken back, or still held.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button } from "antd";
import { called, money, month as monthOf, share, whole } from "../../format";
import { useOverview } from "../../home";
import { useLive } from "../../live";
import { Csv } from "../../parts/list-tools";
import { Card, Figures } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords } from "../../words";
import { offersOf } from "./sentence";

type Line = Schemas["CouponLineView"];

const shift = (month: string, by: number) => {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + by);
  return at.toISOString().slice(0, 7);
};

/** What offers are called. */
export function useOfferNames() {
  const live = useLive();
  const source = live.data?.source ?? "";
  const names = useQuery({ queryKey: ["offer names", source], enabled: source !== "", staleTime: Number.POSITIVE_INFINITY, queryFn: async () => (await offersOf(source)).offers });
  return (id: string) => called(names.data?.find((one) => one.id === id)?.name, id);
}

export function Funnel() {
  const { t } = useWords();
  const [{ month: asked = "" }, setAddress] = useAddress();
  const now = useOverview().data?.clock.business_now.slice(0, 7);
  const month = asked || now || "";
  const nameOf = useOfferNames();
  const book = useQuery({
    queryKey: ["books", month],
    enabled: month !== "",
    queryFn: ({ signal }) => got(api.GET("/v1/reports/books", { params: { query: { month } }, signal })),
  });
  const held = (row: Line) => row.opening + row.issued + row.given_back;
  const columns: Column<Line>[] = [
    { key: "offer", title: t("coupons.offer"), by: (row) => nameOf(row.offer), text: (row) => row.offer, cell: (row) => nameOf(row.offer) },
    {
      key: "picture",
      title: t("funnel.picture"),
      far: true,
      width: "34%",
      cell: (row) => {
        const all = Math.max(1, held(row));
        const of = [
          ["var(--celadon)", row.redeemed],
          ["var(--mute-1)", row.closing],
          ["var(--gold)", row.expired],
          ["var(--cinnabar)", row.withdrawn],
        ] as const;
        return (
          <div className="bands" aria-hidden="true">
            {of.map(([color, n]) => (n > 0 ? <span key={color} style={{ width: `${(100 * n) / all}%`, background: color }} /> : null))}
          </div>
        );
      },
    },
    { key: "issued", title: t("coupons.issued"), right: true, by: (row) => row.issued, text: (row) => row.issued, cell: (row) => whole(row.issued) },
    { key: "redeemed", title: t("books.redeemed"), right: true, by: (row) => row.redeemed, text: (row) => row.redeemed, cell: (row) => <>{whole(row.redeemed)} <span className="quiet small">{share(row.redeemed, held(row), 0)}</span></> },
    { key: "expired", title: t("books.expired"), far: true, right: true, by: (row) => row.expired, text: (row) => row.expired, cell: (row) => whole(row.expired) },
    { key: "withdrawn", title: t("books.withdrawn"), far: true, right: true, by: (row) => row.withdrawn, text: (row) => row.withdrawn, cell: (row) => whole(row.withdrawn) },
    { key: "closing", title: t("funnel.held"), right: true, by: (row) => row.closing, text: (row) => row.closing, cell: (row) => whole(row.closing) },
    { key: "given", title: t("books.given"), far: true, right: true, by: (row) => row.given_minor, text: (row) => row.given_minor / 100, cell: (row) => money(row.given_minor, book.data?.currency ?? "CNY") },
  ];
  return (
    <div className="stack">
      <div className="apart">
        <div className="row">
          <Button onClick={() => setAddress({ month: shift(month, -1) })} disabled={month === ""} aria-label={t("books.earlier")}>
            ‹
          </Button>
          <strong>{month ? monthOf(month) : "—"}</strong>
          <Button onClick={() => setAddress({ month: shift(month, 1) })} disabled={month === "" || month === now} aria-label={t("books.later")}>
            ›
          </Button>
        </div>
        <Csv name={`coupons-${month}`} columns={columns} rows={(book.data?.coupons ?? []).filter((line) => line.by === "all")} />
      </div>
      <Asked of={book}>
        {(data) => {
          const rows = (data.coupons ?? []).filter((line) => line.by === "all");
          const sum = (of: (row: Line) => number) => rows.reduce((all, row) => all + of(row), 0);
          return rows.length === 0 ? (
            <Card>
              <None title={t("funnel.none")}>{t("funnel.none_say")}</None>
            </Card>
          ) : (
            <>
              <Figures
                of={[
                  { label: t("coupons.issued"), value: whole(sum((row) => row.issued)), note: t("funnel.opening", { n: whole(sum((row) => row.opening)) }) },
                  { label: t("books.redeemed"), value: whole(sum((row) => row.redeemed)), note: t("funnel.share", { share: share(sum((row) => row.redeemed), sum(held)) }) },
                  { label: t("books.expired"), value: whole(sum((row) => row.expired)), note: t("funnel.withdrawn", { n: whole(sum((row) => row.withdrawn)) }) },
                  { label: t("funnel.held"), value: whole(sum((row) => row.closing)), note: t("funnel.face", { money: money(sum((row) => row.liability_minor ?? 0), data.currency) }) },
                  { label: t("books.given"), value: money(sum((row) => row.given_minor), data.currency), note: t("funnel.given_say") },
                ]}
              />
              <Card flush title={t("funnel.title")} aside={t("funnel.legend")}>
                <DataTable label={t("funnel.title")} rows={rows} id={(row) => row.offer} columns={columns} />
              </Card>
            </>
          );
        }}
      </Asked>
    </div>
  );
}
