//! When a question is asked, and what is worked out once for it, whichever thread asks first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use zhiyin_condition::program::Node;
use zhiyin_model::time::{Day, Ts, Zone};

use crate::coded::Chosen;
use crate::dates::Dates;
use crate::dict::Dict;
use crate::pieces::{Breaks, Runs};
use crate::said::Kinds;

/// When a question is asked, and what is worked out once for it.
#[derive(Debug)]
pub(crate) struct Instant {
    pub(crate) now: Ts,
    pub(crate) today: Day,
    pub(crate) zone: Zone,
    pub(crate) currency_exponent: u32,
    /// Which codes of a dictionary a node chooses, by where both lie in memory: both outlive the question.
    chosen: Mutex<BTreeMap<(usize, usize), Chosen>>,
    /// What nodes answer of dates, by where they lie.
    dates: Mutex<BTreeMap<usize, Arc<Dates>>>,
    /// What nodes answer of ways of having said something, likewise.
    kinds: Mutex<BTreeMap<usize, Arc<Kinds>>>,
    /// For which instants nodes hold, likewise.
    runs: Mutex<BTreeMap<usize, Runs>>,
}

impl Instant {
    pub(crate) fn new(now: Ts, zone: &Zone, currency_exponent: u32) -> Self {
        Self {
            now,
            today: zone.day(now),
            zone: zone.clone(),
            currency_exponent,
            chosen: Mutex::default(),
            dates: Mutex::default(),
            kinds: Mutex::default(),
            runs: Mutex::default(),
        }
    }

    /// What a node answers of dates, as far as it was asked.
    pub(super) fn dates(&self, node: &Node) -> Arc<Dates> {
        let key = std::ptr::from_ref(node).addr();
        self.dates.lock().map(|mut known| known.entry(key).or_default().clone()).unwrap_or_default()
    }

    /// What a node answers of ways of having said something, as far as it was asked.
    pub(super) fn kinds(&self, node: &Node) -> Arc<Kinds> {
        let key = std::ptr::from_ref(node).addr();
        self.kinds.lock().map(|mut known| known.entry(key).or_default().clone()).unwrap_or_default()
    }

    /// For which instants a node holds, at least of those between two; `None` where nobody asks that piece by piece.
    pub(super) fn runs(
        &self,
        (node, breaks): (&Node, &Breaks),
        wanted: (i64, i64),
        holds: impl Fn(Ts) -> bool,
    ) -> Option<Runs> {
        let key = std::ptr::from_ref(node).addr();
        let mut known = self.runs.lock().ok()?;
        let wanted = match known.get(&key) {
            Some(runs) if runs.tell_of(wanted) => return Some(runs.clone()),
            Some(runs) => runs.wider(wanted),
            None => wanted,
        };
        let runs = breaks.runs(wanted, (&self.zone, self.now), holds)?;
        known.insert(key, runs.clone());
        Some(runs)
    }

    /// What a node chooses of a dictionary, worked out once.
    pub(crate) fn chosen(&self, dict: &Arc<Dict>, node: &Node, make: impl FnOnce() -> Chosen) -> Chosen {
        let key = (Arc::as_ptr(dict).addr(), std::ptr::from_ref(node).addr());
        // One that only this block has is not asked for again.
        if Arc::strong_count(dict) <= 1 {
            return make();
        }
        if let Some(known) = self.chosen.lock().ok().and_then(|known| known.get(&key).cloned()) {
            return known;
        }
        let made = make();
        if let Ok(mut known) = self.chosen.lock() {
            known.insert(key, made.clone());
        }
        made
    }
}
