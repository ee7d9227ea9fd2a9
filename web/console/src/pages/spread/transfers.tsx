// Customers handed over from one of the staff to another: how far each hand-over is, why some stay, and a new one.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Checkbox, Input } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { When } from "../../parts/marks";
import { Bars, Card, Facts, Pill } from "../../parts/page";
import { useSaving } from "../../parts/saving";
import { Asked, Fault, None } from "../../parts/states";
import { useWords, word } from "../../words";
import { useAccount } from "./accounts";
import { Given } from "./given";
import { Waits } from "./waits";

type Transfer = Schemas["TransferView2"];
const tone = (state: string) => (state === "done" ? "good" : ["refused", "failed"].includes(state) ? "bad" : state === "approval" ? "warn" : "info");
const STEPS = ["listed", "asked", "done", "kept", "unheard"];
const COLORS: Record<string, string> = { done: "var(--celadon)", kept: "var(--cinnabar)", unheard: "var(--gold)" };
const total = (row: Transfer) => Object.values(row.customers).reduce((sum, n) => sum + n, 0);
const WORD_MOST = 200;

export default function Transfers() {
  const { t } = useWords();
  const account = useAccount();
  const list = useQuery({ queryKey: ["transfers", account], queryFn: ({ signal }) => got(api.GET("/v1/transfers", { params: { query: { account } }, signal })), refetchInterval: 15_000 });
  return (
    <Given<Transfer>
      of="transfer"
      name="transfers"
      list={list}
      said={{ title: t("transfers.title"), make: t("transfers.make"), none: t("transfers.none"), none_say: t("transfers.none_say"), one: t("transfers.one") }}
      id={(row) => row.transfer}
      size={520}
      one={(name, through) => <One name={name} account={through} />}
      make={(through, made) => <Make account={through} made={made} />}
      columns={[
        { key: "from", title: t("transfers.from"), far: true, by: (row) => row.from, text: (row) => row.from, cell: (row) => row.from },
        { key: "to", title: t("transfers.to"), far: true, by: (row) => row.to, text: (row) => row.to, cell: (row) => row.to },
        { key: "at", title: t("posts.asked_at"), far: true, by: (row) => row.asked_at, text: (row) => row.asked_at, cell: (row) => <When at={row.asked_at} /> },
        { key: "done", title: t("transfers.done"), right: true, by: (row) => row.customers.done ?? 0, text: (row) => row.customers.done ?? 0, cell: (row) => t("transfers.of", { n: whole(row.customers.done ?? 0), all: whole(total(row)) }) },
        { key: "state", title: t("posts.state"), by: (row) => row.state, text: (row) => word("transfer_state", row.state), cell: (row) => <Pill tone={tone(row.state)}>{word("transfer_state", row.state)}</Pill> },
      ]}
    />
  );
}

function One({ name, account }: { name: string; account: string }) {
  const { t } = useWords();
  const params = { path: { transfer: name } };
  const one = useQuery({ queryKey: ["transfer", account, name], queryFn: ({ signal }) => got(api.GET("/v1/transfers/{transfer}", { params: { path: { transfer: name }, query: { account } }, signal })), refetchInterval: 15_000 });
  return (
    <Asked of={one}>
      {(data) => (
        <div className="stack">
          {data.state === "approval" ? (
            <Waits
              no={data.approval ?? 0}
              by={data.asked_by}
              say={t("transfers.waits_say")}
              ask={[t("transfers.approve_ask"), t("transfers.approve_say")]}
              approve={() => got(api.POST("/v1/transfers/{transfer}/approve", { params, body: { account } }))}
              refuse={() => got(api.POST("/v1/transfers/{transfer}/refuse", { params, body: { account } }))}
            />
          ) : null}
          <Facts
            of={[
              [t("posts.state"), <Pill key="state" tone={tone(data.state)}>{word("transfer_state", data.state)}</Pill>],
              data.why ? [t("posts.why"), word("transfer_why", data.why)] : null,
              [t("transfers.from"), `${data.from}${data.has_left ? ` · ${t("transfers.has_left")}` : ""}`],
              [t("transfers.to"), data.to],
              [t("posts.asked_by"), data.asked_by],
              [t("posts.asked_at"), <When key="at" at={data.asked_at} />],
              [t("transfers.groups"), whole(data.groups)],
            ]}
          />
          <Card title={t("transfers.customers")}>
            {total(data) === 0 ? (
              <None slim title={t("transfers.nobody")} />
            ) : (
              <Bars most={total(data)} of={STEPS.filter((step) => (data.customers[step] ?? 0) > 0).map((step) => ({ key: step, label: word("transfer_step", step), value: data.customers[step] ?? 0, shown: whole(data.customers[step] ?? 0), color: COLORS[step] ?? "var(--indigo)" }))} />
            )}
          </Card>
          {Object.keys(data.kept_because).length > 0 ? (
            <Card title={t("transfers.kept")}>
              <Facts of={Object.entries(data.kept_because).map(([why, n]): [string, string] => [word("transfer_why", why), whole(n)])} />
            </Card>
          ) : null}
          {Object.keys(data.groups_kept).length > 0 ? (
            <Card title={t("transfers.groups_kept")}>
              <Facts of={Object.entries(data.groups_kept).map(([group, why]): [string, string] => [group, word("transfer_why", why)])} />
            </Card>
          ) : null}
        </div>
      )}
    </Asked>
  );
}

function Make({ account, made }: { account: string; made: (name: string) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [left, setLeft] = useState(false);
  const [groups, setGroups] = useState(false);
  const [customers, setCustomers] = useState("");
  const [said, setSaid] = useState("");
  const { busy, error, save } = useSaving();
  const handOver = async () => {
    const named = customers.split(/[\s,\uff0c]+/).filter(Boolean);
    const body = { transfer: name.trim(), account, from: from.trim(), to: to.trim(), left, groups, customers: named, ...(said.trim() && !left ? { word: said.trim() } : {}) };
    made((await got(api.POST("/v1/transfers", { body }))).transfer);
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save(handOver);
      }}
    >
      <Field label={t("transfers.one")} hint={t("posts.batch_say")}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label={t("transfers.from")} hint={t("transfers.userid_say")}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={from} onChange={(event) => setFrom(event.target.value)} />}
      </Field>
      <Field label={t("transfers.to")}>{(id) => <Input id={id} maxLength={64} value={to} onChange={(event) => setTo(event.target.value)} />}</Field>
      <Checkbox checked={left} onChange={(event) => setLeft(event.target.checked)}>
        {t("transfers.left")}
      </Checkbox>
      <Checkbox checked={groups} onChange={(event) => setGroups(event.target.checked)}>
        {t("transfers.groups_too")}
      </Checkbox>
      <Field label={t("transfers.which")} hint={t("transfers.which_say")}>
        {(id, described) => <Input.TextArea id={id} aria-describedby={described} className="mono" autoSize={{ minRows: 2, maxRows: 8 }} value={customers} onChange={(event) => setCustomers(event.target.value)} />}
      </Field>
      {left ? null : (
        <Field label={t("transfers.word")} hint={t("transfers.word_say")}>
          {(id, described) => <Input.TextArea id={id} aria-describedby={described} maxLength={WORD_MOST} autoSize={{ minRows: 2, maxRows: 4 }} value={said} onChange={(event) => setSaid(event.target.value)} />}
        </Field>
      )}
      {error ? <Fault error={error} /> : null}
      <div>
        <Button type="primary" htmlType="submit" loading={busy} disabled={name.trim() === "" || from.trim() === "" || to.trim() === ""}>
          {t("transfers.make")}
        </Button>
      </div>
    </form>
  );
}
