// Lists of members that were uploaded: how many are on each, one with its audience, more put on it, and its end.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Drawer, Input, Popconfirm, Segmented, Select } from "antd";
import { useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { useMay } from "../../home";
import { useAct } from "../../parts/act";
import { TextFile } from "../../parts/file";
import { Csv } from "../../parts/list-tools";
import { Listed } from "../../parts/listed";
import { When } from "../../parts/marks";
import { Card, Facts } from "../../parts/page";
import { Asked, Fault, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { inPieces, namedIn } from "./names";

type Unmatched = Schemas["Unmatched"];
type Came = { lines: number; matched: number; unknown: number; ambiguous: number; members: number; unmatched: Unmatched[] };

export default function Lists() {
  const { t } = useWords();
  const may = useMay();
  const [{ list = "" }, setAddress] = useAddress();
  const lists = useQuery({ queryKey: ["lists"], queryFn: ({ signal }) => got(api.GET("/v1/lists", { signal })) });
  const make = may("playbook_apply") ? (
    <Button type="primary" onClick={() => setAddress({ list: "new:" })}>
      {t("lists.make")}
    </Button>
  ) : undefined;
  return (
    <>
      <Asked of={lists}>
        {({ items }) => (
          <Card flush>
            {items.length === 0 ? (
              <None title={t("lists.none")} action={make}>
                {t("lists.none_say")}
              </None>
            ) : (
              <Listed
                name="lists"
                views={["tab", "find", "sort"]}
                label={t("lists.title")}
                rows={items}
                id={(row) => row.name}
                open={(row) => setAddress({ list: row.name })}
                tools={make}
                columns={[
                  {
                    key: "name",
                    title: t("lists.name"),
                    by: (row) => row.name,
                    text: (row) => row.name,
                    cell: (row) => (
                      <button type="button" className="plain mono" onClick={() => setAddress({ list: row.name })}>
                        {row.name}
                      </button>
                    ),
                  },
                  { key: "members", title: t("lists.members"), right: true, by: (row) => row.members, text: (row) => row.members, cell: (row) => whole(row.members) },
                  { key: "changed", title: t("lists.changed"), far: true, by: (row) => row.changed_at, text: (row) => row.changed_at, cell: (row) => <When at={row.changed_at} /> },
                  { key: "by", title: t("lists.by"), far: true, by: (row) => row.changed_by, text: (row) => row.changed_by, cell: (row) => row.changed_by },
                  { key: "made", title: t("lists.made"), far: true, by: (row) => row.made_at, text: (row) => row.made_at, cell: (row) => <When at={row.made_at} /> },
                ]}
              />
            )}
          </Card>
        )}
      </Asked>
      <Drawer open={list !== ""} onClose={() => setAddress({ list: "" })} title={list === "new:" ? t("lists.make") : <span className="mono">{list}</span>} size={560} destroyOnHidden>
        {list === "new:" ? <Upload /> : list ? <One name={list} close={() => setAddress({ list: "" })} /> : null}
      </Drawer>
    </>
  );
}

function One({ name, close }: { name: string; close: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const act = useAct();
  const params = { path: { name } };
  const list = useQuery({ queryKey: ["list", name], queryFn: ({ signal }) => got(api.GET("/v1/lists/{name}", { params, signal })) });
  return (
    <Asked of={list}>
      {(data) => (
        <div className="stack">
          <Facts
            of={[
              [t("lists.members"), <Link key="who" to="/audiences" search={{ c: `audience("${name}")` }}>{whole(data.members)}</Link>],
              [t("lists.condition"), <code key="c">{`audience("${name}")`}</code>],
              [t("lists.changed"), <When key="changed" at={data.changed_at} />],
              [t("lists.by"), data.changed_by],
              [t("lists.made"), <When key="made" at={data.made_at} />],
            ]}
          />
          {may("playbook_apply") ? (
            <>
              <h2>{t("lists.upload")}</h2>
              <Upload name={name} />
              <div>
                <Popconfirm
                  title={t("lists.remove_ask", { name })}
                  description={t("lists.remove_say")}
                  okText={t("lists.remove")}
                  okButtonProps={{ danger: true }}
                  onConfirm={async () => {
                    // It is gone once the page asks anew: close first, so that nobody reads a list that is not there.
                    const gone = await act(() => got(api.DELETE("/v1/lists/{name}", { params, body: {} as never })).then(close), t("lists.removed"));
                    return gone;
                  }}
                >
                  <Button danger>{t("lists.remove")}</Button>
                </Popconfirm>
              </div>
            </>
          ) : null}
        </div>
      )}
    </Asked>
  );
}

function Upload({ name: given }: { name?: string }) {
  const { t } = useWords();
  const client = useQueryClient();
  const [name, setName] = useState(given ?? "");
  const [how, setHow] = useState(given ? "add" : "put");
  const [namespace, setNamespace] = useState("phone");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [came, setCame] = useState<Came>();
  const values = useMemo(() => namedIn(text), [text]);
  const known = useMemo(() => [...new Set(["phone", "email", "card", ...(JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[])])], []);
  const save = async () => {
    setBusy(true);
    setError(undefined);
    setCame(undefined);
    try {
      const sum: Came = { lines: 0, matched: 0, unknown: 0, ambiguous: 0, members: 0, unmatched: [] };
      let before = 0;
      for (const [at, piece] of inPieces(values).entries()) {
        const body = { identifiers: piece.map((value) => ({ value })), ...(namespace ? { namespace } : {}) };
        const params = { path: { name: name.trim() } };
        // The first says who is on it, what does not fit into it is added.
        const { upload, unmatched } = await got(at === 0 && how === "put" ? api.PUT("/v1/lists/{name}", { params, body }) : api.POST("/v1/lists/{name}/members", { params, body }));
        for (const key of ["lines", "matched", "unknown", "ambiguous"] as const) sum[key] += upload[key];
        sum.members = upload.members;
        const from = before;
        sum.unmatched.push(...unmatched.map((one) => ({ ...one, line: one.line + from })));
        before += piece.length;
      }
      setCame(sum);
      await client.invalidateQueries({ queryKey: ["lists"] });
      await client.invalidateQueries({ queryKey: ["list", name.trim()] });
    } catch (wrong) {
      setError(wrong);
    } finally {
      setBusy(false);
    }
  };
  const columns: Column<Unmatched>[] = [
    { key: "line", title: t("lists.line"), right: true, text: (row) => row.line, cell: (row) => whole(row.line) },
    { key: "value", title: t("lists.value"), text: (row) => row.value, cell: (row) => <code>{row.value}</code> },
    { key: "why", title: t("posts.why"), text: (row) => word("unmatched", row.why), cell: (row) => `${word("unmatched", row.why)}${row.namespaces.length > 0 ? ` ${row.namespaces.join(t("list_comma"))}` : ""}` },
  ];
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {given ? (
        <Segmented aria-label={t("lists.how")} value={how} onChange={setHow} options={["add", "put"].map((value) => ({ value, label: word("list_how", value) }))} />
      ) : (
        <Field label={t("lists.name")} hint={t("lists.name_say")}>
          {(id, described) => <Input id={id} aria-describedby={described} className="mono" maxLength={64} value={name} onChange={(event) => setName(event.target.value.toLowerCase())} />}
        </Field>
      )}
      <Field label={t("lists.kind")}>
        {(id) => <Select id={id} aria-label={t("lists.kind")} value={namespace} onChange={setNamespace} options={[{ value: "", label: t("lists.any_kind") }, ...known.map((value) => ({ value, label: word("namespace", value) }))]} />}
      </Field>
      <Field label={t("lists.who")} hint={t("lists.who_say", { n: whole(values.length) })}>
        {(id, described) => <Input.TextArea id={id} aria-describedby={described} className="mono" autoSize={{ minRows: 4, maxRows: 10 }} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <TextFile read={setText} />
      {error ? <Fault error={error} /> : null}
      {came ? (
        <div className="note good" role="status">
          <span className="grow">{t("lists.came", { lines: whole(came.lines), matched: whole(came.matched), members: whole(came.members) })}</span>
        </div>
      ) : null}
      {came && came.unmatched.length > 0 ? (
        <Card flush title={t("lists.unmatched", { n: whole(came.unknown + came.ambiguous) })} aside={<Csv name="unmatched" columns={columns} rows={came.unmatched} />}>
          <DataTable label={t("lists.not_matched")} dense rows={came.unmatched} id={(row) => String(row.line)} columns={columns} sorts="by" />
        </Card>
      ) : null}
      <div>
        <Button type="primary" htmlType="submit" loading={busy} disabled={name.trim() === "" || values.length === 0}>
          {t("lists.upload")}
        </Button>
      </div>
    </form>
  );
}
