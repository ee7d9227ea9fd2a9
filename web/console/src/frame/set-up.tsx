// The first run: whoever opens the console first becomes its owner.
import { useQueryClient } from "@tanstack/react-query";
import { Refusal, send } from "@zhiyin/api";
import { useState, type FormEvent } from "react";
import { tagOf, useWords } from "../words";
import { Door, enter, Field, Input } from "./sign-in";

const LEAST = 10;

export default function SetUp() {
  const { t, lang } = useWords();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const differs = again !== "" && again !== password;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await send("POST", "/v1/setup", { name: name.trim(), password, language: tagOf(lang) });
      await enter(client, name.trim(), password);
      client.setQueryData(["setup"], { needed: false });
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, "unreachable", ""));
      // Somebody else was faster: then there is an owner, and one signs in.
      await client.invalidateQueries({ queryKey: ["setup"] });
    } finally {
      setBusy(false);
    }
  };
  const say = fault ? fault.title || t("state.wrong_say") : undefined;
  return (
    <Door title={t("door.set_up")} lead={t("door.set_up_say")}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Field label={t("door.name")} hint={t("door.name_say")} fault={fault?.field === "name" ? say : undefined}>
          {(id, described) => (
            <Input id={id} name="username" autoComplete="username" required autoFocus maxLength={254} value={name} aria-describedby={described} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <Field label={t("door.password")} hint={t("door.password_say", { n: LEAST })} fault={fault && fault.field !== "name" ? say : undefined}>
          {(id, described) => (
            <Input
              id={id}
              type="password"
              name="password"
              autoComplete="new-password"
              required
              maxLength={256}
              value={password}
              aria-describedby={described}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("door.again")} fault={differs ? t("door.differs") : undefined}>
          {(id, described) => (
            <Input id={id} type="password" autoComplete="new-password" required value={again} aria-describedby={described} onChange={(event) => setAgain(event.target.value)} />
          )}
        </Field>
        <button type="submit" className="go" disabled={busy || name.trim() === "" || password.length < LEAST || again !== password}>
          {t("door.begin")}
        </button>
      </form>
    </Door>
  );
}
