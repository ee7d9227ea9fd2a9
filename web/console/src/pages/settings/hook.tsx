// One webhook: what it was sent and how each stands, its address, a new secret, what happened before sent anew, and its end.
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Input, Popconfirm, Segmented, Typography } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { Csv } from "../../parts/list-tools";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Asked, Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { Kinds, kindSaid } from "./hook-kinds";

type Sent = Schemas["MessageView"];
const STATES = ["", "waiting", "delivered", "failed"];

export default function Hook({ id, close }: { id: string; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const params = { path: { id } };
  const [secret, setSecret] = useState("");
  const [from, setFrom] = useState("");
  const hook = useQuery({ queryKey: ["webhook", id], queryFn: ({ signal }) => got(api.GET("/v1/webhooks/{id}", { params, signal })) });
  const act = async (doing: () => Promise<string>) => {
    try {
      message.success(await doing());
      await client.invalidateQueries({ queryKey: ["webhook", id] });
      await client.invalidateQueries({ queryKey: ["webhooks"] });
    } catch (error) {
      message.error(error instanceof Refusal ? [error.title, error.detail].filter(Boolean).join(" ") : t("state.wrong"));
    }
  };
  return (
    <div className="stack">
      <Asked of={hook}>
        {(data) => (
          <>
            <Facts
              of={[
                [t("hooks.url"), <code key="url">{data.url}</code>],
                [t("hooks.types"), data.types.length === 0 ? t("hooks.all") : data.types.map(kindSaid).join(t("list_comma"))],
                [t("hook.identifiers"), data.identifiers ? t("hook.yes") : t("hook.no")],
                [t("hooks.waiting"), whole(data.waiting)],
                data.failing_since ? [t("hook.failing"), <When key="failing" at={data.failing_since} />] : null,
                data.paused_at ? [t("hook.paused"), word("hook_paused", data.paused_because ?? "")] : null,
                [t("keys.made"), <When key="made" at={data.made_at} />],
              ]}
            />
            <Edit key={`${data.url} ${data.description} ${data.types.join(" ")}`} hook={data} save={(body) => act(async () => (await got(api.PATCH("/v1/webhooks/{id}", { params, body })), t("hook.saved")))} />
            <div className="row">
              <Popconfirm
                title={t("hook.rotate_ask")}
                description={t("hook.rotate_say")}
                okText={t("hook.rotate")}
                onConfirm={() =>
                  act(async () => {
                    setSecret((await got(api.POST("/v1/webhooks/{id}/rotate", { params, body: {} as never }))).secret);
                    return t("hook.saved");
                  })
                }
              >
                <Button>{t("hook.rotate")}</Button>
              </Popconfirm>
              <label className="row">
                <span className="quiet">{t("hook.replay_from")}</span>
                <input className="input" style={{ width: 152, height: 32 }} type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
              </label>
              <Button disabled={from === ""} onClick={() => void act(async () => t("hook.replayed", { n: whole((await got(api.POST("/v1/webhooks/{id}/replay", { params, body: { from: `${from}T00:00:00Z` } }))).messages) }))}>
                {t("hook.replay")}
              </Button>
              <Popconfirm
                title={t("hook.remove_ask")}
                description={t("hook.remove_say")}
                okText={t("hook.remove")}
                okButtonProps={{ danger: true }}
                onConfirm={() =>
                  act(async () => {
                    await got(api.DELETE("/v1/webhooks/{id}", { params, body: {} as never }));
                    close();
                    return t("hook.removed");
                  })
                }
              >
                <Button danger>{t("hook.remove")}</Button>
              </Popconfirm>
            </div>
            {secret ? (
              <div className="note good">
                <div className="grow">
                  <p>{t("hooks.once")}</p>
                  <Typography.Text code copyable style={{ overflowWrap: "anywhere" }}>
                    {secret}
                  </Typography.Text>
                </div>
              </div>
            ) : null}
          </>
        )}
      </Asked>
      <Messages id={id} />
    </div>
  );
}

function Edit({ hook, save }: { hook: Schemas["HookView"]; save: (body: { url: string; description: string; types: string[] }) => Promise<void> }) {
  const { t } = useWords();
  const [url, setUrl] = useState(hook.url);
  const [description, setDescription] = useState(hook.description);
  const [types, setTypes] = useState(hook.types);
  const changed = url.trim() !== hook.url || description !== hook.description || [...types].sort().join(" ") !== [...hook.types].sort().join(" ");
  return (
    <details>
      <summary>{t("hook.edit")}</summary>
      <div className="stack" style={{ marginTop: 8 }}>
        <Field label={t("hooks.url")} hint={t("hooks.url_say")}>
          {(field, described) => <Input id={field} aria-describedby={described} value={url} onChange={(event) => setUrl(event.target.value)} />}
        </Field>
        <Field label={t("hooks.description")}>{(field) => <Input id={field} maxLength={200} value={description} onChange={(event) => setDescription(event.target.value)} />}</Field>
        <Field label={t("hooks.types")} hint={t("hooks.types_say")}>
          {(field, described) => <Kinds id={field} described={described} value={types} onChange={setTypes} />}
        </Field>
        <div>
          <Button type="primary" disabled={!changed || url.trim() === ""} onClick={() => void save({ url: url.trim(), description, types })}>
            {t("hook.save")}
          </Button>
        </div>
      </div>
    </details>
  );
}

function Messages({ id }: { id: string }) {
  const { t } = useWords();
  const [{ state = "" }, setAddress] = useAddress();
  const list = useInfiniteQuery({
    queryKey: ["webhook messages", id, state],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/webhooks/{id}/messages", { params: { path: { id }, query: { limit: 100, ...(state ? { state } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: Column<Sent>[] = [
    { key: "type", title: t("hook.type"), text: (row) => row.type, cell: (row) => <span title={row.type}>{row.type === "webhook.test" ? t("hooks.test") : kindSaid(row.type)}</span> },
    { key: "happened", title: t("hook.happened"), text: (row) => row.happened_at, cell: (row) => <When at={row.happened_at} /> },
    { key: "attempts", title: t("hook.attempts"), right: true, far: true, text: (row) => row.attempts, cell: (row) => whole(row.attempts) },
    { key: "answer", title: t("hook.answer"), far: true, text: (row) => row.error ?? row.status, cell: (row) => <span className="quiet small">{row.error ?? row.status ?? "—"}</span> },
    { key: "next", title: t("hook.next"), far: true, text: (row) => row.next_at, cell: (row) => <When at={row.next_at} /> },
    { key: "state", title: t("hook.state"), text: (row) => row.state, cell: (row) => <Pill tone={row.state === "delivered" ? "good" : row.state === "failed" ? "bad" : "warn"}>{word("hook_state", row.state)}</Pill> },
  ];
  return (
    <>
      <div className="apart">
        <h2>{t("hook.sent")}</h2>
        <span className="row">
          <Segmented size="small" aria-label={t("hook.state")} value={state} onChange={(next) => setAddress({ state: next })} options={STATES.map((value) => ({ value, label: value === "" ? t("hook.all") : word("hook_state", value) }))} />
          <Csv name="webhook" columns={columns} rows={rows} />
        </span>
      </div>
      {list.error && rows.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Card flush>
          {rows.length === 0 && !list.isFetching ? (
            <None slim title={t("hook.none")}>
              {t("hook.none_say")}
            </None>
          ) : (
            <DataTable label={t("hook.sent")} rows={rows} id={(row) => row.id} columns={columns} dense loading={list.isFetching} more={list.hasNextPage ? () => void list.fetchNextPage() : undefined} />
          )}
        </Card>
      )}
    </>
  );
}
