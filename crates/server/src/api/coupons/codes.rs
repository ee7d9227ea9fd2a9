//! Codes of partners: uploaded in parts, listed by upload, withdrawn.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::coupons::codes::{CodePartView, CodeUploadView};
use zhiyin_model::role::Operation;
use zhiyin_model::time::Day;

use crate::api::caller::Caller;
use crate::api::commands::reason;
use crate::api::endpoint::Endpoint;
use crate::problem::Problem;

/// The largest body of a part, in bytes: its codes at their longest, quoted.
const PART_BYTES_MAX: usize = 4 * 1024 * 1024;

const UPLOAD: Operation = Operation::CouponsIssueMany;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let batch = json!({"batch": "milk-2026-11"});
    vec![
        Endpoint::change(Method::POST, "code_uploads_begin", "/v1/code-uploads", UPLOAD, begin)
            .says(
                "Begin an upload of a partner's codes",
                "开始上传合作方兑换码",
                "For an offer whose coupon says `codes`. Then its parts are sent, and it is ended: none of it is handed out before. \
                 Begun again it is the same upload.",
            )
            .refuses(&["offer_unknown", "bad_text", "bad_date", "batch_reused", "too_many_uploads", "no_playbook"])
            .example(json!({"batch": "milk-2026-11", "offer": "milk_tea", "valid_until": "2026-12-31"})),
        Endpoint::change(Method::POST, "code_uploads_part", "/v1/code-uploads/{batch}/parts", UPLOAD, part)
            .says(
                "Send a part of an upload of codes",
                "上传一批兑换码",
                "Parts are numbered from 0 on, in any order. One that is sent again changes nothing. A code that came before, in this \
                 upload or an earlier one of the same partner, is not taken in: it is counted, and named by its place.",
            )
            .refuses(&[
                "code_upload_unknown", "upload_ended", "part_reused", "bad_number", "too_many_codes", "bad_text", "text_too_long",
            ])
            .body_at_most(PART_BYTES_MAX)
            .example(json!({"batch": "milk-2026-11", "part": 0, "codes": ["MILK-0001-7QXK", "MILK-0002-P3ZD"]})),
        Endpoint::change(Method::POST, "code_uploads_end", "/v1/code-uploads/{batch}/end", UPLOAD, end)
            .says(
                "End an upload of codes",
                "完成兑换码上传",
                "Says of how many parts it is: if these are all there, its codes are handed out from now on.",
            )
            .refuses(&["code_upload_unknown", "parts_missing"])
            .example(json!({"batch": "milk-2026-11", "parts": 1})),
        Endpoint::get("code_uploads_all", "/v1/code-uploads", UPLOAD, all)
            .says(
                "List uploads of codes",
                "兑换码上传列表",
                "The newest first, with what is left of each; the codes themselves are told to nobody.",
            )
            .example(json!({"offer": "milk_tea"})),
        Endpoint::get("code_uploads_read", "/v1/code-uploads/{batch}", UPLOAD, read)
            .says("Read an upload of codes", "查看兑换码上传", "What it came to, and what is left of it.")
            .refuses(&["code_upload_unknown"])
            .example(batch),
        Endpoint::change(
            Method::POST,
            "code_uploads_withdraw",
            "/v1/code-uploads/{batch}/withdraw",
            UPLOAD,
            withdraw,
        )
        .says(
            "Withdraw an upload of codes",
            "撤回未发放的兑换码",
            "What was not handed out is handed out no more, and forgotten. What members hold stays theirs.",
        )
        .refuses(&["code_upload_unknown", "reason_missing", "bad_text"])
        .example(json!({"batch": "milk-2026-11", "reason": "the partner closed"})),
    ]
}

/// An upload that begins.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CodeUploadBegin")]
struct Begin {
    /// By what it is known when it is sent again: small letters, digits, `_`, `-` and `.`.
    #[schemars(length(min = 1, max = 64))]
    batch: String,
    /// For the coupons of which offer, by its id in the playbook.
    #[schemars(length(min = 1, max = 64))]
    offer: String,
    /// The last day on which the codes are good; if it says nothing, they always are.
    valid_until: Option<String>,
}

async fn begin(caller: Caller, asked: Begin) -> Result<CodeUploadView, Problem> {
    let day = |text: String| Day::parse(&text).ok_or_else(|| Problem::of("bad_date").at("valid_until"));
    let until = asked.valid_until.map(day).transpose()?;
    let engine = caller.engine();
    engine.begin_code_upload(&caller.grant, (&asked.batch, &asked.offer), until).await??;
    Ok(engine.code_upload_view(&asked.batch).await??)
}

/// A part of an upload.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CodeUploadPart")]
struct Part {
    /// Of which upload.
    batch: String,
    /// Its number, from 0 on.
    #[schemars(range(min = 0, max = 489))]
    part: i64,
    /// Codes, at most 4,096.
    #[schemars(length(min = 1, max = 4_096))]
    codes: Vec<String>,
}

async fn part(caller: Caller, asked: Part) -> Result<CodePartView, Problem> {
    let codes = (1u64..).zip(asked.codes).collect();
    Ok(caller.engine().put_codes(&asked.batch, asked.part, codes).await??)
}

/// An upload that ends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CodeUploadEnd")]
struct End {
    /// Which.
    batch: String,
    /// Of how many parts it is.
    #[schemars(range(min = 1, max = 490))]
    parts: i64,
}

async fn end(caller: Caller, asked: End) -> Result<CodeUploadView, Problem> {
    Ok(caller.engine().end_code_upload(&caller.grant, &asked.batch, asked.parts).await??)
}

/// Of which offer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Of {
    /// Its id in the playbook; of all, if it says nothing.
    offer: Option<String>,
}

/// Uploads.
#[derive(Serialize, JsonSchema)]
struct CodeUploadsListed {
    /// The newest first.
    items: Vec<CodeUploadView>,
}

async fn all(caller: Caller, asked: Of) -> Result<CodeUploadsListed, Problem> {
    Ok(CodeUploadsListed { items: caller.engine().code_upload_views(asked.offer.as_deref()).await? })
}

/// Which upload.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct One {
    /// By what it is known.
    batch: String,
}

async fn read(caller: Caller, asked: One) -> Result<CodeUploadView, Problem> {
    Ok(caller.engine().code_upload_view(&asked.batch).await??)
}

/// An upload that is withdrawn.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CodeUploadWithdraw")]
struct Withdraw {
    /// Which.
    batch: String,
    /// Why.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

async fn withdraw(caller: Caller, asked: Withdraw) -> Result<CodeUploadView, Problem> {
    let reason = reason(&asked.reason)?;
    Ok(caller.engine().withdraw_code_upload(&caller.grant, &asked.batch, &reason).await??)
}
