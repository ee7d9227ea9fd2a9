// A campaign as it is drawn: every step once, nothing over another, and problems found where they are.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { beginsOn, daysOf } from "../src/pages/campaign/days";
import { draw, idOfPath, TALL, WIDE } from "../src/pages/campaign/steps";

const shop = parse(readFileSync(new URL("../../tests/shop.yaml", import.meta.url), "utf8"));
const store = parse(readFileSync(new URL("../../../playbooks/variety-store-campaigns.yaml", import.meta.url), "utf8"));
const all = [...Object.entries(shop.campaigns), ...Object.entries(store.campaigns)] as [string, Record<string, unknown>][];

test.each(all)("%s: no step lies over another, and all but the begin are led to", (id, campaign) => {
  const { nodes, lines } = draw(campaign, ["campaigns", id]);
  for (const one of nodes) {
    for (const other of nodes) {
      if (one === other) continue;
      expect(Math.abs(one.x - other.x) >= WIDE || Math.abs(one.y - other.y) >= TALL, `${one.id} ${other.id}`).toBe(true);
    }
    if (one.kind !== "begin") expect(lines.some((line) => line.to === one.id), one.id).toBe(true);
  }
  expect(new Set(lines.map((line) => line.id)).size).toBe(lines.length);
});
test("a problem is shown at the step that it is of", () => {
  const { nodes } = draw(shop.campaigns["second-order"], ["campaigns", "second-order"]);
  expect(idOfPath("campaigns.second-order.steps[2].then[0].tag", nodes)).toBe("campaigns/second-order/steps/2/then/0");
  expect(idOfPath("campaigns.second-order.steps[2].else[0].split[1].share", nodes)).toBe("campaigns/second-order/steps/2/else/0");
  expect(idOfPath("campaigns.second-order.goal", nodes)).toBe("campaigns/second-order");
  expect(idOfPath("offers.back-8", nodes)).toBeUndefined();
});
test("weeks begin on Monday and hold the whole month", () => {
  expect(daysOf("2018-01").flat().slice(0, 1)).toEqual(["2018-01-01"]);
  expect(daysOf("2024-02")[0]?.[0]).toBe("2024-01-29");
  expect(daysOf("2024-02").flat().filter((day) => day.startsWith("2024-02")).length).toBe(29);
  expect(daysOf("2026-12").every((week) => week.length === 7)).toBe(true);
});
test("what the clock sets off has its days", () => {
  expect(beginsOn(shop.campaigns, "2018-01-03")).toEqual([{ campaign: "wednesday", at: "10:00" }]);
  expect(beginsOn(shop.campaigns, "2018-01-04")).toEqual([]);
  expect(beginsOn({ a: { on: "every day at 9:00 in x", from: "2018-01-02", until: "2018-01-02" } }, "2018-01-03")).toEqual([]);
});
