//! An item that was sent just now: its time by the clock of who receives it.
//!
//! A device's clock may be wrong by years, but it is equally wrong when something happens and when it is sent. So the time of
//! an item is when it was received, less how long before it was sent it happened (Segment's rule).

use super::json::Json;
use super::read::{event_of, message_id};
use super::whom::{self, Reading};
use super::{Item, Origin, Refusal};
use crate::time::{DAY_US, Ts};

/// What an item waited for on a device at most, if the device's clock is to be believed at all.
const WAITED_DAYS_MAX: i64 = 400;

/// When an item was sent, by the sender's clock, and when it was received, by ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was sent, where the sender says so.
    pub sent_at: Option<Ts>,
    /// When it was received.
    pub received_at: Ts,
}

impl Sent {
    /// When something happened that the sender's clock puts at `told`: received − (sent − told), never after it was received.
    /// Without `sent` it is as told. Who is more than a day wrong and says to have kept an item for years is not believed to
    /// know when it was sent.
    pub fn corrected(&self, told: Ts) -> Ts {
        let Some(sent_at) = self.sent_at else { return told };
        let skew_us = self.received_at.0.saturating_sub(sent_at.0);
        let waited_us = sent_at.0.saturating_sub(told.0);
        if skew_us.saturating_abs() > DAY_US && waited_us > WAITED_DAYS_MAX * DAY_US {
            return told;
        }
        told.plus_us(skew_us).min(self.received_at)
    }
}

/// Takes an item that was sent just now, read already: checks its shape and gives its canonical form. What is sent
/// again is known again, though it is received at another time: by what was stated, not by what its time was worked out to be. An item that states neither its time nor an id is a new one each time.
pub fn accept_sent(mut json: Json, origin: &Origin<'_>, sent: &Sent) -> Result<Item, Refusal> {
    let origin = Origin { user_namespace: origin.user_namespace, default_time: Some(sent.received_at) };
    let event = event_of(&json, &origin, Reading::Door)?;
    let tells_time = ["timestamp", "originalTimestamp"].iter().any(|field| json.get(field).is_some());
    let time = if tells_time { sent.corrected(event.time) } else { event.time };
    let reaches = whom::reaches(&event)?;
    let Json::Object(map) = &mut json else {
        return Err(Refusal::new("bad_item", "", "an item is a JSON object"));
    };
    for key in ["sentAt", "receivedAt", "originalTimestamp", "writeKey", "timestamp"] {
        map.remove(key);
    }
    let sent_id = map.remove("messageId");
    if tells_time {
        map.insert("timestamp".to_owned(), Json::Text(event.time.rfc3339()));
    }
    let mut stated = String::with_capacity(1_024);
    json.write(&mut stated);
    let (body, stated) = if tells_time && time == event.time {
        (stated, None)
    } else {
        if let Json::Object(map) = &mut json {
            map.insert("timestamp".to_owned(), Json::Text(time.rfc3339()));
        }
        let mut body = String::with_capacity(stated.len() + 48);
        json.write(&mut body);
        (body, Some(stated))
    };
    let named_by = stated.as_ref().filter(|_| tells_time).unwrap_or(&body);
    let message_id = message_id(sent_id.as_ref(), named_by)?;
    Ok(Item { message_id, time, name: event.name, body, stated, identifiers: event.identifiers, reaches })
}

#[cfg(test)]
mod tests {
    use super::super::accept;
    use super::*;
    use crate::id::IdKey;

    const KEY: IdKey = IdKey::from_bytes([1; 32]);

    fn at(text: &str) -> Ts {
        Ts::parse(text).unwrap()
    }

    fn origin() -> Origin<'static> {
        Origin { user_namespace: "user", default_time: None }
    }

    fn taken(item: &str, sent_at: Option<&str>, received_at: &str) -> Item {
        let sent = Sent { sent_at: sent_at.map(at), received_at: at(received_at) };
        accept_sent(Json::parse(item.as_bytes()).unwrap(), &origin(), &sent).unwrap()
    }

    #[test]
    fn a_time_is_when_it_was_received_less_how_long_it_waited() {
        let cases = [
            // (told, sent, the time that comes of it); all are received at noon.
            ("2026-01-01T11:50:00Z", Some("2026-01-01T12:00:00Z"), "2026-01-01T11:50:00Z"),
            ("2026-01-01T12:50:00Z", Some("2026-01-01T13:00:00Z"), "2026-01-01T11:50:00Z"),
            ("2026-01-01T10:50:00+00:00", Some("2026-01-01T11:00:00Z"), "2026-01-01T11:50:00Z"),
            ("1970-01-01T00:00:05Z", Some("1970-01-01T00:10:05Z"), "2026-01-01T11:50:00Z"),
            // Nothing happens after it was received.
            ("2026-01-01T12:00:00Z", Some("2026-01-01T11:00:00Z"), "2026-01-01T12:00:00Z"),
            // A backfill: it was sent now, and happened long ago.
            ("2019-03-01T08:00:00Z", Some("2026-01-01T12:00:00Z"), "2019-03-01T08:00:00Z"),
            // Two clocks that cannot both be right.
            ("2026-01-01T11:00:00Z", Some("2099-01-01T00:00:00Z"), "2026-01-01T11:00:00Z"),
            // Nobody says when it was sent.
            ("2026-01-01T13:00:00Z", None, "2026-01-01T13:00:00Z"),
        ];
        for (told, sent, expected) in cases {
            let item = format!(r#"{{"type":"track","event":"X","userId":"u","timestamp":"{told}"}}"#);
            assert_eq!(taken(&item, sent, "2026-01-01T12:00:00Z").time, at(expected), "{told} {sent:?}");
        }
        let item = r#"{"type":"track","event":"X","userId":"u","originalTimestamp":"2026-01-01T12:50:00Z"}"#;
        let item = taken(item, Some("2026-01-01T13:00:00Z"), "2026-01-01T12:00:00Z");
        assert_eq!(item.time, at("2026-01-01T11:50:00Z"));
        assert!(item.body.contains(r#""timestamp":"2026-01-01T11:50:00Z""#), "{}", item.body);
    }

    #[test]
    fn what_is_sent_again_is_known_again_whatever_its_time_comes_to() {
        let cases = [
            (r#","messageId":"m","timestamp":"2026-01-01T12:50:00Z""#, true),
            // Without an id it is what it says.
            (r#","timestamp":"2026-01-01T12:50:00Z""#, true),
            // Without a time too, by its id.
            (r#","messageId":"m""#, true),
            (r#","messageId":"m","timestamp":null"#, true),
            // With neither nobody can tell.
            ("", false),
        ];
        for (rest, same) in cases {
            let item = format!(r#"{{"type":"track","event":"X","userId":"u"{rest}}}"#);
            let first = taken(&item, Some("2026-01-01T13:00:00Z"), "2026-01-01T12:00:00Z");
            let again = taken(&item, Some("2026-01-01T13:00:07Z"), "2026-01-01T12:00:09Z");
            assert_eq!(first.id(&KEY, "s") == again.id(&KEY, "s"), same, "{rest}");
            assert!(!same || first.body_hash(&KEY) == again.body_hash(&KEY), "{rest}");
        }
    }

    #[test]
    fn what_needs_no_correction_is_as_any_other_way_in_takes_it() {
        let item = r#"{"type":"track","event":"X","userId":"u","timestamp":"2026-01-01T11:00:00+08:00"}"#;
        let file = accept(item.as_bytes(), &origin()).unwrap();
        assert_eq!(taken(item, None, "2026-01-01T12:00:00Z"), file);
    }
}
