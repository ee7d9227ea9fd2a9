//! What the lines of an item lane may lose together at most. Lines are decided one after the other; of each offer of several lines it
//! is remembered what the lines to come need to know of it: how many pieces of a group there are, or how many of one part of a set wait
//! for the other. That is a small number ([`Machine`]), so that all ways to go on from a line with the same numbers have one best, and it
//! is found once, from the last line back (`h`).
//!
//! Nothing here is less than it turns out to be: what an offer is thought to take is what it takes of the pieces that suit it best.
//! It may be more by what is rounded, and where an offer is reckoned line by line for want of room.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::deal::{Deal, DealSet, Effect, How, Place, Scene};
use crate::split::{cheapest, dearest};

use super::Choice;

/// Amounts are counted in ten-thousandths of a minor unit, so that parts are whole.
pub(super) const UNIT: i64 = 10_000;
/// How many numbers side by side are kept of a line at most.
const STATES_MAX: usize = 1 << 15;
/// The most pieces or groups that are counted to the end; beyond, only what is left of the last group.
const COUNTED_MAX: i64 = 24;
/// Lines of so many pieces are counted piece by piece.
const PIECES_MAX: i64 = 16;
/// The most sets whose parts are counted.
const SETS_MAX: i64 = 96;
/// What cannot be.
const NEVER: i64 = i64::MIN / 4;
const NOWHERE: u32 = u32::MAX;
/// No price is reckoned higher than this, so that amounts stay numbers; carts that cost more are not looked at here.
pub(super) const PRICE_MAX: i64 = 10_000_000_000_000;

/// What is remembered of an offer of several lines.
#[derive(Clone, Copy, Debug)]
enum Machine {
    /// N pieces at a part, or at a price: the pieces since the last whole group, or all of them up to `cap`.
    Groups { n: i64, rate: i64, price: i64, cap: i64 },
    /// The same of buy and get, from the dearest piece on.
    BuyGet { buy: i64, get: i64, rate: i64, cap: i64 },
    /// A set of two parts: how many pieces of the part that comes first are without the other.
    Pair { per: [i64; 2], price_each: i64, max: i64, first: u8 },
}

impl Machine {
    fn of(scene: &Scene, deal: &Deal, pieces: i64) -> Option<Self> {
        let units = |price: i64| price.clamp(0, PRICE_MAX) * UNIT;
        let cap_of = |most: i64| if most < pieces { most } else { 0 };
        match deal.effect {
            Effect::NFor { n, how, groups_max } => {
                let cap = cap_of(groups_max.saturating_mul(n));
                let cap = if cap > COUNTED_MAX { 0 } else { cap };
                match how {
                    _ if n > COUNTED_MAX => None,
                    How::Pay(pay) => {
                        Some(Self::Groups { n, rate: (UNIT - i64::from(pay)).max(0), price: 0, cap })
                    }
                    How::Price(price) => Some(Self::Groups { n, rate: UNIT, price: units(price), cap }),
                    _ => None,
                }
            }
            Effect::AddOn { price, pieces_max } if pieces_max <= COUNTED_MAX => {
                let cap = pieces_max.max(1);
                Some(Self::Groups { n: 1, rate: UNIT, price: units(price), cap })
            }
            Effect::BuyGet { buy, get, pay, groups_max } if buy + get <= COUNTED_MAX => {
                let cap = cap_of(groups_max.saturating_mul(buy + get));
                let cap = if cap > COUNTED_MAX { 0 } else { cap };
                Some(Self::BuyGet { buy, get, rate: (UNIT - i64::from(pay)).max(0), cap })
            }
            Effect::Bundle { parts, price, sets_max } => {
                let &[a, b] = parts.of(&scene.parts) else { return None };
                let max = a.saturating_mul(b).saturating_mul(sets_max);
                (max <= SETS_MAX && sets_max > 0).then_some(Self::Pair {
                    per: [a, b],
                    price_each: units(price) / a,
                    max,
                    first: 0,
                })
            }
            _ => None,
        }
    }

    const fn size(self) -> usize {
        let size = match self {
            Self::Groups { n, cap: 0, .. } => n,
            Self::BuyGet { buy, get, cap: 0, .. } => buy + get,
            Self::Groups { cap, .. } | Self::BuyGet { cap, .. } => cap + 1,
            Self::Pair { max, .. } => max + 1,
        };
        size as usize
    }

    /// Whether all lines may end with this number.
    const fn accepts(self, digit: u32) -> bool {
        match self {
            Self::Groups { n, .. } => (digit as i64) % n == 0,
            Self::BuyGet { .. } => true,
            Self::Pair { .. } => digit == 0,
        }
    }

    /// What rounding may add to what is taken off, at most.
    const fn slack(self) -> i64 {
        let (Self::Groups { rate, .. } | Self::BuyGet { rate, .. }) = self else { return 0 };
        let (mut a, mut b) = (UNIT, rate);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        // Parts are multiples of `a`; a half is rounded down.
        (UNIT / 2 - 1) / a * a
    }

    /// How many pieces of a line may be thought to be taken.
    fn takes(self, pieces: i64) -> Vec<i64> {
        match self {
            Self::Groups { n, price: 0, cap: 0, .. } => ((pieces - n + 1).max(0)..=pieces).collect(),
            Self::Groups { n, cap: 0, .. } if pieces > PIECES_MAX.max(2 * n) => {
                (0..n).chain(pieces - n + 1..=pieces).collect()
            }
            Self::Groups { cap: 0, .. } => (0..=pieces).collect(),
            Self::Groups { cap, .. } => (0..=pieces.min(cap)).collect(),
            Self::BuyGet { .. } => vec![pieces],
            Self::Pair { max, .. } => (0..=pieces.min(max)).collect(),
        }
    }

    /// What becomes of a number where so many pieces of a line are taken, and what is gained.
    fn go(self, digit: u32, role: u8, (value, pieces, taken): (i64, i64, i64)) -> Option<(u32, i64)> {
        let at = i64::from(digit);
        let small = |number: i64| u32::try_from(number).ok();
        match self {
            Self::Groups { n, rate, price, cap } => {
                let worth = match price > 0 && pieces > PIECES_MAX.max(2 * n) {
                    true => (value + pieces - 1) / pieces * taken,
                    false => dearest(value, pieces, taken),
                };
                let next = at + taken;
                if cap > 0 && next > cap {
                    return None;
                }
                let paid = price.saturating_mul(next / n - at / n);
                let gain = (rate * worth).saturating_sub(paid).max(NEVER);
                Some((small(if cap > 0 { next } else { next % n })?, gain))
            }
            Self::BuyGet { buy, get, rate, cap } => {
                let m = buy + get;
                let up_to = |t: i64| {
                    let t = if cap > 0 { t.min(cap) } else { t };
                    t / m * get + (t % m - buy).max(0)
                };
                let free = up_to(at + pieces) - up_to(at);
                let next = at + pieces;
                let next = if cap > 0 { next.min(cap) } else { next % m };
                Some((small(next)?, rate * cheapest(value, pieces, free)))
            }
            Self::Pair { per, price_each, max, first } => {
                let worth = UNIT * dearest(value, pieces, taken);
                let other = per[usize::from(role == 0)];
                let paid = if role == 0 { price_each.saturating_mul(taken) } else { 0 };
                let worth = worth.saturating_sub(paid).max(NEVER);
                let next = if role == first { at + taken * other } else { at - taken * other };
                (0..=max).contains(&next).then_some((small(next)?, worth))
            }
        }
    }
}

/// One way to go on with a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    /// Which of the row's choices; none of them.
    pub(super) choice: Option<u32>,
    /// Which of the part's offers of several lines.
    pub(super) group: Option<u8>,
    /// Where its numbers are, where it is counted.
    table: Option<u32>,
    gain: i64,
}

/// An offer of several lines of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) deal: u16,
    /// Its first and its last line, in the order in which they are decided.
    first: usize,
    pub(super) last: usize,
    machine: Option<Machine>,
    pub(super) slack: i64,
}

/// What is remembered before a line: of which groups, and how their numbers make one.
#[derive(Clone, Debug, Default)]
struct Cut {
    open: Vec<(u8, usize)>,
    states: usize,
    from: usize,
}

/// Lines of an item lane that offers of several lines tie together.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// The row's lines, in the order in which they are decided.
    pub(super) order: Vec<usize>,
    /// Where the options of each are.
    spans: Vec<(usize, usize)>,
    pub(super) opts: Vec<Opt>,
    pub(super) groups: Vec<Group>,
    tables: Vec<(u32, i64)>,
    cuts: Vec<Cut>,
    h: Vec<i64>,
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
    /// The lines of a part: `rows` are all of the lane, `own` those of the part.
    pub(super) fn of(scene: &Scene, level: &[i64], rows: &[Asked<'_>], own: &[usize]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for row in own {
            for choice in rows[*row].choices.iter().filter(|choice| !choice.each) {
                if groups.iter().all(|group| group.deal != choice.deal) {
                    groups.push(Group { deal: choice.deal, first: 0, last: 0, machine: None, slack: 0 });
                }
            }
        }
        groups.sort_by_key(|group| scene.deals[usize::from(group.deal)].rank);
        groups.truncate(usize::from(u8::MAX));
        let mut sorted = own.to_vec();
        sorted.sort_by(|a, b| by_piece(scene, level, rows[*a].line, rows[*b].line));
        let clustered = clustered(scene, &groups, rows, &sorted);
        let mut plans = [clustered, sorted].map(|order| {
            let mut part = Self { order, groups: groups.clone(), ..Self::default() };
            let left_out = part.plan(scene, level, rows);
            (left_out, part)
        });
        let better = usize::from(plans[1].0 < plans[0].0);
        let mut part = std::mem::take(&mut plans[better].1);
        part.options(scene, level, rows);
        part.look_back();
        part
    }

    /// Which groups are counted; gives how many are not that could be.
    fn plan(&mut self, scene: &Scene, level: &[i64], rows: &[Asked<'_>]) -> usize {
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
            if largest.states <= STATES_MAX {
                return left_out;
            }
            let size = |group: &u8| self.groups[usize::from(*group)].machine.map_or(0, Machine::size);
            let open = largest.open.iter().map(|(group, _)| *group);
            let Some(dropped) = open.max_by_key(|group| (size(group), *group)) else { return left_out };
            self.groups[usize::from(dropped)].machine = None;
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
                    open.push((number, states));
                    states = states.saturating_mul(machine.size());
                }
            }
            self.cuts.push(Cut { open, states, from });
            from = from.saturating_add(states);
        }
    }

    fn options(&mut self, scene: &Scene, level: &[i64], rows: &[Asked<'_>]) {
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
                        self.tables.push(next.unwrap_or((NOWHERE, NEVER)));
                    }
                    self.opts.push(Opt { choice: Some(i), group, table, gain: 0 });
                }
            }
            self.opts.push(Opt { choice: None, group: None, table: None, gain: 0 });
            self.spans.push((from, self.opts.len()));
        }
    }

    /// From the last line back: what may be gained from each number on.
    fn look_back(&mut self) {
        let n = self.order.len();
        let last = &self.cuts[n];
        let mut h = vec![NEVER; last.from + last.states];
        h[last.from] = 0;
        let mut digits = vec![0u32; self.groups.len()];
        for at in (0..n).rev() {
            let cut = &self.cuts[at];
            let (from, to) = self.spans[at];
            for state in 0..cut.states {
                digits.fill(0);
                let mut rest = state;
                for (group, stride) in cut.open.iter().rev() {
                    digits[usize::from(*group)] = u32::try_from(rest / stride).unwrap_or(0);
                    rest %= stride;
                }
                let place = self.place(at, &digits);
                let mut most = NEVER;
                for opt in from..to {
                    if let Some(step) = self.step(at, &digits, place, opt) {
                        most = most.max(step.gain + h[self.cuts[at + 1].from + step.state]);
                    }
                }
                h[cut.from + state] = most;
            }
            self.steps += (cut.states * (to - from)) as u64;
        }
        self.h = h;
    }

    /// Where the numbers lead if the line at a place changes none of them; and how many groups would end with a number they may not.
    pub(super) fn place(&self, at: usize, digits: &[u32]) -> (usize, usize) {
        let next = self.cuts[at + 1].open.iter();
        let state = next.map(|(group, stride)| digits[usize::from(*group)] as usize * stride).sum();
        let ends = self.groups.iter().zip(digits).filter(|(group, _)| group.last == at);
        let bad =
            ends.filter(|(group, digit)| group.machine.is_some_and(|machine| !machine.accepts(**digit)));
        (state, bad.count())
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
        let (next, gain) = self.tables[table as usize + digit as usize];
        if next == NOWHERE {
            return None;
        }
        if group.last == at {
            let others = bad - usize::from(!machine.accepts(digit));
            return (others == 0 && machine.accepts(next)).then_some(Step { state, gain, digit: Some(next) });
        }
        let open = &self.cuts[at + 1].open;
        let (_, stride) = open.iter().find(|(other, _)| *other == number)?;
        let state = state + next as usize * stride - digit as usize * stride;
        (bad == 0).then_some(Step { state, gain, digit: Some(next) })
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
