//! Customers who are handed over: by staff who stays, or after who left.

use serde_json::{Value, json};

use super::ask::{Page, letters, text, texts, wrong};
use super::{Answer, Call};
use crate::limits::Rule;
use crate::world::{Refusal, World, refuse};

fn hand_over(world: &mut World, call: &Call<'_>, is_resigned: bool) -> Answer {
    let body = call.body;
    let (from, to) = (text(body, "handover_userid")?.to_owned(), text(body, "takeover_userid")?.to_owned());
    let externals = texts(body, "external_userid", world.limits.n(Rule::TransferCustomers))?;
    letters(body, "transfer_success_msg", world.limits.n(Rule::TransferMessageChars))?;
    if externals.is_empty() {
        return wrong("external_userid");
    }
    may_hand_over(world, &from, &to, is_resigned)?;
    let mut rows = Vec::new();
    for external in externals {
        let code = world.transfer(&from, &to, &external, is_resigned).err().map_or(0, |refusal| refusal.code);
        rows.push(json!({"external_userid": external, "errcode": code}));
    }
    Ok(json!({"customer": rows}))
}

fn may_hand_over(world: &World, from: &str, to: &str, is_resigned: bool) -> Result<(), Refusal> {
    if world.active_staff(to).is_none_or(|staff| !staff.is_follower) {
        return refuse(40003, "invalid takeover_userid");
    }
    let left_ms = world.staff.get(from).map(|staff| staff.left_ms);
    match (left_ms, is_resigned) {
        (None, _) => refuse(40003, "invalid handover_userid"),
        (Some(None), true) => refuse(40097, "the user has not left"),
        (Some(Some(_)), false) => refuse(40003, "invalid handover_userid: has left"),
        (Some(Some(left_ms)), true) if world.now_ms >= left_ms + world.limits.of(Rule::ResignedMs) => {
            refuse(40003, "invalid handover_userid: left too long ago")
        }
        _ => Ok(()),
    }
}

fn results(world: &World, call: &Call<'_>, is_resigned: bool) -> Answer {
    let page = Page::read(call.body, 1_000, 1_000)?;
    let (from, to) = (text(call.body, "handover_userid")?, text(call.body, "takeover_userid")?);
    let of_both = world.transfers.iter().filter(|(_, transfer)| {
        transfer.from == from && transfer.to == to && transfer.is_resigned == is_resigned
    });
    let rows = of_both.map(|(id, transfer)| {
        let row = json!({
            "external_userid": transfer.external, "status": transfer.status,
            "takeover_time": transfer.due_ms.div_euclid(1_000),
        });
        (id.clone(), row)
    });
    let (rows, next) = page.cut(rows);
    Ok(json!({"customer": rows, "next_cursor": next}))
}

pub fn customer(world: &mut World, call: &Call<'_>) -> Answer {
    hand_over(world, call, false)
}

pub fn result(world: &mut World, call: &Call<'_>) -> Answer {
    results(world, call, false)
}

pub fn resigned_customer(world: &mut World, call: &Call<'_>) -> Answer {
    hand_over(world, call, true)
}

pub fn resigned_result(world: &mut World, call: &Call<'_>) -> Answer {
    results(world, call, true)
}

pub fn unassigned(world: &mut World, call: &Call<'_>) -> Answer {
    let size = call.body["page_size"].clone();
    let page = Page::read(&json!({"cursor": call.body["cursor"], "limit": size}), 1_000, 1_000)?;
    let rows = world.unassigned.keys().map(|(userid, external)| {
        let left_s =
            world.staff.get(userid).and_then(|staff| staff.left_ms).unwrap_or_default().div_euclid(1_000);
        let row = json!({"handover_userid": userid, "external_userid": external, "dimission_time": left_s});
        (format!("{userid}\0{external}"), row)
    });
    let (rows, next): (Vec<Value>, String) = page.cut(rows);
    Ok(json!({"info": rows, "is_last": next.is_empty(), "next_cursor": next}))
}
