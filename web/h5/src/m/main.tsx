// The members' pages, at /m/: the card, coupons, points, oneself; whoever is not signed in is shown the door.
import { asking, Refusal, send } from "@zhiyin/api";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, forgetReads, recall, SIGNED_OUT, useRead } from "../shared/ask";
import { keep, kept } from "../shared/keep";
import "../shared/look.css";
import { Bones, Fault, Frame, go, here, shine, useHere } from "../shared/parts";
import { begin, t, useLanguage } from "../shared/words";
import { BrandContext, brandOf, forgetMember, read, readSession, Sign, useBrand, useMe, useOnline } from "./bits";
import { Card } from "./card";
import { CouponOne, Coupons } from "./coupons";
import { Door, Speak, Welcome } from "./door";
import { Draws } from "./draws";
import { Home, Tiers } from "./home";
import "./look.css";
import { Orders } from "./orders";
import { Consents, DataPage, Erase, Own, Profile, SeenBy } from "./own";
import { Payouts } from "./payouts";
import { PointsPage } from "./points";
import { touchpointOf } from "./rules";
import type { Door as DoorOf, Session } from "./types";
import { words } from "./words";

const SIGNS = {
  home: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
  coupons: "M4 7h16v3a2 2 0 0 0 0 4v3H4v-3a2 2 0 0 0 0-4zM14 8v8",
  points: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 8l1.2 2.6 2.8.3-2.1 1.9.6 2.8-2.5-1.4-2.5 1.4.6-2.8L8 10.9l2.8-.3z",
  me: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21a8 8 0 0 1 16 0",
  card: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 14h2v2h-2zM14 18h2v2h-2zM18 18h2v2h-2z",
};

/** From where one went on: what is reached from two pages leads back to the one. */
let from = "/me";

type Page = { title: string; back?: string; under?: string; is: preact.JSX.Element };

function App({ door, onOut, onErased, onOther }: { door: ReturnType<typeof useRead<DoorOf>>; onOut: (all: boolean) => Promise<void>; onErased: () => void; onOther: (session: Session) => void }) {
  const at = useHere();
  const brand = useBrand();
  const online = useOnline();
  if (at === "/" || at === "/me") from = at;
  const pages: Record<string, () => Page> = {
    "/": () => ({ title: brand.name, is: <Home /> }),
    "/tier": () => ({ title: t("tier.title"), back: "/", under: "/", is: <Tiers /> }),
    "/card": () => ({ title: t("card.title"), back: "/", under: "/", is: <Card /> }),
    "/coupons": () => ({ title: t("coupons.title"), is: <Coupons at="/coupons" /> }),
    "/coupons/gone": () => ({ title: t("coupons.title"), is: <Coupons at="/coupons/gone" /> }),
    "/points": () => ({ title: t("nav.points"), is: <PointsPage at="/points" /> }),
    "/points/history": () => ({ title: t("nav.points"), is: <PointsPage at="/points/history" /> }),
    "/draws": () => ({ title: t("draws.title"), back: from, under: from, is: <Draws /> }),
    "/orders": () => ({ title: t("orders.title"), back: from, under: from, is: <Orders /> }),
    "/payouts": () => ({ title: t("payouts.title"), back: "/", under: "/", is: <Payouts /> }),
    "/me": () => ({ title: t("nav.me"), is: <Own onOut={onOut} /> }),
    "/me/profile": () => ({ title: t("profile.title"), back: "/me", is: <Profile /> }),
    "/me/consents": () => ({ title: t("consents.title"), back: "/me", is: <Consents /> }),
    "/me/seen": () => ({ title: t("seen.title"), back: "/me", is: <SeenBy /> }),
    "/me/data": () => ({ title: t("data.title"), back: "/me", is: <DataPage /> }),
    "/me/erase": () => ({ title: t("erase.title"), back: "/me/data", is: <Erase door={door} onErased={onErased} onOther={onOther} /> }),
  };
  const coupon = /^\/coupons\/([\w-]{1,80})$/.exec(at)?.[1];
  // An address that is none leads home.
  const page = pages[at]?.() ?? (coupon ? { title: t("coupons.one"), back: "/coupons", is: <CouponOne key={coupon} id={coupon} /> } : (pages["/"] as () => Page)());
  const bar = [
    { to: "/", words: t("nav.home"), sign: SIGNS.home },
    { to: "/coupons", words: t("nav.coupons"), sign: SIGNS.coupons },
    { to: "/points", words: t("nav.points"), sign: SIGNS.points },
    { to: "/me", words: t("nav.me"), sign: SIGNS.me },
  ];
  const aside =
    at === "/card" || at === "/" ? null : (
      <a class="plain to-card" href="#/card" aria-label={t("home.show")}>
        <Sign of={SIGNS.card} />
      </a>
    );
  const above = online ? null : (
    <p class="off" role="status">
      {t("offline")}
    </p>
  );
  return (
    <Frame title={page.title} brand={brand.name} aside={aside} above={above} bar={bar} {...(page.back ? { back: page.back } : {})} {...(page.under ? { under: page.under } : {})}>
      {page.is}
    </Frame>
  );
}

/** Asked once, of whoever became a member just now. */
function Joined({ onDone }: { onDone: () => void }) {
  const me = useMe();
  if (me.data) return <Welcome me={me.data.id} onDone={onDone} />;
  return <main class="door">{me.fault ? <Fault fault={me.fault} again={me.again} /> : <Bones n={4} />}</main>;
}

function Root() {
  useLanguage();
  const door = useRead("door", read<DoorOf>("/v1/me/door"));
  useEffect(() => {
    if (door.data) keep("m.door", door.data);
  }, [door.data]);
  const brand = brandOf(door.data);
  // As it was last, until the home says otherwise: a card is not waited for.
  const [session, setSession] = useState<Session | undefined>(() => kept<Session>("m.session"));
  const [waits, setWaits] = useState(session === undefined);
  const [fault, setFault] = useState<Refusal>();
  const [erased, setErased] = useState(false);
  const [welcomed, setWelcomed] = useState(() => kept<boolean>("m.welcomed") ?? false);
  const [turn, setTurn] = useState(0);
  const set = (next: Session) => {
    setSession(next);
    setFault(undefined);
    keep("m.session", { ...next, csrf: "" });
  };
  const leave = () => {
    asking.csrf = "";
    forgetReads("door");
    forgetMember();
    setSession(undefined);
    setWelcomed(false);
  };
  useEffect(() => {
    // Signed out elsewhere, or too long ago: what the phone kept is not shown to whoever comes next.
    addEventListener(SIGNED_OUT, leave);
    return () => removeEventListener(SIGNED_OUT, leave);
  });
  useEffect(() => {
    const stop = new AbortController();
    readSession(stop.signal)
      .then(set, (error: unknown) => {
        if (stop.signal.aborted) return;
        const refusal = asRefusal(error);
        if (refusal.status !== 401 && !kept("m.session")) setFault(refusal);
      })
      .finally(() => {
        if (!stop.signal.aborted) setWaits(false);
      });
    return () => stop.abort();
  }, [turn]);
  const out = async (all: boolean) => {
    if (asking.csrf === "") await readSession();
    await send("DELETE", `/v1/me/session${all ? "?all=true" : ""}`);
    leave();
    go("/");
  };
  let page;
  if (erased)
    page = (
      <main class="door">
        <h1>{t("erase.done")}</h1>
        <p>{t("erase.done_say")}</p>
        <button type="button" class="button wide" onClick={() => setErased(false)}>
          {t("erase.back")}
        </button>
      </main>
    );
  else if (waits) page = <main class="door"><Bones n={4} /></main>;
  else if (fault && !session)
    page = (
      <main class="door">
        <h1>{brand.name}</h1>
        <Fault
          fault={fault}
          again={() => {
            setFault(undefined);
            setWaits(true);
            setTurn((n) => n + 1);
          }}
        />
        <Speak />
      </main>
    );
  else if (!session)
    page = (
      <Door
        door={door}
        onIn={(next) => {
          set(next);
          setWelcomed(false);
        }}
      />
    );
  else if (session.joined && !welcomed && here() !== "/card")
    page = (
      <Joined
        onDone={() => {
          keep("m.welcomed", true);
          setWelcomed(true);
        }}
      />
    );
  else
    page = (
      <App
        door={door}
        onOut={out}
        onErased={() => {
          leave();
          setErased(true);
          go("/");
        }}
        onOther={(next) => {
          forgetReads("door");
          forgetMember();
          set(next);
          go("/");
        }}
      />
    );
  return (
    <BrandContext.Provider value={brand}>
      {page}
    </BrandContext.Provider>
  );
}

const touchpoint = touchpointOf(location.search);
if (touchpoint) keep("m.touchpoint", touchpoint);
const last = kept<DoorOf>("m.door");
if (last) recall("door", last, Date.now());
begin(words);
shine();
render(<Root />, document.getElementById("root") as HTMLElement);
// The page itself is kept, so that the card opens without a network.
if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/m/sw.js", { scope: "/m/" }).catch(() => undefined);
