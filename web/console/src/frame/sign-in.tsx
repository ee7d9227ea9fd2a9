// Signing in: name and password, and the code of the second factor where the home asks for one.
import { useQueryClient } from "@tanstack/react-query";
import { asking, Refusal, send, type Session } from "@zhiyin/api";
import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { readSession, sessionKey } from "../home";
import { language, speak, useWords, type Language } from "../words";
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

export function SignIn() {
  const { t } = useWords();
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
          : fault.title || t("state.wrong_say");
  return (
    <Door title={t("door.sign_in")} lead={t("door.sign_in_say")}>
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
    </Door>
  );
}
