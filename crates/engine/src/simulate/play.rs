//! One member after the other under two sets of rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_condition::{Condition, Leaves, Row, holds};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::{State, View};
use zhiyin_decide::{Cause, Scene, order, reach_version};
use zhiyin_model::effect::{Asset, OrderStatus};
use zhiyin_model::event::{Event, names};
use zhiyin_model::id::{IdKey, MemberId, OrderId};
use zhiyin_model::member::Member;
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::Worth;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::{Course, CourseStep, Refused};
use zhiyin_store::{OWN_SOURCE, seal};

use super::life::{Item, Life, Side, World};
use super::tally::{GroupSum, Grouping, Tally};
use super::till::{self, Where};
use crate::{Result, rebuild};

/// What every part of members is replayed by.
pub(super) struct Frame {
    pub(super) key: IdKey,
    /// From when on the changed rules hold, and what happens is summed up; and the last instant.
    pub(super) from: Ts,
    pub(super) end: Ts,
    /// Whether any offer is charged.
    pub(super) charges: bool,
    pub(super) stores: BTreeMap<String, Where>,
    /// Items that were refused, by member, each member's by place.
    pub(super) refused: BTreeMap<MemberId, Vec<Refused>>,
    pub(super) worth: Option<Worth>,
    pub(super) currency: Currency,
}

/// Audiences by name, with leaves of their own.
pub(super) struct Audiences {
    pub(super) named: Vec<(String, Condition)>,
    pub(super) leaves: Leaves,
}

/// Replays members, and sums up.
pub(super) struct Player {
    pub(super) frame: Arc<Frame>,
    pub(super) live: Side,
    pub(super) changed: Side,
    pub(super) audiences: Arc<Audiences>,
    pub(super) tally: Tally,
}

/// A member's life under either set of rules.
struct Pair {
    live: Life,
    /// From [`Frame::from`] on.
    changed: Option<Life>,
}

/// What comes to a member.
enum Turn<'c> {
    /// An event that was decided.
    Step(&'c CourseStep),
    /// An item that was refused. What was due by its moment fired before it, which is all that it changed.
    Refused(&'c Refused),
}

impl Turn<'_> {
    /// Up to which instant timers fire before it.
    fn moment(&self) -> Ts {
        match self {
            Self::Step(step) => step.clock.max(step.event.time),
            Self::Refused(refused) => refused.clock.max(refused.time),
        }
    }
}

/// What an event said. Coupons that somebody issued or took back are left out of it: here members hold what offers give them.
fn event_of(step: &CourseStep) -> Result<Event> {
    let mut event = rebuild::read(&step.event)?;
    match event.name.as_str() {
        names::COUPON_ISSUED => drop(event.properties.remove("offer")),
        names::COUPON_WITHDRAWN => drop(event.properties.remove("coupon")),
        names::CHECKOUT_LOCKED
        | names::CHECKOUT_REDEEMED
        | names::CHECKOUT_CANCELLED
        | names::CHECKOUT_RETURNED => event.checkout = None,
        names::TILL_LEASED | names::TILL_RETURNED => drop(event.properties.remove("lease")),
        _ => {}
    }
    Ok(event)
}

/// What came to a member, in the order in which it was looked at: a refused item before those at later places. What another's
/// decision said comes right after that, wherever its own place is.
fn turns<'c>(course: &'c Course, refused: &'c [Refused]) -> Vec<Turn<'c>> {
    let mut refused = refused.iter().filter(|refused| refused.name != names::MEMBERS_UNMERGED).peekable();
    let mut turns = Vec::with_capacity(course.steps.len());
    for step in &course.steps {
        let is_item = step.source != OWN_SOURCE;
        while let Some(before) = refused.next_if(|refused| is_item && refused.seq < step.event.seq) {
            turns.push(Turn::Refused(before));
        }
        turns.push(Turn::Step(step));
    }
    turns.extend(refused.map(Turn::Refused));
    turns
}

fn says_who_is_whom(step: &CourseStep) -> bool {
    let name = step.event.name.as_str();
    let own = step.source == OWN_SOURCE && [names::MEMBERS_MERGED, names::MEMBER_JOINED].contains(&name);
    own || name == names::MEMBERS_UNMERGED
}

fn speaks_of_order(name: &str) -> bool {
    matches!(
        name,
        names::ORDER_COMPLETED | names::ORDER_UPDATED | names::ORDER_REFUNDED | names::ORDER_CANCELLED
    )
}

impl Player {
    /// Replays a part of members.
    pub(super) fn play_all(&mut self, courses: &[Course]) -> Result<()> {
        courses.iter().try_for_each(|course| self.play(course))
    }

    fn play(&mut self, course: &Course) -> Result<()> {
        let frame = Arc::clone(&self.frame);
        let world = World { key: &frame.key, member: course.member.id, from: frame.from };
        self.tally.read += 1;
        let gone = |step: &CourseStep| seal::is_erased(&step.event.body);
        if course.steps.iter().any(|step| gone(step) && speaks_of_order(&step.event.name)) {
            self.tally.erased += 1;
            return Ok(());
        }
        let mut turns = turns(course, frame.refused.get(&course.member.id).map_or(&[][..], Vec::as_slice));
        let joined = course.steps.iter().any(says_who_is_whom);
        if joined {
            // As one person from the beginning, under either set of rules.
            self.tally.joined += 1;
            turns.retain(|turn| matches!(turn, Turn::Step(step) if !says_who_is_whom(step)));
            turns.sort_by_key(Turn::moment);
        }
        let mut pair = Pair { live: Life::default(), changed: None };
        // Who goes on beyond the time that is looked at, as far as the record goes.
        let mut beyond: Option<Life> = None;
        for turn in turns {
            let moment = turn.moment();
            let is_within = moment <= frame.end;
            if !is_within && joined {
                continue;
            }
            let item = match turn {
                Turn::Refused(_) => None,
                Turn::Step(step) if gone(step) => {
                    self.tally.untold += i64::from(is_within);
                    continue;
                }
                Turn::Step(step) => {
                    let event = Arc::new(event_of(step)?);
                    Some(Item { id: step.event.id, clock: step.clock, event })
                }
            };
            if !is_within && beyond.is_none() {
                beyond = Some(pair.live.clone());
            }
            if let Some(life) = &mut beyond {
                life.goes_on(world.silent(), &mut self.live, moment, item.as_ref())?;
            }
            if is_within {
                if pair.changed.is_none() && moment >= frame.from {
                    self.fork(world, &mut pair)?;
                }
                self.one(world, &mut pair, moment, item.as_ref())?;
            }
        }
        if pair.live.state.is_none() {
            return Ok(());
        }
        if pair.changed.is_none() {
            self.fork(world, &mut pair)?;
        }
        let until = course.member.decided_until;
        if until <= frame.end && beyond.is_none() && !joined {
            pair.live.settle(world, &mut self.live, until)?;
            self.compare(&pair.live, &course.member);
            return self.ends(world, pair).map(drop);
        }
        let ended = self.ends(world, pair)?;
        if !joined {
            let mut life = beyond.unwrap_or(ended);
            life.settle(world.silent(), &mut self.live, until)?;
            self.compare(&life, &course.member);
        }
        Ok(())
    }

    /// Whether the replay under the live rules arrived where the record is.
    fn compare(&mut self, life: &Life, record: &Member) {
        let equal = life.state.as_ref().is_some_and(|state| same(&state.member, record));
        self.tally.compared += 1;
        self.tally.equal += i64::from(equal);
    }

    /// The changed rules hold from now on: they reach the member as a new version would.
    fn fork(&mut self, world: World<'_>, pair: &mut Pair) -> Result<()> {
        let from = self.frame.from;
        pair.live.settle(world, &mut self.live, from.plus_us(-1))?;
        let mut life = pair.live.clone();
        (life.money, life.points) = (0, 0);
        life.purse.keep_known(&self.changed.offering);
        if let Some(state) = &mut life.state {
            let rules = &self.changed.rules;
            state.leaves = order::rebuild(rules, &life.books.history(rules)?, None);
            let today = rules.zone.day(state.member.decided_until);
            state.member.growth_days.clear();
            for order in life.books.orders().filter(|order| order.terms.growth_kept != 0) {
                let day = rules.zone.day(order.time);
                state.member.book_growth(day, order.terms.growth_kept, today, rules.tiers.over_days);
            }
            let id = world.key.derive("playbook", &[world.member.bytes(), b"simulated"]);
            let at = from.max(state.member.known_since).max(state.member.decided_until);
            let cause = Cause { id, name: "", clock: at, replay: true };
            let scene = Scene { rules, key: world.key, cause, at };
            life.books.absorb(&reach_version(&scene, state), None);
        }
        pair.changed = Some(life);
        Ok(())
    }

    /// One event under either set of rules, after what was due by its moment.
    fn one(&mut self, world: World<'_>, pair: &mut Pair, moment: Ts, item: Option<&Item>) -> Result<()> {
        pair.live.settle(world, &mut self.live, moment)?;
        if let Some(life) = &mut pair.changed {
            life.settle(world, &mut self.changed, moment)?;
        }
        let Some(item) = item else { return Ok(()) };
        let id = item.event.order.as_ref().map(|facts| order::id(world.key, facts));
        let reports = matches!(item.event.name.as_str(), names::ORDER_COMPLETED | names::ORDER_UPDATED);
        let placed = |life: &Life, id: OrderId| {
            life.books.order(id).is_some_and(|order| order.status != OrderStatus::Announced)
        };
        let fresh = id.filter(|id| reports && self.frame.charges && !placed(&pair.live, *id));
        let recorded = fresh.and_then(|_| till::cart(&item.event, &self.frame.currency, &self.frame.stores));
        let at = item.event.time;
        let cart = recorded.as_ref().map(|recorded| &recorded.cart);
        let mut of_live = cart.map(|cart| pair.live.charge(world, &mut self.live, cart, at));
        let mut of_changed = match (&mut pair.changed, cart) {
            (Some(life), Some(cart)) => Some(life.charge(world, &mut self.changed, cart, at)),
            _ => None,
        };
        let paid = |life: &Life| id.and_then(|id| life.books.order(id)).map(|order| order.paid.0);
        if let Some(charge) = &mut of_live {
            // The record has what was paid after these.
            charge.at_most(recorded.as_ref().map_or(0, |recorded| recorded.cart.row.total.0));
        }
        pair.live.decide(world, &mut self.live, item, of_live.as_ref())?;
        if let (Some(recorded), Some(paid)) =
            (&recorded, paid(&pair.live).filter(|_| moment >= self.frame.from))
        {
            self.tally.without_lines += i64::from(!recorded.has_lines);
            self.tally.recorded_off += (recorded.cart.row.total.0 - paid).max(0);
        }
        if let Some(life) = &mut pair.changed {
            if let (Some(id), Some(charge)) = (id, &mut of_changed) {
                let before = of_live.as_ref().map_or(0, |live| live.off);
                charge.at_most(paid(&pair.live).unwrap_or(0) + before);
                if charge.off != before {
                    life.less.insert(id, charge.off - before);
                }
            }
            let event = adjusted(&pair.live, life, id, &item.event, &self.frame.currency);
            let changed = event.map(|event| Item { event: Arc::new(event), ..item.clone() });
            life.decide(world, &mut self.changed, changed.as_ref().unwrap_or(item), of_changed.as_ref())?;
            life.settle(world, &mut self.changed, moment)?;
        }
        pair.live.settle(world, &mut self.live, moment)
    }

    /// A member's end: what is left, where they stand, whether they gained. Their life under the live rules.
    fn ends(&mut self, world: World<'_>, mut pair: Pair) -> Result<Life> {
        let end = self.frame.end;
        let Some(mut changed) = pair.changed.take() else { return Ok(pair.live) };
        pair.live.settle(world, &mut self.live, end)?;
        changed.settle(world, &mut self.changed, end)?;
        pair.live.ends(&mut self.live, end);
        changed.ends(&mut self.changed, end);
        self.tally.replayed += 1;
        let level = |life: &Life| {
            let term = life.state.as_ref().and_then(|state| state.member.term.as_ref());
            term.map_or_else(String::new, |term| term.level.clone())
        };
        let tier = level(&pair.live);
        *self.tally.tiers.entry((tier.clone(), level(&changed))).or_default() += 1;
        let money = changed.money - pair.live.money;
        let points = changed.points - pair.live.points;
        let worth = self.frame.worth.map_or(0, |worth| {
            let minor = i128::from(points)
                * i128::from(worth.major)
                * i128::from(self.frame.currency.minor_per_major());
            i64::try_from(minor / i128::from(worth.points.max(1))).unwrap_or(0)
        });
        let value = match (money + worth, self.frame.worth) {
            (0, None) => points.signum(),
            (value, _) => value,
        };
        let mut groups = vec![(Grouping::All, String::new()), (Grouping::Tier, tier)];
        if let Some(stage) = pair.live.state.as_ref().and_then(|state| state.member.stage.as_ref()) {
            groups.push((Grouping::Lifecycle, stage.stage.clone()));
        }
        groups.extend(self.audiences_of(&pair.live, end)?.into_iter().map(|id| (Grouping::Audience, id)));
        for group in groups {
            let sum: &mut GroupSum = self.tally.groups.entry(group).or_default();
            sum.members += 1;
            sum.gain += i64::from(value > 0);
            sum.lose += i64::from(value < 0);
            sum.points += points;
            if value > 0 {
                sum.money_gain += money + worth;
            } else {
                sum.money_lose -= money + worth;
            }
        }
        Ok(pair.live)
    }

    /// The named audiences that somebody is in at an instant.
    fn audiences_of(&self, life: &Life, at: Ts) -> Result<Vec<String>> {
        let Audiences { named, leaves } = &*self.audiences;
        let Some(state) = life.state.as_ref().filter(|_| !named.is_empty()) else { return Ok(Vec::new()) };
        let history = life.books.all_history(&self.live.rules)?;
        let mut states = leaves.fresh();
        for (_, row) in &history.orders {
            states.observe(leaves, Row::Order(row));
        }
        for row in &history.events {
            states.observe(leaves, Row::Event(row));
        }
        let asked = State { member: state.member.clone(), leaves: states };
        let is_in = |condition: &Condition| holds(condition, leaves, &View::of(&asked), at).0;
        Ok(named.iter().filter(|(_, who)| is_in(who)).map(|(id, _)| id.clone()).collect())
    }
}

/// Whether a replay arrived where the record is.
fn same(replayed: &Member, record: &Member) -> bool {
    let accounts = [Asset::Points, Asset::Growth];
    accounts.iter().all(|asset| replayed.account(*asset) == record.account(*asset))
        && replayed.growth_days == record.growth_days
        && replayed.term == record.term
        && replayed.stage == record.stage
}

/// The event as it would have come under the changed rules: less was paid, so less comes back. `None` where it is as it was.
/// The live rules have decided it already.
fn adjusted(
    live: &Life,
    changed: &Life,
    id: Option<OrderId>,
    event: &Event,
    currency: &Currency,
) -> Option<Event> {
    let id = id?;
    let less = *changed.less.get(&id)?;
    let is = live.books.order(id)?;
    let mut event = event.clone();
    let facts = event.order.as_mut()?;
    let major = |minor: i64| currency.to_major(Money(minor));
    match event.name.as_str() {
        names::ORDER_COMPLETED | names::ORDER_UPDATED => {
            let less = major(less.min(is.paid.0));
            match &mut facts.amounts.total {
                Some(total) => *total -= less,
                None if facts.lines.is_empty() => return None,
                None => {
                    let discount = facts.amounts.discount.unwrap_or(Decimal::ZERO) + less;
                    facts.amounts.discount = Some(discount);
                }
            }
        }
        names::ORDER_REFUNDED => {
            let was = changed.books.order(id)?;
            let total = facts.amounts.total.as_mut()?;
            // The same share of what was paid.
            let share = i128::from(is.refunded.0) * i128::from(was.paid.0) / i128::from(is.paid.0.max(1));
            let share = i64::try_from(share).ok()?.min(was.paid.0) - was.refunded.0;
            let beside = facts.amounts.shipping.unwrap_or_default() + facts.amounts.tax.unwrap_or_default();
            *total = major(share.max(0)) + beside;
        }
        _ => return None,
    }
    Some(event)
}

/// Rules that a part of members is replayed by: each part has its own, since multipliers of offers are put into them.
pub(super) fn side(rules: &Rules, offering: &zhiyin_model::playbook::Offering) -> Side {
    Side {
        rules: rules.clone(),
        offering: offering.clone(),
        till: zhiyin_offer::Till::default(),
        sums: super::tally::SideSum::default(),
    }
}
