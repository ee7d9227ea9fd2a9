//! How many are on lists and in standing audiences, as the columns count them along: reading it costs nothing.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use zhiyin_audience::Mark;
use zhiyin_model::time::Ts;
use zhiyin_store::lists::List;

use super::{Audiences, BEHIND_US, State};

impl Audiences {
    /// How many bear each of these marks, and up to when that is whole; `None` where no columns are kept or they are not there
    /// yet.
    pub(crate) fn marked<'n>(&self, marks: impl Iterator<Item = Mark<'n>>) -> Option<(Vec<u64>, Ts)> {
        let State::Kept(kept) = &*self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner) else {
            return None;
        };
        let fresh = Ts(kept.fresh.load(Ordering::Relaxed)).plus_us(BEHIND_US);
        Some((marks.map(|mark| kept.population.marked(mark)).collect(), fresh))
    }

    /// How many members are on each of these lists.
    pub(crate) fn lists_counted(&self, lists: &[List]) -> Option<(BTreeMap<String, u64>, Ts)> {
        let marks = lists.iter().map(|list| Mark::List(&list.name));
        self.marked(marks)
            .map(|(counts, fresh)| (lists.iter().map(|list| list.name.clone()).zip(counts).collect(), fresh))
    }
}
