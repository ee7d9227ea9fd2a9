//! Ways in: the code at a touchpoint that leads to the brand's staff, or into its groups (C1, G1).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Playbook;
use crate::place::hours::Hours;
use crate::time::{Ts, Zone};

/// The name of the brand's account on a platform where none is said.
pub const ACCOUNT_USUAL: &str = "main";
/// The longest code of a touchpoint that has a way, in characters: what the platform brings back of it (path/92228).
pub const CODE_CHARS_MAX: usize = 30;

/// A code that leads to staff: whoever scans it becomes a contact of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The brand's account on a platform, as the file of channels calls it.
    #[serde(skip_serializing_if = "is_usual")]
    pub account: String,
    /// Whose accounts may be met: all that speak as this persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Or these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub staff: Vec<String>,
    /// When others are met, or another welcome is said: the first whose time it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<WayHours>,
    /// The store whose clock the hours go by; the brand's, where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// How often the next of them is met in place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// Who is met where nobody else has room.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spare: Vec<String>,
    /// The most new friends that one of the staff makes by it in a day of that clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// Tags that whoever comes is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What whoever comes is called, before their own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What they are welcomed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Greeting>,
    /// Whether staff says yes to each before they are contacts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
}

fn is_usual(account: &str) -> bool {
    account == ACCOUNT_USUAL
}

/// A time at which others are met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayHours {
    /// When.
    pub during: Hours,
    /// Who is met; whoever is met otherwise, where nobody is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub staff: Vec<String>,
    /// What they are welcomed with; as otherwise, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Greeting>,
}

/// What somebody is welcomed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Greeting {
    /// A message of the playbook.
    pub message: String,
    /// A page of the section `links`, which goes with it as a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A poster of the playbook that says nothing of a member, which goes with it as a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<String>,
}

/// How often it is the next one's turn.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Each hour.
    Hourly,
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
}

impl Turn {
    /// How many hours a turn has.
    pub const fn hours(self) -> i64 {
        match self {
            Self::Hourly => 1,
            Self::Daily => 24,
            Self::Weekly => 168,
        }
    }
}

/// A code that leads into groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupWay {
    /// The brand's account on a platform, as the file of channels calls it.
    #[serde(skip_serializing_if = "is_usual")]
    pub account: String,
    /// Into which groups, one after the other as they fill.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whose groups follow those: of these owners.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// Only those of them whose name begins so: a store's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// What a group is called, before its number, that the platform makes where all are full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextGroup>,
}

/// What the next group is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextGroup {
    /// Before the number.
    pub name: String,
    /// The first number.
    pub from: u32,
}

impl Way {
    /// The hours that it is at an instant, on the clock of a zone.
    pub fn hours_at(&self, zone: &Zone, at: Ts) -> Option<&WayHours> {
        self.hours.iter().find(|hours| hours.during.hold(zone, at))
    }

    /// What whoever comes at an instant is welcomed with.
    pub fn greeting_at(&self, zone: &Zone, at: Ts) -> Option<&Greeting> {
        self.hours_at(zone, at).and_then(|hours| hours.welcome.as_ref()).or(self.welcome.as_ref())
    }

    /// Who is met at an instant, in order: `all` are the accounts of its persona, and `made` how many new friends each has made by it
    /// that day. Whoever has made as many as they may has no room; where nobody has, a spare one is met; where no spare one has
    /// either, the one who made the fewest, since a code that leads to nobody is worse. Where there are turns it is one of those who
    /// have room. Nobody, where there is nobody to choose from.
    pub fn met_at<'w>(
        &'w self,
        all: &'w [String],
        zone: &Zone,
        at: Ts,
        made: &BTreeMap<String, u32>,
    ) -> Vec<&'w str> {
        let usual = if self.persona.is_some() { all } else { self.staff.as_slice() };
        let of_hours = self.hours_at(zone, at).map(|hours| hours.staff.as_slice());
        let staff = of_hours.filter(|staff| !staff.is_empty()).unwrap_or(usual);
        let of = |who: &String| made.get(who).copied().unwrap_or(0);
        let has_room = |who: &&String| self.at_most.is_none_or(|most| of(who) < most);
        let open: Vec<&String> = staff.iter().filter(has_room).collect();
        if open.is_empty() {
            let spare: Vec<&str> = self.spare.iter().filter(has_room).map(String::as_str).collect();
            if !spare.is_empty() {
                return spare;
            }
            let fewest = staff.iter().chain(&self.spare).min_by_key(|who| of(who));
            return fewest.map(String::as_str).into_iter().collect();
        }
        let Some(turn) = self.turn else { return open.into_iter().map(String::as_str).collect() };
        // Turns are counted on the clock of the zone, so that a day's begins at its midnight; a week's on a Monday.
        let hour_us = 3_600_000_000;
        let hours = i64::from(zone.day(at).0) * 24 + zone.time_of_day_us(at).div_euclid(hour_us);
        let since_monday = hours + 3 * 24;
        let n = i64::try_from(staff.len()).unwrap_or(i64::MAX).max(1);
        let first = usize::try_from(since_monday.div_euclid(turn.hours()).rem_euclid(n)).unwrap_or(0);
        let mut in_turn = staff.iter().cycle().skip(first).take(staff.len());
        in_turn.find(has_room).map(String::as_str).into_iter().collect()
    }
}

impl Playbook {
    /// Touchpoints that have a way to staff.
    pub fn ways(&self) -> impl Iterator<Item = (&str, &Way)> {
        self.touchpoints
            .iter()
            .filter_map(|(code, touchpoint)| Some((code.as_str(), touchpoint.way.as_ref()?)))
    }

    /// Touchpoints that have a way into groups.
    pub fn group_ways(&self) -> impl Iterator<Item = (&str, &GroupWay)> {
        self.touchpoints
            .iter()
            .filter_map(|(code, touchpoint)| Some((code.as_str(), touchpoint.group_way.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(turn: Option<Turn>, at_most: Option<u32>, spare: &[&str]) -> Way {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let during = Hours::read("Sa,Su 10:00-02:00").unwrap();
        Way {
            account: ACCOUNT_USUAL.to_owned(),
            persona: None,
            staff: names(&["a", "b", "c"]),
            hours: vec![WayHours { during, staff: names(&["d"]), welcome: None }],
            store: None,
            turn,
            spare: names(spare),
            at_most,
            tags: Vec::new(),
            remark: None,
            welcome: None,
            asks: false,
        }
    }

    #[test]
    fn who_is_met_follows_the_hours_the_turns_the_room_and_the_spare_ones() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        // 2026-11-23 was a Monday.
        let at = |text: &str| Ts::parse(&format!("{text}:00+08:00")).unwrap();
        let made = |made: &[(&str, u32)]| made.iter().map(|(who, n)| ((*who).to_owned(), *n)).collect();
        for (turn, at_most, spare, when, already, met) in [
            (None, None, &[][..], "2026-11-23T09:00", &[][..], &["a", "b", "c"][..]),
            (None, None, &[], "2026-11-28T10:00", &[], &["d"]),
            (None, None, &[], "2026-11-28T09:59", &[], &["a", "b", "c"]),
            (None, None, &[], "2026-11-30T01:59", &[], &["d"]),
            (None, None, &[], "2026-11-30T02:00", &[], &["a", "b", "c"]),
            (Some(Turn::Weekly), None, &[], "2026-11-23T03:00", &[], &["c"]),
            (Some(Turn::Weekly), None, &[], "2026-11-27T23:59", &[], &["c"]),
            (Some(Turn::Weekly), None, &[], "2026-11-30T03:00", &[], &["a"]),
            (Some(Turn::Daily), None, &[], "2026-11-23T23:59", &[], &["c"]),
            (Some(Turn::Daily), None, &[], "2026-11-24T00:00", &[], &["a"]),
            (Some(Turn::Hourly), None, &[], "2026-11-23T03:00", &[], &["a"]),
            (None, Some(2), &[], "2026-11-23T09:00", &[("b", 2)], &["a", "c"]),
            (Some(Turn::Daily), Some(2), &[], "2026-11-23T09:00", &[("c", 2)], &["a"]),
            (None, Some(2), &["s", "t"], "2026-11-23T09:00", &[("a", 2), ("b", 2), ("c", 3)], &["s", "t"]),
            (
                None,
                Some(2),
                &["s", "t"],
                "2026-11-23T09:00",
                &[("a", 2), ("b", 2), ("c", 3), ("s", 2)],
                &["t"],
            ),
            (None, Some(2), &["s"], "2026-11-23T09:00", &[("a", 3), ("b", 2), ("c", 3), ("s", 4)], &["b"]),
        ] {
            let way = way(turn, at_most, spare);
            let of: BTreeMap<String, u32> = made(already);
            assert_eq!(way.met_at(&[], &zone, at(when), &of), met, "{turn:?} {at_most:?} {when} {already:?}");
        }
    }
}
