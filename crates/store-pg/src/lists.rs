//! Lists of members that were uploaded by hand, which lie in the home's schema. The home is held while somebody is put on one,
//! so that no name is settled and nobody is erased meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::lists::{List, Listed, Lists};
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::connection::{Said, Step, Tx};
use crate::load::BY_IDENTIFIER;
use crate::memory::HOME_HELD;
use crate::rows::{Uuid, database, get, id};
use crate::survey::survey;
use crate::write::FEED_NEW;

pub(crate) const LISTS: &str =
    "SELECT name, made_at, changed_at, changed_by, round FROM {home}.list ORDER BY name";
/// Whoever changes a list does so alone.
pub(crate) const LIST: &str = "SELECT no, round FROM {home}.list WHERE name = $1 FOR UPDATE";
/// Members of each list who lie in a shard.
pub(crate) const COUNTS: &str = "SELECT g.name, COUNT(DISTINCT m.id) FROM {home}.listed l JOIN {home}.list g ON g.no = l.list \
    LEFT JOIN {home}.alias a ON a.member = l.member JOIN {shard}.member m ON m.id = COALESCE(a.root, l.member) \
    GROUP BY g.name";
/// The same of one list.
pub(crate) const COUNT: &str = "SELECT COUNT(DISTINCT m.id) FROM {home}.listed l \
    LEFT JOIN {home}.alias a ON a.member = l.member JOIN {shard}.member m ON m.id = COALESCE(a.root, l.member) \
    WHERE l.list = (SELECT no FROM {home}.list WHERE name = $1)";
pub(crate) const BEGIN: &str = "INSERT INTO {home}.list AS g (name, made_at, changed_at, changed_by, round) \
    VALUES ($1, $2, $2, $3, 1) ON CONFLICT (name) DO UPDATE SET changed_at = $2, changed_by = $3, round = g.round + 1 \
    RETURNING round";
pub(crate) const CHANGED: &str = "UPDATE {home}.list SET changed_at = GREATEST(changed_at, $2) WHERE no = $1";
pub(crate) const GONE: &str = "DELETE FROM {home}.list WHERE no = $1";
pub(crate) const LISTED: &str =
    "SELECT named, member FROM {home}.listed WHERE list = $1 AND named = ANY($2::uuid[])";
pub(crate) const PUT: &str = "INSERT INTO {home}.listed (list, named, member, round) \
    SELECT $1, named, member, $4 FROM UNNEST($2::uuid[], $3::uuid[]) u (named, member) \
    ON CONFLICT (list, named) DO UPDATE SET member = excluded.member, round = excluded.round";
pub(crate) const STALE: &str =
    "SELECT named, member FROM {home}.listed WHERE list = $1 AND round < $2 LIMIT $3";
pub(crate) const TAKE: &str = "DELETE FROM {home}.listed WHERE list = $1 AND named = ANY($2::uuid[])";
pub(crate) const ERASED: &str = "DELETE FROM {home}.listed WHERE member = $1 \
    OR member IN (SELECT member FROM {home}.alias WHERE root = $1)";
pub(crate) const ROOTS: &str = "SELECT member, root FROM {home}.alias WHERE member = ANY($1::uuid[])";
/// On which lists members are.
pub(crate) const OF: &str = "SELECT l.member, g.name FROM {home}.listed l JOIN {home}.list g ON g.no = l.list \
    WHERE l.member = ANY($1::uuid[]) UNION SELECT a.root, g.name FROM {home}.alias a \
    JOIN {home}.listed l ON l.member = a.member JOIN {home}.list g ON g.no = l.list WHERE a.root = ANY($1::uuid[])";
pub(crate) const SAID: &str = "SELECT DISTINCT COALESCE(a.root, l.member), g.name FROM {home}.listed l \
    JOIN {home}.list g ON g.no = l.list LEFT JOIN {home}.alias a ON a.member = l.member";

/// What of a list goes with whoever leaves a member by a name, in SQL.
pub(crate) fn parted(home: &str, named: MemberId, from: MemberId, to: MemberId) -> String {
    format!(
        "UPDATE {home}.listed SET member = '{to}' WHERE named = '{named}' AND (member = '{from}' \
         OR member IN (SELECT member FROM {home}.alias WHERE root = '{from}'));\n"
    )
}

/// Begins a change of a list, the home being held; its number, while this upload is the last one.
async fn held(tx: &Tx<'_>, name: &str, round: i64) -> Result<i64> {
    let steps =
        vec![Step::Say("BEGIN"), Step::Ask((HOME_HELD, 0), vec![]), Step::Ask((LIST, 0), vec![&name])];
    let said = tx.send(steps).await.map_err(database)?;
    let found = said.into_iter().nth(2).map(Said::rows).unwrap_or_default();
    let Some(row) = found.first() else { return Err(StoreError::Stale) };
    if get::<i64>(row, 1)? != round {
        return Err(StoreError::Stale);
    }
    get(row, 0)
}

fn pairs(rows: &[Row]) -> Result<BTreeMap<Uuid, MemberId>> {
    rows.iter().map(|row| Ok((get(row, 0)?, id(row, 1)?))).collect()
}

/// Tells whoever keeps everybody that these are to be read again, and commits.
async fn told(tx: &Tx<'_>, no: i64, changed: BTreeSet<MemberId>, at: Ts) -> Result<()> {
    if changed.is_empty() {
        return tx.send(vec![Step::Say("COMMIT")]).await.map(drop).map_err(database);
    }
    let asked: Vec<Uuid> = changed.iter().map(|member| (*member).into()).collect();
    let said = tx.send(vec![Step::Ask((ROOTS, 0), vec![&asked])]).await.map_err(database)?;
    let roots = pairs(&said.into_iter().flat_map(Said::rows).collect::<Vec<_>>())?;
    let is = |member: &MemberId| roots.get(&Uuid::from(*member)).copied().unwrap_or(*member);
    let members: BTreeSet<MemberId> = changed.iter().map(is).collect();
    let members: Vec<u8> = members.iter().flat_map(|member| *member.bytes()).collect();
    let events = Vec::<u8>::new();
    let steps = vec![
        Step::Run((CHANGED, 0), vec![&no, &at.0]),
        Step::Run((FEED_NEW, 0), vec![&members, &events]),
        Step::Say("COMMIT"),
    ];
    tx.send(steps).await.map(drop).map_err(database)
}

async fn put(tx: &Tx<'_>, (name, round): (&str, i64), put: &[Listed], at: Ts) -> Result<u64> {
    let no = held(tx, name, round).await?;
    let schemas = tx.session()?.schemas;
    let mut by_shard: Vec<Vec<Uuid>> = vec![Vec::new(); schemas.shards()];
    let mut wanted: BTreeMap<Uuid, MemberId> = BTreeMap::new();
    for listed in put {
        if listed.named == *listed.member.bytes() {
            wanted.insert(Uuid(listed.named), listed.member);
        } else {
            by_shard[schemas.shard_of_hash(&listed.named)].push(Uuid(listed.named));
        }
    }
    let asks = by_shard.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty());
    let steps = asks.map(|(shard, hashes)| Step::Ask((BY_IDENTIFIER, shard), vec![hashes])).collect();
    let said = tx.send(steps).await.map_err(database)?;
    wanted.extend(pairs(&said.into_iter().flat_map(Said::rows).collect::<Vec<_>>())?);
    // In one order, so that two who change the same rows wait for each other and never in a circle.
    let named: Vec<Uuid> = wanted.keys().copied().collect();
    let members: Vec<Uuid> = wanted.values().map(|member| (*member).into()).collect();
    let steps = vec![
        Step::Ask((LISTED, 0), vec![&no, &named]),
        Step::Run((PUT, 0), vec![&no, &named, &members, &round]),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    let before = pairs(&said.into_iter().flat_map(Said::rows).collect::<Vec<_>>())?;
    let mut changed = BTreeSet::new();
    for (named, member) in &wanted {
        let was = before.get(named);
        if was != Some(member) {
            changed.extend(was);
            changed.insert(*member);
        }
    }
    told(tx, no, changed, at).await?;
    Ok((wanted.len() - before.len()) as u64)
}

async fn take(tx: &Tx<'_>, (name, round): (&str, i64), limit: usize, at: Ts) -> Result<u64> {
    let no = held(tx, name, round).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let said = tx.send(vec![Step::Ask((STALE, 0), vec![&no, &round, &limit])]).await.map_err(database)?;
    let stale = pairs(&said.into_iter().flat_map(Said::rows).collect::<Vec<_>>())?;
    let named: Vec<Uuid> = stale.keys().copied().collect();
    tx.send(vec![Step::Run((TAKE, 0), vec![&no, &named])]).await.map_err(database)?;
    told(tx, no, stale.values().copied().collect(), at).await?;
    Ok(stale.len() as u64)
}

async fn gone(tx: &Tx<'_>, name: &str, round: i64) -> Result<bool> {
    let no = held(tx, name, round).await?;
    let (all, one) = (i64::MAX, 1i64);
    let rest = tx.send(vec![Step::Ask((STALE, 0), vec![&no, &all, &one])]).await.map_err(database)?;
    if rest.into_iter().flat_map(Said::rows).next().is_some() {
        return Err(StoreError::Stale);
    }
    let steps = vec![Step::Run((GONE, 0), vec![&no]), Step::Say("COMMIT")];
    let said = tx.send(steps).await.map_err(database)?;
    Ok(said.first().is_some_and(|said| said.count() > 0))
}

#[async_trait]
impl Lists for PgStore {
    async fn lists(&self) -> Result<Vec<List>> {
        let rows = self.connections.session().await?.rows((LISTS, 0), &[]).await?;
        let list = |row: &Row| {
            Ok(List {
                name: get(row, 0)?,
                made_at: Ts(get(row, 1)?),
                changed_at: Ts(get(row, 2)?),
                changed_by: get(row, 3)?,
                round: get(row, 4)?,
            })
        };
        let mut lists = rows.iter().map(list).collect::<Result<Vec<List>>>()?;
        // In the order of bytes, whatever the database's own order is.
        lists.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(lists)
    }

    async fn list_counts(&self) -> Result<Vec<(String, u64)>> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        survey!(self, survey => {

            survey.each(COUNTS, &[], |row| {
                *counts.entry(get(row, 0)?).or_default() += get::<i64>(row, 1)?.unsigned_abs();
                Ok(())
            })
        })?;
        Ok(counts.into_iter().collect())
    }

    async fn list_count(&self, name: &str) -> Result<u64> {
        let (mut count, name) = (0, name.to_owned());
        let given: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&name];
        survey!(self, survey => {

            survey.each(COUNT, &given, |row| {
                count += get::<i64>(row, 0)?.unsigned_abs();
                Ok(())
            })
        })?;
        Ok(count)
    }

    async fn list_begin(&self, name: &str, by: &str, at: Ts) -> Result<i64> {
        let session = self.connections.session().await?;
        let row = session.row((BEGIN, 0), &[&name, &at.0, &by]).await?;
        row.map_or_else(|| Err(StoreError::Damaged(format!("list {name:?}"))), |row| get(&row, 0))
    }

    async fn list_put(&self, name: &str, round: i64, listed: Vec<Listed>, at: Ts) -> Result<u64> {
        let tx = self.connections.session().await?.transaction();
        let done = put(&tx, (name, round), &listed, at).await;
        tx.end(done).await
    }

    async fn list_take(&self, name: &str, round: i64, limit: usize, at: Ts) -> Result<u64> {
        let tx = self.connections.session().await?.transaction();
        let done = take(&tx, (name, round), limit, at).await;
        tx.end(done).await
    }

    async fn list_gone(&self, name: &str, round: i64) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let done = gone(&tx, name, round).await;
        tx.end(done).await
    }
}
