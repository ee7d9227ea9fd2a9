//! The queue of likely doubles: pairs of members for somebody to look at. Nothing here is ever merged by itself.
//!
//! What is kept of the evidence are names of fields and how they agree, no values. A pair that somebody decided is never
//! suggested again. The queue is no part of the home's state: the digest does not know it, a backup does.

use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

use crate::{Result, StoreError};

/// The longest evidence, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 8 * 1024;
/// The longest name of who decided, in characters.
pub const BY_CHARS_MAX: usize = 255;
/// The highest score: sure, in millionths.
pub const SCORE_PPM_MAX: i32 = 1_000_000;

/// What became of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nobody decided yet.
    Open,
    /// They were made one.
    Merged,
    /// They are two people.
    Different,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Merged, Self::Different];

    /// Its stable number.
    pub const fn code(self) -> i16 {
        match self {
            Self::Open => 0,
            Self::Merged => 1,
            Self::Different => 2,
        }
    }

    /// The state of a number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Different => "different",
        }
    }
}

/// A pair as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSuggestion {
    /// The one with the lower id.
    pub one: MemberId,
    /// The other.
    pub other: MemberId,
    /// How likely they are one person, in millionths.
    pub score_ppm: i32,
    /// Why: a JSON text without personal data.
    pub evidence: String,
}

impl NewSuggestion {
    /// Refuses what no store takes: a pair out of order, a score or evidence out of bounds.
    pub fn check(&self) -> Result<()> {
        let fits = self.one < self.other
            && (0..=SCORE_PPM_MAX).contains(&self.score_ppm)
            && self.evidence.len() <= EVIDENCE_BYTES_MAX
            && !self.evidence.contains('\0');
        if fits { Ok(()) } else { Err(StoreError::Damaged("a suggestion out of bounds".to_owned())) }
    }
}

/// A suggestion as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its number, by which people name it.
    pub no: i64,
    /// What was found.
    pub pair: NewSuggestion,
    /// What became of it.
    pub state: State,
    /// When it was found last, in business time.
    pub found_at: Ts,
    /// Who decided, and when, in business time.
    pub decided: Option<(String, Ts)>,
}
