// A home of one brand with four members, that answers what members' pages ask: for tests of the pages alone. It holds what a home holds to: a session
// by its cookie, a word beside it, commands done once by their key.
import { randomUUID } from "node:crypto";

const DAY = 86_400_000;
/** Midnight in Shanghai, so many days from now. */
const midnight = (days) => new Date(Math.floor((Date.now() + 8 * 3_600_000) / DAY) * DAY - 8 * 3_600_000 + days * DAY).toISOString();
const ago = (days, hours = 0) => new Date(Date.now() - days * DAY - hours * 3_600_000).toISOString();
const date = (days) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
const n = (zh, en) => ({ zh, en });

export const CODE = "246810";
/** Who is who: a member of three years, one who has just come, one of the highest tier with whatever is long, one who came by WeChat. */
export const PHONES = { wang: "13911110001", fresh: "13911110002", long: "13911110003" };
const GONE = "13911119999";

const levels = [
  { level: "regular", name: n("普卡", "Regular"), from: 0, benefits: [] },
  { level: "silver", name: n("银卡", "Silver"), from: 3000, benefits: [n("周三会员日，满 68 减 8", "8 off 68 on Wednesdays"), n("生日当月双倍积分", "Double points in the month of your birthday")] },
  { level: "gold", name: n("金卡", "Gold"), from: 8000, benefits: [n("周三会员日，满 68 减 10", "10 off 68 on Wednesdays"), n("包邮", "Free delivery"), n("专属导购，随时可以问", "An advisor of your own, whom you may ask at any time")] },
];
const coupons = () => [
  { id: "c1", code: "7H3K-0QWE-9RTY-4ZXC", offer: "back", name: n("回归满 58 减 8", "8 off from 58"), about: n("全场满 58 元减 8 元，特价除外", "8 off when you spend 58, but on what is reduced already"), state: "active", usable: true, why: null, valid_from: ago(3), valid_until: midnight(2), partner_code: null },
  { id: "c2", code: "2MNB-8KJH-5GFD-1SAQ", offer: "snack", name: n("零食第二件半价", "Second snack at half price"), about: n("零食类商品，第二件五折", "Of two snacks the second is at half price"), state: "active", usable: true, why: null, valid_from: ago(10), valid_until: midnight(20), partner_code: null },
  { id: "c3", code: "9PLO-3IKJ-6UHY-0TGB", offer: "film", name: n("电影票一张", "A film ticket"), about: n("合作影城通兑，周末加价 10 元", "At our partner's cinemas; 10 more at weekends"), state: "active", usable: true, why: null, valid_from: ago(1), valid_until: null, partner_code: "XK-2291-7734" },
  { id: "c4", code: "4RFV-7TGB-2YHN-8UJM", offer: "wednesday", name: n("周三会员日 9 折", "Wednesday 10% off"), about: n("下周三当天可用", "On next Wednesday only"), state: "active", usable: false, why: "not_yet", valid_from: midnight(4), valid_until: midnight(5), partner_code: null },
  { id: "c5", code: "1QAZ-2WSX-3EDC-4RFV", offer: "till", name: n("满 100 减 15", "15 off from 100"), about: n("全场通用", "On everything"), state: "locked", usable: false, why: "locked", valid_from: ago(5), valid_until: midnight(9), partner_code: null },
  { id: "c6", code: "5TGB-6YHN-7UJM-8IKO", offer: "welcome", name: n("新人券", "Welcome"), about: n("首单满 20 减 5", "5 off your first 20"), state: "used", usable: false, why: "used", valid_from: ago(300), valid_until: ago(293), partner_code: null },
  { id: "c7", code: "0OKM-9IJN-8UHB-7YGV", offer: "summer", name: n("夏日冷饮券", "A cold drink"), about: n("任意冷饮一杯", "Any cold drink"), state: "expired", usable: false, why: "over", valid_from: ago(200), valid_until: ago(170), partner_code: null },
];
const offers = () => [
  { offer: "tote", name: n("帆布袋", "A tote bag"), about: n("到店领取，颜色随机", "To be picked up in a store; any colour"), points: 800, opens: null, closes: null, left: 41, yours: 1, state: "open", missing: null },
  { offer: "five", name: n("5 元无门槛券", "5 off anything"), about: n("七天内可用一次", "Once within seven days"), points: 500, opens: null, closes: midnight(12), left: null, yours: 2, state: "open", missing: null },
  { offer: "mug", name: n("保温杯", "A thermos mug"), about: n("商家定制款", "Made for the shop"), points: 3000, opens: null, closes: null, left: 12, yours: 1, state: "too_few_points", missing: 1740 },
  { offer: "film", name: n("电影票一张", "A film ticket"), about: n("合作影城通兑", "At our partner's cinemas"), points: 900, opens: null, closes: null, left: 0, yours: 1, state: "sold_out", missing: null },
  { offer: "lounge", name: n("生日下午茶", "Birthday tea for two"), about: null, points: 1000, opens: null, closes: null, left: null, yours: 0, state: "not_for_you", missing: null },
  { offer: "free", name: n("满 30 减 3", "3 off from 30"), about: n("今天起七天有效", "For seven days from today"), points: 0, opens: null, closes: null, left: null, yours: 1, state: "open", missing: null },
  { offer: "poster-drop", name: n("演唱会海报抢购资格", "The right to buy a concert poster"), about: n("领到后 15 分钟内到店或线上购买", "Buy it within 15 minutes, in a store or online"), points: 0, opens: null, closes: midnight(1), left: 128, yours: 2, state: "open", missing: null },
  { offer: "next-drop", name: n("联名玩偶", "The plush toy"), about: null, points: 0, opens: new Date(Date.now() + 26 * 3_600_000).toISOString(), closes: null, left: 500, yours: 1, state: "soon", missing: null },
  { offer: "chance", name: n("演唱会门票抽奖机会", "A chance at concert tickets"), about: n("每人最多五次", "At most five each"), kind: "chance", points: 100, opens: null, closes: midnight(6), left: null, yours: 5, state: "open", missing: null },
];
const consents = () => [
  { purpose: "marketing", name: n("营销", "Marketing"), version: "2026-01", needed: true, text: n("我们会把优惠和新品的消息发给您，每周最多两条。随时可以关掉。", "We send you news of offers and new things, at most two a week. Turn it off at any time."), channels: [{ channel: "inbox", allowed: false, since: null }, { channel: "sms", allowed: false, since: null }, { channel: "wecom", allowed: false, since: null }] },
  { purpose: "service", name: n("服务", "Service"), version: null, needed: false, text: null, channels: [{ channel: "inbox", allowed: true, since: ago(900) }, { channel: "email", allowed: true, since: ago(900) }] },
];
const seen = {
  roles: [
    { role: "owner", name: n("所有者", "owner"), shows: "full", whom: "all" },
    { role: "store_manager", name: n("店长", "store manager"), shows: "masked", whom: "subtree" },
    { role: "advisor", name: n("导购", "advisor"), shows: "masked", whom: "mine" },
    { role: "cashier", name: n("收银员", "cashier"), shows: "hidden", whom: "own_place" },
  ],
  items: [
    { at: ago(0, 3), role: "cashier", who: "staff", operation: "checkout" },
    { at: ago(2), role: "store_manager", who: "person", operation: "member_update" },
    { at: ago(9), role: "owner", who: "key", operation: "coupons_issue" },
    { at: ago(30), role: "system", who: "member", operation: "consent_write" },
  ],
};
const history = Array.from({ length: 25 }, (_, at) =>
  [
    { kind: "earn", points: 34, event: "Order Completed" },
    { kind: "spend", points: -500, event: "Coupon Claimed" },
    { kind: "expire", points: -12, event: "" },
    { kind: "return", points: 500, event: "Coupon Withdrawn" },
    { kind: "take_back", points: -18, event: "Order Refunded" },
  ].map((one) => ({ ...one, at: ago(at * 5 + 1) })),
)
  .flat()
  .slice(0, 30);
const orders = Array.from({ length: 12 }, (_, at) => ({
  id: `o${at}`,
  number: `20260310${String(1000 + at)}`,
  at: ago(at * 9 + 1),
  store: at % 4 === 3 ? null : "330",
  // Of a store that is on no tree nobody knows a name.
  store_name: at % 4 === 2 ? null : at % 4 === 3 ? null : n("南京东路店", "Nanjing Road"),
  paid_minor: 3400 + at * 1570,
  refunded_minor: at % 4 === 2 ? 3400 + at * 1570 : at % 4 === 1 ? 1000 : 0,
  currency: "CNY",
  status: at % 4 === 3 ? "cancelled" : "placed",
  counts: at % 4 !== 3,
  points: at % 4 === 3 ? 0 : 34,
  growth: 34,
  lines: at === 5 ? null : [
    { product: "towel", category: null, department: null, quantity: "2", amount: "24.00", returned_thousandths: 0 },
    { product: "SKU-88213", name: at % 2 === 0 ? "海盐苏打饼干" : null, category: "零食", department: null, quantity: "0.5", amount: null, returned_thousandths: 0 },
  ],
}));
const draws = [
  { draw: "concert", name: n("演唱会门票抽奖", "Concert tickets"), state: "open", entry: "E-7Q2K-90", chances: 3, fate: null, prize: null, alternate: null },
  { draw: "spring", name: n("春节红包抽奖", "Spring draw"), state: "drawn", entry: "E-1B44-72", chances: 5, fate: "won", prize: "满 200 减 50", alternate: null },
  { draw: "lantern", name: n("元宵抽奖", "Lantern draw"), state: "drawn", entry: "E-88XA-03", chances: 1, fate: "alternate", prize: null, alternate: 4 },
  { draw: "year", name: n("年终抽奖", "Year's end"), state: "drawn", entry: "E-3M0P-11", chances: 2, fate: "not_drawn", prize: null, alternate: null },
];

const payouts = () => [
  { payout: "a1", amount_minor: 8800, currency: "CNY", remark: "老带新奖励", state: "to_confirm", at: ago(0, 2), confirm: { mchid: "1900000001", sub_mchid: null, appid: "wx1a2b3c4d5e6f7081", package: "package-1" } },
  { payout: "a2", amount_minor: 50, currency: "CNY", remark: "问卷答谢", state: "to_confirm", at: ago(0, 5), confirm: { mchid: "1900000009", sub_mchid: "1900000010", appid: "wx1a2b3c4d5e6f7081", package: "package-2" } },
  { payout: "a3", amount_minor: 123456, currency: "CNY", remark: "推广员九月佣金", state: "under_way", at: ago(0, 1), confirm: null },
  { payout: "a4", amount_minor: 2000, currency: "CNY", remark: "补偿", state: "received", at: ago(30), confirm: null },
  { payout: "a5", amount_minor: 1000, currency: "CNY", remark: "推荐奖励", state: "over", at: ago(60), confirm: null },
];

function member(id, more) {
  return { id, name: null, phone: null, card: null, joined_at: ago(0), attributes: {}, tier: null, levels, points: { shown: 0, pending: 0, held: 0, debt: 0, worth_minor: null, expiries: [] }, coupons: 0, offers: 0, ...more };
}
const masked = (phone) => `${phone.slice(0, 3)}****${phone.slice(-4)}`;
const wang = () => ({
  me: member("m-wang", {
    name: "王芳",
    phone: masked(PHONES.wang),
    card: "6003 0120 4471",
    joined_at: ago(1100),
    attributes: { name: "王芳", gender: "female", city: "上海" },
    tier: { level: "silver", name: n("银卡", "Silver"), ends: date(200), growth: 5260, next: { level: "gold", name: n("金卡", "Gold"), growth_needed: 8000, growth_missing: 2740 }, keep: { growth_needed: 3000, growth_missing: 0, by: date(199) }, lapses: { day: date(60), growth: 900 } },
    points: { shown: 1260, pending: 34, held: 0, debt: 0, worth_minor: 1260, expiries: [{ at: midnight(18), points: 260 }, { at: midnight(140), points: 1000 }] },
  }),
  coupons: coupons(),
  offers: offers(),
  consents: consents(),
  history,
  lots: [{ remaining: 200, granted: 200, expires_at: midnight(18) }, { remaining: 60, granted: 90, expires_at: midnight(18) }, { remaining: 1000, granted: 1000, expires_at: midnight(140) }],
  orders,
  draws,
  payouts: payouts(),
  seen,
});
const long = () => ({
  ...wang(),
  me: member("m-long", {
    name: "欧阳慕容・亚历山德拉・维多利亚・伊丽莎白",
    phone: masked(PHONES.long),
    card: "9900 8800 7700 6600 5500",
    joined_at: ago(4000),
    attributes: { name: "欧阳慕容・亚历山德拉・维多利亚・伊丽莎白", birthday: "1961-02-28", gender: "x", city: "克孜勒苏柯尔克孜自治州阿图什市" },
    tier: { level: "gold", name: n("至尊黑金卡（创始会员）", "Founders' Black Gold"), ends: date(30), growth: 1234567, next: null, keep: { growth_needed: 2000000, growth_missing: 765433, by: date(29) }, lapses: null },
    points: { shown: 12345678, pending: 345678, held: 5000, debt: 12, worth_minor: 1234567800, expiries: [{ at: new Date(Date.now() + 5 * DAY).toISOString(), points: 1234567 }] },
  }),
});
const nobody = (id, phone) => ({ me: member(id, { phone: phone ? masked(phone) : null }), coupons: [], offers: [], consents: consents(), history: [], lots: [], orders: [], draws: [], payouts: [], seen: { roles: seen.roles, items: [] } });

/** The home: what answers before the pages are served, and what a test looks at or turns. */
export function home() {
  const people = new Map([[PHONES.wang, wang()], [PHONES.long, long()]]);
  const sessions = new Map();
  const answered = new Map();
  // `wechat`: whether that way in is open. `told`: what arrived. `passes`: how many were given. `fresh_ms`: for how long one may erase after a code.
  // `unsealed`: a home that neither exports nor erases.
  const state = { wechat: false, told: [], passes: 0, booked: 0, fresh_ms: 300_000, people, sold_out: false, unsealed: false };

  const handle = async (request, url, body, send) => {
    const refuse = (status, code, more = {}, headers = {}) => send(status, { type: "about:blank", title: code, status, code, ...more }, headers);
    const path = url.pathname.slice("/v1/me".length);
    const { method } = request;
    const cookie = /zhiyin_member=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
    const session = sessions.get(cookie);
    const view = (one) => ({ csrf: one.csrf, joined: one.joined, fresh_until: new Date(one.at + state.fresh_ms).toISOString(), expires_at: new Date(one.at + 30 * DAY).toISOString() });
    if (path === "/door") return send(200, { brand: { name: n("小满杂货", "Grain Full"), timezone: "Asia/Shanghai" }, currency: "CNY", exponent: 2, ways: state.wechat ? ["wechat", "phone"] : ["phone"], wechat_url: state.wechat ? "/v1/me/wechat" : null });
    if (path === "/code" && method === "POST") {
      if (!/^1\d{10}$/.test(body.phone)) return refuse(422, "phone_malformed", { field: "phone" });
      if (body.phone === GONE) return refuse(429, "too_many_attempts", {}, { "Retry-After": "40" });
      return send(200, { again_in: 60, good_for: 300 });
    }
    if (path === "/session" && method === "POST") {
      state.told.push({ path, body });
      if (Object.keys(body).some((name) => !["phone", "code", "touchpoint"].includes(name))) return refuse(400, "bad_body");
      if (body.code === "000000") return refuse(401, "code_over", { field: "code" });
      if (body.code !== CODE) return refuse(401, "code_wrong", { field: "code" });
      const joined = !people.has(body.phone);
      if (joined) people.set(body.phone, nobody(`m-${body.phone.slice(-4)}`, body.phone));
      const id = randomUUID();
      sessions.set(id, { phone: body.phone, csrf: randomUUID(), joined, at: Date.now() });
      return send(200, view(sessions.get(id)), { "Set-Cookie": `zhiyin_member=${id}; Path=/; HttpOnly; SameSite=Lax` });
    }
    const one = session && people.get(session.phone);
    if (!one) return refuse(401, "not_signed_in");
    if (method !== "GET" && request.headers["x-zhiyin-csrf"] !== session.csrf) return refuse(403, "csrf");
    if (path === "/session" && method === "GET") return send(200, view(session));
    if (path === "/session" && method === "DELETE") {
      sessions.delete(cookie);
      return send(200, {});
    }
    const paged = (items, size, more = {}) => {
      const from = Number(url.searchParams.get("cursor") ?? 0);
      return send(200, { items: items.slice(from, from + size), next: from + size < items.length ? String(from + size) : null, ...more });
    };
    if (method === "GET") {
      const usable = one.coupons.filter((coupon) => coupon.usable).length;
      if (path === "") return send(200, { ...one.me, coupons: usable, offers: one.offers.filter((offer) => offer.state === "open").length });
      if (path === "/pass") return send(200, { pass: `ZYP${String(++state.passes).padStart(8, "0")}${"0A3F9C".repeat(8)}`, until: new Date(Date.now() + 180_000).toISOString() });
      if (path === "/coupons") return send(200, { items: one.coupons });
      if (path === "/points") return paged(one.history, 20, { lots: one.lots });
      if (path === "/orders") return paged(one.orders, 8);
      if (path === "/offers") return send(200, { items: one.offers.map(({ yours: _, ...told }) => told) });
      if (path === "/payouts") return send(200, { items: one.payouts });
      if (path === "/draws") return send(200, { items: one.draws });
      if (path === "/consents") return send(200, { purposes: one.consents });
      if (path === "/seen") return send(200, one.seen);
      return refuse(404, "not_found");
    }
    if (state.unsealed && (path === "/export" || path === "/erase")) return refuse(409, "home_not_sealed");
    if (path === "/export") return send(200, { member: one.me, coupons: one.coupons }, { "Content-Disposition": 'attachment; filename="me.json"' });
    if (path === "/erase") {
      if (Date.now() > session.at + state.fresh_ms) return refuse(403, "not_fresh");
      people.delete(session.phone);
      return send(200, { erased: true });
    }
    const key = request.headers["idempotency-key"];
    if (!key) return refuse(400, "idempotency_key_missing");
    state.told.push({ path, method, body, key });
    const before = answered.get(key);
    if (before) return before.body === JSON.stringify(body) ? send(before.status, before.answer) : refuse(409, "idempotency_key_reused");
    const once = (status, answer) => {
      answered.set(key, { body: JSON.stringify(body), status, answer });
      return send(status, answer);
    };
    if (path === "" && method === "PATCH") {
      if (body.attributes.city === "?") return refuse(422, "bad_attribute", { field: "attributes.city", title: "这里不能这样填", detail: "This is no city." });
      Object.assign(one.me.attributes, body.attributes);
      if (body.attributes.name) one.me.name = body.attributes.name;
      return once(200, { member: one.me.id });
    }
    if (path === "/consents" && method === "PUT") {
      const purpose = one.consents.find(({ purpose: name }) => name === body.purpose);
      for (const channel of purpose.channels) {
        if (body.channel && channel.channel !== body.channel) continue;
        channel.allowed = body.given;
        channel.since = body.given ? new Date().toISOString() : null;
      }
      return once(200, { member: one.me.id });
    }
    if (path === "/claims") {
      const offer = one.offers.find(({ offer: name }) => name === body.offer);
      if (state.sold_out) return once(409, { type: "about:blank", status: 409, code: "out_of_stock", title: "out of stock" });
      state.booked += 1;
      one.me.points.shown -= offer.points;
      if (--offer.yours === 0) offer.state = "limit_reached";
      one.coupons.unshift({ ...coupons()[1], id: `n${state.booked}`, code: `NEW${state.booked}-8KJH-5GFD-1SAQ`, offer: offer.offer, name: offer.name, about: offer.about });
      return once(200, { codes: offer.kind === "chance" ? [] : [`NEW${state.booked}-8KJH-5GFD-1SAQ`], points: one.me.points.shown });
    }
    return refuse(404, "not_found");
  };

  const before = (request, response, next) => {
    const url = new URL(request.url ?? "/", "http://home");
    if (!url.pathname.startsWith("/v1/")) return next();
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const send = (status, answer, headers = {}) => {
        response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", "Cache-Control": "no-store", ...headers });
        response.end(JSON.stringify(answer));
      };
      void handle(request, url, text ? JSON.parse(text) : {}, send);
    });
  };
  return { before, state };
}
