// What pages of both apps are made of: a frame with its bar, states of what is read, the door.
import { asking, Refusal, send, type Session, type Ways } from "@zhiyin/api";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asRefusal, forgetReads, readSession, SIGNED_OUT, type Read } from "./ask";
import { called, moment } from "./format";
import { keep, kept } from "./keep";
import { language, speak, t } from "./words";

export type Light = "light" | "dark" | "system";
const machine = matchMedia("(prefers-color-scheme: dark)");
export const light = (): Light => kept<Light>("phone.light") ?? "system";
export function shine(next?: Light) {
  if (next) keep("phone.light", next === "system" ? undefined : next);
  const chosen = light();
  document.documentElement.dataset.light = chosen === "dark" || (chosen === "system" && machine.matches) ? "dark" : "light";
}
machine.addEventListener("change", () => shine());

/** Which page, by the address behind `#`: back is back. */
export const here = () => location.hash.replace(/^#/, "") || "/";
export const go = (to: string) => {
  location.hash = to;
};
export function useHere(): string {
  const [at, setAt] = useState(here);
  useEffect(() => {
    const hear = () => {
      setAt(here());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", hear);
    return () => removeEventListener("hashchange", hear);
  }, []);
  return at;
}

/** What a refusal says: what happened, and what to do. */
export function said(fault: Refusal): string {
  if (fault.status === 0) return t("fault.unreachable");
  if (fault.status === 202) return t("fault.not_yet");
  if (fault.status === 401) return t("fault.signed_out");
  if (fault.status === 429) return t("fault.too_often", { seconds: fault.retryAfter ?? 10 });
  if (fault.code === "not_found" || fault.status === 404) return t("fault.not_found");
  return fault.title ? (fault.detail && language() === "en" ? `${fault.title}: ${fault.detail}` : fault.title) : t("fault.other");
}

export const Fault = ({ fault, again }: { fault: Refusal; again?: (() => void) | undefined }) => (
  <div class="note bad stack" role="alert">
    <span>{said(fault)}</span>
    {again ? (
      <button type="button" class="button small" onClick={again}>
        {t("again")}
      </button>
    ) : null}
  </div>
);
export const Bones = ({ n = 3 }: { n?: number }) => (
  <div class="card bones" aria-busy="true" aria-label={t("loading")} role="status">
    {Array.from({ length: n }, (_, at) => (
      <div key={at} class={at === 0 ? "bone tall" : "bone"} />
    ))}
  </div>
);

/** What was read, in all its states: not yet, read, kept from before, or not to be had. */
export function Shown<T>({ of, bones, children }: { of: Read<T>; bones?: number; children: (data: T) => ComponentChildren }) {
  if (of.data === undefined) return of.fault ? <Fault fault={of.fault} again={of.again} /> : <Bones n={bones ?? 3} />;
  return (
    <>
      {of.fault ? (
        <div class="note gold row stale">
          <span class="grow">{t("stale", { at: moment(of.at ?? Date.now()) })}</span>
          <button type="button" class="plain" onClick={of.again}>
            {t("again")}
          </button>
        </div>
      ) : null}
      {children(of.data)}
    </>
  );
}

export const Empty = ({ title, say, children }: { title: string; say: string; children?: ComponentChildren }) => (
  <div class="card none">
    <h2>{title}</h2>
    <p class="quiet">{say}</p>
    {children}
  </div>
);

export function Frame({ title, brand, back, aside, above, bar, pay, under, children }: { title: string; brand?: string; back?: string; under?: string; aside?: ComponentChildren; above?: ComponentChildren; bar: readonly { to: string; words: string; sign: string; count?: number }[]; pay?: ComponentChildren; children: ComponentChildren }) {
  const at = useHere();
  useEffect(() => {
    document.title = brand === title ? title : `${title} · ${brand ?? t("brand")}`;
  }, [title, brand]);
  return (
    <div class={pay ? "app pays" : "app"}>
      <header class="top">
        {back ? (
          <button type="button" class="plain back" aria-label={t("back")} onClick={() => go(back)}>
            ‹
          </button>
        ) : null}
        <h1>{title}</h1>
        {aside}
      </header>
      {above}
      <main>{children}</main>
      <div class="foot">
        <div class="in">{pay}</div>
        <nav class="bar" aria-label={t("nav")}>
          <div class="in">
            {bar.map(({ to, words, sign, count }) => (
              <a key={to} href={`#${to}`} {...((under ?? at) === to || (to !== "/" && at.startsWith(`${to}/`)) ? { "aria-current": "page" as const } : {})}>
                <svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
                  <path d={sign} />
                </svg>
                <span>{words}</span>
                {count ? <b aria-label={t("count_waiting", { n: count })}>{count}</b> : null}
              </a>
            ))}
          </div>
        </nav>
      </div>
    </div>
  );
}

/** A code is put on the clipboard, and said to be. */
export function Copy({ text, words }: { text: string; words: string }) {
  const [done, setDone] = useState<boolean>();
  return (
    <button
      type="button"
      class="button small"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true), () => setDone(false))}
    >
      <span aria-live="polite">{done === undefined ? words : done ? t("copied") : t("copy_failed")}</span>
    </button>
  );
}

export function Door({ title, onIn }: { title: string; onIn: (session: Session) => void }) {
  const [name, setName] = useState(kept<string>("phone.name") ?? "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asks, setAsks] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const codeInput = useRef<HTMLInputElement>(null);
  // A home that does not say by what one may come in asks for name and password.
  const [ways, setWays] = useState<Ways>({ password: true, oidc: null });
  useEffect(() => {
    send<Ways>("GET", "/v1/session/ways").then(setWays, () => undefined);
  }, []);
  useEffect(() => {
    document.title = `${title} · ${t("brand")}`;
  }, [title]);
  useEffect(() => {
    if (asks) codeInput.current?.focus();
  }, [asks]);
  const enter = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      const answer = await send<Session | undefined>("POST", "/v1/session", { name: name.trim(), password, ...(asks ? { code: code.trim() } : {}) });
      const session = answer?.person ? answer : await readSession();
      asking.csrf = session.csrf;
      forgetReads();
      keep("phone.name", name.trim());
      onIn(session);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === "code_needed") setAsks(true);
      else setFault(refusal);
    } finally {
      setBusy(false);
    }
  };
  const say = !fault ? "" : fault.code === "sign_in_wrong" ? t("door.wrong") : fault.code === "code_wrong" ? t("door.code_wrong") : said(fault);
  return (
    <main class="door">
      <div>
        <p class="quiet">{t("brand")}</p>
        <h1>{title}</h1>
        <p class="quiet">{t("door.say")}</p>
      </div>
      {ways.oidc ? (
        <a class={ways.password ? "button wide" : "button go wide"} href={`${ways.oidc.start}?to=${encodeURIComponent(location.pathname)}`}>
          {t("door.by", { name: called(ways.oidc.name, "OIDC") })}
        </a>
      ) : null}
      {ways.password ? (
        <form class="stack" onSubmit={(event) => void enter(event)} noValidate>
          <label class="field">
            {t("door.name")}
            <input class="input" name="username" autocomplete="username" autocapitalize="none" required value={name} onInput={(event) => setName(event.currentTarget.value)} />
          </label>
          <label class="field">
            {t("door.password")}
            <input class="input" type="password" name="password" autocomplete="current-password" required value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
          </label>
          {asks ? (
            <label class="field">
              {t("door.code")}
              <input ref={codeInput} class="input" autocomplete="one-time-code" maxLength={40} value={code} onInput={(event) => setCode(event.currentTarget.value)} />
            </label>
        ) : null}
        {say ? (
          <p class="note bad fault" role="alert">
            {say}
          </p>
        ) : null}
        <button type="submit" class="button go wide" disabled={busy || name.trim() === "" || password === "" || (asks && code.trim() === "")}>
          {t("door.in")}
        </button>
      </form>
      ) : null}
      <button type="button" class="plain" lang={language() === "zh" ? "en" : "zh-CN"} onClick={() => speak(language() === "zh" ? "en" : "zh")}>
        {language() === "zh" ? "English" : "\u4e2d\u6587"}
      </button>
    </main>
  );
}

/** Language, light, who is signed in; what one's own page of both apps holds. */
export function Own({ session, onOut, children }: { session: Session; onOut: () => Promise<void>; children?: ComponentChildren }) {
  const [, draw] = useState(0);
  const [fault, setFault] = useState<Refusal>();
  const lights: readonly Light[] = ["system", "light", "dark"];
  return (
    <>
      <section class="card" aria-label={t("own.who")}>
        <dl class="facts">
          <div>
            <dt>{t("own.name")}</dt>
            <dd>{session.person.name}</dd>
          </div>
          <div>
            <dt>{t("own.place")}</dt>
            <dd>{session.person.place ?? t("own.no_place")}</dd>
          </div>
        </dl>
      </section>
      {children}
      <section class="card" aria-label={t("own.look")}>
        <h2>{t("own.language")}</h2>
        <div class="grid2">
          {(["zh", "en"] as const).map((one) => (
            <button type="button" key={one} class="button" lang={one === "zh" ? "zh-CN" : "en"} aria-pressed={language() === one} onClick={() => speak(one)}>
              {one === "zh" ? "\u4e2d\u6587" : "English"}
            </button>
          ))}
        </div>
        <h2>{t("own.light")}</h2>
        <div class="grid3">
          {lights.map((one) => (
            <button
              type="button"
              key={one}
              class="button"
              aria-pressed={light() === one}
              onClick={() => {
                shine(one);
                draw((n) => n + 1);
              }}
            >
              {t(`own.light_${one}`)}
            </button>
          ))}
        </div>
      </section>
      {fault ? <Fault fault={fault} /> : null}
      <button type="button" class="button danger wide" onClick={() => void onOut().catch((error: unknown) => setFault(asRefusal(error)))}>
        {t("own.out")}
      </button>
    </>
  );
}

/** The session, from the home or, without a network, as it was last: what one may do, no word to do it with. */
export function useSession(app: string): { session: Session | undefined; waits: boolean; fault: Refusal | undefined; set: (session: Session | undefined) => void; again: () => void } {
  const [session, setSession] = useState<Session>();
  const [waits, setWaits] = useState(true);
  const [fault, setFault] = useState<Refusal>();
  const [turn, setTurn] = useState(0);
  const set = (next: Session | undefined) => {
    setSession(next);
    keep(`${app}.session`, next ? { ...next, csrf: "" } : undefined);
  };
  useEffect(() => {
    const out = () => setSession(undefined);
    addEventListener(SIGNED_OUT, out);
    return () => removeEventListener(SIGNED_OUT, out);
  }, []);
  useEffect(() => {
    readSession()
      .then((read) => {
        set(read);
        setFault(undefined);
      })
      .catch((error: unknown) => {
        const refusal = asRefusal(error);
        if (refusal.status === 401) set(undefined);
        else {
          const before = kept<Session>(`${app}.session`);
          if (before) setSession(before);
          else setFault(refusal);
        }
      })
      .finally(() => setWaits(false));
  }, [turn]);
  return { session, waits, fault, set, again: () => setTurn((n) => n + 1) };
}
