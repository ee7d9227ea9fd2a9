//! What an app of WeChat can do, in the words of [`crate::app`].
//!
//! The session key of a mini program is read by nobody here and goes nowhere.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::apis;
use super::call::{Ask, broken};
use super::settings::OPEN;
use super::{ACROSS, Wechat};
use crate::app::{App, MadeCode, PageSignature, Somebody, WORD_CHARS_MAX};
use crate::clickhouse::encoded;
use crate::platform::{Answer, Trouble};
use crate::wecom::crypto::sha1;

/// The longest code that somebody brings.
const CODE_CHARS_MAX: usize = 256;
/// The longest scene of a lasting code of an official account, and of one of a mini program
/// (…/Account_Management/Generating_a_Parametric_QR_Code.html; …/qrcode-link/qr-code/getUnlimitedQRCode.html).
const SCENE_BYTES_MAX: usize = 64;
const MINI_SCENE_CHARS_MAX: usize = 32;
/// For how long a code lasts at most that does not last, in seconds: 30 days.
const CODE_SECONDS_MAX: u32 = 2_592_000;
/// The longest address of a page.
const URL_CHARS_MAX: usize = 2_048;

#[derive(Deserialize)]
struct Known {
    openid: String,
    #[serde(default)]
    unionid: Option<String>,
}

impl From<Known> for Somebody {
    fn from(known: Known) -> Self {
        Self { id: known.openid, across: known.unionid.filter(|id| !id.is_empty()) }
    }
}

#[derive(Deserialize)]
struct Follower {
    #[serde(default)]
    subscribe: i64,
    #[serde(flatten)]
    known: Known,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    scope: String,
    #[serde(flatten)]
    known: Known,
}

#[derive(Deserialize)]
struct Made {
    ticket: String,
    url: String,
}

#[derive(Deserialize)]
struct Phone {
    phone_info: PhoneInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhoneInfo {
    pure_phone_number: String,
    country_code: Value,
}

fn wrong<T>(field: &str, message: impl Into<String>) -> Answer<T> {
    Err(Trouble::Wrong { field: field.to_owned(), message: message.into() })
}

fn code_of(code: &str) -> Answer<&str> {
    let is_code = code.bytes().all(|b| b.is_ascii_graphic());
    if code.is_empty() || code.len() > CODE_CHARS_MAX || !is_code {
        return wrong("code", format!("1 to {CODE_CHARS_MAX} visible ASCII characters"));
    }
    Ok(code)
}

/// The host of an address by https, with its port where it says one; by http only on this machine, as tests have it.
fn host(url: &str) -> Option<&str> {
    let rest = match url.strip_prefix("https://") {
        Some(rest) => rest,
        None => url.strip_prefix("http://").filter(|rest| rest.starts_with("127.0.0.1"))?,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    (!host.is_empty() && !host.contains(['@', '\\'])).then_some(host)
}

impl Wechat {
    /// Who brings a code of a page.
    async fn of_page(&self, code: &str) -> Answer<Somebody> {
        let query = [
            ("appid", self.appid()),
            ("secret", self.secret()?),
            ("code", code),
            ("grant_type", "authorization_code"),
        ];
        let granted: Granted = self.ask(Ask { api: &apis::PAGE_SIGN_IN, query: &query, body: None }).await?;
        if granted.known.unionid.is_some() || granted.scope != "snsapi_userinfo" {
            return Ok(granted.known.into());
        }
        let query = [
            ("access_token", granted.access_token.as_str()),
            ("openid", granted.known.openid.as_str()),
            ("lang", "zh_CN"),
        ];
        let known: Answer<Known> = self.ask(Ask { api: &apis::PAGE_PERSON, query: &query, body: None }).await;
        // Who they are is known already.
        Ok(known.unwrap_or(granted.known).into())
    }

    async fn of_mini(&self, code: &str) -> Answer<Somebody> {
        let query = [
            ("appid", self.appid()),
            ("secret", self.secret()?),
            ("js_code", code),
            ("grant_type", "authorization_code"),
        ];
        let known: Known = self.ask(Ask { api: &apis::MINI_SIGN_IN, query: &query, body: None }).await?;
        Ok(known.into())
    }

    async fn mini_code(&self, scene: &str) -> Answer<MadeCode> {
        // Letters, digits and these (…/getUnlimitedQRCode.html).
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~".contains(&b);
        if scene.is_empty() || scene.len() > MINI_SCENE_CHARS_MAX || !scene.bytes().all(is_plain) {
            return wrong(
                "scene",
                format!("1 to {MINI_SCENE_CHARS_MAX} letters, digits and !#$&'()*+,/:;=?@-._~"),
            );
        }
        let settings = self.settings();
        let mut body =
            json!({"scene": scene, "check_path": false, "env_version": settings.version.of_code()});
        if let (Some(page), Some(body)) = (&settings.page, body.as_object_mut()) {
            drop(body.insert("page".to_owned(), page.as_str().into()));
        }
        let ask = Ask { api: &apis::MAKE_MINI_CODE, query: &[], body: Some(body) };
        let bytes = self.said(ask).await?;
        let is_picture = bytes.starts_with(&[0xff, 0xd8]) || bytes.starts_with(&[0x89, b'P', b'N', b'G']);
        if !is_picture {
            return Err(broken(&apis::MAKE_MINI_CODE));
        }
        Ok(MadeCode { id: scene.to_owned(), picture: None, content: None, bytes })
    }
}

#[async_trait]
impl App for Wechat {
    fn channel(&self) -> &'static str {
        self.channel_name()
    }

    fn id(&self) -> &str {
        self.appid()
    }

    fn namespace(&self) -> String {
        self.openids()
    }

    fn namespace_across(&self) -> &'static str {
        ACROSS
    }

    fn sign_in_url(&self, back: &str, state: &str, asks: bool) -> Option<String> {
        let scope = if asks { "snsapi_userinfo" } else { "snsapi_base" };
        let (appid, back) = (self.appid(), encoded(back));
        self.is_official().then(|| {
            format!(
                "{OPEN}/connect/oauth2/authorize?appid={appid}&redirect_uri={back}&response_type=code&scope={scope}\
                 &state={state}#wechat_redirect"
            )
        })
    }

    async fn signed_in(&self, code: &str) -> Answer<Somebody> {
        let code = code_of(code)?;
        if self.is_official() { self.of_page(code).await } else { self.of_mini(code).await }
    }

    async fn phone(&self, code: &str) -> Answer<String> {
        let body = json!({"code": code_of(code)?});
        let phone: Phone = self.ask(Ask { api: &apis::PHONE, query: &[], body: Some(body) }).await?;
        let country = match &phone.phone_info.country_code {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim_start_matches('+').to_owned(),
            _ => return Err(broken(&apis::PHONE)),
        };
        let number = &phone.phone_info.pure_phone_number;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(&country) || !is_number(number) {
            return Err(broken(&apis::PHONE));
        }
        Ok(format!("+{country}{number}"))
    }

    async fn who(&self, id: &str) -> Answer<Option<Somebody>> {
        if !self.is_official() {
            return Ok(None);
        }
        let query = [("openid", id), ("lang", "zh_CN")];
        let found: Follower = self.ask(Ask { api: &apis::USER_INFO, query: &query, body: None }).await?;
        Ok((found.subscribe != 0).then(|| found.known.into()))
    }

    fn is_own_page(&self, url: &str) -> bool {
        let of = |host: &str| self.settings().domains.iter().any(|domain| domain == host);
        url.len() <= URL_CHARS_MAX && !url.contains(char::is_control) && host(url).is_some_and(of)
    }

    async fn sign_page(&self, url: &str, nonce: &str) -> Answer<PageSignature> {
        let url = url.split('#').next().unwrap_or_default();
        if !self.is_own_page(url) {
            return wrong("url", "a page of one of the domains that the account's settings name");
        }
        let ticket = self.ticket().await?;
        let timestamp = self.now_ms().div_euclid(1_000);
        let signature = page_signature(&ticket, nonce, timestamp, url);
        Ok(PageSignature { app: self.appid().to_owned(), timestamp, nonce: nonce.to_owned(), signature })
    }

    async fn make_code(&self, scene: &str, seconds: Option<u32>) -> Answer<MadeCode> {
        if !self.is_official() {
            return self.mini_code(scene).await;
        }
        if scene.is_empty() || scene.len() > SCENE_BYTES_MAX || scene.contains(char::is_control) {
            return wrong("scene_str", format!("1 to {SCENE_BYTES_MAX} bytes"));
        }
        let scene = json!({"scene": {"scene_str": scene}});
        let body = match seconds {
            None => json!({"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene}),
            Some(seconds @ 60..=CODE_SECONDS_MAX) => {
                json!({"expire_seconds": seconds, "action_name": "QR_STR_SCENE", "action_info": scene})
            }
            Some(_) => return wrong("expire_seconds", format!("60 to {CODE_SECONDS_MAX}")),
        };
        let made: Made = self.ask(Ask { api: &apis::MAKE_CODE, query: &[], body: Some(body) }).await?;
        let picture = format!("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket={}", encoded(&made.ticket));
        Ok(MadeCode { id: made.ticket, picture: Some(picture), content: Some(made.url), bytes: Vec::new() })
    }

    fn makes_codes(&self) -> bool {
        self.is_official() && self.can_ask()
    }

    async fn reply(&self, to: &str, text: &str) -> Answer<()> {
        let n = text.chars().count();
        if n == 0 || n > WORD_CHARS_MAX {
            return wrong("content", format!("1 to {WORD_CHARS_MAX} characters"));
        }
        let body = json!({"touser": to, "msgtype": "text", "text": {"content": text}});
        self.said(Ask { api: &apis::SEND_WORD, query: &[], body: Some(body) }).await.map(drop)
    }
}

/// What a page is signed with (…/OA_Web_Apps/JS-SDK.html, appendix 1).
fn page_signature(ticket: &str, nonce: &str, timestamp: i64, url: &str) -> String {
    sha1(&format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the platform's own document.
    #[test]
    fn a_page_is_signed_as_the_document_shows() {
        let ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg";
        let signed =
            page_signature(ticket, "Wm3WZYTPz0wzccnW", 1_414_587_457, "http://mp.weixin.qq.com?params=value");
        assert_eq!(signed, "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
    }

    #[test]
    fn a_host_is_that_of_an_address_and_nothing_that_looks_like_one() {
        for (url, wanted) in [
            ("https://m.shop.example/a?b#c", Some("m.shop.example")),
            ("https://m.shop.example", Some("m.shop.example")),
            ("https://m.shop.example:8443/a", Some("m.shop.example:8443")),
            ("http://m.shop.example/", None),
            ("http://127.0.0.1:80/", Some("127.0.0.1:80")),
            ("https://m.shop.example@evil.example/", None),
            ("https://evil.example\\@m.shop.example/", None),
            ("//m.shop.example/", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(host(url), wanted, "{url}");
        }
    }
}
