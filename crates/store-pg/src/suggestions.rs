//! The queue of likely doubles, which there is once, and names of several members, which lie in every shard.

use std::sync::Arc;

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::suggestion::{NewSuggestion, State, Suggestion};

use crate::connection::{Connections, Said, Step};
use crate::rows::{Uuid, damaged, database, get, id};

pub(crate) const SUGGESTION_NEW: &str = "INSERT INTO {home}.suggestion (one, other, score_ppm, evidence, found_at) \
    SELECT one, other, score_ppm, evidence, $5 \
    FROM UNNEST($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) n (one, other, score_ppm, evidence) \
    ON CONFLICT (one, other) DO NOTHING";
pub(crate) const SUGGESTION_AGAIN: &str = "UPDATE {home}.suggestion s \
    SET score_ppm = n.score_ppm, evidence = n.evidence, found_at = $5 \
    FROM UNNEST($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) n (one, other, score_ppm, evidence) \
    WHERE s.one = n.one AND s.other = n.other AND s.state = 0";
pub(crate) const SUGGESTION: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM {home}.suggestion WHERE no = $1";
pub(crate) const SUGGESTIONS: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM {home}.suggestion ORDER BY score_ppm DESC, no LIMIT $1";
pub(crate) const SUGGESTIONS_IN: &str = "SELECT no, one, other, score_ppm, evidence, state, found_at, decided_by, decided_at \
    FROM {home}.suggestion WHERE state = $2 ORDER BY score_ppm DESC, no LIMIT $1";
pub(crate) const SUGGESTION_DECIDED: &str = "UPDATE {home}.suggestion \
    SET state = $2, decided_by = $3, decided_at = $4 WHERE no = $1 AND state = 0";
pub(crate) const NAMES_OF: &str =
    "SELECT member, namespace, value FROM {shard}.identifier WHERE member = ANY($1)";

pub(crate) async fn put(connections: &Connections, found: &[NewSuggestion], at: Ts) -> Result<usize> {
    found.iter().try_for_each(NewSuggestion::check)?;
    // In one order, so that two who put the same pairs wait for each other and never in a circle.
    let mut found: Vec<&NewSuggestion> = found.iter().collect();
    found.sort_by_key(|pair| (pair.one, pair.other));
    let ones: Vec<Uuid> = found.iter().map(|pair| pair.one.into()).collect();
    let others: Vec<Uuid> = found.iter().map(|pair| pair.other.into()).collect();
    let scores: Vec<i32> = found.iter().map(|pair| pair.score_ppm).collect();
    let evidence: Vec<&str> = found.iter().map(|pair| pair.evidence.as_str()).collect();
    let tx = connections.session().await?.transaction();
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((SUGGESTION_AGAIN, 0), vec![&ones, &others, &scores, &evidence, &at.0]),
        Step::Run((SUGGESTION_NEW, 0), vec![&ones, &others, &scores, &evidence, &at.0]),
        Step::Say("COMMIT"),
    ];
    let n_new = tx.send(steps).await.map(|said| said.get(2).map_or(0, Said::count)).map_err(database);
    tx.end(n_new).await
}

fn suggestion(row: &Row) -> Result<Suggestion> {
    let (by, at): (Option<String>, Option<i64>) = (get(row, 7)?, get(row, 8)?);
    Ok(Suggestion {
        no: get(row, 0)?,
        pair: NewSuggestion {
            one: id(row, 1)?,
            other: id(row, 2)?,
            score_ppm: get(row, 3)?,
            evidence: get(row, 4)?,
        },
        state: State::from_code(get(row, 5)?).ok_or_else(|| damaged(5, "no state of a suggestion"))?,
        found_at: Ts(get(row, 6)?),
        decided: by.zip(at.map(Ts)),
    })
}

pub(crate) async fn list(
    connections: &Connections,
    state: Option<State>,
    limit: usize,
) -> Result<Vec<Suggestion>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let session = connections.session().await?;
    let rows = match state {
        Some(state) => session.rows((SUGGESTIONS_IN, 0), &[&limit, &state.code()]).await?,
        None => session.rows((SUGGESTIONS, 0), &[&limit]).await?,
    };
    rows.iter().map(suggestion).collect()
}

pub(crate) async fn of_number(connections: &Connections, no: i64) -> Result<Option<Suggestion>> {
    connections.session().await?.row((SUGGESTION, 0), &[&no]).await?.as_ref().map(suggestion).transpose()
}

pub(crate) async fn decide(
    connections: &Connections,
    no: i64,
    state: State,
    by: &str,
    at: Ts,
) -> Result<Option<Suggestion>> {
    if state != State::Open {
        let session = connections.session().await?;
        session.run((SUGGESTION_DECIDED, 0), &[&no, &state.code(), &by, &at.0]).await?;
    }
    of_number(connections, no).await
}

pub(crate) async fn identifiers_of(
    connections: &Connections,
    vault: &Arc<Vault>,
    members: &[MemberId],
) -> Result<Vec<(MemberId, String, String)>> {
    let wanted: Vec<Uuid> = members.iter().map(|member| (*member).into()).collect();
    let session = connections.session().await?;
    let asks = (0..connections.schemas.shards()).map(|shard| ((NAMES_OF, shard), vec![&wanted as _]));
    let rows: Vec<Row> = session.ask(asks.collect()).await?.into_iter().flatten().collect();
    let values: Vec<Vec<u8>> = rows.iter().map(|row| get(row, 2)).collect::<Result<_>>()?;
    let values = vault.aside(move |vault| vault.identifiers(&values)).await?;
    let mut found = Vec::with_capacity(rows.len());
    for (row, value) in rows.iter().zip(values) {
        found.push((id(row, 0)?, get(row, 1)?, value));
    }
    found.sort();
    Ok(found)
}
