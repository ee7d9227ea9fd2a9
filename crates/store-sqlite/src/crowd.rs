//! Members with all that happened to them, many at once: three statements a part, in one snapshot.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::{AS_ORDERS, Course, CourseStep, Crowd, OrderThen, Refused, Whole};
use zhiyin_store::feed::{Horizon, Position};
use zhiyin_store::seal::personal::subjects;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, archive};

use crate::SqliteStore;
use crate::lists;
use crate::load::{self, past_event, past_event_from};
use crate::rows::{self, all, database, id};
use crate::webhooks::FEED_UNREAD;
use crate::write::{prepare, run};

pub(crate) const IDS: &str = "SELECT id FROM member WHERE id > ? ORDER BY id LIMIT ?";
/// Members whose ids are listed, as a JSON list of hexadecimal digits.
macro_rules! listed {
    () => {
        "json_each(?1) k CROSS JOIN member m ON m.id = unhex(k.value)"
    };
}
/// The events of their timelines: a common table that the statements below join.
macro_rules! timelines {
    () => {
        concat!(
            "WITH RECURSIVE t (member, seq, before) AS (SELECT m.id, l.seq, l.before FROM ",
            listed!(),
            " CROSS JOIN timeline l ON l.seq = m.last_event \
             UNION ALL SELECT t.member, l.seq, l.before FROM t CROSS JOIN timeline l ON l.seq = t.before) "
        )
    };
}
pub(crate) const MEMBERS: &str = concat!(
    "SELECT m.known_since, m.enrolled_at, m.decided_until, m.wake, m.tier, m.term_from, m.term_ends, m.stage, \
     m.stage_since, m.accounts, m.timers, m.tags, m.touches, m.told_at, m.attributes, m.fingerprint, m.growth_days, \
     m.leaves, m.personal, m.audiences, m.holdings, m.runs, m.id FROM ",
    listed!()
);
pub(crate) const ORDERS: &str = concat!(
    timelines!(),
    "SELECT o.id, o.member, o.time, o.store, o.channel, o.paid, o.refunded, o.status, \
     e.id, o.terms, e.id, s.user_namespace, e.time, e.name, e.body, e.seq FROM t CROSS JOIN orders o ON o.no = t.seq \
     CROSS JOIN event e ON e.seq = o.event CROSS JOIN source s ON s.no = e.source WHERE o.member = t.member"
);
pub(crate) const EVENTS: &str = concat!(
    timelines!(),
    "SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq, t.member FROM t CROSS JOIN event e ON e.seq = t.seq \
     CROSS JOIN source s ON s.no = e.source WHERE e.derived < 2 AND e.name <> ?2 AND e.name <> ?3"
);
/// The events of timelines, numbered from the latest decided backwards.
pub(crate) const COURSE: &str = concat!(
    "WITH RECURSIVE t (member, seq, before, n) AS (SELECT m.id, l.seq, l.before, 0 FROM ",
    listed!(),
    " CROSS JOIN timeline l ON l.seq = m.last_event \
     UNION ALL SELECT t.member, l.seq, l.before, t.n + 1 FROM t CROSS JOIN timeline l ON l.seq = t.before) \
     SELECT e.id, s.user_namespace, e.time, e.name, e.body, e.seq, t.member, s.name, e.clock, t.n FROM t \
     CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source WHERE e.derived < 2"
);
pub(crate) const REFUSED: &str = "SELECT e.member, d.seq, e.name, e.time, e.clock FROM dead_letter d \
    CROSS JOIN event e ON e.seq = d.seq WHERE e.derived = 0 AND e.member IS NOT NULL \
    AND d.code NOT IN ('erased', 'decision_broke') ORDER BY d.seq LIMIT ?";
pub(crate) const ORDERS_THEN: &str = "SELECT c.order_id, c.paid, c.refunded, c.counts FROM \
    (SELECT order_id, MIN(at) AS first FROM order_change GROUP BY order_id HAVING MIN(at) <= ?1 AND MAX(at) > ?1) x \
    CROSS JOIN order_change c ON c.order_id = x.order_id \
    AND c.at = (SELECT MAX(at) FROM order_change WHERE order_id = x.order_id AND at <= ?1)";
pub(crate) const UNFOLLOW: &str = "DELETE FROM consumer WHERE name = ?";

fn digits(members: &[MemberId]) -> String {
    let quoted: Vec<String> = members.iter().map(|member| format!("\"{member}\"")).collect();
    format!("[{}]", quoted.join(","))
}

fn read_members(c: &Connection, vault: &Vault, list: &str) -> Result<Vec<Member>> {
    if vault.is_sealed() {
        let sealed = all(c, MEMBERS, [list], |row| row.get::<_, Vec<u8>>(14))?;
        vault.warm(subjects(sealed.iter().map(Vec::as_slice)))?;
    }
    all(c, MEMBERS, [list], |row| Ok(load::stored(id(row, 22)?, row, vault)?.member))
}

fn these(c: &Connection, vault: &Vault, members: &[MemberId]) -> Result<BTreeMap<MemberId, Whole>> {
    let list = digits(members);
    let whole = |member| Whole { member, orders: Vec::new(), events: Vec::new(), lists: Vec::new() };
    let found = read_members(c, vault, &list)?.into_iter().map(|member| (member.id, whole(member)));
    let mut found: BTreeMap<MemberId, Whole> = found.collect();
    for (order, lines) in all(c, ORDERS, [&list], |row| Ok((rows::order(row)?, past_event_from(row, 10)?)))? {
        if let Some(whole) = found.get_mut(&order.member) {
            whole.orders.push((order, lines));
        }
    }
    for (member, list) in all(c, lists::OF, [&list], |row| Ok((id(row, 0)?, row.get(1)?)))? {
        if let Some(whole) = found.get_mut(&member) {
            whole.lists.push(list);
            whole.lists.sort();
        }
    }
    let [completed, updated] = AS_ORDERS;
    let given = params![list, completed, updated];
    for (member, event) in all(c, EVENTS, given, |row| Ok((id(row, 6)?, past_event(row)?)))? {
        if let Some(whole) = found.get_mut(&member) {
            whole.events.push(event);
        }
    }
    Ok(found)
}

fn courses(c: &Connection, vault: &Vault, members: &[MemberId]) -> Result<Vec<Course>> {
    let list = digits(members);
    let mut found: BTreeMap<MemberId, (Course, Vec<(i64, CourseStep)>)> = read_members(c, vault, &list)?
        .into_iter()
        .map(|member| (member.id, (Course { member, steps: Vec::new() }, Vec::new())))
        .collect();
    let rows = all(c, COURSE, [&list], |row| {
        let step = CourseStep { event: past_event(row)?, source: row.get(7)?, clock: Ts(row.get(8)?) };
        Ok((id(row, 6)?, row.get::<_, i64>(9)?, step))
    })?;
    for (member, n, step) in rows {
        if let Some((_, steps)) = found.get_mut(&member) {
            steps.push((n, step));
        }
    }
    let whole = found.into_values().map(|(mut course, mut steps)| {
        steps.sort_unstable_by_key(|(n, _)| std::cmp::Reverse(*n));
        course.steps = steps.into_iter().map(|(_, step)| step).collect();
        course
    });
    Ok(whole.collect())
}

impl SqliteStore {
    /// Bodies where they were moved to, then opened.
    fn opened(&self, found: BTreeMap<MemberId, Whole>) -> Result<Vec<Whole>> {
        let mut found: Vec<Whole> = found.into_values().collect();
        archive::fill(&self.archive(), found.iter_mut().flat_map(Whole::past_mut))?;
        let vault = self.vault();
        vault.warm(subjects(found.iter().flat_map(Whole::past).map(|event| event.body.0.as_slice())))?;
        vault.open_past(found.iter_mut().flat_map(Whole::past_mut))?;
        Ok(found)
    }
}

#[async_trait]
impl Crowd for SqliteStore {
    async fn after(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Whole>> {
        let vault = self.vault();
        let after = after.map_or_else(Vec::new, |id| id.bytes().to_vec());
        let found = self
            .connections
            .read(move |c| {
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                let members: Vec<MemberId> = all(c, IDS, params![after, most], |row| id(row, 0))?;
                these(c, &vault, &members)
            })
            .await?;
        self.opened(found)
    }

    async fn these(&self, members: Vec<MemberId>) -> Result<Vec<Whole>> {
        let vault = self.vault();
        let found = self.connections.read(move |c| these(c, &vault, &members)).await?;
        self.opened(found)
    }

    async fn courses(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Course>> {
        let vault = self.vault();
        let after = after.map_or_else(Vec::new, |id| id.bytes().to_vec());
        let mut found = self
            .connections
            .read(move |c| {
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                let members: Vec<MemberId> = all(c, IDS, params![after, most], |row| id(row, 0))?;
                courses(c, &vault, &members)
            })
            .await?;
        let past = found.iter_mut().flat_map(|course| &mut course.steps).map(|step| &mut step.event);
        archive::fill(&self.archive(), past)?;
        let vault = self.vault();
        let past = found.iter().flat_map(|course| &course.steps).map(|step| step.event.body.0.as_slice());
        vault.warm(subjects(past))?;
        vault.open_past(found.iter_mut().flat_map(|course| &mut course.steps).map(|step| &mut step.event))?;
        Ok(found)
    }

    async fn refused(&self, limit: usize) -> Result<Vec<Refused>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &rusqlite::Row<'_>| {
            let (time, clock) = (Ts(row.get(3)?), Ts(row.get(4)?));
            Ok(Refused { member: id(row, 0)?, seq: row.get(1)?, name: row.get(2)?, time, clock })
        };
        self.connections.read(move |c| all(c, REFUSED, [most], read)).await
    }

    async fn orders_then(&self, at: Ts) -> Result<Vec<OrderThen>> {
        self.connections
            .read(move |c| {
                all(c, ORDERS_THEN, [at.0], |row| {
                    let (paid, refunded) = (Money(row.get(1)?), Money(row.get(2)?));
                    Ok(OrderThen { order: id(row, 0)?, paid, refunded, counts: row.get(3)? })
                })
            })
            .await
    }

    async fn followed(&self, consumer: &str) -> Result<Option<Position>> {
        let consumer = consumer.to_owned();
        let found = self.connections.read(move |c| {
            prepare(c, crate::feed::CONSUMER)?
                .query_row([&consumer], |row| row.get(0))
                .optional()
                .map_err(database)
        });
        Ok(found.await?.map(|no| Position { tx: 0, no }))
    }

    async fn followers(&self) -> Result<Vec<(String, Position)>> {
        self.connections
            .read(|c| {
                all(c, crate::feed::CONSUMERS, [], |row| {
                    Ok((row.get(0)?, Position { tx: 0, no: row.get(1)? }))
                })
            })
            .await
    }

    async fn feed_end(&self) -> Result<Position> {
        let no = self
            .connections
            .read(|c| prepare(c, crate::feed::FEED_END)?.query_row([], |row| row.get(0)).map_err(database));
        Ok(Position { tx: 0, no: no.await? })
    }

    /// One writes at a time: nothing is ever held back.
    async fn feed_horizon(&self) -> Result<Horizon> {
        Ok(Horizon::default())
    }

    async fn unfollow(&self, consumer: &str) -> Result<()> {
        let consumer = consumer.to_owned();
        self.connections
            .write(move |c| {
                run(&mut prepare(c, UNFOLLOW)?, [&consumer])?;
                run(&mut prepare(c, crate::feed::FEED_GONE)?, [])?;
                run(&mut prepare(c, FEED_UNREAD)?, []).map(drop)
            })
            .await
    }
}
