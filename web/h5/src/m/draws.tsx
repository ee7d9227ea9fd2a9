// What there is little of, and what is drawn: what may be taken now, one's chances, and what became of them.
import { useRead } from "../shared/ask";
import { whole } from "../shared/format";
import { Copy, Empty, Shown } from "../shared/parts";
import { t, word } from "../shared/words";
import { list, named, Part, read, useBrand, useMe, useOffers } from "./bits";
import { Stall } from "./claim";
import { stalls } from "./rules";
import type { Draw } from "./types";

function fate(one: Draw): { words: string; kind: string } {
  if (one.fate === "won") return { words: one.prize ? t("draws.won", { prize: one.prize }) : t("draws.won_some"), kind: "good" };
  if (one.fate === "alternate") return { words: t("draws.alternate", { n: one.alternate ?? 1 }), kind: "gold" };
  if (one.fate) return { words: word("fate", one.fate), kind: "" };
  return { words: word("draw", one.state), kind: one.state === "open" ? "good" : "" };
}

export function Draws() {
  const me = useMe();
  const offers = useOffers();
  const draws = useRead("draws", read<{ items?: readonly Draw[] }>("/v1/me/draws"));
  const { zone } = useBrand();
  const { drops, chances } = stalls(list(offers.data?.items));
  const again = () => [me, offers, draws].forEach((one) => one.again());
  const nothing = draws.data && offers.data && drops.length + chances.length + list(draws.data.items).length === 0;
  if (nothing)
    return (
      <Empty title={t("draws.none")} say={t("draws.none_say")}>
        <a class="button go wide" href="#/points">
          {t("coupons.to_mall")}
        </a>
      </Empty>
    );
  return (
    <>
      <Shown of={offers} bones={3}>
        {() =>
          me.data ? (
            <>
              {drops.length > 0 ? (
                <Part title={t("draws.drops")}>
                  <Stall me={me.data} offers={drops} zone={zone} again={again} />
                </Part>
              ) : null}
              {chances.length > 0 ? (
                <Part title={t("draws.chances")}>
                  <Stall me={me.data} offers={chances} zone={zone} again={again} />
                </Part>
              ) : null}
            </>
          ) : null
        }
      </Shown>
      <Shown of={draws} bones={3}>
        {({ items }) =>
          list(items).length > 0 ? (
            <Part title={t("draws.mine")}>
              <ul class="list">
                {list(items).map((one) => {
                  const { words, kind } = fate(one);
                  return (
                    <li key={one.draw} class="stack">
                      <div class="between">
                        <span class="strong">{named(one.name, one.draw)}</span>
                        <span class={`pill ${kind}`}>{words}</span>
                      </div>
                      <p class="quiet">{t("draws.chances_n", { n: whole(one.chances) })}</p>
                      {one.fate === "won" ? <a class="button small" href="#/coupons">{t("draws.prize")}</a> : null}
                      {one.entry ? (
                        <details>
                          <summary class="quiet">{t("draws.entry")}</summary>
                          <div class="stack">
                            <p class="number">{one.entry}</p>
                            <p class="why">{t("draws.entry_say")}</p>
                            <Copy text={one.entry} words={t("draws.copy")} />
                          </div>
                        </details>
                      ) : null}
                    </li>
                  );
                })}
              </ul>
            </Part>
          ) : null
        }
      </Shown>
      <p class="why">{t("draws.say")}</p>
    </>
  );
}
