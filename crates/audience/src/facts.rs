//! One member of a block, as the evaluator asks of them.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

use zhiyin_condition::program::LeafUse;
use zhiyin_condition::value::{Val, Value};
use zhiyin_condition::{Facts, LeafStates, Leaves, Row};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use crate::block::{Block, Said};
use crate::bound::Leaf;
use crate::marks::{Mark, is_mark};

/// What a part of a condition needs of a block to be asked of its members.
pub(crate) struct Desk<'b> {
    pub(crate) block: &'b Block,
    pub(crate) leaves: &'b Leaves,
    /// Leaves that columns can tell.
    pub(crate) bound: &'b [(&'b LeafUse, Leaf<'b>)],
    /// Names of the events that the others count.
    pub(crate) events: &'b [String],
}

/// One member of a block.
pub(crate) struct OfBlock<'b> {
    desk: &'b Desk<'b>,
    place: usize,
    said: OnceCell<Said>,
    states: OnceCell<LeafStates>,
    attributes: OnceCell<BTreeMap<&'b str, Scalar>>,
    told: OnceCell<Vec<Value>>,
    pub(crate) touched: Cell<u64>,
}

impl<'b> OfBlock<'b> {
    pub(crate) fn new(desk: &'b Desk<'b>, place: usize) -> Self {
        Self {
            desk,
            place,
            said: OnceCell::new(),
            states: OnceCell::new(),
            attributes: OnceCell::new(),
            told: OnceCell::new(),
            touched: Cell::new(0),
        }
    }

    fn said(&self) -> &Said {
        self.said.get_or_init(|| self.desk.block.said(self.place))
    }

    /// What all leaves that columns can tell come to: each once.
    fn told(&self) -> &[Value] {
        self.told.get_or_init(|| {
            let mut touched = 0;
            let each = self.desk.bound.iter();
            let told = each.map(|(_, leaf)| leaf.value(self.place, &mut touched));
            let told = told.collect();
            self.touched.set(self.touched.get() + touched);
            told
        })
    }

    fn number(&self, leaf: &LeafUse) -> Option<usize> {
        let told = self.desk.bound.iter().position(|(known, _)| *known == leaf)?;
        (!self.desk.bound[told].1.is_crowded(self.place)).then_some(told)
    }

    fn built(&self) -> LeafStates {
        let mut states = self.desk.leaves.fresh();
        for order in self.desk.block.orders_of(self.place) {
            self.touched.set(self.touched.get() + 1);
            states.observe(self.desk.leaves, Row::Order(&order));
        }
        for name in self.desk.events {
            for event in self.desk.block.events_of(name, self.place) {
                self.touched.set(self.touched.get() + 1);
                states.observe(self.desk.leaves, Row::Event(&event));
            }
        }
        states
    }
}

impl Facts for OfBlock<'_> {
    fn member_id(&self) -> MemberId {
        self.desk.block.id(self.place)
    }

    fn attribute(&self, name: &str) -> Option<&Scalar> {
        let column = self.desk.block.attributes.get(name)?;
        if let Some(lent) = column.lent(self.place) {
            return Some(lent);
        }
        // What lies in a heap of texts is made once.
        let all = self.attributes.get_or_init(|| {
            let heaped = self.desk.block.attributes.iter();
            heaped.filter_map(|(name, column)| Some((name.as_str(), column.scalar(self.place)?))).collect()
        });
        all.get(name)
    }

    fn has_tag(&self, tag: &str) -> bool {
        !is_mark(tag) && self.desk.block.tags.get(tag).is_some_and(|kept| kept.has(self.place))
    }

    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        let tags = self.desk.block.tags.iter().filter(|(_, kept)| kept.has(self.place));
        Box::new(tags.map(|(tag, _)| tag.as_str()).filter(|tag| !is_mark(tag)))
    }

    fn tier(&self) -> Option<&str> {
        self.desk.block.tier.text(self.place)
    }

    fn lifecycle(&self) -> Option<&str> {
        self.desk.block.lifecycle.text(self.place)
    }

    fn store(&self) -> Option<&str> {
        self.desk.block.store.text(self.place)
    }

    fn points(&self) -> i64 {
        self.desk.block.points.get(self.place)
    }

    fn enrolled_at(&self) -> Option<Ts> {
        self.desk.block.enrolled_at(self.place)
    }

    fn consents(&self) -> Option<&Consents> {
        Some(&self.said().0)
    }

    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        Box::new(self.said().1.known())
    }

    fn is_listed(&self, list: &str) -> bool {
        let kept = self.desk.block.tags.get(&Mark::List(list).key());
        kept.is_some_and(|kept| kept.has(self.place))
    }

    fn measures(&self, leaf: &LeafUse) -> bool {
        self.number(leaf).is_some()
    }

    fn measured(&self, leaf: &LeafUse) -> Val<'_> {
        self.number(leaf).and_then(|at| self.told().get(at)).map_or(Val::Unknown, Value::as_val)
    }

    fn leaves(&self) -> &LeafStates {
        self.states.get_or_init(|| self.built())
    }
}

/// A member of whom nothing is known but one column.
pub(crate) struct OneColumn<'a> {
    pub(crate) attribute: Option<(&'a str, Option<&'a Scalar>)>,
    pub(crate) tier: Option<&'a str>,
    pub(crate) lifecycle: Option<&'a str>,
    pub(crate) store: Option<&'a str>,
    pub(crate) enrolled_at: Option<Ts>,
    pub(crate) states: LeafStates,
}

impl Facts for OneColumn<'_> {
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.attribute.filter(|(known, _)| *known == name)?.1
    }
    fn tier(&self) -> Option<&str> {
        self.tier
    }
    fn lifecycle(&self) -> Option<&str> {
        self.lifecycle
    }
    fn store(&self) -> Option<&str> {
        self.store
    }
    fn enrolled_at(&self) -> Option<Ts> {
        self.enrolled_at
    }
    fn leaves(&self) -> &LeafStates {
        &self.states
    }
}

/// A member of whom nothing is known but what one leaf comes to.
pub(crate) struct OneLeaf<'a> {
    pub(crate) leaf: &'a LeafUse,
    pub(crate) scalar: Option<Scalar>,
    pub(crate) nobody: OneColumn<'static>,
}

impl Facts for OneLeaf<'_> {
    fn measures(&self, leaf: &LeafUse) -> bool {
        self.leaf == leaf
    }
    fn measured(&self, _: &LeafUse) -> Val<'_> {
        self.scalar.as_ref().map_or(Val::Unknown, Val::of_scalar)
    }
    fn leaves(&self) -> &LeafStates {
        &self.nobody.states
    }
}
