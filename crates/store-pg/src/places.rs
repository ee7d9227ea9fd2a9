//! The brand's tree, which lies in the home's schema, and reports that are cut by it, shard after shard.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::place::{Code, Place, Staff};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::places::{
    self, Change, CutLine, Edited, Past, PlaceWhole, Placed, StoreSeen, StoreSums, Whole,
};
use zhiyin_store::read::{AsOf, LedgerLine, MemberLine};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::connection::{Connections, Said, Step, Tx, Values};
use crate::report::{self, orders_then};
use crate::rows::{damaged, database, get, id};
use crate::survey::{Given, Survey};

/// The store where a member was last met.
macro_rules! store_of_member {
    () => {
        "(touches::jsonb -> 'store' ->> 1)"
    };
}

pub(crate) const VERSION: &str = "SELECT version FROM {home}.place_tree WHERE one = 1";
/// Who edits the tree does so alone.
pub(crate) const VERSION_HELD: &str = "SELECT version FROM {home}.place_tree WHERE one = 1 FOR UPDATE";
pub(crate) const VERSION_ON: &str = "UPDATE {home}.place_tree SET version = version + 1 WHERE one = 1";
pub(crate) const PLACES: &str = "SELECT code, parent, kind, document, since FROM {home}.place ORDER BY code";
pub(crate) const PLACE: &str = "SELECT code, parent, kind, document, since FROM {home}.place WHERE code = $1";
pub(crate) const PLACE_SET: &str = "INSERT INTO {home}.place (code, parent, kind, document, since) \
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) \
    ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, kind = excluded.kind, document = excluded.document, \
    since = excluded.since";
pub(crate) const HISTORY_NEW: &str = "INSERT INTO {home}.place_history (code, at, by, was) \
    SELECT code, at, $4::text, was FROM UNNEST($1::text[], $2::bigint[], $3::text[]) u (code, at, was)";
pub(crate) const HISTORY_OF: &str =
    "SELECT code, at, by, was FROM {home}.place_history WHERE code = $1 ORDER BY no";
pub(crate) const HISTORY_AFTER: &str =
    "SELECT code, at, by, was FROM {home}.place_history WHERE at > $1 ORDER BY no";
pub(crate) const STAFF: &str =
    "SELECT place, code, name, role, since, until FROM {home}.staff ORDER BY place, code";
pub(crate) const STAFF_OF: &str =
    "SELECT place, code, name, role, since, until FROM {home}.staff WHERE place = $1 ORDER BY code";
pub(crate) const STAFF_SET: &str = "INSERT INTO {home}.staff (place, code, name, role, since, until) \
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::text[], $5::integer[], $6::integer[]) \
    ON CONFLICT (place, code) DO UPDATE SET name = excluded.name, role = excluded.role, since = excluded.since, \
    until = excluded.until";
pub(crate) const STORES_SEEN: &str =
    "SELECT store, COUNT(*), MAX(time) FROM {shard}.orders WHERE store IS NOT NULL GROUP BY store";
pub(crate) const STORE_MEMBERS: &str = concat!(
    "SELECT ",
    store_of_member!(),
    " AS store, COUNT(*) FROM {shard}.member WHERE known_since <= $1 GROUP BY 1"
);
pub(crate) const STORE_ORDERS: &str = concat!(
    "SELECT store, COUNT(*), SUM(paid - refunded)::bigint FROM (",
    orders_then!(),
    ") o WHERE counts GROUP BY store"
);
pub(crate) const KNOWN_OF: &str = concat!(
    "SELECT id FROM {shard}.member WHERE known_since <= $1 AND ",
    store_of_member!(),
    " = ANY($2::text[])"
);
pub(crate) const ORDERS_OF: &str = concat!(
    "SELECT member, COUNT(*), SUM(paid - refunded)::bigint FROM (",
    orders_then!(),
    " AND o.store = ANY($2::text[])) o WHERE counts GROUP BY member"
);
pub(crate) const LEDGER_OF: &str = concat!(
    "SELECT asset, kind, COUNT(*), SUM(amount)::bigint FROM {shard}.transfer WHERE at <= $1 \
     AND member IN (SELECT id FROM {shard}.member WHERE ",
    store_of_member!(),
    " = ANY($2::text[])) GROUP BY asset, kind"
);

fn code(row: &Row, column: usize) -> Result<Code> {
    Code::read("code", get(row, column)?).map_err(|refusal| damaged(column, refusal.message))
}

fn placed(row: &Row) -> Result<Placed> {
    let place = places::place(get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?)?;
    Ok(Placed { place, since: Ts(get(row, 4)?) })
}

fn past(row: &Row) -> Result<Past> {
    let code = code(row, 0)?;
    let was: Option<&str> = get(row, 3)?;
    let was = was.map(|was| places::place_was(code.as_str(), was)).transpose()?;
    Ok(Past { code, at: Ts(get(row, 1)?), by: get(row, 2)?, was })
}

fn staff(row: &Row, name: String) -> Result<Staff> {
    let day = |column| get::<Option<i32>>(row, column).map(|day| day.map(Day));
    Ok(Staff {
        place: code(row, 0)?,
        code: code(row, 1)?,
        name,
        role: get(row, 3)?,
        from: day(4)?,
        until: day(5)?,
    })
}

async fn all_staff(rows: &[Row], vault: &Arc<Vault>) -> Result<Vec<Staff>> {
    let names: Vec<Vec<u8>> = read(rows, |row| get(row, 2))?;
    let names = vault.aside(move |vault| vault.identifiers(&names)).await?;
    rows.iter().zip(names).map(|(row, name)| staff(row, name)).collect()
}

fn read<T>(rows: &[Row], one: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(one).collect()
}

pub(crate) async fn version(connections: &Connections) -> Result<i64> {
    let row = connections.session().await?.row((VERSION, 0), &[]).await?;
    row.map_or_else(|| Err(StoreError::Damaged("the tree has no version".to_owned())), |row| get(&row, 0))
}

/// A tree from what was read of its version, places and staff.
async fn whole_of(mut said: Vec<Vec<Row>>, vault: &Arc<Vault>) -> Result<Whole> {
    let (Some(of_staff), Some(of_places), Some(of_version)) = (said.pop(), said.pop(), said.pop()) else {
        return Err(StoreError::Damaged("the tree".to_owned()));
    };
    let version = of_version.first().map(|row| get(row, 0)).transpose()?.unwrap_or(0);
    Ok(Whole { version, places: read(&of_places, placed)?, staff: all_staff(&of_staff, vault).await? })
}

pub(crate) async fn whole(survey: &Survey<'_>, vault: &Arc<Vault>) -> Result<Whole> {
    let mut said = Vec::new();
    for sql in [VERSION, PLACES, STAFF] {
        said.push(survey.home(sql, &[]).await?);
    }
    whole_of(said, vault).await
}

pub(crate) async fn at(survey: &Survey<'_>, at: Ts) -> Result<Vec<Place>> {
    let now = read(&survey.home(PLACES, &[]).await?, placed)?;
    Ok(places::as_at(now, read(&survey.home(HISTORY_AFTER, &[&at.0]).await?, past)?))
}

pub(crate) async fn one(survey: &Survey<'_>, vault: &Arc<Vault>, code: &str) -> Result<Option<PlaceWhole>> {
    let Some(placed) = read(&survey.home(PLACE, &[&code]).await?, placed)?.pop() else { return Ok(None) };
    let history = read(&survey.home(HISTORY_OF, &[&code]).await?, past)?;
    let staff = all_staff(&survey.home(STAFF_OF, &[&code]).await?, vault).await?;
    Ok(Some(PlaceWhole { placed, history, staff }))
}

pub(crate) async fn change(connections: &Connections, vault: &Arc<Vault>, change: &Change) -> Result<Edited> {
    let tx = connections.session().await?.transaction();
    let edited = changed(&tx, vault, change).await;
    tx.end(edited).await
}

async fn changed(tx: &Tx<'_>, vault: &Arc<Vault>, change: &Change) -> Result<Edited> {
    let mut begin = vec![Step::Say("BEGIN")];
    begin.extend([VERSION_HELD, PLACES, STAFF].map(|sql| Step::Ask((sql, 0), vec![])));
    let said = tx.send(begin).await.map_err(database)?;
    let whole = whole_of(said.into_iter().skip(1).map(Said::rows).collect(), vault).await?;
    let rows = match places::rows(&whole, change)? {
        Ok(rows) => rows,
        Err(misfits) => {
            tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
            return Ok(Err(misfits));
        }
    };
    if rows.places.is_empty() && rows.staff.is_empty() {
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
        return Ok(Ok(rows.written));
    }
    let mut columns = PlaceColumns::default();
    for row in &rows.places {
        columns.codes.push(&row.code);
        columns.parents.push(row.parent.as_deref());
        columns.kinds.push(row.kind);
        columns.documents.push(&row.document);
        columns.since.push(row.since);
        columns.was.push(row.was.as_deref());
    }
    let of = |text: fn(&Staff) -> &str| rows.staff.iter().map(text).collect::<Vec<&str>>();
    let (staff_places, staff_codes) = (of(|one| one.place.as_str()), of(|one| one.code.as_str()));
    let roles = of(|one| &one.role);
    let named: Vec<[String; 3]> = rows
        .staff
        .iter()
        .map(|one| [one.place.as_str(), one.code.as_str(), one.name.as_str()].map(str::to_owned))
        .collect();
    let sealed = vault.aside(move |vault| {
        let named: Vec<_> =
            named.iter().map(|[place, code, name]| (place.as_str(), code.as_str(), name.as_str())).collect();
        vault.seal_staff(&named)
    });
    let names = sealed.await?;
    let days = |day: fn(&Staff) -> Option<Day>| {
        rows.staff.iter().map(|one| day(one).map(|day| day.0)).collect::<Vec<Option<i32>>>()
    };
    let (first, last) = (days(|one| one.from), days(|one| one.until));
    let set: Values<'_> =
        vec![&columns.codes, &columns.parents, &columns.kinds, &columns.documents, &columns.since];
    let history: Values<'_> = vec![&columns.codes, &columns.since, &columns.was, &change.by];
    let staff_set: Values<'_> = vec![&staff_places, &staff_codes, &names, &roles, &first, &last];
    let steps = vec![
        Step::Run((PLACE_SET, 0), set),
        Step::Run((HISTORY_NEW, 0), history),
        Step::Run((STAFF_SET, 0), staff_set),
        Step::Run((VERSION_ON, 0), vec![]),
        Step::Say("COMMIT"),
    ];
    tx.send(steps).await.map_err(database)?;
    Ok(Ok(rows.written))
}

/// Places to be written, an array a column.
#[derive(Default)]
struct PlaceColumns<'r> {
    codes: Vec<&'r str>,
    parents: Vec<Option<&'r str>>,
    kinds: Vec<&'r str>,
    documents: Vec<&'r str>,
    since: Vec<i64>,
    was: Vec<Option<&'r str>>,
}

pub(crate) async fn stores_seen(survey: &Survey<'_>) -> Result<Vec<StoreSeen>> {
    let mut seen: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    survey
        .each(STORES_SEEN, &[], |row| {
            let sum = seen.entry(get(row, 0)?).or_insert((0, i64::MIN));
            *sum = (sum.0 + get::<i64>(row, 1)?, sum.1.max(get(row, 2)?));
            Ok(())
        })
        .await?;
    Ok(seen.into_iter().map(|(store, (orders, last))| StoreSeen { store, orders, last: Ts(last) }).collect())
}

pub(crate) async fn store_sums(survey: &Survey<'_>, as_of: AsOf) -> Result<Vec<StoreSums>> {
    let mut sums: BTreeMap<Option<String>, StoreSums> = BTreeMap::new();
    let empty = |store: &Option<String>| StoreSums { store: store.clone(), members: 0, orders: 0, paid: 0 };
    survey
        .each(STORE_MEMBERS, &[&as_of.at.0], |row| {
            sums.entry(get(row, 0)?).or_insert_with_key(empty).members += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    survey
        .each(STORE_ORDERS, &[&as_of.at.0], |row| {
            let sum = sums.entry(get(row, 0)?).or_insert_with_key(empty);
            sum.orders += get::<i64>(row, 1)?;
            sum.paid += get::<i64>(row, 2)?;
            Ok(())
        })
        .await?;
    Ok(sums.into_values().collect())
}

pub(crate) async fn member_lines(
    survey: &Survey<'_>,
    vault: &Arc<Vault>,
    as_of: AsOf,
    stores: &[String],
) -> Result<Vec<CutLine>> {
    let given: Given<'_> = &[&as_of.at.0, &stores];
    let mut lines: BTreeMap<MemberId, MemberLine> = BTreeMap::new();
    let mut belongs: BTreeMap<MemberId, bool> = BTreeMap::new();
    survey
        .each(KNOWN_OF, given, |row| {
            belongs.insert(id(row, 0)?, true);
            Ok(())
        })
        .await?;
    survey
        .each(ORDERS_OF, given, |row| {
            let member = id(row, 0)?;
            belongs.entry(member).or_insert(false);
            let line = lines.entry(member).or_insert_with(|| report::empty(member));
            (line.orders, line.paid) = (get(row, 1)?, get(row, 2)?);
            Ok(())
        })
        .await?;
    for member in belongs.keys() {
        lines.entry(*member).or_insert_with(|| report::empty(*member));
    }
    let lines = report::lines(survey, vault, as_of, lines).await?.into_iter();
    Ok(lines.map(|line| CutLine { belongs: belongs.get(&line.member) == Some(&true), line }).collect())
}

pub(crate) async fn ledger_lines(
    survey: &Survey<'_>,
    as_of: AsOf,
    stores: &[String],
) -> Result<Vec<LedgerLine>> {
    report::ledger_sums(survey, LEDGER_OF, &[&as_of.at.0, &stores]).await
}
