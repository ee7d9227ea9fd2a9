//! What offers of several lines are thought to take of the lines decided so far, for every number that may be remembered of them; and what
//! with the lines to come they may take at most.

use super::machine::{Machine, NEVER, NOWHERE, UNIT};
use super::relax::{Asked, Group, Open, Part};

/// What a group is thought to take of some lines, with a number that is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thought {
    /// In ten-thousandths.
    pub(super) gain: i64,
    /// What the pieces are worth that it is of, of lines that are counted and of all.
    pub(super) counted: i64,
    pub(super) worth: i64,
}

impl Thought {
    pub(super) const NEVER: Self = Self { gain: NEVER, counted: 0, worth: 0 };
}

/// What groups are thought to take: which of them are asked about, and what of it is gained.
pub(super) struct Thoughts<'a, A, G> {
    pub(super) of: &'a [Vec<Thought>],
    pub(super) is_asked: A,
    pub(super) gain: G,
}

impl Part {
    /// Whether some of its offers are reckoned line by line.
    pub(super) fn is_loose(&self) -> bool {
        self.groups.iter().any(|group| group.machine.is_none())
    }

    /// Whether an offer of several lines is reckoned line by line.
    pub(super) fn is_line_by_line(&self, deal: u16) -> bool {
        self.groups.iter().any(|group| group.deal == deal && group.machine.is_none())
    }

    /// How many numbers may be remembered of a group.
    pub(super) fn size(&self, group: usize) -> usize {
        self.groups[group].machine.map_or(1, Machine::size)
    }

    /// What a group is thought to take once a line is its own, by number; `thought` is the same before, `opts` are the line's ways to be.
    pub(super) fn then(
        &self,
        thought: &[Thought],
        group: usize,
        opts: (usize, usize),
        is_counted: bool,
    ) -> Vec<Thought> {
        let mut then = vec![Thought::NEVER; self.size(group)];
        for opt in &self.opts[opts.0..opts.1] {
            let Some(table) = opt.table else {
                then[0] = Thought { gain: thought[0].gain + opt.gain, ..Thought::default() };
                continue;
            };
            for (before, (next, gain, worth)) in thought.iter().zip(&self.tables[table as usize..]) {
                if *next != NOWHERE && before.gain > NEVER / 2 {
                    let gain = before.gain + gain;
                    let counted = before.counted + if is_counted { *worth } else { 0 };
                    let own = Thought { gain, counted, worth: before.worth + worth };
                    let next = &mut then[*next as usize];
                    // Where it is the same, as little of lines that are counted as may be.
                    if gain > next.gain || (gain == next.gain && own.counted < next.counted) {
                        *next = own;
                    }
                }
            }
        }
        then
    }

    /// Whether all lines of a group may end with a number.
    pub(super) fn may_end(&self, group: usize, digit: usize) -> bool {
        let digit = u32::try_from(digit).unwrap_or(u32::MAX);
        self.groups[group].machine.is_none_or(|machine| machine.accepts(digit))
    }

    /// Whether what a group takes off is known from what it is thought to take.
    pub(super) fn is_known(&self, group: usize) -> bool {
        self.groups[group].is_known
    }

    /// The most that groups which are not settled and lines from a place on may take, where groups are thought to take so much of the
    /// lines before. Adds how many numbers were looked at, and writes down the most for each number of each group that is remembered, side
    /// by side.
    pub(super) fn most<A, G>(
        &self,
        at: usize,
        thoughts: &Thoughts<'_, A, G>,
        marks: &mut Vec<i64>,
        looked: &mut u64,
    ) -> i64
    where
        A: Fn(usize) -> bool,
        G: Fn(usize, &Thought) -> i64,
    {
        let cut = &self.cuts[at];
        let mut sum = 0;
        for (number, group) in self.groups.iter().enumerate() {
            if group.first < at
                && (group.machine.is_none() || group.last < at)
                && (group.last >= at || group.is_drawn)
                && (thoughts.is_asked)(number)
            {
                let of =
                    |own: &Thought| if own.gain > NEVER / 2 { (thoughts.gain)(number, own) } else { NEVER };
                sum += thoughts.of[number].iter().map(of).max().unwrap_or(0);
            }
        }
        marks.clear();
        for open in cut.open.iter().filter(|open| (thoughts.is_asked)(usize::from(open.group))) {
            marks.resize(
                marks.len() + thoughts.of[usize::from(open.group)].len().min(open.size as usize),
                NEVER,
            );
        }
        self.widen(&cut.open, thoughts, (cut.from, sum), marks, looked)
    }

    fn widen<A, G>(
        &self,
        open: &[Open],
        thoughts: &Thoughts<'_, A, G>,
        (state, sum): (usize, i64),
        marks: &mut [i64],
        looked: &mut u64,
    ) -> i64
    where
        A: Fn(usize) -> bool,
        G: Fn(usize, &Thought) -> i64,
    {
        let Some((first, rest)) = open.split_first() else { return sum + self.h[state] };
        let group = usize::from(first.group);
        if !(thoughts.is_asked)(group) {
            return self.widen(rest, thoughts, (state, sum), marks, looked);
        }
        let own = &thoughts.of[group];
        let (own, mut most) = (&own[..own.len().min(first.size as usize)], NEVER);
        let (mark, marks) = marks.split_at_mut(own.len());
        for (digit, own) in own.iter().enumerate().filter(|(_, own)| own.gain > NEVER / 2) {
            *looked += 1;
            let sum = sum + (thoughts.gain)(group, own);
            let found = self.widen(rest, thoughts, (state + digit * first.stride, sum), marks, looked);
            mark[digit] = mark[digit].max(found);
            most = most.max(found);
        }
        most
    }

    /// The groups that are remembered before a line, with how many numbers.
    pub(super) fn open(&self, at: usize) -> impl Iterator<Item = (usize, usize)> {
        self.cuts[at].open.iter().map(|open| (usize::from(open.group), open.size as usize))
    }

    /// Groups of which some lines are counted and some are not, by bits; `lines` are the row's.
    pub(super) fn mixed(&self, lines: &[(u16, u32, u32)], counted: &[bool]) -> u128 {
        let is_counted =
            |at: &usize| counted.get(usize::from(lines[self.order[*at]].0)).is_some_and(|is| *is);
        let is_mixed = |group: &Group| {
            let n = group.own.iter().filter(|(at, ..)| is_counted(at)).count();
            n > 0 && n < group.own.len()
        };
        let groups = self.groups.iter().enumerate().filter(|(_, group)| is_mixed(group));
        groups.fold(0, |all, (number, _)| {
            all | 1u128.checked_shl(u32::try_from(number).unwrap_or(128)).unwrap_or(0)
        })
    }

    /// The same part, but that lines which are counted gain nothing, nor do groups that have no others.
    pub(super) fn but(&self, rows: &[Asked<'_>], counted: &[bool]) -> Self {
        let mut part = Self { h: Vec::new(), ..self.clone() };
        let is_counted = |at: usize| counted[usize::from(rows[self.order[at]].line)];
        for group in &mut part.groups {
            let is_own = |wanted: bool| group.own.iter().any(|(at, ..)| is_counted(*at) == wanted);
            (group.gains, group.is_mixed) = (is_own(false), is_own(false) && is_own(true));
            if group.is_mixed {
                // What is split may give each line up to a unit more than its part.
                group.slack += group.n_lines() * UNIT;
            }
        }
        for (at, (from, to)) in self.spans.iter().enumerate() {
            for opt in &mut part.opts[*from..*to] {
                let Some(group) = opt.group.map(|group| &part.groups[usize::from(group)]) else {
                    opt.gain = if is_counted(at) { 0 } else { opt.gain };
                    continue;
                };
                let Some(machine) = group.machine else {
                    opt.gain = if group.gains { opt.gain } else { 0 };
                    continue;
                };
                let Some(table) = opt.table.filter(|_| (group.is_mixed && group.is_known) || !group.gains)
                else {
                    continue;
                };
                let rate = if group.gains && !is_counted(at) { group.rate } else { 0 };
                let numbers = &mut part.tables[table as usize..table as usize + machine.size()];
                numbers
                    .iter_mut()
                    .filter(|(next, ..)| *next != NOWHERE)
                    .for_each(|(_, gain, worth)| *gain = rate * *worth);
            }
        }
        part.look_back();
        part
    }
}
