//! `zhiyin bench campaign`: a message to everybody in a home of many members (planned, guarded, rendered and queued), and what a
//! tick of the scheduler costs when ten thousand, a hundred thousand or a million runs wait.
//!
//! Each home is worked in a process of its own, whose memory is looked at. Everybody must have begun once and been sent or held
//! out once, and the doctor must find nothing, or no figure is shown.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use zhiyin_engine::accept::{Source, Verdict, latest, prepare};
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_store_sqlite::{Durability, SqliteStore};

use super::brand::{self, Shape};
use super::ingest::Folder;
use super::print::thousands;
use super::rounds::told;
use crate::arguments::Place;

/// How `campaign` asks a process of its own for the work.
pub const WORK: &str = "campaign-work";
/// The homes' id key: nothing in them is secret.
const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// How many runs wait, beside as many as there are members.
const WAITING: [u64; 2] = [10_000, 100_000];
/// How often a tick is measured.
const TICKS: u32 = 20;
/// How often a tick with nothing to do is measured beside each of them.
const IDLE: u32 = 10;
/// For how long what an order sets off waits.
const WAIT_US: i64 = 300_000_000;
/// Ten o'clock of the day after history ends: two hours before measured orders are placed.
const SENT_AT: Ts = brand::ROUNDS_BEGIN.plus_us(-2 * HOUR_US);
/// An hour before: the home is at rest, and somebody applies the campaign.
const APPLIED_AT: Ts = SENT_AT.plus_us(-HOUR_US);
/// All rails are asked, and the text has variables.
const PLAYBOOK: &str = "playbook: bench
extends: variety-store
consent:
  purposes:
    news: { channels: [inbox], needed: false }
audiences:
  everybody: { who: size(orders) >= 1, standing: true }
messages:
  hi:
    text: { zh: '您好，您有 {{ points }} 积分，{{ tier }} 会员。', en: 'Hello, you have {{ points }} points ({{ tier }}).' }
    sells: false
sending:
  never: size(orders) >= 1000000
  complaint: size(orders) >= 1000001
  quiet: { inbox: 22:00-08:00 }
  caps: [3 per member per 7d]
  quota: { inbox: 1000000000 per day }
";
/// What is applied to a home that lives by the playbook above.
const CAMPAIGNS: &str = "campaigns:
  sunday:
    purpose: news
    on: every sun at 10:00 in everybody
    steps:
      - { send: hi, by: inbox }
      - wait: 30d
  thanks:
    purpose: news
    on: event Order Completed
    again: per order_id
    holdout: 0%
    steps:
      - wait: 5m
      - { send: hi, by: inbox }
";

/// What the work in one home came to.
#[derive(Clone, Copy, Debug)]
struct Worked {
    planned_us: u64,
    sent_us: u64,
    sent: u64,
    idle_us: u64,
    due_us: u64,
    resident_kb: u64,
}

/// Measures and prints.
pub async fn campaign(members: u64) -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-campaign-{}", std::process::id())));
    let sizes = WAITING.into_iter().filter(|waiting| *waiting < members).chain([members]);
    let mut worked = Vec::new();
    for size in sizes {
        let path = folder.0.join(size.to_string());
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        let watch = clock::stopwatch();
        let shape =
            Shape { members: u32::try_from(size).context("fewer members, please")?, orders: 1, days: 30 };
        fill(shape, &path.join("zhiyin.db")).await?;
        eprintln!("{} members with an order each, {} s", thousands(size), watch.elapsed().as_secs());
        let one = run(&path, size)?;
        proved(&path.join("zhiyin.db"), size, one.sent).await?;
        worked.push((size, one));
    }
    print(&worked);
    Ok(ExitCode::SUCCESS)
}

fn print(worked: &[(u64, Worked)]) {
    println!(
        "A message to everybody at 10:00 of a Sunday, from an audience; SQLite, WAL, synchronous=FULL. Planned: from when the campaign is\n\
         applied to a home that lives until everybody's timer is set. Sent: guarded by every rail, rendered, in the outbox, on disk.\n"
    );
    let columns = ["members", "planned, s", "sent, s", "members/s", "memory MB"];
    println!("{}", columns.map(|name| format!("{name:>14}")).concat());
    for (members, one) in worked {
        let micros = (one.planned_us + one.sent_us).max(1);
        println!(
            "{:>14}{:>14}{:>14}{:>14}{:>14}",
            thousands(*members),
            tenths(one.planned_us),
            tenths(one.sent_us),
            thousands(members * 1_000_000 / micros),
            one.resident_kb / 1024
        );
    }
    println!(
        "\nA tick of the scheduler while so many runs wait: with nothing due, and with {} due (middle of {TICKS}).\n",
        brand::ROUND
    );
    println!(
        "{}",
        ["runs waiting", "idle, us", "due, us", "of the first"].map(|name| format!("{name:>14}")).concat()
    );
    let first = worked.first().map_or(1, |(_, one)| one.due_us).max(1);
    for (members, one) in worked {
        let ratio = one.due_us * 100 / first;
        println!(
            "{:>14}{:>14}{:>14}{:>14}",
            thousands(*members),
            one.idle_us,
            one.due_us,
            format!("{}.{:02}", ratio / 100, ratio % 100)
        );
    }
}

fn tenths(micros: u64) -> String {
    format!("{}.{}", micros / 1_000_000, micros / 100_000 % 10)
}

/// A home with members who ordered once, whose business began and who are all looked after up to now.
async fn fill(shape: Shape, path: &Path) -> Result<()> {
    let store = SqliteStore::open_with(path, &KEY, Durability::Relaxed)?;
    let engine = Engine::open(Arc::new(store)).await?;
    engine.apply_at(&read(PLAYBOOK)?, Some(shape.begins())).await?;
    let source = Source {
        name: "history".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let chunk = brand::CHUNK_MAX.min(shape.members as usize);
    let orders: Vec<u64> = (0..shape.orders_all()).collect();
    for part in orders.chunks(chunk) {
        let items: Vec<Vec<u8>> = part.iter().map(|n| shape.order(*n)).collect();
        engine.accept(&source, &items, None).await?;
        let done = engine.drain(chunk, Some(Ts::MIN), |_| ()).await?;
        ensure!(done.dead == 0, "an order was not decided");
    }
    engine.begin_business().await?;
    engine.drain(chunk, Some(APPLIED_AT), |_| ()).await?;
    Ok(())
}

fn read(text: &str) -> Result<Playbook> {
    match playbooks::read_given(text) {
        Ok((playbook, _)) => Ok(playbook),
        Err(problems) => bail!("the playbook does not read: {problems:?}"),
    }
}

/// Has a home worked by a process of its own.
fn run(home: &Path, members: u64) -> Result<Worked> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["bench", WORK, "--home"])
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    writeln!(child.stdin.take().context("a process without input")?, "{members}")?;
    let out = child.wait_with_output()?;
    ensure!(out.status.success(), "the work ended with {}", out.status);
    let text = String::from_utf8(out.stdout)?;
    let numbers: Vec<u64> =
        text.split_whitespace().map(|number| number.parse().context("no number")).collect::<Result<_>>()?;
    let [planned_us, sent_us, sent, idle_us, due_us, resident_kb] = numbers[..] else {
        bail!("the work ended without an answer")
    };
    Ok(Worked { planned_us, sent_us, sent, idle_us, due_us, resident_kb })
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn middle(mut took: Vec<u64>) -> u64 {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or(0)
}

/// The work itself: plans, sends, and ticks while runs wait.
pub async fn work(place: &Place) -> Result<ExitCode> {
    let line = std::io::stdin().lock().lines().next().context("how many members?")??;
    let members: u32 = line.trim().parse()?;
    let engine = place.open_existing().await?;
    let batch = place.batch();
    let playbook = read(&format!("{PLAYBOOK}{CAMPAIGNS}"))?;
    let watch = clock::stopwatch();
    engine.apply_at(&playbook, Some(APPLIED_AT)).await?;
    engine.drain(batch, Some(SENT_AT.plus_us(-1)), |_| ()).await?;
    let planned_us = micros(watch.elapsed());
    let watch = clock::stopwatch();
    engine.drain(batch, Some(SENT_AT), |_| ()).await?;
    let sent_us = micros(watch.elapsed());
    let sent = counts(&engine, "sunday").await?.0;
    let resident_kb = told("status", "VmHWM:");
    let (mut idle, mut due) = (Vec::new(), Vec::new());
    for tick in 1..=TICKS {
        ticked(&engine, (tick, members), batch, (&mut idle, &mut due)).await?;
    }
    println!("{planned_us} {sent_us} {sent} {} {} {resident_kb}", middle(idle), middle(due));
    Ok(ExitCode::SUCCESS)
}

/// Orders set runs off; then the scheduler looks while nothing is due, and when they are.
async fn ticked(
    engine: &Engine,
    (tick, members): (u32, u32),
    batch: usize,
    (idle, due): (&mut Vec<u64>, &mut Vec<u64>),
) -> Result<()> {
    // Each round of orders takes 100 s, and what it sets off is due before the next but nine.
    let number = tick * 10;
    let ends = brand::ROUNDS_BEGIN.plus_us(i64::from(number + 1) * i64::from(brand::ROUND) * 100_000);
    let source = Source {
        name: "till".to_owned(),
        user_namespace: "user".to_owned(),
        replay: false,
        ties: Default::default(),
    };
    let items = brand::round(number, members);
    let prepared = items.iter().map(|item| prepare(&KEY, &source, item, Some(ends), latest(ends))).collect();
    let verdicts = engine.take(&source, prepared, ends, None).await?;
    ensure!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "an order was not taken");
    engine.drain(batch, Some(ends), |_| ()).await?;
    for _ in 0..IDLE {
        let watch = clock::stopwatch();
        engine.step(batch, Some(ends)).await?;
        idle.push(micros(watch.elapsed()));
    }
    let watch = clock::stopwatch();
    let done = engine.drain(batch, Some(ends.plus_us(WAIT_US)), |_| ()).await?;
    due.push(micros(watch.elapsed()));
    ensure!(done.timers >= brand::ROUND as usize, "{} runs went on", done.timers);
    Ok(())
}

/// How many were sent something of a campaign, and how many would have been.
async fn counts(engine: &Engine, id: &str) -> Result<(u64, u64, u64)> {
    let view = engine.campaign(id).await?.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let count = |name: &str| u64::try_from(view.counts.get(name).copied().unwrap_or(0)).unwrap_or(0);
    Ok((count("sent"), count("held_out"), count("began")))
}

/// Fails unless everybody began once and was sent or held out once, and all is well.
async fn proved(path: &Path, members: u64, said: u64) -> Result<()> {
    let engine = Engine::open(Arc::new(SqliteStore::open(path, &KEY)?)).await?;
    let (sent, held, began) = counts(&engine, "sunday").await?;
    ensure!(
        began == members && sent + held == members && sent == said,
        "{began} of {members} began, {sent} were sent something, {held} were held out"
    );
    for check in engine.store().doctor().await? {
        ensure!(check.broken.is_empty(), "{}: {:?}", check.invariant, check.broken);
    }
    Ok(())
}
