// What the members' pages decide by themselves.
import { describe, expect, test } from "vitest";
import { askOf, byEnd, clock, dayBefore, decimal, lastDay, mayBe, orderState, outcomeOf, passAt, phoneOf, share, shelves, stalls, things, touchpointOf, wayWith } from "../src/m/rules";
import type { Coupon, Me, Offer, Payout } from "../src/m/types";

const T = Date.parse("2026-03-10T04:00:00Z");
const coupon = (more: Partial<Coupon>): Coupon => ({ id: "c", code: "7H3K", offer: "welcome", state: "active", usable: true, ...more });
const offer = (more: Partial<Offer>): Offer => ({ offer: "tote", kind: "gift", points: 0, state: "open", ...more });
const me = (more: Partial<Me>): Me => ({ id: "m", points: { shown: 0 }, coupons: 0, offers: 0, attributes: { name: "Ann", birthday: "1990-01-01" }, ...more });

describe("a pass", () => {
  test.each([
    [0, "fresh", 60, 180],
    [59.2, "fresh", 1, 121],
    [60, "late", 0, 120],
    [179.5, "late", 0, 1],
    [180, "lapsed", 0, 0],
    [86_400, "lapsed", 0, 0],
  ])("after %d seconds is %s", (age, phase, renew_in, good_for) => {
    expect(passAt({ pass: "p", asked_at: T }, T + age * 1000)).toEqual({ phase, renew_in, good_for });
  });
  test("is not taken for good when the clock was set back", () => expect(passAt({ pass: "p", asked_at: T }, T - 1).phase).toBe("lapsed"));
  test("that there is none is no lapse", () => expect(passAt(undefined, T).phase).toBe("none"));
  test.each([[65, "1:05"], [120, "2:00"], [9, "0:09"]])("%d seconds read %s", (seconds, said) => expect(clock(seconds)).toBe(said));
});

test.each([[1000, 250, 0.75], [1000, 1000, 0], [1000, -5, 1], [1000, 2000, 0], [0, 0, 1]])("of %d with %d missing, %d is done", (needed, missing, done) => expect(share(needed, missing)).toBe(done));

test.each([
  ["2026-03-31T16:00:00Z", "Asia/Shanghai", "2026-03-31"],
  ["2026-04-01T00:00:00+08:00", "Asia/Shanghai", "2026-03-31"],
  ["2026-01-01T00:00:00Z", "UTC", "2025-12-31"],
  ["2026-03-31T16:15:00Z", "Asia/Shanghai", undefined],
  ["2026-03-31T16:00:00Z", "Europe/Berlin", undefined],
  ["no time", "UTC", undefined],
])("what ends at %s in %s is good up to %s", (at, zone, day) => expect(lastDay(at, zone)).toBe(day));
test.each([["2026-03-01", "2026-02-28"], ["2024-03-01", "2024-02-29"], ["2027-01-01", "2026-12-31"], ["soon", "soon"]])("the day before %s is %s", (day, before) => expect(dayBefore(day)).toBe(before));

test.each([
  ["?t=flyer-330", "flyer-330"],
  ["?x=1&t=%E6%B5%B7%E6%8A%A5", "\u6d77\u62a5"],
  ["", undefined],
  ["?t=", undefined],
  ["?t=a%00b", undefined],
  [`?t=${"x".repeat(101)}`, undefined],
])("the touchpoint of %s is %s", (search, said) => expect(touchpointOf(search)).toBe(said));

const OWN = "https://shop.example";
test.each([
  ["/v1/me/wechat", "flyer", `${OWN}/v1/me/wechat?t=flyer`],
  ["/v1/me/wechat?t=kept", "flyer", `${OWN}/v1/me/wechat?t=kept`],
  ["https://open.weixin.qq.com/x?state=1", "flyer", "https://open.weixin.qq.com/x?state=1"],
  ["javascript:alert(1)", undefined, undefined],
  ["http://elsewhere.example/", undefined, undefined],
])("the way %s with %s is %s", (url, said, way) => expect(wayWith(url, said, OWN)).toBe(way));

test.each([
  ["139 1234 5678", "13912345678"],
  ["+86-139-1234-5678", "+8613912345678"],
  ["\uff11\uff13\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "13912345678"],
  ["12345", undefined],
  ["ann@example.com", undefined],
])("%s typed is the phone %s", (typed, phone) => expect(phoneOf(typed)).toBe(phone));
test.each([
  ["13912345678", "139****5678", true],
  ["+8613912345678", "139****5678", true],
  ["13912345678", "+86139****5678", true],
  ["13812345678", "139****5678", false],
  ["13912345679", "139****5678", false],
  ["13912345678", null, true],
])("%s can be %s: %s", (phone, masked, is) => expect(mayBe(phone, masked)).toBe(is));

test("usable coupons come apart from those that wait and those that are over, in their order", () => {
  const all = [
    coupon({ id: "1" }),
    coupon({ id: "2", usable: false, why: "not_yet" }),
    coupon({ id: "3", usable: false, state: "used", why: "used" }),
    coupon({ id: "4" }),
    coupon({ id: "5", usable: false, state: "locked", why: "locked" }),
    coupon({ id: "6", usable: false, why: "offer_over" }),
    coupon({ id: "7", usable: false, state: "withdrawn" }),
  ];
  const { usable, waiting, gone } = shelves(all);
  expect([usable, waiting, gone].map((some) => some.map((one) => one.id).join(""))).toEqual(["14", "25", "367"]);
});

test("what may be claimed lies where people look for it", () => {
  const { mall, drops, free, chances } = stalls([offer({ offer: "a", points: 800, left: 3 }), offer({ offer: "b", left: 0 }), offer({ offer: "c", opens: "2026-03-11T02:00:00Z" }), offer({ offer: "d" }), offer({ offer: "e", kind: "chance", points: 50 })]);
  expect([mall, drops, free, chances].map((some) => some.map((one) => one.offer).join(""))).toEqual(["a", "bc", "d", "e"]);
});

test("lots that end together are one line; what never ends, or is spent, is none", () => {
  const [a, b] = ["2026-12-31T16:00:00Z", "2026-06-30T16:00:00Z"];
  expect(byEnd([{ remaining: 5, expires_at: a }, { remaining: 7 }, { remaining: 1, expires_at: b }, { remaining: 2, expires_at: a }, { remaining: 0, expires_at: "2026-01-01T00:00:00Z" }])).toEqual([{ remaining: 1, expires_at: b }, { remaining: 7, expires_at: a }]);
});

test.each([
  ["placed", 0, undefined],
  ["placed", 100, "partly_refunded"],
  ["placed", 3400, "refunded"],
  ["cancelled", 0, "cancelled"],
  ["taken_over", 0, "taken_over"],
])("an order that is %s with %d back says %s", (status, refunded_minor, said) => expect(orderState({ id: "o", at: "", currency: "CNY", paid_minor: 3400, status, refunded_minor })).toBe(said));
test.each([["2", 2], ["0.5", 0.5], ["24.00", 24], [null, undefined], ["many", undefined]])("the decimal %s is %s", (text, n) => expect(decimal(text)).toBe(n));

test("what is worth doing: what ends first, then what there is, then who one is", () => {
  const soon = new Date(T + 2 * 86_400_000).toISOString();
  const late = new Date(T + 60 * 86_400_000).toISOString();
  const whole = me({ offers: 2, attributes: {}, points: { shown: 9, expiries: [{ at: soon, points: 5 }] } });
  expect(things(whole, [coupon({ valid_until: late }), coupon({ id: "e", valid_until: soon })], T).map((one) => one.do)).toEqual(["ending", "expiring", "offers", "profile"]);
  expect(things(me({ points: { shown: 9, expiries: [{ at: late, points: 5 }] } }), [coupon({ valid_until: late }), coupon({ usable: false, valid_until: soon })], T)).toEqual([]);
  // What has ended by the phone's clock presses nobody.
  expect(things(me({}), [coupon({ valid_until: "2020-01-01T00:00:00Z" })], T)).toEqual([]);
});

test("money that waits comes first, whatever else is worth doing, and says how much more there is", () => {
  const sent = (payout: string, state: string): Payout => ({ payout, amount_minor: 10, currency: "CNY", remark: "r", state, at: "2026-03-10T00:00:00Z" });
  const found = things(me({ offers: 1 }), [], T, [sent("a", "received"), sent("b", "to_confirm"), sent("c", "to_confirm")]);
  expect(found.map((one) => one.do)).toEqual(["payout", "offers"]);
  expect(found[0]).toMatchObject({ payout: { payout: "b" }, others: 1 });
  expect(things(me({}), [], T, [sent("a", "over"), sent("b", "under_way")])).toEqual([]);
});

test("WeChat is asked in the merchant's app, under a provider in the merchant's of the provider", () => {
  expect(askOf({ mchid: "1", appid: "wx", package: "p", sub_mchid: null })).toEqual({ mchId: "1", appId: "wx", package: "p" });
  expect(askOf({ mchid: "1", appid: "wx", package: "p", sub_mchid: "2" })).toEqual({ mchId: "1", subMchId: "2", subAppId: "wx", package: "p" });
  expect(["ok", "cancel", "fail", "anything"].map((said) => outcomeOf({ err_msg: `requestMerchantTransfer:${said}` }))).toEqual(["ok", "cancel", "fail", "fail"]);
  expect(outcomeOf(undefined)).toBe("fail");
});
