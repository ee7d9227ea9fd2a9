//! What a process remembers of a home, because it does not change or is its own: numbers of sources, months that have their
//! partitions, numbers for derived events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zhiyin_store::Result;

use crate::connection::{Connections, Step};
use crate::partition;
use crate::rows::{database, get};

/// How many numbers one call of the sequence gives: its increment.
const BLOCK: i64 = 1_024;
/// How many blocks are taken at once.
const BLOCKS: i32 = 16;

pub(crate) const FACT_BLOCKS: &str = "SELECT nextval('{home}.fact_no') FROM generate_series(1, $1::integer)";
/// Whoever accepts items, or makes partitions, does so alone.
/// One at a time makes partitions. It is held until everybody was told of them.
pub(crate) const MONTH_ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('zhiyin month ' || $1::text, 0))";
pub(crate) const HOME_HELD: &str = "SELECT clock, last, erasures FROM {home}.home WHERE one = 1 FOR UPDATE";

/// A source as it was first seen.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its number.
    pub(crate) no: i32,
    /// Namespace of its `userId`.
    pub(crate) user_namespace: String,
}

/// What is remembered.
pub(crate) struct Memory {
    own: AtomicI32,
    last: AtomicI64,
    months: Mutex<BTreeSet<i64>>,
    sources: Mutex<BTreeMap<String, Source>>,
    /// Numbers that nobody else has, each list from one up to but without another.
    numbers: Mutex<Vec<(i64, i64)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What lies in there is whole after every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Nothing remembered but the number of the source of derived events.
    pub(crate) fn new(own: i32) -> Self {
        Self {
            own: AtomicI32::new(own),
            last: AtomicI64::new(0),
            months: Mutex::default(),
            sources: Mutex::default(),
            numbers: Mutex::default(),
        }
    }

    /// Forgets all: the home was filled from another.
    pub(crate) fn forget(&self, own: i32) {
        self.own.store(own, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
        locked(&self.months).clear();
        locked(&self.sources).clear();
        locked(&self.numbers).clear();
    }

    /// The number of the source of derived events.
    pub(crate) fn own(&self) -> i32 {
        self.own.load(Ordering::Relaxed)
    }

    /// The last place given to an item, as far as this process has seen.
    pub(crate) fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }

    /// It was seen at least here.
    pub(crate) fn saw_last(&self, last: i64) {
        self.last.fetch_max(last, Ordering::Relaxed);
    }

    /// A source, if it was seen before.
    pub(crate) fn source(&self, name: &str) -> Option<Source> {
        locked(&self.sources).get(name).cloned()
    }

    /// Remembers sources that are committed.
    pub(crate) fn saw_sources(&self, sources: BTreeMap<String, Source>) {
        locked(&self.sources).extend(sources);
    }

    /// Whether a month is known to have its partitions.
    pub(crate) fn has_month(&self, month: i64) -> bool {
        locked(&self.months).contains(&month)
    }

    /// Remembers partitions that are committed.
    pub(crate) fn saw_months(&self, months: &BTreeSet<i64>) {
        locked(&self.months).extend(months);
    }

    /// Places for so many derived events, in a month that has its partitions.
    pub(crate) async fn fact_places(&self, connections: &Connections, n: usize) -> Result<Vec<i64>> {
        if n == 0 {
            return Ok(Vec::new());
        }
        let month = partition::month_of(self.last());
        if !self.has_month(month) {
            make_month(connections, month).await?;
            self.saw_months(&BTreeSet::from([month]));
        }
        let mut places = Vec::with_capacity(n);
        loop {
            self.take(month, n, &mut places);
            let missing = n - places.len();
            if missing == 0 {
                return Ok(places);
            }
            let blocks = BLOCKS.max(i32::try_from(missing / 1_024 + 1).unwrap_or(BLOCKS));
            let rows = connections.session().await?.rows((FACT_BLOCKS, 0), &[&blocks]).await?;
            let blocks = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<i64>>>()?;
            locked(&self.numbers).extend(blocks.into_iter().rev().map(|from| (from, from + BLOCK)));
        }
    }

    fn take(&self, month: i64, n: usize, places: &mut Vec<i64>) {
        let mut numbers = locked(&self.numbers);
        while places.len() < n
            && let Some((from, to)) = numbers.pop()
        {
            let until = to.min(from + i64::try_from(n - places.len()).unwrap_or(i64::MAX));
            places.extend((from..until).map(|number| partition::fact_place(month, number)));
            if until < to {
                numbers.push((until, to));
            }
        }
    }
}

/// Makes the partitions of a month in a transaction of its own, before anything is put into them.
///
/// A commit shows rows to others an instant before it tells them of new partitions. In that instant a reader that knows the
/// table by a plan of before would see all that this commit wrote but what lies in the new partition, and take it for done.
/// So they are made first: whoever hears that they are there, by this answer or by the lock, comes after that instant.
pub(crate) async fn make_month(connections: &Connections, month: i64) -> Result<()> {
    let tx = connections.session().await?.transaction();
    let made = async {
        let home = tx.session()?.schemas.home().to_owned();
        tx.send(vec![Step::Say("BEGIN"), Step::Ask((MONTH_ALONE, 0), vec![&home])])
            .await
            .map_err(database)?;
        let session = tx.session()?;
        partition::ensure(&**session.client, session.schemas, month).await?;
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database).map(drop)
    };
    let made = made.await;
    tx.end(made).await
}
