//! What waits in the shares of a turn, and who is to be woken.
//!
//! Items show in the order of their places, because whoever accepts them holds the home. So one snapshot says how far all
//! is there; and in that same snapshot stand the cursors of the other shares and what they derived. That is why all looks
//! of one answer are taken in one.

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::seal::Sealed;
use zhiyin_store::turn::Turn;
use zhiyin_store::{Ahead, Result, Waiting};

use crate::connection::{Connections, Said, Session, Step, Tx, Values};
use crate::partition::FACTS;
use crate::rows::{Uuid, database, get, id, id_or_none};

/// Cursors of these shares by number, for a filter that costs nothing a row; what is another's is beyond all places.
macro_rules! cursors {
    ($whose:literal) => {
        concat!(
            "(SELECT array_agg(CASE WHEN ",
            $whose,
            " THEN cursor ELSE 9223372036854775807 END ORDER BY slot) FROM {home}.slot)"
        )
    };
}
/// Whether whom an event `e` reaches is of these shares ($1), of so many ($2): as `store::turn::slot_of` says.
macro_rules! reaches_these {
    () => {
        "(get_byte(uuid_send(e.reached), 14) + 256 * get_byte(uuid_send(e.reached), 15)) % $2::integer = ANY($1)"
    };
}
/// What [`waiting_row`] reads.
macro_rules! waiting_columns {
    () => {
        "e.seq, e.id, s.name, s.user_namespace, \
         COALESCE('~~' || encode(e.called, 'hex'), e.message_id), e.time, e.clock, e.body, e.replay, e.member, e.reached"
    };
}

/// The first undecided item of another share whose decision may reach a member of these. Nobody else need wait for it.
pub(crate) const BARRIER: &str = concat!(
    "SELECT e.seq, e.clock, e.replay FROM {shard}.event e WHERE e.reached IS NOT NULL AND e.derived = 0 \
     AND e.seq < 4611686018427387904 \
     AND e.seq > (SELECT MIN(cursor) FROM {home}.slot WHERE slot <> ALL($1)) AND e.seq > (",
    cursors!("slot <> ALL($1)"),
    ")[e.slot + 1] AND ",
    reaches_these!(),
    " ORDER BY e.seq LIMIT 1"
);
/// The first such item that was put back: what was accepted since comes after it.
pub(crate) const BARRIER_BACK: &str = concat!(
    "SELECT r.after + 1, r.clock, false FROM {shard}.retry r JOIN {shard}.event e ON e.seq = r.seq \
     WHERE r.slot <> ALL($1) AND e.reached IS NOT NULL AND ",
    reaches_these!(),
    " ORDER BY r.after, r.clock LIMIT 1"
);
/// The next item of these shares. The second value is where the first of them stood when the turn was taken: it says which
/// months need no look.
pub(crate) const FIRST: &str = concat!(
    "SELECT e.seq, e.clock, e.replay FROM {shard}.event e WHERE e.derived = 0 AND e.seq < 4611686018427387904 AND e.seq > $2 \
     AND e.seq > (SELECT MIN(cursor) FROM {home}.slot WHERE slot = ANY($1)) AND e.seq > (",
    cursors!("slot = ANY($1)"),
    ")[e.slot + 1] ORDER BY e.seq LIMIT 1"
);
/// Whether anything waits beside the cursor.
pub(crate) const QUEUED: &str = "SELECT 1 FROM {shard}.queue WHERE slot = ANY($1) \
    UNION ALL SELECT 1 FROM {shard}.retry WHERE slot = ANY($1) LIMIT 1";
/// After which row the first of what waits beside the cursor comes: no item beyond that one comes before it.
pub(crate) const FIRST_AFTER: &str = "SELECT after FROM (SELECT after FROM {shard}.queue WHERE slot = ANY($1) \
    UNION ALL SELECT after FROM {shard}.retry WHERE slot = ANY($1)) w ORDER BY after LIMIT 1";
/// What waits beside the cursor, after a row that is not beyond the second value.
pub(crate) const QUEUE: &str = concat!(
    "SELECT ",
    waiting_columns!(),
    ", w.after, w.clock FROM (SELECT q.seq, q.after, NULL::bigint AS clock FROM {shard}.queue q \
     WHERE q.slot = ANY($1) AND q.after <= $2 \
     UNION ALL SELECT r.seq, r.after, r.clock FROM {shard}.retry r WHERE r.slot = ANY($1) AND r.after <= $2) w \
     JOIN {shard}.event e ON e.seq = w.seq JOIN {home}.source s ON s.no = e.source \
     ORDER BY w.after, COALESCE(w.clock, e.clock), e.time, e.id LIMIT $3"
);
/// Items of these shares from a place on, up to another.
pub(crate) const INBOX: &str = concat!(
    "SELECT ",
    waiting_columns!(),
    " FROM {shard}.event e JOIN {home}.source s ON s.no = e.source \
     WHERE e.derived = 0 AND e.seq >= $2 AND e.seq <= $3 AND e.seq > (",
    cursors!("slot = ANY($1)"),
    ")[e.slot + 1] ORDER BY e.seq LIMIT $4"
);
/// Shares in which nothing waits are done up to the last item there is, so that nobody looks through others' items again.
pub(crate) const DONE: &str = "UPDATE {home}.slot s SET cursor = $4 \
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) h (slot, token, batch) \
    WHERE s.slot = h.slot AND s.token = h.token AND s.batch = h.batch AND s.cursor < $4::bigint - 10000";
pub(crate) const LAST: &str = "SELECT last FROM {home}.home WHERE one = 1";
pub(crate) const DUE: &str = "SELECT m.id, m.wake FROM unnest($1::integer[]) u (slot) \
    CROSS JOIN LATERAL (SELECT w.id, w.wake FROM {shard}.member w \
    WHERE w.slot = u.slot AND w.wake IS NOT NULL AND w.wake <= $2 ORDER BY w.wake, w.id LIMIT $3) m \
    ORDER BY m.wake, m.id LIMIT $3";
pub(crate) const NEXT_WAKE: &str = "SELECT MIN(m.wake) FROM unnest($1::integer[]) u (slot) \
    CROSS JOIN LATERAL (SELECT w.wake FROM {shard}.member w WHERE w.slot = u.slot AND w.wake IS NOT NULL \
    ORDER BY w.wake LIMIT 1) m";
pub(crate) const BEHIND_FIRST: &str = "SELECT m.id FROM {shard}.member m \
    WHERE m.version < $2 AND ($1::integer[] IS NULL OR m.slot = ANY($1)) ORDER BY m.id LIMIT $3";
pub(crate) const BEHIND: &str = "SELECT m.id FROM {shard}.member m \
    WHERE m.id > $4 AND m.version < $2 AND ($1::integer[] IS NULL OR m.slot = ANY($1)) ORDER BY m.id LIMIT $3";

/// So many items of others may lie between a share's cursor and the end before the cursor is moved over them ([`DONE`]).
const OTHERS_MAX: i64 = 10_000;
/// Begins a transaction whose looks are all taken at one instant.
const AT_ONCE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What waits in these shares.
pub(crate) async fn waiting(connections: &Connections, turn: &Turn, limit: usize) -> Result<Vec<Waiting>> {
    let tx = connections.session().await?.transaction();
    let slots: Vec<i32> = turn.slots().collect();
    let mut shards: Vec<usize> = slots.iter().map(|slot| connections.schemas.shard_of_slot(*slot)).collect();
    shards.sort_unstable();
    shards.dedup();
    let from = turn.held.iter().map(|held| held.cursor).min().unwrap_or(0);
    let look = Look { slots, shards, from, limit };
    let found = look.take(&tx).await;
    let (rows, last) = tx.end(found).await?;
    if rows.is_empty()
        && let Some(last) = last.filter(|last| last - from > OTHERS_MAX)
    {
        move_on(&connections.session().await?, turn, last).await?;
    }
    Ok(rows)
}

async fn move_on(session: &Session<'_>, turn: &Turn, last: i64) -> Result<()> {
    let slots: Vec<i32> = turn.slots().collect();
    let tokens: Vec<i64> = turn.held.iter().map(|held| held.token).collect();
    let batches: Vec<i64> = turn.held.iter().map(|held| held.batch).collect();
    session.run((DONE, 0), &[&slots, &tokens, &batches, &last]).await.map(drop)
}

/// One look at what waits.
struct Look {
    slots: Vec<i32>,
    /// The shards in which these shares lie.
    shards: Vec<usize>,
    /// Where the first of the shares stands.
    from: i64,
    limit: usize,
}

impl Look {
    /// Rows that wait; where none do and no other share stands before them, the last item that there is.
    async fn take(&self, tx: &Tx<'_>) -> Result<(Vec<Waiting>, Option<i64>)> {
        let schemas = tx.session()?.schemas;
        let (all, of) = (schemas.shards(), schemas.slots());
        let mut steps = vec![Step::Say(AT_ONCE), Step::Ask((LAST, 0), vec![])];
        steps.extend((0..all).map(|shard| Step::Ask((BARRIER, shard), vec![&self.slots, &of])));
        steps.extend((0..all).map(|shard| Step::Ask((BARRIER_BACK, shard), vec![&self.slots, &of])));
        for shard in &self.shards {
            steps.push(Step::Ask((FIRST, *shard), vec![&self.slots, &self.from]));
            steps.push(Step::Ask((FIRST_AFTER, *shard), vec![&self.slots]));
        }
        let mut said = tx.send(steps).await.map_err(database)?.into_iter().skip(1);
        let last = least(None, said.next())?;
        let (mut barrier, mut first, mut after, mut queued) = (None, None, None, Vec::new());
        for said in said.by_ref().take(2 * all) {
            barrier = least(barrier, Some(said))?;
        }
        for shard in &self.shards {
            first = least(first, said.next())?;
            if let Some(said) = said.next().filter(|said| said.count() > 0) {
                after = least(after, Some(said))?;
                queued.push(*shard);
            }
        }

        let barrier = barrier.unwrap_or(FACTS);
        let first = first.filter(|first| *first <= barrier);
        let until = first.map_or(i64::MAX, |first| first - 1).min(barrier);
        let mut rows = Vec::new();
        if !queued.is_empty() {
            rows = self.queue(tx, &queued, until).await?;
        }
        if let Some(first) = first.filter(|_| rows.is_empty()) {
            let until = (barrier - 1).min(after.unwrap_or(i64::MAX));
            rows = self.inbox(tx, first, until).await?;
        }
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
        Ok((rows, last.filter(|_| barrier == FACTS && queued.is_empty())))
    }

    async fn queue(&self, tx: &Tx<'_>, shards: &[usize], until: i64) -> Result<Vec<Waiting>> {
        let at_most = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let values = || -> Values<'_> { vec![&self.slots, &until, &at_most] };
        let steps = shards.iter().map(|shard| Step::Ask((QUEUE, *shard), values())).collect();
        let said = tx.send(steps).await.map_err(database)?;
        let rows = said.into_iter().flat_map(Said::rows).map(|row| queue_row(&row));
        let mut rows: Vec<Waiting> = rows.collect::<Result<_>>()?;
        rows.sort_unstable_by_key(|row| (row.root, row.clock, row.time, row.id));
        rows.truncate(self.limit);
        Ok(rows)
    }

    /// Items from the first on. Each shard gives little more than its part of the limit; so what all gave ends where the
    /// first of them may have more.
    async fn inbox(&self, tx: &Tx<'_>, first: i64, until: i64) -> Result<Vec<Waiting>> {
        let part = match self.shards.len() {
            1 => self.limit,
            shards => (self.limit / shards * 5 / 4 + 16).min(self.limit),
        };
        let at_most = i64::try_from(part).unwrap_or(i64::MAX);
        let values = || -> Values<'_> { vec![&self.slots, &first, &until, &at_most] };
        let steps = self.shards.iter().map(|shard| Step::Ask((INBOX, *shard), values())).collect();
        let said = tx.send(steps).await.map_err(database)?;
        let (mut rows, mut end) = (Vec::new(), i64::MAX);
        for said in said {
            let found: Vec<Waiting> = said.rows().iter().map(waiting_row).collect::<Result<_>>()?;
            if let Some(last) = found.last().filter(|_| found.len() == part) {
                end = end.min(last.seq);
            }
            rows.extend(found);
        }
        rows.retain(|row: &Waiting| row.seq <= end);
        rows.sort_unstable_by_key(|row| row.seq);
        rows.truncate(self.limit);
        Ok(rows)
    }
}

/// What comes first of all that waits in these shares or that others have still to decide and that may reach them.
pub(crate) async fn ahead(connections: &Connections, turn: &Turn) -> Result<Option<Ahead>> {
    let tx = connections.session().await?.transaction();
    let found = ahead_in(&tx, &turn.slots().collect()).await;
    tx.end(found).await
}

async fn ahead_in(tx: &Tx<'_>, slots: &Vec<i32>) -> Result<Option<Ahead>> {
    let (from, until, one) = (i64::MIN, i64::MAX, 1i64);
    let schemas = tx.session()?.schemas;
    let of = schemas.slots();
    let mut steps = vec![Step::Say(AT_ONCE)];
    for shard in 0..schemas.shards() {
        steps.push(Step::Ask((BARRIER, shard), vec![slots, &of]));
        steps.push(Step::Ask((BARRIER_BACK, shard), vec![slots, &of]));
        steps.push(Step::Ask((FIRST, shard), vec![slots, &from]));
        steps.push(Step::Ask((QUEUE, shard), vec![slots, &until, &one]));
    }
    steps.push(Step::Say("COMMIT"));
    let said = tx.send(steps).await.map_err(database)?;
    let mut first: Option<(i64, Ahead)> = None;
    for row in said.into_iter().flat_map(Said::rows) {
        let (place, ahead) = if row.len() == 3 {
            (get(&row, 0)?, Ahead { clock: Ts(get(&row, 1)?), replay: get(&row, 2)? })
        } else {
            let row = queue_row(&row)?;
            (row.root, Ahead { clock: row.clock, replay: row.replay })
        };
        if first.is_none_or(|(known, _)| place < known) {
            first = Some((place, ahead));
        }
    }
    Ok(first.map(|(_, ahead)| ahead))
}

/// The lesser of what was known and what one more look found.
fn least(known: Option<i64>, said: Option<Said>) -> Result<Option<i64>> {
    let found = said.map_or_else(Vec::new, Said::rows);
    let found: Option<i64> = found.first().map(|row| get(row, 0)).transpose()?;
    Ok(known.into_iter().chain(found).min())
}

/// An item, as it stands in the inbox.
fn waiting_row(row: &Row) -> Result<Waiting> {
    let seq = get(row, 0)?;
    Ok(Waiting {
        seq,
        id: id(row, 1)?,
        source: get(row, 2)?,
        user_namespace: get(row, 3)?,
        message_id: get(row, 4)?,
        time: Ts(get(row, 5)?),
        clock: Ts(get(row, 6)?),
        body: Sealed(get(row, 7)?),
        derived: false,
        replay: get(row, 8)?,
        member: Some(id(row, 9)?),
        reaches: id_or_none(row, 10)?,
        root: seq,
    })
}

/// What waits beside the cursor: after which row, and, if it was put back, since when.
fn queue_row(row: &Row) -> Result<Waiting> {
    let item = waiting_row(row)?;
    let root = get(row, 11)?;
    let put_back: Option<i64> = get(row, 12)?;
    let replay = item.replay && put_back.is_none();
    Ok(Waiting { derived: true, root, replay, clock: put_back.map_or(item.clock, Ts), ..item })
}

/// Whether anything waits in any share.
pub(crate) async fn any_waiting(connections: &Connections) -> Result<bool> {
    let tx = connections.session().await?.transaction();
    let found = any_in(&tx).await;
    tx.end(found).await
}

async fn any_in(tx: &Tx<'_>) -> Result<bool> {
    let schemas = tx.session()?.schemas;
    let (slots, from): (Vec<i32>, i64) = ((0..schemas.slots()).collect(), i64::MIN);
    let mut steps = vec![Step::Say(AT_ONCE)];
    for shard in 0..schemas.shards() {
        steps.push(Step::Ask((QUEUED, shard), vec![&slots]));
        steps.push(Step::Ask((FIRST, shard), vec![&slots, &from]));
    }
    steps.push(Step::Say("COMMIT"));
    let said = tx.send(steps).await.map_err(database)?;
    Ok(said.iter().any(|said| said.count() > 0))
}

/// Shares by the shard they lie in.
fn slots_by_shard(session: &Session<'_>, turn: &Turn) -> Vec<(usize, Vec<i32>)> {
    let in_shard =
        |shard| turn.slots().filter(|slot| session.schemas.shard_of_slot(*slot) == shard).collect();
    let all = (0..session.schemas.shards()).map(|shard| (shard, in_shard(shard)));
    all.filter(|(_, slots): &(usize, Vec<i32>)| !slots.is_empty()).collect()
}

/// Members to be woken at or before an instant, the earliest first, then by id.
pub(crate) async fn due(
    connections: &Connections,
    turn: &Turn,
    until: Ts,
    limit: usize,
) -> Result<Vec<MemberId>> {
    let session = connections.session().await?;
    let slots = slots_by_shard(&session, turn);
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let asks = slots.iter().map(|(shard, slots)| {
        let given: Values<'_> = vec![slots, &until.0, &at_most];
        ((DUE, *shard), given)
    });
    let found = session.ask(asks.collect()).await?;
    let due = found.iter().flatten().map(|row| Ok((get::<i64>(row, 1)?, id(row, 0)?)));
    let mut due: Vec<(i64, MemberId)> = due.collect::<Result<_>>()?;
    due.sort_unstable();
    due.truncate(limit);
    Ok(due.into_iter().map(|(_, member)| member).collect())
}

/// When the next member is to be woken.
pub(crate) async fn next_wake(connections: &Connections, turn: &Turn) -> Result<Option<Ts>> {
    let session = connections.session().await?;
    let slots = slots_by_shard(&session, turn);
    let asks = slots.iter().map(|(shard, slots)| ((NEXT_WAKE, *shard), vec![slots as _]));
    let found = session.ask(asks.collect()).await?;
    let mut next = None;
    for row in found.iter().flatten() {
        next = next.into_iter().chain(get::<Option<i64>>(row, 0)?).min();
    }
    Ok(next.map(Ts))
}

/// Members who were last decided for under an older version, from an id on.
pub(crate) async fn members_behind(
    connections: &Connections,
    of: Option<&Turn>,
    version: i64,
    after: Option<MemberId>,
    limit: usize,
) -> Result<Vec<MemberId>> {
    let session = connections.session().await?;
    let slots: Option<Vec<i32>> = of.map(|turn| turn.slots().collect());
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.map(Uuid::from);
    let asks = (0..session.schemas.shards()).map(|shard| {
        let mut values: Values<'_> = vec![&slots, &version, &at_most];
        match &after {
            Some(after) => {
                values.push(after);
                ((BEHIND, shard), values)
            }
            None => ((BEHIND_FIRST, shard), values),
        }
    });
    let found = session.ask(asks.collect()).await?;
    let mut ids: Vec<MemberId> = found.iter().flatten().map(|row| id(row, 0)).collect::<Result<_>>()?;
    ids.sort_unstable();
    ids.truncate(limit);
    Ok(ids)
}
