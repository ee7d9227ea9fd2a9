//! The peers: DuckDB and ClickHouse load what was handed over and answer the same questions, each in a process of its own that
//! is gone before ours is measured.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::drawn::TODAY;

const SCRIPT: &str = include_str!("../../../../../bench/audience.py");
/// Names the Python that has the peers, as `./run` sets it.
const PYTHON: &str = "ZHIYIN_BENCH_PYTHON";
/// Names, as the script knows them and as people do.
pub const PEERS: [(&str, &str); 2] = [("duckdb", "DuckDB"), ("clickhouse", "ClickHouse")];

/// A peer and what it answered.
pub struct Peer {
    pub name: &'static str,
    pub version: String,
    /// How long it loaded.
    pub load_ms: u64,
    /// Bytes on disk afterwards.
    pub bytes: u64,
    /// The most memory its process had.
    pub memory_bytes: u64,
    /// In the order of questions.
    pub answers: Vec<PeerAnswer>,
}

/// What a peer answered.
pub struct PeerAnswer {
    pub us: u64,
    pub count: u64,
    /// Which of the ways that were tried was the fastest.
    pub way: String,
}

/// The Python with the peers in it.
pub fn python() -> Result<String> {
    std::env::var(PYTHON).with_context(|| {
        format!(
            "the peers want a Python with duckdb and chdb-core, named by {PYTHON}; ./run bench audience gets one. Without them: --without-peers"
        )
    })
}

/// Lets both load and answer, one after the other.
pub fn peers(python: &str, folder: &Path, threads: usize, questions: &[&str]) -> Result<Vec<Peer>> {
    let script = folder.join("audience.py");
    std::fs::write(&script, SCRIPT)?;
    let last = PEERS.len() - 1;
    let each = PEERS.into_iter().enumerate().map(|(at, (engine, name))| {
        eprintln!("{name} loads and answers");
        let work = folder.join(engine);
        let mut command = Command::new(python);
        command.arg(&script).args(["--engine", engine, "--today", &TODAY.date().to_string()]);
        command
            .args(["--threads", &threads.to_string()])
            .arg("--folder")
            .arg(folder)
            .arg("--work")
            .arg(&work);
        // Nobody needs the files any more: room for what the last one builds.
        if at == last {
            command.arg("--consume");
        }
        let done = command.stderr(Stdio::inherit()).output().with_context(|| python.to_owned())?;
        ensure!(done.status.success(), "{name} did not answer");
        // What it built is not asked again.
        std::fs::remove_dir_all(&work)?;
        let text = String::from_utf8(done.stdout)?;
        let said: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
        read(name, &said, questions).with_context(|| format!("{name} answered {said}"))
    });
    each.collect()
}

fn read(name: &'static str, said: &Value, questions: &[&str]) -> Result<Peer> {
    let number = |from: &Value, field: &str| from[field].as_u64().with_context(|| field.to_owned());
    let text =
        |from: &Value, field: &str| from[field].as_str().map(str::to_owned).with_context(|| field.to_owned());
    let Some(answers) = said["answers"].as_object() else { bail!("answers") };
    let answers = questions.iter().map(|question| {
        let answer = answers.get(*question).with_context(|| (*question).to_owned())?;
        Ok(PeerAnswer {
            us: number(answer, "us")?,
            count: number(answer, "count")?,
            way: text(answer, "way")?,
        })
    });
    Ok(Peer {
        name,
        version: text(said, "version")?,
        load_ms: number(said, "load_ms")?,
        bytes: number(said, "bytes")?,
        memory_bytes: number(said, "memory_bytes")?,
        answers: answers.collect::<Result<_>>()?,
    })
}
