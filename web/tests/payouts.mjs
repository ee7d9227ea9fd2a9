// Money for a member from end to end in a real browser, before a home of its own with a simulated WeChat Pay: asked for at a desk, approved by a second
// person, confirmed on a phone; asked once though an answer got lost, cancelled, refused, and what is in the way told.
//
//   node payouts.mjs ZHIYIN_BINARY PLATFORM_SIM_BINARY FOLDER [--shots DIR] [--dist]
//
// FOLDER is where the home is made; it must not be there yet. With --dist the pages are served as they were built last, and not as the binary holds them.
// Needs a Chromium at $CHROMIUM or /usr/bin/chromium. Prints a line per check; exits 1 if one fails.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { serve as servePhones } from "./h5-serve.mjs";
import { serve as serveDesk } from "./serve.mjs";

const [zhiyin, platformSim, into, ...rest] = process.argv.slice(2);
if (!zhiyin || !platformSim || !into || existsSync(into)) {
  console.error("usage: node payouts.mjs ZHIYIN_BINARY PLATFORM_SIM_BINARY FOLDER [--shots DIR] [--dist], FOLDER not there yet");
  process.exit(2);
}
const shots = rest.includes("--shots") ? rest[rest.indexOf("--shots") + 1] : undefined;
const folder = resolve(into);
for (const one of [folder, ...(shots ? [shots] : [])]) mkdirSync(one, { recursive: true });
const PATIENCE_MS = 120_000;
// Nobody outside of this machine reaches the simulator, so these are no secrets.
const KEY = "0123456789abcdefghijABCDEFGHIJ!@";
const SECRET = "simulated";
const [MCHID, APPID] = ["1900000001", "wx1a2b3c4d5e6f7081"];
const data = new URL("../../tests/platform-sim/src/pay/", import.meta.url);
const SERIAL = /MERCHANT_SERIAL: &str = "(\w+)"/.exec(readFileSync(new URL("crypto.rs", data), "utf8"))[1];
const PHONE = "13912345678";
const [OWNER, SECOND] = [
  { name: "demo", password: "seven strings at dusk" },
  { name: "second", password: "kestrel over oak" },
];
const until = async (what, is) => {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const found = await is().catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((done) => setTimeout(done, 200));
  }
};

// The platform; a home of a brand that pays in yuan; a member whom its app knows, and one whom it does not.
const children = [];
const started = (command, args, options = {}) => {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  children.push(child);
  return child;
};
started(platformSim, ["--real", "--for", "604800", "--until-eof", "--port-file", join(folder, "port")]);
const platform = `http://127.0.0.1:${await until("the simulator", async () => (existsSync(join(folder, "port")) ? readFileSync(join(folder, "port"), "utf8").trim() : ""))}`;
const act = async (what, body) => {
  const answer = await fetch(`${platform}/sim/${what}`, { method: "POST", body: JSON.stringify(body) });
  assert.ok(answer.ok, `${what}: ${await answer.text()}`);
};
const port = await new Promise((done) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});
const base = `http://127.0.0.1:${port}`;
await act("pay/merchant", { mchid: MCHID, api_v3_key: KEY, appids: [APPID], notice_url: `${base}/v1/callbacks/wxpay/main` });
const codes = { zh: "\u60a8\u7684\u9a8c\u8bc1\u7801\u662f${code}\uff0c5\u5206\u949f\u5185\u6709\u6548\uff0c\u8bf7\u52ff\u544a\u8bc9\u4ed6\u4eba\u3002", en: "Your code is ${code}. It is good for 5 minutes; tell nobody." };
await act("sms/account", { platform: "aliyun", key_id: "simulated", secret: SECRET, sign: "\u77e5\u97f3", url: `${base}/v1/callbacks/sms/main?secret=${SECRET}-callbacks` });
await act("sms/template", { platform: "aliyun", id: "SMS_1", text: codes.zh });
await act("sms/template", { platform: "aliyun", id: "SMS_2", text: codes.en });
const pem = readFileSync(new URL("data/merchant.key.der", data)).toString("base64").match(/.{1,64}/g).join("\n");
writeFileSync(join(folder, "merchant.pem"), `-----BEGIN PRIVATE KEY-----\n${pem}\n-----END PRIVATE KEY-----\n`);
writeFileSync(
  join(folder, "channels.json"),
  JSON.stringify({
    public_url: base,
    sms: { main: { provider: "aliyun", key_id: "simulated", key_secret_env: "ZHIYIN_SIM_SECRET", sign: "\u77e5\u97f3", api: platform, templates: [{ id: "SMS_1", text: codes.zh }, { id: "SMS_2", text: codes.en }], prices: [{ per_part: "0.045" }], callback_secret_env: "ZHIYIN_SIM_CALLBACKS" } },
    wxpay: { main: { mchid: MCHID, appids: [APPID], api_v3_key_env: "ZHIYIN_SIM_PAY", serial: SERIAL, private_key_file: join(folder, "merchant.pem"), api: platform, transfer_scene: "1005", transfer_reports: { "\u5c97\u4f4d\u7c7b\u578b": "\u63a8\u5e7f\u5458", "\u62a5\u916c\u8bf4\u660e": "\u63a8\u8350\u5956\u52b1" } } },
  }),
);
writeFileSync(join(folder, "brand.yaml"), "playbook: brand\nextends: variety-store\nalone: { payouts: 200 }\n");
const home = join(folder, "home");
execFileSync(zhiyin, ["apply", join(folder, "brand.yaml"), "--home", home], { stdio: "ignore" });
const key = execFileSync(zhiyin, ["key", "new", "--role", "owner", "--staff", "stage", "--name", "payouts", "--home", home], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim().split("\n").at(-1).trim();
started(zhiyin, ["serve", "--home", home, "--listen", `127.0.0.1:${port}`, "--channels", join(folder, "channels.json")], {
  stdio: ["ignore", "ignore", openSync(join(folder, "home.log"), "w")],
  env: { ...process.env, ZHIYIN_SIM_SECRET: SECRET, ZHIYIN_SIM_CALLBACKS: `${SECRET}-callbacks`, ZHIYIN_SIM_PAY: KEY },
});
const ask = async (method, path, body, name) => {
  const answer = await fetch(`${base}${path}`, { method, headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...(name ? { "Idempotency-Key": name } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
};
await until("the home", async () => (await fetch(`${base}/v1/setup`)).ok);
await ask("POST", "/v1/commands/members/enrol", { identifiers: [{ namespace: "phone", value: PHONE }, { namespace: `openid:${APPID}`, value: "o-zhang" }], attributes: { name: "\u5f20\u4f1f" }, touchpoint: "store-qr/330" }, "enrol-1");
await ask("POST", "/v1/commands/members/enrol", { identifiers: [{ namespace: "phone", value: "13812341234" }], attributes: { name: "\u674e\u5a1c" }, touchpoint: "store-qr/330" }, "enrol-2");

const served = rest.includes("--dist") ? { desk: await serveDesk({ home: base }), phone: await servePhones({ home: base }) } : undefined;
const desk = new URL(served?.desk.address ?? base).origin;
const phone = new URL(served?.phone.address ?? base).origin;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }, resultTypes: ["violations"] };

async function open({ state, lang = "zh", light = "light", size = { width: 1440, height: 900 }, expects = [], ...more } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: light, locale: lang === "zh" ? "zh-CN" : "en-US", reducedMotion: "reduce", ...(state ? { storageState: state } : {}), ...more });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript((value) => localStorage.setItem("zhiyin.language", value), lang);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (told) => {
    if (["error", "warning"].includes(told.type()) && !expects.some((one) => `${told.text()} ${told.location().url}`.includes(one))) faults.push(`console: ${told.text()} ${told.location().url}`);
  });
  return {
    context,
    page,
    close: async () => {
      assert.deepEqual(faults, [], "faults of the page");
      await context.close();
    },
  };
}
async function sound(page, name) {
  await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".bone") === null);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const violations = await page.evaluate(async (rules) => (await window.axe.run(document, rules)).violations, RULES);
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`), [], `axe on ${name}`);
  const said = await page.evaluate(() => document.body.innerText);
  assert.doesNotMatch(said, /undefined|NaN|\[object|\{\{|\bnull\b|\bpayouts\.[a-z_]+\b|\b(waits_for|under_way|approval_late|payout_)/, `${name}: what nobody should read`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`);
}
const says = (page, selector, text) => page.waitForFunction(([selector, text]) => document.querySelector(selector)?.innerText.includes(text), [selector, text]);
async function signIn(person) {
  const { context, page, close } = await open({ expects: ["401"] });
  await page.goto(`${desk}/console/payouts`);
  await page.waitForSelector("form");
  await page.fill('input[autocomplete="username"]', person.name);
  for (const input of await page.locator('input[type="password"]').all()) await input.fill(person.password);
  await page.click("button[type=submit]");
  await page.waitForSelector("nav");
  const state = await context.storageState();
  await close();
  return state;
}
const drawer = (page) => page.locator(".ant-drawer");
const fill = async (page, { who, amount, remark = "\u8001\u5e26\u65b0\u5956\u52b1", reason = "\u5341\u6708\u7b54\u5e94\u7684", name }) => {
  const box = drawer(page);
  if (who) {
    await box.getByLabel("\u4f1a\u5458", { exact: true }).fill(who);
    await box.getByRole("button", { name: "\u67e5\u770b" }).click();
    await box.getByRole("button", { name: "\u6362\u4e00\u4f4d" }).waitFor();
  }
  await box.getByLabel(/^\u91d1\u989d/).fill(amount);
  await box.getByLabel("\u5907\u6ce8").fill(remark);
  await box.getByLabel("\u539f\u56e0").fill(reason);
  if (name) await box.getByLabel("\u771f\u5b9e\u59d3\u540d").fill(name);
  await box.getByRole("button", { name: "\u4e0b\u4e00\u6b65" }).click();
};
const listed = async (query = "") => (await ask("GET", `/v1/payouts${query}`)).items;

const checks = [];
const check = (name, run) => checks.push({ name, run });
let owner;
let second;
let sent;

check("an empty page says what to do first; a form tells at each field what is missing, and nothing leaves before it was looked over", async () => {
  owner = await signIn(OWNER);
  const { page, close } = await open({ state: owner, expects: ["/v1/commands/members/lookup"] });
  await page.goto(`${desk}/console/payouts`);
  await page.waitForSelector(".none");
  await sound(page, "payouts-none-desk-zh");
  await page.locator(".none button").click();
  await drawer(page).getByRole("button", { name: "\u4e0b\u4e00\u6b65" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".ant-drawer .fault").length === 4);
  await sound(page, "payouts-form-faults-desk-zh");
  // By how their name begins.
  await fill(page, { who: "\u5f20", amount: "2500" });
  await says(page, ".ant-drawer", "2000 \u5143\u8d77\u8981\u5199");
  await fill(page, { amount: "88" });
  await says(page, ".ant-drawer h2", "\u7ed9 \u5f20\u4f1f \u8f6c \u00a588.00");
  await sound(page, "payouts-look-desk-zh");
  assert.deepEqual(await listed(), []);
  await close();
});

check("one whose answer got lost is asked for again under the same key, also after the page was loaded anew, and made once", async () => {
  const { page, close } = await open({ state: owner, expects: ["/v1/commands/members/lookup", "Failed to load", "ERR_"] });
  await page.goto(`${desk}/console/payouts?payout=new`);
  await fill(page, { who: PHONE, amount: "88" });
  await page.route("**/v1/payouts", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await drawer(page).getByRole("button", { name: "\u786e\u8ba4\u8f6c" }).click();
  await says(page, ".ant-drawer", "\u4e0d\u4f1a\u8f6c\u4e24\u6b21");
  await sound(page, "payouts-lost-desk-zh");
  await page.unroute("**/v1/payouts");
  await page.reload();
  await drawer(page).getByRole("button", { name: "\u518d\u95ee\u4e00\u6b21" }).click();
  await page.waitForURL(/payout=[0-9a-f]{32}/);
  const all = await listed();
  [sent] = all;
  assert.deepEqual(all.map((one) => one.amount_minor), [8_800], "it was made once");
  await page.waitForSelector(".ant-drawer dl.facts");
  await until("the platform's answer", async () => (await listed())[0].state === "waits_for_person");
  await page.reload();
  await says(page, ".ant-drawer", "\u5f85\u4f1a\u5458\u786e\u8ba4");
  await sound(page, "payouts-one-desk-zh");
  await close();
});

check("the member sees it first on their home page, confirms it on WeChat's own page, and has it; the desk sees that they do", async () => {
  const { context, page, close } = await open({ expects: ["401"], size: { width: 390, height: 844 }, isMobile: true, hasTouch: true, userAgent: "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0.50" });
  await page.exposeFunction("confirms", async (name, what) => {
    assert.deepEqual([name, what], ["requestMerchantTransfer", { mchId: MCHID, appId: APPID, package: `package-${(await listed())[0].platform_number}` }]);
    await act("pay/confirm", { out_bill_no: sent.payout });
  });
  await context.addInitScript(() => {
    window.WeixinJSBridge = { invoke: (name, what, then) => void window.confirms(name, what).then(() => then({ err_msg: `${name}:ok` }), () => then({ err_msg: `${name}:fail` })) };
  });
  await page.goto(`${phone}/m/`);
  await page.fill("input[name=phone]", PHONE);
  await page.click("form button[type=submit]");
  await page.waitForSelector("input[name=code]");
  await page.fill("input[name=code]", execFileSync("node", [new URL("sms-code.mjs", import.meta.url).pathname, platform, PHONE]).toString().trim());
  await page.click("form button[type=submit]");
  await page.waitForSelector("a[href='#/payouts']");
  await says(page, ".leads li", "\u00a588.00 \u7b49\u60a8\u786e\u8ba4\u6536\u6b3e\uff1a\u8001\u5e26\u65b0\u5956\u52b1");
  await sound(page, "payouts-m-home-zh");
  await page.locator(".leads li a").first().click();
  await page.locator("main .button.go").click();
  await says(page, "main", "\u7a0d\u540e\u5230\u8d26");
  await until("it", async () => (await ask("GET", `/v1/payouts/${sent.payout}`)).state === "done");
  await page.reload();
  await says(page, "main", "\u5df2\u5230\u8d26");
  await sound(page, "payouts-m-received-zh");
  await close();
  const at = await open({ state: owner });
  await at.page.goto(`${desk}/console/payouts?payout=${sent.payout}`);
  await says(at.page, ".ant-drawer", "\u4f1a\u5458\u5df2\u7ecf\u6536\u5230");
  assert.equal(await drawer(at.page).getByRole("button", { name: "\u64a4\u9500" }).count(), 0);
  await at.close();
});

check("above the limit of one person it waits for a second one, who approves it; one's own one cannot; one is refused, one cancelled", async () => {
  const { page, close } = await open({ state: owner, expects: ["/v1/commands/members/lookup"] });
  for (const amount of ["300", "301", "5"]) {
    await page.goto(`${desk}/console/payouts?payout=new`);
    await fill(page, { who: PHONE, amount });
    await drawer(page).getByRole("button", { name: "\u786e\u8ba4\u8f6c" }).click();
    await page.waitForURL(/payout=[0-9a-f]{32}/);
  }
  // The last needs nobody, and is not wanted any more.
  await drawer(page).getByRole("button", { name: "\u64a4\u9500" }).click();
  await page.locator(".ant-popconfirm").getByRole("button", { name: "\u64a4\u9500" }).click();
  await until("it", async () => (await listed()).some((one) => one.amount_minor === 500 && one.state === "cancelled"));
  const [refuse, approve] = (await listed("?state=waits_for_approval")).map((one) => one.payout);
  await page.goto(`${desk}/console/payouts?payout=${approve}`);
  await says(page, ".ant-drawer", "\u7531\u522b\u4eba\u5ba1\u6279");
  assert.equal(await drawer(page).getByRole("button", { name: "\u6279\u51c6" }).count(), 0);
  await page.evaluate(async (body) => {
    const { csrf } = await (await fetch("/v1/session")).json();
    const made = await fetch("/v1/people", { method: "POST", headers: { "Content-Type": "application/json", "X-Zhiyin-CSRF": csrf }, body: JSON.stringify(body) });
    if (!made.ok) throw new Error(await made.text());
  }, { ...SECOND, role: "marketer" });
  await close();
  second = await signIn(SECOND);
  const theirs = await open({ state: second, expects: ["409"] });
  await theirs.page.goto(`${desk}/console/approvals`);
  await theirs.page.locator("main a", { hasText: "\u8f6c\u8d26" }).click();
  await theirs.page.waitForSelector("table tbody tr");
  await sound(theirs.page, "payouts-waiting-desk-zh");
  await theirs.page.goto(`${desk}/console/payouts?payout=${approve}`);
  await drawer(theirs.page).getByRole("button", { name: "\u6279\u51c6" }).click();
  await theirs.page.locator(".ant-popconfirm").getByRole("button", { name: "\u6279\u51c6" }).click();
  await until("the platform's answer", async () => (await ask("GET", `/v1/payouts/${approve}`)).state === "waits_for_person");
  await theirs.page.goto(`${desk}/console/payouts?payout=${refuse}`);
  await drawer(theirs.page).getByRole("button", { name: "\u9a73\u56de" }).click();
  await says(theirs.page, ".ant-drawer", "\u7b2c\u4e8c\u4e2a\u4eba\u9a73\u56de\u4e86");
  await sound(theirs.page, "payouts-refused-desk-zh");
  await theirs.close();
});

check("whoever no app knows cannot be sent anything, which is told at the field with what to do", async () => {
  const { page, close } = await open({ state: owner, expects: ["/v1/commands/members/lookup", "422"] });
  await page.goto(`${desk}/console/payouts?payout=new`);
  await fill(page, { who: "13812341234", amount: "1.50" });
  await drawer(page).getByRole("button", { name: "\u786e\u8ba4\u8f6c" }).click();
  await says(page, ".ant-drawer .fault", "\u8bf7\u5148\u8ba9\u4f1a\u5458\u7528\u5fae\u4fe1\u767b\u5f55");
  await sound(page, "payouts-unknown-desk-zh");
  await close();
});

check("the list, one whole and the form: in English, dark, and on a phone; cut by state and month, and as a file", async () => {
  for (const [name, lang, light, size] of [["phone-en", "en", "light", { width: 390, height: 844 }], ["desk-en", "en", "dark", { width: 1440, height: 900 }], ["phone-zh", "zh", "dark", { width: 390, height: 844 }]]) {
    const { page, close } = await open({ state: owner, lang, light, size });
    for (const [of, path, sign] of [["list", "", "table tbody tr"], ["whole", `?payout=${sent.payout}`, ".ant-drawer dl.facts"], ["form", "?payout=new", ".ant-drawer form"], ["none", "?month=2020-01", ".none"]]) {
      await page.goto(`${desk}/console/payouts${path}`);
      await page.waitForSelector(sign);
      await sound(page, `payouts-${of}-${name}`);
      if (lang === "en") assert.doesNotMatch((await page.evaluate(() => document.querySelector("main").innerText)).replaceAll("\u8001\u5e26\u65b0\u5956\u52b1", "").replaceAll("\u5341\u6708\u7b54\u5e94\u7684", ""), /[\u3000-\u303f\u4e00-\u9fff]/);
    }
    await close();
  }
  const { page, close } = await open({ state: owner });
  await page.goto(`${desk}/console/payouts?state=done`);
  await page.waitForFunction(() => document.querySelectorAll("table tbody tr").length === 1);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "\u5bfc\u51fa CSV" }).click()]);
  const csv = readFileSync(await file.path(), "utf8");
  assert.match(csv, /,88,.*\u5df2\u5230\u8d26/);
  await close();
});

let failed = 0;
for (const { name, run } of checks) {
  const began = Date.now();
  try {
    await run();
    console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${String(error.stack).split("\n").slice(0, 14).join("\n     ")}`);
  }
}
await browser.close();
for (const end of [served?.desk.end, served?.phone.end]) end?.();
// The simulator ends with its pipe, the home when it is told.
for (const child of children.reverse()) child.kill("SIGTERM");
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
