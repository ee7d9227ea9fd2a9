//! Taking members over from an old system (C7): the file is checked whole before anything is written, every row becomes one
//! `Member Taken Over` at the door, and what the record came to is laid beside the file until there is no difference.
//!
//! [`Engine::takeover_check`] reads and writes nothing; [`Engine::takeover_import`] takes the rows, each once by its key, so
//! that whoever was interrupted says it again; [`Engine::takeover_reconcile`] compares. No value of a person is in anything
//! that is told: rows are named by line, field and masked identifier. Read on in `columns`, `row`, `file` (what a file may
//! say), `same` (rows of the same person) and [`table`] (file and record side by side).

mod columns;
mod file;
mod row;
mod same;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use zhiyin_decide::takeover;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::{NewEvent, Wanted};

use crate::accept::{self, REUSED, Source, Ties, Verdict};
use crate::boxed;
use crate::import::{Tally, Watch};
use crate::pipeline::Step;
use crate::{Engine, EngineError, Live, Result, clock};
use file::Read;
use row::{Ground, Row};
use same::Same;
use table::{Standing, Table, Totals};

/// How many rows are looked at together.
const ROWS_AT_ONCE: usize = 1000;
/// How many lots of rows may wait.
const AHEAD: usize = 2;
/// How many faults are told.
pub const FAULTS_MAX: usize = 1000;
/// Names of sources of take-overs begin with it, so that no other source is mistaken for one.
const SOURCE: &str = "takeover/";

/// What is to be taken over, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The file: CSV, or JSON lines.
    pub file: PathBuf,
    /// What the old system is called: keys are unique within it.
    pub name: String,
    /// The instant up to which the old system kept the books.
    pub as_of: Ts,
    /// The namespace whose value is a row's key; without it the column `key`, else the most telling identifier.
    pub key: Option<String>,
    /// Whether a row may be of somebody who is here already.
    pub join: bool,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line, from 1.
    pub line: u64,
    /// Its most telling identifier, masked; empty where there is none.
    pub who: String,
    /// The column at fault.
    pub field: String,
    /// What is wrong: name.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

impl Fault {
    fn of(line: u64, who: &str, refusal: Refusal) -> Self {
        let Refusal { code, field, message } = refusal;
        Self { line, who: who.to_owned(), field, code, message }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.who.is_empty() {
            write!(f, " ({})", self.who)?;
        }
        let field = if self.field.is_empty() { String::new() } else { format!("{}: ", self.field) };
        write!(f, ": {field}{} ({})", self.message, self.code)
    }
}

/// What a file would come to.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What the rows without fault come to.
    pub totals: Totals,
    /// Rows of somebody who is not here yet.
    pub new: i64,
    /// Rows of somebody who is here already and may be joined.
    pub joining: i64,
    /// Rows that were taken over already.
    pub taken: i64,
    /// What is wrong, at most [`FAULTS_MAX`] of it.
    pub faults: Vec<Fault>,
    /// How much is wrong.
    pub n_faults: u64,
}

impl Checked {
    fn fault(&mut self, fault: Fault) {
        self.n_faults += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

impl Engine {
    /// Reads a file whole and says what it would come to; nothing is written.
    #[boxed]
    pub async fn takeover_check(&self, request: &Request, watch: &mut dyn Watch) -> Result<Checked> {
        let work = Work::of(self, request).await?;
        let mut checked = Checked::default();
        let key = work.key.clone();
        let mut same = Same::first(&key);
        let mut rows = work.read();
        let mut tally = Tally::default();
        while let Some(part) = rows.next().await? {
            tally.read += part.len() as u64;
            let mut good = Vec::with_capacity(part.len());
            for read in part {
                match read {
                    Ok(row) => good.push(row),
                    Err(faults) => faults.into_iter().for_each(|fault| checked.fault(fault)),
                }
            }
            good.iter().for_each(|row| same.note(row));
            for (row, stands) in good.iter().zip(work.stand(self, &good).await?) {
                let joined = match stands {
                    Stands::New(_) => {
                        checked.new += 1;
                        false
                    }
                    Stands::Joins(_, member) => {
                        checked.joining += 1;
                        same.note_as(row.line, "member", member.bytes());
                        true
                    }
                    Stands::Taken { joined, .. } => {
                        checked.taken += 1;
                        joined
                    }
                    Stands::Wrong(refusal) => {
                        checked.fault(Fault::of(row.line, &row.who, refusal));
                        continue;
                    }
                };
                checked.totals.add(&row.facts, joined, (&work.live.rules, request.as_of));
            }
            watch.tally(&tally);
        }
        same.faults().into_iter().for_each(|fault| checked.fault(fault));
        for mut same in same.others() {
            let mut rows = work.read();
            while let Some(part) = rows.next().await? {
                part.iter().flatten().for_each(|row| same.note(row));
            }
            same.faults().into_iter().for_each(|fault| checked.fault(fault));
        }
        checked.faults.sort_by_key(|fault| fault.line);
        Ok(checked)
    }

    /// Takes a file over that was checked: each row once, decided as it comes. What is wrong with a row by now, because the
    /// home moved on since, is told to `watch`; the others are taken.
    #[boxed]
    pub async fn takeover_import(
        &self,
        request: &Request,
        batch: usize,
        watch: &mut dyn Watch,
    ) -> Result<Tally> {
        let done = self.takeover_holding(request, batch, watch).await;
        self.release().await?;
        done
    }

    async fn takeover_holding(
        &self,
        request: &Request,
        batch: usize,
        watch: &mut dyn Watch,
    ) -> Result<Tally> {
        let work = Work::of(self, request).await?;
        let mut tally = Tally::default();
        let mut rows = work.read();
        while let Some(part) = rows.next().await? {
            tally.read += part.len() as u64;
            let good: Vec<Row> = part.into_iter().flatten().collect();
            let mut events = Vec::with_capacity(good.len());
            let mut lines = Vec::with_capacity(good.len());
            for (row, stands) in good.iter().zip(work.stand(self, &good).await?) {
                match stands {
                    Stands::New(event) | Stands::Joins(event, _) => {
                        events.push(Ok(*event));
                        lines.push(row);
                    }
                    Stands::Taken { .. } => tally.duplicates += 1,
                    Stands::Wrong(refusal) => reject(row, refusal, &mut tally, watch)?,
                }
            }
            let verdicts = self.take(&work.source, events, work.now, None).await?;
            for (row, verdict) in lines.into_iter().zip(verdicts) {
                match verdict {
                    Verdict::Accepted => tally.accepted += 1,
                    Verdict::Duplicate => tally.duplicates += 1,
                    Verdict::Refused(refusal) => reject(row, refusal, &mut tally, watch)?,
                }
            }
            let seen = |step: Step| {
                tally.decided += step.events as u64;
                tally.dead += step.dead as u64;
                tally.at = tally.at.max(step.at);
                watch.tally(&tally);
            };
            self.drain_holding(batch, Some(Ts::MIN), seen).await?;
            watch.tally(&tally);
        }
        // Timers of what was taken over fire once all of it is in.
        self.drain_holding(batch, None, |_| ()).await?;
        Ok(tally)
    }

    /// Lays a file beside what the record has of it. What waits is decided first.
    #[boxed]
    pub async fn takeover_reconcile(&self, request: &Request, watch: &mut dyn Watch) -> Result<Table> {
        self.drain(1024, None, |_| ()).await?;
        let work = Work::of(self, request).await?;
        let (mut totals, mut stands) = (Totals::default(), Standing::default());
        let mut rows = work.read();
        let mut tally = Tally::default();
        while let Some(part) = rows.next().await? {
            tally.read += part.len() as u64;
            let (good, bad): (Vec<_>, Vec<_>) = part.into_iter().partition(std::result::Result::is_ok);
            stands.unreadable += bad.len() as i64;
            let good: Vec<Row> = good.into_iter().flatten().collect();
            for (row, came) in good.iter().zip(work.came(self, &good).await?) {
                let joined = match came {
                    Came::Not => {
                        stands.missing += 1;
                        false
                    }
                    Came::Other => {
                        stands.changed += 1;
                        false
                    }
                    Came::Same { joined, .. } => {
                        stands.here += 1;
                        joined
                    }
                };
                totals.add(&row.facts, joined, (&work.live.rules, request.as_of));
            }
            watch.tally(&tally);
        }
        let record = self.store().taken_over(&work.source.name).await?;
        Ok(Table::of(&totals, &stands, &record, &work.live.rules.zone))
    }
}

fn reject(row: &Row, refusal: Refusal, tally: &mut Tally, watch: &mut dyn Watch) -> Result<()> {
    tally.rejected += 1;
    let Refusal { code, field, message } = refusal;
    let item = String::new();
    watch.reject(crate::import::Reject { line: row.line, code, field, message, item })
}

/// How a row stands to what is in the home.
enum Stands {
    /// Nobody bears its names.
    New(Box<NewEvent>),
    /// Of somebody who is here already, and may be.
    Joins(Box<NewEvent>, MemberId),
    /// It was taken over already, as of somebody new or of somebody who was here.
    Taken { joined: bool },
    /// It cannot be taken over.
    Wrong(Refusal),
}

/// Whether a row came before.
enum Came {
    Not,
    Other,
    Same { joined: bool },
}

/// All that rows of one request are looked at by.
struct Work {
    request: Arc<Request>,
    live: Arc<Live>,
    key: IdKey,
    source: Source,
    window: accept::Window,
    now: Ts,
}

impl Work {
    async fn of(engine: &Engine, request: &Request) -> Result<Self> {
        let live = engine.live()?;
        let home = engine.home().await?;
        let now = clock::open(&home);
        if request.as_of > now {
            return Err(EngineError::AsOfFuture(request.as_of.rfc3339(), now.rfc3339()));
        }
        Ok(Self {
            request: Arc::new(request.clone()),
            live,
            window: accept::window(&home, now),
            key: home.id_key,
            source: Source {
                name: format!("{SOURCE}{}", request.name),
                user_namespace: "user".to_owned(),
                replay: true,
                ties: Ties::Keep,
            },
            now,
        })
    }

    /// Begins to read the file, on a thread of its own.
    fn read(&self) -> Rows {
        let (send, rows) = mpsc::channel(AHEAD);
        let (request, live) = (Arc::clone(&self.request), Arc::clone(&self.live));
        let reader = std::thread::spawn(move || {
            let ground = Ground {
                playbook: &live.playbook,
                rules: &live.rules,
                as_of: request.as_of,
                key_namespace: request.key.as_deref(),
            };
            read_file(&request.file, &ground, &send)
        });
        Rows { rows, reader: Some(reader), file: self.request.file.display().to_string() }
    }

    fn event(&self, row: &Row, join: bool) -> std::result::Result<NewEvent, Refusal> {
        let item = row.item(self.request.as_of, join);
        accept::prepare_own(
            &self.key,
            &self.source,
            (&item, Some(names::MEMBER_TAKEN_OVER)),
            None,
            self.window,
        )
    }

    /// Whether rows came before, whatever it was that they said of who is here.
    async fn came(&self, engine: &Engine, rows: &[Row]) -> Result<Vec<Came>> {
        let ids: Vec<String> = rows.iter().map(|row| row.message_id.clone()).collect();
        let found = engine.store().came(&self.source.name, ids).await?;
        let told = rows.iter().zip(found).map(|(row, hash)| {
            let Some(hash) = hash else { return Came::Not };
            let is = |join| self.event(row, join).is_ok_and(|event| event.body_hash == hash);
            match (is(false), is(true)) {
                (true, _) => Came::Same { joined: false },
                (false, true) => Came::Same { joined: true },
                (false, false) => Came::Other,
            }
        });
        Ok(told.collect())
    }

    /// How rows stand to what is in the home.
    async fn stand(&self, engine: &Engine, rows: &[Row]) -> Result<Vec<Stands>> {
        let came = self.came(engine, rows).await?;
        let mut stands = Vec::with_capacity(rows.len());
        let mut asked = Vec::new();
        for (row, came) in rows.iter().zip(came) {
            stands.push(match came {
                Came::Same { joined } => Stands::Taken { joined },
                Came::Other => {
                    let message = "this row was taken over before and says something else now";
                    Stands::Wrong(Refusal::new(REUSED, "key", message))
                }
                Came::Not => match self.event(row, false) {
                    Ok(event) => {
                        asked.extend(event.names.iter().map(|named| named.hash));
                        Stands::New(Box::new(event))
                    }
                    Err(refusal) => Stands::Wrong(refusal),
                },
            });
        }
        if asked.is_empty() {
            return Ok(stands);
        }
        let loaded = engine.store().load(Wanted { identifiers: asked, ..Wanted::default() }).await?;
        let whose: BTreeMap<_, MemberId> = loaded.identifiers.into_iter().collect();
        let taken: BTreeSet<MemberId> = loaded
            .members
            .iter()
            .filter(|stored| stored.member.touches.taken_over.is_some())
            .map(|stored| stored.member.id)
            .collect();
        for (row, stands) in rows.iter().zip(&mut stands) {
            let Stands::New(event) = stands else { continue };
            let mut known: Vec<(usize, MemberId)> = Vec::new();
            for (i, named) in event.names.iter().enumerate() {
                if let Some(member) = whose.get(&named.hash) {
                    known.push((i, *member));
                }
            }
            let Some(&(first, member)) = known.first() else { continue };
            let field =
                |i: usize| event.names.get(i).map(|named| named.namespace.clone()).unwrap_or_default();
            let other = known.iter().find(|(_, other)| *other != member);
            *stands = if let Some((i, _)) = other {
                let message = "its identifiers are of several members who are here: merge them first";
                Stands::Wrong(Refusal::new("several_members", field(*i), message))
            } else if taken.contains(&member) {
                let message = "this member was taken over already, by another row";
                Stands::Wrong(Refusal::new("taken_over_already", field(first), message))
            } else if !self.request.join {
                let message = "a member who is here already bears it: --join lets the row be theirs";
                Stands::Wrong(Refusal::new("member_known", field(first), message))
            } else {
                self.join(engine, row, member, field(first)).await?
            };
        }
        Ok(stands)
    }

    /// A row of somebody who is here already.
    async fn join(&self, engine: &Engine, row: &Row, member: MemberId, field: String) -> Result<Stands> {
        let past = engine.store().history(member, Vec::new()).await?;
        if past.orders.iter().any(|(order, _)| order.counts() && order.time < self.request.as_of) {
            return Ok(Stands::Wrong(Refusal { field, ..takeover::orders_came_first() }));
        }
        Ok(match self.event(row, true) {
            Ok(event) => Stands::Joins(Box::new(event), member),
            Err(refusal) => Stands::Wrong(refusal),
        })
    }
}

/// Rows as a thread reads them.
struct Rows {
    rows: mpsc::Receiver<Vec<Read>>,
    reader: Option<std::thread::JoinHandle<std::result::Result<(), String>>>,
    file: String,
}

impl Rows {
    /// The next of them; `None` at the end of the file.
    async fn next(&mut self) -> Result<Option<Vec<Read>>> {
        if let Some(part) = self.rows.recv().await {
            return Ok(Some(part));
        }
        let ended = self.reader.take().map(std::thread::JoinHandle::join);
        let message = match ended {
            None | Some(Ok(Ok(()))) => return Ok(None),
            Some(Ok(Err(message))) => message,
            Some(Err(_)) => "the reader stopped in the middle".to_owned(),
        };
        Err(EngineError::File { file: self.file.clone(), message })
    }
}

fn read_file(
    path: &Path,
    ground: &Ground<'_>,
    send: &mpsc::Sender<Vec<Read>>,
) -> std::result::Result<(), String> {
    let mut part = Vec::with_capacity(ROWS_AT_ONCE);
    let mut gone = false;
    file::each(path, ground, |_, read| {
        part.push(read);
        if part.len() == ROWS_AT_ONCE {
            gone = send.blocking_send(std::mem::take(&mut part)).is_err();
        }
        !gone
    })?;
    if !part.is_empty() && !gone {
        drop(send.blocking_send(part));
    }
    Ok(())
}
