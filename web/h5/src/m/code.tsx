// The code by which the home knows whose phone it is: asked for, waited for, typed in.
import { Refusal, send } from "@zhiyin/api";
import { useEffect, useRef, useState } from "preact/hooks";
import { asRefusal } from "../shared/ask";
import { said } from "../shared/parts";
import { t } from "../shared/words";
import { tag, useCountdown } from "./bits";
import { mayBe, phoneOf } from "./rules";
import type { CodeSent } from "./types";

const FAULTS = ["phone_malformed", "code_wrong", "code_over", "channel_missing", "code_not_sent", "not_this_phone"];
const say = (fault: Refusal) => (FAULTS.includes(fault.code) ? t(`door.fault.${fault.code}`) : said(fault));

/** `masked`: only this phone will do. */
export function CodeForm({ masked, words, danger, onCode }: { masked?: string | null | undefined; words: string; danger?: boolean; onCode: (phone: string, code: string) => Promise<void> }) {
  const [typed, setTyped] = useState("");
  const [code, setCode] = useState("");
  const [sent, setSent] = useState<string>();
  const [good, setGood] = useState<number>();
  const [left, wait] = useCountdown();
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const codeInput = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (sent) codeInput.current?.focus();
  }, [sent]);
  const phone = phoneOf(typed);
  const at = (name: string) => ["phone_malformed", "not_this_phone"].includes(name);
  const ask = async () => {
    setFault(undefined);
    if (!phone) return setFault(new Refusal(422, "phone_malformed", ""));
    if (!mayBe(phone, masked)) return setFault(new Refusal(422, "not_this_phone", ""));
    setBusy(true);
    try {
      const went = await send<CodeSent>("POST", "/v1/me/code", { phone, language: tag() });
      setSent(phone);
      setGood(went.good_for);
      setCode("");
      wait(went.again_in || 60);
    } catch (error) {
      const refusal = asRefusal(error);
      setFault(refusal);
      if (refusal.retryAfter) wait(refusal.retryAfter);
    } finally {
      setBusy(false);
    }
  };
  const enter = async () => {
    if (!sent) return ask();
    if (code.trim() === "") return codeInput.current?.focus();
    setBusy(true);
    setFault(undefined);
    try {
      await onCode(sent, code.normalize("NFKC").replaceAll(/\s/g, ""));
    } catch (error) {
      const refusal = error instanceof Refusal ? error : asRefusal(error);
      setFault(refusal);
      if (refusal.code === "code_over") wait(0);
      if (refusal.code.startsWith("code_")) codeInput.current?.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
    >
      <label class="field">
        {t("door.phone")}
        <input
          class="input"
          type="tel"
          name="phone"
          inputMode="tel"
          autocomplete="tel"
          maxLength={24}
          placeholder={masked ?? ""}
          aria-invalid={fault !== undefined && at(fault.code)}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setSent(undefined);
            setFault(undefined);
          }}
        />
      </label>
      {sent ? (
        <>
          <p class="note good" role="status">
            {t("door.sent", { phone: sent, minutes: Math.max(1, Math.round((good ?? 300) / 60)) })}
          </p>
          <label class="field">
            {t("door.code")}
            <input
              ref={codeInput}
              class="input code"
              name="code"
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={12}
              aria-invalid={fault?.code === "code_wrong"}
              value={code}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </label>
        </>
      ) : null}
      {fault ? (
        <p class="note bad fault" role="alert">
          {say(fault)}
        </p>
      ) : null}
      <button type="submit" class={danger && sent ? "button danger wide" : "button go wide"} disabled={busy || (sent ? code.trim() === "" : typed.trim() === "" || left > 0)}>
        {sent ? words : left > 0 ? t("door.ask_in", { n: left }) : t("door.ask")}
      </button>
      {sent ? (
        <button type="button" class="plain centre" disabled={busy || left > 0} onClick={() => void ask()}>
          {left > 0 ? t("door.again_in", { n: left }) : t("door.again")}
        </button>
      ) : null}
    </form>
  );
}
