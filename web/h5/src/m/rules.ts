// What the members' pages decide by themselves, free of a browser.
import type { Confirm, Coupon, Lot, Me, Offer, Order, Payout } from "./types";

/** A pass is asked for anew after a minute, and a till takes it for three. */
export const PASS_RENEW_S = 60;
export const PASS_GOOD_S = 180;
/** A pass by the phone's own watch: from when it was asked for, so that neither a wrong clock nor a slow answer makes it look better than it is. */
export type Pass = { pass: string; asked_at: number };
export type PassState = { phase: "none" | "fresh" | "late" | "lapsed"; renew_in: number; good_for: number };

export function passAt(pass: Pass | undefined, now: number): PassState {
  if (!pass) return { phase: "none", renew_in: 0, good_for: 0 };
  const age = (now - pass.asked_at) / 1000;
  // A clock that was set back says nothing of how old it is.
  if (age < 0 || age >= PASS_GOOD_S) return { phase: "lapsed", renew_in: 0, good_for: 0 };
  const good_for = Math.ceil(PASS_GOOD_S - age);
  return age < PASS_RENEW_S ? { phase: "fresh", renew_in: Math.ceil(PASS_RENEW_S - age), good_for } : { phase: "late", renew_in: 0, good_for };
}
/** Seconds as people read them: `1:05`. */
export const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** How far one is, between nothing and all. */
export const share = (needed: number, missing: number): number => (needed > 0 ? Math.min(1, Math.max(0, 1 - missing / needed)) : 1);

/** The last day before an instant at which something ends, where it ends with a day in that zone; else nothing: the hour matters. */
export function lastDay(at: string, zone: string): string | undefined {
  const end = new Date(at).getTime();
  if (Number.isNaN(end)) return undefined;
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const of = (when: number) => Object.fromEntries(parts.formatToParts(new Date(when)).map(({ type, value }) => [type, value]));
  const ends = of(end);
  if (`${ends.hour}${ends.minute}${ends.second}` !== "000000") return undefined;
  const last = of(end - 1000);
  return `${last.year}-${last.month}-${last.day}`;
}
/** The day before a day. */
export function dayBefore(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? day : new Date(at - 86_400_000).toISOString().slice(0, 10);
}
export const isZone = (zone: string | null | undefined): zone is string => {
  if (!zone) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
};

/** Where somebody met the brand, as the address says it: `?t=flyer-330`. */
export function touchpointOf(search: string): string | undefined {
  const said = new URLSearchParams(search).get("t")?.trim();
  return said && said.length <= 100 && !/[\u0000-\u001f\u007f]/.test(said) ? said : undefined;
}
/** The address of WeChat's way in with the touchpoint, where it is one of ours: what is another's is left as it is. */
export function wayWith(url: string, touchpoint: string | undefined, origin: string): string | undefined {
  if (!URL.canParse(url, origin)) return undefined;
  const to = new URL(url, origin);
  if (to.protocol !== "https:" && to.origin !== origin) return undefined;
  if (touchpoint && to.origin === origin && !to.searchParams.has("t")) to.searchParams.set("t", touchpoint);
  return to.href;
}

/** A phone as somebody typed it, without blanks; nothing, where it cannot be one. */
export function phoneOf(typed: string): string | undefined {
  const plain = typed.normalize("NFKC").replaceAll(/[\s\-().]/g, "");
  return /^\+?\d{6,15}$/.test(plain) ? plain : undefined;
}
/** Whether a phone can be the one that is shown masked. */
export function mayBe(phone: string, masked: string | null | undefined): boolean {
  const found = /^([\d+ -]*)\*+(\d*)$/.exec(masked ?? "");
  if (!found) return true;
  const bare = (digits: string) => digits.replaceAll(/\D/g, "").replace(/^(0086|86)(?=1|$)/, "");
  const typed = bare(phone);
  return typed.startsWith(bare(found[1] ?? "")) && typed.endsWith(found[2] ?? "");
}

const GONE = new Set(["used", "redeemed", "expired", "withdrawn"]);
/** Coupons at hand, usable first, and those that are over: in the order in which they came. */
export function shelves(coupons: readonly Coupon[]): { usable: Coupon[]; waiting: Coupon[]; gone: Coupon[] } {
  const usable = coupons.filter((one) => one.usable);
  const rest = coupons.filter((one) => !one.usable);
  const over = (one: Coupon) => GONE.has(one.state) || one.why === "used" || one.why === "over" || one.why === "offer_over";
  return { usable, waiting: rest.filter((one) => !over(one)), gone: rest.filter(over) };
}

/** What may be claimed, by where people look for it: for points; for nothing, while there is some of it or for a time; for nothing; chances. */
export function stalls(offers: readonly Offer[]): { mall: Offer[]; drops: Offer[]; free: Offer[]; chances: Offer[] } {
  const all = { mall: [] as Offer[], drops: [] as Offer[], free: [] as Offer[], chances: [] as Offer[] };
  for (const one of offers) {
    const scarce = (one.left !== null && one.left !== undefined) || Boolean(one.opens);
    all[one.kind === "chance" ? "chances" : one.points > 0 ? "mall" : scarce ? "drops" : "free"].push(one);
  }
  return all;
}

/** What ends when: lots that end at the same moment are one, the soonest first; what never ends is left out. */
export function byEnd(lots: readonly Lot[]): { expires_at: string; remaining: number }[] {
  const ends = new Map<string, number>();
  for (const { expires_at, remaining } of lots) if (expires_at && remaining > 0) ends.set(expires_at, (ends.get(expires_at) ?? 0) + remaining);
  return [...ends].map(([expires_at, remaining]) => ({ expires_at, remaining })).sort((one, other) => Date.parse(one.expires_at) - Date.parse(other.expires_at));
}
/** What became of an order, where there is something to say: an order that stands is its own word. */
export function orderState(order: Order): string | undefined {
  const back = order.refunded_minor ?? 0;
  if (order.status !== "placed") return order.status;
  if (back <= 0) return undefined;
  return back >= order.paid_minor ? "refunded" : "partly_refunded";
}
/** An exact decimal as a number people read: pieces, or a price in major units. */
export const decimal = (text: string | null | undefined): number | undefined => (text && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined);

const DAY_MS = 86_400_000;
export type Thing = { do: "payout"; payout: Payout; others: number } | { do: "expiring"; points: number; at: string } | { do: "ending"; coupon: Coupon; at: string } | { do: "offers"; n: number } | { do: "profile" };
/** What is worth doing now, the most pressing first; at most five. */
export function things(me: Me, coupons: readonly Coupon[], now: number, payouts: readonly Payout[] = []): Thing[] {
  const all: Thing[] = [];
  // Money that goes back after a day comes before everything else.
  const [waits, ...others] = payouts.filter((one) => one.state === "to_confirm");
  if (waits) all.push({ do: "payout", payout: waits, others: others.length });
  const within = (at: string | null | undefined, days: number) => {
    const left = at ? Date.parse(at) - now : Number.NaN;
    return left > 0 && left <= days * DAY_MS;
  };
  const ending = coupons.find((one) => one.usable && within(one.valid_until, 3));
  if (ending) all.push({ do: "ending", coupon: ending, at: ending.valid_until ?? "" });
  const expiring = me.points.expiries?.[0];
  if (expiring && within(expiring.at, 30)) all.push({ do: "expiring", points: expiring.points, at: expiring.at });
  if (me.offers > 0) all.push({ do: "offers", n: me.offers });
  if (!me.attributes?.birthday || !(me.attributes.name ?? me.name)) all.push({ do: "profile" });
  return all;
}

/** What WeChat's own page is given: a merchant of a provider's names its app apart (pay.weixin.qq.com/doc/v3/partner/4015469096). */
export const askOf = (confirm: Confirm): Record<string, string> =>
  confirm.sub_mchid
    ? { mchId: confirm.mchid, subMchId: confirm.sub_mchid, subAppId: confirm.appid, package: confirm.package }
    : { mchId: confirm.mchid, appId: confirm.appid, package: confirm.package };
/** What became of it, as WeChat says: `requestMerchantTransfer:ok`. */
export const outcomeOf = (told: { err_msg?: string } | undefined): "ok" | "cancel" | "fail" => {
  const said = told?.err_msg ?? "";
  return said.endsWith(":ok") ? "ok" : said.endsWith(":cancel") ? "cancel" : "fail";
};
