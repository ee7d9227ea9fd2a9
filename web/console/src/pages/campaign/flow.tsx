// A campaign as it runs: its steps from the top down, each changed beside the picture. What is changed is written into the playbook's own
// text, checked at once by the home, and made live after a look at what it means.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node as FlowNode, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { AutoComplete, Button, Input, InputNumber, Select } from "antd";
import { Menu } from "../../parts/menu";
import { useCallback, useEffect, useMemo, useState } from "react";
import { parse } from "yaml";
import { Field } from "../../frame/sign-in";
import { called } from "../../format";
import { useMay } from "../../home";
import { useDark } from "../../light";
import { useLive } from "../../live";
import { Apply } from "../../parts/apply";
import { CHANNELS } from "../../parts/channels";
import { Card } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import { useAddress } from "../../router";
import { useWords, word } from "../../words";
import { dropAt, dropItem, putIn, putItem, setAt, valueAt, inLine, type Place } from "../../yaml-edit";
import { begunStep, draw, idOfPath, TALL, WIDE, type Drawn, type Line, type Raw, type StepKind } from "./steps";

type Named = { name?: { zh?: string; en?: string } };
type File = { campaigns?: Record<string, Raw>; messages?: Record<string, Raw>; offers?: Record<string, Named & Raw>; tags?: Record<string, Named> };
type Shown = { kind: StepKind; title: string; says: string; wrong: boolean };

export default function Flow({ id }: { id: string }) {
  const { t } = useWords();
  const live = useLive();
  return (
    <Asked of={live} bones={10}>
      {(held) => (held?.source ? <Canvas key={held.version} id={id} base={held.source} /> : <None title={t("playbook.no_source")}>{t("playbook.no_source_say")}</None>)}
    </Asked>
  );
}

function Canvas({ id, base }: { id: string; base: string }) {
  const { t } = useWords();
  const may = useMay();
  const dark = useDark();
  const [{ step = "" }, setAddress] = useAddress();
  const [source, setSource] = useState(base);
  const [width, setWidth] = useState(720);
  const box = useCallback((element: HTMLDivElement | null) => {
    if (element) setWidth(element.clientWidth);
  }, []);
  const file = useMemo<File>(() => {
    try {
      return (parse(source) as File | null) ?? {};
    } catch {
      return {};
    }
  }, [source]);
  const campaign = file.campaigns?.[id];
  const drawn = useMemo(() => (campaign ? draw(campaign, ["campaigns", id]) : { nodes: [], lines: [] }), [campaign, id]);
  const checked = useQuery({
    queryKey: ["check", source],
    queryFn: ({ signal }) => got(api.POST("/v1/commands/playbooks/check", { body: { source }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const wrong = useMemo(() => new Set((checked.data?.problems ?? []).map((one) => idOfPath(one.path, drawn.nodes)).filter(Boolean)), [checked.data, drawn]);
  const picked = drawn.nodes.find((node) => node.id === step);
  const nodes: FlowNode[] = drawn.nodes.map((node) => ({
    id: node.id,
    type: "step",
    position: { x: node.x, y: node.y },
    data: { ...inWords(node, file, t), wrong: wrong.has(node.id) } satisfies Shown,
    selected: node.id === step,
    width: WIDE,
    height: node.kind === "end" ? 32 : TALL,
    ariaLabel: `${word("step", node.kind)} ${inWords(node, file, t).says}`,
  }));
  const edges: Edge[] = drawn.lines.map((line) => ({
    id: line.id,
    source: line.from,
    target: line.to,
    type: "smoothstep",
    focusable: false,
    ...(line.says ? { label: lineSays(line, drawn.nodes) } : {}),
    labelStyle: { fill: "var(--ink)", fontSize: 12 },
    labelBgStyle: { fill: "var(--paper)" },
    style: { stroke: "var(--mute-1)", strokeWidth: 1.5 },
    markerEnd: { type: MarkerType.ArrowClosed, color: "var(--mute-1)" },
  }));
  if (!campaign) {
    return (
      <Card>
        <None title={t("flow.not_own")}>{t("flow.not_own_say")}</None>
      </Card>
    );
  }
  const across = Math.max(...drawn.nodes.map((node) => node.x + WIDE)) - Math.min(...drawn.nodes.map((node) => node.x)) + 80;
  const down = Math.max(...drawn.nodes.map((node) => node.y + TALL)) + 40;
  // As high as the picture is where all of its width is seen.
  const height = Math.min(1400, Math.max(320, down * Math.min(1, width / across)));
  return (
    <div className="grid g21 start flow-grid">
      <div className="flow" ref={box} style={{ height }}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODES}
          colorMode={dark ? "dark" : "light"}
          fitView
          fitViewOptions={{ padding: 0.03, maxZoom: 1, minZoom: 0.3 }}
          key={height}
          minZoom={0.3}
          maxZoom={1.5}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          zoomOnScroll={false}
          preventScrolling={false}
          onNodeClick={(_, node) => setAddress({ step: node.id })}
          onPaneClick={() => setAddress({ step: "" })}
          proOptions={{ hideAttribution: true }}
          aria-label={t("flow.title")}
          ariaLabelConfig={{
            "controls.ariaLabel": t("flow.controls"),
            "controls.zoomIn.ariaLabel": t("flow.nearer"),
            "controls.zoomOut.ariaLabel": t("flow.farther"),
            "controls.fitView.ariaLabel": t("flow.fit"),
            "node.a11yDescription.default": t("flow.node_say"),
          }}
        >
          <Background color="var(--line)" gap={20} />
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
      <div className="stack">
        <Card title={picked ? word("step", picked.kind) : t("flow.steps")}>
          {picked ? (
            <Side key={picked.id} node={picked} source={source} file={file} set={setSource} go={(to) => setAddress({ step: to })} may={may("playbook_apply")} />
          ) : (
            <Steps nodes={drawn.nodes} file={file} wrong={wrong} open={(to) => setAddress({ step: to })} />
          )}
        </Card>
        {may("playbook_apply") ? (
          <Card title={t("offers.changes")}>
            <Apply source={source} base={base} done={() => undefined} />
            {source !== base ? (
              <Button type="text" style={{ marginTop: 8 }} onClick={() => setSource(base)}>
                {t("playbook.reset")}
              </Button>
            ) : null}
          </Card>
        ) : null}
      </div>
    </div>
  );
}

const lineSays = (line: Line, nodes: Drawn[]): string => {
  const from = nodes.find((node) => node.id === line.from)?.kind;
  return line.says === "then" || line.says === "else" ? word("way", `${from === "if" ? "if" : "await"}_${line.says}`) : (line.says ?? "");
};

function StepNode({ data, selected }: NodeProps) {
  const shown = data as unknown as Shown;
  const quiet = shown.kind === "end";
  return (
    <div className={`step ${shown.kind}${selected ? " picked" : ""}${shown.wrong ? " wrong" : ""}`}>
      {shown.kind === "begin" ? null : <Handle type="target" position={Position.Top} isConnectable={false} />}
      <span className="step-title">
        {shown.wrong ? "✕ " : ""}
        {shown.title}
      </span>
      {quiet ? null : (
        <span className="step-says" title={shown.says}>
          {shown.says}
        </span>
      )}
      {quiet ? null : <Handle type="source" position={Position.Bottom} isConnectable={false} />}
    </div>
  );
}
const NODES = { step: StepNode };

const text = (value: unknown): string => (typeof value === "string" ? value : value === undefined || value === null ? "" : typeof value === "object" ? inLine(value) : String(value));

/** What a step does, in few words. */
function inWords(node: Drawn, file: File, t: ReturnType<typeof useWords>["t"]): Omit<Shown, "wrong"> {
  const { raw, kind } = node;
  const by = Array.isArray(raw.by) ? raw.by.map((one) => word("channel", String(one))).join(t("list_comma")) : raw.by ? word("channel", text(raw.by)) : "";
  const offer = (of: unknown) => called(file.offers?.[text(of)]?.name, text(of));
  const said: Partial<Record<StepKind, string>> = {
    begin: [text(raw.on), raw.who ? text(raw.who) : ""].filter(Boolean).join(" · "),
    send: [text(raw.send), by].filter(Boolean).join(" · "),
    wave: [raw.after ? t("flow.after", { time: text(raw.after) }) : "", raw.coupon ? offer(raw.coupon) : "", text(raw.send), by].filter(Boolean).join(" · "),
    coupon: offer(raw.coupon),
    points: text(raw.points),
    wait: text(raw.wait),
    await: [text(raw.await), raw.within ? t("flow.within", { time: text(raw.within) }) : ""].filter(Boolean).join(" · "),
    until: [text(raw.until), raw.within ? t("flow.within", { time: text(raw.within) }) : ""].filter(Boolean).join(" · "),
    if: text(raw.if),
    split: t("flow.ways", { n: Array.isArray(raw.split) ? raw.split.length : 0 }),
    tag: called(file.tags?.[text(raw.tag)]?.name, text(raw.tag)),
    untag: called(file.tags?.[text(raw.untag)]?.name, text(raw.untag)),
    set: `${text(raw.set)} = ${text(raw.to)}`,
    task: text(raw.task),
    webhook: text(raw.webhook),
  };
  return { kind, title: word("step", kind), says: said[kind] ?? "" };
}

/** The same as a list, for who cannot see or point at the picture. */
function Steps({ nodes, file, wrong, open }: { nodes: Drawn[]; file: File; wrong: Set<string | undefined>; open: (id: string) => void }) {
  const { t } = useWords();
  return (
    <ol className="stack tight">
      {nodes
        .filter((node) => node.kind !== "end")
        .map((node) => (
          <li key={node.id} style={{ paddingLeft: 14 * Math.max(0, Math.floor((node.place.length - 4) / 2)) }}>
            <button type="button" className="plain" onClick={() => open(node.id)}>
              <strong style={{ fontWeight: 500 }}>{word("step", node.kind)}</strong> <span className="quiet">{inWords(node, file, t).says}</span>
              {wrong.has(node.id) ? <span className="danger"> {t("flow.wrong")}</span> : null}
            </button>
          </li>
        ))}
    </ol>
  );
}

type FieldOf = { key: string; kind: "text" | "condition" | "message" | "offer" | "channels" | "tag" | "whole" | "event" };
const FIELDS: Partial<Record<StepKind, FieldOf[]>> = {
  begin: [
    { key: "on", kind: "text" },
    { key: "when", kind: "condition" },
    { key: "who", kind: "condition" },
    { key: "leave", kind: "condition" },
    { key: "goal", kind: "text" },
    { key: "again", kind: "text" },
    { key: "holdout", kind: "text" },
    { key: "budget", kind: "text" },
    { key: "at_most", kind: "whole" },
    { key: "from", kind: "text" },
    { key: "until", kind: "text" },
  ],
  send: [{ key: "send", kind: "message" }, { key: "by", kind: "channels" }, { key: "at", kind: "text" }],
  wave: [{ key: "after", kind: "text" }, { key: "coupon", kind: "offer" }, { key: "send", kind: "message" }, { key: "by", kind: "channels" }, { key: "at", kind: "text" }],
  coupon: [{ key: "coupon", kind: "offer" }],
  points: [{ key: "points", kind: "whole" }],
  wait: [{ key: "wait", kind: "text" }],
  await: [{ key: "await", kind: "event" }, { key: "when", kind: "condition" }, { key: "within", kind: "text" }],
  until: [{ key: "until", kind: "condition" }, { key: "within", kind: "text" }],
  if: [{ key: "if", kind: "condition" }],
  tag: [{ key: "tag", kind: "tag" }],
  untag: [{ key: "untag", kind: "tag" }],
  set: [{ key: "set", kind: "text" }, { key: "to", kind: "text" }],
  task: [{ key: "task", kind: "message" }],
  webhook: [{ key: "webhook", kind: "text" }],
};
const ADDED: StepKind[] = ["send", "coupon", "points", "wait", "if", "await", "split", "tag", "task", "exit"];

function Side({ node, source, file, set, go, may }: { node: Drawn; source: string; file: File; set: (next: string) => void; go: (id: string) => void; may: boolean }) {
  const { t } = useWords();
  const put = (key: string, value: string | number | string[] | undefined) => {
    const place: Place = [...node.place, key];
    const there = valueAt(source, place) !== undefined;
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return set(there ? dropAt(source, place) : source);
    if (!Array.isArray(value)) return set(there ? setAt(source, place, value) : putIn(source, node.place, key, value));
    // One channel is written as a word, several as a list.
    const next = value.length === 1 ? (value[0] ?? "") : value;
    const old = valueAt(source, place);
    if (typeof next === "string" && typeof old === "string") return set(setAt(source, place, next));
    return set(putIn(there ? dropAt(source, place) : source, node.place, key, next));
  };
  const first = { message: Object.keys(file.messages ?? {})[0] ?? "", offer: Object.entries(file.offers ?? {}).find(([, one]) => one.coupon)?.[0] ?? "", channel: "inbox" };
  const listPlace = node.kind === "begin" ? undefined : node.place.slice(0, -1);
  const index = Number(node.place.at(-1));
  const top: Place | undefined = node.kind === "begin" && node.raw.waves === undefined ? [...node.place, "steps"] : undefined;
  const insert = (kind: StepKind) => {
    const place = listPlace ?? top;
    if (!place) return;
    const at = listPlace ? index + 1 : 0;
    set(putItem(source, place, at, begunStep(kind, first)));
    go([...place, at].join("/"));
  };
  const fields = FIELDS[node.kind] ?? [];
  return (
    <div className="stack" style={{ gap: 12 }}>
      {fields.map((one) => (
        <StepField key={one.key} of={one} value={node.raw[one.key]} file={file} set={(value) => put(one.key, value)} may={may} />
      ))}
      {fields.length === 0 ? <p className="quiet small">{t("flow.no_fields")}</p> : null}
      {may ? (
        <div className="row">
          {(node.kind === "begin" ? top !== undefined : node.raw.after === undefined && node.kind !== "end" && node.kind !== "exit") ? (
            <Menu items={ADDED.map((kind) => ({ key: kind, label: word("step", kind), onClick: () => insert(kind) }))}>
              <Button size="small">{t("flow.add")} ▾</Button>
            </Menu>
          ) : null}
          {listPlace && node.kind !== "end" ? (
            <Button
              size="small"
              danger
              type="text"
              onClick={() => {
                set(dropItem(source, listPlace, index));
                go("");
              }}
            >
              {t("flow.drop")}
            </Button>
          ) : null}
        </div>
      ) : null}
      <div>
        <Button size="small" type="link" style={{ padding: 0 }} onClick={() => go("")}>
          ← {t("flow.steps")}
        </Button>
      </div>
    </div>
  );
}

function StepField({ of, value, file, set, may }: { of: FieldOf; value: unknown; file: File; set: (value: string | number | string[] | undefined) => void; may: boolean }) {
  const { t } = useWords();
  const label = word("step_field", of.key);
  const said = text(value);
  const [typed, setTyped] = useState(said);
  useEffect(() => setTyped(said), [said]);
  const settle = () => typed !== said && set(typed.trim() === "" ? undefined : typed);
  const options = (all: Record<string, Named> | undefined) => Object.entries(all ?? {}).map(([id, one]) => ({ value: id, label: called(one?.name, id) }));
  return (
    <Field label={label} {...(of.key === "on" ? { hint: t("flow.on_say") } : {})}>
      {(id, described) => {
        if (typeof value === "object" && value !== null && of.kind !== "channels") return <code style={{ overflowWrap: "anywhere" }}>{said}</code>;
        switch (of.kind) {
          case "message":
            return <Select id={id} aria-label={label} disabled={!may} value={said} onChange={(next: string) => set(next)} options={Object.keys(file.messages ?? {}).map((one) => ({ value: one, label: one }))} />;
          case "offer":
            return <Select id={id} aria-label={label} disabled={!may} value={said} onChange={(next: string) => set(next)} options={options(Object.fromEntries(Object.entries(file.offers ?? {}).filter(([, one]) => one?.coupon)))} />;
          case "tag":
            return <AutoComplete id={id} aria-label={label} disabled={!may} value={said} onChange={(next: string) => set(next)} options={options(file.tags)} />;
          case "channels":
            return (
              <Select
                id={id}
                mode="multiple"
                aria-label={label}
                disabled={!may}
                value={Array.isArray(value) ? value.map(String) : said === "" ? [] : [said]}
                onChange={(next: string[]) => set(next)}
                options={CHANNELS.map((one) => ({ value: one, label: word("channel", one) }))}
              />
            );
          case "whole":
            return <InputNumber id={id} disabled={!may} min={0} precision={0} style={{ width: "100%" }} value={said === "" ? null : Number(said)} onChange={(next) => set(next ?? undefined)} />;
          case "condition":
            return <Input.TextArea id={id} disabled={!may} className="mono" style={{ fontSize: 12.5 }} autoSize={{ minRows: 1, maxRows: 6 }} value={typed} onChange={(event) => setTyped(event.target.value)} onBlur={settle} />;
          default:
            return <Input id={id} aria-describedby={described} disabled={!may} maxLength={120} value={typed} onChange={(event) => setTyped(event.target.value)} onBlur={settle} onPressEnter={settle} />;
        }
      }}
    </Field>
  );
}

