// What may be claimed, and claiming it: once, whatever is pressed twice or lost on its way.
import { Refusal } from "@zhiyin/api";
import { useState } from "preact/hooks";
import { asRefusal, unsure } from "../shared/ask";
import { whole } from "../shared/format";
import { said } from "../shared/parts";
import { t, word } from "../shared/words";
import { list, meant, named, open, Sheet, stamp, until } from "./bits";
import type { Claimed, Me, Offer } from "./types";

const REFUSED = ["out_of_stock", "limit_reached", "insufficient_points", "not_eligible", "claim_over", "claim_not_open", "offer_not_running", "too_many_coupons", "offer_unknown", "not_claimable"];

const price = (offer: Offer) => (offer.points > 0 ? t("claim.price", { n: whole(offer.points) }) : t("claim.free"));
/** What state something is in, and until when. */
function say(offer: Offer, zone: string): string {
  if (offer.state === "too_few_points") return t("claim.missing", { n: whole(offer.missing ?? 0) });
  if (offer.state === "soon") return offer.opens ? t("claim.opens", { at: stamp(offer.opens, zone) }) : word("offer", "soon");
  if (offer.state !== "open") return word("offer", offer.state);
  return [offer.left !== null && offer.left !== undefined ? t("claim.left", { n: whole(offer.left) }) : "", offer.closes ? t("claim.closes", { at: until(offer.closes, zone) }) : ""].filter(Boolean).join(" · ");
}

function Confirm({ me, offer, again, onClose }: { me: Me; offer: Offer; again: () => void; onClose: () => void }) {
  const what = `claim/${offer.offer}`;
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Refusal | undefined>(() => (open(me.id, what) ? new Refusal(0, "unreachable", "") : undefined));
  const [done, setDone] = useState<Claimed>();
  const lost = fault !== undefined && unsure(fault);
  const close = () => {
    if (done || (fault && !lost)) again();
    onClose();
  };
  const claim = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      setDone(await meant<Claimed>(me.id, what, "/v1/me/claims", { offer: offer.offer }));
    } catch (error) {
      setFault(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  if (done)
    return (
      <Sheet title={t("claim.done")} onClose={close}>
        <p role="status">{t("claim.done_say", { name: named(offer.name, offer.offer) })}</p>
        {offer.kind === "chance" ? null : list(done.codes).length > 0 ? <p class="number centre">{list(done.codes).join("\u3000")}</p> : null}
        <a class="button go wide" href={offer.kind === "chance" ? "#/draws" : "#/coupons"} onClick={close}>
          {offer.kind === "chance" ? t("claim.to_draws") : t("claim.to_coupons")}
        </a>
        <button type="button" class="button wide" onClick={close}>
          {t("close")}
        </button>
      </Sheet>
    );
  const after = me.points.shown - offer.points;
  return (
    <Sheet title={named(offer.name, offer.offer)} stays={busy} onClose={close}>
      {offer.about ? <p class="quiet">{named(offer.about, "")}</p> : null}
      {offer.points > 0 && !fault ? (
        <dl class="facts">
          <div>
            <dt>{t("claim.pay")}</dt>
            <dd class="strong gold">{t("claim.price", { n: whole(offer.points) })}</dd>
          </div>
          <div>
            <dt>{t("claim.after")}</dt>
            <dd>{t("claim.price", { n: whole(after) })}</dd>
          </div>
        </dl>
      ) : null}
      {fault ? (
        <p class={lost ? "note gold" : "note bad"} role="alert">
          {lost ? t("claim.lost") : REFUSED.includes(fault.code) ? t(`claim.refused.${fault.code}`) : said(fault)}
        </p>
      ) : null}
      {fault && !lost && REFUSED.includes(fault.code) ? null : (
        <button type="button" class="button go wide" disabled={busy} onClick={() => void claim()}>
          {busy ? t("claim.busy") : lost ? t("claim.ask") : offer.points > 0 ? t("claim.sure", { n: whole(offer.points) }) : t("claim.take")}
        </button>
      )}
      <button type="button" class="button wide" disabled={busy} onClick={close}>
        {t("close")}
      </button>
    </Sheet>
  );
}

/** Offers with what each costs and how it stands, and a press that asks once more. */
export function Stall({ me, offers, zone, again }: { me: Me; offers: readonly Offer[]; zone: string; again: () => void }) {
  const [chosen, setChosen] = useState<Offer>();
  return (
    <>
      <ul class="list stall">
        {offers.map((offer) => {
          const waits = open(me.id, `claim/${offer.offer}`);
          return (
            <li key={offer.offer} class="row">
              <div class="grow">
                <p class="strong">{named(offer.name, offer.offer)}</p>
                {offer.about ? <p class="quiet">{named(offer.about, "")}</p> : null}
                <p class="why">
                  <span class="gold strong">{price(offer)}</span> <span>{say(offer, zone)}</span>
                </p>
              </div>
              {offer.state === "open" || waits ? (
                <button type="button" class="button small" onClick={() => setChosen(offer)} aria-label={t("claim.of", { name: named(offer.name, offer.offer) })}>
                  {waits ? t("claim.ask_short") : offer.points > 0 ? t("claim.swap") : t("claim.take")}
                </button>
              ) : null}
            </li>
          );
        })}
      </ul>
      {chosen ? <Confirm key={chosen.offer} me={me} offer={chosen} again={again} onClose={() => setChosen(undefined)} /> : null}
    </>
  );
}

