//! The file that names channels: JSON, strictly read. Secrets are not in it; it says where they are.

mod shops;
mod sms;
mod wechat;
mod wecom;
mod wxpay;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use zhiyin_model::time::Day;
use zhiyin_reach::door::Doors;
use zhiyin_reach::email::{Email, Settings, Tls};
use zhiyin_reach::pace::Pace;
use zhiyin_reach::platform::Platform;
pub use zhiyin_reach::secret::SecretAt;
pub use zhiyin_reach::settings::Clock;
use zhiyin_reach::shops::listed::Shops;
use zhiyin_reach::sms::Account;
use zhiyin_reach::wechat::Wechat;
use zhiyin_reach::wxpay::Pay;

use super::lanes::{Lane, Limit};
use crate::me::texts::Words;

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// The fastest pace.
const PER_MINUTE_MAX: u32 = 1_000_000;
/// The most accounts.
const ACCOUNTS_MAX: usize = 50;
/// Characters of an account's name at most.
const NAME_CHARS_MAX: usize = 40;

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct ChannelsProblem {
    /// The field at fault.
    pub field: String,
    /// What is wrong, in words.
    pub message: String,
}

fn wrong<T>(field: &str, message: impl ToString) -> Result<T, ChannelsProblem> {
    Err(ChannelsProblem { field: field.to_owned(), message: message.to_string() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    public_url: String,
    #[serde(default)]
    codes: Words,
    email: Option<OfEmail>,
    #[serde(default)]
    shopify: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    sms: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    webhook: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    wechat: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    wecom: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    woocommerce: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    wxpay: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    youzan: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfEmail {
    host: String,
    port: Option<u16>,
    tls: Option<String>,
    user: Option<String>,
    secret_env: Option<String>,
    secret_file: Option<String>,
    from: String,
    reply_to: Option<String>,
    bounces: String,
    hello: Option<String>,
    at_once: Option<usize>,
    trust_file: Option<String>,
    #[serde(default)]
    limits: Vec<OfLimit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLimit {
    from: Option<String>,
    per_minute: u32,
    burst: Option<u32>,
}

/// Reads the file, and makes a lane of each channel that it names. `secret` gets what is secret from where it is.
pub fn read(
    text: &str,
    secret: impl Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<Vec<Lane>, ChannelsProblem> {
    let whole = whole(text)?;
    let public_url = public(&whole.public_url)?;
    let mut lanes = Vec::new();
    lanes.extend(sms::lane(whole.sms, &public_url, &secret)?);
    let clock: Clock = Arc::new(|| crate::clock::wall().0.div_euclid(1_000));
    let apps = wechat::apps(whole.wechat, !public_url.starts_with("https://"), &secret, &clock)?;
    lanes.extend(wechat::lanes(&apps));
    if let Some(email) = whole.email {
        let limits = limits("email", &email.limits)?;
        let settings = settings(email, secret)?;
        let channel = Email::new(settings);
        let channel =
            channel.or_else(|problem| wrong(&format!("email.{}", problem.field), problem.message))?;
        lanes.push(Lane::new(Box::new(channel), Some(public_url)).limited(limits));
    }
    Ok(lanes)
}

/// Platforms, by the names that the brand gave its accounts there.
#[derive(Clone, Default)]
pub struct Platforms {
    /// Who may bring what happens there.
    pub doors: Doors,
    /// Those on which staff know customers that are asked, where the file says by which secret.
    pub desks: BTreeMap<String, Arc<dyn Platform>>,
    /// Accounts that send short messages.
    pub sms: BTreeMap<String, Account>,
    /// What is said with the codes by which members come in.
    pub codes: Words,
    /// Merchants of WeChat Pay.
    pub pays: BTreeMap<String, Pay>,
    /// Apps of WeChat.
    pub wechat: BTreeMap<String, Wechat>,
    /// Shops.
    pub shops: Shops,
}

/// Reads what the file says of platforms. `clock` is the wall's, in milliseconds since 1970 UTC.
pub fn platforms(
    text: &str,
    secret: impl Fn(&SecretAt) -> Result<Vec<u8>, String>,
    clock: &Clock,
) -> Result<Platforms, ChannelsProblem> {
    let whole = whole(text)?;
    let public_url = public(&whole.public_url)?;
    // A home that only this machine reaches may have platforms that only this machine reaches.
    let allow_private = !public_url.starts_with("https://");
    let mut platforms = wecom::platforms(whole.wecom, allow_private, &secret, clock)?;
    sms::accounts(&mut platforms, whole.sms, &public_url, &secret)?;
    wechat::known(&mut platforms, wechat::apps(whole.wechat, allow_private, &secret, clock)?);
    wxpay::merchants(&mut platforms, whole.wxpay, &public_url, &secret, clock)?;
    if let Some((field, message)) = whole.codes.problem() {
        return wrong(&format!("codes.{field}"), message);
    }
    platforms.codes = whole.codes;
    let Whole { shopify, webhook, woocommerce, youzan, .. } = whole;
    let written = shops::Written { shopify, woocommerce, youzan, webhook };
    shops::shops(&mut platforms, written, &public_url, &secret, clock)?;
    Ok(platforms)
}

/// Whether accounts of a channel may be called so.
fn named<'n>(channel: &str, names: impl ExactSizeIterator<Item = &'n String>) -> Result<(), ChannelsProblem> {
    if names.len() > ACCOUNTS_MAX {
        return wrong(channel, format!("at most {ACCOUNTS_MAX} accounts"));
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    for name in names {
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
            return wrong(channel, format!("{name:?}: 1 to {NAME_CHARS_MAX} of a-z, 0-9, _ and -"));
        }
    }
    Ok(())
}

/// How people reach this home, as the file says.
pub fn public_url(text: &str) -> Result<String, ChannelsProblem> {
    public(&whole(text)?.public_url)
}

fn whole(text: &str) -> Result<Whole, ChannelsProblem> {
    if text.len() > FILE_BYTES_MAX {
        return wrong("", format!("at most {FILE_BYTES_MAX} bytes"));
    }
    serde_json::from_str(text).or_else(|error| wrong("", error))
}

/// The address under which people reach this home, without a slash at its end.
fn public(url: &str) -> Result<String, ChannelsProblem> {
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| {
        let rest = url.strip_prefix("http://")?;
        (rest.starts_with("127.0.0.1") || rest.starts_with("localhost")).then_some(rest)
    });
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    match rest {
        Some(rest) if !rest.is_empty() && rest.chars().all(is_plain) && url.len() <= 200 => {
            Ok(url.to_owned())
        }
        _ => wrong("public_url", "https:// and the name under which people reach this home"),
    }
}

fn limits(of: &str, given: &[OfLimit]) -> Result<Vec<Limit>, ChannelsProblem> {
    let mut limits = Vec::with_capacity(given.len());
    for (i, limit) in given.iter().enumerate() {
        let from = match limit.from.as_deref().map(Day::parse) {
            Some(None) => return wrong(&format!("{of}.limits[{i}].from"), "a day such as 2025-11-01"),
            from => from.flatten(),
        };
        if !(1..=PER_MINUTE_MAX).contains(&limit.per_minute) {
            return wrong(&format!("{of}.limits[{i}].per_minute"), format!("1 to {PER_MINUTE_MAX}"));
        }
        let burst = limit.burst.unwrap_or(1);
        if !(1..=PER_MINUTE_MAX).contains(&burst) {
            return wrong(&format!("{of}.limits[{i}].burst"), format!("1 to {PER_MINUTE_MAX}"));
        }
        if limits.iter().any(|other: &Limit| other.from == from) {
            return wrong(&format!("{of}.limits[{i}].from"), "two limits begin on one day");
        }
        limits.push(Limit { from, pace: Pace { per_minute: limit.per_minute, burst } });
    }
    Ok(limits)
}

fn settings(
    email: OfEmail,
    secret: impl Fn(&SecretAt) -> Result<Vec<u8>, String>,
) -> Result<Settings, ChannelsProblem> {
    let tls = match email.tls.as_deref() {
        Some("implicit") => Tls::Implicit,
        None | Some("starttls") => Tls::Starttls,
        Some("none") => Tls::None,
        Some(_) => return wrong("email.tls", "implicit, starttls or none"),
    };
    let port = email.port.unwrap_or(match tls {
        Tls::Implicit => 465,
        Tls::Starttls => 587,
        Tls::None => 25,
    });
    let at = match (email.secret_env, email.secret_file) {
        (Some(name), None) => Some(("email.secret_env", SecretAt::Environment(name))),
        (None, Some(file)) => Some(("email.secret_file", SecretAt::File(file))),
        (None, None) => None,
        (Some(_), Some(_)) => return wrong("email.secret_file", "the secret is at one place"),
    };
    let sign_in = match (email.user, at) {
        (None, None) => None,
        (Some(user), Some((field, at))) => {
            let bytes = secret(&at).or_else(|message| wrong(field, message))?;
            let Ok(text) = String::from_utf8(bytes) else { return wrong(field, "is no text") };
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            if text.is_empty() {
                return wrong(field, "is empty");
            }
            Some((user, text))
        }
        (Some(_), None) => return wrong("email.secret_env", "where is the secret of this user?"),
        (None, Some(_)) => return wrong("email.user", "whose secret is it?"),
    };
    let trusted = match email.trust_file {
        None => None,
        Some(file) => {
            let bytes =
                secret(&SecretAt::File(file)).or_else(|message| wrong("email.trust_file", message))?;
            Some(bytes)
        }
    };
    let domain = email.bounces.rsplit('@').next().unwrap_or_default().trim_end_matches('>').to_owned();
    Ok(Settings {
        host: email.host,
        port,
        tls,
        sign_in,
        hello: email.hello.unwrap_or(domain),
        from: email.from,
        reply_to: email.reply_to,
        bounces: email.bounces,
        at_once: email.at_once.unwrap_or(2),
        trusted,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn whole() -> Value {
        json!({
            "public_url": "https://vip.shop.example/",
            "email": {
                "host": "smtp.shop.example", "user": "zhiyin", "secret_env": "SECRET",
                "from": "好物 <hello@shop.example>", "bounces": "bounce@shop.example",
                "limits": [{"per_minute": 10}, {"from": "2025-12-01", "per_minute": 600, "burst": 20}],
            },
        })
    }

    fn given(value: &Value) -> Result<Vec<Lane>, ChannelsProblem> {
        read(&value.to_string(), |at| match at {
            SecretAt::Environment(name) if name == "SECRET" => Ok(b"s3cret\n".to_vec()),
            other => Err(format!("{other:?} is not there")),
        })
    }

    #[test]
    fn a_file_names_channels_and_never_a_secret() {
        let lanes = given(&whole()).unwrap();
        assert_eq!(lanes.iter().map(Lane::name).collect::<Vec<_>>(), ["email"]);
        assert!(!format!("{lanes:?}").contains("s3cret"));
        assert_eq!(given(&json!({"public_url": "http://127.0.0.1:8080"})).unwrap().len(), 0);
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_field() {
        let with = |path: &str, value: Value| {
            let mut whole = whole();
            *whole.pointer_mut(path).unwrap() = value;
            whole
        };
        let extra = |name: &str, value: Value| {
            let mut whole = whole();
            whole["email"][name] = value;
            whole
        };
        for (given_, field) in [
            (json!({}), ""),
            (with("/public_url", json!("http://vip.shop.example")), "public_url"),
            (with("/public_url", json!("https://x y")), "public_url"),
            (with("/email/from", json!("nobody")), "email.from"),
            (with("/email/secret_env", json!("OTHER")), "email.secret_env"),
            (with("/email/user", Value::Null), "email.user"),
            (with("/email/limits/1/from", json!("soon")), "email.limits[1].from"),
            (with("/email/limits/0/per_minute", json!(0)), "email.limits[0].per_minute"),
            (with("/email/limits/1/burst", json!(0)), "email.limits[1].burst"),
            (extra("tls", json!("maybe")), "email.tls"),
            (extra("tls", json!("none")), "email.tls"),
            (extra("secret_file", json!("x")), "email.secret_file"),
            (extra("at_once", json!(99)), "email.at_once"),
            (extra("nonsense", json!(1)), ""),
        ] {
            let problem = given(&given_).map(|lanes| lanes.len()).unwrap_err();
            assert_eq!(problem.field, field, "{problem}");
        }
    }
}
