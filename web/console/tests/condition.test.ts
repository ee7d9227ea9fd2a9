// The condition language between text and blocks: whatever is read is written again to the letter, and what is changed in one place
// leaves every other as it was, comments included.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, at, blockOf, join, negate, nest, printed, put, read, remove, replaceText, type Block } from "../src/condition/blocks";
import { begun, OPERATORS, shapeOf, SHAPES, unquoted, quoted, valueOf, withHole, withOperator, type Hole, type Shape } from "../src/condition/shapes";
import { commentsOf, parse, print, wordsOf, type Node, type Leaf } from "../src/condition/tree";

// The same each time: what one run finds the next one finds.
fc.configureGlobal({ seed: 20261128 });

// Text of the whole grammar, with whatever may stand between its words.
const gap = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(" ", " ", "  ", "\n", "\t", "\r\n  ") },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z "'&|()\u4e00-\u4e20]{0,12}$/).map((said) => ` // ${said}\n`) },
);
const word = fc.constantFrom("age", "points", "tier", "orders", "items", "tags", "attr", "store", "o", "is_birthday", "lifecycle");
const text = fc.oneof(fc.string({ maxLength: 8 }).map(quoted), fc.constantFrom("'mon'", '"90d"', '"金卡"', "r'\\d'", '"""a\nb"""', '"// no comment"', "'it\\'s'"));
const number = fc.constantFrom("0", "1", "30", "3.5", "1000", "0x1f", "1e3", ".5");
type Piece = { text: string; tight: number };
const piece = (text: string, tight: number): Piece => ({ text, tight });
const needs = (of: Piece, tight: number, one: string, other: string) => (of.tight >= tight ? of.text : `(${one}${of.text}${other})`);
const { expr } = fc.letrec<{ expr: Piece }>((tie) => {
  const e = tie("expr");
  const many = fc.array(e, { minLength: 0, maxLength: 3 });
  return {
    expr: fc.oneof(
      { maxDepth: 5, depthSize: "small" },
      fc.oneof(word, text, number, fc.constantFrom("true", "false", "null")).map((said) => piece(said, 8)),
      fc.tuple(e, word, gap).map(([of, name, g]) => piece(`${needs(of, 8, "", g)}.${name}`, 8)),
      fc.tuple(e, fc.constantFrom("home-store", "城市")).map(([of, name]) => piece(`${needs(of, 8, "", "")}.\`${name}\``, 8)),
      fc.tuple(word, many, gap, gap).map(([name, all, g, h]) => piece(`${name}(${g}${all.map((one) => one.text).join(`,${h}`)})`, 8)),
      fc.tuple(e, fc.constantFrom("map", "filter", "exists", "startsWith"), many, gap).map(([of, name, all, g]) => piece(`${needs(of, 8, g, "")}${g}.${name}(${all.map((one) => one.text).join(`${g},`)})`, 8)),
      fc.tuple(many, gap).map(([all, g]) => piece(`[${g}${all.map((one) => one.text).join(`${g}, `)}]`, 8)),
      fc.tuple(fc.constantFrom("!", "!!", "-"), e, gap).map(([sign, of, g]) => piece(`${sign}${g}${needs(of, 8, g, "")}`, 7)),
      fc.tuple(e, fc.constantFrom("*", "/", "%"), e, gap, gap).map(([a, op, b, g, h]) => piece(`${needs(a, 6, "", g)}${g}${op}${h}${needs(b, 7, h, "")}`, 6)),
      fc.tuple(e, fc.constantFrom("+", "-"), e, gap, gap).map(([a, op, b, g, h]) => piece(`${needs(a, 5, "", g)}${g}${op}${h}${needs(b, 6, h, "")}`, 5)),
      fc.tuple(e, fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "in"), e, gap, gap).map(([a, op, b, g, h]) => piece(`${needs(a, 4, "", g)}${g}${op}${h}${needs(b, 5, h, "")}`, 4)),
      fc.tuple(fc.array(e, { minLength: 2, maxLength: 4 }), gap, gap).map(([all, g, h]) => piece(all.map((one) => needs(one, 4, "", h)).join(`${g}&&${h}`), 3)),
      fc.tuple(fc.array(e, { minLength: 2, maxLength: 4 }), gap, gap).map(([all, g, h]) => piece(all.map((one) => needs(one, 3, "", h)).join(`${g}||${h}`), 2)),
      fc.tuple(e, e, e, gap).map(([a, b, c, g]) => piece(`${needs(a, 2, "", g)}${g}?${g}${needs(b, 2, g, "")}${g}:${g}${c.text}`, 1)),
    ),
  };
});
const whole = fc.tuple(fc.option(gap, { nil: "" }), expr, fc.oneof(fc.constant(""), gap, fc.constant(" // the end"))).map(([first, of, last]) => first + of.text + last);

// A condition of known shapes in groups: what blocks are for.
const fill = (hole: Hole): fc.Arbitrary<string | number | string[]> => {
  switch (hole.kind) {
    case "number":
      return fc.oneof(fc.integer({ min: -5, max: 5000 }), fc.constantFrom(0.5, 68.5));
    case "window":
      return fc.constantFrom("30d", "365d", "12h");
    case "texts":
    case "tiers":
    case "stages":
      return fc.array(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 3 });
    case "weekdays":
      return fc.subarray(["mon", "tue", "sat"], { minLength: 1 });
    case "clock":
      return fc.constant("19:30");
    case "attribute":
      return fc.constantFrom("city", "home-store");
    default:
      return fc.string({ minLength: 1, maxLength: 8 });
  }
};
const filled = (shape: Shape) => fc.tuple(...shape.holes.map(fill)).map((values) => begun(shape.key, (hole) => values[shape.holes.indexOf(hole)] ?? ""));
const row = fc.constantFrom(...(SHAPES as readonly Shape[])).chain(filled);
const rowText = row.map((node) => print({ root: node, after: "" }));
const { group } = fc.letrec<{ group: string }>((tie) => ({
  group: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    rowText,
    fc.tuple(fc.array(tie("group"), { minLength: 2, maxLength: 4 }), fc.constantFrom("&&", "||"), gap, gap, fc.constantFrom("", "!")).map(([all, sign, g, h, not]) => `${not}(${g}${all.join(`${h}${sign}${g}`)})`),
  ),
}));
const grouped = fc.tuple(fc.array(group, { minLength: 1, maxLength: 4 }), fc.constantFrom("&&", "||"), gap, gap).map(([all, sign, g, h]) => all.join(`${g}${sign}${h}`));

const inner = (root: Node, block: Block) => at(root, block.inner);
const replaceAt = (root: Node, block: Block, node: Node) => put(root, block.inner, node);
const all = (block: Block): Block[] => [block, ...(block.kind === "group" ? block.blocks.flatMap(all) : [])];
const comments = (said: string) => {
  const { leaves, after } = wordsOf(said);
  return [...leaves.map((leaf) => leaf.before), after].flatMap(commentsOf).sort();
};
/** The tree without spaces, comments and brackets that change nothing. */
function meant(node: Node | Leaf): unknown {
  if (node.kind === "leaf") return node.text;
  if (node.kind === "brackets") return meant(node.parts[1] as Node);
  const parts = node.parts.filter((part) => !(part.kind === "leaf" && /^[(),]$/.test(part.text))).map(meant);
  // `a && (b && c)` is `a && b && c`.
  if (node.kind === "and" || node.kind === "or") {
    const flat = parts.flatMap((part) => (Array.isArray(part) && part[0] === node.kind ? part.slice(1) : [part])).filter((part) => part !== "&&" && part !== "||");
    return [node.kind, ...flat];
  }
  return [node.kind, ...parts];
}

describe("text", () => {
  test("whatever is read is written again to the letter", () => {
    fc.assert(
      fc.property(whole, (said) => {
        expect(print(parse(said))).toBe(said);
      }),
      { numRuns: 2000 },
    );
  });
  test.each([
    'tier == "gold" && days_since(last(orders)) > 30',
    "// who buys often\nsize(within(orders, \"90d\")) >= 10 // ten\n  && !(\"stockpiler\" in tags) // no dealers",
    "attr.`home-store` == 'a' || has(attr.city) ? age + 1 > 2 : -points < 3",
    "  true  ",
    "[1, 2, ] == [ ]",
  ])("%j", (said) => expect(print(parse(said))).toBe(said));
  test.each([
    ["", 0],
    ["tier ==", 7],
    ["tier = 1", 5],
    ['tier == "gold', 8],
    ["(tier", 5],
    ["a b", 2],
    ["f(a,)", 4],
    ["!-1", 1],
    ["a.in", 2],
  ])("%j is none, and it is said where", (said, at) => {
    const found = read(said);
    expect("fault" in found && found.fault.at).toBe(at);
  });
  test("a text in quotes is what it says", () => {
    fc.assert(
      fc.property(fc.string(), (said) => {
        expect(unquoted(quoted(said))).toBe(said);
      }),
    );
  });
});

describe("shapes", () => {
  test("a condition that is made of a shape is of that shape, with what was put in", () => {
    const one = fc.constantFrom(...(SHAPES as readonly Shape[])).chain((shape) => fc.tuple(fc.constant(shape), fc.tuple(...shape.holes.map(fill))));
    fc.assert(
      fc.property(one, ([shape, values]) => {
        const node = begun(shape.key, (hole) => values[shape.holes.indexOf(hole)] ?? "");
        const found = shapeOf(node);
        expect(found?.shape.key).toBe(shape.key);
        for (const [at, hole] of shape.holes.entries()) expect(valueOf(found?.holes[hole.name])).toEqual(values[at]);
      }),
      { numRuns: 1000 },
    );
  });
  test("variables may be called anything, if the same everywhere", () => {
    expect(shapeOf(parse('sum(within(orders, "9d").map(order, order.paid)) > 3').root)?.shape.key).toBe("paid");
    expect(shapeOf(parse('sum(within(orders, "9d").map(order, o.paid)) > 3').root)).toBeUndefined();
  });
  test("what is written in a way of its own is no shape, and stays text", () => {
    for (const said of ['tier == r"gold"', "points >= 0x10", "points >= 1e3", 'size(within(orders, "9w")) >= 1', "points in [1, 2]", 'tier == ("gold")']) {
      expect(shapeOf(parse(said).root), said).toBeUndefined();
    }
  });
});

describe("blocks", () => {
  /** An edit of some block, and what must hold after it. */
  const edited = (run: (root: Node, block: Block, pick: number) => Node | undefined, after: (said: string, next: string, block: Block) => void) =>
    fc.assert(
      fc.property(fc.oneof(grouped, whole), fc.nat(), fc.nat(), (said, which, pick) => {
        const tree = parse(said);
        const blocks = all(blockOf(tree.root));
        const block = blocks[which % blocks.length] as Block;
        const root = run(tree.root, block, pick);
        if (!root) return;
        const next = printed(tree, root);
        // What blocks write is read again as the same, to the letter.
        expect(meant(parse(next).root)).toEqual(meant(root));
        after(said, next, block);
      }),
      { numRuns: 700 },
    );
  const none = parse("points >= 7").root;
  const keepsComments = (said: string, next: string) => expect(comments(next)).toEqual(comments(said));

  test("one more condition: nothing else changes", () => edited((root, block) => add(root, block, none), keepsComments));
  test("a group of its own", () => edited((root, block) => nest(root, block, none), keepsComments));
  test("not, and not not: the same again", () => {
    edited(
      (root, block) => {
        const once = negate(root, block);
        const again = all(blockOf(once)).find((one) => one.path.join() === block.path.join());
        // Of what is denied twice one is taken off at a time.
        if (block.not && again?.not) return undefined;
        expect(again?.not).toBe(!block.not);
        return again && negate(once, again);
      },
      (said, next) => {
        keepsComments(said, next);
        expect(meant(parse(next).root)).toEqual(meant(parse(said).root));
      },
    );
  });
  test("all, and any", () => {
    edited((root, block) => (block.kind === "group" ? join(root, block, block.joins === "and" ? "or" : "and") : undefined), keepsComments);
  });
  test("an operator changes and nothing else does", () => {
    edited(
      (root, block, pick) => {
        if (block.kind !== "row" || !block.found.operator || !block.found.shape.compares) return undefined;
        const allowed = OPERATORS[block.found.shape.compares];
        return replaceAt(root, block, withOperator(inner(root, block), block.found, allowed[pick % allowed.length] ?? ">="));
      },
      keepsComments,
    );
  });
  test("a value changes, and every comment stays", () => {
    edited(
      (root, block, pick) => {
        if (block.kind !== "row" || block.found.shape.holes.length === 0) return undefined;
        const hole = block.found.shape.holes[pick % block.found.shape.holes.length] as Hole;
        const value = hole.kind === "number" ? pick % 900 : hole.kind === "window" ? `${1 + (pick % 90)}d` : ["texts", "tiers", "stages", "weekdays"].includes(hole.kind) ? ["a", "b c"] : `v${pick % 9}`;
        const node = withHole(inner(root, block), block.found, hole.name, value);
        expect(valueOf(shapeOf(node)?.holes[hole.name])).toEqual(value);
        return replaceAt(root, block, node);
      },
      keepsComments,
    );
  });
  test("without a block: the others as they were, comments before it stay", () => {
    fc.assert(
      fc.property(grouped, fc.nat(), (said, which) => {
        const tree = parse(said);
        const blocks = all(blockOf(tree.root));
        const block = blocks[which % blocks.length] as Block;
        const next = remove(tree, block);
        if (!next) return;
        const written = print(next);
        expect(meant(parse(written).root)).toEqual(meant(next.root));
        const inside = comments(printed({ root: at(tree.root, block.path), after: "" }).replace(/^(\s|\/\/[^\n]*(\n|$))*/, ""));
        expect(comments(written).length).toBe(comments(said).length - inside.length);
      }),
      { numRuns: 700 },
    );
  });
  test("a comment on a line of its own is of what follows, one behind a condition of that", () => {
    const tree = parse("// whom\n// else\nage > 1 // old\n && points > 2\n // rich\n && is_birthday // today");
    const block = blockOf(tree.root, [], [], tree.after);
    expect(block.comments).toEqual(["whom", "else"]);
    expect(block.kind === "group" && block.blocks.map((one) => one.comments)).toEqual([["old"], [], ["rich", "today"]]);
  });
  test("text in place of a block, with comments of its own at its end", () => {
    edited((root, block) => replaceText(root, block.inner, "points > 1 || age < 3 // said"), (_, next) => expect(comments(next)).toContain("said"));
  });
});

