// The pictures of docs/tour.md: the console before a home that was staged (stage.mjs, talks.mjs), as people see it.
//
//   node tour.mjs HOME_ADDRESS --to DIR [--dist] [--only WORD] [--png DIR]
//
// Each is a WebP of at most 120 KB, all of them of at most 1.2 MB; the tour names each, and no other. With --png they are left as PNG, too, to
// be looked at. One signs in as the owner that console.mjs makes, or is made here. Needs a Chromium at $CHROMIUM or /usr/bin/chromium.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const [base, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const to = option("--to");
const png = option("--png");
const only = option("--only");
if (!base || !URL.canParse(base) || !to) {
  console.error("usage: node tour.mjs HOME_ADDRESS --to DIR [--dist] [--only WORD] [--png DIR]");
  process.exit(2);
}
// Whatever is waited for comes, or the page is stuck: a machine that computes beside may take half a minute for a second's work.
const PATIENCE_MS = 120_000;
const PERSON = { name: "demo", password: "seven strings at dusk" };
const KB = 1024;
const ONE_MAX = 120 * KB;
const ALL_MAX = 1_200 * KB;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

const served = rest.includes("--dist") ? await serve({ home: base }) : undefined;
const origin = new URL(served?.address ?? base).origin;
for (const folder of [to, png]) if (folder) mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"] });

async function settled(page) {
  const drawn = () => page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".bone") === null);
  await drawn();
  await page.waitForLoadState("networkidle");
  await drawn();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const get = (page, path) => page.evaluate(async (path) => (await fetch(path)).json(), path);
let kept;
async function open({ size = DESK, lang = "zh", light = "light" }) {
  const context = await browser.newContext({ viewport: size, colorScheme: light, locale: lang === "zh" ? "zh-CN" : "en-US", reducedMotion: "reduce", ...(kept ? { storageState: kept } : {}) });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript((value) => localStorage.setItem("zhiyin.language", value), lang);
  const page = await context.newPage();
  return { context, page };
}

async function signIn() {
  const { context, page } = await open({});
  await page.goto(`${origin}/console/`);
  await page.waitForSelector("form");
  await page.fill('input[autocomplete="username"]', PERSON.name);
  for (const input of await page.locator("input[type=password]").all()) await input.fill(PERSON.password);
  await page.click("button[type=submit]");
  await page.waitForSelector("nav");
  kept = await context.storageState();
  await context.close();
}

const gold = async (page) => {
  const { items } = await get(page, "/v1/members?tier=gold&limit=60");
  return `/members/${items[0].id}`;
};
// One to whom something was said, and one to whom it was not.
const touched = async (page) => {
  const { items } = await get(page, "/v1/members?tier=gold&limit=40");
  for (const { id } of items) {
    const { moves } = await get(page, `/v1/members/${id}/runs`);
    if (moves.some((move) => move.kind === "sent")) return `/members/${id}?tab=touches&campaign=win-back`;
  }
  throw new Error("nothing was said to anybody");
};
// Whoever wrote to two desks, answered.
async function answered(page) {
  const all = [...(await get(page, "/v1/inbox?limit=50")).items, ...(await get(page, "/v1/inbox?limit=50&state=closed")).items];
  const one = all.find((talk) => talk.desks.length === 2);
  await page.goto(`${origin}/console/inbox?talk=${one.conversation}`);
  await page.waitForSelector(".word .bubble");
  if ((await page.locator(".word.ours").count()) === 0) {
    await page.fill(".composer textarea", page.url() && (await page.evaluate(() => document.documentElement.lang)) === "en" ? "Thank you. Another bag is on its way today." : "收到，今天给您补发一包，单号稍后发您。");
    await page.keyboard.press("Control+Enter");
  }
  // It is said in the next round of the home's.
  await page.waitForFunction(() => /已送达|Delivered/.test([...document.querySelectorAll(".word.ours")].at(-1)?.innerText ?? ""));
  await page.waitForFunction(() => document.querySelector(".talk-row[aria-current].unread") === null);
  return undefined;
}
const changed = async (page) => {
  await page.goto(`${origin}/console/playbook`);
  await page.waitForSelector(".cm-content");
  await settled(page);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  const { items } = await get(page, "/v1/playbooks");
  const { source } = await get(page, `/v1/playbooks/${items.find((one) => one.live).version}`);
  await page.keyboard.insertText(source.replace("spend: 100\n    off: 10", "spend: 90\n    off: 12").replace("stock: 300", "stock: 500"));
  await page.waitForFunction(() => [...document.querySelectorAll("button.ant-btn-primary")].some((button) => !button.disabled));
  await page.evaluate(() => document.querySelector(".cm-scroller").scrollTo(0, 0));
};
const CONDITION = `// gold or silver, comes often or spends, and stays away now
(size(within(orders, "90d")) >= 10 || sum(within(orders, "90d").map(o, o.paid)) >= 500)
  && tier in ["gold", "silver"]
  && days_since(last(orders)) > 14`;
const CART = "/offers?tab=cart";

// Each picture: its name, how it is seen, where it lies (or what is done to come there), and what must stand on it.
const PICTURES = [
  ["overview", {}, () => "/", "svg text"],
  ["overview-en", { lang: "en" }, () => "/", "svg text"],
  ["members", {}, () => "/members?tier=gold", "table tbody tr"],
  ["member", {}, gold, ".meter"],
  ["messages-why", {}, touched, "ol li"],
  ["audience", {}, () => `/audiences?over=gone_quiet,shoppers&by=tier&c=${encodeURIComponent(CONDITION)}`, ".dots"],
  ["audience-en", { lang: "en" }, () => `/audiences?by=tier&c=${encodeURIComponent(CONDITION)}`, "table tbody tr"],
  ["offer", {}, () => "/offers?offer=gold-ten", ".ant-drawer form, .ant-drawer .note"],
  ["cart", {}, () => CART, ".cart-line"],
  ["campaign", {}, () => "/campaigns/win-back", "table tbody tr"],
  ["flow", {}, () => "/campaigns/second-order?tab=flow", ".step.if"],
  ["inbox", {}, answered, ".word.ours"],
  ["inbox-phone", { size: PHONE, light: "dark" }, answered, ".word.ours"],
  ["platforms", {}, () => "/messages?tab=platforms&counts=1", "table tbody tr"],
  ["books", {}, () => "/books?by=tier", "table tbody tr"],
  ["approvals", {}, () => "/approvals", ".card"],
  ["playbook", {}, changed, ".cm-content"],
  ["places", {}, () => "/settings?tab=places", "table tbody tr"],
  ["overview-dark", { lang: "en", light: "dark" }, () => "/", "svg text"],
];

/** A PNG as WebP, by the browser itself: the best quality that is small enough. */
async function webp(page, bytes, max) {
  for (const quality of [0.86, 0.78, 0.7, 0.6, 0.5]) {
    const made = await page.evaluate(
      async ([data, quality]) => {
        const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        canvas.getContext("2d").drawImage(picture, 0, 0);
        const blob = await canvas.convertToBlob({ type: "image/webp", quality });
        const read = new FileReader();
        await new Promise((done) => {
          read.onload = done;
          read.readAsDataURL(blob);
        });
        return String(read.result).split(",")[1];
      },
      [bytes.toString("base64"), quality],
    );
    const small = Buffer.from(made, "base64");
    if (small.length <= max) return small;
  }
  throw new Error(`larger than ${max / KB} KB at any quality`);
}

const faults = [];
const checked = (what, good) => {
  if (!good) faults.push(what);
};
await signIn();
const blank = await (await browser.newContext()).newPage();
let total = 0;
for (const [name, view, path, sign] of PICTURES) {
  if (only && !name.includes(only)) continue;
  try {
    const { context, page } = await open(view);
    await page.goto(`${origin}/console/settings`);
    await page.waitForSelector("nav", { state: "attached" });
    const address = await path(page);
    if (address) await page.goto(`${origin}/console${address}`);
    await page.waitForSelector(sign);
    // The inbox asks every few seconds, so it is never idle for long.
    await settled(page);
    const bytes = await page.screenshot();
    if (png) writeFileSync(join(png, `${name}.png`), bytes);
    const small = await webp(blank, bytes, ONE_MAX);
    writeFileSync(join(to, `${name}.webp`), small);
    total += small.length;
    console.log(`ok   ${name} (${Math.ceil(small.length / KB)} KB)`);
    await context.close();
  } catch (error) {
    faults.push(`${name}: ${error.message.split("\n")[0]}`);
  }
}
if (!only) {
  checked(`all of them are ${Math.ceil(total / KB)} KB, of at most ${ALL_MAX / KB}`, total <= ALL_MAX);
  const docs = ["tour.md"].map((file) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), "utf8")).join("\n");
  const named = new Set([...docs.matchAll(/tour\/([a-z-]+)\.webp/g)].map((found) => found[1]));
  for (const [name] of PICTURES) checked(`docs/tour.md does not show ${name}`, named.has(name));
  for (const name of named) checked(`docs/tour.md shows ${name}, which is not made`, PICTURES.some(([made]) => made === name));
  for (const file of readdirSync(to)) checked(`${file} is of no picture`, PICTURES.some(([made]) => file === `${made}.webp`));
}
await browser.close();
served?.end();
for (const fault of faults) console.log(`FAIL ${fault}`);
console.log(`${PICTURES.length} pictures, ${Math.ceil(total / KB)} KB\n${faults.length === 0 ? 1 : 0} passed, ${faults.length} failed`);
process.exitCode = faults.length === 0 ? 0 : 1;
