//! Short codes: what a poster, a card or an advert carries along (`utm_source=douyin`, `short_code=A0042`) stands for a
//! touchpoint of the playbook, a place of the tree or somebody of its staff.
//!
//! What an item says itself goes before what a code stands for. What is found is written into the item, so that it is read like
//! anything else that came in.

use std::collections::BTreeMap;

use zhiyin_model::event::json::Json;

use crate::Live;
use crate::places::Tree;

/// Where a campaign's words stand in `context.campaign` (Segment's names).
const CAMPAIGN: [&str; 5] = ["source", "medium", "name", "content", "term"];
/// What may be a short code among properties, and in the context.
const PROPERTIES: [&str; 7] =
    ["short_code", "scene", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];
/// The most codes of an item that are looked up.
const CODES_MAX: usize = 16;

const TOUCHPOINT: [&str; 1] = ["touchpoint"];
const STORE: [&str; 2] = ["store_id", "store"];
const STAFF: [&str; 2] = ["staff_id", "staff"];

/// The codes of an item.
pub(super) struct Codes(Vec<String>);

/// The object under a key of an object, made where there is none; `None` where something else is in the way.
pub(super) fn object_in<'j>(item: &'j mut Json, key: &str) -> Option<&'j mut BTreeMap<String, Json>> {
    let Json::Object(map) = item else { return None };
    let entry = map.entry(key.to_owned()).or_insert(Json::Null);
    if *entry == Json::Null {
        *entry = Json::Object(BTreeMap::new());
    }
    match entry {
        Json::Object(map) => Some(map),
        _ => None,
    }
}

fn says<'j>(item: &'j Json, places: &[&str], keys: &[&str]) -> Option<&'j Json> {
    let found = places.iter().filter_map(|place| item.get(place));
    found.flat_map(|place| keys.iter().filter_map(|key| place.get(key))).next()
}

impl Codes {
    /// What in an item may be one; `None` where there is nothing to look up.
    pub(super) fn of(item: &Json) -> Option<Self> {
        let campaign = item.get("context").and_then(|context| context.get("campaign"));
        let campaign = campaign.into_iter().flat_map(|campaign| CAMPAIGN.map(|key| campaign.get(key)));
        let places = ["properties", "context"].into_iter().filter_map(|place| item.get(place));
        let named = places.flat_map(|place| PROPERTIES.map(|key| place.get(key)));
        // A poster may carry several (`s=0017&a=A0042`).
        let words = campaign.chain(named).flatten().filter_map(Json::text_or_number);
        let words = words.flat_map(|text| text.split(['&', ';', ',', '|']));
        let words = words.map(|word| word.rsplit('=').next().unwrap_or(word).trim());
        let codes: Vec<String> =
            words.filter(|word| !word.is_empty()).take(CODES_MAX).map(str::to_owned).collect();
        let tells_staff = says(item, &["context"], &STAFF).is_some();
        (!codes.is_empty() || tells_staff).then_some(Self(codes))
    }

    /// Writes into an item what its codes stand for.
    pub(super) fn spell_out(&self, item: &mut Json, live: Option<&Live>, tree: &Tree) {
        let both = ["properties", "context"];
        let find = |stands: &dyn Fn(&str) -> bool| self.0.iter().find(|code| stands(code)).cloned();
        let touchpoint = find(&|code| live.is_some_and(|live| live.playbook.touchpoints.contains_key(code)));
        let store = find(&|code| tree.find(code).is_some());
        let staff = says(item, &["context"], &STAFF).and_then(Json::text_or_number).map(str::to_owned);
        let staff = staff.or_else(|| find(&|code| tree.has_staff(code)));
        let found = [
            (touchpoint, TOUCHPOINT.as_slice(), "context"),
            (store, STORE.as_slice(), "context"),
            // Conditions read it as `event.staff_id`.
            (staff, STAFF.as_slice(), "properties"),
        ];
        for (code, keys, place) in found {
            let told = if place == "properties" { &both[..1] } else { &both[..] };
            let Some(code) = code.filter(|_| says(item, told, keys).is_none()) else { continue };
            if let Some(map) = object_in(item, place) {
                map.insert(keys[0].to_owned(), Json::Text(code));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_code_is_found_wherever_clients_put_it() {
        let cases = [
            (r#"{"context":{"campaign":{"source":"douyin","name":"spring"}}}"#, "douyin spring"),
            (r#"{"properties":{"short_code":"0017"}}"#, "0017"),
            (r#"{"properties":{"scene":"s=0017&a=A0042"}}"#, "0017 A0042"),
            (r#"{"context":{"short_code":17}}"#, "17"),
            (r#"{"properties":{"utm_source":"weibo","utm_term":""}}"#, "weibo"),
        ];
        for (item, expected) in cases {
            let codes = Codes::of(&Json::parse(item.as_bytes()).unwrap());
            assert_eq!(codes.map(|codes| codes.0.join(" ")).as_deref(), Some(expected), "{item}");
        }
        for item in [r"{}", r#"{"properties":{"code":"x"}}"#, r#"{"context":{"campaign":"x"}}"#] {
            assert!(Codes::of(&Json::parse(item.as_bytes()).unwrap()).is_none(), "{item}");
        }
    }
}
