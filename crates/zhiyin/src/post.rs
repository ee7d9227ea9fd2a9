//! `zhiyin post groups | moment | list | show | approve | refuse` (docs/wecom-sends.md).

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use zhiyin_engine::platforms::posts::{GroupsAsked, MomentAsked, PostAsked, PostView};

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to publish.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// What it is known by: said again it is the same.
    batch: String,
    /// The text.
    #[arg(long)]
    text: String,
    /// For how many hours staff may confirm it.
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=168))]
    confirm: Option<u32>,
    /// Through which of the brand's accounts in the file of channels.
    #[arg(long, default_value = "main")]
    account: String,
}

/// What to do about what people publish through staff.
#[derive(Clone, Debug, Subcommand)]
pub enum PostAction {
    /// Sends a text into groups, through their owners.
    Groups {
        /// What.
        #[command(flatten)]
        words: Words,
        /// Into these, by id.
        #[arg(long, value_name = "ID")]
        group: Vec<String>,
        /// Into those whose name has this in it.
        #[arg(long, value_name = "TEXT")]
        named: Option<String>,
        /// Into those of this owner.
        #[arg(long, value_name = "ACCOUNT")]
        owner: Vec<String>,
        /// Into those into which the codes of this touchpoint lead, or led.
        #[arg(long, value_name = "TOUCHPOINT")]
        touchpoint: Vec<String>,
        /// Into those of whoever works at this store.
        #[arg(long, value_name = "CODE")]
        store: Vec<String>,
        /// With a card of this title, which leads to --url.
        #[arg(long, requires = "url")]
        title: Option<String>,
        /// Where the card leads.
        #[arg(long, requires = "title")]
        url: Option<String>,
    },
    /// Publishes a moment.
    Moment {
        /// What.
        #[command(flatten)]
        words: Words,
        /// By this account; by all, where none is named.
        #[arg(long, value_name = "ACCOUNT")]
        by: Vec<String>,
        /// For customers with this tag; for all, where none is named.
        #[arg(long)]
        tag: Vec<String>,
    },
    /// Lists what is published.
    List {
        /// Of which of the brand's accounts.
        #[arg(long, default_value = "main")]
        account: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows one, as JSON.
    Show {
        /// What it is known by.
        batch: String,
        /// Of which of the brand's accounts.
        #[arg(long, default_value = "main")]
        account: String,
    },
    /// Approves one that waits for a second person.
    Approve {
        /// What it is known by.
        batch: String,
        /// Of which of the brand's accounts.
        #[arg(long, default_value = "main")]
        account: String,
    },
    /// Refuses one that waits for a second person.
    Refuse {
        /// What it is known by.
        batch: String,
        /// Of which of the brand's accounts.
        #[arg(long, default_value = "main")]
        account: String,
    },
}

/// Does it.
pub async fn post(place: &Place, action: PostAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        PostAction::Groups { words, group, named, owner, touchpoint, store, title, url } => {
            let groups = Some(GroupsAsked {
                groups: group,
                named,
                owners: owner,
                touchpoints: touchpoint,
                stores: store,
            });
            shown(&engine.ask_post(&by, &PostAsked { groups, ..asked(words, title.zip(url)) }).await??)?;
        }
        PostAction::Moment { words, by: accounts, tag } => {
            let moment = Some(MomentAsked { accounts, tags: tag });
            shown(&engine.ask_post(&by, &PostAsked { moment, ..asked(words, None) }).await??)?;
        }
        PostAction::List { account, format } => {
            let columns = ["batch", "into", "state", "why", "asked_by", "asked", "staff", "waiting"];
            let rows: Vec<Vec<String>> = engine.posts(&account).await??.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        PostAction::Show { batch, account } => shown(&engine.post_of(&account, &batch).await??)?,
        PostAction::Approve { batch, account } => {
            shown(&engine.answer_post(&by, (&account, &batch), true).await??)?;
        }
        PostAction::Refuse { batch, account } => {
            shown(&engine.answer_post(&by, (&account, &batch), false).await??)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(words: Words, card: Option<(String, String)>) -> PostAsked {
    let Words { batch, text, confirm, account } = words;
    PostAsked { batch, account, text, card, groups: None, moment: None, confirm_hours: confirm }
}

fn shown(view: &PostView) -> Result<()> {
    say!("{}", serde_json::to_string_pretty(view)?);
    Ok(())
}

fn row(view: PostView) -> Vec<String> {
    let waiting = view.staff.iter().filter(|one| one.state == "waiting").count();
    vec![
        view.batch,
        view.into,
        view.state,
        view.why.unwrap_or_default(),
        view.asked_by,
        view.asked_at,
        view.staff.len().to_string(),
        waiting.to_string(),
    ]
}
