//! `zhiyin channel check | test | try | backfill | email came-back | email write-again` (docs/channels.md).

mod shop;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use zhiyin_engine::channels::Channels;
use zhiyin_engine::command::Act;
use zhiyin_engine::platforms::{AccountSeats, Health, SeatsView, Worded};
use zhiyin_engine::sends::Lane;
use zhiyin_engine::sends::settings::{self, Platforms, SecretAt};
use zhiyin_engine::{apps, pays, shops};
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
        #[arg(value_parser = ["shopify", "sms", "webhook", "wechat", "wecom", "woocommerce", "wxpay", "youzan"])]
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
    /// Looks a payment up at WeChat Pay by the merchant's own number (out_trade_no), and takes it in as if it had been told. Bills of each
    /// day find the same by themselves.
    FindPayment {
        /// The number.
        number: String,
        /// The file that names channels.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: PathBuf,
        /// The brand's account there.
        #[arg(long, default_value = "main")]
        account: String,
    },
    /// The codes of touchpoints that lead to an account that people follow (`follow` in the playbook), and what keeps one from being made.
    Codes {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Makes a code of an account with a scene of one's own: a lasting one, or for some days; of a mini program a picture.
    Code {
        /// The scene: what is told of whoever scans it. `TOUCHPOINT` or `TOUCHPOINT~CAMPAIGN` lays them there.
        scene: String,
        /// The brand's account.
        #[arg(long, default_value = "main")]
        account: String,
        /// For how many days; for good, where it does not say.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=30))]
        days: Option<u32>,
        /// Where the picture goes, where one is given.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The file that names channels.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: PathBuf,
    },
    /// Reads a shop's orders from a day on, and takes in what no webhook told. Orders that changed are found by themselves every ten minutes;
    /// this is for what was before. What was broken off goes on where it was, here or by the server.
    Backfill {
        /// Which kind of shop.
        #[arg(value_parser = ["shopify", "woocommerce", "youzan"])]
        platform: String,
        /// From which day on, such as 2025-11-01.
        #[arg(long)]
        since: String,
        /// The file that names channels.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: PathBuf,
        /// The brand's account there.
        #[arg(long, default_value = "main")]
        account: String,
    },
    /// Shows what a body that a shop sends comes to, or which of its fields is at fault. Nothing is kept, and no signature is asked for.
    Try {
        /// Which kind of shop.
        #[arg(value_parser = ["shopify", "webhook", "woocommerce", "youzan"])]
        platform: String,
        /// The body, JSON; `-` reads it from standard input.
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
        /// What the shop says that it is of, such as orders/paid; of a webhook, what its line of the head says.
        #[arg(long, default_value = "")]
        topic: String,
        /// The file that names channels.
        #[arg(long, value_name = "FILE", env = "ZHIYIN_CHANNELS")]
        channels: PathBuf,
        /// The brand's account there.
        #[arg(long, default_value = "main")]
        account: String,
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
            for ((channel, account), door) in &platforms.doors {
                say!("{channel} {account} {}: callbacks at /v1/callbacks/{channel}/{account}", door.whose());
            }
            for merchant in pays::all(&platforms) {
                say!("{} {}: is asked", pays::CHANNEL, merchant.account);
            }
            for at in shops::all(&platforms) {
                say!("{} {}: is asked", at.shop.channel(), at.account);
            }
            for (account, desk) in &platforms.desks {
                say!("{} {account}: is asked", desk.channel());
            }
            for (account, at) in apps::all(&platforms) {
                say!("{} {account} {}: is asked", at.app.channel(), at.app.id());
            }
        }
        ChannelAction::Test { platform, channels, account, language } => {
            return test(&platform, &channels, account.as_deref(), language).await;
        }
        ChannelAction::FindPayment { number, channels, account } => {
            return find_payment(place, &number, &channels, &account).await;
        }
        ChannelAction::Codes { format } => {
            let codes = place.open_existing().await?.app_codes().await?;
            let columns = ["touchpoint", "account", "content", "picture", "trouble"];
            let row = |code: apps::codes::CodeView| {
                let said = |text: Option<String>| text.unwrap_or_default();
                vec![
                    code.touchpoint,
                    code.account,
                    said(code.content),
                    said(code.picture),
                    said(code.trouble),
                ]
            };
            print(&columns.map(str::to_owned), &codes.into_iter().map(row).collect::<Vec<_>>(), format)?;
        }
        ChannelAction::Code { scene, account, days, out, channels } => {
            let mut all = apps::all(&platforms(Some(&channels))?);
            let at = all.remove(&account);
            let at =
                at.with_context(|| format!("{} names no app {account} that asks", channels.display()))?;
            let made = at.app.make_code(&scene, days.map(|days| days * 86_400)).await?;
            match (made.bytes.is_empty(), out) {
                (true, _) => {
                    say!("{} {}", made.content.unwrap_or_default(), made.picture.unwrap_or_default())
                }
                (false, Some(out)) => {
                    std::fs::write(&out, &made.bytes)
                        .with_context(|| format!("cannot write {}", out.display()))?;
                    say!("{}: {} bytes", out.display(), made.bytes.len());
                }
                (false, None) => anyhow::bail!("it is a picture: name a file for it with --out"),
            }
        }
        ChannelAction::Backfill { platform, since, channels, account } => {
            shop::backfill(place, (&platform, &account), &since, &channels).await?;
        }
        ChannelAction::Try { platform, body, topic, channels, account } => {
            return shop::try_out((&platform, &account), &body, &topic, &channels);
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
async fn test(platform: &str, file: &Path, account: Option<&str>, language: Spoken) -> Result<ExitCode> {
    let named = channels(Some(file), &platforms(Some(file))?, &[])?;
    let checked = named.check(platform, account).await;
    if checked.is_empty() {
        anyhow::bail!("{} names no account with a secret that is asked for here", file.display());
    }
    let mut all_well = true;
    for (name, steps) in checked {
        say!("{platform} {name}");
        for step in steps {
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
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Looks a payment up, and takes it in.
async fn find_payment(place: &Place, number: &str, file: &Path, account: &str) -> Result<ExitCode> {
    let merchants = pays::all(&platforms(Some(file))?);
    let merchant = merchants.iter().find(|merchant| merchant.account == account);
    let merchant =
        merchant.with_context(|| format!("{} names no merchant {account} that asks", file.display()))?;
    let engine = place.open_existing().await?;
    match engine.find_payment(merchant, number, zhiyin_engine::clock::wall()).await? {
        Ok((true, true)) => say!("{number} is paid, and was not known: it is worked on"),
        Ok((true, false)) => say!("{number} is paid, and was known"),
        Ok((false, _)) => say!("{number} is not paid"),
        Err(trouble) => anyhow::bail!("{number}: {trouble}"),
    }
    Ok(ExitCode::SUCCESS)
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

/// All that a file names, to be shown and checked; copies of its platforms share what they know.
pub fn channels(file: Option<&Path>, platforms: &Platforms, lanes: &[Lane]) -> Result<Channels> {
    let Some(file) = file else { return Ok(Channels::default()) };
    let public_url = settings::public_url(&text(file)?)?;
    Ok(Channels::of(platforms.clone(), lanes.iter().map(Lane::name), &public_url))
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What a secret is, from where settings say that it is.
pub(crate) fn secret(at: &SecretAt) -> std::result::Result<Vec<u8>, String> {
    match at {
        SecretAt::Environment(name) => std::env::var(name)
            .map(String::into_bytes)
            .map_err(|_| format!("{name} is not in the environment")),
        SecretAt::File(file) => std::fs::read(file).map_err(|error| format!("{file}: {error}")),
    }
}
