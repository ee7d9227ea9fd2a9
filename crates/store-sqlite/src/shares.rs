//! Who works on this file: one process at a time, by a lock that the operating system takes back when the process ends,
//! however it ends. Whoever takes it raises the share's token, so that what was decided before is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::Connection;
use zhiyin_model::time::Ts;
use zhiyin_store::read::{Share, Work};
use zhiyin_store::turn::{Held, Turn};
use zhiyin_store::{Result, StoreError};

use crate::connection::Connections;
use crate::rows::{all, database};
use crate::write::{SLOT, SLOT_GIVEN_UP, SLOT_TAKEN};

pub(crate) const SHARES: &str = "SELECT s.slot, s.holder, s.token, s.batch, (SELECT COUNT(*) FROM event \
    WHERE derived = 0 AND seq > s.cursor), (SELECT MIN(clock) FROM event WHERE derived = 0 AND seq > s.cursor) FROM slot s";
pub(crate) const QUEUED: &str =
    "SELECT (SELECT COUNT(*) FROM queue) + (SELECT COUNT(*) FROM retry), (SELECT COUNT(*) FROM dead_letter)";
pub(crate) const FEED_LAG: &str =
    "SELECT c.name, (SELECT COUNT(*) FROM feed WHERE no > c.no) FROM consumer c ORDER BY c.name";

/// What an attempt to hold the share came to.
enum Hold {
    /// It was held by this worker already.
    Kept,
    /// It is from now on.
    Taken,
    /// Somebody else holds it.
    Elsewhere,
}

/// The lock beside the file, and for whom it is held.
pub(crate) struct Shares {
    path: PathBuf,
    held: Mutex<Option<(String, File)>>,
}

impl Shares {
    pub(crate) fn of(path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push("-worker");
        Self { path: path.with_file_name(name), held: Mutex::new(None) }
    }

    /// Holds the share for a worker, if nobody else does.
    fn hold(&self, holder: &str) -> Result<Hold> {
        let mut held = self.held.lock().map_err(|_| StoreError::Stopped)?;
        if let Some((by, _)) = held.as_ref() {
            return Ok(if by == holder { Hold::Kept } else { Hold::Elsewhere });
        }
        let failed =
            |error: std::io::Error| StoreError::Database(format!("{}: {error}", self.path.display()));
        let file =
            OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                *held = Some((holder.to_owned(), file));
                Ok(Hold::Taken)
            }
            Err(TryLockError::WouldBlock) => Ok(Hold::Elsewhere),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Holds the share for a worker where nobody else does, and says how it stands; of no share where somebody does.
    pub(crate) async fn lease(&self, connections: &Connections, holder: &str) -> Result<Turn> {
        let taken_by = match self.hold(holder)? {
            Hold::Elsewhere => return Ok(Turn::default()),
            Hold::Kept => None,
            Hold::Taken => Some(holder.to_owned()),
        };
        match taken_by {
            None => connections.read_in_line(|c| turn(c, None)).await,
            Some(taken_by) => {
                let turn = connections.write(move |c| turn(c, Some(&taken_by))).await;
                if turn.is_err() {
                    self.give_up(holder)?;
                }
                turn
            }
        }
    }

    /// Gives the share up, if this worker holds it.
    pub(crate) fn give_up(&self, holder: &str) -> Result<()> {
        let mut held = self.held.lock().map_err(|_| StoreError::Stopped)?;
        if held.as_ref().is_some_and(|(by, _)| by == holder) {
            // Closing the file frees it.
            *held = None;
        }
        Ok(())
    }
}

/// The share as it stands; taken anew, its token is another.
pub(crate) fn turn(c: &Connection, taken_by: Option<&str>) -> Result<Turn> {
    if let Some(holder) = taken_by {
        c.execute(SLOT_TAKEN, [holder]).map_err(database)?;
    }
    let held = all(c, SLOT, [], |row| {
        Ok(Held { slot: row.get(0)?, token: row.get(1)?, batch: row.get(2)?, cursor: row.get(3)? })
    })?;
    Ok(Turn { held })
}

/// Notes that nobody holds it.
pub(crate) fn given_up(c: &Connection, holder: &str) -> Result<()> {
    c.execute(SLOT_GIVEN_UP, [holder]).map(drop).map_err(database)
}

/// How the work stands.
pub(crate) fn work(c: &Connection) -> Result<Work> {
    let shares = all(c, SHARES, [], |row| {
        Ok(Share {
            slot: row.get(0)?,
            holder: row.get(1)?,
            token: row.get(2)?,
            batch: row.get(3)?,
            waiting: row.get(4)?,
            oldest: row.get::<_, Option<i64>>(5)?.map(Ts),
        })
    })?;
    let (queued, dead_letters) =
        c.query_row(QUEUED, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)?;
    let feed = all(c, FEED_LAG, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Work { shares, queued, dead_letters, feed, replicas: Vec::new() })
}
