//! Members with all that happened to them, many at once: three statements a part and a shard, sent together. Each sees a
//! snapshot of its own; who changed in between stands in the feed, and is read again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::{AS_ORDERS, Course, CourseStep, Crowd, OrderThen, Refused, Whole};
use zhiyin_store::feed::{Horizon, Position};
use zhiyin_store::seal::personal::subjects;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{PastEvent, Result, StoreError, archive};

use crate::PgStore;
use crate::connection::{Of, Step, Values};
use crate::feed::{CONSUMER, CONSUMERS, CONSUMERS_ALONE, FEED_END, FEED_GONE, FEED_UNREAD};
use crate::lists;
use crate::load::{self, event_columns, order_columns};
use crate::reading::MEMBERS;
use crate::rows::{Uuid, database, get, id};

pub(crate) const IDS: &str =
    "SELECT id FROM {shard}.member WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2";
/// The events of the timelines of listed members: a common table that the statements below join.
macro_rules! timelines {
    () => {
        "WITH RECURSIVE t (member, seq, before) AS (SELECT m.id, l.seq, l.before FROM {shard}.member m \
         JOIN {shard}.timeline l ON l.seq = m.last_event WHERE m.id = ANY($1) \
         UNION ALL SELECT t.member, l.seq, l.before FROM t JOIN {shard}.timeline l ON l.seq = t.before) "
    };
}
pub(crate) const ORDERS: &str = concat!(
    timelines!(),
    "SELECT ",
    order_columns!(),
    ", ",
    event_columns!(),
    " FROM t JOIN {shard}.orders o ON o.no = t.seq JOIN {events} e ON e.seq = o.event \
     JOIN {home}.source s ON s.no = e.source WHERE o.member = t.member"
);
pub(crate) const EVENTS: &str = concat!(
    timelines!(),
    "SELECT ",
    event_columns!(),
    ", t.member FROM t JOIN {events} e ON e.seq = t.seq JOIN {home}.source s ON s.no = e.source \
     WHERE e.derived < 2 AND e.name <> $2 AND e.name <> $3"
);
/// The events of timelines, numbered from the latest decided backwards.
pub(crate) const COURSE: &str = concat!(
    "WITH RECURSIVE t (member, seq, before, n) AS (SELECT m.id, l.seq, l.before, 0::int8 FROM {shard}.member m \
     JOIN {shard}.timeline l ON l.seq = m.last_event WHERE m.id = ANY($1) \
     UNION ALL SELECT t.member, l.seq, l.before, t.n + 1 FROM t JOIN {shard}.timeline l ON l.seq = t.before) SELECT ",
    event_columns!(),
    ", t.member, s.name, e.clock, t.n FROM t JOIN {events} e ON e.seq = t.seq \
     JOIN {home}.source s ON s.no = e.source WHERE e.derived < 2"
);
pub(crate) const REFUSED: &str = "SELECT e.member, d.seq, e.name, e.time, e.clock FROM {shard}.dead_letter d \
    JOIN {shard}.event e ON e.seq = d.seq WHERE e.derived = 0 AND e.member IS NOT NULL \
    AND d.code NOT IN ('erased', 'decision_broke') ORDER BY d.seq LIMIT $1";
pub(crate) const ORDERS_THEN: &str = "SELECT DISTINCT ON (c.order_id) c.order_id, c.paid, c.refunded, c.counts \
    FROM {shard}.order_change c WHERE c.at <= $1 \
    AND c.order_id IN (SELECT x.order_id FROM {shard}.order_change x WHERE x.at > $1) ORDER BY c.order_id, c.at DESC";
pub(crate) const HORIZON: &str = "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint \
    FROM pg_current_snapshot() s";
pub(crate) const UNFOLLOW: &str = "DELETE FROM {home}.consumer WHERE name = $1";

/// What statements said of some members, still sealed.
struct Found {
    members: Vec<Row>,
    orders: Vec<Row>,
    events: Vec<Row>,
    lists: Vec<Row>,
}

impl PgStore {
    async fn found(&self, members: Vec<MemberId>) -> Result<Found> {
        let session = self.connections.session().await?;
        let mut by_shard: Vec<Vec<Uuid>> = vec![Vec::new(); session.schemas.shards()];
        for member in members {
            by_shard[session.schemas.shard_of(member)].push(member.into());
        }
        let [completed, updated] = AS_ORDERS;
        let all: Vec<Uuid> = by_shard.iter().flatten().copied().collect();
        let mut asks: Vec<(Of, Values<'_>)> = Vec::new();
        for (shard, ids) in by_shard.iter().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            asks.push(((MEMBERS, shard), vec![ids]));
            asks.push(((ORDERS, shard), vec![ids]));
            asks.push(((EVENTS, shard), vec![ids, &completed, &updated]));
        }
        asks.push(((lists::OF, 0), vec![&all]));
        let mut said = session.ask(asks).await?;
        let lists = said.pop().unwrap_or_default();
        let mut said = said.into_iter();
        let mut found = Found { members: Vec::new(), orders: Vec::new(), events: Vec::new(), lists };
        while let (Some(members), Some(orders), Some(events)) = (said.next(), said.next(), said.next()) {
            found.members.extend(members);
            found.orders.extend(orders);
            found.events.extend(events);
        }
        Ok(found)
    }

    async fn wholes(&self, members: Vec<MemberId>) -> Result<Vec<Whole>> {
        let (found, archive) = (self.found(members).await?, self.archive());
        self.vault().aside(move |vault| read(&found, vault, &archive)).await
    }
}

fn read_courses(
    found: &[(Vec<Row>, Vec<Row>)],
    vault: &Vault,
    archive: &std::path::Path,
) -> Result<Vec<Course>> {
    let members = || found.iter().flat_map(|(members, _)| members);
    let sealed = members().map(|row| get::<&[u8]>(row, 15)).collect::<Result<Vec<_>>>()?;
    vault.warm(subjects(sealed.into_iter()))?;
    let mut read: BTreeMap<MemberId, (Course, Vec<(i64, CourseStep)>)> = BTreeMap::new();
    for row in members() {
        let member = load::stored(row, vault)?.member;
        read.insert(member.id, (Course { member, steps: Vec::new() }, Vec::new()));
    }
    for row in found.iter().flat_map(|(_, steps)| steps) {
        if let Some((_, steps)) = read.get_mut(&id(row, 6)?) {
            let event = load::past_event(row, 0)?;
            steps.push((get(row, 9)?, CourseStep { event, source: get(row, 7)?, clock: Ts(get(row, 8)?) }));
        }
    }
    let whole = read.into_values().map(|(mut course, mut steps)| {
        steps.sort_unstable_by_key(|(n, _)| std::cmp::Reverse(*n));
        course.steps = steps.into_iter().map(|(_, step)| step).collect();
        course
    });
    let mut courses: Vec<Course> = whole.collect();
    let past = courses.iter_mut().flat_map(|course| &mut course.steps).map(|step| &mut step.event);
    archive::fill(archive, past)?;
    let bodies = courses.iter().flat_map(|course| &course.steps).map(|step| step.event.body.0.as_slice());
    vault.warm(subjects(bodies))?;
    vault.open_past(courses.iter_mut().flat_map(|course| &mut course.steps).map(|step| &mut step.event))?;
    Ok(courses)
}

fn read(found: &Found, vault: &Vault, archive: &std::path::Path) -> Result<Vec<Whole>> {
    let sealed = found.members.iter().map(|row| get::<&[u8]>(row, 15)).collect::<Result<Vec<_>>>()?;
    vault.warm(subjects(sealed.into_iter()))?;
    let mut wholes: BTreeMap<MemberId, Whole> = BTreeMap::new();
    for row in &found.members {
        let member = load::stored(row, vault)?.member;
        wholes.insert(member.id, Whole { member, orders: Vec::new(), events: Vec::new(), lists: Vec::new() });
    }
    for row in &found.lists {
        if let Some(whole) = wholes.get_mut(&id(row, 0)?) {
            whole.lists.push(get(row, 1)?);
            whole.lists.sort();
        }
    }
    for row in &found.orders {
        let order = load::order(row, 0)?;
        if let Some(whole) = wholes.get_mut(&order.member) {
            whole.orders.push((order, load::past_event(row, 10)?));
        }
    }
    for row in &found.events {
        if let Some(whole) = wholes.get_mut(&id(row, 6)?) {
            whole.events.push(load::past_event(row, 0)?);
        }
    }
    let mut wholes: Vec<Whole> = wholes.into_values().collect();
    archive::fill(archive, wholes.iter_mut().flat_map(Whole::past_mut))?;
    vault.warm(subjects(
        wholes.iter().flat_map(Whole::past).map(|event: &PastEvent| event.body.0.as_slice()),
    ))?;
    vault.open_past(wholes.iter_mut().flat_map(Whole::past_mut))?;
    Ok(wholes)
}

impl PgStore {
    /// Who comes after one, in the order of ids.
    async fn ids_after(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<MemberId>> {
        let (after, most) = (after.map(Uuid::from), i64::try_from(limit).unwrap_or(i64::MAX));
        let session = self.connections.session().await?;
        let shards = 0..session.schemas.shards();
        let asks = shards.map(|shard| ((IDS, shard), vec![&after as _, &most as _])).collect();
        let rows = session.ask(asks).await?;
        drop(session);
        let mut members = rows.iter().flatten().map(|row| id(row, 0)).collect::<Result<Vec<MemberId>>>()?;
        members.sort_unstable();
        members.truncate(limit);
        Ok(members)
    }
}

#[async_trait]
impl Crowd for PgStore {
    async fn after(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Whole>> {
        let members = self.ids_after(after, limit).await?;
        self.wholes(members).await
    }

    async fn courses(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Course>> {
        let members = self.ids_after(after, limit).await?;
        let session = self.connections.session().await?;
        let mut by_shard: Vec<Vec<Uuid>> = vec![Vec::new(); session.schemas.shards()];
        for member in members {
            by_shard[session.schemas.shard_of(member)].push(member.into());
        }
        let mut asks: Vec<(Of, Values<'_>)> = Vec::new();
        for (shard, ids) in by_shard.iter().enumerate().filter(|(_, ids)| !ids.is_empty()) {
            asks.push(((MEMBERS, shard), vec![ids]));
            asks.push(((COURSE, shard), vec![ids]));
        }
        let mut said = session.ask(asks).await?.into_iter();
        drop(session);
        let mut found = Vec::new();
        while let (Some(members), Some(steps)) = (said.next(), said.next()) {
            found.push((members, steps));
        }
        let archive = self.archive();
        self.vault().aside(move |vault| read_courses(&found, vault, &archive)).await
    }

    async fn refused(&self, limit: usize) -> Result<Vec<Refused>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let session = self.connections.session().await?;
        let asks = (0..session.schemas.shards()).map(|shard| ((REFUSED, shard), vec![&most as _]));
        let rows = session.ask(asks.collect()).await?;
        let read = |row: &Row| {
            let (time, clock) = (Ts(get(row, 3)?), Ts(get(row, 4)?));
            Ok(Refused { member: id(row, 0)?, seq: get(row, 1)?, name: get(row, 2)?, time, clock })
        };
        let mut refused = rows.iter().flatten().map(read).collect::<Result<Vec<_>>>()?;
        refused.sort_unstable_by_key(|refused| refused.seq);
        refused.truncate(limit);
        Ok(refused)
    }

    async fn these(&self, members: Vec<MemberId>) -> Result<Vec<Whole>> {
        self.wholes(members).await
    }

    async fn orders_then(&self, at: Ts) -> Result<Vec<OrderThen>> {
        let session = self.connections.session().await?;
        let asks =
            (0..session.schemas.shards()).map(|shard| ((ORDERS_THEN, shard), vec![&at.0 as _])).collect();
        let rows = session.ask(asks).await?;
        let then = |row: &Row| {
            let (paid, refunded) = (Money(get(row, 1)?), Money(get(row, 2)?));
            Ok(OrderThen { order: id(row, 0)?, paid, refunded, counts: get(row, 3)? })
        };
        rows.iter().flatten().map(then).collect()
    }

    async fn followed(&self, consumer: &str) -> Result<Option<Position>> {
        let row = self.connections.session().await?.row((CONSUMER, 0), &[&consumer]).await?;
        row.map(|row| Ok(Position { tx: get(&row, 0)?, no: get(&row, 1)? })).transpose()
    }

    async fn followers(&self) -> Result<Vec<(String, Position)>> {
        let rows = self.connections.session().await?.rows((CONSUMERS, 0), &[]).await?;
        rows.iter().map(|row| Ok((get(row, 0)?, Position { tx: get(row, 1)?, no: get(row, 2)? }))).collect()
    }

    async fn feed_end(&self) -> Result<Position> {
        let row = self.connections.session().await?.row((FEED_END, 0), &[]).await?;
        let row = row.ok_or_else(|| StoreError::Damaged("a snapshot that is none".to_owned()))?;
        Ok(Position { tx: get(&row, 0)?, no: i64::MAX })
    }

    async fn feed_horizon(&self) -> Result<Horizon> {
        let session = self.connections.session().await?;
        let rows = session.rows((HORIZON, 0), &[]).await?;
        let row = rows.first().ok_or_else(|| StoreError::Damaged("a snapshot that is none".to_owned()))?;
        Ok(Horizon { running: get(row, 0)?, next: get(row, 1)? })
    }

    async fn unfollow(&self, consumer: &str) -> Result<()> {
        let tx = self.connections.session().await?.transaction();
        let steps = vec![
            Step::Say("BEGIN"),
            Step::Run((CONSUMERS_ALONE, 0), vec![]),
            Step::Run((UNFOLLOW, 0), vec![&consumer]),
            Step::Run((FEED_GONE, 0), vec![]),
            Step::Run((FEED_UNREAD, 0), vec![]),
            Step::Say("COMMIT"),
        ];
        let gone = tx.send(steps).await.map(drop).map_err(database);
        tx.end(gone).await
    }
}
