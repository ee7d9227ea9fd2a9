//! Members with all that happened to them, many at once: three statements a part, in one snapshot.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::time::Ts;
use zhiyin_store::crowd::{AS_ORDERS, Crowd, OrderThen, Whole};
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
     m.leaves, m.personal, m.audiences, m.id FROM ",
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
pub(crate) const ORDERS_THEN: &str = "SELECT c.order_id, c.paid, c.refunded, c.counts FROM \
    (SELECT order_id, MIN(at) AS first FROM order_change GROUP BY order_id HAVING MIN(at) <= ?1 AND MAX(at) > ?1) x \
    CROSS JOIN order_change c ON c.order_id = x.order_id \
    AND c.at = (SELECT MAX(at) FROM order_change WHERE order_id = x.order_id AND at <= ?1)";
pub(crate) const UNFOLLOW: &str = "DELETE FROM consumer WHERE name = ?";

fn digits(members: &[MemberId]) -> String {
    let quoted: Vec<String> = members.iter().map(|member| format!("\"{member}\"")).collect();
    format!("[{}]", quoted.join(","))
}

fn these(c: &Connection, vault: &Vault, members: &[MemberId]) -> Result<BTreeMap<MemberId, Whole>> {
    let list = digits(members);
    if vault.is_sealed() {
        let sealed = all(c, MEMBERS, [&list], |row| row.get::<_, Vec<u8>>(14))?;
        vault.warm(subjects(sealed.iter().map(Vec::as_slice)))?;
    }
    let found = all(c, MEMBERS, [&list], |row| {
        let member = load::stored(id(row, 20)?, row, vault)?.member;
        Ok((member.id, Whole { member, orders: Vec::new(), events: Vec::new(), lists: Vec::new() }))
    })?;
    let mut found: BTreeMap<MemberId, Whole> = found.into_iter().collect();
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
