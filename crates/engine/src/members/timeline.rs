//! What happened to a member, the latest decided first, with what came of each event. A timeline is a chain from its end, so a
//! page costs what is on it, however long the timeline is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zhiyin_model::event::names;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_store::reading::Happened;
use zhiyin_store::{OWN_SOURCE, seal};

use super::{TransferView, of_member};
use crate::boxed;
use crate::sight::{self, Cursors, Page, ReadProblem};
use crate::{Engine, Result};

/// How many events are looked at for one page.
const LOOK_MAX: usize = 1_000;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An order, its payment, its refund.
    Order,
    /// Points were spent, held, given, adjusted; or expired.
    Points,
    /// The tier changed.
    Tier,
    /// The lifecycle stage changed.
    Lifecycle,
    /// A tag was put on or taken off.
    Tag,
    /// A standing audience was entered or left.
    Audience,
    /// Something was consented to, or not any more.
    Consent,
    /// Members were merged or parted, or came over from an old system.
    Identity,
    /// A timer fell due, or a playbook reached the member.
    Timer,
    /// Anything else that was sent.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Order,
        Self::Points,
        Self::Tier,
        Self::Lifecycle,
        Self::Tag,
        Self::Audience,
        Self::Consent,
        Self::Identity,
        Self::Timer,
        Self::Other,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Points => "points",
            Self::Tier => "tier",
            Self::Lifecycle => "lifecycle",
            Self::Tag => "tag",
            Self::Audience => "audience",
            Self::Consent => "consent",
            Self::Identity => "identity",
            Self::Timer => "timer",
            Self::Other => "other",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of an event.
    pub fn of(name: &str) -> Self {
        match name {
            names::ORDER_COMPLETED
            | names::ORDER_UPDATED
            | names::ORDER_PAID
            | names::ORDER_REFUNDED
            | names::ORDER_CANCELLED => Self::Order,
            names::POINTS_SPENT
            | names::POINTS_POSTED
            | names::POINTS_VOIDED
            | names::POINTS_RETURNED
            | names::POINTS_ADJUSTED
            | names::POINTS_GIFTED
            | names::POINTS_RECEIVED => Self::Points,
            names::TIER_CHANGED => Self::Tier,
            names::STAGE_CHANGED => Self::Lifecycle,
            names::TAG_PUT_ON | names::TAG_TAKEN_OFF | names::TAG_ADDED | names::TAG_REMOVED => Self::Tag,
            names::AUDIENCE_ENTERED | names::AUDIENCE_LEFT => Self::Audience,
            names::CONSENT_GIVEN | names::CONSENT_WITHDRAWN | names::CONSENT_PREFERENCES => Self::Consent,
            names::MEMBERS_MERGE_ASKED
            | names::MEMBERS_MERGED
            | names::MEMBER_JOINED
            | names::MEMBERS_UNMERGED
            | names::MEMBER_TAKEN_OVER => Self::Identity,
            names::TIMER_DUE | names::PLAYBOOK_APPLIED => Self::Timer,
            _ => Self::Other,
        }
    }
}

/// What is asked of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineAsked {
    /// Only of these kinds; all, if there are none.
    pub kinds: Vec<Kind>,
    /// How many, 1 to 200.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// The event's id.
    pub id: String,
    /// When it happened.
    pub at: String,
    /// What it is called.
    pub event: String,
    /// What kind of thing that is.
    pub kind: Kind,
    /// Who sent it; `zhiyin` for what was derived.
    pub source: String,
    /// Of a change of tier, stage, tag or audience, what changed: `from`, `to`, `tag`, `audience` and what `turned`.
    pub change: BTreeMap<String, String>,
    /// What was booked for it.
    pub transfers: Vec<TransferView>,
}

/// What a derived event says of what changed.
fn change(happened: &Happened) -> BTreeMap<String, String> {
    let tells = [
        names::TIER_CHANGED,
        names::STAGE_CHANGED,
        names::TAG_ADDED,
        names::TAG_REMOVED,
        names::AUDIENCE_ENTERED,
        names::AUDIENCE_LEFT,
    ];
    let told = happened
        .body
        .as_ref()
        .filter(|_| happened.source == OWN_SOURCE && tells.contains(&happened.name.as_str()));
    // What was erased, or lies in a file that is not here, tells nothing.
    let item: Option<Value> =
        told.and_then(|body| seal::open(body).ok()).and_then(|text| serde_json::from_str(&text).ok());
    let properties = item.as_ref().and_then(|item| item.get("properties")).and_then(Value::as_object);
    let texts = properties.into_iter().flatten();
    texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn entry(happened: &Happened) -> TimelineEntry {
    TimelineEntry {
        id: happened.id.to_string(),
        at: happened.time.rfc3339(),
        event: happened.name.clone(),
        kind: Kind::of(&happened.name),
        source: happened.source.clone(),
        change: change(happened),
        transfers: happened.transfers.iter().map(TransferView::from).collect(),
    }
}

impl Engine {
    /// A page of a member's timeline, the latest decided first.
    #[boxed]
    pub async fn member_timeline(
        &self,
        grant: &Grant,
        id: &str,
        asked: &TimelineAsked,
    ) -> Result<Page<TimelineEntry>> {
        let limit = sight::limit(asked.limit)?;
        let (_, member) = self.seen(grant, Operation::MemberRead, id).await?;
        let key = self.home().await?.id_key;
        let kinds: Vec<&str> = asked.kinds.iter().map(|kind| kind.name()).collect();
        let cursors = Cursors::of(&key, of_member("timeline", member.id, json!(kinds)));
        let mut from = cursors.number(asked.cursor.as_deref())?;
        let (mut items, mut looked) = (Vec::new(), 0);
        loop {
            let part = self.store().reading().timeline_part(member.id, from, limit).await?;
            // What a page before named is another's by now.
            let part = part.ok_or(ReadProblem::Cursor)?;
            looked += part.rows.len();
            for happened in &part.rows {
                if items.len() == limit {
                    let next = Some(cursors.text(&happened.seq.to_be_bytes()));
                    return Ok(Page { items, next });
                }
                if asked.kinds.is_empty() || asked.kinds.contains(&Kind::of(&happened.name)) {
                    items.push(entry(happened));
                }
            }
            let Some(next) = part.next else { return Ok(Page { items, next: None }) };
            if items.len() == limit || looked >= LOOK_MAX {
                return Ok(Page { items, next: Some(cursors.text(&next.to_be_bytes())) });
            }
            from = Some(next);
        }
    }
}
