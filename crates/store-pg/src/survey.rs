//! Long looks at the whole home: one transaction that sees one snapshot, shard after shard.

use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use zhiyin_store::Result;

use crate::rows::database;
use crate::schemas::Schemas;

/// What a statement is given.
pub(crate) type Given<'p> = &'p [&'p (dyn ToSql + Sync)];

/// A read-only transaction in one snapshot (REPEATABLE READ), and where the tables are.
pub(crate) struct Survey<'t> {
    pub(crate) tx: &'t Transaction<'t>,
    pub(crate) schemas: &'t Schemas,
}

impl Survey<'_> {
    /// All rows of a statement about what there is once.
    pub(crate) async fn home(&self, template: &str, given: Given<'_>) -> Result<Vec<Row>> {
        let statement = self.tx.prepare_cached(&self.schemas.sql(template, 0)).await.map_err(database)?;
        self.tx.query(&statement, given).await.map_err(database)
    }

    /// All rows of a statement over every shard, one after the other, row by row: memory holds one at a time.
    pub(crate) async fn each(
        &self,
        template: &str,
        given: Given<'_>,
        mut take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<()> {
        for shard in 0..self.schemas.shards() {
            self.shard(shard, template, given, &mut take).await?;
        }
        Ok(())
    }

    /// The same over one shard.
    pub(crate) async fn shard(
        &self,
        shard: usize,
        template: &str,
        given: Given<'_>,
        mut take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<()> {
        let statement = self.tx.prepare_cached(&self.schemas.sql(template, shard)).await.map_err(database)?;
        let rows = self.tx.query_raw(&statement, given.iter().copied()).await.map_err(database)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(database)? {
            take(&row)?;
        }
        Ok(())
    }
}

/// Takes a long look in one snapshot.
macro_rules! survey {
    ($store:expr, $survey:ident => $look:expr) => {{
        let mut client = $store.connections.survey().await?;
        let tx = $crate::connection::snapshot(&mut client).await?;
        let $survey = $crate::survey::Survey { tx: &tx, schemas: &$store.connections.schemas };
        let seen = $look.await;
        // Nothing was written; the snapshot is let go at once, not when the connection is next used.
        tx.rollback().await.map_err($crate::rows::database)?;
        seen
    }};
}
pub(crate) use survey;
