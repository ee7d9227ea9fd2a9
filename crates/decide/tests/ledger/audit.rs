//! What must be true of the books at any time, computed from the journal and its allocations alone.

use std::collections::BTreeMap;

use zhiyin_model::effect::{Asset, House, Lot, OrderStatus, TimerKey, TimerKind, Transfer, TransferKind};
use zhiyin_model::id::TransferId;
use zhiyin_model::member::Account;
use zhiyin_model::time::{DAY_US, Ts};

use crate::scenario::World;

/// Checks every invariant.
pub fn audit(world: &World) {
    let Some(state) = &world.state else { return };
    let points = state.member.account(Asset::Points);
    let growth = state.member.account(Asset::Growth);
    balances(world, Asset::Points, points);
    balances(world, Asset::Growth, growth);
    allocations(world);
    accounts(world, points);
    holds(world, points);
    timers(world);
    orders(world, growth);
    assert!(points.shown() >= 0 && points.debt >= 0 && points.held >= 0, "{points:?}");
    assert!(world.rules.points.debt_allowed || points.debt == 0, "debt where none is allowed: {points:?}");
}

/// A member's balance is the sum of their transfers, and with the house's accounts an asset sums to zero.
fn balances(world: &World, asset: Asset, account: Account) {
    let mut house: BTreeMap<House, i64> = BTreeMap::new();
    let mut member = 0;
    for transfer in world.record.transfers.iter().filter(|transfer| transfer.asset == asset) {
        let (other, sign) = transfer.kind.sides();
        member += sign * transfer.amount;
        *house.entry(other).or_default() -= sign * transfer.amount;
    }
    assert_eq!(member, account.balance(), "{asset:?}: the journal and the account differ");
    assert_eq!(member + house.values().sum::<i64>(), 0, "{asset:?} does not sum to zero");
}

/// What a transfer moved is what its allocations and its lot say; what a lot has left is what they did not take.
fn allocations(world: &World) {
    let record = &world.record;
    let mut by_transfer: BTreeMap<TransferId, i64> = BTreeMap::new();
    let mut by_lot: BTreeMap<TransferId, i64> = BTreeMap::new();
    for allocation in &record.allocations {
        assert_ne!(allocation.amount, 0, "an allocation of nothing");
        *by_transfer.entry(allocation.transfer).or_default() += allocation.amount;
        if let Some(lot) = allocation.lot {
            *by_lot.entry(lot).or_default() += allocation.amount;
        }
    }
    for transfer in record.transfers.iter().filter(|transfer| transfer.asset == Asset::Points) {
        let opened = record.lots.get(&transfer.id).map_or(0, |lot| lot.granted);
        let (_, sign) = transfer.kind.sides();
        let allocated = by_transfer.remove(&transfer.id).unwrap_or_default();
        assert_eq!(allocated, opened - sign * transfer.amount, "{transfer:?}");
    }
    assert!(by_transfer.is_empty(), "allocations of no transfer: {by_transfer:?}");
    for lot in record.lots.values() {
        let taken = by_lot.remove(&lot.id).unwrap_or_default();
        assert_eq!(lot.remaining, lot.granted - taken, "{lot:?}");
        assert!((0..=lot.granted).contains(&lot.remaining), "{lot:?}");
    }
    assert!(by_lot.is_empty(), "allocations of no lot: {by_lot:?}");
}

/// Active and pending are what lots have left, each in its time; debt is what allocations left to it.
fn accounts(world: &World, points: Account) {
    let left = |active: bool| -> i64 {
        let lots = world.record.lots.values().filter(|lot| lot.active == active);
        lots.map(|lot| lot.remaining).sum()
    };
    assert_eq!((points.active, points.pending), (left(true), left(false)));
    for lot in world.record.open_lots() {
        // An order may lie up to a day ahead of the clock; its points are there from when it is heard of.
        assert!(lot.active || lot.active_at > world.clock, "{lot:?}");
        assert!(!lot.active || lot.active_at <= world.clock.plus_us(DAY_US), "{lot:?}");
        assert!(lot.expires_at > world.clock, "expired and still there: {lot:?}");
    }
    let owed = world.record.allocations.iter().filter(|allocation| allocation.lot.is_none());
    assert_eq!(points.debt, owed.map(|allocation| allocation.amount).sum::<i64>());
    for transfer in world.record.transfers.iter().filter(|transfer| transfer.kind == TransferKind::Expire) {
        for lot in drawn(world, transfer) {
            assert!(lot.expires_at <= transfer.at, "expired before its time: {lot:?}");
        }
    }
}

/// What is held is what open holds promise; each hold was closed by exactly one transfer, or is open.
fn holds(world: &World, points: Account) {
    let transfers = &world.record.transfers;
    let mut promised = 0;
    for hold in transfers.iter().filter(|transfer| transfer.kind == TransferKind::Hold) {
        let ends = transfers.iter().filter(|transfer| transfer.reverses == Some(hold.id)).count();
        let open = world.record.holds[&hold.id].open;
        assert_eq!(ends, usize::from(!open), "{hold:?}");
        promised += if open { hold.amount } else { 0 };
    }
    assert_eq!(points.held, promised);
}

/// What will happen to a lot has its timer.
fn timers(world: &World) {
    let timers = world.state.as_ref().map(|state| &state.member.timers);
    let is_set = |kind, due: Ts| {
        timers.is_some_and(|timers| timers.get(&TimerKey { kind, which: due.0 }) == Some(&due))
    };
    for lot in world.record.open_lots() {
        assert!(lot.expires_at == Ts::FOREVER || is_set(TimerKind::Expire, lot.expires_at), "{lot:?}");
        assert!(lot.active || is_set(TimerKind::Activate, lot.active_at), "{lot:?}");
    }
}

/// What an order keeps is what its terms say of the whole units that did not come back, and what the journal moved.
fn orders(world: &World, growth: Account) {
    let mut kept_growth = 0;
    let (brought, orders): (Vec<_>, Vec<_>) =
        world.record.orders.values().partition(|order| order.status == OrderStatus::TakenOver);
    for order in brought {
        let moved = world.record.transfers.iter().filter(|transfer| transfer.order == Some(order.id));
        let moved: Vec<_> = moved.map(|transfer| (transfer.asset, transfer.kind, transfer.amount)).collect();
        assert_eq!(moved, [(Asset::Growth, TransferKind::TakeOver, order.terms.growth_kept)]);
        kept_growth += order.terms.growth_kept;
    }
    for order in orders {
        assert!(order.refunded <= order.paid && order.refunded.0 >= 0, "{order:?}");
        let rest = if order.counts() { (order.paid.0 - order.refunded.0) / 100 } else { 0 };
        assert_eq!(order.terms.points_kept, rest * i64::from(order.terms.times) / 1000, "{order:?}");
        // What was before a take-over is in what that brought: it has no terms to earn by.
        let per_unit = if order.terms.times == 0 { 0 } else { 10 };
        assert_eq!(order.terms.growth_kept, rest * per_unit, "{order:?}");
        kept_growth += order.terms.growth_kept;
        for (asset, kept) in
            [(Asset::Points, order.terms.points_kept), (Asset::Growth, order.terms.growth_kept)]
        {
            let moved = |kind| -> i64 {
                let of_it = |transfer: &&Transfer| {
                    (transfer.order, transfer.asset, transfer.kind) == (Some(order.id), asset, kind)
                };
                world.record.transfers.iter().filter(of_it).map(|transfer| transfer.amount).sum()
            };
            assert_eq!(
                moved(TransferKind::Earn) - moved(TransferKind::TakeBack),
                kept,
                "{asset:?} {order:?}"
            );
        }
    }
    assert_eq!(growth.balance(), kept_growth);
}

/// The lots that a transfer took from, in the order it did.
pub fn drawn<'a>(world: &'a World, transfer: &Transfer) -> Vec<&'a Lot> {
    let of_it = world.record.allocations.iter().filter(|allocation| allocation.transfer == transfer.id);
    of_it.filter_map(|allocation| allocation.lot).map(|lot| &world.record.lots[&lot]).collect()
}

/// A transfer just made took from lots in spending order and left nothing behind in an earlier one.
pub fn check_draw(world: &World, transfer: &Transfer) {
    let lots = drawn(world, transfer);
    match transfer.kind {
        TransferKind::Spend | TransferKind::Withdraw => in_order(world, &lots, |lot| lot.active),
        TransferKind::TakeBack if transfer.asset == Asset::Points => {
            let order = transfer.order.and_then(|order| world.record.orders.get(&order));
            let own = order.map_or(&[][..], |order| &order.terms.lots);
            let others: Vec<&Lot> = lots.into_iter().filter(|lot| !own.contains(&lot.id)).collect();
            if !others.is_empty() {
                assert!(
                    own.iter().all(|lot| world.record.lots[lot].remaining == 0),
                    "its own lot comes first"
                );
            }
            in_order(world, &others, |lot| !own.contains(&lot.id));
        }
        _ => {}
    }
}

fn in_order(world: &World, lots: &[&Lot], eligible: impl Fn(&Lot) -> bool) {
    assert!(lots.windows(2).all(|pair| pair[0].spending_key() < pair[1].spending_key()), "{lots:?}");
    let Some(last) = lots.last() else { return };
    let earlier = world.record.lots.values().filter(|lot| lot.spending_key() < last.spending_key());
    for lot in earlier.filter(|lot| eligible(lot)) {
        assert_eq!(lot.remaining, 0, "passed over: {lot:?} before {last:?}");
    }
}
