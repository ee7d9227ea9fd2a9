//! What goes wrong, by seeded chance: callbacks lost, doubled, late and out of order; calls that fail before or after they did something.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// What happens to one event on its way to one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// It never arrives.
    pub is_lost: bool,
    /// When it is sent, after it happened.
    pub delay_ms: i64,
    /// When it is sent once more.
    pub again_ms: Option<i64>,
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFate {
    /// Nothing.
    Fine,
    /// The connection ends before anything was done.
    FailsBefore,
    /// It is done, and the answer is lost.
    ReplyLost,
    /// Nothing is done and nothing is answered for a long time.
    TimesOut,
    /// Answered by 502, nothing done.
    ServerError,
    /// Answered by -1, nothing done.
    Busy,
}

const SHARES: [&str; 9] = [
    "callback_lost",
    "callback_doubled",
    "callback_reordered",
    "callback_delayed",
    "call_fails_before",
    "call_reply_lost",
    "call_times_out",
    "call_server_error",
    "call_busy",
];

/// Shares of a thousand, and times.
#[derive(Clone, Debug)]
pub struct Faults {
    shares: [u64; SHARES.len()],
    /// The longest delay of a late callback.
    pub delay_ms_max: i64,
    /// Within which time the order is shuffled.
    pub reorder_ms_max: i64,
    /// How long a call hangs in the platform's time.
    pub timeout_ms: i64,
    /// How long it hangs at most in real time, where time is not real.
    pub timeout_real_ms: u64,
    /// APIs that fail, by what their path begins with; all where empty.
    pub apis: Vec<String>,
    callbacks: Chance,
    calls: Chance,
}

impl Faults {
    /// None, with the streams of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            shares: [0; SHARES.len()],
            delay_ms_max: 60_000,
            reorder_ms_max: 2_000,
            timeout_ms: 10_000,
            timeout_real_ms: 50,
            apis: Vec::new(),
            callbacks: Chance::new(seed, "faults of callbacks"),
            calls: Chance::new(seed, "faults of calls"),
        }
    }

    /// Sets what is named and leaves the rest: shares are of a thousand; `{"none": true}` ends all.
    ///
    /// # Errors
    /// Names the field that is not known or not of its kind; nothing is changed then.
    pub fn change(&mut self, changes: &Map<String, Value>) -> Result<(), String> {
        let mut changed = self.clone();
        for (name, value) in changes {
            let number = || {
                let number = value.as_u64().filter(|number| *number <= 86_400_000);
                number.ok_or_else(|| format!("{name} is no number, or too large"))
            };
            // At most a day, so it fits.
            let time_ms = || number().map(|number| number as i64);
            match name.as_str() {
                "none" => changed.shares = [0; SHARES.len()],
                "delay_ms_max" => changed.delay_ms_max = time_ms()?,
                "reorder_ms_max" => changed.reorder_ms_max = time_ms()?,
                "timeout_ms" => changed.timeout_ms = time_ms()?,
                "timeout_real_ms" => changed.timeout_real_ms = number()?,
                "apis" => {
                    let list = value.as_array().filter(|list| list.len() <= 200);
                    let list = list.ok_or("apis is no list, or too long")?;
                    changed.apis = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                }
                _ => {
                    let at = SHARES.iter().position(|share| share == name);
                    let at = at.ok_or_else(|| format!("{name} is not known"))?;
                    let share = value.as_u64().filter(|share| *share <= 1_000);
                    changed.shares[at] = share.ok_or_else(|| format!("{name} is no share of a thousand"))?;
                }
            }
        }
        if changed.shares[4..].iter().sum::<u64>() > 1_000 {
            return Err("the shares of calls are more than a thousand together".to_owned());
        }
        *self = changed;
        Ok(())
    }

    /// As it is set.
    pub fn told(&self) -> Value {
        let mut told: Map<String, Value> =
            SHARES.iter().zip(self.shares).map(|(name, share)| ((*name).to_owned(), json!(share))).collect();
        told.insert("delay_ms_max".to_owned(), json!(self.delay_ms_max));
        told.insert("reorder_ms_max".to_owned(), json!(self.reorder_ms_max));
        told.insert("timeout_ms".to_owned(), json!(self.timeout_ms));
        told.insert("timeout_real_ms".to_owned(), json!(self.timeout_real_ms));
        told.insert("apis".to_owned(), json!(self.apis));
        Value::Object(told)
    }

    /// What happens to the next event.
    pub fn callback_fate(&mut self) -> Fate {
        let [lost, doubled, reordered, delayed, ..] = self.shares;
        let mut fate = Fate { is_lost: self.callbacks.happens(lost), ..Fate::default() };
        let within = |of: &mut Chance, ms: i64| 1 + of.below(ms.unsigned_abs()) as i64;
        if self.callbacks.happens(delayed) {
            fate.delay_ms = within(&mut self.callbacks, self.delay_ms_max);
        } else if self.callbacks.happens(reordered) {
            fate.delay_ms = within(&mut self.callbacks, self.reorder_ms_max);
        }
        if self.callbacks.happens(doubled) {
            fate.again_ms = Some(fate.delay_ms + within(&mut self.callbacks, self.reorder_ms_max));
        }
        fate
    }

    /// What happens to the next call of an API.
    pub fn call_fate(&mut self, api: &str) -> CallFate {
        let total: u64 = self.shares[4..].iter().sum();
        let is_concerned =
            self.apis.is_empty() || self.apis.iter().any(|begins| api.starts_with(begins.as_str()));
        if total == 0 || !is_concerned {
            return CallFate::Fine;
        }
        let mut drawn = self.calls.below(1_000);
        let fates = [
            CallFate::FailsBefore,
            CallFate::ReplyLost,
            CallFate::TimesOut,
            CallFate::ServerError,
            CallFate::Busy,
        ];
        for (share, fate) in self.shares[4..].iter().zip(fates) {
            if drawn < *share {
                return fate;
            }
            drawn -= share;
        }
        CallFate::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_by_seed() {
        let run = |seed| {
            let mut faults = Faults::new(seed);
            let set = json!({"callback_lost": 200, "callback_doubled": 200, "call_busy": 100, "call_reply_lost": 100});
            faults.change(set.as_object().unwrap()).unwrap();
            let fates: Vec<Fate> = (0..10_000).map(|_| faults.callback_fate()).collect();
            let calls: Vec<CallFate> = (0..10_000).map(|_| faults.call_fate("gettoken")).collect();
            (fates, calls)
        };
        let (fates, calls) = run(3);
        assert_eq!(run(3), (fates.clone(), calls.clone()));
        assert_ne!(run(4).1, calls);
        let lost = fates.iter().filter(|fate| fate.is_lost).count();
        let doubled = fates.iter().filter(|fate| fate.again_ms.is_some()).count();
        let replies_lost = calls.iter().filter(|fate| **fate == CallFate::ReplyLost).count();
        for (n, of) in [(lost, 2_000), (doubled, 2_000), (replies_lost, 1_000)] {
            assert!(n.abs_diff(of) < 150, "{n} of {of}");
        }
    }

    #[test]
    fn what_is_not_known_changes_nothing() {
        let mut faults = Faults::new(1);
        let wrong = json!({"callback_lost": 5, "callback_eaten": 5});
        assert_eq!(faults.change(wrong.as_object().unwrap()).unwrap_err(), "callback_eaten is not known");
        assert_eq!(faults.told()["callback_lost"], 0);
        let much = json!({"call_busy": 600, "call_fails_before": 600});
        assert!(faults.change(much.as_object().unwrap()).is_err());
    }
}
