// What an offer of a playbook does, as a sentence. Only what the file itself says is known here: what it takes from another stays there.
import type { Named } from "@zhiyin/api";
import type { TFunction } from "i18next";

export type Offer = { id: string; name: Named; lane?: string; laneName?: Named; coupon: boolean; raw: Record<string, unknown> };

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});

export async function offersOf(source: string): Promise<{ offers: Offer[]; base: string | undefined }> {
  if (source === "") return { offers: [], base: undefined };
  const { parse } = await import("yaml");
  let read: Record<string, unknown>;
  try {
    read = record(parse(source));
  } catch {
    return { offers: [], base: undefined };
  }
  const lanes = record(read.lanes);
  const offers = Object.entries(record(read.offers))
    .filter(([, value]) => value !== null)
    .map(([id, value]) => {
      const raw = record(value);
      const lane = typeof raw.lane === "string" ? raw.lane : undefined;
      return {
        id,
        name: (record(raw.name) as Named) ?? {},
        ...(lane ? { lane, laneName: record(record(lanes[lane]).name) as Named } : {}),
        coupon: raw.coupon !== undefined && raw.coupon !== null,
        raw,
      };
    });
  return { offers, base: typeof read.extends === "string" ? read.extends : undefined };
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined);

/** `1 per member per day`, `500 per day`, `300 in all`. */
function limited(limit: string, t: TFunction): string {
  const found = /^(\d+)(?: per (member))?(?: per (day|week|month|campaign))?(?: in all)?$/.exec(limit);
  if (!found) return limit;
  const within = found[3] === "day" ? t("sentence.day") : found[3] === "week" ? t("sentence.week") : found[3] === "month" ? t("sentence.month") : found[3] === "campaign" ? t("sentence.campaign") : "";
  return found[2] ? t("sentence.limit_member", { n: found[1], within }) : t("sentence.limit_all", { n: found[1], within });
}

/** `14d`, `2h`, `15m`. */
function lasting(time: string, t: TFunction): string {
  const found = /^(\d+)([dhm])$/.exec(time);
  if (!found) return time;
  return found[2] === "d" ? t("sentence.days", { n: found[1] }) : found[2] === "h" ? t("sentence.hours", { n: found[1] }) : t("sentence.minutes", { n: found[1] });
}

export function sentence(offer: Offer, t: TFunction, currency: string, lang: "zh" | "en", tiers: (id: string) => string = (id) => id): string {
  const { raw } = offer;
  const symbol = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol" }).formatToParts(0).find((part) => part.type === "currency")?.value ?? "";
  const cash = (value: unknown) => `${symbol}${text(value) ?? "?"}`;
  const byTier = (value: unknown) =>
    typeof value === "object" && value !== null
      ? Object.entries(value)
          .map(([tier, amount]) => `${tiers(tier)} ${cash(amount)}`)
          .join(t("list_comma"))
      : cash(value);
  const what: string[] = [];
  const pay = text(raw.pay);
  const percent = pay?.endsWith("%") ? Number(pay.slice(0, -1)) : undefined;
  const share = percent === undefined ? (pay ?? "") : lang === "zh" ? `${percent % 10 === 0 ? percent / 10 : percent} 折` : `${100 - percent}% off`;
  if (raw.steps) what.push(t("sentence.steps"));
  if (raw.every !== undefined) what.push(t("sentence.every", { every: cash(raw.every), off: cash(raw.off) }));
  else if (raw.add_on !== undefined) what.push(t("sentence.add_on", { price: cash(raw.add_on) }));
  else if (raw.exchange !== undefined) what.push(t("sentence.exchange", { points: text(raw.exchange) ?? "", price: raw.price === undefined ? "" : ` + ${cash(raw.price)}` }));
  else if (raw.bundle !== undefined) what.push(t("sentence.bundle", { price: cash(raw.price) }));
  else if (raw.buy !== undefined) what.push(t("sentence.buy", { buy: text(raw.buy) ?? "", get: text(raw.get) ?? "1" }));
  else if (raw.pieces !== undefined) what.push(t("sentence.pieces", { n: text(raw.pieces) ?? "", for: pay ? share : cash(raw.price) }));
  else if (raw.off !== undefined) what.push(raw.spend === undefined ? t("sentence.off", { off: byTier(raw.off) }) : t("sentence.spend_off", { spend: cash(raw.spend), off: byTier(raw.off) }));
  else if (pay) what.push(raw.spend === undefined ? t("sentence.pay", { share }) : t("sentence.spend_pay", { spend: cash(raw.spend), share }));
  else if (raw.price !== undefined) what.push(t("sentence.price", { price: cash(raw.price) }));
  if (raw.gift !== undefined) what.push(t("sentence.gift", { product: text(record(raw.gift).product) ?? "" }));
  if (raw.shipping !== undefined) what.push(raw.spend === undefined ? t("sentence.shipping") : t("sentence.spend_shipping", { spend: cash(raw.spend) }));
  if (raw.points_times !== undefined) what.push(t("sentence.times", { n: text(raw.points_times) ?? "" }));
  if (raw.service !== undefined) what.push(t("sentence.service"));
  if (raw.give !== undefined) what.push(t("sentence.give", { offer: text(raw.give) ?? "" }));
  if (raw.access !== undefined) what.push(t("sentence.access"));
  const bounds: string[] = [];
  if (raw.at_most !== undefined) bounds.push(t("sentence.at_most", { money: cash(raw.at_most) }));
  if (text(raw.of)) bounds.push(t("sentence.of", { of: text(raw.of) ?? "" }));
  if (text(raw.who)) bounds.push(t("sentence.who", { who: text(raw.who) ?? "" }));
  if (text(raw.when)) bounds.push(t("sentence.when", { when: text(raw.when) ?? "" }));
  if (raw.from !== undefined || raw.until !== undefined) bounds.push(t("sentence.dates", { from: text(raw.from) ?? "…", until: text(raw.until) ?? "…" }));
  const limits = Array.isArray(raw.limit) ? raw.limit : raw.limit === undefined ? [] : [raw.limit];
  for (const limit of limits) bounds.push(limited(text(limit) ?? "", t));
  if (raw.stock !== undefined) bounds.push(t("sentence.stock", { n: text(raw.stock) ?? "" }));
  if (raw.budget !== undefined) bounds.push(t("sentence.budget", { n: text(raw.budget) ?? "" }));
  const valid = text(record(raw.coupon).valid);
  if (valid) bounds.push(t("sentence.valid", { valid: lasting(valid, t) }));
  return [what.join(t("list_comma")), ...bounds].filter(Boolean).join(t("list_semicolon"));
}

/** Which of its kinds an offer is: by the key that says what it gives. */
export const KINDS = ["off", "pay", "price", "pieces", "buy", "gift", "shipping", "points_times", "every", "steps", "add_on", "exchange", "bundle", "service", "give", "access", "other"] as const;
export type Kind = (typeof KINDS)[number];
export function kindOf(raw: Record<string, unknown>): Kind {
  for (const kind of ["every", "steps", "add_on", "exchange", "bundle", "buy", "pieces", "gift", "shipping", "points_times", "service", "give", "access", "off", "pay", "price"] as const) {
    if (raw[kind] !== undefined && raw[kind] !== null) return kind;
  }
  return "other";
}
