// Webhooks: who else is told what, whether they take it, and a test of each; one opens into what it was sent.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, Refusal, type Schemas } from "@zhiyin/api";
import { App, Button, Drawer, Input, Modal, Typography } from "antd";
import { lazy, Suspense, useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { Csv } from "../../parts/list-tools";
import { Card, Pill } from "../../parts/page";
import { Asked, Bones, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords } from "../../words";
import { Kinds, kindSaid } from "./hook-kinds";

const One = lazy(() => import("./hook"));
type Hook = Schemas["HookView"];

export function Hooks() {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [{ hook = "" }, setAddress] = useAddress();
  const [making, setMaking] = useState(false);
  const hooks = useQuery({ queryKey: ["webhooks"], queryFn: ({ signal }) => got(api.GET("/v1/webhooks", { signal })) });
  const act = async (doing: () => Promise<string>) => {
    try {
      message.info(await doing());
      await client.invalidateQueries({ queryKey: ["webhooks"] });
    } catch (error) {
      message.error(error instanceof Refusal ? error.title : t("state.wrong"));
    }
  };
  const columns: Column<Hook>[] = [
    {
      key: "url",
      title: t("hooks.url"),
      by: (row) => row.description || row.url,
      text: (row) => row.url,
      cell: (row) => (
        <div style={{ padding: "4px 0" }}>
          <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ hook: row.id })}>
            {row.description || t("hook.title")}
          </button>
          <code className="quiet cut" style={{ display: "block", maxWidth: 360 }}>
            {row.url}
          </code>
        </div>
      ),
    },
    { key: "types", title: t("hooks.types"), far: true, text: (row) => row.types.join(" "), cell: (row) => <span className="quiet">{row.types.length === 0 ? t("hooks.all") : row.types.length > 2 ? t("hooks.kinds_n", { n: row.types.length }) : row.types.map(kindSaid).join(t("list_comma"))}</span> },
    { key: "waiting", title: t("hooks.waiting"), right: true, by: (row) => row.waiting, text: (row) => row.waiting, cell: (row) => whole(row.waiting) },
    {
      key: "state",
      title: t("keys.state"),
      text: (row) => (row.paused_at ? t("hooks.paused") : row.failing_since ? t("hooks.failing") : t("hooks.well")),
      cell: (row) => <Pill tone={row.paused_at ? "warn" : row.failing_since ? "bad" : "good"}>{row.paused_at ? t("hooks.paused") : row.failing_since ? t("hooks.failing") : t("hooks.well")}</Pill>,
    },
    {
      key: "do",
      title: <span className="only-heard">{t("messages.do")}</span>,
      right: true,
      cell: (row) => {
        const params = { path: { id: row.id } };
        return (
          <span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}>
            <Button
              size="small"
              onClick={() =>
                void act(async () => {
                  const tested = await got(api.POST("/v1/webhooks/{id}/test", { params, body: {} as never }));
                  return tested.taken ? t("hooks.taken", { status: tested.status ?? "" }) : t("hooks.not_taken", { error: tested.error ?? tested.status ?? "" });
                })
              }
            >
              {t("hooks.test")}
            </Button>
            <Button
              size="small"
              onClick={() =>
                void act(async () => {
                  if (row.paused_at) await got(api.POST("/v1/webhooks/{id}/resume", { params, body: {} as never }));
                  else await got(api.POST("/v1/webhooks/{id}/pause", { params, body: {} as never }));
                  return row.paused_at ? t("hooks.resumed") : t("hooks.paused");
                })
              }
            >
              {row.paused_at ? t("campaigns.resume") : t("campaigns.pause")}
            </Button>
          </span>
        );
      },
    },
  ];
  return (
    <Asked of={hooks}>
      {({ items }) => (
        <div className="stack">
          <div className="apart">
            <span className="quiet">{t("hooks.lead")}</span>
            <span className="row">
              <Csv name="webhooks" columns={columns} rows={items} />
              <Button type="primary" onClick={() => setMaking(true)}>
                {t("hooks.make")}
              </Button>
            </span>
          </div>
          <Card flush>
            {items.length === 0 ? (
              <None title={t("hooks.none")}>{t("hooks.none_say")}</None>
            ) : (
              <DataTable
                label={t("settings.webhooks")}
                rows={items}
                id={(row) => row.id}
                columns={columns}
                open={(row) => setAddress({ hook: row.id, sort: "" })}
              />
            )}
          </Card>
          <Drawer open={hook !== ""} onClose={() => setAddress({ hook: "", state: "", sort: "" })} title={items.find((one) => one.id === hook)?.description || t("hook.title")} size={760} destroyOnHidden>
            <Suspense fallback={<Bones lines={6} />}>{hook ? <One id={hook} close={() => setAddress({ hook: "", state: "", sort: "" })} /> : null}</Suspense>
          </Drawer>
          {making ? <Make close={() => setMaking(false)} /> : null}
        </div>
      )}
    </Asked>
  );
}

function Make({ close }: { close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const [url, setUrl] = useState("");
  const [description, setDescription] = useState("");
  const [types, setTypes] = useState<string[]>([]);
  const [secret, setSecret] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const make = async () => {
    setFault(undefined);
    try {
      const made = await got(api.POST("/v1/webhooks", { body: { url: url.trim(), description, types } }));
      setSecret(made.secret);
      await client.invalidateQueries({ queryKey: ["webhooks"] });
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, "unreachable", t("state.unreachable")));
    }
  };
  return (
    <Modal open title={t("hooks.make")} onCancel={close} {...(secret ? { footer: <Button onClick={close}>{t("do.close")}</Button> } : { okText: t("hooks.make"), onOk: () => void make(), okButtonProps: { disabled: url.trim() === "" } })}>
      {secret ? (
        <div className="stack">
          <p>{t("hooks.once")}</p>
          <Typography.Text code copyable style={{ overflowWrap: "anywhere" }}>
            {secret}
          </Typography.Text>
        </div>
      ) : (
        <div className="stack">
          <Field label={t("hooks.url")} hint={t("hooks.url_say")} fault={fault ? [fault.title, fault.detail].filter(Boolean).join(" ") : undefined}>
            {(id, described) => <Input id={id} aria-describedby={described} placeholder="https://" value={url} onChange={(event) => setUrl(event.target.value)} />}
          </Field>
          <Field label={t("hooks.description")}>{(id) => <Input id={id} maxLength={200} value={description} onChange={(event) => setDescription(event.target.value)} />}</Field>
          <Field label={t("hooks.types")} hint={t("hooks.types_say")}>
            {(id, described) => <Kinds id={id} described={described} value={types} onChange={setTypes} />}
          </Field>
        </div>
      )}
    </Modal>
  );
}
