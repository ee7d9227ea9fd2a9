//! What an app asks, below `/wechat/`. A number says no; faults cut, delay and refuse as elsewhere.
//!
//! | path | simulated how |
//! |---|---|
//! | `/cgi-bin/stable_token` | the same within its time, unless another is forced; 40013, 40125 |
//! | `/cgi-bin/getcallbackip` | one address |
//! | `/cgi-bin/user/info` | whether they follow, and who they are across apps; 40003 |
//! | `/cgi-bin/ticket/getticket` | one ticket for all |
//! | `/cgi-bin/qrcode/create` | a lasting code of the same scene is the same |
//! | `/cgi-bin/message/template/send` | once for each `client_msg_id` within ten minutes; 40037, 43004, 47003 |
//! | `/cgi-bin/message/subscribe/bizsend`, `…/send` | uses up what was allowed; 40037, 43101, 47003 |
//! | `/cgi-bin/message/custom/send` | five within 48 hours of a word, three within a minute of following, scanning, pressing; 45002, 45015, 45047 |
//! | `/cgi-bin/template/get_all_private_template`, `/wxaapi/newtmpl/gettemplate` | what the app has |
//! | `/sns/oauth2/access_token`, `/sns/userinfo`, `/sns/jscode2session` | a code is good once: 40029, 40163 |
//! | `/wxa/business/getuserphonenumber`, `/wxa/getwxacodeunlimit` | a number; a picture |

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::KNOWN_AGAIN_MS;
use super::tell::{Said, event};
use crate::Sim;
use crate::faults::CallFate;
use crate::http::Reply;
use crate::world::{Refusal, THINGS_MAX, World, refuse};

/// How long a token is good, in milliseconds.
const TOKEN_MS: i64 = 7_200_000;
/// The first bytes of a picture: nobody draws it.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

enum Done {
    Json(Value),
    Picture,
}

/// A request.
pub struct Asked<'a> {
    pub path: &'a str,
    pub query: &'a BTreeMap<String, String>,
    pub body: &'a Bytes,
}

/// Answers a request below `/wechat/`.
pub fn call(sim: &Arc<Sim>, asked: &Asked<'_>) -> Reply {
    sim.with(|world| {
        let fate = world.faults.call_fate(asked.path);
        match fate {
            CallFate::FailsBefore | CallFate::TimesOut => return Reply::Cut,
            CallFate::ServerError => {
                return Reply::text(StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>");
            }
            CallFate::Busy => return no(-1, "system error"),
            CallFate::Fine | CallFate::ReplyLost => {}
        }
        let answered = world.wechat_answers(asked);
        if fate == CallFate::ReplyLost {
            return Reply::Cut;
        }
        match answered {
            Ok(Done::Json(value)) => Reply::json(StatusCode::OK, &value),
            Ok(Done::Picture) => Reply::Answer(StatusCode::OK, "image/png", Bytes::from_static(PICTURE)),
            Err(Refusal { code, says }) => no(code, &says),
        }
    })
}

fn no(code: i64, says: &str) -> Reply {
    Reply::json(StatusCode::OK, &json!({"errcode": code, "errmsg": format!("{says} rid: 0")}))
}

fn well() -> Value {
    json!({"errcode": 0, "errmsg": "ok"})
}

impl World {
    fn wechat_answers(&mut self, asked: &Asked<'_>) -> Result<Done, Refusal> {
        let body: Value = match asked.body.as_ref() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).or_else(|_| refuse(47001, "data format error"))?,
        };
        let of = |name: &str| asked.query.get(name).map(String::as_str).unwrap_or_default();
        let json = |value: Value| Ok(Done::Json(value));
        match asked.path {
            "/cgi-bin/stable_token" => return json(self.stable_token(&body)?),
            "/sns/oauth2/access_token" | "/sns/jscode2session" => {
                let is_page = asked.path == "/sns/oauth2/access_token";
                let code = of(if is_page { "code" } else { "js_code" });
                return json(self.wechat_session((of("appid"), of("secret")), code, is_page)?);
            }
            "/sns/userinfo" => {
                let tie = self.wechat.ties.get(of("openid"));
                let Some(tie) = tie.filter(|tie| of("access_token") == format!("page-{}", tie.person)) else {
                    return refuse(40001, "invalid credential");
                };
                let unionid = self.wechat.people.get(&tie.person).map(|of| of.unionid.clone());
                return json(json!({"openid": of("openid"), "nickname": "某人", "unionid": unionid}));
            }
            _ => {}
        }
        let appid = self.wechat_app(of("access_token"))?;
        if let Some(left) = self.wechat.apps.get_mut(&appid).and_then(|app| app.quotas.get_mut(asked.path)) {
            if *left <= 0 {
                return refuse(45009, "reach max api daily quota limit");
            }
            *left -= 1;
        }
        json(match asked.path {
            "/cgi-bin/getcallbackip" => json!({"ip_list": ["127.0.0.1"]}),
            "/cgi-bin/user/info" => self.wechat_person(&appid, of("openid"))?,
            "/cgi-bin/ticket/getticket" => {
                json!({"errcode": 0, "errmsg": "ok", "ticket": format!("ticket-{appid}"), "expires_in": 7_200})
            }
            "/cgi-bin/qrcode/create" => self.wechat_code(&appid, &body)?,
            "/cgi-bin/message/template/send" => self.wechat_template(&appid, &body)?,
            "/cgi-bin/message/subscribe/bizsend" | "/cgi-bin/message/subscribe/send" => {
                let is_mini = asked.path == "/cgi-bin/message/subscribe/send";
                self.wechat_subscribed(&appid, &body, is_mini)?
            }
            "/cgi-bin/message/custom/send" => self.wechat_word(&appid, &body)?,
            "/cgi-bin/template/get_all_private_template" => {
                json!({"template_list": self.wechat_list(&appid, true)})
            }
            "/wxaapi/newtmpl/gettemplate" => json!({"errcode": 0, "data": self.wechat_list(&appid, false)}),
            "/wxa/business/getuserphonenumber" => self.wechat_phone(&appid, &body)?,
            "/wxa/getwxacodeunlimit" => {
                let scene = body["scene"].as_str().unwrap_or_default();
                if scene.is_empty() || scene.chars().count() > 32 {
                    return refuse(40169, "invalid length for scene, or the data is not json string");
                }
                return Ok(Done::Picture);
            }
            _ => return refuse(40066, "invalid url"),
        })
    }

    fn stable_token(&mut self, body: &Value) -> Result<Value, Refusal> {
        let now_ms = self.now_ms;
        let letters = self.wechat.chance.letters(40);
        let Some(app) = self.wechat.apps.get_mut(body["appid"].as_str().unwrap_or_default()) else {
            return refuse(40013, "invalid appid");
        };
        if body["secret"] != json!(app.secret) {
            return refuse(40125, "invalid appsecret");
        }
        if body["grant_type"] != "client_credential" {
            return refuse(40002, "invalid grant_type");
        }
        let is_forced = body["force_refresh"].as_bool().unwrap_or(false);
        let held = app.token.clone().filter(|(_, until_ms)| now_ms < *until_ms && !is_forced);
        let (token, until_ms) = held.unwrap_or_else(|| {
            app.n_tokens += 1;
            (letters, now_ms + TOKEN_MS)
        });
        app.token = Some((token.clone(), until_ms));
        Ok(json!({"access_token": token, "expires_in": (until_ms - now_ms) / 1_000}))
    }

    fn wechat_app(&self, token: &str) -> Result<String, Refusal> {
        if token.is_empty() {
            return refuse(41001, "access_token missing");
        }
        let mut apps = self.wechat.apps.values();
        let app = apps.find(|app| app.token.as_ref().is_some_and(|(held, _)| held == token));
        match app {
            None => refuse(40001, "invalid credential, access_token is invalid or not latest"),
            Some(app) if app.token.as_ref().is_some_and(|(_, until_ms)| self.now_ms >= *until_ms) => {
                refuse(42001, "access_token expired")
            }
            Some(app) => Ok(app.appid.clone()),
        }
    }

    fn wechat_person(&self, appid: &str, openid: &str) -> Result<Value, Refusal> {
        let Some(tie) = self.wechat.ties.get(openid).filter(|tie| tie.appid == appid) else {
            return refuse(40003, "invalid openid");
        };
        if !tie.follows {
            return Ok(json!({"subscribe": 0, "openid": openid}));
        }
        let unionid = self.wechat.people.get(&tie.person).map(|of| of.unionid.clone());
        Ok(
            json!({"subscribe": 1, "openid": openid, "unionid": unionid, "subscribe_scene": "ADD_SCENE_QR_CODE"}),
        )
    }

    fn wechat_code(&mut self, appid: &str, body: &Value) -> Result<Value, Refusal> {
        let scene = body["action_info"]["scene"]["scene_str"].as_str().unwrap_or_default().to_owned();
        if scene.is_empty() || scene.len() > 64 {
            return refuse(40053, "invalid action info");
        }
        let lasts = body["action_name"] == "QR_LIMIT_STR_SCENE";
        let seconds = body["expire_seconds"].as_i64();
        if !lasts
            && (body["action_name"] != "QR_STR_SCENE"
                || !seconds.is_some_and(|n| (1..=2_592_000).contains(&n)))
        {
            return refuse(40052, "invalid action name");
        }
        let mut ticket = format!("gQ-{appid}-{scene}");
        if !lasts {
            ticket = format!("{ticket}-{}", self.wechat.chance.letters(8));
        }
        let Some(app) = self.wechat.apps.get_mut(appid) else { return refuse(40013, "invalid appid") };
        app.codes.insert(ticket.clone(), scene);
        Ok(
            json!({"ticket": ticket, "url": format!("http://weixin.qq.com/q/{ticket}"), "expire_seconds": seconds}),
        )
    }

    /// Whether a template is of a kind, and what is in it fits.
    fn wechat_filled(&self, appid: &str, body: &Value, kinds: &[&str]) -> Result<String, Refusal> {
        let id = body["template_id"].as_str().unwrap_or_default();
        let kind = self.wechat.apps.get(appid).and_then(|app| app.templates.get(id));
        if !kind.is_some_and(|kind| kinds.contains(&kind.as_str())) {
            return refuse(40037, "invalid template_id");
        }
        let data = body["data"].as_object().filter(|data| !data.is_empty());
        let is_wrong = |(name, value): (&String, &Value)| {
            let text = value["value"].as_str().unwrap_or_default();
            text.is_empty() || (name.starts_with("thing") && text.chars().count() > 20)
        };
        if data.is_none_or(|data| data.iter().any(is_wrong)) {
            return refuse(47003, "argument invalid! data value invalid");
        }
        let openid = body["touser"].as_str().unwrap_or_default();
        match self.wechat.ties.get(openid).filter(|tie| tie.appid == appid) {
            Some(_) => Ok(openid.to_owned()),
            None => refuse(40003, "invalid openid"),
        }
    }

    /// Something arrives on a phone.
    fn wechat_arrives(&mut self, openid: &str, what: &Value) {
        let at_ms = self.now_ms;
        let Some(tie) = self.wechat.ties.get(openid) else { return };
        let appid = tie.appid.clone();
        let Some(person) = self.wechat.people.get_mut(&tie.person) else { return };
        let mut arrived = what.clone();
        (arrived["at_ms"], arrived["appid"]) = (json!(at_ms), json!(appid));
        if person.inbox.len() < THINGS_MAX {
            person.inbox.push(arrived);
        }
    }

    fn wechat_template(&mut self, appid: &str, body: &Value) -> Result<Value, Refusal> {
        let openid = self.wechat_filled(appid, body, &["template"])?;
        let Some(tie) = self.wechat.ties.get(&openid).filter(|tie| tie.follows) else {
            return refuse(43004, "require subscribe");
        };
        let is_blocked = tie.blocks;
        let key = body["client_msg_id"].as_str().unwrap_or_default().to_owned();
        if key.len() > 32 {
            return refuse(40097, "invalid args");
        }
        let known = self.wechat.known.get(&(openid.clone(), key.clone()));
        if let Some((_, id)) =
            known.filter(|(at_ms, _)| !key.is_empty() && self.now_ms - at_ms < KNOWN_AGAIN_MS)
        {
            return Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": id}));
        }
        self.wechat.n_sent += 1;
        let id = 3_000_000_000_000_000_000 + self.wechat.n_sent;
        self.wechat.known.insert((openid.clone(), key.clone()), (self.now_ms, id));
        if !is_blocked {
            let what = json!({"kind": "template", "template": body["template_id"], "data": body["data"], "url": body["url"], "key": key});
            self.wechat_arrives(&openid, &what);
        }
        let status = if is_blocked { "failed:user block" } else { "success" };
        let told = format!("<MsgID>{id}</MsgID><Status><![CDATA[{status}]]></Status>");
        self.wechat_later(appid, &openid, "TEMPLATESENDJOBFINISH", event("TEMPLATESENDJOBFINISH", &told));
        Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": id}))
    }

    fn wechat_subscribed(&mut self, appid: &str, body: &Value, is_mini: bool) -> Result<Value, Refusal> {
        if self.wechat.apps.get(appid).is_some_and(|app| app.is_official == is_mini) {
            return refuse(48001, "api unauthorized");
        }
        let openid = self.wechat_filled(appid, body, &["once", "standing"])?;
        let template = body["template_id"].as_str().unwrap_or_default().to_owned();
        let Some(tie) = self.wechat.ties.get_mut(&openid) else { return refuse(40003, "invalid openid") };
        if !tie.standing.contains(&template) {
            let Some(left) = tie.allowed.get_mut(&template).filter(|left| **left > 0) else {
                self.wechat.n_not_allowed += 1;
                return refuse(43101, "user refuse to accept the msg");
            };
            *left -= 1;
        }
        self.wechat.n_sent += 1;
        let id = 2_700_000_000_000_000_000 + self.wechat.n_sent;
        let what =
            json!({"kind": "subscribed", "template": template, "data": body["data"], "page": body["page"]});
        self.wechat_arrives(&openid, &what);
        let told = format!(
            "<SubscribeMsgSentEvent><List><TemplateId><![CDATA[{template}]]></TemplateId><MsgID>{id}</MsgID>\
             <ErrorCode>0</ErrorCode><ErrorStatus><![CDATA[success]]></ErrorStatus></List></SubscribeMsgSentEvent>"
        );
        self.wechat_later(
            appid,
            &openid,
            "subscribe_msg_sent_event",
            event("subscribe_msg_sent_event", &told),
        );
        Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": id}))
    }

    /// Tells an app something a moment after this.
    fn wechat_later(&mut self, appid: &str, openid: &str, label: &str, inner: String) {
        self.wechat_tells(&Said { appid, openid, label, inner });
    }

    fn wechat_word(&mut self, appid: &str, body: &Value) -> Result<Value, Refusal> {
        let openid = body["touser"].as_str().unwrap_or_default().to_owned();
        let now_ms = self.now_ms;
        let text = body["text"]["content"].as_str().unwrap_or_default();
        if body["msgtype"] != "text" || text.is_empty() || text.chars().count() > 600 {
            return refuse(45002, "content size out of limit");
        }
        let tie = self.wechat.ties.get_mut(&openid).filter(|tie| tie.appid == appid);
        let Some(tie) = tie else { return refuse(40003, "invalid openid") };
        let open = [&mut tie.greeted, &mut tie.answered].into_iter().flatten();
        let mut open: Vec<_> = open.filter(|(until_ms, _)| now_ms < *until_ms).collect();
        if open.is_empty() {
            return refuse(45015, "response out of time limit or subscription is canceled");
        }
        let Some((_, left)) = open.iter_mut().find(|(_, left)| *left > 0) else {
            return refuse(45047, "out of response count limit");
        };
        *left -= 1;
        self.wechat_arrives(&openid, &json!({"kind": "word", "text": body["text"]["content"]}));
        Ok(well())
    }

    fn wechat_list(&self, appid: &str, of_template: bool) -> Vec<Value> {
        let all = self.wechat.apps.get(appid).into_iter().flat_map(|app| &app.templates);
        let some = all.filter(|(_, kind)| (kind.as_str() == "template") == of_template);
        let name = if of_template { "template_id" } else { "priTmplId" };
        some.map(|(id, _)| json!({ name: id })).collect()
    }

    fn wechat_session(
        &mut self,
        (appid, secret): (&str, &str),
        code: &str,
        is_page: bool,
    ) -> Result<Value, Refusal> {
        let Some(app) = self.wechat.apps.get(appid) else { return refuse(40013, "invalid appid") };
        if app.secret != secret {
            return refuse(40125, "invalid appsecret");
        }
        let is_of = |of: &super::Code| of.appid == appid && !of.of_phone && app.is_official == is_page;
        if !self.wechat.codes.get(code).is_some_and(is_of) {
            return refuse(40029, "invalid code");
        }
        let Some(of) = self.wechat.codes.remove(code) else { return refuse(40163, "code been used") };
        let tie = self.wechat.ties.get(&of.openid);
        let person = tie.map(|tie| tie.person.clone()).unwrap_or_default();
        let unionid = self.wechat.people.get(&person).map(|of| of.unionid.clone());
        if !is_page {
            let key = self.wechat.chance.letters(24);
            return Ok(json!({"openid": of.openid, "session_key": key, "unionid": unionid}));
        }
        let token = format!("page-{person}");
        let mut said = json!({
            "access_token": token, "expires_in": 7_200, "refresh_token": "r", "openid": of.openid, "scope": of.scope,
        });
        // Where somebody follows, or let the page know them, who they are across apps is told along.
        if tie.is_some_and(|tie| tie.follows) {
            said["unionid"] = json!(unionid);
        }
        Ok(said)
    }

    fn wechat_phone(&mut self, appid: &str, body: &Value) -> Result<Value, Refusal> {
        let code = body["code"].as_str().unwrap_or_default();
        if !self.wechat.codes.get(code).is_some_and(|of| of.appid == appid && of.of_phone) {
            return refuse(40029, "invalid code");
        }
        let Some(of) = self.wechat.codes.remove(code) else { return refuse(40029, "invalid code") };
        let tie = self.wechat.ties.get(&of.openid);
        let phone = tie.and_then(|tie| self.wechat.people.get(&tie.person)).map(|of| of.phone.clone());
        let number = phone.unwrap_or_default();
        Ok(json!({"errcode": 0, "errmsg": "ok", "phone_info": {
            "phoneNumber": number, "purePhoneNumber": number, "countryCode": 86,
            "watermark": {"timestamp": self.now_ms / 1_000, "appid": appid},
        }}))
    }
}
