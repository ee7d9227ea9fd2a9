// The brand's accounts outside of the home, as the server's file of channels names them; each can be checked step by step.
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer, Typography } from "antd";
import { useState } from "react";
import { whole } from "../../format";
import { Csv } from "../../parts/list-tools";
import { Card, Pill } from "../../parts/page";
import { Asked, Bones, Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useWords, word } from "../../words";
import { failedOf, markOf, toneOf, waitingOf } from "./steps";

type Channel = Schemas["ChannelView"];
const idOf = (row: Channel) => `${row.channel} ${row.account}`;

export function Channels() {
  const { t } = useWords();
  const [open, setOpen] = useState<Channel>();
  const list = useQuery({ queryKey: ["channels"], queryFn: ({ signal }) => got(api.GET("/v1/channels", { signal })) });
  const columns: Column<Channel>[] = [
    { key: "channel", title: t("channels.channel"), by: (row) => word("channel", row.channel), text: (row) => row.channel, cell: (row) => word("channel", row.channel) },
    {
      key: "account",
      title: t("channels.account"),
      by: (row) => row.account,
      text: (row) => row.account,
      cell: (row) => (
        <div style={{ padding: "4px 0" }}>
          <span className="mono">{row.account}</span>
          {row.whose ? <div className="small quiet mono">{row.whose}</div> : null}
        </div>
      ),
    },
    {
      key: "callback",
      title: t("channels.callback"),
      far: true,
      text: (row) => row.callback,
      cell: (row) =>
        row.callback ? (
          <Typography.Text copyable className="mono small" style={{ overflowWrap: "anywhere" }}>
            {row.callback}
          </Typography.Text>
        ) : (
          "—"
        ),
    },
    { key: "waiting", title: t("channels.waiting"), right: true, by: waitingOf, text: waitingOf, cell: (row) => (row.sends ? whole(waitingOf(row)) : "—") },
    { key: "failed", title: t("channels.failed"), right: true, by: failedOf, text: failedOf, cell: (row) => (!row.sends ? "—" : failedOf(row) > 0 ? <Pill tone="bad">{whole(failedOf(row))}</Pill> : whole(0)) },
    {
      key: "do",
      title: <span className="only-heard">{t("messages.do")}</span>,
      right: true,
      cell: (row) =>
        row.tested ? (
          <Button size="small" onClick={() => setOpen(row)}>
            {t("channels.test")}
          </Button>
        ) : (
          <span className="small quiet">{t("channels.untested")}</span>
        ),
    },
  ];
  return (
    <Asked of={list}>
      {({ items }) => (
        <div className="stack">
          <div className="apart">
            <span className="quiet">{t("channels.lead")}</span>
            <Csv name="channels" columns={columns} rows={items} />
          </div>
          <Card flush>{items.length === 0 ? <None title={t("channels.none")}>{t("channels.none_say")}</None> : <DataTable label={t("settings.channels")} rows={items} id={idOf} columns={columns} />}</Card>
          <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} title={open ? `${word("channel", open.channel)} · ${open.account}` : ""} size={640} destroyOnHidden>
            {open ? <Test key={idOf(open)} of={open} /> : null}
          </Drawer>
        </div>
      )}
    </Asked>
  );
}

function Test({ of }: { of: Channel }) {
  const { t, lang } = useWords();
  const path = { channel: of.channel, account: of.account };
  const test = useMutation({ mutationFn: () => got(api.POST("/v1/channels/{channel}/{account}/test", { params: { path }, body: {} as never })) });
  return (
    <div className="stack">
      <p className="quiet">{t("channels.test_say")}</p>
      <div className="row">
        <Button type="primary" loading={test.isPending} onClick={() => test.mutate()}>
          {t("channels.test")}
        </Button>
        {test.data && !test.isPending ? <Pill tone={test.data.well ? "good" : "bad"}>{test.data.well ? t("channels.well") : t("channels.wrong")}</Pill> : null}
      </div>
      {test.isPending ? <Bones lines={5} /> : null}
      {test.error ? <Fault error={test.error} retry={() => test.mutate()} /> : null}
      {test.data && !test.isPending ? (
        <ol className="stack tight" aria-label={t("channels.steps")}>
          {test.data.steps.map((step, at) => (
            <li key={`${at} ${step.name}`} className="row" style={{ flexWrap: "nowrap", alignItems: "flex-start" }}>
              <span aria-hidden="true" style={{ color: toneOf(step.health) }}>
                {markOf(step.health)}
              </span>
              <span className="grow">
                <span style={{ fontWeight: 500 }}>{step.title[lang]}</span> <span className="only-heard">{word("step_health", step.health)}</span>
                <div className="small">{step.found[lang]}</div>
                {step.remedy ? <div className="small quiet">{t("channels.remedy", { remedy: step.remedy[lang] })}</div> : null}
              </span>
            </li>
          ))}
        </ol>
      ) : null}
    </div>
  );
}
