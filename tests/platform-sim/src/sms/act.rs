//! What people and the console do: open an account, have templates approved, answer, switch phones off.

use serde_json::{Value, json};

use super::{Account, Answer, Number, Platform, Template};
use crate::world::{THINGS_MAX, World};

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, String> {
    let value = body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 4_096);
    value.ok_or_else(|| format!("{field}: a text is wanted"))
}

fn platform(body: &Value) -> Result<Platform, String> {
    Platform::named(text(body, "platform")?).ok_or_else(|| "platform: aliyun or tencent".to_owned())
}

/// Whether it may be told there: by HTTP, to this machine only. Unlike with others the address has a secret.
fn may_go_to(url: &str) -> bool {
    url.is_empty() || crate::deliver::may_go_to(url.split('?').next().unwrap_or_default())
}

/// Does what it knows below `sms/`.
pub fn act(world: &mut World, what: &str, body: &Value) -> Result<Value, String> {
    match what {
        "account" => {
            let url = body["url"].as_str().unwrap_or_default().to_owned();
            if !may_go_to(&url) {
                return Err("url: http on this machine with a port".to_owned());
            }
            let account = Account {
                key_id: text(body, "key_id")?.to_owned(),
                secret: text(body, "secret")?.to_owned(),
                app_id: body["app_id"].as_str().unwrap_or_default().to_owned(),
                sign: text(body, "sign")?.to_owned(),
                url,
                balance: body["balance"].as_i64().unwrap_or(1_000_000),
            };
            world.sms.accounts.insert(platform(body)?, account);
            Ok(Value::Null)
        }
        "balance" => {
            let account =
                world.sms.accounts.get_mut(&platform(body)?).ok_or("platform: there is no account")?;
            account.balance = body["balance"].as_i64().ok_or("balance: a number of messages is wanted")?;
            Ok(Value::Null)
        }
        "template" => {
            let template = Template {
                text: text(body, "text")?.to_owned(),
                is_approved: body["approved"].as_bool().unwrap_or(true),
            };
            world.sms.templates.insert((platform(body)?, text(body, "id")?.to_owned()), template);
            Ok(Value::Null)
        }
        "number" => {
            let phone = text(body, "phone")?.to_owned();
            let is = match text(body, "is")? {
                "well" => None,
                "gone" => Some(Number::Gone),
                "off" => Some(Number::Off),
                "refuses" => Some(Number::Refuses),
                _ => return Err("is: well, gone, off or refuses".to_owned()),
            };
            world.sms.numbers.remove(&phone);
            world.sms.numbers.extend(is.map(|is| (phone, is)));
            Ok(Value::Null)
        }
        "answer" => answer(world, body),
        _ => Err(format!("sms/{what}: nothing of this name can be done")),
    }
}

/// Somebody answers.
fn answer(world: &mut World, body: &Value) -> Result<Value, String> {
    if world.sms.answers.len() >= THINGS_MAX {
        return Err("phone: too many answers".to_owned());
    }
    let number = world.sms.answers.len() as u64 + 1;
    let answer = Answer {
        platform: platform(body)?,
        phone: text(body, "phone")?.to_owned(),
        text: text(body, "text")?.to_owned(),
        at_ms: world.now_ms,
        number,
        is_pulled: false,
    };
    world.sms.answers.push(answer);
    world.sms_tells_answer(world.sms.answers.len() - 1);
    Ok(json!({"number": number}))
}
