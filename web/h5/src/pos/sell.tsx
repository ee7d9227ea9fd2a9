// The cart, priced as it changes; taking the money.
import type { Schemas } from "@zhiyin/api";
import { send } from "@zhiyin/api";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Refusal } from "@zhiyin/api";
import { ask, asRefusal, command, sendOnce, unsure, useRead } from "../shared/ask";
import { called, minor, money, moment, whole } from "../shared/format";
import { keep, kept } from "../shared/keep";
import { Fault, go } from "../shared/parts";
import { language, t, word } from "../shared/words";
import { Tier } from "./find";
import { newCart, type Till } from "./state";
import { add, AMOUNT, facts, journal, list, mayUntil, others, take, type Redeem } from "./till";

type Quoted = Schemas["CheckoutQuoted"];
const PAYMENTS = ["wechat", "alipay", "card", "cash"] as const;
const QUICK = [10, 20, 50, 100] as const;

/** What a cart costs now; of another cart than the one at hand it is nobody's price. */
function useQuote(till: Till, payment: string) {
  const { cart, store } = till;
  const body = { ...(cart.member ? { member: { id: cart.member.id } } : cart.who ? { member: cart.who } : {}), cart: facts(cart.lines, store, payment) };
  const name = JSON.stringify(body);
  const [state, setState] = useState<{ of: string; quote?: Quoted; fault?: Refusal }>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (cart.lines.length === 0 || cart.unsure) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask<Quoted>("/v1/commands/checkout/quote", body, stop.signal).then(
        (quote) => {
          if (stop.signal.aborted) return;
          setState({ of: name, quote });
          till.setReached(true);
          till.setCurrency(quote.currency);
        },
        (error: unknown) => {
          if (stop.signal.aborted) return;
          const fault = asRefusal(error);
          setState({ of: name, fault });
          if (fault.status === 0) till.setReached(false);
        },
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [name, turn, till.reached, cart.unsure === undefined]);
  const mine = state?.of === name ? state : undefined;
  return { quote: mine?.quote, fault: mine?.fault, again: () => setTurn((n) => n + 1), shown: mine?.quote ?? state?.quote };
}

/** What the home asks the till to say to whoever is there. */
function Prompts({ member, till }: { member: string; till: Till }) {
  const notes = useRead(till.reached ? `prompts/${member}` : undefined, (signal) => send<Schemas["NotesListed"]>("GET", `/v1/members/${member}/prompts`, undefined, signal));
  const [gone, setGone] = useState<readonly string[]>([]);
  const open = notes.data?.items.filter((note) => !gone.includes(note.id)) ?? [];
  if (open.length === 0) return null;
  return (
    <section class="card" aria-label={t("cart.said")}>
      <h2>{t("cart.said")}</h2>
      <ul class="list">
        {open.map((note) => (
          <li key={note.id} class="row">
            <span class="grow">{note.text}</span>
            <button
              type="button"
              class="button small"
              onClick={() => void command(`seen/${note.id}`, "/v1/commands/messages/seen", { message: note.id }).then(() => setGone((all) => [...all, note.id]), () => undefined)}
            >
              {t("cart.said_done")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function useSale(till: Till) {
  const [payment, setPayment] = useState(() => kept<string>("pos.payment") ?? "wechat");
  const priced = useQuote(till, payment);
  return { payment, choose: (next: string) => (keep("pos.payment", next), setPayment(next)), ...priced };
}
type Sale = ReturnType<typeof useSale>;

export function CartPage({ till, sale }: { till: Till; sale: Sale }) {
  const { cart, setCart, currency } = till;
  const [price, setPrice] = useState("");
  const [product, setProduct] = useState("");
  const [category, setCategory] = useState("");
  const [bad, setBad] = useState(false);
  const locked = cart.unsure !== undefined;
  const digits = 10 ** (new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2);
  const put = (one: Parameters<typeof add>[1]) => setCart((before) => ({ ...before, lines: add(before.lines, one) }));
  const called_ = (line: { product: string }) => (line.product === AMOUNT ? t("cart.amount") : line.product);
  const quote = sale.quote;
  const { near, rest } = others(quote?.not_applied ?? []);
  return (
    <>
      <section class="card" aria-label={t("cart.title")}>
        <div class="between">
          <span class="grow">
            <strong>{cart.member ? (cart.member.name ?? cart.who?.value) : cart.who ? t("cart.unknown") : t("cart.walk_in")}</strong> <Tier tier={cart.member?.tier} />
            <br />
            <span class="quiet">
              {cart.member ? t("cart.points", { n: whole(cart.member.points.shown) }) : (cart.who?.value ?? t("cart.walk_in_say"))}
            </span>
          </span>
          <button type="button" class="button small" disabled={locked} onClick={() => go("/")}>
            {t("cart.change")}
          </button>
        </div>
      </section>
      {cart.member ? <Prompts member={cart.member.id} till={till} /> : null}
      {locked ? null : (
        <section class="card" aria-label={t("cart.quick")}>
          <h2>{t("cart.quick")}</h2>
          <div class="grid4 quick">
            {QUICK.map((amount) => (
              <button type="button" key={amount} class="button" onClick={() => put({ product: AMOUNT, price: amount * digits })}>
                {money(amount * digits, currency).replace(/\.0+$/, "")}
              </button>
            ))}
          </div>
          <form
            class="stack add"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              const amount = minor(price, currency);
              setBad(amount === undefined);
              if (amount === undefined) return;
              put({ product: product.trim() || AMOUNT, price: amount, ...(category.trim() ? { category: category.trim() } : {}) });
              setPrice("");
              setProduct("");
            }}
          >
            <div class="grid3" style={{ alignItems: "end" }}>
              <label class="field">
                {t("cart.product")}
                <input class="input" name="product" autocomplete="off" maxLength={100} value={product} onInput={(event) => setProduct(event.currentTarget.value)} />
              </label>
              <label class="field">
                {t("cart.price")}
                <input class="input" name="price" inputMode="decimal" autocomplete="off" maxLength={12} value={price} aria-invalid={bad} onInput={(event) => setPrice(event.currentTarget.value)} />
              </label>
              <button type="submit" class="button">
                {t("cart.add")}
              </button>
            </div>
            <details>
              <summary class="quiet">{t("cart.category")}</summary>
              <label class="field">
                <span class="hidden">{t("cart.category")}</span>
                <input class="input" name="category" autocomplete="off" maxLength={100} value={category} onInput={(event) => setCategory(event.currentTarget.value)} />
              </label>
            </details>
            {bad ? (
              <p class="bad" role="alert">
                {t("cart.bad_price")}
              </p>
            ) : null}
          </form>
        </section>
      )}
      <section class="card" aria-label={t("cart.list")}>
        {cart.lines.length === 0 ? (
          <p class="quiet">{t("cart.empty")}</p>
        ) : (
          <ul class="list lines">
            {cart.lines.map((line) => {
              const told = quote?.lines.find((one) => one.id === line.id);
              return (
                <li key={line.id} class="row">
                  <span class="grow">
                    {called_(line)} <span class="quiet">{money(line.price, currency)} × {line.quantity}</span>
                    {told?.discounts.map((off) => (
                      <span key={off.offer} class="quiet off-line" style={{ display: "block" }}>
                        −{money(off.amount, currency)} {called(quote?.applied.find((one) => one.offer === off.offer)?.name, off.offer)}
                      </span>
                    ))}
                  </span>
                  <strong>{money(told?.payable ?? line.price * line.quantity, currency)}</strong>
                  {locked ? null : (
                    <span class="row" style={{ gap: "4px" }}>
                      <button type="button" class="button small" aria-label={t("cart.less", { what: called_(line) })} onClick={() => setCart((before) => ({ ...before, lines: take(before.lines, line.id) }))}>
                        −
                      </button>
                      <button type="button" class="button small" aria-label={t("cart.more", { what: called_(line) })} onClick={() => put(line.category ? { product: line.product, price: line.price, category: line.category } : { product: line.product, price: line.price })}>
                        +
                      </button>
                    </span>
                  )}
                </li>
              );
            })}
          </ul>
        )}
        {cart.lines.length > 0 && !locked ? (
          <button type="button" class="plain" style={{ marginLeft: "-8px", justifySelf: "start" }} onClick={() => setCart({ ...newCart(till.store), who: cart.who, member: cart.member })}>
            {t("cart.clear")}
          </button>
        ) : null}
      </section>
      {quote ? (
        <section class="card offers" aria-label={t("cart.applied")}>
          <h2>{t("cart.applied")}</h2>
          {quote.applied.length === 0 ? <p class="quiet">{t("cart.none_applied")}</p> : null}
          <ul class="list">
            {quote.applied.map((one) => (
              <li key={one.offer} class="between">
                <span>
                  {called(one.name, one.offer)} {one.coupon ? <span class="pill good">{t("cart.coupon")}</span> : null}
                  {one.gives ? <span class="why" style={{ display: "block" }}>{t("cart.gives")}</span> : null}
                </span>
                <span class="good">{one.amount > 0 ? `−${money(one.amount, currency)}` : ""}</span>
              </li>
            ))}
            {near.map((one) => (
              <li key={one.offer} class="between near">
                <span>{called(one.name, one.offer)}</span>
                <span class="gold">{missing(one.missing, currency)}</span>
              </li>
            ))}
          </ul>
          {rest.length > 0 ? (
            <details>
              <summary class="quiet">{t("cart.rest", { n: rest.length })}</summary>
              <ul class="list">
                {rest.map((one) => (
                  <li key={one.offer} class="between">
                    <span>{called(one.name, one.offer)}</span>
                    <span class="why">{called(one.words)}</span>
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
          {!cart.who && quote.membership_saves ? <p class="note gold">{t("cart.member_saves", { sum: money(quote.membership_saves, currency) })}</p> : null}
        </section>
      ) : null}
      {cart.lines.length > 0 && !locked ? (
        <section class="card" aria-label={t("cart.payment")}>
          <h2>{t("cart.payment")}</h2>
          <div class="grid4">
            {PAYMENTS.map((one) => (
              <button type="button" key={one} class="button" aria-pressed={sale.payment === one} onClick={() => sale.choose(one)}>
                {word("payment", one)}
              </button>
            ))}
          </div>
          <label class="field">
            {t("cart.order")}
            <input class="input" name="order" autocomplete="off" maxLength={100} value={cart.order} onInput={(event) => setCart({ ...cart, order: event.currentTarget.value })} />
          </label>
        </section>
      ) : null}
    </>
  );
}

function missing(of: Quoted["not_applied"][number]["missing"], currency: string): string {
  if (!of) return "";
  if ("money" in of) return t("cart.money_more", { sum: money(of.money, currency) });
  if ("pieces" in of) return t("cart.pieces_more", { n: whole(of.pieces) });
  return t("cart.points_more", { n: whole(of.points) });
}

/** What is to be paid, and the one button that takes it: now, or on the phone while the network is gone. */
export function Pay({ till, sale, onDone }: { till: Till; sale: Sale; onDone: (done: Done) => void }) {
  const { cart, setCart, currency } = till;
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const pressed = useRef(false);
  useEffect(() => setFault(undefined), [cart.lines, sale.payment]);
  if (cart.lines.length === 0) return null;
  const quote = sale.quote;
  const whom = cart.member ? { id: cart.member.id } : cart.who;
  const end = (done: Done) => {
    till.note({ name: done.name, at: Date.now(), minor: done.minor, currency, lines: cart.lines.map(({ id, product }) => ({ id, product })), ...(done.kept ? { kept: true } : {}) });
    setCart(newCart(till.store));
    onDone(done);
  };
  /** One press at a time, whatever fingers do. */
  const once = async (act: () => Promise<void>) => {
    if (pressed.current) return;
    pressed.current = true;
    setBusy(true);
    setFault(undefined);
    try {
      await act();
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      pressed.current = false;
      setBusy(false);
    }
  };
  const redeem = (asked: { body: Redeem; key: string }) =>
    once(async () => {
      // Before it leaves: whatever becomes of the page, the same is asked again under the same key.
      setCart((before) => ({ ...before, unsure: asked }));
      try {
        const done = await sendOnce<Schemas["CheckoutDone"]>("/v1/commands/checkout/redeem", asked.body, asked.key);
        till.setReached(true);
        end({ name: done.checkout, minor: done.total, points: done.points.shown, kept: false });
      } catch (error) {
        if (!unsure(error)) {
          // It said no, so nothing was booked: the cart may be changed again. Signed out, the key is still theirs.
          if (asRefusal(error).status !== 401) setCart((before) => ({ ...before, unsure: undefined }));
          sale.again();
        } else if (asRefusal(error).status === 0) till.setReached(false);
        throw error;
      }
    });
  const holds = (one: Pick<Parameters<Till["hold"]>[0], "about" | "id"> & Record<string, unknown>) =>
    till.hold({ at: Date.now(), by: till.session.person.id, byName: till.session.person.name, state: "waiting", ...one } as Parameters<Till["hold"]>[0]);
  const until = mayUntil(till.ready, till.store, Date.now());
  if (cart.unsure) {
    const asked = cart.unsure;
    return (
      <section class="pay" aria-label={t("cart.pay")}>
        {fault ? <p class="note bad" role="alert">{t("cart.unsure")}</p> : <p class="note gold">{t("cart.unsure")}</p>}
        <div class="grid2">
          <button type="button" class="button go" disabled={busy} onClick={() => void redeem(asked)}>
            {t("again")}
          </button>
          <button
            type="button"
            class="button"
            disabled={busy || till.broken}
            onClick={() =>
              void once(async () => {
                await holds({ id: `redeem-${asked.key}`, about: { kind: "redeem", of: asked.body.checkout, minor: asked.body.payable, currency }, kind: "command", path: "/v1/commands/checkout/redeem", body: asked.body, key: asked.key });
                end({ name: asked.body.checkout, minor: asked.body.payable, kept: true });
              })
            }
          >
            {t("cart.unsure_keep")}
          </button>
        </div>
      </section>
    );
  }
  const offline = !till.reached || sale.fault?.status === 0;
  const total = quote?.total ?? list(cart.lines);
  return (
    <section class="pay" aria-label={t("cart.pay")}>
      {fault?.code === "payable_changed" ? <p class="note gold" role="alert">{t("cart.changed")}</p> : fault ? <Fault fault={fault} /> : null}
      {sale.fault && sale.fault.status !== 0 ? <Fault fault={sale.fault} again={sale.again} /> : null}
      <div class="between">
        <span>
          {t("cart.pay")} {quote && quote.discount > 0 ? <span class="good">−{money(quote.discount, currency)}</span> : null}
        </span>
        <strong class="big total" aria-live="polite">{quote || offline ? money(total, currency) : t("cart.pricing")}</strong>
      </div>
      {offline ? (
        whom && cart.who && cart.who.namespace !== "id" ? (
          until === undefined || till.broken ? (
            <p class="note bad">{t(till.broken ? "wait.broken" : "cart.not_ready")}</p>
          ) : (
            <>
              <p class="note gold">{t("cart.offline_say")}</p>
              <button
                type="button"
                class="button go wide"
                disabled={busy}
                onClick={() =>
                  void once(async () => {
                    const who = cart.who;
                    const ready = till.ready;
                    if (!who || !ready) return;
                    const line = journal(ready, { name: cart.name, who, lines: cart.lines, payment: sale.payment, order: cart.order.trim(), at: Date.now() });
                    await holds({ id: `sale-${cart.name}`, about: { kind: "sale", of: cart.name, minor: list(cart.lines), currency }, kind: "sale", lease: ready.lease, line });
                    end({ name: cart.name, minor: list(cart.lines), kept: true });
                  })
                }
              >
                {t("cart.keep", { sum: money(list(cart.lines), currency) })}
              </button>
            </>
          )
        ) : (
          <p class="note">{t(whom ? "cart.by_number" : "cart.walk_in_say")}</p>
        )
      ) : whom ? (
        <button
          type="button"
          class="button go wide"
          disabled={busy || !quote}
          onClick={() => {
            if (!quote) return;
            const body: Redeem = { checkout: cart.name, member: whom, cart: facts(cart.lines, till.store, sale.payment), payable: quote.payable, ...(cart.order.trim() ? { order: { number: cart.order.trim() } } : {}) };
            void redeem({ body, key: crypto.randomUUID() });
          }}
        >
          {t("cart.take", { sum: money(total, currency) })}
        </button>
      ) : (
        <p class="note">{t("cart.walk_in_say")}</p>
      )}
    </section>
  );
}

export type Done = { name: string; minor: number; points?: number; kept: boolean };
export const DonePage = ({ done, till }: { done: Done; till: Till }) => (
  <>
    <section class="card" role="status" lang={language() === "zh" ? "zh-CN" : "en"}>
      <h2 class={done.kept ? "gold" : "good"}>{t(done.kept ? "done.kept" : "done.title")}</h2>
      <p class="big">{money(done.minor, till.currency)}</p>
      {done.kept ? <p class="quiet">{t("done.kept_say")}</p> : null}
      <dl class="facts">
        <div>
          <dt>{t("done.no")}</dt>
          <dd class="number">{done.name}</dd>
        </div>
        {done.points === undefined ? null : (
          <div>
            <dt>{t("done.points")}</dt>
            <dd>{whole(done.points)}</dd>
          </div>
        )}
        <div>
          <dt class="hidden">{t("own.place")}</dt>
          <dd class="quiet">
            {till.store} · {moment(Date.now())}
          </dd>
        </div>
      </dl>
    </section>
    <button type="button" class="button go wide" onClick={() => go("/")}>
      {t("done.next")}
    </button>
  </>
);
