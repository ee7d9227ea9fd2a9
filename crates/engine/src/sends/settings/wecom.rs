//! What the file says of WeCom: for each account, which the brand names, what it shares with WeCom for callbacks, and by which secret it
//! is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zhiyin_reach::client::Client;
use zhiyin_reach::door::Door;
use zhiyin_reach::platform::Platform;
use zhiyin_reach::settings::Clock;
use zhiyin_reach::wecom::callback::{CallbackSettings, Callbacks};
use zhiyin_reach::wecom::settings::Settings;
use zhiyin_reach::wecom::{CHANNEL, Desk, Wecom};

use super::{ChannelsProblem, Platforms, SecretAt, named, wrong};

/// The accounts by name.
pub(super) fn platforms(
    accounts: BTreeMap<String, Value>,
    allow_private: bool,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
    clock: &Clock,
) -> Result<Platforms, ChannelsProblem> {
    named(CHANNEL, accounts.keys())?;
    let mut platforms = Platforms::default();
    for (name, written) in accounts {
        let field = |below: &str| {
            if below.is_empty() { format!("wecom.{name}") } else { format!("wecom.{name}.{below}") }
        };
        let settings = match serde_json::from_value(written) {
            Ok(written) => Settings::of(written, allow_private, secret),
            Err(error) => return wrong(&field(""), error),
        };
        let settings = settings.or_else(|problem| wrong(&field(&problem.field), problem.message))?;
        if let Some(callback) = &settings.callback {
            let agent_id = settings.agent_id.map(i64::try_from).transpose();
            let agent_id = agent_id.or_else(|_| wrong(&field("agent_id"), "is too large"))?;
            let made = Callbacks::new(&CallbackSettings {
                token: callback.token.said().to_owned(),
                aes_key: callback.aes_key.said().to_owned(),
                corp_id: settings.corp_id.clone(),
                agent_id,
            });
            let made = made.or_else(|problem| wrong(&field(problem.field), problem.message))?;
            let door: Arc<dyn Door> = Arc::new(made);
            drop(platforms.doors.insert((CHANNEL.to_owned(), name.clone()), door));
        }
        if let Some(wecom) = Wecom::new(&settings, Client::new(), Arc::clone(clock)) {
            let desk: Arc<dyn Platform> = Arc::new(Desk::new(wecom, &settings));
            drop(platforms.desks.insert(name, desk));
        }
    }
    Ok(platforms)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::platforms;
    use super::*;

    fn given(account: &str, of: &Value) -> Result<Platforms, ChannelsProblem> {
        let file = json!({"public_url": "https://vip.shop.example", "wecom": {account: of}});
        let clock: Clock = Arc::new(|| 0);
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "TOKEN" => Ok(b"QDG6eK\n".to_vec()),
            SecretAt::Environment(name) if name == "SECRET" => Ok(b"s3cret".to_vec()),
            SecretAt::File(name) if name == "key" => {
                Ok(b"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".to_vec())
            }
            other => Err(format!("{other:?} is not there")),
        };
        platforms(&file.to_string(), secret, &clock)
    }

    #[test]
    fn accounts_are_named_and_their_secrets_lie_elsewhere() {
        let callback = json!({"token_env": "TOKEN", "aes_key_file": "key"});
        let whole = json!({"corp_id": "ww1234567890", "agent_id": 1_000_002, "callback": callback});
        let read = given("main", &whole).unwrap();
        assert_eq!(read.doors.keys().collect::<Vec<_>>(), [&("wecom".to_owned(), "main".to_owned())]);
        assert!(read.desks.is_empty(), "nobody is asked without a secret");
        let with = |path: &str, value: Value| {
            let mut whole = whole.clone();
            whole["secret_env"] = json!("SECRET");
            match path.split_once('.') {
                Some((of, below)) => whole[of][below] = value,
                None => whole[path] = value,
            }
            whole
        };
        let asked = given("main", &with("agent_id", json!(7))).unwrap();
        assert_eq!(asked.desks["main"].channel(), "wecom");
        for (account, of, field) in [
            ("Main Shop", whole.clone(), "wecom"),
            ("main", with("corp_id", json!("")), "wecom.main.corp_id"),
            ("main", with("secret_env", json!("OTHER")), "wecom.main.secret_env"),
            ("main", with("agent_id", Value::Null), "wecom.main.agent_id"),
            ("main", with("api", json!("http://127.0.0.1:1")), "wecom.main.api"),
            ("main", with("callback.token_env", json!("OTHER")), "wecom.main.callback.token_env"),
            ("main", with("callback.token_env", Value::Null), "wecom.main.callback.token_env"),
            ("main", with("callback.token_file", json!("x")), "wecom.main.callback.token_file"),
            ("main", with("callback.aes_key_file", json!("x")), "wecom.main.callback.aes_key_file"),
            ("main", with("token", json!("QDG6eK")), "wecom.main"),
        ] {
            let problem = given(account, &of).map(|_| ()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }

    #[test]
    fn a_home_that_only_this_machine_reaches_may_ask_a_platform_that_only_it_reaches() {
        let of = json!({"corp_id": "ww1", "agent_id": 1, "secret_env": "X", "api": "http://127.0.0.1:1"});
        let file = json!({"public_url": "http://127.0.0.1:8080", "wecom": {"main": of}});
        let clock: Clock = Arc::new(|| 0);
        let read = platforms(&file.to_string(), |_| Ok(b"s3cret".to_vec()), &clock).unwrap();
        assert_eq!(read.desks.len(), 1);
    }
}
