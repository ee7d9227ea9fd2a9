//! Folding the write-ahead log into the file, beside the writer: copying pages to their places is half of what a batch
//! costs once it touches more than fits together, and it need not hold up the next batch.
//!
//! When the log is long, a thread of its own folds what is there, while the writer goes on. Then the writer folds the few
//! pages that came in between, and begins the log anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use zhiyin_store::{Result, StoreError};

use crate::connection::{self, Durability};
use crate::rows::database;

/// Pages of the log after which it is folded: 32 MB of 2 KB pages.
const LONG_PAGES: i32 = 16_384;
/// Pages after which the writer folds it itself, so that it cannot outgrow the thread that does.
const OVERLONG_PAGES: i32 = 8 * LONG_PAGES;

pub(crate) const FOLD: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The thread that folds, as the writer knows it.
pub(crate) struct Folding {
    ask: SyncSender<()>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Folding {
    /// Starts the thread, and has the writer's commits wake it.
    pub(crate) fn start(path: &Path, writer: &mut Connection, durability: Durability) -> Result<Self> {
        let beside = connection::open(path, durability)?;
        beside.execute_batch("PRAGMA cache_size = -1024;").map_err(database)?;
        let (ask, asks) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("sqlite-folding".to_owned())
            .spawn({
                let (done, stop) = (Arc::clone(&done), Arc::clone(&stop));
                move || fold_when_asked(&beside, &asks, &done, &stop)
            })
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let (wake, overlong) = (ask.clone(), Arc::clone(&done));
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            if pages >= LONG_PAGES {
                // Where one is asked for already, that one will do.
                let (Ok(()) | Err(_)) = wake.try_send(());
            }
            if pages >= OVERLONG_PAGES {
                overlong.store(true, Ordering::Release);
            }
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(database)?;
        Ok(Self { ask, stop, done, thread: Some(thread) })
    }

    /// Between two transactions of the writer: folds the rest, once most of the log is.
    pub(crate) fn finish(&self, writer: &Connection) {
        if self.done.swap(false, Ordering::AcqRel) {
            fold(writer);
        }
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // If it is gone already there is nobody to wake.
        let (Ok(()) | Err(_)) = self.ask.send(());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn fold_when_asked(beside: &Connection, asks: &Receiver<()>, done: &AtomicBool, stop: &AtomicBool) {
    while asks.recv().is_ok() && !stop.load(Ordering::Acquire) {
        fold(beside);
        done.store(true, Ordering::Release);
    }
}

/// What cannot be folded now (a reader looks at it) is folded the next time; nothing depends on when.
fn fold(connection: &Connection) {
    drop(connection.query_row(FOLD, [], |_| Ok(())));
}
