//! Chances of draws (R11): each order of a member gives one while the draw runs, and takes it back where it comes back whole or
//! never was; and a prize goes to whoever won it.
//!
//! A chance is a coupon of an offer that no playbook has, so it lies in the books like any other, is merged and parted with its
//! member, and is counted where the list is closed.

use zhiyin_model::coupon::{CouponAccount, HELD_MAX, chance_of};
use zhiyin_model::effect::OrderStatus;
use zhiyin_model::event::Event;
use zhiyin_model::id::CouponId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::{GONE, Told, check, hand_out, set_timer, take_back};
use crate::outcome::{Known, Outcome, Stop};
use crate::state::State;
use crate::{Scene, takeover};

/// How what chances are kept as begins: an id of an offer has no colon.
const CHANCES: &str = "draw:";

/// Code of the refusal of a second prize of one draw.
pub const WON_ALREADY: &str = "won_already";

/// Whether a coupon's offer says that it is a chance.
pub fn is_one(offer: &str) -> bool {
    offer.starts_with(CHANCES)
}

/// Gives an order's chances, or takes them back.
pub(crate) fn settle(scene: &Scene<'_>, state: &mut State, known: &Known, event: &Event, out: &mut Outcome) {
    let Some(order) = &out.order else { return };
    let (id, paid, order_at) = (order.id, order.paid, order.time);
    let counts = order.counts();
    let placed = order.status == OrderStatus::Placed;
    // A return at a checkout speaks of the order that the checkout became.
    let linked = || known.linked.as_ref().and_then(|(_, linked)| linked.as_ref());
    let before = known.order.as_ref().or_else(linked).filter(|before| before.id == id);
    if before.is_some_and(|before| before.counts()) && !counts {
        let gave = |held: &&zhiyin_model::coupon::HeldCoupon| {
            held.order == Some(id) && held.account == CouponAccount::Held && is_one(&held.offer)
        };
        let held = state.member.holdings.coupons.iter().filter(|(_, held)| gave(held));
        let chances: Vec<CouponId> = held.map(|(id, _)| *id).collect();
        for chance in chances {
            take_back(scene, &mut state.member, chance, out);
        }
        set_timer(&mut state.member);
        return;
    }
    let was_placed = before.is_some_and(|before| before.status == OrderStatus::Placed);
    if scene.cause.replay || !placed || was_placed || takeover::is_before(state, event) {
        return;
    }
    if state.member.audiences.closed {
        return;
    }
    // An order that is told of late gives what it would have given on its day.
    let bought_on = scene.rules.zone.day(order_at);
    for (draw, spend) in &scene.rules.draws {
        let Some(rule) = scene.rules.coupons.get(draw).filter(|_| paid >= *spend) else { continue };
        // Who gets none (the time, for whom it is, how many one has) is told by nobody: the draw's terms say so.
        if check(scene, state, (rule, bought_on), 1, "").is_err() {
            continue;
        }
        let told = Told { field: "", says: false };
        if hand_out(scene, state, known, (rule, 1), told, out).is_err() {
            continue;
        }
        let given = out.coupons.issued.iter().rev().find(|coupon| coupon.offer == *draw);
        if let Some(held) = given.and_then(|given| state.member.holdings.coupons.get_mut(&given.id)) {
            held.order = Some(id);
        }
    }
}

/// A prize goes to whoever won it, whomever its offer is for by now: once, since the entry's code names the item, and once a
/// member and draw, though they were two people when its list was closed.
pub(crate) fn won(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let field = "properties.prize";
    let refused = |code, message: &str| Err(Stop::refused(code, field, message));
    let text = |name: &str| event.properties.get(name).and_then(Scalar::text);
    let (Some(draw), Some(prize)) = (text("draw"), text("prize")) else { return Ok(()) };
    let wins = chance_of(draw);
    if state.member.audiences.closed || state.member.decided_until == Ts::MIN {
        return refused(GONE, "nobody is known by this");
    }
    if state.member.holdings.used.contains_key(&wins) {
        return Err(Stop::refused(WON_ALREADY, "properties.draw", "a member wins once in a draw"));
    }
    let Some(rule) = scene.rules.coupons.get(prize) else {
        return refused("offer_unknown", "the playbook has no offer with a coupon of this id");
    };
    if state.member.holdings.coupons.len() >= HELD_MAX {
        return refused("too_many_coupons", "the member holds too many coupons");
    }
    hand_out(scene, state, known, (rule, 1), Told { field, says: true }, out)?;
    state.member.holdings.used.entry(wins).or_default().add(scene.rules.zone.day(scene.at), 1);
    // Where it is not claimed, somebody else gets it.
    for coupon in &out.coupons.issued {
        if let Some(held) = state.member.holdings.coupons.get_mut(&coupon.id) {
            held.gives_back = true;
        }
    }
    Ok(())
}
