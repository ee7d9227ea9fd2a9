//! What is counted of what leaves the home, and how it stands.

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use zhiyin_store::campaigns::sends::SendCount;

use super::standing::gauges;
use super::{Count, Labels, SENDS, SENDS_CAME_BACK, SENDS_IN_STATE, SENDS_LEFT, register};

/// What one process did on channels outside of the home.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    came: Family<Labels<2>, Count>,
    came_back: Family<Labels<2>, Count>,
    left: Count,
}

impl Sends {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, SENDS, self.came.clone());
        register(registry, SENDS_CAME_BACK, self.came_back.clone());
        register(registry, SENDS_LEFT, self.left.clone());
    }

    /// What came of so many that were due.
    pub(crate) fn came(&self, channel: &'static str, outcome: &'static str, n: usize) {
        self.came.get_or_create(&[("channel", channel), ("outcome", outcome)]).0.inc_by(n as u64);
    }

    /// Something came back by mail.
    pub(crate) fn came_back(&self, kind: &'static str, ours: bool) {
        let ours = if ours { "yes" } else { "no" };
        self.came_back.get_or_create(&[("kind", kind), ("ours", ours)]).0.inc();
    }

    /// Somebody wants no more.
    pub(crate) fn left(&self) {
        self.left.0.inc();
    }
}

/// How many stand where, as a gauge; those that were taken are many and are not counted again and again.
pub(super) fn stands(registry: &mut Registry, counts: &[SendCount]) {
    let each = counts.iter().map(|count| (format!("{} {}", count.channel, count.state.name()), count.n));
    gauges(registry, SENDS_IN_STATE, "state", each);
}
