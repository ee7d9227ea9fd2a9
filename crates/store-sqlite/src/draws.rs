//! Draws, and their closed lists.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use zhiyin_model::id::MemberId;
use zhiyin_store::Result;
use zhiyin_store::draws::{Draws, StoredDraw, pack_entries, unpack_entries};

use crate::SqliteStore;
use crate::rows::{all, database, id};
use crate::write::{prepare, run};

pub(crate) const DRAW: &str = "SELECT name, revision, state FROM draw WHERE name = ?";
pub(crate) const DRAWS: &str = "SELECT name, revision, state FROM draw ORDER BY name";
pub(crate) const DRAW_NEW: &str =
    "INSERT INTO draw (name, revision, state) VALUES (?, 1, ?) ON CONFLICT (name) DO NOTHING";
pub(crate) const DRAW_SET: &str =
    "UPDATE draw SET revision = revision + 1, state = ?3 WHERE name = ?1 AND revision = ?2";
pub(crate) const ENTRIES_NEW: &str =
    "INSERT INTO draw_part (list, part, entries) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
pub(crate) const ENTRIES: &str = "SELECT entries FROM draw_part WHERE list = ? AND part = ?";
/// The primary key of coupons begins with the member, so this walks it from where it stopped.
pub(crate) const CHANCES: &str = "SELECT member, COUNT(*) FROM coupon WHERE member > ?2 AND offer = ?1 AND account <> 5 \
    GROUP BY member ORDER BY member LIMIT ?3";

pub(crate) fn draw(row: &Row<'_>) -> rusqlite::Result<StoredDraw> {
    Ok(StoredDraw { name: row.get(0)?, revision: row.get(1)?, state: row.get(2)? })
}

#[async_trait]
impl Draws for SqliteStore {
    async fn draw(&self, name: &str) -> Result<Option<StoredDraw>> {
        let name = name.to_owned();
        self.connections
            .read(move |c| prepare(c, DRAW)?.query_row([&name], draw).optional().map_err(database))
            .await
    }

    async fn all(&self) -> Result<Vec<StoredDraw>> {
        self.connections.read(move |c| all(c, DRAWS, [], draw)).await
    }

    async fn set(&self, name: &str, revision: i64, state: &str) -> Result<bool> {
        let (name, state) = (name.to_owned(), state.to_owned());
        self.connections
            .write(move |c| {
                let changed = match revision {
                    0 => prepare(c, DRAW_NEW)?.execute(params![name, state]),
                    _ => prepare(c, DRAW_SET)?.execute(params![name, revision, state]),
                };
                Ok(changed.map_err(database)? == 1)
            })
            .await
    }

    async fn put_entries(&self, list: [u8; 32], part: i64, entries: Vec<(MemberId, u32)>) -> Result<()> {
        let packed = pack_entries(&entries)?;
        self.connections
            .write(move |c| {
                run(&mut prepare(c, ENTRIES_NEW)?, params![list.as_slice(), part, packed]).map(drop)
            })
            .await
    }

    async fn entries(&self, list: [u8; 32], part: i64) -> Result<Option<Vec<(MemberId, u32)>>> {
        let packed: Option<Vec<u8>> = self
            .connections
            .read(move |c| {
                let found = prepare(c, ENTRIES)?.query_row(params![list.as_slice(), part], |row| row.get(0));
                found.optional().map_err(database)
            })
            .await?;
        packed.as_deref().map(unpack_entries).transpose()
    }

    async fn chances(
        &self,
        offer: &str,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<(MemberId, u32)>> {
        let (offer, limit) = (offer.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
        let after = after.map_or_else(Vec::new, |member| member.bytes().to_vec());
        self.connections
            .read(move |c| {
                all(c, CHANCES, params![offer, after, limit], |row| {
                    Ok((id(row, 0)?, u32::try_from(row.get::<_, i64>(1)?).unwrap_or(u32::MAX)))
                })
            })
            .await
    }
}
