//! What a member saw of what was sent to them, by slots of two hours of the brand's wall clock: what a best hour is learned from.

use serde::{Deserialize, Serialize};

use crate::time::{Ts, Zone};

/// How many slots a day has: the first is 00:00 to 02:00.
pub const SLOTS: usize = 12;
/// How long a slot is, in microseconds.
const SLOT_US: i64 = 2 * crate::time::HOUR_US;
/// From so many sends in a slot on, both of its counts are halved: what was long ago counts less.
pub const HOUR_COUNT_MAX: u16 = 64;

/// What was sent in each slot, and how much of that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours(Vec<(u16, u16)>);

impl Hours {
    /// (sent, seen) of a slot.
    pub fn of(&self, slot: usize) -> (u16, u16) {
        self.0.get(slot).copied().unwrap_or_default()
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|counts| *counts == (0, 0))
    }

    /// Something was sent in a slot.
    pub fn sent(&mut self, slot: usize) {
        self.add(slot, (1, 0));
    }

    /// Something that was sent in a slot was seen.
    pub fn seen(&mut self, slot: usize) {
        self.add(slot, (0, 1));
    }

    /// What another saw is theirs, too.
    pub fn join(&mut self, other: &Self) {
        (0..SLOTS).for_each(|slot| self.add(slot, other.of(slot)));
    }

    fn add(&mut self, slot: usize, (sent, seen): (u16, u16)) {
        if (sent, seen) == (0, 0) || slot >= SLOTS {
            return;
        }
        self.0.resize(SLOTS, (0, 0));
        let counts = &mut self.0[slot];
        counts.0 = counts.0.saturating_add(sent);
        counts.1 = counts.1.saturating_add(seen).min(counts.0);
        while counts.0 > HOUR_COUNT_MAX {
            *counts = (counts.0 / 2, counts.1 / 2);
        }
    }
}

/// In which slot of the day an instant lies.
pub fn slot_of(zone: &Zone, at: Ts) -> usize {
    usize::try_from(zone.time_of_day_us(at) / SLOT_US).unwrap_or(0).min(SLOTS - 1)
}

/// The pool that counts what was `sent`, or `seen`, in a slot, of all members.
pub fn hour_of(slot: usize, what: &str) -> String {
    format!("hour/{slot:02}/{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_ago_counts_less_and_no_more_is_seen_than_was_sent() {
        let mut hours = Hours::default();
        assert!(hours.is_empty());
        for _ in 0..HOUR_COUNT_MAX {
            hours.sent(11);
            hours.seen(11);
        }
        assert_eq!(hours.of(11), (HOUR_COUNT_MAX, HOUR_COUNT_MAX));
        hours.sent(11);
        assert_eq!(hours.of(11), (HOUR_COUNT_MAX / 2, HOUR_COUNT_MAX / 2));
        hours.seen(3);
        assert_eq!(hours.of(3), (0, 0), "what was sent was forgotten");
        hours.sent(SLOTS);
        let mut both = Hours::default();
        both.sent(0);
        both.join(&hours);
        assert_eq!((both.of(0), both.of(11)), ((1, 0), hours.of(11)));
        assert!(!both.is_empty());
    }

    #[test]
    fn slots_are_of_two_hours_by_the_wall_clock() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        for (at, slot) in [
            ("2024-05-01T16:00:00Z", 0),
            ("2024-05-01T17:59:59Z", 0),
            ("2024-05-01T18:00:00Z", 1),
            ("2024-05-01T15:59:59Z", 11),
        ] {
            assert_eq!(slot_of(&zone, Ts::parse(at).unwrap()), slot, "{at}");
        }
    }
}
