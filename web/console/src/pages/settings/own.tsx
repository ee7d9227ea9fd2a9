// One's own: password, second factor, language.
import { useQueryClient } from "@tanstack/react-query";
import { Refusal, send } from "@zhiyin/api";
import { App, Button, Checkbox, Input, Popconfirm, Segmented } from "antd";
import { lazy, Suspense, useState, type FormEvent } from "react";
import { keep } from "../../csv";
import { Field } from "../../frame/sign-in";
import { sessionKey, useSession } from "../../home";
import { chooseLight, useChoice, type Choice } from "../../light";
import { When } from "../../parts/marks";
import { Card, Facts, Pill } from "../../parts/page";
import { Bones } from "../../parts/states";
import { speak, tagOf, useWords, type Language } from "../../words";

const Qr = lazy(() => import("../../parts/qr"));
const refusalOf = (error: unknown) => (error instanceof Refusal ? error : new Refusal(0, "unreachable", ""));

export function Own() {
  const { t, lang } = useWords();
  const { data } = useSession();
  const client = useQueryClient();
  const choice = useChoice();
  const change = async (next: Language) => {
    await speak(next);
    await send("PATCH", "/v1/session", { language: tagOf(next) }).catch(() => undefined);
    await client.invalidateQueries();
  };
  return (
    <div className="grid g2">
      <Card title={t("own.you")}>
        <Facts
          of={[
            [t("own.name"), data?.person.name ?? "—"],
            [t("own.language"), <Segmented key="language" aria-label={t("own.language")} value={lang} onChange={(next) => void change(next as Language)} options={[{ value: "zh", label: "中文" }, { value: "en", label: "English" }]} />],
            [
              t("own.light"),
              <Segmented key="light" aria-label={t("own.light")} value={choice} onChange={(next: Choice) => chooseLight(next)} options={(["light", "dark", "system"] as const).map((value) => ({ value, label: t(`frame.${value}`) }))} />,
            ],
          ]}
        />
      </Card>
      <Sessions />
      <Password />
      <Totp />
    </div>
  );
}

/** Where somebody is signed in, as far as the home tells: here until when, and a way to end what is elsewhere. */
function Sessions() {
  const { t } = useWords();
  const { data } = useSession();
  const { message } = App.useApp();
  const leave = async (all: boolean) => {
    try {
      await send("DELETE", all ? "/v1/session?all=true" : "/v1/session");
      location.assign("/console/");
    } catch (error) {
      message.error(refusalOf(error).title || t("state.wrong"));
    }
  };
  return (
    <Card title={t("own.sessions")}>
      <div className="stack">
        <Facts
          of={[
            [t("own.until"), <When key="until" at={data?.expires_at} />],
            [t("own.idle"), t("own.idle_say", { n: Math.round((data?.idle_seconds ?? 7200) / 60) })],
            data?.person.place ? [t("keys.place"), data.person.place] : null,
            data?.person.staff ? [t("keys.staff"), data.person.staff] : null,
          ]}
        />
        <div className="row">
          <Button onClick={() => void leave(false)}>{t("frame.leave")}</Button>
          <Popconfirm title={t("own.everywhere_ask")} description={t("own.everywhere_say")} okText={t("own.everywhere")} onConfirm={() => leave(true)}>
            <Button danger>{t("own.everywhere")}</Button>
          </Popconfirm>
        </div>
      </div>
    </Card>
  );
}

function Password() {
  const { t } = useWords();
  const { message } = App.useApp();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await send("POST", "/v1/session/password", { old, new: next });
      message.success(t("own.password_done"));
      setOld("");
      setNext("");
    } catch (error) {
      setFault(refusalOf(error));
    } finally {
      setBusy(false);
    }
  };
  const say = fault ? fault.title || t("state.wrong_say") : undefined;
  return (
    <Card title={t("own.password")}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <Field label={t("own.old")} fault={fault && fault.field !== "new" ? say : undefined}>
          {(id, described) => <Input type="password" id={id} aria-describedby={described} autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} />}
        </Field>
        <Field label={t("own.new")} hint={t("door.password_say", { n: 10 })} fault={fault?.field === "new" ? say : undefined}>
          {(id, described) => <Input type="password" id={id} aria-describedby={described} autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} />}
        </Field>
        <div>
          <Button type="primary" htmlType="submit" loading={busy} disabled={old === "" || next.length < 10}>
            {t("own.change")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Totp() {
  const { t } = useWords();
  const client = useQueryClient();
  const { data } = useSession();
  const { message } = App.useApp();
  const [begun, setBegun] = useState<{ secret: string; uri: string; recovery_codes?: string[] }>();
  const [code, setCode] = useState("");
  const [kept, setKept] = useState(false);
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const act = async (doing: () => Promise<unknown>, said?: string) => {
    setFault(undefined);
    try {
      await doing();
      if (said) message.success(said);
      await client.invalidateQueries({ queryKey: sessionKey });
    } catch (error) {
      setFault(refusalOf(error));
    }
  };
  const say = fault ? fault.title || t("state.wrong_say") : undefined;
  return (
    <Card title={t("own.totp")} aside={<Pill tone={data?.totp ? "good" : "warn"}>{data?.totp ? t("own.totp_on") : t("own.totp_off")}</Pill>}>
      <div className="stack">
        <p className="quiet">{t("own.totp_say")}</p>
        {data?.totp ? (
          <>
            <Field label={t("own.totp_password")} fault={say}>
              {(id, described) => <Input type="password" id={id} aria-describedby={described} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
            </Field>
            <div>
              <Button danger disabled={password === ""} onClick={() => void act(() => send("DELETE", "/v1/session/totp", { password }), t("own.totp_ended"))}>
                {t("own.totp_end")}
              </Button>
            </div>
          </>
        ) : begun ? (
          <>
            <ol className="stack">
              <li>
                <strong>{t("own.totp_scan")}</strong>
                <div className="row top" style={{ marginTop: 8, gap: 16 }}>
                  <Suspense fallback={<Bones lines={4} />}>
                    <Qr of={begun.uri} says={t("own.totp_qr")} />
                  </Suspense>
                  <div className="grow small" style={{ minWidth: 180 }}>
                    <p className="quiet">{t("own.totp_by_hand")}</p>
                    <code style={{ overflowWrap: "anywhere" }}>{begun.secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code>
                  </div>
                </div>
              </li>
              {begun.recovery_codes?.length ? (
                <li>
                  <strong>{t("own.totp_spare")}</strong>
                  <p className="small quiet">{t("own.totp_spare_say")}</p>
                  <ul className="codes" aria-label={t("own.totp_spare")}>
                    {begun.recovery_codes.map((one) => (
                      <li key={one}>
                        <code>{one}</code>
                      </li>
                    ))}
                  </ul>
                  <div className="row" style={{ marginTop: 8 }}>
                    <Button size="small" onClick={() => keep("zhiyin-recovery-codes.txt", new Blob([`${(begun.recovery_codes ?? []).join("\n")}\n`], { type: "text/plain" }))}>
                      {t("own.totp_keep")}
                    </Button>
                    <Checkbox checked={kept} onChange={(event) => setKept(event.target.checked)}>
                      {t("own.totp_kept")}
                    </Checkbox>
                  </div>
                </li>
              ) : null}
            </ol>
            <p className="small quiet">{t("own.totp_enter")}</p>
            <Field label={t("door.code")} fault={say}>
              {(id, described) => <Input id={id} aria-describedby={described} inputMode="numeric" autoComplete="one-time-code" maxLength={6} style={{ width: 140 }} value={code} onChange={(event) => setCode(event.target.value)} />}
            </Field>
            <div>
              <Button type="primary" disabled={code.length !== 6 || (!kept && (begun.recovery_codes?.length ?? 0) > 0)} onClick={() => void act(() => send("POST", "/v1/session/totp/confirm", { code }), t("own.totp_begun"))}>
                {t("own.totp_confirm")}
              </Button>
            </div>
          </>
        ) : (
          <div>
            <Button onClick={() => void act(async () => setBegun(await send("POST", "/v1/session/totp", {})))}>{t("own.totp_begin")}</Button>
            {say ? <p className="danger small">{say}</p> : null}
          </div>
        )}
      </div>
    </Card>
  );
}
