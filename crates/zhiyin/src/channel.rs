//! `zhiyin channel check | email came-back | email write-again` (docs/channels.md).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use zhiyin_engine::command::Act;
use zhiyin_engine::platforms::{AccountSeats, Health, SeatsView, Worded};
use zhiyin_engine::sends::Lane;
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_model::event::names;
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::coupon::{done, whom};
use crate::report::print;
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
    /// Checks step by step whether what was set up works, and says what to do about what does not.
    Test {
        /// Which platform.
        #[arg(value_parser = ["wecom"])]
        platform: String,
        /// The file that names channels.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: PathBuf,
        /// The brand's account on it; all, where none is named.
        #[arg(long)]
        account: Option<String>,
        /// In which language.
        #[arg(long, value_enum, default_value = "zh")]
        language: Spoken,
    },
    /// How many friends the brand's accounts have, and how many there may be, as last measured.
    Seats {
        /// The brand's account on the platform.
        #[arg(long, default_value = "main")]
        account: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// E-mail.
    Email {
        /// What to do.
        #[command(subcommand)]
        action: EmailAction,
    },
}

/// In which language something is said.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Spoken {
    /// 中文.
    Zh,
    /// English.
    En,
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
        ChannelAction::Test { platform: _, channels, account, language } => {
            return test(&channels, account.as_deref(), language).await;
        }
        ChannelAction::Seats { account, format } => {
            let view = place.open_existing().await?.seats(&account).await?;
            seats(view, format)?;
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

/// Checks what a file says of a platform. The code of exit says whether anything is wrong.
async fn test(file: &Path, account: Option<&str>, language: Spoken) -> Result<ExitCode> {
    let platforms = platforms(Some(file))?;
    let public_url = settings::public_url(&text(file)?)?;
    let is_asked = |name: &str| account.is_none_or(|account| account == name);
    let (mut n, mut all_well) = (0, true);
    for (name, desk) in platforms.desks.iter().filter(|(name, _)| is_asked(name)) {
        n += 1;
        let takes = platforms.callbacks.contains_key(name);
        let home = takes.then(|| format!("{public_url}/v1/callbacks/{}/{name}", desk.channel()));
        say!("{} {name}", desk.channel());
        for step in desk.check(home.as_deref()).await {
            all_well &= step.health != Health::Wrong;
            let mark = match step.health {
                Health::Well => "✓",
                Health::Wrong => "✗",
                Health::Left => "–",
                Health::Skipped => "?",
            };
            let (title, found) = (spoken(&step.title, language), spoken(&step.found, language));
            match step.remedy.as_ref().map(|remedy| spoken(remedy, language)) {
                Some(remedy) => say!("{mark} {title}: {found} → {remedy}"),
                None => say!("{mark} {title}: {found}"),
            }
        }
    }
    if n == 0 {
        anyhow::bail!("{} names no account with a secret that is asked for here", file.display());
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn spoken(text: &Worded, language: Spoken) -> &str {
    match language {
        Spoken::Zh => &text.zh,
        Spoken::En => &text.en,
    }
}

/// Shows how many friends accounts have.
fn seats(view: SeatsView, format: Format) -> Result<()> {
    let columns = ["account", "persona", "friends", "most", "warn"];
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let row = |of: &AccountSeats| {
        let warn = if of.warn { "!" } else { "" };
        vec![
            of.account.clone(),
            of.persona.clone().unwrap_or_default(),
            of.friends.to_string(),
            number(of.most),
            warn.to_owned(),
        ]
    };
    print(&columns.map(str::to_owned), &view.accounts.iter().map(row).collect::<Vec<_>>(), format)?;
    if matches!(format, Format::Table) {
        let seats = view.seats.map_or_else(|| "?".to_owned(), |seats| seats.to_string());
        say!(
            "{} contacts ({} free; beyond them about {} a year, in hundredths), {seats} people; measured {}{}",
            view.contacts,
            number(view.free),
            number(view.fee_a_year),
            view.at.as_deref().unwrap_or("never"),
            view.why.map(|why| format!("; last time: {why}")).unwrap_or_default(),
        );
    }
    Ok(())
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
