//! Taking what another home said: each row goes to the shard of whom it is about, by COPY. All within the transaction of
//! whoever calls.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Transaction;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use zhiyin_model::id::{MemberId, OrderId};
use zhiyin_store::dump::{In, Rows, Table, Value};
use zhiyin_store::turn::place;
use zhiyin_store::webhooks::CONSUMER;
use zhiyin_store::{OWN_SOURCE, Result, StoreError};

use super::cells::{Cell, Values, column, damaged, first, fits, id_of, int, order_of, sixteen};
use super::values;
use crate::partition;
use crate::rows::{Uuid, database, get, id};
use crate::schemas::Schemas;

/// Whoever fills a home holds it: nothing is accepted meanwhile.
pub(crate) const HOME_HELD: &str = "SELECT one FROM {home}.home FOR UPDATE";
pub(crate) const HOME_USED: &str = "SELECT EXISTS (SELECT 1 FROM {home}.playbook) OR EXISTS (SELECT 1 FROM {home}.import) \
    OR EXISTS (SELECT 1 FROM {home}.api_key) OR EXISTS (SELECT 1 FROM {home}.person) OR EXISTS (SELECT 1 FROM {home}.approval) OR EXISTS (SELECT 1 FROM {home}.audit) \
    OR EXISTS (SELECT 1 FROM {home}.place) OR EXISTS (SELECT 1 FROM {home}.webhook) \
    OR EXISTS (SELECT 1 FROM {home}.pool) OR EXISTS (SELECT 1 FROM {home}.issue) \
    OR EXISTS (SELECT 1 FROM {home}.draw) OR EXISTS (SELECT 1 FROM {home}.code_upload) \
    OR EXISTS (SELECT 1 FROM {home}.till_lease)";
pub(crate) const SHARD_USED: &str = "SELECT EXISTS (SELECT 1 FROM {shard}.event) OR EXISTS (SELECT 1 FROM {shard}.member) OR EXISTS (SELECT 1 FROM {shard}.link) OR EXISTS (SELECT 1 FROM {shard}.arrival) OR EXISTS (SELECT 1 FROM {shard}.reflection)";
pub(crate) const OWN_SOURCE_NO: &str = "SELECT no FROM {home}.source WHERE name = $1";
pub(crate) const SOURCES_GONE: &str = "DELETE FROM {home}.source WHERE name <> $1";
pub(crate) const HOME_SET: &str =
    "UPDATE {home}.home SET id_key = $1, offset_us = $2, live_since = $3, clock = $4, last = $5";
/// Where the home had a last place above all that it named, places go on from there.
pub(crate) const LAST_SET: &str = "UPDATE {home}.home SET last = GREATEST(last, $1)";
/// Whoever held a share looks anew.
pub(crate) const SHARES_SET: &str =
    "UPDATE {home}.slot SET cursor = (SELECT last FROM {home}.home), batch = batch + 1";
pub(crate) const EVENT_SHARES: &str = "SELECT seq, slot FROM {shard}.event WHERE seq = ANY($1)";
pub(crate) const ORDER_MEMBERS: &str = "SELECT id, member FROM {shard}.order_place WHERE id = ANY($1)";
/// Items of which nobody said whom they are about.
pub(crate) const UNPLACED: &str = "DELETE FROM {shard}.event WHERE seq = ANY($1) AND member = id \
    RETURNING seq, id, source, message_id, name, time, clock, derived, replay, body, reached, called";
/// Items that wait, of which nobody said whom they are about.
pub(crate) const UNPLACED_WAIT: &str = "SELECT EXISTS (SELECT 1 FROM {shard}.queue q \
    JOIN {shard}.event e ON e.seq = q.seq WHERE e.member = e.id)";
pub(crate) const SOURCE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.source', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.source), false)";
pub(crate) const TRANSFER_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.transfer', 'seq'), \
    (SELECT COALESCE(MAX(seq), 0) + 1 FROM {shard}.transfer), false)";
pub(crate) const ALLOCATION_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.allocation', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.allocation), false)";
pub(crate) const TERM_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.term', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.term), false)";
pub(crate) const STAGE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.stage_move', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.stage_move), false)";
pub(crate) const TAG_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.tag_move', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.tag_move), false)";
pub(crate) const PARTNER_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.partner_move', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.partner_move), false)";
pub(crate) const COUPON_MOVE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.coupon_move', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.coupon_move), false)";
pub(crate) const RUN_MOVE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.run_move', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.run_move), false)";
pub(crate) const ISSUE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.issue', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.issue), false)";
pub(crate) const UPLOAD_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.code_upload', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.code_upload), false)";
pub(crate) const LATE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.book_late', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.book_late), false)";
pub(crate) const COUPON_LATE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{shard}.coupon_late', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {shard}.coupon_late), false)";
pub(crate) const SUGGESTION_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.suggestion', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.suggestion), false)";
pub(crate) const PLACE_HISTORY_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.place_history', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.place_history), false)";
pub(crate) const WEBHOOK_MESSAGE_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.webhook_message', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.webhook_message), false)";
pub(crate) const LIST_NEXT: &str = "SELECT setval(pg_get_serial_sequence('{home}.list', 'no'), \
    (SELECT COALESCE(MAX(no), 0) + 1 FROM {home}.list), false)";
/// Whoever holds a tree in memory reads it anew.
pub(crate) const PLACE_TREE_ON: &str = "UPDATE {home}.place_tree SET version = version + 1";
pub(crate) const FACT_NEXT: &str = "SELECT setval('{home}.fact_no', $1, false)";
/// The planner knows nothing yet of what came in.
pub(crate) const ANALYZED: &str = "ANALYZE {shard}.member, {shard}.identifier, {shard}.event, {shard}.message, \
    {shard}.timeline, {shard}.orders, {shard}.order_place, {shard}.order_change, {shard}.transfer, {shard}.allocation, \
    {shard}.lot, {shard}.hold, {shard}.term, {shard}.stage_move, {shard}.tag_move, {shard}.partner_move, \
    {shard}.found_by, {shard}.coupon, {shard}.coupon_move, {shard}.checkout, {shard}.run_move, {shard}.outbox, \
    {shard}.send, {shard}.link";

const EVENT_COLUMNS: &str =
    "seq, id, source, message_id, name, time, clock, derived, replay, body, reached, called, member, slot";

/// Fills an empty home.
pub(crate) async fn fill(tx: &Transaction<'_>, schemas: &Schemas, mut rows: In) -> Result<()> {
    let mut filling = Filling {
        tx,
        schemas,
        types: BTreeMap::new(),
        months: BTreeSet::new(),
        last: 0,
        fact: 0,
        unplaced: false,
        own: (0, 0),
    };
    filling.begin().await?;
    while let Some(Rows { table, rows }) = rows.recv().await {
        if !rows.iter().all(|row| fits(table, row)) {
            return Err(damaged(table));
        }
        filling.take(table, rows).await?;
    }
    filling.end().await
}

/// A home that is being filled.
struct Filling<'t> {
    tx: &'t Transaction<'t>,
    schemas: &'t Schemas,
    /// Types of the columns of each table, as the database knows them.
    types: BTreeMap<&'static str, Vec<Type>>,
    /// Months that have their tables.
    months: BTreeSet<i64>,
    /// The last place of an item, and of what was said of members.
    last: i64,
    fact: i64,
    /// Whether there are items of which nobody said whom they are about.
    unplaced: bool,
    /// The number of what a home calls itself: where it comes from, and here, where it stays as it is.
    own: (i64, i64),
}

impl Filling<'_> {
    async fn begin(&mut self) -> Result<()> {
        self.tx.query(&self.schemas.sql(HOME_HELD, 0), &[]).await.map_err(database)?;
        let mut used = self.tx.query(&self.schemas.sql(HOME_USED, 0), &[]).await.map_err(database)?;
        for shard in 0..self.schemas.shards() {
            used.extend(self.tx.query(&self.schemas.sql(SHARD_USED, shard), &[]).await.map_err(database)?);
        }
        for row in used {
            if get(&row, 0)? {
                let message = "this home is in use: only an empty one is filled".to_owned();
                return Err(StoreError::Database(message));
            }
        }
        let own =
            self.tx.query_one(&self.schemas.sql(OWN_SOURCE_NO, 0), &[&OWN_SOURCE]).await.map_err(database)?;
        let own = i64::from(get::<i32>(&own, 0)?);
        self.own = (own, own);
        self.run(SOURCES_GONE, 0, &[&OWN_SOURCE]).await
    }

    async fn run(&self, sql: &str, shard: usize, given: &[&(dyn ToSql + Sync)]) -> Result<()> {
        self.tx.execute(&self.schemas.sql(sql, shard), given).await.map(drop).map_err(database)
    }

    async fn take(&mut self, table: &'static Table, mut rows: Vec<Values>) -> Result<()> {
        let schemas = self.schemas;
        let by_member =
            |row: &Values| column(table, row, "member").and_then(id_of).map(|id| schemas.shard_of(id));
        match table.name {
            "home" => self.home(&rows).await,
            "source" => self.sources(table, rows).await,
            "playbook" | "import" | "archive" | "alias" | "apart" | "suggestion" | "api_key" | "person"
            | "approval" | "audit" | "identifier_seen" | "given_up" | "place" | "place_history" | "staff"
            | "webhook" | "webhook_message" | "list" | "listed" | "feed" | "book_line" | "book_coupon"
            | "book_close" | "coupon_terms" | "pool" | "issue" | "issue_part" | "code_upload"
            | "code_part" | "partner_code" | "coupon_code" | "draw" | "draw_part" | "till_lease" => {
                self.put(table, "", rows, |_| Ok(0)).await
            }
            "house_account" => {
                // One row a share: the first bears what there is.
                rows.iter_mut().for_each(|row| row.push(Value::Int(0)));
                self.put(table, "slot", rows, |_| Ok(0)).await
            }
            "member" => {
                for row in &mut rows {
                    let slot = schemas.slot_of(id_of(column(table, row, "id")?)?);
                    row.push(Value::Int(slot.into()));
                }
                let by_id =
                    |row: &Values| column(table, row, "id").and_then(id_of).map(|id| schemas.shard_of(id));
                self.put(table, "slot", rows, by_id).await
            }
            "identifier" => {
                let by_hash =
                    |row: &Values| Ok(schemas.shard_of_hash(&sixteen(column(table, row, "hash")?)?));
                self.put(table, "", rows, by_hash).await
            }
            "coupon" | "coupon_move" | "coupon_late" | "checkout" | "outbox" | "send" | "arrival"
            | "reflection" | "conversation" | "link" => {
                let name = if table.name.starts_with("coupon_") { "coupon" } else { "id" };
                let by_coupon =
                    |row: &Values| Ok(schemas.shard_of_hash(&sixteen(column(table, row, name)?)?));
                self.put(table, "", rows, by_coupon).await
            }
            "event" => self.events(table, rows).await,
            "queue" | "retry" | "dead_letter" => self.beside(table, rows).await,
            "timeline" => {
                if self.unplaced {
                    self.place(table, &rows).await?;
                }
                self.put(table, "", rows, by_member).await
            }
            "orders" => {
                let mut places = Vec::with_capacity(rows.len());
                for row in &rows {
                    let named = ["id", "member", "no"].map(|name| column(table, row, name).cloned());
                    places.push(named.into_iter().collect::<Result<Values>>()?);
                }
                let by_order =
                    |row: &Values| first(row).and_then(order_of).map(|id| schemas.shard_of_order(id));
                self.copies("order_place", "id, member, no", places, by_order).await?;
                self.put(table, "", rows, by_member).await
            }
            "order_change" => self.order_changes(table, rows).await,
            _ => self.put(table, "", rows, by_member).await,
        }
    }

    async fn home(&self, rows: &[Values]) -> Result<()> {
        for row in rows {
            let [Value::Bytes(key), Value::Int(offset), since, Value::Int(clock), Value::Int(last)] =
                row.as_slice()
            else {
                return Err(StoreError::Damaged("the row of home".to_owned()));
            };
            let since = if let Value::Int(since) = since { Some(*since) } else { None };
            self.run(HOME_SET, 0, &[key, offset, &since, clock, last]).await?;
        }
        Ok(())
    }

    /// What a home calls itself has its number here already. Whoever had that one there takes the other.
    async fn sources(&mut self, table: &'static Table, mut rows: Vec<Values>) -> Result<()> {
        let is_own = |row: &Values| {
            column(table, row, "name").is_ok_and(|name| *name == Value::Text(OWN_SOURCE.to_owned()))
        };
        if let Some(own) = rows.iter().find(|row| is_own(row)) {
            self.own.0 = first(own).and_then(int)?;
        }
        rows.retain(|row| !is_own(row));
        for no in rows.iter_mut().filter_map(|row| row.first_mut()) {
            *no = Value::Int(self.source(int(no)?));
        }
        self.put(table, "", rows, |_| Ok(0)).await
    }

    fn source(&self, no: i64) -> i64 {
        match (no, self.own) {
            (no, (there, here)) if no == there => here,
            (no, (there, here)) if no == here => there,
            _ => no,
        }
    }

    /// Items and what was derived: each with the share of its member, and its id where it is looked up.
    async fn events(&mut self, table: &'static Table, rows: Vec<Values>) -> Result<()> {
        let schemas = self.schemas;
        let (mut events, mut messages) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut months = BTreeSet::new();
        for row in rows {
            let Ok(
                [
                    seq,
                    id,
                    source,
                    message_id,
                    hash,
                    name,
                    time,
                    clock,
                    derived,
                    replay,
                    body,
                    member,
                    reached,
                    called,
                ],
            ) = <[Value; 14]>::try_from(row)
            else {
                return Err(damaged(table));
            };
            let (place, source) = (int(&seq)?, Value::Int(self.source(int(&source)?)));
            months.insert(partition::month_of(place));
            if place < partition::FACTS {
                self.last = self.last.max(place);
            } else {
                self.fact = self.fact.max(place & (place::OF_A_MONTH - 1));
            }
            // Where nobody said whom it is about, it bears its own id.
            let unknown = member == Value::Null;
            self.unplaced |= unknown;
            let member = if unknown { id.clone() } else { member };
            let slot = Value::Int(schemas.slot_of(id_of(&member)?).into());
            // What was archived, and has its body elsewhere, is forgotten at the door.
            let archived = matches!(&body, Value::Bytes(bytes) if bytes.is_empty());
            if int(&derived)? < 2 && !archived {
                let none = matches!(&hash, Value::Bytes(bytes) if !bytes.is_empty());
                let hash = if none { hash } else { Value::Bytes(vec![0; 16]) };
                messages.push(vec![source.clone(), message_id.clone(), hash, seq.clone()]);
            }
            events.push(vec![
                seq, id, source, message_id, name, time, clock, derived, replay, body, reached, called,
                member, slot,
            ]);
        }
        for month in months {
            if self.months.insert(month) {
                partition::ensure(self.tx, schemas, month).await?;
            }
        }
        self.put_events(events).await?;
        let by_message = |row: &Values| match row.as_slice() {
            [source, Value::Text(message_id), ..] => {
                let source = i32::try_from(int(source)?).map_err(|_| damaged(table))?;
                Ok(schemas.shard_of_message(source, message_id))
            }
            _ => Err(damaged(table)),
        };
        self.copies("message", "source, message_id, body_hash, seq", messages, by_message).await
    }

    async fn put_events(&mut self, events: Vec<Values>) -> Result<()> {
        let schemas = self.schemas;
        let by_slot = |row: &Values| match row.last() {
            Some(Value::Int(slot)) => Ok(schemas.shard_of_slot(i32::try_from(*slot).unwrap_or_default())),
            _ => Err(StoreError::Damaged("an event without a share".to_owned())),
        };
        self.copies("event", EVENT_COLUMNS, events, by_slot).await
    }

    /// Moves items to those whose timeline names them, where nobody had said whom they are about.
    async fn place(&mut self, table: &'static Table, rows: &[Values]) -> Result<()> {
        let mut members: BTreeMap<i64, Uuid> = BTreeMap::new();
        for row in rows {
            members.insert(int(column(table, row, "seq")?)?, Uuid(sixteen(column(table, row, "member")?)?));
        }
        let seqs: Vec<i64> = members.keys().copied().collect();
        let mut events = Vec::new();
        for shard in 0..self.schemas.shards() {
            let found =
                self.tx.query(&self.schemas.sql(UNPLACED, shard), &[&seqs]).await.map_err(database)?;
            for row in &found {
                let member = members.get(&get(row, 0)?).copied().ok_or_else(|| damaged(table))?;
                let slot = self.schemas.slot_of(member.id());
                let mut event = values(row)?;
                event.extend([Value::Bytes(member.0.to_vec()), Value::Int(slot.into())]);
                events.push(event);
            }
        }
        self.put_events(events).await
    }

    /// What waits or failed lies with its event.
    async fn beside(&mut self, table: &'static Table, mut rows: Vec<Values>) -> Result<()> {
        let seqs: Vec<i64> = rows.iter().map(|row| first(row).and_then(int)).collect::<Result<_>>()?;
        let mut slots: BTreeMap<i64, i32> = BTreeMap::new();
        for shard in 0..self.schemas.shards() {
            let sql = self.schemas.sql(EVENT_SHARES, shard);
            for row in self.tx.query(&sql, &[&seqs]).await.map_err(database)? {
                slots.insert(get(&row, 0)?, get(&row, 1)?);
            }
        }
        let schemas = self.schemas;
        let nowhere =
            |seq: i64| StoreError::Damaged(format!("{} names event {seq}, which is nowhere", table.name));
        let slot = |row: &Values| {
            let seq = first(row).and_then(int)?;
            slots.get(&seq).copied().ok_or_else(|| nowhere(seq))
        };
        let by_slot = |row: &Values| slot(row).map(|slot| schemas.shard_of_slot(slot));
        if table.name == "dead_letter" {
            return self.put(table, "", rows, by_slot).await;
        }
        for row in &mut rows {
            let slot = slot(row)?;
            row.push(Value::Int(slot.into()));
        }
        self.put(table, "slot", rows, by_slot).await
    }

    /// How an order changed lies with the order.
    async fn order_changes(&mut self, table: &'static Table, rows: Vec<Values>) -> Result<()> {
        let mut wanted: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
        for row in &rows {
            let order = order_of(first(row)?)?;
            wanted.entry(self.schemas.shard_of_order(order)).or_default().push(order.into());
        }
        let mut members: BTreeMap<OrderId, MemberId> = BTreeMap::new();
        for (shard, orders) in wanted {
            let sql = self.schemas.sql(ORDER_MEMBERS, shard);
            for row in self.tx.query(&sql, &[&orders]).await.map_err(database)? {
                members.insert(id(&row, 0)?, id(&row, 1)?);
            }
        }
        let schemas = self.schemas;
        let by_order = |row: &Values| {
            let member = members.get(&order_of(first(row)?)?).ok_or_else(|| damaged(table))?;
            Ok(schemas.shard_of(*member))
        };
        self.put(table, "", rows, by_order).await
    }

    async fn end(&self) -> Result<()> {
        // What is decided later must find its event where its member is.
        if self.unplaced && self.schemas.shards() > 1 {
            for shard in 0..self.schemas.shards() {
                let sql = self.schemas.sql(UNPLACED_WAIT, shard);
                if get(&self.tx.query_one(&sql, &[]).await.map_err(database)?, 0)? {
                    let message = "items wait that an older program accepted: \
                        let the home that they come from decide them first, or fill one of a single shard";
                    return Err(StoreError::Database(message.to_owned()));
                }
            }
        }
        self.run(LAST_SET, 0, &[&self.last]).await?;
        self.run(SHARES_SET, 0, &[]).await?;
        for sql in [
            SOURCE_NEXT,
            SUGGESTION_NEXT,
            PLACE_HISTORY_NEXT,
            PLACE_TREE_ON,
            WEBHOOK_MESSAGE_NEXT,
            ISSUE_NEXT,
            UPLOAD_NEXT,
            LIST_NEXT,
        ] {
            self.run(sql, 0, &[]).await?;
        }
        self.run(crate::webhooks::FOLLOWS_ALL, 0, &[&CONSUMER]).await?;
        self.run(FACT_NEXT, 0, &[&(self.fact + 1)]).await?;
        for shard in 0..self.schemas.shards() {
            for sql in [
                TRANSFER_NEXT,
                ALLOCATION_NEXT,
                TERM_NEXT,
                STAGE_NEXT,
                TAG_NEXT,
                PARTNER_NEXT,
                crate::campaigns::SEND_COPIED,
                COUPON_MOVE_NEXT,
                RUN_MOVE_NEXT,
                LATE_NEXT,
                COUPON_LATE_NEXT,
            ] {
                self.run(sql, shard, &[]).await?;
            }
            self.run(ANALYZED, shard, &[]).await?;
        }
        Ok(())
    }

    /// Writes rows of a table with its columns as a dump names them, and one more.
    async fn put(
        &mut self,
        table: &'static Table,
        more: &str,
        rows: Vec<Values>,
        shard: impl Fn(&Values) -> Result<usize>,
    ) -> Result<()> {
        let names = table.columns.iter().map(|(name, _)| *name);
        let columns: Vec<&str> = names.chain((!more.is_empty()).then_some(more)).collect();
        self.copies(table.name, &columns.join(", "), rows, shard).await
    }

    /// Writes rows, each into its shard.
    async fn copies(
        &mut self,
        table: &'static str,
        columns: &str,
        rows: Vec<Values>,
        shard: impl Fn(&Values) -> Result<usize>,
    ) -> Result<()> {
        let mut heaps: BTreeMap<usize, Vec<Values>> = BTreeMap::new();
        for row in rows {
            heaps.entry(shard(&row)?).or_default().push(row);
        }
        if !heaps.is_empty() && !self.types.contains_key(table) {
            let sql = self.schemas.sql(&format!("SELECT {columns} FROM {{shard}}.{table}"), 0);
            let statement = self.tx.prepare(&sql).await.map_err(database)?;
            let types = statement.columns().iter().map(|column| column.type_().clone());
            self.types.insert(table, types.collect());
        }
        let types = self.types.get(table).map(Vec::as_slice).unwrap_or_default();
        for (shard, rows) in heaps {
            let sql = format!("COPY {{shard}}.{table} ({columns}) FROM STDIN BINARY");
            let sink = self.tx.copy_in(&self.schemas.sql(&sql, shard)).await.map_err(database)?;
            let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, types));
            for row in &rows {
                let cells: Vec<Cell<'_>> = row.iter().map(Cell).collect();
                writer.as_mut().write_raw(&cells).await.map_err(database)?;
            }
            writer.finish().await.map_err(database)?;
        }
        Ok(())
    }
}
