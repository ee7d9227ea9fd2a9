// What is said: each message of the playbook in both languages, changed here, and as one member would read it.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Named } from "@zhiyin/api";
import { Button, Drawer, Input, Select } from "antd";
import { useEffect, useMemo, useState } from "react";
import { Field } from "../../frame/sign-in";
import { called } from "../../format";
import { useMay } from "../../home";
import { useFile, useLive } from "../../live";
import { Apply } from "../../parts/apply";
import { Csv, Find, Views } from "../../parts/list-tools";
import { Card, Pill } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { DataTable, type Column } from "../../parts/table";
import { useAddress } from "../../router";
import { lookUp } from "../../seek";
import { useWords, word } from "../../words";
import { putIn, setAt, valueAt } from "../../yaml-edit";
import { Sms, WeChat } from "./by-channel";
import { both } from "./rules";

type Raw = Record<string, unknown>;
/** For which a message may say something else than its text. */
const WAYS = ["sms", "wechat", "wechat_mini"] as const;
type Row = { id: string; raw: Raw; used: string[] };

export default function Templates() {
  const { t, lang } = useWords();
  const [{ find = "", template = "" }, setAddress] = useAddress();
  const file = useFile();
  const live = useLive();
  const all = useMemo<Row[]>(() => {
    const campaigns = Object.entries(file.data?.campaigns ?? {});
    // A campaign uses what it names anywhere in its steps.
    const names = (value: unknown, id: string): boolean =>
      Array.isArray(value) ? value.some((one) => names(one, id)) : typeof value === "object" && value !== null ? Object.entries(value).some(([key, one]) => ((key === "send" || key === "task") && one === id) || names(one, id)) : false;
    return Object.entries(file.data?.messages ?? {}).flatMap(([id, raw]) => (raw ? [{ id, raw, used: campaigns.filter(([, said]) => names(said, id)).map(([name]) => name) }] : []));
  }, [file.data]);
  const textOf = (row: Row) => called(both(row.raw.text) as Named);
  const nameOf = (id: string) => called(file.data?.campaigns[id]?.name as Named | undefined, id);
  const columns: Column<Row>[] = [
    {
      key: "id",
      title: t("messages.message"),
      by: (row) => row.id,
      text: (row) => row.id,
      cell: (row) => (
        <button type="button" className="plain mono" onClick={() => setAddress({ template: row.id })}>
          {row.id}
        </button>
      ),
    },
    { key: "text", title: t("templates.text"), text: textOf, cell: (row) => <span className="cut" style={{ display: "block", maxWidth: 560 }}>{textOf(row)}</span> },
    {
      key: "ways",
      title: t("by_channel.ways"),
      far: true,
      by: (row) => WAYS.filter((way) => row.raw[way] !== undefined).length,
      text: (row) => WAYS.filter((way) => row.raw[way] !== undefined).map((way) => word("channel", way)).join("; "),
      cell: (row) => WAYS.filter((way) => row.raw[way] !== undefined).map((way) => word("channel", way)).join(t("list_comma")) || <span className="quiet">—</span>,
    },
    { key: "sells", title: t("templates.kind"), far: true, by: (row) => (row.raw.sells === false ? 0 : 1), text: (row) => (row.raw.sells === false ? t("templates.first_touch") : t("templates.sells")), cell: (row) => <Pill tone={row.raw.sells === false ? "info" : ""}>{row.raw.sells === false ? t("templates.first_touch") : t("templates.sells")}</Pill> },
    { key: "used", title: t("templates.used"), far: true, by: (row) => row.used.length, text: (row) => row.used.join("; "), cell: (row) => row.used.map(nameOf).join(t("list_comma")) || <span className="quiet">—</span> },
  ];
  return (
    <Asked of={live}>
      {(held) => {
        const rows = all.filter((row) => `${row.id} ${textOf(row)}`.toLowerCase().includes(find.trim().toLowerCase()));
        const open = all.find((row) => row.id === template);
        return (
          <>
            <div className="apart" style={{ marginBottom: 12 }}>
              <Find label={t("templates.find")} name="find" width={240} />
              <div className="row">
                <Views page="templates" names={["find", "sort"]} />
                <Csv name="messages" columns={columns} rows={rows} />
              </div>
            </div>
            <Card flush>
              {rows.length === 0 && !file.isFetching ? <None title={t("templates.none")}>{t("templates.none_say")}</None> : <DataTable label={t("templates.title")} rows={rows} id={(row) => row.id} open={(row) => setAddress({ template: row.id })} columns={columns} loading={file.isFetching} />}
            </Card>
            <Drawer open={template !== ""} onClose={() => setAddress({ template: "" })} title={<span className="mono">{template}</span>} size={560} destroyOnHidden>
              {open && held?.source ? <One key={`${template}${held.version}${lang}`} row={open} base={held.source} nameOf={nameOf} /> : <None slim title={t("templates.gone")} />}
            </Drawer>
          </>
        );
      }}
    </Asked>
  );
}

function One({ row, base, nameOf }: { row: Row; base: string; nameOf: (id: string) => string }) {
  const { t } = useWords();
  const may = useMay();
  const [source, setSource] = useState(base);
  const place = ["messages", row.id];
  const said = valueAt(source, [...place, "text"]);
  const plain = typeof said === "string";
  const set = (lang: "zh" | "en", value: string) =>
    setSource((now) => (plain ? setAt(now, [...place, "text"], value) : valueAt(now, [...place, "text", lang]) === undefined ? putIn(now, [...place, "text"], lang, value) : setAt(now, [...place, "text", lang], value)));
  return (
    <div className="stack">
      {(plain ? (["zh"] as const) : (["zh", "en"] as const)).map((lang) => (
        <Field key={lang} label={t(`templates.in_${lang}`)} {...(lang === "zh" ? { hint: t("templates.variables") } : {})}>
          {(id, described) => (
            <Input.TextArea id={id} aria-describedby={described} readOnly={!may("playbook_apply")} autoSize={{ minRows: 2, maxRows: 10 }} maxLength={4000} value={both(said)[lang] ?? ""} onChange={(event) => set(lang, event.target.value)} />
          )}
        </Field>
      ))}
      <Sms source={source} place={place} change={setSource} may={may("playbook_apply")} />
      {(["wechat", "wechat_mini"] as const).map((channel) => (
        <WeChat key={channel} channel={channel} source={source} place={place} change={setSource} may={may("playbook_apply")} />
      ))}
      <Preview row={row} nameOf={nameOf} changed={source !== base} />
      {may("playbook_apply") ? (
        <>
          <h2>{t("offers.changes")}</h2>
          <Apply source={source} base={base} done={() => undefined} />
        </>
      ) : null}
    </div>
  );
}

/** As one member would read it in a campaign that says it, with what each guard-rail would say. */
function Preview({ row, nameOf, changed }: { row: Row; nameOf: (id: string) => string; changed: boolean }) {
  const { t } = useWords();
  const [campaign, setCampaign] = useState(row.used[0] ?? "");
  const [typed, setTyped] = useState("");
  const [member, setMember] = useState("");
  const [nobody, setNobody] = useState(false);
  useEffect(() => setNobody(false), [typed]);
  const look = async () => {
    const found = await lookUp(typed, JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[]);
    setMember(found[0]?.id ?? "");
    setNobody(found.length === 0);
  };
  const would = useQuery({
    queryKey: ["why", member, campaign],
    enabled: member !== "" && campaign !== "",
    queryFn: ({ signal }) => got(api.GET("/v1/members/{id}/campaigns/{campaign}", { params: { path: { id: member, campaign } }, signal })),
  });
  return (
    <>
      <h2>{t("templates.preview")}</h2>
      {row.used.length === 0 ? (
        <p className="quiet small">{t("templates.unused")}</p>
      ) : (
        <>
          <div className="row">
            <Select aria-label={t("campaigns.name")} style={{ minWidth: 180 }} value={campaign} onChange={setCampaign} options={row.used.map((value) => ({ value, label: nameOf(value) }))} />
            <Input.Search style={{ width: 260 }} aria-label={t("campaigns.trace_find")} placeholder={t("campaigns.trace_find")} status={nobody ? "error" : ""} value={typed} enterButton={t("do.look")} onChange={(event) => setTyped(event.target.value)} onSearch={() => void look()} />
          </div>
          {nobody ? <p className="danger small" role="alert">{t("campaigns.trace_nobody")}</p> : null}
          {member ? (
            <Asked of={would} bones={2}>
              {(data) => {
                const mine = data.now.filter((one) => one.message === row.id);
                return mine.length === 0 ? (
                  <p className="quiet small">{t("templates.not_now")}</p>
                ) : (
                  <ul className="stack tight">
                    {mine.map((one) => (
                      <li key={one.channel} className="bubble">
                        <div className="apart">
                          <span className="small quiet">{word("channel", one.channel)}</span>
                          <Pill tone={one.verdict === "send" ? "good" : one.verdict === "later" ? "warn" : "bad"}>{word("verdict", one.verdict)}</Pill>
                        </div>
                        <p style={{ whiteSpace: "pre-wrap" }}>{one.text || "—"}</p>
                      </li>
                    ))}
                  </ul>
                );
              }}
            </Asked>
          ) : null}
          {changed ? <p className="quiet small">{t("templates.as_live")}</p> : null}
          {member ? (
            <Button size="small" type="link" style={{ padding: 0, alignSelf: "flex-start" }} href={`/console/campaigns/${campaign}?tab=trace&member=${member}`}>
              {t("templates.to_trace")}
            </Button>
          ) : null}
        </>
      )}
    </>
  );
}
