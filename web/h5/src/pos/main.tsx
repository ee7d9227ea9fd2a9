// The till on a phone, at /pos/.
import { send, type Refusal, type Session } from "@zhiyin/api";
import { render } from "preact";
import { useState } from "preact/hooks";
import { asRefusal, forgetReads } from "../shared/ask";
import { moment } from "../shared/format";
import { keep, kept } from "../shared/keep";
import "../shared/look.css";
import { Bones, Door, Empty, Fault, Frame, Own, shine, useHere, useSession } from "../shared/parts";
import { begin, t, useLanguage } from "../shared/words";
import { Enrol, Find } from "./find";
import { Refund, RefundOne } from "./refund";
import { CartPage, DonePage, Pay, useSale, type Done } from "./sell";
import { useTill, type Till } from "./state";
import { mayUntil } from "./till";
import { Wait } from "./wait";
import { words } from "./words";

const SIGNS = {
  sell: "M4 5h2l2 10h10l2-7H7M9 19h.01M17 19h.01",
  refund: "M9 7 5 11l4 4M5 11h9a5 5 0 0 1 0 10h-2",
  waiting: "M12 4v10M8 10l4 4 4-4M5 18h14",
  own: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21a8 8 0 0 1 16 0",
};

function Offline({ till }: { till: Till }) {
  const n = till.waiting.filter((one) => one.state === "waiting").length;
  if (till.reached && n === 0) return null;
  return (
    <div class="off" role="status">
      <span>{till.reached ? t("online_waiting", { n }) : n > 0 ? t("off", { n }) : t("off_none")}</span>
      {n > 0 ? (
        <button type="button" disabled={till.sending} onClick={() => void till.sendAll()}>
          {t("send_now")}
        </button>
      ) : null}
    </div>
  );
}

function App({ session, store, setSession }: { session: Session; store: string; setSession: (session: Session | undefined) => void }) {
  const till = useTill(session, store);
  const sale = useSale(till);
  const at = useHere();
  const [done, setDone] = useState<Done>();
  const [leaseFault, setLeaseFault] = useState<Refusal>();
  const bar = [
    { to: "/", words: t("nav.sell"), sign: SIGNS.sell },
    { to: "/refund", words: t("nav.refund"), sign: SIGNS.refund },
    { to: "/waiting", words: t("nav.waiting"), sign: SIGNS.waiting, count: till.waiting.length },
    { to: "/own", words: t("nav.own"), sign: SIGNS.own },
  ];
  const part = (start: string) => (at.startsWith(start) ? decodeURIComponent(at.slice(start.length)) : undefined);
  const above = <Offline till={till} />;
  const out = async () => {
    if (till.waiting.some((one) => one.state === "waiting" && one.by === session.person.id)) throw Object.assign(asRefusal(undefined), { status: 409, title: t("own.wait_first") });
    await send("DELETE", "/v1/session");
    forgetReads();
    for (const name of ["pos.cart", "pos.recent", "keys"]) keep(name, undefined);
    setSession(undefined);
  };
  const enrol = at === "/enrol" ? "" : part("/enrol/");
  if (enrol !== undefined) return <Frame title={t("enrol.title")} back="/" under="/" above={above} bar={bar}><Enrol till={till} phone={enrol} /></Frame>;
  if (at === "/cart")
    return (
      <Frame
        title={t("cart.title")}
        back="/"
        under="/"
        above={above}
        bar={bar}
        pay={
          <Pay
            till={till}
            sale={sale}
            onDone={(one) => {
              setDone(one);
              location.hash = "/done";
            }}
          />
        }
      >
        <CartPage till={till} sale={sale} />
      </Frame>
    );
  if (at === "/done" && done) return <Frame title={t("nav.sell")} under="/" above={above} bar={bar}><DonePage done={done} till={till} /></Frame>;
  const refund = part("/refund/");
  if (refund !== undefined) return <Frame title={t("refund.title")} back="/refund" above={above} bar={bar}><RefundOne till={till} name={refund} /></Frame>;
  if (at === "/refund") return <Frame title={t("refund.title")} above={above} bar={bar}><Refund till={till} /></Frame>;
  if (at === "/waiting") return <Frame title={t("wait.title")} above={above} bar={bar}><Wait till={till} /></Frame>;
  if (at === "/own") {
    const until = mayUntil(till.ready, store, Date.now());
    return (
      <Frame title={t("nav.own")} above={above} bar={bar}>
        <Own session={session} onOut={out}>
          <section class="card" aria-label={t("own.ready")}>
            <h2>{t("own.ready")}</h2>
            <p class="quiet">{until === undefined ? t("own.not_ready") : t("own.ready_until", { at: moment(until) })}</p>
            {until === undefined ? (
              <button type="button" class="button wide" onClick={() => void till.getReady().then(() => setLeaseFault(undefined), (error: unknown) => setLeaseFault(asRefusal(error)))}>
                {t("own.lease")}
              </button>
            ) : null}
            {leaseFault ? <Fault fault={leaseFault} /> : null}
          </section>
        </Own>
      </Frame>
    );
  }
  return <Frame title={t("app")} above={above} bar={bar}><Find till={till} /></Frame>;
}

function Store({ onStore }: { onStore: (store: string) => void }) {
  const [typed, setTyped] = useState("");
  return (
    <main class="door">
      <h1>{t("store_ask")}</h1>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onStore(typed.trim());
        }}
      >
        <p class="quiet">{t("store_say")}</p>
        <label class="field">
          {t("store_code")}
          <input class="input" name="store" autocomplete="off" maxLength={64} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button go wide" disabled={typed.trim() === ""}>
          {t("store_set")}
        </button>
      </form>
    </main>
  );
}

function Root() {
  useLanguage();
  const { session, waits, fault, set, again } = useSession("pos");
  const [store, setStore] = useState(() => kept<string>("pos.store"));
  if (waits) return <main><Bones n={4} /></main>;
  if (fault && !session) return <main class="door"><h1>{t("app")}</h1><Fault fault={fault} again={again} /></main>;
  if (!session) return <Door title={t("app")} onIn={set} />;
  if (!session.permissions.includes("checkout")) return <main class="door"><Empty title={t("app")} say={t("refund.may_not")} /></main>;
  const at = session.person.place ?? store;
  if (!at) {
    return (
      <Store
        onStore={(next) => {
          keep("pos.store", next);
          setStore(next);
        }}
      />
    );
  }
  return <App key={session.person.id} session={session} store={at} setSession={set} />;
}

begin(words);
shine();
render(<Root />, document.getElementById("root") as HTMLElement);
// The page itself is kept, so that it opens without a network.
if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/pos/sw.js", { scope: "/pos/" }).catch(() => undefined);
