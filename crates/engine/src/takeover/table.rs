//! A take-over's file and the record side by side.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_decide::rules::Rules;
use zhiyin_model::event::Takeover;
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_store::takeover::TakenOver;

/// What rows of a file come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub members: i64,
    /// Points.
    pub points: i64,
    /// Growth.
    pub growth: i64,
    /// Members by tier; who has none in the file is counted where their growth holds them.
    pub tiers: BTreeMap<String, i64>,
    /// Rows whose tier is not in the file.
    pub without_tier: i64,
    /// Rows without a tier of members who were here already: they keep theirs.
    pub joined_without_tier: i64,
    /// Points by the month of their last day, `never` where they do not expire.
    pub expiring: BTreeMap<String, i64>,
    /// Members by tag.
    pub tags: BTreeMap<String, i64>,
}

/// What does not expire.
const NEVER: &str = "never";

fn month(last: Option<Day>) -> String {
    last.map_or_else(|| NEVER.to_owned(), |day| day.to_string().chars().take(7).collect())
}

impl Totals {
    /// Adds a row.
    pub(super) fn add(&mut self, facts: &Takeover, joined: bool, (rules, as_of): (&Rules, Ts)) {
        self.members += 1;
        self.growth += facts.growth;
        for lot in &facts.lots {
            self.points += lot.points;
            *self.expiring.entry(month(lot.last_day)).or_default() += lot.points;
        }
        for tag in &facts.tags {
            *self.tags.entry(tag.clone()).or_default() += 1;
        }
        if facts.tier.is_none() {
            self.without_tier += 1;
        }
        let level = match &facts.tier {
            Some(tier) => tier.level.clone(),
            None if joined => {
                self.joined_without_tier += 1;
                return;
            }
            None => {
                let today = rules.zone.day(as_of);
                let counts = facts.growth_day.is_none_or(|day| today.0 - day.0 <= rules.tiers.over_days);
                rules.level_of(if counts { facts.growth } else { 0 }).to_owned()
            }
        };
        *self.tiers.entry(level).or_default() += 1;
    }
}

/// How rows of a file stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Rows that are in the record as the file has them.
    pub here: i64,
    /// Rows that did not come.
    pub missing: i64,
    /// Rows that came saying something else.
    pub changed: i64,
    /// Rows that cannot be read.
    pub unreadable: i64,
}

/// A line of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub what: String,
    /// What the file says.
    pub file: i64,
    /// What the record says.
    pub home: i64,
    /// How much of the difference is as it should be, as one of the causes says.
    pub explained: i64,
}

impl Line {
    /// What is left of the difference.
    pub const fn difference(&self) -> i64 {
        self.file - self.home - self.explained
    }
}

/// File and record side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Line by line.
    pub lines: Vec<Line>,
    /// Causes of differences, each a sentence with its number.
    pub causes: Vec<String>,
    /// Whether there is nothing between them.
    pub even: bool,
}

impl Table {
    pub(super) fn of(file: &Totals, rows: &Standing, home: &TakenOver, zone: &Zone) -> Self {
        let line =
            |what: &str, file: i64, home: i64| Line { what: what.to_owned(), file, home, explained: 0 };
        let mut lines = vec![
            line("members", file.members, home.members),
            line("points", file.points, home.points),
            line("growth", file.growth, home.growth),
        ];
        let by = |what: &str, file: &BTreeMap<String, i64>, home: &BTreeMap<String, i64>| -> Vec<Line> {
            let keys: BTreeSet<&String> = file.keys().chain(home.keys()).collect();
            let of = |map: &BTreeMap<String, i64>, key: &String| map.get(key).copied().unwrap_or(0);
            keys.into_iter().map(|key| line(&format!("{what} {key}"), of(file, key), of(home, key))).collect()
        };
        let mut tiers = by("tier", &file.tiers, &home.tiers);
        // Who was here already and stands as high keeps their term: for these the record has no new one.
        let kept = home.kept_tier - file.joined_without_tier;
        let short: i64 = tiers.iter().map(|line| line.file - line.home).sum();
        if kept > 0 && short == kept && tiers.iter().all(|line| line.file >= line.home) {
            tiers.iter_mut().for_each(|line| line.explained = line.file - line.home);
        }
        lines.extend(tiers);
        let mut expiring: BTreeMap<String, i64> = BTreeMap::new();
        for (at, points) in &home.expiring {
            let last = (*at != Ts::FOREVER).then(|| zone.day(*at).plus(-1));
            *expiring.entry(month(last)).or_default() += points;
        }
        lines.extend(by("points until", &file.expiring, &expiring));
        let mut tags = home.tags.clone();
        // Tags that the playbook gave by a rule at the same time are not the file's.
        tags.retain(|tag, _| file.tags.contains_key(tag));
        lines.extend(by("tag", &file.tags, &tags));
        let causes = causes(file, rows, home, kept);
        let even = lines.iter().all(|line| line.difference() == 0)
            && rows.here == file.members
            && home.rows == rows.here
            && rows.unreadable == 0
            && home.refused.is_empty();
        Self { lines, causes, even }
    }
}

fn causes(file: &Totals, rows: &Standing, home: &TakenOver, kept: i64) -> Vec<String> {
    let mut causes = Vec::new();
    let mut say = |n: i64, what: &str| {
        if n != 0 {
            causes.push(format!("{n} {what}"));
        }
    };
    say(rows.unreadable, "rows of the file cannot be read: --dry-run says why");
    say(rows.missing, "rows of the file were not taken over");
    say(rows.changed, "rows of the file say something else than when they were taken over");
    say(
        home.rows - rows.here - rows.changed,
        "rows were taken over from this source that are not in the file",
    );
    for (code, n) in &home.refused {
        say(*n, &format!("rows were taken in and could not be decided ({code}): zhiyin dead-letters"));
    }
    say(kept, "members were here already and keep a tier that is as good");
    say(file.joined_without_tier, "members were here already and have no tier in the file: they keep theirs");
    say(home.raised, "members stand higher at once: their growth holds a better tier than they came with");
    let judged = file.without_tier - file.joined_without_tier;
    say(judged, "members have no tier in the file: they are counted where their growth holds them");
    causes
}
