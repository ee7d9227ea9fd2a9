//! People who sign in, and their sessions. What a change asks is looked at before anything is written: the writer is one.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::access::people::{
    Changed, People, Person, PersonChange, SESSIONS_MAX, Session, Which, folded, read, written,
};
use zhiyin_store::audit::Note;
use zhiyin_store::seal::vault::Vault;

use super::note;
use crate::SqliteStore;
use crate::rows::{all, damaged, database};

pub(crate) const PEOPLE: &str = "SELECT id, revision, state FROM person ORDER BY name";
pub(crate) const PERSON: &str = "SELECT id, revision, state FROM person WHERE id = ?";
pub(crate) const PERSON_NAMED: &str = "SELECT id, revision, state FROM person WHERE name = ?";
pub(crate) const PERSON_OWNS: &str = "SELECT EXISTS (SELECT 1 FROM person WHERE owns = 1 AND id <> ?)";
pub(crate) const PERSON_BEARS: &str = "SELECT EXISTS (SELECT 1 FROM person WHERE name = ? AND id <> ?)";
pub(crate) const PERSON_NEW: &str = "INSERT INTO person (id, revision, name, owns, state) VALUES (?1, 1, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING RETURNING ?2";
pub(crate) const PERSON_SET: &str = "UPDATE person SET revision = revision + 1, name = ?3, owns = ?4, state = ?5 \
    WHERE id = ?1 AND revision = ?2 RETURNING revision";
pub(crate) const SESSION: &str = "SELECT p.id, p.revision, p.state, s.hash, s.began_at, s.until, s.ends_at \
    FROM person_session s JOIN person p ON p.id = s.person WHERE s.hash = ?";
pub(crate) const SESSION_NEW: &str =
    "INSERT INTO person_session (hash, person, began_at, until, ends_at) VALUES (?, ?, ?, ?, ?)";
pub(crate) const SESSION_ON: &str = "UPDATE person_session SET until = ?2 WHERE hash = ?1 AND until < ?2";
pub(crate) const SESSION_GONE: &str = "DELETE FROM person_session WHERE hash = ?";
pub(crate) const SESSIONS_GONE: &str = "DELETE FROM person_session WHERE person = ?";
pub(crate) const SESSIONS_LAPSED: &str = "DELETE FROM person_session WHERE until <= ?";
pub(crate) const SESSIONS_BEYOND: &str = "DELETE FROM person_session WHERE hash IN \
    (SELECT hash FROM person_session WHERE person = ? ORDER BY until DESC LIMIT -1 OFFSET ?)";

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    read(row.get(0)?, row.get(1)?, row.get_ref(2)?.as_str()?).map_err(|error| damaged(2, error))
}

fn session(row: &Row<'_>) -> rusqlite::Result<(Session, Person)> {
    let person = person(row)?;
    let (began_at, until, ends_at) = (Ts(row.get(4)?), Ts(row.get(5)?), Ts(row.get(6)?));
    Ok((Session { hash: row.get(3)?, person: person.id.clone(), began_at, until, ends_at }, person))
}

fn is(c: &Connection, sql: &str, given: impl rusqlite::Params) -> Result<bool> {
    c.prepare_cached(sql).and_then(|mut it| it.query_row(given, |row| row.get(0))).map_err(database)
}

fn done(c: &Connection, sql: &str, given: impl rusqlite::Params) -> Result<usize> {
    c.prepare_cached(sql).and_then(|mut it| it.execute(given)).map_err(database)
}

fn change(c: &Connection, vault: &Vault, change: PersonChange) -> Result<Changed> {
    let Person { id, revision, is: standing } = &change.person;
    let name = folded(&standing.name);
    if change.first && is(c, PERSON_OWNS, [""])? {
        return Ok(Changed::Owned);
    }
    if change.gives_up && !is(c, PERSON_OWNS, [id])? {
        return Ok(Changed::LastOwner);
    }
    if is(c, PERSON_BEARS, [&name, id])? {
        return Ok(Changed::NameTaken);
    }
    let sql = if *revision == 0 { PERSON_NEW } else { PERSON_SET };
    let values = params![id, revision, name, standing.owns(), written(standing)?];
    let changed: Option<i64> = c
        .prepare_cached(sql)
        .and_then(|mut it| it.query_row(values, |row| row.get(0)).optional())
        .map_err(database)?;
    if changed.is_none() {
        return Ok(Changed::Moved);
    }
    if change.ends_sessions {
        done(c, SESSIONS_GONE, [id])?;
    }
    if let Some(session) = &change.begins {
        begin(c, session)?;
    }
    note(c, vault, change.note).map(|_| Changed::Done)
}

fn begin(c: &Connection, session: &Session) -> Result<()> {
    let Session { hash, person, began_at, until, ends_at } = session;
    done(c, SESSIONS_LAPSED, [began_at.0])?;
    done(c, SESSIONS_BEYOND, params![person, i64::try_from(SESSIONS_MAX - 1).unwrap_or(i64::MAX)])?;
    done(c, SESSION_NEW, params![hash.as_slice(), person, began_at.0, until.0, ends_at.0]).map(drop)
}

#[async_trait]
impl People for SqliteStore {
    async fn all(&self) -> Result<Vec<Person>> {
        self.connections.read(|c| all(c, PEOPLE, [], person)).await
    }

    async fn person(&self, id: &str) -> Result<Option<Person>> {
        let id = id.to_owned();
        self.connections.read(move |c| Ok(all(c, PERSON, [id], person)?.pop())).await
    }

    async fn named(&self, name: &str) -> Result<Option<Person>> {
        let name = folded(name);
        self.connections.read(move |c| Ok(all(c, PERSON_NAMED, [name], person)?.pop())).await
    }

    async fn owned(&self) -> Result<bool> {
        self.connections.read(|c| is(c, PERSON_OWNS, [""])).await
    }

    async fn change(&self, asked: PersonChange) -> Result<Changed> {
        let vault = self.vault();
        self.connections.write(move |c| change(c, &vault, asked)).await
    }

    async fn session(&self, hash: &[u8; 32]) -> Result<Option<(Session, Person)>> {
        let hash = *hash;
        self.connections.read(move |c| Ok(all(c, SESSION, [hash.as_slice()], session)?.pop())).await
    }

    async fn prolong(&self, hash: &[u8; 32], until: Ts) -> Result<()> {
        let hash = *hash;
        self.connections
            .write(move |c| done(c, SESSION_ON, params![hash.as_slice(), until.0]).map(drop))
            .await
    }

    async fn end(&self, which: Which, said: Note) -> Result<usize> {
        let vault = self.vault();
        self.connections
            .write(move |c| {
                let ended = match &which {
                    Which::Of(hash) => done(c, SESSION_GONE, [hash.as_slice()])?,
                    Which::All(person) => done(c, SESSIONS_GONE, [person])?,
                };
                if ended > 0 {
                    note(c, &vault, said)?;
                }
                Ok(ended)
            })
            .await
    }
}
