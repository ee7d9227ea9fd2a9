//! Signing in by the brand's own provider (OpenID Connect): its description, its keys, and what it says of whoever comes back with a code.
//! The authorization code flow with PKCE (RFC 7636); what a provider says counts only once its signature was checked ([`token`]).
//!
//! What the provider is asked goes where its settings and its own description lead, through the client that looks at addresses first. What
//! is learned of it is kept for a while: its description for an hour, its keys until it signs by one that is not among them.

pub mod settings;
pub mod token;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::address::Target;
use crate::clickhouse::encoded;
use crate::client::Client;
use crate::settings::Clock;
use crate::wire::{Lost, Said, Wire};
use settings::Settings;
use token::{Claims, Expected, Key, Wrong};

/// How long an answer may take, and how long it may be, in bytes.
const WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// For how long a description is believed, and how soon keys are asked for again, in milliseconds.
const DESCRIBED_MS: i64 = 3_600_000;
const KEYS_AGAIN_MS: i64 = 10_000;
/// The longest code that a provider gives, in bytes.
const CODE_BYTES_MAX: usize = 4_096;

/// Why somebody does not come in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The provider does not answer, or not as one does; the name of why.
    #[error("the provider does not answer as one does: {0}")]
    Provider(&'static str),
    /// The provider does not take the code.
    #[error("the provider does not take the code: {0}")]
    Refused(String),
    /// What it gave for the code is no good token.
    #[error("the token is none: {0}")]
    Token(Wrong),
}

/// What a provider says of itself (OpenID Connect Discovery 1.0, 3).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Given {
    id_token: String,
}

#[derive(Deserialize)]
struct NotGiven {
    error: String,
}

#[derive(Default)]
struct Learned {
    description: Option<(Description, i64)>,
    keys: Vec<Key>,
    /// When keys were asked for last.
    keys_at: Option<i64>,
}

/// By what one sign-in is known to the provider.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'b> {
    /// Where it leads back to.
    pub back: &'b str,
    /// What it has to bring back.
    pub state: &'b str,
    /// What its token has to say.
    pub nonce: &'b str,
    /// What the code is given for: whoever brings the code shows it.
    pub verifier: &'b str,
}

/// A provider.
pub struct Provider {
    settings: Settings,
    client: Client,
    clock: Clock,
    learned: Mutex<Learned>,
}

impl Provider {
    /// The provider of these settings.
    pub fn new(settings: Settings, client: Client, clock: Clock) -> Self {
        Self { settings, client, clock, learned: Mutex::default() }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where a browser goes to sign in.
    pub async fn begin(&self, of: &Beginning<'_>) -> Result<String, Trouble> {
        let description = self.described().await?;
        let to = &description.authorization_endpoint;
        let challenge =
            URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, of.verifier.as_bytes()));
        let scopes = self.settings.scopes.join(" ");
        let said = query(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", of.back),
            ("scope", &scopes),
            ("state", of.state),
            ("nonce", of.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if to.contains('?') { '&' } else { '?' };
        Ok(format!("{to}{joint}{said}"))
    }

    /// What the provider says of whoever brings a code.
    pub async fn end(&self, of: &Beginning<'_>, code: &str) -> Result<Claims, Trouble> {
        let fits = (1..=CODE_BYTES_MAX).contains(&code.len())
            && code.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !fits {
            return Err(Trouble::Refused("bad_code".to_owned()));
        }
        let description = self.described().await?;
        let token = self.exchanged(&description, of, code).await?;
        let now = (self.clock)();
        let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
        let expected = Expected { issuer, client_id, nonce: of.nonce, now: now.div_euclid(1_000) };
        let read = |keys: &[Key]| token::read(&token, keys, &expected);
        let known = self.known().keys.clone();
        match read(&known) {
            // It may sign by a key that it has since a moment ago.
            Err(Wrong::KeyUnknown) => {
                self.learn_keys(&description, now).await?;
                let known = self.known().keys.clone();
                read(&known)
            }
            read => read,
        }
        .map_err(Trouble::Token)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the provider says of itself; it must be who the settings name.
    async fn described(&self) -> Result<Description, Trouble> {
        let now = (self.clock)();
        let fresh = |at: i64| (0..DESCRIBED_MS).contains(&now.saturating_sub(at));
        let known = self.known().description.clone().filter(|(_, at)| fresh(*at));
        if let Some((description, _)) = known {
            return Ok(description);
        }
        let target = self.settings.target.clone();
        let path = format!("{}/.well-known/openid-configuration", target.path.trim_end_matches('/'));
        let description: Description = self.asks(target, Method::GET, path, None, Vec::new()).await?;
        if description.issuer != self.settings.issuer {
            return Err(Trouble::Provider("issuer_another"));
        }
        let addresses =
            [&description.authorization_endpoint, &description.token_endpoint, &description.jwks_uri];
        for address in addresses {
            self.target(address)?;
        }
        self.known().description = Some((description.clone(), now));
        Ok(description)
    }

    fn target(&self, address: &str) -> Result<Target, Trouble> {
        let allow_private = self.settings.target.allow_private;
        Target::parse(address, allow_private).map_err(|_| Trouble::Provider("address_wrong"))
    }

    /// Asks for the keys, unless that was done a moment ago: a token that names a key which nobody has does not make us ask on and on.
    async fn learn_keys(&self, description: &Description, now: i64) -> Result<(), Trouble> {
        {
            let mut known = self.known();
            let was_now = |at: i64| (0..KEYS_AGAIN_MS).contains(&now.saturating_sub(at));
            if known.keys_at.is_some_and(was_now) {
                return Ok(());
            }
            known.keys_at = Some(now);
        }
        let target = self.target(&description.jwks_uri)?;
        let path = target.path.clone();
        let body = self.heard(target, Method::GET, path, None, Vec::new()).await;
        let keys = body.and_then(|(status, body)| match status {
            200 => token::keys(&body).ok_or(Trouble::Provider("keys_unreadable")),
            _ => Err(Trouble::Provider("keys_refused")),
        });
        let mut known = self.known();
        if keys.is_err() {
            // What was not heard is asked for again.
            known.keys_at = None;
        }
        known.keys = keys?;
        Ok(())
    }

    /// The token that a code is good for.
    async fn exchanged(
        &self,
        description: &Description,
        of: &Beginning<'_>,
        code: &str,
    ) -> Result<String, Trouble> {
        let target = self.target(&description.token_endpoint)?;
        let client_id = self.settings.client_id.as_str();
        let mut said = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", of.back),
            ("code_verifier", of.verifier),
        ];
        let mut heads = Vec::new();
        let ways = &description.token_endpoint_auth_methods_supported;
        let by_body = !ways.is_empty() && !ways.iter().any(|way| way == "client_secret_basic");
        match &self.settings.client_secret {
            Some(secret) if by_body => {
                said.extend([("client_id", client_id), ("client_secret", secret.said())])
            }
            Some(secret) => {
                let both = format!("{}:{}", encoded(client_id), encoded(secret.said()));
                heads.push(("authorization", format!("Basic {}", STANDARD.encode(both))));
            }
            None => said.push(("client_id", client_id)),
        }
        let path = target.path.clone();
        let (status, body) = self.heard(target, Method::POST, path, Some(query(&said)), heads).await?;
        if (400..500).contains(&status) {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            let why = serde_json::from_slice::<NotGiven>(&body).map(|said| said.error).unwrap_or_default();
            let fits = (1..=40).contains(&why.len()) && why.bytes().all(plain);
            return Err(Trouble::Refused(if fits { why } else { "refused".to_owned() }));
        }
        let given: Given = read(status, &body)?;
        Ok(given.id_token)
    }

    async fn asks<T: DeserializeOwned>(
        &self,
        target: Target,
        method: Method,
        path: String,
        body: Option<String>,
        heads: Vec<(&'static str, String)>,
    ) -> Result<T, Trouble> {
        let (status, body) = self.heard(target, method, path, body, heads).await?;
        read(status, &body)
    }

    async fn heard(
        &self,
        target: Target,
        method: Method,
        path: String,
        body: Option<String>,
        heads: Vec<(&'static str, String)>,
    ) -> Result<(u16, Vec<u8>), Trouble> {
        let content_type = body.as_ref().map(|_| "application/x-www-form-urlencoded".to_owned());
        let said = Said { method, path, content_type, heads, body: Bytes::from(body.unwrap_or_default()) };
        match Wire::new(self.client.clone(), target).exchange(said, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(heard) => Ok((heard.status, heard.body)),
            Err(Lost::NotSaid(failed) | Lost::NoAnswer(failed)) => Err(Trouble::Provider(failed.code())),
            Err(Lost::TooLong) => Err(Trouble::Provider("answer_too_long")),
        }
    }
}

fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Trouble> {
    if status != 200 {
        return Err(Trouble::Provider("http_refused"));
    }
    serde_json::from_slice(body).map_err(|_| Trouble::Provider("answer_unreadable"))
}

fn query(said: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = said.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}
