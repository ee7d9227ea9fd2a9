//! `zhiyin draw open | close | run | roll-on | show | list | export`: draws of a home's playbook (docs/draws.md).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use zhiyin_engine::Engine;
use zhiyin_engine::draws::DrawView;

use crate::arguments::{Format, Place};
use crate::draw::write_new;
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about a draw of the playbook.
#[derive(Clone, Debug, Subcommand)]
pub enum DrawsAction {
    /// Opens a draw of the playbook: makes its seed, and says what to publish before anybody has a chance.
    Open {
        /// Its id in the playbook.
        draw: String,
    },
    /// Closes a draw's list, and says what to publish.
    Close {
        /// Its id in the playbook.
        draw: String,
        /// Where the list is written, in the documented format; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Draws, and issues the prizes to the winners.
    Run {
        /// Its id in the playbook.
        draw: String,
        /// The public value, where the terms promise one.
        #[arg(long, value_name = "TEXT")]
        public_value: Option<String>,
        /// Where the draw is written, for anybody to check; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Gives prizes whose coupons ended unused to the next alternates; a server does so by itself.
    RollOn {
        /// Its id in the playbook.
        draw: String,
    },
    /// Shows how a draw stands, as JSON.
    Show {
        /// Its id in the playbook.
        draw: String,
    },
    /// Lists draws.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Writes a draw as the file that anybody can check.
    Export {
        /// Its id in the playbook.
        draw: String,
        /// Where it is written; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Does it.
pub async fn draws(place: &Place, action: DrawsAction) -> Result<ExitCode> {
    let engine = Arc::new(place.open_existing().await?);
    let by = who::system();
    match action {
        DrawsAction::Open { draw } => {
            let mut chance = [0; 32];
            getrandom::fill(&mut chance).map_err(|error| anyhow!("the system's randomness: {error}"))?;
            let view = engine.open_draw(&by, &draw, chance).await??;
            say!("commitment {}", view.commitment.unwrap_or_default());
            say!("Publish it with the terms before anybody has a chance.");
        }
        DrawsAction::Close { draw, out } => {
            // What came in until now may give chances, or take some back.
            engine.drain(place.batch(), None, |_| ()).await?;
            let view = engine.close_draw(&by, &draw).await??;
            let entries = view.entries.unwrap_or_default();
            say!("entries_hash {}", view.entries_hash.unwrap_or_default());
            say!("{entries} entries, {} chances. Publish the hash before the draw.", view.chances);
            export(&engine, &draw, out.as_deref()).await?;
        }
        DrawsAction::Run { draw, public_value, out } => {
            let view = engine.run_draw(&by, &draw, public_value.as_deref()).await??;
            engine.drain(place.batch(), None, |_| ()).await?;
            told(&view);
            export(&engine, &draw, out.as_deref()).await?;
        }
        DrawsAction::RollOn { draw } => {
            let n = engine.roll_draw(&draw).await??;
            engine.drain(place.batch(), None, |_| ()).await?;
            say!("{n} prizes rolled on");
            told(&engine.view_draw(&draw).await??);
        }
        DrawsAction::Show { draw } => {
            say!("{}", serde_json::to_string_pretty(&engine.view_draw(&draw).await??)?);
        }
        DrawsAction::List { format } => {
            let columns = ["draw", "state", "chances", "entries", "prizes", "given", "commitment"];
            let views = engine.view_draws().await?;
            let rows: Vec<Vec<String>> = views.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        DrawsAction::Export { draw, out } => export(&engine, &draw, Some(&out)).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: DrawView) -> Vec<String> {
    vec![
        view.draw,
        view.state,
        view.chances.to_string(),
        view.entries.map(|n| n.to_string()).unwrap_or_default(),
        view.prizes.to_string(),
        view.given.len().to_string(),
        view.commitment.unwrap_or_default(),
    ]
}

fn told(view: &DrawView) {
    for given in &view.given {
        match &given.instead_of {
            None => say!("{}\t{}", given.entry, given.prize),
            Some(other) => say!("{}\t{}\tinstead of {other}", given.entry, given.prize),
        }
    }
}

async fn export(engine: &Engine, draw: &str, out: Option<&Path>) -> Result<()> {
    let Some(out) = out else { return Ok(()) };
    let file = engine.draw_file(draw).await??;
    write_new(out, &serde_json::to_string(&file)?)?;
    say!("written to {}", out.display());
    Ok(())
}
