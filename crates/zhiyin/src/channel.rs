//! `zhiyin channel check | email came-back | email write-again` (docs/channels.md).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use zhiyin_engine::command::Act;
use zhiyin_engine::sends::Lane;
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_model::event::names;
use zhiyin_model::role::Operation;

use crate::arguments::Place;
use crate::coupon::{done, whom};
use crate::say::say;
use crate::who;

/// What to do about channels outside of the home.
#[derive(Clone, Debug, Subcommand)]
pub enum ChannelAction {
    /// Reads the file that names channels, and says what it means. Nothing is sent.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// E-mail.
    Email {
        /// What to do.
        #[command(subcommand)]
        action: EmailAction,
    },
}

/// What to do about e-mail.
#[derive(Clone, Debug, Subcommand)]
pub enum EmailAction {
    /// Takes a message that came back: a bounce, or a complaint.
    CameBack {
        /// The message as the mail server has it; `-` reads it from standard input.
        file: PathBuf,
    },
    /// A member is written to again whom nothing reached.
    WriteAgain {
        /// NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
    },
}

/// Does it.
pub async fn channel(place: &Place, action: ChannelAction) -> Result<ExitCode> {
    match action {
        ChannelAction::Check { file } => {
            for lane in lanes(Some(&file))? {
                say!("{lane:?}");
            }
            let platforms = platforms(Some(&file))?;
            for (account, of) in &platforms.callbacks {
                say!("wecom {account} {}: callbacks at /v1/callbacks/wecom/{account}", of.corp_id());
            }
            for (account, desk) in &platforms.desks {
                say!("{} {account}: is asked", desk.channel());
            }
        }
        ChannelAction::Email { action: EmailAction::CameBack { file } } => {
            let raw = if file.as_os_str() == "-" {
                let mut raw = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin(), &mut raw)?;
                raw
            } else {
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?
            };
            let engine = place.open_existing().await?;
            let view = engine.came_back(&who::system(), &raw).await??;
            say!("{}", serde_json::to_string_pretty(&view)?);
        }
        ChannelAction::Email { action: EmailAction::WriteAgain { member } } => {
            let engine = place.open_existing().await?;
            let by = who::system();
            let filter = engine.filter(&by, Operation::MemberUpdate).await?;
            let whom = whom(&member)?;
            let found = engine.reachable(&filter, &whom, "member").await??.member.id;
            let name = engine.name_of(&whom, found, "member").await??;
            let mut act = Act::new(Operation::MemberUpdate, names::CHANNEL_REACHABLE, vec![name]);
            act.properties.insert("channel".to_owned(), "email".into());
            act.noted = serde_json::json!({"channel": "email"});
            done(place, &engine, &act, found, None, &format!("write again email {found}")).await?;
            say!("e-mail goes to {member} again");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The channels that a file names; none where no file is named.
pub fn lanes(file: Option<&Path>) -> Result<Vec<Lane>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    settings::read(&text(file)?, secret).with_context(|| format!("channels of {}", file.display()))
}

/// The platforms that a file names.
pub fn platforms(file: Option<&Path>) -> Result<Platforms> {
    let Some(file) = file else { return Ok(Platforms::default()) };
    let clock: settings::Clock = Arc::new(|| zhiyin_engine::clock::wall().0.div_euclid(1_000));
    settings::platforms(&text(file)?, secret, &clock)
        .with_context(|| format!("channels of {}", file.display()))
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn secret(at: &SecretAt) -> std::result::Result<Vec<u8>, String> {
    match at {
        SecretAt::Environment(name) => std::env::var(name)
            .map(String::into_bytes)
            .map_err(|_| format!("{name} is not in the environment")),
        SecretAt::File(file) => std::fs::read(file).map_err(|error| format!("{file}: {error}")),
    }
}
