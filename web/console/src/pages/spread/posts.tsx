// What staff publish for the brand, into groups or as a moment: what stands where, one with who did it, a new one, and a second person's answer.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Input, InputNumber, Segmented, Select } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { useSaving } from "../../parts/saving";
import { Asked, Fault, None } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useWords, word } from "../../words";
import { useAccount } from "./accounts";
import { Given } from "./given";
import { Waits } from "./waits";

type Post = Schemas["PostView"];
const tone = (row: Post) => (row.why ? "bad" : row.state === "over" ? "good" : row.state === "asked" ? "warn" : "info");
const shortly = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

export default function Posts() {
  const { t } = useWords();
  const account = useAccount();
  const list = useQuery({ queryKey: ["posts", account], queryFn: ({ signal }) => got(api.GET("/v1/posts", { params: { query: { account } }, signal })), refetchInterval: 15_000 });
  return (
    <Given<Post>
      of="post"
      name="posts"
      list={list}
      said={{ title: t("posts.title"), make: t("posts.make"), none: t("posts.none"), none_say: t("posts.none_say"), one: t("posts.batch") }}
      id={(row) => row.batch}
      size={560}
      one={(batch, through) => <One batch={batch} account={through} />}
      make={(through, made) => <Make account={through} made={made} />}
      columns={[
        { key: "text", title: t("posts.text"), far: true, text: (row) => row.text, cell: (row) => <span className="cut" style={{ display: "block", maxWidth: 420 }} title={row.text}>{shortly(row.text)}</span> },
        { key: "into", title: t("posts.into"), by: (row) => row.into, text: (row) => word("post_into", row.into), cell: (row) => word("post_into", row.into) },
        { key: "by", title: t("posts.asked_by"), far: true, by: (row) => row.asked_by, text: (row) => row.asked_by, cell: (row) => row.asked_by },
        { key: "at", title: t("posts.asked_at"), far: true, by: (row) => row.asked_at, text: (row) => row.asked_at, cell: (row) => <When at={row.asked_at} /> },
        { key: "staff", title: t("posts.staff"), right: true, far: true, by: (row) => row.staff.length, text: (row) => row.staff.length, cell: (row) => whole(row.staff.length) },
        { key: "state", title: t("posts.state"), by: (row) => row.state, text: (row) => word("post_state", row.state), cell: (row) => <Pill tone={tone(row)}>{word("post_state", row.state)}</Pill> },
      ]}
    />
  );
}

function One({ batch, account }: { batch: string; account: string }) {
  const { t } = useWords();
  const post = useQuery({ queryKey: ["post", account, batch], queryFn: ({ signal }) => got(api.GET("/v1/posts/{batch}", { params: { path: { batch }, query: { account } }, signal })), refetchInterval: 15_000 });
  const params = { path: { batch } };
  return (
    <Asked of={post}>
      {(data) => {
        const waits = data.state === "asked" && data.approval !== null && data.why === null;
        return (
          <div className="stack">
            <p className="bubble" style={{ whiteSpace: "pre-wrap" }}>
              {data.text}
            </p>
            <Facts
              of={[
                [t("posts.state"), <Pill key="state" tone={tone(data)}>{word("post_state", data.state)}</Pill>],
                data.why ? [t("posts.why"), word("post_why", data.why)] : null,
                [t("posts.into"), word("post_into", data.into)],
                [t("spread.account"), data.account],
                [t("posts.asked_by"), data.asked_by],
                [t("posts.asked_at"), <When key="at" at={data.asked_at} />],
              ]}
            />
            {waits ? (
              <Waits
                no={data.approval ?? 0}
                by={data.asked_by}
                say={t("posts.waits_say")}
                ask={[t("posts.approve_ask"), t("posts.approve_say")]}
                approve={() => got(api.POST("/v1/posts/{batch}/approve", { params, body: { account } }))}
                refuse={() => got(api.POST("/v1/posts/{batch}/refuse", { params, body: { account } }))}
              />
            ) : null}
            <Card flush title={t("posts.staff")}>
              {data.staff.length === 0 ? (
                <None slim title={t("posts.no_staff")} />
              ) : (
                <DataTable
                  label={t("posts.staff")}
                  dense
                  rows={data.staff}
                  id={(row) => row.account}
                  sorts="by"
                  columns={[
                    { key: "account", title: t("posts.who"), by: (row) => row.account, cell: (row) => row.account },
                    { key: "groups", title: t("posts.groups"), cell: (row) => Object.entries(row.groups).map(([what, n]) => `${word("post_group", what)} ${whole(n)}`).join(t("list_comma")) || "—" },
                    { key: "state", title: t("posts.state"), by: (row) => row.state, cell: (row) => <Pill tone={row.state === "published" ? "good" : row.state === "over" ? "bad" : "warn"}>{word("post_staff", row.state)}</Pill> },
                  ]}
                />
              )}
            </Card>
          </div>
        );
      }}
    </Asked>
  );
}

const tags = (value: string[], set: (next: string[]) => void, label: string, id: string, described?: string) => <Select id={id} aria-label={label} aria-describedby={described} mode="tags" open={false} suffixIcon={null} tokenSeparators={[",", " ", "\uff0c"]} value={value} onChange={set} />;

function Make({ account, made }: { account: string; made: (batch: string) => void }) {
  const { t } = useWords();
  const [batch, setBatch] = useState("");
  const [text, setText] = useState("");
  const [into, setInto] = useState("groups");
  const [named, setNamed] = useState("");
  const [touchpoints, setTouchpoints] = useState<string[]>([]);
  const [stores, setStores] = useState<string[]>([]);
  const [owners, setOwners] = useState<string[]>([]);
  const [accounts, setAccounts] = useState<string[]>([]);
  const [labels, setLabels] = useState<string[]>([]);
  const [title, setTitle] = useState("");
  const [url, setUrl] = useState("");
  const [hours, setHours] = useState<number | null>(null);
  const { busy, error, save } = useSaving();
  const nowhere = into === "groups" && named.trim() === "" && touchpoints.length + stores.length + owners.length === 0;
  const publish = async () => {
    const groups = { groups: [], ...(named.trim() ? { named: named.trim() } : {}), touchpoints, stores, owners };
    const card = title.trim() && url.trim() ? { card: { title: title.trim(), url: url.trim() } } : {};
    const body = { batch: batch.trim(), text, account, ...(into === "groups" ? { groups, ...card } : { moment: { accounts, tags: labels } }), ...(hours ? { confirm_hours: hours } : {}) };
    made((await got(api.POST("/v1/posts", { body }))).batch);
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save(publish);
      }}
    >
      <Field label={t("posts.batch")} hint={t("posts.batch_say")}>
        {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={batch} onChange={(event) => setBatch(event.target.value)} />}
      </Field>
      <Field label={t("posts.text")}>{(id) => <Input.TextArea id={id} maxLength={1300} autoSize={{ minRows: 3, maxRows: 10 }} value={text} onChange={(event) => setText(event.target.value)} />}</Field>
      <Segmented aria-label={t("posts.into")} value={into} onChange={setInto} options={["groups", "moment"].map((value) => ({ value, label: word("post_into", value) }))} />
      {into === "groups" ? (
        <>
          <Field label={t("posts.named")} hint={t("posts.groups_say")}>
            {(id, described) => <Input id={id} aria-describedby={described} maxLength={64} value={named} onChange={(event) => setNamed(event.target.value)} />}
          </Field>
          <Field label={t("posts.touchpoints")}>{(id) => tags(touchpoints, setTouchpoints, t("posts.touchpoints"), id)}</Field>
          <Field label={t("posts.stores")}>{(id) => tags(stores, setStores, t("posts.stores"), id)}</Field>
          <Field label={t("posts.owners")}>{(id) => tags(owners, setOwners, t("posts.owners"), id)}</Field>
          <Field label={t("posts.card_title")}>{(id) => <Input id={id} maxLength={64} value={title} onChange={(event) => setTitle(event.target.value)} />}</Field>
          <Field label={t("posts.card_url")} hint={t("posts.card_say")}>
            {(id, described) => <Input id={id} aria-describedby={described} maxLength={1024} value={url} onChange={(event) => setUrl(event.target.value)} />}
          </Field>
        </>
      ) : (
        <>
          <Field label={t("posts.by_accounts")} hint={t("posts.by_accounts_say")}>
            {(id, described) => tags(accounts, setAccounts, t("posts.by_accounts"), id, described)}
          </Field>
          <Field label={t("posts.for_tags")} hint={t("posts.for_tags_say")}>
            {(id, described) => tags(labels, setLabels, t("posts.for_tags"), id, described)}
          </Field>
        </>
      )}
      <Field label={t("posts.hours")} hint={t("posts.hours_say")}>
        {(id, described) => <InputNumber id={id} aria-describedby={described} min={1} max={168} precision={0} style={{ width: "100%" }} value={hours} onChange={setHours} />}
      </Field>
      {error ? <Fault error={error} /> : null}
      <div>
        <Button type="primary" htmlType="submit" loading={busy} disabled={batch.trim() === "" || text.trim() === "" || nowhere || (title.trim() === "") !== (url.trim() === "")}>
          {t("posts.make")}
        </Button>
      </div>
    </form>
  );
}
