//! What leaves the home, on its way: beside each row of the outbox on a channel outside of the home is one that says where it
//! stands. Times are the wall clock's, but for `at`.
//!
//! A dispatcher borrows what is due ([`Sends::claim`]), says of each that it is handed over right before it is
//! ([`Sends::handing`]), and notes what came of it ([`Sends::note`]). What was borrowed and never handed over is borrowed by somebody
//! else later; of what was handed over and never noted nobody knows whether it arrived ([`Sends::lost`], semantics 17).
//!
//! Where each message costs something, its row says what; what its campaign came to is counted in pools, in the same transaction as it
//! becomes known ([`zhiyin_model::run::spent_of`]). What arrived, receipts tell ([`Sends::receipt`]).

use async_trait::async_trait;
use zhiyin_model::id::{MemberId, NoteId};
use zhiyin_model::time::Ts;

use crate::Result;
use crate::dump::Kind;

/// Where something that leaves the home stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SendState {
    /// It is to be handed over.
    Waiting,
    /// Somebody is handing it over.
    Handed,
    /// It was taken.
    Sent,
    /// Whether it was taken nobody knows: it is not handed over again by itself.
    Unknown,
    /// It was not taken: a dead letter.
    Failed,
    /// The guard-rails stopped it when it was to be handed over, or there was no address.
    Stopped,
    /// Somebody said that it is not to be sent any more, or its member was erased.
    Dropped,
    /// It was taken, and came back.
    Bounced,
}

impl SendState {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Handed,
        Self::Sent,
        Self::Unknown,
        Self::Failed,
        Self::Stopped,
        Self::Dropped,
        Self::Bounced,
    ];

    /// Its stable number, as stored.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The state of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Handed => "handed",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Dropped => "dropped",
            Self::Bounced => "bounced",
        }
    }

    /// The state of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Something that leaves the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendRow {
    /// The row of the outbox whose text it is, and its idempotency key.
    pub id: NoteId,
    /// To whom.
    pub member: MemberId,
    /// On which channel.
    pub channel: String,
    /// Of which campaign.
    pub campaign: String,
    /// Which message of the playbook.
    pub message: String,
    /// When it was decided, in business time.
    pub at: Ts,
    /// Where it stands.
    pub state: SendState,
    /// How often it was tried, the attempt that runs included.
    pub attempts: i64,
    /// When it is tried next; while somebody has it, when that is given up for lost.
    pub due: Ts,
    /// When it was tried last.
    pub tried_at: Option<Ts>,
    /// What whoever took it calls it.
    pub receipt: Option<String>,
    /// What went wrong, by name.
    pub error: Option<String>,
    /// Channels to be tried next.
    pub others: Vec<String>,
    /// As how many it is billed, where each costs something.
    pub parts: Option<i64>,
    /// What that costs, in ten-thousandths of the brand's money.
    pub cost: Option<i64>,
    /// When a receipt said that it arrived, by the wall clock.
    pub arrived_at: Option<Ts>,
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of what.
    pub id: NoteId,
    /// Whether it arrived; why not, by name, where it did not.
    pub arrived: std::result::Result<(), String>,
    /// When, by the wall clock.
    pub at: Ts,
    /// As how many it was billed, where the receipt says so.
    pub parts: Option<i64>,
    /// Whether it is billed at all: what did not arrive may not be.
    pub is_billed: bool,
}

/// What came of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It changed something.
    Noted,
    /// It was known, or says nothing any more.
    Known,
    /// What it is of is still being handed over.
    Early,
}

/// What becomes of a row by a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Where it stands.
    pub state: SendState,
    /// What went wrong.
    pub error: Option<String>,
    /// As how many it was billed.
    pub parts: Option<i64>,
    /// What that costs.
    pub cost: Option<i64>,
    /// When it arrived.
    pub arrived_at: Option<Ts>,
    /// By how much what its campaign came to changes: messages that were taken, their parts, their cost.
    pub spent: [i64; 3],
}

/// What a receipt makes of a row.
pub fn settled(row: &SendRow, receipt: &Receipt) -> std::result::Result<Settled, Received> {
    match row.state {
        SendState::Waiting | SendState::Handed => return Err(Received::Early),
        SendState::Sent if receipt.arrived.is_ok() && row.arrived_at.is_some() => {
            return Err(Received::Known);
        }
        SendState::Sent | SendState::Unknown => {}
        SendState::Failed | SendState::Stopped | SendState::Dropped | SendState::Bounced => {
            return Err(Received::Known);
        }
    }
    let (before, cost_before) = (row.parts.unwrap_or(0), row.cost.unwrap_or(0));
    let parts = receipt.parts.unwrap_or(before);
    let each = if before > 0 { cost_before / before } else { 0 };
    let cost = if receipt.is_billed { each.saturating_mul(parts) } else { 0 };
    let spent = match row.state {
        SendState::Sent => [0, parts - before, cost - cost_before],
        _ => [1, parts, cost],
    };
    let is_charged = row.parts.is_some();
    Ok(Settled {
        state: if receipt.arrived.is_ok() { SendState::Sent } else { SendState::Bounced },
        error: receipt.arrived.clone().err(),
        parts: is_charged.then_some(parts),
        cost: is_charged.then_some(cost),
        arrived_at: receipt.arrived.is_ok().then_some(receipt.at),
        spent: if is_charged { spent } else { [0; 3] },
    })
}

/// What came of something that was borrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Of what.
    pub id: NoteId,
    /// Which attempt: what was borrowed anew meanwhile is not touched.
    pub attempts: i64,
    /// Whether the attempt counts; what says nothing of the message does not.
    pub counts: bool,
    /// Where it stands now.
    pub state: SendState,
    /// When it is tried next, if it waits.
    pub due: Ts,
    /// When it was tried.
    pub tried_at: Option<Ts>,
    /// What whoever took it calls it.
    pub receipt: Option<String>,
    /// What went wrong, by name.
    pub error: Option<String>,
    /// Whether the pipeline is to be told ([`Sends::untold`]).
    pub tell: bool,
}

/// Which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendLog {
    /// To one member.
    pub member: Option<MemberId>,
    /// On one channel.
    pub channel: Option<String>,
    /// In one state.
    pub state: Option<SendState>,
    /// Older than this one.
    pub before: Option<(Ts, NoteId)>,
    /// How many at most.
    pub limit: usize,
}

/// How many of a channel are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendCount {
    /// The channel.
    pub channel: String,
    /// The state.
    pub state: SendState,
    /// How many.
    pub n: i64,
}

/// What leaves the home.
#[async_trait]
pub trait Sends: Send + Sync {
    /// Borrows what is due on a channel, the longest due first, at most `limit`. Nobody else gets it before `until`.
    async fn claim(&self, channel: &str, now: Ts, until: Ts, limit: usize) -> Result<Vec<SendRow>>;
    /// Says of something borrowed that it is handed over from now on, and until when that is given up for lost. False, where it is
    /// not this attempt's any more: then it must not be. `charge` is what it costs, where it does: as how many parts, and what those cost.
    async fn handing(&self, id: NoteId, attempts: i64, until: Ts, charge: Option<(i64, i64)>)
    -> Result<bool>;
    /// Notes what came of something; false where it is another attempt's by now. Late news that it was taken is taken of what was
    /// given up for lost. What was taken counts for what its campaign came to.
    async fn note(&self, came: Came) -> Result<bool>;
    /// What was handed over and of which nobody said in time what came of it, becomes unknown: at most `limit`, those it became.
    /// Where the channel may be asked again under the same key (`again`), it waits instead.
    async fn lost(&self, channel: &str, now: Ts, again: bool, limit: usize) -> Result<Vec<NoteId>>;
    /// What the pipeline is to be told, at most `limit`.
    async fn untold(&self, limit: usize) -> Result<Vec<SendRow>>;
    /// It was told of them.
    async fn told(&self, ids: Vec<NoteId>) -> Result<()>;
    /// One of them.
    async fn sent(&self, id: NoteId) -> Result<Option<SendRow>>;
    /// Several, the newest first.
    async fn log(&self, log: SendLog) -> Result<Vec<SendRow>>;
    /// Moves one from a state to another, with a line of why: what people and what comes back do. False where it is not in that
    /// state. Where it waits from then on it counts as never tried.
    async fn moved(
        &self,
        id: NoteId,
        from: SendState,
        to: SendState,
        error: Option<String>,
        tell: bool,
    ) -> Result<bool>;
    /// Notes what a receipt says: each changes something once.
    async fn receipt(&self, receipt: Receipt) -> Result<Received>;
    /// The one that whoever took it calls so, of those that cost something.
    async fn received(&self, channel: &str, receipt: &str) -> Result<Option<SendRow>>;
    /// What was taken, or may have been, costs something, and has no receipt: those that were not looked at for so long, at most `limit`.
    /// They are looked at again after as long as they wait already, up to `since`.
    async fn unheard(&self, channel: &str, now: Ts, since: Ts, limit: usize) -> Result<Vec<SendRow>>;
    /// How many there are, by channel and state; not of those that were taken.
    async fn counts(&self) -> Result<Vec<SendCount>>;
    /// How far a channel's pace has come ([`Ts`] of the wall clock, [`Ts::MIN`] where it has not begun).
    async fn pace(&self, channel: &str) -> Result<Ts>;
    /// Moves it on; false where it is not as it was.
    async fn set_pace(&self, channel: &str, from: Ts, to: Ts) -> Result<bool>;
}

/// How long a receipt is waited for before anybody asks for it, in microseconds.
pub const HEARD_AFTER_US: i64 = 600_000_000;

/// Its columns in a dump.
pub(crate) const COLUMNS: [(&str, Kind); 14] = [
    ("id", Kind::Id),
    ("channel", Kind::Text),
    ("at", Kind::Int),
    ("state", Kind::Int),
    ("attempts", Kind::Int),
    ("due", Kind::Int),
    ("tried_at", Kind::Int),
    ("receipt", Kind::Text),
    ("error", Kind::Text),
    ("others", Kind::Text),
    ("told", Kind::Flag),
    ("parts", Kind::Int),
    ("cost", Kind::Int),
    ("arrived_at", Kind::Int),
];

/// What the digest says of something that leaves the home: what is not settled is one, since of a copy nobody knows what was handed
/// over meanwhile.
pub fn leaves_said(state: Option<SendState>, others: &str) -> String {
    let name = match state {
        None | Some(SendState::Waiting | SendState::Handed | SendState::Unknown) => "open",
        Some(state) => state.name(),
    };
    format!("|leaves {name} {others}")
}

/// Names of channels as they are kept.
pub fn others_text(others: &[String]) -> String {
    others.join(" ")
}

/// Reads what [`others_text`] wrote.
pub fn others_read(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_and_names_stay() {
        for (code, state) in SendState::ALL.into_iter().enumerate() {
            assert_eq!(SendState::from_code(i16::try_from(code).unwrap()), Some(state), "{}", state.name());
            assert_eq!(SendState::named(state.name()), Some(state));
        }
        assert_eq!(SendState::from_code(8), None);
    }

    #[test]
    fn channels_to_be_tried_next_are_read_as_they_were_written() {
        for others in [vec![], vec!["inbox".to_owned()], vec!["inbox".to_owned(), "till".to_owned()]] {
            assert_eq!(others_read(&others_text(&others)), others);
        }
    }
}
