//! Connections: a pool for the pipeline, whose statements go by index only and are planned once; one for long looks; and
//! transactions that send all they have to say at once.
//!
//! A connection whose transaction was not ended in order is thrown away, never given back: nobody finds another's
//! transaction open.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts, Transaction,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row, Statement};
use zhiyin_store::{Result, StoreError};

use crate::config::Address;
use crate::rows::{chain, database};
use crate::schemas::Schemas;
use crate::survey::Given;

/// A commit that was confirmed is on disk, whatever the server does by itself.
const DURABLE: (&str, &str) = ("synchronous_commit", "on");
/// Plans for the pipeline, each made once. They go by index, from the few rows that are given to those that are looked up,
/// whatever a table's size is when the plan is made: rows cost, pages and comparisons hardly do.
pub const PIPELINE: [(&str, &str); 14] = [
    DURABLE,
    ("enable_nestloop", "on"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("seq_page_cost", "0"),
    ("random_page_cost", "0"),
    ("cpu_operator_cost", "0.0001"),
    ("join_collapse_limit", "1"),
    ("from_collapse_limit", "1"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    // A process that was stopped in the middle does not hold the home for ever.
    ("idle_in_transaction_session_timeout", "60s"),
];
const SURVEY: [(&str, &str); 2] = [DURABLE, ("jit", "off")];
/// How long one waits for a connection while all are in use.
const WAIT: Duration = Duration::from_secs(60);

/// The connections of one process to a home.
pub(crate) struct Connections {
    pipeline: Pool,
    surveys: Pool,
    pub(crate) schemas: Schemas,
}

fn pool(address: &Address, settings: &[(&str, &str)], size: usize) -> Result<Pool> {
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let timeouts = Timeouts { wait: Some(WAIT), create: None, recycle: None };
    Pool::builder(Manager::from_config(address.with(settings), NoTls, manager))
        .max_size(size)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Database(chain(&error)))
}

fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => database(error),
        PoolError::Timeout(_) => StoreError::Database("no connection became free in time".to_owned()),
        error => StoreError::Database(chain(&error)),
    }
}

impl Connections {
    /// The connections that an address names; none is made yet.
    pub(crate) fn new(address: &Address, schemas: Schemas) -> Result<Self> {
        let pipeline = pool(address, &PIPELINE, address.connections)?;
        let surveys = pool(address, &SURVEY, (address.connections / 2).max(1))?;
        Ok(Self { pipeline, surveys, schemas })
    }

    async fn client(&self) -> Result<Client> {
        self.pipeline.get().await.map_err(unavailable)
    }

    /// A connection of the pipeline, for single statements.
    pub(crate) async fn session(&self) -> Result<Session<'_>> {
        Ok(Session { client: self.client().await?, schemas: &self.schemas })
    }

    /// A connection for a long look; see [`snapshot`].
    pub(crate) async fn survey(&self) -> Result<Client> {
        self.surveys.get().await.map_err(unavailable)
    }

    /// Lets all connections go.
    pub(crate) fn close(&self) {
        self.pipeline.close();
        self.surveys.close();
    }
}

/// One snapshot for a long look. What it asks is prepared once a connection.
pub(crate) async fn snapshot(client: &mut Client) -> Result<Transaction<'_>> {
    let isolation = tokio_postgres::IsolationLevel::RepeatableRead;
    client.build_transaction().isolation_level(isolation).read_only(true).start().await.map_err(database)
}

/// A statement, and the shard for which it is written; any, if it is about what there is once.
pub(crate) type Of = (&'static str, usize);
/// What a statement is given, as a list that can be built up.
pub(crate) type Values<'p> = Vec<&'p (dyn ToSql + Sync)>;
/// What the driver says.
pub(crate) type Outcome<T> = std::result::Result<T, tokio_postgres::Error>;

/// A connection of the pipeline.
pub(crate) struct Session<'s> {
    pub(crate) client: Client,
    pub(crate) schemas: &'s Schemas,
}

impl<'s> Session<'s> {
    async fn prepare(&self, (template, shard): Of) -> Outcome<Statement> {
        // One shard is the rule, and a name costs little beside a round trip.
        self.client.prepare_cached(&self.schemas.sql(template, shard)).await
    }

    /// All rows of one statement.
    pub(crate) async fn rows(&self, of: Of, given: Given<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(of).await.map_err(database)?;
        self.client.query(&statement, given).await.map_err(database)
    }

    /// The first row of one statement, if it has any.
    pub(crate) async fn row(&self, of: Of, given: Given<'_>) -> Result<Option<Row>> {
        Ok(self.rows(of, given).await?.into_iter().next())
    }

    /// Runs one statement; how many rows it wrote.
    pub(crate) async fn run(&self, of: Of, given: Given<'_>) -> Result<u64> {
        let statement = self.prepare(of).await.map_err(database)?;
        self.client.execute(&statement, given).await.map_err(database)
    }

    /// Rows of several statements that are sent together, each in a snapshot of its own.
    pub(crate) async fn ask(&self, asks: Vec<(Of, Values<'_>)>) -> Result<Vec<Vec<Row>>> {
        let steps = asks.into_iter().map(|(of, given)| Step::Ask(of, given)).collect();
        let said = self.send(steps).await.map_err(database)?;
        Ok(said.into_iter().map(Said::rows).collect())
    }

    async fn send(&self, steps: Vec<Step<'_>>) -> Outcome<Vec<Said>> {
        let (said, failed) = self.send_all(steps).await;
        failed.map_or(Ok(said), Err)
    }

    /// Sends steps together; they run one after the other. What they said up to the first failure, which is the one that
    /// counts: it fails those after it.
    async fn send_all(&self, steps: Vec<Step<'_>>) -> (Vec<Said>, Option<tokio_postgres::Error>) {
        // What is sent must be sent in its order, so nothing may still have to be prepared between.
        let mut prepared = Vec::with_capacity(steps.len());
        for step in &steps {
            prepared.push(match step {
                Step::Say(_) => None,
                Step::Run(of, _) | Step::Ask(of, _) => match self.prepare(*of).await {
                    Ok(statement) => Some(statement),
                    Err(error) => return (Vec::new(), Some(error)),
                },
            });
        }
        let answers = steps.iter().zip(&prepared).map(|(step, statement)| -> Answer<'_> {
            let client = &self.client;
            match (step, statement) {
                (Step::Run(_, given), Some(statement)) => {
                    Box::pin(async move { client.execute(statement, given).await.map(Said::Count) })
                }
                (Step::Ask(_, given), Some(statement)) => {
                    Box::pin(async move { client.query(statement, given).await.map(Said::Rows) })
                }
                (Step::Say(words), _) => {
                    Box::pin(async move { client.batch_execute(words).await.map(|()| Said::Count(0)) })
                }
                _ => Box::pin(std::future::ready(Ok(Said::Count(0)))),
            }
        });
        let mut said = Vec::with_capacity(steps.len());
        for answer in in_order(answers.collect()).await {
            match answer {
                Ok(answer) => said.push(answer),
                Err(error) => return (said, Some(error)),
            }
        }
        (said, None)
    }

    /// A transaction. Its first step says `BEGIN`, its last one `COMMIT`.
    pub(crate) fn transaction(self) -> Tx<'s> {
        Tx { session: Some(self) }
    }
}

/// One thing to be sent.
pub(crate) enum Step<'p> {
    /// Words that give no rows and take no values.
    Say(&'p str),
    /// A statement that counts rows.
    Run(Of, Values<'p>),
    /// A statement that gives rows.
    Ask(Of, Values<'p>),
}

/// What came back.
pub(crate) enum Said {
    /// How many rows were written.
    Count(u64),
    /// Rows.
    Rows(Vec<Row>),
}

impl Said {
    /// How many rows.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Count(n) => usize::try_from(*n).unwrap_or(usize::MAX),
            Self::Rows(rows) => rows.len(),
        }
    }

    /// The rows, if it was asked for any.
    pub(crate) fn rows(self) -> Vec<Row> {
        match self {
            Self::Count(_) => Vec::new(),
            Self::Rows(rows) => rows,
        }
    }
}

type Answer<'f> = Pin<Box<dyn Future<Output = Outcome<Said>> + Send + 'f>>;

/// Polls futures in their order until all are done: so what they send is sent in that order, without waiting in between.
async fn in_order(mut futures: Vec<Answer<'_>>) -> Vec<Outcome<Said>> {
    let mut answers: Vec<Option<Outcome<Said>>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, answer) in futures.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(done) => *answer = Some(done),
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// A transaction on a connection of its own.
pub(crate) struct Tx<'s> {
    session: Option<Session<'s>>,
}

impl Tx<'_> {
    /// The connection, for what is not sent in steps.
    pub(crate) fn session(&self) -> Result<&Session<'_>> {
        self.session.as_ref().ok_or(StoreError::Stopped)
    }

    /// Sends steps together.
    pub(crate) async fn send(&self, steps: Vec<Step<'_>>) -> Outcome<Vec<Said>> {
        match &self.session {
            Some(session) => session.send(steps).await,
            None => Ok(Vec::new()),
        }
    }

    /// Sends steps together; what they said up to the first failure.
    pub(crate) async fn send_all(&self, steps: Vec<Step<'_>>) -> (Vec<Said>, Option<tokio_postgres::Error>) {
        match &self.session {
            Some(session) => session.send_all(steps).await,
            None => (Vec::new(), None),
        }
    }

    /// Ends it as it went: committed by its last step, or undone. Where even that fails the connection is thrown away.
    pub(crate) async fn end<T>(mut self, went: Result<T>) -> Result<T> {
        if went.is_ok() || self.send(vec![Step::Say("ROLLBACK")]).await.is_ok() {
            drop(self.session.take());
        }
        went
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // Whoever waited for it went away in the middle: PostgreSQL undoes it when the connection ends.
            drop(Object::take(session.client));
        }
    }
}
