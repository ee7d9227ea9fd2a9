//! Who asks: the key that a request brings, what it may do, how far it reaches.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zhiyin_engine::{Engine, keys};
use zhiyin_model::role::{Filter, Grant};

use super::Api;
use super::endpoint::{Endpoint, Kind};
use crate::problem::Problem;
use crate::sign_in;

/// The most characters of an idempotency key.
pub(crate) const IDEMPOTENCY_KEY_CHARS_MAX: usize = 90;

/// Somebody whose key was found good for what they ask.
pub(crate) struct Caller {
    pub(crate) api: Arc<Api>,
    /// The id of their key, or of them where they signed in.
    pub(crate) key: String,
    /// What they may do at all.
    pub(crate) grant: Grant,
    /// What this operation comes to for them: what it may find, and how much of people it may show.
    pub(crate) filter: Filter,
    /// By what a command is known when it comes again; empty where it is none.
    pub(crate) idempotency_key: String,
    /// What a command asks, in one form: which it is, and its body. By it one that comes again is told from another.
    pub(crate) request: String,
}

impl Caller {
    /// The engine below.
    pub(crate) fn engine(&self) -> &Engine {
        &self.api.engine
    }

    /// The same, for what goes on after the answer.
    pub(crate) fn shared(&self) -> Arc<Engine> {
        Arc::clone(&self.api.engine)
    }

    /// Whoever brings the secret of a key that may do this.
    pub(crate) async fn checked(
        api: Arc<Api>,
        endpoint: &Endpoint,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let (key, grant) = granted(&api, &endpoint.method, headers).await?;
        let filter = api.engine.filter(&grant, endpoint.needs).await?;
        let idempotency_key = match endpoint.kind {
            Kind::Command => idempotency_key(headers)?,
            Kind::Query | Kind::Body | Kind::Wire => String::new(),
        };
        Ok(Self { api, key, grant, filter, idempotency_key, request: String::new() })
    }
}

/// The key that a request brings, or the session: its id, and what may be done with it. One request of those that it is answered is
/// taken.
pub(crate) async fn granted(
    api: &Api,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(String, Grant), Problem> {
    let Some(secret) = secret(headers) else { return sign_in::granted(api, method, headers).await };
    let grant = match keys::check(api.engine.store().as_ref(), &secret).await? {
        Ok(grant) => grant,
        Err(refused) => return Err(Problem::of(refused.code())),
    };
    let key = keys::id_of(&secret).unwrap_or_default().to_owned();
    api.rates.take(&key)?;
    Ok((key, grant))
}

/// The secret that a request brings: as a bearer's token, or as the name of a basic login, with any password.
pub(crate) fn secret(headers: &HeaderMap) -> Option<String> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = said.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// A key is said once, and is of characters that everybody can see.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let Some(key) = all.next() else { return Err(Problem::of("idempotency_key_missing")) };
    let text = key.to_str().map(str::trim).unwrap_or_default();
    // As the draft of the header has it, the key may stand in quotes.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&text.len());
    if all.next().is_some() || !fits || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::of("bad_idempotency_key"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_as_a_bearer_token_or_as_a_login() {
        let rows = [
            ("Bearer zy_1", Some("zy_1")),
            ("bearer  zy_1 ", Some("zy_1")),
            ("Basic enlfMTo=", Some("zy_1")),
            ("basic enlfMQ==", Some("zy_1")),
            ("Basic enlfMTpwYXNz", Some("zy_1")),
            ("Basic !", None),
            ("Digest zy_1", None),
            ("zy_1", None),
        ];
        for (said, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, said.parse().unwrap());
            assert_eq!(secret(&headers).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn an_idempotency_key_is_one_visible_word() {
        let long = "x".repeat(91);
        let rows: [(&[&str], Result<&str, &str>); 7] = [
            (&["a-1"], Ok("a-1")),
            (&["\"a-1\""], Ok("a-1")),
            (&[], Err("idempotency_key_missing")),
            (&[""], Err("bad_idempotency_key")),
            (&["a b"], Err("bad_idempotency_key")),
            (&["a", "b"], Err("bad_idempotency_key")),
            (&[&long], Err("bad_idempotency_key")),
        ];
        for (said, expected) in rows {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append("idempotency-key", value.parse().unwrap());
            }
            let got = idempotency_key(&headers);
            assert_eq!(got.as_deref().map_err(|problem| problem.code()), expected, "{said:?}");
        }
    }
}
