// What was bought comes back, by line and piece.
import { send, type Refusal, type Schemas } from "@zhiyin/api";
import { useState } from "preact/hooks";
import { asRefusal, command, useRead } from "../shared/ask";
import { money, moment } from "../shared/format";
import { Empty, Fault, go, Shown } from "../shared/parts";
import { t } from "../shared/words";
import type { Till } from "./state";
import { AMOUNT, left } from "./till";

type View = Schemas["CheckoutView"];

export function Refund({ till }: { till: Till }) {
  const [typed, setTyped] = useState("");
  if (!till.may("checkout_return")) return <Empty title={t("refund.title")} say={t("refund.may_not")} />;
  return (
    <>
      <form
        class="card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          go(`/refund/${encodeURIComponent(typed.trim())}`);
        }}
      >
        <label class="field">
          {t("refund.label")}
          <input class="input" name="checkout" autocomplete="off" autocapitalize="characters" enterkeyhint="search" maxLength={255} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <p class="quiet">{t("refund.say")}</p>
        <button type="submit" class="button go wide" disabled={typed.trim() === ""}>
          {t("refund.go")}
        </button>
      </form>
      <section class="card" aria-label={t("refund.recent")}>
        <h2>{t("refund.recent")}</h2>
        {till.recent.length === 0 ? <p class="quiet">{t("refund.recent_none")}</p> : null}
        <ul class="list">
          {till.recent.map((one) => (
            <li key={one.name}>
              <button type="button" class="line between" onClick={() => go(`/refund/${encodeURIComponent(one.name)}`)}>
                <span>
                  {one.name}
                  <br />
                  <span class="quiet">{moment(one.at)}</span>
                </span>
                <span>{money(one.minor, one.currency)}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

export function RefundOne({ till, name }: { till: Till; name: string }) {
  const read = useRead<View>(`checkout/${name}`, (signal) => send<View>("GET", `/v1/checkout?checkout=${encodeURIComponent(name)}`, undefined, signal));
  return <Shown of={read}>{(checkout) => <Lines key={checkout.at} checkout={checkout} till={till} again={read.again} />}</Shown>;
}

function Lines({ checkout, till, again }: { checkout: View; till: Till; again: () => void }) {
  const [back, setBack] = useState<Record<string, number>>({});
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const [gave, setGave] = useState<number>();
  const still = left(checkout);
  const wanted = checkout.lines.map((line) => ({ id: line.id, pieces: Math.min(back[line.id] ?? 0, still.get(line.id) ?? 0) })).filter((line) => line.pieces > 0);
  const n = wanted.reduce((sum, line) => sum + line.pieces, 0);
  const any = [...still.values()].some((pieces) => pieces > 0);
  const paid = checkout.state === "redeemed" || checkout.state === "returned";
  // The home's answer names lines by their ids alone; what they were, the phone that sold them knows.
  const sold = till.recent.find((one) => one.name === checkout.checkout)?.lines;
  const refund = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      // What came back before is part of what is meant: the same pieces once more are another return.
      const done = await command<Schemas["CheckoutDone"]>(`return/${checkout.checkout}/${checkout.refunded}/${JSON.stringify(wanted)}`, "/v1/commands/checkout/return", { checkout: checkout.checkout, lines: wanted });
      setGave(done.returns?.at(-1)?.refund ?? 0);
      setBack({});
      again();
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <section class="card" aria-label={checkout.checkout}>
        <div class="between">
          <span class="quiet grow">{checkout.checkout}</span>
          <strong>{money(checkout.total, checkout.currency)}</strong>
        </div>
        {checkout.refunded > 0 ? <p class="note good" role="status">{t("refund.done_all", { sum: money(checkout.refunded, checkout.currency) })}</p> : null}
        <ul class="list">
          {checkout.lines.map((line) => {
            const most = still.get(line.id) ?? 0;
            const now = Math.min(back[line.id] ?? 0, most);
            const product = sold?.find((one) => one.id === line.id)?.product;
            const what = !product || product === AMOUNT ? `${t("cart.amount")} ${line.id}` : product;
            return (
              <li key={line.id} class="row">
                <span class="grow">
                  {what}
                  <br />
                  <span class="quiet">
                    {money(line.payable, checkout.currency)} · {t("refund.left", { n: most })}
                  </span>
                </span>
                {paid && most > 0 ? (
                  <span class="row" style={{ gap: "4px" }}>
                    <button type="button" class="button small" disabled={now === 0} aria-label={t("cart.less", { what })} onClick={() => setBack({ ...back, [line.id]: now - 1 })}>
                      −
                    </button>
                    <span aria-live="polite" style={{ minWidth: "28px", textAlign: "center" }}>{now}</span>
                    <button type="button" class="button small" disabled={now === most} aria-label={t("cart.more", { what })} onClick={() => setBack({ ...back, [line.id]: now + 1 })}>
                      +
                    </button>
                  </span>
                ) : null}
              </li>
            );
          })}
        </ul>
        {!paid ? <p class="note">{t("refund.not_paid")}</p> : any ? (
          <button type="button" class="button wide" onClick={() => setBack(Object.fromEntries(still))}>
            {t("refund.all")}
          </button>
        ) : (
          <p class="note">{t("refund.none_left")}</p>
        )}
      </section>
      {gave === undefined ? null : (
        <p class="note good gave" role="status">
          {t("refund.done", { sum: money(gave, checkout.currency) })}
        </p>
      )}
      {fault ? <Fault fault={fault} /> : null}
      {paid && any ? (
        <button type="button" class="button danger wide" disabled={busy || n === 0 || !till.may("checkout_return")} onClick={() => void refund()}>
          {t("refund.do", { n })}
        </button>
      ) : null}
    </>
  );
}
