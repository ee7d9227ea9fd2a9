//! Progress of long work: a bar on a terminal, nothing elsewhere; rejects go to a file beside their input.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use zhiyin_engine::import::{Reject, Tally, Watch};
use zhiyin_engine::{EngineError, Result};

/// Watches an import.
pub struct Progress {
    bar: Option<ProgressBar>,
    rejects_path: Option<PathBuf>,
    rejects: Option<BufWriter<File>>,
    /// How many items were not taken.
    pub n_rejects: u64,
}

impl Progress {
    /// Watches an import; rejects are written to `rejects_path`.
    pub fn new(rejects_path: Option<PathBuf>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, rejects_path, rejects: None, n_rejects: 0 }
    }

    /// Ends: the bar goes, the rejects are on disk.
    pub fn finish(mut self) -> Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let (Some(rejects), Some(path)) = (&mut self.rejects, &self.rejects_path) {
            rejects.flush().map_err(|error| failed(path, &error))?;
        }
        Ok(())
    }
}

impl Watch for Progress {
    fn tally(&mut self, tally: &Tally) {
        if let Some(bar) = &self.bar {
            let date: String = tally.at.rfc3339().chars().take(10).collect();
            bar.set_message(format!(
                "{date}  {} read, {} decided, {} timers",
                tally.read, tally.decided, tally.timers
            ));
        }
    }

    fn reject(&mut self, reject: Reject) -> Result<()> {
        self.n_rejects += 1;
        let Some(path) = &self.rejects_path else {
            eprintln!("line {}: {} {}: {}", reject.line, reject.code, reject.field, reject.message);
            return Ok(());
        };
        let out = match &mut self.rejects {
            Some(out) => out,
            None => {
                let file = File::create(path).map_err(|error| failed(path, &error))?;
                self.rejects.insert(BufWriter::new(file))
            }
        };
        serde_json::to_writer(&mut *out, &reject)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|error| failed(path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::File { file: path.display().to_string(), message: error.to_string() }
}
