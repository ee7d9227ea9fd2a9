//! Accepting items. One task a process gathers what is appended at the same time and commits it together: so many who send
//! single items share one wait for the disk.
//!
//! Whoever accepts holds the home's row until all is in. So places become visible in their order, whichever process gives
//! them, and what was looked up for a name is still so when the name is written. It takes two round trips: one locks and
//! looks up, the other writes and commits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::settle::Bears;
use zhiyin_store::{Append, Named, NewEvent, OWN_SOURCE, Receipt, Result, StoreError, Ties};

use crate::batch::{self, EVENT_NEW, GIVEN_UP_NEW, IDENTIFIER_CLAIM, MESSAGE_NEW, SEEN_SET, write};
use crate::connection::{Connections, Said, Step, Tx, Values};
use crate::door::{self, Accepted, Before, Door, Hand};
use crate::memory::{HOME_HELD, Memory, Source, make_month};
use crate::rows::{Uuid, database, get, id};
use crate::schemas::Schemas;
use crate::sealing;

pub(crate) const SOURCE_NEW: &str =
    "INSERT INTO {home}.source (name, user_namespace) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
pub(crate) const SOURCE: &str = "SELECT no, user_namespace FROM {home}.source WHERE name = $1";
pub(crate) const KNOWN: &str = "SELECT m.source, m.message_id, m.body_hash \
    FROM unnest($1::integer[], $2::text[]) u (source, message_id) \
    JOIN {shard}.message m ON m.source = u.source AND m.message_id = u.message_id";
pub(crate) const NAMES: &str = "SELECT hash, member, since FROM {shard}.identifier WHERE hash = ANY($1)";
pub(crate) const SEEN: &str = "SELECT hash, seen, hands FROM {home}.identifier_seen WHERE hash = ANY($1)";
pub(crate) const BEARS: &str =
    "SELECT member, hash, namespace, since FROM {shard}.identifier WHERE member = ANY($1)";
pub(crate) const APART: &str = "SELECT member, other FROM {home}.apart WHERE member = ANY($1)";
pub(crate) const MOVED: &str = "UPDATE {home}.home SET clock = $1, last = $2 WHERE one = 1";
pub(crate) const IMPORT_SET: &str = "INSERT INTO {home}.import (name, position, done) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position, done = EXCLUDED.done";
/// Tells all processes that listen, in the words of [`crate::link::words`].
pub(crate) const TELL: &str = "SELECT pg_notify($1, $2)";

/// How many appends one transaction takes at most…
const GROUP_MAX: usize = 64;
/// …and how many items, where there is more than one append.
const ITEMS_MAX: usize = 8_192;
/// How many appends may wait; callers beyond wait in line, so memory stays bounded.
const QUEUE_MAX: usize = 256;
/// How often a group is tried again that met somebody else.
const TRIES: usize = 3;

type Answer = oneshot::Sender<Result<Vec<Receipt>>>;

/// Where appends wait to be taken together.
pub(crate) struct Appender(mpsc::Sender<(Append, Answer)>);

impl Appender {
    /// Starts the task, which ends when this is dropped.
    pub(crate) fn start(
        connections: Arc<Connections>,
        memory: Arc<Memory>,
        vault: Arc<RwLock<Arc<Vault>>>,
    ) -> Self {
        let (jobs, inbox) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(gather(connections, memory, vault, inbox));
        Self(jobs)
    }

    /// Accepts items durably.
    pub(crate) async fn append(&self, append: Append) -> Result<Vec<Receipt>> {
        if append.source == OWN_SOURCE {
            return Err(StoreError::SourceReserved);
        }
        let (answer, answered) = oneshot::channel();
        self.0.send((append, answer)).await.map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }
}

async fn gather(
    connections: Arc<Connections>,
    memory: Arc<Memory>,
    vault: Arc<RwLock<Arc<Vault>>>,
    mut inbox: mpsc::Receiver<(Append, Answer)>,
) {
    while let Some((first, answer)) = inbox.recv().await {
        let mut items = first.events.len();
        let (mut group, mut answers) = (vec![first], vec![answer]);
        while group.len() < GROUP_MAX && items < ITEMS_MAX {
            let Ok((append, answer)) = inbox.try_recv() else { break };
            items += append.events.len();
            group.push(append);
            answers.push(answer);
        }
        let now = Arc::clone(&vault.read().unwrap_or_else(PoisonError::into_inner));
        let results = commit(&connections, &memory, &now, &group).await;
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller that went away does not want to know.
            drop(answer.send(result));
        }
    }
}

/// What a transaction of several came to.
enum Failed {
    /// Somebody else was there at the same time: look again.
    Met(StoreError),
    /// One of them is at fault.
    Refused(StoreError),
    /// The database cannot be reached, so none of them can be written.
    Away(StoreError),
    /// These months have no partitions yet.
    Months(BTreeSet<i64>),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        let met = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ];
        match error.as_db_error().map(|said| met.contains(said.code())) {
            Some(true) => Self::Met(database(error)),
            Some(false) => Self::Refused(database(error)),
            None => Self::Away(database(error)),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Met(error) | Failed::Refused(error) | Failed::Away(error) => error,
            Failed::Months(months) => StoreError::Database(format!("no partitions of {months:?}")),
        }
    }
}

/// Commits a group together, or, where one of them is at fault, one by one: so it fails alone.
async fn commit(
    connections: &Connections,
    memory: &Memory,
    vault: &Arc<Vault>,
    group: &[Append],
) -> Vec<Result<Vec<Receipt>>> {
    let failed = match together(connections, memory, vault, group).await {
        Ok(results) => return results,
        Err(failed) => failed,
    };
    if let (Failed::Away(error), _) | (Failed::Met(error) | Failed::Refused(error), [_]) = (&failed, group) {
        let again = |error: &StoreError| match error {
            StoreError::Erased => StoreError::Erased,
            error => StoreError::Database(error.to_string()),
        };
        return group.iter().map(|_| Err(again(error))).collect();
    }
    let mut results = Vec::with_capacity(group.len());
    for append in group {
        let alone = together(connections, memory, vault, std::slice::from_ref(append)).await;
        results.extend(alone.unwrap_or_else(|failed| vec![Err(failed.into())]));
    }
    results
}

async fn together(
    connections: &Connections,
    memory: &Memory,
    vault: &Arc<Vault>,
    group: &[Append],
) -> std::result::Result<Vec<Result<Vec<Receipt>>>, Failed> {
    let mut tries = 1;
    loop {
        match once(connections, memory, vault, group).await {
            Err(Failed::Months(months)) => {
                for month in &months {
                    make_month(connections, *month).await.map_err(Failed::Away)?;
                }
                memory.saw_months(&months);
            }
            Err(Failed::Met(error)) if tries < TRIES => {
                tries += 1;
                tracing::debug!(%error, "others were at the door; looking again");
            }
            done => return done,
        }
    }
}

async fn once(
    connections: &Connections,
    memory: &Memory,
    vault: &Arc<Vault>,
    group: &[Append],
) -> std::result::Result<Vec<Result<Vec<Receipt>>>, Failed> {
    let session = connections.session().await.map_err(Failed::Away)?;
    let tx = session.transaction();
    let mut failed = None;
    let went = match accept(&tx, memory, vault, group).await {
        Ok(results) => Ok(results),
        Err(error) => {
            failed = Some(error);
            Err(StoreError::Stopped)
        }
    };
    match (tx.end(went).await, failed) {
        (_, Some(failed)) => Err(failed),
        (went, None) => went.map_err(Failed::Away),
    }
}

/// The sources of a group by name, and those that are new.
struct Sources {
    known: BTreeMap<String, Source>,
    new: BTreeMap<String, Source>,
}

impl Sources {
    fn of(&self, append: &Append) -> Result<i32> {
        let source = self.known.get(&append.source).or_else(|| self.new.get(&append.source));
        let source = source.ok_or_else(|| StoreError::Damaged(format!("no source {:?}", append.source)))?;
        if source.user_namespace == append.user_namespace {
            return Ok(source.no);
        }
        Err(StoreError::SourceNamespace {
            source_name: append.source.clone(),
            known: source.user_namespace.clone(),
            given: append.user_namespace.clone(),
        })
    }
}

/// Takes a group in one transaction, which is committed when this returns.
async fn accept(
    tx: &Tx<'_>,
    memory: &Memory,
    vault: &Arc<Vault>,
    group: &[Append],
) -> std::result::Result<Vec<Result<Vec<Receipt>>>, Failed> {
    let schemas = tx.session()?.schemas;
    let begin = vec![Step::Say("BEGIN"), Step::Ask((HOME_HELD, 0), vec![])];
    let (sources, begin) = sources(tx, memory, group, begin).await?;
    let mut told: Vec<Result<i32>> = group.iter().map(|append| sources.of(append)).collect();
    let mut before = look(tx, begin, (group, vault.is_sealed()), &told).await?;
    for (append, source) in group.iter().zip(&mut told) {
        if !sealing::outlived(vault, append, before.erasures).await? {
            *source = Err(StoreError::Erased);
        }
    }
    people(tx, vault, group, &mut before).await?;
    let again = vault.is_sealed().then(|| before.clone());
    let anew: Vec<Append>;
    let mut door = Door::new(schemas, before);
    let mut receipts = take(&mut door, group, &told);
    if let Some(before) = again.filter(|_| !door.anew.is_empty()) {
        anew = sealing::anew(vault, group, std::mem::take(&mut door.anew)).await?;
        door = Door::new(schemas, before);
        receipts = take(&mut door, &anew, &told);
    }
    let results: Vec<Result<Vec<Receipt>>> =
        told.into_iter().zip(receipts).map(|(source, receipts)| source.map(|_| receipts)).collect();
    let mut accepted = door.accepted();
    sealing::merges(vault, &mut accepted.merges).await?;
    let new_months: BTreeSet<i64> =
        accepted.months.iter().copied().filter(|month| !memory.has_month(*month)).collect();
    if !new_months.is_empty() {
        return Err(Failed::Months(new_months));
    }
    let refused: Vec<bool> = results.iter().map(Result::is_err).collect();
    enter(tx, &accepted, memory.own(), group, &refused).await?;
    memory.saw_sources(sources.new);
    if let Some((_, last)) = accepted.moved {
        memory.saw_last(last);
    }
    Ok(results)
}

/// Takes what is not refused; receipts of each append.
fn take<'a>(door: &mut Door<'a>, group: &'a [Append], told: &[Result<i32>]) -> Vec<Vec<Receipt>> {
    let taken = group.iter().zip(told).enumerate();
    taken
        .map(|(n, (append, source))| {
            source.as_ref().map_or_else(|_| Vec::new(), |source| door.take(n, append, *source))
        })
        .collect()
}

/// Sources that this process has not seen are looked up, or made, once the home is held.
async fn sources<'s>(
    tx: &Tx<'_>,
    memory: &Memory,
    group: &[Append],
    begin: Vec<Step<'s>>,
) -> std::result::Result<(Sources, Vec<Step<'s>>), Failed> {
    let mut sources = Sources { known: BTreeMap::new(), new: BTreeMap::new() };
    // The first to name a source says its namespace.
    let mut missing: BTreeMap<&String, &String> = BTreeMap::new();
    for append in group {
        match memory.source(&append.source) {
            Some(source) => drop(sources.known.insert(append.source.clone(), source)),
            None => drop(missing.entry(&append.source).or_insert(&append.user_namespace)),
        }
    }
    if missing.is_empty() {
        return Ok((sources, begin));
    }
    let mut steps = begin;
    let n = steps.len();
    for (name, user_namespace) in &missing {
        steps.push(Step::Run((SOURCE_NEW, 0), vec![name, user_namespace]));
        steps.push(Step::Ask((SOURCE, 0), vec![name]));
    }
    let said = tx.send(steps).await?;
    let found = said.into_iter().skip(n).flat_map(Said::rows);
    for (name, row) in missing.into_keys().zip(found) {
        let source = Source { no: get(&row, 0)?, user_namespace: get(&row, 1)? };
        sources.new.insert(name.clone(), source);
    }
    // The home is held already; what it says is asked again.
    Ok((sources, vec![Step::Ask((HOME_HELD, 0), vec![])]))
}

/// What was there before, of all that these items name.
async fn look(
    tx: &Tx<'_>,
    begin: Vec<Step<'_>>,
    (group, sealed): (&[Append], bool),
    told: &[Result<i32>],
) -> std::result::Result<Before, Failed> {
    let schemas = tx.session()?.schemas;
    let mut messages: Vec<(Vec<i32>, Vec<&str>)> =
        (0..schemas.shards()).map(|_| Default::default()).collect();
    let mut names: Vec<Vec<Uuid>> = (0..schemas.shards()).map(|_| Vec::new()).collect();
    for (append, source) in group.iter().zip(told) {
        let Ok(source) = source else { continue };
        for event in &append.events {
            let (sources, ids) = &mut messages[schemas.shard_of_message(*source, &event.message_id)];
            sources.push(*source);
            ids.push(&event.message_id);
            for named in event.names.iter().chain(event.reach.as_ref().map(|reach| &reach.named)) {
                names[schemas.shard_of_hash(&named.hash)].push(Uuid(named.hash));
            }
        }
    }
    let mut steps: Vec<Step<'_>> = begin;
    let home = steps.len() - 1;
    for (shard, (sources, ids)) in messages.iter().enumerate().filter(|(_, (sources, _))| !sources.is_empty())
    {
        steps.push(Step::Ask((KNOWN, shard), vec![sources, ids]));
    }
    let asked = steps.len() - 1 - home;
    for (shard, hashes) in names.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
        steps.push(Step::Ask((NAMES, shard), vec![hashes]));
    }
    let named = steps.len() - 1 - home - asked;
    // In how many hands a name was counts for good in a sealed home, also where the playbook no longer says that it ends.
    let all: Vec<Uuid> = if sealed { names.iter().flatten().copied().collect() } else { Vec::new() };
    if !all.is_empty() {
        steps.push(Step::Ask((SEEN, 0), vec![&all]));
    }
    let mut said = tx.send(steps).await?.into_iter().skip(home).map(Said::rows);
    let held: Vec<Row> = said.next().unwrap_or_default();
    let held = held.first().ok_or_else(|| StoreError::Damaged("there is no home".to_owned()))?;
    let (clock, last, erasures) = (get(held, 0)?, get(held, 1)?, get(held, 2)?);
    let mut before = Before { clock, last, erasures, ..Before::default() };
    for row in said.by_ref().take(asked).flatten() {
        before.messages.insert((get(&row, 0)?, get(&row, 1)?), get::<Uuid>(&row, 2)?.0);
    }
    for row in said.by_ref().take(named).flatten() {
        before.names.insert(get::<Uuid>(&row, 0)?.0, (id(&row, 1)?, Ts(get(&row, 2)?)));
    }
    were_seen(said.flatten(), &mut before)?;
    if sealed {
        return Ok(before);
    }
    let events = group.iter().flat_map(|append| append.events.iter().map(move |event| (append, event)));
    let lasting = events.flat_map(|(append, event)| {
        let names = event.names.iter().chain(event.reach.as_ref().map(|reach| &reach.named));
        names.filter(|named| append.identity.rule(&named.namespace).valid_days.is_some())
    });
    let lasting: Vec<Uuid> = lasting.map(|named| Uuid(named.hash)).collect();
    seen(tx, &lasting, &mut before).await?;
    Ok(before)
}

/// Looks up when names were seen last that are believed for a time only.
async fn seen(tx: &Tx<'_>, hashes: &[Uuid], before: &mut Before) -> Result<()> {
    if hashes.is_empty() {
        return Ok(());
    }
    let said = tx.send(vec![Step::Ask((SEEN, 0), vec![&hashes])]).await.map_err(database)?;
    were_seen(said.into_iter().flat_map(Said::rows), before)
}

fn were_seen(rows: impl Iterator<Item = Row>, before: &mut Before) -> Result<()> {
    for row in rows {
        let hands = u32::try_from(get::<i32>(&row, 2)?).unwrap_or_default();
        before.seen.insert(get::<Uuid>(&row, 0)?.0, (Ts(get(&row, 1)?), hands));
    }
    Ok(())
}

/// Looks up what is to be known of members whom an item names in several ways, if not all are theirs: which names they bear,
/// who was parted, and what an item is called that may show who is whom.
async fn people(tx: &Tx<'_>, vault: &Arc<Vault>, group: &[Append], before: &mut Before) -> Result<()> {
    let (mut members, mut merges, mut lasts) = (BTreeSet::new(), false, BTreeSet::new());
    let mut called: Vec<NewEvent> = Vec::new();
    for append in group {
        for event in append.events.iter().filter(|event| event.names.len() > 1) {
            let calls = matches!(event.ties, Ties::Merge | Ties::Insist) && event.called.is_some();
            called.extend(calls.then(|| event.clone()));
            let whose =
                event.names.iter().map(|named| before.names.get(&named.hash).map(|(member, _)| *member));
            let whose: BTreeSet<Option<MemberId>> = whose.collect();
            let lasts = |named: &Named| append.identity.rule(&named.namespace).valid_days.is_some();
            if whose.len() > 1 || event.names.iter().any(lasts) {
                merges = merges || event.ties == Ties::Merge;
                members.extend(whose.into_iter().flatten());
            }
        }
    }
    if !called.is_empty() {
        let named = vault.aside(move |vault| {
            called.iter().map(|event| Ok((event.id, vault.named(event)?))).collect::<Result<BTreeMap<_, _>>>()
        });
        before.called = named.await?;
    }
    if members.is_empty() {
        return Ok(());
    }
    let shards = tx.session()?.schemas.shards();
    let members: Vec<Uuid> = members.into_iter().map(Uuid::from).collect();
    let mut steps: Vec<Step<'_>> =
        (0..shards).map(|shard| Step::Ask((BEARS, shard), vec![&members])).collect();
    if merges {
        steps.push(Step::Ask((APART, 0), vec![&members]));
    }
    let mut said = tx.send(steps).await.map_err(database)?.into_iter().map(Said::rows);
    for row in said.by_ref().take(shards).flatten() {
        let (member, hash, since) = (id(&row, 0)?, get::<Uuid>(&row, 1)?, Ts(get(&row, 3)?));
        let bears = Bears { namespace: get(&row, 2)?, since, seen: since };
        if group.iter().any(|append| append.identity.rule(&bears.namespace).valid_days.is_some()) {
            lasts.insert(hash);
        }
        before.bears.entry(member).or_default().insert(hash.0, bears);
    }
    for row in said.flatten() {
        before.apart.insert((id(&row, 0)?, id(&row, 1)?));
    }
    let lasts: Vec<Uuid> = lasts.into_iter().collect();
    seen(tx, &lasts, before).await?;
    let Before { bears, seen, .. } = before;
    for (hash, bears) in bears.values_mut().flatten() {
        bears.seen = seen.get(hash).map_or(bears.seen, |(seen, _)| bears.seen.max(*seen));
    }
    Ok(())
}

/// The rows of what the door says of who is whom, by shard.
fn merges<'a>(schemas: &Schemas, own: i32, merges: &'a [door::Said]) -> Vec<door::Rows<'a>> {
    let mut rows: Vec<door::Rows<'a>> = (0..schemas.shards()).map(|_| door::Rows::default()).collect();
    for said in merges {
        let merge = &said.merge;
        let message_id = merge.message_id.as_str();
        let shard = schemas.shard_of_message(own, message_id);
        let body_hash = Uuid([0; 16]);
        rows[shard].messages.push(batch::Message { source: own, message_id, body_hash, seq: said.seq });
        let slot = schemas.slot_of(merge.loser);
        rows[schemas.shard_of_slot(slot)].events.push(batch::Event {
            seq: said.seq,
            id: merge.id.into(),
            slot,
            source: own,
            message_id,
            name: names::MEMBERS_MERGED,
            time: said.time.0,
            clock: said.clock,
            derived: 0,
            replay: said.replay,
            body: &merge.body.0,
            member: merge.loser.into(),
            reached: Some(merge.winner.into()),
            called: merge.called.as_ref().map(|called| called.0.as_slice()),
        });
    }
    rows
}

/// What names and aliases become by what was said of who is whom, in SQL, one after the other.
fn hands(schemas: &Schemas, accepted: &Accepted<'_>) -> String {
    let home = schemas.home();
    let mut sql = String::new();
    for hand in &accepted.hands {
        match hand {
            Hand::Merged { winner, loser, since } => {
                let since = since.0;
                sql += &format!(
                    "DELETE FROM {home}.apart WHERE member IN ('{winner}', '{loser}') AND other IN ('{winner}', '{loser}');\n\
                     INSERT INTO {home}.apart (member, other) SELECT '{winner}', other FROM {home}.apart \
                     WHERE member = '{loser}' UNION ALL SELECT other, '{winner}' FROM {home}.apart \
                     WHERE member = '{loser}' ON CONFLICT DO NOTHING;\n\
                     UPDATE {home}.alias SET root = '{winner}' WHERE root = '{loser}';\n\
                     INSERT INTO {home}.alias (member, root, since) VALUES ('{loser}', '{winner}', {since});\n"
                );
                for shard in 0..schemas.shards() {
                    let shard = schemas.shard(shard);
                    sql += &format!(
                        "UPDATE {shard}.identifier SET member = '{winner}' WHERE member = '{loser}';\n"
                    );
                }
            }
            Hand::TakenOver { to, named, since } => {
                let shard = schemas.shard(schemas.shard_of_hash(&named.hash));
                let (hash, since) = (MemberId::from_bytes(named.hash), since.0);
                // Sealed for whoever bears it now: it must be readable when the other is erased.
                let value: String = named.value.0.iter().map(|byte| format!("{byte:02x}")).collect();
                sql += &format!(
                    "UPDATE {shard}.identifier SET member = '{to}', since = {since}, value = '\\x{value}'::bytea \
                     WHERE hash = '{hash}';\n"
                );
            }
            Hand::Parted { from, to, names } => {
                for hash in *names {
                    let shard = schemas.shard(schemas.shard_of_hash(hash));
                    let hash = MemberId::from_bytes(*hash);
                    sql += &format!(
                        "UPDATE {shard}.identifier SET member = '{to}' WHERE hash = '{hash}' AND member = '{from}';\n"
                    );
                    sql += &crate::lists::parted(home, hash, *from, *to);
                }
                sql += &format!(
                    "INSERT INTO {home}.apart (member, other) VALUES ('{from}', '{to}'), ('{to}', '{from}') \
                     ON CONFLICT DO NOTHING;\n"
                );
            }
        }
    }
    sql
}

/// Writes what was accepted, and commits.
async fn enter(
    tx: &Tx<'_>,
    accepted: &Accepted<'_>,
    own: i32,
    group: &[Append],
    refused: &[bool],
) -> std::result::Result<(), Failed> {
    let schemas = tx.session()?.schemas;
    let channel = crate::link::channel(schemas.home());
    let (said, hands) = (merges(schemas, own, &accepted.merges), hands(schemas, accepted));
    let events = said.iter().chain(&accepted.rows).flat_map(|rows| rows.events.slots());
    let words = crate::link::words(&events.collect());
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (shard, rows) in said.iter().enumerate() {
        steps.extend(write((MESSAGE_NEW, shard), &rows.messages));
        steps.extend(write((EVENT_NEW, shard), &rows.events));
    }
    for (shard, rows) in accepted.rows.iter().enumerate() {
        steps.extend(write((MESSAGE_NEW, shard), &rows.messages));
        steps.extend(write((EVENT_NEW, shard), &rows.events));
    }
    for (shard, names) in accepted.names.iter().enumerate() {
        steps.extend(write((IDENTIFIER_CLAIM, shard), names));
    }
    if !hands.is_empty() {
        steps.push(Step::Say(&hands));
    }
    steps.extend(write((SEEN_SET, 0), &accepted.seen));
    steps.extend(write((GIVEN_UP_NEW, 0), &accepted.given_up));
    let taken = group.iter().zip(refused).filter(|(_, refused)| !**refused);
    for progress in taken.filter_map(|(append, _)| append.progress.as_ref()) {
        let values: Values<'_> = vec![&progress.name, &progress.position, &progress.done];
        steps.push(Step::Run((IMPORT_SET, 0), values));
    }
    if let Some((clock, last)) = &accepted.moved {
        steps.push(Step::Run((MOVED, 0), vec![clock, last]));
        steps.push(Step::Ask((TELL, 0), vec![&channel, &words]));
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await?;
    Ok(())
}
