//! All that the lines of a part may lose together, not only the most: where an offer of a later lane wants so much to be left to pay,
//! something less may be just what is wanted, and only whoever has seen all of it knows that nothing is.
//!
//! Lines are decided one after the other. What offers of several lines are thought to take of the lines decided so far is kept for every
//! number that may be remembered of them ([`Part`]), so that no choice is looked at twice, and what cannot come near the most is left.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::deal::{Deal, DealSet, Effect, Scene};
use crate::item::Working;
use crate::purse::Purse;

use super::Row;
use super::machine::{NEVER, UNIT};
use super::relax::Part;
use super::thought::{Thought, Thoughts};

/// Parts of more lines are not looked at.
const LINES_MAX: usize = 319;
/// So many numbers are kept at most of where the search was.
const KEPT_MAX: usize = 4 << 20;
/// A line has no offer.
pub(super) const NO_DEAL: u16 = u16::MAX;

/// What the lines of a part lose, and what those of them that are counted; with the deal of each line, in the part's order.
pub(super) type Values = BTreeMap<(i64, i64), Vec<u16>>;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Only what loses at least so much.
    pub(super) least: i64,
    /// The lines that are counted apart; none, where it is empty.
    pub(super) counted: &'a [bool],
    /// The part with nothing gained by lines that are counted, and how much the others lose at least.
    pub(super) others: Option<(&'a Part, i64)>,
    /// So many values are kept at most.
    pub(super) values_max: usize,
    pub(super) nodes_max: u64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) values: Values,
    /// Whether it is all there is.
    pub(super) is_all: bool,
    pub(super) nodes: u64,
}

/// The search for all that a part may lose.
pub(super) struct All<'a> {
    pub(super) scene: &'a Scene,
    pub(super) part: &'a Part,
    pub(super) row: &'a mut Row,
    pub(super) work: &'a mut Working,
    pub(super) level: &'a [i64],
    pub(super) purse: Purse,
    /// The deals in the order in which they draw on the purse.
    pub(super) order: &'a [u16],
    pub(super) wanted: Wanted<'a>,
    /// Whether what is taken is known as soon as all lines of a group are decided.
    pub(super) is_plain: bool,
    /// Groups of which some lines are counted and some are not, by bits.
    pub(super) mixed: u128,
    /// Deals that do not go with another.
    pub(super) conflicts: DealSet,
}

/// Where the search is.
#[derive(Clone, Debug, Default)]
struct At {
    /// What each group is thought to take, by the number that is remembered.
    thought: Vec<Vec<Thought>>,
    has: Vec<u16>,
    shunned: Vec<u16>,
    deals: Vec<u16>,
    found: Found,
    cut: bool,
    marks: Vec<i64>,
    key: Vec<i64>,
    /// How many numbers are kept of where it was.
    kept: usize,
    /// Where the search was before, if nothing else can come of it: all that the lines to come need to know.
    seen: HashSet<Box<[i64]>, BuildHasherDefault<Quick>>,
}

/// A quick hash of numbers, always the same.
#[derive(Clone, Copy, Debug, Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut own = [0u8; 8];
            own[..word.len()].copy_from_slice(word);
            let mixed =
                (self.0.rotate_left(26) ^ u64::from_le_bytes(own)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.0 = mixed ^ mixed >> 32;
        }
    }
}

/// What is lost so far: by lines on their own and groups that are settled.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// In ten-thousandths.
    off: i64,
    /// The same, of lines that are not counted.
    others: i64,
    /// Of the lines that are counted, in whole units.
    counted: i64,
    /// What rounding may add.
    slack: i64,
    used: DealSet,
}

impl All<'_> {
    pub(super) fn find(mut self, used: DealSet) -> Found {
        let n = self.part.groups.len();
        let thought = (0..n).map(|group| self.part.beginning(group)).collect();
        let mut at = At { thought, has: vec![0; n], shunned: vec![0; n], ..At::default() };
        self.dive(0, Sum { slack: self.part.slack(), used, ..Sum::default() }, &mut at);
        self.row.chosen.fill(None);
        at.found.is_all = !at.cut;
        at.found
    }

    /// Decides the line at a place.
    fn dive(&mut self, place: usize, sum: Sum, at: &mut At) {
        at.found.nodes += 1;
        if at.found.nodes > self.wanted.nodes_max {
            at.cut = true;
        }
        if at.cut {
            return;
        }
        if place == self.part.order.len() {
            return self.consider(sum, at);
        }
        if self.is_plain && !self.is_new(place, &sum, at) {
            return;
        }
        let (from, to) = self.part.span(place);
        let mut opt = from;
        while opt < to {
            let (choice, first) = (self.part.opts[opt].choice, opt);
            while opt < to && self.part.opts[opt].choice == choice {
                opt += 1;
            }
            if self.may(place, first, sum.used, at) {
                self.go(place, (first, opt), sum, at);
            }
        }
    }

    /// Whether a line may be decided so, by what was decided before.
    fn may(&self, place: usize, opt: usize, used: DealSet, at: &At) -> bool {
        let (from, to) = self.part.span(place);
        let opt = &self.part.opts[opt];
        let Some(choice) = opt.choice else {
            let mut groups = self.part.opts[from..to].iter().filter_map(|other| other.group);
            return groups.all(|group| at.has[usize::from(group)] == 0);
        };
        let deal = self.row.choices[choice as usize].deal;
        self.scene.deals[usize::from(deal)].conflicts & used == 0
            && opt.group.is_none_or(|group| at.shunned[usize::from(group)] == 0)
    }

    /// Decides a line by the options from one on to another, which are of one deal.
    fn go(&mut self, place: usize, (first, end): (usize, usize), sum: Sum, at: &mut At) {
        let opt = self.part.opts[first];
        let line = usize::from(self.row.lines[self.part.order[place]].0);
        let mut next = sum;
        let mut before = None;
        if let Some(choice) = opt.choice {
            let choice = self.row.choices[choice as usize];
            next.used |= 1 << choice.deal;
            self.row.chosen[line] = Some((choice.deal, choice.place));
            at.deals.push(choice.deal);
            match opt.group.map(usize::from) {
                Some(group) => {
                    at.has[group] += 1;
                    let thought =
                        self.part.then(&at.thought[group], group, (first, end), self.is_counted(line));
                    before = Some((group, std::mem::replace(&mut at.thought[group], thought)));
                }
                None => {
                    next.off += choice.most * UNIT;
                    match self.is_counted(line) {
                        true => next.counted += choice.most,
                        false => next.others += choice.most * UNIT,
                    }
                }
            }
        } else {
            at.deals.push(NO_DEAL);
            self.shun(place, true, at);
        }
        if let Some(next) = self.settle(place, next, at) {
            let mut pruned = Vec::new();
            if self.is_wanted(place + 1, &next, at, &mut pruned) {
                self.dive(place + 1, next, at);
            }
            pruned.into_iter().for_each(|(group, thought)| at.thought[group] = thought);
        }
        if let Some((group, thought)) = before {
            at.thought[group] = thought;
            at.has[group] -= 1;
        }
        if opt.choice.is_none() {
            self.shun(place, false, at);
        }
        at.deals.pop();
        self.row.chosen[line] = None;
    }

    fn is_counted(&self, line: usize) -> bool {
        self.wanted.counted.get(line).is_some_and(|is_counted| *is_counted)
    }

    /// No offer of several lines of which the line is may apply any more; or it may again.
    fn shun(&self, place: usize, is_shunned: bool, at: &mut At) {
        let (from, to) = self.part.span(place);
        for group in self.part.opts[from..to].iter().filter_map(|opt| opt.group).map(usize::from) {
            at.shunned[group] = if is_shunned { at.shunned[group] + 1 } else { at.shunned[group] - 1 };
        }
    }

    /// Groups whose last line is decided take what they take; `None` where one may not.
    fn settle(&mut self, place: usize, mut sum: Sum, at: &mut At) -> Option<Sum> {
        for (number, group) in self.part.groups.iter().enumerate() {
            if group.last != place {
                continue;
            }
            let deal = &self.scene.deals[usize::from(group.deal)];
            if matches!(deal.effect, Effect::AddOn { .. }) {
                continue;
            }
            sum.slack -= group.slack;
            if at.has[number] == 0 {
                continue;
            }
            let (off, counted) = if self.is_plain && self.part.is_known(number) {
                let most = self.thought(number, at);
                // A half is rounded down: what is paid is rounded up.
                let off = -(UNIT / 2 - most.gain).div_euclid(UNIT);
                if off <= 0 {
                    return None;
                }
                (off, self.counted_of(number, off, &most))
            } else {
                // To work it out costs what it looks at.
                at.found.nodes += 2 + u64::from(at.has[number]) / 4;
                (self.take(group.deal, deal)?, self.counted())
            };
            sum.off += off * UNIT;
            sum.counted += counted;
            sum.others += (off - counted) * UNIT;
        }
        Some(sum)
    }

    /// What a deal of several lines takes off those it has; `None` where it may not.
    fn take(&mut self, number: u16, deal: &Deal) -> Option<i64> {
        self.row.worth(self.scene, self.work, number, deal, self.level)
    }

    /// How much of what was taken last is of lines that are counted.
    fn counted(&self) -> i64 {
        if self.wanted.counted.is_empty() {
            return 0;
        }
        let taken = self.row.taken.iter().zip(&self.row.offs);
        taken.filter(|(place, _)| self.is_counted(usize::from(place.line))).map(|(_, off)| off).sum()
    }

    /// Whether the search has not been here: what is lost so far, what groups are thought to take and which may apply is all that matters.
    fn is_new(&self, place: usize, sum: &Sum, at: &mut At) -> bool {
        let At { thought, has, shunned, deals, key, seen, .. } = at;
        key.clear();
        key.extend([i64::try_from(place).unwrap_or(-1), sum.off, sum.counted]);
        let used = sum.used & self.conflicts;
        key.extend([used as i64, (used >> 64) as i64]);
        for (number, group) in self.part.groups.iter().enumerate() {
            if group.first >= place || group.last < place {
                continue;
            }
            let (has, shunned) = (has[number] > 0, shunned[number] > 0);
            key.push(i64::from(has) + 2 * i64::from(shunned));
            if !has {
                continue;
            }
            if self.part.is_known(number) && (self.is_merged(number) || !self.is_mixed(number)) {
                for (digit, own) in (0i64..).zip(&thought[number]).filter(|(_, own)| own.gain > NEVER / 2) {
                    key.extend([digit, own.gain]);
                    if self.is_mixed(number) {
                        key.extend([own.counted, own.worth]);
                    }
                }
                key.push(-1);
                continue;
            }
            let mut lines = [0i64; LINES_MAX / 64 + 1];
            for (line, deal) in deals.iter().enumerate() {
                if *deal == group.deal {
                    lines[line / 64] |= 1 << (line % 64);
                }
            }
            key.extend(lines);
        }
        if seen.contains(&key[..]) {
            return false;
        }
        at.found.nodes += key.len() as u64 / 16;
        at.kept += key.len();
        at.cut |= at.kept > KEPT_MAX;
        seen.insert(key.clone().into_boxed_slice())
    }

    /// Whether some lines of a group are counted, and some are not.
    fn is_mixed(&self, group: usize) -> bool {
        self.mixed >> group & 1 == 1
    }

    /// Whether a group's lines need not be known, where not all of them are counted or not.
    fn is_merged(&self, group: usize) -> bool {
        self.is_plain && self.is_mixed(group) && self.part.is_known(group)
    }

    /// The most that a group is thought to take, once all its lines are decided.
    fn thought(&self, group: usize, at: &At) -> Thought {
        let ends = at.thought[group].iter().enumerate().filter(|(digit, _)| self.part.may_end(group, *digit));
        ends.map(|(_, own)| *own).max_by_key(|own| (own.gain, -own.counted)).unwrap_or(Thought::NEVER)
    }

    /// How much of what a group takes off is of lines that are counted: where these are some of them, their part at least, which is less
    /// by less than a unit each.
    fn counted_of(&self, group: usize, off: i64, thought: &Thought) -> i64 {
        let own = &self.part.groups[group];
        match (self.wanted.counted.is_empty(), self.is_mixed(group)) {
            (true, _) => 0,
            (false, false) if thought.counted > 0 => off,
            (false, false) => 0,
            (false, true) => {
                let share = i128::from(off) * i128::from(thought.counted) / i128::from(thought.worth.max(1));
                i64::try_from(share).unwrap_or(0).saturating_sub(own.n_lines()).max(0)
            }
        }
    }

    /// Whether the lines from a place on may lose enough. What groups are thought to take that may not is forgotten; `pruned` is what
    /// it was.
    fn is_wanted(
        &self,
        place: usize,
        sum: &Sum,
        at: &mut At,
        pruned: &mut Vec<(usize, Vec<Thought>)>,
    ) -> bool {
        let At { has, thought, found, marks, .. } = at;
        let has = |group: usize| has[group] > 0;
        let mut looked = 0;
        let need = self.wanted.least * UNIT - sum.off - sum.slack;
        let mut is_wanted = true;
        if let Some((others, least)) = self.wanted.others {
            let thoughts = Thoughts {
                of: thought,
                is_asked: |group: usize| has(group) && others.groups[group].gains,
                gain: |group: usize, own: &Thought| match &others.groups[group] {
                    other if other.is_mixed && other.is_known => other.rate * (own.worth - own.counted),
                    _ => own.gain,
                },
            };
            let most = others.most(place, &thoughts, marks, &mut looked);
            let to_come = others.groups.iter().filter(|group| group.last >= place);
            let slack: i64 = to_come.map(|group| group.slack).sum();
            is_wanted = (sum.others + most + slack).div_euclid(UNIT) >= least;
        }
        if is_wanted {
            let gain = |_: usize, own: &Thought| own.gain;
            let most =
                self.part.most(place, &Thoughts { of: thought, is_asked: has, gain }, marks, &mut looked);
            is_wanted = most >= need;
        }
        // What is kept of each number, and to look at it.
        found.nodes += 1 + looked / 16;
        if !is_wanted {
            return false;
        }
        let mut from = 0;
        for (group, size) in self.part.open(place).filter(|(group, _)| has(*group)) {
            let own = &mut thought[group];
            let marks = &marks[from..from + size.min(own.len())];
            from += marks.len();
            let is_over = |digit: usize| marks.get(digit).is_none_or(|most| *most < need);
            if (0..own.len()).any(|digit| own[digit].gain > NEVER && is_over(digit)) {
                pruned.push((group, own.clone()));
                (0..own.len()).filter(|digit| is_over(*digit)).for_each(|digit| own[digit] = Thought::NEVER);
            }
        }
        true
    }

    /// All lines are decided: what is drawn from the purse is drawn, budgets are kept.
    fn consider(&mut self, mut sum: Sum, at: &mut At) {
        if !self.is_plain {
            let mut purse = self.purse;
            for number in self.order {
                let deal = &self.scene.deals[usize::from(*number)];
                let group = self.part.groups.iter().position(|group| group.deal == *number);
                if let (Effect::AddOn { .. }, Some(group)) = (deal.effect, group)
                    && at.has[group] > 0
                {
                    let Some(off) = self.take(*number, &purse.within(deal)) else { return };
                    purse.take(deal, self.work.pieces);
                    sum.off += off * UNIT;
                    sum.counted += self.counted();
                }
            }
            if !self.row.within_budgets(self.scene, self.level) {
                return;
            }
        }
        let off = sum.off.div_euclid(UNIT);
        if off < self.wanted.least {
            return;
        }
        at.found.values.entry((off, sum.counted)).or_insert_with(|| at.deals.clone());
        at.cut |= at.found.values.len() > self.wanted.values_max;
    }
}

impl Part {
    /// What a group is thought to take before any line is decided, by the number that is remembered.
    fn beginning(&self, group: usize) -> Vec<Thought> {
        let mut thought = vec![Thought::NEVER; self.size(group)];
        thought[0] = Thought::default();
        thought
    }
}
