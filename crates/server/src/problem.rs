//! What went wrong, for programs (a stable code) and for people (a title in their language): RFC 9457.
//!
//! Whatever is refused, here or in any room below, has a code of the [table](codes::CODES): its status and what it is called in
//! Chinese and English. A test looks for codes in the rooms below that are not in it.

mod code;
mod codes;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_engine::EngineError;
use zhiyin_engine::sign_in::SignInProblem;
use zhiyin_engine::simulate::SimulationProblem;
use zhiyin_model::event::Refusal;
use zhiyin_model::role::Denied;
use zhiyin_store::StoreError;

pub(crate) use code::Code;
pub(crate) use codes::CODES;

use crate::language::Language;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    code: &'static Code,
    /// The field at fault; empty where the whole is.
    field: String,
    /// What exactly, in English.
    detail: String,
    /// After how many seconds to try again.
    after: Option<u64>,
    /// Something that is told beside: a number by which it goes on.
    told: Option<(&'static str, serde_json::Value)>,
}

/// A problem as it is sent (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Details {
    /// Always `about:blank`: a problem is no more than its status and its code.
    r#type: &'static str,
    /// What went wrong, in the reader's language (`Accept-Language`: `zh-CN`, `en`).
    pub(crate) title: &'static str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// What exactly went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The stable name of what went wrong, for programs.
    code: &'static str,
    /// The field at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The number of the request for a second person, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<i64>,
}

impl Problem {
    /// The problem of a code; one that is not in the table is a fault of ours.
    pub(crate) fn of(code: &str) -> Self {
        let found = CODES.iter().find(|known| known.name == code).unwrap_or(&codes::UNFORESEEN);
        Self { code: found, field: String::new(), detail: String::new(), after: None, told: None }
    }

    /// With the field at fault.
    pub(crate) fn at(self, field: &str) -> Self {
        Self { field: field.to_owned(), ..self }
    }

    /// With what exactly went wrong.
    pub(crate) fn says(self, detail: String) -> Self {
        Self { detail, ..self }
    }

    /// With the seconds after which to try again.
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { after: Some(seconds), ..self }
    }

    /// With the number of the request for a second person.
    pub(crate) fn approval(self, no: i64) -> Self {
        Self { told: Some(("approval", no.into())), ..self }
    }

    /// Its code, for what is told later than it happened.
    pub(crate) fn name(&self) -> &'static str {
        self.code.name
    }

    /// Its code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code.name
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether it says that there is no such member, or none within reach.
    pub(crate) fn is_unknown_member(&self) -> bool {
        self.code.name == "member_unknown"
    }

    /// As it is sent, in the reader's language.
    pub(crate) fn details(&self, language: Language) -> Details {
        let (title, sentence) = match language {
            Language::Zh => (self.code.zh, self.code.detail[1]),
            Language::En => (self.code.en, self.code.detail[0]),
        };
        // What exactly it is, is said in English only; the code and the field say it to everybody.
        let exactly = [self.detail.as_str(), sentence].into_iter().find(|text| !text.is_empty());
        Details {
            r#type: "about:blank",
            title,
            status: self.code.status,
            detail: exactly.map(str::to_owned),
            code: self.code.name,
            field: Some(self.field.clone()).filter(|field| !field.is_empty()),
            approval: self.told.as_ref().and_then(|(_, value)| value.as_i64()),
        }
    }

    /// The response, in the reader's language.
    pub(crate) fn response(self, language: Language) -> Response {
        let status = self.status();
        let mut response = (status, Json(self.details(language))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let after = self.after.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
        if let Some(after) = after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::of(refusal.code).at(&refusal.field).says(refusal.message)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::of(denied.code()).says(denied.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(EngineError::from(error))
    }
}

impl From<SignInProblem> for Problem {
    fn from(problem: SignInProblem) -> Self {
        if let SignInProblem::Failed(reason) = &problem {
            tracing::error!(reason, "somebody could not sign in");
            return Self::of("reading_failed");
        }
        let said = Self::of(problem.code()).at(problem.field()).says(problem.to_string());
        Self { after: problem.after(), ..said }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Denied(denied) => denied.into(),
            EngineError::Key(problem) => Self::of(problem.code()).says(problem.to_string()),
            EngineError::SignIn(problem) => problem.into(),
            EngineError::Webhook(problem) => {
                Self::of(problem.code()).at(problem.field()).says(problem.to_string())
            }
            EngineError::Approval(problem) => Self::of(problem.code()).says(problem.to_string()),
            EngineError::Books(problem) => Self::of(problem.code()).at("month").says(problem.to_string()),
            EngineError::Simulation(problem @ SimulationProblem::Part(_)) => {
                tracing::error!(%problem, "a simulation failed");
                Self::of(problem.code())
            }
            EngineError::Simulation(problem) => {
                Self::of(problem.code()).at(problem.field()).says(problem.to_string())
            }
            EngineError::Replaying => Self::of("import_unfinished").says(error.to_string()),
            EngineError::Read(problem) => {
                Self::of(problem.code()).at(problem.field()).says(problem.to_string())
            }
            EngineError::Audience(problem) => {
                Self::of(problem.code()).at(problem.field()).says(problem.to_string())
            }
            EngineError::List(problem) => {
                Self::of(problem.code()).at(problem.field()).says(problem.to_string())
            }
            EngineError::NoPlace(code) => {
                Self::of("place_unknown").says(format!("no place has the code {code}"))
            }
            EngineError::NoPlaybook => Self::of("no_playbook"),
            EngineError::NotSealed => Self::of("home_not_sealed"),
            EngineError::DrawOpen(_) => Self::of("draw_open").at("source").says(error.to_string()),
            EngineError::AsOfFuture(..) => Self::of("as_of_future").says(error.to_string()),
            EngineError::Store(StoreError::Erased) => Self::of("erased"),
            EngineError::Store(StoreError::Unreachable(reason)) => {
                tracing::warn!(reason, "the database cannot be reached");
                Self::of("reading_unavailable")
            }
            EngineError::Store(StoreError::Stopped) => Self::of("reading_unavailable"),
            error => {
                tracing::error!(%error, "a request failed");
                Self::of("reading_failed")
            }
        }
    }
}
