// What was taken without a network, and what became of it.
import { money, moment } from "../shared/format";
import { Empty } from "../shared/parts";
import { t, word } from "../shared/words";
import type { Till } from "./state";

export function Wait({ till }: { till: Till }) {
  if (till.broken) return <p class="note bad" role="alert">{t("wait.broken")}</p>;
  if (till.waiting.length === 0) return <Empty title={t("wait.none")} say={t("wait.none_say")} />;
  return (
    <>
      <p class="quiet">{t("wait.say")}</p>
      <ul class="card list">
        {till.waiting.map((one) => (
          <li key={one.id} class="stack">
            <div class="between">
              <span>
                {word("kind", one.about.kind)} <span class={one.state === "refused" ? "pill bad" : "pill"}>{t(one.state === "refused" ? "wait.refused" : "wait.waiting")}</span>
                <br />
                <span class="quiet">
                  {one.about.of} · {moment(one.at)}
                </span>
              </span>
              <strong>{one.about.minor === undefined ? "" : money(one.about.minor, one.about.currency ?? till.currency)}</strong>
            </div>
            {one.by === till.session.person.id ? null : <p class="why">{t("wait.of", { name: one.byName })}</p>}
            {one.state === "refused" ? (
              <>
                <p class="note bad">{one.said || one.code}</p>
                <button type="button" class="button small" onClick={() => void till.drop(one.id)}>
                  {t("wait.drop")}
                </button>
              </>
            ) : null}
          </li>
        ))}
      </ul>
      {till.waiting.some((one) => one.state === "waiting") ? (
        <button type="button" class="button go wide" disabled={till.sending} onClick={() => void till.sendAll()}>
          {t("send_now")}
        </button>
      ) : null}
    </>
  );
}
