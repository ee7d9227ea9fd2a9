// Messages and channels: what left the home and where it stands, what could not be decided, what platforms told, what advisors are to do.
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Popconfirm, Select } from "antd";
import { lazy, Suspense } from "react";
import { decimal, fineMoney, whole } from "../format";
import { useCurrency, useMay } from "../home";
import { CHANNELS } from "../parts/channels";
import { Csv, Views } from "../parts/list-tools";
import { Listed } from "../parts/listed";
import { shortId, When } from "../parts/marks";
import { Card, Figures, Page, Pill } from "../parts/page";
import { Asked, Bones, Fault, None } from "../parts/states";
import { DataTable, type Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords, word } from "../words";

const Platforms = lazy(() => import("./messages/platforms"));
const Templates = lazy(() => import("./messages/templates"));
/** What leaves the home: what stays in it (the inbox, the till) is no send. */
const OUTWARD = CHANNELS.filter((channel) => !["inbox", "till", "advisor"].includes(channel));
const STATES = ["waiting", "handed", "sent", "unknown", "failed", "stopped", "dropped", "bounced"];
const tone = (state: string) => (state === "sent" || state === "done" ? "good" : ["failed", "bounced", "dead"].includes(state) ? "bad" : ["unknown", "stopped", "waiting"].includes(state) ? "warn" : "") as "good" | "bad" | "warn" | "";

function useAct() {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  return async (doing: () => Promise<unknown>, said: string) => {
    try {
      await doing();
      message.success(said);
      await client.invalidateQueries();
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
}

export function Messages() {
  const { t } = useWords();
  const may = useMay();
  const [{ tab = "outbox" }, setAddress] = useAddress();
  return (
    <Page wide title={t("messages.title")} lead={t("messages.lead")}>
      <Tabs
        label={t("messages.title")}
        activeKey={tab}
        onChange={(next) => setAddress({ tab: next, state: "", channel: "", find: "", sort: "" }, { push: true })}
        items={[
          { key: "outbox", label: t("messages.outbox"), children: <Outbox /> },
          ...(may("playbook_read")
            ? [
                {
                  key: "templates",
                  label: t("templates.title"),
                  children: (
                    <Suspense fallback={<Bones lines={8} />}>
                      <Templates />
                    </Suspense>
                  ),
                },
              ]
            : []),
          ...(may("reports_read")
            ? [
                {
                  key: "platforms",
                  label: t("platforms.title"),
                  children: (
                    <Suspense fallback={<Bones lines={8} />}>
                      <Platforms />
                    </Suspense>
                  ),
                },
              ]
            : []),
          { key: "arrivals", label: t("messages.arrivals"), children: <Arrivals /> },
          ...(may("dead_letters_read") ? [{ key: "dead", label: t("messages.dead"), children: <Dead /> }] : []),
          ...(may("member_read") ? [{ key: "tasks", label: t("messages.tasks"), children: <Tasks /> }] : []),
        ]}
      />
    </Page>
  );
}

function Outbox() {
  const { t } = useWords();
  const act = useAct();
  const currency = useCurrency();
  const [{ state = "", channel = "" }, setAddress] = useAddress();
  const list = useInfiniteQuery({
    queryKey: ["sends", state, channel],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/sends", { params: { query: { limit: 100, ...(state ? { state } : {}), ...(channel ? { channel } : {}), ...(pageParam ? { before: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => (page.items.length < 100 ? undefined : page.items.at(-1)?.send),
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: Column<Schemas["SendView"]>[] = [
      { key: "at", title: t("touches.at"), text: (row) => row.at, cell: (row) => <When at={row.at} /> },
      {
        key: "member",
        title: t("messages.member"),
      text: (row) => row.member,
        cell: (row) => (
          <Link to="/members/$id" params={{ id: row.member }} search={{ tab: "touches" }}>
            {shortId(row.member)}
          </Link>
        ),
      },
      { key: "channel", title: t("messages.channel"), text: (row) => row.channel, cell: (row) => word("channel", row.channel) },
      { key: "message", title: t("messages.message"), far: true, text: (row) => `${row.campaign} ${row.message}`, cell: (row) => `${row.campaign} · ${row.message}` },
      { key: "state", title: t("messages.state"), text: (row) => row.state, cell: (row) => <Pill tone={tone(row.state)}>{word("send_state", row.state)}</Pill> },
      { key: "arrived", title: t("costs.arrived"), far: true, text: (row) => row.arrived_at, cell: (row) => <When at={row.arrived_at} /> },
      {
        key: "cost",
        title: t("costs.cost"),
        right: true,
        far: true,
        text: (row) => row.cost,
        cell: (row) => (row.cost == null ? <span className="quiet">—</span> : <span title={t("costs.parts_n", { n: whole(row.parts ?? 1) })}>{fineMoney(Math.round(Number(row.cost) * 10_000), currency)}</span>),
      },
      { key: "error", title: t("messages.why"), far: true, text: (row) => row.error, cell: (row) => <span className="quiet small">{row.error ?? "—"}</span> },
      {
        key: "do",
        title: <span className="only-heard">{t("messages.do")}</span>,
        right: true,
        cell: (row) =>
          ["failed", "unknown", "bounced", "stopped"].includes(row.state) ? (
            <span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
              <Popconfirm
                title={t("messages.retry_ask")}
                description={row.state === "unknown" ? t("messages.retry_sure") : undefined}
                okText={t("messages.retry")}
                onConfirm={() => act(() => got(api.POST("/v1/sends/{send}/retry", { params: { path: { send: row.send } }, body: { sure: row.state === "unknown" } })), t("messages.retried"))}
              >
                <Button size="small">{t("messages.retry")}</Button>
              </Popconfirm>
              <Button size="small" onClick={() => void act(() => got(api.POST("/v1/sends/{send}/drop", { params: { path: { send: row.send } }, body: {} as never })), t("messages.dropped"))}>
                {t("messages.drop")}
              </Button>
            </span>
          ) : null,
      },
  ];
  return (
    <>
      <div className="filters">
        <Select
          aria-label={t("messages.state")}
          style={{ width: 180 }}
          allowClear
          placeholder={t("messages.state")}
          value={state || undefined}
          onChange={(next?: string) => setAddress({ state: next ?? "" })}
          options={STATES.map((value) => ({ value, label: word("send_state", value) }))}
        />
        <Select
          aria-label={t("messages.channel")}
          style={{ width: 160 }}
          allowClear
          placeholder={t("messages.channel")}
          value={channel || undefined}
          onChange={(next?: string) => setAddress({ channel: next ?? "" })}
          options={OUTWARD.map((value) => ({ value, label: word("channel", value) }))}
        />
        <span className="row" style={{ marginLeft: "auto" }}>
          <Views page="outbox" names={["tab", "state", "channel"]} />
          <Csv name="outbox" columns={columns} rows={rows} />
        </span>
      </div>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None title={state || channel ? t("messages.none_state") : t("messages.none")}>{t("messages.none_say")}</None>
          ) : (
            <DataTable
              label={t("messages.outbox")}
              rows={rows}
              id={(row) => row.send}
              more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loading={list.isFetching}
              columns={columns}
            />
          )}
        </Card>
      )}
    </>
  );
}

function Arrivals() {
  const { t } = useWords();
  const act = useAct();
  const list = useQuery({ queryKey: ["arrivals"], queryFn: ({ signal }) => got(api.GET("/v1/arrivals", { params: { query: { limit: 100 } }, signal })) });
  return (
    <Asked of={list}>
      {({ items }) => (
        <Card flush>
          {items.length === 0 ? (
            <None title={t("messages.no_arrivals")}>{t("messages.no_arrivals_say")}</None>
          ) : (
            <Listed
              name="arrivals"
              views={["tab", "find", "sort"]}
              label={t("messages.arrivals")}
              rows={items}
              id={(row) => row.arrival}
              columns={[
                { key: "at", title: t("touches.at"), by: (row) => row.at, text: (row) => row.at, cell: (row) => <When at={row.at} /> },
                { key: "channel", title: t("messages.channel"), by: (row) => row.channel, text: (row) => word("channel", row.channel), cell: (row) => word("channel", row.channel) },
                { key: "lane", title: t("messages.lane"), far: true, by: (row) => row.lane, text: (row) => row.lane, cell: (row) => row.lane },
                { key: "state", title: t("messages.state"), by: (row) => row.state, text: (row) => word("arrival_state", row.state), cell: (row) => <Pill tone={tone(row.state)}>{word("arrival_state", row.state)}</Pill> },
                { key: "tries", title: t("messages.tries"), right: true, far: true, by: (row) => row.tries, text: (row) => row.tries, cell: (row) => whole(row.tries) },
                { key: "why", title: t("messages.why"), far: true, text: (row) => row.why, cell: (row) => <span className="quiet small">{row.why ?? "—"}</span> },
                {
                  key: "do",
                  title: <span className="only-heard">{t("messages.do")}</span>,
                  right: true,
                  cell: (row) =>
                    row.state === "dead" || row.state === "failed" ? (
                      <Button size="small" onClick={() => void act(() => got(api.POST("/v1/arrivals/{arrival}/retry", { params: { path: { arrival: row.arrival } }, body: {} as never })), t("messages.retried"))}>
                        {t("messages.retry")}
                      </Button>
                    ) : null,
                },
              ]}
            />
          )}
        </Card>
      )}
    </Asked>
  );
}

function Dead() {
  const { t } = useWords();
  const may = useMay();
  const act = useAct();
  const health = useQuery({ queryKey: ["health"], queryFn: ({ signal }) => got(api.GET("/v1/ingest/health", { signal })), refetchInterval: 15_000 });
  const list = useInfiniteQuery({
    queryKey: ["dead letters"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => got(api.GET("/v1/dead-letters", { params: { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="stack">
      <Asked of={health} bones={2} height={24}>
        {(data) => (
          <>
            <Figures
              of={[
                { label: t("messages.waiting"), value: whole(data.waiting), note: data.oldest ? t("messages.oldest", { n: whole(data.oldest_seconds) }) : t("messages.none_waits") },
                { label: t("messages.dead_n"), value: whole(data.dead_letters), note: t("messages.dead_codes", { n: data.dead_letter_codes.length }) },
                {
                  label: t("messages.rate"),
                  value: whole(data.rates.find((rate) => rate.minutes === 5)?.decided ?? 0),
                  note: t("messages.rate_say", { n: decimal((data.rates.find((rate) => rate.minutes === 5)?.decided ?? 0) / 300, 1) }),
                },
                { label: t("messages.sources"), value: whole(data.sources.length), note: data.sources[0] ? data.sources.map((one) => one.source).join(t("list_comma")) : "—" },
              ]}
            />
            {data.dead_letter_codes.length > 0 && may("dead_letters_retry") ? (
              <div className="row">
                {data.dead_letter_codes.map((one) => (
                  <Button key={one.code} onClick={() => void act(() => got(api.POST("/v1/dead-letters/retry", { body: { code: one.code } })), t("messages.put_back"))}>
                    {t("messages.put_back_code", { code: one.code, n: whole(one.count) })}
                  </Button>
                ))}
              </div>
            ) : null}
          </>
        )}
      </Asked>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None title={t("messages.no_dead")}>{t("messages.no_dead_say")}</None>
          ) : (
            <Listed
              name="dead-letters"
              views={["tab", "find"]}
              label={t("messages.dead")}
              rows={rows}
              id={(row) => String(row.seq)}
              more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loading={list.isFetching}
              columns={[
                { key: "at", title: t("messages.given_up"), text: (row) => row.given_up_at, cell: (row) => <When at={row.given_up_at} /> },
                { key: "event", title: t("messages.event"), text: (row) => word("event", row.event), cell: (row) => word("event", row.event) },
                { key: "code", title: t("messages.code"), text: (row) => row.code, cell: (row) => <code>{row.code}</code> },
                { key: "field", title: t("messages.field"), far: true, text: (row) => row.field, cell: (row) => <code className="quiet">{row.field || "—"}</code> },
                { key: "source", title: t("messages.source"), far: true, text: (row) => row.source, cell: (row) => row.source },
                {
                  key: "do",
                  title: <span className="only-heard">{t("messages.do")}</span>,
                  right: true,
                  cell: (row) =>
                    may("dead_letters_retry") ? (
                      <Button size="small" onClick={() => void act(() => got(api.POST("/v1/dead-letters/retry", { body: { seqs: [row.seq] } })), t("messages.put_back"))}>
                        {t("messages.retry")}
                      </Button>
                    ) : null,
                },
              ]}
            />
          )}
        </Card>
      )}
    </div>
  );
}

function Tasks() {
  const { t } = useWords();
  const list = useQuery({ queryKey: ["tasks"], queryFn: ({ signal }) => got(api.GET("/v1/tasks", { signal })) });
  return (
    <Asked of={list}>
      {({ items }) => (
        <Card flush>
          {items.length === 0 ? (
            <None title={t("messages.no_tasks")}>{t("messages.no_tasks_say")}</None>
          ) : (
            <Listed
              name="tasks"
              views={["tab", "find", "sort"]}
              label={t("messages.tasks")}
              rows={items}
              id={(row) => row.id}
              columns={[
                { key: "at", title: t("touches.at"), by: (row) => row.at, text: (row) => row.at, cell: (row) => <When at={row.at} /> },
                {
                  key: "member",
                  title: t("messages.member"),
                  text: (row) => row.member,
                  cell: (row) => (
                    <Link to="/members/$id" params={{ id: row.member }}>
                      {shortId(row.member)}
                    </Link>
                  ),
                },
                { key: "text", title: t("messages.task"), text: (row) => row.text, cell: (row) => row.text },
                { key: "campaign", title: t("touches.campaign"), far: true, by: (row) => row.campaign, text: (row) => row.campaign, cell: (row) => row.campaign },
              ]}
            />
          )}
        </Card>
      )}
    </Asked>
  );
}
