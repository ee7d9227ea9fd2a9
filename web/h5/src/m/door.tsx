// Coming in: by a code to one's phone, or by WeChat. Whoever is no member yet becomes one by it, and is asked afterwards what the brand may do.
import { asking, send, type Refusal } from "@zhiyin/api";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, forgetReads, type Read } from "../shared/ask";
import { keep, kept } from "../shared/keep";
import { Bones, Fault, go, Shown } from "../shared/parts";
import { language, speak, t, word } from "../shared/words";
import { forgetMember, inWeChat, list, meant, named, useBrand, useConsents } from "./bits";
import { CodeForm } from "./code";
import { wayWith } from "./rules";
import type { Door as DoorOf, Session } from "./types";

export const Speak = () => (
  <button type="button" class="plain centre" lang={language() === "zh" ? "en" : "zh-CN"} onClick={() => speak(language() === "zh" ? "en" : "zh")}>
    {language() === "zh" ? "English" : "\u4e2d\u6587"}
  </button>
);

export function Door({ door, onIn }: { door: Read<DoorOf>; onIn: (session: Session) => void }) {
  const brand = useBrand();
  const [byPhone, setByPhone] = useState(false);
  useEffect(() => {
    document.title = `${t("door.title")} · ${brand.name}`;
  });
  const enter = async (phone: string, code: string) => {
    const touchpoint = kept<string>("m.touchpoint");
    const session = await send<Session>("POST", "/v1/me/session", { phone, code, ...(touchpoint ? { touchpoint } : {}) });
    asking.csrf = session.csrf;
    // Who was here before is not who is here now.
    forgetReads("door");
    forgetMember();
    keep("m.touchpoint", undefined);
    onIn(session);
  };
  return (
    <main class="door">
      <div>
        <p class="quiet">{brand.name}</p>
        <h1>{t("door.title")}</h1>
        <p class="quiet">{t("door.say")}</p>
      </div>
      <Shown of={door} bones={3}>
        {({ ways, wechat_url }) => {
          const wechat = ways.includes("wechat") && wechat_url ? wayWith(wechat_url, kept<string>("m.touchpoint"), location.origin) : undefined;
          const phone = ways.includes("phone");
          const first = wechat !== undefined && inWeChat();
          if (!wechat && !phone) return <p class="note gold">{t("door.none")}</p>;
          return (
            <>
              {first ? (
                <a class="button go wide" href={wechat}>
                  {t("door.wechat")}
                </a>
              ) : null}
              {phone && (!first || byPhone) ? <CodeForm words={t("door.in")} onCode={enter} /> : null}
              {phone && first && !byPhone ? (
                <button type="button" class="button wide" onClick={() => setByPhone(true)}>
                  {t("door.by_phone")}
                </button>
              ) : null}
              {wechat && !first ? (
                <a class="button wide" href={wechat}>
                  {t("door.wechat")}
                </a>
              ) : null}
              <p class="why">{t("door.terms")}</p>
            </>
          );
        }}
      </Shown>
      <Speak />
    </main>
  );
}

/** What is asked of whoever has just joined: nothing is ticked, and nothing has to be. */
export function Welcome({ me, onDone }: { me: string; onDone: () => void }) {
  const brand = useBrand();
  const consents = useConsents();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  useEffect(() => {
    document.title = `${t("welcome.title", { brand: brand.name })}`;
  });
  const done = () => {
    onDone();
    go("/");
  };
  const save = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      for (const purpose of ticked) {
        await meant(me, `consent/${purpose}/all/true`, "/v1/me/consents", { purpose, given: true }, "PUT");
      }
      forgetReads("door");
      done();
    } catch (error) {
      setFault(asRefusal(error));
      setBusy(false);
    }
  };
  return (
    <main class="door">
      <div>
        <h1>{t("welcome.title", { brand: brand.name })}</h1>
        <p class="quiet">{t("welcome.say")}</p>
      </div>
      {consents.data === undefined && !consents.fault ? <Bones n={3} /> : null}
      {consents.data === undefined && consents.fault ? <Fault fault={consents.fault} again={consents.again} /> : null}
      {list(consents.data?.purposes)
        .filter((one) => list(one.channels).some((channel) => !channel.allowed))
        .map((one) => (
          <section key={one.purpose} class="card" aria-label={named(one.name, one.purpose)}>
            <label class="check">
              <input
                type="checkbox"
                name={one.purpose}
                checked={ticked.has(one.purpose)}
                onChange={(event) => {
                  const next = new Set(ticked);
                  if (event.currentTarget.checked) next.add(one.purpose);
                  else next.delete(one.purpose);
                  setTicked(next);
                }}
              />
              <span class="grow">
                {t("welcome.agree", { purpose: named(one.name, one.purpose) })}
                <span class="quiet block">{t("welcome.by", { channels: list(one.channels).map((channel) => (channel.channel === "all" ? t("consents.every") : named(channel.name, word("channel", channel.channel)))).join(t("comma")) })}</span>
              </span>
            </label>
            {one.text ? (
              <details>
                <summary class="quiet">{t("consents.text")}</summary>
                <pre class="text">{named(one.text, "")}</pre>
              </details>
            ) : null}
          </section>
        ))}
      {fault ? <Fault fault={fault} /> : null}
      <button type="button" class="button go wide" disabled={busy} onClick={() => void save()}>
        {ticked.size > 0 ? t("welcome.save") : t("welcome.go")}
      </button>
      <p class="why">{t("welcome.later")}</p>
    </main>
  );
}
