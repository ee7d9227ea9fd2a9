// What blocks write is what the home takes: conditions of every shape, grouped, turned around and taken apart, are asked of a real one.
//
//   ZHIYIN_JUDGE=http://127.0.0.1:8080 ZHIYIN_JUDGE_KEY=… npm run judge -w console
import fc from "fast-check";
import { expect, test } from "vitest";
import { add, blockOf, join, negate, nest, printed, remove, type Block } from "../src/condition/blocks";
import { begun, OPERATORS, SHAPES, shapeOf, withOperator, type Hole, type Shape } from "../src/condition/shapes";
import { parse, print, type Node } from "../src/condition/tree";

// The same each time: what one run finds the next one finds.
fc.configureGlobal({ seed: 20261128 });

const home = process.env.ZHIYIN_JUDGE ?? "";
const key = process.env.ZHIYIN_JUDGE_KEY ?? "";

async function judged(condition: string): Promise<{ count?: number; detail?: string }> {
  const response = await fetch(new URL("/v1/audiences/count", home), { method: "POST", headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" }, body: JSON.stringify({ condition }) });
  return (await response.json()) as { count?: number; detail?: string };
}

// Values that the demo's brand knows.
const VALUES: Partial<Record<Hole["kind"], string | number | string[]>> = {
  number: 3, window: "90d", tier: "gold", tiers: ["gold", "silver"], stage: "maturity", stages: ["growth"], tag: "stockpiler", audience: "shoppers", purpose: "marketing", channel: "email", event: "Coupon Issued",
  text: "x", texts: ["x", "y"], name: "test 1", weekdays: ["mon", "sun"], clock: "19:30",
};
const attribute = (shape: Shape) => (shape.key === "attr_number" ? "household_size_n" : "city");
const made = (shape: Shape): Node => begun(shape.key, (hole) => (hole.kind === "attribute" ? attribute(shape) : (VALUES[hole.kind] ?? "")));
// What asks for an attribute of another kind than the demo has, or for the present, which an audience cannot.
const OUT = ["attr_number", "attr_true"];
const shapes = (SHAPES as readonly Shape[]).filter((shape) => !OUT.includes(shape.key));

test.each(shapes.map((shape) => [shape.key, shape] as const))("%s is taken with each of its operators", async (_, shape) => {
  const node = made(shape);
  const found = shapeOf(node);
  const all = shape.compares && found ? OPERATORS[shape.compares].map((operator) => withOperator(node, found, operator)) : [node];
  for (const one of all) {
    const text = print({ root: one, after: "" });
    const answer = await judged(text);
    expect(answer.count, `${text}: ${answer.detail}`).toBeTypeOf("number");
  }
});

const blocks = (block: Block): Block[] => [block, ...(block.kind === "group" ? block.blocks.flatMap(blocks) : [])];
const step = fc.record({ what: fc.constantFrom("add", "nest", "not", "join", "remove"), which: fc.nat(), shape: fc.constantFrom(...shapes) });

test("whatever is done with blocks, the home takes what they write; and not not is what it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...shapes), fc.array(step, { minLength: 1, maxLength: 6 }), async (first, steps) => {
      let tree = parse(`// first\n${print({ root: made(first), after: "" })} // last`);
      for (const { what, which, shape } of steps) {
        const all = blocks(blockOf(tree.root));
        const block = all[which % all.length] as Block;
        if (what === "remove") tree = remove(tree, block) ?? tree;
        else {
          const root = what === "add" ? add(tree.root, block, made(shape)) : what === "nest" ? nest(tree.root, block, made(shape)) : what === "not" ? negate(tree.root, block) : block.kind === "group" ? join(tree.root, block, block.joins === "and" ? "or" : "and") : tree.root;
          tree = parse(printed(tree, root));
        }
      }
      const text = print(tree);
      const answer = await judged(text);
      expect(answer.count, `${text}: ${answer.detail}`).toBeTypeOf("number");
      const twice = negate(tree.root, blockOf(tree.root));
      const again = await judged(printed(tree, negate(twice, blockOf(twice))));
      expect(again.count).toBe(answer.count);
    }),
    { numRuns: 60 },
  );
}, 60_000);
