// What a message says where a channel takes something else than its text: a short message, and WeChat's templates with what is in each field.
import { Button, Input, Select } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { whole } from "../../format";
import { useWords, word } from "../../words";
import { dropAt, putIn, setAt, valueAt, type Place } from "../../yaml-edit";
import { both, FIELDS_MOST, partsOf, SMS_MOST } from "./rules";

type Change = (change: (source: string) => string) => void;

/** Changes one value at a place whose map is there; without a value its key goes. */
const put = (source: string, place: Place, value: string): string => {
  const there = valueAt(source, place) !== undefined;
  if (value === "") return there ? dropAt(source, place) : source;
  return there ? setAt(source, place, value) : putIn(source, place.slice(0, -1), String(place.at(-1)), value);
};

export function Sms({ source, place, change, may }: { source: string; place: Place; change: Change; may: boolean }) {
  const { t } = useWords();
  const at = [...place, "sms"];
  const said = valueAt(source, at);
  if (said === undefined) {
    return may ? (
      <div>
        <Button size="small" onClick={() => change((now) => putIn(now, place, "sms", { zh: "", en: "" }))}>
          {t("by_channel.add_sms")}
        </Button>
        <p className="quiet small">{t("by_channel.no_sms")}</p>
      </div>
    ) : null;
  }
  const plain = typeof said === "string";
  return (
    <section className="stack tight" aria-label={word("channel", "sms")}>
      <Head title={word("channel", "sms")} {...(may ? { drop: () => change((now) => dropAt(now, at)) } : {})} />
      {(plain ? (["zh"] as const) : (["zh", "en"] as const)).map((lang) => {
        const text = both(said)[lang] ?? "";
        return (
          <Field key={lang} label={t(`templates.in_${lang}`)} hint={t("by_channel.sms_parts", { signs: whole([...text].length), n: whole(partsOf(text)) })}>
            {(id, described) => (
              <Input.TextArea
                id={id}
                aria-describedby={described}
                readOnly={!may}
                autoSize={{ minRows: 2, maxRows: 6 }}
                maxLength={SMS_MOST}
                value={text}
                onChange={({ target: { value } }) => change((now) => (plain ? setAt(now, at, value) : valueAt(now, [...at, lang]) === undefined ? putIn(now, at, lang, value) : setAt(now, [...at, lang], value)))}
              />
            )}
          </Field>
        );
      })}
      <p className="quiet small">{t("by_channel.sms_say")}</p>
    </section>
  );
}

const ALLOWS = { wechat: ["always", "once", "standing"], wechat_mini: ["once", "standing"] } as const;

export function WeChat({ channel, source, place, change, may }: { channel: "wechat" | "wechat_mini"; source: string; place: Place; change: Change; may: boolean }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const at = [...place, channel];
  const said = valueAt(source, at);
  if (typeof said !== "object" || said === null) {
    return may ? (
      <div>
        <Button size="small" onClick={() => change((now) => putIn(valueAt(now, at) === undefined ? now : dropAt(now, at), place, channel, { template: "", fields: { thing1: "" } }))}>
          {t("by_channel.add", { channel: word("channel", channel) })}
        </Button>
      </div>
    ) : null;
  }
  const form = said as { template?: unknown; fields?: Record<string, unknown> | null; account?: unknown; allows?: unknown; page?: unknown };
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const fields = Object.entries(form.fields ?? {});
  const line = (key: "template" | "page" | "account", most: number, hint?: string) => (
    <Field label={t(`by_channel.${key}`)} {...(hint ? { hint } : {})}>
      {(id, described) => (
        <Input id={id} aria-describedby={described} className={key === "template" ? "mono" : ""} readOnly={!may} maxLength={most} value={text(form[key])} onChange={({ target: { value } }) => change((now) => (key === "template" ? setAt(now, [...at, key], value) : put(now, [...at, key], value)))} />
      )}
    </Field>
  );
  const add = () => {
    const key = name.trim();
    if (key === "" || form.fields?.[key] !== undefined) return;
    change((now) => (fields.length > 0 ? putIn(now, [...at, "fields"], key, "") : putIn(dropAt(now, [...at, "fields"]), at, "fields", { [key]: "" })));
    setName("");
  };
  return (
    <section className="stack tight" aria-label={word("channel", channel)}>
      <Head title={word("channel", channel)} {...(may ? { drop: () => change((now) => dropAt(now, at)) } : {})} />
      {line("template", 64, t("by_channel.template_say"))}
      {fields.map(([key, value]) => {
        const plain = typeof value !== "object" || value === null;
        return (
          <div key={key} className="row" style={{ alignItems: "flex-end", flexWrap: "nowrap" }}>
            <div className="stack tight grow">
              {(plain ? (["zh"] as const) : (["zh", "en"] as const)).map((lang) => (
                <Field key={lang} label={plain ? key : `${key} · ${t(`templates.in_${lang}`)}`}>
                  {(id) => (
                    <Input
                      id={id}
                      readOnly={!may}
                      maxLength={500}
                      value={both(value)[lang] ?? ""}
                      onChange={({ target: { value: typed } }) =>
                        change((now) => {
                          const field = [...at, "fields", key];
                          return plain ? setAt(now, field, typed) : valueAt(now, [...field, lang]) === undefined ? putIn(now, field, lang, typed) : setAt(now, [...field, lang], typed);
                        })
                      }
                    />
                  )}
                </Field>
              ))}
            </div>
            {may && fields.length > 1 ? (
              <Button type="text" aria-label={t("by_channel.drop_field", { field: key })} onClick={() => change((now) => dropAt(now, [...at, "fields", key]))}>
                ✕
              </Button>
            ) : null}
          </div>
        );
      })}
      {may && fields.length < FIELDS_MOST ? (
        <div className="row">
          <Input style={{ width: 180 }} maxLength={32} aria-label={t("by_channel.field_name")} placeholder={t("by_channel.field_name")} value={name} onChange={(event) => setName(event.target.value)} onPressEnter={add} />
          <Button disabled={name.trim() === "" || form.fields?.[name.trim()] !== undefined} onClick={add}>
            {t("by_channel.add_field")}
          </Button>
        </div>
      ) : null}
      {line("page", 1024, t(channel === "wechat" ? "by_channel.page_say" : "by_channel.page_say_mini"))}
      <Field label={t("by_channel.allows")} hint={t("by_channel.allows_say")}>
        {(id, described) => (
          <Select
            id={id}
            aria-label={t("by_channel.allows")}
            aria-describedby={described}
            disabled={!may}
            value={text(form.allows) || ALLOWS[channel][0]}
            onChange={(next: string) => change((now) => put(now, [...at, "allows"], next === ALLOWS[channel][0] ? "" : next))}
            options={ALLOWS[channel].map((value) => ({ value, label: word("allows", value) }))}
          />
        )}
      </Field>
      {line("account", 40, t("by_channel.account_say", { account: channel === "wechat" ? "main" : "mini" }))}
    </section>
  );
}

function Head({ title, drop }: { title: string; drop?: () => void }) {
  const { t } = useWords();
  return (
    <div className="apart">
      <h2>{title}</h2>
      {drop ? (
        <Button size="small" type="text" danger aria-label={t("by_channel.drop", { channel: title })} onClick={drop}>
          {t("by_channel.drop_short")}
        </Button>
      ) : null}
    </div>
  );
}
