//! Short messages of one account on each of two platforms, Aliyun and Tencent Cloud: templates, messages to phones, receipts, answers.
//!
//! Written from the platforms' documentation (help.aliyun.com/product/44282.html, cloud.tencent.com/document/product/382), never from our
//! client. `signed` says who asks, `aliyun` and `tencent` answer, `act` is what people and the console do, `told` tells of it.

pub mod act;
pub mod aliyun;
pub mod signed;
pub mod tencent;
pub mod told;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::calendar::{DAY_MS, civil_at};
use crate::chance::Chance;
use crate::world::types::Due;
use crate::world::{THINGS_MAX, World};

/// As which app's callbacks what is told is counted.
pub const AGENT: i64 = -2;
/// The most messages of one template that a number gets in a day.
const OF_TEMPLATE_A_DAY: usize = 50;
/// The most numbers that are shown.
const SHOWN_MAX: usize = 12;
/// The longest until a receipt is there, in milliseconds (not documented: seconds, mostly).
const RECEIPT_MS_MAX: u64 = 9_000;

/// Whose platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    Aliyun,
    Tencent,
}

impl Platform {
    /// Of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "aliyun" => Some(Self::Aliyun),
            "tencent" => Some(Self::Tencent),
            _ => None,
        }
    }
}

/// An account.
pub struct Account {
    pub key_id: String,
    pub secret: String,
    pub app_id: String,
    pub sign: String,
    /// Where it is told what happens; nowhere where empty.
    pub url: String,
    /// How many parts are paid for.
    pub balance: i64,
}

/// A template.
pub struct Template {
    pub text: String,
    pub is_approved: bool,
}

/// How a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Nobody has it.
    Gone,
    /// Its phone is off.
    Off,
    /// Whoever has it told the platform that they want nothing more.
    Refuses,
}

/// A message.
pub struct Message {
    pub platform: Platform,
    /// What the platform calls it.
    pub serial: String,
    pub phone: String,
    pub template: String,
    /// As the phone shows it.
    pub text: String,
    /// What the account sent along.
    pub context: String,
    pub sent_ms: i64,
    pub parts: i64,
    /// The code of its receipt and when it came; nothing while there is none.
    pub receipt: Option<(&'static str, i64)>,
}

/// An answer.
pub struct Answer {
    pub platform: Platform,
    pub phone: String,
    pub text: String,
    pub at_ms: i64,
    pub number: u64,
    pub is_pulled: bool,
}

/// All of it.
pub struct Sms {
    pub accounts: BTreeMap<Platform, Account>,
    pub templates: BTreeMap<(Platform, String), Template>,
    pub numbers: BTreeMap<String, Number>,
    pub messages: Vec<Message>,
    pub answers: Vec<Answer>,
    /// Each is good once.
    nonces: BTreeSet<String>,
    chance: Chance,
}

/// A no: a code, and words.
pub type No = (&'static str, &'static str);

impl Sms {
    /// Of a seed; there is no account yet.
    pub fn new(seed: u64) -> Self {
        Self {
            accounts: BTreeMap::new(),
            templates: BTreeMap::new(),
            numbers: BTreeMap::new(),
            messages: Vec::new(),
            answers: Vec::new(),
            nonces: BTreeSet::new(),
            chance: Chance::new(seed, "sms"),
        }
    }

    fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b'0' + (self.chance.below(10) as u8))).collect()
    }
}

/// A time of Beijing as both platforms write it.
pub fn local(at_ms: i64) -> String {
    let (year, month, day, ms) = civil_at(at_ms);
    let seconds = ms / 1_000;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The day of Beijing, as `20260105`.
pub fn day(at_ms: i64) -> String {
    let (year, month, day, _) = civil_at(at_ms);
    format!("{year:04}{month:02}{day:02}")
}

/// As how many a message is billed within mainland China: 70 signs of UCS-2 are one, beyond that 67 each.
pub fn parts(text: &str) -> i64 {
    let n = text.encode_utf16().count();
    if n <= 70 { 1 } else { n.div_ceil(67) as i64 }
}

/// A template with its variables; nothing where one is missing.
pub fn filled(text: &str, open: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, tail)) = rest.split_once(open) {
        let (name, behind) = tail.split_once('}')?;
        out.push_str(before);
        out.push_str(&value(name).filter(|value| !value.is_empty())?);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

impl World {
    /// Sends a message that was asked for well; what it is called, and as how many it is billed.
    pub fn sms_sends(
        &mut self,
        platform: Platform,
        (phone, template, text): (&str, &str, String),
        context: &str,
    ) -> Result<(String, i64), &'static str> {
        let begun = self.now_ms - DAY_MS;
        let same = |one: &&Message| {
            one.platform == platform && one.phone == phone && one.template == template && one.sent_ms > begun
        };
        if self.sms.messages.iter().filter(same).count() >= OF_TEMPLATE_A_DAY {
            return Err("limit");
        }
        let parts = parts(&text);
        let account = self.sms.accounts.get_mut(&platform).ok_or("account")?;
        if account.balance < parts || self.sms.messages.len() >= THINGS_MAX {
            return Err("balance");
        }
        account.balance -= parts;
        let serial = match platform {
            Platform::Aliyun => format!("{}^0", self.sms.digits(18)),
            Platform::Tencent => format!("5000:{}", self.sms.digits(28)),
        };
        let due_ms = self.now_ms + 1_000 + self.sms.chance.below(RECEIPT_MS_MAX - 1_000) as i64;
        self.at(due_ms, Due::SmsReceipt(self.sms.messages.len()));
        self.sms.messages.push(Message {
            platform,
            serial: serial.clone(),
            phone: phone.to_owned(),
            template: template.to_owned(),
            text,
            context: context.to_owned(),
            sent_ms: self.now_ms,
            parts,
            receipt: None,
        });
        Ok((serial, parts))
    }

    /// The network says what became of a message.
    pub fn sms_receipt(&mut self, n: usize) {
        let Some(message) = self.sms.messages.get_mut(n) else { return };
        let code = match (self.sms.numbers.get(&message.phone), message.platform) {
            (None, Platform::Aliyun) => "DELIVERED",
            (None, Platform::Tencent) => "DELIVRD",
            (Some(Number::Gone), Platform::Aliyun) => "INVALID_NUMBER",
            (Some(Number::Gone), Platform::Tencent) => "MK:0001",
            (Some(Number::Off), Platform::Aliyun) => "MOBILE_NOT_ON_SERVICE",
            (Some(Number::Off), Platform::Tencent) => "EXPIRED",
            (Some(Number::Refuses), Platform::Aliyun) => "USER_REJECT",
            (Some(Number::Refuses), Platform::Tencent) => "MBBLACK",
        };
        message.receipt = Some((code, self.now_ms));
        self.sms_tells_receipt(n);
    }

    /// What phones show: the numbers that got something last, each with its messages and its answers.
    pub fn sms_page(&self) -> Vec<Value> {
        let mut numbers: Vec<(&str, Platform)> = Vec::new();
        for one in self.sms.messages.iter().rev().filter(|one| one.arrived() == Some(true)) {
            if numbers.len() < SHOWN_MAX && !numbers.iter().any(|(phone, _)| *phone == one.phone) {
                numbers.push((&one.phone, one.platform));
            }
        }
        let shown = |(phone, platform): (&str, Platform)| {
            let got = self
                .sms
                .messages
                .iter()
                .rev()
                .filter(|one| one.phone == phone && one.arrived() == Some(true));
            let got: Vec<Value> = got
                .take(30)
                .map(|one| json!({"text": one.text, "at_ms": one.receipt.map(|(_, at_ms)| at_ms)}))
                .collect();
            let said = self.sms.answers.iter().rev().filter(|one| one.phone == phone);
            let said: Vec<Value> =
                said.take(30).map(|one| json!({"text": one.text, "at_ms": one.at_ms})).collect();
            let platform = if platform == Platform::Aliyun { "aliyun" } else { "tencent" };
            json!({"phone": phone, "platform": platform, "got": got, "said": said})
        };
        numbers.into_iter().map(shown).collect()
    }

    /// What is so.
    pub fn told_sms(&self) -> Value {
        let messages = self.sms.messages.iter().map(|one| {
            json!({
                "serial": one.serial, "phone": one.phone, "text": one.text, "context": one.context, "parts": one.parts,
                "sent_ms": one.sent_ms, "code": one.receipt.map(|(code, _)| code), "arrived": one.arrived(),
            })
        });
        let answers = self
            .sms
            .answers
            .iter()
            .map(|one| json!({"phone": one.phone, "text": one.text, "at_ms": one.at_ms}));
        json!({"messages": messages.collect::<Vec<_>>(), "answers": answers.collect::<Vec<_>>()})
    }
}

impl Message {
    /// Whether the phone has it, where that is known.
    pub fn arrived(&self) -> Option<bool> {
        self.receipt.map(|(code, _)| matches!(code, "DELIVERED" | "DELIVRD"))
    }

    /// What a receipt says in words.
    pub fn words(&self) -> &'static str {
        match self.receipt.map(|(code, _)| code) {
            Some("DELIVERED" | "DELIVRD") => "用户短信送达成功",
            Some("INVALID_NUMBER" | "MK:0001") => "空号",
            Some("USER_REJECT" | "MBBLACK") => "用户已退订",
            Some(_) => "停机或关机",
            None => "",
        }
    }
}
