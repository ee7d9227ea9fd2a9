//! Reading an item of the Segment wire: limits first, then what every item has, then what its type adds.

use std::collections::BTreeMap;

use super::json::Json;
use super::whom::{self, Reading};
use super::{Event, Item, Origin, RENAMED, Refusal, checkout, names, order, takeover};
use crate::scalar::Scalar;
use crate::time::Ts;

/// The most bytes an item may have (Segment's HTTP API: 32 KB a call).
pub const ITEM_BYTES_MAX: usize = 32 * 1024;
/// The most characters of a message id (Segment: 100).
pub const MESSAGE_ID_CHARS_MAX: usize = 100;
/// The most characters of an identifier, a name, a code.
pub const TEXT_CHARS_MAX: usize = 255;

/// The most categories of consent of an item.
pub const CATEGORIES_MAX: usize = 50;
/// The most external ids of an item.
pub const EXTERNAL_IDS_MAX: usize = 20;

/// Takes an item's bytes: checks limits and shape and gives its canonical form. Everything a decision will
/// read is read once here, so that what is malformed is refused at the door with its field.
pub fn accept(bytes: &[u8], origin: &Origin<'_>) -> Result<Item, Refusal> {
    if bytes.len() > ITEM_BYTES_MAX {
        let message = format!("{} bytes; an item has at most {ITEM_BYTES_MAX}", bytes.len());
        return Err(Refusal::new("item_too_large", "", message));
    }
    let mut json = Json::parse(bytes)?;
    let event = event_of(&json, origin, Reading::Door)?;
    let Json::Object(map) = &mut json else {
        return Err(Refusal::new("bad_item", "", "an item is a JSON object"));
    };
    for key in ["sentAt", "receivedAt", "originalTimestamp", "writeKey"] {
        map.remove(key);
    }
    // The time that was understood is the time that is kept, whichever field it came in.
    map.insert("timestamp".to_owned(), Json::Text(event.time.rfc3339()));
    let sent_id = map.remove("messageId");
    let mut body = String::with_capacity(bytes.len());
    json.write(&mut body);
    let message_id = message_id(sent_id.as_ref(), &body)?;
    let reaches = whom::reaches(&event)?;
    Ok(Item {
        message_id,
        time: event.time,
        name: event.name,
        body,
        stated: None,
        identifiers: event.identifiers,
        reaches,
    })
}

/// Reads a body that [`accept`] wrote, or that of an older program, which took names as they came.
pub fn read(body: &[u8], origin: &Origin<'_>) -> Result<Event, Refusal> {
    event_of(&Json::parse(body)?, origin, Reading::Record)
}

pub(super) fn message_id(sent: Option<&Json>, body: &str) -> Result<String, Refusal> {
    let field = "messageId";
    let Some(sent) = sent.filter(|value| **value != Json::Null) else {
        return Ok(format!("body-{}", &blake3::hash(body.as_bytes()).to_hex()[..32]));
    };
    let text = sent.text_or_number().ok_or_else(|| {
        Refusal::new("bad_message_id", field, "a message id is a text, or a whole number of at most 64 bits")
    })?;
    if text.is_empty() || text.chars().count() > MESSAGE_ID_CHARS_MAX {
        let message = format!("a message id has 1 to {MESSAGE_ID_CHARS_MAX} characters");
        return Err(Refusal::new("bad_message_id", field, message));
    }
    Ok(text.to_owned())
}

pub(super) fn event_of(json: &Json, origin: &Origin<'_>, reading: Reading) -> Result<Event, Refusal> {
    if !matches!(json, Json::Object(_)) {
        return Err(Refusal::new("bad_item", "", "an item is a JSON object"));
    }
    let name = name(json)?;
    let properties = json.get("properties").unwrap_or(&Json::Null);
    let context = json.get("context").unwrap_or(&Json::Null);
    let mut traits = BTreeMap::new();
    let mut traits_removed = Vec::new();
    // What is said of a group is of the group, not of its member.
    let own = json.get("traits").filter(|_| name != "group");
    for source in [own, context.get("traits")].into_iter().flatten() {
        read_traits(source, &mut traits, &mut traits_removed)?;
    }
    let code = |keys: &[&str]| -> Option<String> {
        [properties, context]
            .iter()
            .find_map(|place| keys.iter().find_map(|key| place.get(key)))
            .and_then(Json::text_or_number)
            .map(|text| text.chars().take(TEXT_CHARS_MAX).collect())
    };
    let speaks_of_order = matches!(
        name.as_str(),
        names::ORDER_COMPLETED
            | names::ORDER_UPDATED
            | names::ORDER_PAID
            | names::ORDER_REFUNDED
            | names::ORDER_CANCELLED
    );
    let takeover = match name.as_str() {
        names::MEMBER_TAKEN_OVER => Some(Box::new(takeover::read(properties)?)),
        _ => None,
    };
    Ok(Event {
        time: time(json, origin)?,
        identifiers: whom::identifiers(json, context, origin, reading)?,
        traits,
        traits_removed,
        properties: scalars(properties),
        touchpoint: without_nul("touchpoint", code(&["touchpoint"]))?,
        store: without_nul("store_id", code(&["store_id", "store"]))?,
        channel: without_nul(
            "channel",
            code(&["channel"]).or_else(|| json.get("channel").and_then(Json::text).map(str::to_owned)),
        )?,
        preferences: preferences(&name, context)?,
        order: if speaks_of_order { Some(order::read(properties)?) } else { None },
        takeover,
        checkout: if checkout::speaks_of_one(&name) {
            checkout::read(properties)?.map(Box::new)
        } else {
            None
        },
        name,
    })
}

fn name(json: &Json) -> Result<String, Refusal> {
    let kind = json
        .get("type")
        .and_then(Json::text)
        .ok_or_else(|| Refusal::new("type_missing", "type", "an item has a type"))?;
    match kind {
        "track" => {
            let name = json
                .get("event")
                .and_then(Json::text)
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .ok_or_else(|| Refusal::new("event_missing", "event", "a track item names its event"))?;
            bounded("event", name)?;
            let renamed = RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
            Ok(renamed.to_owned())
        }
        "identify" | "page" | "screen" | "group" | "alias" => Ok(kind.to_owned()),
        other => {
            let shown: String = other.chars().take(40).collect();
            let message = format!("{shown:?} is none of identify, track, page, screen, group, alias");
            Err(Refusal::new("type_unknown", "type", message))
        }
    }
}

fn time(json: &Json, origin: &Origin<'_>) -> Result<Ts, Refusal> {
    for field in ["timestamp", "originalTimestamp"] {
        if let Some(value) = json.get(field) {
            return value.text().and_then(|text| Ts::parse(text.trim())).ok_or_else(|| {
                Refusal::new(
                    "bad_timestamp",
                    field,
                    "a time is RFC 3339 with its offset: 2017-01-01T11:53:26Z",
                )
            });
        }
    }
    origin
        .default_time
        .ok_or_else(|| Refusal::new("timestamp_missing", "timestamp", "an item says when it happened"))
}

/// Consent by category, of the one event that is about it: others carry the same object along without saying anything new.
fn preferences(name: &str, context: &Json) -> Result<BTreeMap<String, bool>, Refusal> {
    let field = "context.consent.categoryPreferences";
    let said = context.get("consent").and_then(|consent| consent.get("categoryPreferences"));
    let Some(said) = said.filter(|_| name == names::CONSENT_PREFERENCES) else {
        return Ok(BTreeMap::new());
    };
    let Json::Object(map) = said else {
        return Err(Refusal::new("bad_consent", field, "categories with true or false"));
    };
    if map.len() > CATEGORIES_MAX {
        let message = format!("{} categories; at most {CATEGORIES_MAX}", map.len());
        return Err(Refusal::new("too_many_categories", field, message));
    }
    let preference = |(category, said): (&String, &Json)| match said {
        Json::Bool(said) => {
            bounded(field, category)?;
            Ok((category.clone(), *said))
        }
        _ => {
            let shown: String = category.chars().take(TEXT_CHARS_MAX).collect();
            Err(Refusal::new("bad_consent", format!("{field}.{shown}"), "a preference is true or false"))
        }
    };
    map.iter().map(preference).collect()
}

/// Refuses a text that is longer than names and codes may be, or that holds a NUL (no database takes it).
pub fn bounded(field: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = format!("longer than {TEXT_CHARS_MAX} characters");
        return Err(Refusal::new("text_too_long", field, message));
    }
    if text.contains('\0') {
        return Err(Refusal::new("bad_text", field, "holds a NUL character"));
    }
    Ok(())
}

/// Refuses a code that holds a NUL: it would be accepted, and no database could then be told of what it decided.
fn without_nul(field: &str, code: Option<String>) -> Result<Option<String>, Refusal> {
    match code {
        Some(code) if code.contains('\0') => {
            Err(Refusal::new("bad_text", format!("properties.{field}"), "holds a NUL character"))
        }
        code => Ok(code),
    }
}

fn read_traits(
    source: &Json,
    traits: &mut BTreeMap<String, Scalar>,
    removed: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Json::Object(map) = source else {
        return Err(Refusal::new("bad_traits", "traits", "traits is an object"));
    };
    for (key, value) in map {
        bounded(&format!("traits.{key}"), key)?;
        match value {
            Json::Null => removed.push(key.clone()),
            value => {
                if let Some(scalar) = value.scalar() {
                    traits.insert(key.clone(), scalar);
                }
            }
        }
    }
    Ok(())
}

fn scalars(properties: &Json) -> BTreeMap<String, Scalar> {
    let Json::Object(map) = properties else {
        return BTreeMap::new();
    };
    map.iter().filter_map(|(key, value)| value.scalar().map(|scalar| (key.clone(), scalar))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(item: &str, expect: &str) {
        let origin = Origin { user_namespace: "user", default_time: None };
        let got = match accept(item.as_bytes(), &origin) {
            Ok(item) => format!("{} {} {}", item.name, item.time, item.message_id),
            Err(refusal) => format!("{} @{}", refusal.code, refusal.field),
        };
        assert!(got.starts_with(expect), "{item}\n  got    {got}\n  expect {expect}");
    }

    #[test]
    fn every_malformed_item_is_refused_by_name_and_field() {
        let track = |rest: &str| {
            format!(
                r#"{{"type":"track","event":"X","userId":"u","messageId":"m","timestamp":"2017-01-01T00:00:00Z"{rest}}}"#
            )
        };
        let order = |properties: &str| {
            format!(
                r#"{{"type":"track","event":"Order Completed","userId":"u","messageId":"m","timestamp":"2017-01-01T00:00:00Z","properties":{properties}}}"#
            )
        };
        check(&track(""), "X 2017-01-01T00:00:00Z m");
        check(&track(r#","sentAt":"2020-01-01T00:00:00Z""#), "X 2017-01-01T00:00:00Z m");
        check(&track(r#","a":1,"a":2"#), "duplicate_key @");
        check(&track(r#","a":NaN"#), "bad_json @");
        check(&track(r#","a":1e999"#), "bad_json @");
        check(&track(&format!(r#","a":{}1{}"#, "[".repeat(40), "]".repeat(40))), "too_deep @");
        check(&"[".repeat(30_000), "too_deep @");
        check(&track(&format!(r#","a":"{}""#, "x".repeat(40_000))), "item_too_large @");
        check("", "bad_json @");
        check("[]", "bad_item @");
        check(r#"{"type":"trick"}"#, "type_unknown @type");
        check(r#"{"type":"track"}"#, "event_missing @event");
        check(r#"{"type":"track","event":"X","userId":"u"}"#, "timestamp_missing @timestamp");
        check(
            r#"{"type":"track","event":"X","userId":"u","timestamp":"2017-01-01 00:00:00"}"#,
            "bad_timestamp",
        );
        check(r#"{"type":"track","event":"X","timestamp":"2017-01-01T00:00:00Z"}"#, "nobody @userId");
        check(
            r#"{"type":"track","event":"X","userId":{},"timestamp":"2017-01-01T00:00:00Z"}"#,
            "bad_identifier",
        );
        let preferences = |said: &str| {
            format!(
                r#"{{"type":"track","event":"Segment Consent Preference Updated","userId":"u","messageId":"m","timestamp":"2017-01-01T00:00:00Z","context":{{"consent":{{"categoryPreferences":{said}}}}}}}"#
            )
        };
        check(&preferences(r#"{"Advertising":true}"#), "Segment Consent Preference Updated");
        check(&preferences("[true]"), "bad_consent @context.consent.categoryPreferences");
        check(
            &preferences(r#"{"Advertising":"yes"}"#),
            "bad_consent @context.consent.categoryPreferences.Advertising",
        );
        check(&order("{}"), "order_id_missing @properties.order_id");
        check(&order(r#"{"order_id":"1","total":"NaN"}"#), "bad_amount @properties.total");
        check(&order(r#"{"order_id":"1","order_version":1.5}"#), "bad_version @properties.order_version");
        check(&order(r#"{"order_id":"1","total":1,"order_version":"7"}"#), "Order Completed");
        check(&order(r#"{"order_id":"1","total":{}}"#), "bad_amount @properties.total");
        check(&order(r#"{"order_id":"1","total":"1e40"}"#), "amount_too_large @properties.total");
        check(&order(r#"{"order_id":"1","products":{}}"#), "bad_products @properties.products");
        check(&order(r#"{"order_id":"1","products":[{"quantity":-1}]}"#), "negative_quantity");
        check(&order(r#"{"order_id":"🎁 1","total":"12.30"}"#), "Order Completed");
        check(
            &order(r#"{"order_id":18446744073709551617,"total":1}"#),
            "order_id_missing @properties.order_id",
        );
        check(&order(r#"{"order_id":18446744073709551615,"total":1}"#), "Order Completed");
        check(
            &order(r#"{"order_id":"1","total":10,"shipping":-100}"#),
            "negative_amount @properties.shipping",
        );
        check(&order(r#"{"order_id":"1","total":10,"tax":"-0.01"}"#), "negative_amount @properties.tax");
        check(&order(r#"{"order_id":"1","discount":-1}"#), "negative_amount @properties.discount");
        check(
            r#"{"type":"identify","userId":18446744073709551617,"timestamp":"2017-01-01T00:00:00Z"}"#,
            "bad_identifier",
        );
        check(
            r#"{"type":"identify","userId":"u","messageId":1.5,"timestamp":"2017-01-01T00:00:00Z"}"#,
            "bad_message_id",
        );
    }

    #[test]
    fn equal_items_have_equal_bodies_and_a_missing_id_is_their_hash() {
        let origin = Origin { user_namespace: "user", default_time: None };
        let a = r#"{"type":"track","event":"X","userId":"u","timestamp":"2017-01-01T08:00:00+08:00","sentAt":"z"}"#;
        let b = r#"{"timestamp":"2017-01-01T00:00:00Z","userId":"u" ,"event":"X","type":"track"}"#;
        let (a, b) = (accept(a.as_bytes(), &origin).unwrap(), accept(b.as_bytes(), &origin).unwrap());
        assert_eq!(a, b);
        assert!(a.message_id.starts_with("body-"));
        assert_eq!(read(a.body.as_bytes(), &origin).unwrap().time, a.time);
    }
}
