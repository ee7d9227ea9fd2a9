// Oneself: what one told, what one allows, who looked, taking one's data along, having it erased, and the look of the pages.
import { asking, Refusal, send, type Named } from "@zhiyin/api";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, useRead, type Read } from "../shared/ask";
import { day, whole } from "../shared/format";
import { Bones, Fault, light, said, shine, Shown, Empty, type Light } from "../shared/parts";
import { language, speak, t, word } from "../shared/words";
import { inWeChat, Lead, list, meant, named, Part, read, readSession, stamp, Switch, tag, useBrand, useConsents, useMe } from "./bits";
import { CodeForm } from "./code";
import { wayWith } from "./rules";
import type { Attributes, Door, Me, Seen, Session } from "./types";

const SIGNS = {
  profile: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21a8 8 0 0 1 16 0",
  consents: "M6 9a6 6 0 0 1 12 0v5l2 3H4l2-3zM10 20h4",
  orders: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  draws: "M4 9h16v4H4zM6 13v8h12v-8M12 9v12M12 9c-5 0-5-6-2-6 2 0 2 4 2 6 0-2 0-6 2-6 3 0 3 6-2 6",
  seen: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  data: "M12 4v11M7 10l5 5 5-5M4 20h16",
};

export function Own({ onOut }: { onOut: (all: boolean) => Promise<void> }) {
  const me = useMe();
  const { zone } = useBrand();
  const [, draw] = useState(0);
  const [fault, setFault] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const lights: readonly Light[] = ["system", "light", "dark"];
  const out = (all: boolean) => {
    setBusy(true);
    setFault(undefined);
    onOut(all).catch((error: unknown) => {
      setBusy(false);
      setFault(asRefusal(error));
    });
  };
  const choose = (one: "zh" | "en") => {
    speak(one);
    // Messages come in it as well; where that cannot be said now, the page speaks it all the same.
    if (me.data) void meant(me.data.id, `language/${one}`, "/v1/me", { attributes: { language: tag() } }, "PATCH").catch(() => undefined);
  };
  return (
    <>
      <Shown of={me} bones={2}>
        {(one) => (
          <section class="card" aria-label={t("me.who")}>
            <p class="strong figure">{one.attributes?.name ?? one.name ?? t("home.member")}</p>
            <p class="quiet">
              {[one.phone, one.card ? t("card.number", { card: one.card }) : "", one.joined_at ? t("me.since", { at: day(one.joined_at, zone) }) : ""].filter(Boolean).map((line) => (
                <span key={line} class="block">
                  {line}
                </span>
              ))}
            </p>
          </section>
        )}
      </Shown>
      <nav class="card list leads" aria-label={t("me.mine")}>
        <Lead to="/orders" sign={SIGNS.orders} words={t("orders.title")} />
        <Lead to="/draws" sign={SIGNS.draws} words={t("draws.title")} />
        <Lead to="/me/profile" sign={SIGNS.profile} words={t("profile.title")} />
      </nav>
      <nav class="card list leads" aria-label={t("me.data")}>
        <Lead to="/me/consents" sign={SIGNS.consents} words={t("consents.title")} quiet={t("consents.short")} />
        <Lead to="/me/seen" sign={SIGNS.seen} words={t("seen.title")} />
        <Lead to="/me/data" sign={SIGNS.data} words={t("data.title")} />
      </nav>
      <section class="card" aria-label={t("own.look")}>
        <h2>{t("own.language")}</h2>
        <div class="grid2">
          {(["zh", "en"] as const).map((one) => (
            <button type="button" key={one} class="button" lang={one === "zh" ? "zh-CN" : "en"} aria-pressed={language() === one} onClick={() => choose(one)}>
              {one === "zh" ? "\u4e2d\u6587" : "English"}
            </button>
          ))}
        </div>
        <p class="why">{t("me.language_say")}</p>
        <h2>{t("own.light")}</h2>
        <div class="grid3 fits">
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
      {fault ? <p class="note bad" role="alert">{said(fault)}</p> : null}
      <button type="button" class="button wide" disabled={busy} onClick={() => out(false)}>
        {t("own.out")}
      </button>
      <button type="button" class="plain centre" disabled={busy} onClick={() => out(true)}>
        {t("me.out_all")}
      </button>
    </>
  );
}

const FIELDS = ["name", "birthday", "gender", "city"] as const;
const GENDERS = ["female", "male", "other"] as const;
function ProfileForm({ me, again }: { me: Me; again: () => void }) {
  const before = (name: keyof Attributes) => me.attributes?.[name] ?? (name === "name" ? (me.name ?? "") : "");
  const [typed, setTyped] = useState<Attributes>({});
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  const value = (name: keyof Attributes) => typed[name] ?? before(name);
  const changed = Object.fromEntries(FIELDS.filter((name) => value(name).trim() !== before(name)).map((name) => [name, value(name).trim() || null]));
  const at = fault?.field?.replace(/^attributes[./]/, "");
  const set = (name: keyof Attributes, to: string) => {
    setTyped((all) => ({ ...all, [name]: to }));
    setDone(false);
    setFault(undefined);
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await meant(me.id, `profile/${JSON.stringify(changed)}`, "/v1/me", { attributes: changed }, "PATCH");
      setDone(true);
      again();
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  const wrong = (name: string) => (fault && at === name ? <span class="bad" id={`wrong-${name}`}>{fault.detail && language() === "en" ? fault.detail : said(fault)}</span> : null);
  const input = (name: "name" | "birthday" | "city", more: Record<string, unknown>) => (
    <label class="field">
      {t(`profile.${name}`)}
      <input class="input" name={name} value={value(name)} aria-invalid={at === name} onInput={(event) => set(name, event.currentTarget.value)} {...more} />
      {wrong(name)}
    </label>
  );
  return (
    <form class="card" noValidate onSubmit={(event) => void save(event)}>
      {input("name", { autocomplete: "name", maxLength: 100 })}
      {input("birthday", { type: "date", autocomplete: "bday", min: "1900-01-01", max: new Date().toISOString().slice(0, 10) })}
      <p class="why">{t("profile.birthday_say")}</p>
      <label class="field">
        {t("profile.gender")}
        <select name="gender" value={value("gender")} onChange={(event) => set("gender", event.currentTarget.value)}>
          <option value="">{t("profile.unsaid")}</option>
          {[...GENDERS, ...(value("gender") && !GENDERS.some((one) => one === value("gender")) ? [value("gender")] : [])].map((one) => (
            <option key={one} value={one}>
              {word("gender", one)}
            </option>
          ))}
        </select>
        {wrong("gender")}
      </label>
      {input("city", { autocomplete: "address-level2", maxLength: 100 })}
      {fault && !FIELDS.some((name) => name === at) ? <Fault fault={fault} /> : null}
      {done && Object.keys(changed).length === 0 ? (
        <p class="note good" role="status">
          {t("profile.saved")}
        </p>
      ) : null}
      <button type="submit" class="button go wide" disabled={busy || Object.keys(changed).length === 0}>
        {t("profile.save")}
      </button>
    </form>
  );
}
export function Profile() {
  const me = useMe();
  return (
    <Shown of={me} bones={5}>
      {(one) => (
        <>
          <p class="quiet">{t("profile.say")}</p>
          <ProfileForm key={one.id} me={one} again={me.again} />
          {one.phone ? <p class="why">{t("profile.phone", { phone: one.phone })}</p> : null}
        </>
      )}
    </Shown>
  );
}

export function Consents() {
  const me = useMe();
  const consents = useConsents();
  const { zone } = useBrand();
  const [busy, setBusy] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const say = async (purpose: string, channel: string | undefined, given: boolean) => {
    if (!me.data) return;
    const what = `${purpose}/${channel ?? "all"}/${given}`;
    setBusy(what);
    setFault(undefined);
    try {
      await meant(me.data.id, `consent/${what}`, "/v1/me/consents", { purpose, ...(channel ? { channel } : {}), given }, "PUT");
      consents.again();
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy("");
    }
  };
  return (
    <Shown of={consents} bones={5}>
      {({ purposes }) => {
        const all = list(purposes);
        if (all.length === 0) return <Empty title={t("consents.none")} say={t("consents.none_say")} />;
        return (
          <>
            <p class="quiet">{t("consents.say")}</p>
            {fault ? <Fault fault={fault} /> : null}
            {all.map((one) => {
              const channels = list(one.channels);
              return (
                <Part key={one.purpose} title={named(one.name, one.purpose)}>
                  <div class="list switches">
                    {channels.map((channel) => (
                      <Switch
                        key={channel.channel}
                        on={channel.allowed}
                        busy={busy !== "" || !me.data}
                        words={channel.channel === "all" ? t("consents.all") : named(channel.name, word("channel", channel.channel))}
                        quiet={channel.allowed && channel.since ? t("consents.since", { at: day(channel.since, zone) }) : undefined}
                        onTurn={() => void say(one.purpose, channel.channel === "all" ? undefined : channel.channel, !channel.allowed)}
                      />
                    ))}
                  </div>
                  {channels.filter((channel) => channel.allowed).length > 1 ? (
                    <button type="button" class="button small" disabled={busy !== "" || !me.data} onClick={() => void say(one.purpose, undefined, false)}>
                      {t("consents.stop", { purpose: named(one.name, one.purpose) })}
                    </button>
                  ) : null}
                  {one.text ? (
                    <details>
                      <summary class="quiet">{t("consents.text")}</summary>
                      <pre class="text">{named(one.text, "")}</pre>
                      {one.version ? <p class="why">{t("consents.version", { version: one.version })}</p> : null}
                    </details>
                  ) : null}
                </Part>
              );
            })}
          </>
        );
      }}
    </Shown>
  );
}

const roleOf = (role: string, name?: Named | null): string => {
  const said = word("role", role);
  return said === role ? named(name, role) : said;
};
/** Who it was: oneself, the home by itself, one of the staff as what they are, or a program of the brand's. */
function who(one: { role: string; who: string }): string {
  if (one.who === "member" || one.who === "system") return word("who", one.who);
  return one.who === "key" ? t("seen.key", { role: roleOf(one.role) }) : roleOf(one.role);
}
export function SeenBy() {
  const seen = useRead("seen", read<Seen>("/v1/me/seen"));
  const { zone } = useBrand();
  const kind: Record<string, string> = { full: "gold", masked: "", hidden: "good" };
  return (
    <Shown of={seen} bones={5}>
      {({ roles, items }) => (
        <>
          <Part title={t("seen.roles")}>
            <p class="quiet">{t("seen.say")}</p>
            <ul class="list">
              {list(roles).map((one) => (
                <li key={one.role} class="between">
                  <span>
                    {roleOf(one.role, one.name)}
                    {one.whom ? <span class="quiet block">{word("whom", one.whom)}</span> : null}
                  </span>
                  <span class={`pill ${kind[one.shows] ?? ""}`}>{word("shows", one.shows)}</span>
                </li>
              ))}
            </ul>
          </Part>
          <Part title={t("seen.lately")}>
            {list(items).length === 0 ? <p class="quiet">{t("seen.none")}</p> : null}
            <ul class="list">
              {list(items).map((one, at) => (
                <li key={`${one.at} ${at}`}>
                  {word("operation", one.operation)}
                  <span class="quiet block">
                    {who(one)} · {stamp(one.at, zone)}
                  </span>
                </li>
              ))}
            </ul>
          </Part>
        </>
      )}
    </Shown>
  );
}

/** All that the home knows of a member, as a file. */
function Export() {
  const [file, setFile] = useState<{ url: string; name: string; kb: number }>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  useEffect(() => () => void (file && URL.revokeObjectURL(file.url)), [file]);
  const make = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      if (asking.csrf === "") await readSession();
      let answer: Response;
      try {
        answer = await fetch("/v1/me/export", { method: "POST", credentials: "same-origin", headers: { "X-Zhiyin-CSRF": asking.csrf, "Accept-Language": tag(), Accept: "application/json" }, signal: AbortSignal.timeout(60_000) });
      } catch {
        throw new Refusal(0, "unreachable", "");
      }
      if (!answer.ok) {
        const told = (await answer.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string };
        const after = Number(answer.headers.get("Retry-After"));
        throw new Refusal(answer.status, told.code ?? `http_${answer.status}`, told.title ?? "", undefined, told.detail, after > 0 ? after : undefined);
      }
      const blob = await answer.blob();
      setFile({ url: URL.createObjectURL(new Blob([blob], { type: "application/json" })), name: `my-data-${new Date().toISOString().slice(0, 10)}.json`, kb: Math.max(1, Math.round(blob.size / 1024)) });
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Part title={t("data.export")}>
      <p class="quiet">{t("data.export_say")}</p>
      {inWeChat() ? <p class="note gold">{t("data.wechat")}</p> : null}
      {fault?.code === "home_not_sealed" ? <p class="note gold" role="alert">{t("data.not_here")}</p> : fault ? <Fault fault={fault} /> : null}
      {file ? (
        <>
          <p class="note good" role="status">
            {t("data.ready", { n: file.kb })}
          </p>
          <a class="button go wide" href={file.url} download={file.name}>
            {t("data.keep")}
          </a>
        </>
      ) : (
        <button type="button" class="button wide" disabled={busy} onClick={() => void make()}>
          {busy ? t("data.making") : t("data.make")}
        </button>
      )}
    </Part>
  );
}

export const DataPage = () => (
  <>
    <Export />
    <Part title={t("erase.title")}>
      <p class="quiet">{t("erase.short")}</p>
      <a class="button danger wide" href="#/me/erase">
        {t("erase.more")}
      </a>
    </Part>
  </>
);

export function Erase({ door, onErased, onOther }: { door: Read<Door>; onErased: () => void; onOther: (session: Session) => void }) {
  const me = useMe();
  const session = useRead("session", readSession);
  const [sure, setSure] = useState(false);
  const [stale, setStale] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  if (me.data === undefined || (session.data === undefined && !session.fault)) return me.fault ? <Fault fault={me.fault} again={me.again} /> : <Bones n={4} />;
  const one = me.data;
  const fresh = !stale && session.data?.fresh_until !== undefined && session.data.fresh_until !== null && Date.parse(session.data.fresh_until) > Date.now();
  const erase = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      await send("POST", "/v1/me/erase", { sure: true });
      onErased();
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === "not_fresh") setStale(true);
      else setFault(refusal);
    } finally {
      setBusy(false);
    }
  };
  const again = async (phone: string, code: string) => {
    const next = await send<Session>("POST", "/v1/me/session", { phone, code });
    asking.csrf = next.csrf;
    const now = await send<Me>("GET", "/v1/me");
    // Another phone is another member: of them nothing is erased.
    if (now.id !== one.id) return onOther(next);
    setStale(false);
    await erase();
  };
  const wechat = door.data?.wechat_url && door.data.ways.includes("wechat") ? wayWith(door.data.wechat_url, undefined, location.origin) : undefined;
  return (
    <>
      <Part title={t("erase.goes")}>
        <ul class="plainly">
          {["erase.goes_1", "erase.goes_2", "erase.goes_3"].map((key) => (
            <li key={key}>{t(key)}</li>
          ))}
        </ul>
      </Part>
      <Part title={t("erase.stays")}>
        <ul class="plainly">
          {["erase.stays_1", "erase.stays_2"].map((key) => (
            <li key={key}>{t(key)}</li>
          ))}
        </ul>
      </Part>
      {one.points.shown > 0 || one.coupons > 0 ? <p class="note gold">{t("erase.loses", { points: whole(one.points.shown), coupons: whole(one.coupons) })}</p> : null}
      <label class="check">
        <input type="checkbox" name="sure" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
        <span>{t("erase.sure")}</span>
      </label>
      {fault?.code === "home_not_sealed" ? <p class="note gold" role="alert">{t("data.not_here")}</p> : fault ? <Fault fault={fault} /> : null}
      {!sure ? null : fresh ? (
        <button type="button" class="button danger wide" disabled={busy} onClick={() => void erase()}>
          {t("erase.do")}
        </button>
      ) : (
        <section class="card" aria-label={t("erase.who")}>
          <h2>{t("erase.who")}</h2>
          {one.phone ? (
            <>
              <p class="quiet">{t("erase.who_say", { phone: one.phone })}</p>
              <CodeForm masked={one.phone} words={t("erase.do")} danger onCode={again} />
            </>
          ) : wechat ? (
            <>
              <p class="quiet">{t("erase.wechat_say")}</p>
              <a class="button wide" href={wechat}>
                {t("door.wechat")}
              </a>
            </>
          ) : (
            <p class="quiet">{t("erase.none")}</p>
          )}
        </section>
      )}
      <a class="button wide" href="#/me/data">
        {t("erase.not")}
      </a>
    </>
  );
}
