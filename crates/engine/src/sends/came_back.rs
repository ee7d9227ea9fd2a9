//! What comes back: bounces and complaints as mail, and whoever wants no more. Whose it is a sealed word says; without a good one nothing
//! is believed.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use zhiyin_model::consent::ALL;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::NoteId;
use zhiyin_model::playbook::campaign::EMAIL;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_reach::came_back::{self, Report};
use zhiyin_store::campaigns::sends::{SendRow, SendState};
use zhiyin_store::{StoreError, Wanted, seal};

use super::told::{UNREACHABLE, event};
use super::word::{self, For};
use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, Result, clock};

pub use zhiyin_reach::came_back::BYTES_MAX;

type Refused<T> = std::result::Result<T, Refusal>;

/// What was understood of something that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CameBackView {
    /// `gone` (nobody has this address), `failed` (not this time), `delayed`, `complaint` or `other`.
    pub kind: String,
    /// The status of the mail system (`5.1.1`), or what is complained of.
    pub status: Option<String>,
    /// Of which message, where one of ours is named.
    pub send: Option<String>,
    /// `bounced`, `withdrawn` (consent), or `nothing`: it changed nothing.
    pub did: String,
}

/// Somebody who wants no more, as the page speaks to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// Whether they are spoken to in English.
    pub english: bool,
}

/// A message that its channel says did not arrive after all.
pub(crate) struct Bounce<'a> {
    /// Why, by a name.
    pub(crate) why: &'a str,
    /// Whether nothing reaches the person there any more.
    pub(crate) unreachable: bool,
}

impl Engine {
    /// A message came back that a channel took; whether that was news.
    pub(super) async fn bounced_by_channel(&self, row: &SendRow, bounce: &Bounce<'_>) -> Result<bool> {
        let gone = if bounce.unreachable { UNREACHABLE } else { "" };
        Ok(self.bounced(row, format!("{gone}{}", bounce.why)).await? == "bounced")
    }

    /// The message of a word that somebody brings, if it is one of ours for this.
    async fn of_word(&self, of: For, words: &[String]) -> Result<Option<SendRow>> {
        let key = self.home().await?.id_key;
        let ids: Vec<NoteId> = words.iter().filter_map(|word| word::read(&key, of, word)).collect();
        for id in ids {
            if let Some(row) = self.store().coupons().campaigns().sends().sent(id).await? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The message whose word came back with a receipt, if this home sealed it.
    pub(crate) async fn of_receipt(&self, word: &str) -> Result<Option<SendRow>> {
        self.of_word(For::Mail, &[word.to_owned()]).await
    }

    /// Takes a message that came back to our return path, or a complaint.
    #[boxed]
    pub async fn came_back(&self, grant: &Grant, raw: &[u8]) -> Result<Refused<CameBackView>> {
        if raw.len() > BYTES_MAX {
            let message = format!("a message of {BYTES_MAX} bytes at most");
            return Ok(Err(Refusal::new("message_too_large", "message", message)));
        }
        let Some(read) = came_back::read(raw) else {
            return Ok(Err(Refusal::new("message_malformed", "message", "this is no message")));
        };
        let mut found = self.of_word(For::Mail, &read.words).await?;
        if found.is_none() {
            found = self.of_word(For::Leave, &read.words).await?;
        }
        let (kind, status) = match &read.report {
            Report::Gone { status } => ("gone", Some(status.clone())),
            Report::Failed { status } => ("failed", Some(status.clone())),
            Report::Delayed => ("delayed", None),
            Report::Complaint { kind } => ("complaint", Some(kind.clone())),
            Report::Other => ("other", None),
        };
        let did = match (&found, &read.report) {
            (Some(row), Report::Gone { status }) => {
                self.bounced(row, format!("{UNREACHABLE}bounced {status}")).await?
            }
            (Some(row), Report::Failed { status }) => self.bounced(row, format!("bounced {status}")).await?,
            (Some(row), Report::Complaint { .. }) => self.withdraw(row, "complaint").await?,
            _ => "nothing",
        };
        let view = CameBackView {
            kind: kind.to_owned(),
            status,
            send: found.map(|row| row.id.to_string()),
            did: did.to_owned(),
        };
        self.measures.sends().came_back(kind, view.send.is_some());
        let target = Target::code(EMAIL);
        let noted = detail(serde_json::json!({"kind": view.kind, "send": view.send, "did": view.did}));
        audit::note(self.store().as_ref(), grant, Operation::IngestWrite, &target, Outcome::Done, &noted)
            .await?;
        Ok(Ok(view))
    }

    /// A message came back that was taken, or of which nobody knew.
    async fn bounced(&self, row: &SendRow, error: String) -> Result<&'static str> {
        let sends = self.store().coupons().campaigns().sends();
        for from in [SendState::Sent, SendState::Unknown] {
            if sends.moved(row.id, from, SendState::Bounced, Some(error.clone()), true).await? {
                return Ok("bounced");
            }
        }
        Ok("nothing")
    }

    /// Consent to what a message was sent for is withdrawn on its channel, unless it is already.
    pub(crate) async fn withdraw(&self, row: &SendRow, source: &str) -> Result<&'static str> {
        let live = self.live()?;
        let purpose = live.playbook.campaigns.get(&row.campaign).map(|terms| terms.purpose.clone());
        let loaded = self.store().load(Wanted { members: vec![row.member], ..Wanted::default() }).await?;
        let Some(stored) = loaded.members.into_iter().find(|stored| stored.member.id == row.member) else {
            return Ok("nothing");
        };
        let home = self.home().await?;
        let now = clock::now(&home).max(stored.member.decided_until);
        if let Some(purpose) = &purpose {
            let allowed =
                zhiyin_decide::consent::ask(&live.rules, &stored.member, purpose, &row.channel, now).allowed;
            if allowed.is_err() {
                return Ok("nothing");
            }
        }
        let mut properties = Map::new();
        let said: [(&str, Value); 3] = [
            ("purpose", purpose.unwrap_or_else(|| ALL.to_owned()).into()),
            ("channel", row.channel.as_str().into()),
            ("source", source.into()),
        ];
        properties.extend(said.map(|(name, value)| (name.to_owned(), value)));
        let message_id = format!("{}-{source}-{}", row.id, now.0);
        let event =
            event(&home, &row.channel, (row.member, message_id), names::CONSENT_WITHDRAWN, properties, now);
        self.say_of_channel(&row.channel, vec![event], now).await?;
        Ok("withdrawn")
    }

    /// Who bears a word to want no more; nobody, where it is none of ours.
    #[boxed]
    pub async fn leaver(&self, word: &str) -> Result<Option<Leaver>> {
        let Some(row) = self.of_word(For::Leave, &[word.to_owned()]).await? else { return Ok(None) };
        let note = self.store().coupons().campaigns().note(row.id).await?;
        let body = note.map(|note| seal::open(&note.body));
        let english = match body {
            Some(Err(StoreError::Erased)) | None => false,
            Some(body) => body?.contains("\"language\":\"en\""),
        };
        Ok(Some(Leaver { english }))
    }

    /// Somebody wants no more of what a message was sent for; false, where the word is none of ours. Said again it changes nothing.
    #[boxed]
    pub async fn leave(&self, word: &str) -> Result<bool> {
        let Some(row) = self.of_word(For::Leave, &[word.to_owned()]).await? else { return Ok(false) };
        if self.withdraw(&row, "unsubscribe").await? == "withdrawn" {
            self.measures.sends().left();
        }
        Ok(true)
    }
}
