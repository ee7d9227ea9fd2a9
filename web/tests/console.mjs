// The console in a real browser, before a real home: every page, on a desk and on a phone, in both languages; axe, screenshots, what people do.
//
//   node console.mjs CONSOLE_ADDRESS [--shots DIR] [--only WORD]
//   node console.mjs HOME_ADDRESS --key KEY …     before a home that has no sign-in: the console is served here, and asks with the key
//
// Needs a Chromium at $CHROMIUM or /usr/bin/chromium. Prints a line per check; exits 1 if one fails.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const [base, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const shots = option("--shots");
const only = option("--only");
if (!base || !URL.canParse(base)) {
  console.error("usage: node console.mjs CONSOLE_ADDRESS [--shots DIR] [--only WORD]");
  process.exit(2);
}
const served = option("--key") ? await serve({ home: base, key: option("--key"), setup: true }) : undefined;
const origin = new URL(served?.address ?? base).origin;
if (shots) mkdirSync(shots, { recursive: true });

const PERSON = { name: "demo", password: "demo-demo-demo" };
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const CHINESE = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS });
const checks = [];
const check = (name, run) => checks.push({ name, run });
// What takes longest comes last.
const pages = [];
let signedIn;

/** A page of its own that fails its check on a request elsewhere, an error in the console or an exception. */
async function open({ size = "desk", lang = "zh", light = "light", signed = true, expects = [] } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: light,
    locale: lang === "zh" ? "zh-CN" : "en-US",
    reducedMotion: "reduce",
    ...(signed && signedIn ? { storageState: signedIn } : {}),
  });
  await context.addInitScript((value) => localStorage.setItem("zhiyin.language", value), lang);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // A browser says each refusal by itself; those that a check asks for are no faults.
    if (expects.some((expected) => `${message.text()} ${message.location().url}`.includes(expected))) return;
    faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== origin) faults.push(`request elsewhere: ${url.href}`);
  });
  // What is on its way to the home and back.
  const asked = new Set();
  page.on("request", (request) => request.url().includes("/v1/") && asked.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => asked.delete(request));
  page.answered = async () => {
    while (asked.size > 0) {
      await new Promise((done) => {
        for (const end of ["requestfinished", "requestfailed"]) page.once(end, done);
      });
    }
  };
  const close = async () => {
    assert.deepEqual(faults, [], "faults of the page");
    await context.close();
  };
  return { context, page, close };
}

/** Nothing is on its way any more: no bones stand, and fonts and frames are drawn. */
async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".bone") === null);
  await page.answered();
  await page.waitForFunction(() => document.querySelector(".bone") === null);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`),
    [],
  );
}

async function goes(page, path) {
  await page.goto(`${origin}/console${path}`);
  await settled(page);
}

const shoot = async (page, name) => {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
};

check("the first who comes becomes the owner, or signs in; a wrong password is told", async () => {
  const { context, page, close } = await open({ signed: false, expects: ["401"] });
  await page.goto(`${origin}/console/`);
  await page.waitForSelector("form");
  await accessible(page);
  if (await page.locator('input[autocomplete="new-password"]').count()) {
    await shoot(page, "set-up-desk-zh");
    await page.fill('input[autocomplete="username"]', PERSON.name);
    for (const input of await page.locator('input[autocomplete="new-password"]').all()) await input.fill(PERSON.password);
    await page.click("button[type=submit]");
  } else {
    await shoot(page, "sign-in-desk-zh");
    await page.fill('input[autocomplete="username"]', PERSON.name);
    await page.fill('input[autocomplete="current-password"]', "not this one");
    await page.click("button[type=submit]");
    await page.waitForSelector(".fault");
    await accessible(page);
    await page.fill('input[autocomplete="current-password"]', PERSON.password);
    await page.click("button[type=submit]");
  }
  await page.waitForSelector("nav");
  signedIn = await context.storageState();
  await close();
});

// Pages, each with what must stand on it: that what is asked of the home came.
let first;
const member = async (page) => {
  first ??= await page.evaluate(async () => (await (await fetch("/v1/members?tier=gold&limit=1")).json()).items[0].id);
  return `/members/${first}`;
};
const PAGES = [
  ["overview", () => "/", "svg text"],
  ["members", () => "/members", "table tbody tr"],
  ["members-found", () => "/members?q=13912345678", "a[href*='/members/']"],
  ["member", member, ".meter"],
  ["member-timeline", async (page) => `${await member(page)}?tab=timeline`, ".timeline li"],
  ["member-orders", async (page) => `${await member(page)}?tab=orders`, "table tbody tr"],
  ["member-lots", async (page) => `${await member(page)}?tab=lots`, "table tbody tr"],
  ["member-coupons", async (page) => `${await member(page)}?tab=coupons`, "table tbody tr"],
  ["member-touches", async (page) => `${await member(page)}?tab=touches`, "table tbody tr"],
  ["audiences", () => `/audiences?c=${encodeURIComponent('tier == "gold" && days_since(last(orders)) > 30')}`, "table tbody tr"],
  ["audiences-empty", () => "/audiences", ".cm-content"],
  ["offers", () => "/offers", "table tbody tr"],
  ["campaigns", () => "/campaigns", "table tbody tr"],
  ["campaign", () => "/campaigns/win-back", "table tbody tr"],
  ["messages", () => "/messages", ".none"],
  ["messages-dead", () => "/messages?tab=dead", ".figure"],
  ["books", () => "/books?by=tier", "table tbody tr"],
  ["approvals", () => "/approvals", ".card"],
  ["audit", () => "/audit", "table tbody tr"],
  ["playbook", () => "/playbook", ".cm-content"],
  ["playbook-history", () => "/playbook?tab=history&version=1", "table tbody tr"],
  ["settings", () => "/settings", "form"],
  ["settings-keys", () => "/settings?tab=keys", "table tbody tr"],
  ["settings-webhooks", () => "/settings?tab=webhooks", ".card"],
  ["settings-places", () => "/settings?tab=places", ".card"],
  ["settings-health", () => "/settings?tab=health", ".card"],
  ["missing", () => "/nowhere", ".none"],
];
const VIEWS = [
  { size: "desk", lang: "zh", light: "light" },
  { size: "phone", lang: "en", light: "light" },
  { size: "desk", lang: "en", light: "dark" },
  { size: "phone", lang: "zh", light: "dark" },
];
for (const view of VIEWS) {
  const title = `${view.size}, ${view.lang}, ${view.light}`;
  // One context for each view, so that what is loaded once is; each page is gone to by its address.
  const wanted = PAGES.filter(([name]) => !only || `${name} ${title}`.includes(only));
  if (wanted.length === 0) continue;
  pages.push({ name: `every page: ${title}`, run: async () => {
    const { page, close } = await open({ ...view, expects: ["status of 400", "/v1/commands/members/lookup"] });
    await page.goto(`${origin}/console/settings`);
    await page.waitForSelector("nav", { state: "attached" });
    const faults = [];
    for (const [name, path, sign] of wanted) {
      try {
        await page.goto(`${origin}/console${await path(page)}`);
        await page.waitForSelector(sign);
        await settled(page);
        await shoot(page, `${name}-${view.size}-${view.lang}-${view.light}`);
        const said = await page.evaluate(() => document.querySelector("main").innerText);
        assert.doesNotMatch(said, /undefined|NaN|\[object|\{\{|\bnull\b/, "what nobody should read");
        // Keys that no language has would show as they are.
        assert.doesNotMatch(said, /\b(overview|members|member|audiences|offers|campaigns|messages|books|approvals|audit|own|keys|hooks|state)\.[a-z]+_[a-z_]+\b/, "a key without words");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `the page is ${wide} px wider than the window`);
        await accessible(page);
      } catch (error) {
        faults.push(`${name}: ${error.message}`);
      }
    }
    assert.equal(faults.join("\n"), "");
    await close();
  } });
}

check("a condition is counted while it is typed, and what is wrong in it is shown", async () => {
  const { page, close } = await open({ expects: ["400"] });
  await goes(page, "/audiences");
  await page.click(".cm-content");
  await page.keyboard.type('tier == "gold');
  await page.keyboard.type('"');
  await page.keyboard.press("Escape");
  const asked = await page.evaluate(async () => {
    const response = await fetch("/v1/session");
    const { csrf } = await response.json();
    const counted = await fetch("/v1/audiences/count", { method: "POST", headers: { "Content-Type": "application/json", "X-Zhiyin-CSRF": csrf }, body: JSON.stringify({ condition: 'tier == "gold"' }) });
    return (await counted.json()).count;
  });
  const shown = new Intl.NumberFormat("zh-CN").format(asked);
  await page.waitForFunction((number) => document.querySelector("main").innerText.includes(number), shown);
  await page.waitForFunction(() => new URLSearchParams(location.search).get("c") === 'tier == "gold"');
  await page.click(".cm-content");
  await page.keyboard.press("Control+A");
  await page.keyboard.type('tier == "glod"');
  await page.waitForSelector("span.danger");
  assert.match(await page.locator("span.danger").first().innerText(), /gold/);
  await close();
});

check("why a member is in an audience opens from the list and is in the address", async () => {
  const { page, close } = await open();
  await goes(page, `/audiences?c=${encodeURIComponent('tier == "gold"')}`);
  await page.locator("table tbody tr").first().locator("td").nth(2).click();
  await page.waitForSelector(".ant-drawer code");
  assert.match(page.url(), /why=[0-9a-f]{32}/);
  await accessible(page);
  await close();
});

check("the palette finds a member by phone, and goes there from the keyboard", async () => {
  const { page, close } = await open({ expects: ["/v1/commands/members/lookup"] });
  await goes(page, "/settings");
  await page.keyboard.press("Control+K");
  await page.waitForSelector("[role=combobox]");
  await page.keyboard.type("13912345678");
  await page.waitForFunction(() => document.querySelector("[role=option]")?.textContent.includes("张伟"));
  await accessible(page);
  await shoot(page, "palette-desk-zh");
  await page.keyboard.press("Enter");
  await page.waitForURL(/members\/[0-9a-f]{32}/);
  await page.waitForFunction(() => document.querySelector("h1")?.innerText === "张伟");
  await close();
});

check("a cart is priced as its lines change, with why each other offer does not apply", async () => {
  const { page, close } = await open();
  await goes(page, "/offers");
  await page.waitForFunction(() => /会员日|所有/.test(document.querySelector("main").innerText));
  const before = await page.locator("main").innerText();
  await page.locator("input[aria-label='单价']").first().fill("99");
  await page.keyboard.press("Tab");
  await page.waitForFunction((text) => document.querySelector("main").innerText !== text, before);
  await close();
});

check("a playbook with a fault cannot be applied; without it, what would change is said first", async () => {
  const { page, close } = await open();
  await goes(page, "/playbook");
  const button = page.locator("button.ant-btn-primary");
  assert.equal(await button.isDisabled(), true);
  await page.click(".cm-content");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\nnonsense: 1");
  await page.waitForFunction(() => /nonsense/.test(document.querySelector("main .card").innerText));
  assert.equal(await button.isDisabled(), true);
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText("playbook: shop\nextends: demo\npoints: { worth: 1 per 50 }\n");
  await page.waitForFunction(() => /每 50 分/.test(document.querySelector("main").innerText));
  assert.equal(await button.isDisabled(), false);
  await shoot(page, "playbook-changed-desk-zh");
  await close();
});

check("the language is switched in the settings, and stays", async () => {
  const { page, close } = await open();
  await goes(page, "/settings");
  await page.getByText("English", { exact: true }).first().click();
  await page.waitForFunction(() => document.documentElement.lang === "en" && document.querySelector("h1").innerText === "Settings");
  assert.doesNotMatch((await page.locator("main").innerText()).replaceAll("中文", ""), CHINESE);
  await page.getByText("中文", { exact: true }).first().click();
  await page.waitForFunction(() => document.querySelector("h1").innerText === "设置");
  await close();
});

check("when the home does not answer, the page says so and what it had stays", async () => {
  const { page, close } = await open({ expects: ["503", "Failed to load"] });
  await page.route("**/v1/campaigns", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "正在维护", status: 503, code: "maintenance" }) }));
  await page.goto(`${origin}/console/campaigns`);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.locator("[role=alert]").innerText(), /正在维护/);
  await shoot(page, "fault-desk-zh");
  await accessible(page);
  await page.unroute("**/v1/campaigns");
  await page.locator("[role=alert] button").click();
  await page.waitForSelector("table tbody tr");
  await close();
});

check("who leaves is asked to sign in again", async () => {
  const { page, close } = await open({ signed: false, expects: ["401"] });
  await page.goto(`${origin}/console/members`);
  await page.fill('input[autocomplete="username"]', PERSON.name);
  await page.fill('input[autocomplete="current-password"]', PERSON.password);
  await page.click("button[type=submit]");
  await page.waitForSelector("nav");
  await page.locator(".me button").click();
  await page.waitForFunction(() => document.querySelector(".ant-dropdown") !== null);
  await Promise.all([page.waitForResponse((response) => response.request().method() === "DELETE"), page.getByRole("menuitem", { name: "退出登录" }).click()]);
  await page.waitForSelector('input[autocomplete="current-password"]');
  await close();
});

let passed = 0;
const failed = [];
for (const { name, run } of [...checks, ...pages]) {
  if (only && !name.includes(only) && !name.startsWith("every page") && checks[0].name !== name) continue;
  try {
    await run();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed.push(name);
    console.log(`FAIL ${name}\n     ${String(error.message).split("\n").slice(0, 30).join("\n     ")}`);
  }
}
await browser.close();
served?.end();
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
