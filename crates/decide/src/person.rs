//! Who is whom: two members turn out to be one person ([`join`]), or one turns out to be two ([`part`]).
//!
//! A merge decides who is whom and sums what exists; past decisions stand (semantics 22). Balances move by transfers, lots
//! keep their ids, so that what was spent from them can come back and so that a merge can be undone. Parting gives each
//! side what its own events earned and spent: what one side spent of the other's lots goes back into them, and what its own
//! cannot cover becomes debt.

mod join;
mod part;
mod settle;

pub use join::{ask, join, sets_off};
pub use part::{Parted, Parting, Side, part};

use zhiyin_model::effect::{Allocation, Asset, Lot, TimerKey, TimerKind, Transfer, TransferKind};
use zhiyin_model::id::{MemberId, TransferId};
use zhiyin_model::member::Member;
use zhiyin_model::time::{Day, Ts};

use crate::Scene;
use crate::outcome::Outcome;

/// A lot has its timers.
fn lot_timers(member: &mut Member, lot: &Lot) {
    let mut set = |kind: TimerKind, due: Ts| {
        member.timers.insert(TimerKey { kind, which: due.0 }, due);
    };
    if lot.expires_at != Ts::FOREVER {
        set(TimerKind::Expire, lot.expires_at);
    }
    if !lot.active {
        set(TimerKind::Activate, lot.active_at);
    }
}

/// What is said of one move of a balance.
struct Moved {
    asset: Asset,
    amount: i64,
    day: Day,
    /// Which debt goes with it.
    debt: bool,
}

/// Writes a transfer of a move down and gives its id.
fn transfer(
    scene: &Scene<'_>,
    out: &mut Outcome,
    member: MemberId,
    kind: TransferKind,
    asset: Asset,
    (amount, day): (i64, Day),
) -> TransferId {
    let ordinal = u32::try_from(out.transfers.len()).unwrap_or(u32::MAX);
    let id = scene.key.derive(
        "transfer",
        &[scene.cause.id.bytes(), asset.name().as_bytes(), kind.name().as_bytes(), &ordinal.to_le_bytes()],
    );
    let (event, at) = (scene.cause.id, scene.at);
    let (reverses, order) = (None, None);
    out.transfers.push(Transfer {
        id,
        member,
        asset,
        kind,
        amount,
        event,
        ordinal,
        at,
        day,
        reverses,
        order,
    });
    id
}

/// Moves part of a balance from one member to another; the transfers on either side. Debt moves the other way round: who
/// had it receives, who has it from now on gives.
fn hand_over(
    scene: &Scene<'_>,
    out: &mut Outcome,
    (from, to): (MemberId, MemberId),
    moved: &Moved,
) -> (TransferId, TransferId) {
    let (gives, takes) = match moved.debt {
        false => (TransferKind::MoveOut, TransferKind::MoveIn),
        true => (TransferKind::MoveIn, TransferKind::MoveOut),
    };
    let said = (moved.amount, moved.day);
    let left = transfer(scene, out, from, gives, moved.asset, said);
    let came = transfer(scene, out, to, takes, moved.asset, said);
    if moved.debt {
        out.allocations.push(Allocation { transfer: left, lot: None, amount: -moved.amount });
        out.allocations.push(Allocation { transfer: came, lot: None, amount: moved.amount });
    }
    (left, came)
}
