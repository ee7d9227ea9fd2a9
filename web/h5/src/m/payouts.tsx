// Money that the brand sent: what waits is confirmed on a page of WeChat's own, which opens inside WeChat only; what came, and what went back.
import { useEffect, useState } from "preact/hooks";
import { money } from "../shared/format";
import { Copy, Empty, Shown } from "../shared/parts";
import { t, word } from "../shared/words";
import { inWeChat, list, Part, stamp, useBrand, usePayouts } from "./bits";
import { askOf, outcomeOf } from "./rules";
import type { Confirm, Payout } from "./types";

type Bridge = { invoke: (name: string, ask: Record<string, string>, then: (told: { err_msg?: string } | undefined) => void) => void };
type Outcome = "ok" | "cancel" | "fail";
const READY_MS = 5_000;
const bridge = () => (globalThis as { WeixinJSBridge?: Bridge }).WeixinJSBridge;
/** WeChat puts its bridge into a page while it loads, or soon afterwards. */
const ready = (): Promise<Bridge | undefined> =>
  new Promise((done) => {
    if (bridge()) return done(bridge());
    const end = () => {
      clearTimeout(timer);
      document.removeEventListener("WeixinJSBridgeReady", end);
      done(bridge());
    };
    const timer = setTimeout(end, READY_MS);
    document.addEventListener("WeixinJSBridgeReady", end);
  });
async function confirmed(confirm: Confirm): Promise<Outcome> {
  const there = await ready();
  if (!there) return "fail";
  return new Promise((done) => there.invoke("requestMerchantTransfer", askOf(confirm), (told) => done(outcomeOf(told))));
}

/** What was confirmed here and the home was not told of yet: it is not asked for once more. */
const taken = new Set<string>();

function Waits({ of, first, again }: { of: Payout; first: boolean; again: () => void }) {
  const { zone } = useBrand();
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | undefined>(taken.has(of.payout) ? "ok" : undefined);
  const amount = money(of.amount_minor, of.currency);
  const confirm = async (by: Confirm) => {
    setBusy(true);
    setOutcome(undefined);
    const came = await confirmed(by);
    if (came === "ok") taken.add(of.payout);
    setOutcome(came);
    setBusy(false);
    again();
  };
  return (
    <section class="card" aria-label={`${amount} ${of.remark}`}>
      <div class="between">
        <span class="big gold">{amount}</span>
        <span class="pill gold">{word("payout", of.state)}</span>
      </div>
      <p class="strong">{of.remark}</p>
      <p class="quiet">{stamp(of.at, zone)}</p>
      {outcome ? (
        <p class={`note ${outcome === "ok" ? "good" : outcome === "fail" ? "bad" : "gold"}`} role="status">
          {t(`payouts.${outcome}`)}
        </p>
      ) : null}
      {outcome === "ok" || !of.confirm ? null : inWeChat() ? (
        <button type="button" class={first ? "button go wide" : "button wide"} disabled={busy} onClick={() => of.confirm && void confirm(of.confirm)}>
          {busy ? t("payouts.opening") : t("payouts.confirm_of", { money: amount })}
        </button>
      ) : null}
    </section>
  );
}

export function Payouts() {
  const payouts = usePayouts();
  const { zone } = useBrand();
  // Whoever comes back from WeChat's page sees what is so now.
  useEffect(() => {
    const back = () => document.visibilityState === "visible" && payouts.again();
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [payouts.again]);
  return (
    <Shown of={payouts} bones={4}>
      {({ items }) => {
        const all = list(items);
        const waits = all.filter((one) => one.state === "to_confirm");
        const rest = all.filter((one) => one.state !== "to_confirm");
        const next = waits.find((one) => !taken.has(one.payout));
        if (all.length === 0)
          return (
            <Empty title={t("payouts.none")} say={t("payouts.none_say")}>
              <a class="button go wide" href="#/card">
                {t("home.show")}
              </a>
            </Empty>
          );
        return (
          <>
            {next && !inWeChat() ? (
              <div class="card" role="note">
                <p>{t("payouts.outside")}</p>
                <Copy text={location.href} words={t("payouts.copy")} />
              </div>
            ) : null}
            {waits.map((one) => (
              <Waits key={one.payout} of={one} first={one === next} again={payouts.again} />
            ))}
            {next ? <p class="why">{t("payouts.say")}</p> : null}
            {rest.length > 0 ? (
              <Part title={waits.length > 0 ? t("payouts.before") : t("payouts.title")}>
                <ul class="list">
                  {rest.map((one) => (
                    <li key={one.payout} class="between">
                      <span>
                        {one.remark}
                        <span class="quiet block">
                          {word("payout", one.state)} · {stamp(one.at, zone)}
                        </span>
                      </span>
                      <span class={one.state === "received" ? "strong gold figure" : "quiet figure"}>{money(one.amount_minor, one.currency)}</span>
                    </li>
                  ))}
                </ul>
              </Part>
            ) : null}
          </>
        );
      }}
    </Shown>
  );
}
