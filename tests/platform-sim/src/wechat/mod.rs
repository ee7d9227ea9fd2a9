//! WeChat: official accounts and mini programs of a brand, the people who know them, and what arrives on their phones.
//!
//! Written from the platform's documentation (developers.weixin.qq.com/doc/offiaccount, …/miniprogram/dev), never from our client. `api`
//! answers what an app asks, below `/wechat/`; `act` is what people and the console do; `tell` brings callbacks, plain or encrypted.

pub mod act;
pub mod api;
pub mod tell;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::crypto::Key;
use crate::world::World;

/// As which app's callbacks those of WeChat are counted.
pub const AGENT: i64 = -3;
/// For how long a message that is told again is known by its key, in milliseconds (`client_msg_id`).
const KNOWN_AGAIN_MS: i64 = 10 * 60_000;
/// Within which time a word may be answered, in milliseconds, and how often
/// (…/doc/offiaccount/Customer_Service/Customer_Service_Messages.html; …/miniprogram/…/customer-message/send.html).
const ANSWERED_MS: i64 = 48 * 3_600_000;
const ANSWERS: i64 = 5;
/// The same of following, scanning and pressing.
const GREETED_MS: i64 = 60_000;
const GREETINGS: i64 = 3;

/// Where callbacks of an app go.
#[derive(Clone)]
pub struct Callback {
    pub url: String,
    pub token: String,
    /// Without one they are plain.
    pub key: Option<Key>,
}

/// An app.
pub struct App {
    pub appid: String,
    pub is_official: bool,
    pub secret: String,
    pub original_id: String,
    pub callback: Option<Callback>,
    /// `template`, `once` or `standing`, by id.
    pub templates: BTreeMap<String, String>,
    /// The token, and until when it is good.
    pub token: Option<(String, i64)>,
    pub n_tokens: u64,
    /// Scenes by ticket.
    pub codes: BTreeMap<String, String>,
    /// How many calls of a path are left today.
    pub quotas: BTreeMap<String, i64>,
}

/// Somebody with a phone.
#[derive(Default)]
pub struct Person {
    pub unionid: String,
    pub phone: String,
    pub inbox: Vec<Value>,
}

/// What somebody is to an app.
#[derive(Default)]
pub struct Tie {
    pub person: String,
    pub appid: String,
    pub follows: bool,
    pub blocks: bool,
    /// Until when they may be answered who said something, and how often yet; the same where they followed, scanned or pressed.
    pub answered: Option<(i64, i64)>,
    pub greeted: Option<(i64, i64)>,
    /// How many messages of each template they allow.
    pub allowed: BTreeMap<String, i64>,
    pub standing: BTreeSet<String>,
}

impl Tie {
    /// They said something.
    fn said(&mut self, now_ms: i64) {
        self.answered = Some((now_ms + ANSWERED_MS, ANSWERS));
    }

    /// They followed, scanned or pressed something.
    fn met(&mut self, now_ms: i64) {
        self.greeted = Some((now_ms + GREETED_MS, GREETINGS));
    }
}

/// A code of signing in, or of a phone number.
pub struct Code {
    pub appid: String,
    pub openid: String,
    pub of_phone: bool,
    pub scope: String,
}

/// All of it.
pub struct Wechat {
    pub apps: BTreeMap<String, App>,
    pub people: BTreeMap<String, Person>,
    /// By openid.
    pub ties: BTreeMap<String, Tie>,
    pub codes: BTreeMap<String, Code>,
    /// What was sent, by openid and key: when, and as which message.
    known: BTreeMap<(String, String), (i64, u64)>,
    pub n_sent: u64,
    /// Messages that went out without anybody allowing them, or twice: none, if all is well.
    pub n_not_allowed: u64,
    pub chance: Chance,
}

impl Wechat {
    /// Of a seed; there is no app yet.
    pub fn new(seed: u64) -> Self {
        Self {
            apps: BTreeMap::new(),
            people: BTreeMap::new(),
            ties: BTreeMap::new(),
            codes: BTreeMap::new(),
            known: BTreeMap::new(),
            n_sent: 0,
            n_not_allowed: 0,
            chance: Chance::new(seed, "wechat"),
        }
    }

    /// What somebody is called in an app: another name in each.
    pub fn openid(appid: &str, person: &str) -> String {
        let tail: String = appid.chars().rev().take(4).collect();
        format!("o{tail}-{person}")
    }
}

impl World {
    /// What is so.
    pub fn told_wechat(&self) -> Value {
        let ties = self.wechat.ties.iter().map(|(openid, tie)| {
            json!({
                "openid": openid, "person": tie.person, "appid": tie.appid, "follows": tie.follows,
                "allowed": tie.allowed, "standing": tie.standing,
            })
        });
        let people = self.wechat.people.iter().map(|(id, person)| {
            json!({"person": id, "unionid": person.unionid, "phone": person.phone, "inbox": person.inbox})
        });
        let apps = self.wechat.apps.values().map(|app| {
            json!({"appid": app.appid, "official": app.is_official, "n_tokens": app.n_tokens, "codes": app.codes})
        });
        json!({
            "ties": ties.collect::<Vec<_>>(), "people": people.collect::<Vec<_>>(), "apps": apps.collect::<Vec<_>>(),
            "n_sent": self.wechat.n_sent, "n_not_allowed": self.wechat.n_not_allowed,
        })
    }

    /// The same as the page shows it: the latest of a few phones.
    pub fn wechat_page(&self) -> Value {
        let phone = |(id, person): (&String, &Person)| {
            let skip = person.inbox.len().saturating_sub(30);
            let ties = self.wechat.ties.values().filter(|tie| tie.person == *id);
            let follows: Vec<&str> = ties.filter(|tie| tie.follows).map(|tie| tie.appid.as_str()).collect();
            json!({"id": id, "follows": follows, "inbox": person.inbox.iter().skip(skip).collect::<Vec<_>>()})
        };
        self.wechat.people.iter().take(12).map(phone).collect()
    }

    /// Apps as the page shows them, each with a template that somebody may allow.
    pub fn wechat_page_apps(&self) -> Value {
        let app = |app: &App| {
            let template = app.templates.iter().find(|(_, kind)| kind.as_str() == "once").map(|(id, _)| id);
            json!({"appid": app.appid, "official": app.is_official, "template": template})
        };
        self.wechat.apps.values().take(6).map(app).collect()
    }
}
