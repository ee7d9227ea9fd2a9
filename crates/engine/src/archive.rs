//! Moving months of events to files once the window in which ids are remembered has passed them.

use std::path::Path;

use tokio::sync::mpsc;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::archive::{Month, Writer, file_name, hash};
use zhiyin_store::turn::place;
use zhiyin_store::{StoreError, archive};

use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// How many days the ids of items are remembered at least.
pub const REMEMBERED_DAYS: u32 = 400;

/// What became of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in a file now.
    Archived {
        /// Events in it.
        events: i64,
    },
    /// It was before, and its file is what it was.
    Before,
    /// Something in it is not settled for good: dead letters, or what waits.
    Open,
    /// Its ids must be remembered still.
    Young,
}

impl Engine {
    /// Moves the months before one to files in a folder; what became of each. A month moves whole or not at all, and one
    /// that was interrupted is taken up again.
    #[boxed]
    pub async fn archive(&self, folder: &Path, before: i64, keep_days: u32) -> Result<Vec<(Month, Outcome)>> {
        let now = clock::now(&self.home().await?);
        let mut told = Vec::new();
        for month in self.store().months().await? {
            if month.month >= before {
                continue;
            }
            let outcome = self.archive_month(folder, &month, now, keep_days).await?;
            told.push((month, outcome));
        }
        Ok(told)
    }

    async fn archive_month(&self, folder: &Path, month: &Month, now: Ts, keep_days: u32) -> Result<Outcome> {
        if let Some((file, hash)) = &month.file {
            return self.archived_before(folder, month, (file, hash)).await;
        }
        let forgotten_at = place::begins(month.month + 1).plus_us(i64::from(keep_days) * DAY_US);
        if forgotten_at > now {
            return Ok(Outcome::Young);
        }
        if month.open {
            return Ok(Outcome::Open);
        }
        let mut writer = Writer::new(folder, month.month)?;
        let (out, mut rows) = mpsc::channel::<Vec<archive::Row>>(2);
        let writing = tokio::task::spawn_blocking(move || {
            while let Some(rows) = rows.blocking_recv() {
                rows.into_iter().try_for_each(|row| writer.row(row))?;
            }
            writer.finish()
        });
        let (said, written) = tokio::join!(self.store().month_rows(month.month, out), writing);
        let (events, hash) = written.map_err(|error| StoreError::Database(error.to_string()))??;
        said?;
        if events != month.events {
            let message = format!("{} of {} events were read", events, month.events);
            return Err(EngineError::File { file: file_name(month.month), message });
        }
        self.store().month_archived(month.month, &file_name(month.month), events, &hash).await?;
        Ok(Outcome::Archived { events })
    }

    /// Takes up again what may have been interrupted, if the file is what it was.
    async fn archived_before(
        &self,
        folder: &Path,
        month: &Month,
        (file, noted): (&str, &str),
    ) -> Result<Outcome> {
        if hash(&folder.join(file))? != noted {
            let message = "is not the file that was written: its hash is another".to_owned();
            return Err(EngineError::File { file: file.to_owned(), message });
        }
        self.store().month_archived(month.month, file, month.events, noted).await?;
        Ok(Outcome::Before)
    }
}
