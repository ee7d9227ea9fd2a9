//! Saved audiences as the live playbook has them, and who is in those that stand: read from the record, a member at a time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Audience;
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;

use crate::members::{MemberListed, MembersAsked, NamesView};
use crate::sight::Page;
use crate::{Engine, Live, Result};

/// A saved audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedAudience {
    /// Its id, by which conditions name it.
    pub id: String,
    /// What people call it.
    pub name: NamesView,
    /// Its condition; nothing of a list that is uploaded by hand.
    pub who: Option<String>,
    /// Whether it is kept current, and tells who entered and who left.
    pub standing: bool,
}

/// Somebody in a standing audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StandingMember {
    /// Who.
    pub member: MemberListed,
    /// Since when they are in it.
    pub since: String,
}

/// A standing audience, and since when they are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AudienceView {
    /// Its id.
    pub audience: String,
    /// What people call it.
    pub name: NamesView,
    /// Since when.
    pub since: String,
    /// Its condition, as the live playbook writes it.
    pub rule: Option<String>,
}

/// The standing audiences that a member is in.
pub(crate) fn of(live: &Live, member: &Member) -> Vec<AudienceView> {
    let of = |(audience, since): (&String, &Ts)| {
        let known = live.playbook.audiences.get(audience);
        AudienceView {
            audience: audience.clone(),
            name: known.map(|known| NamesView::from(&known.name)).unwrap_or_default(),
            since: since.rfc3339(),
            rule: known.and_then(|known| known.who.as_ref()).map(|who| who.text.clone()),
        }
    };
    member.audiences.since.iter().map(of).collect()
}

fn saved((id, audience): (&String, &Audience)) -> SavedAudience {
    SavedAudience {
        id: id.clone(),
        name: NamesView::from(&audience.name),
        who: audience.who.as_ref().map(|who| who.text.clone()),
        standing: audience.standing,
    }
}

impl Engine {
    /// All saved audiences of the live playbook, by id.
    pub fn saved_audiences(&self) -> Result<Vec<SavedAudience>> {
        Ok(self.live()?.playbook.audiences.iter().map(saved).collect())
    }

    /// A saved audience of the live playbook; `None` if it has none of that id.
    pub fn saved_audience(&self, id: &str) -> Result<Option<SavedAudience>> {
        Ok(self.live()?.playbook.audiences.get_key_value(id).map(saved))
    }

    /// How many members are in each standing audience, by what was decided of them so far; 0 where nobody is. Reads every
    /// member's row.
    pub async fn standing_counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut counts = self.store().reading().audience_counts().await?;
        for rule in &self.live()?.rules.audiences {
            counts.entry(rule.id.clone()).or_default();
        }
        Ok(counts)
    }

    /// A page of the members of a standing audience whom a grant may list, in the order in which the store lists, which stays
    /// as it is. Empty if no such audience stands. A page may be shorter than asked, or empty, and yet have a next one.
    pub async fn standing_members(
        &self,
        grant: &Grant,
        id: &str,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<Page<StandingMember>> {
        let asked = MembersAsked { audience: Some(id.to_owned()), limit, cursor, ..MembersAsked::default() };
        let Page { items, next } = self.members_listed(grant, &asked).await?;
        let items = items.into_iter().filter_map(|(whole, member)| {
            let since = whole.audiences.since.get(id)?.rfc3339();
            Some(StandingMember { member, since })
        });
        Ok(Page { items: items.collect(), next })
    }
}
