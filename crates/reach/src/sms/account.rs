//! An account on a platform: sends, and asks what became of what was sent. And the channel of all accounts of a brand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use super::codes::{self, Code, Follows};
use super::settings::{AT_ONCE, Billed, Provider, Settings};
use super::templates::{Fit, Template};
use super::told::{Reply, Report, Telling};
use super::{aliyun, segments, tencent};
use crate::channel::{Charge, Handed, Parcel};
use crate::client::Client;
use crate::door::Kept;
use crate::platform::{Answer, Trouble, Whose};
use crate::wire::{Lost, Said, Wire};

/// How long an answer may take, from when there is a connection.
const WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may be, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long not to ask where nothing says how long.
const REST: Duration = Duration::from_secs(2);
/// The clock of prices is Beijing's, which is so far ahead.
const AHEAD_S: i64 = 8 * 3_600;

/// What a call is signed with, and where it goes.
pub(super) struct Asked<'a> {
    pub(super) base: &'a str,
    pub(super) authority: &'a str,
    pub(super) key_id: &'a str,
    pub(super) secret: &'a str,
    pub(super) region: &'a str,
}

struct Inner {
    settings: Settings,
    wire: Wire,
}

/// An account. Copies share all they have.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { provider, sign, .. } = &self.0.settings;
        write!(f, "Account({} {sign})", provider.name())
    }
}

/// A message as an account says it.
#[derive(Clone, Debug)]
pub struct Fitting<'a> {
    template: &'a Template,
    fit: Fit,
    /// As how many parts it is billed, and what that costs.
    pub charge: Charge,
}

/// Bytes as letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nonce() -> Option<String> {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).ok()?;
    Some(hex(&random))
}

/// Whether a number is a mobile one, as far as that can be seen: within mainland China it is of 11 digits that begin with 1.
fn is_mobile(phone: &str) -> bool {
    match phone.strip_prefix("+86") {
        Some(number) => number.len() == 11 && number.starts_with('1'),
        None => phone.starts_with('+'),
    }
}

impl Account {
    /// An account of these settings; nothing is said to anybody yet.
    pub fn new(settings: Settings, client: Client) -> Self {
        let wire = Wire::new(client, settings.api.clone());
        Self(Arc::new(Inner { settings, wire }))
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn app_id(&self) -> &str {
        &self.0.settings.app_id
    }

    pub(super) fn telling(&self) -> Telling<'_> {
        let Settings { provider, leave_words, billed, .. } = &self.0.settings;
        Telling { provider: *provider, words: leave_words, bills_failed: *billed == Billed::Taken }
    }

    fn codes(&self) -> &'static [Code] {
        match self.0.settings.provider {
            Provider::Aliyun => &aliyun::CODES,
            Provider::Tencent => &tencent::CODES,
        }
    }

    /// How a text is said to a number, where one of its templates says it; or why not, by a name.
    pub(super) fn fitting(
        &self,
        (text, phone): (&str, &str),
        promised: bool,
        at_seconds: u64,
    ) -> Result<Fitting<'_>, &'static str> {
        let mainland = phone.starts_with("+86");
        let day = jiff::Timestamp::from_second(i64::try_from(at_seconds).unwrap_or(0) + AHEAD_S);
        let day = day.unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
        let Some(per_part) = self.0.settings.price(phone, day) else { return Err("country_without_price") };
        let mut why = "no_template_says_it";
        for template in self.0.settings.templates.iter().filter(|one| one.abroad != mainland) {
            let Some(fit) = template.says(text) else { continue };
            if !promised && !template.has_way_out() {
                why = "template_without_way_out";
                continue;
            }
            let parts = segments::parts(&fit.whole, mainland);
            let charge = Charge { parts, cost: per_part.saturating_mul(i64::from(parts)) };
            return Ok(Fitting { template, fit, charge });
        }
        Err(why)
    }

    /// Hands a message over.
    pub(super) async fn send(
        &self,
        fitting: &Fitting<'_>,
        phone: &str,
        word: &str,
        at_seconds: u64,
    ) -> Handed {
        let at = i64::try_from(at_seconds).unwrap_or(0);
        let (template, variables) = (fitting.template, &fitting.fit.variables);
        let of = (template.id.as_str(), template.sign.as_str());
        let said = match self.0.settings.provider {
            Provider::Aliyun => {
                let Some(nonce) = nonce() else {
                    return Handed::Later { code: "no_random_numbers".to_owned(), rest: None, channel: true };
                };
                let parameters = aliyun::message(phone, of, variables, word);
                aliyun::said(&self.signing(), "SendSms", &parameters, (at, &nonce))
            }
            Provider::Tencent => {
                let body = tencent::message((self.app_id(), phone), of, variables, word);
                tencent::said(&self.signing(), "SendSms", &body, at)
            }
        };
        let heard = match self.0.wire.exchange(said, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(heard) => heard,
            Err(Lost::NotSaid(failed)) => {
                return Handed::Later { code: failed.code().to_owned(), rest: None, channel: true };
            }
            Err(Lost::NoAnswer(failed)) => return Handed::Unknown { code: failed.code().to_owned() },
            Err(Lost::TooLong) => return Handed::Unknown { code: "answer_too_long".to_owned() },
        };
        let (code, receipt) = match self.0.settings.provider {
            Provider::Aliyun => aliyun::outcome(&heard.body),
            Provider::Tencent => tencent::outcome(&heard.body),
        };
        match code.as_str() {
            "OK" => Handed::Taken { receipt },
            // A gateway before the platform says so: it does not hand on what it turns away.
            "" if heard.status == 429 => {
                let rest = heard.retry_after.map(|wish| wish.from(at));
                Handed::Later { code: "too_fast".to_owned(), rest, channel: true }
            }
            "" => Handed::Unknown { code: format!("answer_broken_{}", heard.status) },
            code => codes::handed(self.codes(), code),
        }
    }

    /// What is known of a message that was sent: its receipt, as it would have been told; nothing where there is none yet.
    pub async fn receipt(
        &self,
        (phone, word, serial): (&str, &str, &str),
        (sent_at, now): (i64, i64),
    ) -> Answer<Option<Kept>> {
        let report = match self.0.settings.provider {
            Provider::Aliyun => aliyun::receipt(self, (phone, word), (sent_at, now)).await?,
            Provider::Tencent => tencent::receipt(self, (phone, word, serial), (sent_at, now)).await?,
        };
        let told = |report: Report| {
            let serial = if report.serial.is_empty() { serial.to_owned() } else { report.serial.clone() };
            self.telling().report(Report { serial, ..report }, phone)
        };
        Ok(report.map(told))
    }

    /// What people answered since it was last asked, as it would have been told, and whether there is more.
    pub async fn replies(&self, now: i64) -> Answer<(Vec<Kept>, bool)> {
        if !self.0.settings.asks_replies {
            return Ok((Vec::new(), false));
        }
        let (replies, is_more) = tencent::replies(self, now).await?;
        let kept = replies.into_iter().filter_map(|reply: Reply| self.telling().reply(reply)).collect();
        Ok((kept, is_more))
    }

    fn signing(&self) -> Asked<'_> {
        let Inner { settings, wire } = &*self.0;
        Asked {
            base: wire.base(),
            authority: &settings.api.authority,
            key_id: &settings.key_id,
            secret: settings.key_secret.said(),
            region: &settings.region,
        }
    }

    /// Asks Aliyun something that changes nothing.
    pub(super) async fn asked(
        &self,
        action: &str,
        parameters: &[(&str, String)],
        now: i64,
    ) -> Answer<Vec<u8>> {
        let nonce = nonce().ok_or(Trouble::Later { why: "no_random_numbers", rest: REST })?;
        let body = self.exchanged(aliyun::said(&self.signing(), action, parameters, (now, &nonce))).await?;
        match aliyun::outcome(&body).0.as_str() {
            "OK" => Ok(body),
            code => Err(self.trouble(code)),
        }
    }

    /// Asks Tencent Cloud something that changes nothing.
    pub(super) async fn asked_json(&self, action: &str, body: &Value, now: i64) -> Answer<Vec<u8>> {
        let body = self.exchanged(tencent::said(&self.signing(), action, body, now)).await?;
        match tencent::refused(&body) {
            None => Ok(body),
            Some(code) => Err(self.trouble(&code)),
        }
    }

    async fn exchanged(&self, said: Said) -> Answer<Vec<u8>> {
        match self.0.wire.exchange(said, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(heard) => Ok(heard.body),
            Err(Lost::NotSaid(failed) | Lost::NoAnswer(failed)) => {
                Err(Trouble::Later { why: failed.code(), rest: REST })
            }
            Err(Lost::TooLong) => Err(Trouble::Never { why: "answer_too_long", whose: Whose::Ours }),
        }
    }

    /// A no to a question. Its name is one of those that are known, so that it stays.
    fn trouble(&self, code: &str) -> Trouble {
        let (name, follows) = codes::known(self.codes(), code);
        let known = self.codes().iter().find(|(_, one, _)| *one == name);
        let why = known.map_or("answer_not_understood", |(_, why, _)| *why);
        match (follows, why) {
            (_, "too_fast") | (Follows::Unsure, _) => Trouble::Later { why, rest: REST },
            (Follows::Rests, _) => Trouble::Never { why, whose: Whose::Settings },
            _ => Trouble::Never { why, whose: Whose::Content },
        }
    }
}

/// The channel of all accounts: of several that could say a message, the first by its name does.
#[derive(Debug)]
pub struct Sms(Vec<Account>);

impl Sms {
    /// Of these accounts, in their order.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self(accounts)
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.0.iter().find_map(|account| account.settings().at_once).unwrap_or(AT_ONCE)
    }

    /// How a message is said, and by which account; or why it is not, by a name.
    pub(super) fn fitting(&self, parcel: &Parcel) -> Result<(&Account, Fitting<'_>), &'static str> {
        if !is_mobile(&parcel.to) {
            return Err("number_not_mobile");
        }
        let mut why = "no_account";
        for account in &self.0 {
            match account.fitting((&parcel.text, &parcel.to), parcel.promised, parcel.at_seconds) {
                Ok(fitting) => return Ok((account, fitting)),
                // Of several reasons the last that is about the text says most.
                Err(one) if why == "no_account" || one != "country_without_price" => why = one,
                Err(_) => {}
            }
        }
        Err(why)
    }
}
