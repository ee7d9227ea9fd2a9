//! Claims: a member takes a coupon for themselves, for points where it costs some, and uses it up; what they paid comes back with
//! a coupon that goes back.
//!
//! A claim is an issue for which the playbook says who may, and from when until when. What it costs is spent in the same
//! decision: nobody pays for what they did not get, and nobody gets what they did not pay for.

use std::collections::BTreeMap;

use zhiyin_condition::holds;
use zhiyin_model::coupon::{CouponAccount, CouponMoveKind, PaidPoints};
use zhiyin_model::effect::TransferKind;
use zhiyin_model::event::{Event, names};
use zhiyin_model::id::{CouponId, TransferId};
use zhiyin_model::scalar::Scalar;

use super::{Told, changed, count_of, is_sold_out, issue, moved, say, set_timer};
use crate::outcome::{Known, Missing, Outcome, Stop};
use crate::state::{State, View};
use crate::{Scene, ledger, points};

/// A member claims coupons of an offer.
pub fn claimed(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let field = "properties.offer";
    // What names no offer of ours is somebody else's news.
    let Some(offer) = event.properties.get("offer").and_then(Scalar::text) else { return Ok(()) };
    let refused = |code, message: &str| Err(Stop::refused(code, field, message));
    let n = count_of(event)?;
    let Some(rule) = scene.rules.coupons.get(offer) else {
        return refused("offer_unknown", "the playbook has no offer with a coupon of this id");
    };
    let Some(claim) = &rule.claim else {
        return refused("not_claimable", "members cannot claim this one: it is given");
    };
    // The door says so too, and looks nobody up for it: whoever asks hears the same, at whichever of the two they end.
    if !scene.cause.replay && is_sold_out(scene, rule, known, out)? {
        return refused("out_of_stock", "none is left of it");
    }
    if claim.from.is_some_and(|from| scene.at < from) {
        return refused("claim_not_open", "it cannot be claimed yet");
    }
    if claim.until.is_some_and(|until| scene.at >= until) {
        return refused("claim_over", "it can be claimed no longer");
    }
    if let Some(who) = &claim.who
        && !holds(who, &scene.rules.leaves, &View::of(state), scene.at).0
    {
        return refused("not_eligible", "the offer is for others");
    }
    let cost = claim.points.saturating_mul(i64::from(n));
    if cost > 0 {
        ledger::ask_spend(state, known, cost).map_err(|stop| at(stop, field))?;
    }
    issue(scene, state, known, (offer, n), Told { field, says: true }, out)?;
    if cost > 0 {
        // It was asked whether this can be done.
        let spend = ledger::spend(scene, state, known, out, TransferKind::Spend, cost, None)?;
        for coupon in &out.coupons.issued {
            if let Some(held) = state.member.holdings.coupons.get_mut(&coupon.id) {
                held.paid = Some(PaidPoints { spend, points: claim.points });
            }
        }
    }
    Ok(())
}

/// A refusal, of the field that the request has.
fn at(stop: Stop, field: &str) -> Stop {
    match stop {
        Stop::Refused(refusal) => Stop::refused(refusal.code, field, refusal.message),
        missing @ Stop::Missing(_) => missing,
    }
}

/// A coupon is used up where it is shown: at the till, or where a gift is picked up.
pub fn redeemed(scene: &Scene<'_>, state: &mut State, event: &Event, out: &mut Outcome) -> Result<(), Stop> {
    let field = "properties.coupon_id";
    // What names no coupon of ours is somebody else's news; so is history, which used coupons of another time.
    let named = event.properties.get("coupon_id").and_then(Scalar::text).and_then(CouponId::from_hex);
    let Some(id) = named.filter(|_| !scene.cause.replay) else { return Ok(()) };
    let holdings = &mut state.member.holdings;
    match holdings.coupons.get(&id) {
        None => return Err(Stop::refused("coupon_not_active", field, "the member holds no such coupon")),
        Some(held) if super::chance::is_one(&held.offer) => {
            return Err(Stop::refused("coupon_not_active", field, "a chance in a draw is not redeemed"));
        }
        Some(held) if held.account != CouponAccount::Held => {
            return Err(Stop::refused("coupon_locked", field, "a checkout holds the coupon"));
        }
        Some(_) => {}
    }
    let Some(held) = holdings.coupons.remove(&id) else { return Ok(()) };
    let member = state.member.id;
    moved(scene, member, (id, &held.offer), CouponMoveKind::Lock, out);
    moved(scene, member, (id, &held.offer), CouponMoveKind::Redeem, out);
    changed(member, id, &held, CouponAccount::Redeemed, out);
    say(names::COUPON_USED, id, &held.offer, held.valid_until, out);
    set_timer(&mut state.member);
    Ok(())
}

/// What of a spend is to come back: by spend, as it was looked up, and how much.
type Back<'k> = Vec<(Option<&'k zhiyin_model::effect::PastTransfer>, i64)>;

/// Checks whether [`pay_back`] knows all it needs; what is to come back.
pub(super) fn ask_pay_back<'k>(known: &'k Known, paid: &[PaidPoints]) -> Result<Back<'k>, Stop> {
    let mut spends: BTreeMap<TransferId, i64> = BTreeMap::new();
    for PaidPoints { spend, points } in paid {
        *spends.entry(*spend).or_default() += points;
    }
    let mut back = Vec::new();
    for (spend, points) in spends {
        let past = known.past.get(&spend).ok_or(Stop::Missing(Missing::Past(spend)))?.as_ref();
        // Some of it may have come back by another way; and what somebody spent who was merged since stands in another's books.
        let points = past.map_or(points, |past| points.min(past.transfer.amount - past.undone));
        if let Some(past) = past {
            ledger::ask_give_back(known, past, points)?;
        }
        back.push((past, points));
    }
    Ok(back)
}

/// What was paid for coupons that go back comes back with them, into the very lots it came from. Asks before anything is changed.
pub(super) fn pay_back(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    paid: &[PaidPoints],
    out: &mut Outcome,
) -> Result<(), Stop> {
    let back = ask_pay_back(known, paid)?;
    if back.is_empty() {
        return Ok(());
    }
    // Spends may have taken of the same lots.
    let mut known_now = known.clone();
    for (past, points) in back.into_iter().filter(|(_, points)| *points > 0) {
        known_now.lots.extend(out.lots.iter().map(|lot| (lot.id, lot.clone())));
        match past {
            Some(past) => ledger::give_back(scene, state, &known_now, out, past, points)?,
            None => points::give(scene, state, out, points),
        }
    }
    Ok(())
}
