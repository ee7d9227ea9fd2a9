//! A row of a take-over's file: what it says, checked, and the item that it becomes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::takeover;
use zhiyin_model::event::json::Json;
use zhiyin_model::event::{
    EXTERNAL_IDS_MAX, LOTS_MAX, OpeningLot, Refusal, TAGS_MAX, TAKEN_AMOUNT_MAX, TakenTier, Takeover,
    bounded, names,
};
use zhiyin_model::identifier::{self, Window};
use zhiyin_model::lunar::LunarDay;
use zhiyin_model::mask::Mask;
use zhiyin_model::money::parse_decimal;
use zhiyin_model::playbook::{AttributeKind, Expiry, Playbook};
use zhiyin_model::time::{Day, Ts, Zone};

use super::Fault;
use super::columns::Column;

/// What rows are read by.
pub(super) struct Ground<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) rules: &'a Rules,
    /// The instant up to which the old system kept the books.
    pub(super) as_of: Ts,
    /// The namespace whose value is a row's key.
    pub(super) key_namespace: Option<&'a str>,
}

/// An identifier of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) namespace: String,
    /// As it was given.
    pub(super) value: String,
    /// As it is compared within the file.
    pub(super) normal: String,
}

/// A row that can be taken over.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    /// Its message id: the hash of its key.
    pub(super) message_id: String,
    /// How people find it, masked.
    pub(super) who: String,
    /// The most telling first.
    pub(super) names: Vec<Name>,
    pub(super) facts: Takeover,
    traits: Map<String, Value>,
}

/// What a row says, by column.
pub(super) type Cells = BTreeMap<Column, Json>;

/// Reads a row; all that is wrong with it.
pub(super) fn read(ground: &Ground<'_>, line: u64, cells: &Cells) -> Result<Row, Vec<Fault>> {
    let mut wrong: Vec<Refusal> = Vec::new();
    let mut keep = |refusal: Refusal| wrong.push(refusal);
    let names = names_of(ground, cells, &mut keep);
    let facts = facts(ground, cells, &mut keep);
    let traits = traits(cells, &mut keep);
    let key = key(ground, cells, &names);
    if key.is_none() && !names.is_empty() {
        keep(Refusal::new("key_missing", "key", "a row needs the value that is its key"));
    }
    let who = names.first().and_then(|name| Mask::Masked.identifier(&name.namespace, &name.value));
    let who = who.zip(names.first()).map(|(shown, name)| format!("{} {shown}", name.namespace));
    let who = who.unwrap_or_default();
    match key {
        Some(message_id) if wrong.is_empty() => Ok(Row { line, message_id, who, names, facts, traits }),
        _ => Err(wrong.into_iter().map(|refusal| Fault::of(line, &who, refusal)).collect()),
    }
}

impl Row {
    /// The item that the row becomes; `join` where it may be of somebody who is here already.
    pub(super) fn item(&self, as_of: Ts, join: bool) -> Vec<u8> {
        let facts = &self.facts;
        let mut properties = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                properties.insert(key.to_owned(), value);
            }
        };
        put("enrolled", facts.enrolled.map(|at| at.rfc3339().into()));
        put("home_store", facts.home_store.clone().map(Into::into));
        let lot = |lot: &OpeningLot| match lot.last_day {
            Some(day) => json!({"points": lot.points, "last_day": day.to_string()}),
            None => json!({"points": lot.points}),
        };
        put("lots", (!facts.lots.is_empty()).then(|| facts.lots.iter().map(lot).collect()));
        put("growth", (facts.growth > 0).then(|| facts.growth.into()));
        put("growth_day", facts.growth_day.map(|day| day.to_string().into()));
        put("tier", facts.tier.as_ref().map(tier_item));
        put("tags", (!facts.tags.is_empty()).then(|| facts.tags.iter().cloned().collect()));
        put("join", join.then_some(Value::Bool(true)));
        let ids: Vec<Value> =
            self.names.iter().map(|name| json!({"id": name.value, "type": name.namespace})).collect();
        json!({
            "type": "track",
            "event": names::MEMBER_TAKEN_OVER,
            "messageId": self.message_id,
            "timestamp": as_of.rfc3339(),
            "context": {"externalIds": ids},
            "traits": self.traits,
            "properties": properties,
        })
        .to_string()
        .into_bytes()
    }
}

fn tier_item(tier: &TakenTier) -> Value {
    let mut item = Map::from_iter([("level".to_owned(), Value::from(tier.level.clone()))]);
    for (key, day) in [("from", tier.from), ("last_day", tier.last_day)] {
        if let Some(day) = day {
            item.insert(key.to_owned(), day.to_string().into());
        }
    }
    Value::Object(item)
}

/// The identifiers of a row. Values that name nobody are passed over.
fn names_of(ground: &Ground<'_>, cells: &Cells, wrong: &mut impl FnMut(Refusal)) -> Vec<Name> {
    let mut found: Vec<(u16, Name)> = Vec::new();
    for (column, cell) in cells {
        let Column::Identifier(namespace) = column else { continue };
        let rule = ground.playbook.identity.rule(namespace);
        let mut n = 0;
        for value in several(cell) {
            let Some(value) = value else {
                wrong(Refusal::new("bad_identifier", namespace, "an identifier is a text or a whole number"));
                continue;
            };
            let value = value.trim();
            if value.is_empty() || ground.playbook.identity.is_blocked(namespace, value) {
                continue;
            }
            let normal = match identifier::normalise(namespace, value) {
                Ok(normal) => normal,
                Err(refusal) => {
                    wrong(Refusal { field: namespace.clone(), ..refusal });
                    continue;
                }
            };
            if ground.playbook.identity.is_blocked(namespace, &normal)
                || found.iter().any(|(_, name)| name.namespace == *namespace && name.normal == normal)
            {
                continue;
            }
            n += 1;
            let name = Name { namespace: namespace.clone(), value: value.to_owned(), normal };
            found.push((rule.priority, name));
        }
        if n > rule.limit && rule.window == Window::Ever {
            let message = format!("{n} of one member; at most {}", rule.limit);
            wrong(Refusal::new("identifier_limit", namespace, message));
        }
    }
    if found.is_empty() {
        wrong(Refusal::new("nobody", "", "no identifier that names anybody"));
    }
    if found.len() > EXTERNAL_IDS_MAX {
        let message = format!("{} identifiers; at most {EXTERNAL_IDS_MAX}", found.len());
        wrong(Refusal::new("too_many_identifiers", "", message));
    }
    found.sort_by(|(one, a), (other, b)| (one, &a.namespace).cmp(&(other, &b.namespace)));
    found.into_iter().map(|(_, name)| name).collect()
}

/// What a row is called: the hash of its key, so that its value is not told with it.
fn key(ground: &Ground<'_>, cells: &Cells, names: &[Name]) -> Option<String> {
    let named = |name: &Name| (name.namespace.clone(), name.normal.clone());
    let (namespace, value) = match (ground.key_namespace, cells.get(&Column::Key)) {
        (Some(namespace), _) => named(names.iter().find(|name| name.namespace == namespace)?),
        (None, Some(key)) => {
            let key = key.text_or_number().map(str::trim).filter(|key| !key.is_empty())?;
            ("key".to_owned(), key.to_owned())
        }
        (None, None) => named(names.first()?),
    };
    // No home's key is in it: the digest names rows by their message ids. A sealed home keeps a keyed hash of it instead.
    let mut hasher = blake3::Hasher::new_derive_key("zhiyin takeover key");
    for part in [&namespace, &value] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    Some(hasher.finalize().to_hex().as_str().chars().take(32).collect())
}

/// What a cell holds one after the other: a list, or texts parted by semicolons; `None` for what is no text.
fn several(cell: &Json) -> Vec<Option<&str>> {
    match cell {
        Json::List(list) => list.iter().map(Json::text_or_number).collect(),
        Json::Text(text) => text.split(';').map(Some).collect(),
        other => vec![other.text_or_number()],
    }
}

fn facts(ground: &Ground<'_>, cells: &Cells, wrong: &mut impl FnMut(Refusal)) -> Takeover {
    let mut facts = Takeover::default();
    let mut take = |said: Result<(), Refusal>| said.unwrap_or_else(&mut *wrong);
    take(enrolled(ground, cells).map(|enrolled| facts.enrolled = enrolled));
    take(text(cells, &Column::HomeStore, "home_store").map(|store| facts.home_store = store));
    take(lots(ground, cells).map(|lots| facts.lots = lots));
    take(whole(cells.get(&Column::Growth), "growth").map(|growth| facts.growth = growth.unwrap_or(0)));
    take(day(cells.get(&Column::GrowthDay), "growth_day").map(|day| facts.growth_day = day));
    take(tier(cells).map(|tier| facts.tier = tier));
    take(tags(ground, cells).map(|tags| facts.tags = tags));
    if let Err(refusal) = takeover::check(ground.rules, (ground.as_of, &facts)) {
        take(Err(of_column(refusal)));
    }
    facts
}

/// A refusal of the decision, at the column that it came from.
fn of_column(refusal: Refusal) -> Refusal {
    let column = match refusal.field.as_str() {
        field if field.starts_with("properties.lots") => "points_expire",
        "properties.growth_day" => "growth_day",
        "properties.tier.level" => "tier",
        "properties.tier.from" => "tier_from",
        "properties.tier.last_day" => "tier_until",
        "properties.tags" => "tags",
        other => other,
    };
    Refusal { field: column.to_owned(), ..refusal }
}

fn enrolled(ground: &Ground<'_>, cells: &Cells) -> Result<Option<Ts>, Refusal> {
    let field = "enrolled";
    let Some(cell) = cells.get(&Column::Enrolled) else { return Ok(None) };
    let instant = cell.text().and_then(|text| instant(text.trim(), &ground.rules.zone)).ok_or_else(|| {
        Refusal::new("bad_date", field, "a date is YYYY-MM-DD, a time YYYY-MM-DD HH:MM:SS or RFC 3339")
    })?;
    if instant > ground.as_of {
        return Err(Refusal::new("enrolled_later", field, "after the take-over"));
    }
    Ok(Some(instant))
}

/// An instant: RFC 3339, or a date or a time by the brand's wall clock.
fn instant(text: &str, zone: &Zone) -> Option<Ts> {
    if let Some(at) = Ts::parse(text) {
        return Some(at);
    }
    if let Some(day) = date(text) {
        return Some(zone.start(day));
    }
    let civil: DateTime = text.replace('/', "-").parse().ok()?;
    let midnight = zone.start(Day::from_date(civil.date()));
    let time = civil.time();
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Some(midnight.plus_us(seconds * 1_000_000))
}

fn date(text: &str) -> Option<Day> {
    Day::parse(&text.replace('/', "-"))
}

fn day(cell: Option<&Json>, field: &str) -> Result<Option<Day>, Refusal> {
    let Some(cell) = cell else { return Ok(None) };
    let day = cell.text().and_then(|text| date(text.trim()));
    day.map(Some).ok_or_else(|| Refusal::new("bad_date", field, "a date is YYYY-MM-DD"))
}

/// A whole amount from 0 up.
fn whole(cell: Option<&Json>, field: &str) -> Result<Option<i64>, Refusal> {
    let Some(cell) = cell else { return Ok(None) };
    let bad = || Refusal::new("bad_amount", field, "a whole number from 0 to 1,000,000,000,000");
    let number = match cell {
        Json::Text(text) | Json::Number(text) | Json::Float(text) => {
            parse_decimal(text).map_err(|_| bad())?
        }
        _ => return Err(bad()),
    };
    let amount = Some(number).filter(|number| number.fract().is_zero()).and_then(|n| i64::try_from(n).ok());
    amount.filter(|amount| (0..=TAKEN_AMOUNT_MAX).contains(amount)).map(Some).ok_or_else(bad)
}

/// Points by their last day. What expires on one day is one lot.
fn lots(ground: &Ground<'_>, cells: &Cells) -> Result<Vec<OpeningLot>, Refusal> {
    let mut by_day: BTreeMap<Option<Day>, i64> = BTreeMap::new();
    let mut add = |points: i64, expire: Option<&Json>, field: &str| -> Result<(), Refusal> {
        if points == 0 {
            return Ok(());
        }
        let sum = by_day.entry(last_day(ground, expire, field)?).or_default();
        *sum = sum.saturating_add(points);
        if *sum > TAKEN_AMOUNT_MAX {
            return Err(Refusal::new("amount_too_large", field, "more points than one lot may hold"));
        }
        Ok(())
    };
    let listed = cells.get(&Column::Lots);
    for (column, cell) in cells {
        let Column::Points(n) = column else { continue };
        let numbered = |name: &str| if *n == 1 { name.to_owned() } else { format!("{name}_{n}") };
        let points = whole(Some(cell), &numbered("points"))?.unwrap_or(0);
        if points > 0 && listed.is_some() {
            return Err(Refusal::new(
                "points_twice",
                "lots",
                "points are in `points` or in `lots`, not in both",
            ));
        }
        add(points, cells.get(&Column::Expire(*n)), &numbered("points_expire"))?;
    }
    let parsed;
    let listed = match listed {
        // In a cell of a CSV file the list is a text.
        Some(Json::Text(text)) => {
            parsed = Json::parse(text.as_bytes()).map_err(|_| bad_lots())?;
            Some(&parsed)
        }
        listed => listed,
    };
    match listed {
        None => {}
        Some(Json::List(list)) => {
            for (i, lot) in list.iter().enumerate() {
                let points = whole(lot.get("points"), &format!("lots[{i}].points"))?.ok_or_else(bad_lots)?;
                add(points, lot.get("expire"), &format!("lots[{i}].expire"))?;
            }
        }
        Some(_) => return Err(bad_lots()),
    }
    if by_day.len() > LOTS_MAX {
        let message = format!("{} lots; at most {LOTS_MAX}", by_day.len());
        return Err(Refusal::new("too_many_lots", "points", message));
    }
    Ok(by_day.into_iter().map(|(last_day, points)| OpeningLot { points, last_day }).collect())
}

fn bad_lots() -> Refusal {
    Refusal::new("bad_lots", "lots", r#"lots are a list of {"points": 100, "expire": "2026-12-31"}"#)
}

/// The last day of points: a date, or `never`. Nothing is guessed, unless the playbook's own points never expire.
fn last_day(ground: &Ground<'_>, cell: Option<&Json>, field: &str) -> Result<Option<Day>, Refusal> {
    match cell {
        Some(Json::Text(text)) if text.trim() == "never" => Ok(None),
        Some(cell) => day(Some(cell), field),
        None if ground.playbook.points.expire == Expiry::Never => Ok(None),
        None => {
            let message = "points need the last day on which they can be spent: a date, or never";
            Err(Refusal::new("expiry_missing", field, message))
        }
    }
}

fn tier(cells: &Cells) -> Result<Option<TakenTier>, Refusal> {
    let from = day(cells.get(&Column::TierFrom), "tier_from")?;
    let last_day = day(cells.get(&Column::TierUntil), "tier_until")?;
    match text(cells, &Column::Tier, "tier")? {
        Some(level) => Ok(Some(TakenTier { level, from, last_day })),
        None if from.is_some() || last_day.is_some() => {
            Err(Refusal::new("tier_missing", "tier", "a term without its tier"))
        }
        None => Ok(None),
    }
}

fn tags(ground: &Ground<'_>, cells: &Cells) -> Result<BTreeSet<String>, Refusal> {
    let mut tags = BTreeSet::new();
    let Some(cell) = cells.get(&Column::Tags) else { return Ok(tags) };
    for tag in several(cell) {
        let tag = tag.map(str::trim).ok_or_else(|| Refusal::new("bad_tags", "tags", "a tag is a text"))?;
        if tag.is_empty() {
            continue;
        }
        if !ground.playbook.tags.contains_key(tag) {
            let message = "the playbook has no such tag: declare it without a rule, it is then given by hand";
            return Err(Refusal::new("tag_unknown", "tags", message));
        }
        tags.insert(tag.to_owned());
    }
    if tags.len() > TAGS_MAX {
        return Err(Refusal::new("bad_tags", "tags", format!("at most {TAGS_MAX} tags")));
    }
    Ok(tags)
}

fn text(cells: &Cells, column: &Column, field: &str) -> Result<Option<String>, Refusal> {
    let Some(cell) = cells.get(column) else { return Ok(None) };
    let text = cell.text_or_number().map(str::trim);
    let text = text.ok_or_else(|| Refusal::new("bad_text", field, "a text or a whole number"))?;
    bounded(field, text)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn traits(cells: &Cells, wrong: &mut impl FnMut(Refusal)) -> Map<String, Value> {
    let mut traits = Map::new();
    for (column, cell) in cells {
        let Column::Attribute(name, kind) = column else { continue };
        match attribute(cell, *kind, name) {
            Ok(value) => drop(traits.insert(name.clone(), value)),
            Err(refusal) => wrong(refusal),
        }
    }
    traits
}

/// An attribute as what the playbook declares it to be.
fn attribute(cell: &Json, kind: AttributeKind, name: &str) -> Result<Value, Refusal> {
    let bad = |what: &str| Refusal::new("bad_attribute", name, format!("not {what}"));
    let words = cell.text_or_number().map(str::trim);
    let value = match (kind, cell) {
        (AttributeKind::Bool, Json::Bool(value)) => Value::Bool(*value),
        (AttributeKind::Bool, _) => match words.map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "1") => Value::Bool(true),
            Some("false" | "no" | "0") => Value::Bool(false),
            _ => return Err(bad("true or false")),
        },
        (AttributeKind::Number, Json::Text(text) | Json::Number(text) | Json::Float(text)) => {
            let number = parse_decimal(text).map_err(|_| bad("a number"))?;
            serde_json::from_str(&number.to_string()).map_err(|_| bad("a number"))?
        }
        // Who keeps their birthday by the lunar calendar.
        (AttributeKind::Date, Json::Text(text))
            if name == "birthday" && LunarDay::parse(text.trim()).is_some() =>
        {
            text.trim().into()
        }
        (AttributeKind::Date, Json::Text(text)) => {
            date(text.trim()).ok_or_else(|| bad("a date, YYYY-MM-DD"))?.to_string().into()
        }
        (AttributeKind::Texts, cell) => {
            let texts: Option<Vec<&str>> = several(cell).into_iter().collect();
            let texts = texts.ok_or_else(|| bad("a list of texts"))?;
            texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect()
        }
        (AttributeKind::Text, _) => words.ok_or_else(|| bad("a text"))?.into(),
        (AttributeKind::Number, _) => return Err(bad("a number")),
        (AttributeKind::Date, _) => return Err(bad("a date, YYYY-MM-DD")),
    };
    if words.is_some_and(|words| words.contains('\0')) {
        return Err(Refusal::new("bad_text", name, "holds a NUL character"));
    }
    Ok(value)
}
