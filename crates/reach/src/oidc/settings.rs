//! What a brand writes of its provider of sign-in, read strictly: a field that is not known is refused, and what cannot work is named by
//! its field. The secret is not in the file; it says where it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::address::Target;
use crate::secret::Secret;
pub use crate::settings::SettingsProblem;
use crate::settings::{Secrets, held_word, text, wrong};

/// The most domains, scopes and roles.
const MOST: usize = 50;
/// The longest id of a client, claim or scope, in bytes.
const WORD_BYTES_MAX: usize = 255;
/// What is asked for, where nothing is said.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];
/// The claim that people are known by, where nothing is said.
pub const KNOWN_BY: &str = "email";

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    issuer: String,
    client_id: String,
    client_secret_env: Option<String>,
    client_secret_file: Option<String>,
    name: Option<Named>,
    scopes: Option<Vec<String>>,
    known_by: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
    roles_claim: Option<String>,
    #[serde(default)]
    roles: BTreeMap<String, RoleSaid>,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    allow_private: bool,
}

/// What the provider is called where people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// As what somebody acts of whom a claim says something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSaid {
    /// The role.
    pub role: String,
    /// The code of the place to which they are bound.
    pub place: Option<String>,
}

/// Settings that can work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who says who somebody is, as it calls itself.
    pub issuer: String,
    /// Where its description is.
    pub target: Target,
    /// What we are called there.
    pub client_id: String,
    /// What we show that we are it by; nothing, where the provider asks for none.
    pub client_secret: Option<Secret>,
    /// What it is called where people sign in.
    pub name: Named,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim that people are known by: their name here.
    pub known_by: String,
    /// Of which domains these are, in small letters; of any, where there is none.
    pub domains: Vec<String>,
    /// The claim that says as what somebody acts.
    pub roles_claim: Option<String>,
    /// As what, by what that claim says; where there is none, whoever signs in stays what they are.
    pub roles: BTreeMap<String, RoleSaid>,
    /// Whether somebody who is not known is made known, as what the claim says.
    pub create: bool,
    /// Whether nobody signs in by a password any more.
    pub required: bool,
}

fn word(field: &str, word: &str) -> Result<(), SettingsProblem> {
    let fits = (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { wrong(field, format!("1 to {WORD_BYTES_MAX} visible ASCII characters")) }
}

fn few(field: &str, n: usize) -> Result<(), SettingsProblem> {
    if n > MOST { wrong(field, format!("at most {MOST}")) } else { Ok(()) }
}

impl Settings {
    /// Reads settings that are written as JSON.
    pub fn parse(json: &str, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let written: Written = serde_json::from_str(json).or_else(|error| wrong("file", error))?;
        Self::read(written, secret)
    }

    /// Reads settings; secrets are where they are said to be.
    pub fn read(written: Written, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let Written { issuer, client_id, allow_private, .. } = &written;
        let target = match Target::parse(issuer, *allow_private) {
            Ok(target) if !target.path.contains('?') => target,
            Ok(_) => return wrong("issuer", "has no query"),
            Err(problem) => return wrong("issuer", problem),
        };
        word("client_id", client_id)?;
        let client_secret =
            held_word("client_secret", written.client_secret_env, written.client_secret_file, secret)?;
        let usual = Named { zh: "企业账号".to_owned(), en: "Company account".to_owned() };
        let name = written.name.unwrap_or(usual);
        text("name.zh", &name.zh)?;
        text("name.en", &name.en)?;
        let usual = || SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        let scopes: Vec<String> = written.scopes.unwrap_or_else(usual);
        few("scopes", scopes.len())?;
        scopes.iter().try_for_each(|scope| word("scopes", scope))?;
        if !scopes.iter().any(|scope| scope == "openid") {
            return wrong("scopes", "`openid` is one of them");
        }
        let known_by = written.known_by.unwrap_or_else(|| KNOWN_BY.to_owned());
        word("known_by", &known_by)?;
        few("domains", written.domains.len())?;
        let domains: Vec<String> = written.domains.iter().map(|domain| domain.to_lowercase()).collect();
        for domain in &domains {
            word("domains", domain)?;
            if domain.contains('@') || !domain.contains('.') {
                return wrong("domains", "a domain such as `shop.example`");
            }
        }
        few("roles", written.roles.len())?;
        if let Some(claim) = &written.roles_claim {
            word("roles_claim", claim)?;
        }
        if written.roles_claim.is_some() == written.roles.is_empty() {
            return wrong(
                "roles",
                "`roles_claim` says where it stands, and `roles` what it means: both or neither",
            );
        }
        if written.create && written.roles.is_empty() {
            return wrong("create", "whoever is made known needs a role: say `roles_claim` and `roles`");
        }
        Ok(Self {
            issuer: written.issuer,
            target,
            client_id: written.client_id,
            client_secret,
            name,
            scopes,
            known_by,
            domains,
            roles_claim: written.roles_claim,
            roles: written.roles,
            create: written.create,
            required: written.required,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretAt;

    fn parsed(json: &str) -> Result<Settings, String> {
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "OIDC" => Ok(b"s3cret".to_vec()),
            _ => Err("not there".to_owned()),
        };
        Settings::parse(json, secret).map_err(|problem| problem.field)
    }

    #[test]
    fn settings_that_work_are_read_and_others_refused_by_their_field() {
        let good = r#"{"issuer": "https://id.example/realms/shop", "client_id": "zhiyin", "client_secret_env": "OIDC",
            "domains": ["Shop.Example"], "roles_claim": "groups", "roles": {"owners": {"role": "owner"}}, "create": true}"#;
        let settings = parsed(good).unwrap();
        assert_eq!(
            (settings.known_by.as_str(), settings.domains.as_slice()),
            ("email", &["shop.example".to_owned()][..])
        );
        assert_eq!(settings.scopes, SCOPES);
        assert!(!format!("{settings:?}").contains("s3cret"));
        let base = |more: &str| format!(r#"{{"issuer": "https://id.example", "client_id": "zhiyin"{more}}}"#);
        assert!(parsed(&base("")).is_ok());
        for (more, field) in [
            (r#", "client_secret_env": "NONE""#, "client_secret_env"),
            (r#", "client_secret": "x""#, "file"),
            (r#", "scopes": ["email"]"#, "scopes"),
            (r#", "domains": ["a@b.c"]"#, "domains"),
            (r#", "roles_claim": "groups""#, "roles"),
            (r#", "create": true"#, "create"),
            (r#", "name": {"zh": "", "en": "x"}"#, "name.zh"),
        ] {
            assert_eq!(parsed(&base(more)).map(drop), Err(field.to_owned()), "{more}");
        }
        for (issuer, field) in
            [("http://id.example", "issuer"), ("https://127.0.0.1", "issuer"), ("https://a.b?c", "issuer")]
        {
            let json = format!(r#"{{"issuer": "{issuer}", "client_id": "zhiyin"}}"#);
            assert_eq!(parsed(&json).map(drop), Err(field.to_owned()), "{issuer}");
        }
    }
}
