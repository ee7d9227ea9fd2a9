//! What the overview shows, as `/v1/overview` gives it.
//!
//! Money is in minor units of the brand's currency, points are whole, times are RFC 3339 in UTC, days and
//! months are calendar ones in the brand's zone. Every number is as of [`Clock::business_now`].

use serde::{Deserialize, Serialize};

/// The whole overview, taken in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The playbook in force and what it says of money and zone; none before the first is applied.
    pub brand: Option<Brand>,
    /// Business time.
    pub clock: Clock,
    /// When this was read, by the wall clock.
    pub as_of: String,
    /// How many people are known.
    pub members: Members,
    /// How much they bought.
    pub orders: Orders,
    /// How much they hold.
    pub points: Points,
    /// Members and sales by tier, from the lowest to the highest.
    pub tiers: Vec<Tier>,
    /// Members by stage, and how they moved.
    pub lifecycle: Lifecycle,
    /// Sales by week, ascending, without gaps.
    pub weeks: Vec<Week>,
    /// Points outstanding by the month they expire in, ascending; those that never do come last.
    pub liability: Vec<Liability>,
    /// Members by rule tag.
    pub tags: Vec<Tag>,
    /// How far behind the world the house is.
    pub freshness: Freshness,
}

/// The playbook in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    /// The playbook's name.
    pub playbook: String,
    /// Its version here, from 1.
    pub version: u64,
    /// Its hash, in hex.
    pub hash: String,
    /// When it was applied.
    pub applied_at: String,
    /// IANA name of the brand's zone.
    pub timezone: String,
    /// ISO 4217 code of the brand's currency.
    pub currency: String,
    /// Decimal places of the currency: 2 for USD, 0 for JPY.
    pub exponent: u8,
}

/// Business time against the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Business now.
    pub business_now: String,
    /// Business now less the wall clock: 0 in production, negative in a demo of the past.
    pub offset_seconds: i64,
}

/// How many people are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// All members, enrolled or not.
    pub total: u64,
    /// Those who enrolled.
    pub enrolled: u64,
    /// Those with at least one order that counts.
    pub with_orders: u64,
}

/// How much members bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Orders that count in history.
    pub count: u64,
    /// What was paid for them, refunds taken off.
    pub paid_minor: i64,
}

/// How many points members hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// Points in active lots.
    pub outstanding: i64,
    /// Points owed by members after refunds.
    pub debt: i64,
    /// What the outstanding points are worth; none where the playbook sets no worth.
    pub worth_minor: Option<i64>,
    /// Ever earned.
    pub earned: i64,
    /// Ever spent.
    pub spent: i64,
    /// Ever expired.
    pub expired: i64,
}

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// One tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// Members who hold it now.
    pub members: u64,
    /// What those members have paid.
    pub paid_minor: i64,
}

/// Members by stage, and how they moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Stages in the playbook's order.
    pub stages: Vec<Stage>,
    /// Moves over the period.
    pub flow: Flow,
}

/// One stage of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// Members in it now.
    pub members: u64,
}

/// From which stage to which, over a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// One for each pair of stages with at least one member, those who stayed included.
    pub links: Vec<FlowLink>,
}

/// The members who were in one stage on the first day and are in another on the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLink {
    /// Stage on the first day; none for those not yet known then.
    pub from: Option<String>,
    /// Stage on the last day.
    pub to: String,
    /// How many.
    pub members: u64,
}

/// Sales of one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// Its Monday.
    pub start: String,
    /// Orders that count.
    pub orders: u64,
    /// What was paid for them.
    pub paid_minor: i64,
}

/// Points that expire in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liability {
    /// `YYYY-MM`; none for points that never expire.
    pub month: Option<String>,
    /// Points left in the lots that expire then.
    pub points: i64,
}

/// One rule tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// Members who carry it now.
    pub members: u64,
}

/// How far behind the world the house is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Events taken in but not yet decided.
    pub inbox_waiting: u64,
    /// Age of the oldest of them.
    pub oldest_waiting_seconds: Option<i64>,
    /// Time of the last event decided.
    pub last_event_at: Option<String>,
    /// Events set aside because they could not be decided.
    pub dead_letters: u64,
    /// Timers not yet due.
    pub timers_open: u64,
    /// When the next one falls due.
    pub next_timer_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_has_exactly_the_documented_shape() {
        let text = include_str!("../tests/overview.json");
        let overview: Overview = serde_json::from_str(text).unwrap();
        let raw: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(overview).unwrap(), raw);
    }
}
