//! Who works on what: members fall into shares (*slots*) by their id, each share is held by one worker at a time, and a
//! batch is written only by who holds the shares it was decided in.
//!
//! A lease ends by itself when its holder is gone, so a process that dies stalls its shares for seconds only. But safety
//! never rests on a clock: taking a share over raises its token, and a flush that bears another token, or another number
//! of batch, is refused. Whoever was paused and comes back finds their turn [stale](crate::StoreError::Stale).

use zhiyin_model::id::MemberId;

/// The most shares a home may have.
pub const SLOTS_MAX: i32 = 1024;

/// A share as it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Which share: 0 to one less than the home has.
    pub slot: i32,
    /// Raised each time somebody takes it.
    pub token: i64,
    /// How many batches were flushed in it.
    pub batch: i64,
    /// The last inbox row up to which all of it is done.
    pub cursor: i64,
}

/// The shares a worker holds, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Each once.
    pub held: Vec<Held>,
}

impl Turn {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The numbers of the shares.
    pub fn slots(&self) -> impl Iterator<Item = i32> + '_ {
        self.held.iter().map(|held| held.slot)
    }

    /// Whether these are the same shares, held since as long and as far as the other says.
    pub fn continues(&self, other: &Self) -> bool {
        let known = |held: &Held| (held.slot, held.token, held.batch);
        self.held.iter().map(known).eq(other.held.iter().map(known))
    }

    /// The turn after a flush that moved the cursor this far.
    pub fn moved(&mut self, cursor: Option<i64>) {
        for held in &mut self.held {
            held.batch += 1;
            held.cursor = held.cursor.max(cursor.unwrap_or(held.cursor));
        }
    }
}

/// The share of a member: ids are hashes, so any of their bytes spread evenly.
pub fn slot_of(member: MemberId, slots: i32) -> i32 {
    let [.., a, b] = *member.bytes();
    i32::from(u16::from_le_bytes([a, b])) % slots.max(1)
}

/// Places in the inbox begin anew with each month of acceptance, far above those of the month before: so a place alone
/// says in which month a row came in, and a store keeps months apart by it.
pub mod place {
    use zhiyin_model::time::{DAY_US, Ts};

    /// How many places a month has: 2^36.
    pub const OF_A_MONTH: i64 = 1 << 36;

    /// From here on a store may give places to what was derived, month by month likewise: such events never wait at the
    /// cursor, so they need not stand among those that do.
    pub const FACTS: i64 = 1 << 62;

    /// Months since 1970-01 (UTC) of an instant; instants before count as that month.
    pub fn month(at: Ts) -> i64 {
        let Some((year, month)) = at.year_and_month() else { return 0 };
        ((i64::from(year) - 1970) * 12 + i64::from(month) - 1).max(0)
    }

    /// The month in which a row came in.
    pub fn month_of(seq: i64) -> i64 {
        (if seq >= FACTS { seq - FACTS } else { seq.max(0) }) / OF_A_MONTH
    }

    /// The next free place, when the last is known and business time of acceptance is `clock`.
    pub fn next(last: i64, clock: Ts) -> i64 {
        (last + 1).max(month(clock) * OF_A_MONTH + 1)
    }

    /// The instant a month begins at (UTC).
    pub fn begins(month: i64) -> Ts {
        let year = i16::try_from(1970 + month.div_euclid(12)).unwrap_or(i16::MAX);
        let month = i8::try_from(1 + month.rem_euclid(12)).unwrap_or(1);
        Ts::of_month(year, month)
    }

    /// The month that `2017-03` names.
    pub fn parse(text: &str) -> Option<i64> {
        let (year, month) = text.split_once('-')?;
        let (year, month): (i64, i64) = (year.parse().ok()?, month.parse().ok()?);
        ((1970..10_000).contains(&year) && (1..=12).contains(&month)).then(|| (year - 1970) * 12 + month - 1)
    }

    /// From when on ids are remembered, where months up to this one were archived: items may be a day ahead of their
    /// acceptance, so a day after the month.
    pub fn remembered_from(archived: i64) -> Ts {
        begins(archived + 1).plus_us(DAY_US)
    }

    /// A month as `2017-03`.
    pub fn name(month: i64) -> String {
        format!("{:04}-{:02}", 1970 + month.div_euclid(12), 1 + month.rem_euclid(12))
    }
}
