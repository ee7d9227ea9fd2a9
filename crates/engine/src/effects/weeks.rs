//! Cohorts: members by the week in which they were assigned, each week beside the whole.

use std::collections::BTreeMap;

use zhiyin_model::time::{Day, Ts, Zone};

use super::tally::Tally;

/// Tallies of weeks of the brand's calendar, by their Mondays.
pub(super) struct Weeks<'a> {
    zone: &'a Zone,
    asks: usize,
    /// By Monday, of weeks in which anybody was assigned.
    pub(super) tallies: BTreeMap<Day, Tally>,
}

impl<'a> Weeks<'a> {
    /// No week yet; so many measures in each.
    pub(super) fn new(zone: &'a Zone, asks: usize) -> Self {
        Self { zone, asks, tallies: BTreeMap::new() }
    }

    /// The week of an instant.
    pub(super) fn of(&mut self, at: Ts) -> &mut Tally {
        let asks = self.asks;
        self.tallies.entry(monday(self.zone.day(at))).or_insert_with(|| Tally::new(asks, 2))
    }
}

/// The Monday of a day's week: 1 January 1970, day 0, was a Thursday.
fn monday(day: Day) -> Day {
    day.plus(-(day.0 + 3).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_by_the_brands_clock() {
        for (day, expected) in [
            ("2024-05-01", "2024-04-29"),
            ("2024-05-05", "2024-04-29"),
            ("2024-05-06", "2024-05-06"),
            ("1969-12-31", "1969-12-29"),
        ] {
            assert_eq!(monday(Day::parse(day).unwrap()).to_string(), expected, "{day}");
        }
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let mut weeks = Weeks::new(&zone, 1);
        for at in ["2024-05-05T15:59:59Z", "2024-05-05T16:00:00Z"] {
            weeks.of(Ts::parse(at).unwrap()).mixed += 1;
        }
        let days: Vec<String> = weeks.tallies.keys().map(Day::to_string).collect();
        assert_eq!(days, ["2024-04-29", "2024-05-06"]);
    }
}
