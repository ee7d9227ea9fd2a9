// The advisor's phone, at /a/: what to do today, one's members, words to send, one's figures.
import { Refusal as Refused, send, type Refusal, type Schemas, type Session } from "@zhiyin/api";
import { render, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, command, forgetReads, useRead } from "../shared/ask";
import { called, day, moment, money, whole } from "../shared/format";
import { keep } from "../shared/keep";
import "../shared/look.css";
import { Bones, Copy, Door, Empty, Fault, Frame, go, Own, shine, Shown, useHere, useSession } from "../shared/parts";
import { begin, language, t, useLanguage, word } from "../shared/words";
import { number, shares, sum } from "./figures";
import { namesOf, scriptsOf } from "./scripts";
import { words } from "./words";

type Note = Schemas["NoteView"];
type Listed = Schemas["MemberListed"];
type Page = { items: Listed[]; next: string | null };
const SIGNS = {
  today: "M5 6h14M5 12h9M5 18h6M16 17l2 2 4-5",
  members: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6 6 0 0 1 3.5 6",
  scripts: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  own: "M4 20V10M10 20V4M16 20v-8M21 20H3",
};

const read = <T,>(path: string) => (signal: AbortSignal) => send<T>("GET", path, undefined, signal);
const useTasks = () => useRead("tasks", read<{ items: Note[] }>("/v1/tasks"));
const useMine = () => useRead("mine", read<Page>("/v1/members?limit=200"));
/** The brand's currency and zone, out of the live playbook. */
const useBook = () => useRead("book", read<Schemas["PlaybookView"]>("/v1/playbooks/live"));
const said = (source: string | null | undefined, key: string, without: string) => new RegExp(`^${key}:\\s*["']?([\\w/+-]+)`, "m").exec(source ?? "")?.[1] ?? without;

const Name = ({ of }: { of: Listed | undefined }) => <>{of?.name ?? of?.identifiers[0]?.value ?? of?.id.slice(0, 8) ?? ""}</>;
const Tier = ({ tier }: { tier: string | null | undefined }) => (tier ? <span class="pill gold">{word("tier", tier)}</span> : null);

/** Something to do for somebody: the words to say, and that it is done. */
function Task({ note, who, zone, onDone }: { note: Note; who: ComponentChildren; zone: string; onDone: (note: Note) => void }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  return (
    <li class="stack task">
      {who}
      <pre class="text">{note.text}</pre>
      <p class="why">{t("today.asked", { at: moment(note.at, zone) })}</p>
      {fault ? <Fault fault={fault} /> : null}
      <div class="grid2">
        <Copy text={note.text} words={t("today.copy")} />
        <button
          type="button"
          class="button small go"
          disabled={busy}
          onClick={() => {
            setBusy(true);
            setFault(undefined);
            command(`done/${note.id}`, "/v1/commands/tasks/done", { task: note.id }).then(
              () => onDone(note),
              (error: unknown) => {
                setBusy(false);
                setFault(asRefusal(error));
              },
            );
          }}
        >
          {t("today.done")}
        </button>
      </div>
    </li>
  );
}

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

function Member({ id, onName }: { id: string; onName: (name: string) => void }) {
  const whole_ = useRead(`member/${id}`, read<Schemas["MemberView"]>(`/v1/members/${id}`));
  useEffect(() => {
    if (whole_.data) onName(whole_.data.name ?? id.slice(0, 8));
  }, [whole_.data, onName, id]);
  return <Shown of={whole_} bones={6}>{(member) => <One member={member} />}</Shown>;
}

const Part = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section class="card" aria-label={title}>
    <h2>{title}</h2>
    {children}
  </section>
);

/** A poster of this member's own, drawn by the home when it is asked for. */
function Poster({ name, words, member }: { name: string; words: string; member: string }) {
  const [picture, setPicture] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  useEffect(() => () => void (picture && URL.revokeObjectURL(picture)), [picture]);
  const draw = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      const answer = await fetch(`/v1/posters/${encodeURIComponent(name)}?member=${member}`, { credentials: "same-origin", headers: { "Accept-Language": language() === "zh" ? "zh-CN" : "en" } });
      if (answer.ok) setPicture(URL.createObjectURL(await answer.blob()));
      else {
        const told = (await answer.json().catch(() => ({}))) as { code?: string; title?: string };
        throw new Refused(answer.status, told.code ?? `http_${answer.status}`, told.title ?? "");
      }
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li class="stack">
      <div class="between">
        <span class="grow">{words}</span>
        <button type="button" class="button small" disabled={busy} onClick={() => void draw()}>
          {t("member.draw")}
        </button>
      </div>
      {fault ? <Fault fault={fault} /> : null}
      {picture ? (
        <>
          <img class="poster" src={picture} alt={words} />
          <p class="why">{t("member.keep_picture")}</p>
        </>
      ) : null}
    </li>
  );
}

function One({ member }: { member: Schemas["MemberView"] }) {
  const { id } = member;
  const tasks = useTasks();
  const book = useBook();
  const zone = said(book.data?.source, "timezone", "UTC");
  const names = useRead(book.data ? `names/${book.data.hash}` : undefined, () => namesOf(book.data?.source ?? ""));
  const orders = useRead(`orders/${id}`, read<{ items: Schemas["TimelineEntry"][] }>(`/v1/members/${id}/timeline?kinds=order&limit=5`));
  const coupons = useRead(`coupons/${id}`, read<Schemas["CouponsListed"]>(`/v1/members/${id}/coupons`));
  const sends = useRead(`sends/${id}`, read<Schemas["SendsListed"]>(`/v1/members/${id}/sends?limit=10`));
  const runs = useRead(`runs/${id}`, read<Schemas["RunsView"]>(`/v1/members/${id}/runs`));
  const [gone, setGone] = useState<readonly string[]>([]);
  const points = member.accounts.find((one) => one.asset === "points");
  const open = tasks.data?.items.filter((note) => note.member === id && !gone.includes(note.id)) ?? [];
  const soon = member.expiries[0];
  const tier = member.tier;
  return (
    <>
      <section class="card" aria-label={t("member.tier")}>
        <div class="pills">
          {tier ? <span class="pill gold">{called(tier.name, tier.level)}</span> : null}
          {member.lifecycle ? <span class="pill">{called(member.lifecycle.name, member.lifecycle.stage)}</span> : null}
        </div>
        <p class="quiet">{member.identifiers.map((one) => one.value).join(" · ")}</p>
        <dl class="facts">
          <div>
            <dt>{t("member.points")}</dt>
            <dd class="strong">{whole(points?.shown ?? 0)}</dd>
          </div>
          {points && points.pending > 0 ? (
            <div>
              <dt>{t("member.pending", { n: whole(points.pending) })}</dt>
              <dd />
            </div>
          ) : null}
          <div>
            <dt>{t("member.paid")}</dt>
            <dd>
              {money(member.orders.paid_minor, member.orders.currency)} · {t("member.orders_n", { n: whole(member.orders.count) })}
            </dd>
          </div>
        </dl>
        {soon ? <p class="note gold">{t("member.expiring", { n: whole(soon.points), at: day(soon.at, zone) })}</p> : null}
        {tier ? (
          <p class="quiet">
            {tier.next ? t("member.next", { n: whole(tier.next.growth_missing), level: called(tier.next.name, tier.next.level) }) : t("member.top")}
            <br />
            {tier.keep && tier.keep.growth_missing > 0 ? t("member.keep", { at: day(tier.keep.by), n: whole(tier.keep.growth_missing) }) : t("member.ends", { at: day(tier.ends) })}
          </p>
        ) : null}
      </section>
      {open.length > 0 ? (
        <Part title={t("member.tasks")}>
          <ul class="list">
            {open.map((note) => (
              <Task key={note.id} note={note} zone={zone} who={null} onDone={() => setGone((all) => [...all, note.id])} />
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title={t("member.coupons")}>
        <Shown of={coupons} bones={2}>
          {({ items }) => {
            const usable = items.filter((one) => one.state === "active");
            const others = items.filter((one) => one.state !== "active");
            return (
              <>
                {usable.length === 0 ? <p class="quiet">{t("member.coupons_none")}</p> : null}
                <ul class="list">
                  {usable.map((one) => (
                    <li key={one.id} class="between">
                      <span>
                        {called(names.data?.offers[one.offer], one.offer)}
                        <br />
                        <span class="quiet">{one.code}</span>
                      </span>
                      <span class="quiet">{one.valid_until ? t("member.until", { at: day(one.valid_until, zone) }) : t("member.from", { at: day(one.valid_from, zone) })}</span>
                    </li>
                  ))}
                </ul>
                {others.length > 0 ? (
                  <details>
                    <summary class="quiet">{t("member.others", { n: others.length })}</summary>
                    <ul class="list">
                      {others.map((one) => (
                        <li key={one.id} class="between">
                          <span>{called(names.data?.offers[one.offer], one.offer)}</span>
                          <span class="quiet">{word("coupon", one.state)}</span>
                        </li>
                      ))}
                    </ul>
                  </details>
                ) : null}
              </>
            );
          }}
        </Shown>
      </Part>
      {Object.keys(names.data?.posters ?? {}).length > 0 ? (
        <Part title={t("member.posters")}>
          <ul class="list posters">
            {Object.entries(names.data?.posters ?? {}).map(([poster, name]) => (
              <Poster key={poster} name={poster} words={called(name, poster)} member={id} />
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title={t("member.orders")}>
        <Shown of={orders} bones={2}>
          {({ items }) =>
            items.length === 0 ? (
              <p class="quiet">{t("member.orders_none")}</p>
            ) : (
              <>
                <ul class="list">
                  {items.map((one) => {
                    const got = one.transfers.filter((moved) => moved.asset === "points" && moved.kind === "earn").reduce((all, moved) => all + moved.amount, 0);
                    return (
                      <li key={one.id} class="between">
                        <span>
                          {word("event", one.event)} <span class="quiet">{moment(one.at, zone)}</span>
                        </span>
                        <span class="gold">{got > 0 ? t("member.got", { n: whole(got) }) : ""}</span>
                      </li>
                    );
                  })}
                </ul>
                <p class="why">{t("member.orders_say")}</p>
              </>
            )
          }
        </Shown>
      </Part>
      <Part title={t("member.tags")}>
        {member.tags.length === 0 ? <p class="quiet">{t("member.tags_none")}</p> : null}
        <ul class="list">
          {member.tags.map((tag) => (
            <li key={tag.tag}>
              <strong>{called(tag.name, tag.tag)}</strong> <span class="why">{t(tag.by_rule ? "member.by_rule" : "member.by_hand", { at: day(tag.since, zone) })}</span>
              {tag.rule ? (
                <div>
                  <code>{tag.rule}</code>
                </div>
              ) : null}
            </li>
          ))}
        </ul>
      </Part>
      <Part title={t("member.consents")}>
        <ul class="list">
          {member.consents.map((one) => (
            <li key={`${one.purpose} ${one.channel}`} class="between">
              <span>
                {word("purpose", one.purpose)} · {word("channel", one.channel)} <span class="why">{word("consent", one.why)}</span>
              </span>
              <span class={one.allowed ? "good" : "bad"}>{t(one.allowed ? "member.yes" : "member.no")}</span>
            </li>
          ))}
        </ul>
      </Part>
      <Part title={t("member.sent")}>
        <Shown of={sends} bones={2}>
          {({ items }) => (
            <Shown of={runs} bones={2}>
              {({ moves }) =>
                items.length === 0 && moves.length === 0 ? (
                  <p class="quiet">{t("member.sent_none")}</p>
                ) : (
                  <ul class="list">
                    {items.map((one) => (
                      <li key={one.send} class="between">
                        <span>
                          {one.message} · {word("channel", one.channel)}
                          <br />
                          <span class="quiet">
                            {moment(one.at, zone)} {one.error ?? ""}
                          </span>
                        </span>
                        <span>{word("send", one.state)}</span>
                      </li>
                    ))}
                    {moves.slice(0, 10).map((one) => (
                      <li key={`${one.run} ${one.place} ${one.kind}`}>
                        <div class="between">
                          <span>
                            {called(names.data?.campaigns[one.campaign], one.campaign)} <span class="quiet">{moment(one.at, zone)}</span>
                          </span>
                          <span class={one.kind === "not_sent" || one.kind === "delayed" ? "bad" : ""}>{word("move", one.kind)}</span>
                        </div>
                        {one.why ? (
                          <details>
                            <summary class="quiet">{t("member.why")}</summary>
                            <p class="why">{one.why}</p>
                          </details>
                        ) : null}
                      </li>
                    ))}
                  </ul>
                )
              }
            </Shown>
          )}
        </Shown>
      </Part>
      <p class="why">{t("member.since", { at: day(member.known_since, zone) })}</p>
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
