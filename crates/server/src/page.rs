//! The overview page as one self-contained response: style and script inside, allowed by their hashes,
//! so that the browser runs nothing else and asks nobody else.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::language::Language;

const HTML: &str = include_str!("overview/page.html");
const STYLE: &str = include_str!("overview/page.css");
/// One module script, in the order in which the files build on each other.
const SCRIPTS: [&str; 6] = [
    include_str!("overview/words.js"),
    include_str!("overview/numbers.js"),
    include_str!("overview/elements.js"),
    include_str!("overview/charts.js"),
    include_str!("overview/cards.js"),
    include_str!("overview/page.js"),
];

/// What the address of the page may say; anything else in it is left to others.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    lang: Option<String>,
    theme: Option<String>,
}

/// The page in each language and theme, built once at start.
pub(crate) struct Page {
    variants: Vec<Variant>,
    policy: HeaderValue,
}

struct Variant {
    language: Language,
    theme: &'static str,
    body: Bytes,
    tag: HeaderValue,
}

impl Page {
    /// Builds all variants. A page without a theme follows the reader's system.
    pub(crate) fn new() -> Self {
        let script = SCRIPTS.join("\n");
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            sha256_base64(&script),
            sha256_base64(STYLE),
        );
        let mut variants = Vec::new();
        for language in [Language::Zh, Language::En] {
            for theme in ["", "light", "dark"] {
                variants.push(variant(language, theme, &script));
            }
        }
        let policy = HeaderValue::try_from(policy).expect("a policy of ASCII words is a header value");
        Self { variants, policy }
    }

    /// The page, or 304 when the reader has it.
    pub(crate) fn response(&self, query: &PageQuery, asked: &HeaderMap) -> Response {
        let named = query.lang.as_deref().and_then(Language::named);
        let language = named.unwrap_or_else(|| Language::accepted(asked));
        let theme = query.theme.as_deref().unwrap_or_default();
        let mut spoken = self.variants.iter().filter(|variant| variant.language == language);
        let plain = spoken.next().expect("each language has its variants, the one without a theme first");
        let variant = spoken.find(|variant| variant.theme == theme).unwrap_or(plain);
        let mut response = if has_already(asked, &variant.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            ([(header::CONTENT_TYPE, html)], variant.body.clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, variant.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }
}

fn variant(language: Language, theme: &'static str, script: &str) -> Variant {
    let (title, skip, console) = match language {
        Language::Zh => ("概览 · 知音", "跳到正文", "控制台"),
        Language::En => ("Overview · Zhiyin", "Skip to content", "Console"),
    };
    // The script goes in last, so that nothing in it is taken for a placeholder.
    let page = HTML
        .replace("{{lang}}", language.tag())
        .replace("{{theme}}", theme)
        .replace("{{title}}", title)
        .replace("{{skip}}", skip)
        .replace("{{console}}", console)
        .replace("{{style}}", STYLE)
        .replace("{{script}}", script);
    let tag = HeaderValue::try_from(format!("\"{}\"", &sha256_base64(&page)[..22]))
        .expect("base64 in quotes is a header value");
    Variant { language, theme, body: Bytes::from(page), tag }
}

fn sha256_base64(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Whether `If-None-Match` names this tag (compared weakly, as RFC 9110 says for it).
pub(crate) fn has_already(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|named| named.trim())
        .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_under_sixty_kilobytes_and_has_no_hole() {
        for variant in Page::new().variants {
            let text = std::str::from_utf8(&variant.body).unwrap();
            assert!(text.len() <= 60 * 1024, "{} bytes", text.len());
            assert!(!text.contains("{{"), "a placeholder is left");
        }
    }

    #[test]
    fn the_page_names_no_other_place() {
        let page = &Page::new().variants[0];
        let text = std::str::from_utf8(&page.body).unwrap().replace("http://www.w3.org/2000/svg", "");
        for outside in ["http://", "https://", "url(", "@import", "src="] {
            assert!(!text.contains(outside), "{outside}");
        }
    }

    #[test]
    fn a_tag_is_recognised_in_a_list_and_when_weak() {
        let tag = HeaderValue::from_static("\"abc\"");
        let rows = [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"ab\"", false),
        ];
        for (named, expected) in rows {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, HeaderValue::from_static(named));
            assert_eq!(has_already(&asked, &tag), expected, "{named}");
        }
    }
}
