//! The home: what is written down about it, whether it is well, its state as one hash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::readings::home::{AuditVerdict, AuditView, DoctorView};
use zhiyin_engine::sight::Page;
use zhiyin_model::role::Operation;

use super::{Caller, Endpoint, limit};
use crate::api::input::Nothing;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("audit_list", "/v1/audit", Operation::AuditRead, audit)
            .says(
                "Read the audit log",
                "审计日志",
                "The oldest first; with `since` from a day (YYYY-MM-DD) or an instant (RFC 3339) on.",
            )
            .refuses(&["bad_cursor"])
            .example(json!({"since": "2026-12-01", "limit": 100})),
        Endpoint::get("audit_verify", "/v1/audit/verify", Operation::AuditRead, verify).says(
            "Prove the audit log",
            "校验审计日志",
            "Walks the whole chain. Keep `end` elsewhere: lines cut off later are found by it.",
        ),
        Endpoint::get("home_doctor", "/v1/doctor", Operation::HomeManage, doctor).says(
            "Check every invariant",
            "健康检查",
            "A long look at the whole home: in a large one it may take longer than a request may.",
        ),
        Endpoint::get("home_digest", "/v1/digest", Operation::HomeManage, digest).says(
            "Read the home's state as one hash",
            "状态摘要",
            "Equal however the state came about, on any database. A long look, too.",
        ),
    ]
}

/// What of the log.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Log {
    /// Not before this day or instant.
    since: Option<String>,
    /// How many.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn audit(caller: Caller, asked: Log) -> Result<Page<AuditView>, Problem> {
    let page = (limit(asked.limit), asked.cursor.as_deref());
    Ok(caller.engine().audit_view(&caller.grant, asked.since.as_deref(), page).await?)
}

async fn verify(caller: Caller, _: Nothing) -> Result<AuditVerdict, Problem> {
    Ok(caller.engine().audit_verdict(&caller.grant).await?)
}

async fn doctor(caller: Caller, _: Nothing) -> Result<DoctorView, Problem> {
    Ok(caller.engine().doctor_view(&caller.grant).await?)
}

/// The home's state.
#[derive(Serialize, JsonSchema)]
struct Digest {
    /// 64 hexadecimal digits.
    digest: String,
}

async fn digest(caller: Caller, _: Nothing) -> Result<Digest, Problem> {
    Ok(Digest { digest: caller.engine().store().digest().await? })
}
