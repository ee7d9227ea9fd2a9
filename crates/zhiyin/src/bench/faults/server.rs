//! A home of the fault test on a PostgreSQL server: connections that are cut, and in a few seeds a server that ends without
//! a word and starts again.
//!
//! The server is restarted only if it is one that `./run` started for its tests, in a folder of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio_postgres::{Client, NoTls};
use zhiyin_store::Store;
use zhiyin_store_pg::{Left, PgStore};

use super::ground::Outage;
use super::items::KEY;

/// Connections of each process.
const CONNECTIONS: u32 = 2;
/// How often one looks whether something has come about on the server, and how long one waits in between.
const LOOKS_MAX: u32 = 30_000;
const PAUSE: Duration = Duration::from_millis(2);
/// What the folder of a server that `./run` started is called.
const FOLDER: &str = "zhiyin-postgres.";

/// One in so many disasters is one.
const SPARED: u64 = 3;

const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1";
const LEFT: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE $1";
/// Sessions in which something goes on, or which hold something.
const BUSY: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = $1 \
    AND (state IS DISTINCT FROM 'idle' OR EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = pg_stat_activity.pid))";

/// A home on a server.
pub struct Server {
    url: String,
    home: String,
    shards: u32,
    watch: Client,
    /// Where the server can be restarted from, if this seed may do that.
    cluster: Option<Cluster>,
    lines: Mutex<Lines>,
}

/// Connections that processes leave to those after them, as one that stands between them and a server would do: to make one, and
/// to have everything planned on it, takes longer than what is asked. What was going on in one when its process ended is undone,
/// and the connection is gone.
#[derive(Default)]
struct Lines {
    /// Those that no process has, each with what it is called on the server.
    idle: Vec<(String, Left)>,
    /// Those of the processes; of what was cut nothing is left for others.
    of: BTreeMap<String, (String, Option<Left>)>,
}

/// A home that seeds of this thread have done with, emptied: to make one takes as long as a seed.
struct Spare {
    shards: u32,
    home: String,
    idle: Vec<(String, Left)>,
}

/// How many lines were named: none is called as another that is still there.
static LINES: AtomicU32 = AtomicU32::new(0);
/// Homes that were made, to be done away with.
static MADE: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());

thread_local! {
    static SPARE: RefCell<Vec<Spare>> = const { RefCell::new(Vec::new()) };
}

impl Server {
    /// A new home of this name, unless one is spare.
    pub async fn new(url: &str, home: &str, shards: u32, cluster: Option<Cluster>) -> Result<Self> {
        let watch = connect(url).await?;
        let found = SPARE.with_borrow_mut(|spare| {
            let fits = spare.iter().position(|spare| spare.shards == shards);
            fits.map(|at| spare.swap_remove(at))
        });
        let Spare { home, idle, .. } = found.unwrap_or_else(|| {
            MADE.lock().unwrap_or_else(PoisonError::into_inner).push((shards, home.to_owned()));
            Spare { shards, home: home.to_owned(), idle: Vec::new() }
        });
        let lines = Mutex::new(Lines { idle, ..Lines::default() });
        Ok(Self { url: url.to_owned(), home, shards, watch, cluster, lines })
    }

    /// Does away with the homes that were made.
    pub async fn leave(url: &str) -> Result<()> {
        let homes = std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner));
        for (shards, home) in homes {
            let watch = connect(url).await?;
            let server =
                Self { url: url.to_owned(), home, shards, watch, cluster: None, lines: Mutex::default() };
            PgStore::open(&server.address("clear"), &KEY).await?.drop_home().await?;
        }
        Ok(())
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self, name: &str) -> String {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        let Self { url, home, shards, .. } = self;
        format!(
            "{url}{mark}home={home}&slots=16&shards={shards}&connections={CONNECTIONS}&application_name={home}-{name}"
        )
    }

    /// Opens the home as a process of this name.
    pub async fn open(&self, name: &str) -> Result<Arc<dyn Store>> {
        let idle = self.lines().idle.pop();
        let (line, left) = match idle {
            Some((line, left)) => (line, Some(left)),
            None => (format!("l{}", LINES.fetch_add(1, Ordering::Relaxed)), None),
        };
        let store = PgStore::open_over(&self.address(&line), &KEY, left.as_ref()).await?;
        self.lines().of.insert(name.to_owned(), (line, Some(store.leaves())));
        Ok(Arc::new(store))
    }

    /// Returns once nothing that a process began goes on, and nothing that it held is held.
    pub async fn ended(&self, name: &str) -> Result<()> {
        let Some((line, left)) = self.lines().of.remove(name) else { return Ok(()) };
        let session = format!("{}-{line}", self.home);
        let Some(left) = left else { return self.none_left(&session).await };
        for _ in 0..LOOKS_MAX {
            let busy: i64 = match left.is_let_go() {
                true => self.watch.query_one(BUSY, &[&session]).await?.try_get(0)?,
                false => 1,
            };
            if busy == 0 {
                self.lines().idle.push((line, left));
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("session {session} does not end")
    }

    async fn none_left(&self, sessions: &str) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            let left: i64 = self.watch.query_one(LEFT, &[&sessions]).await?.try_get(0)?;
            if left == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("sessions {sessions} do not end")
    }

    /// All sessions of the home are cut, or the server ends, with the processes or without them. Mostly it is spared: making
    /// connections anew is dear.
    pub async fn fail(&mut self, chance: u64) -> Result<Outage> {
        if !chance.is_multiple_of(SPARED) {
            return Ok(Outage::None);
        }
        // What stands is of before.
        {
            let mut lines = self.lines();
            lines.idle.clear();
            lines.of.values_mut().for_each(|(_, left)| *left = None);
        }
        match &self.cluster {
            Some(cluster) => {
                cluster.restart()?;
                self.watch = connect(&self.url).await?;
            }
            None => {
                let sessions = format!("{}-%", self.home);
                self.watch.execute(CUT, &[&sessions]).await?;
                self.none_left(&sessions).await?;
            }
        }
        Ok(if (chance / SPARED).is_multiple_of(2) { Outage::All } else { Outage::Connections })
    }

    /// The home is as a new one, for another seed.
    pub async fn clear(self) -> Result<()> {
        let names: Vec<String> = self.lines().of.keys().cloned().collect();
        for name in names {
            self.ended(&name).await?;
        }
        PgStore::open(&self.address("clear"), &KEY).await?.empty_quiet_home(&KEY).await?;
        let idle = std::mem::take(&mut self.lines().idle);
        let spare = Spare { shards: self.shards, home: self.home, idle };
        SPARE.with_borrow_mut(|spares| spares.push(spare));
        Ok(())
    }
}

async fn connect(url: &str) -> Result<Client> {
    for _ in 0..LOOKS_MAX {
        // One that is starting takes nobody yet.
        if let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await {
            tokio::spawn(connection);
            return Ok(client);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("the server does not answer")
}

/// A server that may be restarted.
#[derive(Clone, Debug)]
pub struct Cluster {
    url: String,
    programs: PathBuf,
    data: PathBuf,
    port: String,
    /// It runs as another user than we do.
    as_other: bool,
}

impl Cluster {
    /// The cluster behind an address, if `./run` started it; else why it is left alone.
    pub async fn behind(url: &str) -> Result<std::result::Result<Self, String>> {
        let client = connect(url).await?;
        let shown =
            async |what: &str| -> Result<String> { Ok(client.query_one(what, &[]).await?.try_get(0)?) };
        let data = PathBuf::from(shown("SHOW data_directory").await?);
        let ours = data
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|name| name.to_string_lossy().starts_with(FOLDER));
        if !ours || !data.join("postmaster.pid").exists() {
            return Ok(Err("the server is not one that ./run started".to_owned()));
        }
        let programs = PathBuf::from(shown("SELECT setting FROM pg_config WHERE name = 'BINDIR'").await?);
        let port = shown("SHOW port").await?;
        let owner = |path: &Path| -> Result<u32> {
            use std::os::unix::fs::MetadataExt;
            Ok(std::fs::metadata(path)?.uid())
        };
        let as_other = owner(&data)? != owner(Path::new("/proc/self"))?;
        let (user, name) =
            (shown("SELECT current_user::text").await?, shown("SELECT current_database()::text").await?);
        let socket = shown("SHOW unix_socket_directories").await?;
        let url = format!("postgres://{user}@/{name}?host={socket}&port={port}");
        Ok(Ok(Self { url, programs, data, port, as_other }))
    }

    /// Whether commits wait for the disk, and so on. What is tested here ends processes and never the machine: without that
    /// nothing is less sure, and the test is done in time.
    pub async fn hurry(&self, hurry: bool) -> Result<()> {
        let client = connect(&self.url).await?;
        let settings = [
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("autovacuum", "off"),
            // Without statistics of so few rows, it would go through a table for each row of another.
            ("enable_nestloop", "off"),
            // To go through a few rows with two more processes takes as long as to start them.
            ("max_parallel_workers_per_gather", "0"),
            // Tables are small and sessions many: a plan that fits all is as good, and made once.
            ("plan_cache_mode", "force_generic_plan"),
        ];
        for (setting, in_a_hurry) in settings {
            let words = match hurry {
                true => format!("ALTER SYSTEM SET {setting} = {in_a_hurry}"),
                false => format!("ALTER SYSTEM RESET {setting}"),
            };
            client.batch_execute(&words).await?;
        }
        client.batch_execute("SELECT pg_reload_conf()").await?;
        Ok(())
    }

    /// Its address, by a way that is shorter than the network.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server without a word to anybody, and starts it again.
    pub fn restart(&self) -> Result<()> {
        self.control(&["stop", "--mode=immediate", "--timeout=20"])?;
        let options = format!("-p {}", self.port);
        let log = self.data.parent().context("no folder")?.join("log");
        self.control(&[
            "start",
            "--wait",
            "--timeout=60",
            "--options",
            &options,
            "--log",
            &log.display().to_string(),
        ])
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let program = self.programs.join("pg_ctl");
        let mut command = if self.as_other {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let folder = self.data.parent().context("no folder")?;
        let status = command
            .args(arguments)
            .arg("--pgdata")
            .arg(&self.data)
            .arg("--silent")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "pg_ctl {arguments:?} ended with {status}");
        Ok(())
    }
}
