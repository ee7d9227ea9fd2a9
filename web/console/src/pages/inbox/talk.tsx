// One conversation whole: what was said by whom and when, by whichever desk; a reply with what stands in its way; and who looks after it.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got, Refusal, send } from "@zhiyin/api";
import { App, Button } from "antd";
import { lazy, Suspense, useEffect, useRef, useState, type RefObject } from "react";
import { called, day, timeOfDay, whole } from "../../format";
import { useMay, useOverview, useSession, useZone } from "../../home";
import { Menu } from "../../parts/menu";
import { shortId, When } from "../../parts/marks";
import { Pill } from "../../parts/page";
import { Bones, Fault } from "../../parts/states";
import { useWords, word } from "../../words";
import { BYTES_MAX, bytesOf, deskSaid, Replies, talkTone, whoIs, type Talk, type Word } from "./rules";

const Hand = lazy(() => import("./hand"));
const LIVE_MS = 4_000;
/** So long somebody looks at it until it counts as read: going by with `j` and `k` reads nothing. */
const READ_MS = 900;
// What was typed and not sent stays with its conversation while the page is open.
const drafts = new Map<string, string>();
const replies = new Replies();

export const useTalk = (id: string) =>
  useInfiniteQuery({
    queryKey: ["inbox", "talk", id],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => got(api.GET("/v1/inbox/{conversation}", { params: { path: { conversation: id }, query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.messages.next ?? undefined,
    refetchInterval: LIVE_MS,
  });

/** What the home refused, in the words of the inbox; its own words where there are none. */
const inWords = (error: unknown, wrong: string): string => {
  if (!(error instanceof Refusal)) return wrong;
  const said = word("inbox_refusal", error.code);
  return said === error.code.replaceAll("_", " ") ? error.title || wrong : said;
};

export function Conversation({ id, typing, close }: { id: string; typing: RefObject<HTMLTextAreaElement | null>; close: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const client = useQueryClient();
  const talk = useTalk(id);
  const view = talk.data?.pages[0]?.conversation;
  const words = (talk.data?.pages.flatMap((page) => page.messages.items) ?? []).toReversed();
  const answers = may("inbox_answer");
  // What was read was seen by somebody: in sight, for a moment, and not masked.
  const unread = answers && view?.state === "unread" && words.length > 0 && !words.some((one) => one.masked);
  useEffect(() => {
    if (!unread) return;
    const timer = setTimeout(() => {
      if (document.visibilityState !== "visible") return;
      void got(api.POST("/v1/inbox/{conversation}/read", { params: { path: { conversation: id } }, body: {} as never })).then(
        () => client.invalidateQueries({ queryKey: ["inbox"] }),
        () => undefined,
      );
    }, READ_MS);
    return () => clearTimeout(timer);
  }, [unread, id, client]);

  // The list says the same as what is open beside it.
  const stands = view ? `${view.state} ${view.unread} ${view.assignee} ${view.complaint} ${view.last?.at}` : "";
  useEffect(() => {
    if (stands !== "") void client.invalidateQueries({ queryKey: ["inbox", "list"] });
  }, [stands, client]);

  const end = useRef<HTMLDivElement>(null);
  const newest = words.at(-1)?.message;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever was said last comes into sight.
  useEffect(() => {
    const box = end.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, [newest]);

  return (
    <section className="inbox-talk" aria-label={view?.name ?? t("inbox.one")}>
      {talk.error && !view ? (
        <div style={{ padding: 16 }}>
          <Fault error={talk.error} retry={() => void talk.refetch()} />
        </div>
      ) : view === undefined ? (
        <div style={{ padding: 16 }}>
          <Bones lines={8} />
        </div>
      ) : (
        <>
          <Head view={view} answers={answers} close={close} />
          <div className="words" ref={end} tabIndex={0} role="log" aria-label={t("inbox.said")}>
            {talk.hasNextPage ? (
              <div style={{ textAlign: "center" }}>
                <Button size="small" loading={talk.isFetchingNextPage} onClick={() => void talk.fetchNextPage()}>
                  {t("inbox.earlier")}
                </Button>
              </div>
            ) : null}
            <Words words={words} desks={new Map(view.desks.map((one) => [one.desk, deskSaid(one)]))} />
          </div>
          {answers ? <Composer view={view} typing={typing} /> : <p className="quiet small inbox-foot">{t("inbox.may_not_answer")}</p>}
        </>
      )}
    </section>
  );
}

function Head({ view, answers, close }: { view: Talk; answers: boolean; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const tags = useOverview().data?.tags;
  const staff = useSession().data?.person.staff ?? undefined;
  const [handing, setHanding] = useState(false);
  const [asksTag, setAsksTag] = useState(false);
  const path = { path: { conversation: view.conversation } };
  const act = async (doing: () => Promise<unknown>, said: string) => {
    try {
      await doing();
      message.success(said);
      await client.invalidateQueries({ queryKey: ["inbox"] });
      await client.invalidateQueries({ queryKey: ["member"] });
      return true;
    } catch (error) {
      message.error(inWords(error, t("state.wrong")), 5);
      return false;
    }
  };
  const assign = (assignee: string | null, said: string) => act(() => got(api.POST("/v1/inbox/{conversation}/assign", { params: path, body: { assignee } })), said);
  const reopen = () => act(() => send("POST", `/v1/inbox/${encodeURIComponent(view.conversation)}/reopen`, {}), t("inbox.reopened"));
  const complain = (open: boolean, tag?: string) =>
    act(() => got(api.POST("/v1/inbox/{conversation}/complaint", { params: path, body: { open, ...(tag ? { tag } : {}) } })), open ? t("inbox.complaint_opened") : t("inbox.complaint_settled"));
  // The shipped tag; where the playbook has none, any of its tags may say that a complaint is open.
  const complains = async () => {
    try {
      await got(api.POST("/v1/inbox/{conversation}/complaint", { params: path, body: { open: true } }));
    } catch (error) {
      if (error instanceof Refusal && error.code === "tag_unknown") setAsksTag(true);
      message.error(inWords(error, t("state.wrong")), 5);
      return;
    }
    message.success(t("inbox.complaint_opened"));
    await client.invalidateQueries({ queryKey: ["inbox"] });
    await client.invalidateQueries({ queryKey: ["member"] });
  };
  return (
    <header className="inbox-head">
      <div className="row" style={{ flexWrap: "nowrap", alignItems: "flex-start" }}>
        <button type="button" className="plain icon-button inbox-back" onClick={close} aria-label={t("inbox.back")}>
          ←
        </button>
        <div className="grow">
          <div className="row" style={{ gap: "2px 10px" }}>
            <h2>
              {view.member ? (
                <Link to="/members/$id" params={{ id: view.member }}>
                  {view.name ?? shortId(view.member)}
                </Link>
              ) : (
                (view.name ?? t("inbox.nameless"))
              )}
            </h2>
            <Pill tone={talkTone(view.state)}>{word("talk_state", view.state)}</Pill>
            {view.complaint ? <Pill tone="bad">{t("inbox.complaint")}</Pill> : null}
          </div>
          <p className="small quiet">
            {[word("persona", view.persona), view.assignee ? t("inbox.of", { who: view.assignee }) : t("inbox.of_nobody")].join(" · ")}
            {" · "}
            {t("inbox.desks_n", { n: view.desks.length })}
          </p>
        </div>
      </div>
      {answers ? (
        <div className="row">
          {staff && view.assignee === staff ? (
            <Button size="small" onClick={() => void assign(null, t("inbox.put_back_done"))}>
              {t("inbox.put_back")}
            </Button>
          ) : (
            <Button size="small" disabled={!staff} title={staff ? undefined : t("inbox.no_staff")} onClick={() => staff && void assign(staff, t("inbox.taken"))}>
              {t("inbox.take")}
            </Button>
          )}
          <Button size="small" onClick={() => setHanding(true)}>
            {t("inbox.hand")}
          </Button>
          {view.complaint ? (
            <Button size="small" onClick={() => void complain(false, view.complaint ?? undefined)}>
              {t("inbox.settle")}
            </Button>
          ) : asksTag && tags ? (
            <Menu items={tags.slice(0, 20).map((one) => ({ key: one.id, label: t("inbox.by_tag", { tag: called(one.name, one.id) }), onClick: () => void complain(true, one.id) }))}>
              <Button size="small">{t("inbox.complain")} ▾</Button>
            </Menu>
          ) : (
            <Button size="small" onClick={() => void complains()}>
              {t("inbox.complain")}
            </Button>
          )}
          {view.state === "closed" ? (
            <>
              <Button size="small" onClick={() => void reopen()}>
                {t("inbox.reopen")}
              </Button>
              <span className="small quiet">{t("inbox.closed_say")}</span>
            </>
          ) : (
            <Button size="small" onClick={() => void act(() => got(api.POST("/v1/inbox/{conversation}/close", { params: path, body: {} as never })), t("inbox.closed"))}>
              {t("inbox.close")}
            </Button>
          )}
        </div>
      ) : null}
      {handing ? (
        <Suspense fallback={null}>
          <Hand now={view.assignee ?? undefined} close={() => setHanding(false)} hand={async (to) => (await assign(to, to ? t("inbox.handed_to", { who: to }) : t("inbox.put_back_done"))) && setHanding(false)} />
        </Suspense>
      ) : null}
    </header>
  );
}

function Words({ words, desks }: { words: Word[]; desks: ReadonlyMap<string, string> }) {
  const { t } = useWords();
  const zone = useZone();
  return (
    <ol>
      {words.map((one, at) => {
        const before = words[at - 1];
        const today = day(one.at, zone);
        const newDay = !before || day(before.at, zone) !== today;
        const newDesk = newDay || before?.desk !== one.desk;
        return (
          <li key={one.message}>
            {newDay || newDesk ? (
              <p className="when small quiet">
                {newDay ? <span>{today}</span> : null}
                <span className={desks.has(one.desk) && desks.get(one.desk) !== one.desk ? undefined : "mono"} title={one.desk}>{t("inbox.by_desk", { desk: desks.get(one.desk) ?? one.desk })}</span>
              </p>
            ) : null}
            <div className={one.by === "staff" ? "word ours" : "word"}>
              <div className="bubble">
                {one.masked ? <em className="quiet">{t("inbox.masked")}</em> : one.text ? <span className={one.taken_back ? "back-taken" : undefined}>{one.text}</span> : null}
                {one.attached ? <Attached of={one.attached} /> : null}
                {one.cut ? <span className="quiet"> {t("inbox.cut")}</span> : null}
              </div>
              <p className="small quiet">
                {one.by === "staff" && one.who ? `${whoIs(one.who)} · ` : ""}
                <time dateTime={one.at}>{timeOfDay(one.at, zone)}</time>
                {one.taken_back ? ` · ${t("inbox.taken_back")}` : ""}
                {one.state === "heard" ? null : (
                  <>
                    {" · "}
                    <span className={one.state === "failed" || one.state === "unknown" ? "danger" : undefined}>{word("reply_state", one.state)}</span>
                    {one.why ? ` · ${word("reply_why", one.why)}` : ""}
                  </>
                )}
              </p>
              {one.state === "unknown" ? <p className="small quiet">{t("inbox.unknown_say")}</p> : null}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Attached({ of }: { of: NonNullable<Word["attached"]> }) {
  const { t } = useWords();
  const kind = word("attached", of.kind);
  const media = of.media ?? undefined;
  return (
    <span className="attached">
      <strong>{kind}</strong>{" "}
      {media && /^https?:\/\//.test(media) ? (
        <a href={media} target="_blank" rel="noreferrer noopener">
          {media}
        </a>
      ) : media ? (
        <code className="cut" title={media}>
          {media}
        </code>
      ) : null}
      <span className="small quiet"> {t("inbox.at_platform")}</span>
    </span>
  );
}

function Composer({ view, typing }: { view: Talk; typing: RefObject<HTMLTextAreaElement | null> }) {
  const { t } = useWords();
  const client = useQueryClient();
  const id = view.conversation;
  const [text, setText] = useState(drafts.get(id) ?? "");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const bytes = bytesOf(text);
  const over = bytes > BYTES_MAX;
  const shut = view.reply_until == null || (view.cannot_reply ?? null) !== null;
  const session = view.desks[0]?.session ?? undefined;
  const type = (next: string) => {
    setText(next);
    setFault("");
    if (next === "") drafts.delete(id);
    else drafts.set(id, next);
  };
  const say = async () => {
    const said = text.trim();
    if (said === "" || over || busy || shut) return;
    setBusy(true);
    setFault("");
    try {
      await got(api.POST("/v1/inbox/{conversation}/reply", { params: { path: { conversation: id } }, body: { reply: replies.of(id, said), text: said } }));
      replies.taken(id);
      type("");
      await client.invalidateQueries({ queryKey: ["inbox"] });
    } catch (error) {
      setFault(inWords(error, t("state.unreachable_say")));
      void client.invalidateQueries({ queryKey: ["inbox", "talk", id] });
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void say();
      }}
    >
      {session === "staff" || session === "queue" ? <p className="small golden">{t("inbox.session_staff")}</p> : session === "over" ? <p className="small golden">{t("inbox.session_over")}</p> : null}
      {view.trouble ? (
        <p className="small golden">
          {t("inbox.trouble_say")} {word("reply_why", view.trouble)}
        </p>
      ) : null}
      <textarea
        ref={typing}
        className="input"
        rows={3}
        aria-label={t("inbox.reply")}
        aria-invalid={over || fault !== ""}
        aria-describedby="reply-says"
        placeholder={shut ? t("inbox.shut") : t("inbox.reply_say")}
        disabled={shut && text === ""}
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={(event) => {
          // While an input method composes, Enter chooses a word.
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.nativeEvent.isComposing) {
            event.preventDefault();
            void say();
          }
        }}
      />
      <div className="apart">
        <p id="reply-says" className={fault || over ? "small danger grow" : "small quiet grow"} role={fault ? "alert" : undefined}>
          {fault ||
            (over ? (
              t("inbox.too_long", { n: whole(bytes), most: whole(BYTES_MAX) })
            ) : shut ? (
              view.cannot_reply ? word("cannot_reply", view.cannot_reply) : t("inbox.shut_say")
            ) : (
              <>
                {t("inbox.left", { n: view.replies_left })} <When at={view.reply_until} />
                {bytes > BYTES_MAX / 2 ? ` · ${whole(bytes)} / ${whole(BYTES_MAX)}` : ""}
              </>
            ))}
        </p>
        <Button type="primary" htmlType="submit" loading={busy} disabled={text.trim() === "" || over || shut}>
          {t("inbox.send")}
        </Button>
      </div>
    </form>
  );
}
