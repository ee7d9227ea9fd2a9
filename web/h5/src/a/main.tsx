// The advisor's phone, at /a/: what to do today, one's members, words to send, one's figures.
import { send, type Refusal, type Schemas, type Session } from "@zhiyin/api";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, forgetReads, useRead } from "../shared/ask";
import { moment, money, whole } from "../shared/format";
import { keep } from "../shared/keep";
import "../shared/look.css";
import { Bones, Copy, Door, Empty, Fault, Frame, go, Own, shine, Shown, useHere, useSession } from "../shared/parts";
import { begin, language, t, useLanguage, word } from "../shared/words";
import { Name, Part, read, said, Task, Tier, useBook, useMine, useTasks, type Listed, type Note, type Page } from "./bits";
import { number, shares, sum } from "./figures";
import { Member } from "./member";
import { scriptsOf } from "./scripts";
import { words } from "./words";

const SIGNS = {
  today: "M5 6h14M5 12h9M5 18h6M16 17l2 2 4-5",
  members: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6 6 0 0 1 3.5 6",
  scripts: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  own: "M4 20V10M10 20V4M16 20v-8M21 20H3",
};

function Today() {
  const tasks = useTasks();
  const mine = useMine();
  const zone = said(useBook().data?.source, "timezone", "UTC");
  const [gone, setGone] = useState<readonly Note[]>([]);
  return (
    <Shown of={tasks}>
      {({ items }) => {
        const open = items.filter((note) => !gone.some((one) => one.id === note.id));
        const last = gone.at(-1);
        return (
          <>
            {last ? (
              <p class="note good gone" role="status">
                {t("today.gone", { what: last.text })}
              </p>
            ) : null}
            {open.length === 0 ? (
              <Empty title={t("today.none")} say={t("today.none_say")}>
                <button type="button" class="button wide" onClick={() => go("/members")}>
                  {t("today.members")}
                </button>
              </Empty>
            ) : (
              <>
                <p class="quiet">{t("today.n", { n: whole(open.length) })}</p>
                <ul class="card list tasks">
                  {open.map((note) => {
                    const of = mine.data?.items.find((one) => one.id === note.member);
                    return (
                      <Task
                        key={note.id}
                        note={note}
                        zone={zone}
                        onDone={(done) => setGone((all) => [...all, done])}
                        who={
                          <button type="button" class="line between" onClick={() => go(`/members/${note.member}`)}>
                            <span>
                              <strong>{of ? <Name of={of} /> : note.member.slice(0, 8)}</strong> <Tier tier={of?.tier} />
                            </span>
                            <span class="good">{t("today.open")} ›</span>
                          </button>
                        }
                      />
                    );
                  })}
                </ul>
              </>
            )}
          </>
        );
      }}
    </Shown>
  );
}

function Members({ session }: { session: Session }) {
  const [typed, setTyped] = useState("");
  const [name, setName] = useState("");
  const [more, setMore] = useState<Listed[]>([]);
  const [next, setNext] = useState<string | null>();
  const [fault, setFault] = useState<Refusal>();
  const all = useRead(name ? `named/${name}` : "mine", read<Page>(name ? `/v1/members?limit=50&name=${encodeURIComponent(name)}` : "/v1/members?limit=200"));
  const tasks = useTasks();
  useEffect(() => {
    setMore([]);
    setNext(undefined);
  }, [name]);
  return (
    <>
      <form
        class="row"
        role="search"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setName(typed.trim());
        }}
      >
        <label class="field grow">
          {t("members.find")}
          <input class="input" name="name" type="search" autocomplete="off" enterkeyhint="search" maxLength={100} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button" style={{ alignSelf: "end" }}>
          {t("members.go")}
        </button>
      </form>
      <Shown of={all} bones={6}>
        {(page) => {
          const items = [...page.items, ...more];
          const on = next === undefined ? page.next : next;
          // What has something to do comes first.
          const n = (id: string) => tasks.data?.items.filter((note) => note.member === id).length ?? 0;
          items.sort((a, b) => n(b.id) - n(a.id));
          if (items.length === 0)
            return name ? <Empty title={t("members.not_found", { name })} say={t("members.not_found_say")} /> : <Empty title={t("members.none")} say={t("members.none_say", { code: session.person.staff ?? "" })} />;
          return (
            <>
              <ul class="card list">
                {items.map((one) => (
                  <li key={one.id}>
                    <button type="button" class="line between" onClick={() => go(`/members/${one.id}`)}>
                      <span>
                        <strong><Name of={one} /></strong> <Tier tier={one.tier} /> {n(one.id) > 0 ? <span class="pill good">{t("members.tasks", { n: n(one.id) })}</span> : null}
                        <br />
                        <span class="quiet">{one.identifiers.find((id) => id.namespace === "phone")?.value ?? one.identifiers[0]?.value}</span>
                      </span>
                      <span class="quiet">{t("members.points", { n: whole(one.points) })}</span>
                    </button>
                  </li>
                ))}
              </ul>
              {fault ? <Fault fault={fault} /> : null}
              {on ? (
                <button
                  type="button"
                  class="button wide"
                  onClick={() =>
                    void send<Page>("GET", `/v1/members?limit=50&cursor=${encodeURIComponent(on)}${name ? `&name=${encodeURIComponent(name)}` : ""}`).then(
                      (went) => {
                        setMore((before) => [...before, ...went.items]);
                        setNext(went.next);
                      },
                      (error: unknown) => setFault(asRefusal(error)),
                    )
                  }
                >
                  {t("members.more")}
                </button>
              ) : null}
            </>
          );
        }}
      </Shown>
    </>
  );
}

function Scripts() {
  const book = useBook();
  const hash = book.data?.hash;
  const scripts = useRead(hash ? `scripts/${hash}` : undefined, () => scriptsOf(book.data?.source ?? ""));
  return (
    <Shown of={book}>
      {() => (
        <Shown of={scripts}>
          {(all) =>
            all.length === 0 ? (
              <Empty title={t("scripts.none")} say={t("scripts.none_say")} />
            ) : (
              <>
                <p class="quiet">{t("scripts.say")}</p>
                <ul class="card list scripts">
                  {all.map((one) => {
                    const text = language() === "zh" ? one.zh : one.en;
                    return (
                      <li key={one.id} class="stack">
                        <span>
                          <span class="quiet">{one.id}</span> <span class="pill">{t(one.sells ? "scripts.sells" : "scripts.serves")}</span>
                        </span>
                        <pre class="text">{text}</pre>
                        <Copy text={text} words={t("scripts.copy")} />
                      </li>
                    );
                  })}
                </ul>
                <p class="why">{t("scripts.materials")}</p>
              </>
            )
          }
        </Shown>
      )}
    </Shown>
  );
}

function Figures() {
  const tiers = useRead("report/tiers", read<Schemas["ReportView"]>("/v1/reports/tiers"));
  const stages = useRead("report/lifecycle", read<Schemas["ReportView"]>("/v1/reports/lifecycle"));
  const book = useBook();
  const currency = said(book.data?.source, "currency", "CNY");
  const bars = (rows: readonly Record<string, unknown>[], by: string, group: string) => (
    <ul class="list">
      {shares(rows, by).map((one) => (
        <li key={one.of} class="stack">
          <div class="between">
            <span>{word(group, one.of)}</span>
            <span>{t("figures.people", { n: whole(one.members) })}</span>
          </div>
          <div class="meter" aria-hidden="true">
            <div style={{ width: `${Math.max(2, one.share * 100)}%` }} />
          </div>
        </li>
      ))}
    </ul>
  );
  return (
    <>
      <Shown of={tiers}>
        {({ rows, as_of }) => (
          <>
            <section class="card" aria-label={t("figures.title")}>
              <h2>{t("figures.title")}</h2>
              <dl class="grid2">
                {[
                  ["figures.members", whole(sum(rows, "members"))] as const,
                  ["figures.orders", whole(sum(rows, "orders"))] as const,
                  ["figures.paid", money(sum(rows, "paid_cents"), currency)] as const,
                  ["figures.points", whole(sum(rows, "points"))] as const,
                ].map(([name, value]) => (
                  <div key={name}>
                    <dt class="quiet">{t(name)}</dt>
                    <dd class="strong figure">{value}</dd>
                  </div>
                ))}
              </dl>
              <p class="why">{t("figures.as_of", { at: moment(as_of, said(book.data?.source, "timezone", "UTC")) })}</p>
            </section>
            {rows.some((row) => number(row.members) > 0) ? <Part title={t("figures.by_tier")}>{bars(rows, "tier", "tier")}</Part> : <p class="quiet">{t("figures.none")}</p>}
          </>
        )}
      </Shown>
      <Shown of={stages}>{({ rows }) => (rows.some((row) => number(row.members) > 0) ? <Part title={t("figures.by_stage")}>{bars(rows, "lifecycle", "stage")}</Part> : null)}</Shown>
    </>
  );
}

function App({ session, setSession }: { session: Session; setSession: (session: Session | undefined) => void }) {
  const at = useHere();
  const [name, setName] = useState("");
  const bar = [
    { to: "/", words: t("nav.today"), sign: SIGNS.today },
    { to: "/members", words: t("nav.members"), sign: SIGNS.members },
    { to: "/scripts", words: t("nav.scripts"), sign: SIGNS.scripts },
    { to: "/own", words: t("nav.own"), sign: SIGNS.own },
  ];
  const out = async () => {
    await send("DELETE", "/v1/session");
    forgetReads();
    keep("keys", undefined);
    setSession(undefined);
  };
  const id = /^\/members\/([0-9a-f]{32})$/.exec(at)?.[1];
  if (id) return <Frame title={name || t("nav.members")} back="/members" bar={bar}><Member key={id} id={id} onName={setName} /></Frame>;
  if (at === "/members") return <Frame title={t("nav.members")} bar={bar}><Members session={session} /></Frame>;
  if (at === "/scripts") return <Frame title={t("nav.scripts")} bar={bar}><Scripts /></Frame>;
  if (at === "/own")
    return (
      <Frame title={t("nav.own")} bar={bar}>
        <Figures />
        <h2>{t("own.settings")}</h2>
        <Own session={session} onOut={out} />
      </Frame>
    );
  return (
    <Frame title={t("nav.today")} bar={bar}>
      {session.roles.includes("advisor") && !session.person.staff ? <p class="note gold">{t("no_staff")}</p> : null}
      <Today />
    </Frame>
  );
}

function Root() {
  useLanguage();
  const { session, waits, fault, set, again } = useSession("a");
  if (waits) return <main><Bones n={4} /></main>;
  if (fault && !session) return <main class="door"><h1>{t("app")}</h1><Fault fault={fault} again={again} /></main>;
  if (!session) return <Door title={t("app")} onIn={set} />;
  if (!session.permissions.includes("member_read")) return <main class="door"><h1>{t("app")}</h1><Empty title={t("nav.members")} say={t("may_not")} /></main>;
  return <App key={session.person.id} session={session} setSession={set} />;
}

begin(words);
shine();
render(<Root />, document.getElementById("root") as HTMLElement);
