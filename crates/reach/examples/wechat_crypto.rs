//! Takes callbacks of WeChat as tests of another implementation make them: a JSON object a line in, one a line out.

use std::io::{BufRead, Write};
use std::sync::Arc;

use serde_json::{Value, json};
use zhiyin_reach::client::Client;
use zhiyin_reach::door::{Brought, Door};
use zhiyin_reach::secret::SecretAt;
use zhiyin_reach::wechat::Wechat;
use zhiyin_reach::wechat::settings::Settings;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&asked))?;
        out.flush()?;
    }
    Ok(())
}

/// The account that is asked for; what is wrong with it.
fn account(asked: &Value) -> Result<Wechat, String> {
    let of = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut callback = json!({"token_env": "token"});
    if !of("aes_key").is_empty()
        && let Some(callback) = callback.as_object_mut()
    {
        drop(callback.insert("aes_key_env".to_owned(), "aes_key".into()));
    }
    let written = json!({"kind": "official", "appid": of("appid"), "callback": callback});
    let written = serde_json::from_value(written).map_err(|error| error.to_string())?;
    let secret = |at: &SecretAt| match at {
        SecretAt::Environment(name) => Ok(of(name).as_bytes().to_vec()),
        SecretAt::File(file) => Err(format!("{file}: no file is read here")),
    };
    let settings = Settings::of(written, false, secret).map_err(|problem| problem.field)?;
    Ok(Wechat::new(settings, Client::new(), Arc::new(|| 0)))
}

fn answer(asked: &Value) -> Value {
    let account = match account(asked) {
        Ok(account) => account,
        Err(field) => return json!({"problem": field}),
    };
    let query = asked.get("query").and_then(Value::as_object).into_iter().flatten();
    let query: Vec<(String, String)> =
        query.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let body = asked.get("body").and_then(Value::as_str).unwrap_or_default();
    let brought = Brought { query: &query, heads: &[], body: body.as_bytes() };
    let now = asked.get("now").and_then(Value::as_i64).unwrap_or_default();
    if asked.get("do").and_then(Value::as_str) == Some("echo") {
        return match account.echo(brought, now) {
            Ok(word) => json!({"echo": String::from_utf8_lossy(&word)}),
            Err(refused) => json!({"problem": refused.why}),
        };
    }
    match account.take(brought, now) {
        Ok(taken) => {
            let kept = taken.kept.first();
            let key: Option<String> =
                kept.map(|kept| kept.key.iter().map(|byte| format!("{byte:02x}")).collect());
            json!({"kind": taken.kind, "key": key, "body": kept.map(|kept| &kept.body)})
        }
        Err(refused) => json!({"problem": refused.why}),
    }
}
