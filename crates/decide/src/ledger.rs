//! The ledger: double entry, lots, holds, debt.
//!
//! Nothing changes a balance but a transfer. A transfer out of a member's account takes from lots, earliest
//! expiry first; what lots cannot cover becomes debt, which new earnings pay first; both are written down as
//! allocations. A reversal is a new transfer that names what it reverses. Every function asks for what it needs
//! before it changes anything.

use std::collections::BTreeMap;

use zhiyin_model::effect::{
    Allocation, Asset, Hold, Lot, PastTransfer, TimerKey, TimerKind, Transfer, TransferKind,
};
use zhiyin_model::id::{OrderId, TransferId};
use zhiyin_model::time::{Day, Ts};

use crate::Scene;
use crate::outcome::{Known, LotsAsked, Missing, Outcome, Stop};
use crate::state::State;

/// The largest amount one transfer may move: 10^12, so that the books of a home hold nine million of the largest.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// What a transfer is made for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purpose {
    /// The order it belongs to.
    pub order: Option<OrderId>,
    /// The transfer it undoes, posts or releases.
    pub reverses: Option<TransferId>,
    /// The day it counts for; the decision's day if none.
    pub day: Option<Day>,
}

/// Writes a transfer down and gives its id. Balances and lots are the caller's.
fn transfer(
    scene: &Scene<'_>,
    state: &State,
    out: &mut Outcome,
    asset: Asset,
    kind: TransferKind,
    amount: i64,
    purpose: Purpose,
) -> TransferId {
    let ordinal = u32::try_from(out.transfers.len()).unwrap_or(u32::MAX);
    let id = scene.key.derive(
        "transfer",
        &[scene.cause.id.bytes(), asset.name().as_bytes(), kind.name().as_bytes(), &ordinal.to_le_bytes()],
    );
    out.transfers.push(Transfer {
        id,
        member: state.member.id,
        asset,
        kind,
        amount,
        event: scene.cause.id,
        ordinal,
        at: scene.at,
        day: purpose.day.unwrap_or_else(|| scene.rules.zone.day(scene.at)),
        reverses: purpose.reverses,
        order: purpose.order,
    });
    id
}

/// Books growth (either way) on its order's day.
pub fn book_growth(
    scene: &Scene<'_>,
    state: &mut State,
    out: &mut Outcome,
    amount: i64,
    day: Day,
    order: OrderId,
) {
    if amount == 0 {
        return;
    }
    let kind = if amount > 0 { TransferKind::Earn } else { TransferKind::TakeBack };
    let purpose = Purpose { order: Some(order), day: Some(day), reverses: None };
    transfer(scene, state, out, Asset::Growth, kind, amount.abs(), purpose);
    state.member.accounts.entry(Asset::Growth).or_default().active += amount;
    let today = scene.rules.zone.day(scene.at);
    state.member.book_growth(day, amount, today, scene.rules.tiers.over_days);
}

/// Books growth that was earned in an old system, on its day. Growth is what orders keep of it, so this is kept by what
/// stands for one.
pub fn take_over_growth(
    scene: &Scene<'_>,
    state: &mut State,
    out: &mut Outcome,
    (amount, day): (i64, Day),
    order: OrderId,
) {
    let purpose = Purpose { order: Some(order), day: Some(day), reverses: None };
    transfer(scene, state, out, Asset::Growth, TransferKind::TakeOver, amount, purpose);
    state.member.accounts.entry(Asset::Growth).or_default().active += amount;
    let today = scene.rules.zone.day(scene.at);
    state.member.book_growth(day, amount, today, scene.rules.tiers.over_days);
}

/// When a lot opened by [`earn`] can be spent and when it no longer can.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// From when it can be spent.
    pub active_at: Ts,
    /// From when it no longer can.
    pub expires_at: Ts,
}

/// Gives points: debt is paid first, the rest is a new lot. Returns the lot's id.
pub fn earn(
    scene: &Scene<'_>,
    state: &mut State,
    out: &mut Outcome,
    kind: TransferKind,
    amount: i64,
    life: Lifetime,
    purpose: Purpose,
) -> TransferId {
    let id = transfer(scene, state, out, Asset::Points, kind, amount, purpose);
    let account = state.member.accounts.entry(Asset::Points).or_default();
    let pays = amount.min(account.debt);
    let active = life.active_at <= scene.at;
    account.debt -= pays;
    if active {
        account.active += amount - pays;
    } else {
        account.pending += amount - pays;
    }
    if pays > 0 {
        out.allocations.push(Allocation { transfer: id, lot: Some(id), amount: pays });
        out.allocations.push(Allocation { transfer: id, lot: None, amount: -pays });
    }
    let lot = Lot {
        id,
        member: state.member.id,
        asset: Asset::Points,
        granted: amount,
        remaining: amount - pays,
        active_at: life.active_at,
        expires_at: life.expires_at,
        active,
    };
    out.lots.push(lot.clone());
    if life.expires_at <= scene.at {
        // Earned so late that it is gone already: history that comes in after its day.
        expire_lots(scene, state, out, vec![lot]);
        return id;
    }
    let mut set = |kind: TimerKind, due: Ts| {
        state.member.timers.insert(TimerKey { kind, which: due.0 }, due);
    };
    if life.expires_at != Ts::FOREVER {
        set(TimerKind::Expire, life.expires_at);
    }
    if !active {
        set(TimerKind::Activate, life.active_at);
    }
    id
}

/// The lots a removal will draw on: these first, then others in spending order.
struct Draw {
    amount: i64,
    first: Vec<TransferId>,
    only_active: bool,
}

/// Checks that everything a draw may touch was looked up.
fn ask(state: &State, known: &Known, draw: &Draw) -> Result<(), Stop> {
    if !draw.first.is_empty() {
        known.ask_lots(LotsAsked::These(draw.first.clone()))?;
    }
    let own: i64 = draw.first.iter().filter_map(|id| known.lots.get(id)).map(|lot| lot.remaining).sum();
    let account = state.member.account(Asset::Points);
    let open = account.active + if draw.only_active { 0 } else { account.pending };
    if own < draw.amount && open > own {
        known.ask_lots(LotsAsked::Covering(draw.amount))?;
    }
    Ok(())
}

/// Takes from lots; what they cannot cover becomes debt. Everything it touches was asked for.
fn draw(state: &mut State, known: &Known, out: &mut Outcome, id: TransferId, draw: &Draw) {
    let mut order: Vec<&Lot> = draw.first.iter().filter_map(|id| known.lots.get(id)).collect();
    let mut others: Vec<&Lot> = known
        .lots
        .values()
        .filter(|lot| !draw.first.contains(&lot.id) && (lot.active || !draw.only_active))
        .collect();
    others.sort_by_key(|lot| lot.spending_key());
    order.extend(others);
    let account = state.member.accounts.entry(Asset::Points).or_default();
    let mut left = draw.amount;
    for lot in order {
        let takes = left.min(lot.remaining);
        if takes == 0 {
            continue;
        }
        left -= takes;
        if lot.active {
            account.active -= takes;
        } else {
            account.pending -= takes;
        }
        out.allocations.push(Allocation { transfer: id, lot: Some(lot.id), amount: takes });
        out.lots.push(Lot { remaining: lot.remaining - takes, ..lot.clone() });
    }
    if left > 0 {
        account.debt += left;
        out.allocations.push(Allocation { transfer: id, lot: None, amount: left });
    }
}

/// Checks whether [`take_back`] knows all it needs.
pub fn ask_take_back(state: &State, known: &Known, amount: i64, own: &[TransferId]) -> Result<(), Stop> {
    if amount == 0 {
        return Ok(());
    }
    ask(state, known, &Draw { amount, first: own.to_vec(), only_active: false })
}

/// Takes earned points back: from the order's own lots, then others, then as debt (semantics 8). Where the
/// playbook allows no debt, the shortfall is written off by a transfer of its own, never dropped.
pub fn take_back(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    amount: i64,
    own: &[TransferId],
    order: OrderId,
) {
    if amount == 0 {
        return;
    }
    let purpose = Purpose { order: Some(order), reverses: own.first().copied(), day: None };
    let id = transfer(scene, state, out, Asset::Points, TransferKind::TakeBack, amount, purpose);
    let before = state.member.account(Asset::Points).debt;
    draw(state, known, out, id, &Draw { amount, first: own.to_vec(), only_active: false });
    let purpose = Purpose { order: Some(order), reverses: Some(id), day: None };
    write_off(scene, state, out, before, purpose);
}

/// Where the playbook allows no debt, what an account owes more than `before` is written off.
fn write_off(scene: &Scene<'_>, state: &mut State, out: &mut Outcome, before: i64, purpose: Purpose) {
    let short = state.member.account(Asset::Points).debt - before;
    if short <= 0 || scene.rules.points.debt_allowed {
        return;
    }
    let id = transfer(scene, state, out, Asset::Points, TransferKind::Give, short, purpose);
    state.member.accounts.entry(Asset::Points).or_default().debt -= short;
    out.allocations.push(Allocation { transfer: id, lot: None, amount: -short });
}

/// Checks whether a spend at once can be made, and whether [`spend`] knows all it needs.
pub(crate) fn ask_spend(state: &State, known: &Known, amount: i64) -> Result<(), Stop> {
    check_amount(amount)?;
    let shown = state.member.account(Asset::Points).shown();
    if shown < amount {
        return Err(insufficient(shown, amount));
    }
    ask(state, known, &Draw { amount, first: Vec::new(), only_active: true })
}

/// Spends points at once, or what a hold promised (`hold`, which is closed).
pub fn spend(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    kind: TransferKind,
    amount: i64,
    hold: Option<&Hold>,
) -> Result<TransferId, Stop> {
    check_amount(amount)?;
    let shown = state.member.account(Asset::Points).shown();
    match hold {
        None if shown < amount => return Err(insufficient(shown, amount)),
        Some(hold) if amount > hold.amount => {
            let message = format!("the hold is for {} points, not {amount}", hold.amount);
            return Err(Stop::refused("post_exceeds_hold", "properties.amount", message));
        }
        _ => {}
    }
    let wants = Draw { amount, first: Vec::new(), only_active: true };
    ask(state, known, &wants)?;
    if let Some(hold) = hold {
        state.member.accounts.entry(Asset::Points).or_default().held -= hold.amount;
        out.holds.push(Hold { open: false, ..hold.clone() });
    }
    let purpose = Purpose { reverses: hold.map(|hold| hold.id), ..Purpose::default() };
    let id = transfer(scene, state, out, Asset::Points, kind, amount, purpose);
    let before = state.member.account(Asset::Points).debt;
    draw(state, known, out, id, &wants);
    // A promise may outlive its points. What it lacks names no spend, so that the spend can still come back whole.
    write_off(scene, state, out, before, Purpose::default());
    Ok(id)
}

/// Promises points without moving them.
pub fn hold(
    scene: &Scene<'_>,
    state: &mut State,
    out: &mut Outcome,
    amount: i64,
) -> Result<TransferId, Stop> {
    check_amount(amount)?;
    let shown = state.member.account(Asset::Points).shown();
    if shown < amount {
        return Err(insufficient(shown, amount));
    }
    let id = transfer(scene, state, out, Asset::Points, TransferKind::Hold, amount, Purpose::default());
    state.member.accounts.entry(Asset::Points).or_default().held += amount;
    out.holds.push(Hold { id, member: state.member.id, asset: Asset::Points, amount, open: true });
    Ok(id)
}

/// Releases a hold.
pub fn release(scene: &Scene<'_>, state: &mut State, out: &mut Outcome, hold: &Hold) {
    let purpose = Purpose { reverses: Some(hold.id), ..Purpose::default() };
    transfer(scene, state, out, Asset::Points, TransferKind::Release, hold.amount, purpose);
    state.member.accounts.entry(Asset::Points).or_default().held -= hold.amount;
    out.holds.push(Hold { open: false, ..hold.clone() });
}

/// Checks whether [`give_back`] knows the lots it needs.
pub(crate) fn ask_give_back(known: &Known, past: &PastTransfer, amount: i64) -> Result<(), Stop> {
    let lots: Vec<TransferId> = shares_back(past, amount).iter().filter_map(|(lot, _)| *lot).collect();
    if lots.is_empty() { Ok(()) } else { known.ask_lots(LotsAsked::These(lots)) }
}

/// Gives a spend back, whole or in part, into the very lots it came from, the one that expires last first. What
/// lands in a lot that has expired meanwhile expires at once; debt is paid first. What was spent as debt that is paid
/// by now came from no lot that could take it back: it opens one of its own.
pub fn give_back(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    past: &PastTransfer,
    amount: i64,
) -> Result<(), Stop> {
    check_amount(amount)?;
    let left = past.transfer.amount - past.undone;
    if amount > left {
        let message = format!("{left} points of this spend are left to return, not {amount}");
        return Err(Stop::refused("return_exceeds_spend", "properties.amount", message));
    }
    let shares = shares_back(past, amount);
    let lots: Vec<TransferId> = shares.iter().filter_map(|(lot, _)| *lot).collect();
    if !lots.is_empty() {
        known.ask_lots(LotsAsked::These(lots))?;
    }
    let purpose = Purpose { reverses: Some(past.transfer.id), ..Purpose::default() };
    let id = transfer(scene, state, out, Asset::Points, TransferKind::Return, amount, purpose);
    let mut expired: Vec<Lot> = Vec::new();
    let mut homeless = 0;
    let account = state.member.accounts.entry(Asset::Points).or_default();
    for (lot, share) in shares {
        let pays = share.min(account.debt);
        account.debt -= pays;
        if pays > 0 {
            out.allocations.push(Allocation { transfer: id, lot: None, amount: -pays });
        }
        if share == pays {
            continue;
        }
        account.active += share - pays;
        let Some(lot) = lot.and_then(|lot| known.lots.get(&lot)) else {
            homeless += share - pays;
            continue;
        };
        let lot = Lot { remaining: lot.remaining + share - pays, ..lot.clone() };
        out.allocations.push(Allocation { transfer: id, lot: Some(lot.id), amount: pays - share });
        if lot.expires_at <= scene.at {
            expired.push(lot.clone());
        }
        out.lots.push(lot);
    }
    if homeless > 0 {
        open_lot(scene, state, out, id, homeless);
    }
    expire_lots(scene, state, out, expired);
    Ok(())
}

/// A lot that can be spent at once and lives as long as what is earned now.
fn open_lot(scene: &Scene<'_>, state: &mut State, out: &mut Outcome, id: TransferId, amount: i64) {
    let expires_at = scene.rules.expiry(scene.at);
    let (member, asset) = (state.member.id, Asset::Points);
    let lot = Lot {
        id,
        member,
        asset,
        granted: amount,
        remaining: amount,
        active_at: scene.at,
        expires_at,
        active: true,
    };
    out.lots.push(lot);
    if expires_at != Ts::FOREVER {
        let timer = TimerKey { kind: TimerKind::Expire, which: expires_at.0 };
        state.member.timers.insert(timer, expires_at);
    }
}

/// Which lots get how much back: the spend's allocations from the last, less what was undone before.
fn shares_back(past: &PastTransfer, amount: i64) -> Vec<(Option<TransferId>, i64)> {
    let mut skip = past.undone;
    let mut left = amount;
    let mut shares = Vec::new();
    for (lot, took) in past.allocations.iter().rev() {
        let skipped = skip.min(*took);
        skip -= skipped;
        let share = left.min(took - skipped);
        left -= share;
        if share > 0 {
            shares.push((*lot, share));
        }
    }
    shares
}

/// Lots whose time, `since`, has come become spendable.
pub fn activate(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    since: Ts,
) -> Result<(), Stop> {
    debug_assert!(since <= scene.at);
    known.ask_lots(LotsAsked::ActiveAt(since))?;
    let account = state.member.accounts.entry(Asset::Points).or_default();
    for lot in known.lots.values().filter(|lot| !lot.active && lot.active_at == since) {
        account.pending -= lot.remaining;
        account.active += lot.remaining;
        out.lots.push(Lot { active: true, ..lot.clone() });
    }
    Ok(())
}

/// Lots whose day, `since` its 00:00, has come are gone.
pub fn expire(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    out: &mut Outcome,
    since: Ts,
) -> Result<(), Stop> {
    debug_assert!(since <= scene.at);
    known.ask_lots(LotsAsked::ExpiringAt(since))?;
    let mut lots: Vec<Lot> =
        known.lots.values().filter(|lot| lot.expires_at == since && lot.remaining > 0).cloned().collect();
    lots.sort_by_key(Lot::spending_key);
    expire_lots(scene, state, out, lots);
    Ok(())
}

fn expire_lots(scene: &Scene<'_>, state: &mut State, out: &mut Outcome, lots: Vec<Lot>) {
    let amount: i64 = lots.iter().map(|lot| lot.remaining).sum();
    if amount == 0 {
        return;
    }
    let id = transfer(scene, state, out, Asset::Points, TransferKind::Expire, amount, Purpose::default());
    let account = state.member.accounts.entry(Asset::Points).or_default();
    for lot in lots.into_iter().filter(|lot| lot.remaining > 0) {
        if lot.active {
            account.active -= lot.remaining;
        } else {
            account.pending -= lot.remaining;
        }
        out.allocations.push(Allocation { transfer: id, lot: Some(lot.id), amount: lot.remaining });
        out.lots.push(Lot { remaining: 0, ..lot });
    }
}

/// An open hold that was looked up, or why there is none.
pub fn open_hold(known: &Known, id: TransferId) -> Result<&Hold, Stop> {
    match known.holds.get(&id) {
        None => Err(Stop::Missing(Missing::Hold(id))),
        Some(None) => {
            Err(Stop::refused("hold_unknown", "properties.hold_id", "this member has no such hold"))
        }
        Some(Some(hold)) if !hold.open => {
            Err(Stop::refused("hold_closed", "properties.hold_id", "the hold was posted or voided already"))
        }
        Some(Some(hold)) => Ok(hold),
    }
}

/// Refuses amounts that are not above zero or beyond [`AMOUNT_MAX`].
pub fn check_amount(amount: i64) -> Result<(), Stop> {
    if amount > 0 && amount <= AMOUNT_MAX {
        return Ok(());
    }
    Err(Stop::refused("bad_amount", "properties.amount", format!("an amount is 1 to {AMOUNT_MAX}")))
}

fn insufficient(shown: i64, amount: i64) -> Stop {
    let message = format!("{shown} points can be spent, not {amount}");
    Stop::refused("insufficient_points", "properties.amount", message)
}

/// The lots of an outcome, each once, as it is last.
pub fn last_of_each(lots: &[Lot]) -> BTreeMap<TransferId, &Lot> {
    lots.iter().map(|lot| (lot.id, lot)).collect()
}
