//! Reads what shops tell, as tests of other implementations ask: a JSON object a line in, one a line out.

use std::io::{BufRead, Write};
use std::sync::Arc;

use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zhiyin_reach::door::{Brought, Door};
use zhiyin_reach::secret::SecretAt;
use zhiyin_reach::shops::{mapped, shopify, woocommerce, youzan};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&asked))?;
        out.flush()?;
    }
    Ok(())
}

fn written<W: DeserializeOwned>(asked: &Value) -> Result<W, String> {
    let settings = asked.get("settings").cloned().unwrap_or_default();
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

fn door(asked: &Value) -> Result<Arc<dyn Door>, String> {
    let secret = asked.get("secret").and_then(Value::as_str).unwrap_or_default().as_bytes().to_vec();
    let secret = |_: &SecretAt| Ok(secret.clone());
    let shown = |problem: zhiyin_reach::settings::SettingsProblem| problem.to_string();
    Ok(match asked.get("platform").and_then(Value::as_str).unwrap_or_default() {
        "shopify" => Arc::new(shopify::Shopify::of("main", written(asked)?, false, secret).map_err(shown)?),
        "woocommerce" => {
            Arc::new(woocommerce::WooCommerce::of("main", written(asked)?, false, secret).map_err(shown)?)
        }
        "youzan" => {
            let clock: zhiyin_reach::settings::Clock = Arc::new(|| 0);
            Arc::new(youzan::Youzan::of("main", written(asked)?, false, secret, clock).map_err(shown)?)
        }
        _ => Arc::new(mapped::Mapped::of("main", written(asked)?, secret).map_err(shown)?),
    })
}

fn answer(asked: &Value) -> Value {
    let door = match door(asked) {
        Ok(door) => door,
        Err(problem) => return json!({ "problem": problem }),
    };
    let heads: Vec<(String, String)> = asked
        .get("heads")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let body = asked.get("body").and_then(Value::as_str).unwrap_or_default();
    let now = asked.get("now").and_then(Value::as_i64).unwrap_or_default();
    let brought = Brought { query: &[], heads: &heads, body: body.as_bytes() };
    match door.receive(brought, now).now_or_never() {
        None => json!({"problem": "waits"}),
        Some(Err(refused)) => json!({"problem": refused.why}),
        Some(Ok(taken)) => {
            let news: Vec<Value> = taken.kept.into_iter().map(|kept| Value::Object(kept.body)).collect();
            json!({"kind": taken.kind, "news": news, "well": door.well()})
        }
    }
}
