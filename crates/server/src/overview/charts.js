// The two charts that need geometry: columns over time, and the flow between stages.

// About `n` round steps from 0 to at least `top`.
function ticks(top, n) {
  const rough = Math.max(top, 1) / n;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].map((m) => m * size).find((candidate) => candidate >= rough));
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, i) => i * step);
}

// Labels under the columns: one wherever the name changes, as long as it does not run into the one before.
function labels(items, x, step, room) {
  let last = -Infinity;
  let before = null;
  const shown = [];
  items.forEach((item, i) => {
    const changed = item.label !== before;
    before = item.label;
    // A name that lasts for one column at the very start would push out the one that follows it.
    const passing = i === 0 && items.length > 12 && items[1].label !== item.label;
    if (!changed || passing || x(i) - last < room || x(i) + step > x(items.length)) return;
    last = x(i);
    shown.push([x(i) + step / 2, item.label]);
  });
  return shown;
}

// Columns, and a line over them when items have `line`. chart: items [{label, tip, value, line, part}], hue,
// scale(value) for the axis, unit (the smallest step of it), walk (what the keyboard walks through), id.
function columns(chart, width) {
  const { items, hue } = chart;
  const height = 240;
  const few = items.length <= 6;
  const hasLine = items.some((item) => item.line !== undefined);
  const room = { top: few ? 22 : 10, bottom: 24, left: width < 400 ? 46 : 60, right: hasLine ? (width < 400 ? 44 : 48) : 4 };
  const inner = { w: Math.max(40, width - room.left - room.right), h: height - room.top - room.bottom };
  const marks = ticks(Math.max(...items.map((item) => item.value)) / chart.unit, 4).map((mark) => mark * chart.unit);
  const lineMarks = ticks(Math.max(...items.map((item) => item.line ?? 0)), marks.length - 1);
  const intervals = Math.max(marks.length, hasLine ? lineMarks.length : 0) - 1;
  const top = (marks[1] ?? 1) * intervals;
  const lineTop = (lineMarks[1] ?? 1) * intervals;
  const step = inner.w / items.length;
  const thick = Math.min(48, Math.max(1, step * (step > 12 ? 0.68 : 0.76)));
  const x = (i) => room.left + i * step;
  const y = (value, most) => room.top + inner.h - (Math.max(0, value) / most) * inner.h;
  const drawn = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" });
  for (let i = 0; i <= intervals; i++) {
    const at = Math.round(room.top + inner.h - (i / intervals) * inner.h) + 0.5;
    drawn.append(s("line", { class: i ? "rule" : "rule base", x1: room.left, x2: width - room.right, y1: at, y2: at }),
      s("text", { x: room.left - 8, y: at + 4, "text-anchor": "end" }, chart.scale((top / intervals) * i)));
    if (hasLine) drawn.append(s("text", { x: width - room.right + 8, y: at + 4 }, compact((lineTop / intervals) * i)));
  }
  const bars = items.map((item, i) => {
    const at = y(item.value, top);
    return s("rect", { class: item.part ? "col part-week" : "col", x: x(i) + (step - thick) / 2, y: at, width: thick, height: Math.max(item.value > 0 ? 1 : 0, room.top + inner.h - at), rx: Math.min(2, thick / 4) });
  });
  drawn.append(s("g", { class: `${hue}${hasLine ? " behind" : ""}` }, bars));
  if (few) drawn.append(...items.map((item, i) => s("text", { class: "name", x: x(i) + step / 2, y: y(item.value, top) - 7, "text-anchor": "middle" }, chart.scale(item.value))));
  for (const [at, label] of labels(items, x, step, chart.labelRoom)) {
    drawn.append(s("text", { x: at, y: height - 6, "text-anchor": "middle" }, label));
  }
  const knot = s("circle", { class: "knot", r: 4, visibility: "hidden" });
  const lineAt = (i) => y(items[i].line, lineTop);
  if (hasLine) {
    const whole = items.map((item, i) => [i, item]).filter(([, item]) => !item.part);
    const points = whole.map(([i]) => `${(x(i) + step / 2).toFixed(1)},${lineAt(i).toFixed(1)}`);
    drawn.append(s("g", { class: "indigo" }, s("polyline", { class: "halo", points: points.join(" ") }), s("polyline", { class: "curve", points: points.join(" ") }), knot));
  }
  return walked(chart, drawn, { bars, knot, x, step, lineAt: hasLine ? lineAt : null });
}

// Lets the pointer and the arrow keys walk over the columns. The keyboard's way is a range input laid over the
// chart: it is focusable, speaks each value, and needs no roles of our own.
function walked(chart, drawn, { bars, knot, x, step, lineAt }) {
  const last = chart.items.length - 1;
  const range = h("input", { type: "range", id: `${chart.id}-walk`, min: 0, max: last, value: last, "aria-label": chart.walk, "aria-valuetext": chart.items[last].tip });
  const plot = h("div", { class: "plot" }, drawn, range);
  const show = (i) => {
    bars.forEach((column, at) => column.classList.toggle("on", at === i));
    drawn.classList.add("lit");
    if (lineAt) {
      knot.setAttribute("cx", x(i) + step / 2);
      knot.setAttribute("cy", lineAt(i));
      knot.setAttribute("visibility", "visible");
    }
    showTip(chart.items[i].tip, bars[i].getBoundingClientRect());
  };
  const hide = () => {
    drawn.classList.remove("lit");
    knot.setAttribute("visibility", "hidden");
    hideTip();
  };
  const point = (event) => {
    const i = Math.floor((event.clientX - drawn.getBoundingClientRect().left - x(0)) / step);
    if (i >= 0 && i <= last) show(i);
    else hide();
  };
  const walk = () => {
    range.setAttribute("aria-valuetext", chart.items[range.value].tip);
    show(Number(range.value));
  };
  put(drawn, { onpointermove: point, onpointerdown: point, onpointerleave: hide }, []);
  put(range, { onfocus: walk, oninput: walk, onblur: hide }, []);
  return plot;
}

// Where each node of one side stands: top and bottom, stacked with gaps.
function stack(ids, links, side, thickness, gap) {
  const nodes = new Map();
  let y = 18;
  for (const id of ids) {
    const own = links.filter((link) => link[side] === id);
    if (!own.length) continue;
    const tall = own.reduce((sum, link) => sum + thickness(link), 0);
    nodes.set(id, { y, tall, used: 0, members: own.reduce((sum, link) => sum + link.members, 0) });
    y += tall + gap;
  }
  return { nodes, end: y - gap };
}

// The flow between stages: left the first day, right the last. Those who stayed are pale; the others carry the
// colour of where they went. flow: links [{from, to, members}], ids in order (null: not yet known), name, hue.
function sankey(flow, width) {
  const total = flow.links.reduce((sum, link) => sum + link.members, 0);
  const thickness = (link) => Math.max(1.5, (link.members / total) * 170);
  const left = stack(flow.ids, flow.links, "from", thickness, 36);
  const right = stack(flow.ids, flow.links, "to", thickness, 36);
  // Room for the longest name, at twelve pixels: a Chinese character takes all of them, a Latin one about seven.
  const wide = (id) => [...flow.name(id)].reduce((w, c) => w + (c > "\u2e80" ? 12.5 : 7.2), 0);
  const room = Math.min(width * 0.42, Math.max(56, ...[...left.nodes.keys(), ...right.nodes.keys()].map(wide)) + 12);
  const ends = { l: room, r: width - room };
  const height = Math.max(left.end, right.end, 40) + 22;
  const middle = (ends.l + ends.r) / 2;
  const order = (id) => flow.ids.indexOf(id);
  const sorted = [...flow.links].sort((a, b) => order(a.from) - order(b.from) || order(a.to) - order(b.to));
  const ribbons = sorted.map((link) => {
    const [a, b, t] = [left.nodes.get(link.from), right.nodes.get(link.to), thickness(link)];
    const [y0, y1] = [a.y + a.used, b.y + b.used];
    a.used += t;
    b.used += t;
    const d = `M${ends.l + 6} ${y0}C${middle} ${y0} ${middle} ${y1} ${ends.r - 6} ${y1}v${t}C${middle} ${y1 + t} ${middle} ${y0 + t} ${ends.l + 6} ${y0 + t}z`;
    const stays = link.from === link.to;
    const told = say(stays ? "stayTip" : "flowTip", { from: flow.name(link.from), to: flow.name(link.to), n: link.members });
    return s("path", { class: `ribbon ${stays ? "stay" : flow.hue(link.to)}`, d, "data-tip": told, "data-members": link.members });
  });
  // The few who moved lie over the many who stayed.
  ribbons.sort((a, b) => b.classList.contains("stay") - a.classList.contains("stay"));
  const side = (nodes, isLeft) => [...nodes].map(([id, node]) => {
    const at = node.y + node.tall / 2;
    const text = { x: isLeft ? ends.l - 10 : ends.r + 10, "text-anchor": isLeft ? "end" : "start" };
    return s("g", { class: flow.hue(id) },
      s("rect", { class: "fill", x: isLeft ? ends.l : ends.r - 4, y: node.y, width: 4, height: node.tall, rx: 1 }),
      s("text", { ...text, y: at - 3, class: "name" }, flow.name(id)), s("text", { ...text, y: at + 13 }, exact(node.members)));
  });
  return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
    ribbons, side(left.nodes, true), side(right.nodes, false));
}

// Draws again whenever the place it has changes its width.
function fitted(kind, draw) {
  const place = h("div", { class: kind });
  let drawnAt = 0;
  new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (!width || width === drawnAt) return;
    drawnAt = width;
    // The keyboard must not lose its place when the window is turned.
    const walking = place.contains(document.activeElement);
    place.replaceChildren(draw(width));
    if (walking) place.querySelector("input")?.focus();
  }).observe(place);
  return place;
}
