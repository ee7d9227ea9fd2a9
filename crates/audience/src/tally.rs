//! What an expression comes to for many members at once: for breakdowns and for those who come first by a number. Nobody is
//! made a person for it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use zhiyin_condition::evaluate::Part;
use zhiyin_condition::program::{LeafUse, Node};
use zhiyin_condition::value::Value;
use zhiyin_condition::{Condition, Leaves};
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;

use crate::ask::{Instant, Question, in_parallel};
use crate::bits::Mask;
use crate::block::Block;
use crate::bound::Leaf;
use crate::coded::Coded;
use crate::facts::{Desk, OfBlock};
use crate::halt::Halt;
use crate::plan::{column_of, leaves_of};
use crate::population::Seen;
use crate::rows::LeafPlan;
use crate::set::MemberSet;
use crate::table::Table;

/// A value of whatever kind as text that tells it from all others.
type Key = String;

/// Members that are asked before it is looked whether anybody still waits.
const ASKED_AT_ONCE: usize = 1024;

impl Seen {
    /// How many members of a set an expression gives each value, in any order; `None` where there are more than `most` different
    /// ones. `question` is a condition that holds where the expression has a value.
    pub fn tally(
        &self,
        question: &Question<'_>,
        set: &MemberSet,
        (most, halt): (usize, &Halt),
    ) -> Option<Vec<(Value, u64)>> {
        let each =
            self.each_block(question, set, halt, |of, block, mask| of.tally(block, mask, (most, halt)));
        let mut all: BTreeMap<Key, (Value, u64)> = BTreeMap::new();
        for counts in each {
            for (key, (value, n)) in counts? {
                all.entry(key).or_insert((value, 0)).1 += n;
            }
        }
        (all.len() <= most).then(|| all.into_values().collect())
    }

    /// The first `n` members of a set by the number that an expression gives them, the greatest first, then by id.
    pub fn ranked(
        &self,
        question: &Question<'_>,
        set: &MemberSet,
        (n, halt): (usize, &Halt),
    ) -> Vec<(Decimal, MemberId)> {
        let each = self.each_block(question, set, halt, |of, block, mask| {
            let mut numbers: Vec<(Reverse<Decimal>, MemberId)> = Vec::new();
            of.values(block, mask, halt, |place, value| {
                if let Value::Number(number) = value {
                    numbers.push((Reverse(number), block.id(place)));
                    // No more than twice as many as are wanted lie here.
                    if numbers.len() >= n.saturating_mul(2).max(ASKED_AT_ONCE) {
                        numbers.select_nth_unstable(n.saturating_sub(1));
                        numbers.truncate(n);
                    }
                }
                true
            });
            numbers
        });
        let mut all: Vec<(Reverse<Decimal>, MemberId)> = each.into_iter().flatten().collect();
        all.sort_unstable();
        all.truncate(n);
        all.into_iter().map(|(number, id)| (number.0, id)).collect()
    }

    /// How many members of a set have each tag, and how many have none.
    pub fn tally_tags(&self, set: &MemberSet) -> (Vec<(String, u64)>, u64) {
        let masks = self.masks(set);
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        let mut without = 0;
        for (block, mask) in self.blocks().zip(masks) {
            let mut left = mask.clone();
            for (tag, kept) in &block.tags {
                let mut with = mask.clone();
                kept.keep(&mut with);
                *all.entry(tag.clone()).or_default() += with.count() as u64;
                left.and_not(&with);
            }
            without += left.count() as u64;
        }
        (all.into_iter().filter(|(_, n)| *n > 0).collect(), without)
    }

    /// How many members of a set have each value of an attribute, and how many have none.
    pub fn tally_attribute(&self, name: &str, set: &MemberSet) -> Vec<(Option<Scalar>, u64)> {
        let mut all: BTreeMap<Option<Scalar>, u64> = BTreeMap::new();
        for (block, mask) in self.blocks().zip(self.masks(set)) {
            let column = block.attributes.get(name);
            for (code, n) in by_code(column, &mask) {
                let value = code.checked_sub(1).and_then(|at| column?.dict.scalar(at));
                *all.entry(value).or_default() += n;
            }
        }
        all.into_iter().collect()
    }

    /// Of each block whom of a set it has to tell of: who is not told of by a newer one.
    fn masks(&self, set: &MemberSet) -> Vec<Mask> {
        let of_block = |(at, block): (usize, &Arc<Block>)| {
            let mut mask = Mask::none(0);
            self.told_by(at, block, &mut mask);
            set.keep(block, &mut mask);
            mask
        };
        self.blocks().enumerate().map(of_block).collect()
    }

    fn each_block<T: Send>(
        &self,
        question: &Question<'_>,
        set: &MemberSet,
        halt: &Halt,
        of_block: impl Fn(&Asked<'_>, &Block, &Mask) -> T + Sync,
    ) -> Vec<T> {
        let layout = self.layout();
        let mut condition = question.condition.clone();
        let leaves = Leaves::collect([&mut condition], layout.zone.clone(), layout.currency_exponent);
        let now = Instant::new(question.now, &layout.zone, layout.currency_exponent);
        let node = match condition.root() {
            Node::Known(of) => of,
            root => root,
        };
        let plans = leaves_of(&condition, node);
        let events: Vec<String> = leaves.events_used().into_iter().collect();
        let asked = Asked { condition: &condition, node, leaves: &leaves, plans, events, now: &now };
        let blocks: Vec<&Block> = self.blocks().map(|block| &**block).collect();
        let masks = self.masks(set);
        in_parallel(blocks.len(), self.threads(), |at| {
            let mask = if halt.is_stopped() { &Mask::none(0) } else { &masks[at] };
            of_block(&asked, blocks[at], mask)
        })
    }
}

/// So many members of each code.
fn by_code(column: Option<&Coded>, mask: &Mask) -> Vec<(usize, u64)> {
    let mut counts = vec![0u64; column.map_or(0, |column| column.dict.len()) + 1];
    match column {
        Some(column) => mask.places().for_each(|place| counts[column.code(place) as usize] += 1),
        None => counts[0] = mask.count() as u64,
    }
    counts.into_iter().enumerate().filter(|(_, n)| *n > 0).collect()
}

/// An expression that is asked.
struct Asked<'a> {
    condition: &'a Condition,
    node: &'a Node,
    leaves: &'a Leaves,
    plans: Vec<(&'a LeafUse, Option<LeafPlan<'a>>)>,
    events: Vec<String>,
    now: &'a Instant,
}

impl Asked<'_> {
    fn tally(
        &self,
        block: &Block,
        mask: &Mask,
        (most, halt): (usize, &Halt),
    ) -> Option<BTreeMap<Key, (Value, u64)>> {
        let mut counts: BTreeMap<Key, (Value, u64)> = BTreeMap::new();
        let mut count = |value: Value, n: u64| {
            counts.entry(format!("{value:?}")).or_insert((value, 0)).1 += n;
            counts.len() <= most
        };
        // Of one column each value is asked once.
        if let Some(column) = column_of(self.node) {
            let coded = column.of(block);
            let mut first: Vec<Option<usize>> = vec![None; coded.map_or(0, |coded| coded.dict.len()) + 1];
            mask.places().for_each(|place| {
                let code = coded.map_or(0, |coded| coded.code(place) as usize);
                first[code].get_or_insert(place);
            });
            for (code, n) in by_code(coded, mask) {
                let Some(place) = first[code] else { continue };
                let mut only = Mask::none(block.len());
                only.put(place);
                let mut goes_on = true;
                self.values(block, &only, halt, |_, value| {
                    goes_on = count(value, n);
                    goes_on
                });
                if !goes_on {
                    return None;
                }
            }
            return Some(counts);
        }
        let whole = self.values(block, mask, halt, |_, value| count(value, 1));
        whole.then_some(counts)
    }

    /// What it comes to for each member of a mask; false where `take` wanted no more.
    fn values(
        &self,
        block: &Block,
        mask: &Mask,
        halt: &Halt,
        mut take: impl FnMut(usize, Value) -> bool,
    ) -> bool {
        let bound: Vec<(&LeafUse, Leaf<'_>)> = self
            .plans
            .iter()
            .filter_map(|(leaf, plan)| {
                let plan = plan.as_ref()?;
                let table = Table::of(block, plan.source)?;
                Some((*leaf, Leaf::bind(plan, table, self.now)?))
            })
            .collect();
        let desk = Desk { block, leaves: self.leaves, bound: &bound, events: &self.events };
        let part = Part::new(self.condition, self.node, self.leaves, self.now.now);
        for (n, place) in mask.places().enumerate() {
            if n.is_multiple_of(ASKED_AT_ONCE) && halt.is_stopped() {
                return true;
            }
            if !take(place, part.value(&OfBlock::new(&desk, place))) {
                return false;
            }
        }
        true
    }
}
