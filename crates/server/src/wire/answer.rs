//! What a sender is answered: `{"success": true}` as Segment does, on request with what became of each item; or why nothing
//! was taken.

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Body};
use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::delivery::{Taken, Unwelcome};
use zhiyin_model::event::Refusal;

use crate::language::Language;

/// Why a whole delivery is refused. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No key that is one.
    Stranger,
    /// The key has ended, or is for something else.
    Unwelcome(Unwelcome),
    /// Too much is under way.
    Busy,
    /// What came in before is to be decided first.
    Behind,
    /// The body took too long.
    TooSlow,
    /// The sender went away.
    CutOff,
    DeliveryTooLarge,
    UnpackedTooLarge,
    BadCompression,
    EncodingUnknown,
    /// An item is too large; its field.
    ItemTooLarge(String),
    /// The body as a whole does not read.
    Unreadable(Refusal),
    /// The key's items were read in another way before.
    NamespaceChanged,
    /// The store does not answer.
    Unavailable,
    /// It failed; the reason is in the log.
    Failed,
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Stranger | Self::Unwelcome(Unwelcome::Refused(_)) => StatusCode::UNAUTHORIZED,
            Self::Unwelcome(Unwelcome::Denied(_)) => StatusCode::FORBIDDEN,
            Self::Busy | Self::Behind => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::CutOff | Self::BadCompression | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::DeliveryTooLarge | Self::UnpackedTooLarge | Self::ItemTooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::EncodingUnknown => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NamespaceChanged => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Its name, which does not change.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Stranger => "key_unknown",
            Self::Unwelcome(Unwelcome::Refused(refused)) => refused.code(),
            Self::Unwelcome(Unwelcome::Denied(denied)) => denied.code(),
            Self::Busy => "too_many_deliveries",
            Self::Behind => "inbox_behind",
            Self::TooSlow => "body_too_slow",
            Self::CutOff => "body_cut_off",
            Self::DeliveryTooLarge => "batch_too_large",
            Self::UnpackedTooLarge => "unpacked_too_large",
            Self::BadCompression => "bad_compression",
            Self::EncodingUnknown => "encoding_unknown",
            Self::ItemTooLarge(_) => "item_too_large",
            Self::Unreadable(refusal) => refusal.code,
            Self::NamespaceChanged => "source_namespace",
            Self::Unavailable => "store_unavailable",
            Self::Failed => "delivery_failed",
        }
    }

    /// Where to look, if it is in the body.
    fn field(&self) -> &str {
        match self {
            Self::ItemTooLarge(field) => field,
            Self::Unreadable(refusal) => &refusal.field,
            _ => "",
        }
    }

    /// After how many seconds it is worth trying again.
    fn after_seconds(&self) -> Option<u32> {
        match self {
            Self::Busy | Self::Unavailable => Some(1),
            Self::Behind => Some(5),
            _ => None,
        }
    }

    /// A sentence in Chinese and in English.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Stranger | Self::Unwelcome(Unwelcome::Refused(_)) => {
                ("没有可用的写入密钥。", "There is no write key that is good.")
            }
            Self::Unwelcome(Unwelcome::Denied(_)) => {
                ("这个密钥不能写入事件。", "This key is not for sending events.")
            }
            Self::Busy => {
                ("同时在处理的请求太多，请稍后重发。", "Too much is under way. Send it again shortly.")
            }
            Self::Behind => (
                "收件箱积压过多，先前的事件还在处理，请稍后重发。",
                "The inbox is behind: what came before is to be decided first. Send it again later.",
            ),
            Self::TooSlow => ("请求体没有按时收齐。", "The body did not come in in time."),
            Self::CutOff => ("请求体没有收齐。", "The body broke off."),
            Self::DeliveryTooLarge => {
                ("一次最多 500 KB，请分批发送。", "At most 500 KB at once. Send it in parts.")
            }
            Self::UnpackedTooLarge => {
                ("解压后超过 500 KB，请分批发送。", "Over 500 KB once unpacked. Send it in parts.")
            }
            Self::BadCompression => ("压缩内容已损坏。", "What is compressed is damaged."),
            Self::EncodingUnknown => {
                ("只接受 gzip、deflate 或不压缩的内容。", "Only gzip, deflate or plain content is taken.")
            }
            Self::ItemTooLarge(_) => ("单个事件最多 32 KB。", "An item has at most 32 KB."),
            Self::Unreadable(_) => {
                ("请求体读不懂，没有写入任何事件。", "The body cannot be read. Nothing of it was taken.")
            }
            Self::NamespaceChanged => (
                "这个密钥的 userId 先前属于另一个命名空间。",
                "The userId of this key was of another namespace before.",
            ),
            Self::Unavailable => {
                ("数据库暂时没有应答，请稍后重发。", "The database does not answer. Send it again shortly.")
            }
            Self::Failed => {
                ("没有写入，原因在服务器日志里。", "It was not taken. The reason is in the server's log.")
            }
        }
    }

    /// The answer: a problem (RFC 9457) that also says `message`, which clients of this family read.
    pub(super) fn response(&self, language: Language) -> Response {
        let (zh, en) = self.words();
        let said = if language == Language::Zh { zh } else { en };
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let mut problem = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "code": self.code(),
            "detail": said, "message": said,
        });
        if !self.field().is_empty() {
            problem["field"] = self.field().into();
        }
        if let Self::Unreadable(refusal) = self {
            problem["detail"] = refusal.message.as_str().into();
        }
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::TooSlow | Self::CutOff) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// What asks for the verdict on each item (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const REPRESENTATION: &str = "return=representation";

/// Whether a sender wants to know what became of each item.
pub(super) fn wants_verdicts(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    said.any(|value| value.split([',', ';']).any(|one| one.trim().eq_ignore_ascii_case(REPRESENTATION)))
}

/// All is well.
pub(super) fn success() -> Response {
    // `status` is what PostHog's clients look at.
    let body = Body::from(r#"{"success":true,"status":1}"#);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// All is well, and what became of each item; `ids` are what the sender calls them.
pub(super) fn verdicts(taken: &[Taken], ids: &[Option<String>]) -> Response {
    let results = taken.iter().enumerate().map(|(index, taken)| {
        let mut result = json!({ "index": index });
        if let Some(Some(id)) = ids.get(index) {
            result["messageId"] = id.as_str().into();
        }
        let verdict = match &taken.verdict {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "duplicate",
            Verdict::Refused(refusal) => {
                result["code"] = refusal.code.into();
                result["field"] = refusal.field.as_str().into();
                result["message"] = refusal.message.as_str().into();
                "refused"
            }
        };
        result["verdict"] = verdict.into();
        if taken.given_up > 0 {
            result["given_up"] = taken.given_up.into();
        }
        result
    });
    let body = json!({ "success": true, "status": 1, "results": results.collect::<Vec<Value>>() });
    ([(APPLIED, REPRESENTATION)], Json(body)).into_response()
}

/// What lets a browser's page of another origin send, and read the answer. No cookie means anything here, so whoever holds a key
/// may send from anywhere.
pub(super) fn cors(asked: &HeaderMap, answered: &mut HeaderMap) {
    let origin = asked.get(header::ORIGIN);
    answered.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        origin.cloned().unwrap_or(HeaderValue::from_static("*")),
    );
    if origin.is_some() {
        // A beacon brings the page's credentials along whether it wants to or not.
        answered.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    answered.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    answered.insert(header::VARY, HeaderValue::from_static("origin, accept-language"));
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The answer to a browser that asks whether it may send.
pub(super) fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    cors(asked, headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|names| names.len() <= 1_024);
    let wanted = wanted.cloned().unwrap_or(HeaderValue::from_static("authorization, content-type"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
