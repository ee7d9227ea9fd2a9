//! What people see of what left the home, and what they do about it: look, try again, drop.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::NoteId;
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_store::campaigns::sends::{SendLog, SendRow, SendState};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::command::Whom;
use crate::{Engine, Result, sight};

/// The most that are shown at once.
pub const SHOWN_MAX: usize = 200;

type Refused<T> = std::result::Result<T, Refusal>;

/// Something that leaves the home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SendView {
    /// Its id: that of what was said.
    pub send: String,
    /// To which member.
    pub member: String,
    /// On which channel.
    pub channel: String,
    /// Of which campaign.
    pub campaign: String,
    /// Which message of the playbook.
    pub message: String,
    /// When it was decided, in business time.
    pub at: String,
    /// `waiting`, `handed`, `sent`, `unknown`, `failed`, `stopped`, `dropped` or `bounced`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, by the wall clock, where it waits.
    pub next: Option<String>,
    /// When it was tried last, by the wall clock.
    pub tried_at: Option<String>,
    /// What whoever took it calls it.
    pub receipt: Option<String>,
    /// What went wrong, by name.
    pub error: Option<String>,
    /// Channels to be tried next where it does not arrive.
    pub others: Vec<String>,
    /// As how many messages it is billed, where each costs something.
    pub parts: Option<i64>,
    /// What that costs, in the brand's money: `0.0900`.
    pub cost: Option<String>,
    /// When a receipt said that it arrived, by the wall clock, where receipts say so.
    pub arrived_at: Option<String>,
}

/// Ten-thousandths of the brand's money as text.
pub fn price_text(cost: i64) -> String {
    format!(
        "{}{}.{:04}",
        if cost < 0 { "-" } else { "" },
        cost.unsigned_abs() / 10_000,
        cost.unsigned_abs() % 10_000
    )
}

impl From<SendRow> for SendView {
    fn from(row: SendRow) -> Self {
        let next = (row.state == SendState::Waiting && row.due.0 > 0).then(|| row.due.rfc3339());
        Self {
            send: row.id.to_string(),
            member: row.member.to_string(),
            channel: row.channel,
            campaign: row.campaign,
            message: row.message,
            at: row.at.rfc3339(),
            state: row.state.name().to_owned(),
            attempts: row.attempts,
            next,
            tried_at: row.tried_at.map(zhiyin_model::time::Ts::rfc3339),
            receipt: row.receipt,
            error: row.error,
            others: row.others,
            parts: row.parts,
            cost: row.cost.map(price_text),
            arrived_at: row.arrived_at.map(zhiyin_model::time::Ts::rfc3339),
        }
    }
}

/// Which are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendsAsked {
    /// On one channel.
    pub channel: Option<String>,
    /// In one state.
    pub state: Option<String>,
    /// Older than this one.
    pub before: Option<String>,
    /// How many, 1 to 200.
    pub limit: usize,
}

fn unknown() -> Refusal {
    Refusal::new("send_unknown", "send", "nothing that left the home has this id")
}

impl Engine {
    /// What left the home, the newest first.
    #[boxed]
    pub async fn sends(&self, asked: &SendsAsked) -> Result<Refused<Vec<SendView>>> {
        self.sends_of(asked, None).await
    }

    /// What was sent to a member, the newest first.
    #[boxed]
    pub async fn member_sends(
        &self,
        filter: &Filter,
        (whom, field): (&Whom, &str),
        asked: &SendsAsked,
    ) -> Result<Refused<Vec<SendView>>> {
        match self.reachable(filter, whom, field).await? {
            Ok(stored) => self.sends_of(asked, Some(stored.member.id)).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn sends_of(
        &self,
        asked: &SendsAsked,
        member: Option<zhiyin_model::id::MemberId>,
    ) -> Result<Refused<Vec<SendView>>> {
        let sends = self.store().coupons().campaigns().sends();
        let state = match asked.state.as_deref().map(SendState::named) {
            Some(None) => {
                let names = SendState::ALL.map(SendState::name).join(", ");
                return Ok(Err(Refusal::new("bad_state", "state", format!("one of {names}"))));
            }
            state => state.flatten(),
        };
        let before = match &asked.before {
            None => None,
            Some(id) => match self.send_row(id).await? {
                Ok(row) => Some((row.at, row.id)),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let limit = sight::limit(asked.limit)?;
        sight::bounded(&[("channel", asked.channel.as_deref())])?;
        let log = SendLog { member, channel: asked.channel.clone(), state, before, limit };
        Ok(Ok(sends.log(log).await?.into_iter().map(SendView::from).collect()))
    }

    async fn send_row(&self, id: &str) -> Result<Refused<SendRow>> {
        let Some(id) = NoteId::from_hex(id) else { return Ok(Err(unknown())) };
        let found = self.store().coupons().campaigns().sends().sent(id).await?;
        Ok(found.ok_or_else(unknown))
    }

    /// One of them.
    #[boxed]
    pub async fn send(&self, id: &str) -> Result<Refused<SendView>> {
        Ok(self.send_row(id).await?.map(SendView::from))
    }

    /// Hands something over again: a dead letter; or, where somebody is sure that it did not arrive (`sure`), what nobody knows of.
    #[boxed]
    pub async fn retry_send(&self, grant: &Grant, id: &str, sure: bool) -> Result<Refused<SendView>> {
        let row = match self.send_row(id).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let refused = |code, message: &str| Ok(Err(Refusal::new(code, "send", message)));
        match row.state {
            SendState::Failed if row.others.is_empty() => {}
            SendState::Failed => {
                return refused("send_went_elsewhere", "it went on to the next of its channels");
            }
            SendState::Unknown if sure => {}
            SendState::Unknown => {
                return refused(
                    "send_unknown_whether_sent",
                    "it may have arrived: say that you are sure that it did not",
                );
            }
            _ => return refused("send_not_failed", "it is no dead letter"),
        }
        self.note_send(grant, &row, "retry").await?;
        let sends = self.store().coupons().campaigns().sends();
        if !sends.moved(row.id, row.state, SendState::Waiting, None, false).await? {
            return refused("send_not_failed", "it is no dead letter any more");
        }
        self.send(id).await
    }

    /// Something is not to be sent any more: what waits, a dead letter, or what nobody knows of.
    #[boxed]
    pub async fn drop_send(&self, grant: &Grant, id: &str) -> Result<Refused<SendView>> {
        let row = match self.send_row(id).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_open = matches!(row.state, SendState::Waiting | SendState::Failed | SendState::Unknown);
        let refused = || Ok(Err(Refusal::new("send_settled", "send", "nothing is left to be dropped of it")));
        if !is_open {
            return refused();
        }
        self.note_send(grant, &row, "drop").await?;
        let sends = self.store().coupons().campaigns().sends();
        // What may have arrived counts as sent, whoever looks no further for it.
        let tell = row.state != SendState::Unknown;
        let why = Some(row.error.clone().unwrap_or_else(|| "dropped".to_owned()));
        if !sends.moved(row.id, row.state, SendState::Dropped, why, tell).await? {
            return refused();
        }
        self.send(id).await
    }

    async fn note_send(&self, grant: &Grant, row: &SendRow, what: &str) -> Result<()> {
        let target = Target::code(&row.channel);
        let noted = detail(json!({"send": row.id.to_string(), "what": what, "state": row.state.name()}));
        let store = self.store().as_ref();
        audit::note(store, grant, Operation::CampaignsManage, &target, Outcome::Begun, &noted).await?;
        Ok(())
    }
}
