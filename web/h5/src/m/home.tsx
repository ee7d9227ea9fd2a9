// What a member sees first: how they stand, the card one press away, what can be used, what is worth doing. And the tiers, one by one.
import type { Named } from "@zhiyin/api";
import { whole, day, money } from "../shared/format";
import { Empty, Shown } from "../shared/parts";
import { t } from "../shared/words";
import { Lead, list, named, Part, short, until, useBrand, useCoupons, useMe, usePayouts } from "./bits";
import { CouponLine } from "./coupons";
import { dayBefore, share, shelves, things, type Thing } from "./rules";
import type { Me, Tier } from "./types";

/** How far it is to the next tier, or to keeping this one. */
function Progress({ tier }: { tier: Tier }) {
  const { next, keep, lapses } = tier;
  const bar = (needed: number, missing: number, says: string) => (
    <div class="meter" role="img" aria-label={says}>
      <div style={{ width: `${share(needed, missing) * 100}%` }} />
    </div>
  );
  const keeps = keep && keep.growth_missing > 0 ? t("tier.keep", { at: day(keep.by), n: whole(keep.growth_missing), level: named(tier.name, tier.level) }) : "";
  if (next) {
    const says = t("tier.next", { n: whole(Math.max(0, next.growth_missing)), level: named(next.name, next.level) });
    return (
      <>
        {bar(next.growth_needed, next.growth_missing, says)}
        <p>{says}</p>
        {keep && keep.growth_missing > 0 ? <p class="soft">{keeps}</p> : null}
        {lapses ? <p class="soft">{t("tier.lapses", { at: day(lapses.day), n: whole(lapses.growth) })}</p> : null}
      </>
    );
  }
  return (
    <>
      {keep ? bar(keep.growth_needed, keep.growth_missing, keeps || t("tier.kept")) : null}
      <p>{keep && keep.growth_missing > 0 ? keeps : t("tier.top")}</p>
      {lapses ? <p class="soft">{t("tier.lapses", { at: day(lapses.day), n: whole(lapses.growth) })}</p> : null}
    </>
  );
}

/** Until when this term runs, and whether the next one is earned already. */
const Term = ({ tier }: { tier: Tier }) => {
  const said = [tier.ends ? t("tier.ends", { at: day(dayBefore(tier.ends)) }) : "", tier.keep && tier.keep.growth_missing <= 0 ? t("tier.kept") : ""].filter(Boolean);
  return said.length > 0 ? <p class="soft">{said.join(t("and"))}</p> : null;
};

function Hero({ me }: { me: Me }) {
  const { tier } = me;
  const name = me.attributes?.nickname ?? me.attributes?.name ?? me.name;
  return (
    <section class="hero" aria-label={t("home.card")}>
      <div class="head">
        <div>
          <p class="level">{tier ? named(tier.name, tier.level) : t("tier.none")}</p>
          {name || me.phone ? <p class="soft">{name || me.phone}</p> : null}
        </div>
        {list(me.levels).length > 0 ? (
          <a class="soft" href="#/tier">
            {t("tier.all")} ›
          </a>
        ) : null}
      </div>
      {tier ? <Progress tier={tier} /> : <p>{t("tier.none_say")}</p>}
      {tier ? <Term tier={tier} /> : null}
      <a class="button wide show" href="#/card">
        {t("home.show")}
      </a>
    </section>
  );
}

function Todo({ thing, zone }: { thing: Thing; zone: string }) {
  if (thing.do === "payout") {
    const { amount_minor, currency, remark } = thing.payout;
    return <Lead to="/payouts" words={<span class="strong">{t("todo.payout", { money: money(amount_minor, currency), remark })}</span>} quiet={thing.others > 0 ? t("todo.payouts_say", { n: thing.others }) : t("todo.payout_say")} />;
  }
  if (thing.do === "ending") return <Lead to={`/coupons/${thing.coupon.id}`} words={t("todo.ending", { name: named(thing.coupon.name, thing.coupon.offer) })} quiet={t("coupons.until", { at: until(thing.at, zone) })} />;
  if (thing.do === "expiring") return <Lead to="/points" words={t("todo.expiring", { n: whole(thing.points) })} quiet={t("points.expires", { at: until(thing.at, zone) })} />;
  if (thing.do === "offers") return <Lead to="/points" words={t("todo.offers", { n: thing.n })} quiet={t("todo.offers_say")} />;
  return <Lead to="/me/profile" words={t("todo.profile")} quiet={t("todo.profile_say")} />;
}

export function Home() {
  const me = useMe();
  const coupons = useCoupons();
  const payouts = usePayouts();
  const { zone, currency } = useBrand();
  return (
    <Shown of={me} bones={5}>
      {(one) => {
        const { usable } = shelves(list(coupons.data?.items));
        const todo = things(one, usable, Date.now(), list(payouts.data?.items));
        const first = one.points.expiries?.[0];
        return (
          <>
            <Hero me={one} />
            <div class="grid2 tiles">
              <a class="card tile" href="#/points">
                <span class="quiet">{t("nav.points")}</span>
                <span class="big gold">{short(one.points.shown)}</span>
                <span class="why">{first ? t("home.expiring", { n: whole(first.points), at: until(first.at, zone) }) : one.points.worth_minor ? t("points.worth", { money: money(one.points.worth_minor, currency) }) : t("home.no_expiry")}</span>
              </a>
              <a class="card tile" href="#/coupons">
                <span class="quiet">{t("nav.coupons")}</span>
                <span class="big">{whole(one.coupons)}</span>
                <span class="why">{one.coupons > 0 ? t("home.coupons") : t("home.coupons_none")}</span>
              </a>
            </div>
            {todo.length > 0 ? (
              <Part title={t("home.todo")}>
                <ul class="list leads">
                  {todo.map((thing) => (
                    <li key={thing.do}>
                      <Todo thing={thing} zone={zone} />
                    </li>
                  ))}
                </ul>
              </Part>
            ) : null}
            {coupons.data === undefined || usable.length > 0 ? (
              <Part
                title={t("home.usable")}
                aside={
                  usable.length > 2 ? (
                    <a class="plain" href="#/coupons">
                      {t("home.all", { n: usable.length })} ›
                    </a>
                  ) : null
                }
              >
                <Shown of={coupons} bones={2}>
                  {() => (
                    <ul class="list leads">
                      {usable.slice(0, 2).map((coupon) => (
                        <li key={coupon.id}>
                          <CouponLine of={coupon} zone={zone} />
                        </li>
                      ))}
                    </ul>
                  )}
                </Shown>
              </Part>
            ) : null}
            <nav class="card list leads" aria-label={t("home.more")}>
              <Lead to="/draws" words={t("draws.title")} />
              <Lead to="/orders" words={t("orders.title")} />
              {list(payouts.data?.items).length > 0 ? <Lead to="/payouts" words={t("payouts.title")} /> : null}
            </nav>
          </>
        );
      }}
    </Shown>
  );
}

/** What one has by a tier, a line each. */
const Benefits = ({ of }: { of: readonly Named[] }) =>
  of.length === 0 ? null : (
    <ul class="plainly benefits" aria-label={t("tier.benefits")}>
      {of.map((one, at) => (
        <li key={`${at}`}>{named(one, "")}</li>
      ))}
    </ul>
  );

export function Tiers() {
  const me = useMe();
  return (
    <Shown of={me}>
      {(one) => {
        const levels = list(one.levels);
        const mine = list(levels.find((level) => level.level === one.tier?.level)?.benefits);
        if (levels.length === 0) return <Empty title={t("tier.no_levels")} say={t("tier.no_levels_say")} />;
        return (
          <>
            {one.tier ? (
              <section class="hero" aria-label={t("tier.title")}>
                <p class="level">{named(one.tier.name, one.tier.level)}</p>
                <p>{t("tier.growth", { n: whole(one.tier.growth) })}</p>
                <Progress tier={one.tier} />
                <Term tier={one.tier} />
              </section>
            ) : null}
            {mine.length > 0 ? (
              <Part title={t("tier.yours")}>
                <Benefits of={mine} />
              </Part>
            ) : null}
            <Part title={t("tier.ladder")}>
              <ol class="list">
                {levels.map((level) => (
                  <li key={level.level}>
                    <div class="between">
                      <span class={level.level === one.tier?.level ? "strong" : undefined}>
                        {named(level.name, level.level)} {level.level === one.tier?.level ? <span class="pill gold">{t("tier.here")}</span> : null}
                      </span>
                      <span class="quiet">{level.from > 0 ? t("tier.from", { n: whole(level.from) }) : t("tier.from_start")}</span>
                    </div>
                    {level.level === one.tier?.level ? null : <Benefits of={list(level.benefits)} />}
                  </li>
                ))}
              </ol>
            </Part>
            <p class="why">{t("tier.say")}</p>
          </>
        );
      }}
    </Shown>
  );
}
