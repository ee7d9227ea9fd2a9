//! What a brand writes under `wxpay` in the file of channels, read strictly: a field that is not known is refused, and what cannot work is
//! named by its field. Secrets are not in the file; it says where they are.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::keys::{KeyProblem, Keys, MerchantKey, PlatformKey};
use crate::address::Target;
use crate::secret::SecretAt;
pub use crate::settings::SettingsProblem;
use crate::settings::{Secrets, api, held, wrong};

/// Where the platform is.
pub const API: &str = "https://api.mch.weixin.qq.com";
/// The most apps of a merchant.
const APPS_MAX: usize = 50;
/// The most stocks of merchant coupons.
const STOCKS_MAX: usize = 200;
/// The most things that are told of what transfers are for, as the platform takes.
const REPORTS_MAX: usize = 10;
/// The longest of them, in characters.
const REPORT_CHARS_MAX: usize = 32;
/// The longest id of an app, a merchant, a scene or a namespace, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// How ids of the platform's public keys begin (pay.weixin.qq.com/doc/v3/merchant/4012153196).
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    mchid: String,
    sub_mchid: Option<String>,
    #[serde(default)]
    appids: Vec<String>,
    api_v3_key_env: Option<String>,
    api_v3_key_file: Option<String>,
    serial: Option<String>,
    private_key_env: Option<String>,
    private_key_file: Option<String>,
    public_key_id: Option<String>,
    public_key_env: Option<String>,
    public_key_file: Option<String>,
    #[serde(default)]
    certificate_files: Vec<String>,
    fetch_certificates: Option<bool>,
    api: Option<String>,
    #[serde(default)]
    orders: Orders,
    transfer_scene: Option<String>,
    #[serde(default)]
    transfer_reports: BTreeMap<String, String>,
    #[serde(default)]
    stocks: BTreeMap<String, String>,
    coupon_appid: Option<String>,
}

/// What payments mean for orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// Where the order's number is.
    pub number: NumberIn,
    /// Whose numbering it is, as tills and shops say it; empty where they say none.
    pub namespace: String,
    /// What a payment is called among methods: what conditions of carts ask for.
    pub method: String,
    /// Whether what is given back takes back what the order earned; where not (the till tells it, too), it is noted only.
    pub refunds: Refunds,
    /// Whether whoever paid is taken for whoever bought: then the payer's openid becomes a name of the order's member.
    pub payer_is_buyer: bool,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            number: NumberIn::OutTradeNo,
            namespace: String::new(),
            method: "wechat".to_owned(),
            refunds: Refunds::Count,
            payer_is_buyer: false,
        }
    }
}

/// Where the order's number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberIn {
    /// It is the merchant's own number of the payment.
    OutTradeNo,
    /// It is what the merchant wrote along with it; where nothing is, the own number.
    Attach,
}

/// What becomes of refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refunds {
    /// They take back what the order earned.
    Count,
    /// They are noted.
    Note,
}

/// Settings that can work.
#[derive(Debug)]
pub struct Settings {
    /// The merchant; where the brand is one of a provider's (服务商), the provider.
    pub mchid: String,
    /// The brand, as a merchant of that provider's (特约商户).
    pub sub_mchid: Option<String>,
    /// Its apps: payers are known by their openids there.
    pub appids: BTreeSet<String>,
    /// Where the platform is: its own address, or another for tests.
    pub api: Target,
    /// What the platform signs and seals with, as far as the file says.
    pub keys: Keys,
    /// The platform's public key that answers are to be signed with.
    pub public_key_id: Option<String>,
    /// Whether certificates of the platform are fetched from it.
    pub fetches: bool,
    /// What requests are signed with; without it nothing is asked, and notices are taken only.
    pub merchant_key: Option<MerchantKey>,
    /// What payments mean for orders.
    pub orders: Orders,
    /// For what transfers to people are, as the platform numbers it (`1000` marketing, `1005` commission).
    pub transfer_scene: Option<String>,
    /// What is told of what they are for, as the scene asks, where whoever makes one says nothing else: kinds and what is said of each.
    pub transfer_reports: BTreeMap<String, String>,
    /// Which stock of merchant coupons (商家券批次) goes with which offer of the playbook.
    pub stocks: BTreeMap<String, String>,
    /// In which app people's card packs are known: the only one, where nothing is said.
    pub coupon_appid: Option<String>,
    /// Where the platform tells what becomes of transfers; nowhere, unless whoever reads the file says so.
    pub notice_url: Option<String>,
}

impl Settings {
    /// What is written, checked. `secret` gets what is secret from where it is; addresses within this machine and private networks, and
    /// such without TLS, are taken only where `allow_private` says so.
    pub fn of(written: Written, allow_private: bool, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        let is_merchant =
            |text: &str| (8..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_merchant(&written.mchid) {
            return wrong("mchid", "the merchant's number (商户号): 8 to 12 digits");
        }
        if let Some(sub) = &written.sub_mchid {
            if !is_merchant(sub) || *sub == written.mchid {
                return wrong(
                    "sub_mchid",
                    "the brand's number under its provider (特约商户号): 8 to 12 digits",
                );
            }
            if !written.stocks.is_empty() {
                return wrong(
                    "stocks",
                    "card packs are kept by merchants of their own, not under a provider",
                );
            }
        }
        let appids = apps(&written.appids)?;
        let got = |field: &str, env, file| held(field, env, file, &secret);
        let Some((field, key)) = got("api_v3_key", written.api_v3_key_env, written.api_v3_key_file)? else {
            return wrong("api_v3_key_env", "where is the APIv3 key?");
        };
        let key = String::from_utf8(key).unwrap_or_default();
        let mut keys = Keys::new(key.trim()).or_else(|problem| wrong(field, problem))?;
        let public = got("public_key", written.public_key_env, written.public_key_file)?;
        let public_key_id = match (written.public_key_id, public) {
            (None, None) => None,
            (Some(id), Some((field, pem))) => {
                if !id.starts_with(PUBLIC_KEY_ID) {
                    return wrong("public_key_id", format!("begins with {PUBLIC_KEY_ID}"));
                }
                let key = PlatformKey::of_pem(&pem).or_else(|problem| wrong(&field, problem))?;
                keys.knows(&id, key).or_else(|problem| wrong("public_key_id", problem))?;
                Some(id)
            }
            (Some(_), None) => return wrong("public_key_file", "where is the public key of this id?"),
            (None, Some(_)) => return wrong("public_key_id", "of which id is this public key?"),
        };
        for (i, file) in written.certificate_files.iter().enumerate() {
            let field = format!("certificate_files[{i}]");
            let pem = secret(&SecretAt::File(file.clone())).or_else(|message| wrong(&field, message))?;
            certificate(&mut keys, &pem).or_else(|problem| wrong(&field, problem))?;
        }
        let private = got("private_key", written.private_key_env, written.private_key_file)?;
        let merchant_key = match (private, &written.serial) {
            (None, None) => None,
            (Some((field, pem)), Some(serial)) => {
                let is_serial =
                    (8..=64).contains(&serial.len()) && serial.bytes().all(|b| b.is_ascii_hexdigit());
                if !is_serial {
                    return wrong("serial", "the serial number of the merchant's certificate, in hex");
                }
                let serial = serial.to_ascii_uppercase();
                let made = MerchantKey::of_pem(&written.mchid, &serial, &pem);
                Some(made.or_else(|problem| wrong(field, problem))?)
            }
            (Some(_), None) => return wrong("serial", "of which certificate is this private key?"),
            (None, Some(_)) => return wrong("private_key_file", "where is the private key of this serial?"),
        };
        let fetches = written.fetch_certificates.unwrap_or(public_key_id.is_none() && merchant_key.is_some());
        if fetches && merchant_key.is_none() {
            return wrong("private_key_file", "certificates are fetched with the merchant's private key");
        }
        if !fetches && keys.ids().next().is_none() {
            let message =
                "a public key (public_key_id, public_key_file), certificate_files, or fetch_certificates";
            return wrong("public_key_id", message);
        }
        let api = api(written.api.as_deref(), API, allow_private)?;
        orders(&written.orders)?;
        if let Some(scene) = &written.transfer_scene {
            name("transfer_scene", scene)?;
        }
        reports(&written.transfer_reports)?;
        let coupon_appid = stocks(&written.stocks, written.coupon_appid, &appids, merchant_key.is_some())?;
        let stocks = written.stocks;
        let (mchid, sub_mchid) = (written.mchid, written.sub_mchid);
        let (transfer_scene, transfer_reports) = (written.transfer_scene, written.transfer_reports);
        let orders = written.orders;
        Ok(Self {
            mchid,
            sub_mchid,
            appids,
            api,
            keys,
            public_key_id,
            fetches,
            merchant_key,
            orders,
            transfer_scene,
            transfer_reports,
            stocks,
            coupon_appid,
            notice_url: None,
        })
    }
}

/// Knows a certificate by its own serial number.
pub(super) fn certificate(keys: &mut Keys, pem: &[u8]) -> Result<(), KeyProblem> {
    let key = PlatformKey::of_pem(pem)?;
    let serial = key.serial().ok_or(KeyProblem::NoPublicKey)?.to_owned();
    keys.knows(&serial, key)
}

fn apps(appids: &[String]) -> Result<BTreeSet<String>, SettingsProblem> {
    if appids.len() > APPS_MAX {
        return wrong("appids", format!("at most {APPS_MAX}"));
    }
    let mut all = BTreeSet::new();
    for (i, appid) in appids.iter().enumerate() {
        name(&format!("appids[{i}]"), appid)?;
        if !all.insert(appid.clone()) {
            return wrong(format!("appids[{i}]"), "an app is said once");
        }
    }
    Ok(all)
}

fn reports(reports: &BTreeMap<String, String>) -> Result<(), SettingsProblem> {
    if reports.len() > REPORTS_MAX {
        return wrong("transfer_reports", format!("at most {REPORTS_MAX}"));
    }
    let is_said = |text: &str| (1..=REPORT_CHARS_MAX).contains(&text.chars().count());
    for (kind, said) in reports {
        if !is_said(kind) || !is_said(said) {
            return wrong(
                format!("transfer_reports.{kind}"),
                format!("1 to {REPORT_CHARS_MAX} characters each"),
            );
        }
    }
    Ok(())
}

/// The app of card packs, where stocks and it can work.
fn stocks(
    stocks: &BTreeMap<String, String>,
    coupon_appid: Option<String>,
    appids: &BTreeSet<String>,
    can_ask: bool,
) -> Result<Option<String>, SettingsProblem> {
    if stocks.len() > STOCKS_MAX {
        return wrong("stocks", format!("at most {STOCKS_MAX}"));
    }
    let mut seen = BTreeSet::new();
    for (offer, stock) in stocks {
        let field = format!("stocks.{offer}");
        if offer.is_empty() || offer.len() > NAME_BYTES_MAX {
            return wrong(field, "an offer of the playbook");
        }
        name(&field, stock)?;
        if !seen.insert(stock) {
            return wrong(field, "a stock goes with one offer");
        }
    }
    let appid = match coupon_appid {
        Some(appid) if appids.contains(&appid) => Some(appid),
        Some(_) => return wrong("coupon_appid", "is none of `appids`"),
        None => appids.first().filter(|_| appids.len() == 1).cloned(),
    };
    if !stocks.is_empty() && appid.is_none() {
        return wrong("coupon_appid", "in which of `appids` are people's card packs known?");
    }
    if !stocks.is_empty() && !can_ask {
        return wrong("private_key_file", "coupons are sent with the merchant's private key");
    }
    Ok(appid)
}

fn orders(orders: &Orders) -> Result<(), SettingsProblem> {
    let is_word = |text: &str| text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
    if !is_word(&orders.namespace) {
        return wrong("orders.namespace", format!("at most {NAME_BYTES_MAX} bytes of text"));
    }
    if orders.method.trim().is_empty() || !is_word(&orders.method) {
        return wrong("orders.method", format!("1 to {NAME_BYTES_MAX} bytes of text"));
    }
    Ok(())
}

fn name(field: &str, name: &str) -> Result<(), SettingsProblem> {
    if name.is_empty()
        || name.len() > NAME_BYTES_MAX
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return wrong(field, format!("1 to {NAME_BYTES_MAX} letters and digits"));
    }
    Ok(())
}
