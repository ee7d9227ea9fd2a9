// A condition as blocks: groups of which all or any must hold, rows of a known shape, and text for whatever else there is. Blocks are
// read off the tree and changed in it, so that what is not touched stays as it was written, with its comments.
import { shapeOf, type Found } from "./shapes";
import { before, binds, commentsOf, inBrackets, isNode, mark, NotRead, parse, print, tightly, withBefore, bare, type Leaf, type Node, type Tree } from "./tree";

/** Where a node stands: the places of parts on the way from the root. */
export type Path = readonly number[];
export type Block = {
  /** Of the whole block, with `!` and brackets. */
  path: Path;
  /** Of what is within them. */
  inner: Path;
  node: Node;
  not: boolean;
  comments: string[];
} & ({ kind: "group"; joins: "and" | "or"; blocks: Block[] } | { kind: "row"; found: Found } | { kind: "text"; text: string });

export function at(root: Node, path: Path): Node {
  let node: Node | Leaf = root;
  for (const place of path) {
    const next: Node | Leaf | undefined = node.kind === "leaf" ? undefined : node.parts[place];
    if (next === undefined) throw new Error("no such place in the condition");
    node = next;
  }
  if (node.kind === "leaf") throw new Error("a word is no condition");
  return node;
}
export function put(root: Node, path: Path, node: Node): Node {
  const [first, ...rest] = path;
  if (first === undefined) return node;
  return { ...root, parts: root.parts.map((part, place) => (place === first && isNode(part) ? put(part, rest, node) : part)) };
}

/** What stands after a word on its own line is said of it; the rest of what comes next. */
function parted(text: string): { own: string; next: string } {
  const line = /^[ \t]*\/\/[^\n]*(?:\n|$)/.exec(text)?.[0] ?? "";
  return { own: line, next: text.slice(line.length) };
}

/** The blocks of a condition. `said` are comments that stand before it, outside of it; `tail` is what stands after it;
 * what stands before the `first` of a group that has nothing around it is told of the group. */
export function blockOf(root: Node, path: Path = [], said: string[] = [], tail = "", first = false): Block {
  const node = at(root, path);
  let inner: number[] = [...path];
  let held: Node = node;
  let not = false;
  let end = tail;
  for (;;) {
    if (held.kind === "not" && held.parts.length === 2 && !not) {
      not = true;
      inner = [...inner, 1];
    } else if (held.kind === "brackets") {
      inner = [...inner, 1];
      end = (held.parts[2] as Leaf).before;
    } else break;
    held = at(root, inner);
  }
  const shared = { path, inner, node, not, comments: [...said, ...(first ? [] : commentsOf(before(node)))] };
  const own = commentsOf(parted(tail).own);
  if (held.kind === "and" || held.kind === "or") {
    const group = held;
    const around = inner.length > path.length;
    const blocks = group.parts.flatMap((part, place) => {
      if (!isNode(part)) return [];
      const operator = group.parts[place - 1] as Leaf | undefined;
      const next = group.parts[place + 1] as Leaf | undefined;
      const block = blockOf(root, [...inner, place], operator ? commentsOf(parted(operator.before).next) : [], next ? next.before : end, place === 0 && !around);
      return [block];
    });
    return { ...shared, comments: around ? [...shared.comments, ...own] : shared.comments, kind: "group", joins: group.kind as "and" | "or", blocks };
  }
  const found = shapeOf(held);
  const whole = { ...shared, comments: [...shared.comments, ...own] };
  return found ? { ...whole, kind: "row", found } : { ...whole, kind: "text", text: bare(held) };
}

/** How tightly what stands at a place must bind. */
function least(root: Node, path: Path): number {
  const place = path.at(-1);
  if (place === undefined) return 1;
  const parent = at(root, path.slice(0, -1));
  if (parent.kind === "and") return 4;
  if (parent.kind === "or") return 3;
  if (parent.kind === "not") return 8;
  return parent.kind === "brackets" ? 1 : 8;
}

/** The condition with another at a place, in brackets where its place asks for them; what stood before the old one stays. */
export function replace(root: Node, path: Path, node: Node): Node {
  const old = at(root, path);
  return put(root, path, tightly(withBefore(node, before(old)), least(root, path)));
}

/** The same, from text; `NotRead` where it is none. Comments at its end stay within brackets. */
export function replaceText(root: Node, path: Path, text: string): Node {
  const { root: made, after } = parse(text);
  if (!after.includes("//")) return put(root, path, tightly(withBefore(made, before(at(root, path)) + before(made).trimStart()), least(root, path)));
  const boxed: Node = { kind: "brackets", parts: [mark("("), made, mark(")", after.endsWith("\n") ? after : `${after}\n`)] };
  return replace(root, path, boxed);
}

export function negate(root: Node, block: Block): Node {
  if (block.not) {
    // `!` goes; brackets that stood after it stay where their place asks for them.
    const { outer, not } = found(root, block);
    const inner = at(root, [...not, 1]);
    const kept = before(outer) + before(inner).trimStart();
    const peeled = inner.kind === "brackets" && not.length === block.path.length ? peel(inner, least(root, block.path)) : inner;
    return put(root, not, tightly(withBefore(peeled, not.length === block.path.length ? kept : before(at(root, not))), least(root, not)));
  }
  const node = at(root, block.path);
  return put(root, block.path, { kind: "not", parts: [mark("!", before(node)), tightly(withBefore(node, ""), 8)] });
}
function found(root: Node, block: Block): { outer: Node; not: Path } {
  let path: Path = block.path;
  while (at(root, path).kind === "brackets") path = [...path, 1];
  return { outer: at(root, block.path), not: path };
}
/** Without its brackets, where nothing is said within them and its place needs none. */
function peel(node: Node, need: number): Node {
  const [open, inner, close] = node.parts;
  if (!isNode(inner) || open?.kind !== "leaf" || close?.kind !== "leaf") return node;
  return binds(inner) >= need && !close.before.includes("//") && !before(inner).includes("//") ? inner : node;
}

/** All of a group, or any: the signs between change, and what stood before them stays. */
export function join(root: Node, block: Block, joins: "and" | "or"): Node {
  if (block.kind !== "group" || block.joins === joins) return root;
  const group = at(root, block.inner);
  const need = joins === "and" ? 4 : 3;
  const parts = group.parts.map((part) => (isNode(part) ? tightly(part, need) : { ...part, text: joins === "and" ? "&&" : "||" }));
  const changed: Node = { kind: joins, parts };
  return put(root, block.inner, tightly(changed, least(root, block.inner)));
}

/** One more condition at the end of a group; of what is no group, all of both. */
export function add(root: Node, block: Block, node: Node, joins: "and" | "or" = "and"): Node {
  if (block.kind !== "group") {
    const old = at(root, block.path);
    const need = joins === "and" ? 4 : 3;
    const made: Node = { kind: joins, parts: [tightly(old, need), mark(joins === "and" ? "&&" : "||", " "), withBefore(tightly(node, need), " ")] };
    return put(root, block.path, tightly(made, least(root, block.path)));
  }
  const group = at(root, block.inner);
  const need = block.joins === "and" ? 4 : 3;
  // As the last one is written: on a line of its own, or beside the others.
  const sign = group.parts.at(-2) as Leaf;
  const last = group.parts.at(-1) as Node;
  const blank = (text: string, otherwise: string) => (text.includes("//") ? (text.match(/\n[ \t]*$/)?.[0] ?? otherwise) : text);
  const parts = [...group.parts, mark(sign.text, blank(sign.before, "\n")), withBefore(tightly(node, need), blank(before(last), " "))];
  return put(root, block.inner, { ...group, parts });
}

/** A row becomes a group with one more beside it: any of both where it stands among all, else all. */
export function nest(root: Node, block: Block, node: Node): Node {
  const parent = block.path.length === 0 ? undefined : at(root, block.path.slice(0, -1));
  const joins = parent?.kind === "or" ? "and" : "or";
  const old = at(root, block.path);
  const need = joins === "and" ? 4 : 3;
  const made: Node = { kind: joins, parts: [tightly(withBefore(old, ""), need), mark(joins === "and" ? "&&" : "||", " "), withBefore(tightly(node, need), " ")] };
  return put(root, block.path, withBefore(block.path.length === 0 ? made : inBrackets(made), before(old)));
}

/** Without a block; comments that stood before it and its sign go to what comes next. Nothing is left where it was all. */
export function remove(tree: Tree, block: Block): Tree | undefined {
  const place = block.path.at(-1);
  if (place === undefined) return undefined;
  const above = block.path.slice(0, -1);
  const group = at(tree.root, above);
  if (group.kind !== "and" && group.kind !== "or") return undefined;
  const node = at(tree.root, block.path);
  const sign = place > 0 ? (group.parts[place - 1] as Leaf) : undefined;
  const next = group.parts[place + 1] as Leaf | undefined;
  let orphans = [sign?.before ?? "", before(node)].filter((text) => text.includes("//")).join("");
  let parts: (Node | Leaf)[];
  if (sign) {
    parts = group.parts.filter((_, index) => index !== place && index !== place - 1);
    if (orphans && next) {
      parts[place - 1] = { ...next, before: orphans + next.before };
      orphans = "";
    }
  } else {
    // The first: the sign after it goes, and the second stands where it stood.
    const second = group.parts[2] as Node;
    const said = [before(node), next?.before ?? "", before(second)].filter((text) => text.includes("//")).join("");
    parts = [withBefore(second, said === "" ? before(node) : said), ...group.parts.slice(3)];
    orphans = "";
  }
  const only = parts.length === 1 ? parts[0] : undefined;
  const left: Node = isNode(only) ? only : { ...group, parts };
  let root = put(tree.root, above, isNode(only) ? tightly(only, least(tree.root, above)) : left);
  let { after } = tree;
  if (orphans) {
    // It was the last of its group: its comments go to whatever word comes after.
    const pushed = pushAfter(root, above, orphans);
    if (pushed) root = pushed;
    else after = orphans + after;
  }
  return { root, after };
}

/** Puts text before the first word that comes after a place; nothing, where there is none. */
function pushAfter(root: Node, path: Path, text: string): Node | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const above = path.slice(0, depth - 1);
    const parent = at(root, above);
    const next = parent.parts[(path[depth - 1] ?? 0) + 1];
    if (next === undefined) continue;
    const parts = parent.parts.map((part) => (part === next ? withBefore(part, text + before(part)) : part));
    return put(root, above, { ...parent, parts });
  }
  return undefined;
}

/** The tree of a text, or where it cannot be read. */
export function read(text: string): { tree: Tree } | { fault: NotRead } {
  try {
    return { tree: parse(text) };
  } catch (error) {
    if (error instanceof NotRead) return { fault: error };
    throw error;
  }
}
export const printed = (tree: Tree, root: Node = tree.root): string => print({ ...tree, root });
