//! Of when it is what follows the change feed: up to when nothing is missing, as far as that is known.

use zhiyin_model::time::Ts;
use zhiyin_store::feed::Horizon;

/// How far behind it may be before answers say so, in microseconds.
const BEHIND_US: i64 = 5_000_000;

/// Business time at which nothing was missing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freshness {
    /// That time, once it is known.
    fresh: Option<Ts>,
    /// An instant at which transactions ran that held the feed back, and the first that had not begun by then.
    held: Option<(Ts, i64)>,
}

impl Freshness {
    /// Nothing was missing at an instant, if that is known.
    pub(super) fn of(fresh: Option<Ts>) -> Self {
        Self { fresh, held: None }
    }

    /// Business time at which nothing was missing, once that is known.
    pub(super) fn fresh(self) -> Option<Ts> {
        self.fresh
    }

    /// The feed was read to its end, and at `now`, before that, it was held back like this. What a transaction writes shows
    /// once all that began before it are over: nothing is missing of an instant when all are that had begun by then.
    pub(super) fn read_to_the_end(&mut self, now: Ts, horizon: Horizon) {
        if horizon.running >= horizon.next {
            *self = Self::of(Some(now));
            return;
        }
        match self.held {
            Some((_, next)) if horizon.running < next => {}
            over => {
                if let Some((then, _)) = over {
                    self.fresh = Some(then);
                }
                self.held = Some((now, horizon.next));
            }
        }
    }
}

/// What answers speak of: now, where what is kept follows as it should; else the instant up to which nothing is missing.
pub(super) fn told_of(now: Ts, fresh: Ts) -> Ts {
    if now.0.saturating_sub(fresh.0) <= BEHIND_US { now } else { fresh }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_running_transaction_may_still_say_is_not_claimed_to_be_known() {
        /// When the feed was read to its end, the oldest transaction that ran and the next to begin; what is known after it.
        type Read = (i64, i64, i64, Option<i64>);
        let rows: [&[Read]; 4] = [
            &[(1, 5, 5, Some(1)), (2, 6, 6, Some(2))],
            // One that began as the fifth runs on: nothing is known of the time since it was met.
            &[(1, 5, 5, Some(1)), (2, 5, 7, Some(1)), (3, 5, 9, Some(1)), (4, 9, 9, Some(4))],
            // Others run all the time; what had begun by the second instant is over by the fourth.
            &[
                (1, 5, 5, Some(1)),
                (2, 5, 7, Some(1)),
                (3, 6, 8, Some(1)),
                (4, 7, 9, Some(2)),
                (5, 9, 11, Some(4)),
            ],
            &[(1, 5, 7, None), (2, 6, 8, None), (3, 8, 9, Some(1))],
        ];
        for row in rows {
            let mut freshness = Freshness::default();
            for (now, running, next, expected) in row {
                freshness.read_to_the_end(Ts(*now), Horizon { running: *running, next: *next });
                assert_eq!(freshness.fresh(), expected.map(Ts), "at {now} of {row:?}");
            }
        }
    }

    #[test]
    fn answers_are_of_now_or_of_when_nothing_was_missing() {
        for (now, fresh, told) in [(9, 9, 9), (5_000_000, 0, 5_000_000), (5_000_001, 0, 0), (3, 8, 3)] {
            assert_eq!(told_of(Ts(now), Ts(fresh)), Ts(told), "{now} {fresh}");
        }
    }
}
