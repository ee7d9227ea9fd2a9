//! When to speak again: growing pauses, as Standard Webhooks proposes them, each a little longer or shorter by a part that is
//! derived, not drawn, so that what failed together does not come back together, and a test knows when.

use std::time::Duration;

/// The pauses after the first failure, the second, and so on, in seconds: about three days in all. After the last there is
/// none.
pub const PAUSES_SECONDS: [u64; 9] =
    [5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600];

/// The longest time that somebody is waited for who asks for a rest.
pub const REST_MAX: Duration = Duration::from_secs(24 * 3_600);

/// By how much a pause may differ, in thousandths.
const SPREAD: u64 = 100;

/// How long to wait after so many attempts have failed (1 is the first); `None` after the last. What tells one message from
/// another gives the part by which the pause differs.
pub fn pause(attempts: i64, seed: &[u8; 16]) -> Option<Duration> {
    let n = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let seconds = PAUSES_SECONDS.get(n)?;
    // Any fixed mixture will do: the seed is a keyed hash already.
    let place = n * 2 % 16;
    let mixed = u64::from(seed[place]) * 256 + u64::from(seed[place + 1]);
    let thousandths = 1_000 - SPREAD + mixed % (2 * SPREAD + 1);
    Some(Duration::from_millis(seconds * thousandths))
}

/// How long an endpoint rests after so many failures in a row: short at first, so that one bad answer holds nothing up.
pub fn rest(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 9)).unwrap_or(9);
    Duration::from_secs((1 << doublings.saturating_sub(1)).min(300))
}

/// What somebody says in `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long from now.
    In(Duration),
    /// At an instant, in seconds since 1970 UTC.
    At(i64),
}

impl RetryAfter {
    /// Reads the header: seconds, or a date as HTTP writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(|seconds| Self::In(Duration::from_secs(seconds)));
        }
        jiff::fmt::rfc2822::parse(text).ok().map(|at| Self::At(at.timestamp().as_second()))
    }

    /// How long that is from an instant (seconds since 1970 UTC), and never longer than anybody is waited for.
    pub fn from(self, now_seconds: i64) -> Duration {
        let wanted = match self {
            Self::In(wanted) => wanted,
            Self::At(at) => Duration::from_secs(u64::try_from(at.saturating_sub(now_seconds)).unwrap_or(0)),
        };
        wanted.min(REST_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for seed in [[0u8; 16], [255; 16], [7; 16]] {
            let mut before = Duration::ZERO;
            for (i, seconds) in PAUSES_SECONDS.iter().enumerate() {
                let pause = pause(i as i64 + 1, &seed).unwrap();
                let (low, high) =
                    (Duration::from_millis(seconds * 900), Duration::from_millis(seconds * 1_100));
                assert!((low..=high).contains(&pause) && pause > before, "{i}: {pause:?}");
                before = pause;
            }
            for attempts in [i64::MIN, -1, 0, 10, i64::MAX] {
                assert_eq!(pause(attempts, &seed), None, "{attempts}");
            }
        }
    }

    #[test]
    fn messages_differ_in_their_pauses_and_each_is_always_the_same() {
        let of = |n: u8| pause(2, &[n; 16]);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn an_endpoint_rests_longer_the_longer_it_fails() {
        let rests: Vec<u64> = [0, 1, 2, 3, 8, 9, 10, 1_000_000].map(|n| rest(n).as_secs()).to_vec();
        assert_eq!(rests, [1, 1, 2, 4, 128, 256, 256, 256]);
    }

    #[test]
    fn a_wish_for_rest_is_read_in_both_ways_and_bounded() {
        let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("999999999", Some(REST_MAX.as_secs())),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 2094 08:00:00 GMT", None),
            ("99999999999999999999999", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let read = RetryAfter::parse(text).map(|wish| wish.from(now).as_secs());
            match seconds {
                Some(_) => assert_eq!(read, seconds, "{text}"),
                None => assert!(read.is_none_or(|n| n == REST_MAX.as_secs()), "{text}: {read:?}"),
            }
        }
    }
}
