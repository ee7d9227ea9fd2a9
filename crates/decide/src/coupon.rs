//! Coupons: they are issued, taken back by a person, remind their member before their time is over, and expire.
//!
//! What a member holds lies in their state, so no decision about them needs a look-up; only what all members share, a pool that
//! the playbook bounds, is asked for. Whoever would get more than a limit allows, or the last piece twice, is refused by name;
//! where a batch issues to many that is no dead letter, but counted.

mod chance;
mod claim;
mod codes;
mod give;
pub(crate) mod rule;

use std::sync::Arc;

use zhiyin_condition::holds;
use zhiyin_model::checkout::{Checkout, CheckoutState};
use zhiyin_model::coupon::{
    Coupon, CouponAccount, CouponChange, CouponCode, CouponMove, CouponMoveKind, HELD_MAX, HeldCoupon,
    ISSUED, PoolTake, issue_count, stock_of,
};
use zhiyin_model::effect::{TimerKey, TimerKind};
use zhiyin_model::event::{Event, Refusal, names};
use zhiyin_model::id::{CouponId, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts};

use crate::outcome::{Known, Missing, Outcome, Said, Stop};
use crate::state::{State, View};
use crate::{Scene, checkout};

pub use chance::{WON_ALREADY, is_one as is_chance};
pub(crate) use chance::{settle, won};
pub use claim::{claimed, redeemed};
pub(crate) use give::{after_order, ask, ask_confirmed};
pub use rule::{ClaimRule, CouponRule};

/// What the source of an issue's items is called, before its number.
pub const ISSUE_SOURCE: &str = "issue:";

/// The most coupons of one offer that one event issues.
pub const ISSUED_AT_ONCE_MAX: u32 = 20;

/// Timers of coupons are timers of expiry, of instants that no lot has: a release that knows of no coupons looks for lots
/// then, finds none, and does no harm.
const TIMERS_FROM: i64 = i64::MIN;
/// Up to here.
const TIMERS_UNTIL: i64 = i64::MIN / 2;

/// Whether a timer is one of coupons.
pub(crate) fn is_timer(timer: TimerKey) -> bool {
    timer.kind == TimerKind::Expire && timer.which < TIMERS_UNTIL
}

/// Sets the timer for what is due next of a member's coupons.
pub(crate) fn set_timer(member: &mut Member) {
    member.timers.retain(|timer, _| !is_timer(*timer));
    if let Some(due) = member.holdings.next_due() {
        let which = TIMERS_FROM.saturating_add(due.0.max(0)).min(TIMERS_UNTIL - 1);
        member.timers.insert(TimerKey { kind: TimerKind::Expire, which }, due);
    }
}

/// A command or a batch issues coupons of an offer to a member.
pub fn issued(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let text = |name: &str| event.properties.get(name).and_then(Scalar::text);
    let field = "properties.offer";
    // What names no offer of ours is somebody else's news.
    let Some(offer) = text("offer") else { return Ok(()) };
    let n = count_of(event)?;
    // Only what an issue to many sends counts for it.
    let own = |no: &i64| {
        scene.cause.name.strip_prefix(ISSUE_SOURCE).is_some_and(|rest| rest.starts_with(&format!("{no}/")))
    };
    let batch: Option<i64> = text("batch").and_then(|no| no.parse().ok()).filter(own);
    if batch.is_some() && state.member.decided_until == Ts::MIN {
        // Whom it was for is somebody else by now: a batch makes nobody known.
        return Err(Stop::refused(GONE, field, "nobody is known by this"));
    }
    // An issue to many would say as much again as it does.
    let told = Told { field, says: batch.is_none() };
    match (issue(scene, state, known, (offer, n), told, out), batch) {
        (Err(Stop::Refused(refusal)), Some(no)) if refusal.code != GONE => {
            let said = vec![("offer", offer.to_owned()), ("reason", refusal.code.to_owned())];
            out.facts.push(Said { name: names::COUPON_NOT_ISSUED, properties: said });
            count(no, refusal.code, out);
            Ok(())
        }
        (Ok(()), Some(no)) => {
            count(no, ISSUED, out);
            Ok(())
        }
        (answer, _) => answer,
    }
}

/// How many are wanted: one, where it does not say.
fn count_of(event: &Event) -> Result<u32, Stop> {
    let Some(said) = event.properties.get("count") else { return Ok(1) };
    let n = said.text().and_then(|count| count.parse().ok());
    n.filter(|n| (1..=ISSUED_AT_ONCE_MAX).contains(n)).ok_or_else(|| {
        let message = format!("1 to {ISSUED_AT_ONCE_MAX}");
        Stop::refused("bad_number", "properties.count", message)
    })
}

fn count(no: i64, what: &str, out: &mut Outcome) {
    out.coupons.take(PoolTake { pool: issue_count(no, what), amount: 1, size: None });
}

/// Why a batch may not issue to a member.
pub const NOT_ISSUED: [&str; 10] = [
    "offer_unknown",
    "offer_not_running",
    "not_eligible",
    "limit_reached",
    "out_of_stock",
    "too_many_coupons",
    "history_issues_nothing",
    GONE,
    "erased",
    "decision_broke",
];

/// Code of the refusal of somebody who is nobody any more.
pub const GONE: &str = "member_unknown";

/// How a refusal is told, and whether what was issued is said as an event of its own.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The field at fault.
    pub field: &'a str,
    /// Whether nothing else says so.
    pub says: bool,
}

/// Issues coupons of an offer, all or none.
pub fn issue(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    (offer, n): (&str, u32),
    told: Told<'_>,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let refused = |code, message: &str| Err(Stop::refused(code, told.field, message));
    if scene.is_past() {
        return refused("history_issues_nothing", "what is imported as history issues no coupons");
    }
    if state.member.audiences.closed {
        return refused(GONE, "nobody is known by this");
    }
    // Chances come with orders: nobody gives them otherwise.
    let Some(rule) = scene.rules.coupons.get(offer).filter(|_| !chance::is_one(offer)) else {
        return refused("offer_unknown", "the playbook has no offer with a coupon of this id");
    };
    check(scene, state, (rule, scene.rules.zone.day(scene.at)), n, told.field)?;
    hand_out(scene, state, known, (rule, n), told, out)
}

/// Asks for the uploads of an offer whose coupons bear codes, before anything is changed.
pub(crate) fn ask_codes(rule: &CouponRule, known: &Known) -> Result<(), Stop> {
    codes::ask(rule, known)
}

/// Hands coupons out of what there is of them, whomever the offer is for.
fn hand_out(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    (rule, n): (&CouponRule, u32),
    told: Told<'_>,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let refused = |code, message: &str| Err(Stop::refused(code, told.field, message));
    let offer = rule.terms.offer.as_str();
    let stock = stock_of(offer);
    if left_of_stock(rule, known, out)?.is_some_and(|left| left < i64::from(n)) {
        return refused("out_of_stock", "none is left of it");
    }
    let codes = codes::take(scene, rule, known, n, out)?;
    if codes.as_ref().is_some_and(|codes| codes.len() < n as usize) {
        return refused("out_of_stock", "no code is left for it");
    }
    let mut codes = codes.unwrap_or_default().into_iter();
    let zone = &scene.rules.zone;
    let day = zone.day(scene.at);
    let before = out.coupons.issued.iter().filter(|coupon| coupon.offer == offer).count();
    let before = u32::try_from(before).unwrap_or(u32::MAX);
    for ordinal in before..before.saturating_add(n) {
        let id = CouponCode::of(scene.key, scene.cause.id, offer, ordinal).id(scene.key);
        let lot = codes.next();
        // A code may be good for less long than the coupon would be.
        let valid_until = rule.valid_until(zone, scene.at);
        let valid_until = lot.map_or(valid_until, |lot| valid_until.min(lot.valid_until));
        let remind = rule.remind_days.map(|days| zone.start(zone.day(valid_until).plus(-i32::from(days))));
        let remind: Vec<Ts> = remind.into_iter().filter(|at| *at > scene.at).collect();
        if let Some(lot) = lot {
            codes::taken(lot, id, out);
        }
        out.coupons.issued.push(Coupon {
            id,
            member: state.member.id,
            offer: offer.to_owned(),
            terms: rule.terms.hash,
            account: CouponAccount::Held,
            valid_from: scene.at,
            valid_until,
            at: scene.at,
            cause: scene.cause.id,
            ordinal,
        });
        moved(scene, state.member.id, (id, offer), CouponMoveKind::Issue, out);
        let held = HeldCoupon {
            offer: offer.to_owned(),
            at: scene.at,
            account: CouponAccount::Held,
            valid_from: scene.at,
            valid_until,
            locked_until: None,
            remind,
            gives_back: rule.gives_back,
            paid: None,
            order: None,
        };
        state.member.holdings.coupons.insert(id, held);
        if told.says {
            say(names::COUPON_ISSUED, id, offer, valid_until, out);
        }
    }
    out.coupons.terms.push(Arc::clone(&rule.terms));
    out.coupons.take(PoolTake { pool: stock, amount: i64::from(n), size: rule.stock });
    state.member.holdings.issued.entry(offer.to_owned()).or_default().add(day, n);
    set_timer(&mut state.member);
    Ok(())
}

/// How many pieces of an offer are left, where it has a stock. What this very decision took before counts too: it may give one for
/// several reasons.
fn left_of_stock(rule: &CouponRule, known: &Known, out: &Outcome) -> Result<Option<i64>, Stop> {
    let Some(size) = rule.stock else { return Ok(None) };
    let stock = stock_of(&rule.terms.offer);
    let taken = known.pools.get(&stock).ok_or_else(|| Stop::Missing(Missing::Pool(stock.clone())))?;
    Ok(Some(size.saturating_sub(*taken).saturating_sub(out.coupons.took(&stock))))
}

/// Whether nothing is left of an offer for anybody: no piece, or no code.
fn is_sold_out(scene: &Scene<'_>, rule: &CouponRule, known: &Known, out: &Outcome) -> Result<bool, Stop> {
    let no_piece = left_of_stock(rule, known, out)?.is_some_and(|left| left <= 0);
    Ok(no_piece || codes::take(scene, rule, known, 1, out)?.is_some_and(|codes| codes.is_empty()))
}

/// Whether an offer may issue so many to a member now. It has to run on the day of what it is issued for.
fn check(
    scene: &Scene<'_>,
    state: &State,
    (rule, runs_on): (&CouponRule, Day),
    n: u32,
    field: &str,
) -> Result<(), Refusal> {
    let day = scene.rules.zone.day(scene.at);
    let refused = |code, message: String| Err(Refusal::new(code, field, message));
    if rule.from.is_some_and(|from| runs_on < from) || rule.until.is_some_and(|until| runs_on > until) {
        return refused("offer_not_running", "the offer runs at another time".to_owned());
    }
    if let Some(who) = &rule.who
        && !holds(who, &scene.rules.leaves, &View::of(state), scene.at).0
    {
        return refused("not_eligible", "the offer is for others".to_owned());
    }
    if let Some((times, within)) = rule.limit_reached(&state.member.holdings, day, n) {
        return refused("limit_reached", format!("at most {times} a member, {}", rule::words(within)));
    }
    if state.member.holdings.coupons.len() + usize::try_from(n).unwrap_or(usize::MAX) > HELD_MAX {
        return refused("too_many_coupons", format!("a member holds at most {HELD_MAX} coupons"));
    }
    Ok(())
}

/// A person takes a coupon back: its piece is there for others again, and it does not count for the member's limit.
pub fn withdrawn(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let field = "properties.coupon";
    // What names no coupon of ours is somebody else's news; so is history, which had coupons of another time.
    let named = event.properties.get("coupon").and_then(Scalar::text).and_then(CouponId::from_hex);
    let Some(id) = named.filter(|_| !scene.cause.replay) else { return Ok(()) };
    match state.member.holdings.coupons.get(&id) {
        None => return Err(Stop::refused("coupon_not_active", field, "the member holds no such coupon")),
        Some(held) if chance::is_one(&held.offer) => {
            return Err(Stop::refused(
                "coupon_not_active",
                field,
                "a chance in a draw goes back with its order",
            ));
        }
        Some(held) if held.account != CouponAccount::Held => {
            return Err(Stop::refused("coupon_locked", field, "a checkout holds the coupon"));
        }
        Some(held) => {
            let paid: Vec<_> = held.paid.into_iter().collect();
            claim::pay_back(scene, state, known, &paid, out)?;
        }
    }
    take_back(scene, &mut state.member, id, out);
    set_timer(&mut state.member);
    Ok(())
}

/// A coupon goes back to the brand, and its piece with it.
fn take_back(scene: &Scene<'_>, member: &mut Member, id: CouponId, out: &mut Outcome) {
    let holdings = &mut member.holdings;
    let Some(held) = holdings.coupons.remove(&id) else { return };
    if let Some(tally) = holdings.issued.get_mut(&held.offer) {
        tally.take_back(scene.rules.zone.day(held.at), 1);
    }
    holdings.issued.retain(|_, tally| tally.total > 0);
    changed(member.id, id, &held, CouponAccount::Withdrawn, out);
    moved(scene, member.id, (id, &held.offer), CouponMoveKind::Withdraw, out);
    out.coupons.take(PoolTake { pool: stock_of(&held.offer), amount: -1, size: None });
}

/// What is due of a member's coupons: a checkout's hold ends, their member is reminded, their time is over.
pub(crate) fn fall_due(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let member = state.member.id;
    let unused = state.member.holdings.coupons.values().filter(|held| {
        let unlocks = held.locked_until.is_some_and(|until| until <= scene.at);
        held.gives_back && held.valid_until <= scene.at && (held.account == CouponAccount::Held || unlocks)
    });
    let paid: Vec<_> = unused.filter_map(|held| held.paid).collect();
    claim::ask_pay_back(known, &paid)?;
    checkout::fall_due(scene, state, known, out)?;
    claim::pay_back(scene, state, known, &paid, out)?;
    let mut over: Vec<(CouponId, bool)> = Vec::new();
    for (id, held) in &mut state.member.holdings.coupons {
        let is_over = held.account == CouponAccount::Held && held.valid_until <= scene.at;
        let due = held.remind.iter().take_while(|at| **at <= scene.at).count();
        if held.remind.drain(..due).count() > 0 && !is_over {
            say(names::COUPON_EXPIRING, *id, &held.offer, held.valid_until, out);
        }
        if is_over {
            if !held.gives_back {
                changed(member, *id, held, CouponAccount::Expired, out);
                moved(scene, member, (*id, &held.offer), CouponMoveKind::Expire, out);
            }
            if !chance::is_one(&held.offer) {
                say(names::COUPON_EXPIRED, *id, &held.offer, held.valid_until, out);
            }
            over.push((*id, held.gives_back));
        }
    }
    for (id, gives_back) in over {
        if gives_back {
            take_back(scene, &mut state.member, id, out);
        }
        state.member.holdings.coupons.remove(&id);
    }
    set_timer(&mut state.member);
    Ok(())
}

/// What another held is a member's from now on, each once, and what both were issued counts together.
pub(crate) fn join(winner: &mut Member, loser: &Member) {
    let (holdings, theirs) = (&mut winner.holdings, &loser.holdings);
    holdings.coupons.extend(theirs.coupons.iter().map(|(id, held)| (*id, held.clone())));
    for (mine, theirs) in [(&mut holdings.issued, &theirs.issued), (&mut holdings.used, &theirs.used)] {
        for (offer, tally) in theirs {
            mine.entry(offer.clone()).or_default().join(tally);
        }
    }
    holdings.checkouts.extend(&theirs.checkouts);
    set_timer(winner);
}

/// A member was two people: of all their coupons and checkouts, those that leave are the other's.
pub(crate) fn part(
    scene: &Scene<'_>,
    member: &mut Member,
    other: &mut Member,
    (of, checkouts): (&[Coupon], &[Checkout]),
    leaves: impl Fn(&Coupon) -> bool,
    goes: impl Fn(&Checkout) -> bool,
) {
    let held = std::mem::take(&mut member.holdings);
    member.holdings.used = held.used;
    for checkout in checkouts {
        let going = goes(checkout);
        if going {
            for (offer, day) in &checkout.takes.uses {
                if let Some(tally) = member.holdings.used.get_mut(offer) {
                    tally.take_back(*day, 1);
                }
                other.holdings.used.entry(offer.clone()).or_default().add(*day, 1);
            }
        }
        let side = if going { &mut *other } else { &mut *member };
        if checkout.state == CheckoutState::Locked {
            side.holdings.checkouts.insert(checkout.id, checkout.until);
        }
    }
    member.holdings.used.retain(|_, tally| tally.total > 0);
    for coupon in of {
        let side = if leaves(coupon) { &mut *other } else { &mut *member };
        if coupon.account != CouponAccount::Withdrawn {
            let day = scene.rules.zone.day(coupon.at);
            side.holdings.issued.entry(coupon.offer.clone()).or_default().add(day, 1);
        }
        if let Some(held) = held.coupons.get(&coupon.id) {
            side.holdings.coupons.insert(coupon.id, held.clone());
        }
    }
    set_timer(member);
    set_timer(other);
}

pub(crate) fn changed(
    member: MemberId,
    id: CouponId,
    held: &HeldCoupon,
    account: CouponAccount,
    out: &mut Outcome,
) {
    out.coupons.changed.push(CouponChange { id, member, account, valid_until: held.valid_until });
}

pub(crate) fn moved(
    scene: &Scene<'_>,
    member: MemberId,
    of: (CouponId, &str),
    kind: CouponMoveKind,
    out: &mut Outcome,
) {
    moved_for(scene, member, of, (kind, 0), out);
}

/// A move with which money was given, or came back.
pub(crate) fn moved_for(
    scene: &Scene<'_>,
    member: MemberId,
    (coupon, offer): (CouponId, &str),
    (kind, given): (CouponMoveKind, i64),
    out: &mut Outcome,
) {
    let ordinal = u32::try_from(out.coupons.moves.len()).unwrap_or(u32::MAX);
    let (offer, at, event) = (offer.to_owned(), scene.at, scene.cause.id);
    out.coupons.moves.push(CouponMove { coupon, member, offer, kind, at, event, ordinal, given });
}

fn say(name: &'static str, id: CouponId, offer: &str, until: Ts, out: &mut Outcome) {
    let properties =
        vec![("coupon", id.to_string()), ("offer", offer.to_owned()), ("valid_until", until.rfc3339())];
    out.facts.push(Said { name, properties });
}
