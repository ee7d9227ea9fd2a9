//! What the file says of WeChat: for each app, which the brand names, its secret, what it shares for callbacks, and its pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zhiyin_reach::client::Client;
use zhiyin_reach::settings::Clock;
use zhiyin_reach::wechat::settings::Settings;
use zhiyin_reach::wechat::{CHANNEL, MINI, Sending, Wechat};

use super::{ChannelsProblem, Platforms, SecretAt, named, wrong};
use crate::sends::Lane;

/// Apps by name.
pub(super) fn apps(
    written: BTreeMap<String, Value>,
    allow_private: bool,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
    clock: &Clock,
) -> Result<BTreeMap<String, Wechat>, ChannelsProblem> {
    named(CHANNEL, written.keys())?;
    let mut apps = BTreeMap::new();
    for (name, written) in written {
        let field = |below: &str| {
            if below.is_empty() { format!("{CHANNEL}.{name}") } else { format!("{CHANNEL}.{name}.{below}") }
        };
        let settings = match serde_json::from_value(written) {
            Ok(written) => Settings::of(written, allow_private, secret),
            Err(error) => return wrong(&field(""), error),
        };
        let settings = settings.or_else(|problem| wrong(&field(&problem.field), problem.message))?;
        let app = Wechat::new(settings, Client::new(), Arc::clone(clock));
        if apps.values().any(|other: &Wechat| other.appid() == app.appid()) {
            return wrong(&field("appid"), "is another account's already");
        }
        drop(apps.insert(name, app));
    }
    Ok(apps)
}

/// Adds them to what the home is told by and asks.
pub(super) fn known(platforms: &mut Platforms, apps: BTreeMap<String, Wechat>) {
    for (name, app) in apps {
        if app.settings().callback.is_some() {
            drop(platforms.doors.insert((CHANNEL.to_owned(), name.clone()), Arc::new(app.clone())));
        }
        drop(platforms.wechat.insert(name, app));
    }
}

/// A lane of each kind of app that can ask.
pub(super) fn lanes(apps: &BTreeMap<String, Wechat>) -> Vec<Lane> {
    let of = |name: &'static str| {
        let some = apps.iter().filter(|(_, app)| app.can_ask() && app.channel_name() == name);
        let some: BTreeMap<String, Wechat> = some.map(|(name, app)| (name.clone(), app.clone())).collect();
        (!some.is_empty()).then(|| Lane::new(Box::new(Sending::new(name, some)), None))
    };
    [CHANNEL, MINI].into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{platforms, read};
    use super::*;

    fn secret(at: &SecretAt) -> Result<Vec<u8>, String> {
        match at {
            SecretAt::Environment(name) if name == "SECRET" => Ok(b"s3cret".to_vec()),
            SecretAt::Environment(name) if name == "TOKEN" => Ok(b"token".to_vec()),
            SecretAt::Environment(name) if name == "KEY" => Ok([b'k'; 43].to_vec()),
            other => Err(format!("{other:?} is not there")),
        }
    }

    fn whole() -> Value {
        json!({"public_url": "https://vip.shop.example", "wechat": {
            "main": {
                "kind": "official", "appid": "wx1a2b3c4d5e6f7081", "secret_env": "SECRET", "domains": ["m.shop.example"],
                "callback": {"token_env": "TOKEN", "aes_key_env": "KEY"},
            },
            "mini": {"kind": "mini", "appid": "wx1a2b3c4d5e6f7082", "secret_env": "SECRET", "page": "pages/index"},
        }})
    }

    fn given(file: &Value) -> Result<Platforms, ChannelsProblem> {
        let clock: Clock = Arc::new(|| 0);
        platforms(&file.to_string(), secret, &clock)
    }

    #[test]
    fn apps_are_read_strictly_and_their_secrets_lie_elsewhere() {
        let platforms = given(&whole()).unwrap();
        assert_eq!(platforms.doors.keys().collect::<Vec<_>>(), [&("wechat".to_owned(), "main".to_owned())]);
        assert_eq!(platforms.wechat.keys().collect::<Vec<_>>(), ["main", "mini"]);
        assert!(!format!("{:?}", platforms.wechat).contains("s3cret"));
        let lanes = read(&whole().to_string(), secret).unwrap();
        assert_eq!(lanes.iter().map(Lane::name).collect::<Vec<_>>(), ["wechat", "wechat_mini"]);
        let with = |name: &str, value: Value| {
            let mut whole = whole();
            whole["wechat"]["main"][name] = value;
            whole
        };
        let callback = |value: Value| with("callback", value);
        for (file, field) in [
            (with("appid", json!("wx")), "wechat.main.appid"),
            (with("appid", json!("wx1a2b3c4d5e6f7082")), "wechat.mini.appid"),
            (with("kind", json!("shop")), "wechat.main"),
            (with("original_id", json!("gh 1")), "wechat.main.original_id"),
            (with("secret_env", json!("OTHER")), "wechat.main.secret_env"),
            (with("secret_file", json!("x")), "wechat.main.secret_file"),
            (with("domains", json!(["https://m.shop.example"])), "wechat.main.domains[0]"),
            (with("page", json!("/pages/index")), "wechat.main.page"),
            (with("api", json!("http://127.0.0.1:1")), "wechat.main.api"),
            (with("persona", json!(" \n")), "wechat.main.persona"),
            (with("answers", json!(21)), "wechat.main.answers"),
            (with("nonsense", json!(1)), "wechat.main"),
            (callback(json!({})), "wechat.main.callback.token_env"),
            (callback(json!({"token_env": "OTHER"})), "wechat.main.callback.token_env"),
            (
                callback(json!({"token_env": "TOKEN", "aes_key_env": "TOKEN"})),
                "wechat.main.callback.aes_key_env",
            ),
        ] {
            let problem = given(&file).map(|_| ()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }
}
