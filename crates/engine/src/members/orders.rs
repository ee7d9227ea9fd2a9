//! A member's orders with their lines, and their lots of points.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_model::effect::{Asset, Lot, Order, OrderStatus};
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::{LotsWanted, PastEvent, seal};

use super::{NamesView, of_member, unless_forever};
use crate::boxed;
use crate::me::said;
use crate::places::Tree;
use crate::sight::{self, Cursors, Page, ReadProblem, sees_all};
use crate::{Engine, Result, clock, rebuild};

/// How many events of the timeline are looked at for one page.
const LOOK_MAX: usize = 2_000;
/// How many at once.
const AT_ONCE: usize = 500;
/// The most lines of an order that are shown.
const LINES_MAX: usize = 200;

/// The most characters of what a product is called.
const NAME_CHARS_MAX: usize = 200;

/// What is asked of a member's orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersAsked {
    /// How many, 1 to 200.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderView {
    /// Its id.
    pub id: String,
    /// What its source calls it; nothing, where that is not kept any more or may not be shown.
    pub number: Option<String>,
    /// When it was placed.
    pub at: String,
    /// Where.
    pub store: Option<String>,
    /// What that store is called, where a place bears its code.
    pub store_name: Option<NamesView>,
    /// Through what.
    pub channel: Option<String>,
    /// How it was paid.
    pub method: Option<String>,
    /// Where it stands: `announced` by a payment notice, `placed`, `cancelled`, or `taken_over` for the sum of what came from an old system.
    pub status: String,
    /// Whether it counts in history.
    pub counts: bool,
    /// What was paid, in minor units.
    pub paid_minor: i64,
    /// What came back of it, in minor units.
    pub refunded_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Points of it that were granted and not taken back.
    pub points: i64,
    /// Growth likewise.
    pub growth: i64,
    /// Its lines, the first 200; nothing, where they are not kept any more.
    pub lines: Option<Vec<OrderLineView>>,
}

/// A line of an order, as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderLineView {
    /// Product code.
    pub product: String,
    /// What its source calls it, where it says so.
    pub name: Option<String>,
    /// Category, as the source names it.
    pub category: Option<String>,
    /// Department, as the source names it.
    pub department: Option<String>,
    /// Pieces, an exact decimal.
    pub quantity: String,
    /// What the line cost, an exact decimal in major units, as it was told.
    pub amount: Option<String>,
    /// Pieces that came back, in thousandths.
    pub returned_thousandths: i64,
}

/// What is asked of a member's lots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LotsAsked {
    /// How many, 1 to 200.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// What one earning of points left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LotView {
    /// What is left.
    pub remaining: i64,
    /// What it was.
    pub granted: i64,
    /// From when it can be spent.
    pub active_at: String,
    /// Whether it can be spent now.
    pub is_active: bool,
    /// When it is gone; nothing, if never.
    pub expires_at: Option<String>,
}

/// Lots as they are shown: (remaining, granted, active from, expires).
pub(super) fn lot((remaining, granted, active_at, expires_at): &(i64, i64, Ts, Ts), now: Ts) -> LotView {
    LotView {
        remaining: *remaining,
        granted: *granted,
        active_at: active_at.rfc3339(),
        is_active: *active_at <= now,
        expires_at: unless_forever(*expires_at),
    }
}

fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Announced => "announced",
        OrderStatus::Placed => "placed",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::TakenOver => "taken_over",
    }
}

/// What products are called by an order's source, line by line: no decision needs it, so it is read out of what was told.
fn products(past: &PastEvent) -> Vec<Option<String>> {
    let body = seal::open(&past.body).ok().and_then(|body| serde_json::from_str::<Value>(&body).ok());
    let lines = body.as_ref().and_then(|body| body.pointer("/properties/products")).and_then(Value::as_array);
    let name = |line: &Value| {
        let name = line.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
        name.map(|name| name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect())
    };
    lines.into_iter().flatten().take(LINES_MAX).map(name).collect()
}

fn view(order: &Order, past: &PastEvent, (currency, tree): (&str, &Tree), mask: Mask) -> OrderView {
    // What was erased, let go or is not in its file tells nothing.
    let kept = !seal::is_erased(&past.body) && !past.body.0.is_empty();
    let told = kept.then(|| rebuild::read(past).ok()).flatten().and_then(|event| event.order);
    let returned =
        |n: usize| order.terms.returned.iter().find(|(line, _)| *line as usize == n).map_or(0, |(_, n)| *n);
    let mut names = if kept { products(past) } else { Vec::new() };
    let lines = told.as_ref().map(|facts| {
        names.resize(facts.lines.len(), None);
        let lines = facts.lines.iter().take(LINES_MAX).enumerate().map(|(n, line)| OrderLineView {
            product: line.product.clone(),
            name: names.get(n).cloned().flatten(),
            category: line.category.clone(),
            department: line.department.clone(),
            quantity: line.quantity.to_string(),
            amount: line.amount().map(|amount| amount.to_string()),
            returned_thousandths: returned(n),
        });
        lines.collect()
    });
    let number = told.map(|facts| facts.number).filter(|number| !number.is_empty());
    OrderView {
        id: order.id.to_string(),
        number: number.and_then(|number| mask.identifier("order", &number)),
        at: order.time.rfc3339(),
        store: order.store.clone(),
        store_name: order.store.as_deref().and_then(|code| said::store(tree, code)),
        channel: order.channel.clone(),
        method: order.terms.method.clone(),
        status: status(order.status).to_owned(),
        counts: order.counts(),
        paid_minor: order.paid.0,
        refunded_minor: order.refunded.0,
        currency: currency.to_owned(),
        points: order.terms.points_kept,
        growth: order.terms.growth_kept,
        lines,
    }
}

impl Engine {
    /// A page of a member's orders, the latest decided first. Who is bound to places sees the orders that were made there,
    /// whosever they are; of a member who has none there they learn nothing, not even whether there is such a member.
    #[boxed]
    pub async fn member_orders(
        &self,
        grant: &Grant,
        id: &str,
        asked: &OrdersAsked,
    ) -> Result<Page<OrderView>> {
        let limit = sight::limit(asked.limit)?;
        let filter = self.filter(grant, Operation::OrdersRead).await?;
        let key = self.home().await?.id_key;
        let reading = self.store().reading();
        let given = MemberId::from_hex(id).ok_or(ReadProblem::Nobody)?;
        let member = match reading.root(given).await? {
            Some(root) => root,
            None => given,
        };
        if sees_all(&filter) && reading.members(vec![member]).await?.is_empty() {
            return Err(ReadProblem::Nobody.into());
        }
        let (live, tree) = (self.live()?, self.places().await?);
        let cursors = Cursors::of(&key, of_member("orders", member, json!(grant.place)));
        let mut from = cursors.number(asked.cursor.as_deref())?;
        let (mut items, mut looked) = (Vec::new(), 0);
        loop {
            let left = limit - items.len();
            let part = reading.orders_part(member, from, (left, AT_ONCE)).await?;
            let part = part.ok_or(ReadProblem::Cursor)?;
            looked += AT_ONCE;
            let shown = part.rows.iter().filter(|(order, _)| filter.admits(order.store.as_deref(), None));
            let beside = (live.rules.currency.code.as_str(), tree.as_ref());
            items.extend(shown.map(|(order, past)| view(order, past, beside, filter.mask)));
            let Some(next) = part.next else { break };
            // Where nothing may be seen nobody learns how long a life is: looking ends where it would for nobody.
            if items.len() == limit || (looked >= LOOK_MAX && (sees_all(&filter) || !items.is_empty())) {
                return Ok(Page { items, next: Some(cursors.text(&next.to_be_bytes())) });
            }
            if looked >= LOOK_MAX {
                break;
            }
            from = Some(next);
        }
        Ok(Page { items, next: None })
    }

    /// A page of a member's open lots of points, in the order in which they are spent.
    #[boxed]
    pub async fn member_lots(&self, grant: &Grant, id: &str, asked: &LotsAsked) -> Result<Page<LotView>> {
        let limit = sight::limit(asked.limit)?;
        let (_, member) = self.seen(grant, Operation::MemberRead, id).await?;
        let home = self.home().await?;
        let cursors = Cursors::of(&home.id_key, of_member("lots", member.id, json!(null)));
        let from = usize::try_from(cursors.number(asked.cursor.as_deref())?.unwrap_or(0));
        let from = from.map_err(|_| ReadProblem::Cursor)?;
        let mut lots = self.store().lots(member.id, LotsWanted::Covering(i64::MAX)).await?;
        lots.retain(|one| one.asset == Asset::Points);
        let now = clock::now(&home);
        let of = |one: &Lot| lot(&(one.remaining, one.granted, one.active_at, one.expires_at), now);
        let items: Vec<LotView> = lots.iter().skip(from).take(limit).map(of).collect();
        let end = from.saturating_add(items.len());
        let next = (end < lots.len()).then(|| cursors.text(&(end as i64).to_be_bytes()));
        Ok(Page { items, next })
    }
}
