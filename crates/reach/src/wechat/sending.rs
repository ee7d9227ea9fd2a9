//! The channel of messages that follow a template: template messages and subscription messages of official accounts, subscription
//! messages of mini programs.
//!
//! A template message bears a key (`client_msg_id`) by which the platform sends it once however often it is told within ten minutes, so one
//! of which nobody knows is told again at once, a few times; nothing else here is ever told twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Wechat;
use super::apis;
use super::call::Ask;
use crate::channel::{Again, Allows, Channel, Form, Handed, Parcel, Permit};
use crate::platform::{Answer, Trouble, Whose};

/// How many are handed over at a time.
const AT_ONCE: usize = 16;
/// How often a template message is told whose answer is lost: within ten minutes it is sent once.
const TOLD_MAX: usize = 3;
/// The most fields of a template.
const FIELDS_MAX: usize = 20;
/// How long the channel rests where its settings are wrong.
const WRONG_REST: Duration = Duration::from_secs(300);
/// How many characters a field may have, by what its name begins with
/// (…/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html, 2026-11-28).
const FIELD_CHARS: [(&str, usize); 12] = [
    ("thing", 20),
    ("character_string", 32),
    ("number", 32),
    ("letter", 32),
    ("symbol", 5),
    ("time", 32),
    ("date", 32),
    ("amount", 12),
    ("phone_number", 17),
    ("car_number", 8),
    ("name", 20),
    ("phrase", 5),
];
/// The longest of any other field: those of old template messages.
const FIELD_CHARS_OTHER: usize = 200;

/// Messages of one kind of app.
#[derive(Clone, Debug)]
pub struct Sending {
    name: &'static str,
    apps: BTreeMap<String, Wechat>,
}

#[derive(Default, Deserialize)]
struct Sent {
    #[serde(default)]
    msgid: Value,
}

impl Sending {
    /// Through these apps, by the names that the brand gave them: all of one kind.
    pub fn new(name: &'static str, apps: BTreeMap<String, Wechat>) -> Self {
        Self { name, apps }
    }

    fn app(&self, form: Option<&Form>) -> Option<&Wechat> {
        self.apps.get(&form?.account)
    }
}

/// Fields as the platform takes them; the name of what is wrong with one. What is too long of a thing ends early, as people write it;
/// of anything else that would be another number or another time.
fn fields(form: &Form) -> Result<Map<String, Value>, String> {
    if form.fields.is_empty() || form.fields.len() > FIELDS_MAX {
        return Err("fields_wrong".to_owned());
    }
    let mut data = Map::new();
    for (name, value) in &form.fields {
        let value = value.replace(char::is_control, " ");
        let mut value = value.trim().to_owned();
        if value.is_empty() {
            return Err(format!("field_empty: {name}"));
        }
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let most =
            FIELD_CHARS.iter().find(|(begins, _)| *begins == kind).map_or(FIELD_CHARS_OTHER, |(_, n)| *n);
        if value.chars().count() > most {
            if kind != "thing" && most != FIELD_CHARS_OTHER {
                return Err(format!("field_too_long: {name}"));
            }
            value = value.chars().take(most - 1).chain(['…']).collect();
        }
        drop(data.insert(name.clone(), json!({ "value": value })));
    }
    Ok(data)
}

/// Where a message leads: a page of the web, or one of a mini program as `APPID/PAGE`.
fn leads(body: &mut Map<String, Value>, page: Option<&str>, url: &str) {
    let Some(page) = page else { return };
    if page.starts_with("https://") || page.starts_with("http://") {
        drop(body.insert(url.to_owned(), page.into()));
    } else if let Some((appid, path)) = page.split_once('/') {
        drop(body.insert("miniprogram".to_owned(), json!({"appid": appid, "pagepath": path})));
    }
}

impl Wechat {
    async fn send(&self, parcel: &Parcel, form: &Form, data: Map<String, Value>) -> Answer<String> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        put("touser", parcel.to.as_str().into());
        put("template_id", form.template.as_str().into());
        put("data", Value::Object(data));
        let api = match (self.is_official(), form.allows) {
            (false, _) => {
                form.page.iter().for_each(|page| put("page", page.as_str().into()));
                put("miniprogram_state", self.settings().version.of_message().into());
                put("lang", if parcel.english { "en_US" } else { "zh_CN" }.into());
                &apis::SEND_SUBSCRIBED_MINI
            }
            (true, Allows::Always) => {
                put("client_msg_id", key(parcel).into());
                leads(&mut body, form.page.as_deref(), "url");
                &apis::SEND_TEMPLATE
            }
            (true, _) => {
                leads(&mut body, form.page.as_deref(), "page");
                &apis::SEND_SUBSCRIBED
            }
        };
        let sent: Sent = self.ask(Ask { api, query: &[], body: Some(Value::Object(body)) }).await?;
        Ok(match sent.msgid {
            Value::String(id) => id,
            Value::Number(id) => id.to_string(),
            _ => String::new(),
        })
    }
}

/// What the platform knows a message again by: at most 32 characters.
fn key(parcel: &Parcel) -> String {
    parcel.key.iter().fold(String::new(), |mut key, byte| {
        // A text takes whatever is written.
        let _written = write!(key, "{byte:02x}");
        key
    })
}

/// What came of handing over, by what came of the call.
fn handed(sent: Answer<String>) -> Handed {
    match sent {
        Ok(receipt) => Handed::Taken { receipt },
        Err(Trouble::Wrong { field, message }) => {
            Handed::Refused { code: format!("{field}: {message}"), unreachable: false }
        }
        // No message is to blame for what is set up wrong.
        Err(Trouble::Never { why, whose: Whose::Settings }) => {
            Handed::Later { code: why.to_owned(), rest: Some(WRONG_REST), channel: true }
        }
        Err(Trouble::Never { why, .. }) => {
            Handed::Refused { code: why.to_owned(), unreachable: why == "openid_wrong" }
        }
        Err(Trouble::Later { why, rest }) => {
            Handed::Later { code: why.to_owned(), rest: Some(rest), channel: why != "busy" }
        }
        Err(Trouble::Unknown { why }) => Handed::Unknown { code: why.to_owned() },
    }
}

#[async_trait]
impl Channel for Sending {
    fn name(&self) -> &'static str {
        self.name
    }

    fn namespaces(&self) -> &'static [&'static str] {
        // Each app has its own: see `finds_by`.
        &[]
    }

    fn finds_by(&self, form: Option<&Form>) -> Vec<String> {
        self.app(form).map(Wechat::openids).into_iter().collect()
    }

    fn permit(&self, parcel: &Parcel) -> Option<Permit> {
        let form = parcel.form.as_ref()?;
        let once = match form.allows {
            Allows::Always => return None,
            Allows::Once => true,
            Allows::Standing => false,
        };
        let whom = (parcel.namespace.clone(), parcel.to.clone());
        Some(Permit { account: form.account.clone(), whom, template: form.template.clone(), once })
    }

    fn of_contacts(&self, parcel: &Parcel) -> Option<String> {
        let form = parcel.form.as_ref().filter(|form| form.allows == Allows::Always)?;
        Some(form.account.clone())
    }

    fn tells_later(&self) -> bool {
        true
    }

    fn again(&self) -> Again {
        // Where the platform knows a message again it does so for ten minutes, and a home may be away for longer.
        Again::Never
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn within(&self) -> Duration {
        super::call::WITHIN * 4
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        let refused = |code: String| Handed::Refused { code, unreachable: false };
        let Some(form) = &parcel.form else { return refused("no_template".to_owned()) };
        let Some(app) = self.app(Some(form)) else {
            return refused(format!("account_unknown: {}", form.account));
        };
        let data = match fields(form) {
            Ok(data) => data,
            Err(code) => return refused(code),
        };
        let known_again = app.is_official() && form.allows == Allows::Always;
        let mut sent = app.send(parcel, form, data.clone()).await;
        for _ in 1..TOLD_MAX {
            if !known_again || !matches!(sent, Err(Trouble::Unknown { .. })) {
                break;
            }
            sent = match app.send(parcel, form, data.clone()).await {
                // It is not known of the first time.
                Err(Trouble::Later { why, .. }) => Err(Trouble::Unknown { why }),
                sent => sent,
            };
        }
        handed(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Form { fields, ..Form::default() }
    }

    #[test]
    fn fields_are_bounded_by_their_kind_and_what_is_wrong_is_named() {
        let long = "好".repeat(21);
        let data =
            fields(&form(&[("thing1", &long), ("time2", "2026年1月5日"), ("keyword1", " 一\n二 ")])).unwrap();
        let said = |name: &str| data[name]["value"].as_str().unwrap().to_owned();
        assert_eq!((said("thing1").chars().count(), said("keyword1").as_str()), (20, "一 二"));
        assert!(said("thing1").ends_with('…'));
        for (given, wrong) in [
            (form(&[]), "fields_wrong"),
            (form(&[("thing1", " ")]), "field_empty: thing1"),
            (form(&[("amount3", "¥1,000,000,000.00")]), "field_too_long: amount3"),
            (form(&[("phrase4", "已经发货完成了")]), "field_too_long: phrase4"),
        ] {
            assert_eq!(fields(&given).unwrap_err(), wrong);
        }
    }

    #[test]
    fn a_message_leads_to_a_page_or_into_a_mini_program() {
        let of = |page: &str| {
            let mut body = Map::new();
            leads(&mut body, Some(page), "url");
            Value::Object(body)
        };
        assert_eq!(of("https://m.shop.example/a?b=c"), json!({"url": "https://m.shop.example/a?b=c"}));
        let wanted = json!({"miniprogram": {"appid": "wx1", "pagepath": "pages/a?b=c"}});
        assert_eq!(of("wx1/pages/a?b=c"), wanted);
    }

    #[test]
    fn what_came_of_it_is_said_as_it_is() {
        let never = |why, whose| handed(Err(Trouble::Never { why, whose }));
        let refused = |code: &str, unreachable| Handed::Refused { code: code.to_owned(), unreachable };
        assert_eq!(never("not_allowed", Whose::Customer), refused("not_allowed", false));
        assert_eq!(never("openid_wrong", Whose::Customer), refused("openid_wrong", true));
        assert!(matches!(never("secret_wrong", Whose::Settings), Handed::Later { channel: true, .. }));
        let unknown = handed(Err(Trouble::Unknown { why: "timeout" }));
        assert_eq!(unknown, Handed::Unknown { code: "timeout".to_owned() });
    }
}
