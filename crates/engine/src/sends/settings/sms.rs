//! What the file says of short messages: for each account, which the brand names, its key, its templates and what they cost. All accounts
//! are one channel: what one of them cannot say, another may.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zhiyin_reach::client::Client;
use zhiyin_reach::sms::settings::Settings;
use zhiyin_reach::sms::{Account, CHANNEL, Sms};

use super::{ChannelsProblem, Lane, Limit, OfLimit, Platforms, SecretAt, limits, named, wrong};

/// Accounts by their names, and how fast the channel is spoken to.
type Accounts = (Vec<(String, Account)>, Vec<Limit>);

/// Accounts in the order of their names, and how fast the channel is spoken to: as the first says that says so.
fn read(
    accounts: BTreeMap<String, Value>,
    public_url: &str,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<Accounts, ChannelsProblem> {
    named(CHANNEL, accounts.keys())?;
    let allow_private = !public_url.starts_with("https://");
    let (mut all, mut pace) = (Vec::with_capacity(accounts.len()), Vec::new());
    for (name, mut written) in accounts {
        let field = |below: &str| {
            if below.is_empty() { format!("{CHANNEL}.{name}") } else { format!("{CHANNEL}.{name}.{below}") }
        };
        let given = written.as_object_mut().and_then(|written| written.remove("limits"));
        let given: Vec<OfLimit> = match given.map(serde_json::from_value).transpose() {
            Ok(given) => given.unwrap_or_default(),
            Err(error) => return wrong(&field("limits"), error),
        };
        let given = limits(&field(""), &given)?;
        if pace.is_empty() {
            pace = given;
        }
        let settings = match serde_json::from_value(written) {
            Ok(written) => Settings::of(written, allow_private, secret),
            Err(error) => return wrong(&field(""), error),
        };
        let settings = settings.or_else(|problem| wrong(&field(&problem.field), problem.message))?;
        all.push((name, Account::new(settings, Client::new())));
    }
    Ok((all, pace))
}

/// The channel of all accounts; none, where there is no account.
pub(super) fn lane(
    accounts: BTreeMap<String, Value>,
    public_url: &str,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<Option<Lane>, ChannelsProblem> {
    let (accounts, pace) = read(accounts, public_url, secret)?;
    if accounts.is_empty() {
        return Ok(None);
    }
    let channel = Sms::new(accounts.into_iter().map(|(_, account)| account).collect());
    Ok(Some(Lane::new(Box::new(channel), Some(public_url.to_owned())).limited(pace)))
}

/// Adds the accounts by name.
pub(super) fn accounts(
    platforms: &mut Platforms,
    accounts: BTreeMap<String, Value>,
    public_url: &str,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<(), ChannelsProblem> {
    for (name, account) in read(accounts, public_url, secret)?.0 {
        drop(platforms.doors.insert((CHANNEL.to_owned(), name.clone()), Arc::new(account.clone())));
        drop(platforms.sms.insert(name, account));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Clock, platforms};
    use super::*;

    fn given(of: &Value) -> Result<Platforms, ChannelsProblem> {
        let file = json!({"public_url": "https://vip.shop.example", "sms": {"main": of}}).to_string();
        let clock: Clock = Arc::new(|| 0);
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "KEY" => Ok(b"s3cret".to_vec()),
            SecretAt::Environment(name) if name == "LONG" => Ok(b"0123456789abcdef".to_vec()),
            other => Err(format!("{other:?} is not there")),
        };
        let lanes = super::super::read(&file, secret)?;
        assert_eq!(lanes.iter().map(Lane::name).collect::<Vec<_>>(), ["sms"]);
        assert!(!format!("{lanes:?}").contains("s3cret"));
        platforms(&file, secret, &clock)
    }

    #[test]
    fn an_account_is_read_strictly_and_its_secrets_lie_elsewhere() {
        let whole = json!({
            "provider": "aliyun", "key_id": "LTAI1", "key_secret_env": "KEY", "sign": "好物",
            "templates": [{"id": "SMS_1", "text": "${a}有券，拒收请回复R"}],
            "prices": [{"per_part": "0.045"}, {"from": "2026-07-01", "per_part": "0.05"}],
            "callback_secret_env": "LONG", "limits": [{"per_minute": 600}],
        });
        let read = given(&whole).unwrap();
        assert_eq!(read.doors.keys().collect::<Vec<_>>(), [&("sms".to_owned(), "main".to_owned())]);
        let day = |text: &str| text.parse().unwrap();
        let settings = read.sms["main"].settings();
        for (phone, on, price) in [
            ("+8613912345678", "2026-06-30", Some(450)),
            ("+8613912345678", "2026-07-01", Some(500)),
            ("+85261234567", "2026-07-01", None),
        ] {
            assert_eq!(settings.price(phone, day(on)), price, "{phone} {on}");
        }
        let with = |name: &str, value: Value| {
            let mut whole = whole.clone();
            whole[name] = value;
            whole
        };
        let tencent = {
            let mut whole = with("provider", json!("tencent"));
            whole["templates"] = json!([{"id": "1110", "text": "{1}有券，拒收请回复R"}]);
            whole
        };
        for (of, field) in [
            (with("provider", json!("other")), "sms.main"),
            (with("key_id", json!("")), "sms.main.key_id"),
            (with("key_secret_env", json!("OTHER")), "sms.main.key_secret_env"),
            (with("key_secret_file", json!("x")), "sms.main.key_secret_file"),
            (with("sign", json!("【好物】")), "sms.main.sign"),
            (with("app_id", json!("14")), "sms.main.app_id"),
            (tencent, "sms.main.app_id"),
            (with("templates", json!([{"id": "1", "text": "${a}${b}"}])), "sms.main.templates[0].text"),
            (with("templates", json!([{"id": "a b", "text": "x"}])), "sms.main.templates[0].id"),
            (
                with("templates", json!([{"id": "1", "text": "x"}, {"id": "1", "text": "y"}])),
                "sms.main.templates[1].id",
            ),
            (
                with("templates", json!([{"id": "1", "text": "x", "abroad": true}])),
                "sms.main.templates[0].abroad",
            ),
            (with("prices", json!([])), "sms.main.prices"),
            (with("prices", json!([{"per_part": "0.00001"}])), "sms.main.prices[0].per_part"),
            (with("prices", json!([{"per_part": "1", "from": "soon"}])), "sms.main.prices[0].from"),
            (with("prices", json!([{"per_part": "1"}, {"per_part": "2"}])), "sms.main.prices[1].from"),
            (with("prices", json!([{"per_part": "1", "country": "CN"}])), "sms.main.prices[0].country"),
            (with("callback_secret_env", json!("KEY")), "sms.main.callback_secret_env"),
            (with("ask_replies", json!(true)), "sms.main.ask_replies"),
            (with("at_once", json!(0)), "sms.main.at_once"),
            (with("limits", json!([{"per_minute": 0}])), "sms.main.limits[0].per_minute"),
            (with("api", json!("http://127.0.0.1:1")), "sms.main.api"),
            (with("nonsense", json!(1)), "sms.main"),
        ] {
            let problem = given(&of).map(|_| ()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }
}
