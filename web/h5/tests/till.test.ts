// Carts, whom a typed word names, and what is written down without a network.
import { beforeAll, expect, test } from "vitest";
import { shares, sum } from "../src/a/figures";
import { namesOf, scriptsOf } from "../src/a/scripts";
import { add, facts, isPhone, journal, left, LINES_MAX, list, mayUntil, named, nameFor, others, pieces, PIECES_MAX, take, type Line, type Ready } from "../src/pos/till";
import { minor } from "../src/shared/format";

test("the same product at the same price is one line; another price is another, and ids are not given twice", () => {
  let lines: Line[] = [];
  lines = add(lines, { product: "towel", price: 3400 });
  lines = add(lines, { product: "towel", price: 3400 });
  lines = add(lines, { product: "towel", price: 3000 });
  expect(lines).toEqual([
    { id: "1", product: "towel", price: 3400, quantity: 2 },
    { id: "2", product: "towel", price: 3000, quantity: 1 },
  ]);
  expect([list(lines), pieces(lines)]).toEqual([9800, 3]);
  lines = take(take(lines, "1"), "1");
  expect(add(lines, { product: "cup", price: 100 }).map((line) => line.id)).toEqual(["2", "3"]);
});

test("a cart is bounded", () => {
  let lines: Line[] = [];
  for (let i = 0; i < LINES_MAX + 5; i += 1) lines = add(lines, { product: `p${i}`, price: 1 });
  expect(lines.length).toBe(LINES_MAX);
  expect(add([], { product: "a", price: 1, quantity: 5000 })[0]?.quantity).toBe(PIECES_MAX);
});

test.each([
  ["13912345678", { namespace: "phone", value: "13912345678" }],
  ["１３９ 1234 5678", { namespace: "phone", value: "13912345678" }],
  ["+86 139-1234-5678", { namespace: "phone", value: "+8613912345678" }],
  ["1001", { namespace: "card", value: "1001" }],
  ["card:1001", { namespace: "card", value: "1001" }],
  [`ZYP${"0A".repeat(28)}`, { namespace: "pass", value: `ZYP${"0A".repeat(28)}` }],
  ["openid:wx12:abc", { namespace: "openid:wx12", value: "abc" }],
])("%s names somebody", (typed, who) => expect(named(typed)).toEqual(who));
test.each(["", "王芳", "wang fang", "a".repeat(300)])("%s names nobody", (typed) => expect(named(typed)).toBeUndefined());
test("a phone is told from a card", () => expect([isPhone("13912345678"), isPhone("1001")]).toEqual([true, false]));

test("amounts are read exactly, in the currency's own unit", () => {
  expect(["0.1", "12", "12.3", "12.34", "１２．５", "1,000"].map((typed) => minor(typed, "CNY"))).toEqual([10, 1200, 1230, 1234, 1250, 100000]);
  expect(["", "0", "-1", "1.234", "1e3", "abc", "99999999"].map((typed) => minor(typed, "CNY"))).toEqual(Array(7).fill(undefined));
  expect([minor("500", "JPY"), minor("500.5", "JPY")]).toEqual([500, undefined]);
});

test("a sale's name says its store and day, in signs that are not mistaken", () => {
  const name = nameFor("330", new Date(2026, 10, 8), new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]));
  expect(name).toBe("330-261108-23456789");
  expect(nameFor("330", new Date(), crypto.getRandomValues(new Uint8Array(8)))).not.toMatch(/[01OILU]$/);
});

const ready: Ready = { lease: "pos-1/a", till: "pos-1", store: "330", from: 1_000_000, until: 2_000_000, offset: -500_000, currency: "CNY" };
test("a phone sells without a network only at its store, and only in the lease's time by the brand's clock", () => {
  expect(mayUntil(ready, "330", 1_600_000)).toBe(2_500_000);
  expect(mayUntil(ready, "331", 1_600_000)).toBeUndefined();
  expect(mayUntil(ready, "330", 1_400_000)).toBeUndefined();
  expect(mayUntil(ready, "330", 2_500_000)).toBeUndefined();
  expect(mayUntil(undefined, "330", 1_600_000)).toBeUndefined();
});

test("a line of the journal adds up in itself, takes no coupon and no offer, and is told at the brand's time", () => {
  const lines = add(add([], { product: "towel", price: 3400, quantity: 2 }), { product: "cup", price: 990 });
  const told = journal(ready, { name: "330-1", who: { namespace: "phone", value: "13912345678" }, lines, payment: "cash", order: "", at: 1_600_000 }) as {
    timestamp: string;
    messageId: string;
    context: unknown;
    properties: { checkout: string; payable: number; cart: unknown; order_id?: string; quote: { lines: { list: number; payable: number }[]; list: number; discount: number; payable: number; total: number; applied: unknown[]; paid: { lines: number[][] } } };
  };
  const { quote } = told.properties;
  expect(told.timestamp).toBe(new Date(1_100_000).toISOString());
  expect([told.messageId, told.properties.checkout]).toEqual(["330-1", "330-1"]);
  expect(told.context).toEqual({ externalIds: [{ type: "phone", id: "13912345678" }] });
  expect(quote.lines.reduce((all, line) => all + line.payable, 0)).toBe(quote.payable);
  expect([quote.list, quote.discount, quote.payable, quote.total, told.properties.payable]).toEqual([7790, 0, 7790, 7790, 7790]);
  expect([quote.applied, quote.paid.lines]).toEqual([[], [[2, 6800], [1, 990]]]);
  expect(told.properties.cart).toEqual(facts(lines, "330", "cash"));
  expect(JSON.stringify(told)).not.toMatch(/coupon|order_id/);
});

test("what came back cannot come back again", () => {
  const line = (id: string, quantity: number) => ({ id, quantity, list: 0, payable: 0, discounts: [] });
  const of = left({ lines: [line("1", 3), line("2", 1)], returns: [{ at: "", cause: "", points: 0, refund: 0, lines: [{ id: "1", paid: 0, pieces: 1 }] }, { at: "", cause: "", points: 0, refund: 0, lines: [{ id: "1", paid: 0, pieces: 1 }, { id: "2", paid: 0, pieces: 1 }] }] });
  expect([...of]).toEqual([["1", 1], ["2", 0]]);
});

test("what a little more would reach comes first; offers whose coupon nobody has are not told", () => {
  const one = (offer: string, reason: string, missing?: { money: number }) => ({ offer, reason, name: { zh: "", en: "" }, words: { zh: "", en: "" }, ...(missing ? { missing } : {}) });
  const { near, rest } = others([one("a", "wrong_day"), one("b", "spend_more", { money: 1200 }), one("c", "no_coupon")]);
  expect([near.map((not) => not.offer), rest.map((not) => not.offer)]).toEqual([["b"], ["a"]]);
});

test("figures are sums of a report's rows, and shares of who is there", () => {
  const rows = [{ tier: "gold", members: 1, paid_cents: 250 }, { tier: "silver", members: "3", paid_cents: 50 }, { tier: "none", members: 0 }];
  expect([sum(rows, "members"), sum(rows, "paid_cents")]).toEqual([4, 300]);
  expect(shares(rows, "tier")).toEqual([{ of: "gold", members: 1, share: 0.25 }, { of: "silver", members: 3, share: 0.75 }]);
});

let scripts: Awaited<ReturnType<typeof scriptsOf>>;
beforeAll(async () => {
  scripts = await scriptsOf("messages:\n  a: { text: { zh: 您好, en: Hello } }\n  b: { text: Hi, sells: false }\n  c: { poster: x }\n");
});
test("scripts are a playbook's messages in both languages", () => {
  expect(scripts).toEqual([{ id: "a", zh: "您好", en: "Hello", sells: true }, { id: "b", zh: "Hi", en: "Hi", sells: false }]);
});
test("a playbook without messages has none", async () => expect(await scriptsOf("playbook: x")).toEqual([]));
test("offers and campaigns are called as the playbook calls them", async () => {
  expect(await namesOf("offers:\n  a: { name: { zh: 甲, en: A } }\n  b: {}\n")).toEqual({ offers: { a: { zh: "甲", en: "A" }, b: undefined }, campaigns: {}, posters: {} });
});
