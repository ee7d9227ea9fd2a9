// Finding whom a sale is for, or enrolling them.
import { send, type Refusal, type Schemas } from "@zhiyin/api";
import { useState } from "preact/hooks";
import { ask, asRefusal, command } from "../shared/ask";
import { money } from "../shared/format";
import { keep, kept, keyOf, settle } from "../shared/keep";
import { Empty, Fault, go, said } from "../shared/parts";
import { t, word } from "../shared/words";
import { newCart, type Till } from "./state";
import { isPhone, list, named, pieces, type Who } from "./till";

type Brief = Schemas["MemberBrief"];

export const Tier = ({ tier }: { tier: string | null | undefined }) => (tier ? <span class="pill gold">{word("tier", tier)}</span> : null);

export function Find({ till }: { till: Till }) {
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<Refusal>();
  const [none, setNone] = useState(false);
  const [bad, setBad] = useState(false);
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Schemas["MemberListed"][]>();
  const byName = till.may("member_list");
  const who = named(typed);
  const start = (whom: Who | undefined, member: Brief | undefined) => {
    till.setCart({ ...(till.cart.unsure ? newCart(till.store) : till.cart), who: whom, member });
    go("/cart");
  };
  const find = async (event: Event) => {
    event.preventDefault();
    setFault(undefined);
    setNone(false);
    setFound(undefined);
    setBad(false);
    if (!who && !byName) return setBad(true);
    setBusy(true);
    try {
      if (who) {
        const member = await ask<Brief>("/v1/commands/members/lookup", { member: who });
        till.setReached(true);
        start(who, member);
      } else {
        const { items } = await send<{ items: Schemas["MemberListed"][] }>("GET", `/v1/members?limit=20&name=${encodeURIComponent(typed.trim())}`);
        setFound(items);
      }
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.status === 404) setNone(true);
      else {
        if (refusal.status === 0) till.setReached(false);
        setFault(refusal);
      }
    } finally {
      setBusy(false);
    }
  };
  const open = till.cart.lines.length > 0;
  return (
    <>
      {open ? (
        <section class="card" aria-label={t("find.open")}>
          <div class="between">
            <span class="grow">
              <strong>{t("find.open")}</strong>
              <br />
              <span class="quiet">{t("find.open_say", { n: pieces(till.cart.lines), sum: money(list(till.cart.lines), till.currency) })}</span>
            </span>
            <button type="button" class="button" onClick={() => go("/cart")}>
              {t("find.open_go")}
            </button>
          </div>
        </section>
      ) : null}
      <form class="card" onSubmit={(event) => void find(event)} noValidate>
        <label class="field">
          {t(byName ? "find.label_name" : "find.label")}
          <input class="input" name="who" autocomplete="off" enterkeyhint="search" maxLength={200} value={typed} aria-invalid={bad} aria-describedby="find-say" onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <p id="find-say" class={bad ? "bad" : "quiet"} {...(bad ? { role: "alert" } : {})}>
          {t(bad ? "find.unnamed" : "find.say")}
        </p>
        <button type="submit" class="button go wide" disabled={busy || typed.trim() === ""}>
          {t("find.go")}
        </button>
        <div class="grid2">
          <button type="button" class="button small" onClick={() => go(isPhone(typed) ? `/enrol/${encodeURIComponent(typed.trim())}` : "/enrol")}>
            {t("enrol.title")}
          </button>
          <button type="button" class="button small" onClick={() => start(undefined, undefined)}>
            {t("find.walk_in")}
          </button>
        </div>
      </form>
      {fault?.status === 0 && who ? (
        <div class="note gold stack" role="alert">
          <span>{t("find.offline")}</span>
          <button type="button" class="button" onClick={() => start(who, undefined)}>
            {t("find.offline_go")}
          </button>
        </div>
      ) : fault ? (
        <Fault fault={fault} />
      ) : null}
      {none ? (
        <Empty title={t("find.none")} say={t("find.none_say")}>
          <button type="button" class="button wide" onClick={() => go(isPhone(typed) ? `/enrol/${encodeURIComponent(typed.trim())}` : "/enrol")}>
            {t("enrol.title")}
          </button>
        </Empty>
      ) : null}
      {found ? (
        found.length === 0 ? (
          <Empty title={t("find.none")} say={t("find.none_say")} />
        ) : (
          <section class="card" aria-label={t("find.found", { n: found.length })}>
            <ul class="list">
              {found.map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    class="line between"
                    onClick={() => void ask<Brief>("/v1/commands/members/lookup", { member: { id: one.id } }).then((member) => start({ namespace: "id", value: one.id }, member), (error: unknown) => setFault(asRefusal(error)))}
                  >
                    <span>
                      {one.name ?? one.id.slice(0, 8)}
                      <br />
                      <span class="quiet">{one.identifiers.map((name) => name.value).join(" ")}</span>
                    </span>
                    <Tier tier={one.tier} />
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )
      ) : null}
    </>
  );
}

export function Enrol({ till, phone }: { till: Till; phone: string }) {
  const [typed, setTyped] = useState(phone);
  const [name, setName] = useState("");
  const [yes, setYes] = useState(false);
  // To which text they said yes: a till is not told which there are, so it asks once, where the home wants to know.
  const [version, setVersion] = useState(() => kept<string>("pos.version") ?? "");
  const [asksVersion, setAsksVersion] = useState(false);
  const [bad, setBad] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  const enrol = async (event: Event) => {
    event.preventDefault();
    const who = named(typed);
    setFault(undefined);
    if (who?.namespace !== "phone") return setBad(true);
    setBad(false);
    setBusy(true);
    const body = { identifiers: [who], store: till.store, touchpoint: `store-till/${till.store}`, ...(name.trim() ? { attributes: { name: name.trim() } } : {}) };
    const consent = { member: who, purpose: "marketing", given: true, store: till.store, ...(version.trim() ? { version: version.trim() } : {}) };
    const meant = `enrol/${JSON.stringify(body)}`;
    const on = (member?: Brief) => {
      till.setCart({ ...till.cart, who, member });
      go("/cart");
    };
    try {
      const done = await command<Schemas["CommandDone"]>(meant, "/v1/commands/members/enrol", body);
      if (yes) {
        try {
          await command(`consent/${who.value}/${version.trim()}`, "/v1/commands/consents/set", { ...consent, member: { id: done.member } });
          if (version.trim()) keep("pos.version", version.trim());
        } catch (error) {
          if (asRefusal(error).code.startsWith("consent_version")) setAsksVersion(true);
          throw error;
        }
      }
      on(await ask<Brief>("/v1/commands/members/lookup", { member: who }));
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.status === 0) {
        till.setReached(false);
        const one = { at: Date.now(), by: till.session.person.id, byName: till.session.person.name, state: "waiting" as const, kind: "command" as const, about: { kind: "enrol" as const, of: who.value } };
        try {
          await till.hold({ ...one, id: `enrol-${keyOf(meant)}`, path: "/v1/commands/members/enrol", body, key: keyOf(meant) });
          if (yes) await till.hold({ ...one, at: one.at + 1, about: { kind: "consent", of: who.value }, id: `consent-${keyOf(`consent/${who.value}/${version.trim()}`)}`, path: "/v1/commands/consents/set", body: consent, key: keyOf(`consent/${who.value}/${version.trim()}`) });
          settle(meant);
          settle(`consent/${who.value}/${version.trim()}`);
          on();
          return;
        } catch {
          // What cannot be kept is not taken: it is told as it is.
        }
      }
      setFault(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="card" onSubmit={(event) => void enrol(event)} noValidate>
      <label class="field">
        {t("enrol.phone")}
        <input class="input" name="phone" type="tel" inputMode="tel" autocomplete="off" maxLength={24} value={typed} aria-invalid={bad} onInput={(event) => setTyped(event.currentTarget.value)} />
      </label>
      {bad ? (
        <p class="bad" role="alert">
          {t("enrol.bad_phone")}
        </p>
      ) : null}
      <label class="field">
        {t("enrol.name")}
        <input class="input" name="name" autocomplete="off" maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="check">
        <input type="checkbox" checked={yes} onChange={(event) => setYes(event.currentTarget.checked)} />
        <span>
          {t("enrol.consent")}
          <br />
          <span class="quiet">{t("enrol.consent_say")}</span>
        </span>
      </label>
      {asksVersion && yes ? (
        <label class="field">
          {t("enrol.version")}
          <input class="input" name="version" autocomplete="off" maxLength={100} value={version} onInput={(event) => setVersion(event.currentTarget.value)} />
        </label>
      ) : null}
      {fault ? asksVersion ? <p class="note bad" role="alert">{t("enrol.consent_failed", { why: said(fault) })}</p> : <Fault fault={fault} /> : null}
      <button type="submit" class="button go wide" disabled={busy || typed.trim() === ""}>
        {t("enrol.go")}
      </button>
    </form>
  );
}
