//! Orders: what they earn, what a refund takes back (R1, R2, semantics 5–8).
//!
//! An order earns once per (namespace, number), whoever reports it. What it earned by is kept with it, so that a
//! refund or a correction uses the order's own terms.

mod amount;
mod lines;

use zhiyin_condition::{OrderRow, Retract, Row};
use zhiyin_model::effect::{Order, OrderChange, OrderStatus, OrderTerms};
use zhiyin_model::event::{Event, OrderFacts};
use zhiyin_model::id::OrderId;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Combine;
use zhiyin_model::time::Day;

use crate::ledger::{self, Lifetime, Purpose};
use crate::outcome::{Known, Missing, Outcome, Stop};
use crate::rules::EarnRule;
use crate::state::{State, View};
use crate::{Scene, event_row, takeover, tier};

pub use amount::scaled;
pub(crate) use lines::returned_of;
pub use lines::{row, row_then};

/// The id of the order that facts speak of.
pub fn id(key: &zhiyin_model::id::IdKey, facts: &OrderFacts) -> OrderId {
    key.derive("order", &[facts.namespace.as_bytes(), facts.number.as_bytes()])
}

fn facts(event: &Event) -> Result<&OrderFacts, Stop> {
    event.order.as_ref().ok_or_else(|| {
        Stop::refused("order_id_missing", "properties.order_id", "an order event names its order")
    })
}

/// The order the event speaks of, if it exists; another member's is refused, unless it was only announced or cancelled
/// under their name: who pays may be known otherwise than who buys.
fn existing<'a>(state: &State, known: &'a Known) -> Result<Option<&'a Order>, Stop> {
    match &known.order {
        Some(order) if order.member != state.member.id && order.status == OrderStatus::Placed => {
            Err(Stop::refused(
                "order_of_another_member",
                "properties.order_id",
                "this order belongs to another member",
            ))
        }
        order => Ok(order.as_ref()),
    }
}

/// `Order Completed` and `Order Updated`: the first earns, later ones adjust by difference. Where a source counts versions of an order, one
/// that is lower than what is known changes nothing.
pub fn completed(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let facts = facts(event)?;
    let before = existing(state, known)?;
    if before.is_some_and(|order| comes_late(order, facts)) {
        amount::check_currency(scene, facts)?;
        return Ok(());
    }
    let says_nothing = facts.amounts.total.is_none() && facts.lines.is_empty();
    let paid = match before {
        // A report that names no amounts leaves them as they are.
        Some(order) if order.status == OrderStatus::Placed && says_nothing => {
            amount::check_currency(scene, facts)?;
            order.paid
        }
        _ => amount::paid(scene, facts)?,
    };
    match before {
        Some(order) if order.status == OrderStatus::Cancelled => Ok(()),
        Some(order) if order.status == OrderStatus::Placed => {
            adjust(scene, state, known, event, out, order, paid)
        }
        before => place(scene, state, known, event, out, before, paid),
    }
}

/// Whether the order is known as its source told it later.
fn comes_late(order: &Order, facts: &OrderFacts) -> bool {
    order.status == OrderStatus::Placed
        && facts.version.zip(order.terms.version).is_some_and(|(said, known)| said < known)
}

fn place(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
    before: Option<&Order>,
    paid: Money,
) -> Result<(), Stop> {
    let facts = facts(event)?;
    let mut order = Order {
        id: id(scene.key, facts),
        member: state.member.id,
        time: event.time,
        store: event.store.clone(),
        channel: event.channel.clone(),
        paid,
        refunded: Money::ZERO,
        status: OrderStatus::Placed,
        event: scene.cause.id,
        terms: OrderTerms {
            method: facts.method.clone().or_else(|| before.and_then(|order| order.terms.method.clone())),
            version: facts.version,
            ..OrderTerms::default()
        },
    };
    let row = lines::row(&scene.rules.currency, &order, event)?;
    if !takeover::is_before(state, event) {
        terms(scene, state, known, event, &row, &mut order.terms)?;
        // A checkout that was made this order gave it so many times the points.
        let given = before.map_or(0, |order| order.terms.times);
        order.terms.times = match scene.rules.points.combine {
            _ if given == 0 => order.terms.times,
            Combine::Largest => order.terms.times.max(given),
            Combine::Multiply => {
                let product = u64::from(order.terms.times) * u64::from(given) / 1000;
                u32::try_from(product).unwrap_or(u32::MAX)
            }
        };
    }
    order.terms.expires_at = scene.rules.expiry(event.time);
    grant(scene, state, known, out, &mut order, (paid, false))?;
    state.leaves.observe(&scene.rules.leaves, Row::Order(&row));
    out.order = Some(order);
    Ok(())
}

/// What the order earns by, at its own time, by the tier held then.
fn terms(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    event: &Event,
    row: &OrderRow,
    terms: &mut OrderTerms,
) -> Result<(), Stop> {
    let tier = tier::at(state, known, event.time)?;
    let event_row = event_row(event);
    let view = View { state, tier: tier.as_deref(), event: Some(&event_row), order: Some(row) };
    let holds = |conditions: &[zhiyin_condition::Condition]| {
        conditions
            .iter()
            .all(|condition| zhiyin_condition::holds(condition, &scene.rules.leaves, &view, event.time).0)
    };
    let base = |rules: &[EarnRule]| -> Vec<(i64, i64)> {
        rules
            .iter()
            .filter(|rule| holds(&rule.conditions))
            .map(|rule| (rule.amount, rule.per_major))
            .collect()
    };
    if !scene.rules.earn_nothing.is_empty() && holds(&scene.rules.earn_nothing) {
        return Ok(());
    }
    terms.points = base(&scene.rules.points.earn);
    terms.growth = base(&scene.rules.growth);
    let times = scene.rules.points.times.iter().filter(|rule| holds(&rule.conditions));
    terms.times = match scene.rules.points.combine {
        Combine::Largest => times.map(|rule| rule.thousandths).max().unwrap_or(1000),
        Combine::Multiply => times.fold(1000u64, |product, rule| {
            (product * u64::from(rule.thousandths) / 1000).min(u64::from(u32::MAX))
        }) as u32,
    };
    Ok(())
}

/// Brings what is kept of an order to what `base` is worth by its own terms, both ways. `base` is what was paid and
/// did not come back; where it is lower than before the order earns nothing more, though other orders of its day may have left
/// it room since.
fn grant(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    order: &mut Order,
    (base, lowers): (Money, bool),
) -> Result<(), Stop> {
    let major = base.0.max(0) / scene.rules.currency.minor_per_major();
    let day = scene.rules.zone.day(order.time);
    let worth = capped(scene, state, order, day, scaled(&order.terms.points, major, order.terms.times)?);
    let points = if lowers { worth.min(order.terms.points_kept) } else { worth };
    let growth = scaled(&order.terms.growth, major, 1000)?;
    let takes = (order.terms.points_kept - points).max(0);
    ledger::ask_take_back(state, known, takes, &order.terms.lots)?;
    if points > order.terms.points_kept {
        let life = Lifetime {
            active_at: crate::points::active_at(scene, order.time),
            expires_at: order.terms.expires_at,
        };
        let purpose = Purpose { order: Some(order.id), ..Purpose::default() };
        let amount = points - order.terms.points_kept;
        let lot =
            ledger::earn(scene, state, out, zhiyin_model::effect::TransferKind::Earn, amount, life, purpose);
        order.terms.lots.push(lot);
    }
    let own = order.terms.lots.clone();
    ledger::take_back(scene, state, known, out, takes, &own, order.id);
    ledger::book_growth(scene, state, out, growth - order.terms.growth_kept, day, order.id);
    note_earned(scene, state, day, points - order.terms.points_kept);
    order.terms.points_kept = points;
    order.terms.growth_kept = growth;
    Ok(())
}

/// What orders of a day earned lies beside how often offers were used, under a name that no offer has.
const EARNED: &str = "@earned";

/// What an order may keep of what it is worth, where a day's orders earn no more than so much: what its day's other orders keep
/// leaves it the rest. Days more than a month before the member's last are not remembered, and their orders stand alone.
fn capped(scene: &Scene<'_>, state: &State, order: &Order, day: Day, points: i64) -> i64 {
    let Some(most) = scene.rules.points.most_per_day else { return points };
    let kept = state.member.holdings.used.get(EARNED).map_or(0, |tally| i64::from(tally.on(day)));
    points.min((most - (kept - order.terms.points_kept).max(0)).max(0))
}

fn note_earned(scene: &Scene<'_>, state: &mut State, day: Day, change: i64) {
    if scene.rules.points.most_per_day.is_none() || change == 0 {
        return;
    }
    let tallies = &mut state.member.holdings.used;
    let tally = tallies.entry(EARNED.to_owned()).or_default();
    let n = u32::try_from(change.unsigned_abs()).unwrap_or(u32::MAX);
    if change > 0 {
        tally.add(day, n)
    } else {
        tally.take_back(day, n)
    }
    if tally.days.is_empty() {
        tallies.remove(EARNED);
    }
}

/// A later report of a placed order: the difference is booked.
fn adjust(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
    before: &Order,
    paid: Money,
) -> Result<(), Stop> {
    let facts = facts(event)?;
    if before.refunded > paid {
        return Err(exceeds(before.refunded, paid));
    }
    let mut order = Order { paid, ..before.clone() };
    if facts.method.is_some() {
        order.terms.method.clone_from(&facts.method);
    }
    order.terms.version = facts.version.max(before.terms.version);
    let lines_event = lines_event(known, before)?;
    let new_event = if facts.lines.is_empty() {
        lines_event
    } else {
        order.event = scene.cause.id;
        lines::carry_returned(&mut order, lines_event, event)?;
        event
    };
    let was = lines::row(&scene.rules.currency, before, lines_event)?;
    let is = lines::row(&scene.rules.currency, &order, new_event)?;
    change(scene, state, known, out, before, order, (&was, &is))
}

/// Writes a changed order: history first (it may need a rebuild), then what it keeps.
fn change(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    before: &Order,
    mut order: Order,
    (was, is): (&OrderRow, &OrderRow),
) -> Result<(), Stop> {
    let mut leaves = state.leaves.clone();
    if before.counts() && (!order.counts() || was != is) {
        let gone = leaves.retract(&scene.rules.leaves, Row::Order(was));
        if gone == Retract::Rebuild {
            let history = known.history.as_ref().ok_or(Stop::Missing(Missing::History))?;
            leaves = rebuild(scene.rules, history, Some(order.id));
        }
    }
    if order.counts() && (!before.counts() || was != is) {
        leaves.observe(&scene.rules.leaves, Row::Order(is));
    }
    let base = if order.status == OrderStatus::Cancelled {
        Money::ZERO
    } else {
        Money(order.paid.0 - order.refunded.0)
    };
    let lowers = base.0 < before.paid.0 - before.refunded.0;
    grant(scene, state, known, out, &mut order, (base, lowers))?;
    state.leaves = leaves;
    let stood = |order: &Order, at, first| OrderChange {
        order: order.id,
        at,
        paid: order.paid,
        refunded: order.refunded,
        counts: order.counts(),
        first,
    };
    if (before.paid, before.refunded, before.counts()) != (order.paid, order.refunded, order.counts()) {
        out.order_changes.push(stood(before, before.time, true));
        out.order_changes.push(stood(&order, scene.at, false));
    }
    if *before != order {
        out.order = Some(order);
    }
    Ok(())
}

/// A member's aggregates built anew from history, without one order.
pub fn rebuild(
    rules: &crate::rules::Rules,
    history: &crate::outcome::History,
    without: Option<OrderId>,
) -> zhiyin_condition::LeafStates {
    let mut leaves = rules.leaves.fresh();
    for (_, row) in history.orders.iter().filter(|(id, _)| Some(*id) != without) {
        leaves.observe(&rules.leaves, Row::Order(row));
    }
    for row in &history.events {
        leaves.observe(&rules.leaves, Row::Event(row));
    }
    leaves
}

/// `Order Paid`: a payment notice confirms an order and names its method; it never earns. An order that is placed is told of by whoever's it
/// is: what a payer of another name pays for leaves it as it is, and is told again in the buyer's name by whoever knows both.
pub fn paid(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let facts = facts(event)?;
    amount::check_currency(scene, facts)?;
    let mut order = match &known.order {
        Some(order) if order.member != state.member.id && order.status == OrderStatus::Placed => {
            return Ok(());
        }
        Some(order) => order.clone(),
        None => unplaced(scene, state, event, OrderStatus::Announced)?,
    };
    if facts.method.is_some() {
        order.terms.method.clone_from(&facts.method);
    }
    if known.order.as_ref() != Some(&order) {
        out.order = Some(order);
    }
    Ok(())
}

/// `Order Refunded`: whole, by amount, or by line (semantics 8).
pub fn refunded(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let facts = facts(event)?;
    amount::check_currency(scene, facts)?;
    let before = match existing(state, known)? {
        Some(order) if order.status == OrderStatus::Placed => order,
        Some(order) if order.status == OrderStatus::Cancelled => {
            return Err(Stop::refused(
                "order_cancelled",
                "properties.order_id",
                "a cancelled order has nothing to refund",
            ));
        }
        _ => return Err(unknown_order()),
    };
    let lines_event = lines_event(known, before)?;
    let mut order = before.clone();
    let returned = lines::take_returned(&mut order, lines_event, facts)?;
    let comes_back = amount::refund(scene, before, facts, lines_event, &returned)?;
    order.refunded = Money(before.refunded.0 + comes_back.0);
    let whole = if facts.lines.is_empty() {
        facts.amounts.total.is_none()
    } else {
        lines::none_left(&order, lines_event)
    };
    if order.paid == Money::ZERO && whole {
        // Nothing was paid, so nothing comes back; but wholly refunded it is, and counts no longer.
        order.status = OrderStatus::Cancelled;
    }
    if order.refunded > order.paid {
        return Err(exceeds(order.refunded, order.paid));
    }
    let was = lines::row(&scene.rules.currency, before, lines_event)?;
    let is = lines::row(&scene.rules.currency, &order, lines_event)?;
    change(scene, state, known, out, before, order, (&was, &is))
}

/// `Order Cancelled`: takes all back; a report that comes after it earns nothing.
pub fn cancelled(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    match existing(state, known)? {
        None => out.order = Some(unplaced(scene, state, event, OrderStatus::Cancelled)?),
        Some(order) if order.status == OrderStatus::Announced => {
            out.order = Some(Order { status: OrderStatus::Cancelled, ..order.clone() });
        }
        Some(order) if order.status == OrderStatus::Placed => {
            let lines_event = lines_event(known, order)?;
            let row = lines::row(&scene.rules.currency, order, lines_event)?;
            let after = Order { status: OrderStatus::Cancelled, ..order.clone() };
            change(scene, state, known, out, order, after, (&row, &row))?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// An order we have heard of, but not from who placed it.
fn unplaced(scene: &Scene<'_>, state: &State, event: &Event, status: OrderStatus) -> Result<Order, Stop> {
    Ok(heard_of(scene, state, event, id(scene.key, facts(event)?), status))
}

/// The same of an order of this id.
pub(crate) fn heard_of(
    scene: &Scene<'_>,
    state: &State,
    event: &Event,
    id: OrderId,
    status: OrderStatus,
) -> Order {
    Order {
        id,
        member: state.member.id,
        time: event.time,
        store: event.store.clone(),
        channel: event.channel.clone(),
        paid: Money::ZERO,
        refunded: Money::ZERO,
        status,
        event: scene.cause.id,
        terms: OrderTerms::default(),
    }
}

fn lines_event<'a>(known: &'a Known, order: &Order) -> Result<&'a Event, Stop> {
    known.order_event.as_ref().ok_or(Stop::Missing(Missing::OrderLines(order.id)))
}

fn unknown_order() -> Stop {
    Stop::refused("order_unknown", "properties.order_id", "no such order has come in yet; retry once it has")
}

fn exceeds(refunded: Money, paid: Money) -> Stop {
    let message = format!("{refunded} in minor units would have come back of {paid} paid");
    Stop::refused("refund_exceeds_paid", "properties.total", message)
}
