//! What the routes read, from a home at work: numbers of the record, named by the live playbook.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use zhiyin_engine::{Engine, EngineError, Live, clock};
use zhiyin_model::playbook::{Language, Names, Playbook};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::Home;
use zhiyin_store::read::{OverviewAsk, OverviewRecord};

use crate::overview::{
    Brand, Clock, Flow, FlowLink, Freshness, Liability, Lifecycle, Members, Name, Orders, Overview, Points,
    Stage, Tag, Tier, Week,
};
use crate::readings::{ReadingError, Readings};

/// How far back the lifecycle flow looks, in days.
const FLOW_DAYS: i32 = 90;

/// A home as the routes read it.
pub struct HomeReadings {
    engine: Arc<Engine>,
}

impl HomeReadings {
    /// Reads from this engine's home.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

fn failed(error: EngineError) -> ReadingError {
    ReadingError::Failed { reason: error.to_string() }
}

#[async_trait]
impl Readings for HomeReadings {
    async fn overview(&self) -> Result<Overview, ReadingError> {
        let home = self.engine.home().await.map_err(failed)?;
        let live = self.engine.live().ok();
        let now = clock::now(&home);
        let zone = live.as_ref().map_or_else(zhiyin_model::time::Zone::utc, |live| live.rules.zone.clone());
        let today = zone.day(now);
        let flow_from = today.plus(-FLOW_DAYS);
        let zone_offset_us = zone.offset_us(now);
        let ask = OverviewAsk { flow_from: zone.end(flow_from), now, zone_offset_us };
        let record = self
            .engine
            .store()
            .overview(ask)
            .await
            .map_err(|error| ReadingError::Failed { reason: error.to_string() })?;
        Ok(overview(&home, live.as_deref(), record, now, (flow_from, today)))
    }

    async fn ready(&self) -> Result<(), String> {
        self.engine.home().await.map_err(|error| error.to_string())?;
        self.engine.live().map(drop).map_err(|error| error.to_string())
    }

    async fn metrics(&self) -> String {
        self.engine.metrics().await
    }
}

fn overview(home: &Home, live: Option<&Live>, record: OverviewRecord, now: Ts, flow: (Day, Day)) -> Overview {
    let playbook = live.map(|live| &live.playbook);
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let kind = |name: &str| record.points_by_kind.get(name).copied().unwrap_or(0);
    let waiting_us = record.waiting.1.map(|oldest| now.0.saturating_sub(oldest.0));
    Overview {
        brand: live.map(brand),
        clock: Clock { business_now: now.rfc3339(), offset_seconds: home.offset_us / 1_000_000 },
        as_of: clock::wall().rfc3339(),
        members: Members {
            total: count(record.members.0),
            enrolled: count(record.members.1),
            with_orders: count(record.members.2),
        },
        orders: Orders { count: count(record.orders.0), paid_minor: record.orders.1 },
        points: Points {
            outstanding: record.points.0,
            debt: record.points.1,
            worth_minor: live.and_then(|live| worth(live, record.points.0)),
            earned: kind("earn") + kind("give") - kind("take_back") - kind("withdraw"),
            spent: kind("spend") - kind("return"),
            expired: kind("expire"),
        },
        tiers: tiers(playbook, &record),
        lifecycle: Lifecycle { stages: stages(playbook, &record), flow: links(&record, flow) },
        weeks: weeks(&record),
        liability: liability(&record),
        tags: tags(playbook, &record),
        freshness: Freshness {
            inbox_waiting: count(record.waiting.0),
            oldest_waiting_seconds: waiting_us.map(|us| (us / 1_000_000).max(0)),
            last_event_at: record.last_event.map(Ts::rfc3339),
            dead_letters: count(record.dead_letters),
            timers_open: count(record.timers.0),
            next_timer_at: record.timers.1.map(Ts::rfc3339),
        },
    }
}

fn brand(live: &Live) -> Brand {
    Brand {
        playbook: live.version.id.clone(),
        version: live.version.version.unsigned_abs(),
        hash: live.version.hash.clone(),
        applied_at: live.version.applied_at.rfc3339(),
        timezone: live.rules.zone.name().to_owned(),
        currency: live.rules.currency.code.clone(),
        exponent: u8::try_from(live.rules.currency.exponent).unwrap_or(2),
    }
}

/// Points in money, in minor units rounded down.
fn worth(live: &Live, points: i64) -> Option<i64> {
    let worth = live.playbook.points.worth?;
    let minor = i128::from(worth.major) * i128::from(live.rules.currency.minor_per_major());
    i64::try_from(i128::from(points) * minor / i128::from(worth.points.max(1))).ok()
}

fn named(names: Option<&Names>, id: &str) -> Name {
    let say = |language| names.map_or(id, |names| names.in_language(language, id)).to_owned();
    Name { zh: say(Language::Zh), en: say(Language::En) }
}

/// Tiers from low to high; those of an older playbook come last.
fn tiers(playbook: Option<&Playbook>, record: &OverviewRecord) -> Vec<Tier> {
    let known: Vec<(&str, &Names)> = playbook
        .map(|playbook| playbook.tiers.levels.iter().map(|level| (level.id.as_str(), &level.name)).collect())
        .unwrap_or_default();
    in_order(&known, record.tiers.keys())
        .into_iter()
        .map(|(id, names)| {
            let (members, paid_minor) = record.tiers.get(&id).copied().unwrap_or_default();
            Tier { name: named(names, &id), members: members.unsigned_abs(), paid_minor, id }
        })
        .collect()
}

fn stages(playbook: Option<&Playbook>, record: &OverviewRecord) -> Vec<Stage> {
    let known: Vec<(&str, &Names)> = playbook
        .map(|playbook| playbook.lifecycle.iter().map(|stage| (stage.id.as_str(), &stage.name)).collect())
        .unwrap_or_default();
    in_order(&known, record.stages.keys())
        .into_iter()
        .map(|(id, names)| {
            let members = record.stages.get(&id).copied().unwrap_or_default();
            Stage { name: named(names, &id), members: members.unsigned_abs(), id }
        })
        .collect()
}

/// The playbook's own order, then what only the record knows; unnamed ones are left out.
fn in_order<'a>(
    known: &[(&str, &'a Names)],
    found: impl Iterator<Item = &'a String>,
) -> Vec<(String, Option<&'a Names>)> {
    let mut order: Vec<(String, Option<&Names>)> =
        known.iter().map(|(id, names)| ((*id).to_owned(), Some(*names))).collect();
    for id in found.filter(|id| !id.is_empty()) {
        if !known.iter().any(|(known, _)| known == id) {
            order.push((id.clone(), None));
        }
    }
    order
}

fn links(record: &OverviewRecord, (from, to): (Day, Day)) -> Flow {
    let links = record
        .flow
        .iter()
        .filter(|((_, to), _)| !to.is_empty())
        .map(|((from, to), members)| FlowLink {
            from: (!from.is_empty()).then(|| from.clone()),
            to: to.clone(),
            members: members.unsigned_abs(),
        })
        .collect();
    Flow { from: from.to_string(), to: to.to_string(), links }
}

/// Weeks without gaps.
fn weeks(record: &OverviewRecord) -> Vec<Week> {
    let (Some(first), Some(last)) = (record.weeks.keys().next(), record.weeks.keys().next_back()) else {
        return Vec::new();
    };
    // A year of weeks is what the page draws; older ones stay in reports.
    let first = first.0.max(last.0 - 7 * 105);
    (first..=last.0)
        .step_by(7)
        .map(|day| {
            let (orders, paid_minor) = record.weeks.get(&Day(day)).copied().unwrap_or_default();
            Week { start: Day(day).to_string(), orders: orders.unsigned_abs(), paid_minor }
        })
        .collect()
}

fn liability(record: &OverviewRecord) -> Vec<Liability> {
    let mut months: BTreeMap<String, i64> = BTreeMap::new();
    let mut never = 0;
    for (day, points) in &record.liability {
        match day {
            Some(day) => *months.entry(day.to_string()[..7].to_owned()).or_default() += points,
            None => never += points,
        }
    }
    let mut found: Vec<Liability> =
        months.into_iter().map(|(month, points)| Liability { month: Some(month), points }).collect();
    if never > 0 {
        found.push(Liability { month: None, points: never });
    }
    found
}

fn tags(playbook: Option<&Playbook>, record: &OverviewRecord) -> Vec<Tag> {
    let mut tags: Vec<Tag> = record
        .tags
        .iter()
        .map(|(id, members)| {
            let names = playbook.and_then(|playbook| playbook.tags.get(id)).map(|tag| &tag.name);
            Tag { id: id.clone(), name: named(names, id), members: members.unsigned_abs() }
        })
        .collect();
    tags.sort_by(|a, b| b.members.cmp(&a.members).then_with(|| a.id.cmp(&b.id)));
    tags
}
