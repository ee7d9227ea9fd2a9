//! What the columns of a take-over's file mean: the same names in CSV and in JSON lines.

use zhiyin_model::event::{Refusal, bounded};
use zhiyin_model::identifier;
use zhiyin_model::playbook::{AttributeKind, Playbook};

/// Attributes that every old system has.
const PROFILE: [&str; 4] = ["name", "gender", "birthday", "city"];
/// The most numbered columns of points: `points_2`, `points_expire_2`…
const NUMBERED_MAX: u16 = 100;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// What the row is called in the old system: the same row has the same key.
    Key,
    /// When they enrolled.
    Enrolled,
    /// The code of their home store.
    HomeStore,
    /// Points; the first is 1.
    Points(u16),
    /// The last day of these points.
    Expire(u16),
    /// Points as a list.
    Lots,
    /// Growth.
    Growth,
    /// The day it counts for.
    GrowthDay,
    /// The tier.
    Tier,
    /// Its first day.
    TierFrom,
    /// Its last day.
    TierUntil,
    /// Tags.
    Tags,
    /// An attribute.
    Attribute(String, AttributeKind),
    /// An identifier, by its namespace.
    Identifier(String),
}

/// What a column of this name holds.
pub(super) fn column(name: &str, playbook: &Playbook) -> Result<Column, Refusal> {
    bounded(name, name)?;
    let plain = match name {
        "key" => Some(Column::Key),
        "enrolled" => Some(Column::Enrolled),
        "home_store" => Some(Column::HomeStore),
        "points" => Some(Column::Points(1)),
        "points_expire" => Some(Column::Expire(1)),
        "lots" => Some(Column::Lots),
        "growth" => Some(Column::Growth),
        "growth_day" => Some(Column::GrowthDay),
        "tier" => Some(Column::Tier),
        "tier_from" => Some(Column::TierFrom),
        "tier_until" => Some(Column::TierUntil),
        "tags" => Some(Column::Tags),
        _ => None,
    };
    if let Some(column) = plain.or_else(|| numbered(name)) {
        return Ok(column);
    }
    if name == "consents" || name.starts_with("consent") {
        let message = "consents are not taken over yet: leave this column out, and keep it";
        return Err(Refusal::new("column_not_yet", name, message));
    }
    if let Some(attribute) = name.strip_prefix("attr.").filter(|attribute| !attribute.is_empty()) {
        return Ok(attribute_of(attribute, playbook));
    }
    if let Some(namespace) = name.strip_prefix("id.").filter(|namespace| !namespace.is_empty()) {
        return Ok(Column::Identifier(namespace.to_owned()));
    }
    if PROFILE.contains(&name) {
        return Ok(attribute_of(name, playbook));
    }
    let kind = identifier::kind(name);
    let known = identifier::RULES.iter().any(|(known, _)| *known == kind)
        || [name, kind].iter().any(|name| playbook.identity.namespaces.contains_key(*name));
    if known {
        return Ok(Column::Identifier(name.to_owned()));
    }
    if playbook.attributes.contains_key(name) {
        return Ok(attribute_of(name, playbook));
    }
    let message = "no column of a take-over; an identifier of your own is id.NAME, an attribute attr.NAME";
    Err(Refusal::new("column_unknown", name, message))
}

fn numbered(name: &str) -> Option<Column> {
    let (what, number) = name.rsplit_once('_')?;
    let number = number.parse().ok().filter(|number| (2..=NUMBERED_MAX).contains(number))?;
    match what {
        "points" => Some(Column::Points(number)),
        "points_expire" => Some(Column::Expire(number)),
        _ => None,
    }
}

fn attribute_of(name: &str, playbook: &Playbook) -> Column {
    let declared = playbook.attributes.get(name).map(|declared| declared.kind);
    let kind = declared.unwrap_or(if name == "birthday" { AttributeKind::Date } else { AttributeKind::Text });
    Column::Attribute(name.to_owned(), kind)
}
