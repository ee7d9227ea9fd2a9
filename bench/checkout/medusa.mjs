// Medusa's promotion module prices our carts: its own `computeActions`, with promotions that lie in memory.
//
//   taskset -c 0 node medusa.mjs FILE.json [--offers N] [--seconds N]
//
// `PromotionModuleService.computeActions` is called as it is; only where it would ask its database for promotions does it get
// the list. What docs/bench.md (Checkout) says of the mapping holds here.

import { createRequire } from "node:module";
import { NotExpressible, express, input, measure, selfCheck } from "./measure.mjs";

const require = createRequire(import.meta.url);
const PromotionModuleService = require("@medusajs/promotion/dist/services/promotion-module.js").default;
const { BigNumber } = require("@medusajs/framework/utils");
const { version } = require("@medusajs/promotion/package.json");

const CURRENCY = "cny";
// Without `max_quantity` an offer on items counts for one piece of a line; this many is "all".
const ALL_PIECES = 1_000_000;

// The module's service without its container: what would read from the database is answered from memory.
function service(promotions) {
  const made = Object.create(PromotionModuleService.prototype);
  made.baseRepository_ = { getFreshManager: () => ({}) };
  made.listActivePromotions_ = async () => promotions;
  return made;
}
const codes = (promotions) => promotions.map((promotion) => promotion.code);
// Asking for automatic promotions would only filter them by SQL; all of ours are asked for by code.
const OPTIONS = { prevent_auto_promotions: true };

// Amounts and pieces come as its own numbers, parsed already, as its carts have them.
const amount = (number) => new BigNumber(number);

const rule = (attribute, operator, value) => ({ attribute, operator, values: [{ value: String(value) }] });
const ofCategory = (category) => (category === undefined ? [] : [rule("items.product.type_id", "eq", category)]);

function promotion(code, type, method, rules = []) {
  return {
    id: code,
    code,
    type,
    rules,
    status: "active",
    is_automatic: false,
    is_tax_inclusive: false,
    limit: null,
    used: 0,
    campaign: null,
    application_method: { currency_code: CURRENCY, target_rules: [], buy_rules: [], ...method },
  };
}

// Medusa's amounts are in major units, and so are its rules; its order of application compares them with per cents.
function medusaPromotion(offer) {
  const { id, kind, value, at_most, category } = offer;
  const rules = offer.spend === undefined ? [] : [rule("subtotal", "gte", offer.spend / 100)];
  const target_rules = ofCategory(category);
  const percent = { type: "percentage", value: amount(value ?? 100) };
  const money = { type: "fixed", value: amount((value ?? 0) / 100) };
  const standard = (method) => promotion(id, "standard", { ...(kind.startsWith("percent") ? percent : money), ...method }, rules);
  if (at_most !== undefined) throw new NotExpressible("no cap in money");
  switch (kind) {
    case "percent_item":
    case "fixed_item":
      return standard({ target_type: "items", allocation: "each", target_rules, max_quantity: ALL_PIECES });
    case "percent_order":
    case "fixed_order":
      if (category === undefined) return standard({ target_type: "order" });
      return standard({ target_type: "items", allocation: "across", target_rules });
    case "bxgy": {
      const buyGet = {
        target_type: "items",
        allocation: "each",
        // It wants a rule for what is bought; this one holds for all.
        buy_rules: category === undefined ? [rule("items.quantity", "gte", 1)] : target_rules,
        target_rules,
        buy_rules_min_quantity: offer.buy,
        apply_to_quantity: offer.get,
        max_quantity: ALL_PIECES,
      };
      return promotion(id, "buyget", { ...percent, ...buyGet }, rules);
    }
    default:
      throw new NotExpressible(`no ${kind}`);
  }
}

function context(lines) {
  const items = lines.map(({ id, product, category, subtotal, quantity }) => ({
    id,
    quantity: amount(quantity),
    subtotal: amount(subtotal),
    original_total: amount(subtotal),
    is_discountable: true,
    product: { id: product, type_id: category },
  }));
  return { currency_code: CURRENCY, subtotal: amount(lines.reduce((sum, line) => sum + line.subtotal, 0)), items };
}

// ---- the cases of its own suite ----

// Amounts by promotion, then by line, of lines [category, quantity, subtotal].
async function amounts(promotions, lines) {
  const cart = context(lines.map(([category, quantity, subtotal], at) => ({ id: `${at}`, product: `${at}`, category, quantity, subtotal })));
  const found = Object.fromEntries(codes(promotions).map((code) => [code, lines.map(() => 0)]));
  for (const action of await service(promotions).computeActions(codes(promotions), cart, OPTIONS)) {
    if (action.action === "addItemAdjustment") found[action.code][Number(action.item_id)] += Number(action.amount);
  }
  return Object.values(found);
}
const items = (code, type, value, allocation, max_quantity) => promotion(code, "standard", { type, value, allocation, max_quantity, target_type: "items" });
const order = (code, type, value) => promotion(code, "standard", { type, value, target_type: "order" });
const buyGet = (code, buy, get, bought, free) =>
  promotion(code, "buyget", {
    type: "percentage",
    value: 100,
    target_type: "items",
    allocation: "each",
    buy_rules: ofCategory(bought),
    target_rules: ofCategory(free),
    buy_rules_min_quantity: buy,
    apply_to_quantity: get,
    max_quantity: get,
  });
const both = [["a", 1, 50], ["a", 1, 150]];
const clothes = [["tshirt", 2, 1000], ["tshirt", 2, 2000], ["sweater", 2, 2000]];
const sacks = [buyGet("50+1000", 50, 1000, "a", "a"), buyGet("10+20", 10, 20, "a", "a")];
const KNOWN = [
  ["fixed, each, at most the price of a piece", [items("x", "fixed", 200, "each", 1)], [["a", 1, 100], ["a", 5, 750]], [[100, 150]]],
  ["two fixed, each: the greater first", [items("x", "fixed", 30, "each", 2), items("y", "fixed", 50, "each", 1)], both, [[0, 30], [50, 50]]],
  ["nothing is left for the second", [items("x", "fixed", 500, "each", 2), items("y", "fixed", 50, "each", 1)], both, [[50, 150], [0, 0]]],
  ["per cent, each, of one piece", [items("x", "percentage", 10, "each", 1)], [["a", 1, 100], ["a", 5, 750]], [[10, 15]]],
  ["two per cents, each", [items("x", "percentage", 30, "each", 2), items("y", "percentage", 10, "each", 1)], [["a", 3, 150], ["a", 1, 150]], [[30, 45], [5, 10.5]]],
  ["fixed, across", [items("x", "fixed", 400, "across")], [["a", 2, 200], ["a", 2, 600]], [[100, 300]]],
  ["two fixed, across", [items("x", "fixed", 30, "across"), items("y", "fixed", 50, "across")], both, [[7.5, 22.5], [12.5, 37.5]]],
  ["per cent, across", [items("x", "percentage", 10, "across")], [["a", 1, 200], ["a", 1, 600]], [[20, 60]]],
  ["two per cents, across", [items("x", "percentage", 10, "across"), items("y", "percentage", 10, "across")], both, [[5, 15], [4.5, 13.5]]],
  ["fixed, of the order", [order("x", "fixed", 200)], [["a", 1, 100], ["a", 2, 300]], [[50, 150]]],
  ["two fixed, of the order", [order("x", "fixed", 500), order("y", "fixed", 50)], both, [[50, 150], [0, 0]]],
  ["buy a sweater, get the dearest shirt", [buyGet("x", 1, 1, "sweater", "tshirt")], clothes, [[0, 1000, 0]]],
  ["too few are bought", [buyGet("x", 4, 1, "sweater", "tshirt")], clothes, [[0, 0, 0]]],
  ["buy 2 get 2 of four", [buyGet("x", 2, 2, "a", "a")], [["a", 4, 1000]], [[500]]],
  ["buy 2 get 2 of three", [buyGet("x", 2, 2, "a", "a")], [["a", 3, 1000]], [[0]]],
  ["buy 2 get 2 of three lines", [buyGet("x", 2, 2, "a", "a")], [["a", 1, 1000], ["a", 1, 1000], ["a", 1, 1000]], [[0, 0, 0]]],
  ["the cheaper ones are free", [buyGet("x", 2, 2, "a", "a")], [["a", 1, 500], ["a", 1, 500], ["a", 1, 1000], ["a", 1, 1000]], [[500, 500, 0, 0]]],
  ["what the first used is gone for the second", sacks, [["a", 1080, 2700]], [[2500], [50]]],
  ["the same in two lines", sacks, [["a", 540, 1350], ["a", 540, 1350]], [2500, 50], (found) => found.map((of) => of.reduce((a, b) => a + b))],
  ["a per cent of 30 after 30 in money, then 20", [items("x", "percentage", 20, "across"), items("y", "fixed", 30, "across")], [["a", 1, 100]], [[14], [30]]],
];
const cases = [];
for (const [name, promotions, lines, expected, of = (found) => found] of KNOWN) {
  cases.push([name, of(await amounts(promotions, lines)), expected]);
}
selfCheck("medusa", cases);

// ---- ours ----

const { offers, carts, seconds } = input();
const { expressed, left_out } = express(offers, medusaPromotion);
const module = service(expressed);
const applied = codes(expressed);
const jobs = carts.map((cart) => {
  const given = context(cart.lines.map((line) => ({ ...line, subtotal: (line.price * line.quantity) / 100 })));
  return {
    ready: () => given,
    call: (of) => module.computeActions(applied, of, OPTIONS),
    // What a customer is charged is rounded once, at the end.
    discount: (actions) => Math.round(actions.reduce((sum, action) => sum + Number(action.amount ?? 0), 0) * 100),
  };
});
await measure({ peer: "medusa", version, offers: expressed.length, left_out }, jobs, seconds);
