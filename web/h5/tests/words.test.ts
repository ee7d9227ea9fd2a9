// The words of all apps: every key in both languages, none that no page says, none said that is not there.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { words as a } from "../src/a/words";
import { words as m } from "../src/m/words";
import { words as pos } from "../src/pos/words";

const src = new URL("../src", import.meta.url).pathname;
const files = (folder: string) => (readdirSync(join(src, folder)) as string[]).filter((name) => /\.tsx?$/.test(name) && !["words.ts", "words-zh.ts", "words-en.ts", "said.ts"].includes(name)).map((name) => [`${folder}/${name}`, readFileSync(join(src, folder, name), "utf8")] as const);
const own = { a: [...files("a"), ...files("shared")], m: [...files("m"), ...files("shared")], pos: [...files("pos"), ...files("shared")] };

for (const [name, words] of Object.entries({ a, m, pos })) {
  const sources = own[name as "a" | "m" | "pos"];
  test(`${name}: each language has every key of the other, with the same holes`, () => {
    expect(Object.keys(words.en).sort()).toEqual(Object.keys(words.zh).sort());
    const holes = (text = "") => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();
    for (const [key, text] of Object.entries(words.zh)) expect(holes(words.en[key]), key).toEqual(holes(text));
  });

  test(`${name}: what a page says is there, and what is there is said`, () => {
    const text = sources.map(([, source]) => source).join("\n");
    for (const [file, source] of sources) {
      for (const [, key] of source.matchAll(/\bt\(\s*"([^"]+)"/g)) expect(words.zh, `${file} says ${key}`).toHaveProperty([key ?? ""]);
      for (const [, group] of source.matchAll(/\bword\(\s*"([^"]+)"/g)) expect(Object.keys(words.zh).some((key) => key.startsWith(`of.${group}.`)), `${file} names ${group}`).toBe(true);
    }
    const begun = [...text.matchAll(/\bt\(\s*`([^$`]+)\$\{/g)].map((found) => found[1] ?? "");
    const silent = Object.keys(words.zh).filter((key) => !key.startsWith("of.") && !text.includes(`"${key}"`) && !begun.some((start) => key.startsWith(start)));
    expect(silent).toEqual([]);
  });

  test(`${name}: no Chinese in English, none in a page; full-width marks and a space beside Latin in Chinese`, () => {
    const han = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;
    for (const [key, said] of Object.entries(words.en)) expect(han.test(said), `${key}: ${said}`).toBe(false);
    for (const [file, source] of sources) expect(han.exec(source.replaceAll(/\/\*\*?[\s\S]*?\*\/|\/\/.*$/gm, ""))?.[0], file).toBeUndefined();
    for (const [key, said] of Object.entries(words.zh)) {
      expect(/[\u4e00-\u9fff][,;!?()]|[,;!?()][\u4e00-\u9fff]/.test(said), `${key}: ${said}`).toBe(false);
      expect(/[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]/.test(said), `${key}: ${said}`).toBe(false);
    }
  });
}
