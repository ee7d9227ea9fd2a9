// Draws and drops as they stand now: chances and prizes, what is to be published, what is left; opened, closed and drawn from here.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Input, Popconfirm, Typography } from "antd";
import { useState } from "react";
import { called, whole } from "../../format";
import { useMay, useOverview } from "../../home";
import { keep } from "../../csv";
import { useFile } from "../../live";
import { When } from "../../parts/marks";
import { Card, Facts, Figures, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useWords, word } from "../../words";
import { useOfferNames } from "./funnel";

type Draw = Schemas["DrawView"];
type Said = Record<string, unknown>;
const LIVE_MS = 5_000;

export default function Draws() {
  const { t } = useWords();
  const may = useMay();
  const file = useFile();
  const draws = useQuery({ queryKey: ["draws"], enabled: may("draws_manage"), refetchInterval: LIVE_MS, queryFn: ({ signal }) => got(api.GET("/v1/draws", { signal })) });
  return (
    <div className="stack">
      {may("draws_manage") ? (
        <Asked of={draws}>
          {({ items }) =>
            items.length === 0 ? (
              <Card title={t("draws.title")}>
                <None slim title={t("draws.none")}>
                  {t("draws.none_say")}
                </None>
              </Card>
            ) : (
              <>
                {items.map((one) => (
                  <One key={one.draw} draw={one} said={file.data?.draws[one.draw] ?? undefined} />
                ))}
              </>
            )
          }
        </Asked>
      ) : null}
      <Drops offers={file.data?.offers ?? {}} />
    </div>
  );
}

const tone = (state: string) => (state === "open" ? "good" : state === "closed" ? "warn" : state === "drawn" ? "info" : "") as "good" | "warn" | "info" | "";

function One({ draw, said }: { draw: Draw; said: Said | undefined }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const nameOf = useOfferNames();
  const [value, setValue] = useState("");
  const params = { path: { draw: draw.draw } };
  const act = async (doing: () => Promise<unknown>) => {
    try {
      await doing();
      await client.invalidateQueries({ queryKey: ["draws"] });
    } catch (error) {
      message.error(error instanceof Refusal ? `${error.title} ${error.detail ?? ""}` : t("state.wrong"));
    }
  };
  const hash = (of: string) => (
    <Typography.Text code copyable style={{ overflowWrap: "anywhere", fontSize: 12 }}>
      {of}
    </Typography.Text>
  );
  return (
    <Card
      title={called(said?.name as { zh?: string; en?: string } | undefined, draw.draw)}
      aside={<Pill tone={tone(draw.state)}>{word("draw_state", draw.state)}</Pill>}
    >
      <div className="stack">
        <Figures
          of={[
            { label: t("draws.chances"), value: whole(draw.chances), note: draw.state === "open" ? t("draws.as_it_stands") : "" },
            { label: t("draws.prizes"), value: whole(draw.prizes), note: draw.chances > 0 ? t("draws.odds", { n: whole(Math.max(1, Math.round(draw.chances / Math.max(1, draw.prizes)))) }) : "" },
            { label: t("draws.entries"), value: draw.entries == null ? "—" : whole(draw.entries), note: draw.entries == null ? t("draws.when_closed") : "" },
            { label: t("draws.given"), value: whole(draw.given.length), note: t("draws.rolled", { n: whole(draw.given.filter((one) => one.instead_of).length) }) },
          ]}
        />
        <Facts
          of={[
            said?.from || said?.until ? [t("draws.days"), `${String(said?.from ?? "…")} – ${String(said?.until ?? "…")}`] : null,
            draw.opened_at ? [t("draws.opened"), <When key="opened" at={draw.opened_at} />] : null,
            draw.commitment ? [t("draws.commitment"), <span key="commitment">{hash(draw.commitment)}</span>] : null,
            draw.closed_at ? [t("draws.closed"), <When key="closed" at={draw.closed_at} />] : null,
            draw.entries_hash ? [t("draws.entries_hash"), <span key="hash">{hash(draw.entries_hash)}</span>] : null,
            draw.public_source ? [t("draws.public_source"), draw.public_source] : null,
            draw.public_value ? [t("draws.public_value"), draw.public_value] : null,
            draw.drawn_at ? [t("draws.drawn"), <When key="drawn" at={draw.drawn_at} />] : null,
          ]}
        />
        {draw.given.length > 0 ? (
          <DataTable
            label={t("draws.given")}
            dense
            rows={draw.given}
            id={(row) => `${row.entry}${row.prize}`}
            columns={[
              { key: "entry", title: t("draws.entry"), cell: (row) => <code>{row.entry}</code> },
              { key: "prize", title: t("draws.prize"), cell: (row) => nameOf(row.prize) },
              { key: "instead", title: t("draws.instead"), far: true, cell: (row) => (row.instead_of ? <code className="quiet">{row.instead_of}</code> : <span className="quiet">—</span>) },
            ]}
          />
        ) : null}
        <div className="row">
          {draw.state === "planned" ? (
            <Popconfirm title={t("draws.open_ask")} description={t("draws.open_say")} okText={t("draws.open")} onConfirm={() => act(() => got(api.POST("/v1/draws/{draw}/open", { params, body: {} as never })))}>
              <Button type="primary">{t("draws.open")}</Button>
            </Popconfirm>
          ) : null}
          {draw.state === "open" ? (
            <Popconfirm title={t("draws.close_ask")} description={t("draws.close_say")} okText={t("draws.close")} onConfirm={() => act(() => got(api.POST("/v1/draws/{draw}/close", { params, body: {} as never })))}>
              <Button>{t("draws.close")}</Button>
            </Popconfirm>
          ) : null}
          {draw.state === "closed" ? (
            <>
              {draw.public_source ? <Input style={{ width: 260 }} aria-label={t("draws.public_value")} placeholder={draw.public_source} value={value} onChange={(event) => setValue(event.target.value)} /> : null}
              <Popconfirm title={t("draws.run_ask")} description={t("draws.run_say")} okText={t("draws.run")} onConfirm={() => act(() => got(api.POST("/v1/draws/{draw}/run", { params, body: { ...(value.trim() ? { public_value: value.trim() } : {}) } })))}>
                <Button type="primary" disabled={Boolean(draw.public_source) && value.trim() === ""}>
                  {t("draws.run")}
                </Button>
              </Popconfirm>
            </>
          ) : null}
          {draw.state === "drawn" ? <Button onClick={() => void act(() => got(api.POST("/v1/draws/{draw}/roll", { params, body: {} as never })))}>{t("draws.roll")}</Button> : null}
          {draw.state === "closed" || draw.state === "drawn" ? (
            <Button
              onClick={() =>
                void act(async () => {
                  const response = await fetch(`/v1/draws/${encodeURIComponent(draw.draw)}/file`, { credentials: "same-origin" });
                  if (!response.ok) throw new Error(String(response.status));
                  keep(`draw-${draw.draw}.json`, await response.blob());
                })
              }
            >
              {t("draws.file")}
            </Button>
          ) : null}
        </div>
      </div>
    </Card>
  );
}

/** Offers that members take themselves, with what the books say went out this month. */
function Drops({ offers }: { offers: Record<string, Said | null> }) {
  const { t } = useWords();
  const overview = useOverview().data;
  const now = overview?.clock.business_now ?? "";
  const month = now.slice(0, 7);
  const rows = Object.entries(offers).flatMap(([id, said]) => (said && typeof said.claim === "object" && said.claim !== null ? [{ id, said, claim: said.claim as Said }] : []));
  const book = useQuery({ queryKey: ["books", month], enabled: month !== "" && rows.length > 0, refetchInterval: 3 * LIVE_MS, queryFn: ({ signal }) => got(api.GET("/v1/reports/books", { params: { query: { month } }, signal })) });
  const line = (id: string) => book.data?.coupons?.find((one) => one.offer === id && one.by === "all");
  const state = (claim: Said) => (claim.from && now.slice(0, 10) < String(claim.from).slice(0, 10) ? "before" : claim.until && now.slice(0, 10) > String(claim.until).slice(0, 10) ? "over" : "open");
  return (
    <Card flush title={t("drops.title")} aside={rows.length > 0 ? t("drops.aside") : undefined}>
      {rows.length === 0 ? (
        <None slim title={t("drops.none")}>
          {t("drops.none_say")}
        </None>
      ) : (
        <DataTable
          label={t("drops.title")}
          rows={rows}
          id={(row) => row.id}
          sorts="drops"
          columns={[
            { key: "name", title: t("offers.name"), by: (row) => row.id, cell: (row) => called(row.said.name as { zh?: string; en?: string } | undefined, row.id) },
            { key: "state", title: t("coupons.state"), cell: (row) => <Pill tone={state(row.claim) === "open" ? "good" : ""}>{word("drop_state", state(row.claim))}</Pill> },
            { key: "when", title: t("draws.days"), far: true, cell: (row) => (row.claim.from || row.claim.until ? `${String(row.claim.from ?? "…")} – ${String(row.claim.until ?? "…")}` : t("drops.always")) },
            { key: "points", title: t("drops.price"), right: true, cell: (row) => (row.claim.points ? t("members.n_points", { n: whole(Number(row.claim.points)) }) : t("drops.free")) },
            { key: "stock", title: t("drops.stock"), right: true, cell: (row) => (row.said.stock === undefined ? t("drops.unbounded") : whole(Number(row.said.stock))) },
            { key: "taken", title: t("drops.taken"), right: true, cell: (row) => whole(line(row.id)?.issued ?? 0) },
            { key: "used", title: t("books.redeemed"), far: true, right: true, cell: (row) => whole(line(row.id)?.redeemed ?? 0) },
            { key: "held", title: t("funnel.held"), far: true, right: true, cell: (row) => whole(line(row.id)?.closing ?? 0) },
          ]}
        />
      )}
    </Card>
  );
}
