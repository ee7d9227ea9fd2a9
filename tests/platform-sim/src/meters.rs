//! What is counted in windows: quotas and frequencies, with the worst use of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::calendar::Period;

#[derive(Clone, Debug, Default)]
struct Window {
    start_ms: i64,
    n: i64,
}

#[derive(Clone, Debug, Default)]
struct Use {
    limit: i64,
    worst: i64,
    worst_of: String,
    worst_start_ms: i64,
    n_refused: u64,
}

/// Counters in fixed windows.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    windows: BTreeMap<(&'static str, Period, String), Window>,
    uses: BTreeMap<(&'static str, Period), Use>,
}

impl Meters {
    /// Whether `n` more fit into the window that `now_ms` is in.
    pub fn fits(
        &self,
        rule: &'static str,
        of: &str,
        period: Period,
        limit: i64,
        now_ms: i64,
        n: i64,
    ) -> bool {
        self.used(rule, of, period, now_ms) + n <= limit
    }

    /// How many were taken in the window that `now_ms` is in.
    pub fn used(&self, rule: &'static str, of: &str, period: Period, now_ms: i64) -> i64 {
        let window = self.windows.get(&(rule, period, of.to_owned()));
        window.filter(|window| window.start_ms == period.start(now_ms)).map_or(0, |window| window.n)
    }

    /// Takes `n` of a window, or refuses all of them and counts the refusal.
    pub fn take(
        &mut self,
        rule: &'static str,
        of: &str,
        period: Period,
        limit: i64,
        now_ms: i64,
        n: i64,
    ) -> bool {
        let fits = self.fits(rule, of, period, limit, now_ms, n);
        let in_all = self.uses.entry((rule, period)).or_default();
        in_all.limit = limit;
        if !fits {
            in_all.n_refused += 1;
            return false;
        }
        let window = self.windows.entry((rule, period, of.to_owned())).or_default();
        let start_ms = period.start(now_ms);
        if window.start_ms != start_ms {
            *window = Window { start_ms, n: 0 };
        }
        window.n += n;
        if window.n > in_all.worst {
            in_all.worst = window.n;
            of.clone_into(&mut in_all.worst_of);
            in_all.worst_start_ms = start_ms;
        }
        true
    }

    /// The worst use of each rule.
    pub fn told(&self) -> Value {
        let rows = self.uses.iter().map(|((rule, period), of)| {
            json!({
                "rule": rule, "period": period.name(), "limit": of.limit, "worst": of.worst, "worst_of": of.worst_of,
                "worst_start_ms": of.worst_start_ms, "refused": of.n_refused,
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_fixed_and_the_worst_is_kept() {
        let mut meters = Meters::default();
        let minute = Period::Minute;
        for _ in 0..3 {
            assert!(meters.take("calls", "a", minute, 3, 59_999, 1));
        }
        assert!(!meters.take("calls", "a", minute, 3, 59_999, 1));
        assert!(meters.take("calls", "b", minute, 3, 59_999, 2));
        assert!(meters.take("calls", "a", minute, 3, 60_000, 1));
        assert_eq!(meters.used("calls", "a", minute, 60_001), 1);
        let told = meters.told();
        assert_eq!(
            (&told[0]["worst"], &told[0]["worst_of"], &told[0]["refused"]),
            (&json!(3), &json!("a"), &json!(1))
        );
    }
}
