//! The population: all blocks, what changes them, and one consistent view of them.
//!
//! A base of blocks of 65,536 ordinals each, and over it the changes, newest last: each a small block of the members that
//! changed, whole. Changes of like size are merged as they pile up; when they come to a part of the base they are folded
//! into it.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hashbrown::{DefaultHashBuilder, HashTable};
use zhiyin_condition::AttributeType;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Zone;

use crate::ask::in_parallel_with;
use crate::bits::{BLOCK, Mask};
use crate::block::{Block, Ordinals};
use crate::build::Builder;
use crate::dict::Dicts;
use crate::marks::{Mark, Tally};
use crate::merge::{merge, pick_newest};
use crate::over::Over;
use crate::person::Person;
use crate::set::MemberSet;

/// What columns mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The zone of days.
    pub zone: Zone,
    /// Minor digits of the currency.
    pub currency_exponent: u32,
    /// Attributes as the playbook declares them.
    pub attributes: BTreeMap<String, AttributeType>,
}

/// How much memory the columns may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In bytes.
    pub bytes: usize,
    /// How many threads answer one question; 0 for as many as there are cores.
    pub threads: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: usize::MAX, threads: 0 }
    }
}

/// The columns would take more memory than they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audiences would take {wanted} bytes and may take {allowed}; what is in them stays as it was")]
pub struct OverBudget {
    /// How much they would take.
    pub wanted: usize,
    /// How much they may.
    pub allowed: usize,
}

/// Something that became of a member.
#[derive(Clone, Debug)]
pub enum Change {
    /// This is what is known of them now.
    Put(Box<Person>),
    /// They are no member any more: merged into somebody, or erased. Their ordinal stays theirs.
    Gone(MemberId),
}

impl Change {
    const fn id(&self) -> MemberId {
        match self {
            Self::Put(person) => person.id,
            Self::Gone(id) => *id,
        }
    }
}

/// All blocks at one moment.
#[derive(Debug)]
pub struct Seen {
    layout: Arc<Layout>,
    pub(crate) base: Vec<Arc<Block>>,
    /// The oldest first.
    pub(crate) deltas: Vec<Arc<Block>>,
    /// How many ordinals were given.
    pub(crate) n_ordinals: u32,
    threads: usize,
    bytes: usize,
    /// Worked out when somebody asks.
    pub(crate) over: OnceLock<Arc<Over>>,
}

impl Seen {
    /// What columns mean.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// How many ordinals were given, to members and to those who are none any more.
    pub const fn ordinals(&self) -> u32 {
        self.n_ordinals
    }

    /// How many blocks of changes lie over the base.
    pub fn changes(&self) -> usize {
        self.deltas.len()
    }

    /// Bytes of all columns, about.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes by column.
    pub fn bytes_by_column(&self) -> BTreeMap<String, usize> {
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for (column, bytes) in self.blocks().flat_map(|block| block.bytes_by_column()) {
            *all.entry(column).or_default() += bytes;
        }
        all
    }

    /// The base, then what lies over it, the newest last.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.base.iter().chain(&self.deltas)
    }

    /// Of whom newer blocks tell.
    pub(crate) fn over(&self) -> &Over {
        self.over.get_or_init(|| Arc::new(Over::of(&self.deltas, self.n_ordinals)))
    }

    /// Answers of all blocks, on all threads, as one set. Each thread makes a state of its own, which come back. An answer is put,
    /// a bit a place, into words that have none set; of whom a newer block tells it must not speak.
    pub(crate) fn laid_over<S: Send>(
        &self,
        state: impl Fn() -> S + Sync,
        answer: impl Fn(&mut S, (usize, &Block), &mut [u64]) + Sync,
    ) -> (MemberSet, Vec<S>) {
        let blocks: Vec<&Block> = self.blocks().map(|block| &**block).collect();
        let mut words = vec![0; (self.n_ordinals as usize).div_ceil(64)];
        // A block of the base is of so many ordinals, one after the other.
        let parts: Vec<Mutex<&mut [u64]>> =
            words.chunks_mut(BLOCK / 64).take(self.base.len()).map(Mutex::new).collect();
        let (over, states) = in_parallel_with(blocks.len(), self.threads(), state, |state, at| {
            if let Some(part) = parts.get(at) {
                let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                answer(state, (at, blocks[at]), &mut part);
                return None;
            }
            let mut mask = Mask::none(blocks[at].len());
            answer(state, (at, blocks[at]), mask.words_mut());
            Some(mask)
        });
        drop(parts);
        let mut set = MemberSet::from_words(words);
        for (block, answer) in blocks.iter().zip(&over) {
            if let Some(answer) = answer {
                answer.places().for_each(|place| set.put(block.ordinal(place)));
            }
        }
        (set, states)
    }

    /// All who are members.
    pub fn everyone(&self) -> MemberSet {
        let answer = |mask: &mut Mask, (at, block): (usize, &Block), into: &mut [u64]| {
            self.told_by(at, block, mask);
            mask.put_into(into);
        };
        self.laid_over(|| Mask::none(0), answer).0
    }

    /// The block that says what is known of an ordinal now, and their place in it.
    pub(crate) fn newest(&self, ordinal: u32) -> Option<(&Block, usize)> {
        let over = self.deltas.iter().rev().find_map(|block| Some((&**block, block.place(ordinal)?)));
        over.or_else(|| {
            let block = self.base.get(ordinal as usize / BLOCK)?;
            Some((&**block, block.place(ordinal)?))
        })
    }

    /// What is known of a member; `None` of whom nothing is, or who is none any more.
    pub fn person(&self, ordinal: u32) -> Option<Person> {
        let (block, place) = self.newest(ordinal)?;
        block.alive.has(place).then(|| block.person(place))
    }

    /// Who they are, in the order of ordinals.
    pub fn ids<'s>(&'s self, set: &'s MemberSet) -> impl Iterator<Item = MemberId> + 's {
        set.ordinals().filter_map(|ordinal| {
            // An ordinal is one member's for ever, so any block that has it knows who.
            let based = self.base.get(ordinal as usize / BLOCK);
            let (block, place) = match based.and_then(|block| Some((&**block, block.place(ordinal)?))) {
                Some(found) => found,
                None => self.newest(ordinal)?,
            };
            Some(block.id(place))
        })
    }
}

/// All members in columns.
#[derive(Debug)]
pub struct Population {
    layout: Arc<Layout>,
    budget: Budget,
    dicts: Dicts,
    writer: Mutex<Writer>,
    seen: RwLock<Arc<Seen>>,
    tally: Tally,
    /// Held by whoever writes a snapshot.
    pub(crate) saving: Mutex<()>,
}

/// What only one may hold who changes the population.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// Ordinals by the hash of ids.
    by_id: HashTable<u32>,
    ids: Vec<[u8; 16]>,
    hasher: DefaultHashBuilder,
    folding: Option<Folding>,
}

/// Changes on their way into the base, block by block: until all blocks have them they stay where they are, which says the
/// same twice.
#[derive(Clone, Copy, Debug)]
struct Folding {
    /// So many of the oldest changes.
    deltas: usize,
    /// Ordinals that were given when it began.
    ordinals: usize,
    /// The next block of the base.
    next: usize,
}

impl Writer {
    /// Bytes of what finds ordinals.
    fn bytes(&self) -> usize {
        self.ids.capacity() * 16 + self.by_id.capacity() * 5
    }

    fn hash(&self, id: [u8; 16]) -> u64 {
        self.hasher.hash_one(id)
    }

    pub(crate) fn find(&self, id: MemberId) -> Option<u32> {
        let id = *id.bytes();
        self.by_id.find(self.hash(id), |known| self.ids[*known as usize] == id).copied()
    }

    /// The ordinal of a member, a new one where they have none.
    fn ordinal(&mut self, id: MemberId) -> u32 {
        if let Some(known) = self.find(id) {
            return known;
        }
        let id = *id.bytes();
        let ordinal = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.push(id);
        let (ids, hasher) = (&self.ids, &self.hasher);
        self.by_id.insert_unique(hasher.hash_one(id), ordinal, |known| hasher.hash_one(ids[*known as usize]));
        ordinal
    }
}

impl Writer {
    /// Takes back ordinals that nothing was said of.
    fn forget_from(&mut self, known: usize) {
        for at in known..self.ids.len() {
            let hash = self.hash(self.ids[at]);
            if let Ok(entry) = self.by_id.find_entry(hash, |ordinal| *ordinal as usize == at) {
                entry.remove();
            }
        }
        self.ids.truncate(known);
    }
}

/// Changes are folded into the base when they come to this part of it.
const FOLD_PART: usize = 32;
/// Blocks that are folded at once where all are.
const FOLD_AT_ONCE: usize = 4;
/// A change that is not so much larger than the next is merged with it.
const TIER: usize = 4;

impl Population {
    /// An empty one.
    pub fn new(layout: Layout, budget: Budget) -> Self {
        let layout = Arc::new(layout);
        let threads = match budget.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let seen = Seen {
            layout: layout.clone(),
            base: Vec::new(),
            deltas: Vec::new(),
            n_ordinals: 0,
            threads,
            bytes: 0,
            over: OnceLock::new(),
        };
        Self {
            layout,
            budget,
            dicts: Dicts::default(),
            writer: Mutex::default(),
            seen: RwLock::new(Arc::new(seen)),
            tally: Tally::default(),
            saving: Mutex::default(),
        }
    }

    /// What columns mean.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All of it as it is now.
    pub fn seen(&self) -> Arc<Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many bear a mark.
    pub fn marked(&self, mark: Mark<'_>) -> u64 {
        self.tally.count(mark)
    }

    /// The ordinal of a member.
    pub fn ordinal(&self, id: MemberId) -> Option<u32> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).find(id)
    }

    /// Ordinals of members, of those who have one.
    pub fn set_of(&self, ids: impl IntoIterator<Item = MemberId>) -> MemberSet {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        MemberSet::of(ids.into_iter().filter_map(|id| writer.find(id)))
    }

    /// Takes changes in, the last of a member's being what holds, and shows them all at once. What would take more memory than
    /// there may be changes nothing; what was said before of those who changed since counts as long as it is there, so it is
    /// folded away before anything is refused.
    pub fn apply(&self, changes: &[Change]) -> Result<(), OverBudget> {
        match self.applied(changes) {
            Err(_) if self.seen().changes() > 0 => {
                self.fold();
                self.applied(changes)
            }
            done => done,
        }
    }

    fn applied(&self, changes: &[Change]) -> Result<(), OverBudget> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let known = writer.ids.len();
        let mut latest: BTreeMap<u32, &Change> = BTreeMap::new();
        for change in changes {
            // Of whom nothing was ever known nothing is lost.
            if matches!(change, Change::Gone(_)) && writer.find(change.id()).is_none() {
                continue;
            }
            latest.insert(writer.ordinal(change.id()), change);
        }
        if latest.is_empty() {
            return Ok(());
        }
        let mut built = Vec::new();
        let mut entries = latest.into_iter().peekable();
        while entries.peek().is_some() {
            let mut builder = Builder::new(&self.layout.zone, &self.dicts);
            let mut ordinals = Vec::new();
            for (ordinal, change) in entries.by_ref().take(BLOCK) {
                match change {
                    Change::Put(person) => builder.push(person, true),
                    Change::Gone(id) => builder.push(&Person::gone(*id), false),
                }
                ordinals.push(ordinal);
            }
            built.push(Arc::new(builder.build(ordinals_of(ordinals))));
        }
        let shown = self.show(&mut writer, built);
        if shown.is_err() {
            writer.forget_from(known);
        }
        shown
    }

    pub(crate) const fn dicts(&self) -> &Dicts {
        &self.dicts
    }

    /// Begins from blocks of a snapshot.
    pub(crate) fn begin_from(&self, base: Vec<Arc<Block>>, n_ordinals: u32) -> Result<(), OverBudget> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.ids.reserve_exact(n_ordinals as usize);
        for block in &base {
            writer.ids.extend_from_slice(&block.ids);
        }
        let Writer { by_id, ids, hasher, .. } = &mut *writer;
        by_id.reserve(ids.len(), |_| 0);
        for (ordinal, id) in (0u32..).zip(ids.iter()) {
            by_id.insert_unique(hasher.hash_one(id), ordinal, |known| hasher.hash_one(ids[*known as usize]));
        }
        let wanted = base.iter().map(|block| block.bytes()).sum::<usize>() + writer.bytes();
        if wanted > self.budget.bytes {
            return Err(OverBudget { wanted, allowed: self.budget.bytes });
        }
        self.tally.begin(&base);
        self.replace(base, Vec::new(), &writer);
        Ok(())
    }

    /// Fills an empty population, part by part and several at once: each part has 65,536 members but the last, whom no other
    /// part has.
    pub fn load(&self, n_parts: usize, part: impl Fn(usize) -> Vec<Person> + Sync) -> Result<(), OverBudget> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = self.seen().threads;
        // So many at once that memory for what is not yet in columns stays bounded.
        for wave in (0..n_parts).collect::<Vec<_>>().chunks(threads) {
            let blocks = crate::ask::in_parallel(wave.len(), threads, |at| {
                let people = part(wave[at]);
                let mut builder = Builder::new(&self.layout.zone, &self.dicts);
                people.iter().take(BLOCK).for_each(|person| builder.push(person, true));
                let first = u32::try_from(wave[at] * BLOCK).unwrap_or(u32::MAX);
                Arc::new(builder.build(Ordinals::From(first)))
            });
            let known = writer.ids.len();
            for block in &blocks {
                for place in 0..block.len() {
                    writer.ordinal(block.id(place));
                }
            }
            if let Err(over) = self.show(&mut writer, blocks) {
                writer.forget_from(known);
                return Err(over);
            }
        }
        Ok(())
    }

    /// Shows new blocks over what there is.
    fn show(&self, writer: &mut Writer, built: Vec<Arc<Block>>) -> Result<(), OverBudget> {
        let before = self.seen();
        let more: usize = built.iter().map(|block| block.bytes()).sum();
        let wanted = before.bytes + more + writer.bytes();
        if wanted > self.budget.bytes {
            return Err(OverBudget { wanted, allowed: self.budget.bytes });
        }
        let changed = built.iter().map(|block| block.len()).sum();
        let moved = self.tally.moved(&before, &built);
        let (mut base, mut deltas) = (before.base.clone(), before.deltas.clone());
        for block in built {
            // A whole block of new members, right after the base, is a part of the base.
            let follows = (block.len() == BLOCK || block.len() + base.len() * BLOCK == writer.ids.len())
                && deltas.is_empty()
                && matches!(block.ordinals, Ordinals::From(first) if first as usize == base.len() * BLOCK);
            if follows { base.push(block) } else { deltas.push(block) }
        }
        self.settle(&mut base, &mut deltas, writer, changed);
        self.replace(base, deltas, writer);
        self.tally.add(moved);
        Ok(())
    }

    /// Folds all changes that there are into the base: a few blocks at a time, each shown before the next, so that there is
    /// never twice of more than these, and whoever has a change to make waits for no more.
    pub fn fold(&self) {
        let mut begun = false;
        loop {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut base, mut deltas) = {
                let before = self.seen();
                (before.base.clone(), before.deltas.clone())
            };
            if !begun {
                writer.folding = Some(Folding { deltas: deltas.len(), ordinals: writer.ids.len(), next: 0 });
                begun = true;
            }
            self.fold_some(&mut base, &mut deltas, &mut writer, FOLD_AT_ONCE);
            self.replace(base, deltas, &writer);
            // Changes that come meanwhile fold too, and may have done the rest.
            if writer.folding.is_none() {
                return;
            }
        }
    }

    fn replace(&self, base: Vec<Arc<Block>>, deltas: Vec<Arc<Block>>, writer: &Writer) {
        let bytes = base.iter().chain(&deltas).map(|block| block.bytes()).sum();
        let before = self.seen();
        let n_ordinals = u32::try_from(writer.ids.len()).unwrap_or(u32::MAX);
        let over = Over::after(&before, &deltas, n_ordinals);
        let (layout, threads) = (self.layout.clone(), before.threads);
        let seen = Seen { layout, n_ordinals, threads, base, deltas, bytes, over };
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(seen);
    }

    /// Merges changes of like size; folds a few blocks more into the base, once changes came to a part of it. So the work is
    /// done a little at each change, and none waits for all of it.
    fn settle(
        &self,
        base: &mut Vec<Arc<Block>>,
        deltas: &mut Vec<Arc<Block>>,
        writer: &mut Writer,
        changed: usize,
    ) {
        loop {
            let free = &deltas[writer.folding.map_or(0, |folding| folding.deltas)..];
            let [.., older, newer] = free else { break };
            if older.len() > newer.len() * TIER || older.len() + newer.len() > BLOCK {
                break;
            }
            let both = [older.clone(), newer.clone()];
            deltas.truncate(deltas.len() - 2);
            deltas.push(self.merged(&both));
        }
        let part = (writer.ids.len() / FOLD_PART).max(BLOCK);
        let waiting: usize = deltas.iter().map(|block| block.len()).sum();
        if writer.folding.is_none() && waiting > part {
            writer.folding = Some(Folding { deltas: deltas.len(), ordinals: writer.ids.len(), next: 0 });
        }
        // All blocks are through by the time that half as much as began it has changed again.
        let n_blocks = writer.ids.len().div_ceil(BLOCK);
        self.fold_some(base, deltas, writer, (n_blocks * changed * 2).div_ceil(part));
    }

    /// Two changes as one; of who is in both, the newer.
    fn merged(&self, blocks: &[Arc<Block>; 2]) -> Arc<Block> {
        let mut picked: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for (at, block) in blocks.iter().enumerate() {
            picked.extend((0..block.len()).map(|place| (block.ordinal(place), (at, place))));
        }
        let (ordinals, picks): (Vec<u32>, Vec<(usize, usize)>) = picked.into_iter().unzip();
        let sources: Vec<&Block> = blocks.iter().map(|block| &**block).collect();
        Arc::new(merge(&sources, &picks, ordinals_of(ordinals), &self.dicts))
    }

    /// Changes into so many more blocks of the base; those that anything lies over are made anew.
    fn fold_some(
        &self,
        base: &mut Vec<Arc<Block>>,
        deltas: &mut Vec<Arc<Block>>,
        writer: &mut Writer,
        n_blocks: usize,
    ) {
        // Noted once all of it is done: what broke off has not begun.
        let Some(mut folding) = writer.folding else { return };
        let all = folding.ordinals.div_ceil(BLOCK);
        for _ in 0..n_blocks.min(all - folding.next) {
            let at = folding.next;
            folding.next += 1;
            let first = at * BLOCK;
            let len = (folding.ordinals - first).min(BLOCK);
            let old = base.get(at).cloned();
            let mut sources: Vec<&Block> = old.iter().map(|block| &**block).collect();
            let picks = pick_newest(old.as_deref(), &deltas[..folding.deltas], first, len, &mut sources);
            if sources.len() == usize::from(old.is_some()) && old.as_ref().is_some_and(|old| old.len() == len)
            {
                continue;
            }
            let first = u32::try_from(first).unwrap_or(u32::MAX);
            let made = Arc::new(merge(&sources, &picks, Ordinals::From(first), &self.dicts));
            if at < base.len() { base[at] = made } else { base.push(made) }
        }
        writer.folding = if folding.next >= all {
            deltas.drain(..folding.deltas);
            None
        } else {
            Some(folding)
        };
    }
}

/// Ordinals, as a range where they are one that could be a block of the base.
fn ordinals_of(ordinals: Vec<u32>) -> Ordinals {
    let first = ordinals.first().copied().unwrap_or(0);
    let ascending = ordinals.last().is_some_and(|last| (last - first) as usize + 1 == ordinals.len());
    if ascending { Ordinals::From(first) } else { Ordinals::These(ordinals.into()) }
}
