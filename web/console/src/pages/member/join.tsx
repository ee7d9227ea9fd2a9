// Two records that are one person, put together by hand; and one that is two, taken apart. What comes of it is seen first.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got, once } from "@zhiyin/api";
import { App, Button, Checkbox, Input } from "antd";
import { useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { money, whole } from "../../format";
import { Asked, Bones, Fault, None } from "../../parts/states";
import { lookUp, type Found } from "../../seek";
import { useWords, word } from "../../words";
import { nameOf, type Whole } from "../member";
import { StageName, TierName } from "./profile";

const REASON_MAX = 200;

export function Merge({ data, close }: { data: Whole; close: (id?: string) => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<Found[]>();
  const [other, setOther] = useState("");
  const [swapped, setSwapped] = useState(false);
  const [reason, setReason] = useState("");
  const asks = useMemo(() => once(), []);
  const look = async () => {
    const known = JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[];
    setFound((await lookUp(typed, known)).filter((one) => one.id !== data.id));
  };
  const second = useQuery({ queryKey: ["member", other], enabled: other !== "", queryFn: ({ signal }) => got(api.GET("/v1/members/{id}", { params: { path: { id: other } }, signal })) });
  const merge = useMutation({
    mutationFn: () => got(api.POST("/v1/commands/members/merge", { params: asks, body: { members: (swapped ? [other, data.id] : [data.id, other]).map((id) => ({ id })), reason: reason.trim() } })),
    onSuccess: async (done) => {
      if (!("member" in done)) message.info(t("join.later"));
      else message.success(t("join.done"));
      await client.invalidateQueries();
      close(swapped ? other : undefined);
    },
  });
  return (
    <div className="stack">
      <p className="quiet">{t("join.lead")}</p>
      <Input.Search aria-label={t("join.find")} placeholder={t("join.find")} value={typed} enterButton={t("do.look")} onChange={(event) => setTyped(event.target.value)} onSearch={() => void look()} />
      {found && found.length === 0 ? <p className="danger small" role="alert">{t("campaigns.trace_nobody")}</p> : null}
      {found && found.length > 0 ? (
        <ul className="stack tight">
          {found.map((one) => (
            <li key={one.id} className="apart">
              <span>
                {one.name ?? one.id.slice(0, 8)} <span className="quiet small">{one.by}</span>
              </span>
              <Button size="small" type={one.id === other ? "primary" : "default"} onClick={() => setOther(one.id)}>
                {t("join.choose")}
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
      {other ? (
        <Asked of={second}>
          {(with_) => {
            const [stays, goes] = swapped ? [with_, data] : [data, with_];
            return (
              <>
                <div className="apart">
                  <h2>{t("join.preview")}</h2>
                  <Button size="small" onClick={() => setSwapped((now) => !now)}>
                    {t("join.swap")}
                  </Button>
                </div>
                <Compared of={[[t("join.stays"), half(stays)], [t("join.goes"), half(goes)], [t("join.together"), together(stays, goes)]]} currency={stays.orders.currency} />
                <p className="small quiet">{t("join.say")}</p>
                <Field label={t("adjust.reason")} hint={t("adjust.reason_say")}>
                  {(id, described) => <Input id={id} aria-describedby={described} maxLength={REASON_MAX} value={reason} onChange={(event) => setReason(event.target.value)} />}
                </Field>
                {merge.error ? <Fault error={merge.error} /> : null}
                <div>
                  <Button type="primary" danger loading={merge.isPending} disabled={reason.trim() === ""} onClick={() => merge.mutate()}>
                    {t("join.merge")}
                  </Button>
                </div>
              </>
            );
          }}
        </Asked>
      ) : null}
    </div>
  );
}

type Half = { name: string; names: string; tier: string | null; stage: string | null; points: number; orders: number; paid: number | null; tags: number };
const points = (of: Whole) => of.accounts.find((one) => one.asset === "points")?.shown ?? 0;
const half = (of: Whole): Half => ({
  name: nameOf(of),
  names: of.identifiers.map((one) => `${word("namespace", one.namespace)} ${one.value}`).join("\n"),
  tier: of.tier?.level ?? null,
  stage: of.lifecycle?.stage ?? null,
  points: points(of),
  orders: of.orders.count,
  paid: of.orders.paid_minor,
  tags: of.tags.length,
});
const together = (one: Whole, other: Whole): Half => ({
  ...half(one),
  names: [half(one).names, half(other).names].filter(Boolean).join("\n"),
  // Tier and stage are judged anew over both histories: nobody knows here what comes of it.
  tier: null,
  stage: null,
  points: points(one) + points(other),
  orders: one.orders.count + other.orders.count,
  paid: one.orders.paid_minor + other.orders.paid_minor,
  tags: -1,
});

function Compared({ of, currency }: { of: [string, Half][]; currency: string }) {
  const { t } = useWords();
  const lines: [string, (one: Half, at: number) => React.ReactNode][] = [
    [t("members.who"), (one) => one.name],
    [t("member.names"), (one) => <span style={{ whiteSpace: "pre-line" }} className="small">{one.names || "—"}</span>],
    [t("members.tier"), (one) => (one.tier ? <TierName id={one.tier} /> : <span className="quiet">{t("join.anew")}</span>)],
    [t("members.stage"), (one) => (one.stage ? <StageName id={one.stage} /> : <span className="quiet">{t("join.anew")}</span>)],
    [t("members.points"), (one) => whole(one.points)],
    [t("join.orders"), (one) => whole(one.orders)],
    [t("member.paid"), (one) => (one.paid === null ? "—" : money(one.paid, currency))],
    [t("members.tags"), (one) => (one.tags < 0 ? <span className="quiet">{t("join.anew")}</span> : whole(one.tags))],
  ];
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={t("join.preview")}>
      <table className="data dense">
        <thead>
          <tr>
            <th scope="col">
              <span className="only-heard">{t("join.what")}</span>
            </th>
            {of.map(([title]) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(([title, cell]) => (
            <tr key={title}>
              <th scope="row" style={{ position: "static", fontWeight: 400 }}>
                {title}
              </th>
              {of.map(([name, one], at) => (
                <td key={name}>{cell(one, at)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Part({ data, close }: { data: Whole; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [picked, setPicked] = useState<string[]>([]);
  const [reason, setReason] = useState("");
  const asks = useMemo(() => once(), []);
  const keyOf = (one: { namespace: string; value: string }) => `${one.namespace}:${one.value}`;
  const identifiers = data.identifiers.filter((one) => picked.includes(keyOf(one))).map(({ namespace, value }) => ({ namespace, value }));
  const halves = useQuery({
    queryKey: ["halves", data.id, picked],
    enabled: picked.length > 0 && picked.length < data.identifiers.length,
    retry: false,
    queryFn: ({ signal }) => got(api.POST("/v1/commands/members/unmerge/preview", { body: { identifiers }, signal })),
  });
  const part = useMutation({
    mutationFn: () => got(api.POST("/v1/commands/members/unmerge", { params: asks, body: { identifiers, reason: reason.trim() } })),
    onSuccess: async () => {
      message.success(t("join.parted"));
      await client.invalidateQueries();
      close();
    },
  });
  if (data.identifiers.length < 2) return <None title={t("join.one_name")}>{t("join.one_name_say")}</None>;
  return (
    <div className="stack">
      <p className="quiet">{t("join.part_lead")}</p>
      <Checkbox.Group
        aria-label={t("member.names")}
        style={{ display: "flex", flexDirection: "column", gap: 6 }}
        value={picked}
        onChange={(next) => setPicked(next as string[])}
        options={data.identifiers.map((one) => ({ value: keyOf(one), label: `${word("namespace", one.namespace)} ${one.value}` }))}
      />
      {picked.length === data.identifiers.length ? <p className="danger small">{t("join.not_all")}</p> : null}
      {halves.isFetching && !halves.data ? <Bones lines={3} /> : null}
      {halves.error ? <Fault error={halves.error} /> : null}
      {halves.data && !halves.error ? (
        <>
          <h2>{t("join.preview")}</h2>
          <table className="data dense">
            <thead>
              <tr>
                <th scope="col">
                  <span className="only-heard">{t("join.what")}</span>
                </th>
                <th scope="col" className="right">
                  {t("join.remains")}
                </th>
                <th scope="col" className="right">
                  {t("join.leaves")}
                </th>
              </tr>
            </thead>
            <tbody>
              {(["points", "growth", "orders", "events"] as const).map((name) => (
                <tr key={name}>
                  <th scope="row" style={{ position: "static", fontWeight: 400 }}>
                    {name === "points" ? t("members.points") : name === "growth" ? t("member.growth") : name === "orders" ? t("join.orders") : t("join.events")}
                  </th>
                  <td className="right">{whole(halves.data.stays[name])}</td>
                  <td className="right">{whole(halves.data.leaves[name])}</td>
                </tr>
              ))}
              <tr>
                <th scope="row" style={{ position: "static", fontWeight: 400 }}>
                  {t("members.tier")}
                </th>
                {[halves.data.stays, halves.data.leaves].map((one, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: two halves.
                  <td key={at} className="right">
                    {one.tier ? <TierName id={one.tier} /> : "—"}
                  </td>
                ))}
              </tr>
            </tbody>
          </table>
          <Field label={t("adjust.reason")} hint={t("adjust.reason_say")}>
            {(id, described) => <Input id={id} aria-describedby={described} maxLength={REASON_MAX} value={reason} onChange={(event) => setReason(event.target.value)} />}
          </Field>
          {part.error ? <Fault error={part.error} /> : null}
          <div>
            <Button type="primary" danger loading={part.isPending} disabled={reason.trim() === ""} onClick={() => part.mutate()}>
              {t("join.part")}
            </Button>
          </div>
        </>
      ) : null}
    </div>
  );
}
