// A playbook's text is changed where it is meant to be, and nowhere else.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { csvOf } from "../src/csv";
import { dropAt, dropItem, putIn, putItem, setAt, valueAt } from "../src/yaml-edit";

const shop = readFileSync(new URL("../../tests/shop.yaml", import.meta.url), "utf8");
const store = readFileSync(new URL("../../../playbooks/variety-store.yaml", import.meta.url), "utf8");
/** Lines of one text that the other does not have, and the other way. */
const changed = (old: string, next: string) => {
  const [a, b] = [old.split("\n"), next.split("\n")];
  return { gone: a.filter((line) => !b.includes(line)), come: b.filter((line) => !a.includes(line)) };
};

test("a value changes on its own line", () => {
  const next = setAt(shop, ["offers", "gold-ten", "off"], 12);
  expect(changed(shop, next)).toEqual({ gone: ["    off: 10"], come: ["    off: 12"] });
  expect(parse(next).offers["gold-ten"].off).toBe(12);
});
test("a comment beside it stays, and within braces what has to be is quoted", () => {
  const next = setAt(store, ["tiers", "levels", "silver", "from"], 4000);
  expect(changed(store, next).come).toEqual(["    silver:  { from: 4000, name: { zh: 银卡, en: Silver },  aim: referral and basket }"]);
  const named = setAt(shop, ["offers", "gold-ten", "name", "en"], "Ten, off");
  expect(parse(named).offers["gold-ten"].name.en).toBe("Ten, off");
  const twice = setAt(store, ["draws", "concert", "from"], "2020-06-02");
  expect(twice).toContain("from: 2020-06-02\n");
  expect(twice.length).toBe(store.length);
});
test("a condition with every sign of YAML in it is read back as it was written", () => {
  for (const said of ['"vip" in tags // best: #1', 'tier == "gold"\n  && true', "{ odd", "# none", "a: b", "yes", "@x", "- 1", "'q'"]) {
    for (const place of [["offers", "gold-ten", "who"], ["audiences", "shoppers", "who"]]) expect(valueAt(setAt(shop, place, said), place), said).toBe(said);
    expect(valueAt(putIn(shop, ["offers", "gold-ten"], "when", said), ["offers", "gold-ten", "when"]), said).toBe(said);
    expect(valueAt(setAt(store, ["points", "earn", 1, "who"], said), ["points", "earn", 1, "who"]), said).toBe(said);
  }
});
test("one more key stands after the others, nothing else moves", () => {
  const next = putIn(shop, ["audiences"], "late", { name: { zh: "晚", en: "Late" }, who: "true" });
  expect(changed(shop, next).gone).toEqual([]);
  expect(parse(next)).toEqual({ ...parse(shop), audiences: { ...parse(shop).audiences, late: { name: { zh: "晚", en: "Late" }, who: "true" } } });
  for (const section of Object.keys(parse(store))) {
    if (typeof parse(store)[section] !== "object" || parse(store)[section] === null || Array.isArray(parse(store)[section])) continue;
    const more = putIn(store, [section], "zz", { a: 1 });
    expect(parse(more), section).toEqual({ ...parse(store), [section]: { ...parse(store)[section], zz: { a: 1 } } });
    expect(changed(store, more).gone.length, section).toBeLessThanOrEqual(1);
  }
});
test("a section that is not there is made at the end; an empty one is filled", () => {
  expect(parse(putIn("playbook: a\n", ["audiences"], "b", { who: "true" }))).toEqual({ playbook: "a", audiences: { b: { who: "true" } } });
  expect(parse(putIn("playbook: a\noffers: {}\nx: 1\n", ["offers"], "b", { off: 1 }))).toEqual({ playbook: "a", offers: { b: { off: 1 } }, x: 1 });
});
test("a key goes with its lines, and no other", () => {
  for (const [source, place] of [[shop, ["offers", "gold-ten", "who"]], [shop, ["offers", "back-8"]], [shop, ["campaigns", "thank-you"]], [store, ["draws", "concert", "alternates"]], [shop, ["offers", "gold-ten", "name", "zh"]]] as const) {
    const want = structuredClone(parse(source)) as Record<string, unknown>;
    const above = place.slice(0, -1).reduce<Record<string, unknown>>((of, key) => of[key] as Record<string, unknown>, want);
    delete above[place.at(-1) as string];
    expect(parse(dropAt(source, place))).toEqual(want);
  }
});
test("a step goes in between, or goes, and the others stand as they stood", () => {
  const lists: [string, (string | number)[]][] = [
    [shop, ["campaigns", "win-back", "steps"]],
    [shop, ["campaigns", "thank-you", "steps"]],
    [shop, ["draws", "spring", "prizes"]],
    [store, ["points", "earn"]],
    [store, ["languages"]],
  ];
  for (const [source, place] of lists) {
    const items = valueAt(source, place) as unknown[];
    for (let at = 0; at <= items.length; at += 1) {
      const made = { send: "x: #y", by: ["inbox", "till"] };
      const more = putItem(source, place, at, made);
      expect(valueAt(more, place), `${place} ${at}`).toEqual([...items.slice(0, at), made, ...items.slice(at)]);
      expect(changed(source, more).gone.length).toBeLessThanOrEqual(1);
      expect(valueAt(dropItem(more, place, at), place), `${place} ${at}`).toEqual(items);
    }
  }
});
test("what a spreadsheet would reckon with is kept from being a formula", () => {
  expect(csvOf(["a", "b"], [["=1+1", 'say "hi", you'], [-3, null]])).toBe('\ufeffa,b\r\n\'=1+1,"say ""hi"", you"\r\n-3,\r\n');
});
