// What a webhook may be told of is what the home tells, and is called something in both languages.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KINDS } from "../src/pages/settings/kinds";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh";

test("the kinds to choose from are those of the document, but the test's own", () => {
  const text = readFileSync(new URL("../../../docs/webhooks.md", import.meta.url), "utf8");
  const told = [...text.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \|/gm)].map((found) => found[1]);
  expect(told.length).toBeGreaterThan(30);
  expect([...KINDS, "webhook.test"]).toEqual(told);
});

test("each kind and its group is called something", () => {
  for (const { of } of [zh, en]) {
    const kinds = (of as unknown as { hook_kind: Record<string, string>; hook_group: Record<string, string> }).hook_kind;
    expect(Object.keys(kinds)).toEqual(KINDS.map((kind) => kind.replaceAll(".", "_")));
    expect(new Set(Object.keys(of.hook_group))).toEqual(new Set(KINDS.map((kind) => kind.split(".")[0])));
  }
});
