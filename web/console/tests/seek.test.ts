// What somebody typed, and what it may be of.
import { expect, test } from "vitest";
import { isId, isName, readings } from "../src/seek";

test.each([
  ["card:1001", ["card"], "1001"],
  ["a@b.example", ["email"], "a@b.example"],
  ["13912345678", ["phone", "household"], "13912345678"],
  ["88", ["user", "card", "household"], "88"],
  ["Ann", [], undefined],
])("%s is looked for as %j", (typed, namespaces, value) => {
  const found = readings(typed, ["household", "phone"]);
  expect(found.map((one) => one.namespace)).toEqual(namespaces);
  expect(found[0]?.value).toBe(value);
});

test.each([
  ["张伟", true],
  ["zhang wei", true],
  ["88", false],
  ["139 1234 5678", false],
  ["card:1001", false],
  ["a@b.example", false],
  ["000e2088595213683db07013825d26e4", false],
  ["a b c d e f g", false],
])("%s may be a name: %s", (typed, may) => {
  expect(isName(typed)).toBe(may);
});

test("an id is told from a number", () => {
  expect(isId("000e2088595213683db07013825d26e4")).toBe(true);
  expect(isId("13912345678")).toBe(false);
});
