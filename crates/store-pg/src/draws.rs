//! Draws, and their closed lists.

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_store::Result;
use zhiyin_store::draws::{Draws, StoredDraw, pack_entries, unpack_entries};

use crate::PgStore;
use crate::connection::{Of, Values};
use crate::rows::{Uuid, get, id};

pub(crate) const DRAW: &str = "SELECT name, revision, state FROM {home}.draw WHERE name = $1";
pub(crate) const DRAWS: &str = "SELECT name, revision, state FROM {home}.draw ORDER BY name";
pub(crate) const DRAW_NEW: &str = "INSERT INTO {home}.draw (name, revision, state) VALUES ($1, 1, $2) \
    ON CONFLICT (name) DO NOTHING RETURNING revision";
pub(crate) const DRAW_SET: &str = "UPDATE {home}.draw SET revision = revision + 1, state = $3 \
    WHERE name = $1 AND revision = $2 RETURNING revision";
pub(crate) const ENTRIES_NEW: &str =
    "INSERT INTO {home}.draw_part (list, part, entries) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub(crate) const ENTRIES: &str = "SELECT entries FROM {home}.draw_part WHERE list = $1 AND part = $2";
pub(crate) const CHANCES: &str = "SELECT member, COUNT(*) FROM {shard}.coupon WHERE offer = $1 AND member > $2 \
    AND account <> 5 GROUP BY member ORDER BY member LIMIT $3";

pub(crate) fn draw(row: &Row) -> Result<StoredDraw> {
    Ok(StoredDraw { name: get(row, 0)?, revision: get(row, 1)?, state: get(row, 2)? })
}

#[async_trait]
impl Draws for PgStore {
    async fn draw(&self, name: &str) -> Result<Option<StoredDraw>> {
        let row = self.connections.session().await?.row((DRAW, 0), &[&name]).await?;
        row.as_ref().map(draw).transpose()
    }

    async fn all(&self) -> Result<Vec<StoredDraw>> {
        let rows = self.connections.session().await?.rows((DRAWS, 0), &[]).await?;
        rows.iter().map(draw).collect()
    }

    async fn set(&self, name: &str, revision: i64, state: &str) -> Result<bool> {
        let session = self.connections.session().await?;
        let row = match revision {
            0 => session.row((DRAW_NEW, 0), &[&name, &state]).await?,
            _ => session.row((DRAW_SET, 0), &[&name, &revision, &state]).await?,
        };
        Ok(row.is_some())
    }

    async fn put_entries(&self, list: [u8; 32], part: i64, entries: Vec<(MemberId, u32)>) -> Result<()> {
        let (list, packed) = (list.to_vec(), pack_entries(&entries)?);
        self.connections.session().await?.run((ENTRIES_NEW, 0), &[&list, &part, &packed]).await.map(drop)
    }

    async fn entries(&self, list: [u8; 32], part: i64) -> Result<Option<Vec<(MemberId, u32)>>> {
        let row = self.connections.session().await?.row((ENTRIES, 0), &[&list.to_vec(), &part]).await?;
        row.map(|row| unpack_entries(get(&row, 0)?)).transpose()
    }

    async fn chances(
        &self,
        offer: &str,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<(MemberId, u32)>> {
        let session = self.connections.session().await?;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = after.map_or(Uuid([0; 16]), Uuid::from);
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((CHANCES, shard), vec![&offer as _, &after as _, &most as _]))
            .collect();
        let found = session.ask(asks).await?;
        // A member's coupons lie where their codes say, in any of the shards.
        let mut chances = std::collections::BTreeMap::<MemberId, u32>::new();
        let (mut last, mut whole) = (None, true);
        for rows in &found {
            for row in rows {
                let n: i64 = get(row, 1)?;
                let sum = chances.entry(id(row, 0)?).or_default();
                *sum = sum.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
            }
            if rows.len() >= limit
                && let Some(row) = rows.last()
            {
                // Beyond the last of a shard that has more, sums are not whole.
                let here: MemberId = id(row, 0)?;
                last = Some(last.map_or(here, |known: MemberId| known.min(here)));
                whole = false;
            }
        }
        let within = |member: &MemberId| whole || last.is_some_and(|last| *member <= last);
        Ok(chances.into_iter().filter(|(member, _)| within(member)).take(limit).collect())
    }
}
