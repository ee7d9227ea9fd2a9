//! What an old system knew of a member when they were taken over from it: the facts of `Member Taken Over`.

use std::collections::BTreeSet;

use super::json::Json;
use super::read::bounded;
use super::{Refusal, TEXT_CHARS_MAX};
use crate::money::parse_decimal;
use crate::time::{Day, Ts};

/// The most lots of one member.
pub const LOTS_MAX: usize = 100;
/// The most tags of one member.
pub const TAGS_MAX: usize = 100;
/// The most points of a lot, and the most growth: what one transfer may move.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// What a member brings along from an old system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takeover {
    /// When they enrolled there.
    pub enrolled: Option<Ts>,
    /// The code of their home store.
    pub home_store: Option<String>,
    /// Their points, by when they expire.
    pub lots: Vec<OpeningLot>,
    /// Their growth.
    pub growth: i64,
    /// The day it counts for; the day of the take-over if none.
    pub growth_day: Option<Day>,
    /// Their tier, with its term.
    pub tier: Option<TakenTier>,
    /// Tags that were given by hand.
    pub tags: BTreeSet<String>,
    /// Whether they may be somebody who is here already.
    pub join: bool,
}

/// Points that expire together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningLot {
    /// How many; above zero.
    pub points: i64,
    /// The last day on which they can be spent; `None` if they do not expire.
    pub last_day: Option<Day>,
}

/// A tier as the old system gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenTier {
    /// Its level.
    pub level: String,
    /// Since when, if that is known.
    pub from: Option<Day>,
    /// The last day of its term, if that is known.
    pub last_day: Option<Day>,
}

/// Reads it out of an item's properties.
pub(super) fn read(properties: &Json) -> Result<Takeover, Refusal> {
    let enrolled = match properties.get("enrolled") {
        None => None,
        Some(value) => Some(value.text().and_then(Ts::parse).ok_or_else(|| {
            Refusal::new("bad_timestamp", "properties.enrolled", "a time is RFC 3339 with its offset")
        })?),
    };
    let home_store = text(properties, "home_store", "properties.home_store")?;
    let growth = match properties.get("growth") {
        None => 0,
        Some(value) => amount(value, "properties.growth")?,
    };
    let tier = match properties.get("tier") {
        None => None,
        Some(tier) => Some(TakenTier {
            level: text(tier, "level", "properties.tier.level")?.ok_or_else(|| {
                Refusal::new("tier_missing", "properties.tier.level", "a tier that is taken over has a level")
            })?,
            from: day(tier, "from", "properties.tier.from")?,
            last_day: day(tier, "last_day", "properties.tier.last_day")?,
        }),
    };
    Ok(Takeover {
        enrolled,
        home_store,
        lots: lots(properties)?,
        growth,
        growth_day: day(properties, "growth_day", "properties.growth_day")?,
        tier,
        tags: tags(properties)?,
        join: matches!(properties.get("join"), Some(Json::Bool(true))),
    })
}

fn lots(properties: &Json) -> Result<Vec<OpeningLot>, Refusal> {
    let list = match properties.get("lots") {
        None => return Ok(Vec::new()),
        Some(Json::List(list)) => list,
        Some(_) => return Err(Refusal::new("bad_lots", "properties.lots", "lots are a list")),
    };
    if list.len() > LOTS_MAX {
        let message = format!("{} lots; at most {LOTS_MAX}", list.len());
        return Err(Refusal::new("too_many_lots", "properties.lots", message));
    }
    let lot = |(i, lot): (usize, &Json)| {
        let field = format!("properties.lots[{i}].points");
        let points = amount(lot.get("points").unwrap_or(&Json::Null), &field)?;
        if points == 0 {
            return Err(Refusal::new("bad_amount", field, "a lot holds points"));
        }
        let last_day = day(lot, "last_day", &format!("properties.lots[{i}].last_day"))?;
        Ok(OpeningLot { points, last_day })
    };
    list.iter().enumerate().map(lot).collect()
}

fn tags(properties: &Json) -> Result<BTreeSet<String>, Refusal> {
    let field = "properties.tags";
    let bad = || Refusal::new("bad_tags", field, format!("tags are a list of at most {TAGS_MAX} texts"));
    let list = match properties.get("tags") {
        None => return Ok(BTreeSet::new()),
        Some(Json::List(list)) if list.len() <= TAGS_MAX => list,
        Some(_) => return Err(bad()),
    };
    let mut tags = BTreeSet::new();
    for tag in list {
        let tag = tag.text().filter(|tag| !tag.is_empty()).ok_or_else(bad)?;
        bounded(field, tag)?;
        tags.insert(tag.to_owned());
    }
    Ok(tags)
}

/// A whole amount from 0 to [`AMOUNT_MAX`].
fn amount(value: &Json, field: &str) -> Result<i64, Refusal> {
    let number = match value {
        Json::Text(text) | Json::Number(text) | Json::Float(text) => parse_decimal(text).ok(),
        _ => None,
    };
    number
        .filter(|number| number.fract().is_zero())
        .and_then(|number| i64::try_from(number).ok())
        .filter(|number| (0..=AMOUNT_MAX).contains(number))
        .ok_or_else(|| Refusal::new("bad_amount", field, "a whole number from 0 to 1,000,000,000,000"))
}

fn text(of: &Json, key: &str, field: &str) -> Result<Option<String>, Refusal> {
    match of.get(key) {
        None => Ok(None),
        Some(value) => match value.text_or_number().map(str::trim) {
            Some(text) if !text.is_empty() => {
                bounded(field, text)?;
                Ok(Some(text.to_owned()))
            }
            _ => Err(Refusal::new("bad_text", field, format!("a text of 1 to {TEXT_CHARS_MAX} characters"))),
        },
    }
}

fn day(of: &Json, key: &str, field: &str) -> Result<Option<Day>, Refusal> {
    match of.get(key) {
        None => Ok(None),
        Some(value) => value
            .text()
            .and_then(Day::parse)
            .map(Some)
            .ok_or_else(|| Refusal::new("bad_date", field, "a date is YYYY-MM-DD")),
    }
}
