//! Who may do what, and what they did. Each change and its line of the audit log are one transaction, and whoever writes a
//! line holds the log until it is in: so the log stays one chain, whoever else writes.

mod people;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::Ts;
use zhiyin_store::access::{Access, Answer, Approval, End, Key, KeysChange, scopes_of, scopes_text};
use zhiyin_store::audit::{Entry, Note, Walk, next};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::connection::{Connections, Said, Step, Tx, Values};
use crate::rows::{damaged, database, get};
use crate::survey::Survey;
pub(crate) use people::{
    PEOPLE, PERSON, PERSON_BEARS, PERSON_NAMED, PERSON_NEW, PERSON_OWNS, PERSON_SET, SESSION, SESSION_GONE,
    SESSION_NEW, SESSION_ON, SESSIONS_BEYOND, SESSIONS_GONE, SESSIONS_LAPSED,
};

pub(crate) const KEYS: &str = "SELECT id, hash, role, place, staff, name, scopes, made_at, made_by, expires_at, revoked_at \
    FROM {home}.api_key ORDER BY made_at, id";
pub(crate) const KEY: &str = "SELECT k.id, k.hash, k.role, k.place, k.staff, k.name, k.scopes, k.made_at, k.made_by, \
    k.expires_at, k.revoked_at, h.id_key FROM {home}.api_key k, {home}.home h WHERE k.id = $1 AND h.one = 1";
pub(crate) const KEY_NEW: &str = "INSERT INTO {home}.api_key (id, hash, role, place, staff, name, scopes, made_at, made_by, \
    expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
pub(crate) const KEY_REVOKED: &str =
    "UPDATE {home}.api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
pub(crate) const KEY_EXPIRES: &str = "UPDATE {home}.api_key SET expires_at = LEAST(COALESCE(expires_at, $2), $2) \
    WHERE id = $1 AND revoked_at IS NULL";
pub(crate) const APPROVAL_NEW: &str = "INSERT INTO {home}.approval (no, operation, request, asked_by, asked_at, answer_by) \
    SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3, $4, $5 FROM {home}.approval RETURNING no";
pub(crate) const APPROVAL: &str = "SELECT no, operation, request, asked_by, asked_at, answer_by, approved, answered_by, \
    answered_at FROM {home}.approval WHERE no = $1";
pub(crate) const APPROVALS: &str = "SELECT no, operation, request, asked_by, asked_at, answer_by, approved, answered_by, \
    answered_at FROM {home}.approval ORDER BY no DESC LIMIT $1";
pub(crate) const APPROVAL_ANSWERED: &str = "UPDATE {home}.approval SET approved = $2, answered_by = $3, answered_at = $4 \
    WHERE no = $1 AND answered_at IS NULL AND asked_by <> $3 AND answer_by > $4";
/// Who writes a line does so alone; what is read next is what was committed before.
pub(crate) const AUDIT_ALONE: &str = "LOCK TABLE {home}.audit IN SHARE ROW EXCLUSIVE MODE";
pub(crate) const AUDIT_HEAD: &str = "SELECT h.id_key, a.no, a.hash FROM {home}.home h \
    LEFT JOIN LATERAL (SELECT no, hash FROM {home}.audit ORDER BY no DESC LIMIT 1) a ON true WHERE h.one = 1";
pub(crate) const AUDIT_LAST: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM {home}.audit \
    ORDER BY no DESC LIMIT 1";
pub(crate) const AUDIT: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM {home}.audit \
    WHERE no > $1 AND at >= $2 ORDER BY no LIMIT $3";
pub(crate) const AUDIT_ABOUT: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM {home}.audit \
    WHERE target = $1 ORDER BY no DESC LIMIT $2";
pub(crate) const AUDIT_NEW: &str = "INSERT INTO {home}.audit (no, at, who, role, operation, target, outcome, detail, hash) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(crate) const AUDIT_KEY: &str = "SELECT id_key FROM {home}.home WHERE one = 1";
pub(crate) const AUDIT_GUARD: &str = "SELECT 'audit_stays is missing' WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t \
    WHERE t.tgname = 'audit_stays' AND t.tgenabled IN ('O', 'A') AND t.tgtype = 58 \
    AND t.tgrelid = to_regclass('{home}.audit'))";

/// How many lines the doctor reads at once.
const LINES_AT_ONCE: i64 = 2_000;

fn bytes32(row: &Row, column: usize) -> Result<[u8; 32]> {
    get::<&[u8]>(row, column)?.try_into().map_err(|_| damaged(column, "not 32 bytes"))
}

fn key(row: &Row) -> Result<Key> {
    let role: &str = get(row, 2)?;
    Ok(Key {
        id: get(row, 0)?,
        hash: bytes32(row, 1)?,
        role: Role::named(role).ok_or_else(|| damaged(2, format!("there is no role {role:?}")))?,
        place: get(row, 3)?,
        staff: get(row, 4)?,
        name: get(row, 5)?,
        scopes: scopes_of(get(row, 6)?).map_err(|error| damaged(6, error))?,
        made_at: Ts(get(row, 7)?),
        made_by: get(row, 8)?,
        expires_at: get::<Option<i64>>(row, 9)?.map(Ts),
        revoked_at: get::<Option<i64>>(row, 10)?.map(Ts),
    })
}

fn approval(row: &Row) -> Result<Approval> {
    let operation: &str = get(row, 1)?;
    let operation = Operation::named(operation)
        .ok_or_else(|| damaged(1, format!("there is no operation {operation:?}")))?;
    let answer = match (get(row, 6)?, get(row, 7)?, get::<Option<i64>>(row, 8)?) {
        (Some(approved), Some(by), Some(at)) => Some(Answer { approved, by, at: Ts(at) }),
        _ => None,
    };
    let (asked_at, answer_by) = (Ts(get(row, 4)?), Ts(get(row, 5)?));
    let (no, request, asked_by) = (get(row, 0)?, get(row, 2)?, get(row, 3)?);
    Ok(Approval { no, operation, request, asked_by, asked_at, answer_by, answer })
}

fn entry(row: &Row) -> Result<Entry> {
    let note = Note {
        at: Ts(get(row, 1)?),
        who: get(row, 2)?,
        role: get(row, 3)?,
        operation: get(row, 4)?,
        target: get(row, 5)?,
        outcome: get(row, 6)?,
        detail: get(row, 7)?,
    };
    Ok(Entry { no: get(row, 0)?, note, hash: bytes32(row, 8)? })
}

/// Begins a transaction that writes a line; after which one it comes, and by which key.
async fn begin(tx: &Tx<'_>, vault: &Vault) -> Result<(IdKey, Option<(i64, [u8; 32])>)> {
    tx.send(vec![Step::Say("BEGIN")]).await.map_err(database)?;
    head(tx, vault).await
}

/// Writes a line in a transaction that was begun, and commits it.
pub(crate) async fn noted(tx: &Tx<'_>, vault: &Vault, note: Note) -> Result<()> {
    let (key, last) = head(tx, vault).await?;
    end(tx, &next(&key, last, note)).await
}

/// After which line one comes, and by which key: nobody else writes one until this transaction ends.
async fn head(tx: &Tx<'_>, vault: &Vault) -> Result<(IdKey, Option<(i64, [u8; 32])>)> {
    let steps = vec![Step::Run((AUDIT_ALONE, 0), vec![]), Step::Ask((AUDIT_HEAD, 0), vec![])];
    let found: Vec<Row> = tx.send(steps).await.map_err(database)?.into_iter().flat_map(Said::rows).collect();
    let head = found.first().ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let last = match get::<Option<i64>>(head, 1)? {
        Some(no) => Some((no, bytes32(head, 2)?)),
        None => None,
    };
    Ok((vault.id_key(IdKey::from_bytes(bytes32(head, 0)?))?, last))
}

/// Writes a line and commits.
async fn end(tx: &Tx<'_>, entry: &Entry) -> Result<()> {
    let said = &entry.note;
    let hash = entry.hash.as_slice();
    let values: Values<'_> = vec![
        &entry.no,
        &said.at.0,
        &said.who,
        &said.role,
        &said.operation,
        &said.target,
        &said.outcome,
        &said.detail,
        &hash,
    ];
    let steps = vec![Step::Run((AUDIT_NEW, 0), values), Step::Say("COMMIT")];
    tx.send(steps).await.map(drop).map_err(database)
}

/// Ends a transaction in which there was nothing to write.
async fn nothing(tx: &Tx<'_>) -> Result<bool> {
    tx.send(vec![Step::Say("ROLLBACK")]).await.map_err(database)?;
    Ok(false)
}

async fn rows_written(tx: &Tx<'_>, step: Step<'_>) -> Result<usize> {
    let said = tx.send(vec![step]).await.map_err(database)?;
    Ok(said.iter().map(Said::count).sum())
}

async fn note(tx: &Tx<'_>, vault: &Vault, note: Note) -> Result<Entry> {
    let (key, last) = begin(tx, vault).await?;
    let entry = next(&key, last, note);
    end(tx, &entry).await?;
    Ok(entry)
}

async fn change_keys(tx: &Tx<'_>, vault: &Vault, change: KeysChange) -> Result<bool> {
    let (home_key, last) = begin(tx, vault).await?;
    if let Some((id, ends)) = &change.ends {
        let (sql, at) = match ends {
            End::Revoked(at) => (KEY_REVOKED, at.0),
            End::Expires(at) => (KEY_EXPIRES, at.0),
        };
        if rows_written(tx, Step::Run((sql, 0), vec![id, &at])).await? == 0 {
            return nothing(tx).await;
        }
    }
    if let Some(key) = &change.begins {
        let (role, hash, scopes) = (key.role.name(), key.hash.as_slice(), scopes_text(key.scopes.as_ref()));
        let expires_at = key.expires_at.map(|at| at.0);
        let revoked_at = key.revoked_at.map(|at| at.0);
        let values: Values<'_> = vec![
            &key.id,
            &hash,
            &role,
            &key.place,
            &key.staff,
            &key.name,
            &scopes,
            &key.made_at.0,
            &key.made_by,
            &expires_at,
            &revoked_at,
        ];
        rows_written(tx, Step::Run((KEY_NEW, 0), values)).await?;
    }
    end(tx, &next(&home_key, last, change.note)).await?;
    Ok(true)
}

async fn ask_approval(tx: &Tx<'_>, vault: &Vault, asked: &Approval, mut said: Note) -> Result<i64> {
    let (key, last) = begin(tx, vault).await?;
    let name = asked.operation.name();
    let values: Values<'_> =
        vec![&name, &asked.request, &asked.asked_by, &asked.asked_at.0, &asked.answer_by.0];
    let found = tx.send(vec![Step::Ask((APPROVAL_NEW, 0), values)]).await.map_err(database)?;
    let row = found.into_iter().flat_map(Said::rows).next();
    let no: i64 = get(&row.ok_or_else(|| StoreError::Damaged("no number was given".to_owned()))?, 0)?;
    said.target = no.to_string();
    end(tx, &next(&key, last, said)).await?;
    Ok(no)
}

async fn answer_approval(tx: &Tx<'_>, vault: &Vault, no: i64, answer: &Answer, said: Note) -> Result<bool> {
    let (key, last) = begin(tx, vault).await?;
    let values: Values<'_> = vec![&no, &answer.approved, &answer.by, &answer.at.0];
    if rows_written(tx, Step::Run((APPROVAL_ANSWERED, 0), values)).await? == 0 {
        return nothing(tx).await;
    }
    end(tx, &next(&key, last, said)).await?;
    Ok(true)
}

/// What breaks the chain, for the doctor.
pub(crate) async fn chain(survey: &Survey<'_>, vault: &Vault) -> Result<Option<String>> {
    let found = survey.home(AUDIT_KEY, &[]).await?;
    let row = found.first().ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let key = vault.id_key(IdKey::from_bytes(bytes32(row, 0)?))?;
    let mut walk = Walk::new(&key, None);
    let mut after = i64::MIN;
    loop {
        let lines = survey.home(AUDIT, &[&after, &i64::MIN, &LINES_AT_ONCE]).await?;
        for line in &lines {
            let entry = entry(line)?;
            after = entry.no;
            if let Err(broken) = walk.step(&entry) {
                return Ok(Some(broken.to_string()));
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
    }
}

async fn rows<T>(
    connections: &Connections,
    sql: &'static str,
    given: Values<'_>,
    row: fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    connections.session().await?.rows((sql, 0), &given).await?.iter().map(row).collect()
}

#[async_trait]
impl Access for PgStore {
    fn people(&self) -> &dyn zhiyin_store::access::people::People {
        self
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        rows(&self.connections, KEYS, vec![], key).await
    }

    async fn key(&self, id: &str) -> Result<Option<(Key, IdKey)>> {
        let both = |row: &Row| Ok((key(row)?, IdKey::from_bytes(bytes32(row, 11)?)));
        let found = rows(&self.connections, KEY, vec![&id], both).await?.pop();
        found.map(|(key, stored)| Ok((key, self.vault().id_key(stored)?))).transpose()
    }

    async fn change_keys(&self, change: KeysChange) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let changed = change_keys(&tx, &self.vault(), change).await;
        tx.end(changed).await
    }

    async fn ask_approval(&self, approval: Approval, note: Note) -> Result<i64> {
        let tx = self.connections.session().await?.transaction();
        let asked = ask_approval(&tx, &self.vault(), &approval, note).await;
        tx.end(asked).await
    }

    async fn approval(&self, no: i64) -> Result<Option<Approval>> {
        Ok(rows(&self.connections, APPROVAL, vec![&no], approval).await?.pop())
    }

    async fn approvals(&self, limit: usize) -> Result<Vec<Approval>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        rows(&self.connections, APPROVALS, vec![&limit], approval).await
    }

    async fn answer_approval(&self, no: i64, answer: Answer, note: Note) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let answered = answer_approval(&tx, &self.vault(), no, &answer, note).await;
        tx.end(answered).await
    }

    async fn note(&self, said: Note) -> Result<Entry> {
        let tx = self.connections.session().await?.transaction();
        let noted = note(&tx, &self.vault(), said).await;
        tx.end(noted).await
    }

    async fn audit(&self, after: i64, since: Option<Ts>, limit: usize) -> Result<Vec<Entry>> {
        let (since, limit) = (since.unwrap_or(Ts::MIN).0, i64::try_from(limit).unwrap_or(i64::MAX));
        rows(&self.connections, AUDIT, vec![&after, &since, &limit], entry).await
    }

    async fn audit_about(&self, target: &str, limit: usize) -> Result<Vec<Entry>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        rows(&self.connections, AUDIT_ABOUT, vec![&target, &limit], entry).await
    }

    async fn audit_last(&self) -> Result<Option<Entry>> {
        Ok(rows(&self.connections, AUDIT_LAST, vec![], entry).await?.pop())
    }
}
