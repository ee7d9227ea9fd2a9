//! What is counted of what comes from platforms, and how it stands.

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use zhiyin_store::campaigns::arrivals::ArrivalCount;

use super::standing::gauges;
use super::{ARRIVALS, ARRIVALS_IN_STATE, ARRIVALS_REFUSED, ARRIVALS_WORKED, Count, Labels, register};

/// What one process took in and worked on.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    came: Family<Labels<3>, Count>,
    refused: Family<Labels<2>, Count>,
    worked: Family<Labels<3>, Count>,
}

impl Arrivals {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, ARRIVALS, self.came.clone());
        register(registry, ARRIVALS_REFUSED, self.refused.clone());
        register(registry, ARRIVALS_WORKED, self.worked.clone());
    }

    /// Something came, and is kept.
    pub(crate) fn came(&self, channel: &'static str, kind: &'static str, is_new: bool) {
        let new = if is_new { "yes" } else { "no" };
        self.came.get_or_create(&[("channel", channel), ("kind", kind), ("new", new)]).0.inc();
    }

    /// Something was not taken.
    pub(crate) fn refused(&self, channel: &'static str, why: &'static str) {
        self.refused.get_or_create(&[("channel", channel), ("why", why)]).0.inc();
    }

    /// Something was worked on.
    pub(crate) fn worked(&self, channel: &'static str, lane: &'static str, state: &'static str) {
        self.worked.get_or_create(&[("channel", channel), ("lane", lane), ("state", state)]).0.inc();
    }
}

/// How many stand where, as a gauge; those that are done are many and are not counted again and again.
pub(super) fn stands(registry: &mut Registry, counts: &[ArrivalCount]) {
    let each = counts.iter().map(|one| (format!("{} {} {}", one.channel, one.lane, one.state.name()), one.n));
    gauges(registry, ARRIVALS_IN_STATE, "state", each);
}
