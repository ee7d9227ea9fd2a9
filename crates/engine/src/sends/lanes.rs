//! A lane: a channel with what bounds it.

use std::fmt;

use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_reach::breaker::Breaker;
use zhiyin_reach::channel::Channel;
use zhiyin_reach::pace::Pace;
use zhiyin_store::campaigns::sends::Sends;

use crate::Result;

/// How often a pace is asked for again where another process was quicker.
const ASKED_MAX: usize = 8;

/// How fast a channel is spoken to from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// From which day of the brand's zone on; from ever, where none is named.
    pub from: Option<Day>,
    /// How fast.
    pub pace: Pace,
}

/// A channel with what bounds it.
pub struct Lane {
    pub(super) channel: Box<dyn Channel>,
    limits: Vec<Limit>,
    pub(super) breaker: Breaker,
    /// Under which address people say that they want no more.
    pub(super) public_url: Option<String>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({}, {:?}, {:?})", self.name(), self.limits, self.breaker)
    }
}

impl Lane {
    /// A lane of a channel, as fast as it goes.
    pub fn new(channel: Box<dyn Channel>, public_url: Option<String>) -> Self {
        Self { channel, limits: Vec::new(), breaker: Breaker::default(), public_url }
    }

    /// No faster than these limits say: of those that have begun the last counts.
    pub fn limited(self, limits: Vec<Limit>) -> Self {
        Self { limits, ..self }
    }

    /// What its channel is called.
    pub fn name(&self) -> &'static str {
        self.channel.name()
    }

    /// The pace of a day.
    fn pace(&self, day: Day) -> Option<Pace> {
        let begun = self.limits.iter().filter(|limit| limit.from.is_none_or(|from| from <= day));
        begun.max_by_key(|limit| limit.from).map(|limit| limit.pace)
    }

    /// How many of so many may go now, without taking them.
    pub(super) async fn room(&self, sends: &dyn Sends, zone: &Zone, now: Ts, wanted: usize) -> Result<usize> {
        let wanted = self.breaker.admits(now.0, wanted);
        let Some(pace) = self.pace(zone.day(now)).filter(|_| wanted > 0) else { return Ok(wanted) };
        let used = sends.pace(self.name()).await?;
        Ok(pace.grant(used.0, now.0, wanted).0)
    }

    /// Takes so many of the pace, or as many as there are; what all dispatchers of a home share.
    pub(super) async fn take(&self, sends: &dyn Sends, zone: &Zone, now: Ts, wanted: usize) -> Result<usize> {
        let Some(pace) = self.pace(zone.day(now)) else { return Ok(wanted) };
        for _ in 0..ASKED_MAX {
            let used = sends.pace(self.name()).await?;
            let (granted, then) = pace.grant(used.0, now.0, wanted);
            if granted == 0 || sends.set_pace(self.name(), used, Ts(then)).await? {
                return Ok(granted);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use zhiyin_reach::channel::{Again, Handed, Parcel};

    use super::*;

    struct Nothing;

    #[async_trait]
    impl Channel for Nothing {
        fn name(&self) -> &'static str {
            "email"
        }
        fn namespaces(&self) -> &'static [&'static str] {
            &[]
        }
        fn again(&self) -> Again {
            Again::Never
        }
        fn at_once(&self) -> usize {
            1
        }
        fn within(&self) -> Duration {
            Duration::ZERO
        }
        async fn hand_over(&self, _: &Parcel) -> Handed {
            Handed::Unknown { code: "nothing".to_owned() }
        }
    }

    #[test]
    fn of_dated_limits_the_last_that_has_begun_counts() {
        let limit = |from: Option<i32>, per_minute| Limit {
            from: from.map(Day),
            pace: Pace { per_minute, burst: 1 },
        };
        let lane = Lane::new(Box::new(Nothing), None);
        assert_eq!(lane.pace(Day(5)), None);
        let lane = lane.limited(vec![limit(Some(10), 600), limit(None, 10), limit(Some(5), 60)]);
        for (day, per_minute) in [(0, 10), (4, 10), (5, 60), (9, 60), (10, 600), (99, 600)] {
            assert_eq!(lane.pace(Day(day)).map(|pace| pace.per_minute), Some(per_minute), "day {day}");
        }
    }
}
