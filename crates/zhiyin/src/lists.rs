//! Lists of members that are uploaded: a file in, and what of it was not matched in a file beside it.

use std::fs::{File, OpenOptions};
use std::io::BufReader;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use zhiyin_engine::Engine;
use zhiyin_engine::lists::file::Lines;
use zhiyin_engine::lists::{AT_ONCE, Line, ListView, Others, Unmatched, Upload, UploadView};
use zhiyin_model::role::Grant;

use crate::arguments::Format;
use crate::report::print;
use crate::say::say;

/// How many that were not matched are printed; all are in the file.
const SHOWN_MAX: usize = 20;

/// What was not matched: all of it in a file, the first of it at hand.
struct Rest {
    path: PathBuf,
    out: Option<csv::Writer<File>>,
    first: Vec<Unmatched>,
}

impl Rest {
    fn of(file: &Path) -> Self {
        let mut name = file.file_name().unwrap_or_default().to_os_string();
        name.push(".unmatched.csv");
        Self { path: file.with_file_name(name), out: None, first: Vec::new() }
    }

    /// Notes what was not matched. The file is made with the first of it, for its owner only: it says who people are.
    fn put(&mut self, unmatched: Vec<Unmatched>) -> Result<()> {
        for one in unmatched {
            let out = match &mut self.out {
                Some(out) => out,
                none => {
                    let file = OpenOptions::new()
                        .write(true)
                        .create(true)
                        .truncate(true)
                        .mode(0o600)
                        .open(&self.path);
                    let file = file.with_context(|| self.path.display().to_string())?;
                    let mut out = csv::Writer::from_writer(file);
                    out.write_record(["line", "namespace", "value", "why", "namespaces"])?;
                    none.insert(out)
                }
            };
            let (line, namespace) = (one.line.to_string(), one.namespace.as_deref().unwrap_or_default());
            out.write_record([&line, namespace, &one.value, one.why, &one.namespaces.join(" ")])?;
            if self.first.len() < SHOWN_MAX {
                self.first.push(one);
            }
        }
        Ok(())
    }

    /// Writes what is left; true where there is a file.
    fn end(&mut self) -> Result<bool> {
        match &mut self.out {
            Some(out) => out.flush().map(|()| true).with_context(|| self.path.display().to_string()),
            // What lies there is of an earlier upload.
            None => match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(error).with_context(|| self.path.display().to_string())
                }
                _ => Ok(false),
            },
        }
    }
}

/// Takes a file in as a list.
pub async fn import(
    engine: &Engine,
    by: &Grant,
    (name, others): (&str, Others),
    (file, namespace): (&Path, Option<String>),
    format: Format,
) -> Result<ExitCode> {
    let input = File::open(file).with_context(|| file.display().to_string())?;
    let mut rest = Rest::of(file);
    let mut upload = engine.list_upload(by, name).await?;
    let (mut lines, mut unreadable) = (Vec::with_capacity(AT_ONCE), 0);
    for read in Lines::new(BufReader::new(input), namespace) {
        match read.with_context(|| file.display().to_string())? {
            Ok(line) => lines.push(line),
            Err((line, why)) => {
                unreadable += 1;
                let (value, namespaces) = (String::new(), Vec::new());
                rest.put(vec![Unmatched { line, namespace: None, value, why, namespaces }])?;
            }
        }
        if lines.len() == AT_ONCE {
            rest.put(upload.take(std::mem::take(&mut lines)).await?)?;
        }
    }
    let view = ended(upload, lines, &mut rest, (others, unreadable)).await?;
    let is_there = rest.end()?;
    if format == Format::Json {
        let unmatched = is_there.then(|| rest.path.display().to_string());
        say!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({"upload": view, "unmatched_file": unmatched}))?
        );
        return Ok(ExitCode::SUCCESS);
    }
    told(&view, format)?;
    if is_there && format == Format::Table {
        for one in &rest.first {
            let namespace = one.namespace.as_ref().map(|namespace| format!("{namespace}:"));
            let among = if one.namespaces.is_empty() {
                String::new()
            } else {
                format!(" in {}", one.namespaces.join(", "))
            };
            say!("line {}: {}{} is {}{among}", one.line, namespace.unwrap_or_default(), one.value, one.why);
        }
        say!("not matched: {}", rest.path.display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn ended(
    mut upload: Upload<'_>,
    lines: Vec<Line>,
    rest: &mut Rest,
    (others, unreadable): (Others, u64),
) -> Result<UploadView> {
    rest.put(upload.take(lines).await?)?;
    let mut view = upload.end(others).await?;
    view.lines += unreadable;
    view.unknown += unreadable;
    Ok(view)
}

fn told(view: &UploadView, format: Format) -> Result<()> {
    let rows = [
        ("list", view.list.clone()),
        ("lines", view.lines.to_string()),
        ("matched", view.matched.to_string()),
        ("ambiguous", view.ambiguous.to_string()),
        ("unknown", view.unknown.to_string()),
        ("added", view.added.to_string()),
        ("removed", view.removed.to_string()),
        ("members", view.members.to_string()),
        ("as of", view.as_of.clone()),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(what, is)| vec![what.to_owned(), is]).collect();
    print(&["what", "is"].map(str::to_owned), &rows, format)
}

/// Shows a list.
pub fn show(list: &ListView, format: Format) -> Result<ExitCode> {
    if format == Format::Json {
        say!("{}", serde_json::to_string_pretty(list)?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = [
        ("list", &list.name),
        ("members", &list.members.to_string()),
        ("as of", &list.as_of),
        ("made at", &list.made_at),
        ("changed at", &list.changed_at),
        ("changed by", &list.changed_by),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(what, is)| vec![what.to_owned(), is.clone()]).collect();
    print(&["what", "is"].map(str::to_owned), &rows, format)?;
    Ok(ExitCode::SUCCESS)
}

/// Removes a list.
pub async fn remove(engine: &Engine, by: &Grant, name: &str) -> Result<ExitCode> {
    let names = engine.list_removed(by, name).await?;
    say!("{name} is removed; {names} names were on it");
    Ok(ExitCode::SUCCESS)
}
