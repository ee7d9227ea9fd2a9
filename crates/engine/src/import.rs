//! Bringing history in: a thread reads and prepares items, the pipeline takes and decides them, chunk by chunk, so
//! that memory is bounded and a killed import goes on where it was.

pub mod completejourney;
pub mod csv;
pub mod lines;
mod parquet;
pub(crate) mod rows;
pub mod synthetic;
mod tables;

use zhiyin_model::event::Refusal;
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store::{NewEvent, Progress};

use crate::accept::{self, Source, Verdict};
use crate::pipeline::Step;
use crate::{Engine, EngineError, Result, clock};

/// How many items one chunk has.
const CHUNK: usize = 4096;
/// How many chunks may wait.
const CHUNKS_AHEAD: usize = 2;

/// An item as read, with where it stood.
pub struct Given {
    /// Line or row, from 1.
    pub line: u64,
    /// The bytes of the item, or why there is none.
    pub item: std::result::Result<Vec<u8>, Refusal>,
    /// What stood there, where that is not the item itself.
    pub raw: Vec<u8>,
}

impl Given {
    /// An item as it stood.
    pub fn of(line: u64, item: Vec<u8>) -> Self {
        Self { line, item: Ok(item), raw: Vec::new() }
    }
}

/// An item that was not taken.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Reject {
    /// Line or row, from 1.
    pub line: u64,
    /// Why: name.
    pub code: &'static str,
    /// The field at fault.
    pub field: String,
    /// A sentence.
    pub message: String,
    /// What stood there, at most the first 1,000 characters; empty where it was read well and refused for another's sake.
    pub item: String,
}

/// How an import goes.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Items read.
    pub read: u64,
    /// Items in the inbox for the first time.
    pub accepted: u64,
    /// Items that were there already.
    pub duplicates: u64,
    /// Items not taken.
    pub rejected: u64,
    /// Events decided.
    pub decided: u64,
    /// Of these, dead letters.
    pub dead: u64,
    /// Members reached by timers.
    pub timers: u64,
    /// Business time reached.
    pub at: Ts,
}

/// What is told of an import while it runs.
pub trait Watch: Send {
    /// Items were read, accepted, decided…
    fn tally(&mut self, tally: &Tally);
    /// An item was not taken.
    fn reject(&mut self, reject: Reject) -> Result<()>;
}

/// An import: where items come from and how they are placed.
pub struct Import {
    /// Who sends.
    pub source: Source,
    /// How many events a batch has.
    pub batch: usize,
    /// Where it notes how far it has come; `None` where only message ids tell.
    pub progress: Option<String>,
    /// Whether deciding is left to others.
    pub accept_only: bool,
}

struct Chunk {
    prepared: Vec<(u64, String, std::result::Result<NewEvent, Refusal>)>,
    last: bool,
}

impl Engine {
    /// Runs an import to its end, or to `stop_after` items for tests of interruption. Items are read by a thread of
    /// their own.
    pub async fn import<I>(&self, import: Import, items: I, watch: &mut dyn Watch) -> Result<Tally>
    where
        I: FnOnce(u64) -> std::result::Result<Box<dyn Iterator<Item = Given> + Send>, String>
            + Send
            + 'static,
    {
        let done = self.import_holding(import, items, watch).await;
        self.release().await?;
        done
    }

    async fn import_holding<I>(&self, import: Import, items: I, watch: &mut dyn Watch) -> Result<Tally>
    where
        I: FnOnce(u64) -> std::result::Result<Box<dyn Iterator<Item = Given> + Send>, String>
            + Send
            + 'static,
    {
        let home = self.home().await?;
        let sealed = self.store().personal().is_some_and(|personal| personal.vault().is_sealed());
        let mut tally = Tally::default();
        let done = match &import.progress {
            Some(name) => self.store().progress(name).await?,
            None => None,
        };
        let skip = done.as_ref().map_or(0, |progress| progress.position.unsigned_abs());
        let finished = done.is_some_and(|progress| progress.done);
        tally.read = skip;
        self.decide(&mut tally, &import, watch).await?;
        if !finished {
            let window = accept::window(&home, clock::open(&home));
            let (send, mut chunks) = tokio::sync::mpsc::channel(CHUNKS_AHEAD);
            let (key, source) = (home.id_key.clone(), import.source.clone());
            let reader = std::thread::spawn(move || -> std::result::Result<(), String> {
                prepare(items(skip)?, &key, &source, window, &send);
                Ok(())
            });
            while let Some(chunk) = chunks.recv().await {
                // The next chunk goes to disk while the one before it is decided.
                let position = tally.read + chunk.prepared.len() as u64;
                let (taken, decided) = tokio::join!(
                    self.take_chunk(chunk, &import, position),
                    self.decide(&mut tally, &import, watch)
                );
                decided?;
                tally.read = position;
                tell(taken?, sealed, &mut tally, watch)?;
            }
            self.decide(&mut tally, &import, watch).await?;
            match reader.join() {
                Ok(Ok(())) => {}
                Ok(Err(message)) => {
                    return Err(EngineError::File { file: import.source.name, message });
                }
                Err(_) => {
                    let message = "the reader stopped in the middle".to_owned();
                    return Err(EngineError::File { file: import.source.name, message });
                }
            }
        }
        Ok(tally)
    }

    async fn take_chunk(&self, chunk: Chunk, import: &Import, position: u64) -> Result<Vec<Taken>> {
        let home = self.home().await?;
        let progress = import.progress.clone().map(|name| Progress {
            name,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            done: chunk.last,
        });
        let mut prepared = Vec::with_capacity(chunk.prepared.len());
        let mut shown = Vec::with_capacity(chunk.prepared.len());
        for (line, text, item) in chunk.prepared {
            prepared.push(item);
            shown.push((line, text));
        }
        let verdicts = self.take(&import.source, prepared, clock::open(&home), progress).await?;
        Ok(shown.into_iter().zip(verdicts).collect())
    }

    /// Decides all that was accepted. Timers of members who stay silent wait until the whole import is in.
    async fn decide(&self, tally: &mut Tally, import: &Import, watch: &mut dyn Watch) -> Result<()> {
        if import.accept_only {
            return Ok(());
        }
        let seen = |step: Step| {
            tally.decided += step.events as u64;
            tally.dead += step.dead as u64;
            tally.timers += step.timers as u64;
            tally.at = tally.at.max(step.at);
            watch.tally(tally);
        };
        self.drain_holding(import.batch, Some(Ts::MIN), seen).await.map(drop)
    }
}

/// An item's line, what stood there if it was refused, and what became of it.
type Taken = ((u64, String), Verdict);

fn tell(taken: Vec<Taken>, sealed: bool, tally: &mut Tally, watch: &mut dyn Watch) -> Result<()> {
    for ((line, item), verdict) in taken {
        match verdict {
            Verdict::Accepted => tally.accepted += 1,
            Verdict::Duplicate => tally.duplicates += 1,
            Verdict::Refused(refusal) => {
                tally.rejected += 1;
                let Refusal { code, field, mut message } = refusal;
                let mut item = item;
                if sealed {
                    // What stood there may be personal, and so may the words of the refusal; its line says where it is.
                    item.clear();
                    message = "see this line of the input".to_owned();
                }
                watch.reject(Reject { line, code, field, message, item })?;
            }
        }
    }
    watch.tally(tally);
    Ok(())
}

fn prepare(
    items: Box<dyn Iterator<Item = Given> + Send>,
    key: &IdKey,
    source: &Source,
    window: accept::Window,
    send: &tokio::sync::mpsc::Sender<Chunk>,
) {
    let mut items = items.peekable();
    loop {
        let mut prepared = Vec::with_capacity(CHUNK);
        for given in items.by_ref().take(CHUNK) {
            let item =
                given.item.clone().and_then(|bytes| accept::prepare(key, source, &bytes, None, window));
            // Only what is refused is shown again.
            let text = if item.is_err() { shown(&given) } else { String::new() };
            prepared.push((given.line, text, item));
        }
        let last = items.peek().is_none();
        if send.blocking_send(Chunk { prepared, last }).is_err() || last {
            return;
        }
    }
}

fn shown(given: &Given) -> String {
    let bytes = given.item.as_deref().ok().filter(|_| given.raw.is_empty()).unwrap_or(&given.raw);
    String::from_utf8_lossy(bytes).chars().take(1000).collect()
}
