//! `zhiyin inbox list | show | reply | assign | read | close | complaint` (docs/inbox.md).

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use zhiyin_engine::platforms::inbox::asked::ReplyAsked;
use zhiyin_engine::platforms::inbox::{ConversationView, InboxAsked, TalkState};

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// What to do about conversations with members.
#[derive(Clone, Debug, Subcommand)]
pub enum InboxAction {
    /// Lists conversations, those with the latest words first; all but closed ones, unless --state says otherwise.
    List {
        /// With this persona.
        #[arg(long)]
        persona: Option<String>,
        /// That this one of the staff looks after.
        #[arg(long, value_name = "CODE")]
        assignee: Option<String>,
        /// That stand so: unread, open, answered or closed.
        #[arg(long, value_parser = state)]
        state: Option<TalkState>,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows one with what was said, as JSON.
    Show {
        /// Which.
        conversation: String,
        /// How many words, the latest first.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
    },
    /// Answers the member.
    Reply {
        /// In which conversation.
        conversation: String,
        /// What the answer is known by: said again it is the same.
        #[arg(long, value_name = "KEY")]
        key: String,
        /// What it says.
        #[arg(long)]
        text: String,
    },
    /// Says who looks after one; nobody, where nobody is named.
    Assign {
        /// Which.
        conversation: String,
        /// Who, by their code.
        #[arg(long, value_name = "CODE")]
        to: Option<String>,
    },
    /// Says that what the member said was read.
    Read {
        /// Which.
        conversation: String,
    },
    /// Closes one; a word of the member opens it again.
    Close {
        /// Which.
        conversation: String,
    },
    /// Says that a complaint of the member's is open, or settled.
    Complaint {
        /// In which conversation.
        conversation: String,
        /// It is settled.
        #[arg(long)]
        settled: bool,
        /// By which tag of the playbook's; `complaining`, where none is named.
        #[arg(long)]
        tag: Option<String>,
    },
}

fn state(text: &str) -> Result<TalkState> {
    TalkState::named(text).ok_or_else(|| anyhow!("unread, open, answered or closed"))
}

/// Does it.
pub async fn inbox(place: &Place, action: InboxAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    let by = who::system();
    match action {
        InboxAction::List { persona, assignee, state, limit, format } => {
            let asked = InboxAsked {
                persona,
                assignee,
                member: None,
                state,
                limit: usize::from(limit),
                cursor: None,
            };
            let columns = [
                "conversation",
                "persona",
                "state",
                "unread",
                "name",
                "last",
                "said",
                "until",
                "left",
                "assignee",
            ];
            let rows: Vec<Vec<String>> =
                engine.inbox(&by, &asked).await?.items.into_iter().map(row).collect();
            print(&columns.map(str::to_owned), &rows, format)?;
        }
        InboxAction::Show { conversation, limit } => {
            let whole = engine.conversation(&by, &conversation, usize::from(limit), None).await?;
            say!("{}", serde_json::to_string_pretty(&whole)?);
        }
        InboxAction::Reply { conversation, key, text } => {
            let asked = ReplyAsked { reply: key, text };
            let word = engine.reply_in(&by, &conversation, &asked).await??;
            say!("{}", serde_json::to_string_pretty(&word)?);
        }
        InboxAction::Assign { conversation, to } => {
            shown(&engine.assign_conversation(&by, &conversation, to.as_deref()).await??)?;
        }
        InboxAction::Read { conversation } => {
            shown(&engine.read_conversation(&by, &conversation).await??)?;
        }
        InboxAction::Close { conversation } => {
            shown(&engine.close_conversation(&by, &conversation).await??)?;
        }
        InboxAction::Complaint { conversation, settled, tag } => {
            shown(&engine.complain_in(&by, &conversation, !settled, tag.as_deref()).await??)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(view: &ConversationView) -> Result<()> {
    say!("{}", serde_json::to_string_pretty(view)?);
    Ok(())
}

fn row(view: ConversationView) -> Vec<String> {
    let (last, at) = view.last.map(|last| (last.words, last.at)).unzip();
    vec![
        view.conversation,
        view.persona,
        view.state.name().to_owned(),
        view.unread.to_string(),
        view.name.unwrap_or_default(),
        last.flatten().unwrap_or_default().replace('\n', " "),
        at.unwrap_or_default(),
        view.reply_until.unwrap_or_default(),
        view.replies_left.to_string(),
        view.assignee.unwrap_or_default(),
    ]
}
