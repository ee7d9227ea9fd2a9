// What tests of phones' pages share: a page that fails its check on whatever goes wrong, and what every page has to hold.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
// Whatever is waited for comes, or the page is stuck: a machine that computes beside may take half a minute for a second's work.
const PATIENCE_MS = 120_000;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }, resultTypes: ["violations"] };

/** A Chromium for pages of `origin`. `keys`: how keys of words begin, which nobody should read on a page. */
export async function phones({ origin, shots, keys }) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS });
  if (shots) mkdirSync(shots, { recursive: true });
  const unsaid = new RegExp(`\\b(${keys.join("|")})\\.[a-z_]+\\b`);

  /** A page of its own that fails its check on a request elsewhere, an error in the console or an exception. */
  async function open({ state, lang = "zh", light = "light", width = 390, expects = [], ...more } = {}) {
    const context = await browser.newContext({
      viewport: { width, height: 844 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      colorScheme: light,
      locale: lang === "zh" ? "zh-CN" : "en-US",
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
      ...(state ? { storageState: state } : {}),
      ...more,
    });
    context.setDefaultTimeout(PATIENCE_MS);
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
    return {
      context,
      page,
      close: async () => {
        assert.deepEqual(faults, [], "faults of the page");
        await context.close();
      },
    };
  }

  /** Nothing is missing in what is seen: axe is content, it fits, it can be pressed by a thumb, and it says nothing that nobody should read. */
  async function sound(page, name, { whole = false } = {}) {
    await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".bone") === null);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    if (name && shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: whole });
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
    const violations = await page.evaluate(async (rules) => (await window.axe.run(document, rules)).violations, RULES);
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`),
      [],
      `axe on ${name}`,
    );
    const said = await page.evaluate(() => document.body.innerText);
    assert.doesNotMatch(said, /undefined|NaN|\[object|\bnull\b|\{\w+\}/, "what nobody should read");
    assert.doesNotMatch(said, unsaid, "a key without words");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input:not([type=checkbox]), select, summary")]
        .map((one) => [one, one.getBoundingClientRect()])
        .filter(([, { width, height }]) => width > 0 && (height < 43.5 || width < 40))
        .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 80)} ${width}×${height}`),
    );
    assert.deepEqual(small, [], `${name}: too small for a thumb`);
  }
  return { browser, open, sound };
}

/** Checks by name, one after the other; those that `only` names, and those that the others need. */
export function checks() {
  const all = [];
  return {
    check: (name, run, { needed = false } = {}) => all.push({ name, run, needed }),
    run: async (only) => {
      let failed = 0;
      let passed = 0;
      for (const { name, run, needed } of all) {
        if (only && !name.includes(only) && !needed) continue;
        const began = Date.now();
        try {
          await run();
          passed += 1;
          console.log(`ok    ${name} (${Date.now() - began} ms)`);
        } catch (error) {
          failed += 1;
          console.log(`FAIL  ${name}\n${error.stack ?? error}`);
        }
      }
      console.log(`${passed} passed, ${failed} failed`);
      return failed;
    },
  };
}
