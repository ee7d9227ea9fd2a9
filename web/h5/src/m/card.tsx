// The card: a code that the till reads, renewed each minute. Without a network the last one is shown as long as a till takes it; after that the page
// says so, and what to say instead.
import type { Refusal } from "@zhiyin/api";
import { send } from "@zhiyin/api";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asRefusal } from "../shared/ask";
import { keep, kept } from "../shared/keep";
import { Bones, Fault, said } from "../shared/parts";
import { t } from "../shared/words";
import { named, Qr, useMe } from "./bits";
import { clock, passAt, PASS_RENEW_S, type Pass } from "./rules";
import type { Me, PassGiven } from "./types";

const AGAIN_MS = 5_000;

function usePass(me: string) {
  const [pass, setPass] = useState<Pass | undefined>(() => {
    const last = kept<Pass & { me: string }>("m.pass");
    return last?.me === me ? { pass: last.pass, asked_at: last.asked_at } : undefined;
  });
  const [fault, setFault] = useState<Refusal>();
  const [now, setNow] = useState(Date.now());
  const asked = useRef({ busy: false, at: 0 });
  const ask = useCallback(() => {
    if (asked.current.busy) return;
    const asked_at = Date.now();
    asked.current = { busy: true, at: asked_at };
    send<PassGiven>("GET", "/v1/me/pass", undefined, AbortSignal.timeout(10_000))
      .then(
        (given) => {
          setPass({ pass: given.pass, asked_at });
          setFault(undefined);
          keep("m.pass", { me, pass: given.pass, asked_at });
        },
        (error: unknown) => setFault(asRefusal(error)),
      )
      .finally(() => {
        asked.current.busy = false;
        setNow(Date.now());
      });
  }, [me]);
  const state = passAt(pass, now);
  useEffect(() => {
    const look = () => {
      setNow(Date.now());
      const { phase } = passAt(pass, Date.now());
      if (phase !== "fresh" && document.visibilityState === "visible" && Date.now() - asked.current.at >= AGAIN_MS) ask();
    };
    look();
    const timer = setInterval(look, 1000);
    document.addEventListener("visibilitychange", look);
    addEventListener("online", ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", ask);
    };
  }, [pass, ask]);
  return { pass, state, fault, ask };
}

/** The screen stays on while the card is shown, where the phone allows it. */
function useLit() {
  useEffect(() => {
    let lock: { release: () => Promise<void> } | undefined;
    let gone = false;
    const light = () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      navigator.wakeLock.request("screen").then(
        (got) => {
          if (gone) void got.release();
          else lock = got;
        },
        () => undefined,
      );
    };
    light();
    document.addEventListener("visibilitychange", light);
    return () => {
      gone = true;
      document.removeEventListener("visibilitychange", light);
      void lock?.release().catch(() => undefined);
    };
  }, []);
}

function Shows({ me }: { me: Me }) {
  const { pass, state, fault, ask } = usePass(me.id);
  useLit();
  const shown = pass && (state.phase === "fresh" || state.phase === "late");
  const instead = [me.phone ? t("card.phone", { phone: me.phone }) : "", me.card ? t("card.number", { card: me.card }) : ""].filter(Boolean);
  return (
    <>
      <section class="card pass" aria-label={t("card.title")}>
        <p class="centre">
          {me.tier ? <span class="pill gold">{named(me.tier.name, me.tier.level)}</span> : null} <span class="strong">{me.attributes?.nickname ?? me.attributes?.name ?? me.name ?? ""}</span>
        </p>
        {shown ? (
          <>
            <Qr of={pass.pass} says={t("card.says")} />
            {state.phase === "fresh" ? (
              <div class="renews">
                <div class="meter" aria-hidden="true">
                  <div style={{ width: `${(state.renew_in / PASS_RENEW_S) * 100}%` }} />
                </div>
                <p class="quiet centre" role="timer">
                  {t("card.renews", { n: state.renew_in })}
                </p>
              </div>
            ) : (
              <p class="note gold centre" role="status">
                {fault ? t("card.late", { time: clock(state.good_for) }) : t("card.renewing")}
              </p>
            )}
          </>
        ) : state.phase === "lapsed" && fault ? (
          <div class="lapsed" role="alert">
            <h2>{t("card.lapsed")}</h2>
            <p class="quiet">{fault.status === 0 ? t("card.lapsed_say") : said(fault)}</p>
            <button type="button" class="button go" onClick={ask}>
              {t("again")}
            </button>
          </div>
        ) : fault ? (
          <div class="lapsed">
            <Fault fault={fault} again={ask} />
          </div>
        ) : (
          <div class="qr bone" role="status" aria-busy="true" aria-label={t("loading")} />
        )}
        {me.card ? <p class="centre number">{me.card}</p> : null}
      </section>
      <p class="quiet centre">{shown ? t("card.bright") : instead.length > 0 ? t("card.instead", { what: instead.join(t("or")) }) : t("card.bright")}</p>
    </>
  );
}

export function Card() {
  const me = useMe();
  // A pass needs no more than whose it is: what was read of them before will do.
  if (me.data) return <Shows key={me.data.id} me={me.data} />;
  return me.fault ? <Fault fault={me.fault} again={me.again} /> : <Bones n={4} />;
}
