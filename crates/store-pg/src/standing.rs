//! What a process knows of members' rows beyond what decisions see: whether there is one, and where its timeline ends. It
//! is learned when members are loaded and when batches are written, and saves looking each up again while writing.
//!
//! Nothing rests on it: the statements that use it check it, and a batch that was written by what is no longer so is stale.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zhiyin_model::id::MemberId;

/// How many members are remembered at most.
const MEMBERS_MAX: usize = 100_000;

/// How a member stands in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no row.
    Absent,
    /// There is one, and this is the last event of its timeline.
    There(Option<i64>),
}

/// Ids are hashes: a few of their bits are as good as any.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

type Members = HashMap<MemberId, Standing, BuildHasherDefault<IdHasher>>;

/// How members stand, as far as this process knows.
#[derive(Default)]
pub(crate) struct Standings(Mutex<Members>);

impl Standings {
    fn members(&self) -> MutexGuard<'_, Members> {
        // What lies in there is whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all.
    pub(crate) fn forget(&self) {
        self.members().clear();
    }

    /// Learns how members stand.
    pub(crate) fn learn(&self, standings: impl Iterator<Item = (MemberId, Standing)>) {
        let mut members = self.members();
        if members.len() > MEMBERS_MAX {
            members.clear();
        }
        members.extend(standings);
    }

    /// How members stand, in their order; `None` where it is not known.
    pub(crate) fn of(&self, wanted: impl Iterator<Item = MemberId>) -> Vec<Option<Standing>> {
        let members = self.members();
        wanted.map(|member| members.get(&member).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_last_counts() {
        let standings = Standings::default();
        let id = |n: u8| MemberId::from_bytes([n; 16]);
        standings.learn([(id(1), Standing::Absent), (id(2), Standing::There(Some(7)))].into_iter());
        standings.learn([(id(1), Standing::There(None))].into_iter());
        let of = || standings.of([1, 2, 3].map(id).into_iter());
        assert_eq!(of(), [Some(Standing::There(None)), Some(Standing::There(Some(7))), None]);
        standings.forget();
        assert_eq!(of(), [None; 3]);
    }
}
