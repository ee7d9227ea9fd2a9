//! How many are on lists and in standing audiences, as the columns count them along: reading it costs nothing.

use std::collections::BTreeMap;

use zhiyin_audience::Mark;
use zhiyin_model::time::Ts;
use zhiyin_store::lists::List;

use super::{Audiences, State, told_of};

impl Audiences {
    /// How many bear each of these marks, and of when that is told; `None` where no columns are kept, or it is not known of when
    /// they are: then the record is counted.
    pub(crate) fn marked<'n>(
        &self,
        marks: impl Iterator<Item = Mark<'n>>,
        now: Ts,
    ) -> Option<(Vec<u64>, Ts)> {
        let State::Kept(kept) = &*self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner) else {
            return None;
        };
        // Read before they are counted: whatever comes in between is more, not less.
        let as_of = told_of(now, kept.fresh()?);
        Some((marks.map(|mark| kept.population.marked(mark)).collect(), as_of))
    }

    /// How many members are on each of these lists.
    pub(crate) fn lists_counted(&self, lists: &[List], now: Ts) -> Option<(BTreeMap<String, u64>, Ts)> {
        let marks = lists.iter().map(|list| Mark::List(&list.name));
        self.marked(marks, now)
            .map(|(counts, as_of)| (lists.iter().map(|list| list.name.clone()).zip(counts).collect(), as_of))
    }
}

#[cfg(test)]
mod tests {
    use zhiyin_audience::population::{Budget, Layout, Population};
    use zhiyin_model::time::Zone;
    use zhiyin_store::feed::Position;

    use super::super::Kept;
    use super::*;

    #[test]
    fn counts_speak_of_now_or_of_when_nothing_was_missing_and_of_nothing_while_that_is_not_known() {
        let layout = Layout { zone: Zone::utc(), currency_exponent: 2, attributes: BTreeMap::new() };
        let now = Ts(60_000_000);
        for (fresh, told) in [(None, None), (Some(59_000_000), Some(now)), (Some(9), Some(Ts(9)))] {
            let population = Population::new(layout.clone(), Budget::default());
            let audiences = Audiences::default();
            audiences.becomes(State::Kept(Kept::begun(population, fresh.map(Ts), Position::default())));
            let counted = audiences.marked([Mark::List("press")].into_iter(), now);
            assert_eq!(counted, told.map(|told| (vec![0], told)), "{fresh:?}");
        }
    }
}
