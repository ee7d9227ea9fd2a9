// What the page shows: one function for each card, from the overview to elements.
// One hue for one thing. Other ids take the muted tints, by their place.
const TIER_HUES = { regular: "celadon", silver: "stone", gold: "gold" };
const STAGE_HUES = { introduction: "plum", growth: "indigo", maturity: "celadon", decline: "tea", lost: "cinnabar" };
const TINTS = ["mist", "tea", "plum", "indigo", "stone"];
const hueOf = (hues, id, place) => hues[id] ?? TINTS[Math.max(0, place) % TINTS.length];
const sum = (items, of) => items.reduce((all, item) => all + of(item), 0);

function figure(name, big, note) {
  return h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, big.classList?.contains("num") ? h("span", { class: "big" }, big) : big, h("span", { class: "note" }, note)));
}

function figures({ members, orders, points, tiers }, money) {
  const held = sum(tiers, (tier) => tier.members);
  const worth = points.worth_minor === null ? say("pointsNoWorth") : say("pointsWorth", { worth: money.exact(points.worth_minor) });
  const owed = points.debt > 0 ? say("also", { text: say("pointsDebt", { n: points.debt }) }) : "";
  const buyers = members.with_orders;
  const each = buyers ? tenth.format(orders.count / buyers) : "0";
  const mean = orders.count ? Math.round(orders.paid_minor / orders.count) : 0;
  const cuts = tiers.map((tier, i) => ({ share: held ? tier.members / held : 0, hue: hueOf(TIER_HUES, tier.id, i), tip: `${named(tier.name)}\n${say("nMembers", { n: tier.members })}` }));
  const keys = h("ul", { class: "keys" }, tiers.map((tier, i) => h("li", { class: cuts[i].hue }, h("i", { class: "dot" }), named(tier.name), h("b", {}, short(compact(tier.members), exact(tier.members))))));
  const rows = [
    [say("members"), exact(members.total)], [say("enrolled"), exact(members.enrolled)], [say("buyers"), exact(buyers)],
    [say("orders"), exact(orders.count)], [say("paid"), money.exact(orders.paid_minor)],
    [say("points"), exact(points.outstanding)], [say("worth"), points.worth_minor === null ? say("none") : money.exact(points.worth_minor)],
    [say("debt"), exact(points.debt)], [say("earned"), exact(points.earned)], [say("spent"), exact(points.spent)], [say("expired"), exact(points.expired)],
    ...tiers.map((tier) => [named(tier.name), exact(tier.members)]),
  ];
  return h("section", { class: "figures", id: "figures", "aria-labelledby": "figures-title" },
    h("h2", { class: "vh", id: "figures-title" }, say("figures")),
    h("dl", {},
      figure(say("members"), short(compact(members.total), exact(members.total)), say("membersNote", { enrolled: members.enrolled, buyers })),
      figure(say("orders"), short(compact(orders.count), exact(orders.count)), orders.count ? say("ordersNote", { each }) : say("ordersNone")),
      figure(say("paid"), short(money.compact(orders.paid_minor), money.exact(orders.paid_minor)), orders.count ? say("paidNote", { each: money.exact(mean) }) : say("ordersNone")),
      figure(say("points"), short(compact(points.outstanding), exact(points.outstanding)), worth + owed),
      h("div", { class: "figure" }, h("dt", {}, say("byTier")), h("dd", {}, strip(cuts), keys))),
    table("figures", say("figures"), [say("item"), say("value")], rows));
}

function weeks({ weeks: all, clock }, money, today) {
  const numbers = table("weeks", say("weeks"), [say("week"), say("orders"), say("sales")], all.map((week) => [week.start, exact(week.orders), money.exact(week.paid_minor)]));
  if (!all.length) return card("weeks", "w-8", say("weeks"), say("weeksNone"), []);
  // The week that business now is in has not ended: drawn pale, left out of the mean and of the line.
  const isPart = (week) => dayNumber(week.start) + 7 > dayNumber(today(clock.business_now).slice(0, 10));
  const ended = all.filter((week) => !isPart(week));
  const best = ended.reduce((top, week) => (top && top.paid_minor >= week.paid_minor ? top : week), null);
  const item = (week) => {
    const tips = [say("weekOf", { day: week.start }), money.exact(week.paid_minor), say("nOrders", { n: week.orders })];
    if (isPart(week)) tips.push(say("weekPart"));
    return { label: monthName(week.start), value: week.paid_minor, line: week.orders, part: isPart(week), tip: tips.join("\n") };
  };
  const legend = h("ul", { class: "legend" }, h("li", { class: "celadon" }, h("i", { class: "dot" }), say("sales")), h("li", { class: "indigo" }, h("i", { class: "dot thin" }), say("orderLine")));
  const drawn = fitted("chart", (width) => {
    const room = Math.max(13, Math.min(106, Math.floor((width - 90) / 3)));
    const items = all.slice(-room).map(item);
    const plot = columns({ id: "weeks", items, hue: "celadon", scale: money.round, unit: money.unit, labelRoom: 44, walk: say("walkWeeks") }, width);
    return items.length < all.length ? h("div", {}, plot, h("p", { class: "sub" }, say("weeksShown", { n: items.length }))) : plot;
  });
  const text = best ? say("weeksText", { n: ended.length, mean: money.exact(Math.round(sum(ended, (week) => week.paid_minor) / ended.length)), top: best.start, best: money.exact(best.paid_minor) }) : say("weekPart");
  return card("weeks", "w-8", say("weeks"), text, [legend, drawn], numbers);
}

function freshness({ freshness: fresh, brand, clock }, at) {
  const waits = fresh.inbox_waiting > 0;
  const state = fresh.dead_letters > 0 ? ["cinnabar", say("freshDead", { n: fresh.dead_letters })]
    : waits ? ["gold", say("freshBehind", { n: fresh.inbox_waiting, span: span(fresh.oldest_waiting_seconds ?? 0) })] : ["celadon", say("freshOk")];
  const facts = [
    [say("inbox"), say("nItems", { n: fresh.inbox_waiting })],
    [say("oldest"), fresh.oldest_waiting_seconds === null ? say("none") : span(fresh.oldest_waiting_seconds)],
    [say("dead"), say("nItems", { n: fresh.dead_letters }), fresh.dead_letters > 0 && "bad"],
    [say("last"), fresh.last_event_at ? at(fresh.last_event_at) : say("none")],
    [say("timers"), say("nTimers", { n: fresh.timers_open })],
    [say("next"), fresh.next_timer_at ? at(fresh.next_timer_at) : say("none")],
    [say("live"), brand ? say("liveValue", { name: brand.playbook, version: String(brand.version) }) : say("none")],
    [say("now"), at(clock.business_now)],
  ];
  return card("freshness", "w-4", say("fresh"), h("span", { class: `state ${state[0]}` }, h("i", {}), state[1]),
    h("dl", { class: "facts" }, facts.map(([name, value, mood]) => h("div", {}, h("dt", {}, name), h("dd", { class: mood || null }, value)))));
}

function bars(rows) {
  return h("ul", { class: "rows" }, rows.map((row) => h("li", {},
    h("div", { class: "line" }, h("b", {}, row.name), h("span", {}, row.figure)),
    row.parts.map((part) => [part.text && h("div", { class: "line part" }, h("span", {}, part.text), h("span", {}, part.figure)), bar(part.share, row.hue, part.kind)]))));
}

const memberFigure = (n, all) => [h("b", {}, short(compact(n), exact(n))), " ", h("span", { class: "share" }, percent(n, all))];

function lifecycle({ lifecycle: { stages, flow } }) {
  const all = sum(stages, (stage) => stage.members);
  const ids = [null, ...stages.map((stage) => stage.id)];
  const names = new Map(stages.map((stage) => [stage.id, named(stage.name)]));
  const name = (id) => (id === null ? say("newcomer") : names.get(id) ?? id);
  const hue = (id) => (id === null ? "stone" : hueOf(STAGE_HUES, id, ids.indexOf(id)));
  const links = flow.links.filter((link) => link.members > 0 && ids.includes(link.from) && ids.includes(link.to));
  const moved = links.filter((link) => link.from !== null && link.from !== link.to);
  const into = stages.map((stage) => [sum(moved.filter((link) => link.to === stage.id), (link) => link.members), stage.id]).sort((a, b) => b[0] - a[0])[0];
  const days = dayNumber(flow.to) - dayNumber(flow.from);
  const text = !links.length ? say("flowNone")
    : moved.length ? say("flowText", { days, n: sum(moved, (link) => link.members), top: name(into[1]), m: into[0] }) : say("flowStill", { days });
  const left = h("div", {}, h("h3", {}, say("stagesNow")),
    bars(stages.map((stage) => ({ name: named(stage.name), hue: hue(stage.id), figure: memberFigure(stage.members, all), parts: [{ share: all ? stage.members / all : 0, kind: "fill" }] }))));
  const right = links.length > 0 && h("div", {}, h("h3", {}, say("flow", { from: flow.from, to: flow.to })),
    h("p", { class: "ends", "aria-hidden": "true" }, h("span", {}, flow.from), h("span", {}, flow.to)),
    fitted("flow", (width) => sankey({ links, ids, name, hue }, width)));
  const rows = [...stages.map((stage) => [named(stage.name), "", exact(stage.members)]), ...links.map((link) => [name(link.from), name(link.to), exact(link.members)])];
  return card("lifecycle", "", say("stages"), text, h("div", { class: "two" }, left, right),
    table("lifecycle", say("stages"), [`${say("stage")} / ${say("from")}`, say("to"), say("count")], rows));
}

function tiers({ tiers: all }, money, width) {
  const [held, paid] = [sum(all, (tier) => tier.members), sum(all, (tier) => tier.paid_minor)];
  // The tier that brings most beyond its number says what tiers are worth.
  const lift = (tier) => (tier.members ? tier.paid_minor / tier.members : 0);
  const best = all.reduce((top, tier) => (top && lift(top) >= lift(tier) ? top : tier), null);
  const text = held && paid ? say("tiersText", { name: named(best.name), a: percent(best.members, held), b: percent(best.paid_minor, paid) }) : say("tiersNone");
  const rows = [...all].reverse().map((tier) => ({
    name: named(tier.name), hue: hueOf(TIER_HUES, tier.id, all.indexOf(tier)), figure: "",
    parts: [
      { share: held ? tier.members / held : 0, kind: "fill", text: say("ofMembers", { share: percent(tier.members, held) }), figure: short(compact(tier.members), exact(tier.members)) },
      { share: paid ? tier.paid_minor / paid : 0, kind: "pale", text: say("ofSales", { share: percent(tier.paid_minor, paid) }), figure: short(money.compact(tier.paid_minor), money.exact(tier.paid_minor)) },
    ],
  }));
  return card("tiers", width, say("tiers"), text, bars(rows), table("tiers", say("tiers"), [say("tier"), say("count"), say("shareMembers"), say("paid"), say("shareSales")],
    all.map((tier) => [named(tier.name), exact(tier.members), percent(tier.members, held), money.exact(tier.paid_minor), percent(tier.paid_minor, paid)])));
}

function liability({ liability: all }, width) {
  const whole = sum(all, (batch) => batch.points);
  if (!whole) return card("liability", width, say("liability"), say("liabilityNone"), []);
  const next = all.find((batch) => batch.month !== null && batch.points > 0);
  const items = all.map((batch) => ({ label: monthOfYear(batch.month), value: batch.points, tip: `${monthOfYear(batch.month)}\n${say("nPoints", { n: batch.points })}` }));
  const drawn = fitted("chart", (room) => columns({ id: "liability", items, hue: "gold", scale: compact, unit: 1, labelRoom: 88, walk: say("walkMonths") }, room));
  const text = next ? say("liabilityText", { month: monthOfYear(next.month), n: next.points, share: percent(next.points, whole) }) : say("nPoints", { n: whole });
  return card("liability", width, say("liability"), text, drawn, table("liability", say("liability"), [say("month"), say("expiring"), say("shareOf")], all.map((batch) => [monthOfYear(batch.month), exact(batch.points), percent(batch.points, whole)])));
}

function tags({ tags: all, members }) {
  const rows = [...all].sort((a, b) => b.members - a.members).map((tag) => ({ name: named(tag.name), hue: "mist", figure: memberFigure(tag.members, members.total), parts: [{ share: members.total ? tag.members / members.total : 0, kind: "fill" }] }));
  return card("tags", "w-4", say("tags"), say("tagsText"), bars(rows), table("tags", say("tags"), [say("tag"), say("count"), say("shareMembers")], all.map((tag) => [named(tag.name), exact(tag.members), percent(tag.members, members.total)])));
}
