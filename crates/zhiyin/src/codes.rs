//! `zhiyin coupon codes import | list | withdraw`: codes of partners, from a file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use zhiyin_engine::Engine;
use zhiyin_engine::coupons::codes::CodeUploadView;
use zhiyin_engine::coupons::codes::file::{BadLine, Parts, name_of};
use zhiyin_model::time::Day;

use crate::arguments::Format;
use crate::report::print;
use crate::say::say;
use crate::who;

/// How many lines are named of those that were not taken in.
const NAMED_MAX: usize = 20;

/// What to do with codes of partners.
#[derive(Clone, Debug, Subcommand)]
pub enum CodesAction {
    /// Uploads a file of codes for an offer whose coupon says `codes`: one a line, or CSV with a column `code`. Said again it
    /// changes nothing; one that was stopped goes on.
    Import {
        /// The offer's id in the playbook.
        offer: String,
        /// The file.
        file: PathBuf,
        /// By what the upload is known; made of what the file says, if it says nothing.
        #[arg(long, value_name = "NAME")]
        batch: Option<String>,
        /// The last day on which they are good.
        #[arg(long, value_name = "DATE")]
        valid_until: Option<String>,
    },
    /// Lists uploads, newest first, and what is left of each.
    List {
        /// Only those for this offer.
        #[arg(long)]
        offer: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Withdraws what of an upload was not handed out yet.
    Withdraw {
        /// By what it is known.
        batch: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Does with codes what was asked.
pub async fn codes(engine: &Engine, action: CodesAction) -> Result<ExitCode> {
    match action {
        CodesAction::Import { offer, file, batch, valid_until } => {
            let until = valid_until.map(|day| Day::parse(&day).with_context(|| format!("{day}: no date")));
            import(engine, &offer, &file, batch, until.transpose()?).await?;
        }
        CodesAction::List { offer, format } => {
            let views = engine.code_upload_views(offer.as_deref()).await?;
            let columns = [
                "batch",
                "offer",
                "partner",
                "valid_until",
                "state",
                "codes",
                "handed_out",
                "withdrawn",
                "left",
            ];
            let rows: Vec<Vec<String>> = views.iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        CodesAction::Withdraw { batch, reason } => {
            let view = engine.withdraw_code_upload(&who::system(), &batch, &reason).await??;
            say!(
                "{}: {} codes are withdrawn, {} were handed out",
                view.batch,
                view.withdrawn,
                view.handed_out
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: &CodeUploadView) -> Vec<String> {
    vec![
        view.batch.clone(),
        view.offer.clone(),
        view.partner.clone(),
        view.valid_until.clone().unwrap_or_default(),
        view.state.clone(),
        view.codes.to_string(),
        view.handed_out.to_string(),
        view.withdrawn.to_string(),
        view.left.to_string(),
    ]
}

async fn import(
    engine: &Engine,
    offer: &str,
    file: &Path,
    batch: Option<String>,
    valid_until: Option<Day>,
) -> Result<()> {
    let open = || File::open(file).with_context(|| file.display().to_string());
    let name = match batch {
        Some(name) => name,
        None => name_of(open()?, &engine.home().await?.id_key).with_context(|| file.display().to_string())?,
    };
    let by = who::system();
    let upload = engine.begin_code_upload(&by, (&name, offer), valid_until).await??;
    let mut parts = Parts::new(BufReader::new(open()?));
    let (mut no, mut bad, mut n_bad) = (0, Vec::<BadLine>::new(), 0);
    while let Some(part) = parts.part().with_context(|| file.display().to_string())? {
        n_bad += part.bad.len();
        bad.extend(part.bad.into_iter().take(NAMED_MAX.saturating_sub(bad.len())));
        if !part.codes.is_empty() {
            engine.put_codes(&name, no, part.codes).await??;
            no += 1;
        }
    }
    if no == 0 {
        bail!("{}: there is no code in it", file.display());
    }
    let view = engine.end_code_upload(&by, &name, no).await??;
    if upload.codes.is_some() {
        say!("{name} was uploaded before");
    }
    say!(
        "{name}: {} codes for {}; {} stood in it twice, {} were known, {n_bad} lines are no code",
        view.codes,
        view.offer,
        view.twice,
        view.known
    );
    for double in view.doubles.iter().take(NAMED_MAX) {
        let before = if double.upload == name {
            "stood above".to_owned()
        } else {
            format!("came with {}", double.upload)
        };
        say!("line {}: {before}", double.line);
    }
    for BadLine { line, why } in bad {
        say!("line {line}: {why}");
    }
    Ok(())
}
