//! Questions about an instant of a member whose answer is the same for all instants of a piece of time: the evaluator is asked
//! once a piece, and members are compared with pieces.

use std::sync::Arc;

use zhiyin_condition::program::{Member, Node};
use zhiyin_condition::value::Value;
use zhiyin_model::time::{DAY_US, Ts, Zone};

use crate::bits::Mask;
use crate::ints::Ints;

/// Beyond so many days members are asked one by one.
const DAYS_MAX: i64 = 36_600;
/// So many runs are compared with all members each; where there are more, each member looks for theirs.
const RUNS_COMPARED: usize = 4;

/// Where the answer may change, beside where days begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breaks {
    at: Vec<i64>,
    /// At the instant of the question, too.
    now: bool,
}

impl Breaks {
    /// Of a node that reads nothing of a member but when they enrolled; `None` where more of it matters than its day and how
    /// it compares with fixed instants.
    pub(crate) fn of(node: &Node) -> Option<Self> {
        let mut breaks = Self::default();
        breaks.take(node).then_some(breaks)
    }

    fn take(&mut self, node: &Node) -> bool {
        let is_it = |node: &Node| matches!(node, Node::Member(Member::EnrolledAt));
        match node {
            Node::Member(Member::EnrolledAt) | Node::Local(..) => false,
            Node::DaysSince(of) | Node::Weekday(of) | Node::Known(of) if is_it(of) => true,
            Node::Compare(_, sides) => match &**sides {
                [of, with] | [with, of] if is_it(of) => self.compared(with),
                [left, right] => self.take(left) && self.take(right),
            },
            Node::Among(parts) => match parts.split_first() {
                Some((of, with)) if is_it(of) => with.iter().all(|with| self.compared(with)),
                _ => parts.iter().all(|part| self.take(part)),
            },
            _ => node.parts().iter().all(|part| self.take(part)),
        }
    }

    fn compared(&mut self, with: &Node) -> bool {
        match with {
            Node::Const(Value::Time(at)) => self.at.extend([at.0, at.0.saturating_add(1)]),
            Node::Const(_) => {}
            Node::Now => self.now = true,
            _ => return false,
        }
        true
    }

    /// The runs of instants, from the first to the last of each, for which it holds, of days that hold `least` and `most`; `None`
    /// where those are too many.
    pub(crate) fn runs(
        &self,
        (least, most): (i64, i64),
        (zone, now): (&Zone, Ts),
        holds: impl Fn(Ts) -> bool,
    ) -> Option<Runs> {
        let from = least.checked_sub(2 * DAY_US)?;
        let to = most.checked_add(2 * DAY_US)?;
        if (to.checked_sub(from)?) / DAY_US > DAYS_MAX {
            return None;
        }
        let mut edges = vec![from];
        edges.extend(zone.changes(Ts(from), Ts(to)).into_iter().map(|at| at.0));
        let mut cuts: Vec<i64> = self.at.clone();
        if self.now {
            cuts.extend([now.0, now.0.saturating_add(1)]);
        }
        for (n, edge) in edges.iter().enumerate() {
            let end = edges.get(n + 1).copied().unwrap_or(to);
            let offset = zone.offset_us(Ts(*edge));
            let mut midnight = ((edge + offset).div_euclid(DAY_US) + 1) * DAY_US - offset;
            while midnight < end {
                cuts.push(midnight);
                midnight += DAY_US;
            }
        }
        cuts.extend(edges);
        cuts.retain(|cut| (from..to).contains(cut));
        cuts.sort_unstable();
        cuts.dedup();
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (n, cut) in cuts.iter().enumerate() {
            if !holds(Ts(*cut)) {
                continue;
            }
            let last = cuts.get(n + 1).map_or(to, |next| next - 1);
            match runs.last_mut() {
                Some((_, end)) if end.checked_add(1) == Some(*cut) => *end = last,
                _ => runs.push((*cut, last)),
            }
        }
        Some(Runs { least, most, runs: runs.into() })
    }
}

/// For which instants it holds, of those from the least to the most.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    least: i64,
    most: i64,
    runs: Arc<[(i64, i64)]>,
}

impl Runs {
    /// Whether they tell of these.
    pub(crate) fn tell_of(&self, (least, most): (i64, i64)) -> bool {
        self.least <= least && most <= self.most
    }

    /// What they tell of, and of these too.
    pub(crate) fn wider(&self, (least, most): (i64, i64)) -> (i64, i64) {
        (self.least.min(least), self.most.max(most))
    }

    /// Takes out of a mask whoever's instant is in none.
    pub(crate) fn keep(&self, instants: &Ints, (least, most): (i64, i64), mask: &mut Mask) {
        let within = |run: &&(i64, i64)| run.1 >= least && run.0 <= most;
        let runs: Vec<(i64, i64)> = self.runs.iter().filter(within).copied().collect();
        if runs.len() > RUNS_COMPARED {
            mask.retain(|place| {
                let at = instants.get(place);
                let after = runs.partition_point(|run| run.0 <= at);
                after.checked_sub(1).is_some_and(|of| at <= runs[of].1)
            });
            return;
        }
        let mut kept = Mask::none(mask.len());
        for (from, to) in runs {
            let mut these = mask.clone();
            instants.keep_range(from, to, &mut these);
            kept.or(&these);
        }
        *mask = kept;
    }
}
