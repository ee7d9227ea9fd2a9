// Points: how many, until when, what they are good for, how they came and went.
import { useRead } from "../shared/ask";
import { money, whole } from "../shared/format";
import { Empty, Shown } from "../shared/parts";
import { t, word } from "../shared/words";
import { Lead, list, Pages, Part, read, stamp, Tabs, until, useBrand, useMe, useOffers } from "./bits";
import { Stall } from "./claim";
import { byEnd, stalls } from "./rules";
import type { Lot, Moved, Paged } from "./types";

type History = Paged<Moved> & { lots?: readonly Lot[] | null };
const signed = (n: number) => (n > 0 ? `+${whole(n)}` : whole(n).replace("-", "\u2212"));

/** What moved them, where people have a word for it. */
function why({ event }: Moved): string | undefined {
  const said = event ? word("event", event) : undefined;
  return said === event ? undefined : said;
}

function Balance() {
  const me = useMe();
  const { zone, currency } = useBrand();
  return (
    <Shown of={me} bones={2}>
      {({ points }) => {
        const first = points.expiries?.[0];
        const beside = [
          points.worth_minor ? t("points.worth", { money: money(points.worth_minor, currency) }) : "",
          points.pending ? t("points.pending", { n: whole(points.pending) }) : "",
          points.held ? t("points.held", { n: whole(points.held) }) : "",
        ].filter(Boolean);
        return (
          <section class="card" aria-label={t("points.title")}>
            <p>
              <span class="big gold">{whole(points.shown)}</span> <span class="quiet">{t("points.unit")}</span>
            </p>
            {beside.length > 0 ? <p class="quiet">{beside.join(" · ")}</p> : null}
            {points.debt ? <p class="note bad">{t("points.debt", { n: whole(points.debt) })}</p> : null}
            {first ? <p class="note gold">{t("home.expiring", { n: whole(first.points), at: until(first.at, zone) })}</p> : null}
          </section>
        );
      }}
    </Shown>
  );
}

function Mall() {
  const me = useMe();
  const offers = useOffers();
  const { zone } = useBrand();
  return (
    <Shown of={offers} bones={4}>
      {({ items }) => {
        const { mall, free } = stalls(list(items));
        const all = [...free.filter((one) => one.state === "open"), ...mall];
        return (
          <>
            {all.length === 0 ? (
              <Empty title={t("mall.none")} say={t("mall.none_say")}>
                <a class="button go wide" href="#/card">
                  {t("home.show")}
                </a>
              </Empty>
            ) : (
              <Shown of={me} bones={2}>
                {(one) => (
                  <section class="card" aria-label={t("points.mall")}>
                    <Stall me={one} offers={all} zone={zone} again={() => [me, offers].forEach((what) => what.again())} />
                  </section>
                )}
              </Shown>
            )}
            <nav class="card list leads" aria-label={t("home.more")}>
              <Lead to="/draws" words={t("draws.title")} />
            </nav>
          </>
        );
      }}
    </Shown>
  );
}

function HistoryList() {
  const history = useRead("points", read<History>("/v1/me/points"));
  const { zone } = useBrand();
  const lots = byEnd(list(history.data?.lots));
  return (
    <>
      {lots.length > 0 ? (
        <Part title={t("points.lots")}>
          <ul class="list">
            {lots.map((lot) => (
              <li key={lot.expires_at} class="between">
                <span>{t("points.expires", { at: until(lot.expires_at ?? "", zone) })}</span>
                <span>{whole(lot.remaining)}</span>
              </li>
            ))}
          </ul>
        </Part>
      ) : null}
      <Pages of={history} path="/v1/me/points" empty={
          <Empty title={t("points.none")} say={t("points.none_say")}>
            <a class="button go wide" href="#/card">
              {t("home.show")}
            </a>
          </Empty>
        }>
        {(items) => (
          <ul class="card list history">
            {items.map((one, at) => (
              <li key={`${one.at} ${at}`} class="between">
                <span>
                  {why(one) ?? word("moved", one.kind)}
                  <span class="quiet block">
                    {why(one) ? `${word("moved", one.kind)} · ` : ""}
                    {stamp(one.at, zone)}
                  </span>
                </span>
                <span class={one.points > 0 ? "strong gold" : "strong"}>{signed(one.points)}</span>
              </li>
            ))}
          </ul>
        )}
      </Pages>
    </>
  );
}

export const PointsPage = ({ at }: { at: string }) => (
  <>
    <Balance />
    <Tabs says={t("points.title")} at={at} all={[{ to: "/points", words: t("points.mall") }, { to: "/points/history", words: t("points.history") }]} />
    {at === "/points/history" ? <HistoryList /> : <Mall />}
  </>
);
