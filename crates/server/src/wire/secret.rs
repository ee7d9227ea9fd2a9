//! Where clients put their write key: each family of them somewhere else.
//!
//! Segment's have it as the user of Basic (with a colon or without), in the body, or beside a Bearer; Jitsu's in `X-Write-Key`,
//! as `ID:SECRET`; Dittofeed's alone in `Authorization`; PostHog's in the body; RudderStack's beacon in the address. What does
//! not look like a key of ours is passed over, so that a masked key or a token for something else does no harm.

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zhiyin_engine::keys::id_of;
use zhiyin_model::event::json::Json;

/// What the key is called in a body or an address.
pub(super) const NAMES: [&str; 5] = ["writeKey", "write_key", "api_key", "token", "writekey"];

/// The keys in a request's head, the likeliest first.
pub(super) fn in_head(head: &Parts) -> Vec<String> {
    let mut said = Vec::new();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(value) = header(AUTHORIZATION.as_str()) {
        let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => said.extend(basic(rest.trim())),
            _ => said.push(rest.trim().to_owned()),
        }
    }
    said.extend(header("x-write-key").map(str::to_owned));
    let pairs = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let named = pairs.filter(|(name, _)| NAMES.contains(name));
    said.extend(named.map(|(_, value)| value.replace("%3A", ":").replace("%3a", ":")));
    keys(said)
}

/// The keys in a body: its own, or that of its first item.
pub(super) fn in_body<'j>(bodies: impl IntoIterator<Item = &'j Json>) -> Vec<String> {
    let mut said = Vec::new();
    for body in bodies {
        let properties = body.get("properties");
        for place in [Some(body), properties].into_iter().flatten() {
            said.extend(NAMES.iter().filter_map(|name| place.get(name)?.text()).map(str::to_owned));
        }
    }
    keys(said)
}

fn basic(encoded: &str) -> Option<String> {
    let decoded = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    String::from_utf8(decoded).ok()
}

/// What of it looks like a key: whole, or one side of a colon.
fn keys(said: Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in &said {
        for part in std::iter::once(text.as_str()).chain(text.split(':')) {
            if id_of(part).is_some() && !found.iter().any(|known| known == part) {
                found.push(part.to_owned());
            }
        }
    }
    // Nobody has more; whoever sends more is trying.
    found.truncate(2);
    found
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn a_key_is_found_wherever_a_client_puts_it() {
        let key = format!("zy_{}_{}", "0123456789abcdef", "x".repeat(43));
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let cases = [
            ("authorization", basic(&format!("{key}:"))),
            ("authorization", basic(&key)),
            ("authorization", format!("basic {}", STANDARD_NO_PAD.encode(&key))),
            ("authorization", basic(&format!(":{key}"))),
            ("authorization", format!("Bearer {key}")),
            ("authorization", key.clone()),
            ("x-write-key", key.clone()),
            ("x-write-key", format!("{key}:secret")),
            ("x-write-key", format!("id:{key}")),
        ];
        for (header, value) in cases {
            let (head, ()) = Request::builder().header(header, &value).body(()).unwrap().into_parts();
            assert_eq!(in_head(&head), [key.as_str()], "{header}: {value}");
        }
        let (head, ()) =
            Request::builder().uri(format!("/beacon?a=b&writeKey={key}")).body(()).unwrap().into_parts();
        assert_eq!(in_head(&head), [key.as_str()]);
        for body in [
            format!(r#"{{"writeKey":"{key}"}}"#),
            format!(r#"{{"api_key":"{key}"}}"#),
            format!(r#"{{"properties":{{"token":"{key}"}}}}"#),
        ] {
            assert_eq!(in_body([&Json::parse(body.as_bytes()).unwrap()]), [key.as_str()], "{body}");
        }
    }

    #[test]
    fn what_is_no_key_of_ours_is_passed_over() {
        for value in ["Bearer eyJhbGciOi", "Basic !!!", "Basic", "", "zy_short", "id:***"] {
            let (head, ()) = Request::builder().header(AUTHORIZATION, value).body(()).unwrap().into_parts();
            assert!(in_head(&head).is_empty(), "{value}");
        }
    }
}
