//! What a brand writes under `wecom` in the file of channels, read strictly: a field that is not known is refused, and what cannot work is
//! named by its field. Secrets are not in the file; it says where they are.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::limits::{Limits, RULES_MAX, Rule};
use crate::address::Target;
use crate::secret::Secret;
pub use crate::settings::SettingsProblem;
use crate::settings::{Secrets, api, asked_word, text, wrong};

/// Where the platform is.
pub const API: &str = "https://qyapi.weixin.qq.com";
/// The most members of staff who act as personas.
pub const ACCOUNTS_MAX: usize = 10_000;
/// The longest id of a business, a member of staff or a persona, in bytes (path/90313, 40003: 64 of staff).
const NAME_BYTES_MAX: usize = 64;
/// A key for callbacks is 43 letters and digits: 32 bytes in base64 without its `=` (path/90930).
const AES_KEY_CHARS: usize = 43;
/// The longest token of callbacks (path/90930).
const CALLBACK_TOKEN_CHARS_MAX: usize = 32;

/// The settings as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    corp_id: String,
    agent_id: Option<u64>,
    secret_env: Option<String>,
    secret_file: Option<String>,
    api: Option<String>,
    callback: Option<WrittenCallback>,
    #[serde(default)]
    accounts: Vec<Account>,
    #[serde(default)]
    service: Vec<Served>,
    #[serde(default)]
    limits: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCallback {
    token_env: Option<String>,
    token_file: Option<String>,
    aes_key_env: Option<String>,
    aes_key_file: Option<String>,
}

/// A member of staff who acts as a persona. Several may be one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The member of staff, as the platform calls them.
    pub userid: String,
    /// The persona.
    pub persona: String,
}

/// An account of customer service that speaks as a persona. Several may be one, and staff may be the same one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// The account, as the platform calls it.
    pub open_kfid: String,
    /// The persona.
    pub persona: String,
}

/// What callbacks are signed and sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// What signatures are made with.
    pub token: Secret,
    /// The key, as the console shows it: 43 letters and digits.
    pub aes_key: Secret,
}

/// Settings that can work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The business.
    pub corp_id: String,
    /// The self-built app, one of 客户联系→可调用应用. Without it callbacks of all apps that share the key are taken, and nothing is asked.
    pub agent_id: Option<u64>,
    /// The app's secret; without it nothing is asked of the platform, and callbacks are taken only.
    pub secret: Option<Secret>,
    /// Where the platform is: its own address, or another for tests.
    pub api: Target,
    /// What callbacks are known by, where they come.
    pub callback: Option<Callback>,
    /// Who acts as which persona.
    pub accounts: Vec<Account>,
    /// Which accounts of customer service speak as which persona.
    pub service: Vec<Served>,
    /// What the platform allows.
    pub limits: Limits,
}

impl Settings {
    /// Reads settings from a text of JSON.
    pub fn read(text: &str, allow_private: bool, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        match serde_json::from_str(text) {
            Ok(written) => Self::of(written, allow_private, secret),
            Err(error) => wrong("", error),
        }
    }

    /// What is written, checked. `secret` gets what is secret from where it is; addresses within this machine and private networks, and
    /// such without TLS, are taken only where `allow_private` says so.
    pub fn of(written: Written, allow_private: bool, secret: impl Secrets) -> Result<Self, SettingsProblem> {
        name("corp_id", &written.corp_id)?;
        if written.agent_id == Some(0) {
            return wrong("agent_id", "the app's number, as the console shows it");
        }
        let got = |field, env, file, what| asked_word(field, env, file, what, &secret);
        let app_secret = match (written.secret_env, written.secret_file) {
            (None, None) if written.callback.is_some() => None,
            (env, file) => Some(got("secret", env, file, "where is the app's secret?")?),
        };
        if app_secret.is_some() && written.agent_id.is_none() {
            return wrong("agent_id", "the app's number, as the console shows it");
        }
        let callback = match written.callback {
            None => None,
            Some(callback) => {
                let (env, file) = (callback.token_env, callback.token_file);
                let token = got("callback.token", env, file, "where is the token of callbacks?")?;
                let (env, file) = (callback.aes_key_env, callback.aes_key_file);
                let aes_key = got("callback.aes_key", env, file, "where is the key of callbacks?")?;
                Some(checked(token, aes_key)?)
            }
        };
        let api = api(written.api.as_deref(), API, allow_private)?;
        accounts(&written.accounts)?;
        served(&written.service)?;
        if written.limits.len() > RULES_MAX {
            return wrong("limits", format!("at most {RULES_MAX}"));
        }
        let limits = match Limits::known().with(written.limits) {
            Ok(limits) => limits,
            Err(problem) => {
                return wrong(format!("limits[{}].{}", problem.index, problem.field), problem.message);
            }
        };
        let (corp_id, agent_id) = (written.corp_id, written.agent_id);
        let (accounts, service) = (written.accounts, written.service);
        Ok(Self { corp_id, agent_id, secret: app_secret, api, callback, accounts, service, limits })
    }

    /// The persona as which a member of staff acts. The platform does not tell small letters from capitals in them.
    pub fn persona(&self, userid: &str) -> Option<&str> {
        let account = self.accounts.iter().find(|account| account.userid.eq_ignore_ascii_case(userid))?;
        Some(&account.persona)
    }
}

fn name(field: &str, name: &str) -> Result<(), SettingsProblem> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(field, format!("1 to {NAME_BYTES_MAX} letters, digits and signs"));
    }
    Ok(())
}

fn checked(token: Secret, aes_key: Secret) -> Result<Callback, SettingsProblem> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if token.said().len() > CALLBACK_TOKEN_CHARS_MAX || !is_plain(token.said()) {
        return wrong("callback.token", format!("1 to {CALLBACK_TOKEN_CHARS_MAX} letters and digits"));
    }
    if aes_key.said().len() != AES_KEY_CHARS || !is_plain(aes_key.said()) {
        return wrong("callback.aes_key", format!("{AES_KEY_CHARS} letters and digits"));
    }
    Ok(Callback { token, aes_key })
}

fn served(service: &[Served]) -> Result<(), SettingsProblem> {
    if service.len() > ACCOUNTS_MAX {
        return wrong("service", format!("at most {ACCOUNTS_MAX}"));
    }
    let mut seen = BTreeSet::new();
    for (i, one) in service.iter().enumerate() {
        name(&format!("service[{i}].open_kfid"), &one.open_kfid)?;
        text(format!("service[{i}].persona"), &one.persona)?;
        if !seen.insert(&one.open_kfid) {
            return wrong(format!("service[{i}].open_kfid"), "one account is one persona");
        }
    }
    Ok(())
}

fn accounts(accounts: &[Account]) -> Result<(), SettingsProblem> {
    if accounts.len() > ACCOUNTS_MAX {
        return wrong("accounts", format!("at most {ACCOUNTS_MAX}"));
    }
    let mut seen = BTreeSet::new();
    for (i, account) in accounts.iter().enumerate() {
        name(&format!("accounts[{i}].userid"), &account.userid)?;
        text(format!("accounts[{i}].persona"), &account.persona)?;
        if !seen.insert(account.userid.to_ascii_lowercase()) {
            return wrong(format!("accounts[{i}].userid"), "one member of staff is one persona");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::secret::SecretAt;

    fn whole() -> Value {
        json!({
            "corp_id": "ww0123456789abcdef",
            "agent_id": 1_000_002,
            "secret_env": "SECRET",
            "callback": {"token_env": "TOKEN", "aes_key_file": "aes.key"},
            "accounts": [
                {"userid": "ZhangSan", "persona": "小顾问"},
                {"userid": "LiSi", "persona": "小顾问"},
            ],
            "service": [{"open_kfid": "wk1", "persona": "小顾问"}, {"open_kfid": "wk2", "persona": "小顾问"}],
            "limits": [
                {"subject": "ways.chats", "number": 10, "window": "call", "from": "2027-01-01", "source": "a letter"},
                {"subject": "mass_send.per_customer", "number": "days_in_month", "window": "month", "source": "x"},
            ],
        })
    }

    fn given(value: &Value) -> Result<Settings, SettingsProblem> {
        Settings::read(&value.to_string(), false, |at| match at {
            SecretAt::Environment(name) if name == "SECRET" => Ok(b"s3cret\n".to_vec()),
            SecretAt::Environment(name) if name == "TOKEN" => Ok(b"t0ken".to_vec()),
            SecretAt::File(name) if name == "aes.key" => Ok([b'k'; 43].to_vec()),
            SecretAt::File(name) if name == "short.key" => Ok([b'k'; 42].to_vec()),
            SecretAt::File(name) if name == "bytes" => Ok(vec![0xff]),
            other => Err(format!("{other:?} is not there")),
        })
    }

    #[test]
    fn settings_say_who_acts_as_whom_and_show_no_secret() {
        let settings = given(&whole()).unwrap();
        assert_eq!(settings.secret.as_ref().map(Secret::said), Some("s3cret"));
        assert_eq!((settings.persona("lisi"), settings.persona("WangWu")), (Some("小顾问"), None));
        assert_eq!(settings.api.authority, "qyapi.weixin.qq.com");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken") && !shown.contains("kkkk"), "{shown}");
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
            whole[name] = value;
            whole
        };
        for (written, field) in [
            (json!({}), ""),
            (extra("nonsense", json!(1)), ""),
            (with("/corp_id", json!("")), "corp_id"),
            (with("/corp_id", json!("ww 1")), "corp_id"),
            (with("/agent_id", json!(0)), "agent_id"),
            (with("/agent_id", Value::Null), "agent_id"),
            (with("/secret_env", json!("OTHER")), "secret_env"),
            (extra("secret_file", json!("x")), "secret_file"),
            (with("/callback/token_env", Value::Null), "callback.token_env"),
            (with("/callback/aes_key_file", json!("short.key")), "callback.aes_key"),
            (with("/callback/aes_key_file", json!("bytes")), "callback.aes_key_file"),
            (extra("api", json!("http://127.0.0.1:8080")), "api"),
            (extra("api", json!("https://127.0.0.1:8080")), "api"),
            (extra("api", json!("https://qyapi.example/?x=1")), "api"),
            (with("/accounts/1/userid", json!("zhangsan")), "accounts[1].userid"),
            (with("/accounts/0/persona", json!(" ")), "accounts[0].persona"),
            (with("/service/1/open_kfid", json!("wk1")), "service[1].open_kfid"),
            (with("/service/0/persona", json!("")), "service[0].persona"),
            (with("/limits/0/subject", json!("nonsense")), "limits[0].subject"),
            (with("/limits/1/window", json!("day")), "limits[1].window"),
            (with("/limits/0/number", json!(0)), "limits[0].number"),
            (with("/limits/0/from", json!("soon")), ""),
        ] {
            assert_eq!(
                given(&written).map(drop).map_err(|problem| problem.field),
                Err(field.to_owned()),
                "{written}"
            );
        }
    }

    #[test]
    fn this_machine_is_spoken_to_only_where_that_is_allowed() {
        let mut written = whole();
        written["api"] = json!("http://127.0.0.1:8080/sim");
        written["callback"] = Value::Null;
        let read = |allow| Settings::read(&written.to_string(), allow, |_| Ok(b"s".to_vec()));
        assert_eq!(read(false).map(drop).map_err(|problem| problem.field), Err("api".to_owned()));
        assert_eq!(read(true).unwrap().api.path, "/sim");
    }
}
