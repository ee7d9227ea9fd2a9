//! The pipeline and what stands around it: accepting items, deciding them in batches, timers, playbooks, imports,
//! reports.
//!
//! [`Engine`] owns a home's store and its live rules. [`Engine::accept`] puts items into the inbox (durable when it
//! returns); [`Engine::step`] takes the next batch: timers that are due, or events, decided one after the other and
//! flushed in one transaction. The result never depends on how events fall into batches. No HTTP here, no SQL, and
//! no rule of the business. Read on in [`pipeline`], [`playbooks`], [`import`], [`reports`], [`measure`].

pub mod accept;
pub mod adjustments;
pub mod approvals;
pub mod apps;
pub mod archive;
pub mod arrivals;
pub mod audience;
pub mod audiences;
pub mod audit;
pub mod books;
pub mod campaigns;
pub mod channels;
pub mod checkout;
pub mod clock;
pub mod command;
pub mod coupons;
pub mod delivery;
pub mod draws;
pub mod duplicates;
pub mod effects;
pub mod erase;
pub mod export;
pub mod found_by;
pub mod identity;
pub mod import;
pub mod ingest;
pub mod keys;
pub mod letters;
pub mod links;
pub mod lists;
mod live;
pub mod me;
pub mod measure;
pub mod members;
pub mod moving;
pub mod partners;
pub mod pays;
pub mod people;
pub mod persons;
pub mod pipeline;
pub mod places;
pub mod platforms;
pub mod playbooks;
pub mod posters;
pub mod readings;
pub mod rebuild;
pub mod reports;
pub mod retain;
pub mod sealing;
pub mod sends;
pub mod shops;
pub mod sight;
pub mod sign_in;
pub mod simulate;
pub mod takeover;
pub mod tills;
pub mod told;
pub mod views;
pub mod webhooks;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

/// A future in a box: what an engine does is compiled here once, and not anew in each program that waits for it.
pub(crate) use async_recursion::async_recursion as boxed;
pub use live::{Live, Read};
use tokio::sync::{Mutex, watch};
use zhiyin_decide::outcome::{Known, Outcome, Stop};
pub use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::effect::TimerKey;
use zhiyin_model::event::Event;
use zhiyin_model::id::IdKey;
use zhiyin_model::playbook::Problem;
use zhiyin_model::role::Limits;
use zhiyin_store::{Home, Store, StoreError};

use measure::Measures;
use pipeline::Worker;

/// What can go wrong in the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The home has no playbook yet.
    #[error("no playbook is applied yet: `zhiyin apply FILE` first")]
    NoPlaybook,
    /// The playbook in the store no longer reads: it was written by another version of this program.
    #[error("the applied playbook does not read: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Playbook(Vec<Problem>),
    /// What members came to has more digits than there is room for.
    #[error(transparent)]
    TooLarge(#[from] zhiyin_insight::sums::TooLarge),
    /// A report was asked for a day that has not come.
    #[error("{0} has not come yet: business time is {1}")]
    AsOfFuture(String, String),
    /// No place bears this code.
    #[error("no place has the code {0}; `zhiyin places tree` lists them")]
    NoPlace(String),
    /// A decision broke down: a defect of this program. The event becomes a dead letter and the batch goes on without it.
    #[error("the decision on event {0} broke down")]
    Broken(i64),
    /// What was due for a member, a timer or a version of the playbook, broke down: a defect of this program. Everybody else
    /// goes on.
    #[error("what was due for member {0} broke down")]
    Stuck(zhiyin_model::id::MemberId),
    /// There are more members than one search compares.
    #[error("more than {0} members: too many to be compared in one go")]
    TooManyMembers(usize),
    /// A playbook would change what an open draw promised.
    #[error("draw_open: draw {0} is open: until its list is closed its terms stand as they are")]
    DrawOpen(String),
    /// A data set is half in: the home cannot act before it is whole.
    #[error("an import of a data set was interrupted: run it again to its end first")]
    Replaying,
    /// The home is not sealed, so nothing of it can be erased for good.
    #[error(
        "not_sealed: this home is not sealed, so backups would keep what is erased; `zhiyin keys seal-home` first"
    )]
    NotSealed,
    /// A file could not be read.
    #[error("{file}: {message}")]
    File {
        /// Which.
        file: String,
        /// Why.
        message: String,
    },
    /// Something cannot be read like this.
    #[error(transparent)]
    Read(#[from] sight::ReadProblem),
    /// Somebody may not.
    #[error(transparent)]
    Denied(#[from] zhiyin_model::role::Denied),
    /// A key cannot be made or ended like this.
    #[error(transparent)]
    Key(#[from] keys::KeyProblem),
    /// Somebody cannot sign in like this, or be one who does.
    #[error(transparent)]
    SignIn(#[from] sign_in::SignInProblem),
    /// A request cannot be asked or answered like this.
    #[error(transparent)]
    Approval(#[from] approvals::ApprovalProblem),
    /// The books cannot be shown or closed like this.
    #[error(transparent)]
    Books(#[from] books::BooksProblem),
    /// An endpoint cannot be made or changed like this.
    #[error(transparent)]
    Webhook(#[from] webhooks::WebhookProblem),
    /// An audience cannot be asked for like this.
    #[error(transparent)]
    Audience(#[from] audience::AudienceProblem),
    /// Something cannot be simulated like this.
    #[error(transparent)]
    Simulation(#[from] simulate::SimulationProblem),
    /// A poster cannot be drawn.
    #[error(transparent)]
    Poster(#[from] zhiyin_reach::poster::PosterError),
    /// A list cannot be made or changed like this.
    #[error(transparent)]
    List(#[from] lists::ListProblem),
    /// A line of the audit log would be too long.
    #[error("audit {field}: {bytes} bytes, at most {max}")]
    AuditTooLong {
        /// Of what.
        field: &'static str,
        /// How long.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
}

/// Short for results of the engine.
pub type Result<T> = std::result::Result<T, EngineError>;

/// How events are decided: [`zhiyin_decide::decide`], or a test's own.
pub type Decider =
    fn(&Rules, &IdKey, &mut State, &Known, &Event, Cause<'_>) -> std::result::Result<Outcome, Stop>;

/// How everything is decided: as `zhiyin_decide` does, or a test's own.
#[derive(Clone, Copy)]
pub struct Decisions {
    /// Events.
    pub decide: Decider,
    /// Timers: [`zhiyin_decide::fall_due`].
    pub fall_due: fn(&Scene<'_>, &mut State, &Known, TimerKey) -> std::result::Result<Outcome, Stop>,
    /// Versions of the playbook that reach a member: [`zhiyin_decide::reach_version`].
    pub reach_version: fn(&Scene<'_>, &mut State) -> Outcome,
}

impl Default for Decisions {
    fn default() -> Self {
        let (fall_due, reach_version) = (zhiyin_decide::fall_due, zhiyin_decide::reach_version);
        Self { decide: zhiyin_decide::decide, fall_due, reach_version }
    }
}

/// A home at work.
pub struct Engine {
    pub(crate) decisions: Decisions,
    store: Arc<dyn Store>,
    live: RwLock<Option<Arc<Live>>>,
    pub(crate) places: RwLock<Option<Arc<places::Tree>>>,
    pub(crate) workers: Vec<Mutex<Worker>>,
    pub(crate) woken: watch::Sender<()>,
    /// Told of each batch that was written here: whoever waits for an outcome looks then.
    pub(crate) written: watch::Sender<()>,
    pub(crate) measures: Measures,
    pub(crate) audiences: audience::keep::Audiences,
    /// What is taken of pools, for what is sold out.
    pub(crate) seen: coupons::Seen,
    /// Posters that were read, and with which fonts.
    pub(crate) posters: posters::Posters,
    /// Where audiences are asked instead, once somebody said so.
    pub(crate) clickhouse: std::sync::OnceLock<audience::clickhouse::Afar>,
}

/// Tells the engines of one process apart.
static ENGINES: AtomicU64 = AtomicU64::new(0);

impl Engine {
    /// An engine over a store, with one worker; reads the live playbook if there is one.
    #[boxed]
    pub async fn open(store: Arc<dyn Store>) -> Result<Self> {
        Self::open_deciding(store, 1, Decisions::default()).await
    }

    /// The same with so many workers, each on shares of its own.
    #[boxed]
    pub async fn open_working(store: Arc<dyn Store>, workers: usize) -> Result<Self> {
        Self::open_deciding(store, workers, Decisions::default()).await
    }

    /// The same, and decides events in a way of its own.
    #[boxed]
    pub async fn open_with(store: Arc<dyn Store>, workers: usize, decide: Decider) -> Result<Self> {
        Self::open_deciding(store, workers, Decisions { decide, ..Decisions::default() }).await
    }

    /// The same, and decides everything in a way of its own: for tests of what happens when something breaks down.
    #[boxed]
    pub async fn open_deciding(store: Arc<dyn Store>, workers: usize, decisions: Decisions) -> Result<Self> {
        // What tells this engine's workers from all others, on this machine and elsewhere: nobody else bears the name.
        let name =
            format!("{}-{}-{}", clock::wall().0, std::process::id(), ENGINES.fetch_add(1, Ordering::Relaxed));
        let measures = Measures::new();
        let workers = (0..workers.max(1))
            .map(|n| Mutex::new(Worker::new(format!("{name}-{n}"), measures.shares_held())));
        let engine = Self {
            decisions,
            store,
            live: RwLock::new(None),
            places: RwLock::new(None),
            workers: workers.collect(),
            woken: watch::Sender::new(()),
            written: watch::Sender::new(()),
            measures,
            audiences: audience::keep::Audiences::default(),
            seen: coupons::Seen::default(),
            posters: posters::Posters::default(),
            clickhouse: std::sync::OnceLock::new(),
        };
        engine.reload().await?;
        engine.note_halts().await?;
        Ok(engine)
    }

    /// The store beneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What the home is now.
    #[boxed]
    pub async fn home(&self) -> Result<Home> {
        Ok(self.store.home().await?)
    }

    /// The live playbook.
    pub fn live(&self) -> Result<Arc<Live>> {
        self.live.read().ok().and_then(|live| live.clone()).ok_or(EngineError::NoPlaybook)
    }

    /// Up to where one person decides alone, by the live playbook.
    pub fn alone(&self) -> Limits {
        self.live().map_or_else(|_| Limits::default(), |live| live.playbook.alone)
    }

    /// The live playbook, which is of this version.
    pub(crate) async fn live_at(&self, version: i64) -> Result<Arc<Live>> {
        if self.live.read().ok().and_then(|live| live.as_ref().map(|live| live.version.version))
            != Some(version)
        {
            self.reload().await?;
        }
        self.live()
    }

    /// Forgets the members that memory holds between batches: for measurements of what it costs to read them.
    #[boxed]
    pub async fn forget(&self) {
        for worker in &self.workers {
            worker.lock().await.forget();
        }
    }

    /// Wakes the pipeline: there is something to do.
    pub fn wake(&self) {
        self.woken.send_replace(());
    }
}
