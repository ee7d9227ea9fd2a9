//! What WeChat Pay told, or its bill shows: payments confirm orders and say how they were paid, refunds take back what orders earned.
//!
//! Who pays is known by the openid of an app, who buys by what the till or the shop knows. So where the order is in the record, what is
//! told of its payment is about whoever's order it is. An order that is not there yet is waited for a while, since tills report within
//! seconds; then the payment is told of whoever paid, and the order takes over what was said of it when it comes (semantics 6).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use zhiyin_model::effect::{Order, OrderStatus};
use zhiyin_model::event::names;
use zhiyin_model::id::{IdKey, OrderId};
use zhiyin_model::time::Ts;
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_reach::wxpay::news::{GivenBack, PayNews, Payment};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState, arrival_id};
use zhiyin_store::{Home, StoreError, Wanted, seal};

use super::work::Outcome;
use crate::command::Whom;
use crate::{Engine, Result};

/// How long an order is waited for before a payment is told of whoever paid, in microseconds.
const WAITED_US: i64 = 60_000_000;
/// How soon it is looked for again, in microseconds: half as long as it waits already.
const AGAIN_US: i64 = 2_000_000;
const AGAIN_US_MAX: i64 = 3_600_000_000;
/// After so long it is not looked for any more by itself.
pub(super) const GIVEN_UP_US: i64 = 3 * 86_400_000_000;
/// Why something waits for its order.
const NO_ORDER: &str = "order_unknown";

/// Something to work on.
struct Told {
    account: String,
    news: PayNews,
    order: Option<OrderId>,
}

pub(super) fn order_id(key: &IdKey, namespace: &str, number: &str) -> OrderId {
    key.derive("order", &[namespace.as_bytes(), number.as_bytes()])
}

impl Engine {
    /// Works on these.
    pub(super) async fn work_on_pays(&self, lent: &[Arrival], wall: Ts) -> Result<Vec<Outcome>> {
        let home = self.home().await?;
        let mut told: Vec<std::result::Result<Told, Outcome>> = Vec::with_capacity(lent.len());
        for arrival in lent {
            told.push(match self.pay_told(&home, arrival).await? {
                Ok(one) => Ok(one),
                Err((state, why)) => Err((state, arrival.due, Some(why.to_owned()))),
            });
        }
        let ids: Vec<OrderId> = told.iter().flatten().filter_map(|one| one.order).collect();
        let found = self.store().load(Wanted { orders: ids, ..Wanted::default() }).await?.orders;
        let orders: BTreeMap<OrderId, Order> = found.into_iter().map(|order| (order.id, order)).collect();
        let mut outcomes = Vec::with_capacity(lent.len());
        for (arrival, one) in lent.iter().zip(told) {
            outcomes.push(match one {
                Err(outcome) => outcome,
                Ok(one) => {
                    let order = one.order.and_then(|id| orders.get(&id));
                    self.work_on_pay(&home, &one, order, (arrival, wall)).await?
                }
            });
        }
        Ok(outcomes)
    }

    /// What an arrival says, and of which order.
    async fn pay_told(
        &self,
        home: &Home,
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
            PayNews::Paid(paid) => Some((paid.namespace.clone(), paid.order.clone())),
            PayNews::Refunded(back) => match &back.order {
                Some(order) => Some((back.namespace.clone(), order.clone())),
                None => self.order_of_payment(home, arrival, back).await?,
            },
            PayNews::Transferred(_) | PayNews::Packed(_) => None,
        };
        let order = number.map(|(namespace, number)| order_id(&home.id_key, &namespace, &number));
        Ok(Ok(Told { account, news, order }))
    }

    /// The order of a payment of which it is known: what was told of it is kept for a while.
    async fn order_of_payment(
        &self,
        home: &Home,
        arrival: &Arrival,
        back: &GivenBack,
    ) -> Result<Option<(String, String)>> {
        let Some(known_by) = back.payment_key.as_ref().filter(|_| arrival.channel == CHANNEL) else {
            return Ok(None);
        };
        let id = arrival_id(&home.id_key, CHANNEL, known_by.as_bytes());
        let Some(paid) = self.store().coupons().campaigns().arrivals().arrival(id).await? else {
            return Ok(None);
        };
        let body = match seal::open(&paid.body) {
            Err(StoreError::Erased) => return Ok(None),
            body => body?,
        };
        Ok(match read(&body) {
            Some((_, PayNews::Paid(paid))) => Some((paid.namespace, paid.order)),
            _ => None,
        })
    }

    async fn work_on_pay(
        &self,
        home: &Home,
        told: &Told,
        order: Option<&Order>,
        (arrival, wall): (&Arrival, Ts),
    ) -> Result<Outcome> {
        match &told.news {
            PayNews::Transferred(moved) => {
                self.look_at_payout(&told.account, &moved.bill, wall).await?;
                Ok((ArrivalState::Done, arrival.due, None))
            }
            PayNews::Packed(one) => Ok(match self.came_into_pack(&told.account, one, wall).await? {
                Some(why) => (ArrivalState::Failed, arrival.due, Some(why.to_owned())),
                None => (ArrivalState::Done, arrival.due, None),
            }),
            PayNews::Paid(paid) => self.work_on_paid(home, (told, paid), order, (arrival, wall)).await,
            PayNews::Refunded(back) => {
                let placed = order.filter(|order| order.status != OrderStatus::Announced);
                let Some(owner) = self.owner(placed).await? else { return Ok(waits(arrival, wall)) };
                let (Some(number), namespace) = (self.number(home, told, arrival).await?, &back.namespace)
                else {
                    return Ok(waits(arrival, wall));
                };
                let mut properties = of_refund(back, &told.account);
                drop(properties.insert("order_id".to_owned(), number.into()));
                if !namespace.is_empty() {
                    drop(properties.insert("order_namespace".to_owned(), namespace.as_str().into()));
                }
                let name = if back.counts { names::ORDER_REFUNDED } else { "Payment Refunded" };
                let id = format!("refunded-{}", back.refund);
                let item = Item { name, id, at: back.at, names: &[owner] };
                self.put_of_pay(home, &item, properties, arrival).await
            }
        }
    }

    /// A payment is told of whoever's order it is. Where that is not there it is told of whoever paid, and looked at again: an order that
    /// came in between belongs to somebody else, and did not take anything over.
    async fn work_on_paid(
        &self,
        home: &Home,
        (told, paid): (&Told, &Payment),
        order: Option<&Order>,
        (arrival, wall): (&Arrival, Ts),
    ) -> Result<Outcome> {
        let is_announced = order.is_some_and(|order| order.status == OrderStatus::Announced);
        if is_announced && order.is_some_and(|order| order.terms.method.is_some()) {
            // When the order comes it takes over how it was paid.
            return Ok((ArrivalState::Done, arrival.due, None));
        }
        let owner = self.owner(order.filter(|_| !is_announced)).await?;
        let item = |id, names| Item { name: names::ORDER_PAID, id, at: paid.at, names };
        let properties = of_payment(paid, &told.account);
        match (owner, &paid.payer) {
            (Some(owner), payer) => {
                let mut names = vec![owner];
                names.extend(payer.iter().filter(|_| paid.payer_is_buyer).cloned());
                let item = item(format!("paid-{}", paid.transaction), &names);
                self.put_of_pay(home, &item, properties, arrival).await
            }
            (None, _) if wall.0 - arrival.at.0 < WAITED_US => Ok(waits(arrival, wall)),
            (None, Some(payer)) => {
                let names = [payer.clone()];
                let item = item(format!("paid-{}-by-payer", paid.transaction), &names);
                match self.put_of_pay(home, &item, properties, arrival).await? {
                    (ArrivalState::Done, ..) if wall.0 - arrival.at.0 < GIVEN_UP_US => {
                        Ok(waits(arrival, wall))
                    }
                    told => Ok(told),
                }
            }
            (None, None) => Ok(waits(arrival, wall)),
        }
    }

    /// The number of a refund's order.
    async fn number(&self, home: &Home, told: &Told, arrival: &Arrival) -> Result<Option<String>> {
        let PayNews::Refunded(back) = &told.news else { return Ok(None) };
        match &back.order {
            Some(order) => Ok(Some(order.clone())),
            None => Ok(self.order_of_payment(home, arrival, back).await?.map(|(_, number)| number)),
        }
    }

    /// A name of whoever's order it is.
    pub(super) async fn owner(&self, order: Option<&Order>) -> Result<Option<(String, String)>> {
        let Some(order) = order else { return Ok(None) };
        let named = self.name_of(&Whom::Id(order.member), order.member, "order").await?;
        Ok(named.ok().map(|name| (name.namespace, name.value)))
    }

    async fn put_of_pay(
        &self,
        home: &Home,
        item: &Item<'_>,
        properties: Map<String, Value>,
        arrival: &Arrival,
    ) -> Result<Outcome> {
        let at = Ts(item.at.saturating_mul(1_000_000)).plus_us(home.offset_us);
        let names: Vec<Value> =
            item.names.iter().map(|(namespace, value)| json!({"id": value, "type": namespace})).collect();
        let item = json!({
            "type": "track", "event": item.name, "messageId": item.id, "timestamp": at.rfc3339(),
            "context": {"externalIds": names}, "properties": properties,
        });
        let refused = self.put(CHANNEL, &[item.to_string().into_bytes()]).await?;
        Ok(match refused {
            Some(why) => (ArrivalState::Failed, arrival.due, Some(why.to_owned())),
            None => (ArrivalState::Done, arrival.due, None),
        })
    }
}

/// An item to put into the inbox.
struct Item<'a> {
    name: &'static str,
    id: String,
    at: i64,
    names: &'a [(String, String)],
}

fn read(body: &str) -> Option<(String, PayNews)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let account = body.get("account")?.as_str()?.to_owned();
    Some((account, serde_json::from_value(body).ok()?))
}

fn of_payment(paid: &Payment, account: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    put("order_id", paid.order.as_str().into());
    if !paid.namespace.is_empty() {
        put("order_namespace", paid.namespace.as_str().into());
    }
    put("payment_method", paid.method.as_str().into());
    put("total", major(paid.total).into());
    put("currency", paid.currency.as_str().into());
    put("payment", paid.transaction.as_str().into());
    put("trade_type", paid.trade_type.as_str().into());
    put("account_of", account.into());
    properties
}

fn of_refund(back: &GivenBack, account: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| drop(properties.insert(name.to_owned(), value));
    put("total", major(back.amount).into());
    put("currency", back.currency.as_str().into());
    put("payment", back.transaction.as_str().into());
    put("refund", back.refund.as_str().into());
    put("account_of", account.into());
    properties
}

/// Fen as yuan, exactly.
fn major(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

/// It is looked for again, later each time; after days it is for people to see to.
pub(super) fn waits(arrival: &Arrival, wall: Ts) -> Outcome {
    let age_us = wall.0 - arrival.at.0;
    if age_us >= GIVEN_UP_US {
        return (ArrivalState::Failed, arrival.due, Some(NO_ORDER.to_owned()));
    }
    let rest_us = (age_us / 2).clamp(AGAIN_US, AGAIN_US_MAX);
    (ArrivalState::Waiting, wall.plus_us(rest_us), Some(NO_ORDER.to_owned()))
}
