//! A member was two people: each gets back what is theirs.

use std::collections::BTreeMap;

use zhiyin_model::checkout::Checkout;
use zhiyin_model::coupon::Coupon;
use zhiyin_model::effect::{Allocation, Asset, Hold, Lot, Order, TimerKind, Transfer, TransferKind};
use zhiyin_model::event::{Event, Takeover};
use zhiyin_model::id::{CheckoutId, CouponId, EventId, MemberId, OrderId, TransferId};
use zhiyin_model::member::{Account, Member, Term};
use zhiyin_model::personal::Personal;
use zhiyin_model::time::Ts;

use super::settle::{Settled, settle};
use super::{Moved, hand_over, lot_timers, transfer};
use crate::outcome::{History, Outcome};
use crate::state::State;
use crate::{
    Scene, campaign, consent, contact, coupon, dependant, judge, note_profile, order, takeover, tier,
};

/// Whose something is when a member is parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It stays with the member.
    Stays,
    /// It goes with the identifiers that leave.
    Leaves,
}

/// A member's whole past, to be parted.
#[derive(Debug, Default)]
pub struct Parting {
    /// Items that were decided, as read, in the order of their places.
    pub items: Vec<(EventId, Event)>,
    /// Whose each event is, derived ones included; what is not named stays.
    pub sides: BTreeMap<EventId, Side>,
    /// All transfers that these events caused.
    pub transfers: Vec<Transfer>,
    /// What they took from which lots.
    pub allocations: Vec<Allocation>,
    /// The member's lots.
    pub lots: Vec<Lot>,
    /// The member's holds.
    pub holds: Vec<Hold>,
    /// The member's orders, each with the event that brought it.
    pub orders: Vec<(Order, EventId)>,
    /// The member's coupons, wherever they stand.
    pub coupons: Vec<Coupon>,
    /// The member's checkouts, wherever they stand.
    pub checkouts: Vec<Checkout>,
    /// What counts of the history that stays.
    pub history_stays: History,
    /// And of that which leaves.
    pub history_leaves: History,
}

/// What leaves.
#[derive(Debug)]
pub struct Parted {
    /// Who it is from now on.
    pub other: State,
    /// What is said of them.
    pub outcome: Outcome,
    /// Orders that are theirs.
    pub orders: Vec<OrderId>,
    /// Lots that are theirs.
    pub lots: Vec<TransferId>,
    /// Holds that are theirs.
    pub holds: Vec<TransferId>,
    /// Coupons that are theirs: those that their events issued, and that no checkout of the other side took; and those that
    /// their checkouts took.
    pub coupons: Vec<CouponId>,
    /// Checkouts that are theirs: those that their events began.
    pub checkouts: Vec<CheckoutId>,
}

/// What leaves a member becomes another: their events, orders, lots and what these come to. Both are judged anew: profile,
/// tier, stage and tags by their own events only.
pub fn part(
    scene: &Scene<'_>,
    state: &mut State,
    other: MemberId,
    past: &Parting,
    out: &mut Outcome,
) -> Parted {
    let sums = Sums::of(past);
    let settled = |side: Side| {
        let lots = past.lots.iter().filter(|lot| sums.of_transfer(lot.id) == side).cloned().collect();
        settle(lots, sums.balance(side), &sums.crossed, scene.at)
    };
    let (stays, leaves) = (settled(Side::Stays), settled(Side::Leaves));
    let (anchor, came) = points(scene, (state, other), &stays, &leaves, out);
    let mut theirs = State::new(scene.rules, other, scene.at);
    theirs.member.personal.clone_from(&state.member.personal);
    // What leaves is written as it is from now on: its rows have moved by then.
    for (side, settled, member, anchor) in
        [(Side::Stays, &stays, &mut state.member, anchor), (Side::Leaves, &leaves, &mut theirs.member, came)]
    {
        let account = lots_of(scene, member, settled, anchor, out);
        let holds = past.holds.iter().filter(|hold| hold.open && sums.of_transfer(hold.id) == side);
        let held = holds.map(|hold| hold.amount).sum();
        member.accounts.insert(Asset::Points, Account { held, ..account });
    }
    let orders = past.orders.iter().map(|(order, _)| order);
    let leaving = |order: &&Order| sums.of_order(order.id) == Side::Leaves;
    growth(scene, (state, &mut theirs), orders.clone().filter(leaving), out);
    let mut outcome = Outcome { at: scene.at, ..Outcome::default() };
    anew(scene, state, past, &sums, Side::Stays, out);
    anew(scene, &mut theirs, past, &sums, Side::Leaves, &mut outcome);
    let goes = |checkout: &Checkout| sums.of_event(checkout.cause) == Side::Leaves;
    let taken: BTreeMap<CouponId, bool> = (past.checkouts.iter().filter(|checkout| checkout.state.takes()))
        .flat_map(|checkout| checkout.takes.coupons.iter().map(move |coupon| (coupon.id, goes(checkout))))
        .collect();
    let is_theirs = |coupon: &Coupon| {
        taken.get(&coupon.id).copied().unwrap_or(sums.of_event(coupon.cause) == Side::Leaves)
    };
    let both = (&*past.coupons, &*past.checkouts);
    coupon::part(scene, &mut state.member, &mut theirs.member, both, is_theirs, goes);
    campaign::part(scene, &state.member, &mut theirs.member, &mut outcome);
    campaign::set_timer(scene, state);
    campaign::set_timer(scene, &mut theirs);
    let coupons = past.coupons.iter().filter(|coupon| is_theirs(coupon)).map(|coupon| coupon.id).collect();
    let checkouts =
        past.checkouts.iter().filter(|checkout| goes(checkout)).map(|checkout| checkout.id).collect();
    let lots = leaves.lots.iter().map(|lot| lot.id).collect();
    let holds = past.holds.iter().filter(|hold| sums.of_transfer(hold.id) == Side::Leaves);
    let holds = holds.map(|hold| hold.id).collect();
    let orders = orders.filter(leaving).map(|order| order.id).collect();
    Parted { other: theirs, outcome, orders, lots, holds, coupons, checkouts }
}

/// Whose transfers and orders are, and what they come to.
struct Sums<'p> {
    past: &'p Parting,
    transfers: BTreeMap<TransferId, Side>,
    orders: BTreeMap<OrderId, Side>,
    balances: BTreeMap<Side, i64>,
    /// What the other side took from which lot.
    crossed: BTreeMap<TransferId, i64>,
}

impl<'p> Sums<'p> {
    fn of(past: &'p Parting) -> Self {
        let (transfers, orders, balances) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut sums = Self { past, transfers, orders, balances, crossed: BTreeMap::new() };
        for (order, brought) in &past.orders {
            let side = sums.of_event(*brought);
            sums.orders.insert(order.id, side);
        }
        for transfer in &past.transfers {
            let side = sums.decide(transfer);
            sums.transfers.insert(transfer.id, side);
        }
        let mut taken: BTreeMap<TransferId, Vec<&Allocation>> = BTreeMap::new();
        for allocation in &past.allocations {
            taken.entry(allocation.transfer).or_default().push(allocation);
        }
        let points = past.transfers.iter().filter(|transfer| transfer.asset == Asset::Points);
        for transfer in points.filter(|transfer| !is_move(transfer.kind)) {
            let taken = taken.get(&transfer.id).map_or(&[][..], Vec::as_slice);
            sums.add(transfer, taken);
        }
        sums
    }

    /// A transfer goes with its order; what comes back with what was spent; else with its event.
    fn decide(&self, transfer: &Transfer) -> Side {
        let of_order = transfer.order.and_then(|order| self.orders.get(&order));
        let of_spend = transfer.reverses.and_then(|spend| self.transfers.get(&spend));
        of_order.or(of_spend).copied().unwrap_or_else(|| self.of_event(transfer.event))
    }

    fn add(&mut self, transfer: &Transfer, taken: &[&Allocation]) {
        let side = self.of_transfer(transfer.id);
        let (_, sign) = transfer.kind.sides();
        if transfer.kind == TransferKind::Expire {
            // It goes with the lots that expired.
            for allocation in taken {
                let side = allocation.lot.map_or(side, |lot| self.of_transfer(lot));
                *self.balances.entry(side).or_default() -= allocation.amount;
            }
            return;
        }
        *self.balances.entry(side).or_default() += sign * transfer.amount;
        for allocation in taken {
            if let Some(lot) = allocation.lot.filter(|lot| self.of_transfer(*lot) != side) {
                *self.crossed.entry(lot).or_default() += allocation.amount;
            }
        }
    }

    fn of_event(&self, event: EventId) -> Side {
        self.past.sides.get(&event).copied().unwrap_or(Side::Stays)
    }

    fn of_order(&self, order: OrderId) -> Side {
        self.orders.get(&order).copied().unwrap_or(Side::Stays)
    }

    fn of_transfer(&self, transfer: TransferId) -> Side {
        self.transfers.get(&transfer).copied().unwrap_or(Side::Stays)
    }

    fn balance(&self, side: Side) -> i64 {
        self.balances.get(&side).copied().unwrap_or(0)
    }
}

fn is_move(kind: TransferKind) -> bool {
    matches!(kind, TransferKind::MoveOut | TransferKind::MoveIn)
}

/// Moves what leaves, and writes down what was taken from and put back into lots on the way: the transfers on either side
/// by which that is said.
fn points(
    scene: &Scene<'_>,
    (state, other): (&State, MemberId),
    stays: &Settled,
    leaves: &Settled,
    out: &mut Outcome,
) -> (TransferId, TransferId) {
    let member = state.member.id;
    let today = scene.rules.zone.day(scene.at);
    let moved = |amount, debt| Moved { asset: Asset::Points, amount, day: today, debt };
    let mut anchor = None;
    if leaves.total() > 0 {
        anchor = Some(hand_over(scene, out, (member, other), &moved(leaves.total(), false)));
    }
    if leaves.debt > 0 {
        let said = hand_over(scene, out, (member, other), &moved(leaves.debt, true));
        anchor = anchor.or(Some(said));
    }
    let debt = stays.debt - (state.member.account(Asset::Points).debt - leaves.debt);
    let changes = stays.taken.len() + leaves.taken.len() + usize::from(stays.homeless > 0 || debt != 0);
    let (left, came) = match anchor {
        Some(anchor) => anchor,
        None if changes == 0 => return (TransferId::from_bytes([0; 16]), TransferId::from_bytes([0; 16])),
        None => {
            // Nothing leaves, but lots change all the same: said by a move from the member to themselves.
            let amount = stays.taken.iter().chain(&leaves.taken).map(|(_, taken)| taken.abs()).sum::<i64>();
            let said = (amount.max(1), today);
            let out_of = transfer(scene, out, member, TransferKind::MoveOut, Asset::Points, said);
            (out_of, transfer(scene, out, member, TransferKind::MoveIn, Asset::Points, said))
        }
    };
    for (settled, transfer) in [(stays, left), (leaves, came)] {
        for (lot, amount) in &settled.taken {
            out.allocations.push(Allocation { transfer, lot: Some(*lot), amount: *amount });
        }
    }
    if debt != 0 {
        out.allocations.push(Allocation { transfer: left, lot: None, amount: debt });
    }
    (left, came)
}

/// Writes a side's lots down where they changed hands or content, and says what they come to.
fn lots_of(
    scene: &Scene<'_>,
    member: &mut Member,
    settled: &Settled,
    anchor: TransferId,
    out: &mut Outcome,
) -> Account {
    let mut account = Account { debt: settled.debt, ..Account::default() };
    let id = member.id;
    let mut lots: Vec<Lot> = settled.lots.iter().map(|lot| Lot { member: id, ..lot.clone() }).collect();
    if settled.homeless > 0 {
        let (asset, granted, remaining) = (Asset::Points, settled.homeless, settled.homeless);
        let (active_at, expires_at, active) = (scene.at, scene.rules.expiry(scene.at), true);
        let lot = Lot { id: anchor, member: id, asset, granted, remaining, active_at, expires_at, active };
        lot_timers(member, &lot);
        lots.push(lot);
    }
    for lot in lots {
        match lot.active {
            true => account.active += lot.remaining,
            false => account.pending += lot.remaining,
        }
        let changed = settled.taken.iter().any(|(id, _)| *id == lot.id) || lot.id == anchor;
        if changed {
            out.lots.push(lot);
        }
    }
    account
}

/// Growth moves by the days of its orders.
fn growth<'o>(
    scene: &Scene<'_>,
    (state, theirs): (&mut State, &mut State),
    leaving: impl Iterator<Item = &'o Order>,
    out: &mut Outcome,
) {
    let between = (state.member.id, theirs.member.id);
    for order in leaving {
        let amount = order.terms.growth_kept;
        if amount == 0 {
            continue;
        }
        let day = scene.rules.zone.day(order.time);
        let moved = Moved { asset: Asset::Growth, amount: amount.abs(), day, debt: false };
        let between = if amount > 0 { between } else { (between.1, between.0) };
        hand_over(scene, out, between, &moved);
        state.member.accounts.entry(Asset::Growth).or_default().active -= amount;
        theirs.member.accounts.entry(Asset::Growth).or_default().active += amount;
    }
}

/// A side's profile, aggregates, tier, stage and tags by its own events only.
fn anew(
    scene: &Scene<'_>,
    state: &mut State,
    past: &Parting,
    sums: &Sums<'_>,
    side: Side,
    out: &mut Outcome,
) {
    let mine = past.items.iter().filter(|(id, _)| sums.of_event(*id) == side);
    personal(scene, state, mine.clone(), |id| sums.of_event(id) == side);
    let mine = mine.map(|(_, event)| event);
    let first = mine.clone().next().map(|event| event.time);
    let fresh = Member::new(state.member.id, first.unwrap_or(scene.at));
    state.member.attributes = fresh.attributes;
    state.member.told_at = fresh.told_at;
    state.member.touches = fresh.touches;
    state.member.growth_days = fresh.growth_days;
    for event in mine.clone() {
        note_profile(scene.rules, state, event);
    }
    contact::tags_anew(&mut state.member, scene.at);
    state.member.known_since = mine.map(|event| event.time).min().unwrap_or(scene.at);
    state.member.enrolled_at = first;
    state.member.decided_until = state.member.decided_until.max(scene.at);
    let mut orders: Vec<(Ts, i64)> = past
        .orders
        .iter()
        .map(|(order, _)| order)
        .filter(|order| sums.of_order(order.id) == side)
        .map(|order| (order.time, order.terms.growth_kept))
        .collect();
    orders.sort_unstable();
    let rules = scene.rules;
    let today = rules.zone.day(scene.at);
    for (time, growth) in &orders {
        state.member.book_growth(rules.zone.day(*time), *growth, today, rules.tiers.over_days);
    }
    let brought = past.items.iter().filter(|(id, _)| sums.of_event(*id) == side).map(|(_, event)| event);
    let brought: Vec<(Ts, &Takeover)> =
        brought.filter_map(|event| Some((event.time, event.takeover.as_deref()?))).collect();
    let first =
        first.map(|first| brought.iter().fold(first, |first, taken| takeover::enrolled(*taken).min(first)));
    state.member.enrolled_at = first;
    for taken in &brought {
        takeover::note(&mut state.member, *taken);
    }
    let history = match side {
        Side::Stays => &past.history_stays,
        Side::Leaves => &past.history_leaves,
    };
    state.leaves = order::rebuild(rules, history, None);
    match first {
        Some(first) => {
            let key = |term: &Term| (rules.rank(&term.level), term.ends);
            let taken = brought.iter().filter_map(|taken| takeover::term(rules, *taken));
            let running = taken.filter(|taken| rules.zone.start(taken.ends) > scene.at);
            let better = |term: Term, taken: Term| if key(&taken) > key(&term) { taken } else { term };
            // Whose books came from an old system stand here since then.
            let begins = brought.iter().map(|(instant, _)| *instant).max().unwrap_or(first);
            let term = running.fold(tier::by_history(scene, begins, &orders), better);
            tier::be(scene, state, term, out);
        }
        None => {
            state.member.term = None;
            state.member.timers.retain(|key, _| key.kind != TimerKind::Tier);
        }
    }
    for lot in past.lots.iter().filter(|lot| sums.of_transfer(lot.id) == side) {
        if lot.expires_at > scene.at {
            lot_timers(&mut state.member, lot);
        }
    }
    judge::judge(scene, state, out);
}

/// What a side said of itself. A no that a merge dated stays where the event is that said it: who else was merged then may
/// still be here.
fn personal<'e>(
    scene: &Scene<'_>,
    state: &mut State,
    mine: impl Iterator<Item = &'e (EventId, Event)>,
    is_mine: impl Fn(EventId) -> bool,
) {
    let personal = &mut state.member.personal;
    let settled = personal.consents.settled_by(is_mine);
    // Whom nothing reached under names of both is not written to until somebody says so.
    let unreachable = std::mem::take(&mut personal.unreachable);
    *personal = Personal { unreachable, ..Personal::default() };
    for (id, event) in mine {
        consent::hear_again(scene.rules, &mut personal.consents, *id, event);
        dependant::hear_again(&mut personal.dependants, event);
        contact::hear_again(personal, event);
    }
    personal.consents.settle_again(&settled);
}
