//! Who may do what, and what they did. Each change and its line of the audit log are one transaction; the writer is one, and
//! the file's lock keeps other processes out meanwhile, so the log stays one chain.

mod people;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::access::{Access, Answer, Approval, End, Key, KeysChange, scopes_of, scopes_text};
use zhiyin_store::audit::{Entry, Note, Walk, next};
use zhiyin_store::seal::vault::Vault;

use crate::SqliteStore;
use crate::rows::{all, damaged, database};
pub(crate) use people::{
    PEOPLE, PERSON, PERSON_BEARS, PERSON_NAMED, PERSON_NEW, PERSON_OWNS, PERSON_SET, SESSION, SESSION_GONE,
    SESSION_NEW, SESSION_ON, SESSIONS_BEYOND, SESSIONS_GONE, SESSIONS_LAPSED,
};

pub(crate) const KEYS: &str = "SELECT id, hash, role, place, staff, name, scopes, made_at, made_by, expires_at, revoked_at \
    FROM api_key ORDER BY made_at, id";
pub(crate) const KEY: &str = "SELECT id, hash, role, place, staff, name, scopes, made_at, made_by, expires_at, revoked_at, \
    (SELECT id_key FROM home) FROM api_key WHERE id = ?";
pub(crate) const KEY_NEW: &str = "INSERT INTO api_key (id, hash, role, place, staff, name, scopes, made_at, made_by, \
    expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const KEY_REVOKED: &str =
    "UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
pub(crate) const KEY_EXPIRES: &str = "UPDATE api_key SET expires_at = MIN(COALESCE(expires_at, ?2), ?2) \
    WHERE id = ?1 AND revoked_at IS NULL";
pub(crate) const APPROVAL_NEW: &str = "INSERT INTO approval (no, operation, request, asked_by, asked_at, answer_by) \
    SELECT COALESCE(MAX(no), 0) + 1, ?, ?, ?, ?, ? FROM approval RETURNING no";
pub(crate) const APPROVAL: &str = "SELECT no, operation, request, asked_by, asked_at, answer_by, approved, answered_by, \
    answered_at FROM approval WHERE no = ?";
pub(crate) const APPROVALS: &str = "SELECT no, operation, request, asked_by, asked_at, answer_by, approved, answered_by, \
    answered_at FROM approval ORDER BY no DESC LIMIT ?";
pub(crate) const APPROVAL_ANSWERED: &str = "UPDATE approval SET approved = ?2, answered_by = ?3, answered_at = ?4 \
    WHERE no = ?1 AND answered_at IS NULL AND asked_by <> ?3 AND answer_by > ?4";
pub(crate) const AUDIT_LAST: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM audit \
    ORDER BY no DESC LIMIT 1";
pub(crate) const AUDIT: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM audit \
    WHERE no > ?1 AND at >= ?2 ORDER BY no LIMIT ?3";
pub(crate) const AUDIT_ABOUT: &str = "SELECT no, at, who, role, operation, target, outcome, detail, hash FROM audit \
    WHERE target = ?1 ORDER BY no DESC LIMIT ?2";
pub(crate) const AUDIT_NEW: &str = "INSERT INTO audit (no, at, who, role, operation, target, outcome, detail, hash) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const AUDIT_KEY: &str = "SELECT id_key FROM home";

fn operation(row: &Row<'_>, column: usize) -> rusqlite::Result<Operation> {
    let name = row.get_ref(column)?.as_str()?;
    Operation::named(name).ok_or_else(|| damaged(column, format!("there is no operation {name:?}")))
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    let role = row.get_ref(2)?.as_str()?;
    Ok(Key {
        id: row.get(0)?,
        hash: row.get(1)?,
        role: Role::named(role).ok_or_else(|| damaged(2, format!("there is no role {role:?}")))?,
        place: row.get(3)?,
        staff: row.get(4)?,
        name: row.get(5)?,
        scopes: scopes_of(row.get_ref(6)?.as_str_or_null()?).map_err(|error| damaged(6, error))?,
        made_at: Ts(row.get(7)?),
        made_by: row.get(8)?,
        expires_at: row.get::<_, Option<i64>>(9)?.map(Ts),
        revoked_at: row.get::<_, Option<i64>>(10)?.map(Ts),
    })
}

fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let answer = match (row.get(6)?, row.get(7)?, row.get::<_, Option<i64>>(8)?) {
        (Some(approved), Some(by), Some(at)) => Some(Answer { approved, by, at: Ts(at) }),
        _ => None,
    };
    Ok(Approval {
        no: row.get(0)?,
        operation: operation(row, 1)?,
        request: row.get(2)?,
        asked_by: row.get(3)?,
        asked_at: Ts(row.get(4)?),
        answer_by: Ts(row.get(5)?),
        answer,
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let note = Note {
        at: Ts(row.get(1)?),
        who: row.get(2)?,
        role: row.get(3)?,
        operation: row.get(4)?,
        target: row.get(5)?,
        outcome: row.get(6)?,
        detail: row.get(7)?,
    };
    Ok(Entry { no: row.get(0)?, note, hash: row.get(8)? })
}

fn home_key(c: &Connection, vault: &Vault) -> Result<IdKey> {
    let stored = c.query_row(AUDIT_KEY, [], |row| row.get(0)).map(IdKey::from_bytes).map_err(database)?;
    vault.id_key(stored)
}

fn last(c: &Connection) -> Result<Option<Entry>> {
    c.prepare_cached(AUDIT_LAST)
        .and_then(|mut statement| statement.query_row([], entry).optional())
        .map_err(database)
}

/// Adds a line, in the transaction of whoever calls.
pub(crate) fn note(c: &Connection, vault: &Vault, note: Note) -> Result<Entry> {
    let last = last(c)?.map(|last| (last.no, last.hash));
    let entry = next(&home_key(c, vault)?, last, note);
    let said = &entry.note;
    let values = params![
        entry.no,
        said.at.0,
        said.who,
        said.role,
        said.operation,
        said.target,
        said.outcome,
        said.detail,
        entry.hash
    ];
    c.prepare_cached(AUDIT_NEW).and_then(|mut statement| statement.execute(values)).map_err(database)?;
    Ok(entry)
}

fn change_keys(c: &Connection, vault: &Vault, change: KeysChange) -> Result<bool> {
    if let Some((id, end)) = &change.ends {
        let ended = match end {
            End::Revoked(at) => c.execute(KEY_REVOKED, params![id, at.0]),
            End::Expires(at) => c.execute(KEY_EXPIRES, params![id, at.0]),
        };
        if ended.map_err(database)? == 0 {
            return Ok(false);
        }
    }
    if let Some(key) = &change.begins {
        let values = params![
            key.id,
            key.hash,
            key.role.name(),
            key.place,
            key.staff,
            key.name,
            scopes_text(key.scopes.as_ref()),
            key.made_at.0,
            key.made_by,
            key.expires_at.map(|at| at.0),
            key.revoked_at.map(|at| at.0)
        ];
        c.execute(KEY_NEW, values).map_err(database)?;
    }
    note(c, vault, change.note).map(|_| true)
}

fn ask_approval(c: &Connection, vault: &Vault, asked: &Approval, mut said: Note) -> Result<i64> {
    let (at, until) = (asked.asked_at.0, asked.answer_by.0);
    let values = params![asked.operation.name(), asked.request, asked.asked_by, at, until];
    let no: i64 = c.query_row(APPROVAL_NEW, values, |row| row.get(0)).map_err(database)?;
    said.target = no.to_string();
    note(c, vault, said)?;
    Ok(no)
}

fn answer_approval(c: &Connection, vault: &Vault, no: i64, answer: &Answer, said: Note) -> Result<bool> {
    let values = params![no, answer.approved, answer.by, answer.at.0];
    if c.execute(APPROVAL_ANSWERED, values).map_err(database)? == 0 {
        return Ok(false);
    }
    note(c, vault, said).map(|_| true)
}

/// What breaks the chain, for the doctor.
pub(crate) fn chain(c: &Connection, vault: &Vault) -> Result<Vec<String>> {
    let key = home_key(c, vault)?;
    let mut walk = Walk::new(&key, None);
    let mut statement = c.prepare(AUDIT).map_err(database)?;
    let found = statement.query_map(params![i64::MIN, i64::MIN, -1], entry).map_err(database)?;
    for line in found {
        if let Err(broken) = walk.step(&line.map_err(database)?) {
            return Ok(vec![broken.to_string()]);
        }
    }
    Ok(Vec::new())
}

#[async_trait]
impl Access for SqliteStore {
    fn people(&self) -> &dyn zhiyin_store::access::people::People {
        self
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        self.connections.read(|c| all(c, KEYS, [], key)).await
    }

    async fn key(&self, id: &str) -> Result<Option<(Key, IdKey)>> {
        let id = id.to_owned();
        let vault = self.vault();
        let both = move |row: &Row<'_>| {
            let stored = IdKey::from_bytes(row.get(11)?);
            Ok((key(row)?, vault.id_key(stored).map_err(crate::rows::unopened)?))
        };
        self.connections
            .read(move |c| {
                c.prepare_cached(KEY)
                    .and_then(|mut statement| statement.query_row([id], both).optional())
                    .map_err(database)
            })
            .await
    }

    async fn change_keys(&self, change: KeysChange) -> Result<bool> {
        let vault = self.vault();
        self.connections.write(move |c| change_keys(c, &vault, change)).await
    }

    async fn ask_approval(&self, approval: Approval, note: Note) -> Result<i64> {
        let vault = self.vault();
        self.connections.write(move |c| ask_approval(c, &vault, &approval, note)).await
    }

    async fn approval(&self, no: i64) -> Result<Option<Approval>> {
        self.connections.read(move |c| Ok(all(c, APPROVAL, [no], approval)?.pop())).await
    }

    async fn approvals(&self, limit: usize) -> Result<Vec<Approval>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.read(move |c| all(c, APPROVALS, [limit], approval)).await
    }

    async fn answer_approval(&self, no: i64, answer: Answer, note: Note) -> Result<bool> {
        let vault = self.vault();
        self.connections.write(move |c| answer_approval(c, &vault, no, &answer, note)).await
    }

    async fn note(&self, said: Note) -> Result<Entry> {
        let vault = self.vault();
        self.connections.write(move |c| note(c, &vault, said)).await
    }

    async fn audit(&self, after: i64, since: Option<Ts>, limit: usize) -> Result<Vec<Entry>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let since = since.unwrap_or(Ts::MIN).0;
        self.connections.read(move |c| all(c, AUDIT, params![after, since, limit], entry)).await
    }

    async fn audit_about(&self, target: &str, limit: usize) -> Result<Vec<Entry>> {
        let (target, limit) = (target.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
        self.connections.read(move |c| all(c, AUDIT_ABOUT, params![target, limit], entry)).await
    }

    async fn audit_last(&self) -> Result<Option<Entry>> {
        self.connections.read(last).await
    }
}
