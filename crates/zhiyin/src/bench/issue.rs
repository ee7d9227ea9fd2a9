//! `zhiyin bench issue`: a coupon to everybody in a home of many members, by the command that people use, in a process of its
//! own: written down, taken in, decided and on disk.
//!
//! Each member must have got exactly one, the doctor must find nothing, and the same command said again must issue none, or no
//! figure is shown.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use zhiyin_engine::accept::Source;
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::brand::{self, Shape};
use super::ingest::Folder;
use super::print::thousands;

/// The home's id key: nothing in it is secret.
const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// How often one looks how much memory the process has.
const LOOK: Duration = Duration::from_millis(100);
const PLAYBOOK: &str = "playbook: bench
extends: variety-store
offers:
  spring: { name: { zh: 春券, en: Spring }, lane: coupon, off: 5, coupon: { valid: 30d, remind: 2d }, limit: 1 per member, stock: 100000000 }
";

/// Measures and prints.
pub async fn issue(members: u64) -> Result<ExitCode> {
    let members = u32::try_from(members).context("fewer members, please")?;
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-issue-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    let path = folder.0.join("zhiyin.db");
    let watch = clock::stopwatch();
    fill(Shape { members, orders: 1, days: 30 }, &path).await?;
    eprintln!("{} members with an order each, {} s", thousands(members.into()), watch.elapsed().as_secs());
    let before = bytes(&path);
    let (took, resident_kb) = run(&folder.0).await?;
    let grown = bytes(&path).saturating_sub(before);
    proved(&path, members).await?;
    let (again, _) = run(&folder.0).await?;
    proved(&path, members).await?;
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    println!(
        "A coupon of which one member gets one, from a bounded stock, to everybody; SQLite, WAL, synchronous=FULL; from the command's\n\
         start to its end: whom it is for is written down, taken in, decided, on disk.\n"
    );
    let columns = ["members", "seconds", "members/s", "memory MB", "bytes each", "said again, s"];
    println!("{}", columns.map(|name| format!("{name:>14}")).concat());
    println!(
        "{:>14}{:>14}{:>14}{:>14}{:>14}{:>14}",
        thousands(members.into()),
        tenths(took),
        thousands(u64::from(members) * 1_000_000 / micros),
        resident_kb / 1024,
        grown / u64::from(members),
        tenths(again)
    );
    Ok(ExitCode::SUCCESS)
}

fn tenths(took: Duration) -> String {
    let tenths = took.as_millis() / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// A home whose business has begun, with members who ordered once.
async fn fill(shape: Shape, path: &Path) -> Result<()> {
    let store = SqliteStore::open_with(path, &KEY, Durability::Relaxed)?;
    let engine = Engine::open(Arc::new(store)).await?;
    let Ok((playbook, _)) = playbooks::read_given(PLAYBOOK) else { bail!("the playbook does not read") };
    engine.apply_at(&playbook, Some(shape.begins())).await?;
    let source = Source {
        name: "history".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let orders: Vec<u64> = (0..shape.orders_all()).collect();
    for part in orders.chunks(brand::CHUNK_MAX) {
        let items: Vec<Vec<u8>> = part.iter().map(|n| shape.order(*n)).collect();
        engine.accept(&source, &items, None).await?;
        let done = engine.drain(brand::CHUNK_MAX, Some(Ts::MIN), |_| ()).await?;
        ensure!(done.dead == 0, "an order was not decided");
    }
    engine.begin_business().await?;
    Ok(())
}

/// Runs the command; how long it took, and the most memory that it had.
async fn run(home: &Path) -> Result<(Duration, u64)> {
    let watch = clock::stopwatch();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["coupon", "issue", "spring", "--audience", "true", "--batch", "bench", "--home"])
        .arg(home)
        .stdout(Stdio::null())
        .spawn()?;
    let mut resident_kb = 0;
    loop {
        // The most it ever had: where a look comes too late, the last one before counts.
        resident_kb = resident_kb.max(resident_kb_of(child.id()));
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the command ended with {status}");
            return Ok((watch.elapsed(), resident_kb));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The most memory that a process had so far; 0 where nobody tells.
fn resident_kb_of(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// Fails unless everybody got one, and all is well.
async fn proved(path: &Path, members: u32) -> Result<()> {
    let engine = Engine::open(Arc::new(SqliteStore::open(path, &KEY)?)).await?;
    let view = engine.issue_view(1).await?.context("there is no issue")?;
    let all = i64::from(members);
    ensure!(
        view.members == Some(all) && view.issued == all && view.not_issued.is_empty(),
        "issued to {} of {all}",
        view.issued
    );
    let taken = engine.store().coupons().pools(vec!["offer/spring/stock".to_owned()]).await?;
    ensure!(taken.values().sum::<i64>() == all, "what is taken of the stock is not what was issued");
    for check in engine.store().doctor().await? {
        ensure!(check.broken.is_empty(), "{}: {:?}", check.invariant, check.broken);
    }
    Ok(())
}
