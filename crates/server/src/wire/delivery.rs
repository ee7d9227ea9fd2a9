//! The items of a body: one, a list, or a batch with what all of its items share. Each is read on its own, so that what is
//! wrong with one is its own fault and memory holds one at a time.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zhiyin_engine::delivery::Incoming;
use zhiyin_model::event::json::Json;
use zhiyin_model::event::{ITEM_BYTES_MAX, Refusal};
use zhiyin_model::time::Ts;

use super::answer::Refused;
use super::body::BYTES_MAX;
use super::{posthog, secret};
use crate::problem::Problem;

/// The most items of a batch (Segment: 2,500).
const ITEMS_MAX: usize = 2_500;
/// The most bytes of a batch with what all items share in each of them.
const SHARED_BYTES_MAX: usize = 2 * BYTES_MAX;

/// What is read of what stands beside the items, besides a key: what they share, and when they were sent. The rest is passed over
/// unread: a small body can be large in memory.
const USED: [&str; 4] = ["context", "integrations", "sentAt", "sent_at"];

/// Whose form a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One item of Segment's, of this type.
    One(&'static str),
    /// A batch of them.
    Batch,
    /// PostHog's events: one, a list, or a batch.
    PostHog,
}

/// A body, taken apart.
pub(super) struct Parts<'b> {
    form: Form,
    items: Vec<&'b RawValue>,
    /// What stands beside the items of a batch.
    beside: BTreeMap<String, Json>,
}

impl<'b> Parts<'b> {
    /// Takes a body apart. What is wrong with it as a whole is refused; its items are not looked into.
    pub(super) fn of(form: Form, bytes: &'b [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let message = format!("byte {} is not UTF-8", error.valid_up_to());
            Refused::unreadable(Refusal::new("not_utf8", "", message))
        })?;
        let whole: &RawValue = serde_json::from_str(text).map_err(|error| bad_json(&error))?;
        let mut parts = Self { form, items: Vec::new(), beside: BTreeMap::new() };
        if matches!(form, Form::One(_)) {
            parts.alone(whole)?;
        } else if whole.get().starts_with('[') {
            parts.items = listed(whole)?;
        } else {
            parts.open(whole)?;
        }
        let n = parts.items.iter().position(|item| item.get().len() > ITEM_BYTES_MAX);
        match n {
            None => Ok(parts),
            Some(n) => Err(Problem::of("item_too_large").at(&format!("batch[{n}]")).into()),
        }
    }

    /// One item that is the whole body: where it does not read, the body does not.
    fn alone(&mut self, whole: &'b RawValue) -> Result<(), Refused> {
        self.items.push(whole);
        if whole.get().len() > ITEM_BYTES_MAX {
            return Err(Problem::of("item_too_large").into());
        }
        Json::parse(whole.get().as_bytes()).map(drop).map_err(Refused::unreadable)
    }

    fn open(&mut self, whole: &'b RawValue) -> Result<(), Refused> {
        let Fields(fields) = serde_json::from_str(whole.get()).map_err(|error| bad_json(&error))?;
        let mut batch = None;
        for (key, value) in fields {
            if key == "batch" {
                batch = Some(value);
            } else if USED.contains(&key.as_str()) || secret::NAMES.contains(&key.as_str()) {
                // It is written into items, or is a key or a time: longer than an item it is none of these.
                if value.get().len() > ITEM_BYTES_MAX {
                    return Err(Problem::of("item_too_large").at(&key).into());
                }
                let value = Json::parse(value.get().as_bytes())
                    .map_err(|refusal| Refused::unreadable(Refusal { field: key.clone(), ..refusal }))?;
                self.beside.insert(key, value);
            }
        }
        match batch {
            Some(batch) => self.items = listed(batch)?,
            // One event of PostHog's has no batch around it.
            None if self.form == Form::PostHog => self.alone(whole)?,
            None => {
                let refusal = Refusal::new("batch_missing", "batch", "a batch has a list of items");
                return Err(Refused::unreadable(refusal));
            }
        }
        // What all share is written into each of them.
        let shared: usize = ["context", "integrations"].map(|key| self.length(key)).iter().sum();
        let own: usize = self.items.iter().map(|item| item.get().len()).sum();
        if own.saturating_add(shared.saturating_mul(self.items.len())) > SHARED_BYTES_MAX {
            return Err(Problem::of("batch_too_large").into());
        }
        Ok(())
    }

    fn length(&self, key: &str) -> usize {
        let mut text = String::new();
        if let Some(value) = self.beside.get(key) {
            value.write(&mut text);
        }
        text.len()
    }

    /// Where a key may stand: beside the items, or in the first of them.
    pub(super) fn with_keys(&self) -> Vec<Json> {
        let first = self.items.first().and_then(|item| Json::parse(item.get().as_bytes()).ok());
        [Json::Object(self.beside.clone())].into_iter().chain(first).collect()
    }

    /// What the sender calls its items.
    pub(super) fn ids(&self) -> Vec<Option<String>> {
        let key = if self.form == Form::PostHog { "uuid" } else { "messageId" };
        let id = |item: &&RawValue| {
            let item = Json::parse(item.get().as_bytes()).ok()?;
            item.get(key).and_then(Json::text_or_number).map(str::to_owned)
        };
        self.items.iter().map(id).collect()
    }

    /// The items, one after the other.
    pub(super) fn items(&self) -> impl ExactSizeIterator<Item = Result<Incoming, Refusal>> {
        let sent_at = ["sentAt", "sent_at"].into_iter().find_map(|key| instant(self.beside.get(key)));
        self.items.iter().map(move |item| {
            let item = Json::parse(item.get().as_bytes())?;
            let item = match self.form {
                Form::PostHog => posthog::item(item)?,
                Form::One(kind) => typed(item, kind)?,
                Form::Batch => self.shared(item)?,
            };
            // Its own says more than that of the batch.
            let sent_at = instant(item.get("sentAt")).or(sent_at);
            Ok(Incoming { item, sent_at })
        })
    }

    /// An item with what all share, unless it says otherwise itself.
    fn shared(&self, item: Json) -> Result<Json, Refusal> {
        let Json::Object(mut item) = item else { return Err(no_object()) };
        for key in ["context", "integrations"] {
            let Some(Json::Object(shared)) = self.beside.get(key) else { continue };
            match item.entry(key.to_owned()).or_insert(Json::Null) {
                Json::Object(own) => {
                    for (key, value) in shared {
                        own.entry(key.clone()).or_insert_with(|| value.clone());
                    }
                }
                own @ Json::Null => *own = Json::Object(shared.clone()),
                _ => {}
            }
        }
        Ok(Json::Object(item))
    }
}

/// An item of the type that its address says.
fn typed(item: Json, kind: &str) -> Result<Json, Refusal> {
    let Json::Object(mut item) = item else { return Err(no_object()) };
    item.insert("type".to_owned(), Json::Text(kind.to_owned()));
    Ok(Json::Object(item))
}

fn no_object() -> Refusal {
    Refusal::new("bad_item", "", "an item is a JSON object")
}

/// What cannot be read as an instant says nothing.
fn instant(value: Option<&Json>) -> Option<Ts> {
    value.and_then(Json::text).and_then(|text| Ts::parse(text.trim()))
}

fn listed(list: &RawValue) -> Result<Vec<&RawValue>, Refused> {
    if !list.get().starts_with('[') {
        let refusal = Refusal::new("bad_batch", "batch", "a batch is a list of items");
        return Err(Refused::unreadable(refusal));
    }
    let List(items) = serde_json::from_str(list.get()).map_err(|error| bad_json(&error))?;
    Ok(items)
}

/// Our own refusals travel through serde's error as `code|message`.
fn bad_json(error: &serde_json::Error) -> Refused {
    let text = error.to_string();
    let own = [("too_many_items", "batch"), ("duplicate_key", "")];
    let own = own.iter().find_map(|(code, field)| {
        let message = text.strip_prefix(code)?.strip_prefix('|')?;
        Some(Refusal::new(code, *field, message))
    });
    Refused::unreadable(own.unwrap_or_else(|| Refusal::new("bad_json", "", text)))
}

/// The fields of an object, unread, each once.
struct Fields<'b>(Vec<(String, &'b RawValue)>);

impl<'de: 'b, 'b> Deserialize<'de> for Fields<'b> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a batch")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut fields: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((key, value)) = access.next_entry::<String, &'de RawValue>()? {
                    // A body of nothing but keys would take long to compare.
                    if fields.len() >= 256 || fields.iter().any(|(known, _)| *known == key) {
                        let shown: String = key.chars().take(40).collect();
                        let message = format!("duplicate_key|{shown:?} stands twice, or is one of too many");
                        return Err(de::Error::custom(message));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reading)
    }
}

/// The items of a list, unread.
struct List<'b>(Vec<&'b RawValue>);

impl<'de: 'b, 'b> Deserialize<'de> for List<'b> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == ITEMS_MAX {
                        let message =
                            format!("too_many_items|more than {ITEMS_MAX} items; send them in parts");
                        return Err(de::Error::custom(message));
                    }
                    items.push(item);
                }
                Ok(List(items))
            }
        }

        deserializer.deserialize_seq(Reading)
    }
}
