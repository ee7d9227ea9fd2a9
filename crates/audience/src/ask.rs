//! Asking: a plan run over all blocks, in parallel, each test in the order that leaves the least to look at.

mod columns;
mod instant;
mod joined;
mod order;
mod parallel;

use std::cell::RefCell;
use std::time::Instant as Clock;

use zhiyin_condition::evaluate::Part;
use zhiyin_condition::program::LeafUse;
use zhiyin_condition::tree::Operator;
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Leaves};
use zhiyin_model::time::Ts;

pub(crate) use self::instant::Instant;
use self::joined::Scratch;
use self::order::Tally;
pub(crate) use self::parallel::{in_parallel, in_parallel_with};
use crate::bits::Mask;
use crate::block::Block;
use crate::bound::Leaf;
use crate::coded::Chosen;
use crate::facts::{Desk, OfBlock, OneColumn};
use crate::halt::Halt;
use crate::plan::{Kind, Plan, Planner, Test, bounds};
use crate::population::Seen;
use crate::rows::LeafPlan;
use crate::set::MemberSet;
use crate::table::Table;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// For whom it holds.
    pub condition: &'q Condition,
    /// When.
    pub now: Ts,
}

/// Who was found, and what it took.
#[derive(Clone, Debug)]
pub struct Found {
    /// They.
    pub members: MemberSet,
    /// What each test took, in the order of the condition.
    pub steps: Vec<StepTaken>,
}

/// What a test took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// The part of the condition, as written.
    pub text: String,
    /// By what it was answered: `column`, `number`, `instant`, `what was said`, `bitmap`, `last day`, `history`, `member by member`.
    pub by: &'static str,
    /// Of how many members it was asked.
    pub asked: u64,
    /// For how many of them it holds.
    pub held: u64,
    /// How many rows of history were looked at.
    pub rows: u64,
    /// For how long, on all cores together, in microseconds.
    pub took_us: u64,
}

/// A question at work, in one thread.
#[derive(Clone)]
struct Asking<'a> {
    condition: &'a Condition,
    leaves: &'a Leaves,
    plan: &'a Plan,
    tests: &'a [Test<'a>],
    now: &'a Instant,
    events: &'a [String],
    /// What each test answers for whoever has no history.
    without: &'a [bool],
    /// Of whom it is asked; of everybody, without.
    within: Option<&'a MemberSet>,
    halt: &'a Halt,
    tallies: Vec<Tally>,
    /// Which codes each test chose last, and of which dictionary, by where it lies: blocks mostly share one.
    chosen: RefCell<Vec<(usize, Chosen)>>,
}

/// Members that are asked one by one before it is looked whether anybody still waits.
const ASKED_AT_ONCE: u32 = 1024;

impl Seen {
    /// Who they are.
    pub fn find(&self, question: &Question<'_>) -> Found {
        self.find_within(question, None)
    }

    /// Who they are, of those of a set: nobody else is asked, or counted in what it took.
    pub fn find_within(&self, question: &Question<'_>, within: Option<&MemberSet>) -> Found {
        self.find_until(question, within, &Halt::default())
    }

    /// The same, until nobody waits for it any more: who is found then are not all.
    pub fn find_until(&self, question: &Question<'_>, within: Option<&MemberSet>, halt: &Halt) -> Found {
        let layout = self.layout();
        let mut condition = question.condition.clone();
        let leaves = Leaves::collect([&mut condition], layout.zone.clone(), layout.currency_exponent);
        let (plan, tests) = Planner::plan(&condition, layout.currency_exponent);
        let now = Instant::new(question.now, &layout.zone, layout.currency_exponent);
        let nobody = nobody(&leaves);
        let without = tests.iter().map(|test| {
            Part::new(&condition, test.node, &leaves, now.now).value(&nobody) == Value::Bool(true)
        });
        let (without, events): (Vec<bool>, Vec<String>) =
            (without.collect(), leaves.events_used().into_iter().collect());
        let begun = || {
            let asking = Asking {
                condition: &condition,
                leaves: &leaves,
                plan: &plan,
                tests: &tests,
                now: &now,
                events: &events,
                without: &without,
                within,
                halt,
                tallies: vec![Tally::default(); tests.len()],
                chosen: RefCell::new(vec![(0, Chosen::None); tests.len()]),
            };
            (asking, Scratch::default())
        };
        let (members, threads) = self.laid_over(begun, |(asking, scratch), block, into| {
            asking.of_block(self, block, scratch, into);
        });
        Found { members, steps: steps(&tests, threads.iter().map(|(asking, _)| &asking.tallies[..])) }
    }
}

/// Somebody of whom nothing is known.
fn nobody(leaves: &Leaves) -> OneColumn<'static> {
    let states = leaves.fresh();
    OneColumn { attribute: None, tier: None, lifecycle: None, store: None, enrolled_at: None, states }
}

/// What each test took, on all threads together.
fn steps<'t>(tests: &[Test<'_>], threads: impl Iterator<Item = &'t [Tally]> + Clone) -> Vec<StepTaken> {
    let each = tests.iter().enumerate();
    each.map(|(number, test)| {
        let sum = |of: fn(&Tally) -> u64| threads.clone().map(|tallies| of(&tallies[number])).sum::<u64>();
        StepTaken {
            text: test.text.clone(),
            by: test.kind.word(),
            asked: sum(|tally| tally.asked.get()),
            held: sum(|tally| tally.held.get()),
            rows: sum(|tally| tally.rows.get()),
            took_us: sum(|tally| tally.nanos.get()) / 1000,
        }
    })
    .collect()
}

/// For the order of tests and for who asks what it took.
#[expect(clippy::disallowed_methods, reason = "measured")]
fn clock() -> Clock {
    Clock::now()
}

fn nanos(from: Clock, to: Clock) -> u64 {
    u64::try_from(to.duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

impl Asking<'_> {
    /// Takes out of a mask for whom a plan does not hold.
    fn narrow(&self, plan: &Plan, block: &Block, mask: &mut Mask) {
        if mask.is_none() {
            return;
        }
        match plan {
            Plan::Always(true) => {}
            Plan::Always(false) => mask.words_mut().fill(0),
            Plan::Test(test) => self.test(*test, block, mask),
            Plan::Not(of) => {
                let mut inner = mask.clone();
                self.narrow(of, block, &mut inner);
                mask.and_not(&inner);
            }
            Plan::And(parts) => {
                for part in self.in_order(parts, true) {
                    self.narrow(part, block, mask);
                }
            }
            Plan::Or(parts) => {
                let mut left = mask.clone();
                let mut found = Mask::none(mask.len());
                for part in self.in_order(parts, false) {
                    let mut these = left.clone();
                    self.narrow(part, block, &mut these);
                    found.or(&these);
                    left.and_not(&these);
                }
                *mask = found;
            }
        }
    }

    fn test(&self, number: usize, block: &Block, mask: &mut Mask) {
        let test = &self.tests[number];
        let begun = clock();
        let asked = mask.count();
        let mut rows = 0;
        match &test.kind {
            Kind::Coded(column) => self.coded(number, *column, block, mask),
            Kind::Points(low, high) => block.points.keep_range(*low, *high, mask),
            Kind::Enrolled(breaks) => rows += self.enrolled(number, breaks, block, mask),
            Kind::Said(asked) => self.said(number, *asked, block, mask),
            Kind::Tag(tag) => match block.tags.get(&**tag) {
                Some(kept) => kept.keep(mask),
                None => mask.words_mut().fill(0),
            },
            Kind::Recency(source, low, high) => match Table::of(block, source) {
                None => mask.words_mut().fill(0),
                Some(table) if table.rows().ascend => {
                    let today = i64::from(self.now.today.0);
                    let (from, to) = (today.saturating_sub(*high), today.saturating_sub(*low));
                    table.rows().last_day.keep_range(from, to, mask);
                    table.rows().some.keep(mask);
                }
                Some(_) => rows += self.slow(number, block, mask),
            },
            Kind::Count(plan, op, with) => match self.bind(plan, block) {
                Bind::Nothing => keep_if(self.without[number], mask),
                Bind::Leaf(leaf) => {
                    let limit = with.saturating_add(1).max(1);
                    // What decides is whether so many are reached, never how many more there are.
                    let limit = if matches!(op, Operator::GreaterEqual | Operator::Less) {
                        (*with).max(1)
                    } else {
                        limit
                    };
                    rows += self.by_leaf(number, &leaf, block, mask, |mask, rows| {
                        let reached = match op {
                            Operator::GreaterEqual => Some((*with, true)),
                            Operator::Less => Some((*with, false)),
                            Operator::Greater => Some((with.saturating_add(1), true)),
                            Operator::LessEqual => Some((with.saturating_add(1), false)),
                            _ => None,
                        };
                        if !reached.is_some_and(|(n, wanted)| leaf.retain_reached(mask, n, wanted, rows)) {
                            leaf.retain_counted(mask, limit, rows, |n| holds(*op, n.min(limit), *with));
                        }
                    });
                }
                Bind::NotByColumns => rows += self.slow(number, block, mask),
            },
            Kind::Sum(plan, op, with) => match self.bind(plan, block) {
                Bind::Nothing => keep_if(self.without[number], mask),
                Bind::Leaf(leaf) => match leaf.scale().and_then(|scale| in_units(*op, *with, scale)) {
                    Some(range) => {
                        rows += self.by_leaf(number, &leaf, block, mask, |mask, rows| {
                            leaf.retain_summed(mask, rows, |sum| range.contains(&sum));
                        });
                    }
                    None => rows += self.slow(number, block, mask),
                },
                Bind::NotByColumns => rows += self.slow(number, block, mask),
            },
            Kind::Picked(leaf, plan) => match self.bind(plan, block) {
                Bind::Nothing => keep_if(self.without[number], mask),
                Bind::Leaf(bound) => match bound.picked_column() {
                    Some(column) => {
                        let chosen = self.now.chosen(&column.dict, test.node, || {
                            self.choose_picked(leaf, test.node, &column.dict)
                        });
                        rows += self.by_leaf(number, &bound, block, mask, |mask, rows| {
                            mask.retain(|member| chosen.has(bound.picked_code(member, rows)));
                        });
                    }
                    // No row says anything of the kind.
                    None => keep_if(self.without[number], mask),
                },
                Bind::NotByColumns => rows += self.slow(number, block, mask),
            },
            Kind::Slow => rows += self.slow(number, block, mask),
        }
        self.tallies[number].add((asked, mask.count()), rows, nanos(begun, clock()));
    }

    /// Asks those who may have rows; the others are answered as whoever has none.
    fn answered(
        &self,
        number: usize,
        mask: &mut Mask,
        narrow: impl FnOnce(&mut Mask),
        retain: impl FnOnce(&mut Mask),
    ) {
        let mut with_rows = mask.clone();
        narrow(&mut with_rows);
        if self.without[number] {
            mask.and_not(&with_rows);
            retain(&mut with_rows);
            mask.or(&with_rows);
        } else {
            retain(&mut with_rows);
            *mask = with_rows;
        }
    }

    fn bind<'b>(&'b self, plan: &'b LeafPlan<'b>, block: &'b Block) -> Bind<'b> {
        match Table::of(block, plan.source) {
            None => Bind::Nothing,
            Some(table) => Leaf::bind(plan, table, self.now).map_or(Bind::NotByColumns, Bind::Leaf),
        }
    }

    /// Member by member. How many rows were looked at.
    fn slow(&self, number: usize, block: &Block, mask: &mut Mask) -> u64 {
        let test = &self.tests[number];
        let bound: Vec<(&LeafUse, Leaf<'_>)> = test
            .leaves
            .iter()
            .filter_map(|(leaf, plan)| match self.bind(plan.as_ref()?, block) {
                Bind::Leaf(bound) => Some((*leaf, bound)),
                Bind::Nothing | Bind::NotByColumns => None,
            })
            .collect();
        let desk = Desk { block, leaves: self.leaves, bound: &bound, events: self.events };
        let part = Part::new(self.condition, test.node, self.leaves, self.now.now);
        let (mut rows, mut n_asked) = (0, 0u32);
        let mut stopped = false;
        let holds = |place: usize| {
            n_asked += 1;
            if n_asked.is_multiple_of(ASKED_AT_ONCE) {
                stopped = self.halt.is_stopped();
            }
            if stopped {
                return false;
            }
            let member = OfBlock::new(&desk, place);
            let value = part.value(&member) == Value::Bool(true);
            rows += member.touched.get();
            value
        };
        match &test.looks_at {
            None => mask.retain(holds),
            Some(sources) => self.answered(
                number,
                mask,
                |mask| {
                    let mut any = Mask::none(mask.len());
                    for (source, days) in sources {
                        let Some(table) = Table::of(block, source) else { continue };
                        let mut these = mask.clone();
                        table.rows().some.keep(&mut these);
                        if let Some(days) = days {
                            let first = i64::from(self.now.today.0) - i64::from(*days);
                            table.rows().last_day.keep_range(first, i64::MAX, &mut these);
                        }
                        any.or(&these);
                    }
                    *mask = any;
                },
                |mask| mask.retain(holds),
            ),
        }
        rows
    }
}

/// What a leaf is to a block.
enum Bind<'b> {
    /// Nobody has any such row.
    Nothing,
    Leaf(Leaf<'b>),
    NotByColumns,
}

fn keep_if(holds: bool, mask: &mut Mask) {
    if !holds {
        mask.words_mut().fill(0);
    }
}

const fn holds(op: Operator, of: i64, with: i64) -> bool {
    match op {
        Operator::Equal => of == with,
        Operator::NotEqual => of != with,
        Operator::Less => of < with,
        Operator::LessEqual => of <= with,
        Operator::Greater => of > with,
        Operator::GreaterEqual => of >= with,
        _ => false,
    }
}

/// The sums in units of 10^-scale for which a comparison holds, where they are one range.
fn in_units(op: Operator, with: rust_decimal::Decimal, scale: u32) -> Option<std::ops::RangeInclusive<i128>> {
    let unit = rust_decimal::Decimal::from(10u64.checked_pow(scale)?);
    let (low, high) = bounds(op, with.checked_mul(unit)?)?;
    // A sum may be more than any number that it is of: a side that is open is so without end.
    let low = if matches!(op, Operator::Less | Operator::LessEqual) { i128::MIN } else { low.into() };
    let high = if matches!(op, Operator::Greater | Operator::GreaterEqual) { i128::MAX } else { high.into() };
    Some(low..=high)
}
