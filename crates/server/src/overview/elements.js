// Building blocks: elements of HTML and SVG, the tip that follows what is pointed at, tables, cards, bars.
const SVG = "http://www.w3.org/2000/svg";

function put(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
const h = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

const tip = document.getElementById("tip");

// Shows text above a box on the screen, or below where there is no room above.
function showTip(text, box) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
  const top = box.top - height - 8 >= 0 ? box.top - height - 8 : box.bottom + 8;
  tip.style.transform = `translate(${Math.round(left)}px,${Math.round(top)}px)`;
}
function hideTip() {
  tip.hidden = true;
}

// Anything with data-tip explains itself when pointed at; a ribbon is far larger than the pointer, so it follows it.
function followPointer() {
  document.addEventListener("pointermove", (event) => {
    const told = event.target.closest?.("[data-tip]");
    if (told) {
      const at = told.classList.contains("ribbon") ? { left: event.clientX, width: 0, top: event.clientY, bottom: event.clientY } : told.getBoundingClientRect();
      showTip(told.dataset.tip, at);
    } else if (!event.target.closest?.(".plot")) hideTip();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  document.addEventListener("scroll", hideTip, { passive: true, capture: true });
}

// A number short to the eye, exact on hover, and exact to a screen reader.
function short(brief, full) {
  if (brief === full) return h("span", { class: "num" }, full);
  const unit = brief.match(/^(.*?)( ?[万亿KMB])$/);
  const shown = unit ? [unit[1], h("small", {}, unit[2])] : [brief];
  return h("span", { class: "num", "data-tip": full }, h("span", { "aria-hidden": "true" }, shown), h("span", { class: "vh" }, full));
}

// The same numbers for those who read tables: first column names, the rest numbers.
function table(id, title, head, rows) {
  const cells = (row) => row.map((cell, i) => (i ? h("td", {}, cell) : h("th", { scope: "row" }, cell)));
  return h("details", { id: `${id}-numbers` },
    h("summary", { id: `${id}-summary` }, say("numbers"), h("span", { class: "vh" }, `: ${title}`)),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("of", { title }) },
      h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))))));
}

function card(id, width, title, text, body, numbers) {
  return h("section", { class: `card ${width}`, id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), h("p", { class: "sub" }, text), h("div", { class: "body" }, body), numbers);
}

// A bar as long as its share, on a track as long as the whole.
function bar(share, hue, kind, height = 8) {
  return s("svg", { class: hue, width: "100%", height, "aria-hidden": "true", focusable: "false" },
    s("rect", { class: "track", width: "100%", height, rx: 2 }),
    share > 0 && s("rect", { class: kind, width: `max(2px, ${(share * 100).toFixed(3)}%)`, height, rx: 2 }));
}

// One bar cut by shares, with a hair of paper between the cuts.
function strip(cuts) {
  let x = 0;
  const parts = cuts.filter((cut) => cut.share > 0).map((cut) => {
    const part = s("rect", { class: `${cut.hue} fill`, "data-tip": cut.tip, x: `${x.toFixed(3)}%`, width: `${(cut.share * 100).toFixed(3)}%`, height: 8, stroke: "var(--surface)" });
    x += cut.share * 100;
    return part;
  });
  return s("svg", { class: "strip", width: "100%", height: 8, "aria-hidden": "true", focusable: "false" }, parts);
}
