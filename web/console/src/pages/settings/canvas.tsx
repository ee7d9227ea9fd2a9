// A canvas of coordinates: dots by latitude and longitude over a ground, moved and zoomed by mouse, fingers and keys. What it shows stands in a
// list beside it too.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useWords } from "../../words";
import { plain, type Ground } from "./ground";
import { fit, fromPixel, grouped, moved, ruler, toPixel, viewRead, viewSaid, zoomed, type At, type Size, type View } from "./map";

export type Dot = At & { id: string; name: string; under: string; color: string; faded?: boolean };
const NAMES_MAX = 60;

export function Canvas({
  dots,
  ground = plain,
  label,
  at,
  changed,
  picked,
  pick,
  ghost,
  point,
}: {
  dots: Dot[];
  ground?: Ground;
  label: string;
  /** What is seen, as the address holds it. */
  at: string;
  changed: (at: string) => void;
  picked: string;
  pick: (id: string) => void;
  /** Where something is about to be put. */
  ghost?: At | undefined;
  /** Heard where a point is wanted: a press on the canvas says which. */
  point?: ((at: At) => void) | undefined;
}) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const whole = useMemo(() => fit(dots, size), [dots, size]);
  const [view, setView] = useState<View | undefined>(() => viewRead(at));
  const seen = view ?? whole;
  const [over, setOver] = useState("");

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(([entry]) => entry && setSize({ width: Math.round(entry.contentRect.width), height: Math.round(entry.contentRect.height) }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  // What the address says otherwise (back, a link) comes in; what is seen follows into it once it rests.
  const said = useRef(at);
  useEffect(() => {
    if (at === said.current) return;
    said.current = at;
    setView(viewRead(at));
  }, [at]);
  useEffect(() => {
    const next = view ? viewSaid(view) : "";
    if (next === said.current) return;
    const timer = setTimeout(() => {
      said.current = next;
      changed(next);
    }, 250);
    return () => clearTimeout(timer);
  }, [view, changed]);

  const change = (to: (now: View) => View) => setView((now) => to(now ?? whole));
  // A wheel scrolls the page; with Ctrl, or by two fingers on a touchpad, it zooms.
  const zoom = useRef((_factor: number, _under: [number, number]) => {});
  zoom.current = (factor, under) => change((now) => zoomed(now, size, factor, under));
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      zoom.current(Math.exp(-event.deltaY * 0.0035), [event.clientX - left, event.clientY - top]);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);

  const fingers = useRef(new Map<number, [number, number]>());
  const pressed = useRef(0);
  const where = (event: PointerEvent): [number, number] => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const began = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    if (fingers.current.size === 0) pressed.current = 0;
    fingers.current.set(event.pointerId, where(event));
  };
  const dragged = (event: PointerEvent<HTMLDivElement>) => {
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const now = where(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    pressed.current += Math.abs(dx) + Math.abs(dy);
    // Less than this is a press of a hand that is not quite still.
    if (pressed.current > 4 && !event.currentTarget.hasPointerCapture(event.pointerId)) event.currentTarget.setPointerCapture(event.pointerId);
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    fingers.current.set(event.pointerId, now);
    if (other) {
      const apart = (one: [number, number]) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      change((old) => zoomed(moved(old, [dx / 2, dy / 2]), size, apart(now) / Math.max(1, apart(before)), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]));
    } else change((old) => moved(old, [dx, dy]));
  };
  const ended = (event: PointerEvent<HTMLDivElement>) => {
    if (!fingers.current.delete(event.pointerId) || fingers.current.size > 0 || pressed.current > 4 || event.type !== "pointerup") return;
    if (point && !(event.target as Element).closest("button")) point(fromPixel(seen, size, where(event)));
  };
  const keys = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const by: Record<string, [number, number]> = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const move = by[event.key];
    if (move) change((now) => moved(now, move));
    else if (event.key === "+" || event.key === "=") change((now) => zoomed(now, size, 1.5));
    else if (event.key === "-") change((now) => zoomed(now, size, 1 / 1.5));
    else if (event.key === "0") setView(undefined);
    else return;
    event.preventDefault();
  };

  const groups = size.width > 0 ? grouped(dots, seen, size) : [];
  const named = groups.length <= NAMES_MAX ? roomFor(groups) : new Set<string>();
  const { metres, pixels } = ruler(seen);
  return (
    <div className="map">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys. */}
      <div
        ref={box}
        className={point ? "map-box points" : "map-box"}
        role="group"
        aria-label={label}
        tabIndex={0}
        onKeyDown={keys}
        onPointerDown={began}
        onPointerMove={dragged}
        onPointerUp={ended}
        onPointerCancel={ended}
        onDoubleClick={(event) => {
          const { left, top } = event.currentTarget.getBoundingClientRect();
          if (!point) zoom.current(2, [event.clientX - left, event.clientY - top]);
        }}
      >
        <svg width={size.width} height={size.height} aria-hidden="true">
          {size.width > 0 ? ground.draw(seen, size) : null}
          {groups.map((group) => {
            const one = group.of[0] as Dot;
            const key = group.of.length > 1 ? `${one.id} ${group.of.length}` : one.id;
            const isPicked = group.of.some((dot) => dot.id === picked);
            const press = () => {
              if (pressed.current > 4 || point) return;
              if (group.of.length === 1) pick(one.id);
              else setView(near(group.of, size, seen));
            };
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the list beside it does the same from the keyboard.
              <g key={key} className="map-dot" onClick={press} onPointerEnter={() => setOver(key)} onPointerLeave={() => setOver("")}>
                {isPicked || over === key ? <circle cx={group.x} cy={group.y} r={group.of.length > 1 ? 17 : 13} className="map-ring" /> : null}
                <circle cx={group.x} cy={group.y} r={group.of.length > 1 ? 12 : 7} fill={group.of.length > 1 ? "var(--surface)" : one.color} stroke={group.of.length > 1 ? one.color : "var(--surface)"} strokeWidth={2} opacity={one.faded ? 0.45 : 1} />
                {group.of.length > 1 ? (
                  <text x={group.x} y={group.y + 4} textAnchor="middle" className="map-n">
                    {group.of.length}
                  </text>
                ) : null}
                {group.of.length === 1 && (named.has(one.id) || isPicked || over === key) ? (
                  <text x={group.x + (isPicked || over === key ? 18 : 12)} y={group.y + 4} className="map-name">
                    {one.name}
                    {isPicked || over === key ? <tspan className="map-under"> {one.under}</tspan> : null}
                  </text>
                ) : null}
              </g>
            );
          })}
          {ghost ? <Ghost at={toPixel(seen, size, ghost)} /> : null}
          <g className="map-ruler" transform={`translate(${size.width - pixels - 16} ${size.height - 28})`}>
            <path d={`M0 -5 V0 H${pixels} V-5`} fill="none" />
            <text x={pixels / 2} y={-6} textAnchor="middle">
              {metres >= 1_000 ? t("map.km", { n: metres / 1_000 }) : t("map.metres", { n: metres })}
            </text>
          </g>
        </svg>
        <div className="map-tools">
          <button type="button" aria-label={t("map.nearer")} onClick={() => change((now) => zoomed(now, size, 1.6))}>
            +
          </button>
          <button type="button" aria-label={t("map.farther")} onClick={() => change((now) => zoomed(now, size, 1 / 1.6))}>
            −
          </button>
          <button type="button" aria-label={t("map.all")} title={t("map.all")} onClick={() => setView(undefined)}>
            ⤢
          </button>
        </div>
        {ground.says ? <span className="map-says">{ground.says}</span> : null}
      </div>
    </div>
  );
}

const Ghost = ({ at: [x, y] }: { at: [number, number] }) => (
  <g className="map-ghost">
    <path d={`M${x} ${y} m0 -16 v10 m0 12 v10 m-16 -16 h10 m12 0 h10`} />
    <circle cx={x} cy={y} r={5} />
  </g>
);

/** Nearer, until those of a group are apart; those that lie on one point only so far. */
function near(of: readonly Dot[], size: Size, now: View): View {
  const view = fit(of, size);
  return { ...view, scale: Math.max(view.scale, now.scale * 1.6) };
}

/** The dots whose names have room beside them, from the left. */
function roomFor(groups: { x: number; y: number; of: Dot[] }[]): Set<string> {
  const boxes = groups.map(({ x, y, of }) => ({ left: x - 10, right: x + (of.length > 1 ? 14 : 10), top: y - 9, bottom: y + 9 }));
  const named = new Set<string>();
  for (const { x, y, of } of [...groups].sort((a, b) => a.x - b.x)) {
    const [one] = of;
    if (!one || of.length > 1) continue;
    const wide = [...one.name].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 13 : 7), 0);
    const name = { left: x + 11, right: x + 14 + wide, top: y - 9, bottom: y + 9 };
    if (boxes.some((box) => box.left < name.right && box.right > name.left && box.top < name.bottom && box.bottom > name.top)) continue;
    boxes.push(name);
    named.add(one.id);
  }
  return named;
}
