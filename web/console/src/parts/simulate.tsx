// A changed playbook tried on what was recorded: the home replays it under both sets of rules, and says what it would have cost and for whom.
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Button, Input, Progress } from "antd";
import { useEffect, useState } from "react";
import { Field } from "../frame/sign-in";
import { called, money, signed, whole } from "../format";
import { useCurrency, useMay } from "../home";
import { useWords, word } from "../words";
import { Figures } from "./page";
import { Fault } from "./states";
import { DataTable, type Column } from "./table";
import { gistOf, sampleFits, sumsOf, yearBefore, type Simulated, type Sum } from "./simulated";

/** How often it is asked how far it is, in milliseconds. */
const LOOK_EVERY = 1_000;

export function Simulate({ source, ready = true }: { source: string; ready?: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const [period, setPeriod] = useState(() => yearBefore(new Date().toISOString().slice(0, 10)));
  const [sample, setSample] = useState("");
  const [id, setId] = useState("");
  const begin = useMutation({
    mutationFn: () => {
      const { from, to } = period;
      return got(api.POST("/v1/simulations", { body: { source, ...(from ? { from } : {}), ...(to ? { to } : {}), ...(sample.trim() ? { sample: sample.trim() } : {}) } }));
    },
    onSuccess: (begun) => setId(begun.id),
  });
  const going = useQuery({
    queryKey: ["simulation", id],
    enabled: id !== "",
    retry: false,
    queryFn: ({ signal }) => got(api.GET("/v1/simulations/{simulation}", { params: { path: { simulation: id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === "running" && !query.state.error ? LOOK_EVERY : false),
    refetchIntervalInBackground: true,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // What was found is of the text that was tried.
  useEffect(() => setId(""), [source]);
  // Whoever goes elsewhere, or asks for something else, wants it no more: another may begin then.
  useEffect(() => {
    if (id === "") return undefined;
    return () => {
      void api.DELETE("/v1/simulations/{simulation}", { params: { path: { simulation: id } }, body: {} as never }).catch(() => undefined);
    };
  }, [id]);
  if (!may("reports_read")) return null;
  const view = id === "" ? undefined : going.data;
  const running = begin.isPending || (id !== "" && !going.error && (view === undefined || view.state === "running"));
  return (
    <div className="stack tight">
      <p className="small quiet">{t("simulate.lead")}</p>
      <div className="row" style={{ alignItems: "flex-end" }}>
        {(["from", "to"] as const).map((one) => (
          <Field key={one} label={t(`simulate.${one}`)}>
            {(field) => <input id={field} className="input" style={{ width: 148, height: 32 }} type="date" value={period[one]} onChange={(event) => setPeriod({ ...period, [one]: event.target.value })} />}
          </Field>
        ))}
        <Field label={t("simulate.sample")} fault={sampleFits(sample) ? undefined : t("simulate.sample_bad")}>
          {(field, described) => <Input id={field} aria-describedby={described} style={{ width: 120 }} maxLength={12} placeholder={t("simulate.all")} value={sample} onChange={(event) => setSample(event.target.value)} />}
        </Field>
      </div>
      <div className="row">
        <Button disabled={!ready || !sampleFits(sample) || running} loading={running} onClick={() => begin.mutate()}>
          {t("simulate.do")}
        </Button>
        {running && id !== "" ? (
          <Button type="text" onClick={() => setId("")}>
            {t("simulate.stop")}
          </Button>
        ) : null}
      </div>
      {running && id !== "" ? <Progress aria-label={t("simulate.going")} percent={Math.floor((view?.done_thousandths ?? 0) / 10)} size="small" /> : null}
      {begin.error ? <Fault error={begin.error} /> : null}
      {id !== "" && going.error ? <Fault error={going.error} retry={() => begin.mutate()} /> : null}
      {view?.state === "failed" ? (
        <p className="small danger" role="alert">
          {word("simulation_why", view.why ?? "")}
        </p>
      ) : null}
      {view?.found ? <Found found={view.found} /> : null}
    </div>
  );
}

function Found({ found }: { found: Simulated }) {
  const { t, lang } = useWords();
  const brand = useCurrency();
  const currency = found.currency || brand;
  const gist = gistOf(found);
  const shown = (row: Sum, value: number) => (row.money ? money(value, currency) : whole(value));
  const columns: Column<Sum>[] = [
    { key: "sum", title: t("simulate.sum"), cell: (row) => word("sum", row.measure) },
    { key: "live", title: t("simulate.live"), right: true, cell: (row) => shown(row, row.live) },
    { key: "changed", title: t("simulate.changed"), right: true, cell: (row) => shown(row, row.changed) },
    { key: "difference", title: t("simulate.difference"), right: true, cell: (row) => (row.difference === 0 ? "—" : row.money ? `${row.difference > 0 ? "+" : ""}${money(row.difference, currency)}` : signed(row.difference)) },
  ];
  const offers = found.offers.filter((one) => one.live.uses + one.changed.uses + one.changed.coupons_given > 0);
  return (
    <div className="stack tight">
      <Figures
        of={[
          { label: t("simulate.cost"), value: money(gist.cost, currency), note: gist.cost_of_all === undefined ? t("simulate.of_members", { n: whole(gist.replayed) }) : t("simulate.estimate", { cost: money(gist.cost_of_all, currency) }) },
          { label: t("simulate.points"), value: signed(gist.points), note: t("simulate.points_say") },
          { label: t("simulate.touched"), value: whole(gist.gain + gist.lose), note: t("simulate.gain_lose", { gain: whole(gist.gain), lose: whole(gist.lose) }) },
        ]}
      />
      <DataTable label={t("simulate.title")} rows={sumsOf(found)} id={(row) => row.measure} columns={columns} sorts="sums" dense />
      {offers.length > 0 ? (
        <DataTable
          label={t("simulate.offers")}
          rows={offers}
          id={(row) => row.offer}
          sorts="sums_of_offers"
          dense
          columns={[
            { key: "offer", title: t("simulate.offers"), cell: (row) => called(row.name, row.offer) },
            { key: "uses", title: t("simulate.uses"), right: true, cell: (row) => whole(row.changed.uses) },
            { key: "members", title: t("simulate.members"), right: true, far: true, cell: (row) => whole(row.changed.members) },
            { key: "cost", title: t("simulate.cost_more"), right: true, cell: (row) => money(row.cost_difference, currency) },
          ]}
        />
      ) : null}
      {gist.true_to_record ? null : <p className="small danger">{t("simulate.differs", { equal: whole(found.reproduced.equal), compared: whole(found.reproduced.compared) })}</p>}
      <ul className="stack tight small quiet" style={{ gap: 4 }}>
        {[found.assumes, ...found.notes].map((one) => {
          const text = (lang === "zh" ? one.zh : one.en) ?? "";
          return <li key={text}>{text}</li>;
        })}
      </ul>
    </div>
  );
}
