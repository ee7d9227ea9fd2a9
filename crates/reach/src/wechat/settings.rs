//! What a brand writes under `wechat` in the file of channels, for each of its apps, read strictly: a field that is not known is refused,
//! and what cannot work is named by its field. Secrets are not in the file; it says where they are.

use serde::Deserialize;

use super::news::ANSWERS;
use crate::address::Target;
use crate::secret::Secret;
pub use crate::settings::SettingsProblem;
use crate::settings::{Secrets, api, asked_word, held_word, wrong};
use crate::wecom::crypto::{Crypto, SettingProblem, is_token};

/// Where the platform is.
pub const API: &str = "https://api.weixin.qq.com";
/// Where whoever signs in on a page is led.
pub const OPEN: &str = "https://open.weixin.qq.com";
/// The most domains of pages.
const DOMAINS_MAX: usize = 20;
/// The longest name of a persona, in characters; and how often an app may answer at most: what official accounts had once.
const PERSONA_CHARS_MAX: usize = 64;
const ANSWERS_MAX: u64 = 20;

/// What kind of app it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An official account (公众号).
    Official,
    /// A mini program (小程序).
    Mini,
}

/// Of which version of a mini program codes and messages open pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// What everybody has.
    #[default]
    Release,
    /// What is tried out.
    Trial,
    /// What its makers have.
    Develop,
}

impl Version {
    /// As codes name it.
    pub const fn of_code(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Trial => "trial",
            Self::Develop => "develop",
        }
    }

    /// As messages name it.
    pub const fn of_message(self) -> &'static str {
        match self {
            Self::Release => "formal",
            Self::Trial => "trial",
            Self::Develop => "developer",
        }
    }
}

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    kind: Kind,
    appid: String,
    original_id: Option<String>,
    secret_env: Option<String>,
    secret_file: Option<String>,
    callback: Option<WrittenCallback>,
    #[serde(default)]
    domains: Vec<String>,
    page: Option<String>,
    #[serde(default)]
    version: Version,
    persona: Option<String>,
    answers: Option<u64>,
    api: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCallback {
    token_env: Option<String>,
    token_file: Option<String>,
    aes_key_env: Option<String>,
    aes_key_file: Option<String>,
}

/// What an app shares with the platform for callbacks.
#[derive(Clone, Debug)]
pub enum Callback {
    /// What is told is encrypted.
    Sealed(Crypto),
    /// What is told is signed only, and not its words.
    Plain(Secret),
}

/// Settings that can work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What kind of app it is.
    pub kind: Kind,
    /// The app.
    pub appid: String,
    /// The account's own name (`gh_…`), where callbacks must be for it.
    pub original_id: Option<String>,
    /// The app's secret; without it nothing is asked, and what is told is taken only.
    pub secret: Option<Secret>,
    /// What is shared for callbacks, where any come.
    pub callback: Option<Callback>,
    /// Whose pages may be signed, and whoever signs in led back to: hosts.
    pub domains: Vec<String>,
    /// Which page of a mini program codes open.
    pub page: Option<String>,
    /// Of which version of it.
    pub version: Version,
    /// As which persona it answers what people write; as its account is called, where nothing is said.
    pub persona: Option<String>,
    /// How often somebody may be answered who wrote something.
    pub answers: u64,
    /// Where the platform is: its own address, or another for tests.
    pub api: Target,
}

impl Settings {
    /// What is written, checked. `secret` gets what is secret from where it is; addresses within this machine and private networks, and
    /// such without TLS, are taken only where `allow_private` says so.
    pub fn of(written: Written, allow_private: bool, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let is_word = |text: &str| {
            (4..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !is_word(&written.appid) || !written.appid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return wrong("appid", "the app's id, such as wx1234567890abcdef");
        }
        if written.original_id.as_deref().is_some_and(|id| !is_word(id)) {
            return wrong("original_id", "the account's own name, such as gh_1234567890ab");
        }
        let own = held_word("secret", written.secret_env, written.secret_file, &secret)?;
        let callback = match written.callback {
            Some(callback) => Some(shared(callback, &written.appid, &secret)?),
            None => None,
        };
        if own.is_none() && callback.is_none() {
            return wrong("secret_env", "where is the app's secret (AppSecret)?");
        }
        let domains = written.domains;
        if domains.len() > DOMAINS_MAX {
            return wrong("domains", format!("at most {DOMAINS_MAX}"));
        }
        for (i, domain) in domains.iter().enumerate() {
            let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
            if domain.is_empty() || domain.len() > 128 || !domain.chars().all(is_host) {
                return wrong(format!("domains[{i}]"), "a host in small letters, such as m.shop.example");
            }
        }
        if let Some(page) = &written.page {
            let is_path = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
            if page.is_empty() || page.len() > 128 || page.starts_with('/') || !page.chars().all(is_path) {
                return wrong("page", "a page of the mini program, such as pages/index/index");
            }
        }
        let is_name = |text: &str| {
            (1..=PERSONA_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        if written.persona.as_deref().is_some_and(|persona| !is_name(persona)) {
            return wrong("persona", format!("1 to {PERSONA_CHARS_MAX} visible characters"));
        }
        let answers = written.answers.unwrap_or(ANSWERS);
        if !(1..=ANSWERS_MAX).contains(&answers) {
            return wrong("answers", format!("1 to {ANSWERS_MAX}"));
        }
        let api = api(written.api.as_deref(), API, allow_private)?;
        Ok(Self {
            kind: written.kind,
            appid: written.appid,
            original_id: written.original_id,
            secret: own,
            callback,
            domains,
            page: written.page,
            version: written.version,
            persona: written.persona,
            answers,
            api,
        })
    }
}

fn shared(of: WrittenCallback, appid: &str, secret: &impl Secrets) -> Result<Callback, SettingsProblem> {
    let below = |problem: SettingsProblem| SettingsProblem {
        field: format!("callback.{}", problem.field),
        ..problem
    };
    let token = asked_word("token", of.token_env, of.token_file, "where is the token of callbacks?", secret);
    let token = token.map_err(below)?;
    if !is_token(token.said()) {
        return wrong("callback.token_env", "1 to 32 letters and digits");
    }
    match held_word("aes_key", of.aes_key_env, of.aes_key_file, secret).map_err(below)? {
        None => Ok(Callback::Plain(token)),
        Some(key) => {
            let crypto = Crypto::new(token.said(), key.said(), appid);
            crypto
                .map(Callback::Sealed)
                .or_else(|SettingProblem { field, message }| wrong(format!("callback.{field}_env"), message))
        }
    }
}
