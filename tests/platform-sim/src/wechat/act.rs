//! What people and the console do: follow, leave, scan, press, say, allow; make apps and templates.

use serde_json::{Value, json};

use super::tell::{Said, event};
use super::{App, Callback, Code, Person, Tie, Wechat};
use crate::crypto::Key;
use crate::deliver::may_go_to;
use crate::world::{THINGS_MAX, World};

type Done = Result<Value, String>;

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, String> {
    let value = body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 4_096);
    value.ok_or_else(|| format!("{field}: a text is wanted"))
}

/// Does what it knows below `wechat/`.
pub fn act(world: &mut World, what: &str, body: &Value) -> Done {
    match what {
        "app" => app(world, body),
        "people" => people(world, body),
        // All tokens of the app are no more.
        "expire" => {
            let app = world.wechat.apps.get_mut(text(body, "appid")?).ok_or("appid: there is no such app")?;
            app.token = None;
            Ok(Value::Null)
        }
        // How many calls of a path are left today.
        "quota" => {
            let app = world.wechat.apps.get_mut(text(body, "appid")?).ok_or("appid: there is no such app")?;
            match body["left"].as_i64() {
                Some(left) => drop(app.quotas.insert(text(body, "path")?.to_owned(), left)),
                None => drop(app.quotas.remove(text(body, "path")?)),
            }
            Ok(Value::Null)
        }
        "follow" => follow(world, body),
        "leave" => leave(world, body),
        "scan" => scan(world, body),
        "press" => press(world, body),
        "say" => say(world, body),
        "allow" => allow(world, body, false),
        "settings" => allow(world, body, true),
        "block" => {
            let openid = world.tie(body)?;
            world.wechat.ties.entry(openid).or_default().blocks = body["blocked"].as_bool().unwrap_or(true);
            Ok(Value::Null)
        }
        "login-code" => code(world, body, false),
        "phone-code" => code(world, body, true),
        _ => Err(format!("wechat/{what}: nothing of this name can be done")),
    }
}

fn app(world: &mut World, body: &Value) -> Done {
    let appid = text(body, "appid")?.to_owned();
    let callback = match &body["callback"] {
        Value::Null => None,
        of => {
            let url = text(of, "url")?.to_owned();
            if !may_go_to(&url) {
                return Err("callback.url: http on this machine with a port and no query".to_owned());
            }
            let key = match of["aes_key"].as_str() {
                None => None,
                Some(key) => Some(Key::read(key).ok_or("callback.aes_key: 43 letters of base64")?),
            };
            Some(Callback { url, token: text(of, "token")?.to_owned(), key })
        }
    };
    let templates = body["templates"].as_object().into_iter().flatten();
    let templates =
        templates.filter_map(|(id, kind)| Some((id.clone(), kind.as_str()?.to_owned()))).collect();
    let is_official = match text(body, "kind")? {
        "official" => true,
        "mini" => false,
        _ => return Err("kind: official or mini".to_owned()),
    };
    let of = App {
        appid: appid.clone(),
        is_official,
        secret: text(body, "secret")?.to_owned(),
        original_id: body["original_id"].as_str().unwrap_or("gh_0123456789ab").to_owned(),
        callback,
        templates,
        token: None,
        n_tokens: 0,
        codes: Default::default(),
        quotas: Default::default(),
    };
    world.wechat.apps.insert(appid, of);
    Ok(Value::Null)
}

fn people(world: &mut World, body: &Value) -> Done {
    let n = body["n"].as_u64().unwrap_or(1);
    let mut made = Vec::new();
    for _ in 0..n {
        if world.wechat.people.len() >= THINGS_MAX {
            return Err("n: there are too many people".to_owned());
        }
        let id = format!("p{}", world.wechat.people.len() + 1);
        let (unionid, number) =
            (format!("u-{id}"), 13_712_345_678_u64 + world.wechat.people.len() as u64 * 137);
        let person = Person { unionid, phone: number.to_string(), inbox: Vec::new() };
        world.wechat.people.insert(id.clone(), person);
        made.push(id);
    }
    Ok(json!({ "people": made }))
}

impl World {
    /// What somebody is called in an app: from then on the app knows them.
    fn tie(&mut self, body: &Value) -> Result<String, String> {
        let (appid, person) = (text(body, "appid")?.to_owned(), text(body, "person")?.to_owned());
        if !self.wechat.apps.contains_key(&appid) || !self.wechat.people.contains_key(&person) {
            return Err("appid, person: there is no such app, or nobody of this name".to_owned());
        }
        let openid = Wechat::openid(&appid, &person);
        self.wechat.ties.entry(openid.clone()).or_insert_with(|| Tie { person, appid, ..Tie::default() });
        Ok(openid)
    }

    fn wechat_says(&mut self, body: &Value, openid: &str, label: &str, inner: String) {
        let appid = body["appid"].as_str().unwrap_or_default();
        self.wechat_tells(&Said { appid, openid, label, inner });
    }
}

fn follow(world: &mut World, body: &Value) -> Done {
    let openid = world.tie(body)?;
    let now_ms = world.now_ms;
    let tie = world.wechat.ties.entry(openid.clone()).or_default();
    if tie.follows {
        return Ok(json!({"openid": openid, "new": false}));
    }
    tie.follows = true;
    tie.met(now_ms);
    if body["untold"].as_bool().unwrap_or(false) {
        return Ok(json!({"openid": openid, "new": true}));
    }
    let key = body["scene"].as_str().map(|scene| format!("qrscene_{scene}")).unwrap_or_default();
    world.wechat_says(
        body,
        &openid,
        "subscribe",
        event("subscribe", &format!("<EventKey><![CDATA[{key}]]></EventKey>")),
    );
    Ok(json!({"openid": openid, "new": true}))
}

fn leave(world: &mut World, body: &Value) -> Done {
    let openid = world.tie(body)?;
    let tie = world.wechat.ties.entry(openid.clone()).or_default();
    if tie.follows {
        tie.follows = false;
        if body["untold"].as_bool().unwrap_or(false) {
            return Ok(Value::Null);
        }
        world.wechat_says(
            body,
            &openid,
            "unsubscribe",
            event("unsubscribe", "<EventKey><![CDATA[]]></EventKey>"),
        );
    }
    Ok(Value::Null)
}

fn scan(world: &mut World, body: &Value) -> Done {
    let openid = world.tie(body)?;
    let app = world.wechat.apps.get(text(body, "appid")?).ok_or("appid: there is no such app")?;
    let scene = app.codes.get(text(body, "ticket")?).cloned().ok_or("ticket: there is no such code")?;
    if !world.wechat.ties.get(&openid).is_some_and(|tie| tie.follows) {
        return follow(world, &json!({"appid": body["appid"], "person": body["person"], "scene": scene}));
    }
    let now_ms = world.now_ms;
    world.wechat.ties.entry(openid.clone()).or_default().met(now_ms);
    let key = format!("<EventKey><![CDATA[{scene}]]></EventKey>");
    world.wechat_says(body, &openid, "SCAN", event("SCAN", &key));
    Ok(json!({"openid": openid, "new": false}))
}

fn press(world: &mut World, body: &Value) -> Done {
    let openid = world.tie(body)?;
    let now_ms = world.now_ms;
    world.wechat.ties.entry(openid.clone()).or_default().met(now_ms);
    let key = format!("<EventKey><![CDATA[{}]]></EventKey>", text(body, "key")?);
    let name = if body["page"].as_bool().unwrap_or(false) { "VIEW" } else { "CLICK" };
    world.wechat_says(body, &openid, name, event(name, &key));
    Ok(Value::Null)
}

fn say(world: &mut World, body: &Value) -> Done {
    let openid = world.tie(body)?;
    let now_ms = world.now_ms;
    world.wechat.ties.entry(openid.clone()).or_default().said(now_ms);
    let id = 20_000_000_000_000_000 + world.wechat.chance.below(1_000_000_000_000);
    let inner = format!(
        "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{}]]></Content><MsgId>{id}</MsgId>",
        text(body, "text")?
    );
    world.wechat_says(body, &openid, "text", inner);
    Ok(Value::Null)
}

/// Somebody is asked for a template and says yes or no, or changes it in the settings, where only a no is told.
fn allow(world: &mut World, body: &Value, is_settings: bool) -> Done {
    let openid = world.tie(body)?;
    let (template, yes) = (text(body, "template")?.to_owned(), body["yes"].as_bool().unwrap_or(true));
    let app = world.wechat.apps.get(text(body, "appid")?).ok_or("appid: there is no such app")?;
    let kind = app.templates.get(&template).cloned().ok_or("template: there is none of this id")?;
    let tie = world.wechat.ties.entry(openid.clone()).or_default();
    match (kind.as_str(), yes, is_settings) {
        ("once", true, false) => *tie.allowed.entry(template.clone()).or_default() += 1,
        ("once", false, true) => drop(tie.allowed.remove(&template)),
        ("standing", true, false) => drop(tie.standing.insert(template.clone())),
        ("standing", false, true) => drop(tie.standing.remove(&template)),
        ("once" | "standing", false, false) => {}
        _ => return Err("template: nobody is asked for it so".to_owned()),
    }
    let (name, of) = match is_settings {
        true => ("subscribe_msg_change_event", "SubscribeMsgChangeEvent"),
        false => ("subscribe_msg_popup_event", "SubscribeMsgPopupEvent"),
    };
    let said = if yes { "accept" } else { "reject" };
    let list = format!(
        "<{of}><List><TemplateId><![CDATA[{template}]]></TemplateId><SubscribeStatusString><![CDATA[{said}]]>\
         </SubscribeStatusString><PopupScene>0</PopupScene></List></{of}>"
    );
    world.wechat_says(body, &openid, name, event(name, &list));
    Ok(Value::Null)
}

fn code(world: &mut World, body: &Value, of_phone: bool) -> Done {
    let openid = world.tie(body)?;
    let code = world.wechat.chance.letters(32);
    let (appid, scope) =
        (text(body, "appid")?.to_owned(), body["scope"].as_str().unwrap_or("snsapi_base").to_owned());
    world.wechat.codes.insert(code.clone(), Code { appid, openid, of_phone, scope });
    Ok(json!({ "code": code }))
}
