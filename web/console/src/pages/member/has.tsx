// What a member has: orders with their lines, lots of points, coupons.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Drawer } from "antd";
import { useState } from "react";
import { money, share, whole } from "../../format";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Bars, Card, Facts, Pill } from "../../parts/page";
import { Asked, Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useWords, word } from "../../words";
import type { Whole } from "../member";

type Order = Schemas["Page3"]["items"][number];

export function Orders({ id }: { id: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState<Order>();
  const list = useInfiniteQuery({
    queryKey: ["orders", id],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/members/{id}/orders", { params: { path: { id }, query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: Column<Order>[] = [
    {
      key: "at",
      title: t("orders.at"),
      text: (row) => row.at,
      cell: (row) => (
        <button type="button" className="plain" onClick={() => setOpen(row)} aria-label={t("orders.open", { number: row.number ?? row.id.slice(0, 8) })}>
          <When at={row.at} />
        </button>
      ),
    },
    { key: "number", title: t("orders.number"), far: true, text: (row) => row.number ?? row.id, cell: (row) => <span className="mono quiet">{row.number ?? row.id.slice(0, 8)}</span> },
    { key: "store", title: t("orders.store"), text: (row) => row.store, cell: (row) => row.store ?? "—" },
    { key: "lines", title: t("orders.lines"), right: true, far: true, text: (row) => row.lines?.length ?? 0, cell: (row) => whole(row.lines?.length ?? 0) },
    {
      key: "paid",
      title: t("orders.paid"),
      right: true,
      text: (row) => row.paid_minor / 100,
      cell: (row) => (
        <span>
          {money(row.paid_minor, row.currency)}
          {row.refunded_minor > 0 ? <span className="danger small"> −{money(row.refunded_minor, row.currency)}</span> : null}
        </span>
      ),
    },
    { key: "points", title: t("orders.points"), right: true, text: (row) => row.points, cell: (row) => <span className="golden">+{whole(row.points)}</span> },
    { key: "status", title: t("orders.status"), far: true, text: (row) => word("order_status", row.status), cell: (row) => <Pill tone={row.counts ? "good" : "warn"}>{word("order_status", row.status)}</Pill> },
  ];
  if (list.error && rows.length === 0) return <Fault error={list.error} retry={() => void list.refetch()} />;
  return (
    <Card flush>
      {rows.length === 0 && !list.isFetching ? (
        <None title={t("orders.none")} />
      ) : (
        <Listed
          name="orders"
          label={t("orders.title")}
          rows={rows}
          columns={columns}
          id={(row) => row.id}
          open={setOpen}
          more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
          loading={list.isFetching}
          tall={rows.length > 12}
        />
      )}
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} title={t("orders.one")} size={520}>
        {open ? (
          <div className="stack">
            <Facts
              of={[
                [t("orders.at"), <When key="at" at={open.at} />],
                [t("orders.number"), <span key="number" className="mono">{open.number ?? open.id}</span>],
                [t("orders.store"), open.store ?? "—"],
                [t("orders.paid"), money(open.paid_minor, open.currency)],
                [t("orders.points"), t("orders.earned", { points: whole(open.points), growth: whole(open.growth) })],
              ]}
            />
            <DataTable
              label={t("orders.lines")}
              dense
              rows={(open.lines ?? []).map((line, at) => ({ ...line, at }))}
              id={(line) => String(line.at)}
              columns={[
                { key: "what", title: t("orders.what"), cell: (line) => line.category ?? line.product },
                { key: "quantity", title: t("orders.quantity"), right: true, cell: (line) => line.quantity },
                { key: "amount", title: t("orders.amount"), right: true, cell: (line) => line.amount ?? "—" },
              ]}
            />
          </div>
        ) : null}
      </Drawer>
    </Card>
  );
}

export function Lots({ id, data }: { id: string; data: Whole }) {
  const { t } = useWords();
  const list = useInfiniteQuery({
    queryKey: ["lots", id],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/members/{id}/lots", { params: { path: { id }, query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const all = data.expiries.reduce((sum, one) => sum + one.points, 0);
  if (list.error && rows.length === 0) return <Fault error={list.error} retry={() => void list.refetch()} />;
  return (
    <div className="grid g21 start">
      <Card flush title={t("lots.title")} aside={t("lots.say")}>
        {rows.length === 0 && !list.isFetching ? (
          <None title={t("lots.none")} />
        ) : (
          <Listed
            name="lots"
            label={t("lots.title")}
            rows={rows.map((row, at) => ({ ...row, at }))}
            id={(row) => String(row.at)}
            dense
            tall={rows.length > 14}
            more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
            loading={list.isFetching}
            columns={[
              { key: "from", title: t("lots.from"), text: (row) => row.active_at, cell: (row) => <When at={row.active_at} only="day" /> },
              { key: "granted", title: t("lots.granted"), right: true, text: (row) => row.granted, cell: (row) => whole(row.granted) },
              { key: "left", title: t("lots.left"), right: true, text: (row) => row.remaining, cell: (row) => whole(row.remaining) },
              { key: "expires", title: t("lots.expires"), right: true, text: (row) => row.expires_at, cell: (row) => (row.expires_at ? <When at={row.expires_at} only="day" /> : t("lots.never")) },
              { key: "state", title: t("lots.state"), far: true, text: (row) => (row.is_active ? t("lots.active") : t("lots.pending")), cell: (row) => <Pill tone={row.is_active ? "good" : "warn"}>{row.is_active ? t("lots.active") : t("lots.pending")}</Pill> },
            ]}
          />
        )}
      </Card>
      <Card title={t("lots.when")}>
        {data.expiries.length === 0 ? (
          <None slim title={t("member.none_expire")} />
        ) : (
          <Bars
            of={data.expiries.map((one) => ({
              key: one.at,
              label: <When at={one.at} only="day" />,
              value: one.points,
              shown: whole(one.points),
              more: share(one.points, all, 0),
              color: "var(--gold)",
            }))}
          />
        )}
        {data.holds.length > 0 ? (
          <p className="small quiet" style={{ marginTop: 12 }}>
            {t("lots.holds", { n: data.holds.length, points: whole(data.holds.reduce((sum, hold) => sum + hold.amount, 0)) })}
          </p>
        ) : null}
      </Card>
    </div>
  );
}

export function Coupons({ id }: { id: string }) {
  const { t } = useWords();
  const list = useQuery({ queryKey: ["coupons", id], queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/coupons", { params: { path: { id } }, signal })) });
  return (
    <Asked of={list}>
      {({ items }) => (
        <Card flush>
          {items.length === 0 ? (
            <None title={t("coupons.none")}>{t("coupons.none_say")}</None>
          ) : (
            <Listed
              name="coupons"
              label={t("member.coupons")}
              rows={items}
              id={(row) => row.id}
              columns={[
                { key: "offer", title: t("coupons.offer"), by: (row) => row.offer, text: (row) => row.offer, cell: (row) => row.offer },
                { key: "code", title: t("coupons.code"), text: (row) => row.code, cell: (row) => <span className="mono">{row.code}</span> },
                {
                  key: "state",
                  title: t("coupons.state"),
                  by: (row) => row.state,
                  text: (row) => word("coupon_state", row.state),
                  cell: (row) => <Pill tone={row.state === "active" ? "good" : row.state === "redeemed" ? "info" : ""}>{word("coupon_state", row.state)}</Pill>,
                },
                { key: "issued", title: t("coupons.issued"), far: true, right: true, by: (row) => row.issued_at, text: (row) => row.issued_at, cell: (row) => <When at={row.issued_at} only="day" /> },
                { key: "until", title: t("coupons.until"), right: true, by: (row) => row.valid_until, text: (row) => row.valid_until, cell: (row) => <When at={row.valid_until ?? null} only="day" /> },
              ]}
            />
          )}
        </Card>
      )}
    </Asked>
  );
}
