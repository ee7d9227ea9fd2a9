// Lists: a tree that folds, and what is looked for in a list.
import fc from "fast-check";
import { expect, test } from "vitest";
import { below, folded } from "../src/pages/settings/tree";
import { having } from "../src/parts/having";
import type { Column } from "../src/parts/table";

const tree = [
  { code: "brand", level: 0 },
  { code: "east", level: 1 },
  { code: "330", level: 2 },
  { code: "404", level: 2 },
  { code: "west", level: 1 },
];

test("what lies below a folded place is not seen, however deep; its neighbours are", () => {
  expect(folded(tree, new Set(["east"])).map((row) => row.code)).toEqual(["brand", "east", "west"]);
  expect(folded(tree, new Set(["brand"])).map((row) => row.code)).toEqual(["brand"]);
  expect(folded(tree, new Set())).toEqual(tree);
  expect(Object.fromEntries(below(tree))).toEqual({ brand: 4, east: 2 });
});

test("folding hides exactly as many as lie below", () => {
  const rows = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }).map((levels) => {
    let last = -1;
    return levels.map((level, at) => ({ code: String(at), level: (last = Math.min(level, last + 1)) }));
  });
  fc.assert(
    fc.property(rows, fc.nat(29), (all, at) => {
      const one = all[at];
      if (!one) return;
      expect(all.length - folded(all, new Set([one.code])).length).toBe(below(all).get(one.code) ?? 0);
    }),
    { seed: 11, numRuns: 500 },
  );
});

test("all that is typed stands somewhere in a row's words", () => {
  const columns: Column<{ a: string; b: number }>[] = [
    { key: "a", title: "A", text: (row) => row.a, cell: () => null },
    { key: "b", title: "B", text: (row) => row.b, cell: () => null },
    { key: "c", title: "C", cell: () => null },
  ];
  const rows = [{ a: "Gold Ten", b: 10 }, { a: "Snacks", b: 2 }];
  expect(having(rows, columns, " gold 10 ")).toEqual([rows[0]]);
  expect(having(rows, columns, "gold 2")).toEqual([]);
  expect(having(rows, columns, "")).toEqual(rows);
});
