//! Members as people and programs read them: lists and searches, one whole, their timeline, orders and lots.
//!
//! Everything takes a grant and shows what it may see, no more: who lies outside of its scope is answered like who does not
//! exist. Times are RFC 3339 in UTC, days `YYYY-MM-DD` in the brand's zone, money whole minor units of the brand's currency.

mod contacts;
mod find;
mod list;
mod orders;
mod timeline;
mod unmask;
mod whole;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zhiyin_decide::naming;
use zhiyin_model::effect::Asset;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Names;
use zhiyin_model::time::Ts;
use zhiyin_store::read::TransferLine;

pub use contacts::{ContactView, GroupView};
pub use list::MembersAsked;
pub use orders::{LotView, LotsAsked, OrderLineView, OrderView, OrdersAsked};
pub use timeline::{Kind, TimelineAsked, TimelineEntry};
pub use whole::{
    AccountView, AliasView, ConsentSaid, ConsentView, DependantView, ExpiryView, GivenUpView, HoldView,
    KeepView, LapseView, LevelAhead, LifecycleView, MemberView, MoveView, OrdersSum, RefusalView, TagView,
    TermView, TierView, TouchView, TouchesView,
};

use crate::sight;

/// A name as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdentifierView {
    /// What kind of name: `phone`, `card`, `unionid`…
    pub namespace: String,
    /// The name, masked where the role may not see it.
    pub value: String,
}

/// What something is called in each language of the brand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamesView {
    /// In Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// In English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl From<&Names> for NamesView {
    fn from(names: &Names) -> Self {
        Self { zh: names.zh.clone(), en: names.en.clone() }
    }
}

/// A member in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberListed {
    /// Their id.
    pub id: String,
    /// What they are called, masked where the role may not see it.
    pub name: Option<String>,
    /// What they are known by.
    pub identifiers: Vec<IdentifierView>,
    /// Tier level.
    pub tier: Option<String>,
    /// Lifecycle stage.
    pub lifecycle: Option<String>,
    /// Tags that hold.
    pub tags: Vec<String>,
    /// Points as they are shown to the member.
    pub points: i64,
    /// The store where they were met last.
    pub store: Option<String>,
    /// Who looks after them, by their code among the staff.
    pub advisor: Option<String>,
    /// When they were first heard of.
    pub known_since: String,
    /// When they enrolled.
    pub enrolled_at: Option<String>,
}

/// A transfer of points or growth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferView {
    /// Its id: what a return or a posting names.
    pub id: String,
    /// When it was booked.
    pub at: String,
    /// Of what: `points`, `growth`.
    pub asset: String,
    /// Why: `earn`, `spend`, `expire`…
    pub kind: String,
    /// How much, never below zero.
    pub amount: i64,
    /// What it did to the member's balance: the amount with its sign, 0 for what only promises.
    pub moved: i64,
}

impl From<&TransferLine> for TransferView {
    fn from(line: &TransferLine) -> Self {
        Self {
            id: line.id.to_string(),
            at: line.at.rfc3339(),
            asset: line.asset.name().to_owned(),
            kind: line.kind.name().to_owned(),
            amount: line.amount,
            moved: line.kind.sides().1 * line.amount,
        }
    }
}

/// What members are known by, as it may be shown.
pub(crate) fn identifiers(
    mask: Mask,
    named: Vec<(MemberId, String, String)>,
) -> BTreeMap<MemberId, Vec<IdentifierView>> {
    let mut shown: BTreeMap<MemberId, Vec<IdentifierView>> = BTreeMap::new();
    for (member, namespace, value) in named {
        if let Some(value) = mask.identifier(&namespace, &value) {
            shown.entry(member).or_default().push(IdentifierView { namespace, value });
        }
    }
    shown
}

fn brief(mask: Mask, member: &Member, identifiers: Vec<IdentifierView>) -> MemberListed {
    MemberListed {
        id: member.id.to_string(),
        name: sight::called(mask, member),
        identifiers,
        tier: member.term.as_ref().map(|term| term.level.clone()),
        lifecycle: member.stage.as_ref().map(|held| held.stage.clone()),
        tags: member.tags.keys().cloned().collect(),
        points: member.account(Asset::Points).shown(),
        store: sight::store(member).map(str::to_owned),
        advisor: naming::advisor(member).map(str::to_owned),
        known_since: member.known_since.rfc3339(),
        enrolled_at: member.enrolled_at.map(Ts::rfc3339),
    }
}

/// An instant that may never come.
fn unless_forever(at: Ts) -> Option<String> {
    (at != Ts::FOREVER).then(|| at.rfc3339())
}

/// What a page is about, for its cursor.
fn of_member(list: &str, member: MemberId, more: Value) -> Value {
    serde_json::json!({"list": list, "member": member.to_string(), "more": more})
}
