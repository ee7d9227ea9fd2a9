//! What is counted of messages for others, and how they stand.

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use zhiyin_model::time::Ts;
use zhiyin_store::webhooks::{Endpoint, Standing};

use super::standing::{gauge, gauges};
use super::{
    Count, Labels, WEBHOOK_ATTEMPTS, WEBHOOK_FAILING, WEBHOOK_LAPSED, WEBHOOK_MESSAGES, WEBHOOK_OLDEST,
    WEBHOOK_PAUSED, WEBHOOK_WAITING, register,
};

/// What one process did for whom it tells.
#[derive(Debug)]
pub(crate) struct Told {
    made: Count,
    attempts: Family<Labels<1>, Count>,
    lapsed: Count,
}

impl Default for Told {
    fn default() -> Self {
        let attempts = Family::<Labels<1>, Count>::default();
        // Both are there from the start, so that who looks at their growth sees it from nothing.
        for outcome in ["delivered", "failed"] {
            drop(attempts.get_or_create(&[("outcome", outcome)]));
        }
        Self { made: Count::default(), attempts, lapsed: Count::default() }
    }
}

impl Told {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, WEBHOOK_MESSAGES, self.made.clone());
        register(registry, WEBHOOK_ATTEMPTS, self.attempts.clone());
        register(registry, WEBHOOK_LAPSED, self.lapsed.clone());
    }

    /// Messages were made.
    pub(crate) fn made(&self, n: usize) {
        self.made.0.inc_by(n as u64);
    }

    /// Messages were sent.
    pub(crate) fn attempted(&self, taken: usize, failed: usize) {
        for (outcome, n) in [("delivered", taken), ("failed", failed)] {
            self.attempts.get_or_create(&[("outcome", outcome)]).0.inc_by(n as u64);
        }
    }

    /// Messages were forgotten that nobody took.
    pub(crate) fn lapsed(&self, n: usize) {
        self.lapsed.0.inc_by(n as u64);
    }
}

/// How endpoints and their messages stand, as gauges.
pub(super) fn stands(registry: &mut Registry, endpoints: &[Endpoint], standing: &[Standing], now: Ts) {
    let age = |oldest: Option<Ts>| oldest.map_or(0, |at| now.0.saturating_sub(at.0).max(0) / 1_000_000);
    let each = |value: &dyn Fn(&Standing) -> i64| -> Vec<(String, i64)> {
        standing.iter().map(|one| (one.endpoint.clone(), value(one))).collect()
    };
    gauges(registry, WEBHOOK_WAITING, "endpoint", each(&|one| one.waiting).into_iter());
    gauges(registry, WEBHOOK_OLDEST, "endpoint", each(&|one| age(one.oldest)).into_iter());
    let paused = endpoints.iter().filter(|one| one.paused.is_some()).count();
    let failing = endpoints.iter().filter(|one| one.failing_since.is_some()).count();
    gauge(registry, WEBHOOK_PAUSED, i64::try_from(paused).unwrap_or(i64::MAX));
    gauge(registry, WEBHOOK_FAILING, i64::try_from(failing).unwrap_or(i64::MAX));
}
