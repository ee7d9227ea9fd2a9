//! What the file says of WeChat Pay: for each account, which the brand names, the merchant's keys and what payments mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zhiyin_reach::client::Client;
use zhiyin_reach::settings::Clock;
use zhiyin_reach::wxpay::settings::Settings;
use zhiyin_reach::wxpay::{CHANNEL, Pay};

use super::{ChannelsProblem, Platforms, SecretAt, named, wrong};

/// Adds the accounts by name.
pub(super) fn merchants(
    platforms: &mut Platforms,
    accounts: BTreeMap<String, Value>,
    public_url: &str,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
    clock: &Clock,
) -> Result<(), ChannelsProblem> {
    named(CHANNEL, accounts.keys())?;
    let is_public = public_url.starts_with("https://");
    for (name, written) in accounts {
        let field = |below: &str| {
            if below.is_empty() { format!("{CHANNEL}.{name}") } else { format!("{CHANNEL}.{name}.{below}") }
        };
        let settings = match serde_json::from_value(written) {
            Ok(written) => Settings::of(written, !is_public, secret),
            Err(error) => return wrong(&field(""), error),
        };
        let mut settings = settings.or_else(|problem| wrong(&field(&problem.field), problem.message))?;
        settings.notice_url = is_public.then(|| format!("{public_url}/v1/callbacks/{CHANNEL}/{name}"));
        let pay = Pay::new(settings, Client::new(), Arc::clone(clock));
        drop(platforms.doors.insert((CHANNEL.to_owned(), name.clone()), Arc::new(pay.clone())));
        drop(platforms.pays.insert(name, pay));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::platforms;
    use super::*;

    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    fn given(of: &Value) -> Result<Platforms, ChannelsProblem> {
        let file = json!({"public_url": "https://vip.shop.example", "wxpay": {"main": of}});
        let clock: Clock = Arc::new(|| 0);
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../reach/tests/data/wxpay_v3.json")).unwrap();
        let secret = move |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "KEY" => Ok([b'k'; 32].to_vec()),
            SecretAt::Environment(name) if name == "SHORT" => Ok([b'k'; 31].to_vec()),
            SecretAt::File(name) if name == "public" => {
                Ok(vectors["rsa"]["public_key_pem"].as_str().unwrap().as_bytes().to_vec())
            }
            SecretAt::File(name) if name == "ed25519" => Ok(PUBLIC.as_bytes().to_vec()),
            other => Err(format!("{other:?} is not there")),
        };
        platforms(&file.to_string(), secret, &clock)
    }

    #[test]
    fn a_merchant_is_read_strictly_and_its_keys_lie_elsewhere() {
        let whole = json!({
            "mchid": "1900000001", "appids": ["wx1"], "api_v3_key_env": "KEY",
            "public_key_id": "PUB_KEY_ID_1", "public_key_file": "public",
            "orders": {"number": "attach", "refunds": "note"},
        });
        let read = given(&whole).unwrap();
        assert_eq!(read.doors.keys().collect::<Vec<_>>(), [&("wxpay".to_owned(), "main".to_owned())]);
        assert!(!read.pays["main"].can_ask() && !format!("{:?}", read.pays).contains("kkkk"));
        let with = |name: &str, value: Value| {
            let mut whole = whole.clone();
            whole[name] = value;
            whole
        };
        let without = |names: &[&str]| {
            let mut whole = whole.clone();
            names.iter().for_each(|name| drop(whole.as_object_mut().unwrap().remove(*name)));
            whole
        };
        for (of, field) in [
            (with("mchid", json!("19")), "wxpay.main.mchid"),
            (with("appids", json!(["wx1", "wx1"])), "wxpay.main.appids[1]"),
            (with("appids", json!(["wx 1"])), "wxpay.main.appids[0]"),
            (with("api_v3_key_env", json!("OTHER")), "wxpay.main.api_v3_key_env"),
            (with("api_v3_key_env", json!("SHORT")), "wxpay.main.api_v3_key_env"),
            (without(&["api_v3_key_env"]), "wxpay.main.api_v3_key_env"),
            (with("api_v3_key_file", json!("x")), "wxpay.main.api_v3_key_file"),
            (with("public_key_id", json!("ABC")), "wxpay.main.public_key_id"),
            (without(&["public_key_id"]), "wxpay.main.public_key_id"),
            (without(&["public_key_file"]), "wxpay.main.public_key_file"),
            (without(&["public_key_id", "public_key_file"]), "wxpay.main.public_key_id"),
            (with("public_key_file", json!("ed25519")), "wxpay.main.public_key_file"),
            (with("certificate_files", json!(["public"])), "wxpay.main.certificate_files[0]"),
            (with("serial", json!("ABCDEF0123456789")), "wxpay.main.private_key_file"),
            (with("private_key_file", json!("public")), "wxpay.main.serial"),
            (with("fetch_certificates", json!(true)), "wxpay.main.private_key_file"),
            (with("api", json!("http://127.0.0.1:1")), "wxpay.main.api"),
            (with("orders", json!({"method": " "})), "wxpay.main.orders.method"),
            (with("orders", json!({"number": "both"})), "wxpay.main"),
            (with("stocks", json!({"a": "1 2"})), "wxpay.main.stocks.a"),
            (with("stocks", json!({"a": "1", "b": "1"})), "wxpay.main.stocks.b"),
            (with("stocks", json!({"a": "1"})), "wxpay.main.private_key_file"),
            (with("coupon_appid", json!("wx2")), "wxpay.main.coupon_appid"),
            (with("sub_mchid", json!("1900000001")), "wxpay.main.sub_mchid"),
            (with("sub_mchid", json!("19x")), "wxpay.main.sub_mchid"),
            (with("transfer_reports", json!({"活动名称": ""})), "wxpay.main.transfer_reports.活动名称"),
            (with("nonsense", json!(1)), "wxpay.main"),
        ] {
            let problem = given(&of).map(|_| ()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }
}
