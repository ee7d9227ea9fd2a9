//! A platform to prove the engine against: WeCom's server API, WeChat, WeChat Pay, shops, short messages of Aliyun and Tencent Cloud, and the phones behind them, in one process that owns the time.
//!
//! Written from the platform's documentation, never from our client: what both get wrong would otherwise look right. What is
//! simulated, and how, is in `README.md`; every number of the platform is in `limits.json` with its date and source.
//!
//! A way in: [`start`] opens the door; `door` takes a call of the server API through tokens, limits and faults to `api`, one
//! function an endpoint; `control` is what phones, staff and tests do; `world` is the state, `pay` that of WeChat Pay, `wechat` that of accounts and mini programs, `sms` that of short messages, `shops` that of shops; `queue` and `deliver` bring callbacks.

mod api;
mod calendar;
mod chance;
mod clock;
mod control;
pub mod crypto;
mod deliver;
mod door;
mod faults;
mod http;
mod limits;
mod meters;
mod pay;
mod queue;
mod shops;
mod sms;
mod wechat;
mod world;

pub use pay::crypto as merchant;

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use clock::Mode;
use limits::Limits;
use world::World;

/// 2026-01-05, a Monday, 9:00 in Beijing: when a run begins that is told no time.
pub const START_MS: i64 = 1_767_574_800_000;
/// How often the wall clock is looked at, where time is real.
const TICK: Duration = Duration::from_millis(20);

/// How a platform begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of every random choice.
    pub seed: u64,
    /// What time it is then, in milliseconds since 1970.
    pub start_ms: i64,
    /// The corp's id.
    pub corpid: String,
    /// The port, a free one where 0.
    pub port: u16,
    /// Where the time is written, 8 bytes, little end first.
    pub clock_file: Option<PathBuf>,
    /// A file of limits instead of the shipped one.
    pub limits_file: Option<PathBuf>,
    /// Whether time goes with the wall clock, and how many times as fast.
    pub real_speed: Option<i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            start_ms: START_MS,
            corpid: "ww5f1a2b3c4d5e6f70".to_owned(),
            port: 0,
            clock_file: None,
            limits_file: None,
            real_speed: None,
        }
    }
}

/// The platform behind its door.
pub(crate) struct Sim {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    pool: deliver::Pool,
    /// One advance at a time.
    steps: tokio::sync::Mutex<()>,
}

impl Sim {
    /// Changes something, then does what is due and lets time go on where it may.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let result = {
            let mut world = self.lock();
            world.follow_wall();
            world.run_due();
            let result = change(&mut world);
            world.run_due();
            while world.jump() {}
            result
        };
        self.changed.send_modify(|n| *n += 1);
        result
    }

    /// Looks, or changes what nobody waits for.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, mut holds: impl FnMut(&World) -> bool + Send) {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            if holds(&self.lock()) {
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A platform that runs until this is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the door on 127.0.0.1.
///
/// # Errors
/// Where the port is taken, or one of the files cannot be read or written.
pub async fn start(options: Options) -> io::Result<Running> {
    let limits = options.limits_file.as_ref().map(std::fs::read_to_string).transpose()?;
    let limits = Limits::read(limits.as_deref()).map_err(io::Error::other)?;
    let clock_file = options.clock_file.as_ref().map(open_clock).transpose()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let mut world = World::new(options.seed, options.start_ms, options.corpid, limits, clock_file);
    if let Some(speed) = options.real_speed {
        world.clients.mode =
            Mode::Real { base: Instant::now(), base_ms: options.start_ms, speed: speed.clamp(1, 10_000) };
    }
    let (changed, _) = watch::channel(0);
    let pool = deliver::Pool::default();
    let sim = Arc::new(Sim { world: Mutex::new(world), changed, pool, steps: tokio::sync::Mutex::new(()) });
    let serving = Arc::clone(&sim);
    let ticking = Arc::clone(&sim);
    let tasks = vec![
        tokio::spawn(async move {
            let _ = http::serve(serving, listener).await;
        }),
        tokio::spawn(deliver::run(Arc::clone(&sim))),
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                if ticking.lock().is_real() {
                    ticking.with(|_| ());
                }
            }
        }),
    ];
    Ok(Running { address, tasks })
}

/// The file is made 8 bytes long and then only written in place, so that whoever maps it sees each time.
fn open_clock(path: &PathBuf) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    file.set_len(8)?;
    Ok(file)
}
