// A condition as blocks, changed by pointing. What blocks cannot show stands there as text and stays as it is.
import { AutoComplete, Button, Input, InputNumber, Segmented, Select } from "antd";
import { Menu } from "../../parts/menu";
import { useEffect, useState } from "react";
import { add, at, blockOf, join, negate, nest, printed, put, read, remove, replaceText, type Block } from "../../condition/blocks";
import { begun, OPERATORS, SHAPES, valueOf, withHole, withOperator, type Hole, type HoleKind, type Shape, type ShapeKey } from "../../condition/shapes";
import { NotRead, print, withBefore, before, type Node, type Tree } from "../../condition/tree";
import { useWords, word } from "../../words";

type Option = { value: string; label: string };
export type Vocabulary = { tiers: Option[]; stages: Option[]; tags: Option[]; audiences: Option[]; attributes: Option[]; purposes: Option[]; channels: Option[]; events: Option[]; currency: string };

type Editing = { tree: Tree; words: Vocabulary; change: (root: Node) => void; drop: (block: Block) => void };

const GROUPS = ["who", "history", "said", "present"] as const;
const SHAPE_LIST = SHAPES as readonly Shape[];

export default function Blocks({ text, words, onChange }: { text: string; words: Vocabulary; onChange: (text: string) => void }) {
  const { t } = useWords();
  if (text.trim() === "") {
    return (
      <div className="blocks">
        <Adding words={words} label={t("blocks.first")} picked={(node) => onChange(print({ root: node, after: "" }))} />
      </div>
    );
  }
  const seen = read(text);
  if ("fault" in seen) return <p className="quiet small">{t("blocks.unread")}</p>;
  const { tree } = seen;
  const editing: Editing = {
    tree,
    words,
    change: (root) => onChange(printed(tree, root)),
    drop: (block) => {
      const left = remove(tree, block);
      onChange(left ? print(left) : "");
    },
  };
  const block = blockOf(tree.root, [], [], tree.after);
  return (
    <div className="blocks">
      {block.kind === "group" ? (
        <Group block={block} editing={editing} outer />
      ) : (
        <>
          <One block={block} editing={editing} />
          <Adding words={words} label={t("blocks.add")} picked={(node) => editing.change(add(tree.root, block, node))} />
        </>
      )}
    </div>
  );
}

const One = ({ block, editing }: { block: Block; editing: Editing }) =>
  block.kind === "group" ? <Group block={block} editing={editing} /> : block.kind === "row" ? <Row block={block} editing={editing} /> : <Text block={block} editing={editing} />;

function Comments({ of }: { of: string[] }) {
  const { t } = useWords();
  return of.length === 0 ? null : (
    <p className="said small" aria-label={t("blocks.comment")}>
      {of.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: comments have no names.
        <span key={place}>{one}</span>
      ))}
    </p>
  );
}

function Group({ block, editing, outer = false }: { block: Block & { kind: "group" }; editing: Editing; outer?: boolean }) {
  const { t } = useWords();
  const { tree, words, change } = editing;
  return (
    <fieldset className={outer ? "block-group outer" : "block-group"}>
      <legend className="only-heard">{block.joins === "and" ? t("blocks.all") : t("blocks.any")}</legend>
      <Comments of={block.comments} />
      <div className="apart" style={{ minHeight: 28 }}>
        <div className="row" style={{ gap: 6 }}>
          {block.not ? <Not block={block} editing={editing} /> : null}
          <span className="small quiet">{t("blocks.holds")}</span>
          <Segmented
            size="small"
            aria-label={t("blocks.joins")}
            value={block.joins}
            onChange={(next) => change(join(tree.root, block, next as "and" | "or"))}
            options={[
              { value: "and", label: t("blocks.all") },
              { value: "or", label: t("blocks.any") },
            ]}
          />
          <span className="small quiet">{t("blocks.of_these")}</span>
        </div>
        <More block={block} editing={editing} />
      </div>
      {block.blocks.map((one) => (
        <One key={one.path.join(".")} block={one} editing={editing} />
      ))}
      <Adding words={words} label={t("blocks.add")} picked={(node) => change(add(tree.root, block, node))} />
    </fieldset>
  );
}

function Not({ block, editing }: { block: Block; editing: Editing }) {
  const { t } = useWords();
  return (
    <button type="button" className="plain not" title={t("blocks.not_off")} onClick={() => editing.change(negate(editing.tree.root, block))}>
      {t("blocks.not")}
    </button>
  );
}

/** What else may be done with a block. */
function More({ block, editing }: { block: Block; editing: Editing }) {
  const { t } = useWords();
  const { tree, words, change, drop } = editing;
  return (
    <Menu
      items={[
          { key: "not", label: block.not ? t("blocks.not_off") : t("blocks.not_on"), onClick: () => change(negate(tree.root, block)) },
          { key: "nest", label: t("blocks.nest"), onClick: () => change(nest(tree.root, block, begun("points", fill(words)))) },
          { type: "divider" },
          { key: "drop", danger: true, label: t("blocks.drop"), onClick: () => drop(block) },
        ]}
    >
      <Button size="small" type="text" aria-label={t("blocks.more")}>
        ⋯
      </Button>
    </Menu>
  );
}

function Row({ block, editing }: { block: Block & { kind: "row" }; editing: Editing }) {
  const { t } = useWords();
  const { tree, words, change } = editing;
  const { found } = block;
  const node = at(tree.root, block.inner);
  const set = (next: Node) => change(put(tree.root, block.inner, next));
  // The last hole is what is compared with; those before it say of what.
  const last = found.operator || found.shape.holes.length > 0 ? found.shape.holes.at(-1) : undefined;
  const others = found.shape.holes.filter((hole) => hole !== last);
  const hole = (one: Hole) => <HoleField key={one.name} hole={one} shape={found.shape} words={words} value={valueOf(found.holes[one.name])} set={(value) => set(withHole(node, found, one.name, value))} />;
  const unit = word("shape_unit", found.shape.key);
  return (
    <div className="block-row">
      <Comments of={block.comments} />
      <div className="row" style={{ gap: 6 }}>
        {block.not ? <Not block={block} editing={editing} /> : null}
        <Shapes
          value={found.shape.key as ShapeKey}
          picked={(key) => {
            const made = begun(key, fill(words));
            // In the place of the old one: what stood before it stays, brackets come where the place asks for them.
            const stands = withBefore(made, before(node));
            change(put(tree.root, block.inner, block.not && block.inner.length === block.path.length + 1 ? inPlace(stands) : stands));
          }}
        />
        {others.map(hole)}
        {found.operator && found.shape.compares ? (
          <Select
            size="small"
            className="op"
            aria-label={t("blocks.compared")}
            value={found.operator.text}
            popupMatchSelectWidth={false}
            onChange={(next: string) => set(withOperator(node, found, next))}
            options={OPERATORS[found.shape.compares].map((value) => ({ value, label: word("operator", value) }))}
          />
        ) : null}
        {last ? hole(last) : null}
        {unit !== "" ? <span className="quiet small">{unit === "$" ? words.currency : unit}</span> : null}
        <span className="more">
          <More block={block} editing={editing} />
        </span>
      </div>
    </div>
  );
}
/** After `!` only what binds tightly may stand. */
const inPlace = (node: Node): Node =>
  node.kind === "binary" ? { kind: "brackets", parts: [{ kind: "leaf", of: "mark", text: "(", before: before(node) }, withBefore(node, ""), { kind: "leaf", of: "mark", text: ")", before: "" }] } : node;

function Shapes({ value, picked }: { value?: ShapeKey; picked: (key: ShapeKey) => void }) {
  const { t } = useWords();
  return (
    <Select
      size="small"
      className="shape"
      aria-label={t("blocks.of_what")}
      value={value}
      showSearch={{ optionFilterProp: "label" }}
      popupMatchSelectWidth={240}
      onChange={picked}
      options={GROUPS.map((group) => ({
        label: word("shape_group", group),
        options: SHAPE_LIST.filter((shape) => shape.group === group).map((shape) => ({ value: shape.key as ShapeKey, label: word("shape", shape.key) })),
      }))}
    />
  );
}

const listOf = (kind: HoleKind, words: Vocabulary): Option[] | undefined => {
  switch (kind) {
    case "tier":
    case "tiers":
      return words.tiers;
    case "stage":
    case "stages":
      return words.stages;
    case "tag":
      return words.tags;
    case "audience":
      return words.audiences;
    case "weekdays":
      return ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((value) => ({ value, label: word("weekday", value) }));
    default:
      return undefined;
  }
};
const suggested = (kind: HoleKind, words: Vocabulary): Option[] =>
  kind === "attribute" ? words.attributes : kind === "purpose" ? words.purposes : kind === "channel" ? words.channels : kind === "event" ? words.events : [];

/** What stands in a hole at first. */
export const fill = (words: Vocabulary) => (hole: Hole): string | number | string[] => {
  const first = (listOf(hole.kind, words) ?? suggested(hole.kind, words))[0]?.value;
  switch (hole.kind) {
    case "number":
      return 1;
    case "window":
      return "90d";
    case "clock":
      return "19:30";
    case "tiers":
    case "stages":
    case "weekdays":
    case "texts":
      return first ? [first] : [];
    case "name":
      return "test 1";
    default:
      return first ?? "";
  }
};

function HoleField({ hole, shape, words, value, set }: { hole: Hole; shape: Shape; words: Vocabulary; value: ReturnType<typeof valueOf>; set: (value: string | number | string[]) => void }) {
  const { t } = useWords();
  const label = word("hole", hole.kind);
  const known = listOf(hole.kind, words);
  // A value that the brand does not have stays to be seen.
  const with_ = (values: string[]) => [...(known ?? []), ...values.filter((one) => !known?.some((option) => option.value === one)).map((one) => ({ value: one, label: one }))];
  if (hole.kind === "number") return <InputNumber size="small" aria-label={label} style={{ width: 72 }} value={typeof value === "number" ? value : 0} onChange={(next) => next !== null && set(next)} />;
  if (hole.kind === "window") {
    const said = /^(\d+)([dh])$/.exec(String(value));
    const n = Number(said?.[1] ?? 90);
    const unit = said?.[2] ?? "d";
    return (
      <span className="row" style={{ gap: 4, flexWrap: "nowrap" }}>
        <span className="small quiet nowrap">{t("blocks.within")}</span>
        <InputNumber size="small" aria-label={label} style={{ width: 58 }} min={1} max={unit === "d" ? 3660 : 720} precision={0} value={n} onChange={(next) => next !== null && set(`${next}${unit}`)} />
        <Select size="small" aria-label={t("blocks.unit")} style={{ width: 72 }} value={unit} onChange={(next: string) => set(`${next === "h" ? Math.min(n, 720) : n}${next}`)} options={["d", "h"].map((one) => ({ value: one, label: word("window_unit", one) }))} />
      </span>
    );
  }
  if (Array.isArray(value) || hole.kind === "texts") {
    const values = Array.isArray(value) ? value : [];
    return (
      <Select
        size="small"
        mode={known ? "multiple" : "tags"}
        aria-label={label}
        style={{ minWidth: 180, maxWidth: "100%" }}
        value={values}
        onChange={(next: string[]) => set(next)}
        options={with_(values)}
        optionFilterProp="label"
        {...(known ? {} : { open: false, suffixIcon: null })}
      />
    );
  }
  if (known) return <Select size="small" aria-label={label} style={{ minWidth: 132 }} showSearch={{ optionFilterProp: "label" }} popupMatchSelectWidth={false} value={String(value)} onChange={(next: string) => set(next)} options={with_([String(value)])} />;
  const more = suggested(hole.kind, words);
  const width = shape.key === "bought" || shape.key === "bought_product" || shape.key === "bought_n" ? 168 : 132;
  return more.length > 0 ? (
    <AutoComplete size="small" aria-label={label} style={{ width }} value={String(value)} options={more} popupMatchSelectWidth={false} onChange={(next: string) => set(next)} showSearch={{ filterOption: (typed, option) => `${option?.label} ${option?.value}`.toLowerCase().includes(typed.toLowerCase()) }} />
  ) : (
    <Input size="small" aria-label={label} style={{ width }} value={String(value)} onChange={(event) => set(event.target.value)} />
  );
}

/** Whatever blocks do not show, as it is written. */
function Text({ block, editing }: { block: Block & { kind: "text" }; editing: Editing }) {
  const { t } = useWords();
  const { tree, change } = editing;
  const [typed, setTyped] = useState(block.text);
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    setTyped(block.text);
    setFault(undefined);
  }, [block.text]);
  const settle = () => {
    if (typed === block.text) return;
    try {
      change(replaceText(tree.root, block.inner, typed));
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      setFault(error.message);
    }
  };
  return (
    <div className="block-row">
      <Comments of={block.comments} />
      <div className="row" style={{ gap: 6, flexWrap: "nowrap", alignItems: "flex-start" }}>
        {block.not ? <Not block={block} editing={editing} /> : null}
        <Input.TextArea
          aria-label={t("blocks.text")}
          autoSize={{ minRows: 1, maxRows: 8 }}
          className="mono"
          status={fault ? "error" : ""}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={settle}
        />
        <More block={block} editing={editing} />
      </div>
      {fault ? <p className="danger small">{t("blocks.fault")}</p> : null}
    </div>
  );
}

function Adding({ words, label, picked }: { words: Vocabulary; label: string; picked: (node: Node) => void }) {
  const [choosing, setChoosing] = useState(false);
  const { t } = useWords();
  if (!choosing) {
    return (
      <div>
        <Button size="small" type="dashed" onClick={() => setChoosing(true)}>
          + {label}
        </Button>
      </div>
    );
  }
  return (
    <div className="row" style={{ gap: 6 }}>
      <Shapes
        picked={(key) => {
          setChoosing(false);
          picked(begun(key, fill(words)));
        }}
      />
      <Button size="small" type="text" onClick={() => setChoosing(false)}>
        {t("do.close")}
      </Button>
    </div>
  );
}

