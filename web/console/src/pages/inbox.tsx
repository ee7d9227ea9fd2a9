// The inbox: what members said to a persona, whichever of its desks it came by; one conversation whole, with the member beside it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, got, type InboxCounts } from "@zhiyin/api";
import { Button, Select } from "antd";
import { useEffect, useMemo, useRef } from "react";
import { brief, whole } from "../format";
import { useMay, useSession, useZone } from "../home";
import { Find, Views } from "../parts/list-tools";
import { When } from "../parts/marks";
import { Page, Pill } from "../parts/page";
import { Bones, Fault, None } from "../parts/states";
import { useAddress } from "../router";
import { lookUp } from "../seek";
import { useWords, word } from "../words";
import { Glance } from "./inbox/glance";
import { beside, deskKey, deskSaid, matches, talkTone, unreadFirst, type Talk } from "./inbox/rules";
import { Conversation } from "./inbox/talk";

const STATES = ["unread", "open", "answered", "closed"] as const;
const LIVE_MS = 5_000;
const PAGE = 100;

/** Whether keys mean something else there: where one types, or over a drawer, a dialog or the palette. */
const isBusy = (target: EventTarget | null) =>
  (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], [role=listbox], [role=menu]") !== null) ||
  document.querySelector(".veil, .ant-modal-wrap:not([style*='display: none']), .ant-drawer-open, [popover]:popover-open") !== null;

export function Inbox() {
  const { t } = useWords();
  const [address, setAddress] = useAddress();
  const { talk = "", state = "", persona = "", desk = "", mine = "", complaint = "", find = "" } = address;
  const staff = useSession().data?.person.staff ?? undefined;
  const assignee = mine && staff ? staff : undefined;
  const query = { ...(persona ? { persona } : {}), ...(assignee ? { assignee } : {}) };
  const list = useInfiniteQuery({
    queryKey: ["inbox", "list", state, persona, assignee],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      got(api.GET("/v1/inbox", { params: { query: { ...query, limit: PAGE, ...(state ? { state: state as Talk["state"] } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: LIVE_MS,
  });
  // Those that nobody has read come first wherever they stand in the whole list.
  const unread = useQuery({
    queryKey: ["inbox", "unread", persona, assignee],
    enabled: state === "",
    queryFn: ({ signal }) => got(api.GET("/v1/inbox", { params: { query: { ...query, state: "unread" as Talk["state"], limit: PAGE } }, signal })),
    refetchInterval: LIVE_MS,
  });
  const may = useMay();
  const called = useQuery({
    queryKey: ["inbox", "called", find],
    enabled: find.trim() !== "" && may("member_lookup"),
    queryFn: async ({ signal }) => {
      const known = JSON.parse(localStorage.getItem("zhiyin.namespaces") ?? "[]") as string[];
      return (await lookUp(find, known, signal)).map((one) => one.id);
    },
  });
  // Which were unread since somebody came to this list.
  const asked = `${state} ${persona} ${mine}`;
  const stay = useRef({ asked, unread: new Set<string>() });
  const all = useMemo(() => {
    if (stay.current.asked !== asked) stay.current = { asked, unread: new Set() };
    const talks = [...(state === "" ? (unread.data?.items ?? []) : []), ...(list.data?.pages.flatMap((page) => page.items) ?? [])];
    for (const one of talks) if (one.state === "unread") stay.current.unread.add(one.conversation);
    return unreadFirst(talks, stay.current.unread);
  }, [asked, state, unread.data, list.data]);
  const found = useMemo(() => new Set(called.data ?? []), [called.data]);
  const rows = all.filter((one) => matches(one, { find, desk, complaint: complaint !== "" }, found));
  const personas = [...new Set([...all.map((one) => one.persona), ...(persona ? [persona] : [])])].sort();
  const desks = new Map([...(desk ? [[desk, desk] as const] : []), ...all.flatMap((one) => one.desks.map((of) => [deskKey(of), deskSaid(of)] as const))]);
  const counts = (list.data?.pages[0] as InboxCounts | undefined)?.counts ?? undefined;
  const open = (to: string) => setAddress({ talk: to }, { push: to !== "" && talk === "" });

  const typing = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === "Escape" && event.target === typing.current) {
        typing.current?.blur();
        return;
      }
      if (isBusy(event.target)) return;
      if (event.key === "j" || event.key === "k") {
        const next = beside(rows, talk, event.key === "j" ? 1 : -1);
        if (next) open(next);
      } else if (event.key === "r" && typing.current) {
        event.preventDefault();
        typing.current.focus();
      } else if (event.key === "Escape" && talk !== "") open("");
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  });
  const shown = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whichever is open comes into sight.
  useEffect(() => {
    shown.current?.scrollIntoView({ block: "nearest" });
  }, [talk]);

  const asOf = Math.max(list.dataUpdatedAt, 0);
  const narrowed = [state, persona, desk, mine, complaint, find].some((one) => one !== "");
  return (
    <Page
      wide
      title={t("inbox.title")}
      lead={
        asOf > 0 ? (
          <>
            {list.error ? <Pill tone="warn">{t("inbox.stale")}</Pill> : null} {t("inbox.as_of")} <When at={new Date(asOf).toISOString()} />
            <span className="inbox-keys"> · {t("inbox.keys")}</span>
          </>
        ) : (
          t("inbox.lead")
        )
      }
    >
      <div className={talk ? "filters inbox-filters talking" : "filters inbox-filters"}>
        <Find label={t("inbox.find")} name="find" width={240} />
        <Select
          aria-label={t("inbox.state")}
          style={{ width: counts ? 152 : 132 }}
          value={state}
          onChange={(next: string) => setAddress({ state: next })}
          options={[{ value: "", label: t("inbox.not_closed") }, ...STATES.map((value) => ({ value, label: counts ? t("inbox.state_n", { state: word("talk_state", value), n: whole(counts[value] ?? 0) }) : word("talk_state", value) }))]}
        />
        <Select
          aria-label={t("inbox.persona")}
          style={{ width: 148 }}
          allowClear
          placeholder={t("inbox.persona")}
          value={persona || undefined}
          onChange={(next?: string) => setAddress({ persona: next ?? "" })}
          options={personas.map((value) => ({ value, label: word("persona", value) }))}
        />
        <Select
          aria-label={t("inbox.desk")}
          style={{ width: 168 }}
          allowClear
          placeholder={t("inbox.desk")}
          value={desk || undefined}
          onChange={(next?: string) => setAddress({ desk: next ?? "" })}
          options={[...desks].sort(([, a], [, b]) => a.localeCompare(b)).map(([value, label]) => ({ value, label }))}
        />
        <Toggle on={mine !== ""} set={(on) => setAddress({ mine: on ? "1" : "" })} disabled={!staff} title={staff ? undefined : t("inbox.no_staff")}>
          {t("inbox.mine")}
        </Toggle>
        <Toggle on={complaint !== ""} set={(on) => setAddress({ complaint: on ? "1" : "" })}>
          {t("inbox.complaints")}
        </Toggle>
        <span className="row" style={{ marginLeft: "auto" }}>
          <Views page="inbox" names={["find", "state", "persona", "desk", "mine", "complaint"]} />
        </span>
      </div>
      {list.error && all.length === 0 ? (
        <Fault error={list.error} retry={() => void list.refetch()} />
      ) : (
        <div className={talk ? "inbox talking" : "inbox"}>
          <nav className="inbox-list" aria-label={t("inbox.list")}>
            {list.isPending ? (
              <div style={{ padding: "12px 16px" }}>
                <Bones lines={10} />
              </div>
            ) : rows.length === 0 ? (
              <None
                title={narrowed ? t("inbox.none_match") : t("inbox.none")}
                action={
                  list.hasNextPage ? (
                    <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                      {t("members.look_further")}
                    </Button>
                  ) : narrowed ? (
                    <Button onClick={() => setAddress({ find: "", state: "", persona: "", desk: "", mine: "", complaint: "" })}>{t("do.clear")}</Button>
                  ) : undefined
                }
              >
                {narrowed ? t("inbox.none_match_say") : t("inbox.none_say")}
              </None>
            ) : (
              <ul>
                {rows.map((one) => (
                  <li key={one.conversation}>
                    <Row talk={one} here={one.conversation === talk} open={() => open(one.conversation)} shown={one.conversation === talk ? shown : undefined} />
                  </li>
                ))}
              </ul>
            )}
            {rows.length > 0 && list.hasNextPage ? (
              <div style={{ padding: 12, textAlign: "center" }}>
                <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  {t("do.more")}
                </Button>
              </div>
            ) : null}
          </nav>
          {talk ? (
            <Conversation key={talk} id={talk} typing={typing} close={() => open("")} />
          ) : (
            <div className="inbox-talk idle">
              <None title={t("inbox.choose")}>{t("inbox.choose_say")}</None>
            </div>
          )}
          {talk ? <Glance talk={talk} /> : null}
        </div>
      )}
    </Page>
  );
}

function Toggle({ on, set, disabled = false, title, children }: { on: boolean; set: (on: boolean) => void; disabled?: boolean; title?: string | undefined; children: string }) {
  return (
    <Button aria-pressed={on} type={on ? "primary" : "default"} ghost={on} disabled={disabled} title={title} onClick={() => set(!on)}>
      {children}
    </Button>
  );
}

function Row({ talk, here, open, shown }: { talk: Talk; here: boolean; open: () => void; shown: React.RefObject<HTMLButtonElement | null> | undefined }) {
  const { t } = useWords();
  const zone = useZone();
  const isUnread = talk.state === "unread";
  const last = talk.last;
  return (
    <button ref={shown} type="button" className={isUnread ? "plain talk-row unread" : "plain talk-row"} aria-current={here ? "true" : undefined} onClick={open}>
      <span className="apart" style={{ flexWrap: "nowrap" }}>
        <span className="cut who">{talk.name ?? t("inbox.nameless")}</span>
        {last ? (
          <time className="quiet small nowrap" dateTime={last.at}>
            {brief(last.at, zone)}
          </time>
        ) : null}
      </span>
      <span className="cut says">
        {last?.by === "staff" ? <span className="quiet">{t("inbox.us")} </span> : null}
        {last ? (last.words ?? t("inbox.masked")) || t("inbox.no_text") : t("inbox.nothing_said")}
      </span>
      <span className="row marks">
        <Pill tone={talkTone(talk.state)}>{isUnread ? t("inbox.unread_n", { n: whole(talk.unread) }) : word("talk_state", talk.state)}</Pill>
        {talk.complaint ? <Pill tone="bad">{t("inbox.complaint")}</Pill> : null}
        {talk.trouble ? <Pill tone="warn">{t("inbox.trouble")}</Pill> : null}
        <span className="cut small quiet grow">{[word("persona", talk.persona), talk.assignee].filter(Boolean).join(" · ")}</span>
      </span>
    </button>
  );
}
