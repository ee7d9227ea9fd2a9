//! `zhiyin link make | show | list | qr` and `zhiyin poster render` (docs/links.md, docs/posters.md).

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use zhiyin_engine::Engine;
use zhiyin_engine::links::{Asked, LinkView};
use zhiyin_model::role::Operation;

use crate::arguments::{Format, Place};
use crate::coupon::whom;
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about short links.
#[derive(Clone, Debug, Subcommand)]
pub enum LinkAction {
    /// Makes a short link. One that is made of the same again is the same.
    Make(Make),
    /// Shows a short link, and how often it was followed, as JSON.
    Show {
        /// Its code.
        code: String,
    },
    /// Lists the short links that were made by hand, newest first.
    List {
        /// Those that lead to this page of the playbook.
        #[arg(long, value_name = "ID")]
        page: Option<String>,
        /// Behind the link of this code.
        #[arg(long, value_name = "CODE")]
        after: Option<String>,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Writes the QR code of a short link to a file: SVG or PNG, by its name.
    Qr {
        /// Its code.
        code: String,
        /// Where it is written.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// About how many pixels a side of a PNG has.
        #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=2048))]
        pixels: u32,
    },
}

/// A short link to be made.
#[derive(Clone, Debug, Args)]
pub struct Make {
    /// The page of the playbook that it leads to.
    #[arg(long, value_name = "ID", required_unless_present = "to")]
    page: Option<String>,
    /// Or an https address at one of the playbook's hosts, or a path with us.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// The touchpoint where whoever follows it met the brand.
    #[arg(long, value_name = "CODE")]
    touchpoint: Option<String>,
    /// Of which campaign it is.
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// For whom it is: NAMESPACE:VALUE, or the member's id.
    #[arg(long)]
    member: Option<String>,
    /// Who passes it on: NAMESPACE:VALUE, or the member's id.
    #[arg(long)]
    sharer: Option<String>,
    /// For how many days it leads there.
    #[arg(long, value_name = "N")]
    days: Option<u16>,
    /// What tells it from others that are made of the same.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
}

/// What to do about posters.
#[derive(Clone, Debug, Subcommand)]
pub enum PosterAction {
    /// Draws a member's poster as PNG.
    Render {
        /// The poster's id in the playbook.
        name: String,
        /// Whose: NAMESPACE:VALUE, or the member's id.
        #[arg(long)]
        member: String,
        /// Where it is written.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

/// Does it.
pub async fn link(place: &Place, action: LinkAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    let filter = engine.filter(&by, Operation::MemberRead).await?;
    match action {
        LinkAction::Make(make) => {
            let named = |member: Option<String>| member.as_deref().map(whom).transpose();
            let asked = Asked {
                page: make.page,
                to: make.to,
                touchpoint: make.touchpoint,
                campaign: make.campaign,
                member: named(make.member)?,
                sharer: named(make.sharer)?,
                days: make.days,
                key: make.key,
            };
            let made = engine.make_link(&by, &filter, &asked).await??;
            say!("{}  leads to {}", made.url, made.to.as_deref().unwrap_or("nothing any more"));
        }
        LinkAction::Show { code } => {
            say!("{}", serde_json::to_string_pretty(&engine.link(&filter, &code).await??)?);
        }
        LinkAction::List { page, after, limit, format } => {
            let which = (page.as_deref(), after.as_deref());
            let found = engine.links(&filter, which, usize::from(limit)).await??;
            let columns =
                ["code", "page", "to", "touchpoint", "campaign", "made_at", "until", "clicks", "scans"];
            let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        LinkAction::Qr { code, to, pixels } => {
            let text = engine.scanned(&filter, &code).await??;
            let drawn = match to.extension().and_then(|ending| ending.to_str()) {
                Some("svg") => Engine::qr_svg(&text).map(String::into_bytes),
                Some("png") => Engine::qr_png(&text, pixels),
                _ => bail!("{}: a code is written as .svg or .png", to.display()),
            };
            let drawn = drawn.context("the address is too long for a code")?;
            std::fs::write(&to, drawn).with_context(|| format!("cannot write {}", to.display()))?;
            say!("{text} is in {}", to.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: LinkView) -> Vec<String> {
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    vec![
        view.code,
        or_nothing(view.page),
        or_nothing(view.to),
        or_nothing(view.touchpoint),
        or_nothing(view.campaign),
        view.made_at,
        or_nothing(view.until),
        view.clicks.to_string(),
        view.scans.to_string(),
    ]
}

/// Does it.
pub async fn poster(place: &Place, action: PosterAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let filter = engine.filter(&who::system(), Operation::MemberRead).await?;
    let PosterAction::Render { name, member, to } = action;
    let drawn = engine.draw_poster(&filter, (&whom(&member)?, "member"), &name).await??;
    std::fs::write(&to, drawn).with_context(|| format!("cannot write {}", to.display()))?;
    say!("{name} is in {}", to.display());
    Ok(ExitCode::SUCCESS)
}
