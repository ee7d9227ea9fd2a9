// The books of a month: what was owed when it began, what moved, what is owed at its end and what that is worth.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Popconfirm, Segmented } from "antd";
import { money, month as monthOf, short, shortMoney, signed, whole } from "../format";
import { useMay, useOverview } from "../home";
import { Csv } from "../parts/list-tools";
import { Listed } from "../parts/listed";
import { When } from "../parts/marks";
import { Card, Facts, Figures, Page } from "../parts/page";
import { Asked, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { useAddress } from "../router";
import { useWords, word } from "../words";
import { TierName } from "./member/profile";

type Book = Schemas["BookView"];
type Row = Book["lines"][number];

const before = (month: string, by: number) => {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + by);
  return at.toISOString().slice(0, 7);
};

export function Books() {
  const { t } = useWords();
  const [{ month: chosen = "", by = "all" }, setAddress] = useAddress();
  const now = useOverview().data?.clock.business_now.slice(0, 7);
  const month = chosen || (now ? before(now, -1) : "");
  const book = useQuery({
    queryKey: ["books", month],
    enabled: month !== "",
    queryFn: ({ signal }) => got(api.GET("/v1/reports/books", { params: { query: { month } }, signal })),
  });
  const last = now ? before(now, -1) : "";
  return (
    <Page
      title={t("books.title")}
      lead={t("books.lead")}
      actions={
        <>
          <Button disabled={!month} onClick={() => setAddress({ month: before(month, -1) })} aria-label={t("books.earlier")}>
            ‹
          </Button>
          <strong style={{ minWidth: 96, textAlign: "center" }}>{month ? monthOf(month) : "—"}</strong>
          <Button disabled={!month || month >= last} onClick={() => setAddress({ month: before(month, 1) })} aria-label={t("books.later")}>
            ›
          </Button>
        </>
      }
    >
      <Asked of={book} bones={8} height={24}>
        {(data) => <Of book={data} by={by} choose={(next) => setAddress({ by: next })} />}
      </Asked>
    </Page>
  );
}

function Of({ book, by, choose }: { book: Book; by: string; choose: (by: string) => void }) {
  const { t } = useWords();
  const total = book.lines.find((line) => line.by === "all");
  const rows = book.lines.filter((line) => line.by === by).sort((a, b) => b.closing - a.closing);
  const columns = ["opening", "earned", "spent", "expired", "reversed", "adjusted", "taken_over", "moved", "closing"] as const;
  const listed: Column<Row>[] = [
    { key: "of", title: t(`books.by_${by === "tier" || by === "store" ? by : "all"}`), by: (row) => row.of ?? row.asset, text: (row) => row.of ?? row.asset, cell: (row) => (row.of === null || row.of === undefined ? word("asset", row.asset) : row.by === "tier" ? <TierName id={row.of} /> : row.of) },
    ...columns.map((column) => ({
      key: column,
      title: t(`books.${column}`),
      right: true,
      by: (row: Row) => row[column],
      text: (row: Row) => row[column],
      far: !["opening", "closing"].includes(column),
      cell: (row: Row) => (row[column] === 0 ? <span className="quiet">0</span> : whole(row[column])),
    })),
    { key: "worth", title: t("books.liability"), right: true, by: (row) => row.liability_minor ?? null, text: (row) => (row.liability_minor == null ? "" : row.liability_minor / 100), cell: (row) => (row.liability_minor == null ? "—" : money(row.liability_minor, book.currency)) },
  ];
  return (
    <div className="stack">
      <Figures
        of={[
          { label: t("books.closing"), value: total ? short(total.closing) : "—", ...(total ? { exact: whole(total.closing) } : {}), note: t("books.points") },
          {
            label: t("books.liability"),
            value: total?.liability_minor != null ? shortMoney(total.liability_minor, book.currency) : "—",
            note: book.worth ? t("books.worth", { points: whole(book.worth.points), money: money(book.worth.minor, book.currency) }) : t("overview.no_worth"),
          },
          { label: t("books.earned_in"), value: total ? short(total.earned) : "—", note: t("books.change", { n: total ? signed(total.closing - total.opening) : "0" }) },
          { label: t("books.state"), value: <span style={{ fontSize: 18 }}>{word("book_state", book.state)}</span>, note: book.closed_at ? <When at={book.closed_at} /> : t("books.open_say") },
        ]}
      />
      {total ? (
        <Card title={t("books.roll")} aside={t("books.roll_say")}>
          <Roll line={total} />
        </Card>
      ) : null}
      <Card
        flush
        title={t("books.lines")}
        aside={
          <span className="row">
            <Segmented size="small" aria-label={t("books.by")} value={by} onChange={choose} options={["all", "tier", "store"].map((value) => ({ value, label: t(`books.by_${value as "all" | "tier" | "store"}`) }))} />
            <Csv name={`books-${book.month}`} columns={listed} rows={rows} />
          </span>
        }
      >
        {rows.length === 0 ? (
          <None slim title={t("books.none")} />
        ) : (
          <DataTable
            label={t("books.lines")}
            rows={rows}
            id={(row) => `${row.asset} ${row.of ?? ""}`}
            dense
            columns={listed}
          />
        )}
      </Card>
      {book.coupons && book.coupons.some((line) => line.by === "all") ? (
        <Card flush title={t("books.coupons")}>
          <Listed
            name={`coupons-${book.month}`}
            sorts="coupons"
            label={t("books.coupons")}
            rows={book.coupons.filter((line) => line.by === "all")}
            id={(row) => row.offer}
            dense
            columns={[
              { key: "offer", title: t("coupons.offer"), by: (row) => row.offer, text: (row) => row.offer, cell: (row) => row.offer },
              ...(["opening", "issued", "redeemed", "expired", "withdrawn", "given_back", "closing"] as const).map((column) => ({
                key: column,
                title: t(`books.${column}`),
                right: true,
                far: !["issued", "redeemed", "closing"].includes(column),
                by: (row: NonNullable<Book["coupons"]>[number]) => row[column],
                text: (row: NonNullable<Book["coupons"]>[number]) => row[column],
                cell: (row: NonNullable<Book["coupons"]>[number]) => whole(row[column]),
              })),
              { key: "given", title: t("books.given"), right: true, far: true, by: (row) => row.given_minor, text: (row) => row.given_minor / 100, cell: (row) => money(row.given_minor, book.currency) },
            ]}
          />
        </Card>
      ) : null}
      <Close book={book} />
    </div>
  );
}

/** The way from what was owed to what is owed, step by step. */
function Roll({ line }: { line: Row }) {
  const { t } = useWords();
  const steps = (["earned", "spent", "expired", "reversed", "adjusted", "taken_over", "moved"] as const).filter((step) => line[step] !== 0);
  return (
    <div className="row" style={{ gap: 20, alignItems: "flex-end" }}>
      <Step label={t("books.opening")} n={whole(line.opening)} />
      {steps.map((step) => (
        <Step key={step} label={t(`books.${step}`)} n={signed(line[step])} tone={line[step] > 0 ? "var(--celadon)" : "var(--cinnabar)"} />
      ))}
      <span aria-hidden="true" className="quiet" style={{ fontSize: 18 }}>
        =
      </span>
      <Step label={t("books.closing")} n={whole(line.closing)} strong />
    </div>
  );
}
const Step = ({ label, n, tone, strong = false }: { label: string; n: string; tone?: string; strong?: boolean }) => (
  <div>
    <div className="small quiet">{label}</div>
    <div style={{ fontSize: 18, lineHeight: "26px", fontWeight: strong ? 600 : 500, ...(tone ? { color: tone } : {}) }}>{n}</div>
  </div>
);

function Close({ book }: { book: Book }) {
  const { t } = useWords();
  const may = useMay();
  const client = useQueryClient();
  const { message } = App.useApp();
  const close = async () => {
    try {
      await got(api.POST("/v1/books/close", { body: { month: book.month } }));
      message.success(t("books.closed_done"));
      await client.invalidateQueries({ queryKey: ["books"] });
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  if (book.state === "closed") {
    return (
      <Card title={t("books.proof")}>
        <Facts
          of={[
            [t("books.closed_at"), <When key="at" at={book.closed_at ?? null} />],
            [t("books.closed_by"), book.closed_by ?? "—"],
            [t("books.hash"), <code key="hash">{book.hash ?? "—"}</code>],
          ]}
        />
      </Card>
    );
  }
  if (!may("books_close")) return null;
  return (
    <div className="apart">
      <span className="quiet small">{t("books.close_say")}</span>
      <Popconfirm title={t("books.close_ask", { month: monthOf(book.month) })} description={t("books.close_final")} okText={t("books.close")} onConfirm={close}>
        <Button>{t("books.close")}</Button>
      </Popconfirm>
    </div>
  );
}
