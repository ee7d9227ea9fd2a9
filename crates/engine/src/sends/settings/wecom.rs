//! What the file says of WeCom: for each account, which the brand names, what it shares with WeCom for callbacks.

use std::collections::BTreeMap;

use serde::Deserialize;
use zhiyin_reach::wecom::callback::{CallbackSettings, Callbacks};

use super::{ChannelsProblem, SecretAt, wrong};

/// The most accounts.
const ACCOUNTS_MAX: usize = 50;
/// Characters of an account's name at most.
const NAME_CHARS_MAX: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfWecom {
    corp_id: String,
    agent_id: Option<i64>,
    token_env: Option<String>,
    token_file: Option<String>,
    aes_key_env: Option<String>,
    aes_key_file: Option<String>,
}

/// The accounts by name.
pub(super) fn callbacks(
    accounts: BTreeMap<String, OfWecom>,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<BTreeMap<String, Callbacks>, ChannelsProblem> {
    if accounts.len() > ACCOUNTS_MAX {
        return wrong("wecom", format!("at most {ACCOUNTS_MAX} accounts"));
    }
    let mut read = BTreeMap::new();
    for (name, of) in accounts {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
            return wrong("wecom", format!("{name:?}: 1 to {NAME_CHARS_MAX} of a-z, 0-9, _ and -"));
        }
        let field = |field: &str| format!("wecom.{name}.{field}");
        let at = |what: &str, in_env: Option<String>, in_file: Option<String>| {
            let (field, at) = match (in_env, in_file) {
                (Some(variable), None) => (field(&format!("{what}_env")), SecretAt::Environment(variable)),
                (None, Some(file)) => (field(&format!("{what}_file")), SecretAt::File(file)),
                (None, None) => return wrong(&field(&format!("{what}_env")), "where is it?"),
                (Some(_), Some(_)) => return wrong(&field(&format!("{what}_file")), "it is at one place"),
            };
            let bytes = secret(&at).or_else(|message| wrong(&field, message))?;
            let Ok(text) = String::from_utf8(bytes) else { return wrong(&field, "is no text") };
            Ok(text.trim().to_owned())
        };
        let settings = CallbackSettings {
            token: at("token", of.token_env, of.token_file)?,
            aes_key: at("aes_key", of.aes_key_env, of.aes_key_file)?,
            corp_id: of.corp_id,
            agent_id: of.agent_id,
        };
        let callbacks = Callbacks::new(&settings);
        let callbacks = callbacks.or_else(|problem| wrong(&field(problem.field), problem.message))?;
        drop(read.insert(name, callbacks));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::callbacks;
    use super::*;

    fn given(account: &str, of: &Value) -> Result<BTreeMap<String, Callbacks>, ChannelsProblem> {
        let file = json!({"public_url": "https://vip.shop.example", "wecom": {account: of}});
        callbacks(&file.to_string(), |at| match at {
            SecretAt::Environment(name) if name == "TOKEN" => Ok(b"QDG6eK\n".to_vec()),
            SecretAt::File(name) if name == "key" => {
                Ok(b"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".to_vec())
            }
            other => Err(format!("{other:?} is not there")),
        })
    }

    #[test]
    fn accounts_are_named_and_their_secrets_lie_elsewhere() {
        let whole = json!({"corp_id": "ww1234567890", "agent_id": 1_000_002, "token_env": "TOKEN", "aes_key_file": "key"});
        let read = given("main", &whole).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["main"]);
        assert!(!format!("{read:?}").contains("QDG6eK"));
        let with = |name: &str, value: Value| {
            let mut whole = whole.clone();
            whole[name] = value;
            whole
        };
        for (account, of, field) in [
            ("Main Shop", whole.clone(), "wecom"),
            ("main", with("corp_id", json!("")), "wecom.main.corp_id"),
            ("main", with("token_env", json!("OTHER")), "wecom.main.token_env"),
            ("main", with("token_env", Value::Null), "wecom.main.token_env"),
            ("main", with("token_file", json!("x")), "wecom.main.token_file"),
            ("main", with("aes_key_file", json!("x")), "wecom.main.aes_key_file"),
            ("main", with("token", json!("QDG6eK")), ""),
        ] {
            assert_eq!(given(account, &of).unwrap_err().field, field);
        }
        assert!(
            callbacks(&json!({"public_url": "https://a.example"}).to_string(), |_| Err(String::new()))
                .unwrap()
                .is_empty()
        );
    }
}
