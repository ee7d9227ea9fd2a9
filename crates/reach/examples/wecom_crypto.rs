//! Encrypts and opens what tests of other implementations give it: a JSON object a line in, one a line out.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use zhiyin_reach::wecom::crypto::Crypto;

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
    let crypto = match Crypto::new(of("token"), of("aes_key"), of("receiver")) {
        Ok(crypto) => crypto,
        Err(problem) => return json!({"problem": problem.field}),
    };
    let (timestamp, nonce) = (of("timestamp"), of("nonce"));
    if of("do") == "encrypt" {
        let Ok(random) = of("random").as_bytes().try_into() else { return json!({"problem": "random"}) };
        let encrypted = crypto.encrypt(of("message").as_bytes(), random);
        let signature = crypto.signature(timestamp, nonce, &encrypted);
        return json!({"encrypted": encrypted, "signature": signature});
    }
    match crypto.open(of("signature"), timestamp, nonce, of("encrypted")) {
        Ok(message) => json!({"message": String::from_utf8_lossy(&message)}),
        Err(problem) => json!({"problem": problem.name()}),
    }
}
