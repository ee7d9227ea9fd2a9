// The rules of a till on a phone, free of a browser: what a cart is, whom a typed word names, what is written down without a network.
import type { Schemas } from "@zhiyin/api";

export type Line = { id: string; product: string; price: number; quantity: number; category?: string };
export type Who = { namespace: string; value: string };
/** A cart as the phone keeps it: its name is that of its checkout, from the first line on. */
export type Cart = { name: string; who: Who | undefined; member: Schemas["MemberBrief"] | undefined; lines: Line[]; order: string; unsure: { body: Redeem; key: string } | undefined };
export type Redeem = { checkout: string; member: Schemas["MemberRef"]; cart: Schemas["CartFacts"]; payable: number; order?: { number: string } };
/** What lets a phone sell without a network: until when by the brand's clock, and how far that is from the phone's. */
export type Ready = { lease: string; till: string; store: string; from: number; until: number; offset: number; currency: string };

export const PIECES_MAX = 999;
export const LINES_MAX = 100;
/** What an amount without a product is called. */
export const AMOUNT = "amount";

export const list = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
export const pieces = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + line.quantity, 0);

/** One more: of a line that is the same, or a line of its own. Ids are never given twice in a cart. */
export function add(lines: readonly Line[], one: Omit<Line, "id" | "quantity"> & { quantity?: number }): Line[] {
  const more = one.quantity ?? 1;
  const same = lines.find((line) => line.product === one.product && line.price === one.price && line.category === one.category);
  if (same) return lines.map((line) => (line === same ? { ...line, quantity: Math.min(PIECES_MAX, line.quantity + more) } : line));
  if (lines.length >= LINES_MAX) return [...lines];
  const id = String(lines.reduce((most, line) => Math.max(most, Number(line.id) || 0), 0) + 1);
  return [...lines, { id, product: one.product, price: one.price, quantity: Math.min(PIECES_MAX, more), ...(one.category ? { category: one.category } : {}) }];
}
export const take = (lines: readonly Line[], id: string): Line[] =>
  lines.flatMap((line) => (line.id !== id ? [line] : line.quantity > 1 ? [{ ...line, quantity: line.quantity - 1 }] : []));

/** Whom a typed or scanned word names: `card:1001` says so itself; digits are a phone where they look like one, else a card. */
export function named(typed: string): Who | undefined {
  const text = typed.normalize("NFKC").trim();
  const said = /^([a-z][a-z0-9_]{0,31}(?::[A-Za-z0-9_-]+)?):(\S{1,200})$/.exec(text);
  if (said) return { namespace: said[1] ?? "", value: said[2] ?? "" };
  const bare = text.replaceAll(/[\s()-]/g, "");
  // What a member's phone shows at the till (docs/me.md).
  if (/^ZYP[0-9A-F]{56}$/.test(bare)) return { namespace: "pass", value: bare };
  if (/^(\+\d{8,15}|1[3-9]\d{9})$/.test(bare)) return { namespace: "phone", value: bare };
  if (/^[A-Za-z0-9]*\d[A-Za-z0-9]*$/.test(bare) && bare.length <= 64) return { namespace: "card", value: bare };
  return undefined;
}
export const isPhone = (typed: string): boolean => named(typed)?.namespace === "phone";

/** A name that people can read off a receipt: the store, the day, and eight signs that are not mistaken for each other. */
export function nameFor(store: string, now: Date, random: Uint8Array): string {
  const signs = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
  const two = (n: number) => String(n).padStart(2, "0");
  const tail = Array.from(random.slice(0, 8), (byte) => signs[byte % signs.length]).join("");
  return `${store}-${two(now.getFullYear() % 100)}${two(now.getMonth() + 1)}${two(now.getDate())}-${tail}`;
}

export const facts = (lines: readonly Line[], store: string, payment: string): Schemas["CartFacts"] => ({
  store,
  channel: "store",
  payment,
  shipping: 0,
  lines: lines.map((line) => ({ id: line.id, product: line.product, price: line.price, quantity: line.quantity, ...(line.category ? { category: line.category } : {}) })),
});

/** Until when a phone may sell without a network; nothing, where it may not now. */
export function mayUntil(ready: Ready | undefined, store: string, now: number): number | undefined {
  if (!ready || ready.store !== store) return undefined;
  const business = now + ready.offset;
  return business >= ready.from && business < ready.until ? ready.until - ready.offset : undefined;
}

/** A line of the till's journal: sold at list prices, since only the home knows what offers would take off (docs/h5.md). It adds up in itself. */
export function journal(ready: Ready, sold: { name: string; who: Who; lines: readonly Line[]; payment: string; order: string; at: number }): unknown {
  const lines = sold.lines.map((line) => ({ id: line.id, quantity: line.quantity, list: line.price * line.quantity, discounts: [], payable: line.price * line.quantity }));
  const sum = list(sold.lines);
  return {
    type: "track",
    event: "Checkout Redeemed",
    messageId: sold.name,
    timestamp: new Date(sold.at + ready.offset).toISOString(),
    context: { externalIds: [{ type: sold.who.namespace, id: sold.who.value }] },
    properties: {
      checkout: sold.name,
      lease: ready.lease,
      touchpoint: ready.till,
      store_id: ready.store,
      ...(sold.order ? { order_id: sold.order } : {}),
      cart: facts(sold.lines, ready.store, sold.payment),
      payable: sum,
      quote: {
        currency: ready.currency,
        lines,
        list: sum,
        discount: 0,
        payable: sum,
        shipping: { list: 0, discount: 0, payable: 0 },
        total: sum,
        applied: [],
        points_times: "1",
        points_spent: 0,
        not_applied: [],
        mode: "best",
        exact: true,
        paid: { lines: lines.map((line) => [line.quantity, line.payable]) },
      },
    },
  };
}

/** Pieces of each line that can still come back. */
export function left(checkout: Pick<Schemas["CheckoutView"], "lines" | "returns">): Map<string, number> {
  const all = new Map(checkout.lines.map((line) => [line.id, line.quantity]));
  for (const one of checkout.returns ?? []) for (const line of one.lines) all.set(line.id, (all.get(line.id) ?? 0) - line.pieces);
  return all;
}

type NotApplied = Schemas["CheckoutQuoted"]["not_applied"][number];
/** Offers that do not apply, as people at a till want them: what a little more would reach first; what needs a coupon that nobody has not at all. */
export function others(not: readonly NotApplied[]): { near: NotApplied[]; rest: NotApplied[] } {
  const held = not.filter((one) => one.reason !== "no_coupon");
  return { near: held.filter((one) => one.missing), rest: held.filter((one) => !one.missing) };
}
