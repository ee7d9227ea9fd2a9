//! Tests that one column answers: the evaluator is asked once for each value of it, or for each piece of time.

use std::sync::Arc;

use zhiyin_condition::evaluate::Part;
use zhiyin_condition::program::{LeafUse, Node};
use zhiyin_condition::value::Value;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::{Asking, keep_if, nobody};
use crate::bits::Mask;
use crate::block::Block;
use crate::bound::Leaf;
use crate::coded::{Chosen, Coded};
use crate::dict::Dict;
use crate::facts::{Desk, OfBlock, OneColumn, OneLeaf};
use crate::operand::Operand;
use crate::pieces::Breaks;
use crate::plan::{Column, Kind};
use crate::rows::by_search;
use crate::said::SaidAsked;

/// Of so many different values each is asked about, however few members are left.
const VALUES_ASKED: usize = 256;

impl Column<'_> {
    /// In a block; `None` where nobody has anything in it.
    pub(crate) fn of<'b>(&self, block: &'b Block) -> Option<&'b Coded> {
        match self {
            Self::Attribute(name) => block.attributes.get(*name),
            Self::Tier => Some(&block.tier),
            Self::Lifecycle => Some(&block.lifecycle),
            Self::Store => Some(&block.store),
        }
    }
}

impl Asking<'_> {
    /// By the rows of a leaf: those who may have any are asked by `retain`; of whom columns do not tell are asked one by one. How many
    /// rows were looked at.
    pub(super) fn by_leaf(
        &self,
        number: usize,
        leaf: &Leaf<'_>,
        block: &Block,
        mask: &mut Mask,
        retain: impl FnOnce(&mut Mask, &mut u64),
    ) -> u64 {
        let mut rows = 0;
        self.answered(
            number,
            mask,
            |mask| leaf.narrow(mask),
            |mask| {
                let crowded = leaf.take_crowded(mask);
                retain(mask, &mut rows);
                if let Some(mut crowded) = crowded {
                    rows += self.slow(number, block, &mut crowded);
                    mask.or(&crowded);
                }
            },
        );
        rows
    }

    /// By the codes of one column.
    pub(super) fn coded(&self, number: usize, column: Column<'_>, block: &Block, mask: &mut Mask) {
        let Some(coded) = column.of(block) else {
            keep_if(self.without[number], mask);
            return;
        };
        let node = self.tests[number].node;
        // Where fewer are left than there are values, those few are asked about theirs.
        if mask.count() < coded.dict.len() && by_search(node, &coded.dict).is_none() {
            let part = Part::new(self.condition, node, self.leaves, self.now.now);
            mask.retain(|place| self.holds_of(column, &part, coded.scalar(place).as_ref()));
            return;
        }
        self.chosen(number, column, coded, |chosen| coded.operand(chosen).keep(mask));
    }

    /// Who of a block passes a test that one column answers; `None` where it takes more than that to tell.
    pub(super) fn operand<'b>(&self, number: usize, block: &'b Block) -> Option<Operand<'b>> {
        let test = &self.tests[number];
        Some(match &test.kind {
            Kind::Coded(column) => {
                let Some(coded) = column.of(block) else {
                    return Some(if self.without[number] { Operand::Everybody } else { Operand::Nobody });
                };
                // To ask about many values may be more than to ask of those who are left.
                let many = coded.dict.len() > VALUES_ASKED && !self.has_chosen(number, coded);
                if many && by_search(test.node, &coded.dict).is_none() {
                    return None;
                }
                self.chosen(number, *column, coded, |chosen| coded.operand(chosen))
            }
            Kind::Points(low, high) => Operand::within(&block.points, *low, *high),
            Kind::Tag(tag) => block.tags.get(&**tag).map_or(Operand::Nobody, Operand::of),
            _ => return None,
        })
    }

    /// Whether it is the dictionary of this column of which a test chose last.
    fn has_chosen(&self, number: usize, coded: &Coded) -> bool {
        self.chosen.borrow()[number].0 == Arc::as_ptr(&coded.dict).addr()
    }

    /// With the codes of a column that a test chooses.
    fn chosen<T>(
        &self,
        number: usize,
        column: Column<'_>,
        coded: &Coded,
        with: impl FnOnce(&Chosen) -> T,
    ) -> T {
        let (lies_at, node) = (Arc::as_ptr(&coded.dict).addr(), self.tests[number].node);
        let mut last = self.chosen.borrow_mut();
        let (of, chosen) = &mut last[number];
        if *of != lies_at {
            *chosen = self.now.chosen(&coded.dict, node, || self.choose(column, node, &coded.dict));
            *of = lies_at;
        }
        with(chosen)
    }

    /// By when they enrolled. How many rows were looked at.
    pub(super) fn enrolled(&self, number: usize, breaks: &Breaks, block: &Block, mask: &mut Mask) -> u64 {
        let node = self.tests[number].node;
        let mut enrolled = mask.clone();
        block.enrolled.keep(&mut enrolled);
        let instants = || enrolled.places().map(|place| block.enrolled_at.get(place));
        let Some((least, most)) = instants().min().zip(instants().max()) else {
            keep_if(self.without[number], mask);
            return 0;
        };
        let part = Part::new(self.condition, node, self.leaves, self.now.now);
        let holds = |at: Ts| {
            let one = OneColumn { enrolled_at: Some(at), ..nobody(self.leaves) };
            part.value(&one) == Value::Bool(true)
        };
        match self.now.runs((node, breaks), (least, most), holds) {
            Some(runs) => {
                if self.without[number] {
                    mask.and_not(&enrolled);
                } else {
                    mask.words_mut().fill(0);
                }
                runs.keep(&block.enrolled_at, (least, most), &mut enrolled);
                mask.or(&enrolled);
                0
            }
            None => self.slow(number, block, mask),
        }
    }

    /// By what was said: the first of each kind is asked, the others of it are answered alike.
    pub(super) fn said(&self, number: usize, asked: SaidAsked, block: &Block, mask: &mut Mask) {
        let node = self.tests[number].node;
        let kinds = self.now.kinds(node);
        let mut known = kinds.known();
        let n_known = known.len();
        let part = Part::new(self.condition, node, self.leaves, self.now.now);
        let desk = Desk { block, leaves: self.leaves, bound: &[], events: self.events };
        let ask = |place: usize| part.value(&OfBlock::new(&desk, place)) == Value::Bool(true);
        let birthdays = block.attributes.get("birthday");
        let mut of_age: Vec<Option<Option<Ts>>> = vec![None; birthdays.map_or(0, |of| of.dict.len()) + 1];
        let mut learnt = Vec::new();
        let mut holds = Mask::none(mask.len());
        for (place, heap) in block.personal.each(mask) {
            let code = birthdays.map_or(0, |of| of.code(place) as usize);
            let of_age = *of_age[code].get_or_insert_with(|| {
                asked.of_age(birthdays.and_then(|of| of.scalar(place)).as_ref(), &self.now.zone)
            });
            let answer = match asked.kind(heap, of_age, self.now.now) {
                None => ask(place),
                Some(kind) => *known.entry(kind).or_insert_with(|| {
                    let answer = ask(place);
                    learnt.push((kind, answer));
                    answer
                }),
            };
            if answer {
                holds.put(place);
            }
        }
        if known.len() > n_known {
            kinds.learn(learnt);
        }
        *mask = holds;
    }

    fn choose(&self, column: Column<'_>, node: &Node, dict: &Dict) -> Chosen {
        if let Some(chosen) = by_search(node, dict) {
            return chosen;
        }
        let part = Part::new(self.condition, node, self.leaves, self.now.now);
        let answer = |scalar: Option<&Scalar>| u8::from(self.holds_of(column, &part, scalar));
        // Columns of dates have the same ones in each block.
        let dates = matches!(column, Column::Attribute(_)).then(|| self.now.dates(node));
        let ask = |place: usize| match dict.lent(place) {
            Some(lent) => answer(Some(lent)),
            None => answer(dict.scalar(place).as_ref()),
        };
        let values = (0..dict.len()).map(|place| match (&dates, dict.text(place)) {
            (Some(dates), Some(text)) => u8::from(dates.answer(text, || ask(place) == 1)),
            _ => ask(place),
        });
        Chosen::of(std::iter::once(answer(None)).chain(values).collect())
    }

    /// Whether a part holds of somebody of whom nothing is known but what one column says.
    fn holds_of(&self, column: Column<'_>, part: &Part<'_>, scalar: Option<&Scalar>) -> bool {
        let mut one = nobody(self.leaves);
        let text = scalar.and_then(Scalar::text);
        match column {
            Column::Attribute(name) => one.attribute = Some((name, scalar)),
            Column::Tier => one.tier = text,
            Column::Lifecycle => one.lifecycle = text,
            Column::Store => one.store = text,
        }
        part.value(&one) == Value::Bool(true)
    }

    /// For which values of a leaf a node holds.
    pub(super) fn choose_picked(&self, leaf: &LeafUse, node: &Node, dict: &Dict) -> Chosen {
        if let Some(chosen) = by_search(node, dict) {
            return chosen;
        }
        let part = Part::new(self.condition, node, self.leaves, self.now.now);
        let answer = |scalar: Option<Scalar>| {
            let one = OneLeaf { leaf, scalar, nobody: nobody(self.leaves) };
            u8::from(part.value(&one) == Value::Bool(true))
        };
        let values = (0..dict.len()).map(|place| answer(dict.scalar(place)));
        Chosen::of(std::iter::once(answer(None)).chain(values).collect())
    }
}
