//! Claims: coupons that members take for themselves, from when until when, and for how many points; and for how long a coupon
//! may be used.

use std::fmt;

use serde::{Serialize, Serializer};

use super::ConditionText;
use crate::time::{Day, Ts, Zone};

/// How members may take an offer's coupon themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Claim {
    /// Members who may, beside those whom the offer is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// From when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Until when; then it no longer can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// What a coupon costs in points; nothing, where it does not say.
    #[serde(skip_serializing_if = "is_free")]
    pub points: i64,
}

fn is_free(points: &i64) -> bool {
    *points == 0
}

/// A day and a time of it, by the wall clock of the brand's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The day.
    pub day: Day,
    /// Minutes since its 00:00 by the wall clock, below 1440.
    pub minute: u16,
}

impl Moment {
    /// The instant, in a zone.
    pub fn at(self, zone: &Zone) -> Ts {
        zone.at_minute(self.day, self.minute)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.day, self.minute / 60, self.minute % 60)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// For how long a coupon may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Validity {
    /// For so many days, the day it was given on being the first.
    #[serde(rename = "valid_days")]
    Days(u16),
    /// For so many minutes from when it was given on.
    #[serde(rename = "valid_minutes")]
    Minutes(u32),
}

impl Validity {
    /// From when on a coupon that is given at an instant can no longer be used.
    pub fn until(self, zone: &Zone, at: Ts) -> Ts {
        match self {
            Self::Days(days) => zone.start(zone.day(at).plus(i32::from(days))),
            Self::Minutes(minutes) => at.plus_us(i64::from(minutes) * 60_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_at_midnight_and_minutes_when_they_are_over() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let at = Ts::parse("2020-06-01T10:07:30+08:00").unwrap();
        for (valid, until) in [
            (Validity::Days(1), "2020-06-02T00:00:00+08:00"),
            (Validity::Days(7), "2020-06-08T00:00:00+08:00"),
            (Validity::Minutes(15), "2020-06-01T10:22:30+08:00"),
            (Validity::Minutes(120), "2020-06-01T12:07:30+08:00"),
        ] {
            assert_eq!(valid.until(&zone, at), Ts::parse(until).unwrap(), "{valid:?}");
        }
    }

    #[test]
    fn a_moment_is_of_the_wall_clock_also_where_clocks_are_set() {
        for (zone, day, minute, at) in [
            ("Asia/Shanghai", "2020-06-01", 600, "2020-06-01T10:00:00+08:00"),
            ("UTC", "2020-06-01", 1_439, "2020-06-01T23:59:00Z"),
            ("Europe/Berlin", "2020-03-29", 180, "2020-03-29T03:00:00+02:00"),
            // There is no 2:30 that day: the clock goes from 2:00 to 3:00.
            ("Europe/Berlin", "2020-03-29", 150, "2020-03-29T03:30:00+02:00"),
        ] {
            let moment = Moment { day: Day::parse(day).unwrap(), minute };
            assert_eq!(moment.at(&Zone::named(zone).unwrap()), Ts::parse(at).unwrap(), "{zone} {moment}");
        }
    }
}
