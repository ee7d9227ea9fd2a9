//! Points that members and people move: spend, hold, post, void, return, adjust, give to someone else.
//!
//! Each is an event like any other. `hold_id` and `spend_id` are ids of transfers (32 hexadecimal digits), as a member's
//! ledger shows them.

use rust_decimal::prelude::ToPrimitive;
use zhiyin_model::effect::TransferKind;
use zhiyin_model::event::{Event, names};
use zhiyin_model::id::TransferId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::Scene;
use crate::ledger::{self, Lifetime, Purpose};
use crate::outcome::{Emitted, Known, Missing, Outcome, Stop};
use crate::state::State;

/// Points are spent at once, or held first (`hold: true`).
pub fn spent(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let amount = amount(event)?;
    if hold_wanted(event)? {
        ledger::hold(scene, state, out, amount)?;
    } else {
        ledger::spend(scene, state, known, out, TransferKind::Spend, amount, None)?;
    }
    Ok(())
}

/// Whether points are to be held first. Anything but yes or no is refused: what was meant as a promise must not be
/// spent.
fn hold_wanted(event: &Event) -> Result<bool, Stop> {
    match event.properties.get("hold") {
        None => Ok(false),
        Some(Scalar::Bool(wanted)) => Ok(*wanted),
        Some(Scalar::Text(text)) if text == "true" || text == "false" => Ok(text == "true"),
        Some(_) => Err(Stop::refused("bad_hold", "properties.hold", "hold is true or false")),
    }
}

/// A hold becomes a spend, whole or in part; the rest is released.
pub fn posted(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let hold = ledger::open_hold(known, reference(event, "hold_id")?)?.clone();
    let amount = if event.properties.contains_key("amount") { amount(event)? } else { hold.amount };
    ledger::spend(scene, state, known, out, TransferKind::Spend, amount, Some(&hold))?;
    Ok(())
}

/// A hold is released.
pub fn voided(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let hold = ledger::open_hold(known, reference(event, "hold_id")?)?.clone();
    ledger::release(scene, state, out, &hold);
    Ok(())
}

/// A spend comes back, whole or in part.
pub fn returned(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let id = reference(event, "spend_id")?;
    let past = match known.past.get(&id) {
        None => return Err(Stop::Missing(Missing::Past(id))),
        Some(Some(past)) if past.transfer.kind == TransferKind::Spend => past,
        Some(_) => {
            return Err(Stop::refused(
                "spend_unknown",
                "properties.spend_id",
                "this member has no such spend",
            ));
        }
    };
    let amount = if event.properties.contains_key("amount") {
        amount(event)?
    } else {
        past.transfer.amount - past.undone
    };
    ledger::give_back(scene, state, known, out, past, amount)
}

/// A person gives (amount above zero) or takes (below zero) points, with a reason.
pub fn adjusted(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    if event.properties.get("reason").and_then(Scalar::text).is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Stop::refused("reason_missing", "properties.reason", "an adjustment says why"));
    }
    let amount = whole(event)?;
    if amount < 0 {
        ledger::spend(scene, state, known, out, TransferKind::Withdraw, -amount, None)?;
    } else {
        ledger::check_amount(amount)?;
        give(scene, state, out, amount);
    }
    Ok(())
}

/// A member gives points to another, who is reached by an event in the same transaction.
pub fn gifted(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let amount = amount(event)?;
    for key in ["to_namespace", "to_value"] {
        let field = format!("properties.{key}");
        let text = event.properties.get(key).and_then(Scalar::text).map(str::trim).unwrap_or_default();
        zhiyin_model::event::bounded(&field, text)?;
        if text.is_empty() {
            return Err(receiver_missing(&field));
        }
    }
    let to = event.reaches().ok_or_else(|| receiver_missing("properties.to_value"))?;
    if event.identifiers.contains(&to) {
        return Err(Stop::refused("gift_to_self", "properties.to_value", "a gift goes to someone else"));
    }
    ledger::spend(scene, state, known, out, TransferKind::Withdraw, amount, None)?;
    out.emitted.push(Emitted {
        name: names::POINTS_RECEIVED,
        to,
        properties: vec![("amount", amount.to_string())],
    });
    Ok(())
}

fn receiver_missing(field: &str) -> Stop {
    Stop::refused("receiver_missing", field, "a gift names its receiver by namespace and value")
}

/// Another member's gift arrives.
pub fn received(scene: &Scene<'_>, state: &mut State, event: &Event, out: &mut Outcome) -> Result<(), Stop> {
    let amount = amount(event)?;
    give(scene, state, out, amount);
    Ok(())
}

pub(crate) fn give(scene: &Scene<'_>, state: &mut State, out: &mut Outcome, amount: i64) {
    let life = Lifetime { active_at: scene.at, expires_at: scene.rules.expiry(scene.at) };
    ledger::earn(scene, state, out, TransferKind::Give, amount, life, Purpose::default());
}

fn amount(event: &Event) -> Result<i64, Stop> {
    let amount = whole(event)?;
    ledger::check_amount(amount)?;
    Ok(amount)
}

fn whole(event: &Event) -> Result<i64, Stop> {
    let number = match event.properties.get("amount") {
        Some(Scalar::Number(number)) => Some(*number),
        Some(Scalar::Text(text)) => zhiyin_model::money::parse_decimal(text).ok(),
        _ => None,
    };
    number
        .filter(|number| number.fract().is_zero())
        .and_then(|number| number.to_i64())
        .filter(|number| number.unsigned_abs() <= ledger::AMOUNT_MAX.unsigned_abs())
        .ok_or_else(|| {
            Stop::refused("bad_amount", "properties.amount", "an amount of points is a whole number")
        })
}

/// The transfer that an earlier event made: its id follows from (source, message id) of that event, which the
/// pipeline has put beside the name as a 32-digit id.
fn reference(event: &Event, key: &'static str) -> Result<TransferId, Stop> {
    let text = event.properties.get(key).and_then(Scalar::text).unwrap_or_default();
    TransferId::from_hex(text).ok_or_else(|| {
        let message = "the id of the transfer, 32 hexadecimal digits";
        Stop::refused("bad_reference", &format!("properties.{key}"), message)
    })
}

/// Business time at which points may be spent.
pub fn active_at(scene: &Scene<'_>, earned: Ts) -> Ts {
    match scene.rules.points.hold_days {
        0 => earned,
        days => scene.rules.zone.start(scene.rules.zone.day(earned).plus(days)),
    }
}
