// What one bought.
import { useRead } from "../shared/ask";
import { money, whole } from "../shared/format";
import { Empty } from "../shared/parts";
import { t, word } from "../shared/words";
import { list, Pages, read, stamp, useBrand } from "./bits";
import type { Order, Paged } from "./types";

export function Orders() {
  const orders = useRead("orders", read<Paged<Order>>("/v1/me/orders"));
  const { zone, currency } = useBrand();
  return (
    <Pages
      of={orders}
      path="/v1/me/orders"
      empty={
        <Empty title={t("orders.none")} say={t("orders.none_say")}>
          <a class="button go wide" href="#/card">
            {t("home.show")}
          </a>
        </Empty>
      }
    >
      {(items) => (
        <ul class="stack">
          {items.map((one) => {
            const lines = list(one.items);
            const in_ = one.currency ?? currency;
            return (
              <li key={one.id} class="card order">
                <div class="between">
                  <span class="strong">{one.store ?? t("orders.online")}</span>
                  {one.state === "placed" ? null : <span class={`pill ${/refund|cancel|return/.test(one.state) ? "bad" : ""}`}>{word("order", one.state)}</span>}
                </div>
                <div class="between">
                  <span class="quiet">{stamp(one.at, zone)}</span>
                  <span class="strong figure">{money(one.paid_minor, in_)}</span>
                </div>
                {lines.length > 0 ? (
                  <details>
                    <summary class="quiet">{t("orders.items", { n: whole(lines.reduce((all, line) => all + line.quantity, 0)) })}</summary>
                    <ul class="list">
                      {lines.map((line, at) => (
                        <li key={`${line.product} ${at}`} class="between">
                          <span>
                            {line.name ?? line.product} <span class="quiet">× {whole(line.quantity)}</span>
                          </span>
                          <span>{money(line.paid_minor, in_)}</span>
                        </li>
                      ))}
                    </ul>
                    {one.number ? <p class="why">{t("orders.number", { n: one.number })}</p> : null}
                  </details>
                ) : one.number ? (
                  <p class="why">{t("orders.number", { n: one.number })}</p>
                ) : null}
              </li>
            );
          })}
        </ul>
      )}
    </Pages>
  );
}
