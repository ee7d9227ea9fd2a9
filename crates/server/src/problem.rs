//! What went wrong, for programs (a stable code) and for people (a sentence in their language): RFC 9457.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::language::Language;

/// Everything a route may refuse with. The code is the name in snake case, and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    TookTooLong,
    NotReady,
    ReadingUnavailable,
    ReadingFailed,
}

#[derive(Serialize)]
struct Details {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

impl Problem {
    /// Status, code, title and sentence.
    fn words(self, language: Language) -> (StatusCode, &'static str, &'static str, &'static str) {
        let zh = language == Language::Zh;
        let say = |chinese, english| if zh { chinese } else { english };
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                say("没有这个地址", "Not found"),
                say(
                    "这里没有要找的内容。请核对地址，或从概览页 / 开始。",
                    "Nothing lives at this address. Check it, or start from the overview at /.",
                ),
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                say("不支持这种请求方法", "Method not allowed"),
                say(
                    "这个地址不接受这种请求方法，接受的列在 Allow 头里。",
                    "This address does not take this method. Those it takes are in the Allow header.",
                ),
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                say("请求体过大", "Content too large"),
                say(
                    "请求体超过上限，没有读取。请分成几次发送。",
                    "The body is over the limit and was not read. Send it in parts.",
                ),
            ),
            Self::TookTooLong => (
                StatusCode::SERVICE_UNAVAILABLE,
                "took_too_long",
                say("超时", "Took too long"),
                say(
                    "没能按时答复，数据不受影响。请稍后再试。",
                    "The answer was not ready in time. Data is safe. Try again shortly.",
                ),
            ),
            Self::NotReady => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_ready",
                say("尚未就绪", "Not ready"),
                say(
                    "服务已启动，但还不能受理请求。请稍后再试。",
                    "The server is up but cannot take work yet. Try again shortly.",
                ),
            ),
            Self::ReadingUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "reading_unavailable",
                say("暂时读不到数据", "Data cannot be read right now"),
                say(
                    "数据库暂时不能读取，数据不受影响。请稍后再试。",
                    "The database cannot be read right now. Data is safe. Try again shortly.",
                ),
            ),
            Self::ReadingFailed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "reading_failed",
                say("读取失败", "Reading failed"),
                say(
                    "读取时出错，数据不受影响。原因在服务器日志里；请再试一次。",
                    "Reading failed. Data is safe. The reason is in the server's log. Try again.",
                ),
            ),
        }
    }

    /// The response, in the reader's language.
    pub(crate) fn response(self, language: Language) -> Response {
        let (status, code, title, detail) = self.words(language);
        // `about:blank` says that the problem is no more than its status and code; codes are documented.
        let details = Details { r#type: "about:blank", title, status: status.as_u16(), detail, code };
        let mut response = (status, Json(details)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
