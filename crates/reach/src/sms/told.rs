//! What platforms tell of messages: receipts, and what people answered. Each platform says it in its own words, at one address.
//!
//! Sources: help.aliyun.com/document_detail/101867.html (SmsReport), …/101847.htm (SmsUp); cloud.tencent.com/document/api/382/59178
//! (receipts), …/59179 (answers).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings::Provider;
use super::{aliyun, tencent};
use crate::door::{Kept, NEWS};

/// The most things that are told at once.
pub const AT_ONCE_MAX: usize = 500;
/// The longest id, code or word that is read.
const WORD_CHARS_MAX: usize = 128;
/// The clock of both platforms is Beijing's, which is so far ahead.
const AHEAD_S: i64 = 8 * 3_600;
/// By which words people say that they want no more, written without spaces, marks and in capitals. What a brand adds counts too.
const LEAVES: [&str; 14] = [
    "T",
    "TD",
    "R",
    "N",
    "TT",
    "RR",
    "QX",
    "STOP",
    "UNSUBSCRIBE",
    "退",
    "取消",
    "取消订阅",
    "不要",
    "不要再发",
];
/// Words that say it wherever they stand in a short answer.
const LEAVES_WITHIN: [&str; 3] = ["退订", "拒收", "别发"];
/// How long an answer is at most that is read for such a word, in characters.
const ANSWER_CHARS_MAX: usize = 24;

/// A receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The sealed word that the message bore; empty where the platform does not tell it.
    pub word: String,
    /// What the platform calls the message; empty where it does not tell it.
    pub serial: String,
    /// Whether the phone has it.
    pub arrived: bool,
    /// Whether nobody has the number.
    pub is_gone: bool,
    /// Whether whoever has the number wants no more of it.
    pub refuses: bool,
    /// The platform's code.
    pub code: String,
    /// As how many it was billed, where it says so.
    pub parts: Option<u32>,
    /// When, in seconds since 1970 UTC, where it says so.
    pub at: Option<i64>,
}

/// What somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who, as the platform writes the number.
    pub phone: String,
    /// What.
    pub text: String,
    /// When, in seconds since 1970 UTC, where it says so.
    pub at: Option<i64>,
    /// What the platform calls it, where it does.
    pub key: Option<String>,
}

/// Something that was told, or found by asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum SmsNews {
    /// Of a message.
    Reported(Report),
    /// Somebody wants no more. Other answers are not kept: nobody here reads them.
    Left {
        /// Who, as the platform writes the number.
        phone: String,
        /// When, in seconds since 1970 UTC, where it says so.
        at: Option<i64>,
    },
}

/// A time of Beijing as platforms write it, in seconds since 1970 UTC.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let at: DateTime = text.trim().parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() - AHEAD_S)
}

/// The day of Beijing of an instant, as `20260105`.
pub(super) fn beijing_date(at: i64) -> String {
    jiff::Timestamp::from_second(at + AHEAD_S).unwrap_or_default().strftime("%Y%m%d").to_string()
}

/// Whether an answer says that somebody wants no more. `own` are words of the brand's, in capitals.
pub fn leaves(text: &str, own: &[String]) -> bool {
    let plain: String = text.chars().map(narrow).filter(|c| c.is_alphanumeric()).collect();
    let plain = plain.to_uppercase();
    if plain.is_empty() || plain.chars().count() > ANSWER_CHARS_MAX {
        return false;
    }
    // Who answers "回复R" or "回TD" copied what they were told.
    let word = plain.strip_prefix("回复").or_else(|| plain.strip_prefix('回')).unwrap_or(&plain);
    LEAVES.contains(&word)
        || own.iter().any(|one| one == word)
        || LEAVES_WITHIN.iter().any(|within| plain.contains(within))
}

/// Letters of full width as plain ones.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// A text of a field, however it is written.
fn said(of: &Map<String, Value>, name: &str) -> String {
    let text = match of.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    text.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect()
}

/// What one thing says.
enum One {
    Report(Report, String),
    Reply(Reply),
}

fn of_aliyun(of: &Map<String, Value>) -> Option<One> {
    let phone = said(of, "phone_number");
    if of.contains_key("content") {
        let key = Some(said(of, "sequence_id")).filter(|key| !key.is_empty());
        let (text, at) = (said(of, "content"), seconds(&said(of, "send_time")));
        return Some(One::Reply(Reply { phone, text, at, key }));
    }
    let arrived = of.get("success")?.as_bool()?;
    let code = said(of, "err_code");
    let report = Report {
        word: said(of, "out_id"),
        serial: said(of, "biz_id"),
        arrived,
        is_gone: !arrived && aliyun::is_gone(&code),
        refuses: !arrived && aliyun::refuses(&code),
        code,
        parts: said(of, "sms_size").parse().ok().filter(|parts| (1..=20).contains(parts)),
        at: seconds(&said(of, "report_time")),
    };
    Some(One::Report(report, phone))
}

fn of_tencent(of: &Map<String, Value>) -> Option<One> {
    let phone = format!("+{}{}", said(of, "nationcode").trim_start_matches('+'), said(of, "mobile"));
    if of.contains_key("text") {
        let at = of.get("time").and_then(Value::as_i64);
        return Some(One::Reply(Reply { phone, text: said(of, "text"), at, key: None }));
    }
    let arrived = match of.get("report_status")?.as_str()? {
        "SUCCESS" => true,
        "FAIL" => false,
        _ => return None,
    };
    let (code, words) = (said(of, "errmsg"), said(of, "description"));
    let report = Report {
        word: String::new(),
        serial: said(of, "sid"),
        arrived,
        is_gone: !arrived && tencent::is_gone(&code, &words),
        refuses: !arrived && tencent::refuses(&words),
        code,
        parts: None,
        at: seconds(&said(of, "user_receive_time")),
    };
    Some(One::Report(report, phone))
}

/// What an account is told with, and what it means there.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) provider: Provider,
    /// By which further words people want no more.
    pub(super) words: &'a [String],
    /// Whether what does not arrive is billed.
    pub(super) bills_failed: bool,
}

impl Telling<'_> {
    /// A receipt as it is kept: known again by the message and how it ended.
    pub(super) fn report(self, report: Report, phone: &str) -> Kept {
        // What was told without its word may be nobody's yet: with its word it is looked at again.
        let of = if report.word.is_empty() { &report.serial } else { &report.word };
        let key = format!("{}/report/{of}/{}", self.provider.name(), report.arrived);
        self.kept(key, SmsNews::Reported(report), phone)
    }

    /// An answer as it is kept; nothing, where it does not say that somebody wants no more. Told and asked for it is the same one.
    pub(super) fn reply(self, reply: Reply) -> Option<Kept> {
        if !leaves(&reply.text, self.words) {
            return None;
        }
        let number: String = reply.phone.chars().filter(char::is_ascii_digit).collect();
        let of = match &reply.key {
            Some(key) => key.clone(),
            None => format!("{number}/{}/{}", reply.at.unwrap_or_default(), reply.text),
        };
        let key = format!("{}/reply/{of}", self.provider.name());
        let phone = reply.phone.clone();
        Some(self.kept(key, SmsNews::Left { phone: reply.phone, at: reply.at }, &phone))
    }

    fn kept(self, key: String, news: SmsNews, phone: &str) -> Kept {
        let mut body = match serde_json::to_value(&news) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        body.insert("bills_failed".to_owned(), self.bills_failed.into());
        Kept { key: key.into_bytes(), lane: NEWS, about: Some(("phone".to_owned(), phone.to_owned())), body }
    }

    /// What a body tells, and of which kind it is; nothing, where it does not read.
    pub(super) fn read(self, body: &[u8]) -> Option<(&'static str, Vec<Kept>)> {
        let all = match serde_json::from_slice(body).ok()? {
            Value::Array(all) if all.len() <= AT_ONCE_MAX => all,
            one @ Value::Object(_) => vec![one],
            _ => return None,
        };
        let (mut kind, mut kept) = ("nothing", Vec::with_capacity(all.len()));
        for one in &all {
            let of = one.as_object()?;
            let read = match self.provider {
                Provider::Aliyun => of_aliyun(of)?,
                Provider::Tencent => of_tencent(of)?,
            };
            match read {
                One::Report(report, phone) => {
                    kind = "report";
                    kept.push(self.report(report, &phone));
                }
                One::Reply(reply) => {
                    kind = "reply";
                    kept.extend(self.reply(reply));
                }
            }
        }
        Some((kind, kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling(provider: Provider) -> Telling<'static> {
        Telling { provider, words: &[], bills_failed: true }
    }

    #[test]
    fn who_wants_no_more_says_it_in_few_words() {
        let own = ["不玩了".to_owned()];
        for (text, says) in [
            ("T", true),
            ("td", true),
            (" Ｒ。", true),
            ("回复R", true),
            ("回T退订", true),
            ("退订", true),
            ("我要退订!", true),
            ("拒收", true),
            ("n", true),
            ("stop", true),
            ("不玩了", true),
            ("TDD", false),
            ("好的", false),
            ("", false),
            ("。。", false),
            ("请问今天退订了的那个优惠券还能不能再给我发一次谢谢你们啦", false),
        ] {
            assert_eq!(leaves(text, &own), says, "{text}");
        }
    }

    #[test]
    fn receipts_and_answers_of_both_platforms_are_read() {
        let aliyun = r#"[{"phone_number":"13811110000","send_time":"2026-01-05 10:00:00","report_time":"2026-01-05 10:00:05",
            "success":false,"err_code":"INVALID_NUMBER","err_msg":"x","sms_size":"2","biz_id":"12345^0","out_id":"w1"},
            {"phone_number":"13811110000","content":"TD","send_time":"2026-01-05 10:01:00","dest_code":"1","sequence_id":77},
            {"phone_number":"13811110000","content":"谢谢","send_time":"2026-01-05 10:01:00","sequence_id":"78"}]"#;
        let (kind, kept) = telling(Provider::Aliyun).read(aliyun.as_bytes()).unwrap();
        assert_eq!((kind, kept.len()), ("reply", 2), "what nobody has a use for is not kept");
        assert_eq!(kept[0].key, b"aliyun/report/w1/false");
        assert_eq!(kept[0].about, Some(("phone".to_owned(), "13811110000".to_owned())));
        let body = &kept[0].body;
        assert_eq!((body["what"].as_str(), body["is_gone"].as_bool()), (Some("reported"), Some(true)));
        assert_eq!((body["parts"].as_u64(), body["at"].as_i64()), (Some(2), Some(1_767_578_405)));
        assert_eq!(
            (kept[1].key.as_slice(), &kept[1].body["what"]),
            (&b"aliyun/reply/77"[..], &"left".into())
        );

        let report = r#"[{"user_receive_time":"2026-01-05 10:00:05","nationcode":"86","mobile":"13811110000",
            "report_status":"FAIL","errmsg":"MK:0001","description":"空号","sid":"5000:1"}]"#;
        let (kind, kept) = telling(Provider::Tencent).read(report.as_bytes()).unwrap();
        assert_eq!((kind, kept[0].key.as_slice()), ("report", &b"tencent/report/5000:1/false"[..]));
        assert_eq!(kept[0].body["is_gone"], true);
        let reply = r#"{"extend":"","mobile":"13811110000","nationcode":"86","sign":"s","text":"T","time":1457336869}"#;
        let (kind, kept) = telling(Provider::Tencent).read(reply.as_bytes()).unwrap();
        assert_eq!((kind, kept.len()), ("reply", 1));
        // Asked for it is the same.
        let asked = Reply {
            phone: "+8613811110000".to_owned(),
            text: "T".to_owned(),
            at: Some(1_457_336_869),
            key: None,
        };
        assert_eq!(telling(Provider::Tencent).reply(asked).unwrap().key, kept[0].key);
    }

    #[test]
    fn what_does_not_read_is_refused_whole() {
        for body in ["", "1", "[1]", "[{}]", "{}", r#"[{"success":"yes","phone_number":"1"}]"#] {
            for provider in [Provider::Aliyun, Provider::Tencent] {
                assert!(telling(provider).read(body.as_bytes()).is_none(), "{body}");
            }
        }
        let many = format!("[{}]", vec!["{}"; AT_ONCE_MAX + 1].join(","));
        assert!(telling(Provider::Aliyun).read(many.as_bytes()).is_none());
        assert_eq!(telling(Provider::Aliyun).read(b"[]"), Some(("nothing", vec![])));
    }
}
