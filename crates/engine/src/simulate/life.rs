//! One member's life under one set of rules, in memory: events and timers in their order, as the pipeline has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_decide::outcome::{Known, Outcome, Stop};
use zhiyin_decide::rules::{Rules, TimesRule};
use zhiyin_decide::state::{State, View};
use zhiyin_decide::{Cause, Scene, decide, event_row, fall_due, is_counted, order};
use zhiyin_model::effect::{Asset, Order, OrderStatus, TimerKey, TransferKind};
use zhiyin_model::event::Event;
use zhiyin_model::id::{EventId, IdKey, MemberId, OrderId};
use zhiyin_model::member::Term;
use zhiyin_model::playbook::Offering;
use zhiyin_model::run::RunMoveKind;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Cart, Till};
use zhiyin_store::StoreError;

use super::books::Books;
use super::tally::{CampaignSum, MonthSum, SideSum};
use super::till::{Charge, Gives, Purse};
use crate::Result;

/// How often one decision may ask: more is a defect.
const ASKS_MAX: usize = 64;

/// A set of rules, and what it came to so far.
pub(super) struct Side {
    pub(super) rules: Rules,
    pub(super) offering: Offering,
    pub(super) till: Till,
    pub(super) sums: SideSum,
}

/// An event as its decision sees it.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) id: EventId,
    pub(super) clock: Ts,
    pub(super) event: Arc<Event>,
}

impl Item {
    /// Up to which instant timers fire before it.
    pub(super) fn moment(&self) -> Ts {
        self.clock.max(self.event.time)
    }
}

/// What charged offers gave for an order, and what of it came back.
#[derive(Clone, Debug, Default)]
struct GivenFor {
    off: Vec<(String, i64)>,
    back: i64,
    back_of: Vec<i64>,
}

/// A member's life.
#[derive(Clone, Default)]
pub(super) struct Life {
    pub(super) state: Option<State>,
    pub(super) books: Books,
    pub(super) purse: Purse,
    given: BTreeMap<OrderId, GivenFor>,
    /// By how much less an order was paid than the record says.
    pub(super) less: BTreeMap<OrderId, i64>,
    touched_by: BTreeSet<String>,
    /// Of which campaign coupons are that are held or were used.
    coupon_of: BTreeMap<String, String>,
    /// What the member was given in the time that is looked at: money, and points.
    pub(super) money: i64,
    pub(super) points: i64,
}

/// Where a life is replayed.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) key: &'a IdKey,
    pub(super) member: MemberId,
    /// From when on what happens is summed up.
    pub(super) from: Ts,
}

impl World<'_> {
    /// The same, and nothing of it is summed up.
    pub(super) const fn silent(self) -> Self {
        Self { from: Ts::FOREVER, ..self }
    }
}

impl Life {
    /// What is due by a moment, then an item, then what that made due; as the record has it, with no offers charged.
    pub(super) fn goes_on(
        &mut self,
        world: World<'_>,
        side: &mut Side,
        moment: Ts,
        item: Option<&Item>,
    ) -> Result<()> {
        self.settle(world, side, moment)?;
        if let Some(item) = item {
            self.decide(world, side, item, None)?;
        }
        self.settle(world, side, moment)
    }

    /// Fires timers that are due by an instant, in order.
    pub(super) fn settle(&mut self, world: World<'_>, side: &mut Side, until: Ts) -> Result<()> {
        loop {
            let Some(state) = &mut self.state else { return Ok(()) };
            let due = state.member.timers.iter().filter(|(_, due)| **due <= until);
            let next = due.map(|(key, due)| (*due, key.kind, key.which)).min();
            let Some((due, kind, which)) = next else { return Ok(()) };
            let parts: [&[u8]; 4] =
                [world.member.bytes(), kind.name().as_bytes(), &which.to_le_bytes(), &due.0.to_le_bytes()];
            let id = world.key.derive("timer", &parts);
            let cause = Cause { id, name: "", clock: until, replay: true };
            let at = due.max(state.member.decided_until);
            let scene = Scene { rules: &side.rules, key: world.key, cause, at };
            let mut known = Known::default();
            let mut asks = 0;
            let outcome = loop {
                match fall_due(&scene, state, &known, TimerKey { kind, which }) {
                    Ok(outcome) => break outcome,
                    Err(Stop::Missing(missing)) if asks < ASKS_MAX => {
                        asks += 1;
                        self.books.answer(&side.rules, &mut known, missing)?;
                    }
                    Err(stop) => return Err(stopped(world.member, &stop)),
                }
            };
            self.absorb(world, side, &outcome, None);
        }
    }

    /// What charged offers make of a cart now.
    pub(super) fn charge(&mut self, world: World<'_>, side: &mut Side, cart: &Cart, at: Ts) -> Charge {
        let newcomer;
        let state = match &self.state {
            Some(state) if state.member.term.is_some() => state,
            other => {
                // Their first order enrols them, on the lowest level, before it earns.
                let mut state = other.clone().unwrap_or_else(|| State::new(&side.rules, world.member, at));
                state.member.enrolled_at = state.member.enrolled_at.or(Some(at));
                let level = side.rules.level_of(0).to_owned();
                let ends = side.rules.zone.day(at).plus(side.rules.tiers.over_days);
                state.member.term = Some(Term { level, from: at, ends });
                newcomer = state;
                &newcomer
            }
        };
        let late = state.member.term.as_ref().is_some_and(|term| at < term.from);
        let tier = if late { self.books.tier_at(at) } else { None };
        let view = View { tier, ..View::of(state) };
        self.purse.charge(&side.rules, &mut side.till, cart, &view, at)
    }

    /// Decides an event. `charge` is what offers made of it, if it is an order that was not known. Whether it was decided.
    pub(super) fn decide(
        &mut self,
        world: World<'_>,
        side: &mut Side,
        item: &Item,
        charge: Option<&Charge>,
    ) -> Result<bool> {
        let event = &item.event;
        let id = event.order.as_ref().map(|facts| order::id(world.key, facts));
        let before = id.and_then(|id| self.books.order(id)).cloned();
        let plain = match charge {
            Some(charge) if charge.times != 1000 => {
                let plain = self.outcome(world, side, item, before.clone(), false)?;
                side.rules.points.times.push(TimesRule { thousandths: charge.times, conditions: Vec::new() });
                plain.and_then(|(_, outcome)| Some(outcome.order?.terms.points_kept))
            }
            _ => None,
        };
        let decided = self.outcome(world, side, item, before.clone(), true);
        if plain.is_some() || charge.is_some_and(|charge| charge.times != 1000) {
            side.rules.points.times.pop();
        }
        let Some((state, outcome)) = decided? else {
            if item.moment() >= world.from {
                *side.sums.refused.entry(event.name.clone()).or_default() += 1;
            }
            return Ok(false);
        };
        self.state = state;
        self.absorb(world, side, &outcome, Some((item.id, event)));
        if is_counted(&event.name) {
            self.books.note(event_row(event));
        }
        if let Some(order) = &outcome.order {
            let counts = outcome.at >= world.from;
            let placed = order.status == OrderStatus::Placed
                && before.as_ref().is_none_or(|before| before.status != OrderStatus::Placed);
            if placed && counts {
                let month = side.month(outcome.at);
                month.orders += 1;
                month.paid += order.paid.0;
            }
            if let (true, Some(charge)) = (placed, charge) {
                let extra = plain.map_or(0, |plain| order.terms.points_kept - plain);
                self.given(side, order, charge, extra, counts);
            }
            self.comes_back(side, order, outcome.at, counts);
        }
        Ok(true)
    }

    /// What a decision says. Without `keep` nothing of it is kept.
    fn outcome(
        &mut self,
        world: World<'_>,
        side: &Side,
        item: &Item,
        before: Option<Order>,
        keep: bool,
    ) -> Result<Option<(Option<State>, Outcome)>> {
        let fresh = || State::new(&side.rules, world.member, item.event.time);
        let was = if keep { self.state.take() } else { self.state.clone() };
        let known_before = was.is_some();
        let mut state = was.unwrap_or_else(fresh);
        let mut known = Known { order: before, ..Known::default() };
        // As history: what coupons an order gives is the till's to say here.
        let cause = Cause { id: item.id, name: "", clock: item.clock, replay: true };
        for _ in 0..ASKS_MAX {
            match decide(&side.rules, world.key, &mut state, &known, &item.event, cause) {
                Ok(outcome) => return Ok(Some((Some(state), outcome))),
                Err(Stop::Missing(missing)) => self.books.answer(&side.rules, &mut known, missing)?,
                Err(Stop::Refused(_)) => {
                    if keep && known_before {
                        self.state = Some(state);
                    }
                    return Ok(None);
                }
            }
        }
        Err(StoreError::Damaged(format!("a decision about {} never ends asking", world.member)).into())
    }

    /// Keeps and sums up what a decision said.
    fn absorb(
        &mut self,
        world: World<'_>,
        side: &mut Side,
        outcome: &Outcome,
        cause: Option<(EventId, &Arc<Event>)>,
    ) {
        self.books.absorb(outcome, cause);
        self.campaigned(world, side, outcome);
        let points = outcome.transfers.iter().filter(|transfer| transfer.asset == Asset::Points);
        for transfer in points.filter(|transfer| transfer.at >= world.from) {
            let month = side.month(transfer.at);
            let amount = transfer.amount;
            match transfer.kind {
                TransferKind::Earn | TransferKind::Give | TransferKind::TakeOver | TransferKind::MoveIn => {
                    month.granted += amount;
                    self.points += amount;
                }
                TransferKind::TakeBack | TransferKind::Withdraw | TransferKind::MoveOut => {
                    month.taken_back += amount;
                    self.points -= amount;
                }
                TransferKind::Spend => month.spent += amount,
                TransferKind::Return => month.spent -= amount,
                TransferKind::Expire => month.expired += amount,
                TransferKind::Hold | TransferKind::Release => {}
            }
        }
    }

    /// What campaigns did, and coupons that they gave: charged ones are held from now on.
    fn campaigned(&mut self, world: World<'_>, side: &mut Side, outcome: &Outcome) {
        let mut issued = outcome.coupons.issued.iter();
        for moved in &outcome.runs.moves {
            let counts = moved.at >= world.from;
            let mut sum = CampaignSum::default();
            match moved.kind {
                RunMoveKind::Began => sum.began = 1,
                RunMoveKind::Sent => sum.sent = 1,
                RunMoveKind::HeldOut => sum.held_out = 1,
                RunMoveKind::NotSent => sum.not_sent = 1,
                RunMoveKind::Points => sum.points = moved.why.parse().unwrap_or(0),
                RunMoveKind::Coupon => {
                    sum.coupons_issued = 1;
                    let Some(coupon) = issued.find(|coupon| coupon.offer == moved.why) else { continue };
                    if side.offering.offer(&coupon.offer).is_some() {
                        let id = coupon.id.to_string();
                        self.coupon_of.insert(id.clone(), moved.campaign.clone());
                        self.purse.hold(id, &coupon.offer, coupon.valid_until);
                        let given = side.sums.offers.entry(coupon.offer.clone()).or_default();
                        given.coupons_given += i64::from(counts);
                    }
                }
                _ => {}
            }
            if counts {
                side.sums.campaigns.entry(moved.campaign.clone()).or_default().add(sum);
            }
        }
    }

    /// An order was placed, and offers applied to it.
    fn given(&mut self, side: &mut Side, order: &Order, charge: &Charge, extra: i64, counts: bool) {
        let zone = side.rules.zone.clone();
        let (offering, sums) = (&side.offering, &mut side.sums);
        self.purse.placed(charge, (offering, &zone), order.time, |offer| {
            sums.offers.entry(offer.to_owned()).or_default().coupons_expired += i64::from(counts);
        });
        let off: Vec<(String, i64)> = charge
            .used
            .iter()
            .filter(|used| used.off > 0)
            .map(|used| (used.offer.clone(), used.off))
            .collect();
        if !off.is_empty() {
            let back_of = vec![0; off.len()];
            self.given.insert(order.id, GivenFor { off, back: 0, back_of });
        }
        if !counts {
            return;
        }
        side.sums.inexact += i64::from(!charge.exact);
        let mut shipping = 0;
        for used in &charge.used {
            if let Some(campaign) = used.coupon.as_ref().and_then(|id| self.coupon_of.get(id)) {
                let sum = side.sums.campaigns.entry(campaign.clone()).or_default();
                sum.coupons_used += 1;
                sum.taken_off += used.off;
            }
            let first = self.touched_by.insert(used.offer.clone());
            let sum = side.sums.offers.entry(used.offer.clone()).or_default();
            sum.uses += 1;
            sum.members += i64::from(first);
            sum.off += used.off;
            sum.coupons_used += i64::from(used.coupon.is_some());
            match &used.gives {
                Gives::Nothing => {}
                Gives::Gift(pieces) => sum.gifts += i64::from(*pieces),
                Gives::Shipping(off) => {
                    sum.shipping_off += off;
                    shipping += off;
                }
                Gives::Points => sum.points += extra,
                Gives::Service => sum.services += 1,
                Gives::Coupon(of) => side.sums.offers.entry(of.clone()).or_default().coupons_given += 1,
            }
        }
        let month = side.month(order.time);
        month.touched += i64::from(!charge.used.is_empty());
        month.off += charge.off;
        month.shipping_off += shipping;
        self.money += charge.off + shipping;
    }

    /// With goods that come back goes their share of what was taken off: it cost nothing in the end.
    fn comes_back(&mut self, side: &mut Side, order: &Order, at: Ts, counts: bool) {
        let Some(given) = self.given.get_mut(&order.id) else { return };
        let share = |off: i64| match (order.status, order.paid.0) {
            (OrderStatus::Cancelled, _) => off,
            (_, paid) if paid > 0 => {
                i64::try_from(i128::from(off) * i128::from(order.refunded.0) / i128::from(paid))
                    .unwrap_or(off)
            }
            _ => 0,
        };
        let mut all = 0;
        for ((offer, off), back) in given.off.iter().zip(&mut given.back_of) {
            let now = share(*off);
            all += now;
            if counts {
                side.sums.offers.entry(offer.clone()).or_default().off_back += now - *back;
            }
            *back = now;
        }
        let more = all - given.back;
        given.back = all;
        if counts && more != 0 {
            side.month(at).off_back += more;
            self.money -= more;
        }
    }

    /// What is left at the end.
    pub(super) fn ends(&self, side: &mut Side, at: Ts) {
        if let Some(state) = &self.state {
            let account = state.member.account(Asset::Points);
            side.sums.outstanding += account.active + account.pending;
            side.sums.debt += account.debt;
        }
        for coupon in &self.purse.coupons {
            let sum = side.sums.offers.entry(coupon.offer.clone()).or_default();
            if coupon.expires > at {
                sum.coupons_held += 1;
            } else {
                sum.coupons_expired += 1;
            }
        }
    }
}

impl Side {
    fn month(&mut self, at: Ts) -> &mut MonthSum {
        let date = self.rules.zone.day(at).date();
        self.sums.months.entry((date.year(), date.month())).or_default()
    }
}

fn stopped(member: MemberId, stop: &Stop) -> crate::EngineError {
    StoreError::Damaged(format!("a timer of {member} cannot fire: {stop:?}")).into()
}
