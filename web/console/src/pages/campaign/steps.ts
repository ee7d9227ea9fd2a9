// A campaign's steps as the playbook writes them, and where each is drawn: from the top down, ways beside each other. No page in here.
import type { Place } from "../../yaml-edit";

export type Raw = Record<string, unknown>;
export const STEP_KINDS = ["send", "coupon", "points", "wait", "await", "until", "if", "split", "tag", "untag", "set", "task", "webhook", "exit"] as const;
export type StepKind = (typeof STEP_KINDS)[number] | "begin" | "wave" | "end";

export type Drawn = {
  id: string;
  kind: StepKind;
  /** Where it stands in the file; of the begin, the campaign itself. */
  place: Place;
  raw: Raw;
  x: number;
  y: number;
};
/** `says` is what leads along it: `then`, `else`, or a share. */
export type Line = { id: string; from: string; to: string; says?: string; list: Place; at: number };

export const WIDE = 216;
export const TALL = 72;
const GAP_X = 28;
const GAP_Y = 64;

const record = (value: unknown): Raw => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {});
const list = (value: unknown): Raw[] => (Array.isArray(value) ? value.map(record) : []);

export const kindOf = (raw: Raw): StepKind => {
  const kinds = STEP_KINDS.filter((kind) => raw[kind] !== undefined);
  // A step may give a coupon and send in one: that is what waves are made of.
  return kinds.length > 1 && kinds.includes("send") ? "wave" : (kinds[0] ?? "end");
};

type Way = { says: string; list: Place; steps: Raw[] };
/** The ways that lead on from a step. */
export function waysOf(raw: Raw, place: Place): Way[] {
  if (raw.split !== undefined) return list(raw.split).map((arm, at) => ({ says: String(arm.share ?? ""), list: [...place, "split", at, "steps"], steps: list(arm.steps) }));
  if (raw.if !== undefined || raw.await !== undefined || raw.until !== undefined) {
    return (["then", "else"] as const).map((way) => ({ says: way, list: [...place, way], steps: list(raw[way]) }));
  }
  return [];
}

const widthOf = (steps: Raw[], place: Place): number =>
  Math.max(
    WIDE,
    ...steps.map((raw, at) => {
      const ways = waysOf(raw, [...place, at]);
      return ways.length === 0 ? WIDE : ways.reduce((sum, way) => sum + widthOf(way.steps, way.list), 0) + GAP_X * (ways.length - 1);
    }),
  );

export function draw(campaign: Raw, place: Place): { nodes: Drawn[]; lines: Line[] } {
  const nodes: Drawn[] = [];
  const lines: Line[] = [];
  const idOf = (at: Place) => at.join("/");
  const key = campaign.waves !== undefined ? "waves" : "steps";
  const top = [...place, key];
  const steps = list(campaign[key]);
  /** Draws a list under loose ends; gives the ends that it leaves, and how far down it came. */
  const run = (all: Raw[], where: Place, middle: number, y: number, from: { id: string; says?: string }[]): { ends: { id: string; says?: string }[]; y: number } => {
    let ends = from;
    let down = y;
    for (const [at, raw] of all.entries()) {
      const here = [...where, at];
      const id = idOf(here);
      const kind = kindOf(raw);
      nodes.push({ id, kind, place: here, raw, x: middle - WIDE / 2, y: down });
      for (const end of ends) lines.push({ id: `${end.id}>${id}${end.says ?? ""}`, from: end.id, to: id, ...(end.says ? { says: end.says } : {}), list: where, at });
      down += TALL + GAP_Y;
      const ways = waysOf(raw, here);
      if (ways.length === 0) {
        ends = kind === "exit" ? [] : [{ id }];
        continue;
      }
      const widths = ways.map((way) => widthOf(way.steps, way.list));
      let left = middle - (widths.reduce((sum, width) => sum + width, 0) + GAP_X * (ways.length - 1)) / 2;
      const after: { id: string; says?: string }[] = [];
      let deepest = down;
      for (const [nth, way] of ways.entries()) {
        const width = widths[nth] ?? WIDE;
        const found = run(way.steps, way.list, left + width / 2, down, [{ id, says: way.says }]);
        after.push(...found.ends);
        deepest = Math.max(deepest, found.y);
        left += width + GAP_X;
      }
      ends = after;
      down = deepest;
    }
    return { ends, y: down };
  };
  const begin = idOf(place);
  nodes.push({ id: begin, kind: "begin", place, raw: campaign, x: -WIDE / 2, y: 0 });
  const { ends, y } = run(steps, top, 0, TALL + GAP_Y, [{ id: begin }]);
  if (ends.length > 0) {
    nodes.push({ id: "end", kind: "end", place: top, raw: {}, x: -WIDE / 2, y });
    for (const end of ends) lines.push({ id: `${end.id}>end${end.says ?? ""}`, from: end.id, to: "end", ...(end.says ? { says: end.says } : {}), list: top, at: steps.length });
  }
  return { nodes, lines };
}

/** The step that a path of the check (`campaigns.win-back.steps[1].then[0].send`) is about. */
export function idOfPath(path: string, nodes: Drawn[]): string | undefined {
  const parts = path.replaceAll(/\[(\d+)\]/g, ".$1").split(".").filter(Boolean);
  for (let n = parts.length; n > 0; n -= 1) {
    const id = parts.slice(0, n).join("/");
    const found = nodes.find((node) => node.id === id);
    if (found) return found.id;
  }
  return undefined;
}

/** What a step begins as. */
export function begunStep(kind: StepKind, first: { message: string; offer: string; channel: string }): Raw {
  switch (kind) {
    case "send":
      return { send: first.message, by: first.channel };
    case "coupon":
      return { coupon: first.offer };
    case "points":
      return { points: 10 };
    case "wait":
      return { wait: "1d" };
    case "await":
      return { await: "Order Completed", within: "3d", then: [{ exit: true }], else: [{ send: first.message, by: first.channel }] };
    case "if":
      return { if: 'tier == "gold"', then: [{ points: 10 }], else: [{ points: 5 }] };
    case "split":
      return { split: [{ share: "50%", steps: [{ points: 10 }] }, { share: "50%", steps: [{ points: 5 }] }] };
    case "tag":
      return { tag: "" };
    case "task":
      return { task: first.message };
    default:
      return { exit: true };
  }
}
