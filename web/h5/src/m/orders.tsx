// What one bought.
import { useRead } from "../shared/ask";
import { digits, money, whole } from "../shared/format";
import { Empty } from "../shared/parts";
import { t, word } from "../shared/words";
import { list, named, Pages, read, stamp, useBrand } from "./bits";
import { decimal, orderState } from "./rules";
import type { Line, Order, Paged } from "./types";

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
            const lines = list(one.lines);
            const in_ = one.currency || currency;
            const state = orderState(one);
            const price = (line: Line) => {
              const amount = decimal(line.amount);
              return amount === undefined ? "" : money(Math.round(amount * 10 ** digits(in_)), in_);
            };
            return (
              <li key={one.id} class="card order">
                <div class="between">
                  <span class="strong">{one.store ? named(one.store_name, t("orders.store", { store: one.store })) : t("orders.online")}</span>
                  {state ? <span class={`pill ${state === "taken_over" ? "" : "gold"}`}>{word("order", state)}</span> : null}
                </div>
                <div class="between">
                  <span class="quiet">{stamp(one.at, zone)}</span>
                  <span class="strong figure">{money(one.paid_minor, in_)}</span>
                </div>
                {one.refunded_minor || one.points ? (
                  <p class="why">{[one.points ? t("orders.points", { n: whole(one.points) }) : "", one.refunded_minor ? t("orders.back", { money: money(one.refunded_minor, in_) }) : ""].filter(Boolean).join(" · ")}</p>
                ) : null}
                {lines.length > 0 ? (
                  <details>
                    <summary class="quiet">{t("orders.items", { n: whole(lines.length) })}</summary>
                    <ul class="list">
                      {lines.map((line, at) => (
                        <li key={`${line.product} ${at}`} class="between">
                          <span>
                            {line.name ?? line.product} <span class="quiet">× {decimal(line.quantity) ?? line.quantity}</span>
                          </span>
                          <span>{price(line)}</span>
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
