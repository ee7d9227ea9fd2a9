//! What the pipeline is told of what left the home: items of the channel's own source, each by an id that comes from its cause, so that
//! what is told twice is taken once.

use serde_json::{Map, Value, json};
use zhiyin_decide::campaign::send::WITH;
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::sends::{SendRow, SendState};
use zhiyin_store::{Append, Home, NewEvent, StoreError, Ties, seal};

use crate::boxed;
use crate::{Engine, Result, clock};

/// What the source of a channel's items is called, before its name.
pub const SOURCE: &str = "channel:";
/// A reason that begins so says that nothing reaches the member there any more.
pub(crate) const UNREACHABLE: &str = "unreachable: ";

/// An item of a channel about a member.
pub(crate) fn event(
    home: &Home,
    channel: &str,
    (member, message_id): (MemberId, String),
    name: &'static str,
    properties: Map<String, Value>,
    at: Ts,
) -> NewEvent {
    let source = format!("{SOURCE}{channel}");
    let body = json!({
        "context": {"externalIds": [{"id": member.to_string(), "type": "member"}]},
        "event": name,
        "properties": properties,
        "timestamp": at.rfc3339(),
        "type": "track",
    });
    let id: EventId = home.id_key.derive("event", &[source.as_bytes(), message_id.as_bytes()]);
    NewEvent {
        id,
        // Whatever is said under one id is the same news.
        body_hash: home.id_key.digest("body", &[source.as_bytes(), message_id.as_bytes()]),
        message_id,
        called: None,
        name: name.to_owned(),
        time: at,
        body: seal::seal(&body.to_string()),
        names: Vec::new(),
        member,
        reach: None,
        ties: Ties::Keep,
        parts: Vec::new(),
    }
}

/// Whether nobody got it, so that it counts for nothing: what was never taken, and what came back. A dead letter that has no other
/// channel may be sent by a person yet: its place is kept for it until somebody drops it.
fn is_released(row: &SendRow) -> bool {
    match row.state {
        SendState::Stopped | SendState::Dropped | SendState::Bounced => true,
        SendState::Failed => !row.others.is_empty(),
        _ => false,
    }
}

impl Engine {
    /// Puts items of a channel into the inbox.
    pub(crate) async fn say_of_channel(&self, channel: &str, events: Vec<NewEvent>, now: Ts) -> Result<()> {
        let append = Append {
            source: format!("{SOURCE}{channel}"),
            user_namespace: "user".to_owned(),
            events,
            identity: self.identity(),
            now,
            replay: false,
            progress: None,
            erasures: 0,
        };
        self.store().append(append).await?;
        self.wake();
        Ok(())
    }

    /// Tells the pipeline what did not arrive, at most so many; how many it was told of.
    #[boxed]
    pub async fn tell_sends(&self, limit: usize) -> Result<usize> {
        let sends = self.store().coupons().campaigns().sends();
        let untold = sends.untold(limit).await?;
        if untold.is_empty() {
            return Ok(0);
        }
        let home = self.home().await?;
        let now = clock::now(&home);
        for row in &untold {
            if let Some(properties) = self.of_failed(row).await? {
                // Tried again it may fail again: that is other news.
                let message_id = format!("{}-{}-{}", row.id, row.state.name(), row.attempts);
                let about = (row.member, message_id);
                let event = event(&home, &row.channel, about, names::MESSAGE_FAILED, properties, now);
                self.say_of_channel(&row.channel, vec![event], now).await?;
            }
            sends.told(vec![row.id]).await?;
        }
        Ok(untold.len())
    }

    /// What is said of something that did not arrive; nothing, where its member was erased.
    async fn of_failed(&self, row: &SendRow) -> Result<Option<Map<String, Value>>> {
        let Some(note) = self.store().coupons().campaigns().note(row.id).await? else { return Ok(None) };
        let body = match seal::open(&note.body) {
            Err(StoreError::Erased) => return Ok(None),
            body => body?,
        };
        let body: Value = serde_json::from_str(&body)
            .map_err(|error| StoreError::Damaged(format!("what was said: {error}")))?;
        let error = row.error.clone().unwrap_or_else(|| row.state.name().to_owned());
        let others: &[String] = if row.state == SendState::Dropped { &[] } else { &row.others };
        let mut properties = Map::new();
        for (name, value) in [
            ("message", row.id.to_string()),
            ("channel", row.channel.clone()),
            ("campaign", row.campaign.clone()),
            ("text", row.message.clone()),
            ("reason", error.clone()),
        ] {
            properties.insert(name.to_owned(), value.into());
        }
        for name in ["run", "place"] {
            let said = body.get(name).and_then(Value::as_str).unwrap_or_default();
            properties.insert(name.to_owned(), said.into());
        }
        properties.insert("others".to_owned(), json!(others));
        properties.insert("released".to_owned(), is_released(row).into());
        properties.insert("unreachable".to_owned(), error.starts_with(UNREACHABLE).into());
        // What is known of the member is looked up anew: an item that bears no name of theirs is sealed under its day, and stays
        // readable in copies when they are erased. What is said anew has links of its own.
        let variables = body.get("variables").and_then(Value::as_object).into_iter().flatten();
        let is_of_run = |name: &str| !name.starts_with("member.") && !name.starts_with(crate::links::GROUP);
        for (name, value) in variables.filter(|(name, _)| is_of_run(name)) {
            properties.insert(format!("{WITH}{name}"), value.clone());
        }
        Ok(Some(properties))
    }
}
