//! Lists of members that were uploaded by hand. The writer is one, so what is looked up for a change stays as it is until it is
//! written.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::lists::{List, Listed, Lists};
use zhiyin_store::{Result, StoreError};

use crate::SqliteStore;
use crate::load::BY_IDENTIFIER;
use crate::reading::ROOT;
use crate::rows::{all, database, id};
use crate::write::{FEED_NEW, prepare, run};

pub(crate) const LISTS: &str = "SELECT name, made_at, changed_at, changed_by, round FROM list ORDER BY name";
pub(crate) const LIST: &str = "SELECT no, round FROM list WHERE name = ?";
pub(crate) const COUNTS: &str = "SELECT g.name, COUNT(DISTINCT m.id) FROM listed l JOIN list g ON g.no = l.list \
    LEFT JOIN alias a ON a.member = l.member JOIN member m ON m.id = COALESCE(a.root, l.member) GROUP BY g.name ORDER BY g.name";
pub(crate) const COUNT: &str = "SELECT COUNT(DISTINCT m.id) FROM listed l LEFT JOIN alias a ON a.member = l.member \
    JOIN member m ON m.id = COALESCE(a.root, l.member) WHERE l.list = (SELECT no FROM list WHERE name = ?)";
pub(crate) const BEGIN: &str = "INSERT INTO list (name, made_at, changed_at, changed_by, round) VALUES (?1, ?2, ?2, ?3, 1) \
    ON CONFLICT (name) DO UPDATE SET changed_at = ?2, changed_by = ?3, round = round + 1 RETURNING round";
pub(crate) const CHANGED: &str = "UPDATE list SET changed_at = MAX(changed_at, ?2) WHERE no = ?1";
pub(crate) const GONE: &str = "DELETE FROM list WHERE no = ?";
pub(crate) const LISTED: &str = "SELECT member FROM listed WHERE list = ? AND named = ?";
pub(crate) const PUT: &str = "INSERT INTO listed (list, named, member, round) VALUES (?, ?, ?, ?) \
    ON CONFLICT (list, named) DO UPDATE SET member = excluded.member, round = excluded.round";
pub(crate) const STALE: &str = "SELECT named, member FROM listed WHERE list = ? AND round < ? LIMIT ?";
pub(crate) const TAKE: &str = "DELETE FROM listed WHERE list = ? AND named = ?";
/// Who leaves takes along what they are listed by: of whoever they were parted from, at any remove.
pub(crate) const PARTED: &str = "UPDATE listed SET member = ?3 WHERE named = ?1 \
    AND member IN (SELECT ?2 UNION ALL SELECT member FROM alias WHERE root = ?2)";
pub(crate) const ERASED: &str =
    "DELETE FROM listed WHERE member IN (SELECT ?1 UNION ALL SELECT member FROM alias WHERE root = ?1)";
/// On which lists members are.
pub(crate) const OF: &str = "WITH given (id) AS (SELECT unhex(value) FROM json_each(?1)) \
    SELECT l.member, g.name FROM given CROSS JOIN listed l ON l.member = given.id JOIN list g ON g.no = l.list \
    UNION SELECT a.root, g.name FROM given CROSS JOIN alias a ON a.root = given.id \
    JOIN listed l ON l.member = a.member JOIN list g ON g.no = l.list";
pub(crate) const SAID: &str = "SELECT DISTINCT COALESCE(a.root, l.member), g.name FROM listed l JOIN list g ON g.no = l.list \
    LEFT JOIN alias a ON a.member = l.member";

/// The list of a name, as it is while this upload is the last one.
fn held(c: &Connection, name: &str, round: i64) -> Result<i64> {
    let found: Option<(i64, i64)> = prepare(c, LIST)?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(database)?;
    found.filter(|(_, last)| *last == round).map(|(no, _)| no).ok_or(StoreError::Stale)
}

/// Tells whoever keeps everybody that these are to be read again.
fn tell(c: &Connection, no: i64, changed: &BTreeSet<MemberId>, at: Ts) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    run(&mut prepare(c, CHANGED)?, params![no, at.0])?;
    let mut root = prepare(c, ROOT)?;
    let mut members = BTreeSet::new();
    for member in changed {
        let is: Option<MemberId> =
            root.query_row([member.bytes().as_slice()], |row| id(row, 0)).optional().map_err(database)?;
        members.insert(is.unwrap_or(*member));
    }
    let members: Vec<u8> = members.iter().flat_map(|member| *member.bytes()).collect();
    run(&mut prepare(c, FEED_NEW)?, params![members, [0u8; 0].as_slice()]).map(drop)
}

fn put(c: &Connection, (name, round): (&str, i64), put: &[Listed], at: Ts) -> Result<u64> {
    let no = held(c, name, round)?;
    let (mut bearer, mut known, mut write) =
        (prepare(c, BY_IDENTIFIER)?, prepare(c, LISTED)?, prepare(c, PUT)?);
    let (mut changed, mut n_new) = (BTreeSet::new(), 0);
    for listed in put {
        let named = listed.named.as_slice();
        let member = match listed.named == *listed.member.bytes() {
            true => Some(listed.member),
            false => bearer.query_row([named], |row| id(row, 0)).optional().map_err(database)?,
        };
        let Some(member) = member else { continue };
        let before: Option<MemberId> =
            known.query_row(params![no, named], |row| id(row, 0)).optional().map_err(database)?;
        run(&mut write, params![no, named, member.bytes().as_slice(), round])?;
        n_new += u64::from(before.is_none());
        if before != Some(member) {
            changed.extend(before);
            changed.insert(member);
        }
    }
    tell(c, no, &changed, at)?;
    Ok(n_new)
}

fn take(c: &Connection, (name, round): (&str, i64), limit: usize, at: Ts) -> Result<u64> {
    let no = held(c, name, round)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let stale = all(c, STALE, params![no, round, limit], |row| Ok((row.get::<_, Vec<u8>>(0)?, id(row, 1)?)))?;
    let mut take = prepare(c, TAKE)?;
    for (named, _) in &stale {
        run(&mut take, params![no, named])?;
    }
    let changed: BTreeSet<MemberId> = stale.iter().map(|(_, member)| *member).collect();
    tell(c, no, &changed, at)?;
    Ok(stale.len() as u64)
}

#[async_trait]
impl Lists for SqliteStore {
    async fn lists(&self) -> Result<Vec<List>> {
        self.connections
            .read(|c| {
                all(c, LISTS, [], |row| {
                    Ok(List {
                        name: row.get(0)?,
                        made_at: Ts(row.get(1)?),
                        changed_at: Ts(row.get(2)?),
                        changed_by: row.get(3)?,
                        round: row.get(4)?,
                    })
                })
            })
            .await
    }

    async fn list_counts(&self) -> Result<Vec<(String, u64)>> {
        self.connections
            .survey(|c| all(c, COUNTS, [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))))
            .await
    }

    async fn list_count(&self, name: &str) -> Result<u64> {
        let name = name.to_owned();
        self.connections
            .survey(move |c| {
                let counted: i64 =
                    prepare(c, COUNT)?.query_row([&name], |row| row.get(0)).map_err(database)?;
                Ok(counted.unsigned_abs())
            })
            .await
    }

    async fn list_begin(&self, name: &str, by: &str, at: Ts) -> Result<i64> {
        let (name, by) = (name.to_owned(), by.to_owned());
        self.connections
            .write(move |c| {
                prepare(c, BEGIN)?.query_row(params![name, at.0, by], |row| row.get(0)).map_err(database)
            })
            .await
    }

    async fn list_put(&self, name: &str, round: i64, listed: Vec<Listed>, at: Ts) -> Result<u64> {
        let name = name.to_owned();
        self.connections.write(move |c| put(c, (&name, round), &listed, at)).await
    }

    async fn list_take(&self, name: &str, round: i64, limit: usize, at: Ts) -> Result<u64> {
        let name = name.to_owned();
        self.connections.write(move |c| take(c, (&name, round), limit, at)).await
    }

    async fn list_gone(&self, name: &str, round: i64) -> Result<bool> {
        let name = name.to_owned();
        self.connections
            .write(move |c| {
                let no = held(c, &name, round)?;
                // Nobody was put on it since: that takes this round, too.
                let rest = all(c, STALE, params![no, i64::MAX, 1], |_| Ok(()))?;
                if !rest.is_empty() {
                    return Err(StoreError::Stale);
                }
                Ok(run(&mut prepare(c, GONE)?, [no])? > 0)
            })
            .await
    }
}
