//! The queue of likely doubles, and names of several members.

use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::suggestion::{NewSuggestion, State, Suggestion};

use crate::report::IDENTIFIERS_OF;
use crate::rows::{self, all, damaged, database, id};

pub(crate) const SUGGESTION_NEW: &str = "INSERT INTO suggestion (one, other, score_ppm, evidence, found_at) \
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (one, other) DO NOTHING";
pub(crate) const SUGGESTION_AGAIN: &str = "UPDATE suggestion SET score_ppm = ?3, evidence = ?4, found_at = ?5 \
    WHERE one = ?1 AND other = ?2 AND state = 0";
pub(crate) const SUGGESTION: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM suggestion WHERE no = ?";
pub(crate) const SUGGESTIONS: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM suggestion ORDER BY score_ppm DESC, no LIMIT ?";
pub(crate) const SUGGESTIONS_IN: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM suggestion WHERE state = ? ORDER BY score_ppm DESC, no LIMIT ?";
pub(crate) const SUGGESTION_DECIDED: &str =
    "UPDATE suggestion SET state = ?2, decided_by = ?3, decided_at = ?4 WHERE no = ?1 AND state = 0";

pub(crate) fn put(c: &Connection, found: &[NewSuggestion], at: Ts) -> Result<usize> {
    found.iter().try_for_each(NewSuggestion::check)?;
    let mut new = c.prepare_cached(SUGGESTION_NEW).map_err(database)?;
    let mut again = c.prepare_cached(SUGGESTION_AGAIN).map_err(database)?;
    let mut n_new = 0;
    for pair in found {
        let (one, other) = (pair.one.bytes().as_slice(), pair.other.bytes().as_slice());
        let values = params![one, other, pair.score_ppm, pair.evidence, at.0];
        let n = new.execute(values).map_err(database)?;
        if n == 0 {
            again.execute(values).map_err(database)?;
        }
        n_new += n;
    }
    Ok(n_new)
}

fn suggestion(row: &Row<'_>) -> rusqlite::Result<Suggestion> {
    let (by, at): (Option<String>, Option<i64>) = (row.get(7)?, row.get(8)?);
    Ok(Suggestion {
        no: row.get(0)?,
        pair: NewSuggestion {
            one: id(row, 1)?,
            other: id(row, 2)?,
            score_ppm: row.get(3)?,
            evidence: row.get(4)?,
        },
        state: State::from_code(row.get(5)?).ok_or_else(|| damaged(5, "no state of a suggestion"))?,
        found_at: Ts(row.get(6)?),
        decided: by.zip(at.map(Ts)),
    })
}

pub(crate) fn list(c: &Connection, state: Option<State>, limit: usize) -> Result<Vec<Suggestion>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match state {
        Some(state) => all(c, SUGGESTIONS_IN, params![state.code(), limit], suggestion),
        None => all(c, SUGGESTIONS, [limit], suggestion),
    }
}

pub(crate) fn of_number(c: &Connection, no: i64) -> Result<Option<Suggestion>> {
    c.query_row(SUGGESTION, [no], suggestion).optional().map_err(database)
}

pub(crate) fn decide(c: &Connection, no: i64, state: State, by: &str, at: Ts) -> Result<Option<Suggestion>> {
    if state != State::Open {
        c.execute(SUGGESTION_DECIDED, params![no, state.code(), by, at.0]).map_err(database)?;
    }
    of_number(c, no)
}

pub(crate) fn identifiers_of(
    c: &Connection,
    vault: &Vault,
    members: &[MemberId],
) -> Result<Vec<(MemberId, String, String)>> {
    let mut found = Vec::new();
    for member in members {
        found.extend(all(c, IDENTIFIERS_OF, [member.bytes().as_slice()], |row| {
            let value = vault.identifier(row.get_ref(1)?.as_blob()?).map_err(rows::unopened)?;
            Ok((*member, row.get(0)?, value))
        })?);
    }
    found.sort();
    Ok(found)
}
