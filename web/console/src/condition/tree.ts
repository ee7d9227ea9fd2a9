// The condition language as a tree that loses nothing: each word keeps the spaces and comments before it, so that a tree is written
// exactly as it was read, and what is changed in one place leaves every other as it is. What a condition means is the home's to say
// (`/v1/audiences/count`); here is only how it is written. Nothing within it refers to a page.

/** One word of the text, with whatever stands before it. */
export type Leaf = { readonly kind: "leaf"; readonly of: LeafKind; readonly text: string; readonly before: string };
export type LeafKind = "name" | "number" | "text" | "mark";

export type NodeKind =
  /** `null`, `true`, a number, a text, a name: one leaf. */
  | "word"
  /** `( expr )` */
  | "brackets"
  /** `[ expr , … ]` */
  | "list"
  /** `of . name` */
  | "field"
  /** `name ( expr , … )` */
  | "call"
  /** `of . name ( expr , … )` */
  | "method"
  /** `! ! expr`, `- expr` */
  | "not"
  | "minus"
  /** `a && b && …`, `a || b || …`: parts at even places, operators between. */
  | "and"
  | "or"
  /** `left op right` */
  | "binary"
  /** `test ? then : otherwise` */
  | "if";
export type Node = { readonly kind: NodeKind; readonly parts: readonly (Node | Leaf)[] };
/** A whole condition; `after` is what stands after its last word. */
export type Tree = { readonly root: Node; readonly after: string };

export class NotRead extends Error {
  constructor(
    message: string,
    /** Characters before it. */
    readonly at: number,
  ) {
    super(message);
  }
}

const SPACE = /[\s\u00a0]/u;
const MARKS = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]", ".", ","];

/** The words of a text, and what stands after the last. */
export function wordsOf(text: string): { leaves: (Leaf & { at: number })[]; after: string } {
  const leaves: (Leaf & { at: number })[] = [];
  let at = 0;
  for (;;) {
    const start = at;
    for (;;) {
      while (at < text.length && SPACE.test(text[at] ?? "")) at += 1;
      if (!text.startsWith("//", at)) break;
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
    }
    const before = text.slice(start, at);
    if (at >= text.length) return { leaves, after: before };
    const [of, end] = word(text, at);
    leaves.push({ kind: "leaf", of, text: text.slice(at, end), before, at });
    at = end;
  }
}

function word(text: string, at: number): [LeafKind, number] {
  const rest = text.slice(at);
  const quoted = /^[rR]?("""|'''|"|')/.exec(rest);
  if (quoted?.[1]) {
    const raw = /^[rR]/.test(rest);
    const mark = quoted[1];
    let end = at + quoted[0].length;
    while (end < text.length) {
      if (text.startsWith(mark, end)) return ["text", end + mark.length];
      if (mark.length === 1 && text[end] === "\n") break;
      end += text[end] === "\\" && !raw ? 2 : 1;
    }
    throw new NotRead("a text without its closing quote", at);
  }
  const escaped = /^`[^`\n]*`/.exec(rest);
  if (escaped) return ["name", at + escaped[0].length];
  const number = /^(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[uU]?/.exec(rest);
  if (number) return ["number", at + number[0].length];
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest);
  if (name) return ["name", at + name[0].length];
  const mark = MARKS.find((one) => rest.startsWith(one));
  if (mark) return ["mark", at + mark.length];
  throw new NotRead(`\`${[...rest][0] ?? ""}\` cannot stand here`, at);
}

const COMPARES = ["==", "!=", "<", "<=", ">", ">=", "in"];
const DEEPEST = 64;

/** The tree of a text, or `NotRead`. */
export function parse(text: string): Tree {
  const { leaves, after } = wordsOf(text);
  let next = 0;
  let depth = 0;
  const peek = () => leaves[next];
  const is = (...texts: string[]) => {
    const leaf = peek();
    // A text never is an operator; `in` is the one that is spelled.
    return leaf !== undefined && (leaf.of === "mark" || (leaf.of === "name" && leaf.text === "in")) && texts.includes(leaf.text);
  };
  const take = (): Leaf => {
    const leaf = peek();
    if (!leaf) throw new NotRead("something is missing here", text.length);
    next += 1;
    const { at: _, ...plain } = leaf;
    return plain;
  };
  const want = (mark: string): Leaf => {
    if (!is(mark)) throw new NotRead(`\`${mark}\` is missing`, peek()?.at ?? text.length);
    return take();
  };
  const name = (): Leaf => {
    const leaf = peek();
    if (leaf?.of !== "name" || leaf.text === "in") throw new NotRead("a name is missing", leaf?.at ?? text.length);
    return take();
  };

  const expr = (): Node => {
    depth += 1;
    if (depth > DEEPEST) throw new NotRead("this is nested too deeply", peek()?.at ?? text.length);
    const test = joined("or", "||", () => joined("and", "&&", () => binary(COMPARES, () => binary(["+", "-"], () => binary(["*", "/", "%"], unary)))));
    let found = test;
    if (is("?")) {
      const mark = take();
      const then = joined("or", "||", () => joined("and", "&&", () => binary(COMPARES, () => binary(["+", "-"], () => binary(["*", "/", "%"], unary)))));
      const colon = want(":");
      found = { kind: "if", parts: [test, mark, then, colon, expr()] };
    }
    depth -= 1;
    return found;
  };
  const joined = (kind: "and" | "or", mark: string, part: () => Node): Node => {
    const first = part();
    if (!is(mark)) return first;
    const parts: (Node | Leaf)[] = [first];
    while (is(mark)) parts.push(take(), part());
    return { kind, parts };
  };
  const binary = (marks: string[], part: () => Node): Node => {
    let left = part();
    while (is(...marks)) left = { kind: "binary", parts: [left, take(), part()] };
    return left;
  };
  const unary = (): Node => {
    for (const [kind, mark] of [["not", "!"], ["minus", "-"]] as const) {
      if (!is(mark)) continue;
      const marks: Leaf[] = [];
      while (is(mark)) marks.push(take());
      return { kind, parts: [...marks, member()] };
    }
    return member();
  };
  const member = (): Node => {
    let of = primary();
    while (is(".")) {
      const point = take();
      const called = name();
      of = is("(") ? { kind: "method", parts: [of, point, called, ...several("(", ")")] } : { kind: "field", parts: [of, point, called] };
    }
    if (is("[")) throw new NotRead("elements are not reached by number", peek()?.at ?? 0);
    return of;
  };
  const several = (open: string, close: string): (Node | Leaf)[] => {
    const parts: (Node | Leaf)[] = [want(open)];
    while (!is(close)) {
      parts.push(expr());
      if (!is(",")) break;
      parts.push(take());
      // A list may end in a comma, a call may not.
      if (is(close) && close === ")") throw new NotRead("something is missing here", peek()?.at ?? text.length);
    }
    parts.push(want(close));
    return parts;
  };
  const primary = (): Node => {
    const leaf = peek();
    if (!leaf) throw new NotRead("something is missing here", text.length);
    if (is("(")) {
      const open = take();
      return { kind: "brackets", parts: [open, expr(), want(")")] };
    }
    if (is("[")) return { kind: "list", parts: several("[", "]") };
    if (leaf.of === "mark" || leaf.text === "in") throw new NotRead(`\`${leaf.text}\` cannot stand here`, leaf.at);
    const word = take();
    if (word.of === "name" && is("(")) return { kind: "call", parts: [word, ...several("(", ")")] };
    return { kind: "word", parts: [word] };
  };

  const root = expr();
  const left = peek();
  if (left) throw new NotRead(`\`${left.text}\` cannot stand here`, left.at);
  return { root, after };
}

/** What a node says, with all that stands before its words. */
export const write = (node: Node | Leaf): string => (node.kind === "leaf" ? node.before + node.text : node.parts.map(write).join(""));
export const print = (tree: Tree): string => write(tree.root) + tree.after;

/** What stands before its first word. */
export function before(node: Node | Leaf): string {
  if (node.kind === "leaf") return node.before;
  const first = node.parts[0];
  return first ? before(first) : "";
}

/** The same with something else before its first word. */
export function withBefore<T extends Node | Leaf>(node: T, text: string): T {
  if (node.kind === "leaf") return { ...node, before: text };
  const [first, ...rest] = node.parts;
  return first ? ({ ...node, parts: [withBefore(first, text), ...rest] } as T) : node;
}

/** What a node says from its first word on. */
export const bare = (node: Node | Leaf): string => write(withBefore(node, ""));

export const isNode = (part: Node | Leaf | undefined): part is Node => part !== undefined && part.kind !== "leaf";

/** `kind` binds at least as tightly as a part of `and`, `or` or what `!` stands before must. */
const TIGHT: Record<NodeKind, number> = { if: 1, or: 2, and: 3, binary: 4, not: 7, minus: 7, word: 8, brackets: 8, list: 8, field: 8, call: 8, method: 8 };
export const binds = (node: Node): number => TIGHT[node.kind];

const mark = (text: string, stands = ""): Leaf => ({ kind: "leaf", of: "mark", text, before: stands });
/** In brackets, which take what stood before it. */
export const inBrackets = (node: Node): Node => ({ kind: "brackets", parts: [mark("(", before(node)), withBefore(node, ""), mark(")")] });
export const tightly = (node: Node, least: number): Node => (binds(node) >= least ? node : inBrackets(node));
export { mark };

/** The comments in what stands before a word, without their signs. */
export const commentsOf = (text: string): string[] => [...text.matchAll(/\/\/[ \t]?(.*?)[ \t\r]*(?:\n|$)/g)].map((found) => found[1] ?? "");
