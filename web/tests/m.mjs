// The members' pages in a real browser: every page at 390 and 320 px and in the largest type, in both languages, light and dark; axe, screenshots,
// what members do, and the network cut while they do it.
//
//   node m.mjs [HOME_ADDRESS --phone PHONE --code COMMAND [--story]] [--shots DIR] [--only WORD] [--dist]
//
// Without an address it is a home of the test's own that answers (m-home.mjs), before the pages as they were built last. With one it is that home, as its
// binary holds the pages (or as they lie here, with --dist), for PHONE; COMMAND is run by a shell after a code was asked for and prints the code. What only a home of the
// test's own can be made to do is left out then; with --story the member does what members do there, as m-stage.mjs made them. Needs a Chromium at $CHROMIUM or /usr/bin/chromium. Prints a line per check; exits 1 if one fails.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { serve } from "./h5-serve.mjs";
import { CODE, home as own, PHONES } from "./m-home.mjs";
import { checks, phones } from "./phone.mjs";

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const base = args[0]?.startsWith("--") ? undefined : args[0];
if (base !== undefined && (!URL.canParse(base) || !option("--phone") || !option("--code"))) {
  console.error("usage: node m.mjs [HOME_ADDRESS --phone PHONE --code COMMAND] [--shots DIR] [--only WORD] [--dist]");
  process.exit(2);
}
const shots = option("--shots");
const home = base ? undefined : own();
const served = home ? await serve({ before: home.before }) : args.includes("--dist") ? await serve({ home: base }) : undefined;
const origin = new URL(served?.address ?? base).origin;
const KEYS = ["brand", "nav", "door", "welcome", "home", "todo", "tier", "card", "coupons", "points", "mall", "claim", "draws", "orders", "payouts", "me", "profile", "consents", "seen", "data", "erase", "fault", "own", "of"];
const { browser, open: openPhone, sound } = await phones({ origin, shots, keys: KEYS });
const { check, run } = checks();
/** What only a home of the test's own can be made to do. */
const staged = (name, what) => (home ? check(name, what) : undefined);
const states = new Map();
const PHONE = base ? option("--phone") : PHONES.wang;
const code = () => (base ? execFileSync("/bin/sh", ["-c", option("--code")]).toString().trim() : CODE);

const open = ({ who, ...more } = {}) => openPhone({ state: states.get(who ?? PHONE), ...more });
const at = async (page, path) => {
  await page.goto(`${origin}/m/#${path}`);
  await page.waitForSelector("h1");
};
const ready = (page) => page.waitForFunction(() => document.querySelector("header.top h1, main.door h1") !== null && document.querySelector(".bone") === null);
const text = (page) => page.locator("main").innerText();
async function enter(page, phone, word = code()) {
  await page.fill("input[name=phone]", phone);
  await page.click("form button[type=submit]");
  await page.waitForSelector("input[name=code]");
  await page.fill("input[name=code]", word);
  await page.click("form button[type=submit]");
}
async function signIn(phone, lang = "zh") {
  const { context, page, close } = await openPhone({ lang, expects: ["401"] });
  await at(page, "/");
  await page.fill("input[name=phone]", phone);
  await page.click("form button[type=submit]");
  await page.waitForSelector("input[name=code]");
  await page.fill("input[name=code]", code());
  await page.click("form button[type=submit]");
  await page.waitForSelector("nav.bar, main.door input[type=checkbox]");
  if ((await page.locator("nav.bar").count()) === 0) {
    await page.click(".button.go");
    await page.waitForSelector("nav.bar");
  }
  states.set(phone, await context.storageState());
  await close();
}

check("a member signs in", () => signIn(PHONE), { needed: true });
if (home) check("a member with whatever is long signs in", () => signIn(PHONES.long), { needed: true });

const PAGES = [
  ["home", "/"],
  ["tier", "/tier"],
  ["card", "/card"],
  ["coupons", "/coupons"],
  ["coupons-gone", "/coupons/gone"],
  ["points", "/points"],
  ["points-history", "/points/history"],
  ["draws", "/draws"],
  ["orders", "/orders"],
  ["payouts", "/payouts"],
  ["me", "/me"],
  ["profile", "/me/profile"],
  ["consents", "/me/consents"],
  ["seen", "/me/seen"],
  ["data", "/me/data"],
  ["erase", "/me/erase"],
];
for (const [lang, light, width] of [["zh", "light", 390], ["en", "dark", 390], ["zh", "dark", 320], ["en", "light", 320]]) {
  check(`every page, ${lang}, ${light}, ${width} px`, async () => {
    const { page, close } = await open({ lang, light, width });
    for (const [name, path] of PAGES) {
      await at(page, path);
      await ready(page);
      // The card is one press away from everywhere.
      if (path !== "/card") assert.equal(await page.locator("a[href='#/card']").count() > 0, true, `no way to the card from ${path}`);
      assert.ok((await page.locator(".button.go").count()) <= 1, `${path} has one primary button at most`);
      assert.ok((await page.locator("nav.bar a").count()) <= 4);
      await sound(page, `m-${name}-${lang}-${width}`, { whole: true });
    }
    await close();
  });
}

/** As WebViews do it whose owner wants large type: each size as it is, times so much. */
const enlarge = (page, by) =>
  page.evaluate((times) => {
    const all = [...document.querySelectorAll("body, body *")].map((one) => [one, Number.parseFloat(getComputedStyle(one).fontSize), getComputedStyle(one).lineHeight]);
    for (const [one, size, height] of all) {
      one.style.fontSize = `${size * times}px`;
      if (height.endsWith("px")) one.style.lineHeight = `${Number.parseFloat(height) * times}px`;
    }
  }, by);
/** What a member does before a real home (m-stage.mjs). */
const real = (name, what) => (base && args.includes("--story") ? check(name, what) : undefined);
real("before a real home: the card is shown, points are spent on a coupon once, and it is there to be scanned", async () => {
  const { page, close } = await open();
  await at(page, "/card");
  await page.waitForSelector("main svg");
  await at(page, "/points");
  await ready(page);
  const asked = () => page.evaluate(async () => (await (await fetch("/v1/me")).json()).points.shown);
  const before = await asked();
  await page.locator(".stall li", { hasText: "布袋" }).locator("button").click();
  await page.waitForSelector("dialog[open]");
  await page.click("dialog .go");
  await page.waitForSelector("dialog .number");
  await sound(page, "m-real-claimed-zh");
  assert.equal(await asked(), before - 100, "its price, once");
  await at(page, "/coupons");
  await ready(page);
  assert.match(await text(page), /布袋/);
  await at(page, "/orders");
  await ready(page);
  assert.ok((await page.locator("main li").count()) > 0, "a year of orders");
  await close();
});
real("before a real home: a profile is saved, and a yes is given and taken back", async () => {
  const { page, close } = await open();
  await at(page, "/me/profile");
  await page.waitForSelector("input[name=city]");
  await page.fill("input[name=city]", (await page.inputValue("input[name=city]")) === "杭州" ? "宁波" : "杭州");
  await page.click("form .go");
  await page.waitForSelector(".note.good");
  await at(page, "/me/consents");
  await page.waitForSelector("[role=switch]");
  const first = page.locator("section[aria-label=营销] [role=switch]").first();
  const was = (await first.getAttribute("aria-checked")) === "true";
  const told = () => page.evaluate(async () => (await (await fetch("/v1/me/consents")).json()).purposes.find((one) => one.purpose === "marketing").channels[0].allowed);
  for (const next of [!was, was]) {
    await first.click();
    await page.waitForFunction((next) => document.querySelector("section[aria-label=营销] [role=switch]").getAttribute("aria-checked") === String(next), next);
    await page.waitForSelector("section[aria-label=营销] [role=switch]:not([disabled])");
    assert.equal(await told(), next, "the home has it");
  }
  await close();
});
check("at 320 px in the largest type nothing is cut, and nothing is out of reach", async () => {
  const { page, close } = await open({ who: home ? PHONES.long : PHONE, width: 320 });
  for (const [name, path] of PAGES) {
    await at(page, path);
    await ready(page);
    await sound(page, home ? `m-${name}-long-320` : undefined, { whole: true });
    await enlarge(page, 1.6);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (shots) await page.screenshot({ path: `${shots}/m-${name}-large-320.png`, fullPage: true });
    assert.ok(wide <= 0, `${path} is ${wide} px wider than the window`);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll("main *:not(input), nav.bar *")].filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 && getComputedStyle(one).display !== "inline").map((one) => `${one.outerHTML.slice(0, 100)} ${one.scrollWidth} > ${one.clientWidth}`),
    );
    assert.deepEqual(cut, [], `${path}: cut or out of its box`);
    await page.reload();
  }
  await close();
});

staged("the door tells what is wrong, waits before it sends again, and keeps where somebody came from", async () => {
  const { page, close } = await openPhone({ expects: ["401", "422", "429"] });
  await page.goto(`${origin}/m/?t=flyer-330`);
  await page.waitForSelector("input[name=phone]");
  await sound(page, "m-door-zh");
  await page.fill("input[name=phone]", "12345");
  await page.click("form button[type=submit]");
  await page.waitForSelector(".fault");
  await sound(page, "m-door-malformed-zh");
  await page.fill("input[name=phone]", "13911119999");
  await page.click("form button[type=submit]");
  await page.waitForSelector(".fault");
  assert.match(await text(page), /40 秒后再试/);
  // It loads anew meanwhile: by what touchpoint they came is still known.
  await page.goto(`${origin}/m/`);
  await page.waitForSelector("input[name=phone]");
  await enter(page, PHONES.fresh, "111111");
  await page.waitForSelector(".fault");
  assert.match(await text(page), /验证码不对/);
  assert.match(await text(page), /\d+ 秒后可重新发送/);
  await sound(page, "m-door-code-zh");
  await page.fill("input[name=code]", "000000");
  await page.click("form button[type=submit]");
  await page.waitForFunction(() => /验证码已过期/.test(document.querySelector(".fault")?.innerText ?? ""));
  await page.fill("input[name=code]", CODE);
  await page.click("form button[type=submit]");
  // Whoever is new is asked, and nothing is ticked.
  await page.waitForSelector("input[type=checkbox]");
  assert.equal(await page.locator("input[type=checkbox]:checked").count(), 0);
  await page.click("summary");
  await sound(page, "m-welcome-zh");
  assert.equal(home.state.told.at(-1).body.touchpoint, "flyer-330");
  const told = home.state.told.length;
  await page.check("input[name=marketing]");
  await page.click(".button.go");
  await page.waitForSelector("nav.bar");
  const said = home.state.told.slice(told).filter(({ path }) => path === "/consents");
  assert.deepEqual(said.map(({ body }) => body), [{ purpose: "marketing", given: true }]);
  assert.equal(await page.evaluate(() => localStorage.getItem("zhiyin.m.touchpoint")), null);
  states.set(PHONES.fresh, await page.context().storageState());
  // What is empty says what will be there, and where to begin.
  for (const [name, path] of PAGES) {
    await at(page, path);
    await ready(page);
    await sound(page, `m-${name}-new-zh`, { whole: true });
  }
  // It is asked once.
  await page.reload();
  await page.waitForSelector("nav.bar");
  await close();
});

staged("the door in English, where WeChat is a way in, inside WeChat and out of it", async () => {
  home.state.wechat = true;
  for (const [name, userAgent] of [["wechat", "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36 MicroMessenger/8.0.50"], ["browser", undefined]]) {
    const { page, close } = await openPhone({ lang: "en", light: "dark", expects: ["401"], ...(userAgent ? { userAgent } : {}) });
    await page.goto(`${origin}/m/?t=poster-1`);
    await page.waitForSelector("a.button");
    await sound(page, `m-door-${name}-en-dark`);
    assert.equal(await page.locator("a.button").getAttribute("href"), `${origin}/v1/me/wechat?t=poster-1`);
    assert.equal(await page.locator("form").count(), userAgent ? 0 : 1);
    if (userAgent) {
      await page.click("button.wide");
      await page.waitForSelector("form");
    }
    await close();
  }
  home.state.wechat = false;
});

staged("the code is renewed each minute; without a network the last one is good until it lapses, which is said; with it a new one comes", async () => {
  const { context, page, close } = await open({ expects: ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"] });
  await page.clock.install();
  await at(page, "/card");
  await page.waitForSelector("svg.qr");
  const first = home.state.passes;
  const drawn = () => page.locator("svg.qr path").getAttribute("d");
  const before = await drawn();
  await page.clock.runFor(20_000);
  assert.match(await text(page), /(39|40) 秒后自动更新/);
  assert.equal(home.state.passes, first);
  await page.clock.runFor(41_000);
  await page.waitForFunction((path) => document.querySelector("svg.qr path").getAttribute("d") !== path, before);
  assert.equal(home.state.passes, first + 1);
  await context.setOffline(true);
  await page.clock.runFor(62_000);
  await page.waitForSelector(".note.gold");
  assert.match(await text(page), /这个码还能用 1:5\d/);
  await sound(page, "m-card-late-zh");
  await page.clock.runFor(121_000);
  await page.waitForSelector(".lapsed");
  assert.equal(await page.locator("svg.qr").count(), 0);
  assert.match(await text(page), /这个码已失效[\s\S]*告诉店员您的手机号 139\*{4}0001，或卡号 6003/);
  await sound(page, "m-card-lapsed-zh");
  await context.setOffline(false);
  await page.clock.runFor(6_000);
  await page.waitForSelector("svg.qr");
  await close();
});

staged("the page opens without a network, with the card as it was", async () => {
  const { context, page, close } = await open({ lang: "en", expects: ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"] });
  await at(page, "/card");
  await page.waitForSelector("svg.qr");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await page.waitForSelector("svg.qr");
  const before = await page.locator("svg.qr path").getAttribute("d");
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector("svg.qr");
  assert.equal(await page.locator("svg.qr path").getAttribute("d"), before);
  await page.waitForSelector(".off");
  await sound(page, "m-card-offline-en");
  await page.click("nav.bar a[href='#/']");
  await page.waitForSelector(".hero");
  await page.waitForSelector(".stale, .note.bad");
  await sound(page, "m-home-offline-en");
  await context.setOffline(false);
  await close();
});

staged("a claim is confirmed, and one whose answer was lost is asked for again under the same key, also after the page was loaded anew", async () => {
  const { page, close } = await open({ expects: ["ERR_", "Failed to load"] });
  await at(page, "/points");
  await ready(page);
  const booked = home.state.booked;
  const keys = [];
  let lose = true;
  await page.route("**/v1/me/claims", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (!lose) return route.continue();
    lose = false;
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.locator(".stall li", { hasText: "帆布袋" }).locator("button").click();
  await page.waitForSelector("dialog[open]");
  assert.match(await page.locator("dialog").innerText(), /800 积分[\s\S]*460 积分/);
  await sound(page, "m-claim-zh");
  await page.click("dialog .go");
  await page.waitForSelector("dialog .note.gold");
  await sound(page, "m-claim-lost-zh");
  await page.reload();
  await ready(page);
  await page.locator(".stall li", { hasText: "帆布袋" }).locator("button").click();
  await page.click("dialog .go");
  await page.waitForSelector("dialog .number");
  await sound(page, "m-claim-done-zh");
  assert.deepEqual([keys.length, keys[0] === keys[1], home.state.booked - booked], [2, true, 1]);
  // Closed, the page knows of it.
  await page.locator("dialog .button", { hasText: "关闭" }).click();
  await page.waitForFunction(() => document.querySelector(".big.gold").innerText === "460");
  assert.equal(await page.locator(".stall li", { hasText: "帆布袋" }).locator("button").count(), 0);
  await close();
});

staged("what was refused says why, and that nothing was taken", async () => {
  home.state.sold_out = true;
  const { page, close } = await open({ lang: "en", expects: ["409"] });
  await at(page, "/draws");
  await ready(page);
  await page.locator(".stall li button").first().click();
  await page.click("dialog .go");
  await page.waitForSelector("dialog .note.bad");
  assert.match(await page.locator("dialog").innerText(), /The last one just went\. No points were taken/);
  await sound(page, "m-claim-refused-en");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("dialog") === null);
  home.state.sold_out = false;
  await close();
});

staged("a coupon shows its code; one that cannot be used says why; one that is not there leads on", async () => {
  const { page, close } = await open({});
  await at(page, "/coupons/c1");
  await page.waitForSelector("svg.qr");
  assert.match(await text(page), /7H3K-0QWE-9RTY-4ZXC/);
  await sound(page, "m-coupon-zh");
  await at(page, "/coupons/c3");
  await page.waitForSelector("svg.qr");
  await page.locator("button", { hasText: "复制兑换码" }).click();
  await page.waitForFunction(() => /已复制/.test(document.querySelector("main").innerText));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "XK-2291-7734");
  await sound(page, "m-coupon-partner-zh");
  await at(page, "/coupons/c5");
  await page.waitForSelector(".pass .note.gold");
  assert.equal(await page.locator("svg.qr").count(), 0);
  await sound(page, "m-coupon-locked-zh");
  await at(page, "/coupons/nothing");
  await page.waitForSelector(".none");
  await sound(page, "m-coupon-missing-zh");
  await close();
});

staged("money that was sent stands first on the home page and is confirmed on WeChat's own page, once; outside of WeChat the way there is told", async () => {
  const outside = await open();
  await at(outside.page, "/");
  await ready(outside.page);
  await outside.page.waitForSelector("a[href='#/payouts']");
  const first = outside.page.locator(".leads li").first();
  assert.match(await first.innerText(), /¥88\.00 等您确认收款：老带新奖励/);
  assert.match(await first.innerText(), /另有 1 笔/);
  await sound(outside.page, "m-home-payout-zh", { whole: true });
  await first.locator("a").click();
  await ready(outside.page);
  await outside.page.waitForFunction(() => /要在微信里确认/.test(document.querySelector("main").innerText));
  assert.equal(await outside.page.locator("main button", { hasText: "确认收款" }).count(), 0, "there is nothing to press outside of WeChat");
  await outside.page.locator("button", { hasText: "复制地址" }).click();
  await outside.page.waitForSelector("text=已复制");
  assert.match(await outside.page.evaluate(() => navigator.clipboard.readText()), /\/m\/#\/payouts$/);
  await outside.close();
  const { context, page, close } = await open({ userAgent: "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0.50" });
  await context.addInitScript(() => {
    window.asked = [];
    window.says = "cancel";
    window.WeixinJSBridge = { invoke: (name, ask, then) => void (window.asked.push([name, ask]), queueMicrotask(() => then({ err_msg: `${name}:${window.says}` }))) };
  });
  await at(page, "/payouts");
  await ready(page);
  const says = (word) => page.evaluate((next) => void (window.says = next), word);
  const press = () => page.locator("main .button.go").click();
  await press();
  await page.waitForSelector("main .note.gold");
  assert.match(await text(page), /还没有确认/);
  await says("fail");
  await press();
  await page.waitForSelector("main .note.bad");
  await sound(page, "m-payouts-fail-zh", { whole: true });
  await says("ok");
  await press();
  await page.waitForSelector("main .note.good");
  assert.match(await page.locator("main section.card").first().innerText(), /稍后到账/);
  assert.equal(await page.locator("main section.card").first().locator("button").count(), 0, "it is not asked for once more");
  await sound(page, "m-payouts-ok-zh", { whole: true });
  // One of a provider's merchant.
  await press();
  await page.waitForFunction(() => window.asked.length === 4);
  const own = { mchId: "1900000001", appId: "wx1a2b3c4d5e6f7081", package: "package-1" };
  assert.deepEqual(await page.evaluate(() => window.asked), [
    ...[1, 2, 3].map(() => ["requestMerchantTransfer", own]),
    ["requestMerchantTransfer", { mchId: "1900000009", subMchId: "1900000010", subAppId: "wx1a2b3c4d5e6f7081", package: "package-2" }],
  ]);
  for (const one of home.state.people.get(PHONES.wang).payouts.slice(0, 2)) Object.assign(one, { state: "received", confirm: null });
  await page.reload();
  await page.waitForFunction(() => (document.querySelector("main").innerText.match(/已到账/g) ?? []).length === 3);
  await close();
});
staged("lists go on, and what is in an order can be seen", async () => {
  const { page, close } = await open({});
  await at(page, "/points/history");
  await page.waitForSelector(".history li");
  const first = await page.locator(".history li").count();
  await page.locator("button", { hasText: "再看一些" }).click();
  await page.waitForFunction((n) => document.querySelectorAll(".history li").length > n, first);
  assert.equal(await page.locator(".history li").count(), 30);
  assert.equal(await page.locator("button", { hasText: "再看一些" }).count(), 0);
  await at(page, "/orders");
  await page.waitForSelector(".order");
  await page.locator(".order summary").first().click();
  await sound(page, "m-order-open-zh");
  // By the names that the home knows: of a store, of a product; what it does not know stays a code.
  const orders = await page.locator("main").innerText();
  assert.match(orders, /南京东路店[\s\S]*门店 330/);
  assert.match(await page.locator(".order").first().innerText(), /海盐苏打饼干/);
  await at(page, "/tier");
  await page.waitForSelector(".benefits");
  const tiers = await page.locator("main").innerText();
  assert.match(tiers, /您现在享有\s+周三会员日，满 68 减 8[\s\S]*金卡[\s\S]*包邮/);
  assert.equal(tiers.split("满 68 减 8").length, 2, "what one has is said once");
  await close();
});

staged("a profile is saved; what is wrong is told at its field", async () => {
  const { page, close } = await open({ expects: ["422"] });
  await at(page, "/me/profile");
  await page.waitForSelector("input[name=city]");
  await page.fill("input[name=city]", "?");
  await page.click("form .go");
  await page.waitForSelector("[aria-invalid=true]");
  await sound(page, "m-profile-wrong-zh");
  await page.fill("input[name=city]", "杭州");
  await page.fill("input[name=birthday]", "1990-05-20");
  await page.click("form .go");
  await page.waitForSelector(".note.good");
  await sound(page, "m-profile-saved-zh");
  const { body } = home.state.told.at(-1);
  assert.deepEqual(body, { attributes: { birthday: "1990-05-20", city: "杭州" } });
  await close();
});

staged("consent is given and taken back channel by channel, and all at once", async () => {
  const { page, close } = await open({ lang: "en" });
  await at(page, "/me/consents");
  await page.waitForSelector("[role=switch]");
  const on = () => page.locator("section[aria-label=Marketing] [aria-checked=true]").count();
  assert.equal(await on(), 0);
  for (const n of [0, 1]) {
    await page.locator("section[aria-label=Marketing] [role=switch]").nth(n).click();
    await page.waitForFunction((n) => document.querySelectorAll("section[aria-label=Marketing] [aria-checked=true]").length === n + 1, n);
  }
  await page.waitForSelector("section[aria-label=Marketing] .button.small:not([disabled])");
  await sound(page, "m-consents-some-en");
  await page.click("section[aria-label=Marketing] .button.small");
  await page.waitForFunction(() => document.querySelectorAll("section[aria-label=Marketing] [aria-checked=true]").length === 0);
  assert.deepEqual(home.state.told.slice(-3).map(({ body }) => body), [{ purpose: "marketing", channel: "inbox", given: true }, { purpose: "marketing", channel: "sms", given: true }, { purpose: "marketing", given: false }]);
  await close();
});

staged("one's data are a file", async () => {
  const { page, close } = await open({});
  await at(page, "/me/data");
  await page.locator("button", { hasText: "生成文件" }).click();
  await page.waitForSelector("a[download]");
  await sound(page, "m-data-ready-zh");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("a[download]")]);
  assert.match(download.suggestedFilename(), /^my-data-\d{4}-\d\d-\d\d\.json$/);
  assert.equal(JSON.parse(readFileSync(await download.path(), "utf8")).member.id, "m-wang");
  await close();
});

staged("a home that neither exports nor erases says where to turn", async () => {
  home.state.unsealed = true;
  const { page, close } = await open({ expects: ["409"] });
  await at(page, "/me/data");
  await page.locator("button", { hasText: "生成文件" }).click();
  await page.waitForSelector(".note.gold");
  await sound(page, "m-data-unsealed-zh");
  home.state.unsealed = false;
  await close();
});

staged("erasing asks for a code where the last is long ago, takes no other phone, and then there is nothing left on the phone", async () => {
  home.state.fresh_ms = -1000;
  const { page, close } = await open({ who: PHONES.fresh, expects: ["403", "401"] });
  await at(page, "/me/erase");
  await page.waitForSelector("input[name=sure]");
  assert.equal(await page.locator(".button.danger").count(), 0);
  await page.check("input[name=sure]");
  await page.waitForSelector("input[name=phone]");
  await page.fill("input[name=phone]", "13911110003");
  await page.click("form button[type=submit]");
  await page.waitForSelector(".fault");
  assert.match(await text(page), /这不是您登记的手机号/);
  await sound(page, "m-erase-other-zh", { whole: true });
  home.state.fresh_ms = 300_000;
  await page.fill("input[name=phone]", PHONES.fresh);
  await page.click("form button[type=submit]");
  await page.waitForSelector("input[name=code]");
  await page.fill("input[name=code]", CODE);
  await sound(page, "m-erase-code-zh", { whole: true });
  await page.click("form .danger");
  await page.waitForFunction(() => document.querySelector("h1").innerText === "已经删除");
  await sound(page, "m-erased-zh");
  assert.equal(home.state.people.has(PHONES.fresh), false);
  const kept = await page.evaluate(() => Object.keys(localStorage).sort());
  assert.deepEqual(kept, ["zhiyin.language", "zhiyin.m.door"]);
  await page.click("button.wide");
  await page.waitForSelector("input[name=phone]");
  await close();
});

staged("what is being read is shown as such; what cannot be read is said, and tried again; what was read before stays with its time", async () => {
  const { page, close } = await open({ expects: ["503", "ERR_", "Failed to load"] });
  let answer;
  const held = new Promise((done) => (answer = done));
  await page.route("**/v1/me/orders", async (route) => {
    await held;
    await route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ status: 503, code: "took_too_long", title: "超时" }) });
  });
  await at(page, "/orders");
  await page.waitForSelector(".bones");
  if (shots) await page.screenshot({ path: `${shots}/m-orders-reading-zh.png` });
  answer();
  await page.waitForSelector(".note.bad button");
  await sound(page, "m-orders-fault-zh");
  await page.unroute("**/v1/me/orders");
  await page.click(".note.bad button");
  await page.waitForSelector(".order");
  await page.click("nav.bar a[href='#/me']");
  await ready(page);
  await page.route("**/v1/me/orders", (route) => route.abort("connectionreset"));
  await page.click("a[href='#/orders']");
  await page.waitForSelector(".stale");
  assert.ok((await page.locator(".order").count()) > 0);
  await sound(page, "m-orders-stale-zh");
  await close();
});

staged("a home that knows less still has its pages: what may be missing is missing", async () => {
  const { page, close } = await open({ lang: "en" });
  const bare = { "/door": { ways: ["phone"] }, "": { id: "m-wang", points: { shown: 3 }, coupons: 0, offers: 0 }, "/coupons": {}, "/offers": {}, "/points": {}, "/orders": {}, "/payouts": {}, "/draws": {}, "/consents": {}, "/seen": {} };
  for (const [path, body] of Object.entries(bare)) await page.route((url) => url.pathname === `/v1/me${path}`, (route) => (route.request().method() === "GET" ? route.fulfill({ json: body }) : route.continue()));
  for (const [name, path] of PAGES) {
    await at(page, path);
    await ready(page);
    await sound(page, ["home", "card"].includes(name) ? `m-${name}-bare-en` : undefined);
  }
  await close();
});

staged("language and appearance are one's own; signed out, or signed out elsewhere, nothing of a member stays on the phone", async () => {
  const { context, page, close } = await open({ expects: ["401"] });
  await at(page, "/me");
  await ready(page);
  await page.click("button[lang='en']");
  await page.waitForFunction(() => document.querySelector("h1").innerText === "Me");
  await page.locator("button", { hasText: "Dark" }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.light), "dark");
  await page.waitForFunction(() => !(localStorage.getItem("zhiyin.keys") ?? "").includes("language"));
  assert.deepEqual(home.state.told.at(-1).body, { attributes: { language: "en" } });
  await page.locator("button", { hasText: "Sign out" }).first().click();
  await page.waitForSelector("input[name=phone]");
  const left = () => page.evaluate(() => Object.keys(localStorage).filter((name) => /^zhiyin\.(m\.(me|pass|session)|keys)/.test(name)));
  assert.deepEqual(await left(), []);
  await enter(page, PHONES.wang);
  await page.waitForSelector("nav.bar");
  await context.clearCookies();
  await page.evaluate(() => (location.hash = "/coupons"));
  await page.waitForSelector("input[name=phone]");
  assert.deepEqual(await left(), []);
  // Signed in again, they are where they were.
  await enter(page, PHONES.wang);
  await page.waitForFunction(() => document.querySelector("h1")?.innerText === "Coupons");
  await close();
});

const failed = await run(option("--only"));
await browser.close();
served?.end();
process.exitCode = failed === 0 ? 0 : 1;
