// Coupons: what can be used now, what cannot yet and why, what is over; one with its code.
import { day } from "../shared/format";
import { Copy, Empty, Shown } from "../shared/parts";
import { t, word } from "../shared/words";
import { Lead, list, named, Part, Qr, stamp, Tabs, until, useBrand, useCoupons, useMe, useOffers } from "./bits";
import { Stall } from "./claim";
import { shelves, stalls } from "./rules";
import type { Coupon } from "./types";

const when = (one: Coupon, zone: string): string =>
  one.why === "not_yet" && one.valid_from ? t("coupons.from", { at: stamp(one.valid_from, zone) }) : one.valid_until ? t("coupons.until", { at: until(one.valid_until, zone) }) : t("coupons.always");
const why = (one: Coupon): string => (one.why ? word("why", one.why) : word("coupon", one.state));

export const CouponLine = ({ of, zone }: { of: Coupon; zone: string }) => (
  <Lead
    to={`/coupons/${of.id}`}
    words={<span class={of.usable ? "strong" : ""}>{named(of.name, of.offer)}</span>}
    quiet={
      <>
        {of.about ? <span class="block">{named(of.about, "")}</span> : null}
        {of.usable ? when(of, zone) : of.why === "not_yet" ? <span class="gold">{when(of, zone)}</span> : why(of)}
      </>
    }
  />
);

export function Coupons({ at }: { at: string }) {
  const coupons = useCoupons();
  const offers = useOffers();
  const me = useMe();
  const { zone } = useBrand();
  const free = stalls(list(offers.data?.items)).free.filter((one) => one.state === "open");
  return (
    <>
      <Tabs says={t("coupons.title")} at={at} all={[{ to: "/coupons", words: t("coupons.now") }, { to: "/coupons/gone", words: t("coupons.gone") }]} />
      {at === "/coupons" && free.length > 0 && me.data ? (
        <Part title={t("coupons.take")}>
          <Stall me={me.data} offers={free} zone={zone} again={() => [coupons, offers, me].forEach((one) => one.again())} />
        </Part>
      ) : null}
      <Shown of={coupons} bones={4}>
        {({ items }) => {
          const { usable, waiting, gone } = shelves(list(items));
          if (at === "/coupons/gone")
            return gone.length === 0 ? (
              <Empty title={t("coupons.gone_none")} say={t("coupons.gone_none_say")} />
            ) : (
              <ul class="card list leads">
                {gone.map((one) => (
                  <li key={one.id}>
                    <CouponLine of={one} zone={zone} />
                  </li>
                ))}
              </ul>
            );
          if (usable.length === 0 && waiting.length === 0)
            return (
              <Empty title={t("coupons.none")} say={t("coupons.none_say")}>
                <a class="button go wide" href="#/points">
                  {t("coupons.to_mall")}
                </a>
              </Empty>
            );
          return (
            <>
              {usable.length > 0 ? (
                <ul class="card list leads">
                  {usable.map((one) => (
                    <li key={one.id}>
                      <CouponLine of={one} zone={zone} />
                    </li>
                  ))}
                </ul>
              ) : (
                <p class="note gold">{t("coupons.none_now")}</p>
              )}
              {waiting.length > 0 ? (
                <Part title={t("coupons.waiting")}>
                  <ul class="list leads">
                    {waiting.map((one) => (
                      <li key={one.id}>
                        <CouponLine of={one} zone={zone} />
                      </li>
                    ))}
                  </ul>
                </Part>
              ) : null}
            </>
          );
        }}
      </Shown>
    </>
  );
}

export function CouponOne({ id }: { id: string }) {
  const coupons = useCoupons();
  const { zone } = useBrand();
  return (
    <Shown of={coupons} bones={4}>
      {({ items }) => {
        const one = list(items).find((coupon) => coupon.id === id);
        if (!one)
          return (
            <Empty title={t("coupons.missing")} say={t("coupons.missing_say")}>
              <a class="button go wide" href="#/coupons">
                {t("coupons.all")}
              </a>
            </Empty>
          );
        return (
          <>
            <section class="card pass" aria-label={named(one.name, one.offer)}>
              <h2 class="centre">{named(one.name, one.offer)}</h2>
              {one.about ? <p class="quiet centre">{named(one.about, "")}</p> : null}
              {one.usable ? (
                <>
                  <Qr of={one.code} says={t("coupons.says")} />
                  <p class="number centre">{one.code}</p>
                </>
              ) : (
                <p class="note gold centre">{why(one)}</p>
              )}
              <p class="quiet centre">{when(one, zone)}</p>
            </section>
            {one.partner_code ? (
              <Part title={t("coupons.partner")}>
                <p class="number">{one.partner_code}</p>
                <p class="why">{t("coupons.partner_say")}</p>
                <Copy text={one.partner_code} words={t("coupons.copy")} />
              </Part>
            ) : null}
            {one.usable ? <p class="quiet centre">{t("coupons.how")}</p> : null}
            {one.valid_from ? <p class="why centre">{t("coupons.since", { at: day(one.valid_from, zone) })}</p> : null}
          </>
        );
      }}
    </Shown>
  );
}
