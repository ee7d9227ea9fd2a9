// A cart that is priced as a till would, with why each other offer does not apply.
import { useMutation } from "@tanstack/react-query";
import { api, got, type Schemas } from "@zhiyin/api";
import { Button, Input, InputNumber, Select } from "antd";
import { useEffect, useState } from "react";
import { called, money, whole } from "../../format";
import { useCurrency } from "../../home";
import { Card, Facts, Pill } from "../../parts/page";
import { Bones, Fault } from "../../parts/states";
import { useAddress } from "../../router";
import { isId, readings } from "../../seek";
import { useWords, word } from "../../words";

type Quote = Schemas["CheckoutQuoted"];
type Line = { product: string; category: string; price: number; quantity: number };

export function Simulator() {
  const { t } = useWords();
  const currency = useCurrency();
  const [address, setAddress] = useAddress();
  const [lines, setLines] = useState<Line[]>([
    { product: "A-1", category: "BAG SNACKS", price: 32, quantity: 2 },
    { product: "B-1", category: "CHEESE", price: 18.5, quantity: 1 },
  ]);
  const [channel, setChannel] = useState("store");
  const [member, setMember] = useState(address.member ?? "");
  const quote = useMutation({
    mutationFn: async () => {
      const known = JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[];
      const who = member.trim() === "" ? undefined : isId(member) ? { id: member.trim() } : readings(member, known)[0];
      const cart = {
        channel,
        shipping: 0,
        lines: lines
          .filter((line) => line.quantity > 0)
          .map((line, at) => ({ id: String(at + 1), product: line.product, price: Math.round(line.price * 100), quantity: line.quantity, ...(line.category ? { category: line.category } : {}) })),
      };
      return got(api.POST("/v1/commands/checkout/quote", { body: { cart, ...(who ? { member: who } : {}) } })) as Promise<Quote>;
    },
  });
  const { mutate } = quote;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever is changed is priced again.
  useEffect(() => {
    const timer = setTimeout(() => mutate(), 250);
    return () => clearTimeout(timer);
  }, [lines, channel, member, mutate]);
  const set = (at: number, change: Partial<Line>) => setLines((all) => all.map((line, index) => (index === at ? { ...line, ...change } : line)));
  return (
    <div className="grid g2">
      <Card title={t("offers.cart")} aside={t("offers.cart_say")}>
        <div className="filters">
          <Input
            style={{ flex: "1 1 160px" }}
            aria-label={t("offers.member")}
            placeholder={t("offers.member")}
            value={member}
            onChange={(event) => {
              setMember(event.target.value);
              setAddress({ member: event.target.value });
            }}
          />
          <Select aria-label={t("offers.channel")} style={{ width: 120 }} value={channel} onChange={setChannel} options={["store", "online", "mini_program"].map((value) => ({ value, label: word("channel", value) }))} />
        </div>
        <div className="stack tight">
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names of their own.
            <div key={at} className="row cart-line" style={{ flexWrap: "nowrap" }}>
              <Input aria-label={t("offers.product")} placeholder={t("offers.product")} value={line.product} onChange={(event) => set(at, { product: event.target.value })} />
              <Input aria-label={t("offers.category")} placeholder={t("offers.category")} value={line.category} onChange={(event) => set(at, { category: event.target.value })} />
              <InputNumber aria-label={t("offers.price")} min={0} max={1_000_000} precision={2} style={{ width: 110, flex: "none" }} value={line.price} onChange={(next) => set(at, { price: next ?? 0 })} />
              <InputNumber aria-label={t("offers.quantity")} min={1} max={999} precision={0} style={{ width: 68, flex: "none" }} value={line.quantity} onChange={(next) => set(at, { quantity: next ?? 1 })} />
              <Button type="text" aria-label={t("offers.remove")} disabled={lines.length === 1} onClick={() => setLines((all) => all.filter((_, index) => index !== at))}>
                ✕
              </Button>
            </div>
          ))}
          <div>
            <Button size="small" disabled={lines.length >= 20} onClick={() => setLines((all) => [...all, { product: `C-${all.length + 1}`, category: "", price: 10, quantity: 1 }])}>
              {t("offers.add_line")}
            </Button>
          </div>
        </div>
      </Card>
      <Card title={t("offers.costs")} aside={quote.data ? (quote.data.exact ? t("offers.exact") : t("offers.not_exact")) : undefined}>
        {quote.error && !quote.isPending ? <Fault error={quote.error} retry={() => quote.mutate()} /> : quote.data ? <Priced quote={quote.data} currency={quote.data.currency || currency} /> : <Bones lines={6} />}
      </Card>
    </div>
  );
}

function Priced({ quote, currency }: { quote: Quote; currency: string }) {
  const { t, lang } = useWords();
  return (
    <div className="stack" style={{ gap: 12 }}>
      <div className="apart" style={{ alignItems: "baseline" }}>
        <span style={{ fontSize: 30, lineHeight: "38px", fontWeight: 600, letterSpacing: "-0.02em" }}>{money(quote.total, currency)}</span>
        <span className="quiet">{quote.discount > 0 ? t("offers.saves", { list: money(quote.list, currency), off: money(quote.discount, currency) }) : t("offers.saves_nothing")}</span>
      </div>
      {quote.applied.length > 0 ? (
        <ul className="stack tight" style={{ gap: 4 }}>
          {quote.applied.map((one, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an offer may apply more than once.
            <li key={at} className="apart">
              <span>
                <span aria-hidden="true" style={{ color: "var(--celadon)" }}>
                  ✓{" "}
                </span>
                {called(one.name, one.offer)} {one.coupon ? <Pill tone="info">{t("offers.by_coupon")}</Pill> : null}
              </span>
              <span>{one.amount > 0 ? `−${money(one.amount, currency)}` : t("offers.gives")}</span>
            </li>
          ))}
        </ul>
      ) : null}
      {quote.not_applied.length > 0 ? (
        <>
          <h3 className="quiet">{t("offers.not_applied")}</h3>
          <ul className="stack tight" style={{ gap: 4, maxHeight: 260, overflow: "auto" }} tabIndex={0} aria-label={t("offers.not_applied")}>
            {quote.not_applied.map((one) => (
              <li key={one.offer} className="apart small">
                <span>{called(one.name, one.offer)}</span>
                <span className="quiet">{lang === "zh" ? one.words.zh : one.words.en}</span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <Facts of={[[t("offers.points_times"), t("offers.times", { n: quote.points_times })], quote.points_spent > 0 ? [t("offers.points_spent"), whole(quote.points_spent)] : null]} />
    </div>
  );
}
