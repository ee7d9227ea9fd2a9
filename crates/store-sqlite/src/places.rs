//! The brand's tree, and reports that are cut by it. Lists of stores come as one JSON array.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::place::{Code, Place, Staff};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::places::{
    self, Change, CutLine, Edited, Past, PlaceWhole, Placed, StoreSeen, StoreSums, Whole,
};
use zhiyin_store::read::{AsOf, LedgerLine, MemberLine};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::report::{self, orders_then};
use crate::rows::{self, all, damaged, database, id};

/// The store where a member was last met.
macro_rules! store_of_member {
    () => {
        "json_extract(touches, '$.store[1]')"
    };
}

pub(crate) const VERSION: &str = "SELECT version FROM place_tree WHERE one = 1";
pub(crate) const VERSION_ON: &str = "UPDATE place_tree SET version = version + 1 WHERE one = 1";
pub(crate) const PLACES: &str = "SELECT code, parent, kind, document, since FROM place ORDER BY code";
pub(crate) const PLACE: &str = "SELECT code, parent, kind, document, since FROM place WHERE code = ?";
pub(crate) const PLACE_SET: &str = "INSERT INTO place (code, parent, kind, document, since) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, kind = excluded.kind, document = excluded.document, \
    since = excluded.since";
pub(crate) const HISTORY_NEW: &str = "INSERT INTO place_history (code, at, by, was) VALUES (?, ?, ?, ?)";
pub(crate) const HISTORY_OF: &str = "SELECT code, at, by, was FROM place_history WHERE code = ? ORDER BY no";
pub(crate) const HISTORY_AFTER: &str = "SELECT code, at, by, was FROM place_history WHERE at > ? ORDER BY no";
pub(crate) const STAFF: &str = "SELECT place, code, name, role, since, until FROM staff ORDER BY place, code";
pub(crate) const STAFF_OF: &str =
    "SELECT place, code, name, role, since, until FROM staff WHERE place = ? ORDER BY code";
pub(crate) const STAFF_SET: &str = "INSERT INTO staff (place, code, name, role, since, until) VALUES (?, ?, ?, ?, ?, ?) \
    ON CONFLICT (place, code) DO UPDATE SET name = excluded.name, role = excluded.role, since = excluded.since, \
    until = excluded.until";
pub(crate) const STORES_SEEN: &str = "SELECT store, COUNT(*), MAX(time) FROM orders WHERE store IS NOT NULL \
    GROUP BY store ORDER BY store";
pub(crate) const STORE_MEMBERS: &str = concat!(
    "SELECT ",
    store_of_member!(),
    " AS store, COUNT(*) FROM member WHERE known_since <= ? GROUP BY 1"
);
pub(crate) const STORE_ORDERS: &str = concat!(
    "SELECT store, COUNT(*), SUM(paid - refunded) FROM (",
    orders_then!(),
    ") WHERE counts GROUP BY store"
);
pub(crate) const KNOWN_OF: &str = concat!(
    "SELECT id FROM member WHERE known_since <= ?1 AND ",
    store_of_member!(),
    " IN (SELECT value FROM json_each(?2))"
);
pub(crate) const ORDERS_OF: &str = concat!(
    "SELECT member, COUNT(*), SUM(paid - refunded) FROM (",
    orders_then!(),
    " AND o.store IN (SELECT value FROM json_each(?2))) WHERE counts GROUP BY member"
);
pub(crate) const LEDGER_OF: &str = concat!(
    "SELECT asset, kind, COUNT(*), SUM(amount) FROM transfer WHERE at <= ?1 AND member IN (SELECT id FROM member WHERE ",
    store_of_member!(),
    " IN (SELECT value FROM json_each(?2))) GROUP BY asset, kind ORDER BY asset, kind"
);

fn broken(column: usize) -> impl Fn(StoreError) -> rusqlite::Error {
    move |error| damaged(column, error.to_string())
}

fn code(row: &Row<'_>, column: usize) -> rusqlite::Result<Code> {
    Code::read("code", row.get_ref(column)?.as_str()?).map_err(|refusal| damaged(column, refusal.message))
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    let parent: Option<String> = row.get(1)?;
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let place = places::place(text(0)?, parent.as_deref(), text(2)?, text(3)?).map_err(broken(3))?;
    Ok(Placed { place, since: Ts(row.get(4)?) })
}

fn past(row: &Row<'_>) -> rusqlite::Result<Past> {
    let code = code(row, 0)?;
    let was: Option<String> = row.get(3)?;
    let was = was.map(|was| places::place_was(code.as_str(), &was)).transpose().map_err(broken(3))?;
    Ok(Past { code, at: Ts(row.get(1)?), by: row.get(2)?, was })
}

fn staff(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<Staff> {
    let name = vault.identifier(row.get_ref(2)?.as_blob()?).map_err(rows::unopened)?;
    let day = |column| row.get::<_, Option<i32>>(column).map(|day| day.map(Day));
    Ok(Staff {
        place: code(row, 0)?,
        code: code(row, 1)?,
        name,
        role: row.get(3)?,
        from: day(4)?,
        until: day(5)?,
    })
}

pub(crate) fn version(c: &Connection) -> Result<i64> {
    c.query_row(VERSION, [], |row| row.get(0)).map_err(database)
}

pub(crate) fn whole(c: &Connection, vault: &Vault) -> Result<Whole> {
    let staff = all(c, STAFF, [], |row| staff(row, vault))?;
    Ok(Whole { version: version(c)?, places: all(c, PLACES, [], placed)?, staff })
}

pub(crate) fn at(c: &Connection, at: Ts) -> Result<Vec<Place>> {
    Ok(places::as_at(all(c, PLACES, [], placed)?, all(c, HISTORY_AFTER, [at.0], past)?))
}

pub(crate) fn one(c: &Connection, vault: &Vault, code: &str) -> Result<Option<PlaceWhole>> {
    let Some(placed) = c.query_row(PLACE, [code], placed).optional().map_err(database)? else {
        return Ok(None);
    };
    let history = all(c, HISTORY_OF, [code], past)?;
    Ok(Some(PlaceWhole { placed, history, staff: all(c, STAFF_OF, [code], |row| staff(row, vault))? }))
}

pub(crate) fn change(c: &Connection, vault: &Vault, change: &Change) -> Result<Edited> {
    let rows = match places::rows(&whole(c, vault)?, change)? {
        Ok(rows) => rows,
        Err(misfits) => return Ok(Err(misfits)),
    };
    if rows.places.is_empty() && rows.staff.is_empty() {
        return Ok(Ok(rows.written));
    }
    let mut set = c.prepare_cached(PLACE_SET).map_err(database)?;
    let mut history = c.prepare_cached(HISTORY_NEW).map_err(database)?;
    for row in &rows.places {
        set.execute(params![row.code, row.parent, row.kind, row.document, row.since]).map_err(database)?;
        history.execute(params![row.code, row.since, change.by, row.was]).map_err(database)?;
    }
    let mut set = c.prepare_cached(STAFF_SET).map_err(database)?;
    let named: Vec<_> =
        rows.staff.iter().map(|one| (one.place.as_str(), one.code.as_str(), one.name.as_str())).collect();
    for (one, name) in rows.staff.iter().zip(vault.seal_staff(&named)?) {
        let (from, until) = (one.from.map(|day| day.0), one.until.map(|day| day.0));
        set.execute(params![one.place.as_str(), one.code.as_str(), name, one.role, from, until])
            .map_err(database)?;
    }
    c.execute(VERSION_ON, []).map_err(database)?;
    Ok(Ok(rows.written))
}

pub(crate) fn stores_seen(c: &Connection) -> Result<Vec<StoreSeen>> {
    all(c, STORES_SEEN, [], |row| {
        Ok(StoreSeen { store: row.get(0)?, orders: row.get(1)?, last: Ts(row.get(2)?) })
    })
}

pub(crate) fn store_sums(c: &Connection, as_of: AsOf) -> Result<Vec<StoreSums>> {
    let mut sums: BTreeMap<Option<String>, StoreSums> = BTreeMap::new();
    let empty = |store: &Option<String>| StoreSums { store: store.clone(), members: 0, orders: 0, paid: 0 };
    for (store, members) in all(c, STORE_MEMBERS, [as_of.at.0], |row| Ok((row.get(0)?, row.get(1)?)))? {
        sums.entry(store).or_insert_with_key(empty).members = members;
    }
    let orders = all(c, STORE_ORDERS, [as_of.at.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (store, orders, paid) in orders {
        let sum = sums.entry(store).or_insert_with_key(empty);
        (sum.orders, sum.paid) = (orders, paid);
    }
    Ok(sums.into_values().collect())
}

fn list(stores: &[String]) -> Result<String> {
    serde_json::to_string(stores).map_err(|error| StoreError::Damaged(error.to_string()))
}

pub(crate) fn member_lines(
    c: &Connection,
    vault: &Vault,
    as_of: AsOf,
    stores: &[String],
) -> Result<Vec<CutLine>> {
    let (at, stores) = (as_of.at.0, list(stores)?);
    let mut belongs: BTreeMap<MemberId, bool> =
        all(c, KNOWN_OF, params![at, stores], |row| Ok((id(row, 0)?, true)))?.into_iter().collect();
    let orders: Vec<(MemberId, i64, i64)> =
        all(c, ORDERS_OF, params![at, stores], |row| Ok((id(row, 0)?, row.get(1)?, row.get(2)?)))?;
    for (member, ..) in &orders {
        belongs.entry(*member).or_insert(false);
    }
    let mut lines: BTreeMap<MemberId, MemberLine> =
        belongs.keys().map(|member| (*member, report::empty(*member))).collect();
    for (member, n, paid) in orders {
        if let Some(line) = lines.get_mut(&member) {
            (line.orders, line.paid) = (n, paid);
        }
    }
    let lines = report::lines(c, vault, as_of, lines)?.into_iter();
    Ok(lines.map(|line| CutLine { belongs: belongs.get(&line.member) == Some(&true), line }).collect())
}

pub(crate) fn ledger_lines(c: &Connection, as_of: AsOf, stores: &[String]) -> Result<Vec<LedgerLine>> {
    all(c, LEDGER_OF, params![as_of.at.0, list(stores)?], report::ledger_line)
}
