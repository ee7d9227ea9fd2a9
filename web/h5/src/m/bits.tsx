// What the members' pages share: the brand, reads, a code as a picture, a sheet from below, rows.
import { asking, Refusal, send, type Named } from "@zhiyin/api";
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { encode } from "uqr";
import { asRefusal, command, recall, useRead, type Read } from "../shared/ask";
import { called, day, moment, whole } from "../shared/format";
import { keep, kept } from "../shared/keep";
import { Fault, Shown } from "../shared/parts";
import { language, t } from "../shared/words";
import { isZone, lastDay } from "./rules";
import type { Coupon, Door, Me, Offer, Paged, Payout, Purpose, Session } from "./types";

export const read = <T,>(path: string) => (signal: AbortSignal) => send<T>("GET", path, undefined, signal);
/** A list of the home's, or none where it says nothing. */
export const list = <T,>(items: readonly T[] | null | undefined): readonly T[] => items ?? [];

export type Brand = { name: string; currency: string; zone: string };
const own = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "Asia/Shanghai";
export const brandOf = (door: Door | undefined, zone = door?.brand?.timezone): Brand => ({
  name: called(door?.brand?.name, t("brand.unnamed")),
  currency: door?.currency ?? "CNY",
  zone: isZone(zone) ? zone : own(),
});
export const BrandContext = createContext<Brand>({ name: "", currency: "CNY", zone: "UTC" });
export const useBrand = () => useContext(BrandContext);

const FAR_MS = 300 * 86_400_000;
const far = (at: string) => Math.abs(Date.parse(at) - Date.now()) > FAR_MS;
const locale = () => (language() === "zh" ? "zh-CN" : "en-US");
/** A moment; of one that is long ago, or far ahead, its day with its year. */
export const stamp = (at: string, zone: string): string => (far(at) ? day(at, zone) : moment(at, zone));
/** Up to when something holds, as people say it: the last day, or the minute where it does not end with a day. */
export function until(at: string, zone: string): string {
  const last = lastDay(at, zone);
  if (!last || far(at)) return last ? day(last) : stamp(at, zone);
  return new Intl.DateTimeFormat(locale(), { month: "short", day: "numeric", timeZone: "UTC" }).format(new Date(last));
}
/** A number that has to fit: from a million on in short. */
export const short = (n: number): string => (Math.abs(n) < 1_000_000 ? whole(n) : new Intl.NumberFormat(locale(), { notation: "compact", maximumFractionDigits: 1 }).format(n));

export async function readSession(signal?: AbortSignal): Promise<Session> {
  const session = await send<Session>("GET", "/v1/me/session", undefined, signal);
  asking.csrf = session.csrf;
  return session;
}
/** A command of the member's own: its key is theirs, and lives until it was answered. */
export async function meant<T>(me: string, what: string, path: string, body: unknown, method = "POST"): Promise<T> {
  // Begun without a network there is no word yet to do anything with.
  if (asking.csrf === "") await readSession();
  try {
    return await command<T>(`m/${me}/${what}`, path, body, method);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 403 || !error.code.startsWith("csrf")) throw error;
    // Signed in anew in another tab meanwhile.
    await readSession();
    return command<T>(`m/${me}/${what}`, path, body, method);
  }
}
/** Whether a command was sent whose answer is not known: nothing else should be done in its place. */
export const open = (me: string, what: string): boolean => kept<Record<string, string>>("keys")?.[`m/${me}/${what}`] !== undefined;
/** Does away with all that the phone kept of whoever was signed in. */
export function forgetMember(): void {
  for (const name of ["m.me", "m.pass", "m.session", "m.welcomed"]) keep(name, undefined);
  const keys = Object.entries(kept<Record<string, string>>("keys") ?? {}).filter(([name]) => !name.startsWith("m/"));
  keep("keys", keys.length > 0 ? Object.fromEntries(keys) : undefined);
}

const before = () => {
  const me = kept<{ data: Me; at: number }>("m.me");
  if (me) recall("me", me.data, me.at);
};
/** The member; as the phone kept it until it is read anew. */
export function useMe(): Read<Me> {
  const first = useRef(true);
  if (first.current) before();
  first.current = false;
  const me = useRead("me", read<Me>("/v1/me"));
  useEffect(() => {
    if (me.data && me.at) keep("m.me", { data: me.data, at: me.at });
  }, [me.data, me.at]);
  // Whoever comes back to the page after a while sees what is so now.
  useEffect(() => {
    const back = () => {
      if (document.visibilityState === "visible" && Date.now() - (me.at ?? 0) > 60_000) me.again();
    };
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [me.at, me.again]);
  return me;
}
export const useCoupons = () => useRead("coupons", read<{ items?: readonly Coupon[] }>("/v1/me/coupons"));
export const usePayouts = () => useRead("payouts", read<{ items?: readonly Payout[] }>("/v1/me/payouts"));
export const useOffers = () => useRead("offers", read<{ items?: readonly Offer[] }>("/v1/me/offers"));
export const useConsents = () => useRead("consents", read<{ purposes?: readonly Purpose[] }>("/v1/me/consents"));

/** A list that goes on: what was read first stays fresh, what was asked for besides is appended. */
export function Pages<T>({ of, path, empty, children }: { of: Read<Paged<T>>; path: string; empty: ComponentChildren; children: (items: readonly T[]) => ComponentChildren }) {
  const [more, setMore] = useState<{ of: number | undefined; items: readonly T[]; next: string | null | undefined }>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  return (
    <Shown of={of} bones={5}>
      {(first) => {
        // What was appended to an older first page goes with it.
        const rest = more?.of === of.at ? more : undefined;
        const items = [...list(first.items), ...(rest?.items ?? [])];
        const cursor = rest ? rest.next : first.next;
        // A page may hold nothing and go on all the same.
        if (items.length === 0 && !cursor) return empty;
        return (
          <>
            {items.length > 0 ? children(items) : null}
            {fault ? <Fault fault={fault} /> : null}
            {cursor ? (
              <button
                type="button"
                class="button wide"
                disabled={busy}
                onClick={() => {
                  setBusy(true);
                  setFault(undefined);
                  send<Paged<T>>("GET", `${path}?cursor=${encodeURIComponent(cursor)}`)
                    .then((went) => setMore({ of: of.at, items: [...(rest?.items ?? []), ...list(went.items)], next: went.next }), (error: unknown) => setFault(asRefusal(error)))
                    .finally(() => setBusy(false));
                }}
              >
                {t("more")}
              </button>
            ) : null}
          </>
        );
      }}
    </Shown>
  );
}

/** A code drawn here: what it holds goes nowhere. Black on white in either light, as readers want it. */
export function Qr({ of, says }: { of: string; says: string }) {
  const [size, path] = useMemo(() => {
    const { data, size: n } = encode(of, { ecc: "M", border: 3 });
    return [n, data.map((line, y) => line.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("")] as const;
  }, [of]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={says} shape-rendering="crispEdges">
      <path d={path} fill="#000" />
    </svg>
  );
}

/** A sheet from below over the page; it goes by Escape, by its button, or by a press beside it, unless it has to stay. */
export function Sheet({ title, stays, onClose, children }: { title: string; stays?: boolean; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const at = dialog.current;
    at?.showModal();
    return () => at?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!stays) onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current && !stays) onClose();
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export const Part = ({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) => (
  <section class="card" aria-label={title}>
    <div class="head">
      <h2>{title}</h2>
      {aside}
    </div>
    {children}
  </section>
);
/** A row that leads on. */
export const Lead = ({ to, words, quiet, sign }: { to: string; words: ComponentChildren; quiet?: ComponentChildren; sign?: string }) => (
  <a class="lead" href={`#${to}`}>
    {sign ? <Sign of={sign} /> : null}
    <span class="grow">
      {words}
      {quiet ? <span class="quiet block">{quiet}</span> : null}
    </span>
    <span class="go-on" aria-hidden="true">
      ›
    </span>
  </a>
);
export const Sign = ({ of, size = 24 }: { of: string; size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d={of} />
  </svg>
);
/** One of few views of a page. */
export const Tabs = ({ says, at, all }: { says: string; at: string; all: readonly { to: string; words: string }[] }) => (
  <nav class="tabs" aria-label={says}>
    {all.map(({ to, words }) => (
      <a key={to} href={`#${to}`} {...(at === to ? { "aria-current": "page" as const } : {})}>
        {words}
      </a>
    ))}
  </nav>
);
export function Switch({ on, busy, words, quiet, onTurn }: { on: boolean; busy?: boolean; words: string; quiet?: ComponentChildren; onTurn: () => void }) {
  return (
    <button type="button" class="switch" role="switch" aria-checked={on} disabled={busy} onClick={onTurn}>
      <span class="grow">
        {words}
        {quiet ? <span class="quiet block">{quiet}</span> : null}
      </span>
      <i aria-hidden="true" />
    </button>
  );
}

/** Whether the phone says it has a network. */
export function useOnline(): boolean {
  const [is, set] = useState(navigator.onLine);
  useEffect(() => {
    const hear = () => set(navigator.onLine);
    addEventListener("online", hear);
    addEventListener("offline", hear);
    return () => {
      removeEventListener("online", hear);
      removeEventListener("offline", hear);
    };
  }, []);
  return is;
}
/** Counts down to nothing from `seconds`; by the clock, so that it goes on while the phone sleeps. */
export function useCountdown(): [number, (seconds: number) => void] {
  const [end, setEnd] = useState(0);
  const [, draw] = useState(0);
  const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
  useEffect(() => {
    if (left === 0) return;
    const timer = setInterval(() => draw((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [left === 0, end]);
  return [left, (seconds) => setEnd(Date.now() + Math.min(Math.max(0, seconds), 3600) * 1000)];
}
export const inWeChat = (): boolean => /MicroMessenger/i.test(navigator.userAgent);
export const named = (name: Named | null | undefined, id: string) => called(name, id);
export const tag = () => (language() === "zh" ? "zh-CN" : "en");
