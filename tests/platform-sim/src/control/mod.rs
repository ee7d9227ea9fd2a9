//! `/sim/…`: what phones, staff, the console and tests do, and what they may see. None of it is there on the real platform.

mod act;
mod setup;
mod truth;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::Sim;
use crate::clock::Mode;
use crate::deliver;
use crate::http::Reply;
use crate::pay::{self, notices};
use crate::world::{Refusal, World};
use crate::{shops, sms, wechat};

/// How long an advance waits, in real time, for what is under way; and the longest that anybody is let wait.
const REAL_AT_MOST: Duration = Duration::from_secs(40);

/// Why something was not done: a sentence that names the field.
pub(crate) struct Wrong(String);

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self(format!("{} ({})", refusal.says, refusal.code))
    }
}

impl From<String> for Wrong {
    fn from(says: String) -> Self {
        Self(says)
    }
}

type Done = Result<Value, Wrong>;

/// A text that must be there.
fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Wrong> {
    let value = body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 4_096);
    value.ok_or_else(|| Wrong(format!("{field}: a text is wanted")))
}

fn number(body: &Value, field: &str) -> Result<i64, Wrong> {
    body[field].as_i64().ok_or_else(|| Wrong(format!("{field}: a whole number is wanted")))
}

/// Answers a request below `/sim/`.
pub async fn answer(
    sim: &Arc<Sim>,
    method: &Method,
    what: &str,
    query: &BTreeMap<String, String>,
    body: &Bytes,
) -> Reply {
    let body = match body.as_ref() {
        [] => Ok(Value::Object(Map::new())),
        bytes => serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object).ok_or(()),
    };
    let Ok(body) = body else {
        return Reply::json(StatusCode::BAD_REQUEST, &json!({"error": "the body is no JSON object"}));
    };
    let done = if method == Method::GET { look(sim, what, query) } else { act(sim, what, &body).await };
    match done {
        Ok(Value::Null) => Reply::json(StatusCode::OK, &json!({"ok": true})),
        Ok(told) => Reply::json(StatusCode::OK, &told),
        Err(Wrong(says)) => Reply::json(StatusCode::BAD_REQUEST, &json!({"error": says})),
    }
}

fn look(sim: &Sim, what: &str, query: &BTreeMap<String, String>) -> Done {
    if sim.lock().is_real() {
        sim.with(|_| ());
    }
    let world = sim.lock();
    match what {
        "clock" => Ok(world.told_clock()),
        "limits" => Ok(world.limits.told()),
        "faults" => Ok(world.faults.told()),
        "truth" => Ok(world.truth(query.get("part").map(String::as_str))),
        "page" => Ok(world.page()),
        "phone" => {
            let id = query.get("id").map(String::as_str).unwrap_or_default();
            world.told_phone(id).ok_or_else(|| Wrong("id: no such phone".to_owned()))
        }
        _ => Err(Wrong(format!("{what}: nothing of this name can be looked at"))),
    }
}

async fn act(sim: &Arc<Sim>, what: &str, body: &Value) -> Done {
    match what {
        "clock/advance" => advance(sim, body).await,
        "clock/mode" => sim.with(|world| set_mode(world, body)),
        "idle" => idle(sim, body).await,
        "idle/forget" => {
            let client = text(body, "client")?;
            sim.with(|world| world.forget_client(client));
            Ok(Value::Null)
        }
        "apps/verify" => {
            let agent = number(body, "agentid")?;
            Ok(match deliver::verify(sim, agent).await {
                Ok(()) => json!({"verified": true}),
                Err(says) => json!({"verified": false, "why": says}),
            })
        }
        "faults" | "limits" => sim.with(|world| {
            let changes = body.as_object().cloned().unwrap_or_default();
            match what {
                "faults" => world.faults.change(&changes)?,
                _ => world.limits.change(&changes)?,
            }
            Ok(Value::Null)
        }),
        "pay/tell" => {
            let of = body["out_trade_no"].as_str().unwrap_or_default();
            Ok(notices::sends(sim, text(body, "what")?, of).await?)
        }
        _ if what.starts_with("sms/") => {
            let what = what.strip_prefix("sms/").unwrap_or_default();
            Ok(sim.with(|world| sms::act::act(world, what, body))?)
        }
        "wechat/tell" => Ok(wechat::tell::sends(sim, text(body, "appid")?, text(body, "what")?).await?),
        "wechat/verify" => Ok(wechat::tell::verify(sim, text(body, "appid")?).await?),
        _ if what.starts_with("wechat/") => {
            let what = what.strip_prefix("wechat/").unwrap_or_default();
            Ok(sim.with(|world| wechat::act::act(world, what, body))?)
        }
        "shops/tell" => Ok(shops::tell::sends(sim, body).await?),
        _ if what.starts_with("shops/") => {
            let what = what.strip_prefix("shops/").unwrap_or_default();
            Ok(sim.with(|world| shops::act::act(world, what, body))?)
        }
        _ if what.starts_with("pay/") => {
            let what = what.strip_prefix("pay/").unwrap_or_default();
            Ok(sim.with(|world| pay::act::act(world, what, body))?)
        }
        _ => sim.with(|world| match setup::act(world, what, body) {
            Some(done) => done,
            None => act::act(world, what, body),
        }),
    }
}

/// Goes on by so much, stopping at whatever is due on the way; waits at each for what is under way, unless `settle` is false.
async fn advance(sim: &Arc<Sim>, body: &Value) -> Done {
    let ms = number(body, "ms")?;
    let settles = body["settle"].as_bool().unwrap_or(true);
    if ms < 0 {
        return Err(Wrong("ms: time does not go back".to_owned()));
    }
    let _one = sim.steps.lock().await;
    let target_ms = {
        let world = sim.lock();
        if !matches!(world.clients.mode, Mode::Steps) {
            return Err(Wrong("time is not advanced in steps: see /sim/clock/mode".to_owned()));
        }
        world.now_ms.checked_add(ms).ok_or_else(|| Wrong("ms: too far".to_owned()))?
    };
    loop {
        if settles {
            let quiet = sim.until(|world| world.queue.is_quiet());
            if tokio::time::timeout(REAL_AT_MOST, quiet).await.is_err() {
                return Err(Wrong("somebody does not answer callbacks".to_owned()));
            }
        }
        let is_there = sim.with(|world| {
            let next_ms = world.next_due_ms().filter(|due_ms| *due_ms <= target_ms);
            let is_there = next_ms.is_none() && world.now_ms >= target_ms;
            world.set_now(next_ms.unwrap_or(target_ms));
            is_there
        });
        if is_there && (!settles || sim.lock().queue.is_quiet()) {
            break;
        }
    }
    Ok(sim.lock().told_clock())
}

fn set_mode(world: &mut World, body: &Value) -> Done {
    world.clients.mode = match text(body, "mode")? {
        "steps" => Mode::Steps,
        "auto" => Mode::Auto { until_ms: body["until_ms"].as_i64() },
        "real" => {
            let speed = body["speed"].as_i64().unwrap_or(1).clamp(1, 10_000);
            Mode::Real { base: Instant::now(), base_ms: world.now_ms, speed }
        }
        _ => return Err(Wrong("mode: steps, auto or real".to_owned())),
    };
    Ok(Value::Null)
}

/// A program says that it waits. With `wait_real_ms` the answer comes when it is to look again, or after so long.
async fn idle(sim: &Arc<Sim>, body: &Value) -> Done {
    let client = text(body, "client")?;
    let is_idle = body["idle"].as_bool().unwrap_or(true);
    let (wake_ms, epoch) = (body["wake_ms"].as_i64(), body["epoch"].as_u64());
    let mut stays = sim.with(|world| world.idle(client, is_idle, wake_ms, epoch))?;
    if let Some(real_ms) = body["wait_real_ms"].as_u64() {
        let real = Duration::from_millis(real_ms).min(REAL_AT_MOST);
        // Who waits is woken; who could not wait, since something is on its way, looks again once it was answered.
        let looks_again = sim.until(|world| match stays {
            true => !world.is_idle(client) || world.is_done(),
            false => world.queue.is_quiet(),
        });
        let is_over = tokio::time::timeout(real, looks_again).await.is_err();
        stays &= is_over;
    }
    let world = sim.lock();
    let mut told = world.told_clock();
    told["idle"] = json!(stays && world.is_idle(client));
    Ok(told)
}
