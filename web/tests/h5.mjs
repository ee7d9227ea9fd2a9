// The phones of a store's people in a real browser, before a real home: the till and the advisor's app at 390 × 844, in both languages, light and
// dark; axe, screenshots, what people do, and the network cut while they do it.
//
//   node h5.mjs HOME_ADDRESS OWNER_KEY [--shots DIR] [--only WORD] [--dist]
//
// With --dist the apps are served here, as they were built last, and not as the home's binary holds them. Needs a Chromium at $CHROMIUM or
// /usr/bin/chromium. Prints a line per check; exits 1 if one fails.

import assert from "node:assert/strict";
import { join } from "node:path";
import { serve } from "./h5-serve.mjs";
import { asker, PASSWORD, PEOPLE, stage } from "./h5-stage.mjs";
import { checks, phones } from "./phone.mjs";

const [base, key, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const shots = option("--shots");
const only = option("--only");
if (!base || !URL.canParse(base) || !key) {
  console.error("usage: node h5.mjs HOME_ADDRESS OWNER_KEY [--shots DIR] [--only WORD] [--dist]");
  process.exit(2);
}
const ids = await stage(base, key);
const served = rest.includes("--dist") ? await serve({ home: base }) : undefined;
const origin = new URL(served?.address ?? base).origin;
const owner = asker(base, key);
const KEYS = ["find", "cart", "enrol", "refund", "wait", "own", "done", "nav", "door", "fault", "today", "member", "scripts", "figures", "of"];
const { browser, open: openPhone, sound } = await phones({ origin, shots, keys: KEYS });
const { check, run } = checks();
const states = new Map();
const open = ({ who = "cashier", signed = true, ...more } = {}) => openPhone({ state: signed ? states.get(who) : undefined, ...more });

async function signIn(app, who, lang = "zh") {
  const { context, page, close } = await open({ who, lang, signed: false, expects: ["401"] });
  await page.goto(`${origin}/${app}/`);
  await page.waitForSelector("form");
  await sound(page, `${app}-door-${lang}`);
  await page.fill("input[name=username]", PEOPLE[who].name);
  await page.fill("input[name=password]", "not this one");
  await page.click("button[type=submit]");
  await page.waitForSelector(".fault");
  await sound(page);
  await page.fill("input[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForSelector("nav.bar");
  states.set(who, await context.storageState());
  await close();
}
const PHONE = "13911110001";
const find = async (page, phone = PHONE) => {
  await page.fill("input[name=who]", phone);
  await page.click("form button[type=submit]");
};
const total = (page) => page.locator(".total").innerText();
const priced = (page) => page.waitForSelector(".pay .go:not([disabled])");
const cents = (text) => Math.round(Number(text.replaceAll(/[^\d.]/g, "")) * 100);

check("a cashier signs in, and a wrong password is told", () => signIn("pos", "cashier"), { needed: true });
check("a manager signs in, in English", () => signIn("pos", "manager", "en"), { needed: true });

check("find, an amount, take the money: three presses, booked once, with what would apply for a little more", async () => {
  const { page, close } = await open();
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await sound(page, "pos-find-zh");
  await find(page);
  await page.waitForSelector(".quick");
  assert.match(await page.locator("main").innerText(), /王＊/);
  await sound(page, "pos-cart-empty-zh");
  await page.locator(".quick button").nth(2).click();
  await page.locator(".quick button").nth(1).click();
  await priced(page);
  await page.waitForSelector(".near");
  assert.match(await page.locator(".near").first().innerText(), /再买 \$30\.00 可用/);
  await sound(page, "pos-cart-near-zh");
  await page.locator(".quick button").nth(2).click();
  await page.waitForFunction(() => /满100减5|满58减8/.test(document.querySelector(".offers")?.innerText ?? "") && document.querySelector(".pay .go:not([disabled])"));
  await sound(page, "pos-cart-priced-zh");
  const due = cents(await total(page));
  assert.ok(due > 0 && due < 12000, `${due}`);
  await page.click(".pay .go");
  await page.waitForSelector(".number");
  await sound(page, "pos-done-zh");
  const number = await page.locator(".number").innerText();
  const checkout = await owner("GET", `/v1/checkout?checkout=${number}`);
  assert.deepEqual([checkout.state, checkout.total], ["redeemed", due]);
  // What was bought comes back, a piece at first, then the rest.
  await page.click("nav.bar a[href='#/refund']");
  await page.waitForSelector("input[name=checkout]");
  await sound(page, "pos-refund-zh");
  await page.locator(".list button.line").first().click();
  await page.waitForSelector(".danger");
  await page.locator(".card .row .row button").nth(1).click();
  await sound(page, "pos-refund-lines-zh");
  await page.click(".danger");
  await page.waitForSelector(".gave");
  await page.locator("button.wide", { hasText: "全部退" }).click();
  await page.click(".danger");
  await page.waitForFunction(() => /已全部退完/.test(document.querySelector("main").innerText));
  await sound(page, "pos-refund-done-zh");
  const after = await owner("GET", `/v1/checkout?checkout=${number}`);
  assert.deepEqual([after.state, after.refunded], ["returned", due]);
  await close();
});

check("a refund: the sale is found by its number, pieces are chosen, the money is told; what came back meanwhile is refused on another phone", async () => {
  const { page, close } = await open();
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await find(page, "13911110002");
  await page.waitForSelector(".quick");
  await page.fill("input[name=product]", "mug");
  await page.fill("input[name=price]", "12.50");
  await page.click(".add button[type=submit]");
  await page.getByRole("button", { name: /mug/ }).last().click();
  await priced(page);
  const due = cents(await total(page));
  assert.equal(due, 2500, "two mugs");
  await page.click(".pay .go");
  await page.waitForSelector(".number");
  const number = await page.locator(".number").innerText();
  // A second phone has the sale open before anything of it came back. It did not sell it, so it finds it by its number.
  const other = await open({ lang: "en", expects: ["409", "422"] });
  const opens = async (on) => {
    await on.goto(`${origin}/pos/#/refund`);
    await on.fill("input[name=checkout]", number);
    await on.click("form button[type=submit]");
    await on.waitForSelector(".danger");
  };
  await opens(other.page);
  await other.page.locator("button.wide", { hasText: "All of it" }).click();
  await opens(page);
  // Nothing is chosen yet, so nothing can be given back; one of two, then no more than two.
  assert.equal(await page.locator(".danger").isDisabled(), true);
  const more = page.locator(".card .row .row button").nth(1);
  await more.click();
  assert.match(await page.locator(".card").innerText(), /mug/);
  await page.click(".danger");
  await page.waitForSelector(".gave");
  assert.match(await page.locator(".gave").innerText(), /12\.50/);
  await page.waitForFunction(() => /可退 1/.test(document.querySelector("main").innerText));
  const half = await owner("GET", `/v1/checkout?checkout=${number}`);
  assert.deepEqual([half.state, half.refunded], ["redeemed", 1250]);
  // The other phone still says two: what it asks for is refused in words, and nothing more came back.
  await other.page.click(".danger");
  await other.page.waitForSelector("[role=alert]");
  await sound(other.page, "pos-refund-refused-en");
  assert.equal((await owner("GET", `/v1/checkout?checkout=${number}`)).refunded, 1250);
  await other.close();
  await more.click();
  assert.equal(await more.isDisabled(), true, "one is left");
  await page.click(".danger");
  await page.waitForFunction(() => /已全部退完/.test(document.querySelector("main").innerText));
  assert.equal(await page.locator(".danger").count(), 0);
  const after = await owner("GET", `/v1/checkout?checkout=${number}`);
  assert.deepEqual([after.state, after.refunded], ["returned", 2500]);
  await close();
});

check("somebody new is enrolled with their consent, and their cart begins", async () => {
  const { page, close } = await open({ lang: "en", light: "dark", expects: ["/v1/commands/members/lookup", "/v1/commands/consents/set"] });
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  const phone = `139${String(Date.now()).slice(-8)}`;
  await find(page, phone);
  await page.waitForSelector(".none");
  await sound(page, "pos-none-en-dark");
  await page.click(".none button");
  await page.waitForSelector("input[name=phone]");
  assert.equal(await page.inputValue("input[name=phone]"), phone);
  await page.fill("input[name=name]", "Ada Lin");
  await page.check("input[type=checkbox]");
  await sound(page, "pos-enrol-en-dark");
  await page.click("form button[type=submit]");
  // Which text they agreed to is asked once, and kept.
  await page.fill("input[name=version]", "2026-01");
  await sound(page, "pos-enrol-version-en-dark");
  await page.click("form button[type=submit]");
  await page.waitForSelector(".quick");
  const { id } = await owner("POST", "/v1/commands/members/lookup", { member: { namespace: "phone", value: phone } });
  const whole = await owner("GET", `/v1/members/${id}`);
  assert.ok(whole.consents_said.some((one) => one.purpose === "marketing" && one.given), JSON.stringify(whole.consents_said));
  await page.fill("input[name=product]", "towel");
  await page.fill("input[name=price]", "34.00");
  await page.click(".add button[type=submit]");
  await priced(page);
  assert.equal(cents(await total(page)), 3400);
  await sound(page, "pos-cart-en-dark");
  await close();
});

check("with the network cut a sale is kept, the page opens all the same, and it is booked once when the network is back", async () => {
  const { context, page, close } = await open({ expects: ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"] });
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await page.waitForFunction(() => localStorage.getItem("zhiyin.pos.ready") !== null);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector(".off");
  await find(page, "13911110002");
  await page.waitForSelector(".note.gold button");
  await sound(page, "pos-offline-find-zh");
  await page.click(".note.gold button");
  await page.waitForSelector(".quick");
  await page.locator(".quick button").nth(2).click();
  await page.waitForSelector(".pay .note.gold");
  await sound(page, "pos-offline-cart-zh");
  assert.equal(cents(await total(page)), 5000);
  await page.click(".pay .go");
  await page.waitForSelector(".number");
  const number = await page.locator(".number").innerText();
  await sound(page, "pos-offline-kept-zh");
  await page.click("nav.bar a[href='#/waiting']");
  await page.waitForFunction((name) => document.querySelector("main").innerText.includes(name), number);
  await page.waitForFunction(() => document.querySelector(".off").innerText.includes("离线，1 笔待传"));
  await sound(page, "pos-waiting-zh");
  await assert.rejects(owner("GET", `/v1/checkout?checkout=${number}`), /404/);
  // It stays when the page is loaded anew.
  await page.reload();
  await page.waitForFunction((name) => document.querySelector("main").innerText.includes(name), number);
  await context.setOffline(false);
  await page.waitForFunction(() => document.querySelector(".off") === null && document.querySelector(".none") !== null);
  const checkout = await owner("GET", `/v1/checkout?checkout=${number}`);
  assert.deepEqual([checkout.state, checkout.total, checkout.list], ["redeemed", 5000, 5000]);
  assert.match(checkout.lease, /^pos-/);
  await close();
});

check("somebody enrolled without a network, and what they bought at once, is sent in that order; what is refused stays to be seen", async () => {
  const { context, page, close } = await open({ lang: "en", expects: ["ERR_INTERNET_DISCONNECTED", "Failed to fetch", "/v1/commands/consents/set"] });
  await page.goto(`${origin}/pos/#/enrol`);
  await page.waitForSelector("input[name=phone]");
  await page.waitForFunction(() => localStorage.getItem("zhiyin.pos.ready") !== null);
  await context.setOffline(true);
  const phone = `137${String(Date.now()).slice(-8)}`;
  await page.fill("input[name=phone]", phone);
  // To no text that the home knows: that one is refused.
  await page.check("input[type=checkbox]");
  await page.click("form button[type=submit]");
  await page.waitForSelector(".quick");
  await page.locator(".quick button").nth(0).click();
  await page.waitForSelector(".pay .note.gold");
  await page.click(".pay .go");
  await page.waitForSelector(".number");
  const number = await page.locator(".number").innerText();
  await page.waitForFunction(() => document.querySelector(".off").innerText.includes("3 waiting"));
  await context.setOffline(false);
  await page.click("nav.bar a[href='#/waiting']");
  await page.waitForSelector(".pill.bad");
  await page.waitForFunction(() => document.querySelector(".off") === null && document.querySelectorAll("main li").length === 1);
  await sound(page, "pos-refused-en");
  const { id } = await owner("POST", "/v1/commands/members/lookup", { member: { namespace: "phone", value: phone } });
  assert.equal((await owner("GET", `/v1/checkout?checkout=${number}`)).member, id);
  await page.locator("main li button").click();
  await page.waitForSelector(".none");
  await close();
});

check("an answer that is lost on its way is asked for again under the same key, and booked once", async () => {
  const { page, close } = await open({ expects: ["ERR_", "Failed to load"] });
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await find(page, "13911110003");
  await page.waitForSelector(".quick");
  await page.locator(".quick button").nth(1).click();
  await priced(page);
  const keys = [];
  let lose = true;
  await page.route("**/v1/commands/checkout/redeem", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (!lose) return route.continue();
    lose = false;
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.click(".pay .go");
  await page.waitForSelector(".pay .note.bad");
  // Nothing of the cart can be changed until it is known.
  assert.equal(await page.locator(".quick").count(), 0);
  await sound(page, "pos-unsure-zh");
  await page.click(".pay .go");
  await page.waitForSelector(".number");
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  await close();
});

check("a manager finds by name; language and appearance are one's own", async () => {
  const { page, close } = await open({ who: "manager", lang: "en" });
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await find(page, "chenj");
  await page.waitForSelector(".list button.line");
  await sound(page, "pos-found-en");
  await page.locator(".list button.line").first().click();
  await page.waitForSelector(".quick");
  await page.click("nav.bar a[href='#/own']");
  await page.waitForSelector("[aria-pressed]");
  await sound(page, "pos-own-en");
  await page.click("button[lang='zh-CN']");
  await page.waitForFunction(() => document.querySelector("h1").innerText === "我的");
  await page.locator("button", { hasText: "深色" }).click();
  await sound(page, "pos-own-zh-dark");
  await close();
});

check("it can be used at 320 px and at 430 px", async () => {
  for (const width of [320, 430]) {
    const { page, close } = await open({ width });
    await page.goto(`${origin}/pos/`);
    await page.waitForSelector("input[name=who]");
    await sound(page, `pos-find-${width}`);
    await find(page);
    await page.waitForSelector(".quick");
    await page.locator(".quick button").nth(3).click();
    await priced(page);
    await sound(page, `pos-cart-${width}`);
    await close();
  }
});

check("an advisor signs in", () => signIn("a", "advisor"), { needed: true });

check("an advisor sees what to do, copies the words, and it is done once for all", async () => {
  const { page, close } = await open({ who: "advisor" });
  await page.goto(`${origin}/a/`);
  await page.waitForSelector(".task, .none");
  await sound(page, "a-today-zh");
  const before = (await owner("GET", "/v1/tasks")).items.length;
  const n = await page.locator(".task").count();
  assert.ok(n > 0, "a task of the campaign");
  await page.locator(".task button", { hasText: "复制话术" }).first().click();
  await page.waitForFunction(() => /已复制/.test(document.querySelector("main").innerText));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.locator(".task pre").first().innerText());
  await page.locator(".task button", { hasText: "做完了" }).first().click();
  await page.waitForSelector(".gone");
  assert.equal(await page.locator(".task").count(), n - 1);
  await sound(page, "a-today-done-zh");
  assert.equal((await owner("GET", "/v1/tasks")).items.length, before - 1);
  await page.reload();
  await page.waitForFunction((rest) => document.querySelectorAll(".task").length === rest && document.querySelector(".bone") === null, n - 1);
  await close();
});

for (const [lang, light] of [["zh", "light"], ["en", "dark"]]) {
  check(`an advisor's pages, ${lang}, ${light}`, async () => {
    const { page, close } = await open({ who: "advisor", lang, light, expects: [`/v1/members/${"0".repeat(32)}`] });
    await page.goto(`${origin}/a/#/members`);
    await page.waitForSelector(".card .line");
    await sound(page, `a-members-${lang}-${light}`);
    // Only who is theirs is there.
    assert.equal(await page.locator(".card .line").count(), ids.length);
    await page.fill("input[name=name]", "wangf");
    await page.click("form button");
    await page.waitForFunction(() => document.querySelectorAll(".card .line").length === 1);
    await page.click(".card .line");
    await page.waitForFunction(() => document.querySelector("h1").innerText === "王芳");
    await sound(page, `a-member-${lang}-${light}`);
    await page.click(".posters button");
    await page.waitForFunction(() => document.querySelector("img.poster")?.naturalWidth === 600);
    if (shots) await page.screenshot({ path: join(shots, `a-member-whole-${lang}-${light}.png`), fullPage: true });
    await page.goto(`${origin}/a/#/members/${"0".repeat(32)}`);
    await page.waitForSelector(".note.bad");
    await sound(page, `a-member-missing-${lang}-${light}`);
    await page.click("nav.bar a[href='#/scripts']");
    await page.waitForSelector(".scripts li");
    await sound(page, `a-scripts-${lang}-${light}`);
    await page.click("nav.bar a[href='#/own']");
    await page.waitForSelector(".meter");
    await sound(page, `a-own-${lang}-${light}`);
    await close();
  });
}

check("what was read stays, with its time, when it cannot be read anew", async () => {
  const { page, close } = await open({ who: "advisor", lang: "en", expects: ["ERR_", "Failed to load"] });
  await page.goto(`${origin}/a/#/members`);
  await page.waitForSelector(".card .line");
  await page.route("**/v1/members?*", (route) => route.abort("connectionreset"));
  await page.click("nav.bar a[href='#/scripts']");
  await page.waitForSelector(".scripts");
  await page.click("nav.bar a[href='#/members']");
  await page.waitForSelector(".stale");
  assert.equal(await page.locator(".card .line").count(), ids.length);
  await sound(page, "a-stale-en");
  await page.unroute("**/v1/members?*");
  await page.click(".stale button");
  await page.waitForFunction(() => document.querySelector(".stale") === null);
  await close();
});

check("whoever was signed out is shown the door, and the cart is still there", async () => {
  const { context, page, close } = await open({ who: "manager", expects: ["401"] });
  await page.goto(`${origin}/pos/`);
  await page.waitForSelector("input[name=who]");
  await find(page);
  await page.waitForSelector(".quick");
  await context.clearCookies();
  await page.locator(".quick button").nth(1).click();
  await page.waitForSelector("input[name=password]");
  await page.fill("input[name=username]", PEOPLE.manager.name);
  await page.fill("input[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await priced(page);
  assert.equal(cents(await total(page)), 2000);
  await close();
});

const failed = await run(only);
await browser.close();
served?.end();
process.exitCode = failed === 0 ? 0 : 1;
