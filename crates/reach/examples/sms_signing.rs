//! Signs requests of short messages, as tests of other implementations ask: a JSON object a line in, one a line out.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use zhiyin_reach::sms::{aliyun, tencent};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&asked))?;
        out.flush()?;
    }
    Ok(())
}

fn answer(asked: &Value) -> Value {
    let of = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = (of("key_id"), of("secret"));
    if of("platform") == "tencent" {
        let at = asked.get("at").and_then(Value::as_i64).unwrap_or_default();
        let signed = tencent::authorization(key, of("host"), ("/", of("body").as_bytes()), at);
        return json!({ "authorization": signed });
    }
    let pairs = |name: &str| -> Vec<(String, String)> {
        let pairs = asked.get(name).and_then(Value::as_object).into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    };
    let (parameters, mut heads) = (pairs("parameters"), pairs("heads"));
    heads.sort();
    let parameters: Vec<(&str, String)> =
        parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let heads: Vec<(&str, &str)> =
        heads.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let query = aliyun::canonical_query(&parameters);
    let signed = aliyun::authorization(key, of("method"), ("/", &query), &heads, of("body_hash"));
    json!({"authorization": signed, "query": query})
}
