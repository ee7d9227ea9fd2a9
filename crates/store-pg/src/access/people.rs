//! People who sign in, and their sessions. Whoever changes somebody holds the audit log, so all such changes come one after the
//! other, and what is looked at before one is written stays so until it is.

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::time::Ts;
use zhiyin_store::access::people::{
    Changed, People, Person, PersonChange, SESSIONS_MAX, Session, Which, folded, read, written,
};
use zhiyin_store::audit::{Note, next};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use super::{begin, bytes32, end, nothing, rows, rows_written};
use crate::PgStore;
use crate::connection::{Said, Step, Tx, Values};
use crate::rows::{damaged, database, get};

pub(crate) const PEOPLE: &str = "SELECT id, revision, state FROM {home}.person ORDER BY name";
pub(crate) const PERSON: &str = "SELECT id, revision, state FROM {home}.person WHERE id = $1";
pub(crate) const PERSON_NAMED: &str = "SELECT id, revision, state FROM {home}.person WHERE name = $1";
pub(crate) const PERSON_OWNS: &str =
    "SELECT EXISTS (SELECT 1 FROM {home}.person WHERE owns AND id <> $1::text)";
pub(crate) const PERSON_BEARS: &str =
    "SELECT EXISTS (SELECT 1 FROM {home}.person WHERE name = $1::text AND id <> $2::text)";
pub(crate) const PERSON_NEW: &str = "INSERT INTO {home}.person (id, revision, name, owns, state) \
    SELECT $1, $2::bigint + 1, $3, $4, $5 ON CONFLICT (id) DO NOTHING";
pub(crate) const PERSON_SET: &str = "UPDATE {home}.person SET revision = revision + 1, name = $3, owns = $4, state = $5 \
    WHERE id = $1 AND revision = $2";
pub(crate) const SESSION: &str = "SELECT p.id, p.revision, p.state, s.hash, s.began_at, s.until, s.ends_at \
    FROM {home}.person_session s JOIN {home}.person p ON p.id = s.person WHERE s.hash = $1";
pub(crate) const SESSION_NEW: &str = "INSERT INTO {home}.person_session (hash, person, began_at, until, ends_at) \
    VALUES ($1, $2, $3, $4, $5)";
pub(crate) const SESSION_ON: &str =
    "UPDATE {home}.person_session SET until = $2 WHERE hash = $1 AND until < $2";
pub(crate) const SESSION_GONE: &str = "DELETE FROM {home}.person_session WHERE hash = $1";
pub(crate) const SESSIONS_GONE: &str = "DELETE FROM {home}.person_session WHERE person = $1";
pub(crate) const SESSIONS_LAPSED: &str = "DELETE FROM {home}.person_session WHERE until <= $1";
pub(crate) const SESSIONS_BEYOND: &str = "DELETE FROM {home}.person_session WHERE hash IN \
    (SELECT hash FROM {home}.person_session WHERE person = $1 ORDER BY until DESC OFFSET $2)";

fn person(row: &Row) -> Result<Person> {
    read(get(row, 0)?, get(row, 1)?, get(row, 2)?).map_err(|error| damaged(2, error))
}

fn session(row: &Row) -> Result<(Session, Person)> {
    let person = person(row)?;
    let (began_at, until, ends_at) = (Ts(get(row, 4)?), Ts(get(row, 5)?), Ts(get(row, 6)?));
    Ok((Session { hash: bytes32(row, 3)?, person: person.id.clone(), began_at, until, ends_at }, person))
}

async fn is(tx: &Tx<'_>, sql: &'static str, given: Values<'_>) -> Result<bool> {
    let found = tx.send(vec![Step::Ask((sql, 0), given)]).await.map_err(database)?;
    let row = found.into_iter().flat_map(Said::rows).next();
    get(&row.ok_or_else(|| StoreError::Damaged("nothing was answered".to_owned()))?, 0)
}

/// What stands against a change.
async fn against(tx: &Tx<'_>, change: &PersonChange, name: &String) -> Result<Option<Changed>> {
    let (id, nobody) = (&change.person.id, String::new());
    if change.first && is(tx, PERSON_OWNS, vec![&nobody]).await? {
        return Ok(Some(Changed::Owned));
    }
    if change.gives_up && !is(tx, PERSON_OWNS, vec![id]).await? {
        return Ok(Some(Changed::LastOwner));
    }
    let taken = is(tx, PERSON_BEARS, vec![name, id]).await?;
    Ok(taken.then_some(Changed::NameTaken))
}

async fn change(tx: &Tx<'_>, vault: &Vault, change: PersonChange) -> Result<Changed> {
    let (key, last) = begin(tx, vault).await?;
    let name = folded(&change.person.is.name);
    if let Some(against) = against(tx, &change, &name).await? {
        return nothing(tx).await.map(|_| against);
    }
    let Person { id, revision, is: standing } = &change.person;
    let sql = if *revision == 0 { PERSON_NEW } else { PERSON_SET };
    let (owns, state) = (standing.owns(), written(standing)?);
    let values: Values<'_> = vec![id, revision, &name, &owns, &state];
    if rows_written(tx, Step::Run((sql, 0), values)).await? == 0 {
        return nothing(tx).await.map(|_| Changed::Moved);
    }
    if change.ends_sessions {
        rows_written(tx, Step::Run((SESSIONS_GONE, 0), vec![id])).await?;
    }
    if let Some(session) = &change.begins {
        let Session { hash, person, began_at, until, ends_at } = session;
        let (hash, others) = (hash.as_slice(), i64::try_from(SESSIONS_MAX - 1).unwrap_or(i64::MAX));
        rows_written(tx, Step::Run((SESSIONS_LAPSED, 0), vec![&began_at.0])).await?;
        rows_written(tx, Step::Run((SESSIONS_BEYOND, 0), vec![person, &others])).await?;
        let values: Values<'_> = vec![&hash, person, &began_at.0, &until.0, &ends_at.0];
        rows_written(tx, Step::Run((SESSION_NEW, 0), values)).await?;
    }
    end(tx, &next(&key, last, change.note)).await?;
    Ok(Changed::Done)
}

async fn end_sessions(tx: &Tx<'_>, vault: &Vault, which: &Which, said: Note) -> Result<usize> {
    let (key, last) = begin(tx, vault).await?;
    let ended = match which {
        Which::Of(hash) => {
            let hash = hash.as_slice();
            rows_written(tx, Step::Run((SESSION_GONE, 0), vec![&hash])).await?
        }
        Which::All(person) => rows_written(tx, Step::Run((SESSIONS_GONE, 0), vec![person])).await?,
    };
    if ended == 0 {
        return nothing(tx).await.map(|_| 0);
    }
    end(tx, &next(&key, last, said)).await?;
    Ok(ended)
}

#[async_trait]
impl People for PgStore {
    async fn all(&self) -> Result<Vec<Person>> {
        rows(&self.connections, PEOPLE, vec![], person).await
    }

    async fn person(&self, id: &str) -> Result<Option<Person>> {
        Ok(rows(&self.connections, PERSON, vec![&id], person).await?.pop())
    }

    async fn named(&self, name: &str) -> Result<Option<Person>> {
        let name = folded(name);
        Ok(rows(&self.connections, PERSON_NAMED, vec![&name], person).await?.pop())
    }

    async fn owned(&self) -> Result<bool> {
        let found = rows(&self.connections, PERSON_OWNS, vec![&""], |row| get(row, 0)).await?.pop();
        found.ok_or_else(|| StoreError::Damaged("nothing was answered".to_owned()))
    }

    async fn change(&self, asked: PersonChange) -> Result<Changed> {
        let tx = self.connections.session().await?.transaction();
        let changed = change(&tx, &self.vault(), asked).await;
        tx.end(changed).await
    }

    async fn session(&self, hash: &[u8; 32]) -> Result<Option<(Session, Person)>> {
        let hash = hash.as_slice();
        Ok(rows(&self.connections, SESSION, vec![&hash], session).await?.pop())
    }

    async fn prolong(&self, hash: &[u8; 32], until: Ts) -> Result<()> {
        let hash = hash.as_slice();
        self.connections.session().await?.run((SESSION_ON, 0), &[&hash, &until.0]).await.map(drop)
    }

    async fn end(&self, which: Which, said: Note) -> Result<usize> {
        let tx = self.connections.session().await?.transaction();
        let ended = end_sessions(&tx, &self.vault(), &which, said).await;
        tx.end(ended).await
    }
}
