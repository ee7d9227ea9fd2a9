//! What the lines of an item lane may lose together at most. Lines are decided one after the other; of each offer of several lines it
//! is remembered what the lines to come need to know of it: how many pieces of a group there are, or how many of one part of a set wait
//! for the other. That is a small number ([`Machine`]), so that all ways to go on from a line with the same numbers have one best, and it
//! is found once, from the last line back (`h`).
//!
//! Nothing here is less than it turns out to be: what an offer is thought to take is what it takes of the pieces that suit it best.
//! It may be more by what is rounded, and where an offer is reckoned line by line for want of room.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use crate::deal::{DealSet, Effect, Place, Scene};

use super::Choice;
use super::machine::{Machine, NEVER, NOWHERE, PIECES_MAX, UNIT};

/// How many numbers side by side are kept of a line at most, and of all lines.
const STATES_MAX: usize = 1 << 19;
const STATES_MAX_OF_ALL: usize = 3_000_000;

/// So many are looked at in the time of a branch.
const STATES_A_NODE: usize = 16;
/// An offer of so many numbers takes much room.
const ROOMY: u32 = 6;

/// Where a number leads, what is gained, and what the pieces are worth that are taken.
pub(super) type Entry = (u32, i64, i64);

/// One way to go on with a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    /// Which of the row's choices; none of them.
    pub(super) choice: Option<u32>,
    /// Which of the part's offers of several lines.
    pub(super) group: Option<u8>,
    /// Where its numbers are, where it is counted.
    pub(super) table: Option<u32>,
    pub(super) gain: i64,
}

impl Group {
    /// How many lines it is of.
    pub(super) fn n_lines(&self) -> i64 {
        i64::try_from(self.own.len()).unwrap_or(i64::MAX)
    }
}

/// An offer of several lines of a part.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) deal: u16,
    /// Its first and its last line, in the order in which they are decided.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) machine: Option<Machine>,
    pub(super) slack: i64,
    /// Whether what it takes off counts.
    pub(super) gains: bool,
    /// Whether it draws on the purse, so that what it takes off is known last.
    pub(super) is_drawn: bool,
    /// Whether what it takes off is known from what it is thought to take.
    pub(super) is_known: bool,
    /// Whether it has lines that are counted, and others.
    pub(super) is_mixed: bool,
    /// How much of what its pieces are worth is taken off at most, in ten-thousandths.
    pub(super) rate: i64,
    /// Its lines in that order, what they are in it, and their pieces.
    pub(super) own: Vec<(usize, u8, i64)>,
}

/// A group of which something is remembered: how its number makes one with the others', and how many numbers there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) group: u8,
    pub(super) stride: usize,
    pub(super) size: u32,
}

/// What is remembered before a line: of which groups, and how their numbers make one.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut {
    pub(super) open: Vec<Open>,
    states: usize,
    pub(super) from: usize,
}

/// Lines of an item lane that offers of several lines tie together.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// The row's lines, in the order in which they are decided.
    pub(super) order: Vec<usize>,
    /// Where the options of each are.
    pub(super) spans: Vec<(usize, usize)>,
    pub(super) opts: Vec<Opt>,
    pub(super) groups: Vec<Group>,
    pub(super) tables: Vec<Entry>,
    pub(super) cuts: Vec<Cut>,
    pub(super) h: Vec<i64>,
    /// What it cost to make, in steps.
    pub(super) steps: u64,
}

/// A line of the row with its choices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) line: u16,
    /// Where its choices begin.
    pub(super) from: u32,
    pub(super) choices: &'a [Choice],
}

/// The dearer piece first, then the order of the cart: as offers of several lines take them.
fn by_piece(scene: &Scene, level: &[i64], a: u16, b: u16) -> Ordering {
    let of = |line: u16| {
        (i128::from(level[usize::from(line)]), i128::from(scene.lines[usize::from(line)].pieces.max(1)))
    };
    let ((value, pieces), (other, others)) = (of(a), of(b));
    (other * pieces).cmp(&(value * others)).then(a.cmp(&b))
}

impl Part {
    /// The lines of a part: `rows` are all of the lane, `own` those of the part; for so many branches it may cost as much room.
    pub(super) fn of(
        scene: &Scene,
        level: &[i64],
        (rows, own): (&[Asked<'_>], &[usize]),
        nodes: u64,
    ) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for row in own {
            for choice in rows[*row].choices.iter().filter(|choice| !choice.each) {
                if groups.iter().all(|group| group.deal != choice.deal) {
                    let is_drawn =
                        matches!(scene.deals[usize::from(choice.deal)].effect, Effect::AddOn { .. });
                    groups.push(Group {
                        deal: choice.deal,
                        first: 0,
                        last: 0,
                        machine: None,
                        slack: 0,
                        gains: true,
                        is_drawn,
                        is_known: false,
                        is_mixed: false,
                        rate: UNIT,
                        own: Vec::new(),
                    });
                }
            }
        }
        groups.sort_by_key(|group| scene.deals[usize::from(group.deal)].rank);
        groups.truncate(usize::from(u8::MAX));
        let room = usize::try_from(nodes).unwrap_or(usize::MAX).saturating_mul(STATES_A_NODE);
        let states_max = room.min(STATES_MAX_OF_ALL);
        let mut sorted = own.to_vec();
        sorted.sort_by(|a, b| by_piece(scene, level, rows[*a].line, rows[*b].line));
        let clustered = clustered(scene, &groups, rows, &sorted);
        let mut plans = [clustered, sorted].map(|order| {
            let mut part = Self { order, groups: groups.clone(), ..Self::default() };
            let left_out = part.plan(scene, level, rows, states_max);
            (left_out, part)
        });
        let better = usize::from(plans[1].0 < plans[0].0);
        let mut part = std::mem::take(&mut plans[better].1);
        part.options(scene, level, rows);
        part.look_back();
        part
    }

    /// Which groups are counted; gives how many are not that could be.
    fn plan(&mut self, scene: &Scene, level: &[i64], rows: &[Asked<'_>], states_max: usize) -> usize {
        let mut left_out = 0;
        for group in &mut self.groups {
            let deal = &scene.deals[usize::from(group.deal)];
            let place = |row: usize| rows[row].choices.iter().find(|choice| choice.deal == group.deal);
            let own = self.order.iter().enumerate();
            let own: Vec<(usize, u16, Place)> = own
                .filter_map(|(at, row)| place(*row).map(|choice| (at, rows[*row].line, choice.place)))
                .collect();
            let (Some(first), Some(last)) = (own.first(), own.last()) else { continue };
            (group.first, group.last) = (first.0, last.0);
            let pieces = own.iter().map(|(_, line, _)| scene.lines[usize::from(*line)].pieces);
            let roles = own.iter().map(|(at, _, place)| (*at, place.role));
            group.own = roles.zip(pieces.clone()).map(|((at, role), pieces)| (at, role, pieces)).collect();
            group.machine = Machine::of(scene, deal, pieces.clone().sum());
            group.slack = group.machine.map_or(0, Machine::slack);
            let is_sorted = || own.is_sorted_by(|a, b| by_piece(scene, level, a.1, b.1).is_lt());
            let can_be = match &mut group.machine {
                None => continue,
                Some(Machine::Groups { .. }) => true,
                Some(Machine::BuyGet { .. }) => is_sorted(),
                // One part before the other, so that one number says which of them waits.
                Some(Machine::Pair { first, .. }) => {
                    *first = own[0].2.role;
                    let ours = own.iter().map(|(_, _, place)| place.role == own[0].2.role);
                    ours.is_sorted_by(|a, b| a >= b) && pieces.max().unwrap_or(0) <= PIECES_MAX
                }
            };
            if !can_be {
                (group.machine, left_out) = (None, left_out + 1);
            }
        }
        loop {
            self.cut();
            let Some(largest) = self.cuts.iter().max_by_key(|cut| cut.states) else { return left_out };
            let of_all = self.cuts.iter().fold(0usize, |all, cut| all.saturating_add(cut.states));
            if largest.states <= STATES_MAX && of_all <= states_max {
                return left_out;
            }
            // Of those that take much room the one that promises least.
            let worth = |open: &Open| {
                let deal = self.groups[usize::from(open.group)].deal;
                let choices = self.order.iter().flat_map(|row| rows[*row].choices);
                choices.filter(|choice| choice.deal == deal).map(|choice| choice.most).sum::<i64>()
            };
            let dropped =
                largest.open.iter().max_by_key(|open| (open.size >= ROOMY, Reverse(worth(open)), open.group));
            let Some(dropped) = dropped.map(|open| usize::from(open.group)) else { return left_out };
            self.groups[dropped].machine = None;
            left_out += 1;
        }
    }

    fn cut(&mut self) {
        self.cuts.clear();
        let mut from = 0usize;
        for at in 0..=self.order.len() {
            let (mut open, mut states) = (Vec::new(), 1usize);
            for (number, group) in (0u8..).zip(&self.groups) {
                if let Some(machine) = group.machine
                    && group.first < at
                    && at <= group.last
                {
                    let size = machine.size_at(&group.own, at);
                    open.push(Open { group: number, stride: states, size });
                    states = states.saturating_mul(size as usize);
                }
            }
            self.cuts.push(Cut { open, states, from });
            from = from.saturating_add(states);
        }
    }

    fn options(&mut self, scene: &Scene, level: &[i64], rows: &[Asked<'_>]) {
        for group in &mut self.groups {
            let pieces = group.own.iter().map(|(.., pieces)| *pieces).max().unwrap_or(0);
            let deal = &scene.deals[usize::from(group.deal)];
            let mut most = [0; 2];
            for (at, role, _) in &group.own {
                let line = usize::from(rows[self.order[*at]].line);
                let (value, pieces) = (level[line], scene.lines[line].pieces.max(1));
                let most = &mut most[usize::from(*role != 0)];
                *most = (*most).max((value + pieces - 1) / pieces);
            }
            group.rate = group.machine.map_or(UNIT, |machine| machine.rate_max(most));
            let own = group.own.iter().map(|(at, ..)| usize::from(rows[self.order[*at]].line));
            let floors: i64 = own.map(|line| scene.lines[line].floor).sum();
            let is_free = floors == 0 && !group.is_drawn && !deal.has_budget();
            group.is_known = group.machine.is_some() && pieces <= PIECES_MAX && is_free;
        }
        for row in &self.order {
            let from = self.opts.len();
            let asked = rows[*row];
            let line = &scene.lines[usize::from(asked.line)];
            for (i, choice) in (asked.from..).zip(asked.choices) {
                let number = self.groups.iter().position(|group| group.deal == choice.deal);
                let group = number.and_then(|number| u8::try_from(number).ok());
                let machine = number.and_then(|number| self.groups[number].machine);
                let Some(machine) = machine else {
                    let gain = choice.most * UNIT;
                    self.opts.push(Opt { choice: Some(i), group, table: None, gain });
                    continue;
                };
                for taken in machine.takes(line.pieces) {
                    let table = u32::try_from(self.tables.len()).ok();
                    let what = (level[usize::from(asked.line)], line.pieces, taken);
                    for digit in (0u32..).take(machine.size()) {
                        let next = machine.go(digit, choice.place.role, what);
                        self.tables.push(next.unwrap_or((NOWHERE, NEVER, 0)));
                    }
                    self.opts.push(Opt { choice: Some(i), group, table, gain: 0 });
                }
            }
            self.opts.push(Opt { choice: None, group: None, table: None, gain: 0 });
            self.spans.push((from, self.opts.len()));
        }
    }

    /// From the last line back: what may be gained from each number on.
    pub(super) fn look_back(&mut self) {
        let n = self.order.len();
        let last = &self.cuts[n];
        let mut h = vec![NEVER; last.from + last.states];
        h[last.from] = 0;
        let mut digits = vec![0u32; self.groups.len()];
        for at in (0..n).rev() {
            let (cut, next) = (&self.cuts[at], &self.cuts[at + 1]);
            let (from, to) = self.spans[at];
            // How a number of each group goes into what is remembered after the line, and which numbers may not.
            let mut after = vec![(0usize, u32::MAX); self.groups.len()];
            next.open.iter().for_each(|open| after[usize::from(open.group)] = (open.stride, open.size));
            let is_bad = |group: usize, digit: u32| {
                digit >= after[group].1
                    || (self.groups[group].last == at
                        && self.groups[group].machine.is_some_and(|machine| !machine.accepts(digit)))
            };
            // Groups of which each line may be, and where its numbers are.
            let ways: Vec<(Option<usize>, &[Entry], i64)> = self.opts[from..to]
                .iter()
                .map(|opt| match (opt.group, opt.table) {
                    (Some(group), Some(table)) => {
                        let (group, table) = (usize::from(group), table as usize);
                        (Some(group), &self.tables[table..table + self.size(group)], 0)
                    }
                    _ => (None, &[][..], opt.gain),
                })
                .collect();
            digits.fill(0);
            for state in 0..cut.states {
                let (mut base, mut bad) = (0, 0);
                for open in &cut.open {
                    let group = usize::from(open.group);
                    base += digits[group] as usize * after[group].0;
                    bad += usize::from(is_bad(group, digits[group]));
                }
                let mut most = NEVER;
                for (group, table, gain) in &ways {
                    let Some(group) = *group else {
                        if bad == 0 {
                            most = most.max(gain + h[next.from + base]);
                        }
                        continue;
                    };
                    let digit = digits[group];
                    let (to, gain, _) = table[digit as usize];
                    if to == NOWHERE || is_bad(group, to) || bad > usize::from(is_bad(group, digit)) {
                        continue;
                    }
                    let stride = after[group].0;
                    let state = base + to as usize * stride - digit as usize * stride;
                    most = most.max(gain + h[next.from + state]);
                }
                h[cut.from + state] = most;
                // The next number.
                for open in &cut.open {
                    let digit = &mut digits[usize::from(open.group)];
                    *digit += 1;
                    if *digit < open.size {
                        break;
                    }
                    *digit = 0;
                }
            }
            self.steps += (cut.states * (to - from)) as u64;
        }
        self.h = h;
    }

    /// Where the numbers lead if the line at a place changes none of them; and how many groups would have a number they may not.
    pub(super) fn place(&self, at: usize, digits: &[u32]) -> (usize, usize) {
        let (mut state, mut bad) = (0, 0);
        for open in &self.cuts[at + 1].open {
            let digit = digits[usize::from(open.group)];
            state += digit as usize * open.stride;
            bad += usize::from(digit >= open.size);
        }
        let ends = self.groups.iter().zip(digits).filter(|(group, _)| group.last == at);
        bad += ends
            .filter(|(group, digit)| group.machine.is_some_and(|machine| !machine.accepts(**digit)))
            .count();
        (state, bad)
    }

    /// What an option leads to.
    pub(super) fn step(
        &self,
        at: usize,
        digits: &[u32],
        (state, bad): (usize, usize),
        opt: usize,
    ) -> Option<Step> {
        let opt = &self.opts[opt];
        let (Some(number), Some(table)) = (opt.group, opt.table) else {
            return (bad == 0).then_some(Step { state, gain: opt.gain, digit: None });
        };
        let group = &self.groups[usize::from(number)];
        let machine = group.machine?;
        let digit = digits[usize::from(number)];
        let (next, gain, _) = self.tables[table as usize + digit as usize];
        if next == NOWHERE {
            return None;
        }
        if group.last == at {
            let others = bad - usize::from(!machine.accepts(digit));
            return (others == 0 && machine.accepts(next)).then_some(Step { state, gain, digit: Some(next) });
        }
        let open = &self.cuts[at + 1].open;
        let open = open.iter().find(|open| open.group == number)?;
        let others = bad - usize::from(digit >= open.size);
        let state = state + next as usize * open.stride - digit as usize * open.stride;
        (others == 0 && next < open.size).then_some(Step { state, gain, digit: Some(next) })
    }

    /// The options of the line at a place.
    pub(super) fn span(&self, at: usize) -> (usize, usize) {
        self.spans[at]
    }

    /// What the lines from a place on may lose at most, where the numbers are these.
    pub(super) fn to_come(&self, at: usize, state: usize) -> i64 {
        self.h[self.cuts[at].from + state]
    }

    /// What rounding may add to what all lines lose.
    pub(super) fn slack(&self) -> i64 {
        self.groups.iter().map(|group| group.slack).sum()
    }
}

/// Where an option leads, and what it gains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) state: usize,
    pub(super) gain: i64,
    pub(super) digit: Option<u32>,
}

/// Lines that the same groups are of side by side, the dearest piece first; lines that share groups near each other, so that few groups
/// are open at a time.
fn clustered(scene: &Scene, groups: &[Group], rows: &[Asked<'_>], sorted: &[usize]) -> Vec<usize> {
    let mut clusters: BTreeMap<(DealSet, DealSet), Vec<usize>> = BTreeMap::new();
    for row in sorted {
        let (mut of, mut second) = (0, 0);
        for choice in rows[*row].choices.iter().filter(|choice| !choice.each) {
            let Some(bit) = groups.iter().position(|group| group.deal == choice.deal) else { continue };
            of |= 1 << bit;
            if let Effect::Bundle { .. } = scene.deals[usize::from(choice.deal)].effect
                && choice.place.role > 0
            {
                second |= 1 << bit;
            }
        }
        clusters.entry((of, second)).or_default().push(*row);
    }
    let mut waiting: Vec<((DealSet, DealSet), Vec<usize>)> = clusters.into_iter().collect();
    let (mut order, mut begun): (Vec<usize>, DealSet) = (Vec::new(), 0);
    let bits = groups.iter().map(|group| {
        let machine = Machine::of(scene, &scene.deals[usize::from(group.deal)], i64::MAX);
        machine.map_or(0, |machine| machine.size().ilog2() + 1)
    });
    let bits: Vec<u32> = bits.collect();
    while !waiting.is_empty() {
        // How much must be remembered after it, in bits.
        let open_after = |i: usize| -> u32 {
            let others = waiting.iter().enumerate().filter(|(other, _)| *other != i);
            let others: DealSet = others.fold(0, |all, (_, ((of, _), _))| all | of);
            let open = (begun | waiting[i].0.0) & others;
            bits.iter().enumerate().filter(|(group, _)| open >> group & 1 == 1).map(|(_, bits)| *bits).sum()
        };
        let next = (0..waiting.len()).min_by_key(|i| (open_after(*i), waiting[*i].0)).unwrap_or(0);
        let ((of, _), own) = waiting.remove(next);
        begun |= of;
        order.extend(own);
    }
    order
}
