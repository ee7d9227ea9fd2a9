//! Wanting no more of what one is sent, without signing in: a sealed word says who it is (RFC 8058).
//!
//! To look changes nothing, since mail scanners look: GET shows a page with one button. POST does it, whether the button was pressed or
//! a mail program did for its reader; said twice it changes nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::language::Language;
use crate::problem::Problem;

/// Where the words are brought.
pub(crate) const PATH: &str = "/v1/unsubscribe/{word}";

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}\
button{font:inherit;padding:.5rem 1.5rem}";

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route(PATH, get(show).post(leave))
}

/// What a page says.
struct Words {
    title: &'static str,
    text: &'static str,
    button: Option<&'static str>,
}

fn asks(language: Language) -> Words {
    match language {
        Language::Zh => {
            Words {
                title: "退订邮件", text: "确认后，我们不再向您发送这类邮件。", button: Some("确认退订")
            }
        }
        Language::En => Words {
            title: "Unsubscribe",
            text: "Once you confirm, we send you no more e-mail of this kind.",
            button: Some("Unsubscribe"),
        },
    }
}

fn did(language: Language) -> Words {
    match language {
        Language::Zh => {
            Words { title: "已退订", text: "我们不再向您发送这类邮件。", button: None }
        }
        Language::En => Words {
            title: "You are unsubscribed",
            text: "We send you no more e-mail of this kind.",
            button: None,
        },
    }
}

fn page(language: Language, words: &Words) -> Response {
    let Words { title, text, button } = words;
    let form = button.map_or_else(String::new, |button| {
        format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
             <button type=\"submit\">{button}</button></form>"
        )
    });
    let body = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p>{form}</main></body></html>",
        language.tag()
    );
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_LANGUAGE, language.tag().to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (StatusCode::OK, headers, body).into_response()
}

/// In which language somebody is spoken to: as the message spoke to them.
fn language(english: bool) -> Language {
    if english { Language::En } else { Language::Zh }
}

async fn show(State(api): State<Arc<Api>>, Path(word): Path<String>, headers: HeaderMap) -> Response {
    match api.engine.leaver(&word).await {
        Ok(Some(leaver)) => {
            let language = language(leaver.english);
            page(language, &asks(language))
        }
        Ok(None) => Problem::of("unsubscribe_unknown").response(Language::accepted(&headers)),
        Err(error) => Problem::from(error).response(Language::accepted(&headers)),
    }
}

async fn leave(State(api): State<Arc<Api>>, Path(word): Path<String>, headers: HeaderMap) -> Response {
    let done = async {
        let Some(leaver) = api.engine.leaver(&word).await? else { return Ok(None) };
        api.engine.leave(&word).await.map(|_| Some(leaver))
    };
    match done.await {
        Ok(Some(leaver)) => {
            let language = language(leaver.english);
            page(language, &did(language))
        }
        Ok(None) => Problem::of("unsubscribe_unknown").response(Language::accepted(&headers)),
        Err(error) => Problem::from(error).response(Language::accepted(&headers)),
    }
}
