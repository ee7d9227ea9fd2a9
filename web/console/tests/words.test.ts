// The words of the console: every key in both languages, none that no page says, none said that is not there.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh";

const src = new URL("../src", import.meta.url).pathname;
const flat = (words: object, before = ""): Map<string, string> =>
  new Map(Object.entries(words).flatMap(([key, value]) => (typeof value === "string" ? [[`${before}${key}`, value] as const] : [...flat(value as object, `${before}${key}.`)])));
const sources = (readdirSync(src, { recursive: true }) as string[])
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("words/"))
  .map((name) => [name, readFileSync(join(src, name), "utf8")] as const);
const chinese = flat(zh);
const english = flat(en);

test("each language has every key of the other", () => {
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
});

test("what is put into a sentence is put in in both languages", () => {
  const holes = (text: string | undefined) => [...(text ?? "").matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]).sort();
  for (const [key, text] of chinese) expect(holes(english.get(key)), key).toEqual(holes(text));
});

test("every key that a page says is there, and every key that is there is said", () => {
  const said = new Set<string>();
  const begun: string[] = [];
  for (const [name, text] of sources) {
    for (const [, key] of text.matchAll(/\bt\(\s*"([^"]+)"/g)) {
      expect(chinese.has(key ?? ""), `${name} says ${key}`).toBe(true);
      said.add(key ?? "");
    }
    for (const [, start] of text.matchAll(/\bt\(\s*`([^$`]+)\$\{/g)) begun.push(start ?? "");
    for (const [, key] of text.matchAll(/\?\s*t\("([^"]+)"/g)) said.add(key ?? "");
  }
  const silent = [...chinese.keys()].filter((key) => !key.startsWith("of.") && !said.has(key) && !begun.some((start) => key.startsWith(start)));
  expect(silent).toEqual([]);
});

test("groups of values that a page names are there", () => {
  for (const [name, text] of sources) {
    for (const [, group] of text.matchAll(/\bword\(\s*"([^"]+)"/g)) expect(Object.keys(zh.of), `${name} names ${group}`).toContain(group);
  }
});

test("no Chinese in English, none in a page; full-width marks and a space beside Latin in Chinese", () => {
  const han = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;
  for (const [key, text] of english) expect(han.test(text), `${key}: ${text}`).toBe(false);
  for (const [name, text] of sources) {
    // What each language is called, and how Chinese counts, is said in that language.
    const rest = text.replaceAll(/[万亿折]|切换到中文|中文/g, "").replaceAll(/\/\*\*?[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(han.exec(rest)?.[0], name).toBeUndefined();
  }
  for (const [key, text] of chinese) {
    expect(/[\u4e00-\u9fff][,;!?()]|[,;!?()][\u4e00-\u9fff]/.test(text), `${key}: ${text}`).toBe(false);
    expect(/[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]/.test(text), `${key}: ${text}`).toBe(false);
  }
});
