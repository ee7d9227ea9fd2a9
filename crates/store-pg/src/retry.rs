//! Dead letters that are put back: tried again once all that was accepted by then is done.
//!
//! Whom they are about was settled when they were accepted; who was merged into another since has ended, so what is put back
//! is about who they are now. Nothing names the event of a dead letter by its place, so it goes to their share.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::{OWN_SOURCE, Result, StoreError};

use crate::append::{MOVED, TELL};
use crate::connection::{Connections, Said, Step, Tx};
use crate::memory::HOME_HELD;
use crate::rows::{Uuid, database, get, id, id_or_none};
use crate::schemas::Schemas;

/// Whom dead letters are about, and who says so.
pub(crate) const LETTERS: &str = "SELECT d.seq, e.slot, e.member, e.reached, e.name, s.name FROM {shard}.dead_letter d \
    JOIN {shard}.event e ON e.seq = d.seq JOIN {home}.source s ON s.no = e.source WHERE d.seq = ANY($1)";
/// What commands were refused they were told at once: that is never tried again.
pub(crate) const RETRIED: &str = "SELECT d.seq FROM {shard}.dead_letter d JOIN {shard}.event e ON e.seq = d.seq \
    JOIN {home}.source s ON s.no = e.source WHERE d.seq = ANY($1) AND s.name NOT LIKE 'command:%'";
pub(crate) const ROOTS: &str = "SELECT member, root FROM {home}.alias WHERE member = ANY($1)";
pub(crate) const RETRY_NEW: &str = "INSERT INTO {shard}.retry (seq, slot, clock, after) \
    SELECT d.seq, e.slot, $2, $3 FROM {shard}.dead_letter d JOIN {shard}.event e ON e.seq = d.seq \
    WHERE d.seq = ANY($1) ON CONFLICT (seq) DO NOTHING";
pub(crate) const DEAD_GONE: &str = "DELETE FROM {shard}.dead_letter WHERE seq = ANY($1)";

/// Puts dead letters back, to be tried again at `now`, once all that was accepted by then is done; how many.
pub(crate) async fn retry_dead_letters(connections: &Connections, seqs: &[i64], now: Ts) -> Result<usize> {
    let tx = connections.session().await?.transaction();
    let put_back = put_back(&tx, seqs, now).await;
    tx.end(put_back).await
}

async fn put_back(tx: &Tx<'_>, seqs: &[i64], now: Ts) -> Result<usize> {
    let schemas = tx.session()?.schemas;
    let begin = vec![Step::Say("BEGIN"), Step::Ask((HOME_HELD, 0), vec![])];
    let held: Vec<Row> = tx.send(begin).await.map_err(database)?.into_iter().flat_map(Said::rows).collect();
    let held = held.first().ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let (before, last): (i64, i64) = (get(held, 0)?, get(held, 1)?);
    let clock = now.0.max(before.saturating_add(1));
    let asks = (0..schemas.shards()).map(|shard| Step::Ask((RETRIED, shard), vec![&seqs])).collect();
    let rows = tx.send(asks).await.map_err(database)?.into_iter().flat_map(Said::rows);
    let seqs: Vec<i64> = rows.map(|row| get(&row, 0)).collect::<Result<_>>()?;
    let seqs = seqs.as_slice();
    // The home is held, so nobody is merged meanwhile.
    let moved = moves(schemas, &about(tx, seqs).await?, (clock, last));
    let mut steps = Vec::new();
    if !moved.sql.is_empty() {
        steps.push(Step::Say(&moved.sql));
    }
    for shard in 0..schemas.shards() {
        steps.push(Step::Run((RETRY_NEW, shard), vec![&seqs, &clock, &last]));
    }
    let said = tx.send(steps).await.map_err(database)?;
    let n = moved.elsewhere + said.iter().map(Said::count).sum::<usize>();
    let channel = crate::link::channel(schemas.home());
    let mut steps: Vec<Step<'_>> =
        (0..schemas.shards()).map(|shard| Step::Run((DEAD_GONE, shard), vec![&seqs])).collect();
    if n > 0 {
        steps.push(Step::Run((MOVED, 0), vec![&clock, &last]));
        steps.push(Step::Ask((TELL, 0), vec![&channel, &""]));
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map_err(database)?;
    Ok(n)
}

/// A dead letter that is about somebody else now, or reaches somebody else.
struct Letter {
    seq: i64,
    slot: i32,
    member: MemberId,
    reached: Option<MemberId>,
}

/// Those of these dead letters that are about or reach somebody who ended, with who they are now.
async fn about(tx: &Tx<'_>, seqs: &[i64]) -> Result<Vec<Letter>> {
    let shards = 0..tx.session()?.schemas.shards();
    let asks = shards.map(|shard| Step::Ask((LETTERS, shard), vec![&seqs])).collect();
    let rows: Vec<Row> = tx.send(asks).await.map_err(database)?.into_iter().flat_map(Said::rows).collect();
    let mut letters = Vec::with_capacity(rows.len());
    let mut members = BTreeSet::new();
    for row in &rows {
        let (member, reached): (MemberId, Option<MemberId>) = (id(row, 2)?, id_or_none(row, 3)?);
        members.extend(reached);
        members.insert(member);
        // How somebody ends is about who ends.
        let (name, source): (&str, &str) = (get(row, 4)?, get(row, 5)?);
        let ends = source == OWN_SOURCE && name == names::MEMBERS_MERGED;
        letters.push((Letter { seq: get(row, 0)?, slot: get(row, 1)?, member, reached }, ends));
    }
    let members: Vec<Uuid> = members.into_iter().map(Uuid::from).collect();
    let said = tx.send(vec![Step::Ask((ROOTS, 0), vec![&members])]).await.map_err(database)?;
    let mut roots: BTreeMap<MemberId, MemberId> = BTreeMap::new();
    for row in said.into_iter().flat_map(Said::rows) {
        roots.insert(id(&row, 0)?, id(&row, 1)?);
    }
    let now = |member: MemberId| roots.get(&member).copied().unwrap_or(member);
    let letters = letters.into_iter().filter_map(|(letter, ends)| {
        let member = if ends { letter.member } else { now(letter.member) };
        let reached = letter.reached.map(now);
        let moves = member != letter.member || reached != letter.reached;
        moves.then_some(Letter { member, reached, ..letter })
    });
    Ok(letters.collect())
}

/// What moves, in SQL.
#[derive(Default)]
struct Moves {
    sql: String,
    /// How many go to another shard, and are put back there by the same words.
    elsewhere: usize,
}

fn moves(schemas: &Schemas, letters: &[Letter], (clock, last): (i64, i64)) -> Moves {
    let mut moves = Moves::default();
    for Letter { seq, slot: was, member, reached } in letters {
        let slot = schemas.slot_of(*member);
        let from = schemas.shard(schemas.shard_of_slot(*was));
        let to = schemas.shard(schemas.shard_of_slot(slot));
        let reached = reached.map_or("NULL::uuid".to_owned(), |reached| format!("'{reached}'::uuid"));
        // It waits beside the cursor, never at it: that of another share may not have come that far.
        let derived = if slot == *was { "derived" } else { "GREATEST(derived, 1)" };
        if from == to {
            moves.sql += &format!(
                "UPDATE {to}.event SET slot = {slot}, member = '{member}', reached = {reached}, derived = {derived} \
                 WHERE seq = {seq};\n"
            );
            continue;
        }
        moves.elsewhere += 1;
        moves.sql += &format!(
            "WITH gone AS (DELETE FROM {from}.event WHERE seq = {seq} RETURNING *) \
             INSERT INTO {to}.event (seq, id, slot, source, message_id, name, time, clock, derived, replay, body, called, \
             member, reached) SELECT seq, id, {slot}, source, message_id, name, time, clock, {derived}, replay, body, \
             called, '{member}', {reached} FROM gone;\n\
             INSERT INTO {to}.retry (seq, slot, clock, after) VALUES ({seq}, {slot}, {clock}, {last}) \
             ON CONFLICT (seq) DO NOTHING;\n"
        );
    }
    moves
}
