//! What people and the merchant's console do: pay, give back, confirm.

use serde_json::{Value, json};

use super::crypto::Signer;
use super::{CONFIRM_MS, MOVES_MS};
use super::{Merchant, Payment, Refund};
use crate::deliver::may_go_to;
use crate::world::types::Due;
use crate::world::{THINGS_MAX, World};

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, String> {
    let value = body[field].as_str().filter(|text| !text.is_empty() && text.len() <= 4_096);
    value.ok_or_else(|| format!("{field}: a text is wanted"))
}

fn amount(body: &Value, field: &str) -> Result<i64, String> {
    body[field].as_i64().filter(|n| *n > 0).ok_or_else(|| format!("{field}: fen are wanted"))
}

/// Does what it knows below `pay/`.
pub fn act(world: &mut World, what: &str, body: &Value) -> Result<Value, String> {
    match what {
        "merchant" => merchant(world, body),
        // The platform signs by another certificate from now on.
        "certificate" => {
            world.pay.signer = match world.pay.signer {
                Signer::First => Signer::Second,
                _ => Signer::First,
            };
            Ok(json!({"serial": world.pay.signer.serial()}))
        }
        "pay" => pay(world, body),
        "refund" => refund(world, body),
        "confirm" => confirm(world, body),
        what if what.starts_with("coupon/") => {
            world.coupon_act(what.strip_prefix("coupon/").unwrap_or_default(), body)
        }
        _ => Err(format!("pay/{what}: nothing of this name can be done")),
    }
}

fn merchant(world: &mut World, body: &Value) -> Result<Value, String> {
    let (notice_url, api_v3_key) =
        (text(body, "notice_url")?.to_owned(), text(body, "api_v3_key")?.to_owned());
    if !may_go_to(&notice_url) {
        return Err("notice_url: http on this machine with a port and no query".to_owned());
    }
    if api_v3_key.len() != 32 {
        return Err("api_v3_key: 32 letters".to_owned());
    }
    let appids = body["appids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let mchid = text(body, "mchid")?.to_owned();
    let sub_mchid = body["sub_mchid"].as_str().map(str::to_owned);
    world.pay.merchant =
        Some(Merchant { mchid, sub_mchid, api_v3_key, appids: appids.collect(), notice_url });
    world.pay.signer = match body["public_key"].as_bool() {
        Some(true) => Signer::Public,
        _ => Signer::First,
    };
    Ok(Value::Null)
}

fn pay(world: &mut World, body: &Value) -> Result<Value, String> {
    world.pay.merchant.as_ref().ok_or("mchid: there is no merchant")?;
    let out_trade_no = text(body, "out_trade_no")?.to_owned();
    if world.pay.payments.contains_key(&out_trade_no) || world.pay.payments.len() >= THINGS_MAX {
        return Err("out_trade_no: is paid already".to_owned());
    }
    let transaction_id = format!("4200{}", world.pay.digits(24));
    let paid = Payment {
        appid: text(body, "appid")?.to_owned(),
        openid: text(body, "openid")?.to_owned(),
        out_trade_no: out_trade_no.clone(),
        transaction_id: transaction_id.clone(),
        trade_type: body["trade_type"].as_str().unwrap_or("MICROPAY").to_owned(),
        attach: body["attach"].as_str().unwrap_or_default().to_owned(),
        total: amount(body, "total")?,
        paid_ms: world.now_ms,
    };
    let told = world.pay.merchant.as_ref().map(|merchant| paid.told(merchant)).unwrap_or_default();
    world.pay.payments.insert(out_trade_no, paid);
    world.pay_tells("TRANSACTION.SUCCESS", "transaction", &told);
    Ok(json!({"transaction_id": transaction_id}))
}

fn refund(world: &mut World, body: &Value) -> Result<Value, String> {
    let merchant = world.pay.merchant.as_ref().ok_or("mchid: there is no merchant")?;
    let paid = world.pay.payments.get(text(body, "out_trade_no")?).ok_or("out_trade_no: nobody paid it")?;
    let (amount, out_refund_no) = (amount(body, "refund")?, text(body, "out_refund_no")?);
    let so_far: i64 = world
        .pay
        .refunds
        .iter()
        .filter(|one| one.out_trade_no == paid.out_trade_no)
        .map(|one| one.amount)
        .sum();
    if so_far + amount > paid.total || world.pay.refunds.iter().any(|one| one.out_refund_no == out_refund_no)
    {
        return Err("refund: more than was paid, or the same once more".to_owned());
    }
    let mut told = json!({
        "out_trade_no": paid.out_trade_no, "transaction_id": paid.transaction_id,
        "out_refund_no": out_refund_no, "refund_status": "SUCCESS", "success_time": super::rfc3339(world.now_ms),
        "user_received_account": "支付用户零钱",
        "amount": {"total": paid.total, "refund": amount, "payer_total": paid.total, "payer_refund": amount},
    });
    match &merchant.sub_mchid {
        None => told["mchid"] = json!(merchant.mchid),
        Some(sub) => (told["sp_mchid"], told["sub_mchid"]) = (json!(merchant.mchid), json!(sub)),
    }
    let (out_trade_no, out_refund_no) = (paid.out_trade_no.clone(), out_refund_no.to_owned());
    let refund_id = format!("5030{}", world.pay.digits(24));
    told["refund_id"] = json!(refund_id);
    let done_ms = world.now_ms;
    world.pay.refunds.push(Refund { out_trade_no, out_refund_no, refund_id, amount, done_ms });
    world.pay_tells("REFUND.SUCCESS", "refund", &told);
    Ok(Value::Null)
}

/// A person takes what was sent to them.
fn confirm(world: &mut World, body: &Value) -> Result<Value, String> {
    let bill = text(body, "out_bill_no")?.to_owned();
    let moved = world.pay.transfers.get(&bill).ok_or("out_bill_no: there is no such transfer")?;
    if moved.state != "WAIT_USER_CONFIRM" {
        return Err(format!("out_bill_no: is {}", moved.state));
    }
    world.transfer_is(&bill, "TRANSFERING", "");
    let due_ms = world.now_ms + MOVES_MS;
    world.at(due_ms, Due::PayMoves(bill));
    Ok(Value::Null)
}

impl World {
    /// A transfer stands elsewhere from now on; of its end the merchant is told.
    pub fn transfer_is(&mut self, bill: &str, state: &'static str, fail_reason: &'static str) {
        let (now_ms, mchid) = (self.now_ms, self.pay.merchant.as_ref().map(|one| one.mchid.clone()));
        let Some(moved) = self.pay.transfers.get_mut(bill) else { return };
        (moved.state, moved.fail_reason, moved.changed_ms) = (state, fail_reason, now_ms);
        let told = moved.told(&mchid.unwrap_or_default());
        if matches!(state, "SUCCESS" | "FAIL" | "CANCELLED") {
            self.pay_tells("MCHTRANSFER.BILL.FINISHED", "mch_payment", &told);
        }
    }

    /// What is due of a transfer.
    pub fn pay_moves(&mut self, bill: &str) {
        let Some(moved) = self.pay.transfers.get(bill) else { return };
        match moved.state {
            "TRANSFERING" => self.transfer_is(bill, "SUCCESS", ""),
            "CANCELING" => self.transfer_is(bill, "CANCELLED", ""),
            "WAIT_USER_CONFIRM" if self.now_ms - moved.made_ms >= CONFIRM_MS => {
                self.transfer_is(bill, "FAIL", "OVERDUE_CLOSE");
            }
            _ => {}
        }
    }
}
