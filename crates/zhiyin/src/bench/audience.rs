//! `zhiyin bench audience`: how long it takes to find whom a condition describes, beside DuckDB and ClickHouse.
//!
//! One drawn population is loaded by all three and asked the same questions in the same run; where they do not find equally
//! many, no figure is shown. Then ours alone: how cost grows with members, members that change while somebody asks, a kept
//! set that is counted, and a snapshot that is written and opened.

mod asked;
mod changing;
mod drawn;
mod handed;
mod peers;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use zhiyin_audience::snapshot::Stamp;
use zhiyin_audience::{Budget, MemberSet, Population};
use zhiyin_engine::clock;
use zhiyin_model::time::Zone;

use super::ingest::Folder;
use super::print::thousands;
use crate::arguments::AudienceBench;
use asked::{Answer, QUESTIONS};
use drawn::{TODAY, World};
use peers::Peer;

/// The brand's zone.
const ZONE: &str = "Asia/Shanghai";
/// Threads of each, ours and the peers'.
const THREADS: usize = 2;
const BUDGET: Budget = Budget { bytes: usize::MAX, threads: THREADS };
/// Members that our columns take in at once.
const PART: u64 = 65_536;
/// Parts of all members at which ours are measured, too.
const PARTS: [u64; 3] = [30, 10, 3];
/// Of what the snapshot is.
const OF: &str = "bench";

/// Measures and prints.
pub fn audience(wanted: &AudienceBench) -> Result<ExitCode> {
    let python = if wanted.without_peers { None } else { Some(peers::python()?) };
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-audience-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    let world = World::of(Zone::named(ZONE).ok_or_else(|| anyhow!("{ZONE} is no zone"))?);
    let members = wanted.members;
    println!(
        "{} members, drawn by a seed; asked of {} in {ZONE}. {THREADS} threads each, best of 3.\n",
        thousands(members),
        TODAY.date()
    );
    let found = match &python {
        Some(python) => beside(python, &world, members, &folder.0)?,
        None => Vec::new(),
    };

    let mut growth = Vec::new();
    for part in PARTS {
        eprintln!("ours: {} members", thousands(members / part));
        let (population, _) = load(&world, members / part)?;
        growth.push((members / part, asked::all(&population.seen(), &world.schema(), world.now())?));
    }
    eprintln!("ours: {} members", thousands(members));
    let (population, load_ms) = load(&world, members)?;
    let resident = status("VmRSS:")?;
    let answers = asked::all(&population.seen(), &world.schema(), world.now())?;
    growth.push((members, answers.clone()));

    print_comparison(&answers, &found)?;
    print_loads(&population, members, load_ms, resident, &found);
    print_growth(&growth);
    standing(&population, &world)?;
    snapshot(&population, &world, &folder.0.join("snapshot"))?;
    under_changes(&population, &world, members)?;
    Ok(ExitCode::SUCCESS)
}

/// Hands the population over to the peers and lets them answer.
fn beside(python: &str, world: &World, members: u64, folder: &Path) -> Result<Vec<Peer>> {
    eprintln!("handing {} members over to the peers", thousands(members));
    let watch = clock::stopwatch();
    let lines = handed::hand_over(world, members, folder, THREADS)?;
    println!(
        "Handed over as Parquet: {} order lines, {} MB, in {} s.\n",
        thousands(lines),
        thousands(bytes_in(folder)? / 1_000_000),
        watch.elapsed().as_secs()
    );
    let keys = QUESTIONS.map(|asked| asked.key);
    peers::peers(python, folder, THREADS, &keys)
}

fn load(world: &World, members: u64) -> Result<(Population, u64)> {
    let population = Population::new(world.layout(), BUDGET);
    let watch = clock::stopwatch();
    population.load(usize::try_from(members.div_ceil(PART))?, |part| {
        let from = part as u64 * PART;
        (from..members.min(from + PART)).map(|member| world.person(member, 0)).collect()
    })?;
    Ok((population, u64::try_from(watch.elapsed().as_millis())?))
}

fn print_comparison(ours: &[Answer], peers: &[Peer]) -> Result<()> {
    let names: String = peers.iter().map(|peer| format!("{:>17}", format!("{}, ms", peer.name))).collect();
    let ratio = if peers.is_empty() { "" } else { "better peer / ours" };
    println!("{:<46}{:>12}{:>14}{names}{ratio:>21}", "", "members", "ours, ms");
    for (at, (asked, answer)) in QUESTIONS.iter().zip(ours).enumerate() {
        for peer in peers {
            let theirs = &peer.answers[at];
            ensure!(
                theirs.count == answer.count,
                "{}: ours finds {} members, {} {}: nothing is compared",
                asked.name,
                answer.count,
                peer.name,
                theirs.count
            );
        }
        let theirs: String = peers.iter().map(|peer| format!("{:>17}", ms(peer.answers[at].us))).collect();
        let better = peers.iter().map(|peer| peer.answers[at].us).min();
        let ratio = better.map_or_else(String::new, |us| tenths(us, answer.us));
        println!("{:<46}{:>12}{:>14}{theirs}{ratio:>21}", asked.name, thousands(answer.count), ms(answer.us));
    }
    println!();
    for peer in peers {
        let ways: Vec<String> = QUESTIONS
            .iter()
            .zip(&peer.answers)
            .filter(|(_, answer)| !answer.way.is_empty())
            .map(|(asked, answer)| format!("{}: {}", asked.key, answer.way))
            .collect();
        println!("{} {}; fastest ways: {}", peer.name, peer.version, ways.join("; "));
    }
    if !peers.is_empty() {
        println!();
    }
    Ok(())
}

fn print_loads(population: &Population, members: u64, load_ms: u64, resident: u64, peers: &[Peer]) {
    let seen = population.seen();
    println!("{:<16}{:>10}{:>16}{:>12}", "", "load, s", "resident, MB", "data, MB");
    let mb = |bytes: u64| thousands(bytes / 1_000_000);
    let line = |name: &str, load_ms: u64, resident: u64, data: u64| {
        println!("{name:<16}{:>10}{:>16}{:>12}", tenths(load_ms, 1_000), mb(resident), mb(data));
    };
    // What is drawn is drawn within the time of ours.
    line("ours, drawn too", load_ms, resident, seen.bytes() as u64);
    for peer in peers {
        line(peer.name, peer.load_ms, peer.memory_bytes, peer.bytes);
    }
    println!("\nbytes a member, by column:");
    for (column, bytes) in seen.bytes_by_column() {
        println!("  {column:<24}{:>10}{:>12} MB", tenths(bytes as u64, members), mb(bytes as u64));
    }
    println!();
}

fn print_growth(growth: &[(u64, Vec<Answer>)]) {
    println!("cost by members: what a test looks at are members in columns, and rows of history");
    for (at, asked) in QUESTIONS.iter().enumerate() {
        println!("{}", asked.name);
        println!(
            "{:>14}{:>12}{:>16}{:>16}{:>16}",
            "members", "ms", "members asked", "rows touched", "ns for each"
        );
        for (members, answers) in growth {
            let answer = answers[at];
            let each = tenths(answer.us * 1_000, answer.asked + answer.rows);
            println!(
                "{:>14}{:>12}{:>16}{:>16}{each:>16}",
                thousands(*members),
                ms(answer.us),
                thousands(answer.asked),
                thousands(answer.rows)
            );
        }
    }
    println!();
}

/// A set that is kept, as of a standing audience, and how long it takes to say how many are in it.
fn standing(population: &Population, world: &World) -> Result<()> {
    let (found, _) = asked::once(&population.seen(), QUESTIONS[1].text, &world.schema(), world.now())?;
    let kept: MemberSet = found.members;
    let mut took = Vec::new();
    let mut count = 0;
    for _ in 0..100 {
        let watch = clock::stopwatch();
        count = std::hint::black_box(&kept).len();
        took.push(u64::try_from(watch.elapsed().as_micros())?);
    }
    took.sort_unstable();
    let (middle, most) = (changing::at(&took, 50), changing::at(&took, 99));
    println!(
        "a kept set of {} members counted 100 times: {} µs, 99 % below {} µs\n",
        thousands(count as u64),
        thousands(middle),
        thousands(most)
    );
    Ok(())
}

fn snapshot(population: &Population, world: &World, folder: &Path) -> Result<()> {
    let watch = clock::stopwatch();
    population.save(folder, Stamp { of: OF.to_owned(), position: (0, 0), mark: "bench".to_owned() })?;
    let saved = u64::try_from(watch.elapsed().as_millis())?;
    let bytes = bytes_in(folder)?;
    let watch = clock::stopwatch();
    let (opened, _) = Population::open(folder, world.layout(), BUDGET, OF)?;
    let opened_ms = u64::try_from(watch.elapsed().as_millis())?;
    for asked in &QUESTIONS {
        let (before, _) = asked::once(&population.seen(), asked.text, &world.schema(), world.now())?;
        let (after, _) = asked::once(&opened.seen(), asked.text, &world.schema(), world.now())?;
        ensure!(before.members == after.members, "the snapshot answers otherwise: {}", asked.name);
    }
    println!(
        "snapshot: {} MB written in {} s, opened in {} s; it finds the same members\n",
        thousands(bytes / 1_000_000),
        tenths(saved, 1_000),
        tenths(opened_ms, 1_000)
    );
    drop(opened);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn under_changes(population: &Population, world: &World, members: u64) -> Result<()> {
    eprintln!("asking while members change");
    let found = changing::measure(population, world, &world.schema(), members, QUESTIONS[0].text)?;
    println!(
        "{:<34}{:>10}{:>10}{:>10}",
        "three attributes, asked every 10 ms", "times", "p50, ms", "p99, ms"
    );
    for (name, times) in [("quiet", &found.quiet), ("while members change", &found.beside)] {
        let (middle, most) = (changing::at(times, 50), changing::at(times, 99));
        println!("{name:<35}{:>10}{:>10}{:>10}", thousands(times.len() as u64), ms(middle), ms(most));
    }
    let of =
        |hundredths| (changing::at(&found.beside, hundredths), changing::at(&found.quiet, hundredths).max(1));
    let ((p50, p50_quiet), (p99, p99_quiet)) = (of(50), of(99));
    println!("{:<35}{:>10}{:>10}{:>10}", "ratio", "", tenths(p50, p50_quiet), tenths(p99, p99_quiet));
    let millis = u64::try_from(found.within.as_millis())?.max(1);
    println!(
        "{} changes in {} s ({} a second); a batch was taken in within {} ms at most, and seen {} ms after it was due; {} blocks \
         lay over the base",
        thousands(found.changed),
        tenths(millis, 1_000),
        thousands(found.changed * 1_000 / millis),
        found.apply_max.as_millis(),
        found.visible_max.as_millis(),
        found.blocks
    );
    Ok(())
}

/// A line of what the kernel says of this process, in bytes.
fn status(line: &str) -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|found| found.strip_prefix(line)).with_context(|| line.to_owned())?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1_024)
}

/// Bytes of the files in a folder.
fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// Microseconds as milliseconds.
fn ms(us: u64) -> String {
    format!("{}.{:02}", thousands(us / 1_000), us % 1_000 / 10)
}

/// A ratio with one decimal.
fn tenths(value: u64, to: u64) -> String {
    let ratio = value * 10 / to.max(1);
    format!("{}.{}", thousands(ratio / 10), ratio % 10)
}
