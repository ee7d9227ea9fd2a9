//! Reads notices of WeChat Pay and signs requests, as tests of other implementations ask: a JSON object a line in, one a line out.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use zhiyin_reach::wxpay::{Heads, Keys, MerchantKey, PlatformKey, Told, read};

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
    let at = asked.get("now").and_then(Value::as_i64).unwrap_or_default();
    if of("do") == "sign" {
        return match MerchantKey::of_pem(of("merchant"), of("serial"), of("private_key").as_bytes()) {
            Ok(key) => {
                json!({"authorization": key.authorization(of("method"), of("path"), at, of("nonce"), of("body"))})
            }
            Err(problem) => json!({"problem": problem.to_string()}),
        };
    }
    if of("do") == "seal" {
        let seed = [u8::try_from(at & 0xff).unwrap_or_default(); 20];
        return match PlatformKey::of_pem(of("platform_key").as_bytes()) {
            Ok(key) => json!({"sealed": key.seal(of("text"), &seed)}),
            Err(problem) => json!({"problem": problem.to_string()}),
        };
    }
    let keys = Keys::new(of("api_v3_key")).and_then(|mut keys| {
        let key = PlatformKey::of_pem(of("platform_key").as_bytes())?;
        let id = key.serial().unwrap_or(of("platform_id")).to_owned();
        keys.knows(&id, key)?;
        Ok(keys)
    });
    let keys = match keys {
        Ok(keys) => keys,
        Err(problem) => return json!({"problem": problem.to_string()}),
    };
    let head = |name: &str| asked.get(name).and_then(Value::as_str);
    let heads = Heads {
        timestamp: head("timestamp"),
        nonce: head("nonce"),
        signature: head("signature"),
        serial: head("serial"),
    };
    match read(&keys, heads, of("body").as_bytes(), at) {
        Err(problem) => json!({"problem": problem.name()}),
        Ok(notice) => {
            let told = match Told::of(&notice) {
                None => "unreadable".to_owned(),
                Some(Told::Transferred(moved)) => format!("{} {}", moved.out_bill_no, moved.state),
                Some(Told::Packed(packed)) => format!("{} packed {}", packed.coupon_code, packed.stock_id),
                Some(Told::Other) => "other".to_owned(),
                Some(Told::Paid(paid)) => format!("{} paid {}", paid.out_trade_no, paid.amount.total),
                Some(Told::Refunded(back)) => format!("{} back {}", back.out_refund_no, back.amount.refund),
            };
            json!({"id": notice.id, "resource": notice.resource, "told": told})
        }
    }
}
