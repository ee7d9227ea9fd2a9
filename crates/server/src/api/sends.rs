//! What left the home: what came of it, dead letters, what comes back, and writing to somebody again.

use std::sync::Arc;

use axum::Json;
use axum::http::Method;
use axum::response::IntoResponse as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::sends::came_back::{BYTES_MAX, CameBackView};
use zhiyin_engine::sends::log::{SHOWN_MAX, SendView, SendsAsked};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::caller::Caller;
use super::commands::{CommandDone, MemberRef};
use super::endpoint::{Endpoint, Raw};
use super::input;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let (needs, id) = (Operation::CampaignsManage, "0123456789abcdef0123456789abcdef");
    let one = json!({"send": id});
    vec![
        Endpoint::get("sends_list", "/v1/sends", needs, list)
            .says(
                "List what left the home",
                "外发消息列表",
                "On channels outside of it, the newest first; `before` is the id of the last one of the page before.",
            )
            .refuses(&["bad_state", "send_unknown"])
            .example(json!({"state": "failed", "limit": 50})),
        Endpoint::get("sends_read", "/v1/sends/{send}", needs, read)
            .says("Read what came of one", "查看外发消息", "Where it stands, and what went wrong.")
            .refuses(&["send_unknown"])
            .example(one.clone()),
        Endpoint::change(Method::POST, "sends_retry", "/v1/sends/{send}/retry", needs, retry)
            .says(
                "Hand one over again",
                "重新发送",
                "A dead letter; or, where you are `sure` that it did not arrive, one of which nobody knows whether it did.",
            )
            .refuses(&["send_unknown", "send_not_failed", "send_went_elsewhere", "send_unknown_whether_sent"])
            .example(json!({"send": id, "sure": false})),
        Endpoint::change(Method::POST, "sends_drop", "/v1/sends/{send}/drop", needs, drop_one)
            .says("Drop one", "放弃发送", "It is not sent any more.")
            .refuses(&["send_unknown", "send_settled"])
            .example(one),
        Endpoint::get("members_sends", "/v1/members/{id}/sends", Operation::MemberRead, of_member)
            .says("Read what was sent to a member", "会员触达记录", "On channels outside of the home, the newest first.")
            .refuses(&["member_unknown", "bad_identifier", "bad_state", "send_unknown"])
            .example(json!({"id": id})),
        bounces(),
        Endpoint::command(
            "channels_write_again",
            "/v1/commands/channels/write-again",
            Operation::MemberUpdate,
            write_again,
        )
        .says(
            "Write to a member again on a channel",
            "恢复渠道触达",
            "On which nothing reached them: their address was corrected, or works again.",
        )
        .refuses(&[
            "member_unknown", "bad_identifier", "identifier_blocked", "phone_malformed", "email_malformed", "bad_text",
            "text_too_long", "erased", "channel_unknown", "channel_reachable",
        ])
        .example(json!({"member": {"namespace": "phone", "value": "13912345678"}, "channel": "email"})),
    ]
}

/// What comes back comes as a mail server has it (`message/rfc822`), or as JSON.
fn bounces() -> Endpoint {
    let described = Endpoint::change(
        Method::POST,
        "channels_email_bounces",
        "/v1/channels/email/bounces",
        Operation::IngestWrite,
        came_back,
    );
    let handler = |caller: Caller, raw: Raw| -> super::endpoint::Answering {
        Box::pin(async move {
            let asked = match raw.not_json {
                true => raw.body,
                false => {
                    let asked: BouncedMail = input::read(input::body(&raw)?)?;
                    asked.message.into_bytes()
                }
            };
            Ok(Json(caller.engine().came_back(&caller.grant, &asked).await??).into_response())
        })
    };
    Endpoint { handler: Arc::new(handler), ..described }
        .says(
            "Take an e-mail that came back",
            "退信与投诉",
            "A delivery status (RFC 3464) or a complaint (RFC 5965), whole: as JSON, or as `message/rfc822`. It is believed only where it \
             bears a sealed word of ours.",
        )
        .refuses(&["message_too_large", "message_malformed"])
        .body_at_most(BYTES_MAX)
        .example(json!({"message": "From: MAILER-DAEMON@example.com\r\nSubject: Undelivered\r\n\r\nSorry."}))
}

/// Which are asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendsList {
    /// On one channel.
    #[schemars(length(min = 1, max = 64))]
    channel: Option<String>,
    /// In one state: `waiting`, `handed`, `sent`, `unknown`, `failed`, `stopped`, `dropped` or `bounced`.
    state: Option<String>,
    /// Older than this one.
    before: Option<String>,
    /// How many at most.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
}

/// What left the home.
#[derive(Serialize, JsonSchema)]
struct SendsListed {
    /// The newest first.
    items: Vec<SendView>,
}

fn asked(
    channel: Option<String>,
    state: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
) -> SendsAsked {
    SendsAsked { channel, state, before, limit: limit.unwrap_or(SHOWN_MAX) }
}

async fn list(
    caller: Caller,
    SendsList { channel, state, before, limit }: SendsList,
) -> Result<SendsListed, Problem> {
    let items = caller.engine().sends(&asked(channel, state, before, limit)).await??;
    Ok(SendsListed { items })
}

/// Which one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfSend {
    /// Its id.
    send: String,
}

async fn read(caller: Caller, of: OfSend) -> Result<SendView, Problem> {
    Ok(caller.engine().send(&of.send).await??)
}

/// Which one is handed over again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendRetry {
    /// Its id.
    send: String,
    /// Whether you are sure that it did not arrive, where nobody knows.
    #[serde(default)]
    sure: bool,
}

async fn retry(caller: Caller, asked: SendRetry) -> Result<SendView, Problem> {
    Ok(caller.engine().retry_send(&caller.grant, &asked.send, asked.sure).await??)
}

async fn drop_one(caller: Caller, of: OfSend) -> Result<SendView, Problem> {
    Ok(caller.engine().drop_send(&caller.grant, &of.send).await??)
}

/// To which member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberSends {
    /// Their id.
    id: String,
    /// On one channel.
    #[schemars(length(min = 1, max = 64))]
    channel: Option<String>,
    /// In one state.
    state: Option<String>,
    /// Older than this one.
    before: Option<String>,
    /// How many at most.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
}

async fn of_member(caller: Caller, given: MemberSends) -> Result<SendsListed, Problem> {
    let MemberSends { id, channel, state, before, limit } = given;
    let whom = MemberId::from_hex(&id).map(Whom::Id).ok_or_else(|| Problem::of("member_unknown").at("id"))?;
    let asked = asked(channel, state, before, limit);
    let items = caller.engine().member_sends(&caller.filter, (&whom, "id"), &asked).await??;
    Ok(SendsListed { items })
}

/// An e-mail that came back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BouncedMail {
    /// The message, whole, as it came.
    #[schemars(length(min = 1))]
    message: String,
}

async fn came_back(caller: Caller, asked: BouncedMail) -> Result<CameBackView, Problem> {
    Ok(caller.engine().came_back(&caller.grant, asked.message.as_bytes()).await??)
}

/// A member who is written to again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteAgain {
    /// Whom.
    member: MemberRef,
    /// On which channel.
    #[schemars(length(min = 1, max = 64))]
    channel: String,
}

async fn write_again(caller: Arc<Caller>, asked: WriteAgain) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    zhiyin_model::event::bounded("channel", &asked.channel)?;
    let mut act = Act::new(Operation::MemberUpdate, names::CHANNEL_REACHABLE, vec![name]);
    act.properties.insert("channel".to_owned(), asked.channel.as_str().into());
    act.noted = json!({"channel": asked.channel});
    caller.done(&act, Some(member)).await
}
