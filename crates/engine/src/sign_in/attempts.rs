//! How often something may be tried: a bucket for each who tries, which fills again as time goes by, in bounded memory.
//!
//! What is kept of a bucket is the instant at which it would be full again (the generic cell rate algorithm). Whoever tries with
//! ever new names or addresses fills the map, not the memory: buckets that are full are let go of first, then those that soon are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use zhiyin_model::time::Ts;

/// The most buckets that are kept.
const BUCKETS_MAX: usize = 20_000;

/// How often something may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of what; quotas of different things do not share buckets.
    pub of: &'static str,
    /// At once.
    pub at_once: i64,
    /// After how many microseconds one more.
    pub every_us: i64,
}

/// Buckets of everybody who tries.
#[derive(Default)]
pub struct Attempts {
    buckets: Mutex<BTreeMap<[u8; 32], Ts>>,
}

fn key(quota: &Quota, who: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(quota.of.as_bytes()).update(&[0]).update(who.as_bytes());
    *hasher.finalize().as_bytes()
}

impl Attempts {
    /// Takes one try; or says after how many seconds there is one.
    pub fn take(&self, quota: &Quota, who: &str, now: Ts) -> Result<(), u64> {
        let key = key(quota, who);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(&key).copied().unwrap_or(now).max(now);
        let wait = full_at.0 - now.0 - (quota.at_once - 1) * quota.every_us;
        if wait > 0 {
            return Err(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000).max(1));
        }
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
            make_room(&mut buckets, now);
        }
        buckets.insert(key, full_at.plus_us(quota.every_us));
        Ok(())
    }

    /// Gives one back: it was no failure.
    pub fn give_back(&self, quota: &Quota, who: &str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = buckets.get_mut(&key(quota, who)) {
            *full_at = full_at.plus_us(-quota.every_us);
        }
    }

    /// How many buckets there are.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.buckets.lock().unwrap().len()
    }
}

fn make_room(buckets: &mut BTreeMap<[u8; 32], Ts>, now: Ts) {
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() < BUCKETS_MAX {
        return;
    }
    // A tenth at once, so that this is not done for each who comes.
    let mut all: Vec<Ts> = buckets.values().copied().collect();
    let place = all.len() / 10;
    let (_, bound, _) = all.select_nth_unstable(place);
    let bound = *bound;
    buckets.retain(|_, full_at| *full_at > bound);
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { of: "test", at_once: 3, every_us: 10_000_000 };

    fn at(seconds: i64) -> Ts {
        Ts(seconds * 1_000_000)
    }

    #[test]
    fn so_many_at_once_then_one_after_a_time() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            assert_eq!(attempts.take(&QUOTA, "ann", at(0)), Ok(()));
        }
        assert_eq!(attempts.take(&QUOTA, "ann", at(0)), Err(10));
        assert_eq!(attempts.take(&QUOTA, "ann", at(9)), Err(1));
        assert_eq!(attempts.take(&QUOTA, "ann", at(10)), Ok(()));
        assert_eq!(attempts.take(&QUOTA, "ann", at(10)), Err(10));
        assert_eq!(attempts.take(&QUOTA, "bob", at(10)), Ok(()));
        attempts.give_back(&QUOTA, "ann");
        assert_eq!(attempts.take(&QUOTA, "ann", at(10)), Ok(()));
        // After a long time it is full, and no fuller.
        for _ in 0..3 {
            assert_eq!(attempts.take(&QUOTA, "ann", at(9_999)), Ok(()));
        }
        assert_eq!(attempts.take(&QUOTA, "ann", at(9_999)), Err(10));
    }

    #[test]
    fn memory_is_bounded_and_who_tries_most_is_remembered_longest() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            assert_eq!(attempts.take(&QUOTA, "ann", at(0)), Ok(()));
        }
        for n in 0..3 * BUCKETS_MAX {
            assert_eq!(attempts.take(&QUOTA, &n.to_string(), at(0)), Ok(()));
            assert!(attempts.kept() <= BUCKETS_MAX);
        }
        assert_eq!(attempts.take(&QUOTA, "ann", at(0)), Err(10));
    }
}
