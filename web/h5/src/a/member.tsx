// One member at a glance.
import { Refusal, type Schemas } from "@zhiyin/api";
import { useEffect, useState } from "preact/hooks";
import { asRefusal, useRead } from "../shared/ask";
import { called, day, moment, money, whole } from "../shared/format";
import { Fault, Shown } from "../shared/parts";
import { language, t, word } from "../shared/words";
import { Part, read, said, Task, useBook, useTasks } from "./bits";
import { namesOf } from "./scripts";

export function Member({ id, onName }: { id: string; onName: (name: string) => void }) {
  const whole_ = useRead(`member/${id}`, read<Schemas["MemberView"]>(`/v1/members/${id}`));
  useEffect(() => {
    if (whole_.data) onName(whole_.data.name ?? id.slice(0, 8));
  }, [whole_.data, onName, id]);
  return <Shown of={whole_} bones={6}>{(member) => <One member={member} />}</Shown>;
}

/** A poster of this member's own, drawn by the home when it is asked for. */
function Poster({ name, words, member }: { name: string; words: string; member: string }) {
  const [picture, setPicture] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal>();
  useEffect(() => () => void (picture && URL.revokeObjectURL(picture)), [picture]);
  const draw = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      const answer = await fetch(`/v1/posters/${encodeURIComponent(name)}?member=${member}`, { credentials: "same-origin", headers: { "Accept-Language": language() === "zh" ? "zh-CN" : "en" } });
      if (answer.ok) setPicture(URL.createObjectURL(await answer.blob()));
      else {
        const told = (await answer.json().catch(() => ({}))) as { code?: string; title?: string };
        throw new Refusal(answer.status, told.code ?? `http_${answer.status}`, told.title ?? "");
      }
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li class="stack">
      <div class="between">
        <span class="grow">{words}</span>
        <button type="button" class="button small" disabled={busy} onClick={() => void draw()}>
          {t("member.draw")}
        </button>
      </div>
      {fault ? <Fault fault={fault} /> : null}
      {picture ? (
        <>
          <img class="poster" src={picture} alt={words} />
          <p class="why">{t("member.keep_picture")}</p>
        </>
      ) : null}
    </li>
  );
}

function One({ member }: { member: Schemas["MemberView"] }) {
  const { id } = member;
  const tasks = useTasks();
  const book = useBook();
  const zone = said(book.data?.source, "timezone", "UTC");
  const names = useRead(book.data ? `names/${book.data.hash}` : undefined, () => namesOf(book.data?.source ?? ""));
  const orders = useRead(`orders/${id}`, read<{ items: Schemas["TimelineEntry"][] }>(`/v1/members/${id}/timeline?kinds=order&limit=5`));
  const coupons = useRead(`coupons/${id}`, read<Schemas["CouponsListed"]>(`/v1/members/${id}/coupons`));
  const sends = useRead(`sends/${id}`, read<Schemas["SendsListed"]>(`/v1/members/${id}/sends?limit=10`));
  const runs = useRead(`runs/${id}`, read<Schemas["RunsView"]>(`/v1/members/${id}/runs`));
  const [gone, setGone] = useState<readonly string[]>([]);
  const points = member.accounts.find((one) => one.asset === "points");
  const open = tasks.data?.items.filter((note) => note.member === id && !gone.includes(note.id)) ?? [];
  const soon = member.expiries[0];
  const tier = member.tier;
  return (
    <>
      <section class="card" aria-label={t("member.tier")}>
        <div class="pills">
          {tier ? <span class="pill gold">{called(tier.name, tier.level)}</span> : null}
          {member.lifecycle ? <span class="pill">{called(member.lifecycle.name, member.lifecycle.stage)}</span> : null}
        </div>
        <p class="quiet">{member.identifiers.map((one) => one.value).join(" · ")}</p>
        <dl class="facts">
          <div>
            <dt>{t("member.points")}</dt>
            <dd class="strong">{whole(points?.shown ?? 0)}</dd>
          </div>
          {points && points.pending > 0 ? (
            <div>
              <dt>{t("member.pending", { n: whole(points.pending) })}</dt>
              <dd />
            </div>
          ) : null}
          <div>
            <dt>{t("member.paid")}</dt>
            <dd>
              {money(member.orders.paid_minor, member.orders.currency)} · {t("member.orders_n", { n: whole(member.orders.count) })}
            </dd>
          </div>
        </dl>
        {soon ? <p class="note gold">{t("member.expiring", { n: whole(soon.points), at: day(soon.at, zone) })}</p> : null}
        {tier ? (
          <p class="quiet">
            {tier.next ? t("member.next", { n: whole(tier.next.growth_missing), level: called(tier.next.name, tier.next.level) }) : t("member.top")}
            <br />
            {tier.keep && tier.keep.growth_missing > 0 ? t("member.keep", { at: day(tier.keep.by), n: whole(tier.keep.growth_missing) }) : t("member.ends", { at: day(tier.ends) })}
          </p>
        ) : null}
      </section>
      {open.length > 0 ? (
        <Part title={t("member.tasks")}>
          <ul class="list">
            {open.map((note) => (
              <Task key={note.id} note={note} zone={zone} who={null} onDone={() => setGone((all) => [...all, note.id])} />
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title={t("member.coupons")}>
        <Shown of={coupons} bones={2}>
          {({ items }) => {
            const usable = items.filter((one) => one.state === "active");
            const others = items.filter((one) => one.state !== "active");
            return (
              <>
                {usable.length === 0 ? <p class="quiet">{t("member.coupons_none")}</p> : null}
                <ul class="list">
                  {usable.map((one) => (
                    <li key={one.id} class="between">
                      <span>
                        {called(names.data?.offers[one.offer], one.offer)}
                        <br />
                        <span class="quiet">{one.code}</span>
                      </span>
                      <span class="quiet">{one.valid_until ? t("member.until", { at: day(one.valid_until, zone) }) : t("member.from", { at: day(one.valid_from, zone) })}</span>
                    </li>
                  ))}
                </ul>
                {others.length > 0 ? (
                  <details>
                    <summary class="quiet">{t("member.others", { n: others.length })}</summary>
                    <ul class="list">
                      {others.map((one) => (
                        <li key={one.id} class="between">
                          <span>{called(names.data?.offers[one.offer], one.offer)}</span>
                          <span class="quiet">{word("coupon", one.state)}</span>
                        </li>
                      ))}
                    </ul>
                  </details>
                ) : null}
              </>
            );
          }}
        </Shown>
      </Part>
      {Object.keys(names.data?.posters ?? {}).length > 0 ? (
        <Part title={t("member.posters")}>
          <ul class="list posters">
            {Object.entries(names.data?.posters ?? {}).map(([poster, name]) => (
              <Poster key={poster} name={poster} words={called(name, poster)} member={id} />
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title={t("member.orders")}>
        <Shown of={orders} bones={2}>
          {({ items }) =>
            items.length === 0 ? (
              <p class="quiet">{t("member.orders_none")}</p>
            ) : (
              <>
                <ul class="list">
                  {items.map((one) => {
                    const got = one.transfers.filter((moved) => moved.asset === "points" && moved.kind === "earn").reduce((all, moved) => all + moved.amount, 0);
                    return (
                      <li key={one.id} class="between">
                        <span>
                          {word("event", one.event)} <span class="quiet">{moment(one.at, zone)}</span>
                        </span>
                        <span class="gold">{got > 0 ? t("member.got", { n: whole(got) }) : ""}</span>
                      </li>
                    );
                  })}
                </ul>
                <p class="why">{t("member.orders_say")}</p>
              </>
            )
          }
        </Shown>
      </Part>
      <Part title={t("member.tags")}>
        {member.tags.length === 0 ? <p class="quiet">{t("member.tags_none")}</p> : null}
        <ul class="list">
          {member.tags.map((tag) => (
            <li key={tag.tag}>
              <strong>{called(tag.name, tag.tag)}</strong> <span class="why">{t(tag.by_rule ? "member.by_rule" : "member.by_hand", { at: day(tag.since, zone) })}</span>
              {tag.rule ? (
                <div>
                  <code>{tag.rule}</code>
                </div>
              ) : null}
            </li>
          ))}
        </ul>
      </Part>
      <Part title={t("member.consents")}>
        <ul class="list">
          {member.consents.map((one) => (
            <li key={`${one.purpose} ${one.channel}`} class="between">
              <span>
                {word("purpose", one.purpose)} · {word("channel", one.channel)} <span class="why">{word("consent", one.why)}</span>
              </span>
              <span class={one.allowed ? "good" : "bad"}>{t(one.allowed ? "member.yes" : "member.no")}</span>
            </li>
          ))}
        </ul>
      </Part>
      <Part title={t("member.sent")}>
        <Shown of={sends} bones={2}>
          {({ items }) => (
            <Shown of={runs} bones={2}>
              {({ moves }) =>
                items.length === 0 && moves.length === 0 ? (
                  <p class="quiet">{t("member.sent_none")}</p>
                ) : (
                  <ul class="list">
                    {items.map((one) => (
                      <li key={one.send} class="between">
                        <span>
                          {one.message} · {word("channel", one.channel)}
                          <br />
                          <span class="quiet">
                            {moment(one.at, zone)} {one.error ?? ""}
                          </span>
                        </span>
                        <span>{word("send", one.state)}</span>
                      </li>
                    ))}
                    {moves.slice(0, 10).map((one) => (
                      <li key={`${one.run} ${one.place} ${one.kind}`}>
                        <div class="between">
                          <span>
                            {called(names.data?.campaigns[one.campaign], one.campaign)} <span class="quiet">{moment(one.at, zone)}</span>
                          </span>
                          <span class={one.kind === "not_sent" || one.kind === "delayed" ? "bad" : ""}>{word("move", one.kind)}</span>
                        </div>
                        {one.why ? (
                          <details>
                            <summary class="quiet">{t("member.why")}</summary>
                            <p class="why">{one.why}</p>
                          </details>
                        ) : null}
                      </li>
                    ))}
                  </ul>
                )
              }
            </Shown>
          )}
        </Shown>
      </Part>
      <p class="why">{t("member.since", { at: day(member.known_since, zone) })}</p>
    </>
  );
}
