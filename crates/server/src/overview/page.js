// What the page is: being read, drawn, empty, out of date, or refused; and how it comes from one to another.
const main = document.getElementById("main");
const said = document.getElementById("said");
const EVERY_MS = 30_000;
// Between two sentences: a space in English, nothing in Chinese.
const GAP = language === "en" ? " " : "";
const TIMEOUT_MS = 20_000;
let current = null;
let reading = false;

// What the server answered, or why not: { overview } or { why }.
async function read() {
  let response;
  try {
    const key = sessionStorage.getItem("key");
    const headers = key ? { "accept-language": language, authorization: `Bearer ${key}` } : { "accept-language": language };
    response = await fetch("/v1/overview", { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return { why: say("errorNet") };
  }
  if (!response.ok) {
    // A problem (RFC 9457) tells more than its number; anything else stays a number.
    const problem = await response.json().catch(() => ({}));
    const answered = say("errorStatus", { status: String(response.status) });
    if (response.status === 401 || response.status === 403) return { locked: problem.code === "key_missing" ? "" : problem.title ?? answered };
    return problem.detail ? { why: `${problem.detail}${GAP}${answered}`, advised: true } : { why: answered };
  }
  const overview = await response.json().catch(() => null);
  return overview?.members && overview.lifecycle?.flow && overview.freshness ? { overview } : { why: say("errorShape") };
}

function retryButton(quiet) {
  return h("button", { class: quiet ? "act quiet" : "act", type: "button", id: "retry", onclick: () => refresh(true) }, say("retry"));
}

// A key opens the numbers; it stays in this tab, and is forgotten with it.
function locked(why) {
  const field = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-why" });
  const open = () => {
    sessionStorage.setItem("key", field.value.trim());
    refresh(true);
  };
  field.addEventListener("keydown", (event) => event.key === "Enter" && open());
  return h("section", { class: "middle", id: "locked" }, h("h1", {}, say("lockedTitle")),
    h("p", {}, say("lockedText"), " ", h("code", { lang: "en" }, "zhiyin key new --role analyst")),
    h("p", {}, h("label", { for: "key" }, say("key")), " ", field, " ", h("button", { class: "act", type: "button", id: "retry", onclick: open }, say("unlock"))),
    h("p", { id: "key-why", role: "alert" }, why));
}

// A problem of ours already says what is safe and what to do.
function refused({ why, advised }) {
  return h("section", { class: "middle", role: "alert" }, h("h1", {}, say("errorTitle")),
    h("p", {}, why), !advised && h("p", { class: "sub" }, `${say("errorSafe")}${GAP}${say("errorDo")}`), retryButton(false));
}

function command(line) {
  // An option stays with its value, and is not broken at its own hyphens.
  const words = line.split(/ (?=--)/);
  const code = h("code", { lang: "en" }, words[0], words.slice(1).map((option) => [" ", h("span", { class: "num" }, option)]));
  const copied = async (event) => {
    const button = event.currentTarget;
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = say("copied");
    } catch {
      // No clipboard over plain HTTP: select it, so that the reader's own keys copy it.
      getSelection().selectAllChildren(code);
    }
  };
  return h("div", { class: "command" }, code, h("button", { class: "act quiet", type: "button", onclick: copied }, say("copy")));
}

function empty(overview) {
  const steps = [["emptyDemo", "zhiyin import completejourney DIR"], ["emptyOwn", "zhiyin import FILE --source till"]];
  // Without a playbook nothing is decided, so it comes before one's own events; the demo brings its own.
  if (!overview.brand) steps.splice(1, 0, ["emptyPlaybook", "zhiyin apply playbooks/variety-store.yaml"]);
  return h("section", { class: "middle", id: "empty" }, h("h1", {}, say("emptyTitle")), h("p", {}, say("emptyText")),
    h("ol", { class: "steps" }, steps.map(([key, line]) => h("li", {}, say(key), command(line)))));
}

function banners(overview, at, failure) {
  const { offset_seconds: offset, business_now: now } = overview.clock;
  const demo = offset !== 0 && h("p", { class: "notice demo", id: "demo" }, h("b", {}, say("demo")), h("span", {}, say(offset < 0 ? "demoSlow" : "demoFast", { span: span(offset), at: at(now) })));
  const stale = failure && h("div", { class: "notice stale", id: "stale", role: "alert" }, h("b", {}, say("stale")), h("span", {}, say("staleText", { why: failure.why, at: at(overview.as_of) })), retryButton(true));
  return [stale, demo];
}

function drawn(overview, failure) {
  const { brand, tags: marks } = overview;
  const money = currencyOf(brand);
  const zone = brand?.timezone ?? "UTC";
  const at = clockOf(zone);
  if (!overview.members.total && !overview.orders.count) return [banners(overview, at, failure)[0], empty(overview)];
  const third = marks.length ? "w-4" : "w-6";
  return [
    h("div", { class: "head" }, h("h1", {}, say("title")),
      h("p", {}, h("span", { class: "num", id: "as-of" }, say("asOf", { at: at(overview.clock.business_now), zone })))),
    banners(overview, at, failure),
    h("div", { class: "grid" }, figures(overview, money), weeks(overview, money, at), freshness(overview, at), lifecycle(overview),
      tiers(overview, money, third), liability(overview, third), marks.length > 0 && tags(overview)),
  ];
}

// Draws over what is there, keeping open what the reader opened and the place of the keyboard.
function show(nodes) {
  const open = [...main.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
  main.replaceChildren(...nodes.flat(2).filter(Boolean));
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) (document.getElementById(focused) ?? main).focus();
  hideTip();
}

async function refresh(asked) {
  if (reading) return;
  reading = true;
  const button = document.getElementById("retry");
  if (asked && button) button.textContent = say("retrying");
  const result = await read();
  reading = false;
  if (result.overview) {
    current = result.overview;
    show(drawn(current, null));
    const at = clockOf(current.brand?.timezone ?? "UTC");
    if (asked) said.textContent = say("updated", { at: at(current.clock.business_now) });
  } else if (result.locked !== undefined) {
    current = null;
    show([locked(result.locked)]);
  } else {
    show(current ? drawn(current, result) : [refused(result)]);
  }
  main.removeAttribute("aria-busy");
}

// The address holds what the reader chose, so that a link shows another the same.
function addressWith(name, value) {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  return `${address.pathname}${address.search}`;
}

function switches() {
  const other = language === "en" ? "zh" : "en";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const link = h("a", { href: addressWith("lang", other), lang: other === "zh" ? "zh-CN" : "en", hreflang: other }, say("language"));
  const toggle = h("button", { type: "button", id: "theme", "aria-pressed": String(isDark()) }, say("dark"));
  const follow = () => toggle.setAttribute("aria-pressed", String(isDark()));
  toggle.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    history.replaceState(null, "", addressWith("theme", theme));
    link.href = addressWith("lang", other);
    follow();
  });
  system.addEventListener("change", follow);
  const nav = document.getElementById("switches");
  nav.setAttribute("aria-label", say("switches"));
  nav.append(toggle, link);
}

document.title = say("doc");
main.setAttribute("aria-busy", "true");
said.textContent = say("loading");
switches();
followPointer();
await refresh(false);
said.textContent = "";
setInterval(() => document.visibilityState === "visible" && refresh(false), EVERY_MS);
