//! All that is known of one person, as one document: for whoever asks what a brand knows of them.

use serde_json::{Value, json};
use zhiyin_model::effect::Asset;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;
use zhiyin_store::personal::Told;
use zhiyin_store::read::MemberWhole;
use zhiyin_store::{StoreError, seal};

use crate::boxed;
use crate::campaigns::NoteView;
use crate::{Engine, EngineError, Result};

fn plain(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => json!(value),
        Scalar::Number(number) => json!(number.to_string()),
        Scalar::Text(text) => json!(text),
        Scalar::Texts(texts) => json!(texts),
    }
}

fn until(at: Ts) -> Option<String> {
    (at != Ts::FOREVER).then(|| at.rfc3339())
}

fn event(told: &Told) -> Result<Value> {
    let item = match seal::open(&told.body) {
        Err(StoreError::Erased) => json!("erased"),
        body => serde_json::from_str(&body?).map_err(|error| StoreError::Damaged(error.to_string()))?,
    };
    Ok(json!({
        "time": told.time.rfc3339(), "event": told.name, "source": told.source,
        "message_id": told.message_id, "item": item,
    }))
}

fn profile(whole: &MemberWhole) -> Value {
    let member = &whole.member;
    let named = |(namespace, value): &(String, String)| json!({"namespace": namespace, "value": value});
    let attributes = member.attributes.iter().map(|(name, value)| {
        let told_at = member.told_at.get(name).map(|at| at.rfc3339());
        (name.clone(), json!({"value": plain(value), "told_at": told_at}))
    });
    json!({
        "id": member.id.to_string(),
        "identifiers": whole.identifiers.iter().map(named).collect::<Vec<_>>(),
        "known_since": member.known_since.rfc3339(),
        "enrolled_at": member.enrolled_at.map(Ts::rfc3339),
        "attributes": attributes.collect::<serde_json::Map<_, _>>(),
        "touches": member.touches,
        "consents": member.personal.consents,
        "contacts": member.personal.contacts,
        "groups": member.personal.groups,
        "dependants": member.personal.dependants.known().map(|one| json!({
            "key": one.key, "kind": one.kind, "name": one.name, "gender": one.gender,
            "due_on": one.due_on.map(|day| day.to_string()), "birthday": one.birthday.map(|day| day.to_string()),
        })).collect::<Vec<_>>(),
    })
}

fn points(whole: &MemberWhole) -> Value {
    let account = |asset: &Asset| {
        let account = whole.member.account(*asset);
        let (active, pending) = (account.active, account.pending);
        let told = json!({"active": active, "pending": pending, "held": account.held, "debt": account.debt});
        (asset.name().to_owned(), told)
    };
    let lot = |(remaining, granted, from, ends): &(i64, i64, Ts, Ts)| json!({"remaining": remaining, "granted": granted, "active_at": from.rfc3339(), "expires_at": until(*ends)});
    let transfers = whole.transfers.iter().rev().map(|line| {
        json!({
            "id": line.id.to_string(), "at": line.at.rfc3339(), "asset": line.asset.name(),
            "kind": line.kind.name(), "amount": line.amount,
        })
    });
    json!({
        "accounts": Asset::ALL.iter().map(account).collect::<serde_json::Map<_, _>>(),
        "lots": whole.lots.iter().map(lot).collect::<Vec<_>>(),
        "transfers": transfers.collect::<Vec<_>>(),
    })
}

impl Engine {
    /// All that is known of a member.
    #[boxed]
    pub async fn export(&self, member: MemberId) -> Result<Value> {
        let store = self.store();
        let personal = store.personal().ok_or(EngineError::NotSealed)?;
        let whole = personal.member_entire(member).await?;
        let whole = whole.ok_or_else(|| StoreError::Damaged(format!("no member {member}")))?;
        let orders = store.history(member, Vec::new()).await?.orders;
        let orders = orders.iter().map(|(order, _)| {
            json!({
                "id": order.id.to_string(), "time": order.time.rfc3339(), "store": order.store,
                "channel": order.channel, "paid_minor": order.paid.0, "refunded_minor": order.refunded.0,
                "status": format!("{:?}", order.status).to_lowercase(),
            })
        });
        let timeline = personal.timeline(member).await?;
        let said = store.coupons().campaigns().notes_of(member, None, usize::MAX).await?;
        let said: Vec<NoteView> =
            said.iter().map(|note| NoteView::of(note, Mask::Full, None)).collect::<Result<_>>()?;
        let held = &whole.member;
        Ok(json!({
            "profile": profile(&whole),
            "orders": orders.collect::<Vec<_>>(),
            "points": points(&whole),
            "tier": held.term.as_ref().map(|term| &term.level),
            "terms": whole.terms.iter().map(|(level, from, ends)| json!({
                "level": level, "from": from.rfc3339(), "ends": ends.to_string(),
            })).collect::<Vec<_>>(),
            "lifecycle": whole.stages.iter().map(|(was, becomes, at)| json!({
                "from": was, "to": becomes, "at": at.rfc3339(),
            })).collect::<Vec<_>>(),
            "tags": held.tags.iter().map(|(tag, held)| json!({"tag": tag, "since": held.since.rfc3339()})).collect::<Vec<_>>(),
            "messages": said,
            "timeline": timeline.iter().map(event).collect::<Result<Vec<_>>>()?,
        }))
    }
}
