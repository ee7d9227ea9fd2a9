// What all pages of the till share: whether the network is there, what waits, the lease, the cart.
import { send, type Schemas, type Session } from "@zhiyin/api";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, asRefusal, readSession, sendOnce } from "../shared/ask";
import { keep, kept } from "../shared/keep";
import { flush, type SaleTold, type Waiting } from "../shared/queue";
import { shelf } from "../shared/shelf";
import { AMOUNT, nameFor, type Cart, type Ready } from "./till";

export type Recent = { name: string; at: number; minor: number; currency: string; kept?: boolean; lines?: { id: string; product: string }[] };
const RECENT_MAX = 20;
const PROBE_MS = 10_000;

export const newCart = (store: string): Cart => ({ name: nameFor(store, new Date(), crypto.getRandomValues(new Uint8Array(8))), who: undefined, member: undefined, lines: [], order: "", unsure: undefined });

function device(): string {
  const before = kept<string>("pos.device");
  if (before) return before;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  keep("pos.device", made);
  return made;
}

export function useTill(session: Session, store: string) {
  const [reached, setReached] = useState(navigator.onLine);
  const [waiting, setWaiting] = useState<Waiting[]>([]);
  const [broken, setBroken] = useState(false);
  const [sending, setSending] = useState(false);
  const [ready, setReadyState] = useState<Ready | undefined>(() => kept<Ready>("pos.ready"));
  const [cart, setCartState] = useState<Cart>(() => kept<Cart>("pos.cart") ?? newCart(store));
  const [recent, setRecent] = useState<Recent[]>(() => kept<Recent[]>("pos.recent") ?? []);
  const [currency, setCurrencyState] = useState(() => kept<string>("pos.currency") ?? "CNY");
  const busy = useRef(false);
  const may = (operation: string) => session.permissions.includes(operation);

  const setCart = (next: Cart | ((before: Cart) => Cart)) =>
    setCartState((before) => {
      const made = typeof next === "function" ? next(before) : next;
      keep("pos.cart", made);
      return made;
    });
  const setCurrency = (next: string) => {
    keep("pos.currency", next);
    setCurrencyState(next);
  };
  const setReady = (next: Ready | undefined) => {
    keep("pos.ready", next);
    setReadyState(next);
  };
  const note = (one: Recent) =>
    setRecent((before) => {
      const all = [one, ...before.filter((other) => other.name !== one.name)].slice(0, RECENT_MAX);
      keep("pos.recent", all);
      return all;
    });
  const look = useCallback(async () => {
    try {
      setWaiting((await shelf.all()).sort((a, b) => a.at - b.at));
      setBroken(false);
    } catch {
      setBroken(true);
    }
  }, []);
  const hold = async (one: Waiting) => {
    await shelf.put(one);
    await look();
  };
  const drop = async (id: string) => {
    await shelf.remove(id);
    await look();
  };

  /** Sends what waits. In one window at a time; whatever two would send is done once all the same. */
  const sendAll = useCallback(async () => {
    if (busy.current) return;
    busy.current = true;
    setSending(true);
    try {
      await readSession();
      setReached(true);
      const work = () =>
        flush(
          shelf,
          {
            command: (path, body, key) => sendOnce(path, body, key),
            sales: (lease, sales) => send<{ sales: SaleTold[] }>("POST", "/v1/till-lease/sales", { lease, sales }),
          },
          session.person.id,
        );
      const went = await (navigator.locks ? navigator.locks.request("zhiyin-pos-queue", work) : work());
      // It stopped before the end: the home went away again, or is busy; what is left is asked for by and by.
      if (went.stopped) setReached(navigator.onLine);
    } catch (error) {
      if (asRefusal(error).status === 0) setReached(false);
    } finally {
      busy.current = false;
      setSending(false);
      await look();
    }
  }, [session.person.id]);

  /** Takes a lease of nothing: it bounds nothing and holds nothing of others, and lets the phone tell sales of its time. */
  const getReady = useCallback(async () => {
    if (!session.permissions.includes("tills_lease") || store === "") return;
    const before = kept<Ready>("pos.ready");
    const left = before && before.store === store ? before.until - (Date.now() + before.offset) : 0;
    if (before && left > (before.until - before.from) / 2) return;
    const till = `pos-${device()}`;
    const quoted = await ask<Schemas["CheckoutQuoted"]>("/v1/commands/checkout/quote", { cart: { store, lines: [{ product: AMOUNT, price: 1, quantity: 1 }] } });
    setCurrency(quoted.currency);
    const asked = Date.now();
    const lease = await send<Schemas["LeaseView"]>("POST", "/v1/till-leases", { lease: `${till}/${asked.toString(36)}`, till, store });
    const from = Date.parse(lease.from);
    // The home's clock is the brand's; the phone's may be wrong.
    setReady({ lease: lease.lease, till, store, from, until: Date.parse(lease.until), offset: from - Date.now(), currency: quoted.currency });
    const owed = (await shelf.all()).some((one) => one.kind === "sale" && one.lease === before?.lease);
    if (before && !owed) await send("POST", "/v1/till-lease/return", { lease: before.lease }).catch(() => undefined);
  }, [store, session.permissions]);

  useEffect(() => {
    void look();
    const on = () => {
      void sendAll();
      void getReady().catch(() => undefined);
    };
    const off = () => setReached(false);
    addEventListener("online", on);
    addEventListener("offline", off);
    on();
    return () => {
      removeEventListener("online", on);
      removeEventListener("offline", off);
    };
  }, [sendAll, getReady]);
  // While something waits, or the home was not reached: asked again by and by.
  const open = waiting.some((one) => one.state === "waiting" && one.by === session.person.id);
  useEffect(() => {
    if (reached && !open) return;
    const timer = setInterval(() => navigator.onLine && void sendAll(), PROBE_MS);
    return () => clearInterval(timer);
  }, [reached, open, sendAll]);

  return { session, store, may, reached, setReached, waiting, broken, sending, sendAll, hold, drop, ready, getReady, cart, setCart, recent, note, currency, setCurrency };
}
export type Till = ReturnType<typeof useTill>;
