//! What shops told, or their lists show: an order as it stands becomes events of the record, the same ones that a till would send.
//!
//! An order is told whole each time, with the version that it has there, so what comes late changes nothing and what comes again is known
//! (semantics 6). A shop knows its customers by names of its own; where the order is in the record already, since a till or a payment told
//! of it, what the shop tells is of whoever's order it is. Money that went back, and orders that are not wanted any more, wait until the
//! record has the order: so they are told of its owner, too, whoever that turns out to be.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use zhiyin_model::effect::{Order, OrderStatus};
use zhiyin_model::event::{ITEM_BYTES_MAX, Identifier, names};
use zhiyin_model::id::{IdKey, MemberId, OrderId};
use zhiyin_model::identifier::normalise;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::PaidRule;
use zhiyin_model::time::Ts;
use zhiyin_reach::shops::ShopNews;
use zhiyin_reach::shops::news::{Asked, ShopCustomer, ShopOrder, ShopRefund, ShopRefunded, Stage, Wish};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState, arrival_id};
use zhiyin_store::{Home, StoreError, Wanted, seal};

use super::pays::{GIVEN_UP_US, order_id, waits};
use super::work::Outcome;
use crate::accept::{REUSED, Verdict};
use crate::{Engine, Result};

/// How money that went back is called where it takes nothing back.
const NOTED: &str = "Payment Refunded";
/// How long an order is waited for that says of a refund what the refund says of itself, in microseconds.
const TOLD_WITHIN_US: i64 = 60_000_000;
/// Why nothing is made of something whose people nobody can tell.
const NOBODY: &str = "nobody_named";

/// What a piece of news is worked on with.
struct At<'a> {
    home: &'a Home,
    channel: &'static str,
    account: &'a str,
    arrival: &'a Arrival,
    wall: Ts,
}

impl At<'_> {
    /// An instant of the shop's, in microseconds, as business time.
    fn time(&self, at: i64) -> Ts {
        Ts(at).plus_us(self.home.offset_us)
    }

    fn outcome(&self, state: ArrivalState, why: Option<&str>) -> Outcome {
        (state, self.arrival.due, why.map(str::to_owned))
    }

    fn done(&self, why: Option<&str>) -> Outcome {
        self.outcome(ArrivalState::Done, why)
    }

    /// What an order is called among ids of messages: shops of several accounts may number alike.
    fn called(&self, namespace: &str, number: &str) -> OrderId {
        let parts = [self.channel, self.account, namespace, number].map(str::as_bytes);
        self.home.id_key.derive("order of a shop", &parts)
    }
}

type Names = Vec<Identifier>;

/// What an arrival says.
struct Told {
    account: String,
    news: ShopNews,
    /// The order that it is of: its number, and its id in the record.
    order: Option<(String, OrderId)>,
}

impl Engine {
    /// Works on these.
    pub(super) async fn work_on_shops(
        &self,
        channel: &'static str,
        lent: &[Arrival],
        wall: Ts,
    ) -> Result<Vec<Outcome>> {
        let home = self.home().await?;
        let mut told = Vec::with_capacity(lent.len());
        for arrival in lent {
            told.push(self.shop_told(&home, channel, arrival).await?);
        }
        let orders = told.iter().flatten().filter_map(|told| told.order.as_ref());
        let ids: Vec<OrderId> = orders.map(|(_, id)| *id).collect();
        let found = self.store().load(Wanted { orders: ids, ..Wanted::default() }).await?.orders;
        let orders: BTreeMap<OrderId, Order> = found.into_iter().map(|order| (order.id, order)).collect();
        let mut outcomes = Vec::with_capacity(lent.len());
        for (arrival, one) in lent.iter().zip(told) {
            let Told { account, news, order: number } = match one {
                Ok(told) => told,
                Err((state, why)) => {
                    outcomes.push((state, arrival.due, Some(why.to_owned())));
                    continue;
                }
            };
            let at = At { home: &home, channel, account: &account, arrival, wall };
            let order = number.as_ref().and_then(|(_, id)| orders.get(id));
            outcomes.push(match &news {
                ShopNews::Order(told) => self.work_on_order(&at, told, order).await?,
                ShopNews::Refunded(back) => match &number {
                    Some((number, _)) => self.work_on_refunded(&at, back, number, order).await?,
                    None => may_wait(&at),
                },
                ShopNews::Numbered { .. } => at.done(None),
                ShopNews::Customer(who) => self.work_on_shop_customer(&at, who).await?,
                ShopNews::Asked(asked) => self.work_on_wish(&at, asked).await?,
                ShopNews::Unread(fault) => at.outcome(ArrivalState::Failed, Some(&fault.to_string())),
            });
        }
        Ok(outcomes)
    }

    /// What an arrival says, of which account, and of which order.
    async fn shop_told(
        &self,
        home: &Home,
        channel: &str,
        arrival: &Arrival,
    ) -> Result<std::result::Result<Told, (ArrivalState, &'static str)>> {
        let body = match seal::open(&arrival.body) {
            Err(StoreError::Erased) => return Ok(Err((ArrivalState::Dropped, "erased"))),
            body => body?,
        };
        let Some((account, news)) = read(&body) else {
            return Ok(Err((ArrivalState::Failed, "unreadable")));
        };
        let number = match &news {
            ShopNews::Order(order) => Some((order.namespace.clone(), order.number.clone())),
            ShopNews::Refunded(back) => match (&back.order, &back.numbered_key) {
                (Some(order), _) => Some((back.namespace.clone(), order.clone())),
                (None, Some(known_by)) => {
                    let number = self.number_told(home, channel, known_by).await?;
                    number.map(|number| (back.namespace.clone(), number))
                }
                (None, None) => None,
            },
            _ => None,
        };
        let order = number.map(|(namespace, number)| {
            let id = order_id(&home.id_key, &namespace, &number);
            (number, id)
        });
        Ok(Ok(Told { account, news, order }))
    }

    /// The number of an order that a shop told of before by its own id.
    async fn number_told(&self, home: &Home, channel: &str, known_by: &str) -> Result<Option<String>> {
        let id = arrival_id(&home.id_key, channel, known_by.as_bytes());
        let Some(told) = self.store().coupons().campaigns().arrivals().arrival(id).await? else {
            return Ok(None);
        };
        let body = match seal::open(&told.body) {
            Err(StoreError::Erased) => return Ok(None),
            body => body?,
        };
        Ok(match read(&body) {
            Some((_, ShopNews::Numbered { number })) => Some(number),
            _ => None,
        })
    }

    /// Names that can be such, of what a shop says.
    fn shop_names(said: &[(String, String)]) -> Names {
        let kept = said.iter().filter_map(|(namespace, value)| {
            let value = normalise(namespace, value).ok()?;
            Some(Identifier { namespace: namespace.clone(), value })
        });
        kept.collect()
    }

    /// Under which names something of an order is told: a name of whoever's it is, with those of the shop's that are nobody else's.
    async fn names_of_order(
        &self,
        said: &[(String, String)],
        owner: Option<MemberId>,
        order: Option<&Order>,
    ) -> Result<Names> {
        let names = Self::shop_names(said);
        let Some(owner) = owner else { return Ok(names) };
        let borne = self.borne(&names).await?;
        let is_others = |n: usize| borne.iter().any(|(at, member)| *at == n && *member != owner);
        let own = names.into_iter().enumerate().filter(|(n, _)| !is_others(*n)).map(|(_, name)| name);
        let named = self.owner(order).await?.map(|(namespace, value)| Identifier { namespace, value });
        let mut all: Names = named.into_iter().collect();
        for name in own {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        Ok(all)
    }

    async fn work_on_order(&self, at: &At<'_>, told: &ShopOrder, order: Option<&Order>) -> Result<Outcome> {
        let placed = order.filter(|order| order.status == OrderStatus::Placed);
        let names = self.names_of_order(&told.names, placed.map(|order| order.member), placed).await?;
        if names.is_empty() {
            // Somebody bought and left no name; if a till knows better, it says so.
            return Ok(at.done(Some(NOBODY)));
        }
        let called = at.called(&told.namespace, &told.number);
        if told.stage == Stage::Cancelled {
            return self.work_on_cancelled(at, told, (order, placed), &names).await;
        }
        if !told.counts {
            return Ok(at.done(Some("not_paid_yet")));
        }
        let known = placed.and_then(|order| order.terms.version);
        // What changed within one instant of the shop's clock is told, be it in the wrong order; but once.
        let is_known = known
            .is_some_and(|known| known > told.version || (known == told.version && at.arrival.tries > 1));
        let hash = blake3::hash(json!(told).to_string().as_bytes()).to_hex();
        let fingerprint = hash.get(..8).unwrap_or_default();
        // Whoever took the money knows better how it was paid.
        let method = told.method.clone().filter(|_| order.is_none_or(|order| order.terms.method.is_none()));
        let told = &ShopOrder { method, ..told.clone() };
        if !is_known && let Some(why) = self.tell_of_order(at, told, &names, fingerprint).await? {
            return Ok(at.outcome(ArrivalState::Failed, Some(why)));
        }
        if told.refunds.is_empty() {
            return Ok(at.done(None));
        }
        // Whose it turns out to be is what the record says.
        if placed.is_none() {
            let is_cancelled = order.is_some_and(|order| order.status == OrderStatus::Cancelled);
            return Ok(if is_cancelled { at.done(None) } else { waits(at.arrival, at.wall) });
        }
        let with_all = self.live()?.rules.paid == PaidRule::Total;
        let of = (told.namespace.as_str(), told.number.as_str());
        let items = told.refunds.iter().zip(amounts(told, with_all)).map(|(refund, amounts)| {
            let item = refund_item(&called, refund, told.refunds_count, at, &names);
            item.with(of_refund(at, of, told.currency.as_deref(), amounts))
        });
        let verdicts = self.verdicts(at.channel, &items.collect::<Vec<_>>()).await?;
        Ok(match verdicts.into_iter().find_map(refused) {
            Some(why) => at.outcome(ArrivalState::Failed, Some(why)),
            None => at.done(None),
        })
    }

    /// Tells of an order as it stands, and that it is paid; the name of what is wrong with that. The first time it is `Order Completed`, and
    /// whatever else comes under its id is the order as it stands at another time.
    async fn tell_of_order(
        &self,
        at: &At<'_>,
        told: &ShopOrder,
        names: &[Identifier],
        fingerprint: &str,
    ) -> Result<Option<&'static str>> {
        let called = at.called(&told.namespace, &told.number);
        let item = |name, id, at| Item { name, id, at, names };
        let completed = item(names::ORDER_COMPLETED, format!("completed-{called}"), at.time(told.at));
        let mut items = vec![completed.whole_or_without_lines(of_order(at, told))];
        if told.stage == Stage::Paid {
            let paid = item(names::ORDER_PAID, format!("paid-{called}"), at.time(told.at));
            items.push(paid.with(of_payment(at, told)));
        }
        let mut verdicts = self.verdicts(at.channel, &items).await?.into_iter();
        let first = match verdicts.next() {
            Some(Verdict::Refused(refusal)) if refusal.code == REUSED => {
                let id = format!("updated-{called}-{}-{fingerprint}", told.version);
                let updated = item(names::ORDER_UPDATED, id, at.time(told.version));
                self.put(at.channel, &[updated.whole_or_without_lines(of_order(at, told))]).await?
            }
            Some(verdict) => refused(verdict),
            None => None,
        };
        Ok(first.or_else(|| verdicts.find_map(refused)))
    }

    /// An order that is not wanted any more is told of whoever's it is; where nobody knows that yet, of whoever the shop says, and looked at
    /// again: somebody else's may have come in between.
    async fn work_on_cancelled(
        &self,
        at: &At<'_>,
        told: &ShopOrder,
        (order, placed): (Option<&Order>, Option<&Order>),
        names: &[Identifier],
    ) -> Result<Outcome> {
        if order.is_some_and(|order| order.status == OrderStatus::Cancelled) {
            return Ok(at.done(None));
        }
        let called = at.called(&told.namespace, &told.number);
        let suffix = if placed.is_some() { "" } else { "-by-buyer" };
        let id = format!("cancelled-{called}{suffix}");
        let item = Item { name: names::ORDER_CANCELLED, id, at: at.time(told.version), names };
        let mut properties = of_number(at, &told.namespace, &told.number);
        properties.insert("channel".to_owned(), told.channel.as_str().into());
        if let Some(why) = self.put(at.channel, &[item.with(properties)]).await? {
            return Ok(at.outcome(ArrivalState::Failed, Some(why)));
        }
        Ok(if placed.is_some() { at.done(None) } else { may_wait(at) })
    }

    /// Money that went back, told by itself: what of it is for goods a shop may not say, so it takes no more than is left.
    async fn work_on_refunded(
        &self,
        at: &At<'_>,
        back: &ShopRefunded,
        number: &str,
        order: Option<&Order>,
    ) -> Result<Outcome> {
        let Some(placed) = order.filter(|order| order.status == OrderStatus::Placed) else {
            let is_cancelled = order.is_some_and(|order| order.status == OrderStatus::Cancelled);
            return Ok(if is_cancelled { at.done(None) } else { may_wait(at) });
        };
        let names = self.names_of_order(&[], Some(placed.member), Some(placed)).await?;
        if names.is_empty() {
            return Ok(at.done(Some(NOBODY)));
        }
        let refund = &back.refund;
        if refund.parts.is_some() && at.wall.0 - at.arrival.at.0 < TOLD_WITHIN_US {
            // A shop that says so much tells the order, too, which says it better: then this is known.
            return Ok(waits(at.arrival, at.wall));
        }
        let live = self.live()?;
        let left = live.rules.currency.to_major(Money(placed.paid.0 - placed.refunded.0));
        let of_goods = match refund.parts {
            Some((shipping, tax)) if live.rules.paid != PaidRule::Total => refund.total - shipping - tax,
            _ => refund.total,
        };
        let amounts = if of_goods >= left {
            Amounts { total: None, parts: None }
        } else {
            Amounts { total: Some(refund.total), parts: refund.parts }
        };
        let called = at.called(&back.namespace, number);
        let item = refund_item(&called, refund, back.counts, at, &names);
        let properties = of_refund(at, (&back.namespace, number), back.currency.as_deref(), amounts);
        let why = self.put(at.channel, &[item.with(properties)]).await?;
        Ok(match why {
            Some(why) => at.outcome(ArrivalState::Failed, Some(why)),
            None => at.done(None),
        })
    }

    async fn work_on_shop_customer(&self, at: &At<'_>, who: &ShopCustomer) -> Result<Outcome> {
        let names = Self::shop_names(&who.names);
        if names.is_empty() {
            return Ok(at.done(Some(NOBODY)));
        }
        let hash = blake3::hash(json!(who).to_string().as_bytes()).to_hex();
        let item = json!({
            "type": "identify", "messageId": format!("customer-{}", hash.get(..32).unwrap_or_default()),
            "timestamp": at.time(who.at).rfc3339(), "context": {"externalIds": external(&names)}, "traits": who.traits,
        });
        let why = self.put(at.channel, &[item.to_string().into_bytes()]).await?;
        Ok(match why {
            Some(why) => at.outcome(ArrivalState::Failed, Some(why)),
            None => at.done(None),
        })
    }

    /// Erasing is for people to do, who know whether somebody is a member by more than this shop: it waits for them among what failed,
    /// until nobody bears the name any more.
    async fn work_on_wish(&self, at: &At<'_>, asked: &Asked) -> Result<Outcome> {
        let why = match asked.wish {
            Wish::ShopErasure => return Ok(at.outcome(ArrivalState::Failed, Some("shop_erasure_asked"))),
            Wish::Data => "data_asked",
            Wish::Erasure => "erasure_asked",
        };
        let names = Self::shop_names(&asked.names);
        Ok(match self.borne(&names).await?.first() {
            // The member's id names nobody to whoever cannot look it up.
            Some((_, member)) => at.outcome(ArrivalState::Failed, Some(&format!("{why}: {member}"))),
            None => at.done(Some(NOBODY)),
        })
    }
}

/// An item to put into the inbox.
struct Item<'a> {
    name: &'static str,
    id: String,
    at: Ts,
    names: &'a [Identifier],
}

impl Item<'_> {
    /// As it is put there.
    fn with(&self, properties: Map<String, Value>) -> Vec<u8> {
        let item = json!({
            "type": "track", "event": self.name, "messageId": self.id, "timestamp": self.at.rfc3339(),
            "context": {"externalIds": external(self.names)}, "properties": properties,
        });
        item.to_string().into_bytes()
    }

    /// The same, without its lines where they are more than an item may say: what was paid is said all the same.
    fn whole_or_without_lines(&self, mut properties: Map<String, Value>) -> Vec<u8> {
        let whole = self.with(properties.clone());
        if whole.len() <= ITEM_BYTES_MAX {
            return whole;
        }
        drop(properties.remove("products"));
        self.with(properties)
    }
}

/// How much of a refund is told: all that is left, where no total is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Amounts {
    total: Option<Decimal>,
    parts: Option<(Decimal, Decimal)>,
}

/// What is wrong with an item; the same id is the same news.
fn refused(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Refused(refusal) if refusal.code != REUSED => Some(refusal.code),
        _ => None,
    }
}

/// It is looked for again, later each time; after days nobody misses it: what belongs to no order that anybody counts.
fn may_wait(at: &At<'_>) -> Outcome {
    if at.wall.0 - at.arrival.at.0 >= GIVEN_UP_US {
        return at.outcome(ArrivalState::Dropped, Some("order_unknown"));
    }
    waits(at.arrival, at.wall)
}

fn read(body: &str) -> Option<(String, ShopNews)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let account = body.get("account")?.as_str()?.to_owned();
    Some((account, serde_json::from_value(body).ok()?))
}

fn external(names: &[Identifier]) -> Vec<Value> {
    names.iter().map(|name| json!({"id": name.value, "type": name.namespace})).collect()
}

fn of_number(at: &At<'_>, namespace: &str, number: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    put("order_id", number.into());
    if !namespace.is_empty() {
        put("order_namespace", namespace.into());
    }
    put("account_of", at.account.into());
    properties
}

fn of_payment(at: &At<'_>, told: &ShopOrder) -> Map<String, Value> {
    let mut properties = of_number(at, &told.namespace, &told.number);
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    put("total", told.total.to_string().into());
    put("channel", told.channel.as_str().into());
    told.currency.iter().for_each(|currency| put("currency", currency.as_str().into()));
    told.method.iter().for_each(|method| put("payment_method", method.as_str().into()));
    properties
}

fn of_order(at: &At<'_>, told: &ShopOrder) -> Map<String, Value> {
    let mut properties = of_payment(at, told);
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    put("order_version", told.version.into());
    if !told.shipping.is_zero() {
        put("shipping", told.shipping.to_string().into());
    }
    if !told.tax.is_zero() {
        put("tax", told.tax.to_string().into());
    }
    told.store.iter().for_each(|store| put("store_id", store.as_str().into()));
    if !told.lines.is_empty() {
        let lines = told.lines.iter().map(|line| {
            let mut product = json!({"product_id": line.product, "quantity": line.quantity.to_string()});
            if let Some(paid) = line.paid {
                product["paid"] = paid.to_string().into();
            }
            if let Some(category) = &line.category {
                product["category"] = category.as_str().into();
            }
            product
        });
        put("products", lines.collect());
    }
    properties
}

fn refund_item<'n>(
    called: &OrderId,
    refund: &ShopRefund,
    counts: bool,
    at: &At<'_>,
    names: &'n [Identifier],
) -> Item<'n> {
    let name = if counts { names::ORDER_REFUNDED } else { NOTED };
    let id = short(&at.home.id_key, &refund.id);
    Item { name, id: format!("refunded-{called}-{id}"), at: at.time(refund.at), names }
}

/// A number of any length, as a part of an id of a message.
fn short(key: &IdKey, number: &str) -> String {
    let id: OrderId = key.derive("refund of a shop", &[number.as_bytes()]);
    id.to_string()
}

fn of_refund(
    at: &At<'_>,
    (namespace, number): (&str, &str),
    currency: Option<&str>,
    amounts: Amounts,
) -> Map<String, Value> {
    let mut properties = of_number(at, namespace, number);
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    currency.into_iter().for_each(|currency| put("currency", currency.into()));
    if let Some(total) = amounts.total {
        put("total", total.to_string().into());
        if let Some((shipping, tax)) = amounts.parts {
            put("shipping", shipping.to_string().into());
            put("tax", tax.to_string().into());
        }
    }
    properties
}

/// What each refund of an order takes back: no more than is left of what counts, and the one by which all that was paid has gone back takes
/// what is left. `with_all`, where shipping and tax count as well.
fn amounts(told: &ShopOrder, with_all: bool) -> Vec<Amounts> {
    let counted = if with_all { told.total } else { told.total - told.shipping - told.tax };
    let (mut sum, mut taken) = (Decimal::ZERO, Decimal::ZERO);
    let each = told.refunds.iter().map(|refund| {
        sum += refund.total;
        let others =
            refund.parts.filter(|_| !with_all).map_or(Decimal::ZERO, |(shipping, tax)| shipping + tax);
        let takes = (refund.total - others).min(counted - taken).max(Decimal::ZERO);
        taken += takes;
        if sum >= told.total {
            return Amounts { total: None, parts: None };
        }
        Amounts { total: Some(takes + others), parts: refund.parts }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(total: &str, shipping: &str, refunds: &[(&str, Option<(&str, &str)>)]) -> ShopOrder {
        let decimal = |text: &str| -> Decimal { text.parse().unwrap() };
        let refunds = refunds.iter().enumerate().map(|(n, (total, parts))| ShopRefund {
            id: n.to_string(),
            at: 0,
            total: decimal(total),
            parts: parts.map(|(shipping, tax)| (decimal(shipping), decimal(tax))),
        });
        ShopOrder {
            number: "1".to_owned(),
            namespace: String::new(),
            version: 0,
            at: 0,
            stage: Stage::Paid,
            counts: true,
            method: None,
            currency: None,
            total: decimal(total),
            shipping: decimal(shipping),
            tax: Decimal::ZERO,
            lines: Vec::new(),
            channel: "online".to_owned(),
            store: None,
            refunds: refunds.collect(),
            refunds_count: true,
            names: Vec::new(),
        }
    }

    #[test]
    fn a_refund_takes_back_goods_and_the_last_one_all_that_is_left() {
        let shown = |order: &ShopOrder| -> Vec<String> {
            let each = amounts(order, false).into_iter();
            each.map(|one| one.total.map_or_else(|| "rest".to_owned(), |total| total.to_string())).collect()
        };
        assert_eq!(shown(&order("110", "10", &[("30", None), ("80", None)])), ["30", "rest"]);
        // Shipping went back before the rest did.
        assert_eq!(shown(&order("110", "10", &[("60", None), ("45", None)])), ["60", "40"]);
        assert_eq!(shown(&order("110", "10", &[("40", Some(("10", "0"))), ("20", None)])), ["40", "20"]);
        assert_eq!(shown(&order("110", "10", &[("110", Some(("10", "0")))])), ["rest"]);
        // More than goods cost, though the shop says that none of it is for anything else.
        assert_eq!(
            shown(&order("110", "10", &[("60", Some(("0", "0"))), ("45", Some(("0", "0")))])),
            ["60", "40"]
        );
    }
}
