//! Not to hammer at what is down: after so many failures of a channel in a row nothing is handed to it for a while, then one, and
//! where that goes well, all again.

use std::time::Duration;

use crate::retry;

/// So many failures in a row open it.
pub const FAILURES_MAX: i64 = 5;

/// A breaker. Instants are microseconds of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row.
    failures: i64,
    /// Until when nothing goes.
    rests_until: i64,
}

impl Breaker {
    /// How many may go at an instant, of so many.
    pub fn admits(&self, now: i64, wanted: usize) -> usize {
        match (self.failures >= FAILURES_MAX, now < self.rests_until) {
            (_, true) => 0,
            // It is tried with one.
            (true, false) => wanted.min(1),
            (false, false) => wanted,
        }
    }

    /// Something was answered, whatever: the channel is there.
    pub fn well(&mut self) {
        *self = Self::default();
    }

    /// The channel failed; it may have asked for a rest.
    pub fn failed(&mut self, now: i64, rest: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let own = if self.failures >= FAILURES_MAX {
            retry::rest(self.failures - FAILURES_MAX + 3)
        } else {
            Duration::ZERO
        };
        let rest = own.max(rest.unwrap_or_default()).min(retry::REST_MAX);
        self.rests_until = now.saturating_add(i64::try_from(rest.as_micros()).unwrap_or(i64::MAX));
    }

    /// Whether nothing goes now.
    pub fn is_open(&self, now: i64) -> bool {
        now < self.rests_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_tries_one_and_closes_when_that_goes_well() {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES_MAX {
            breaker.failed(0, None);
            assert_eq!(breaker.admits(0, 8), 8);
        }
        breaker.failed(0, None);
        assert!(breaker.is_open(3_999_999));
        assert_eq!(breaker.admits(3_999_999, 8), 0);
        assert_eq!(breaker.admits(4_000_000, 8), 1);
        breaker.failed(4_000_000, None);
        assert_eq!(breaker.admits(11_999_999, 8), 0);
        assert_eq!(breaker.admits(12_000_000, 8), 1);
        breaker.well();
        assert_eq!(breaker.admits(12_000_000, 8), 8);
    }

    #[test]
    fn a_rest_that_is_asked_for_is_given_and_bounded() {
        let mut breaker = Breaker::default();
        breaker.failed(0, Some(Duration::from_secs(60)));
        assert_eq!((breaker.admits(59_999_999, 1), breaker.admits(60_000_000, 1)), (0, 1));
        breaker.failed(0, Some(Duration::from_secs(u64::MAX)));
        assert!(!breaker.is_open(i64::try_from(retry::REST_MAX.as_micros()).unwrap()));
    }
}
