// What a simulation found, as the pages show it; and steps of a check.
import { expect, test } from "vitest";
import { failedOf, markOf, toneOf, waitingOf } from "../src/pages/settings/steps";
import { gistOf, sampleFits, sumsOf, yearBefore, type Simulated, type Sum } from "../src/parts/simulated";

const sum = (measure: string, live: number, changed: number, money = false): Sum => ({ measure, money, live, changed, difference: changed - live, behaviour: "assumed_unchanged" });
const totals = [sum("orders", 10, 10), sum("offers_cost", 0, 1_200, true), sum("points_granted", 500, 480), sum("points_expired", 0, 0)];
const groups: Simulated["groups"] = [
  { by: "all", group: "", members: 9, gain: 4, lose: 1, money_gain: 1_200, money_lose: 0, points: -20, behaviour: "assumed_unchanged" },
  { by: "tier", group: "gold", members: 3, gain: 3, lose: 0, money_gain: 900, money_lose: 0, points: 0, behaviour: "assumed_unchanged" },
];
const members = { replayed: 9, erased: 0, joined: 0, factor_thousandths: 1_000, sample: false };

test("sums that are nothing on both sides are left out", () => {
  expect(sumsOf({ totals }).map((one) => one.measure)).toEqual(["orders", "offers_cost", "points_granted"]);
});

test("the gist is what it costs and whom it touches, of all members and not of a group", () => {
  const found = { totals, groups, members, reproduced: { compared: 9, equal: 9 } };
  expect(gistOf(found)).toEqual({ cost: 1_200, cost_of_all: undefined, points: -20, gain: 4, lose: 1, replayed: 9, true_to_record: true });
  const sampled = gistOf({ ...found, members: { ...members, factor_thousandths: 2_500, sample: true }, reproduced: { compared: 9, equal: 8 } });
  expect([sampled.cost_of_all, sampled.true_to_record]).toEqual([3_000, false]);
  expect(gistOf({ ...found, totals: [], groups: [] })).toMatchObject({ cost: 0, points: 0, gain: 0, lose: 0 });
});

test("a year ends on the day and begins on the same day of the year before", () => {
  expect(yearBefore("2026-11-28")).toEqual({ from: "2025-11-28", to: "2026-11-28" });
  expect(yearBefore("2024-02-29").from).toBe("2023-02-28");
});

test("a sample is what the home takes", () => {
  for (const text of ["", " ", "1", "10000", "2.5%", "100%", "0.01%"]) expect(sampleFits(text), text).toBe(true);
  for (const text of ["0", "-1", "0%", "101%", "0.125%", "x", "%", "1e3"]) expect(sampleFits(text), text).toBe(false);
});

test("steps have a mark of their own, and what nobody foresaw is a question", () => {
  expect(["well", "wrong", "left", "skipped", "other"].map(markOf)).toEqual(["✓", "✕", "–", "?", "?"]);
  expect(toneOf("well")).not.toBe(toneOf("wrong"));
});

test("messages that wait and those to look at are counted over a channel's ways", () => {
  const of = (state: string, n: number, channel = "wechat") => ({ channel, state, n });
  const messages = [of("waiting", 2), of("handed", 1), of("sent", 50), of("failed", 3), of("failed", 1, "wechat_mini"), of("unknown", 1), of("dropped", 9)];
  expect([waitingOf({ messages }), failedOf({ messages })]).toEqual([3, 5]);
});
