// Signing in: name and password, and the code of the second factor where the home asks for one.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { asking, Refusal, send, type Session, type Ways } from "@zhiyin/api";
import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { called } from "../format";
import { readSession, sessionKey } from "../home";
import { i18n, language, speak, useWords, type Language } from "../words";
import { Mark } from "./icons";

export function Door({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const { t, lang } = useWords();
  useEffect(() => {
    document.title = `${title} · ${t("brand")}`;
  }, [title, t]);
  return (
    <div className="door">
      <aside className="story" aria-label={t("brand")}>
        <div className="row">
          <Mark size={32} />
          <strong style={{ fontSize: 18 }}>{t("brand")}</strong>
        </div>
        <Strings />
        <blockquote>{t("door.story")}</blockquote>
      </aside>
      <main className="form">
        <div style={{ width: "100%", maxWidth: 340 }}>
          <h1>{title}</h1>
          {lead ? (
            <p className="quiet" style={{ marginTop: 4 }}>
              {lead}
            </p>
          ) : null}
          <div style={{ height: 20 }} />
          {children}
          <div style={{ height: 24 }} />
          <button type="button" className="plain small quiet" onClick={() => void speak(lang === "zh" ? "en" : "zh")}>
            {lang === "zh" ? "English" : "中文"}
          </button>
        </div>
      </main>
    </div>
  );
}

/** Seven strings, and the one that sounds. */
const Strings = () => (
  <svg viewBox="0 0 420 180" fill="none" aria-hidden="true">
    {[0, 1, 2, 3, 4, 5, 6].map((at) => (
      <path
        key={at}
        d={at === 3 ? "M0 90 C 70 90 90 62 140 62 S 210 118 262 118 S 340 90 420 90" : `M0 ${18 + at * 24} H420`}
        stroke="var(--celadon)"
        strokeWidth={at === 3 ? 2.4 : 1.6 - at * 0.12}
        opacity={at === 3 ? 1 : 0.4}
      />
    ))}
    <circle cx="262" cy="118" r="5" fill="var(--celadon)" />
  </svg>
);

export function Field({ label, hint, fault, children }: { label: string; hint?: string; fault?: string | undefined; children: (id: string, described: string | undefined) => ReactNode }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, fault || hint ? `${id}-say` : undefined)}
      {fault ? (
        <span id={`${id}-say`} className="fault" role="alert">
          {fault}
        </span>
      ) : hint ? (
        <span id={`${id}-say`} className="hint">
          {hint}
        </span>
      ) : null}
    </div>
  );
}

/** An input as the forms at the door have it; Ant Design's own would double what is loaded before anything is seen. */
export const Input = (props: React.InputHTMLAttributes<HTMLInputElement>) => <input {...props} className="input" />;

export async function enter(client: ReturnType<typeof useQueryClient>, name: string, password: string, code?: string) {
  const answer = await send<Session | undefined>("POST", "/v1/session", { name, password, ...(code ? { code } : {}) });
  const session = answer?.person ? answer : await readSession();
  asking.csrf = session.csrf;
  // Whoever chose a language once has it; at a first sign-in what is on the screen stays.
  const own = session.person.language.startsWith("en") ? "en" : "zh";
  if (own !== language()) await speak(own as Language);
  client.setQueryData(sessionKey, session);
}

/** By what one may come in; a home that does not say so asks for name and password. */
const useWays = () =>
  useQuery({
    queryKey: ["ways"],
    retry: false,
    staleTime: 300_000,
    queryFn: async ({ signal }): Promise<Ways> => {
      try {
        return await send<Ways>("GET", "/v1/session/ways", undefined, signal);
      } catch {
        return { password: true, oidc: null };
      }
    },
  });

/** Why somebody else's sign-in led back here: said once, and the address is cleared of it. */
function useRefused(): string | undefined {
  const [code] = useState(() => new URLSearchParams(location.search).get("refused") ?? undefined);
  useEffect(() => {
    if (!code) return;
    const address = new URL(location.href);
    address.searchParams.delete("refused");
    history.replaceState(history.state, "", address);
  }, [code]);
  return code;
}

/** Where whoever signs in elsewhere comes back to: the page that was asked for. */
const backTo = () => {
  const address = new URL(location.href);
  address.searchParams.delete("refused");
  return `${address.pathname}${address.search}`;
};

export function SignIn() {
  const { t } = useWords();
  const ways = useWays().data;
  const refused = useRefused();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const codeInput = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (asksCode) codeInput.current?.focus();
  }, [asksCode]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await enter(client, name.trim(), password, asksCode ? code.trim() : undefined);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(0, "unreachable", "");
      if (refusal.code === "code_needed") setAsksCode(true);
      else setFault(refusal);
    } finally {
      setBusy(false);
    }
  };
  const wrongCode = fault?.code === "code_wrong";
  const say = !fault
    ? undefined
    : fault.code === "sign_in_wrong"
      ? t("door.wrong")
      : fault.status === 429
        ? t("door.too_often", { seconds: fault.retryAfter ?? 60 })
        : fault.status === 0
          ? t("state.unreachable_say")
          : fault.code === "password_off"
            ? t("door.refused_password_off")
            : fault.title || t("state.wrong_say");
  return (
    <Door title={t("door.sign_in")} lead={ways?.password === false ? t("door.sign_in_other") : t("door.sign_in_say")}>
      {refused ? (
        <p className="note bad" role="alert" style={{ marginBottom: 16 }}>
          {i18n.exists(`door.refused_${refused}`) ? t(`door.refused_${refused}` as "door.refused_oidc_off") : t("door.refused", { code: refused })}
        </p>
      ) : null}
      {ways?.oidc ? (
        <>
          <a className={ways.password ? "go other" : "go"} href={`${ways.oidc.start}?to=${encodeURIComponent(backTo())}`}>
            {t("door.by", { name: called(ways.oidc.name, "OIDC") })}
          </a>
          {ways.password ? <p className="or small quiet">{t("door.or")}</p> : null}
        </>
      ) : null}
      {ways?.password === false ? null : (
        <form onSubmit={(event) => void submit(event)} noValidate>
          <Field label={t("door.name")}>
            {(id) => <Input id={id} name="username" autoComplete="username" required autoFocus value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Field label={t("door.password")} fault={wrongCode ? undefined : say}>
            {(id, described) => (
              <Input
                id={id}
                type="password"
                name="password"
                autoComplete="current-password"
                required
                value={password}
                aria-invalid={fault?.code === "sign_in_wrong"}
                aria-describedby={described}
                onChange={(event) => setPassword(event.target.value)}
              />
          )}
        </Field>
        {asksCode ? (
          <Field label={t("door.code")} hint={t("door.code_say")} fault={wrongCode ? t("door.code_wrong") : undefined}>
            {(id, described) => (
              <input
                ref={codeInput}
                className="input"
                id={id}
                inputMode="text"
                autoComplete="one-time-code"
                maxLength={40}
                value={code}
                aria-describedby={described}
                onChange={(event) => setCode(event.target.value)}
              />
            )}
          </Field>
        ) : null}
        <button type="submit" className="go" disabled={busy || name.trim() === "" || password === "" || (asksCode && code.trim() === "")}>
          {t("door.sign_in")}
        </button>
      </form>
      )}
    </Door>
  );
}
