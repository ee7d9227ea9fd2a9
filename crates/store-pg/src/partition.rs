//! Months of events, each a partition in every shard: items of the inbox below [`FACTS`], what was derived above it.
//!
//! Whoever accepts the first item of a month has its partitions made first ([`crate::memory::make_month`]). Attaching takes a
//! lock that neither readers nor writers of other months wait for.

use tokio_postgres::GenericClient;
use zhiyin_store::turn::place;
use zhiyin_store::{Result, StoreError};

use crate::rows::{database, get};
use crate::schemas::Schemas;

/// From here on places are of derived events: first the months, then within each what `fact_no` numbers.
pub(crate) const FACTS: i64 = 1 << 62;

/// Whether a shard has the partition of this name.
pub(crate) const HAS: &str = "SELECT to_regclass('{shard}.' || $1::text) IS NOT NULL";

/// The month in which a row came in, whichever range its place is of.
pub(crate) fn month_of(seq: i64) -> i64 {
    place::month_of(if seq >= FACTS { seq - FACTS } else { seq })
}

/// The place of a derived event of a month.
pub(crate) fn fact_place(month: i64, number: i64) -> i64 {
    FACTS + month * place::OF_A_MONTH + number % place::OF_A_MONTH
}

/// Makes the partitions of a month where there are none. Whoever calls sees to it that nobody else does so at the same time.
pub(crate) async fn ensure(client: &impl GenericClient, schemas: &Schemas, month: i64) -> Result<()> {
    if !(0..FACTS / place::OF_A_MONTH).contains(&month) {
        return Err(StoreError::Damaged(format!("no month has the number {month}")));
    }
    let name = place::name(month).replace('-', "_");
    for shard in 0..schemas.shards() {
        for (kind, first) in [("event", 0), ("fact", FACTS)] {
            let partition = format!("{kind}_{name}");
            let has = client.query_one(&schemas.sql(HAS, shard), &[&partition]).await.map_err(database)?;
            if get::<bool>(&has, 0)? {
                continue;
            }
            let from = first + month * place::OF_A_MONTH;
            // The last month there can be ends where numbers end.
            let to = from.saturating_add(place::OF_A_MONTH);
            let sql = format!(
                "CREATE TABLE {{shard}}.{partition} (LIKE {{shard}}.event INCLUDING ALL); \
                 ALTER TABLE {{shard}}.event ATTACH PARTITION {{shard}}.{partition} FOR VALUES FROM ({from}) TO ({to})"
            );
            client.batch_execute(&schemas.sql(&sql, shard)).await.map_err(database)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_its_month() {
        for month in [0, 1, 566, 1_000] {
            assert_eq!(month_of(month * place::OF_A_MONTH + 1), month);
            for number in [1, 1_024, place::OF_A_MONTH - 1] {
                assert_eq!(month_of(fact_place(month, number)), month);
            }
        }
        assert!(fact_place(0, 1) > place::next(0, zhiyin_model::time::Ts(i64::MAX)));
    }
}
