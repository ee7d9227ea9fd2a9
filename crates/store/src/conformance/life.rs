//! A member's life as batches of effects, one for each of six events: an order, a hold, a spend, a return of part of it, a
//! refund, and an order whose points are held back. The effects are consistent: the doctor finds nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use zhiyin_model::consent::Word;
use zhiyin_model::dependant::Told;
use zhiyin_model::effect::{
    Allocation, Asset, Lot, Order, OrderStatus, OrderTerms, PartnerDeed, PartnerMove, StageMove, TagMove,
    TimerKey, TimerKind, Transfer, TransferKind,
};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::{EventId, IdKey, MemberId, OrderId, TransferId};
use zhiyin_model::member::{Account, Member, StageHeld, TagHeld, Term};
use zhiyin_model::money::Money;
use zhiyin_model::personal::Personal;
use zhiyin_model::time::{DAY_US, Day, Ts};

use crate::flush::{Decided, Fact, Flush, Hold, NewIdentifier, NewTerm, OrderChange, OrderSet};
use crate::seal::{self, LookupHash};
use crate::turn::Turn;
use crate::{Append, NewEvent, Result, Store, StoredMember, Ties};

/// The source of all items here.
pub const TILL: &str = "till";
/// How many events the life has.
pub const EVENTS: u8 = 6;

/// The day of the first event is day 100 of 1970; each later event is a day later, at the same time of day.
pub fn at(n: u8) -> Ts {
    Ts(100 * DAY_US + i64::from(n - 1) * DAY_US + 1)
}

/// When the points of both orders expire.
pub const EXPIRES: Ts = Ts(400 * DAY_US);
/// When the points of the second order can be spent.
pub const ACTIVE: Ts = Ts(107 * DAY_US);

/// A life under an id key.
pub struct Life {
    /// Keys what is derived.
    pub key: IdKey,
    /// What the member is called, in the namespace `user`.
    pub name: String,
}

impl Life {
    /// Ann's life.
    pub fn of(key: &IdKey) -> Self {
        Self { key: key.clone(), name: "ann".to_owned() }
    }

    /// Her id.
    pub fn member(&self) -> MemberId {
        self.key.derive("member", &[self.name.as_bytes()])
    }

    /// How she is looked up.
    pub fn identifier(&self) -> LookupHash {
        let identifier = Identifier { namespace: "user".to_owned(), value: self.name.clone() };
        seal::lookup(&self.key, &identifier)
    }

    fn message_id(&self, n: u8) -> String {
        format!("{}-{n}", self.name)
    }

    /// The id of her n-th event.
    pub fn event(&self, n: u8) -> EventId {
        self.key.derive("event", &[TILL.as_bytes(), self.message_id(n).as_bytes()])
    }

    /// The id of the points transfer that her n-th event made.
    pub fn transfer(&self, n: u8) -> TransferId {
        self.key.derive("transfer", &[self.event(n).bytes(), b"points"])
    }

    /// The id of an order.
    pub fn order(&self, number: u8) -> OrderId {
        self.key.derive("order", &[self.name.as_bytes(), &[number]])
    }

    /// Her n-th event as an item for the inbox.
    pub fn item(&self, n: u8) -> NewEvent {
        let body = format!("{{\"of\":\"{}\",\"number\":{n}}}", self.name);
        NewEvent {
            id: self.event(n),
            message_id: self.message_id(n),
            called: None,
            body_hash: self.key.digest("body", &[body.as_bytes()]),
            name: ["Points Spent", "Order Completed"][usize::from(n % 2)].to_owned(),
            time: at(n),
            body: seal::seal(&body),
            names: Vec::new(),
            member: self.member(),
            reach: None,
            ties: Ties::Keep,
            parts: Vec::new(),
        }
    }

    /// All her events, for the inbox.
    pub fn append(&self) -> Append {
        let events = (1..=EVENTS).map(|n| self.item(n)).collect();
        append(events, at(EVENTS), true)
    }

    fn state(&self, n: u8) -> StoredMember {
        let points = [
            Account { active: 100, pending: 0, held: 0, debt: 0 },
            Account { active: 100, pending: 0, held: 10, debt: 0 },
            Account { active: 80, pending: 0, held: 10, debt: 0 },
            Account { active: 85, pending: 0, held: 10, debt: 0 },
            Account { active: 35, pending: 0, held: 10, debt: 0 },
            Account { active: 35, pending: 40, held: 10, debt: 0 },
        ][usize::from(n - 1)];
        let growth = [1000, 1000, 1000, 1000, 500, 900][usize::from(n - 1)];
        let mut member = Member::new(self.member(), at(1));
        member.enrolled_at = Some(at(1));
        member.decided_until = at(n);
        member.accounts.insert(Asset::Points, points);
        member.accounts.insert(Asset::Growth, Account { active: growth, ..Account::default() });
        member.growth_days = vec![(Day(100), growth.min(500)), (Day(105), growth - growth.min(500))];
        member.term = Some(Term { level: "regular".to_owned(), from: at(1), ends: Day(465) });
        let stage = if n < 5 { ("growth", at(1)) } else { ("decline", at(5)) };
        member.stage = Some(StageHeld { stage: stage.0.to_owned(), since: stage.1 });
        if n >= 3 {
            member.tags.insert("spender".to_owned(), TagHeld { since: at(3), by_rule: true });
        }
        // In no audience, so that the digest is what it was before there were any.
        member.audiences.judged.insert(7, u64::from(n));
        let timers = [
            (TimerKind::Tier, Ts(465 * DAY_US)),
            (TimerKind::Expire, EXPIRES),
            (TimerKind::Activate, ACTIVE),
        ];
        let n_timers = if n == EVENTS { 3 } else { 2 };
        member.timers = timers.into_iter().take(n_timers).map(|(kind, due)| Self::timer(kind, due)).collect();
        let wake = member.timers.values().min().copied();
        StoredMember { member, leaves: vec![n, 0, 255], fingerprint: "f".to_owned(), wake }
    }

    /// What she might tell of herself by the n-th event.
    pub fn told(&self, n: u8) -> Personal {
        let word = |guardian: Option<&str>| Word {
            at: at(n),
            source: Some("till".to_owned()),
            guardian: guardian.map(str::to_owned),
            event: self.event(n),
        };
        let mut personal = Personal::default();
        personal.consents.give("marketing", "sms", "2", word(None));
        personal.consents.give("marketing", "sms", "2", word(Some("her mother 🎁")));
        personal.consents.withdraw("all", "email", word(None));
        let child = Told { birthday: Some(Day(100)), name: Some("宝宝".to_owned()), ..Told::default() };
        personal.dependants.tell("first", at(n), child);
        personal.dependants.remove("second", at(n));
        personal
    }

    fn order_as_of(&self, number: u8, refunded: i64) -> Order {
        let (event, paid, points) = if number == 1 { (1, 10_000, 100) } else { (6, 4_000, 40) };
        let kept = (paid - refunded) / 100;
        Order {
            id: self.order(number),
            member: self.member(),
            time: at(event),
            store: Some("s1".to_owned()),
            channel: None,
            paid: Money(paid),
            refunded: Money(refunded),
            status: OrderStatus::Placed,
            event: self.event(event),
            terms: OrderTerms {
                points: vec![(1, 1)],
                times: 1000,
                growth: vec![(10, 1)],
                points_kept: kept.min(points),
                growth_kept: kept * 10,
                lots: vec![self.transfer(event)],
                expires_at: EXPIRES,
                ..OrderTerms::default()
            },
        }
    }

    /// A lot that her n-th event opened, with so much left.
    pub fn lot(&self, n: u8, granted: i64, remaining: i64) -> Lot {
        let held_back = n == 6;
        Lot {
            id: self.transfer(n),
            member: self.member(),
            asset: Asset::Points,
            granted,
            remaining,
            active_at: if held_back { ACTIVE } else { at(n) },
            expires_at: EXPIRES,
            active: !held_back,
        }
    }

    fn points(&self, n: u8, kind: TransferKind, amount: i64, reverses: Option<u8>) -> Transfer {
        let day = Day(99 + i32::from(n));
        Transfer {
            id: self.transfer(n),
            member: self.member(),
            asset: Asset::Points,
            kind,
            amount,
            event: self.event(n),
            ordinal: 0,
            at: at(n),
            day,
            reverses: reverses.map(|n| self.transfer(n)),
            order: None,
        }
    }

    fn growth(&self, n: u8, kind: TransferKind, amount: i64, day: i32) -> Transfer {
        let id = self.key.derive("transfer", &[self.event(n).bytes(), b"growth"]);
        let points = self.points(n, kind, amount, None);
        Transfer { id, asset: Asset::Growth, ordinal: 1, day: Day(day), ..points }
    }

    fn took(&self, n: u8, amount: i64) -> Allocation {
        Allocation { transfer: self.transfer(n), lot: Some(self.transfer(1)), amount }
    }

    fn hold(&self, open: bool) -> Hold {
        Hold { id: self.transfer(2), member: self.member(), asset: Asset::Points, amount: 10, open }
    }

    fn timer(kind: TimerKind, due: Ts) -> (TimerKey, Ts) {
        let which = if matches!(kind, TimerKind::Expire | TimerKind::Activate) { due.0 } else { 0 };
        (TimerKey { kind, which }, due)
    }

    /// What her n-th event, at its place in the inbox, makes true.
    pub fn part(&self, n: u8, seq: i64) -> Flush {
        let member = self.member();
        let mut part = Flush {
            cursor: Some(seq),
            version: 1,
            decided: vec![Decided { seq, id: self.event(n), member, time: at(n) }],
            members: vec![self.state(n)],
            ..Flush::default()
        };
        match n {
            1 => {
                self.first_order(&mut part);
                let (partner, deed) = ("school".to_owned(), PartnerDeed::BroughtNew);
                part.partners.push(PartnerMove { member, partner, deed, at: at(1), event: self.event(1) });
            }
            2 => {
                part.transfers.push(self.points(2, TransferKind::Hold, 10, None));
                part.holds.push(self.hold(true));
            }
            3 => {
                part.transfers.push(self.points(3, TransferKind::Spend, 20, None));
                part.allocations.push(self.took(3, 20));
                part.lots.push(self.lot(1, 100, 80));
                let tag = "spender".to_owned();
                part.tags.push(TagMove { member, tag, on: true, at: at(3), event: self.event(3) });
            }
            4 => {
                part.transfers.push(self.points(4, TransferKind::Return, 5, Some(3)));
                part.allocations.push(self.took(4, -5));
                part.lots.push(self.lot(1, 100, 85));
            }
            5 => self.refund(&mut part),
            _ => self.second_order(&mut part),
        }
        part
    }

    fn first_order(&self, part: &mut Flush) {
        let member = self.member();
        part.identifiers.push(NewIdentifier {
            hash: self.identifier(),
            namespace: "user".to_owned(),
            value: seal::seal(&self.name),
            member,
            since: at(1),
        });
        part.orders.push(OrderSet { order: self.order_as_of(1, 0), was: None });
        part.transfers.push(self.points(1, TransferKind::Earn, 100, None));
        part.transfers.push(self.growth(1, TransferKind::Earn, 1000, 100));
        part.lots.push(self.lot(1, 100, 100));
        let term = Term { level: "regular".to_owned(), from: at(1), ends: Day(465) };
        part.terms.push(NewTerm { member, term, event: self.event(1) });
        let to = "growth".to_owned();
        part.stages.push(StageMove { member, from: None, to, at: at(1), event: self.event(1) });
    }

    /// Half of the first order comes back; a stage move by a timer's own event.
    fn refund(&self, part: &mut Flush) {
        let member = self.member();
        part.orders.push(OrderSet { order: self.order_as_of(1, 5_000), was: Some(member) });
        let change = |at, refunded, first| {
            let (order, paid, refunded) = (self.order(1), Money(10_000), Money(refunded));
            OrderChange { order, at, paid, refunded, counts: true, first }
        };
        part.order_changes.extend([change(at(1), 0, true), change(at(5), 5_000, false)]);
        part.transfers.push(self.points(5, TransferKind::TakeBack, 50, Some(1)));
        part.transfers.push(self.growth(5, TransferKind::TakeBack, 500, 100));
        part.allocations.push(self.took(5, 50));
        part.lots.push(self.lot(1, 100, 35));
        let fact = self.fact(5, false);
        let (from, to) = (Some("growth".to_owned()), "decline".to_owned());
        part.stages.push(StageMove { member, from, to, at: at(5), event: fact.id });
        part.facts.push(fact);
    }

    fn second_order(&self, part: &mut Flush) {
        part.orders.push(OrderSet { order: self.order_as_of(2, 0), was: None });
        part.transfers.push(self.points(6, TransferKind::Earn, 40, None));
        part.transfers.push(self.growth(6, TransferKind::Earn, 400, 105));
        part.lots.push(self.lot(6, 40, 40));
    }

    /// A derived event of her n-th event: about herself, or (`waits`) for somebody else.
    pub fn fact(&self, n: u8, waits: bool) -> Fact {
        let (message_id, name) = (format!("till/{}#0", self.message_id(n)), "Timer Due".to_owned());
        Fact {
            id: self.key.derive("fact", &[self.event(n).bytes()]),
            message_id,
            called: None,
            name,
            member: self.member(),
            time: at(n),
            clock: at(n),
            body: seal::seal("{}"),
            waits,
            root: 0,
            replay: false,
        }
    }
}

/// Items as one append.
pub fn append(events: Vec<NewEvent>, now: Ts, replay: bool) -> Append {
    let (source, user_namespace) = (TILL.to_owned(), "user".to_owned());
    Append {
        source,
        user_namespace,
        events,
        identity: Arc::default(),
        now,
        replay,
        progress: None,
        erasures: 0,
    }
}

/// Two parts as one: what a larger batch would have written.
pub fn joined(mut a: Flush, b: Flush) -> Flush {
    fn last_of_each<T, K: Ord>(rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
        rows.into_iter().map(|row| (key(&row), row)).collect::<BTreeMap<_, _>>().into_values().collect()
    }
    a.cursor = b.cursor.or(a.cursor);
    a.decided.extend(b.decided);
    a.facts.extend(b.facts);
    a.members.extend(b.members);
    a.members = last_of_each(a.members, |stored| stored.member.id);
    a.identifiers.extend(b.identifiers);
    for mut set in b.orders {
        // Whose it was before the whole batch.
        if let Some(before) = a.orders.iter().position(|known| known.order.id == set.order.id) {
            set.was = a.orders.remove(before).was;
        }
        a.orders.push(set);
    }
    a.order_changes.extend(b.order_changes);
    a.transfers.extend(b.transfers);
    a.lots.extend(b.lots);
    a.allocations.extend(b.allocations);
    a.holds.extend(b.holds);
    a.terms.extend(b.terms);
    a.stages.extend(b.stages);
    a.tags.extend(b.tags);
    a.partners.extend(b.partners);
    a
}

/// All shares of a store, held by the one worker of most tests.
pub async fn turn(store: &Arc<dyn Store>) -> Result<Turn> {
    store.lease("worker", Duration::from_secs(60)).await
}

/// Takes a life into a store, so many events to a batch.
pub async fn lived(store: &Arc<dyn Store>, life: &Life, per_batch: usize) -> Result<()> {
    store.append(life.append()).await?;
    loop {
        let turn = turn(store).await?;
        let waiting = store.waiting(&turn, per_batch).await?;
        let numbered = waiting.iter().map(|row| (number_of(&row.message_id), row.seq));
        let Some(part) = numbered.map(|(n, seq)| life.part(n, seq)).reduce(joined) else {
            return Ok(());
        };
        store.flush(Flush { turn, ..part }).await?;
    }
}

fn number_of(message_id: &str) -> u8 {
    message_id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(1)
}
