//! What spans shards: each shard is read by itself, row by row, and compared here. What lies in many rows is compared by
//! sums of hashes first, so that memory holds no more than the breaches.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use zhiyin_model::id::{Id, MemberId, OrderId};
use zhiyin_store::Result;
use zhiyin_store::read::Check;
use zhiyin_store::seal::LookupHash;

use super::Broken;
use crate::rows::{Uuid, get, id};
use crate::survey::Survey;

pub(crate) const ZERO: &str = "SELECT asset, SUM(balance)::bigint FROM ( \
    SELECT asset, active + pending - debt AS balance FROM {shard}.account UNION ALL \
    SELECT asset, balance FROM {shard}.house_account) b GROUP BY asset";
pub(crate) const SHARES: &str = "SELECT slots, shards, \
    (SELECT COALESCE(array_agg(slot ORDER BY slot), '{}') FROM {home}.slot) FROM {home}.home";
pub(crate) const MEMBERS: &str = "SELECT id, slot FROM {shard}.member ORDER BY id";
pub(crate) const EVENTS: &str = "SELECT DISTINCT member, slot FROM {shard}.event";
pub(crate) const NAMED: &str = "SELECT hash, member FROM {shard}.identifier";
/// Members that an item was about or may have reached: they need not be known before it is decided, or ever.
pub(crate) const SPOKEN_OF: &str =
    "SELECT member FROM {shard}.event UNION SELECT reached FROM {shard}.event WHERE reached IS NOT NULL";
pub(crate) const ORDERS: &str = "SELECT id, member, no FROM {shard}.orders";
pub(crate) const ORDER_PLACES: &str = "SELECT id, member, no FROM {shard}.order_place";
/// What was archived may be forgotten; the lower 62 bits of a place say its month.
pub(crate) const ITEMS: &str = "SELECT source, message_id, seq FROM {shard}.event WHERE derived < 2 AND NOT EXISTS ( \
    SELECT 1 FROM {home}.archive a WHERE a.month = (seq & 4611686018427387903) >> 36)";
pub(crate) const MESSAGES: &str = "SELECT source, message_id, seq FROM {shard}.message WHERE NOT EXISTS ( \
    SELECT 1 FROM {home}.archive a WHERE a.month = (seq & 4611686018427387903) >> 36)";

/// The brand's accounts have a row in each share, members are spread: only all together sum to zero.
pub(super) async fn zero(survey: &Survey<'_>) -> Result<Check> {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    survey
        .each(ZERO, &[], |row| {
            *sums.entry(get(row, 0)?).or_default() += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    let mut broken = Broken::default();
    for (asset, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        broken.say(format!("asset {asset} sums to {sum}"));
    }
    Ok(broken.check("each asset sums to zero over members and the brand's accounts"))
}

pub(super) async fn shares(survey: &Survey<'_>) -> Result<Check> {
    let mut broken = Broken::default();
    let wanted = (survey.schemas.slots(), survey.schemas.shards());
    for row in survey.home(SHARES, &[]).await? {
        let (slots, shards) = (get::<i32>(&row, 0)?, get::<i32>(&row, 1)?);
        if slots != wanted.0 || usize::try_from(shards) != Ok(wanted.1) {
            broken.say(format!("the home says {slots} shares in {shards} shards"));
        }
        if !get::<Vec<i32>>(&row, 2)?.into_iter().eq(0..wanted.0) {
            broken.say(format!("there are other shares than 0 to {}", wanted.0 - 1));
        }
    }
    Ok(broken.check("the shares are complete"))
}

/// Whether rows lie in the share of their member and in its shard; and all members, sorted.
pub(super) async fn placed(survey: &Survey<'_>) -> Result<(Check, Vec<MemberId>)> {
    let (mut broken, mut members) = (Broken::default(), Vec::new());
    for shard in 0..survey.schemas.shards() {
        for (what, sql) in [("", MEMBERS), ("an event of ", EVENTS)] {
            survey
                .shard(shard, sql, &[], |row| {
                    let (member, slot): (MemberId, i32) = (id(row, 0)?, get(row, 1)?);
                    let right = survey.schemas.slot_of(member);
                    if (slot, shard) != (right, survey.schemas.shard_of_slot(right)) {
                        broken.say(format!(
                            "{what}member {} lies in share {slot} of shard {shard}",
                            hex(&member)
                        ));
                    }
                    if what.is_empty() {
                        members.push(member);
                    }
                    Ok(())
                })
                .await?;
        }
    }
    members.sort_unstable();
    for twice in members.windows(2).filter(|pair| pair[0] == pair[1]) {
        broken.say(format!("member {} is there twice", hex(&twice[0])));
    }
    Ok((broken.check("every member and every event lies in the share of its member"), members))
}

pub(super) async fn identifiers(survey: &Survey<'_>, members: &[MemberId]) -> Result<Check> {
    let mut broken = Broken::default();
    let mut loose: BTreeMap<MemberId, LookupHash> = BTreeMap::new();
    for shard in 0..survey.schemas.shards() {
        survey
            .shard(shard, NAMED, &[], |row| {
                let (hash, member): (LookupHash, MemberId) = (get::<Uuid>(row, 0)?.0, id(row, 1)?);
                if survey.schemas.shard_of_hash(&hash) != shard {
                    broken.say(format!("identifier {} is looked up in shard {shard}", named(&hash)));
                }
                if members.binary_search(&member).is_err() {
                    loose.insert(member, hash);
                }
                Ok(())
            })
            .await?;
    }
    if !loose.is_empty() {
        survey
            .each(SPOKEN_OF, &[], |row| {
                loose.remove(&id(row, 0)?);
                Ok(())
            })
            .await?;
        for (member, hash) in loose {
            broken.say(format!("identifier {} points to {}, who is nobody", named(&hash), hex(&member)));
        }
    }
    Ok(broken.check("every identifier is found by its hash and points to somebody"))
}

pub(super) async fn orders(survey: &Survey<'_>) -> Result<Check> {
    let mut broken = Broken::default();
    let key = |row: &Row, key: &mut Vec<u8>| -> Result<()> {
        key.extend(get::<Uuid>(row, 0)?.0);
        key.extend(get::<Uuid>(row, 1)?.0);
        key.extend(get::<i64>(row, 2)?.to_le_bytes());
        Ok(())
    };
    let words = |row: &Row| -> Result<String> {
        let (order, member): (OrderId, MemberId) = (id(row, 0)?, id(row, 1)?);
        Ok(format!("order {} of member {} at event {}", hex(&order), hex(&member), get::<i64>(row, 2)?))
    };
    let shard = |row: &Row| id(row, 0).map(|order| survey.schemas.shard_of_order(order));
    let sides = Sides {
        said: ORDERS,
        found: ORDER_PLACES,
        only_said: "has no place",
        only_found: "has a place, but is not there",
        key,
        words,
        shard,
    };
    sides.compare(survey, &mut broken).await?;
    Ok(broken.check("every order has its place, and every place its order"))
}

pub(super) async fn messages(survey: &Survey<'_>) -> Result<Check> {
    let mut broken = Broken::default();
    let key = |row: &Row, key: &mut Vec<u8>| -> Result<()> {
        key.extend(get::<i32>(row, 0)?.to_le_bytes());
        key.extend(get::<i64>(row, 2)?.to_le_bytes());
        key.extend(get::<&str>(row, 1)?.as_bytes());
        Ok(())
    };
    let words = |row: &Row| -> Result<String> {
        let (source, message_id): (i32, &str) = (get(row, 0)?, get(row, 1)?);
        Ok(format!("event {}, {message_id:?} of source {source},", get::<i64>(row, 2)?))
    };
    let shard = |row: &Row| Ok(survey.schemas.shard_of_message(get(row, 0)?, get(row, 1)?));
    let sides = Sides {
        said: ITEMS,
        found: MESSAGES,
        only_said: "is not remembered",
        only_found: "is remembered, but not in the log",
        key,
        words,
        shard,
    };
    sides.compare(survey, &mut broken).await?;
    Ok(broken.check("every item in the log is remembered, and whatever is remembered is in the log"))
}

/// Two statements that must find the same rows, wherever these lie: what is said, and what it is found by.
struct Sides<K, W, S> {
    said: &'static str,
    found: &'static str,
    only_said: &'static str,
    only_found: &'static str,
    /// What must be equal.
    key: K,
    /// A row in words.
    words: W,
    /// The shard in which it is to be found.
    shard: S,
}

impl<K, W, S> Sides<K, W, S>
where
    K: Fn(&Row, &mut Vec<u8>) -> Result<()>,
    W: Fn(&Row) -> Result<String>,
    S: Fn(&Row) -> Result<usize>,
{
    /// First which of 256 heaps of rows differ, by the sums of the hashes of their rows; then which rows of these. What
    /// agrees costs no memory.
    async fn compare(&self, survey: &Survey<'_>, broken: &mut Broken) -> Result<()> {
        let mut heaps = [0u128; 256];
        survey
            .each(self.said, &[], |row| {
                let (heap, hash) = self.heap(row)?;
                heaps[heap] = heaps[heap].wrapping_add(hash);
                Ok(())
            })
            .await?;
        for shard in 0..survey.schemas.shards() {
            survey
                .shard(shard, self.found, &[], |row| {
                    let (heap, hash) = self.heap(row)?;
                    heaps[heap] = heaps[heap].wrapping_sub(hash);
                    if (self.shard)(row)? != shard {
                        broken.say(format!("{} is looked up in shard {shard}", (self.words)(row)?));
                    }
                    Ok(())
                })
                .await?;
        }
        let differ: Vec<usize> = (0..256).filter(|heap| heaps[*heap] != 0).take(super::SHOWN).collect();
        if differ.is_empty() { Ok(()) } else { self.differences(survey, &differ, broken).await }
    }

    async fn differences(&self, survey: &Survey<'_>, heaps: &[usize], broken: &mut Broken) -> Result<()> {
        let mut rows: BTreeMap<String, i64> = BTreeMap::new();
        for (sql, sign) in [(self.said, 1), (self.found, -1)] {
            survey
                .each(sql, &[], |row| {
                    if heaps.contains(&self.heap(row)?.0) {
                        *rows.entry((self.words)(row)?).or_default() += sign;
                    }
                    Ok(())
                })
                .await?;
        }
        for (words, count) in rows.into_iter().filter(|(_, count)| *count != 0) {
            let lacks = if count > 0 { self.only_said } else { self.only_found };
            broken.say(format!("{words} {lacks}"));
        }
        Ok(())
    }

    /// The heap and the hash of a row.
    fn heap(&self, row: &Row) -> Result<(usize, u128)> {
        let mut key = Vec::with_capacity(64);
        (self.key)(row, &mut key)?;
        let hash = *blake3::hash(&key).as_bytes();
        let number = hash.first_chunk::<16>().map_or(0, |bytes| u128::from_le_bytes(*bytes));
        Ok((usize::from(hash[31]), number))
    }
}

fn named(hash: &LookupHash) -> String {
    hex(&MemberId::from_bytes(*hash))
}

/// An id as SQLite and the statements of this doctor write it.
fn hex<K>(id: &Id<K>) -> String {
    id.to_string().to_uppercase()
}
