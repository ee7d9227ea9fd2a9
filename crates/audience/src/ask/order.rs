//! In which order tests are asked: by what they cost and for how many they held so far.

use std::cell::Cell;

use super::Asking;
use crate::plan::Plan;

/// What one thread counted of a test so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) asked: Cell<u64>,
    pub(super) held: Cell<u64>,
    pub(super) rows: Cell<u64>,
    pub(super) nanos: Cell<u64>,
}

impl Tally {
    /// It was asked of so many, held for so many of them, looked at so many rows, took so long.
    pub(super) fn add(&self, (asked, held): (usize, usize), rows: u64, nanos: u64) {
        self.asked.set(self.asked.get() + asked as u64);
        self.held.set(self.held.get() + held as u64);
        self.rows.set(self.rows.get() + rows);
        self.nanos.set(self.nanos.get() + nanos);
    }
}

impl Asking<'_> {
    /// What is cheap and decides much comes first.
    #[expect(clippy::float_arithmetic, reason = "an estimate, which decides only the order")]
    pub(super) fn in_order<'p>(&self, parts: &'p [Plan], all: bool) -> Vec<&'p Plan> {
        let mut rated: Vec<(f64, &Plan)> = parts
            .iter()
            .map(|part| {
                let (cost, passes) = self.guess(part);
                let decides = if all { 1.0 - passes } else { passes };
                (cost / decides.max(0.001), part)
            })
            .collect();
        rated.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        rated.into_iter().map(|(_, part)| part).collect()
    }

    /// What a plan costs a member in nanoseconds, and for which part of members it holds: as it was so far.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "an estimate, which decides only the order"
    )]
    fn guess(&self, plan: &Plan) -> (f64, f64) {
        match plan {
            Plan::Always(_) => (0.0, 0.5),
            Plan::Not(of) => {
                let (cost, passes) = self.guess(of);
                (cost, 1.0 - passes)
            }
            Plan::And(parts) | Plan::Or(parts) => {
                let guesses = parts.iter().map(|part| self.guess(part));
                let all = matches!(plan, Plan::And(_));
                guesses.fold((0.0, if all { 1.0 } else { 0.0 }), |(cost, passes), (more, pass)| {
                    (cost + more, if all { passes * pass } else { 1.0 - (1.0 - passes) * (1.0 - pass) })
                })
            }
            Plan::Test(test) => {
                let tally = &self.tallies[*test];
                let asked = tally.asked.get() as f64;
                if asked < 1.0 {
                    return (self.tests[*test].kind.cost(), 0.5);
                }
                (tally.nanos.get() as f64 / asked, tally.held.get() as f64 / asked)
            }
        }
    }
}
