//! What the file says of shops: `shopify`, `woocommerce`, `youzan` and `webhook`, each with accounts that the brand names.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use zhiyin_reach::door::Door;
use zhiyin_reach::settings::{Clock, SettingsProblem};
use zhiyin_reach::shops::{Listed, mapped, shopify, woocommerce, youzan};

use super::{ChannelsProblem, Platforms, SecretAt, named, wrong};

/// Accounts by name, of each kind of shop.
#[derive(Default)]
pub(super) struct Written {
    pub shopify: BTreeMap<String, Value>,
    pub woocommerce: BTreeMap<String, Value>,
    pub youzan: BTreeMap<String, Value>,
    pub webhook: BTreeMap<String, Value>,
}

/// Adds them.
pub(super) fn shops(
    platforms: &mut Platforms,
    written: Written,
    public_url: &str,
    secret: &dyn Fn(&SecretAt) -> Result<Vec<u8>, String>,
    clock: &Clock,
) -> Result<(), ChannelsProblem> {
    let private = !public_url.starts_with("https://");
    of_kind(platforms, shopify::CHANNEL, written.shopify, |name, of| {
        shopify::Shopify::of(name, of, private, secret)
    })?;
    of_kind(platforms, woocommerce::CHANNEL, written.woocommerce, |name, of| {
        woocommerce::WooCommerce::of(name, of, private, secret)
    })?;
    of_kind(platforms, youzan::CHANNEL, written.youzan, |name, of| {
        youzan::Youzan::of(name, of, private, secret, Arc::clone(clock))
    })?;
    of_kind(platforms, mapped::CHANNEL, written.webhook, |name, of| mapped::Mapped::of(name, of, secret))
}

fn of_kind<W: DeserializeOwned, S: Door + Listed + Clone + 'static>(
    platforms: &mut Platforms,
    channel: &str,
    accounts: BTreeMap<String, Value>,
    made: impl Fn(&str, W) -> Result<S, SettingsProblem>,
) -> Result<(), ChannelsProblem> {
    named(channel, accounts.keys())?;
    for (name, written) in accounts {
        let field = |below: &str| {
            if below.is_empty() { format!("{channel}.{name}") } else { format!("{channel}.{name}.{below}") }
        };
        let written: W = match serde_json::from_value(written) {
            Ok(written) => written,
            Err(error) => return wrong(&field(""), error),
        };
        let shop = made(&name, written).or_else(|problem| wrong(&field(&problem.field), problem.message))?;
        drop(platforms.doors.insert((channel.to_owned(), name.clone()), Arc::new(shop.clone())));
        drop(platforms.shops.insert((channel.to_owned(), name), Arc::new(shop)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::platforms;
    use super::*;

    fn given(of: &Value) -> Result<Platforms, ChannelsProblem> {
        let mut file = json!({"public_url": "https://vip.shop.example"});
        for (name, value) in of.as_object().unwrap() {
            file[name] = json!({"main": value});
        }
        let clock: Clock = Arc::new(|| 0);
        let secret = |at: &SecretAt| match at {
            SecretAt::Environment(name) if name == "KEY" => Ok(b"s3cret\n".to_vec()),
            other => Err(format!("{other:?} is not there")),
        };
        platforms(&file.to_string(), secret, &clock)
    }

    fn whole() -> Value {
        json!({
            "shopify": {"shop": "brand.myshopify.com", "secret_env": "KEY", "token_env": "KEY"},
            "woocommerce": {"url": "https://shop.example/", "secret_env": "KEY"},
            "youzan": {"client_id": "c1", "kdt_id": "12", "client_secret_env": "KEY"},
            "webhook": {
                "signature": {"header": "X-Signature", "secret_env": "KEY"}, "names": {"phone": "buyer.mobile"},
                "order": {"number": "no", "at": "at", "total": "total", "lines": {"list": "items", "product": "sku"}},
            },
        })
    }

    #[test]
    fn shops_are_read_strictly_and_their_secrets_lie_elsewhere() {
        let read = given(&whole()).unwrap();
        let channels: Vec<&str> = read.doors.keys().map(|(channel, _)| channel.as_str()).collect();
        assert_eq!(channels, ["shopify", "webhook", "woocommerce", "youzan"]);
        let can_ask: Vec<&str> =
            read.shops.values().filter(|shop| shop.can_ask()).map(|shop| shop.channel()).collect();
        assert_eq!(can_ask, ["shopify", "youzan"]);
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_field() {
        let with = |kind: &str, path: &str, value: Value| {
            let mut whole = whole();
            match path.rsplit_once('/') {
                Some((above, name)) if !above.is_empty() => {
                    whole[kind].pointer_mut(above).unwrap()[name] = value
                }
                _ => whole[kind][path.trim_start_matches('/')] = value,
            }
            whole
        };
        for (of, field) in [
            (with("shopify", "/shop", json!("brand.example")), "shopify.main.shop"),
            (with("shopify", "/secret_env", json!("OTHER")), "shopify.main.secret_env"),
            (with("shopify", "/secret_env", Value::Null), "shopify.main.secret_env"),
            (with("shopify", "/token_file", json!("x")), "shopify.main.token_file"),
            (with("shopify", "/api", json!("http://127.0.0.1:1")), "shopify.main.api"),
            (with("shopify", "/api_version", json!("latest")), "shopify.main.api_version"),
            (with("shopify", "/orders", json!({"channel": " "})), "shopify.main.orders.channel"),
            (with("shopify", "/orders", json!({"number": "both"})), "shopify.main"),
            (with("shopify", "/customers", json!({"known_by": []})), "shopify.main.customers.known_by"),
            (with("shopify", "/customers", json!({"namespace": "a b"})), "shopify.main.customers.namespace"),
            (with("woocommerce", "/url", json!("http://shop.example")), "woocommerce.main.url"),
            (with("woocommerce", "/consumer_key_env", json!("KEY")), "woocommerce.main.consumer_secret_env"),
            (with("woocommerce", "/consumer_secret_env", json!("KEY")), "woocommerce.main.consumer_key_env"),
            (with("youzan", "/client_id", json!("c 1")), "youzan.main.client_id"),
            (with("youzan", "/kdt_id", json!("")), "youzan.main.kdt_id"),
            (with("youzan", "/appid", json!("a-b")), "youzan.main.appid"),
            (with("webhook", "/signature/header", json!("X Y")), "webhook.main.signature.header"),
            (with("webhook", "/signature/joint", json!(":")), "webhook.main.signature.timestamp_header"),
            (with("webhook", "/signature/algorithm", json!("md5")), "webhook.main"),
            (with("webhook", "/order/number", json!("a..b")), "webhook.main.order.number"),
            (with("webhook", "/order/lines/product", json!("")), "webhook.main.order.lines.product"),
            (with("webhook", "/names", json!({})), "webhook.main.names"),
            (with("webhook", "/names", json!({"phone": "a["})), "webhook.main.names.phone"),
            (with("webhook", "/order", Value::Null), "webhook.main.order"),
            (with("webhook", "/kind", json!({"orders": ["x"]})), "webhook.main.kind.path"),
            (with("webhook", "/amount_digits", json!(9)), "webhook.main.amount_digits"),
            (with("webhook", "/zone", json!("Mars/Olympus")), "webhook.main.zone"),
            (with("webhook", "/nonsense", json!(1)), "webhook.main"),
        ] {
            let problem = given(&of).map(|_| ()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }
}
