//! A merchant who asks: each request signed, each answer verified before anything of it is read, and what came of it said in the words of
//! [`crate::platform`].
//!
//! The platform's certificates change while a home runs. They are fetched when one is met that is not known, by one request however many
//! wait for it, and not again within a minute: a forged notice names keys that nobody has. Their list is trusted since each of them is
//! sealed with the merchant's APIv3 key (pay.weixin.qq.com/doc/v3/merchant/4012551764).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::keys::{Keys, PlatformKey};
use super::notice::{Heads, NoticeProblem, verify};
use super::settings::{Orders, Settings};
use super::told::Transaction;
use crate::address::Target;
use crate::clickhouse::encoded;
use crate::client::Client;
use crate::platform::{Answer, Trouble, Whose};
use crate::settings::Clock;
use crate::wire::{Heard, Lost, Said, Wire};

/// How long an answer may take, from when there is a connection.
const WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may be, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long not to ask where nothing says how long.
const REST: Duration = Duration::from_secs(2);
/// How long certificates are not fetched again, in milliseconds, whatever is met meanwhile.
const FETCH_AGAIN_MS: i64 = 60_000;
/// How old they may be before they are fetched anew, in milliseconds: the platform asks for less than 12 hours.
const FETCHED_MS_MAX: i64 = 11 * 3_600_000;

/// What the platform says no with, what it is called here, and who can do something about it
/// (pay.weixin.qq.com/doc/v3/merchant/4012081670; the texts that go with it are not read).
const CODES: [(&str, &str, Whose); 23] = [
    ("SIGN_ERROR", "sign_error", Whose::Settings),
    ("MCH_NOT_EXISTS", "merchant_unknown", Whose::Settings),
    ("MCHID_NOT_EXIST", "merchant_unknown", Whose::Settings),
    ("APPID_MCHID_NOT_MATCH", "app_of_another_merchant", Whose::Settings),
    ("NO_AUTH", "no_auth", Whose::Settings),
    ("NOAUTH", "no_auth", Whose::Settings),
    ("RULELIMIT", "rule_limit", Whose::Settings),
    ("RULE_LIMIT", "rule_limit", Whose::Settings),
    ("REQUEST_BLOCKED", "request_blocked", Whose::Settings),
    ("ACCOUNT_ERROR", "account_error", Whose::Account),
    ("ACCOUNTERROR", "account_error", Whose::Account),
    ("NOT_ENOUGH", "not_enough", Whose::Spent),
    ("QUOTA_EXCEEDED", "quota_exceeded", Whose::Spent),
    ("ALREADY_EXISTS", "already_exists", Whose::Already),
    ("RESOURCE_ALREADY_EXISTS", "already_exists", Whose::Already),
    ("NOT_FOUND", "not_found", Whose::Thing),
    ("ORDER_NOT_EXIST", "not_found", Whose::Thing),
    ("ORDERNOTEXIST", "not_found", Whose::Thing),
    ("RESOURCE_NOT_EXISTS", "not_found", Whose::Thing),
    ("NO_STATEMENT_EXIST", "not_found", Whose::Thing),
    ("PARAM_ERROR", "param_error", Whose::Ours),
    ("INVALID_REQUEST", "invalid_request", Whose::Content),
    ("OPENID_MISMATCH", "openid_of_another_app", Whose::Customer),
];

/// What is asked.
pub(super) struct Ask {
    pub(super) method: Method,
    /// With its query, below the platform's address.
    pub(super) path: String,
    pub(super) body: Option<String>,
    /// Said twice it is as good as once.
    pub(super) is_safe: bool,
    pub(super) bytes_max: usize,
    /// Files are not signed: their hash is known by then.
    pub(super) is_file: bool,
    /// By which of the platform's keys something in it is sealed, if anything is.
    pub(super) sealed_by: Option<String>,
}

impl Ask {
    pub(super) fn get(path: String) -> Self {
        let (method, bytes_max) = (Method::GET, ANSWER_BYTES_MAX);
        Self { method, path, body: None, is_safe: true, bytes_max, is_file: false, sealed_by: None }
    }

    pub(super) fn post(path: String, body: String, is_safe: bool) -> Self {
        let (method, body, bytes_max) = (Method::POST, Some(body), ANSWER_BYTES_MAX);
        Self { method, path, body, is_safe, bytes_max, is_file: false, sealed_by: None }
    }
}

struct Inner {
    wire: Wire,
    settings: Settings,
    keys: RwLock<Arc<Keys>>,
    /// When certificates were fetched last, in milliseconds, and what came of it.
    fetching: Mutex<Option<(i64, Answer<usize>)>>,
    clock: Clock,
}

/// A merchant. Copies share all they have.
#[derive(Clone)]
pub struct Pay(Arc<Inner>);

impl fmt::Debug for Pay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pay({})", self.0.settings.mchid)
    }
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Certificate>,
}

#[derive(Deserialize)]
struct Certificate {
    serial_no: String,
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

impl Pay {
    /// A merchant of these settings; nothing is said to anybody yet.
    pub fn new(settings: Settings, client: Client, clock: Clock) -> Self {
        let wire = Wire::new(client, settings.api.clone());
        let keys = RwLock::new(Arc::new(settings.keys.clone()));
        Self(Arc::new(Inner { wire, settings, keys, fetching: Mutex::default(), clock }))
    }

    /// The merchant's number; where the brand is one of a provider's, the provider's.
    pub fn mchid(&self) -> &str {
        &self.0.settings.mchid
    }

    /// The brand's number under its provider, where it has one.
    pub fn sub_mchid(&self) -> Option<&str> {
        self.0.settings.sub_mchid.as_deref()
    }

    /// Whether something is this merchant's: what its provider's bears both numbers, else its own, or none where the platform says none.
    pub fn is_mine(&self, (mchid, sub_mchid): (&str, &str)) -> bool {
        let is_by = mchid.is_empty() || mchid == self.mchid();
        is_by && sub_mchid == self.sub_mchid().unwrap_or_default()
    }

    /// What payments mean for orders.
    pub fn orders(&self) -> &Orders {
        &self.0.settings.orders
    }

    /// Whether an app is the brand's.
    pub fn is_ours(&self, appid: &str) -> bool {
        self.0.settings.appids.contains(appid)
    }

    /// The brand's apps.
    pub fn apps(&self) -> &BTreeSet<String> {
        &self.0.settings.appids
    }

    /// For what transfers to people are, where the brand makes any.
    pub fn transfer_scene(&self) -> Option<&str> {
        self.0.settings.transfer_scene.as_deref()
    }

    /// What is told of what transfers are for, where whoever makes one says nothing else.
    pub fn transfer_reports(&self) -> &BTreeMap<String, String> {
        &self.0.settings.transfer_reports
    }

    /// Which stock of merchant coupons goes with which offer.
    pub fn stocks(&self) -> &BTreeMap<String, String> {
        &self.0.settings.stocks
    }

    /// In which app people's card packs are known.
    pub fn coupon_appid(&self) -> Option<&str> {
        self.0.settings.coupon_appid.as_deref()
    }

    /// Where the platform tells what becomes of transfers.
    pub(super) fn notice_url(&self) -> Option<&str> {
        self.0.settings.notice_url.as_deref()
    }

    /// Whether it can ask: it has the merchant's private key.
    pub fn can_ask(&self) -> bool {
        self.0.settings.merchant_key.is_some()
    }

    /// Whether certificates of the platform are fetched.
    pub fn fetches(&self) -> bool {
        self.0.settings.fetches
    }

    /// The platform's public key that answers are signed with, where it is not certificates.
    pub fn public_key_id(&self) -> Option<&str> {
        self.0.settings.public_key_id.as_deref()
    }

    /// The platform's keys as they are known now.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn api(&self) -> &Target {
        &self.0.settings.api
    }

    pub(super) fn now_ms(&self) -> i64 {
        (self.0.clock)()
    }

    /// Seals a text for the platform, the same each time for the same purpose; by which of its keys, and the text.
    pub(super) fn sealed(&self, text: &str, purpose: &str) -> Answer<(String, String)> {
        let later = |why| Trouble::Later { why, rest: REST };
        let keys = self.keys();
        let id = self.public_key_id().or_else(|| keys.ids().last()).ok_or(later("key_unknown"))?.to_owned();
        let key = keys.of(&id).ok_or(later("key_unknown"))?;
        let Some(own) = &self.0.settings.merchant_key else {
            return Err(Trouble::Never { why: "no_private_key", whose: Whose::Settings });
        };
        let seed = own.seed(&format!("{purpose}\n{id}\n{text}")).ok_or(later("no_random_numbers"))?;
        let never = Trouble::Never { why: "too_long_to_seal", whose: Whose::Content };
        Ok((id, key.seal(text, &seed).ok_or(never)?))
    }

    /// Fetches certificates where those that are known are old; how many there are.
    pub async fn refresh(&self) -> Answer<usize> {
        let is_old = match &*self.0.fetching.lock().await {
            Some((at_ms, Ok(_))) => self.now_ms() - at_ms >= FETCHED_MS_MAX,
            Some((at_ms, Err(_))) => self.now_ms() - at_ms >= FETCH_AGAIN_MS,
            None => true,
        };
        if self.fetches() && is_old { self.fetch().await } else { Ok(0) }
    }

    /// Fetches certificates: at most once a minute, and once however many ask at the same time. How many there are.
    pub async fn fetch(&self) -> Answer<usize> {
        let mut last = self.0.fetching.lock().await;
        if let Some((_, known)) = last.as_ref().filter(|(at_ms, _)| self.now_ms() - at_ms < FETCH_AGAIN_MS) {
            return known.clone();
        }
        let fetched = self.fetched().await;
        *last = Some((self.now_ms(), fetched.clone()));
        fetched
    }

    async fn fetched(&self) -> Answer<usize> {
        let heard = self.exchanged(&Ask::get("/v3/certificates".to_owned())).await?;
        let broken = || Trouble::Later { why: "answer_broken", rest: REST };
        let listed: Listed = serde_json::from_slice(&heard.body).map_err(|_| broken())?;
        let not_sealed = Trouble::Never { why: "api_v3_key_wrong", whose: Whose::Settings };
        let mut keys = self.0.settings.keys.clone();
        for one in &listed.data {
            let Sealed { nonce, associated_data, ciphertext } = &one.encrypt_certificate;
            let pem = keys.open(ciphertext, nonce, associated_data).map_err(|_| not_sealed.clone())?;
            let key = PlatformKey::of_pem(&pem).map_err(|_| broken())?;
            keys.knows(&one.serial_no, key).map_err(|_| broken())?;
        }
        verify(&keys, heads(&heard), &heard.body, self.now_ms().div_euclid(1_000))
            .map_err(not_signed(true))?;
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(listed.data.len())
    }

    /// A payment as it stands, by the merchant's own number (pay.weixin.qq.com/doc/v3/merchant/4012791880; under a provider
    /// …/docs/partner/apis/partner-jsapi-payment/query-by-out-trade-no.html); nothing where there is none.
    pub async fn payment(&self, out_trade_no: &str) -> Answer<Option<Transaction>> {
        let is_number = |c: char| c.is_ascii_alphanumeric() || "_-|*".contains(c);
        if out_trade_no.is_empty() || out_trade_no.len() > 32 || !out_trade_no.chars().all(is_number) {
            let message = "1 to 32 letters, digits and _-|*".to_owned();
            return Err(Trouble::Wrong { field: "out_trade_no".to_owned(), message });
        }
        let (number, mchid) = (encoded(out_trade_no), self.mchid());
        let path = match self.sub_mchid() {
            None => format!("/v3/pay/transactions/out-trade-no/{number}?mchid={mchid}"),
            Some(sub) => {
                format!("/v3/pay/partner/transactions/out-trade-no/{number}?sp_mchid={mchid}&sub_mchid={sub}")
            }
        };
        match self.asked(&Ask::get(path)).await {
            Err(trouble) if trouble.is_gone() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Asks, and reads the answer.
    pub(super) async fn asked<T: DeserializeOwned>(&self, ask: &Ask) -> Answer<T> {
        let body = self.answered(ask).await?;
        serde_json::from_slice(&body).map_err(|_| lost(ask.is_safe, "answer_broken"))
    }

    /// Asks, and gives the answer's bytes, which are the platform's.
    pub(super) async fn answered(&self, ask: &Ask) -> Answer<Vec<u8>> {
        let heard = self.exchanged(ask).await?;
        if ask.is_file {
            return Ok(heard.body);
        }
        let now = self.now_ms().div_euclid(1_000);
        let verified = verify(&self.keys(), heads(&heard), &heard.body, now);
        let verified = match verified {
            Err(NoticeProblem::KeyUnknown) if self.fetches() => {
                // What it comes to is seen right below.
                drop(self.fetch().await);
                verify(&self.keys(), heads(&heard), &heard.body, now)
            }
            verified => verified,
        };
        verified.map_err(not_signed(ask.is_safe))?;
        Ok(heard.body)
    }

    /// Says one thing, signed, and hears what is not a no.
    async fn exchanged(&self, ask: &Ask) -> Answer<Heard> {
        let Some(key) = &self.0.settings.merchant_key else {
            return Err(Trouble::Never { why: "no_private_key", whose: Whose::Settings });
        };
        let no_chance = || Trouble::Later { why: "no_random_numbers", rest: REST };
        let mut random = [0; 16];
        SystemRandom::new().fill(&mut random).map_err(|_| no_chance())?;
        let nonce: String = random.iter().map(|byte| format!("{byte:02X}")).collect();
        let path = format!("{}{}", self.0.wire.base(), ask.path);
        let (at, body) = (self.now_ms().div_euclid(1_000), ask.body.as_deref().unwrap_or_default());
        let signed = key.authorization(ask.method.as_str(), &path, at, &nonce, body).ok_or_else(no_chance)?;
        let mut said_heads = vec![("authorization", signed)];
        if let Some(id) = ask.sealed_by.as_deref().or(self.public_key_id()) {
            said_heads.push(("wechatpay-serial", id.to_owned()));
        }
        let said = Said {
            method: ask.method.clone(),
            path,
            content_type: ask.body.as_ref().map(|_| "application/json".to_owned()),
            heads: said_heads,
            body: Bytes::from(body.to_owned()),
        };
        match self.0.wire.exchange(said, WITHIN, ask.bytes_max).await {
            Ok(heard) => answer(heard, ask.is_safe, self.now_ms().div_euclid(1_000)),
            Err(Lost::NotSaid(failed)) => Err(Trouble::Later { why: failed.code(), rest: REST }),
            Err(Lost::NoAnswer(failed)) => Err(lost(ask.is_safe, failed.code())),
            Err(Lost::TooLong) if ask.is_safe => {
                Err(Trouble::Never { why: "answer_too_long", whose: Whose::Ours })
            }
            Err(Lost::TooLong) => Err(Trouble::Unknown { why: "answer_too_long" }),
        }
    }
}

/// What an answer's head says of who signed it.
fn heads(heard: &Heard) -> Heads<'_> {
    let of = |name: &str| heard.heads.get(name).and_then(|value| value.to_str().ok());
    Heads {
        timestamp: of("wechatpay-timestamp"),
        nonce: of("wechatpay-nonce"),
        signature: of("wechatpay-signature"),
        serial: of("wechatpay-serial"),
    }
}

/// An answer of whom nobody knows that it is the platform's.
fn not_signed(is_safe: bool) -> impl Fn(NoticeProblem) -> Trouble {
    move |problem| {
        let why = match problem {
            NoticeProblem::KeyUnknown => "answer_of_unknown_key",
            NoticeProblem::NotNow => "answer_not_now",
            _ => "answer_not_signed",
        };
        lost(is_safe, why)
    }
}

/// What comes of something that was said and of which nothing is known.
fn lost(is_safe: bool, why: &'static str) -> Trouble {
    if is_safe { Trouble::Later { why, rest: REST } } else { Trouble::Unknown { why } }
}

/// What a status and a code say.
fn answer(heard: Heard, is_safe: bool, now: i64) -> Answer<Heard> {
    #[derive(Deserialize)]
    struct No {
        code: String,
    }
    let rest = || heard.retry_after.map_or(REST, |wish| wish.from(now)).max(REST);
    let code = || serde_json::from_slice::<No>(&heard.body).map(|no| no.code).unwrap_or_default();
    match heard.status {
        200..=299 => Ok(heard),
        429 => Err(Trouble::Later { why: "http_busy", rest: rest() }),
        500..=599 if is_safe => Err(Trouble::Later { why: "system_error", rest: rest() }),
        500..=599 => Err(Trouble::Unknown { why: "system_error" }),
        status => Err(match code().as_str() {
            "FREQUENCY_LIMITED" | "FREQUENCY_LIMIT_EXCEED" | "STATEMENT_CREATING" => {
                Trouble::Later { why: "http_busy", rest: rest() }
            }
            // Merchant coupons say so by 400, and want the same words again.
            "SYSTEM_ERROR" if is_safe => Trouble::Later { why: "system_error", rest: rest() },
            code => match CODES.iter().find(|(one, ..)| *one == code) {
                Some((_, why, whose)) => Trouble::Never { why, whose: *whose },
                None if status == 401 => Trouble::Never { why: "sign_error", whose: Whose::Settings },
                None if status == 404 => Trouble::Never { why: "not_found", whose: Whose::Thing },
                None => Trouble::Never { why: "http_refused", whose: Whose::Ours },
            },
        }),
    }
}
