//! Days, weeks and months as the platform counts them: in Beijing, which has had one offset since 1991.

const BEIJING_MS: i64 = 8 * 3_600_000;
/// A day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// A window in which the platform counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// From a full minute to the next.
    Minute,
    /// From a full hour to the next.
    Hour,
    /// A day in Beijing.
    Day,
    /// From Monday.
    Week,
    /// A calendar month.
    Month,
}

impl Period {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// When the window began that `at_ms` is in.
    pub fn start(self, at_ms: i64) -> i64 {
        let local = at_ms + BEIJING_MS;
        let day = local.div_euclid(DAY_MS);
        match self {
            Self::Minute => at_ms - at_ms.rem_euclid(60_000),
            Self::Hour => at_ms - at_ms.rem_euclid(3_600_000),
            Self::Day => day * DAY_MS - BEIJING_MS,
            // 1970-01-01 was a Thursday.
            Self::Week => (day - (day + 3).rem_euclid(7)) * DAY_MS - BEIJING_MS,
            Self::Month => (day - civil(day).2 + 1) * DAY_MS - BEIJING_MS,
        }
    }
}

/// The year, month and day in Beijing, and how far into it an instant is, in milliseconds.
pub fn civil_at(at_ms: i64) -> (i64, i64, i64, i64) {
    let local = at_ms + BEIJING_MS;
    let (year, month, day) = civil(local.div_euclid(DAY_MS));
    (year, month, day, local.rem_euclid(DAY_MS))
}

/// How many days the month has that `at_ms` is in.
pub fn days_of_month(at_ms: i64) -> i64 {
    let (year, month, _) = civil((at_ms + BEIJING_MS).div_euclid(DAY_MS));
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a count of days since 1970-01-01 (the civil calendar in eras of 400 years).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_in_beijing() {
        // 2026-02-28 23:30 in Beijing is 15:30 in Greenwich.
        let at_ms = 1_772_292_600_000;
        assert_eq!(days_of_month(at_ms), 28);
        assert_eq!(Period::Day.start(at_ms), 1_772_208_000_000);
        assert_eq!(Period::Month.start(at_ms), 1_769_875_200_000);
        // The Monday before is the 23rd.
        assert_eq!(Period::Week.start(at_ms), 1_771_776_000_000);
        // Half an hour later it is March.
        assert_eq!(days_of_month(at_ms + 1_800_000), 31);
        assert_eq!(Period::Month.start(at_ms + 1_800_000), at_ms + 1_800_000);
    }

    #[test]
    fn leap_years_have_a_29th() {
        assert_eq!(days_of_month(1_709_164_800_000), 29);
    }
}
