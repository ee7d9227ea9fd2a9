// What blocks can show: shapes of conditions with holes in them. A shape is written in the language itself; it is the same as a
// condition where all but the holes is, whatever spaces, comments and names of variables stand there.
import { before, isNode, mark, parse, withBefore, type Leaf, type Node } from "./tree";

export type HoleKind = "number" | "text" | "texts" | "window" | "tier" | "tiers" | "stage" | "stages" | "tag" | "audience" | "purpose" | "channel" | "event" | "attribute" | "name" | "days" | "weekdays" | "clock";
export type Hole = { name: string; kind: HoleKind };
/** Which operators may stand in the place of the shape's own. */
export type Compares = "order" | "equal" | "both";
export type Shape = { key: ShapeKey; text: string; holes: Hole[]; compares?: Compares; group: "who" | "history" | "said" | "present" };

const shape = <K extends string>(key: K, group: Shape["group"], text: string, holes: Hole[], compares?: Compares) => ({ key, group, text, holes, ...(compares ? { compares } : {}) });
const hole = (name: string, kind: HoleKind): Hole => ({ name, kind });
const n = hole("n", "number");
const w = hole("w", "window");

export const SHAPES = [
  shape("tier", "who", "tier == $v", [hole("v", "tier")], "both"),
  shape("tier_in", "who", "tier in $v", [hole("v", "tiers")]),
  shape("stage", "who", "lifecycle == $v", [hole("v", "stage")], "equal"),
  shape("stage_in", "who", "lifecycle in $v", [hole("v", "stages")]),
  shape("tag", "who", "$v in tags", [hole("v", "tag")]),
  shape("points", "who", "points >= $n", [n], "order"),
  shape("store", "who", "store == $v", [hole("v", "text")], "equal"),
  shape("store_in", "who", "store in $v", [hole("v", "texts")]),
  shape("age", "who", "age >= $n", [n], "order"),
  shape("birthday", "who", "is_birthday", []),
  shape("birthday_in", "who", "days_to_birthday <= $n", [n], "order"),
  shape("enrolled", "who", "days_since(enrolled_at) <= $n", [n], "order"),
  shape("attr_text", "who", "attr.$a == $v", [hole("a", "attribute"), hole("v", "text")], "equal"),
  shape("attr_in", "who", "attr.$a in $v", [hole("a", "attribute"), hole("v", "texts")]),
  shape("attr_number", "who", "attr.$a >= $n", [hole("a", "attribute"), n], "both"),
  shape("attr_known", "who", "has(attr.$a)", [hole("a", "attribute")]),
  shape("attr_true", "who", "attr.$a", [hole("a", "attribute")]),
  shape("orders_n", "history", "size(within(orders, $w)) >= $n", [w, n], "order"),
  shape("orders_all_n", "history", "size(orders) >= $n", [n], "order"),
  shape("paid", "history", "sum(within(orders, $w).map($x, $x.paid)) >= $n", [w, n], "order"),
  shape("paid_all", "history", "sum(orders.map($x, $x.paid)) >= $n", [n], "order"),
  shape("last_order", "history", "days_since(last(orders)) <= $n", [n], "order"),
  shape("first_order", "history", "days_since(first(orders)) <= $n", [n], "order"),
  shape("bought", "history", "within(items, $w).exists($x, $x.category == $v)", [w, hole("v", "text")]),
  shape("bought_product", "history", "within(items, $w).exists($x, $x.product == $v)", [w, hole("v", "text")]),
  shape("bought_n", "history", "sum(within(items, $w).filter($x, $x.category == $v).map($x, $x.quantity)) >= $n", [w, hole("v", "text"), n], "order"),
  shape("gap", "history", "median_gap(orders) <= $n", [n], "order"),
  shape("events_n", "history", "size(within(events($e), $w)) >= $n", [hole("e", "event"), w, n], "order"),
  shape("events_all_n", "history", "size(events($e)) >= $n", [hole("e", "event"), n], "order"),
  shape("consent", "said", "consent($p, $c)", [hole("p", "purpose"), hole("c", "channel")]),
  shape("consent_all", "said", "consent($p)", [hole("p", "purpose")]),
  shape("audience", "said", "audience($v)", [hole("v", "audience")]),
  shape("bucket", "said", "bucket($s) < $n", [hole("s", "name"), n], "order"),
  shape("weekday", "present", "weekday in $v", [hole("v", "weekdays")]),
  shape("clock", "present", "clock >= $v", [hole("v", "clock")], "order"),
  shape("everybody", "present", "true", []),
] as const satisfies readonly { key: string; group: string; text: string; holes: Hole[]; compares?: Compares }[];
export type ShapeKey = (typeof SHAPES)[number]["key"];

export const OPERATORS: Record<Compares, readonly string[]> = {
  order: [">=", "<=", ">", "<", "==", "!="],
  equal: ["==", "!="],
  both: ["==", "!=", ">=", "<=", ">", "<"],
};

// `$` is no sign of the language: a hole is read as a name with a beginning that nobody writes.
const SIGN = "__hole_";
const patterns = SHAPES.map((shape) => parse(shape.text.replaceAll("$", SIGN)).root);

export type Found = { shape: Shape; holes: Record<string, Node | Leaf>; operator: Leaf | undefined };

const literal = (node: Node): Leaf | undefined => {
  const leaf = node.kind === "word" ? node.parts[0] : undefined;
  return leaf?.kind === "leaf" && (leaf.of === "text" || leaf.of === "number") ? leaf : undefined;
};

/** Whether what stands in a hole is of its kind. */
function fits(kind: HoleKind, node: Node | Leaf): boolean {
  if (kind === "attribute") return node.kind === "leaf" && node.of === "name";
  if (!isNode(node)) return false;
  if (kind === "number") {
    const inner = node.kind === "minus" ? node.parts.at(-1) : node;
    return node.kind === "minus" ? node.parts.length === 2 && isNode(inner) && literal(inner)?.of === "number" : literal(node)?.of === "number" && plainNumber(literal(node)?.text ?? "");
  }
  if (["texts", "tiers", "stages", "weekdays"].includes(kind)) {
    return node.kind === "list" && node.parts.every((part) => (isNode(part) ? literal(part)?.of === "text" && valueOf(part) !== undefined : true));
  }
  const leaf = literal(node);
  if (leaf?.of !== "text" || valueOf(node) === undefined) return false;
  return kind !== "window" || /^\d{1,4}[dh]$/.test(String(valueOf(node)));
}
const plainNumber = (text: string) => /^\d+(\.\d+)?$/.test(text);

/** The value of a text, a number or a list of texts as it is written; nothing where it is written in a way of its own. */
export function valueOf(node: Node | Leaf | undefined): string | number | string[] | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "leaf") return node.text.startsWith("`") ? node.text.slice(1, -1) : node.text;
  if (node.kind === "list") {
    const all = node.parts.filter(isNode).map(valueOf);
    return all.every((one): one is string => typeof one === "string") ? all : undefined;
  }
  if (node.kind === "minus") {
    const of = valueOf(node.parts.at(-1));
    return typeof of === "number" ? -of : undefined;
  }
  const leaf = literal(node);
  if (!leaf) return undefined;
  if (leaf.of === "number") return plainNumber(leaf.text) ? Number(leaf.text) : undefined;
  return unquoted(leaf.text);
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "'": "'", "\\": "\\", "`": "`", "?": "?", a: "\x07", b: "\b", f: "\f", v: "\v" };
export function unquoted(text: string): string | undefined {
  if (!/^["']/.test(text) || text.startsWith('"""') || text.startsWith("'''")) return undefined;
  const inner = text.slice(1, -1);
  let strange = false;
  const said = inner.replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, sign: string) => {
    if (sign.length === 5) return String.fromCharCode(Number.parseInt(sign.slice(1), 16));
    const found = ESCAPES[sign];
    if (found === undefined) strange = true;
    return found ?? "";
  });
  return strange ? undefined : said;
}
export function quoted(text: string): string {
  const inner = [...text]
    .map((sign) => (sign === '"' || sign === "\\" ? `\\${sign}` : sign === "\n" ? "\\n" : sign === "\r" ? "\\r" : sign === "\t" ? "\\t" : sign < " " || sign === "\x7f" ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}` : sign))
    .join("");
  return `"${inner}"`;
}
export const asName = (text: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !["in", "true", "false", "null"].includes(text) ? text : `\`${text.replaceAll(/[`\n]/g, "")}\``);

function same(pattern: Node | Leaf, node: Node | Leaf, shape: Shape, top: boolean, found: { holes: Record<string, Node | Leaf>; operator: Leaf | undefined; variables: Map<string, string> }): boolean {
  const hole = (text: string) => (text.startsWith(SIGN) ? text.slice(SIGN.length) : undefined);
  if (pattern.kind === "leaf") {
    if (node.kind !== "leaf") return false;
    const called = hole(pattern.text);
    if (called === undefined) return pattern.text === node.text;
    const kind = shape.holes.find((one) => one.name === called)?.kind;
    if (kind) {
      if (!fits(kind, node)) return false;
      found.holes[called] = node;
      return true;
    }
    // A variable of the shape: whatever it is called, the same everywhere.
    if (node.of !== "name") return false;
    const before = found.variables.get(called);
    if (before === undefined) found.variables.set(called, node.text);
    return before === undefined || before === node.text;
  }
  const only = pattern.kind === "word" ? pattern.parts[0] : undefined;
  const called = only?.kind === "leaf" ? hole(only.text) : undefined;
  const kind = shape.holes.find((one) => one.name === called)?.kind;
  if (called !== undefined && kind) {
    if (!isNode(node) || !fits(kind, node)) return false;
    found.holes[called] = node;
    return true;
  }
  if (node.kind !== pattern.kind || node.parts.length !== pattern.parts.length) return false;
  if (top && pattern.kind === "binary" && shape.compares) {
    const operator = node.parts[1];
    if (operator?.kind !== "leaf" || !OPERATORS[shape.compares].includes(operator.text)) return false;
    found.operator = operator;
    return [0, 2].every((at) => same(pattern.parts[at] as Node, node.parts[at] as Node, shape, false, found));
  }
  return pattern.parts.every((part, at) => same(part, node.parts[at] as Node | Leaf, shape, false, found));
}

/** The shape that a condition is of, and what stands in its holes. */
export function shapeOf(node: Node): Found | undefined {
  for (const [at, shape] of (SHAPES as readonly Shape[]).entries()) {
    const pattern = patterns[at];
    const found = { holes: {}, operator: undefined as Leaf | undefined, variables: new Map<string, string>() };
    if (pattern && same(pattern, node, shape, true, found)) return { shape, holes: found.holes, operator: found.operator };
  }
  return undefined;
}

/** How a value is written into a hole of a kind. */
export function written(kind: HoleKind, value: string | number | string[]): string {
  if (kind === "attribute") return asName(String(value));
  if (kind === "number") return String(Number.isFinite(Number(value)) ? plain(Number(value)) : 0);
  if (Array.isArray(value)) return `[${value.map(quoted).join(", ")}]`;
  return quoted(String(value));
}
/** A number without an exponent. */
const plain = (value: number): string => (Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-6) ? value.toFixed(value < 1 && value > -1 ? 9 : 0) : String(value));

/** The same condition with something else in one of its holes; whatever else is written there stays. */
export function withHole(node: Node, found: Found, name: string, value: string | number | string[]): Node {
  const old = found.holes[name];
  const kind = found.shape.holes.find((one) => one.name === name)?.kind;
  if (!old || !kind) return node;
  const text = written(kind, value);
  const stands = before(old);
  if (old.kind === "leaf") return replaced(node, old, { ...old, text }) as Node;
  if (old.kind === "list" && Array.isArray(value)) return replaced(node, old, withTexts(old, value)) as Node;
  const made = parse(text).root;
  return replaced(node, old, withFirst(made, stands)) as Node;
}
export const withOperator = (node: Node, found: Found, operator: string): Node => (found.operator ? (replaced(node, found.operator, { ...found.operator, text: operator }) as Node) : node);

/** A list with other texts in it: those that stay are left as they are written, new ones come last; no comment goes. */
function withTexts(list: Node, values: string[]): Node {
  const open = list.parts[0] as Leaf;
  const close = list.parts.at(-1) as Leaf;
  const left = [...values];
  const items: Node[] = [];
  let orphans = "";
  for (const part of list.parts.slice(1, -1)) {
    if (!isNode(part)) {
      if (part.before.includes("//")) orphans += part.before;
      continue;
    }
    const at = left.indexOf(String(valueOf(part)));
    if (at < 0) {
      if (before(part).includes("//")) orphans += before(part);
      continue;
    }
    left.splice(at, 1);
    items.push(orphans === "" ? part : withBefore(part, orphans + before(part)));
    orphans = "";
  }
  for (const value of left) items.push(withFirst(parse(quoted(value)).root, items.length === 0 ? "" : " "));
  const parts: (Node | Leaf)[] = [open];
  for (const [at, item] of items.entries()) {
    if (at > 0) parts.push(mark(","));
    // The first has no space of a comma before it.
    parts.push(at === 0 && before(item) === " " ? withBefore(item, "") : item);
  }
  parts.push({ ...close, before: orphans + close.before });
  return { kind: "list", parts };
}

function withFirst(node: Node, stands: string): Node {
  const [first, ...rest] = node.parts;
  if (!first) return node;
  return { ...node, parts: [first.kind === "leaf" ? { ...first, before: stands } : withFirst(first, stands), ...rest] };
}
export function replaced(node: Node | Leaf, old: Node | Leaf, by: Node | Leaf): Node | Leaf {
  if (node === old) return by;
  if (node.kind === "leaf") return node;
  let changed = false;
  const parts = node.parts.map((part) => {
    const next = replaced(part, old, by);
    if (next !== part) changed = true;
    return next;
  });
  return changed ? { ...node, parts } : node;
}

/** A condition of a shape, with what stands in its holes at first. */
export function begun(key: ShapeKey, fill: (hole: Hole) => string | number | string[]): Node {
  const shape = (SHAPES as readonly Shape[]).find((one) => one.key === key);
  if (!shape) return parse("true").root;
  const variable = shape.text.includes("items") ? "i" : "o";
  const text = shape.text.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const hole = shape.holes.find((one) => one.name === name);
    return hole ? written(hole.kind, fill(hole)) : variable;
  });
  return parse(text).root;
}
