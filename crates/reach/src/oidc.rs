//! Signing in by the brand's own provider (OpenID Connect): its description, its keys, and what it says of whoever comes back with a code.
//! The authorization code flow with PKCE (RFC 7636); what a provider says counts only once its signature was checked ([`token`]).
//!
//! What the provider is asked goes where its settings and its own description lead, through the client that looks at addresses first. What
//! is learned of it is kept for a while: its description for an hour, its keys as long or until it signs by one that is not among them. What
//! it did not tell is not asked for again at once, and nothing is asked for twice at the same time.

pub mod settings;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

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
/// For how long a description and keys are believed, in milliseconds.
const KNOWN_MS: i64 = 3_600_000;
/// How soon what failed is asked for again, and keys that do not fit a token, in milliseconds.
const AGAIN_MS: i64 = 10_000;
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

/// What was learned, and when it came, in milliseconds.
struct Learned<T> {
    known: Option<(i64, Arc<T>)>,
    /// When it was asked for in vain since.
    failed: Option<(i64, Trouble)>,
}

impl<T> Default for Learned<T> {
    fn default() -> Self {
        Self { known: None, failed: None }
    }
}

impl<T> Learned<T> {
    /// What is to be taken for it without asking; what is `unfit` is believed for a moment only.
    fn said(&self, unfit: Option<&Arc<T>>, now: i64) -> Option<Result<Arc<T>, Trouble>> {
        let within = |at: i64, ms: i64| (0..ms).contains(&now.saturating_sub(at));
        if let Some((at, known)) = &self.known {
            let is_unfit = unfit.is_some_and(|unfit| Arc::ptr_eq(unfit, known));
            if within(*at, if is_unfit { AGAIN_MS } else { KNOWN_MS }) {
                return Some(Ok(Arc::clone(known)));
            }
        }
        let failed = self.failed.as_ref().filter(|(at, _)| within(*at, AGAIN_MS));
        failed.map(|(_, trouble)| Err(trouble.clone()))
    }

    /// Takes what came.
    fn learn(&mut self, came: Result<T, Trouble>, now: i64) -> Result<Arc<T>, Trouble> {
        match came {
            Ok(came) => {
                let known = Arc::new(came);
                (self.known, self.failed) = (Some((now, Arc::clone(&known))), None);
                Ok(known)
            }
            // What is known already is good for others as long as it was.
            Err(trouble) => {
                self.failed = Some((now, trouble.clone()));
                Err(trouble)
            }
        }
    }
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
    /// Held while they are asked for: whoever comes meanwhile gets the same answer.
    description: Mutex<Learned<Description>>,
    keys: Mutex<Learned<Vec<Key>>>,
}

impl Provider {
    /// The provider of these settings.
    pub fn new(settings: Settings, client: Client, clock: Clock) -> Self {
        Self { settings, client, clock, description: Mutex::default(), keys: Mutex::default() }
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
        let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
        let now = (self.clock)().div_euclid(1_000);
        let expected = Expected { issuer, client_id, nonce: of.nonce, now };
        let keys = self.known_keys(&description, None).await?;
        match token::read(&token, &keys, &expected) {
            // It may sign by a key that it has since a moment ago, under a new name or under one that another had.
            Err(Wrong::KeyUnknown | Wrong::Signature) => {
                let keys = self.known_keys(&description, Some(&keys)).await?;
                token::read(&token, &keys, &expected)
            }
            read => read,
        }
        .map_err(Trouble::Token)
    }

    /// What the provider says of itself, asked for where it is not known.
    async fn described(&self) -> Result<Arc<Description>, Trouble> {
        let mut learned = self.description.lock().await;
        if let Some(said) = learned.said(None, (self.clock)()) {
            return said;
        }
        let came = self.description_asked().await;
        learned.learn(came, (self.clock)())
    }

    /// It must be who the settings name.
    async fn description_asked(&self) -> Result<Description, Trouble> {
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
        Ok(description)
    }

    fn target(&self, address: &str) -> Result<Target, Trouble> {
        let allow_private = self.settings.target.allow_private;
        Target::parse(address, allow_private).map_err(|_| Trouble::Provider("address_wrong"))
    }

    /// Its keys, asked for where they are not known, or where those that are do not fit a token: not if that was done a moment ago, so that a
    /// token which names a key that nobody has does not make us ask on and on.
    async fn known_keys(
        &self,
        description: &Description,
        unfit: Option<&Arc<Vec<Key>>>,
    ) -> Result<Arc<Vec<Key>>, Trouble> {
        let mut learned = self.keys.lock().await;
        if let Some(said) = learned.said(unfit, (self.clock)()) {
            return said;
        }
        let came = self.keys_asked(description).await;
        learned.learn(came, (self.clock)())
    }

    async fn keys_asked(&self, description: &Description) -> Result<Vec<Key>, Trouble> {
        let target = self.target(&description.jwks_uri)?;
        let path = target.path.clone();
        match self.heard(target, Method::GET, path, None, Vec::new()).await? {
            (200, body) => token::keys(&body).ok_or(Trouble::Provider("keys_unreadable")),
            _ => Err(Trouble::Provider("keys_refused")),
        }
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
