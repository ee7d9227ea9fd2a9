//! The inbox: what members said to a persona, and what people do about it.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use zhiyin_engine::platforms::inbox::asked::ReplyAsked;
use zhiyin_engine::platforms::inbox::{
    ConversationView, ConversationWhole, InboxAsked, InboxPage, TalkState, WordView,
};
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

/// How many there are on a page, where nobody says.
const LIMIT_USUAL: u16 = 50;
/// An example of an id.
const ID: &str = "7f3a1c0e9b2d4f6a8c1e3b5d7f9a0c2e";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (reads, answers) = (Operation::InboxRead, Operation::InboxAnswer);
    let one = json!({"conversation": ID});
    let refusals = &["conversation_unknown", "conversation_busy"];
    vec![
        Endpoint::get("inbox_list", "/v1/inbox", reads, list)
            .says(
                "List conversations with members",
                "会话收件箱",
                "Those with the latest words first; all but closed ones, unless `state` or `member` says otherwise. What members said is not \
                 shown to roles that see people masked. `counts` are those of the whole home, for roles that see all of it.",
            )
            .refuses(&["bad_cursor", "bad_query", "member_unknown"])
            .example(json!({"state": "unread", "persona": "小顾问", "limit": 20})),
        Endpoint::get("inbox_read", "/v1/inbox/{conversation}", reads, read)
            .says("Read a conversation", "查看会话", "With what was said in it, the latest first, by whichever desk.")
            .refuses(&["not_found", "bad_cursor", "bad_query"])
            .example(json!({"conversation": ID, "limit": 20})),
        Endpoint::change(Method::POST, "inbox_reply", "/v1/inbox/{conversation}/reply", answers, reply)
            .says(
                "Answer a member",
                "回复会员",
                "Once for each `reply`: sent again it tells how it stands. It is said as soon as the platform takes it, and never twice. It is \
                 service: caps and quiet hours do not hold it; whoever is blocked gets none.",
            )
            .refuses(&[
                "conversation_unknown",
                "conversation_busy",
                "bad_text",
                "text_too_long",
                "reply_reused",
                "reply_window_closed",
                "replies_at_most",
                "member_blocked",
                "no_playbook",
            ])
            .example(json!({"conversation": ID, "reply": "r-20261128-1", "text": "您好，已为您补发，预计明天送达。"})),
        Endpoint::change(Method::POST, "inbox_assign", "/v1/inbox/{conversation}/assign", answers, assign)
            .says(
                "Say who looks after a conversation",
                "分配会话",
                "Somebody of the staff by their code; nobody, where none is named. They see it, whosever member it is with.",
            )
            .refuses(&["conversation_unknown", "conversation_busy", "staff_unknown"])
            .example(json!({"conversation": ID, "assignee": "A0042"})),
        Endpoint::change(Method::POST, "inbox_mark_read", "/v1/inbox/{conversation}/read", answers, mark_read)
            .says("Say that a conversation was read", "标记已读", "What the member said is unread no more; it is `open`.")
            .refuses(refusals)
            .example(one.clone()),
        Endpoint::change(Method::POST, "inbox_close", "/v1/inbox/{conversation}/close", answers, close)
            .says("Close a conversation", "结束会话", "A word of the member opens it again.")
            .refuses(refusals)
            .example(one.clone()),
        Endpoint::change(Method::POST, "inbox_reopen", "/v1/inbox/{conversation}/reopen", answers, reopen)
            .says("Open a closed conversation again", "重新打开会话", "As if it had been read; a word of the member does the same.")
            .refuses(refusals)
            .example(one),
        Endpoint::change(Method::POST, "inbox_complaint", "/v1/inbox/{conversation}/complaint", answers, complaint)
            .says(
                "Say that a complaint is open, or settled",
                "标记投诉",
                "By a tag of the member's, `complaining` where none is named. Where the playbook's `sending.complaint` asks for it, nothing is \
                 sold to them meanwhile.",
            )
            .refuses(&["conversation_unknown", "conversation_busy", "tag_unknown", "no_playbook"])
            .example(json!({"conversation": ID, "open": true})),
    ]
}

/// Which conversations.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InboxList {
    /// With this persona.
    #[schemars(length(min = 1, max = 255))]
    persona: Option<String>,
    /// That this one of the staff looks after.
    #[schemars(length(min = 1, max = 255))]
    assignee: Option<String>,
    /// With this member, by their id; closed ones too, unless `state` says otherwise.
    #[schemars(length(min = 1, max = 64))]
    member: Option<String>,
    /// That stand so.
    state: Option<TalkState>,
    /// How many; 50 unless said otherwise.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// Which conversation, and which part of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConversationAsked {
    /// Its id.
    conversation: String,
    /// How many words; 50 unless said otherwise.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// Which conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfConversation {
    /// Its id.
    conversation: String,
}

/// An answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplyNew {
    /// In which conversation.
    conversation: String,
    /// What it is known by.
    #[schemars(length(min = 1, max = 64))]
    reply: String,
    /// The text, at most 2,048 bytes.
    #[schemars(length(min = 1, max = 2048))]
    text: String,
}

/// Who looks after it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Assigned {
    /// Which conversation.
    conversation: String,
    /// Their code among the staff; nobody, where it is missing.
    #[schemars(length(min = 1, max = 64))]
    assignee: Option<String>,
}

/// Whether a complaint is open.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Complaint {
    /// Which conversation.
    conversation: String,
    /// Whether it is.
    open: bool,
    /// By which tag of the playbook's.
    #[schemars(length(min = 1, max = 64))]
    tag: Option<String>,
}

fn limit(asked: Option<u16>) -> usize {
    usize::from(asked.unwrap_or(LIMIT_USUAL))
}

async fn list(caller: Caller, asked: InboxList) -> Result<InboxPage, Problem> {
    let InboxList { persona, assignee, member, state, limit: most, cursor } = asked;
    let asked = InboxAsked { persona, assignee, member, state, limit: limit(most), cursor };
    Ok(caller.engine().inbox(&caller.grant, &asked).await?)
}

async fn read(caller: Caller, asked: ConversationAsked) -> Result<ConversationWhole, Problem> {
    let (of, cursor) = (&asked.conversation, asked.cursor.as_deref());
    Ok(caller.engine().conversation(&caller.grant, of, limit(asked.limit), cursor).await?)
}

async fn reply(caller: Caller, asked: ReplyNew) -> Result<WordView, Problem> {
    let ReplyNew { conversation, reply, text } = asked;
    Ok(caller.engine().reply_in(&caller.grant, &conversation, &ReplyAsked { reply, text }).await??)
}

async fn assign(caller: Caller, asked: Assigned) -> Result<ConversationView, Problem> {
    let to = asked.assignee.as_deref();
    Ok(caller.engine().assign_conversation(&caller.grant, &asked.conversation, to).await??)
}

async fn mark_read(caller: Caller, of: OfConversation) -> Result<ConversationView, Problem> {
    Ok(caller.engine().read_conversation(&caller.grant, &of.conversation).await??)
}

async fn close(caller: Caller, of: OfConversation) -> Result<ConversationView, Problem> {
    Ok(caller.engine().close_conversation(&caller.grant, &of.conversation).await??)
}

async fn reopen(caller: Caller, of: OfConversation) -> Result<ConversationView, Problem> {
    Ok(caller.engine().reopen_conversation(&caller.grant, &of.conversation).await??)
}

async fn complaint(caller: Caller, asked: Complaint) -> Result<ConversationView, Problem> {
    let (open, tag) = (asked.open, asked.tag.as_deref());
    Ok(caller.engine().complain_in(&caller.grant, &asked.conversation, open, tag).await??)
}
