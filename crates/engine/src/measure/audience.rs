//! What is measured of the columns that audiences are asked of.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{
    AUDIENCE_BEHIND, AUDIENCE_BREAKDOWNS, AUDIENCE_BYTES, AUDIENCE_CHANGES, AUDIENCE_DIFFERENCES,
    AUDIENCE_MEMBERS, AUDIENCE_REBUILDS, CLICKHOUSE_FAILURES, Count, STANDING_DIFFERENCES, register,
};

/// How one process keeps everybody.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    members: Gauge,
    bytes: Gauge,
    behind: Gauge,
    rebuilds: Count,
    changes: Count,
    differences: Count,
    breakdowns: Count,
    failures: Count,
    standing: Count,
}

impl Audiences {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, AUDIENCE_MEMBERS, self.members.clone());
        register(registry, AUDIENCE_BYTES, self.bytes.clone());
        register(registry, AUDIENCE_BEHIND, self.behind.clone());
        register(registry, AUDIENCE_REBUILDS, self.rebuilds.clone());
        register(registry, AUDIENCE_CHANGES, self.changes.clone());
        register(registry, AUDIENCE_BREAKDOWNS, self.breakdowns.clone());
        register(registry, AUDIENCE_DIFFERENCES, self.differences.clone());
        register(registry, CLICKHOUSE_FAILURES, self.failures.clone());
        register(registry, STANDING_DIFFERENCES, self.standing.clone());
    }

    /// How they stand.
    pub(crate) fn stands(&self, members: usize, bytes: usize, behind_seconds: i64) {
        self.members.set(i64::try_from(members).unwrap_or(i64::MAX));
        self.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.behind.set(behind_seconds);
    }

    /// They were built from the record.
    pub(crate) fn rebuilt(&self) {
        self.rebuilds.0.inc();
    }

    /// Members were read again.
    pub(crate) fn changed(&self, n: usize) {
        self.changes.0.inc_by(n as u64);
    }

    /// Keeping them broke down.
    pub(crate) fn broke_down(&self) {
        self.breakdowns.0.inc();
    }

    /// ClickHouse did not take them.
    pub(crate) fn failed(&self) {
        self.failures.0.inc();
    }

    /// Members were in standing audiences against their conditions, or out of them.
    pub(crate) fn standing_differed(&self, n: usize) {
        self.standing.0.inc_by(n as u64);
    }

    /// Members differed from the record.
    pub(crate) fn differed(&self, n: usize) {
        self.differences.0.inc_by(n as u64);
    }
}
