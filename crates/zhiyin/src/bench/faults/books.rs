//! What the engines said and the store took, written down beside the store: so that a thing that is lost, doubled or torn is
//! seen at once, and not only when the end does not come out right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::{Result, bail, ensure};
use zhiyin_model::effect::{Asset, Lot};
use zhiyin_model::id::{EventId, MemberId, TransferId};
use zhiyin_model::time::Ts;
use zhiyin_store::flush::Flush;
use zhiyin_store::turn::{Held, Turn};
use zhiyin_store::{Append, LotsWanted, NewEvent, Receipt, Store, StoredMember, Wanted};

use super::meddled::locked;

/// A source and what it calls an item.
type Key = (String, String);

/// A share as it stands.
#[derive(Clone, Debug, Default)]
struct Seat {
    holder: String,
    token: i64,
    batch: i64,
}

/// How much of the record is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Members that were written since the last time, and their lots or not.
    Written {
        /// Whether their lots are.
        lots: bool,
    },
    /// Everything.
    All,
}

/// What was acknowledged.
#[derive(Clone, Default)]
pub struct Books {
    seats: BTreeMap<i32, Seat>,
    accepted: BTreeMap<Key, NewEvent>,
    /// Items of which nobody knows whether they were taken before a disaster, and how many were found to be.
    unsure: BTreeSet<Key>,
    survived: (usize, usize),
    members: BTreeMap<MemberId, StoredMember>,
    balances: BTreeMap<(MemberId, Asset), i64>,
    lots: BTreeMap<MemberId, BTreeMap<TransferId, Lot>>,
    transfers: BTreeSet<TransferId>,
    facts: BTreeSet<EventId>,
    decided: BTreeSet<i64>,
    /// The latest business time at which something was accepted.
    clock: Option<Ts>,
    /// Members that were written since they were last compared with the record, and those whose lots were.
    touched: BTreeSet<MemberId>,
    touched_lots: BTreeSet<MemberId>,
    broken: Option<String>,
    /// A hash of all that was asked of the stores so far, in its order: what replays exactly has the same.
    trace: u64,
}

impl Books {
    /// Something is asked of a store.
    pub fn heard(&mut self, holder: &str, call: &str) {
        for byte in holder.bytes().chain(call.bytes()) {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The same with another trace.
    pub fn traced(self, trace: u64) -> Self {
        Self { trace, ..self }
    }

    /// A hash of all that was asked so far.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// The first thing that is wrong, if any.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn breaks(&mut self, what: impl FnOnce() -> String) {
        self.broken.get_or_insert_with(what);
    }

    /// The home's clock.
    pub fn clock(&self) -> Ts {
        self.clock.unwrap_or(Ts::MIN)
    }

    /// The home's clock has moved on, if it was not as far.
    pub fn clock_moved(&mut self, to: Ts) {
        self.clock = self.clock.max(Some(to));
    }

    /// Somebody was given these shares.
    pub fn leased(&mut self, holder: &str, turn: &Turn) {
        for &Held { slot, token, batch, .. } in &turn.held {
            let seat = self.seats.entry(slot).or_default().clone();
            if token < seat.token || (token == seat.token && seat.holder != holder) {
                self.breaks(|| {
                    format!("{holder} was given share {slot} by {token}, but it is held: {seat:?}")
                });
            }
            if batch != seat.batch {
                self.breaks(|| {
                    format!("share {slot} is at batch {batch} for {holder}, but stands at {seat:?}")
                });
            }
            self.seats.insert(slot, Seat { holder: holder.to_owned(), token, batch });
        }
    }

    /// Items were taken, as these receipts say.
    pub fn appended(&mut self, append: &Append, receipts: &[Receipt]) {
        if receipts.len() != append.events.len() {
            self.breaks(|| format!("{} receipts for {} items", receipts.len(), append.events.len()));
        }
        for (event, receipt) in append.events.iter().zip(receipts) {
            let key = (append.source.clone(), event.message_id.clone());
            // Which of an item's names count is the door's to say: it is accepted either way.
            let without = matches!(receipt, Receipt::AcceptedWithout(_));
            let receipt = if without { &Receipt::Accepted } else { receipt };
            let expected = match self.accepted.get(&key) {
                None => Receipt::Accepted,
                Some(known) if known.body_hash == event.body_hash => Receipt::Duplicate,
                Some(_) => Receipt::Reused,
            };
            if expected == Receipt::Accepted && self.unsure.remove(&key) && *receipt != Receipt::Reused {
                let was_there = *receipt == Receipt::Duplicate;
                self.survived.0 += usize::from(was_there);
                self.survived.1 += usize::from(!was_there);
            } else if *receipt != expected {
                self.breaks(|| format!("{}/{} was {receipt:?} at the door, not {expected:?}", key.0, key.1));
            }
            if expected == Receipt::Accepted {
                self.clock_moved(if append.replay { append.now.min(event.time) } else { append.now });
            }
            self.accepted.entry(key).or_insert_with(|| event.clone());
        }
        if let (1.., 1..) = self.survived {
            self.breaks(|| "an append was kept in part".to_owned());
        }
    }

    /// Of these items nobody knows whether they were taken.
    pub fn unsure_of(&mut self, source: &str, events: &[NewEvent]) {
        let keys = events.iter().map(|event| (source.to_owned(), event.message_id.clone()));
        self.unsure = keys.filter(|key| !self.accepted.contains_key(key)).collect();
        self.survived = (0, 0);
    }

    /// Whether the items of which nobody knew had been taken; from now on all is known.
    pub fn known_to_survive(&mut self) -> bool {
        std::mem::take(&mut self.survived).0 > 0
    }

    /// A flush was taken.
    pub fn written(&mut self, flush: &Flush) {
        for &Held { slot, token, batch, .. } in &flush.turn.held {
            let seat = self.seats.entry(slot).or_default().clone();
            if (token, batch) != (seat.token, seat.batch) {
                self.breaks(|| {
                    format!("a flush of share {slot} by {token}/{batch} was taken, but it stands at {seat:?}")
                });
            }
            self.seats.insert(slot, Seat { batch: batch + 1, ..seat });
        }
        for row in &flush.decided {
            if !self.decided.insert(row.seq) {
                self.breaks(|| format!("event {} was decided twice", row.seq));
            }
        }
        for fact in &flush.facts {
            if !self.facts.insert(fact.id) {
                self.breaks(|| format!("{} was derived twice", fact.message_id));
            }
        }
        for transfer in &flush.transfers {
            if !self.transfers.insert(transfer.id) {
                self.breaks(|| format!("transfer {} was made twice", transfer.id));
            }
            let (_, side) = transfer.kind.sides();
            *self.balances.entry((transfer.member, transfer.asset)).or_default() += side * transfer.amount;
        }
        for lot in &flush.lots {
            self.touched_lots.insert(lot.member);
            self.lots.entry(lot.member).or_default().insert(lot.id, lot.clone());
        }
        for stored in &flush.members {
            self.touched.insert(stored.member.id);
            self.members.insert(stored.member.id, stored.clone());
            self.adds_up(stored);
        }
        for (member, wake) in &flush.filed {
            self.touched.insert(*member);
            if let Some(known) = self.members.get_mut(member) {
                known.wake = *wake;
            }
        }
    }

    /// A member's accounts are what their transfers and their lots come to.
    fn adds_up(&mut self, stored: &StoredMember) {
        let id = stored.member.id;
        for asset in Asset::ALL {
            let account = stored.member.account(asset);
            let journal = self.balances.get(&(id, asset)).copied().unwrap_or_default();
            if account.balance() != journal {
                self.breaks(|| {
                    format!("member {id}: {account:?} of {}, transfers come to {journal}", asset.name())
                });
            }
            if !asset.has_lots() {
                continue;
            }
            let lots = self.lots.get(&id).into_iter().flat_map(BTreeMap::values);
            let (active, pending) = lots.fold((0, 0), |(active, pending), lot| {
                if lot.active { (active + lot.remaining, pending) } else { (active, pending + lot.remaining) }
            });
            if (active, pending) != (account.active, account.pending) {
                self.breaks(|| format!("member {id}: {account:?}, but lots have {active} and {pending}"));
            }
        }
    }

    /// After a disaster: what was acknowledged before the last write must be there, and the last write whole or not at all.
    /// `before` is what was known before it.
    pub async fn sort_out(books: &Mutex<Self>, before: Self, store: &Arc<dyn Store>) -> Result<()> {
        let shares = store.work().await?.shares;
        let mut books = locked(books);
        let stands = |books: &Self| {
            let of = |slot| books.seats.get(slot).map_or(0, |seat| seat.batch);
            shares.iter().all(|share| share.batch == of(&share.slot))
        };
        if !stands(&books) {
            if !stands(&before) {
                let known = (before.seats, &books.seats);
                bail!("shares stand at {shares:?}, but of what was acknowledged and written last: {known:?}");
            }
            *books = before.traced(books.trace);
        }
        // The write that gave a share away may be lost with whoever it was given to.
        for share in shares {
            let holder = share.holder.unwrap_or_default();
            books.seats.insert(share.slot, Seat { holder, token: share.token, batch: share.batch });
        }
        Ok(())
    }

    /// Compares the record with the books: the members that were written since the last time, or everything.
    pub async fn compare(books: &Mutex<Self>, store: &Arc<dyn Store>, what: Compared) -> Result<()> {
        let (members, with_lots) = {
            let mut books = locked(books);
            if let Some(broken) = &books.broken {
                bail!("{broken}");
            }
            let (members, lots) =
                (std::mem::take(&mut books.touched), std::mem::take(&mut books.touched_lots));
            let everybody = || books.members.keys().copied().collect();
            match what {
                Compared::All => (everybody(), everybody()),
                Compared::Written { lots: true } => (members, lots),
                Compared::Written { lots: false } => (members, BTreeSet::new()),
            }
        };
        if what == Compared::All {
            Self::compare_home(books, store).await?;
        }
        if members.is_empty() {
            return Ok(());
        }
        let wanted = Wanted { members: members.iter().copied().collect(), ..Wanted::default() };
        let loaded = store.load(wanted).await?.members;
        ensure!(
            loaded.len() == members.len(),
            "{} of {} members are in the record",
            loaded.len(),
            members.len()
        );
        for found in loaded {
            locked(books).is_as_written(&found)?;
        }
        for member in with_lots {
            let lots = store.lots(member, LotsWanted::Covering(i64::MAX)).await?;
            locked(books).has_lots_as_written(member, &lots)?;
        }
        Ok(())
    }

    async fn compare_home(books: &Mutex<Self>, store: &Arc<dyn Store>) -> Result<()> {
        let (shares, clock) = (store.work().await?.shares, store.home().await?.clock);
        let books = locked(books);
        for share in shares {
            let seat = books.seats.get(&share.slot).cloned().unwrap_or_default();
            let same = (share.token, share.batch) == (seat.token, seat.batch);
            ensure!(same, "share {} stands at {share:?}, but was left at {seat:?}", share.slot);
        }
        let known = books.unsure.is_empty();
        ensure!(
            !known || clock == books.clock(),
            "the clock is at {clock}, but was left at {}",
            books.clock()
        );
        Ok(())
    }

    fn is_as_written(&self, found: &StoredMember) -> Result<()> {
        let id = found.member.id;
        let Some(known) = self.members.get(&id) else { bail!("nobody wrote member {id}") };
        if found.member != known.member
            || found.leaves != known.leaves
            || found.fingerprint != known.fingerprint
        {
            bail!("member {id} is not as last written:\n{:?}\n{:?}", found.member, known.member);
        }
        ensure!(
            found.wake == known.wake,
            "member {id} is to be woken at {:?}, not at {:?}",
            found.wake,
            known.wake
        );
        Ok(())
    }

    fn has_lots_as_written(&self, member: MemberId, found: &[Lot]) -> Result<()> {
        let mine = self.lots.get(&member).into_iter().flat_map(BTreeMap::values);
        let open: BTreeMap<TransferId, &Lot> =
            mine.filter(|lot| lot.remaining > 0).map(|lot| (lot.id, lot)).collect();
        let found: BTreeMap<TransferId, &Lot> = found.iter().map(|lot| (lot.id, lot)).collect();
        ensure!(open == found, "member {member} has other lots than were written:\n{found:?}\n{open:?}");
        Ok(())
    }

    /// Every invariant of the record holds, and nothing that was acknowledged is gone: all of it is a duplicate now.
    pub async fn examine(books: &Mutex<Self>, store: &Arc<dyn Store>) -> Result<()> {
        for check in store.doctor().await? {
            if let Some(broken) = check.broken.first() {
                bail!("the doctor: {}: {broken}", check.invariant);
            }
        }
        let mut sent: BTreeMap<String, Vec<NewEvent>> = BTreeMap::new();
        for ((source, _), event) in &locked(books).accepted {
            sent.entry(source.clone()).or_default().push(event.clone());
        }
        for (source, events) in sent {
            let names: Vec<String> = events.iter().map(|event| event.message_id.clone()).collect();
            let user_namespace = "user".to_owned();
            let append = Append {
                source: source.clone(),
                user_namespace,
                events,
                identity: Arc::default(),
                now: Ts::MIN,
                replay: true,
                progress: None,
                erasures: 0,
            };
            let receipts = store.append(append).await?;
            let lost = names.iter().zip(receipts).find(|(_, receipt)| *receipt != Receipt::Duplicate);
            if let Some((name, receipt)) = lost {
                bail!("{source}/{name} was acknowledged, and now it is {receipt:?}");
            }
        }
        Ok(())
    }
}
