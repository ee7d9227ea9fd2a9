// Vendure's OrderCalculator prices our carts, with promotions that lie in memory.
//
//   taskset -c 0 node vendure.mjs FILE.json [--offers N] [--seconds N]
//
// `applyPriceAdjustments` is called as it is, with the default strategies of its configuration; what it would ask its database
// (zones, tax rates, the facets of a product) is answered from memory. What docs/bench.md (Checkout) says of the mapping holds here.

import { createRequire } from "node:module";
import { NotExpressible, express, input, measure, selfCheck } from "./measure.mjs";

const require = createRequire(import.meta.url);
const core = require("@vendure/core");
const { version } = require("@vendure/core/package.json");
const { Channel, LanguageCode, Order, OrderCalculator, OrderLine, ProductVariant, Promotion, RequestContext, TaxRate, Zone } = core;

const zone = new Zone({ id: "zone", name: "zone" });
const RATES = { standard: 20, reduced: 10, zero: 0 };
const rates = Object.fromEntries(Object.entries(RATES).map(([id, value]) => [id, new TaxRate({ id, name: id, value, enabled: true })]));
const calculator = new OrderCalculator(
  core.defaultConfig,
  { getAllWithMembers: async () => [zone] },
  { getApplicableTaxRate: async (_ctx, _zone, category) => rates[category] },
  { findOne: async () => undefined },
  { getEligibleShippingMethods: async () => [] },
  new core.RequestContextCacheService(),
);
const contextOf = (pricesIncludeTax) =>
  new RequestContext({
    apiType: "shop",
    channel: new Channel({ id: "channel", defaultTaxZone: zone, pricesIncludeTax }),
    languageCode: LanguageCode.en,
    isAuthorized: true,
    authorizedAsOwnerOnly: false,
    session: {},
  });
const NET = contextOf(false);
const GROSS = contextOf(true);

// A category is a facet of the variant.
const facets = { hasFacetValues: (line, ids) => ids.every((id) => line.productVariant.customFields.category === id) };
await core.discountOnItemWithFacets.init({ get: () => facets });

// Money off each piece of a category, and per cent off an order up to so much: Vendure has no action of its own for these,
// and its manual says to write one so.
const moneyOffPieces = new core.PromotionLineAction({
  code: "money_off_pieces",
  description: [{ languageCode: LanguageCode.en, value: "Discount each piece of a category by a fixed amount" }],
  args: { discount: { type: "int" }, category: { type: "string", required: false } },
  execute: (_ctx, line, { discount, category }) =>
    category === undefined || line.productVariant.customFields.category === category ? -discount * line.quantity : 0,
});
const percentOffAtMost = new core.PromotionOrderAction({
  code: "percent_off_at_most",
  description: [{ languageCode: LanguageCode.en, value: "Discount order by { discount }%, at most { at_most }" }],
  args: { discount: { type: "float" }, at_most: { type: "int" } },
  execute: (_ctx, order, { discount, at_most }) => -Math.min(at_most, order.subTotal * (discount / 100)),
});
const ACTIONS = [...core.defaultPromotionActions, moneyOffPieces, percentOffAtMost];

// Conditions and actions are written as they lie in its database: codes, and arguments as texts.
const operation = (code, args) => ({
  code,
  args: Object.entries(args)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value: typeof value === "string" ? value : JSON.stringify(value) })),
});
const promotion = (id, [action, values], [condition, limits] = []) =>
  new Promotion({
    id,
    name: id,
    enabled: true,
    conditions: condition ? [operation(condition, limits)] : [],
    actions: [operation(action, values)],
    promotionActions: ACTIONS,
  });

function vendurePromotion(offer) {
  const spend = offer.spend === undefined ? undefined : ["minimum_order_amount", { amount: offer.spend, taxInclusive: false }];
  const { id, kind, value, at_most, category } = offer;
  if (at_most !== undefined && kind !== "percent_order") throw new NotExpressible("no cap in money");
  switch (kind) {
    case "percent_item":
      return promotion(id, ["facet_based_discount", { discount: value, facets: category === undefined ? [] : [category] }], spend);
    case "fixed_item":
      return promotion(id, ["money_off_pieces", { discount: value, category }], spend);
    case "percent_order":
    case "fixed_order":
      if (category !== undefined) throw new NotExpressible("no category for what is off the order");
      if (at_most !== undefined) return promotion(id, ["percent_off_at_most", { discount: value, at_most }], spend);
      return promotion(id, [kind === "percent_order" ? "order_percentage_discount" : "order_fixed_discount", { discount: value }], spend);
    case "bxgy":
      throw new NotExpressible("gives once an order, of variants only, and one piece may be both bought and free");
    default:
      throw new NotExpressible(`no ${kind}`);
  }
}

// A line [list price, quantity, tax, category]; the id of its variant is its place.
function orderOf(ctx, lines) {
  return new Order({
    couponCodes: [],
    shippingLines: [],
    surcharges: [],
    lines: lines.map(
      ([listPrice, quantity, taxCategoryId, category], at) =>
        new OrderLine({
          id: `${at}`,
          productVariant: new ProductVariant({ id: `${at}`, customFields: { category } }),
          taxCategoryId,
          listPrice,
          listPriceIncludesTax: ctx.channel.pricesIncludeTax,
          quantity,
          orderPlacedQuantity: 0,
          taxLines: [],
          adjustments: [],
        }),
    ),
  });
}
// Nothing is shipped, so shipping is not priced either.
const price = (ctx, order, promotions) => calculator.applyPriceAdjustments(ctx, order, promotions, [], { recalculateShipping: false });

// ---- the cases of its own suite ----

const { prorate } = core;
const pieces = (id, percent, category) => promotion(id, ["facet_based_discount", { discount: percent, facets: category ? [category] : [] }]);
const percentOff = (id, discount, condition) => promotion(id, ["order_percentage_discount", { discount }], condition);
const moneyOff = (id, discount, condition) => promotion(id, ["order_fixed_discount", { discount }], condition);
const threeOrMore = percentOff("three", 50, ["contains_products", { minimum: 3, productVariantIds: ["0"] }]);
const tenOrMore = percentOff("spend", 10, ["minimum_order_amount", { amount: 1000, taxInclusive: false }]);
const spendMuch = moneyOff("much", 1000, ["minimum_order_amount", { amount: 10000, taxInclusive: false }]);
const fifteen = [pieces("15", 15, "ten"), moneyOff("500", 500)];
const mixed = [[1000, 2, "standard", "ten"], [3499, 1, "reduced"], [255, 4, "reduced"]];
const KNOWN = [
  ["50 % off each piece", NET, [pieces("x", 50)], [[8333, 1, "standard"]], 4167, 5000],
  ["money off the order", NET, [moneyOff("x", 500)], [[1230, 1, "standard"]], 730, 876],
  ["money off the order, two rates of tax", GROSS, [moneyOff("x", 500)], [[500, 1, "standard"], [500, 1, "zero"]], 458, 500],
  ["spend 1000 for 10 %", NET, [threeOrMore, tenOrMore], [[500, 2, "standard"]], 900, 1080],
  ["the first makes the second not apply", NET, [threeOrMore, tenOrMore], [[500, 3, "standard"]], 750, 900],
  ["both apply", NET, [threeOrMore, tenOrMore], [[800, 3, "standard"]], 1080, 1296],
  ["10 % off each piece", NET, [pieces("x", 10)], [[155880, 1, "standard"]], 140292, 168350],
  ["10 % off pieces, then off the order", NET, [percentOff("y", 10), pieces("x", 10)], [[155880, 1, "standard"]], 126263, 151516],
  ["pieces and order, rates of tax mixed", NET, fifteen, mixed, 5719, 6446],
  ["10.5 % off the order", NET, [percentOff("x", 10.5)], [[5000, 1, "standard"]], 4475, 5370],
  ["pieces first, whatever the order of promotions", NET, [percentOff("y", 15), pieces("x", 50, "sale")], [[1000, 2, "standard", "sale"], [5000, 1, "standard"]], 5100, 6120],
  ["a line of price zero", NET, [percentOff("x", 20)], [[100, 1, "standard"], [0, 1, "standard"]], 80, 96],
  ["more off than there is", NET, [moneyOff("x", 1000)], [[100, 1, "zero"]], 0, 0],
  ["money off a line, not a piece", NET, [promotion("x", ["order_line_fixed_discount", { discount: 1000 }])], [[1000, 3, "zero"]], 2000, 2000],
  ["100 % twice", NET, [percentOff("x", 100), percentOff("y", 100)], [[1000, 1, "zero"]], 0, 0],
  ["enough is spent", NET, [spendMuch], [[1000, 8, "zero"], [5000, 1, "zero"]], 12000, 12000],
  ["too little is spent", NET, [spendMuch], [[1000, 8, "zero"]], 8000, 8000],
  // Of the actions that are ours.
  ["money off each piece", NET, [promotion("x", ["money_off_pieces", { discount: 300, category: "a" }])], [[1000, 2, "zero", "a"], [1000, 2, "zero", "b"]], 3400, 3400],
  ["per cent off, less than the most", NET, [promotion("x", ["percent_off_at_most", { discount: 10, at_most: 150 }])], [[1000, 1, "zero"]], 900, 900],
  ["per cent off, at most", NET, [promotion("x", ["percent_off_at_most", { discount: 10, at_most: 150 }])], [[1000, 2, "zero"]], 1850, 1850],
];
const cases = [
  ["split 299 by weight", prorate([4300, 1400, 2300], 299), [161, 52, 86]],
  ["split 299 in three", prorate([1000, 1000, 1000], 299), [100, 100, 99]],
  ["split 93 in eight", prorate([10, 20, 10, 30, 50, 20, 10, 40], 93), [5, 10, 5, 15, 24, 10, 5, 19]],
  ["split -300", prorate([4000, 2000, 2000], -300), [-150, -75, -75]],
  ["nothing for weight zero", prorate([10, 0], 40), [40, 0]],
  ["alike where there is no weight", prorate([0, 0], 10), [5, 5]],
  ["split -20", prorate([100, 100], -20), [-10, -10]],
];
for (const [name, ctx, promotions, lines, net, gross] of KNOWN) {
  const { subTotal, subTotalWithTax } = await price(ctx, orderOf(ctx, lines), promotions);
  cases.push([name, [subTotal, subTotalWithTax], [net, gross]]);
}
selfCheck("vendure", cases);

// ---- ours ----

const { offers, carts, seconds } = input();
const { expressed, left_out } = express(offers, vendurePromotion);
const jobs = carts.map(({ lines }) => {
  const order = orderOf(NET, lines.map((line) => [line.price, line.quantity, "zero", line.category]));
  const list = lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
  return {
    // An order whose tax zone is known and whose lines carry no discount yet.
    ready() {
      order.taxZoneId = zone.id;
      for (const line of order.lines) line.adjustments = [];
      return order;
    },
    call: (of) => price(NET, of, expressed),
    discount: (of) => list - of.subTotal,
  };
});
await measure({ peer: "vendure", version, offers: expressed.length, left_out }, jobs, seconds);
