//! What a brand writes under `sms` in the file of channels, for each account, read strictly: a field that is not known is refused, and what
//! cannot work is named by its field. Secrets are not in the file; it says where they are.

use jiff::civil::Date;
use serde::Deserialize;

use super::templates::Template;
use super::{aliyun, tencent};
use crate::address::Target;
use crate::secret::Secret;
pub use crate::settings::SettingsProblem;
use crate::settings::{Secrets, api, asked_word, held_word, text, wrong};

/// The most templates of an account.
const TEMPLATES_MAX: usize = 500;
/// The most prices.
const PRICES_MAX: usize = 300;
/// The most further words by which people want no more.
const WORDS_MAX: usize = 50;
/// How many are handed over at a time where nothing is written, and at most.
pub const AT_ONCE: usize = 16;
const AT_ONCE_MAX: usize = 200;
/// The shortest secret of an address, in characters.
const CALLBACK_SECRET_CHARS_MIN: usize = 16;
/// How many digits a price has behind its point at most.
const PRICE_DIGITS: usize = 4;
/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Whose platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Aliyun.
    Aliyun,
    /// Tencent Cloud.
    Tencent,
}

impl Provider {
    /// Its name; it stays.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aliyun => "aliyun",
            Self::Tencent => "tencent",
        }
    }

    const fn api(self) -> &'static str {
        match self {
            Self::Aliyun => aliyun::API,
            Self::Tencent => tencent::API,
        }
    }

    /// How variables begin in its templates.
    const fn open(self) -> &'static str {
        match self {
            Self::Aliyun => aliyun::OPEN,
            Self::Tencent => tencent::OPEN,
        }
    }
}

/// What is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billed {
    /// What the platform took, whether it arrived or not.
    #[default]
    Taken,
    /// What arrived.
    Arrived,
}

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    provider: Provider,
    key_id: String,
    key_secret_env: Option<String>,
    key_secret_file: Option<String>,
    app_id: Option<String>,
    region: Option<String>,
    sign: String,
    templates: Vec<WrittenTemplate>,
    prices: Vec<WrittenPrice>,
    #[serde(default)]
    billed: Billed,
    callback_secret_env: Option<String>,
    callback_secret_file: Option<String>,
    #[serde(default)]
    leave_words: Vec<String>,
    ask_replies: Option<bool>,
    at_once: Option<usize>,
    api: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTemplate {
    id: String,
    text: String,
    sign: Option<String>,
    #[serde(default)]
    abroad: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrice {
    from: Option<String>,
    country: Option<String>,
    per_part: String,
}

/// What one part costs, from a day on, in a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// From which day of Beijing on; from ever, where none is named.
    pub from: Option<Date>,
    /// The country's code (`86`), or what numbers there begin with.
    pub country: String,
    /// In ten-thousandths of the brand's money: 450 is 0.045.
    pub per_part: i64,
}

/// Settings that can work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose platform.
    pub provider: Provider,
    /// By which key it is asked.
    pub key_id: String,
    /// Its secret.
    pub key_secret: Secret,
    /// The application, on Tencent Cloud.
    pub app_id: String,
    /// The platform's region.
    pub region: String,
    /// The signature (【签名】), without its brackets.
    pub sign: String,
    /// Templates, in the order in which they are tried.
    pub templates: Vec<Template>,
    /// What parts cost. To a country that has no price nothing is sent.
    pub prices: Vec<Price>,
    /// What is billed.
    pub billed: Billed,
    /// What the address for receipts bears; nothing is taken there without it.
    pub callback_secret: Option<Secret>,
    /// By which further words people want no more.
    pub leave_words: Vec<String>,
    /// Whether answers are asked for, beside those that are told.
    pub asks_replies: bool,
    /// How many are handed over at a time.
    pub at_once: Option<usize>,
    /// Where the platform is.
    pub api: Target,
}

/// A price as it is written, `0.045`, in ten-thousandths.
fn price(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 4
        || part.len() > PRICE_DIGITS
        || !are_digits(whole)
        || !are_digits(part)
    {
        return None;
    }
    format!("{whole}{part:0<PRICE_DIGITS$}").parse().ok()
}

fn prices(written: &[WrittenPrice]) -> Result<Vec<Price>, SettingsProblem> {
    if written.is_empty() || written.len() > PRICES_MAX {
        return wrong("prices", format!("what a part costs: 1 to {PRICES_MAX}"));
    }
    let mut prices: Vec<Price> = Vec::with_capacity(written.len());
    for (i, one) in written.iter().enumerate() {
        let from = match one.from.as_deref().map(str::parse::<Date>) {
            Some(Err(_)) => return wrong(format!("prices[{i}].from"), "a day such as 2026-01-01"),
            Some(Ok(from)) => Some(from),
            None => None,
        };
        let country = one.country.clone().unwrap_or_else(|| "86".to_owned());
        if !(1..=7).contains(&country.len()) || !country.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong(format!("prices[{i}].country"), "a country's code such as 86, or 852");
        }
        let Some(per_part) = price(&one.per_part) else {
            return wrong(
                format!("prices[{i}].per_part"),
                "a price in quotes, such as \"0.045\"; 4 digits behind its point at most",
            );
        };
        if prices.iter().any(|other| (other.from, &other.country) == (from, &country)) {
            return wrong(format!("prices[{i}].from"), "two prices of one country begin on one day");
        }
        prices.push(Price { from, country, per_part });
    }
    Ok(prices)
}

fn templates(
    written: Vec<WrittenTemplate>,
    provider: Provider,
    sign: &str,
) -> Result<Vec<Template>, SettingsProblem> {
    if written.len() > TEMPLATES_MAX {
        return wrong("templates", format!("at most {TEMPLATES_MAX}"));
    }
    let mut templates: Vec<Template> = Vec::with_capacity(written.len());
    for (i, one) in written.into_iter().enumerate() {
        id(&format!("templates[{i}].id"), &one.id)?;
        if templates.iter().any(|other| other.id == one.id) {
            return wrong(format!("templates[{i}].id"), "a template is written once");
        }
        let sign = one.sign.unwrap_or_else(|| sign.to_owned());
        signature(&format!("templates[{i}].sign"), &sign)?;
        let made = Template::new((one.id, one.text, sign), one.abroad, provider.open());
        templates.push(made.or_else(|message| wrong(format!("templates[{i}].text"), message))?);
    }
    Ok(templates)
}

fn id(field: &str, id: &str) -> Result<(), SettingsProblem> {
    if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(field, format!("1 to {ID_BYTES_MAX} visible ASCII characters"));
    }
    Ok(())
}

fn signature(field: &str, sign: &str) -> Result<(), SettingsProblem> {
    text(field, sign)?;
    if sign.contains(['【', '】', '[', ']']) {
        return wrong(field, "without its brackets: the platform puts them there");
    }
    Ok(())
}

impl Settings {
    /// What is written, checked. `secret` gets what is secret from where it is; addresses within this machine and private networks, and
    /// such without TLS, are taken only where `allow_private` says so.
    pub fn of(written: Written, allow_private: bool, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let provider = written.provider;
        id("key_id", &written.key_id)?;
        let key_secret = asked_word(
            "key_secret",
            written.key_secret_env,
            written.key_secret_file,
            "where is the secret of this key?",
            &secret,
        )?;
        let app_id = match (provider, written.app_id) {
            (Provider::Tencent, Some(app)) => {
                if app.is_empty() || app.len() > 20 || !app.bytes().all(|byte| byte.is_ascii_digit()) {
                    return wrong("app_id", "the SdkAppId: digits");
                }
                app
            }
            (Provider::Tencent, None) => return wrong("app_id", "which application (SdkAppId)?"),
            (Provider::Aliyun, None) => String::new(),
            (Provider::Aliyun, Some(_)) => return wrong("app_id", "Aliyun has no applications"),
        };
        let region = written.region.unwrap_or_else(|| tencent::REGION.to_owned());
        id("region", &region)?;
        signature("sign", &written.sign)?;
        let callback_secret =
            held_word("callback_secret", written.callback_secret_env, written.callback_secret_file, &secret)?;
        if callback_secret.as_ref().is_some_and(|word| word.said().len() < CALLBACK_SECRET_CHARS_MIN) {
            let message = format!("nobody may guess it: {CALLBACK_SECRET_CHARS_MIN} characters at least");
            return wrong("callback_secret_env", message);
        }
        if written.leave_words.len() > WORDS_MAX {
            return wrong("leave_words", format!("at most {WORDS_MAX}"));
        }
        for (i, word) in written.leave_words.iter().enumerate() {
            text(format!("leave_words[{i}]"), word)?;
        }
        let asks_replies = written.ask_replies.unwrap_or(false);
        if asks_replies && provider == Provider::Aliyun {
            return wrong("ask_replies", "Aliyun tells answers, and is not asked for them");
        }
        if written.at_once.is_some_and(|n| !(1..=AT_ONCE_MAX).contains(&n)) {
            return wrong("at_once", format!("1 to {AT_ONCE_MAX}"));
        }
        let templates = templates(written.templates, provider, &written.sign)?;
        let abroad = templates.iter().position(|one| one.abroad);
        let prices = prices(&written.prices)?;
        let is_priced =
            |mainland: bool| prices.iter().any(|price| price.country.starts_with("86") == mainland);
        if let Some(i) = abroad.filter(|_| !is_priced(false)) {
            return wrong(format!("templates[{i}].abroad"), "no price is of another country");
        }
        Ok(Self {
            provider,
            key_id: written.key_id,
            key_secret,
            app_id,
            region,
            sign: written.sign,
            templates,
            prices,
            billed: written.billed,
            callback_secret,
            leave_words: written.leave_words.into_iter().map(|word| word.trim().to_uppercase()).collect(),
            asks_replies,
            at_once: written.at_once,
            api: api(written.api.as_deref(), provider.api(), allow_private)?,
        })
    }

    /// What a part to a number (`+8613…`) costs on a day; nothing, where none of the prices is of its country.
    pub fn price(&self, phone: &str, day: Date) -> Option<i64> {
        let digits = phone.strip_prefix('+')?;
        let begun = self.prices.iter().filter(|price| {
            price.from.is_none_or(|from| from <= day) && digits.starts_with(price.country.as_str())
        });
        // The nearest country, then the last day.
        begun.max_by_key(|price| (price.country.len(), price.from)).map(|price| price.per_part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly() {
        for (text, wanted) in [
            ("0.045", Some(450)),
            ("0.0366", Some(366)),
            ("1", Some(10_000)),
            ("0", Some(0)),
            ("0.00001", None),
            (".5", None),
            ("-1", None),
            ("0.5e1", None),
        ] {
            assert_eq!(price(text), wanted, "{text}");
        }
    }
}
