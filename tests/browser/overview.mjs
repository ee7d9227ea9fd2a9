// The overview page in a real browser: what it says in both languages, that its charts show the numbers of
// /v1/overview, that everyone can read it, and what it does when there is nothing or no answer.
//
//   node overview.mjs http://127.0.0.1:8080 [--shots DIR]
//
// Needs a Chromium at $CHROMIUM or /usr/bin/chromium. Prints a line per check; exits 1 if one fails.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const [base, ...rest] = process.argv.slice(2);
const shots = rest[0] === "--shots" ? rest[1] : undefined;
if (!base || !URL.canParse(base) || (rest.length && !shots)) {
  console.error("usage: node overview.mjs BASE_URL [--shots DIR]");
  process.exit(2);
}
const origin = new URL(base).origin;
if (shots) mkdirSync(shots, { recursive: true });

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const CHINESE = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;
// Whatever is waited for comes, or the page is stuck: a machine that computes beside may take half a minute for a second's work.
const PATIENCE_MS = 120_000;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 320, height: 640 };

// Playwright gives each launch a new, empty profile, and each context below its own storage.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS });
const checks = [];
const check = (name, run) => checks.push({ name, run });

// What the page would show right now, fetched beside it.
async function numbers() {
  const response = await fetch(`${origin}/v1/overview`);
  assert.equal(response.status, 200, "GET /v1/overview");
  return response.json();
}

// A page in its own context that fails the check on a request elsewhere, a console error or an exception.
// `answer` stands in for /v1/overview: called with its count from 1, it gives { status, body } or undefined.
async function visit(path, { viewport = DESKTOP, colorScheme = "light", locale = "zh-CN", answer, errorsExpected = false } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale, reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults = [];
  let asked = 0;
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !errorsExpected) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) faults.push(`request elsewhere: ${url.href}`);
  });
  if (answer) {
    await page.route("**/v1/overview", async (route) => {
      asked += 1;
      const given = answer(asked);
      if (!given) return route.continue();
      const kind = given.status === 200 ? "application/json" : "application/problem+json";
      return route.fulfill({ status: given.status, contentType: kind, body: JSON.stringify(given.body) });
    });
  }
  await page.goto(`${origin}${path}`);
  await page.waitForSelector("#main:not([aria-busy])");
  const close = async () => {
    assert.deepEqual(faults, [], "faults of the page");
    await context.close();
  };
  return { page, close };
}

// A server that keeps its numbers for whoever holds a key.
const locked = { status: 401, body: { code: "key_missing", title: "缺少密钥", status: 401 } };

const drawn = (page) => page.waitForSelector("#weeks .plot svg, #empty");
const text = async (page, selector) => (await page.locator(selector).innerText()).replace(/\s+/g, " ");
const cells = (page, id) => page.$$eval(`#${id} tbody tr`, (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
const inEnglish = (n) => new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 }).format(n);
const moneyIn = ({ currency, exponent }) => {
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  return (minor) => new Intl.NumberFormat("en-US", options).format(minor / 10 ** exponent);
};

async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`), []);
}

const openAll = (page) => page.$$eval("details", (all) => all.forEach((details) => { details.open = true; }));

check("one response, no other request, a policy that allows no more", async () => {
  const response = await fetch(`${origin}/`);
  const body = await response.text();
  const policy = response.headers.get("content-security-policy");
  assert.ok(body.length > 0 && Buffer.byteLength(body) <= 60 * 1024, `${Buffer.byteLength(body)} bytes`);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  const again = await fetch(`${origin}/`, { headers: { "if-none-match": response.headers.get("etag") } });
  assert.equal(again.status, 304);
  const { page, close } = await visit("/");
  const resources = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname));
  assert.deepEqual([...new Set(resources)], ["/v1/overview"]);
  await close();
});

check("Chinese first, and every word there is", async () => {
  const { page, close } = await visit("/");
  await drawn(page);
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  assert.equal(await text(page, "h1"), "概览");
  await openAll(page);
  const all = await page.evaluate(() => document.body.innerText);
  assert.doesNotMatch(all, /[⟨⟩]|undefined|NaN|\[object|\{\w+\}|null/);
  assert.doesNotMatch(all, /[\u4e00-\u9fff][,:;()]|[,:;()][\u4e00-\u9fff]/, "half-width punctuation beside Chinese");
  assert.doesNotMatch(all, /[\u4e00-\u9fff] [\u4e00-\u9fff\uff00-\uffef]/, "a space between Chinese and Chinese");
  if (shots) {
    await page.$$eval("details", (opened) => opened.forEach((details) => { details.open = false; }));
    await page.screenshot({ path: join(shots, "overview-desktop-light-zh.png"), fullPage: true });
  }
  await close();
});

check("English by the switch, remembered in the address, with no Chinese left", async () => {
  const { page, close } = await visit("/");
  await page.getByRole("link", { name: "English" }).click();
  await page.waitForURL(/[?&]lang=en/);
  await drawn(page);
  assert.equal(await page.getAttribute("html", "lang"), "en");
  assert.equal(await page.title(), "Overview · Zhiyin");
  await openAll(page);
  await page.$$eval("[lang^=zh]", (own) => own.forEach((element) => element.remove()));
  const said = await page.evaluate(() => [document.body.innerText, ...[...document.querySelectorAll("[aria-label],[aria-valuetext],[data-tip]")].flatMap((element) => [element.getAttribute("aria-label"), element.getAttribute("aria-valuetext"), element.dataset.tip])].join("\n"));
  assert.doesNotMatch(said, CHINESE);
  assert.doesNotMatch(said, /[⟨⟩]|undefined|NaN|\[object|\{\w+\}/);
  await page.reload();
  await drawn(page);
  assert.equal(await text(page, "h1"), "Overview");
  await close();
});

check("English by Accept-Language where the address says nothing", async () => {
  const { page, close } = await visit("/", { locale: "en-GB" });
  assert.equal(await text(page, "h1"), "Overview");
  await close();
});

check("the tables have exactly the numbers of /v1/overview", async () => {
  const wanted = await numbers();
  const money = moneyIn(wanted.brand);
  const { page, close } = await visit("/?lang=en");
  await drawn(page);
  const figures = new Map(await cells(page, "figures"));
  assert.equal(figures.get("Members"), inEnglish(wanted.members.total));
  assert.equal(figures.get("Orders"), inEnglish(wanted.orders.count));
  assert.equal(figures.get("Paid in total"), money(wanted.orders.paid_minor));
  assert.equal(figures.get("Points outstanding"), inEnglish(wanted.points.outstanding));
  assert.deepEqual(await cells(page, "weeks"), wanted.weeks.map((week) => [week.start, inEnglish(week.orders), money(week.paid_minor)]));
  const tiers = (await cells(page, "tiers")).map((row) => [row[0], row[1], row[3]]);
  assert.deepEqual(tiers, wanted.tiers.map((tier) => [tier.name.en, inEnglish(tier.members), money(tier.paid_minor)]));
  const stages = (await cells(page, "lifecycle")).filter((row) => row[1] === "").map((row) => [row[0], row[2]]);
  assert.deepEqual(stages, wanted.lifecycle.stages.map((stage) => [stage.name.en, inEnglish(stage.members)]));
  const liability = (await cells(page, "liability")).map((row) => row[1]);
  assert.deepEqual(liability, wanted.liability.map((batch) => inEnglish(batch.points)));
  await close();
});

check("the charts draw those numbers: columns, flow and bars", async () => {
  const wanted = await numbers();
  const { page, close } = await visit("/?lang=en");
  await drawn(page);
  const heights = (id) => page.$$eval(`#${id} .col`, (columns) => columns.map((column) => Number(column.getAttribute("height"))));
  const proportional = (drawnHeights, values, name) => {
    assert.equal(drawnHeights.length, values.length, name);
    const [most, tallest] = [Math.max(...values), Math.max(...drawnHeights)];
    values.forEach((value, i) => assert.ok(Math.abs(drawnHeights[i] - Math.max(value > 0 ? 1 : 0, (value / most) * tallest)) < 0.01, `${name} ${i}`));
  };
  if (wanted.weeks.length <= 106) proportional(await heights("weeks"), wanted.weeks.map((week) => week.paid_minor), "weeks");
  proportional(await heights("liability"), wanted.liability.map((batch) => batch.points), "liability");
  const flowing = await page.$$eval("#lifecycle .ribbon", (ribbons) => ribbons.map((ribbon) => Number(ribbon.dataset.members)));
  const links = wanted.lifecycle.flow.links.map((link) => link.members).filter((members) => members > 0);
  const ascending = (a, b) => a - b;
  assert.deepEqual(flowing.sort(ascending), links.sort(ascending));
  const shares = await page.$$eval("#lifecycle .rows svg", (bars) => bars.map((bar) => bar.querySelector(".fill")?.getBoundingClientRect().width / bar.getBoundingClientRect().width || 0));
  const all = wanted.lifecycle.stages.reduce((sum, stage) => sum + stage.members, 0);
  wanted.lifecycle.stages.forEach((stage, i) => assert.ok(Math.abs(shares[i] - stage.members / all) < 0.01, stage.id));
  await close();
});

check("a week tells its exact numbers to the pointer and to the keyboard", async () => {
  const wanted = await numbers();
  const money = moneyIn(wanted.brand);
  const { page, close } = await visit("/?lang=en");
  await drawn(page);
  const week = wanted.weeks[5];
  const says = (told) => {
    for (const part of [week.start, money(week.paid_minor), inEnglish(week.orders)]) assert.ok(told.includes(part), `${told} lacks ${part}`);
  };
  await page.locator("#weeks .col").nth(5).hover({ force: true });
  says(await text(page, "#tip"));
  await page.mouse.move(2, 2);
  await page.locator("#weeks-walk").focus();
  await page.keyboard.press("Home");
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
  says(await text(page, "#tip"));
  says(await page.getAttribute("#weeks-walk", "aria-valuetext"));
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#tip").isVisible(), false);
  await close();
});

for (const [name, path, options] of [
  ["light zh", "/?lang=zh", {}],
  ["dark en", "/?lang=en", { colorScheme: "dark" }],
  ["dark zh by the switch, on a phone", "/?lang=zh&theme=dark", { viewport: PHONE }],
]) {
  check(`axe finds nothing: ${name}`, async () => {
    const { page, close } = await visit(path, options);
    await drawn(page);
    await accessible(page);
    await openAll(page);
    await accessible(page);
    if (shots && options.colorScheme) {
      await page.$$eval("details", (opened) => opened.forEach((details) => { details.open = false; }));
      await page.screenshot({ path: join(shots, "overview-desktop-dark-en.png"), fullPage: true });
    }
    await close();
  });
}

check("dark by the system, by the switch, and kept in the address", async () => {
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = "rgb(20, 22, 20)";
  const light = "rgb(250, 249, 246)";
  const { page, close } = await visit("/?lang=en", { colorScheme: "dark" });
  assert.equal(await paper(page), dark);
  await page.getByRole("button", { name: "Dark" }).click();
  assert.equal(await paper(page), light);
  assert.match(page.url(), /theme=light/);
  await page.reload();
  await drawn(page);
  assert.equal(await paper(page), light);
  await page.getByRole("link", { name: "中文" }).click();
  await page.waitForURL(/lang=zh/);
  assert.match(page.url(), /theme=light/);
  await close();
});

check("320 pixels wide without scrolling sideways, tables open or not", async () => {
  for (const lang of ["zh", "en"]) {
    const { page, close } = await visit(`/?lang=${lang}`, { viewport: PHONE });
    await drawn(page);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(await overflow(), 0, lang);
    const cut = await page.$$eval("svg text", (labels) => labels.filter((label) => {
      const [own, place] = [label.getBoundingClientRect(), label.ownerSVGElement.getBoundingClientRect()];
      return own.left < place.left - 1 || own.right > place.right + 1 || own.top < place.top - 1;
    }).map((label) => label.textContent));
    assert.deepEqual(cut, [], "labels cut off");
    await openAll(page);
    assert.equal(await overflow(), 0, `${lang}, tables open`);
    if (shots && lang === "zh") {
      await page.$$eval("details", (opened) => opened.forEach((details) => { details.open = false; }));
      await page.screenshot({ path: join(shots, "overview-phone-zh.png"), fullPage: true });
    }
    await close();
  }
});

check("twice the text size still fits", async () => {
  const { page, close } = await visit("/?lang=en", { viewport: { width: 640, height: 800 } });
  await drawn(page);
  await page.evaluate(() => { document.documentElement.style.zoom = "2"; });
  await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  await close();
});

check("an answer of 500: what happened, what is safe, and a retry that works", async () => {
  const problem = { type: "about:blank", title: "Reading failed", status: 500, detail: "Reading failed. Data is safe.", code: "reading_failed" };
  const answer = (n) => (n === 1 ? { status: 500, body: problem } : undefined);
  const { page, close } = await visit("/?lang=en", { answer, errorsExpected: true });
  assert.match(await text(page, "main"), /could not be read.*Reading failed\. Data is safe\..*500/);
  await accessible(page);
  if (shots) await page.screenshot({ path: join(shots, "overview-error-en.png") });
  await page.getByRole("button", { name: "Try again" }).click();
  await drawn(page);
  assert.equal(await text(page, "h1"), "Overview");
  await close();
});

check("a key is asked for where one is needed, said in both languages, and opens the numbers", async () => {
  for (const [path, title] of [["/?lang=zh", "需要密钥"], ["/?lang=en", "A key is needed"]]) {
    const { page, close } = await visit(path, { answer: (n) => (n < 2 ? locked : undefined), errorsExpected: true });
    assert.equal(await text(page, "#locked h1"), title);
    assert.equal(CHINESE.test(await text(page, "#locked")), path.endsWith("zh"));
    await accessible(page);
    const sent = page.waitForRequest((request) => request.url().endsWith("/v1/overview"));
    await page.fill("#key", "zy_test");
    await page.press("#key", "Enter");
    assert.equal((await sent).headers().authorization, "Bearer zy_test");
    await drawn(page);
    await close();
  }
});

check("an answer that is not an overview, and no answer at all, are said plainly", async () => {
  const odd = await visit("/?lang=en", { answer: () => ({ status: 200, body: { hello: 1 } }) });
  assert.match(await text(odd.page, "main"), /not an overview/);
  await odd.close();
  const gone = await visit("/?lang=en", { errorsExpected: true });
  await gone.page.route("**/v1/overview", (route) => route.abort());
  await gone.page.clock.install();
  await gone.page.reload();
  await gone.page.waitForSelector("#retry");
  assert.match(await text(gone.page, "main"), /cannot be reached/);
  await gone.close();
});

check("numbers that could not be brought up to date stay, and say as of when", async () => {
  const wanted = await numbers();
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB" });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.clock.install();
  let failing = false;
  await page.route("**/v1/overview", (route) => (failing ? route.fulfill({ status: 503, contentType: "application/problem+json", body: "{}" }) : route.continue()));
  await page.goto(`${origin}/?lang=en`);
  await drawn(page);
  await page.locator("#weeks-summary").click();
  failing = true;
  await page.clock.fastForward(31_000);
  await page.waitForSelector("#stale");
  assert.match(await text(page, "#stale"), /Not up to date.*503.*numbers read at \d{4}-\d\d-\d\d/);
  assert.ok((await text(page, "#figures")).includes(inEnglish(wanted.members.total)));
  assert.equal(await page.locator("#weeks-numbers").getAttribute("open"), "", "what the reader opened stays open");
  failing = false;
  await page.locator("#stale #retry").click();
  await page.waitForSelector("#stale", { state: "detached" });
  await context.close();
});

check("nothing yet: what to do first", async () => {
  const wanted = await numbers();
  const none = {
    ...wanted, brand: null, clock: { ...wanted.clock, offset_seconds: 0 },
    members: { total: 0, enrolled: 0, with_orders: 0 }, orders: { count: 0, paid_minor: 0 },
    points: { outstanding: 0, debt: 0, worth_minor: null, earned: 0, spent: 0, expired: 0 },
    tiers: [], lifecycle: { stages: [], flow: { ...wanted.lifecycle.flow, links: [] } }, weeks: [], liability: [], tags: [],
  };
  for (const [lang, title] of [["zh", "还没有会员"], ["en", "No members yet"]]) {
    const { page, close } = await visit(`/?lang=${lang}`, { answer: () => ({ status: 200, body: none }), viewport: PHONE });
    assert.equal(await text(page, "h1"), title);
    assert.match(await text(page, "#empty"), /zhiyin import completejourney DIR/);
    await accessible(page);
    if (shots && lang === "zh") await page.screenshot({ path: join(shots, "overview-empty-zh.png") });
    await close();
  }
});

check("members without an order, a playbook with only zeros, waits and dead letters: no chart breaks", async () => {
  const wanted = await numbers();
  const early = {
    ...wanted, orders: { count: 0, paid_minor: 0 }, weeks: [], liability: [], tags: [],
    members: { total: 1, enrolled: 1, with_orders: 0 },
    tiers: wanted.tiers.map((tier) => ({ ...tier, members: 0, paid_minor: 0 })),
    lifecycle: { stages: wanted.lifecycle.stages.map((stage) => ({ ...stage, members: 0 })), flow: { ...wanted.lifecycle.flow, links: [] } },
    freshness: { ...wanted.freshness, inbox_waiting: 3, oldest_waiting_seconds: 7300, dead_letters: 1, last_event_at: null, next_timer_at: null },
  };
  const { page, close } = await visit("/?lang=en", { answer: () => ({ status: 200, body: early }) });
  assert.doesNotMatch(await text(page, "main"), /NaN|Infinity|undefined|null/);
  assert.match(await text(page, "#freshness"), /1 event could not be processed and is/);
  assert.match(await text(page, "#weeks"), /No orders yet/);
  await accessible(page);
  await close();
});

check("business time that is not real time is said", async () => {
  const wanted = await numbers();
  const cases = [[-280_000_000, /behind/], [864_000, /10 days ahead/], [0, null]];
  for (const [offset_seconds, expected] of cases) {
    const answer = () => ({ status: 200, body: { ...wanted, clock: { ...wanted.clock, offset_seconds } } });
    const { page, close } = await visit("/?lang=en", { answer });
    if (expected) assert.match(await text(page, "#demo"), expected);
    else assert.equal(await page.locator("#demo").count(), 0);
    await close();
  }
});

let failed = 0;
for (const { name, run } of checks) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.message).replaceAll("\n", "\n      ")}`);
  }
}
await browser.close();
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
