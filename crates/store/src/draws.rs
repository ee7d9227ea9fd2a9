//! Draws as stores keep them: how each stands, in the engine's words, and its closed list, part by part.
//!
//! A draw's state is one text, which is changed only by who has read the last one: so two who close it, or draw, at the same time
//! do it once. A list is kept under its hash, so whoever writes it again writes the same.

use async_trait::async_trait;
use zhiyin_model::id::MemberId;

use crate::{Result, StoreError};

/// The most entries of one part of a list.
pub const PART_ENTRIES_MAX: usize = 4096;
/// Bytes of an entry as it is stored.
const ENTRY_BYTES: usize = 20;

/// A draw as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDraw {
    /// Its name: its id in the playbook.
    pub name: String,
    /// How often it was changed, from 1.
    pub revision: i64,
    /// How it stands.
    pub state: String,
}

/// Draws.
#[async_trait]
pub trait Draws: Send + Sync {
    /// A draw by its name.
    async fn draw(&self, name: &str) -> Result<Option<StoredDraw>>;
    /// All draws, by name.
    async fn all(&self) -> Result<Vec<StoredDraw>>;
    /// Writes how a draw stands, if its revision is this one (0: it is not there yet). False where somebody was faster.
    async fn set(&self, name: &str, revision: i64, state: &str) -> Result<bool>;
    /// Writes a part of a closed list: members and their chances. A part that is written stays as it is.
    async fn put_entries(&self, list: [u8; 32], part: i64, entries: Vec<(MemberId, u32)>) -> Result<()>;
    /// A part of a closed list; `None` if it is not written.
    async fn entries(&self, list: [u8; 32], part: i64) -> Result<Option<Vec<(MemberId, u32)>>>;
    /// How many coupons of an offer are members' and were not taken back, by member from after one; at most `limit` members.
    async fn chances(
        &self,
        offer: &str,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<(MemberId, u32)>>;
}

/// Entries of a part, as they are stored.
pub fn pack_entries(entries: &[(MemberId, u32)]) -> Result<Vec<u8>> {
    if entries.len() > PART_ENTRIES_MAX {
        return Err(StoreError::Damaged(format!("a part has at most {PART_ENTRIES_MAX} entries")));
    }
    let each =
        entries.iter().flat_map(|(member, chances)| [&member.bytes()[..], &chances.to_be_bytes()].concat());
    Ok(each.collect())
}

/// Reads what [`pack_entries`] wrote.
pub fn unpack_entries(bytes: &[u8]) -> Result<Vec<(MemberId, u32)>> {
    let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    if !rest.is_empty() {
        return Err(StoreError::Damaged("entries of a draw".to_owned()));
    }
    let read = entries.iter().map(|entry| {
        let (member, chances) = entry.split_at(16);
        let damaged = || StoreError::Damaged("an entry of a draw".to_owned());
        let member = MemberId::from_slice(member).ok_or_else(damaged)?;
        Ok((member, u32::from_be_bytes(chances.try_into().map_err(|_| damaged())?)))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let entries = vec![(MemberId::from_bytes([1; 16]), 3), (MemberId::from_bytes([2; 16]), u32::MAX)];
        assert_eq!(unpack_entries(&pack_entries(&entries).unwrap()).unwrap(), entries);
        assert!(unpack_entries(&[0; 21]).is_err());
        assert!(pack_entries(&vec![entries[0]; PART_ENTRIES_MAX + 1]).is_err());
    }
}
