//! How fast a channel is spoken to: a token bucket that is one number, so that all who speak can share it. The number is the instant
//! up to which what was taken has used the pace up; the bucket is full where it lies in the past.

/// A pace: so many a minute, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many a minute.
    pub per_minute: u32,
    /// How many at once.
    pub burst: u32,
}

impl Pace {
    /// How long one takes, in microseconds.
    pub fn interval_us(self) -> i64 {
        (60_000_000 / i64::from(self.per_minute.max(1))).max(1)
    }

    /// How many of `wanted` may go at an instant, where the pace is used up to `used`; and how far it is used up then. Instants are
    /// microseconds.
    pub fn grant(self, used: i64, now: i64, wanted: usize) -> (usize, i64) {
        let (interval, from) = (self.interval_us(), used.max(now));
        let room =
            now.saturating_add(interval.saturating_mul(i64::from(self.burst.max(1)))).saturating_sub(from);
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        let granted = room.div_euclid(interval).clamp(0, wanted);
        (usize::try_from(granted).unwrap_or(0), from + granted * interval)
    }

    /// When the next may go, where the pace is used up to `used`.
    pub fn next(self, used: i64) -> i64 {
        let (interval, burst) = (self.interval_us(), i64::from(self.burst.max(1)));
        used.saturating_sub(interval.saturating_mul(burst - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_rest_a_burst_goes_and_then_one_after_the_other() {
        let pace = Pace { per_minute: 60, burst: 3 };
        assert_eq!(pace.interval_us(), 1_000_000);
        let (granted, used) = pace.grant(i64::MIN, 10_000_000, 10);
        assert_eq!((granted, used), (3, 13_000_000));
        assert_eq!(pace.grant(used, 10_000_000, 10), (0, used));
        assert_eq!(pace.next(used), 11_000_000);
        assert_eq!(pace.grant(used, 11_000_000, 10), (1, 14_000_000));
        assert_eq!(pace.grant(14_000_000, 20_000_000, 2), (2, 22_000_000));
    }

    #[test]
    fn no_minute_sees_more_than_the_pace_and_one_burst() {
        let pace = Pace { per_minute: 7, burst: 5 };
        let (mut used, mut taken) = (i64::MIN, Vec::new());
        for step in 0..2_000_i64 {
            let now = step * 173_000;
            let (granted, then) = pace.grant(used, now, 3);
            used = then;
            taken.extend(std::iter::repeat_n(now, granted));
        }
        for from in &taken {
            let n = taken.iter().filter(|at| (*from..*from + 60_000_000).contains(at)).count();
            assert!(n <= 12, "{n} within a minute");
        }
        assert!(taken.len() > 35, "{}", taken.len());
    }

    #[test]
    fn nothing_overflows() {
        for (per_minute, burst) in [(0, 0), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            let pace = Pace { per_minute, burst };
            let (granted, used) = pace.grant(i64::MIN, 0, 5);
            assert!((1..=5).contains(&granted) && used > 0, "{per_minute} {burst}: {granted} {used}");
            assert!(pace.next(used) <= used);
        }
    }
}
