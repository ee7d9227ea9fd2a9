//! What a till sold under a lease, told when it is back: in any order, as often as it likes, each decided once.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_model::event::names;
use zhiyin_model::id::EventId;
use zhiyin_model::role::Grant;
use zhiyin_model::till::Lease;
use zhiyin_store::command::Fate;

use super::{Refused, refused, unknown};
use crate::accept::{Source, Ties, Verdict, prepare, window};
use crate::boxed;
use crate::{Engine, Result, clock};

/// The most sales that are told at once.
pub const TOLD_MAX: usize = 200;

/// What became of a sale that was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SaleTold {
    /// What the till calls it.
    pub checkout: String,
    /// `sold`, `waiting` (it is in durably and will be decided) or `refused`.
    pub state: String,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The id of its event: where it was refused, that of the dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

impl SaleTold {
    fn new(checkout: &str, state: &str) -> Self {
        let (checkout, state) = (checkout.to_owned(), state.to_owned());
        Self { checkout, state, code: None, field: None, message: None, event: None }
    }

    fn refused(checkout: &str, (code, field, message): (&str, &str, &str)) -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            code: text(code),
            field: text(field),
            message: text(message),
            ..Self::new(checkout, "refused")
        }
    }
}

/// What a sale says beside who bought, and no more: whoever may sell may not say anything else of somebody.
const SAID: [&str; 9] =
    ["checkout", "lease", "leased_to", "cart", "quote", "payable", "touchpoint", "store_id", "order_id"];

/// A line of a journal under a lease, with nothing beside it; none where it is no such line.
fn sale(item: &Value, lease: &Lease) -> Option<Value> {
    let properties = item["properties"].as_object()?;
    let buyer = item["context"]["externalIds"].as_array().filter(|buyer| buyer.len() == 1)?;
    let checkout = properties.get("checkout")?.as_str().filter(|name| !name.is_empty())?;
    let said = &item["properties"];
    let fits = item["type"] == "track"
        && item["event"] == names::CHECKOUT_REDEEMED
        && item["messageId"] == checkout
        && item["timestamp"].is_string()
        && said["lease"] == lease.name.as_str()
        && said["store_id"] == lease.store.as_str()
        && said["cart"]["store"] == lease.store.as_str()
        && said["touchpoint"] == lease.till.as_str();
    let kept = properties.iter().filter(|(key, _)| SAID.contains(&key.as_str()));
    let kept: serde_json::Map<String, Value> =
        kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    fits.then(|| {
        json!({
            "type": "track",
            "event": names::CHECKOUT_REDEEMED,
            "messageId": checkout,
            "timestamp": item["timestamp"],
            "context": {"externalIds": buyer},
            "properties": kept,
        })
    })
}

/// What the source of a lease's sales is called.
fn source(lease: &str) -> String {
    format!("till:{lease}")
}

impl Engine {
    /// Takes in lines of a till's journal, and says what became of each: so far, or once it was decided.
    #[boxed]
    pub async fn take_sales(
        &self,
        grant: &Grant,
        lease: &str,
        items: &[Value],
        until_decided: bool,
    ) -> Result<Refused<Vec<SaleTold>>> {
        if items.is_empty() || items.len() > TOLD_MAX {
            return refused("bad_number", "sales", format!("1 to {TOLD_MAX} sales at once"));
        }
        let Some(stored) = self.store().tills().lease(lease).await? else { return Ok(Err(unknown())) };
        let of = stored.lease()?;
        let home = self.home().await?;
        let now = clock::now(&home);
        let from = Source {
            name: source(lease),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let (mut names_of, mut prepared) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for (i, item) in items.iter().enumerate() {
            let Some(item) = sale(item, &of) else {
                return refused("bad_sale", format!("sales[{i}]"), "a line of a journal under this lease");
            };
            names_of.push(item["messageId"].as_str().unwrap_or_default().to_owned());
            let bytes = item.to_string();
            prepared.push(prepare(&home.id_key, &from, bytes.as_bytes(), None, window(&home, now)));
        }
        self.note_lease(grant, lease, json!({"act": "tell", "sales": items.len()})).await?;
        let verdicts = self.take(&from, prepared, now, None).await?;
        let mut told = Vec::with_capacity(items.len());
        let mut in_time = until_decided;
        for (checkout, verdict) in names_of.iter().zip(verdicts) {
            if let Verdict::Refused(refusal) = &verdict {
                told.push(SaleTold::refused(checkout, (refusal.code, &refusal.field, &refusal.message)));
                continue;
            }
            let came = match in_time {
                true => self.once_decided(&from.name, checkout).await?,
                false => self.store().fate(&from.name, checkout).await?,
            };
            in_time &= came.is_some();
            let event: EventId = home.id_key.derive("event", &[from.name.as_bytes(), checkout.as_bytes()]);
            let mut one = match came.map(|came| came.fate) {
                Some(Fate::Decided { .. }) => SaleTold::new(checkout, "sold"),
                Some(Fate::Refused { code, field, message }) => {
                    SaleTold::refused(checkout, (&code, &field, &message))
                }
                Some(Fate::Waits) | None => SaleTold::new(checkout, "waiting"),
            };
            one.event = Some(event.to_string());
            told.push(one);
        }
        Ok(Ok(told))
    }
}
