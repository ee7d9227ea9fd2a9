// One offer as a form: what its kind asks for, with the sentence that it comes to. Fields are written into the playbook's own text, which is
// otherwise left as it is, and made live after a look at what changes.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got } from "@zhiyin/api";
import { AutoComplete, Button, Input, InputNumber, Popconfirm, Segmented, Select, Switch } from "antd";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { Field } from "../../frame/sign-in";
import { called, whole } from "../../format";
import { useCurrency, useMay, useOverview } from "../../home";
import { Apply } from "../../parts/apply";
import { Simulate } from "../../parts/simulate";
import { None } from "../../parts/states";
import { useWords, word } from "../../words";
import { dropAt, inLine, putIn, setAt, valueAt } from "../../yaml-edit";
import { kindOf, offersOf, sentence, type Kind, type Offer } from "./sentence";

/** Kinds that one may begin here, with what they begin as. */
const BEGUN: Partial<Record<Kind, Record<string, unknown>>> = {
  off: { spend: 100, off: 10 },
  pay: { spend: 100, pay: "90%" },
  price: { of: 'category == "food"', price: 9.9 },
  pieces: { of: 'category == "food"', pieces: 2, pay: "80%" },
  buy: { of: 'category == "food"', buy: 2, get: 1 },
  gift: { spend: 100, gift: { product: "tote" } },
  shipping: { spend: 59, shipping: "free" },
  points_times: { points_times: 2 },
};
const LINE: Kind[] = ["price", "pieces", "buy"];
const NO_LANE: Kind[] = ["gift", "shipping", "points_times"];

type FieldOf = { key: string; kind: "money" | "whole" | "share" | "text" | "condition" | "date" | "shipping" };
const FIELDS: Partial<Record<Kind, FieldOf[]>> = {
  off: [{ key: "spend", kind: "money" }, { key: "off", kind: "money" }],
  pay: [{ key: "spend", kind: "money" }, { key: "pay", kind: "share" }, { key: "at_most", kind: "money" }],
  price: [{ key: "price", kind: "money" }],
  pieces: [{ key: "pieces", kind: "whole" }, { key: "pay", kind: "share" }, { key: "price", kind: "money" }],
  buy: [{ key: "buy", kind: "whole" }, { key: "get", kind: "whole" }],
  every: [{ key: "every", kind: "money" }, { key: "off", kind: "money" }, { key: "at_most", kind: "money" }],
  gift: [{ key: "gift.product", kind: "text" }, { key: "spend", kind: "money" }],
  shipping: [{ key: "shipping", kind: "shipping" }, { key: "spend", kind: "money" }],
  points_times: [{ key: "points_times", kind: "whole" }, { key: "spend", kind: "money" }],
  add_on: [{ key: "add_on", kind: "money" }, { key: "per_order", kind: "whole" }],
  exchange: [{ key: "exchange", kind: "whole" }, { key: "price", kind: "money" }],
  bundle: [{ key: "price", kind: "money" }],
  give: [{ key: "give", kind: "text" }],
};
const COMMON: FieldOf[] = [
  { key: "of", kind: "condition" },
  { key: "who", kind: "condition" },
  { key: "when", kind: "condition" },
  { key: "from", kind: "date" },
  { key: "until", kind: "date" },
  { key: "limit", kind: "text" },
  { key: "stock", kind: "whole" },
  { key: "budget", kind: "text" },
];

export default function OfferForm({ id, base: held, close }: { id: string; base: string; close: () => void }) {
  const { t, lang } = useWords();
  // The file as it was when this began: what somebody applies meanwhile is not taken for it.
  const [base] = useState(held);
  const currency = useCurrency();
  const may = useMay();
  const tiers = useOverview().data?.tiers;
  const [source, setSource] = useState(base);
  const [own, setOwn] = useState(id);
  const offer = useOffer(source, own);
  const place = ["offers", own];
  if (id === "" && own === "") return <Begin base={base} begun={(next, made) => (setSource(next), setOwn(made))} />;
  if (!offer) return <None slim title={t("offers.not_own")}>{t("offers.not_own_say")}</None>;
  const kind = kindOf(offer.raw);
  const set = (key: string, value: string | number | undefined) => setSource((now) => written(now, place, key.split("."), value));
  const field = (one: FieldOf) => <One key={one.key} of={one} value={deep(offer.raw, one.key)} set={(value) => set(one.key, value)} currency={currency} />;
  const lanes = Object.entries((valueAt(source, ["lanes"]) as Record<string, { name?: { zh?: string; en?: string } }> | undefined) ?? {});
  const coupon = offer.raw.coupon;
  const valid = typeof coupon === "object" && coupon !== null ? String((coupon as Record<string, unknown>).valid ?? "") : "";
  return (
    <div className="stack">
      <div className="note good">
        <span className="grow">{sentence(offer, t, currency, lang, (tier) => called(tiers?.find((one) => one.id === tier)?.name, tier))}</span>
      </div>
      <p className="small quiet">
        <code>{own}</code> · {word("offer_kind", kind)}
      </p>
      <div className="two-fields">
        {(["zh", "en"] as const).map((one) => (
          <Field key={one} label={t(`offers.name_${one}`)}>
            {(field) => <Input id={field} maxLength={60} value={offer.name[one] ?? ""} onChange={(event) => set(`name.${one}`, event.target.value || undefined)} />}
          </Field>
        ))}
      </div>
      <div className="two-fields">{(FIELDS[kind] ?? []).map(field)}</div>
      {!FIELDS[kind] ? <p className="small quiet">{t("offers.in_file")}</p> : null}
      <h2>{t("offers.bounds")}</h2>
      {COMMON.filter((one) => one.kind === "condition").map(field)}
      <div className="two-fields">{COMMON.filter((one) => one.kind !== "condition").map(field)}</div>
      <div className="two-fields">
        {NO_LANE.includes(kind) ? null : (
          <Field label={t("offers.lane")} hint={t("offers.lane_say")}>
            {(field) => (
              <Select id={field} aria-label={t("offers.lane")} value={offer.lane ?? null} onChange={(next: string) => set("lane", next)} options={lanes.map(([value, lane]) => ({ value, label: called(lane.name, value) }))} />
            )}
          </Field>
        )}
        <Field label={t("offers.takes_coupon")} hint={t("offers.valid_say")}>
          {(field) => (
            <span className="row" style={{ flexWrap: "nowrap" }}>
              <Switch id={field} aria-label={t("offers.takes_coupon")} checked={offer.coupon} onChange={(next) => setSource((now) => (next ? putIn(now, place, "coupon", { valid: "7d" }) : dropAt(now, [...place, "coupon"])))} />
              {offer.coupon && valid !== "" ? <Input aria-label={t("offers.valid")} style={{ width: 88 }} value={valid} onChange={(event) => event.target.value !== "" && set("coupon.valid", event.target.value)} /> : null}
            </span>
          )}
        </Field>
      </div>
      {id !== "" && deep(offer.raw, "coupon.codes") !== undefined && may("coupons_issue_many") ? <CodesLeft offer={id} /> : null}
      <h2>{t("offers.changes")}</h2>
      <Apply source={source} base={base} done={close} />
      {source === base ? null : (
        <>
          <h2>{t("simulate.do")}</h2>
          <Simulate source={source} />
        </>
      )}
      {id !== "" ? (
        <div>
          <Popconfirm title={t("offers.drop_ask")} description={t("offers.drop_say")} okText={t("offers.drop")} onConfirm={() => setSource(dropAt(base, place))}>
            <Button danger type="text">
              {t("offers.drop")}
            </Button>
          </Popconfirm>
        </div>
      ) : null}
    </div>
  );
}

/** How many of the partner's codes are left for it, and the way to bring more. */
function CodesLeft({ offer }: { offer: string }) {
  const { t } = useWords();
  const uploads = useQuery({ queryKey: ["code uploads", offer], queryFn: ({ signal }) => got(api.GET("/v1/code-uploads", { params: { query: { offer } }, signal })) });
  const left = uploads.data?.items.reduce((sum, one) => sum + one.left, 0);
  return (
    <div className="note">
      <span className="grow">
        {t("codes.of_offer")}
        {left === undefined ? null : <strong> {t("codes.left_n", { n: whole(left) })}</strong>}
      </span>
      <Link to="/offers" search={{ tab: "codes", codes: "new:", of: offer }}>
        {t("codes.make")}
      </Link>
    </div>
  );
}

/** The offer as the text says it now. */
function useOffer(source: string, id: string): Offer | undefined {
  const [offers, setOffers] = useState<Offer[]>();
  useEffect(() => {
    let current = true;
    void offersOf(source).then((read) => current && setOffers(read.offers));
    return () => {
      current = false;
    };
  }, [source]);
  return useMemo(() => offers?.find((one) => one.id === id), [offers, id]);
}

const deep = (raw: Record<string, unknown>, key: string): unknown => key.split(".").reduce<unknown>((of, part) => (typeof of === "object" && of !== null ? (of as Record<string, unknown>)[part] : undefined), raw);

/** The text with a value at a key of an offer: another, a new one, or none. */
function written(source: string, place: string[], key: string[], value: string | number | undefined): string {
  const whole = [...place, ...key];
  const there = valueAt(source, whole) !== undefined;
  if (value === undefined || value === "") return there ? dropAt(source, whole) : source;
  if (there) return setAt(source, whole, value);
  const above = whole.slice(0, -1);
  const last = key.at(-1) ?? "";
  return valueAt(source, above) === undefined ? putIn(source, place, key[0] ?? "", { [last]: value }) : putIn(source, above, last, value);
}

function One({ of, value, set, currency }: { of: FieldOf; value: unknown; set: (value: string | number | undefined) => void; currency: string }): ReactNode {
  const { t } = useWords();
  const label = word("offer_field", of.key.replace(".", "_"));
  if (value !== undefined && value !== null && typeof value === "object") {
    return (
      <Field label={label} hint={t("offers.in_file")}>
        {() => <code style={{ overflowWrap: "anywhere" }}>{inLine(value)}</code>}
      </Field>
    );
  }
  const text = value === undefined || value === null ? "" : String(value);
  const hint = of.key === "limit" ? t("offers.limit_say") : of.kind === "share" ? t("offers.share_say") : undefined;
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      {(id, described) => {
        switch (of.kind) {
          case "money":
            return <InputNumber id={id} min={0} max={10_000_000} style={{ width: "100%" }} suffix={currency} value={text === "" ? null : Number(text)} onChange={(next) => set(next ?? undefined)} />;
          case "whole":
            return <InputNumber id={id} min={0} max={100_000_000} precision={0} style={{ width: "100%" }} value={text === "" ? null : Number(text)} onChange={(next) => set(next ?? undefined)} />;
          case "share":
            return <InputNumber id={id} aria-describedby={described} min={1} max={100} style={{ width: "100%" }} suffix="%" value={text === "" ? null : Number(text.replace("%", ""))} onChange={(next) => set(next === null ? undefined : `${next}%`)} />;
          case "shipping":
            return <AutoComplete id={id} value={text} options={[{ value: "free", label: t("sentence.shipping") }]} onChange={(next: string) => set(next === "" ? undefined : /^\d+(\.\d+)?$/.test(next) ? Number(next) : next)} />;
          case "condition":
            return <Input.TextArea id={id} className="mono" autoSize={{ minRows: 1, maxRows: 5 }} style={{ fontSize: 12.5 }} value={text} onChange={(event) => set(event.target.value || undefined)} />;
          default:
            return <Input id={id} aria-describedby={described} {...(of.kind === "date" ? { placeholder: "YYYY-MM-DD" } : {})} maxLength={60} value={text} onChange={(event) => set(event.target.value || undefined)} />;
        }
      }}
    </Field>
  );
}

function Begin({ base, begun }: { base: string; begun: (source: string, id: string) => void }) {
  const { t } = useWords();
  const [kind, setKind] = useState<Kind>("off");
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const taken = valueAt(base, ["offers", id]) !== undefined;
  const fits = /^[a-z][a-z0-9-]{0,39}$/.test(id);
  const lanes = Object.entries((valueAt(base, ["lanes"]) as Record<string, { per?: string }> | undefined) ?? { piece: { per: "line" }, order: { per: "order" } });
  const lane = lanes.find(([, one]) => one.per === (LINE.includes(kind) ? "line" : "order"))?.[0];
  const begin = () => begun(putIn(base, ["offers"], id, { name: { zh: name.trim(), en: name.trim() }, ...(NO_LANE.includes(kind) || !lane ? {} : { lane }), ...BEGUN[kind] }), id);
  return (
    <div className="stack">
      <Field label={t("offers.kind")}>
        {(field) => (
          <Segmented id={field} vertical block aria-label={t("offers.kind")} value={kind} onChange={(next) => setKind(next as Kind)} options={(Object.keys(BEGUN) as Kind[]).map((value) => ({ value, label: word("offer_kind", value) }))} />
        )}
      </Field>
      <Field label={t("offers.name")}>{(field) => <Input id={field} maxLength={60} value={name} onChange={(event) => setName(event.target.value)} />}</Field>
      <Field label={t("save.id")} fault={taken ? t("save.taken") : id !== "" && !fits ? t("offers.id_bad") : undefined}>
        {(field) => <Input id={field} className="mono" maxLength={40} value={id} onChange={(event) => setId(event.target.value)} />}
      </Field>
      <div>
        <Button type="primary" disabled={!fits || taken || name.trim() === ""} onClick={begin}>
          {t("offers.begin")}
        </Button>
      </div>
    </div>
  );
}
