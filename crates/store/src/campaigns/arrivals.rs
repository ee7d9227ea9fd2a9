//! What came from platforms: each thing is kept before whoever brought it is answered, and is worked on later, by whichever process.
//! Times are the wall clock's.
//!
//! What came is known again by its id, so that what is brought twice is kept once. A lane is worked on in the order in which things
//! came: what is due is lent to one process at a time ([`Arrivals::lend_arrivals`]), which says what became of it
//! ([`Arrivals::note_arrivals`]); what was lent and never noted is lent to somebody else later. What comes is sealed under the name of
//! whom it is about, so it ends with who is erased.

use async_trait::async_trait;
use zhiyin_model::id::{Id, IdKey};
use zhiyin_model::time::Ts;

use crate::Result;
use crate::dump::Kind;
use crate::seal::Sealed;
use crate::seal::envelope::Subject;

/// Marker of [`ArrivalId`].
pub enum ArrivalKind {}
/// One thing that came: a keyed hash of its channel and of what the channel knows it by.
pub type ArrivalId = Id<ArrivalKind>;

/// The id of something that came.
pub fn arrival_id(key: &IdKey, channel: &str, known_by: &[u8]) -> ArrivalId {
    key.derive("arrival", &[channel.as_bytes(), known_by])
}

/// Where something that came stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArrivalState {
    /// It is to be worked on.
    Waiting,
    /// It was.
    Done,
    /// It could not be: a dead letter.
    Failed,
    /// There is nothing to be done about it any more: its time was over, its member was erased, or somebody said so.
    Dropped,
}

impl ArrivalState {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Done, Self::Failed, Self::Dropped];

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
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The state of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Something that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArrival {
    /// Its id.
    pub id: ArrivalId,
    /// From which channel.
    pub channel: String,
    /// In which lane it is worked on.
    pub lane: String,
    /// When it came.
    pub at: Ts,
    /// What it is sealed under: the look-up hash of the name of whom it is about.
    pub about: Subject,
    /// What came; opaque to a store.
    pub body: Sealed,
}

/// Something that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its id.
    pub id: ArrivalId,
    /// From which channel.
    pub channel: String,
    /// In which lane it is worked on.
    pub lane: String,
    /// When it came.
    pub at: Ts,
    /// What came; where it was erased, that it was.
    pub body: Sealed,
    /// Where it stands.
    pub state: ArrivalState,
    /// How often it was worked on, whoever does now included.
    pub tries: i64,
    /// When it is worked on next; while somebody does, when that is given up for lost.
    pub due: Ts,
    /// Why it stands where it does, by a name.
    pub why: Option<String>,
}

/// What became of something that was lent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Became {
    /// Of what.
    pub id: ArrivalId,
    /// Which try: what was lent anew meanwhile is not touched.
    pub tries: i64,
    /// Where it stands from now on.
    pub state: ArrivalState,
    /// When it is worked on next, if it waits.
    pub due: Ts,
    /// Why, by a name.
    pub why: Option<String>,
}

/// Which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrivalLog {
    /// From one channel.
    pub channel: Option<String>,
    /// In one state.
    pub state: Option<ArrivalState>,
    /// Older than this one.
    pub before: Option<(Ts, ArrivalId)>,
    /// How many at most.
    pub limit: usize,
}

/// How many of a lane are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalCount {
    /// The channel.
    pub channel: String,
    /// The lane.
    pub lane: String,
    /// The state.
    pub state: ArrivalState,
    /// How many.
    pub n: i64,
}

/// What came from platforms.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// Keeps what comes, all of it or nothing, durably when this returns; of each whether it is new. What is there already stays as
    /// it is.
    async fn arrive(&self, new: Vec<NewArrival>) -> Result<Vec<bool>>;
    /// Lends what is due of a lane, what came first first, at most `limit`. Nobody else gets it before `until`.
    async fn lend_arrivals(
        &self,
        lane: (&str, &str),
        now: Ts,
        until: Ts,
        limit: usize,
    ) -> Result<Vec<Arrival>>;
    /// Notes what became of what was lent; how many of them were still that try's.
    async fn note_arrivals(&self, became: Vec<Became>) -> Result<usize>;
    /// One of them.
    async fn arrival(&self, id: ArrivalId) -> Result<Option<Arrival>>;
    /// Several, the newest first.
    async fn arrivals(&self, log: ArrivalLog) -> Result<Vec<Arrival>>;
    /// Moves one from a state to another, with a line of why: what people do. False where it is not in that state. Where it waits
    /// from then on it counts as never tried.
    async fn move_arrival(
        &self,
        id: ArrivalId,
        from: ArrivalState,
        to: ArrivalState,
        why: Option<String>,
    ) -> Result<bool>;
    /// Forgets what is done or dropped and came before an instant, at most `limit`; how many.
    async fn forget_arrivals(&self, before: Ts, limit: usize) -> Result<usize>;
    /// How many there are, by channel, lane and state; not of those that are done.
    async fn count_arrivals(&self) -> Result<Vec<ArrivalCount>>;
}

/// Its columns in a dump.
pub(crate) const COLUMNS: [(&str, Kind); 10] = [
    ("id", Kind::Id),
    ("channel", Kind::Text),
    ("lane", Kind::Text),
    ("at", Kind::Int),
    ("about", Kind::Id),
    ("state", Kind::Int),
    ("tries", Kind::Int),
    ("due", Kind::Int),
    ("why", Kind::Text),
    ("body", Kind::Bytes),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_and_names_stay() {
        for (code, state) in ArrivalState::ALL.into_iter().enumerate() {
            assert_eq!(
                ArrivalState::from_code(i16::try_from(code).unwrap()),
                Some(state),
                "{}",
                state.name()
            );
            assert_eq!(ArrivalState::named(state.name()), Some(state));
        }
        assert_eq!(ArrivalState::from_code(4), None);
    }
}
