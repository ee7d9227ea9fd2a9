//! How many requests a second a key is answered: a bucket a key, which fills again as time goes by.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

use crate::problem::Problem;

/// Buckets by the id of a key. Only keys that were found good have one, so there are no more than keys.
pub(crate) struct Rates {
    limiter: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl Rates {
    pub(crate) fn new(per_second: u32) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// So many a minute, and as many at once.
    pub(crate) fn per_minute(n: NonZeroU32) -> Self {
        Self { limiter: RateLimiter::keyed(Quota::per_minute(n)), clock: DefaultClock::default() }
    }

    /// Takes one request, or says when to come again.
    pub(crate) fn take(&self, key: &str) -> Result<(), Problem> {
        self.take_named(key, "too_many_requests")
    }

    /// The same under a name of its own.
    pub(crate) fn take_named(&self, key: &str, code: &str) -> Result<(), Problem> {
        let Err(not_until) = self.limiter.check_key(&key.to_owned()) else { return Ok(()) };
        let wait = not_until.wait_time_from(self.clock.now()).as_secs();
        Err(Problem::of(code).after(wait.saturating_add(1)))
    }
}
