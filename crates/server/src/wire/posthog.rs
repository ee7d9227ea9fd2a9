//! PostHog's events as items of Segment's: who is meant by `distinct_id`, what `$set` says of them, and which of its own events
//! are calls of Segment's.

use std::collections::BTreeMap;

use zhiyin_model::event::Refusal;
use zhiyin_model::event::json::Json;

type Map = BTreeMap<String, Json>;

/// An event of PostHog's as an item of Segment's.
pub(super) fn item(event: Json) -> Result<Json, Refusal> {
    let Json::Object(mut event) = event else {
        return Err(Refusal::new("bad_item", "", "an event is a JSON object"));
    };
    let name = match event.remove("event") {
        Some(Json::Text(name)) => name,
        _ => return Err(Refusal::new("event_missing", "event", "an event has a name")),
    };
    let mut properties = taken(&mut event, "properties");
    let id = event.remove("distinct_id").or_else(|| properties.remove("distinct_id")).filter(is_said);
    let Some(id) = id else {
        return Err(Refusal::new("nobody", "distinct_id", "an event has a distinct_id"));
    };
    let mut traits = Map::new();
    for place in [&mut event, &mut properties] {
        // What is set once gives way to what is set.
        for key in ["$set_once", "$set"] {
            traits.extend(taken(place, key));
        }
    }
    let mut item = Map::new();
    let called = if is_nobody_yet(&id, &properties) { "anonymousId" } else { "userId" };
    item.insert(called.to_owned(), id);
    for (ours, theirs) in [("messageId", "uuid"), ("timestamp", "timestamp"), ("sentAt", "sent_at")] {
        if let Some(value) = event.remove(theirs).filter(is_said) {
            item.insert(ours.to_owned(), value);
        }
    }
    let kind = match name.as_str() {
        "$identify" | "$set" => {
            if let Some(before) = properties.remove("$anon_distinct_id").filter(is_said) {
                item.insert("anonymousId".to_owned(), before);
            }
            "identify"
        }
        "$create_alias" | "$merge_dangerously" => {
            if let Some(alias) = properties.remove("alias").filter(is_said) {
                item.insert("previousId".to_owned(), alias);
            }
            "alias"
        }
        "$groupidentify" => {
            if let Some(group) = properties.remove("$group_key") {
                item.insert("groupId".to_owned(), group);
            }
            item.insert("traits".to_owned(), Json::Object(taken(&mut properties, "$group_set")));
            "group"
        }
        "$pageview" => "page",
        "$screen" => "screen",
        _ => "track",
    };
    item.insert("type".to_owned(), Json::Text(kind.to_owned()));
    if kind == "track" {
        item.insert("event".to_owned(), Json::Text(name));
    }
    if !traits.is_empty() {
        let traits = Json::Object(traits);
        if kind == "identify" {
            item.insert("traits".to_owned(), traits);
        } else {
            let context = Map::from([("traits".to_owned(), traits)]);
            item.insert("context".to_owned(), Json::Object(context));
        }
    }
    // What of its own bookkeeping says nothing of the event stays out; a key least of all is kept.
    properties.remove("token");
    item.insert("properties".to_owned(), Json::Object(properties));
    Ok(Json::Object(item))
}

fn is_said(value: &Json) -> bool {
    *value != Json::Null
}

fn taken(place: &mut Map, key: &str) -> Map {
    match place.remove(key) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Whether an id is that of a browser or of nobody in particular: nobody has said yet who it is.
fn is_nobody_yet(id: &Json, properties: &Map) -> bool {
    let says_no = |key: &str| properties.get(key) == Some(&Json::Bool(false));
    says_no("$is_identified")
        || says_no("$process_person_profile")
        || properties.get("$device_id") == Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_the_call_that_it_stands_for() {
        let cases = [
            (
                r#"{"event":"Order Completed","distinct_id":"u","uuid":"m","timestamp":"t","properties":{"order_id":"1","$set":{"city":"x"}}}"#,
                r#"{"context":{"traits":{"city":"x"}},"event":"Order Completed","messageId":"m","properties":{"order_id":"1"},"timestamp":"t","type":"track","userId":"u"}"#,
            ),
            (
                r#"{"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":"a"},"$set":{"n":1},"$set_once":{"n":2,"o":3}}"#,
                r#"{"anonymousId":"a","properties":{},"traits":{"n":1,"o":3},"type":"identify","userId":"u"}"#,
            ),
            (
                r#"{"event":"$create_alias","distinct_id":"u","properties":{"distinct_id":"u","alias":"b"}}"#,
                r#"{"previousId":"b","properties":{"distinct_id":"u"},"type":"alias","userId":"u"}"#,
            ),
            (
                r#"{"event":"$pageview","properties":{"distinct_id":"d","$device_id":"d","token":"k"}}"#,
                r#"{"anonymousId":"d","properties":{"$device_id":"d"},"type":"page"}"#,
            ),
        ];
        for (event, expected) in cases {
            let mut text = String::new();
            item(Json::parse(event.as_bytes()).unwrap()).unwrap().write(&mut text);
            assert_eq!(text, expected);
        }
        for (event, code) in [
            ("[]", "bad_item"),
            (r#"{"distinct_id":"u"}"#, "event_missing"),
            (r#"{"event":"X","distinct_id":null}"#, "nobody"),
        ] {
            assert_eq!(item(Json::parse(event.as_bytes()).unwrap()).unwrap_err().code, code, "{event}");
        }
    }
}
