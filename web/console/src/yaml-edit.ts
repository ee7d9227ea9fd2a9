// Changes in a playbook's text that leave every other line as it was written, comments and spaces included: what is changed is found by
// where it stands (the tree of `yaml` with its ranges), and only those characters are written anew. Loaded when it is needed.
import { isMap, isScalar, isSeq, parseDocument, stringify, type Node } from "yaml";

export type Place = readonly (string | number)[];

let read: { source: string; document: ReturnType<typeof parseDocument> } | undefined;
/** A text as a tree, which nobody changes; the last one is kept, since a form asks for many places of one text. */
const documentOf = (source: string) => {
  if (read?.source !== source) read = { source, document: parseDocument(source, { keepSourceTokens: true, strict: false, uniqueKeys: false }) };
  return read.document;
};

/** What stands at a place, and from where to where. */
function found(source: string, place: Place): { node: Node; from: number; to: number } | undefined {
  const node = place.length === 0 ? documentOf(source).contents : documentOf(source).getIn(place, true);
  if (!(isMap(node) || isSeq(node) || isScalar(node)) || !node.range) return undefined;
  return { node, from: node.range[0], to: node.range[1] };
}

export const valueAt = (source: string, place: Place): unknown => {
  const at = found(source, place);
  return at ? (at.node.toJS(documentOf(source)) as unknown) : undefined;
};

/** A value on one line, as it may stand anywhere. */
export const inLine = (value: unknown): string =>
  stringify(value, { collectionStyle: "flow", lineWidth: 0, defaultStringType: "PLAIN", flowCollectionPadding: true }).trim();

/** A scalar's text in place of another, quoted where it has to be. In flow collections more signs have to be. */
const scalar = (value: string | number | boolean, flow: boolean): string => {
  const text = inLine(value);
  const plain = !/^["'|>]/.test(text);
  return typeof value === "string" && plain && (text.includes("\n") || (flow && /[,[\]{}]/.test(text))) ? JSON.stringify(value) : text;
};

/** Another value at a place that is there. */
export function setAt(source: string, place: Place, value: string | number | boolean): string {
  const at = found(source, place);
  if (!at) return source;
  const parent = place.length > 1 ? found(source, place.slice(0, -1)) : undefined;
  const flow = parent !== undefined && "flow" in parent.node && parent.node.flow === true;
  const old = source.slice(at.from, at.to);
  const tail = /\s*$/.exec(old)?.[0] ?? "";
  return source.slice(0, at.from) + scalar(value, flow) + tail + source.slice(at.to);
}

const lineStart = (source: string, at: number) => source.lastIndexOf("\n", at - 1) + 1;

/** One more key in the map at a place, after its last; the map is made where there is none (at the top of the file only). */
export function putIn(source: string, place: Place, key: string, value: unknown): string {
  const at = found(source, place);
  const entry = (indent: string) =>
    stringify({ [key]: value }, { lineWidth: 0, flowCollectionPadding: true })
      .trimEnd()
      .split("\n")
      .map((line) => indent + line)
      .join("\n");
  if (!at || !isMap(at.node) || at.node.items.length === 0) {
    if (place.length !== 1) return source;
    const empty = found(source, place);
    // `offers: {}` or `offers:` with nothing.
    if (empty || documentOf(source).has(place[0])) {
      const line = new RegExp(`^${String(place[0])}:[^\\n]*$`, "m");
      return source.replace(line, () => `${String(place[0])}:\n${entry("  ")}`);
    }
    return `${source.trimEnd()}\n\n${String(place[0])}:\n${entry("  ")}\n`;
  }
  if (at.node.flow) {
    const end = source.lastIndexOf("}", at.to);
    const before = source.slice(0, end).trimEnd();
    return `${before}${before.endsWith(",") ? "" : ","} ${key}: ${inLine(value)} ${source.slice(end)}`;
  }
  const first = at.node.items[0]?.key as Node | undefined;
  const column = first?.range ? first.range[0] - lineStart(source, first.range[0]) : 2;
  // Where the last line of the map ends: comments that stand after it on its own line go with it.
  const last = at.node.items.at(-1);
  const lastNode = (last?.value ?? last?.key) as Node | undefined;
  const lastEnd = lastNode?.range?.[1] ?? at.to;
  const trimmed = source.slice(0, lastEnd).trimEnd().length;
  const lineEnd = source.indexOf("\n", trimmed);
  const cut = lineEnd < 0 ? source.length : lineEnd;
  return `${source.slice(0, cut)}\n${entry(" ".repeat(column))}${source.slice(cut)}`;
}

/** Without a key of the map at a place, its line or lines whole, comments above it left. */
export function dropAt(source: string, place: Place): string {
  const key = place.at(-1);
  const parent = found(source, place.slice(0, -1));
  if (!parent || !isMap(parent.node)) return source;
  const pair = parent.node.items.find((item) => isScalar(item.key) && item.key.value === key);
  const keyNode = pair?.key as Node | undefined;
  const valueNode = (pair?.value ?? pair?.key) as Node | undefined;
  if (!keyNode?.range || !valueNode?.range) return source;
  if (parent.node.flow) {
    let from = keyNode.range[0];
    let to = valueNode.range[1];
    const comma = /^\s*,\s*/.exec(source.slice(to));
    if (comma) to += comma[0].length;
    else from = source.slice(0, from).replace(/\s*,\s*$/, "").length;
    return source.slice(0, from) + source.slice(to);
  }
  const from = lineStart(source, keyNode.range[0]);
  const trimmed = source.slice(0, valueNode.range[1]).trimEnd().length;
  const end = source.indexOf("\n", trimmed);
  return source.slice(0, from) + (end < 0 ? "" : source.slice(end + 1));
}

/** One more item in a list, before the one at `index` or at its end, on a line of its own where the others have one. */
export function putItem(source: string, place: Place, index: number, value: unknown): string {
  const at = found(source, place);
  if (!at || !isSeq(at.node)) return source;
  const items = at.node.items as Node[];
  const before = items[index];
  const last = items.at(-1);
  if (at.node.flow || !last?.range) {
    if (before?.range) return `${source.slice(0, before.range[0])}${inLine(value)}, ${source.slice(before.range[0])}`;
    const end = source.lastIndexOf("]", at.to);
    const text = source.slice(0, end).trimEnd();
    return `${text}${text.endsWith("[") || text.endsWith(",") ? "" : ", "}${inLine(value)}${source.slice(text.length, end)}${source.slice(end)}`;
  }
  // The dash stands on the line of the first item, before it.
  const dashOf = (item: Node) => source.lastIndexOf("-", (item.range?.[0] ?? 1) - 1);
  const indent = " ".repeat(dashOf(last) - lineStart(source, dashOf(last)));
  if (before?.range) {
    const start = lineStart(source, dashOf(before));
    return `${source.slice(0, start)}${indent}- ${inLine(value)}\n${source.slice(start)}`;
  }
  const trimmed = source.slice(0, last.range[1]).trimEnd().length;
  const lineEnd = source.indexOf("\n", trimmed);
  const cut = lineEnd < 0 ? source.length : lineEnd;
  return `${source.slice(0, cut)}\n${indent}- ${inLine(value)}${source.slice(cut)}`;
}

/** Without an item of a list. */
export function dropItem(source: string, place: Place, index: number): string {
  const at = found(source, place);
  if (!at || !isSeq(at.node)) return source;
  const items = at.node.items as Node[];
  const item = items[index];
  if (!item?.range) return source;
  if (at.node.flow) {
    let [from, to] = item.range;
    const comma = /^\s*,\s*/.exec(source.slice(to));
    if (comma) to += comma[0].length;
    else from = source.slice(0, from).replace(/\s*,\s*$/, "").length;
    return source.slice(0, from) + source.slice(to);
  }
  const from = lineStart(source, source.lastIndexOf("-", item.range[0] - 1));
  const trimmed = source.slice(0, item.range[1]).trimEnd().length;
  const end = source.indexOf("\n", trimmed);
  return source.slice(0, from) + (end < 0 ? "" : source.slice(end + 1));
}
