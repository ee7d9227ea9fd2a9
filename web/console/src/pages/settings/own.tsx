// One's own: password, second factor, language.
import { useQueryClient } from "@tanstack/react-query";
import { Refusal, send } from "@zhiyin/api";
import { App, Button, Input, Segmented } from "antd";
import { useState, type FormEvent } from "react";
import { Field } from "../../frame/sign-in";
import { sessionKey, useSession } from "../../home";
import { chooseLight, useChoice, type Choice } from "../../light";
import { Card, Facts, Pill } from "../../parts/page";
import { speak, tagOf, useWords, type Language } from "../../words";

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
      <Password />
      <Totp />
    </div>
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
            <Facts
              of={[
                [t("own.totp_secret"), <code key="secret">{begun.secret}</code>],
                begun.recovery_codes?.length ? [t("own.totp_spare"), <code key="spare">{begun.recovery_codes.join(" ")}</code>] : null,
              ]}
            />
            <p className="small quiet">{t("own.totp_enter")}</p>
            <Field label={t("door.code")} fault={say}>
              {(id, described) => <Input id={id} aria-describedby={described} inputMode="numeric" autoComplete="one-time-code" maxLength={6} style={{ width: 140 }} value={code} onChange={(event) => setCode(event.target.value)} />}
            </Field>
            <div>
              <Button type="primary" disabled={code.length !== 6} onClick={() => void act(() => send("POST", "/v1/session/totp/confirm", { code }), t("own.totp_begun"))}>
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
