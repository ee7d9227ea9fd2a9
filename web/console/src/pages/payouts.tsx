// Money that the brand sends to members: what was sent and how each stands, one of them whole, and a new one.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal } from "@zhiyin/api";
import { Button, Drawer, Select } from "antd";
import { lazy, Suspense, useMemo } from "react";
import { money, month as monthOf } from "../format";
import { useMay } from "../home";
import { having } from "../parts/having";
import { Csv, Find, Views } from "../parts/list-tools";
import { shortId, When } from "../parts/marks";
import { Card, Page, Pill } from "../parts/page";
import { Bones, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { useAddress } from "../router";
import { useWords, word } from "../words";
import { whoIs } from "./inbox/rules";
import { Refused } from "./payouts/refused";
import { months, STATES, toneOf, type Payout } from "./payouts/rules";

const Make = lazy(() => import("./payouts/make"));
const One = lazy(() => import("./payouts/one"));
const NEW = "new";
const CLEAR = { month: "", state: "", member: "", find: "" };
const CHOSEN = ["find", "month", "state", "account", "sort"];
const MONTHS = 24;
const digits = (currency: string) => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;

export function Payouts() {
  const { t } = useWords();
  const may = useMay();
  const [{ month = "", state = "", account = "", member = "", payout = "", find = "" }, setAddress] = useAddress();
  // Who may not read the file of channels is told by the list itself whether there is an account.
  const known = useQuery({ queryKey: ["channels"], enabled: may("home_manage"), queryFn: ({ signal }) => got(api.GET("/v1/channels", { signal })) });
  const accounts = useMemo(() => known.data?.items.filter((row) => row.channel === "wxpay").map((row) => row.account), [known.data]);
  const through = account || (accounts && accounts.length > 0 && !accounts.includes("main") ? (accounts[0] ?? "main") : "main");
  const list = useInfiniteQuery({
    queryKey: ["payouts", through, month, state, member],
    enabled: accounts ? accounts.length > 0 : !may("home_manage") || known.error !== null,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/payouts", { params: { query: { account: through, ...(month ? { month } : {}), ...(state ? { state } : {}), ...(member ? { member } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 30_000,
  });
  const missing = list.error instanceof Refusal && list.error.code === "account_unknown";
  const unset = accounts?.length === 0 || (missing && account === "");
  const whole = list.data !== undefined && !list.hasNextPage;
  const columns = useMemo((): Column<Payout>[] => {
    const by = (of: NonNullable<Column<Payout>["by"]>) => (whole ? { by: of } : {});
    return [
      {
        key: "at",
        title: t("payouts.asked_at"),
        ...by((row) => row.asked_at),
        text: (row) => row.asked_at,
        cell: (row) => (
          <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ payout: row.payout })}>
            <When at={row.asked_at} />
          </button>
        ),
      },
      { key: "member", title: t("payouts.member"), text: (row) => row.member, cell: (row) => (row.member ? <Link to="/members/$id" params={{ id: row.member }} className="mono">{shortId(row.member)}</Link> : <span className="quiet">{t("payouts.by_program")}</span>) },
      { key: "amount", title: t("payouts.amount"), right: true, ...by((row) => row.amount_minor), text: (row) => row.amount_minor / 10 ** digits(row.currency), cell: (row) => <strong className="nowrap">{money(row.amount_minor, row.currency)}</strong> },
      { key: "remark", title: t("payouts.remark"), far: true, text: (row) => row.remark, cell: (row) => row.remark },
      { key: "state", title: t("payouts.state"), ...by((row) => STATES.indexOf(row.state as (typeof STATES)[number])), text: (row) => word("payout_state", row.state), cell: (row) => <Pill tone={toneOf(row.state)}>{word("payout_state", row.state)}</Pill> },
      { key: "why", title: t("payouts.why"), far: true, text: (row) => (row.why ? word("payout_why", row.why) : ""), cell: (row) => (row.why ? word("payout_why", row.why) : "") },
      { key: "by", title: t("payouts.asked_by"), far: true, ...by((row) => row.asked_by), text: (row) => row.asked_by, cell: (row) => <span className="nowrap">{whoIs(row.asked_by) || "—"}</span> },
      { key: "number", title: t("payouts.number"), far: true, text: (row) => row.payout, cell: (row) => <span className="mono quiet">{shortId(row.payout)}</span> },
    ];
  }, [t, whole, setAddress]);
  const read = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const rows = useMemo(() => having(read, columns, find), [read, columns, find]);
  const narrowed = month !== "" || state !== "" || member !== "" || find !== "";
  const make = (
    <Button type="primary" onClick={() => setAddress({ payout: NEW }, { push: true })}>
      {t("payouts.make")}
    </Button>
  );
  const all = async () => {
    let page = await list.fetchNextPage();
    while (page.hasNextPage) page = await list.fetchNextPage();
    if (page.error) throw page.error;
    return having(page.data?.pages.flatMap((one) => one.items) ?? [], columns, find);
  };
  return (
    <Page
      wide
      title={t("payouts.title")}
      lead={
        list.dataUpdatedAt > 0 ? (
          <>
            {list.error ? <Pill tone="warn">{t("payouts.stale")}</Pill> : null} {t("payouts.as_of")} <When at={new Date(list.dataUpdatedAt).toISOString()} /> · {t("payouts.lead")}
          </>
        ) : (
          t("payouts.lead")
        )
      }
      actions={unset || missing ? undefined : make}
    >
      {unset ? (
        <Card>
          <None
            title={t("payouts.unset")}
            action={
              may("home_manage") ? (
                <Link to="/settings" search={{ tab: "channels" }}>
                  {t("payouts.to_channels")}
                </Link>
              ) : undefined
            }
          >
            {may("home_manage") ? t("payouts.unset_say") : t("payouts.unset_ask")}
          </None>
        </Card>
      ) : missing ? (
        <Card>
          <None title={t("payouts.no_account", { account })} action={<Button onClick={() => setAddress({ account: "" })}>{t("payouts.main_account")}</Button>} />
        </Card>
      ) : (
        <>
          <div className="filters">
            <Find label={t("views.find")} name="find" width={200} />
            <Select
              aria-label={t("payouts.month")}
              style={{ width: 210 }}
              value={month}
              onChange={(next: string) => setAddress({ month: next })}
              options={[{ value: "", label: t("payouts.lately") }, ...[...new Set([...(month ? [month] : []), ...months(new Date().toISOString(), MONTHS)])].sort().reverse().map((value) => ({ value, label: monthOf(value) }))]}
            />
            <Select
              aria-label={t("payouts.state")}
              style={{ width: 170 }}
              allowClear
              placeholder={t("payouts.state")}
              value={state || undefined}
              onChange={(next?: string) => setAddress({ state: next ?? "" })}
              options={STATES.map((value) => ({ value, label: word("payout_state", value) }))}
            />
            {accounts && accounts.length > 1 ? <Select aria-label={t("payouts.account")} style={{ width: 150 }} value={through} onChange={(next: string) => setAddress({ account: next })} options={accounts.map((value) => ({ value, label: value }))} /> : null}
            {member && payout !== NEW ? (
              <Button onClick={() => setAddress({ member: "" })}>
                {t("payouts.of_member", { id: shortId(member) })} <span aria-hidden="true">✕</span>
              </Button>
            ) : null}
            <span className="row" style={{ marginLeft: "auto" }}>
              <Views page="payouts" names={CHOSEN} />
              <Csv name={month ? `payouts-${month}` : "payouts"} columns={columns} rows={rows} all={list.hasNextPage ? all : undefined} />
            </span>
          </div>
          {list.error && read.length === 0 && list.data === undefined ? (
            <Refused error={list.error} retry={() => void list.refetch()} />
          ) : (
            <Card flush>
              {list.data !== undefined && rows.length === 0 && !list.hasNextPage ? (
                narrowed ? (
                  <None title={t("payouts.none_match")} action={<Button onClick={() => setAddress(CLEAR)}>{t("do.clear")}</Button>}>
                    {t("payouts.none_match_say")}
                  </None>
                ) : (
                  <None title={t("payouts.none")} action={<Button onClick={() => setAddress({ payout: NEW }, { push: true })}>{t("payouts.make")}</Button>}>
                    {t("payouts.none_say")}
                  </None>
                )
              ) : (
                <DataTable label={t("payouts.title")} rows={rows} id={(row) => row.payout} open={(row) => setAddress({ payout: row.payout })} dense tall more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} loading={list.isLoading || list.isFetchingNextPage || list.data === undefined} columns={columns} />
              )}
            </Card>
          )}
        </>
      )}
      <Drawer open={payout !== "" && !unset} onClose={() => setAddress({ payout: "", ...(payout === NEW ? { member: "" } : {}) })} title={payout === NEW ? t("payouts.make") : t("payouts.one")} size={560} destroyOnHidden>
        <Suspense fallback={<Bones lines={8} />}>
          {payout === NEW ? (
            <Make accounts={accounts ?? []} account={through} member={member} made={(one) => setAddress({ payout: one.payout, member: "", account: one.account === "main" ? "" : one.account })} />
          ) : payout ? (
            <One account={through} payout={payout} />
          ) : null}
        </Suspense>
      </Drawer>
    </Page>
  );
}
