//! Saved audiences as the live playbook has them, and who is in those that stand: read from the record, a member at a time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_audience::Mark;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Audience;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Ts;

use crate::boxed;
use crate::members::{MemberListed, MembersAsked, NamesView};
use crate::sight::Page;
use crate::{Engine, Live, Result, clock};

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

/// How many are in standing audiences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingCounts {
    /// Members of each, by its id.
    pub counts: BTreeMap<String, u64>,
    /// The instant they speak of.
    pub as_of: String,
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

    /// How many members are in each standing audience, by what was decided of them so far; 0 where nobody is. Where columns are
    /// kept they know it at once; else every member's row is read. A grant that sees some members only is told of those.
    #[boxed]
    pub async fn standing_counts(&self, grant: &Grant) -> Result<StandingCounts> {
        let filter = self.filter(grant, Operation::ReportsRead).await?;
        let ids: Vec<String> = self.live()?.rules.audiences.iter().map(|rule| rule.id.clone()).collect();
        let now = clock::now(&self.home().await?);
        if filter.bound != Bound::Everything {
            return self.standing_within(&filter, ids).await;
        }
        let marks = ids.iter().map(|id| Mark::Standing(id));
        if let Some((counts, as_of)) = self.audiences.marked(marks, now) {
            let counts = ids.into_iter().zip(counts).collect();
            return Ok(StandingCounts { counts, as_of: as_of.rfc3339() });
        }
        let known = self.store().reading().audience_counts().await?;
        let count = |id: String| {
            let n = known.get(&id).copied().unwrap_or(0);
            (id, n)
        };
        Ok(StandingCounts { counts: ids.into_iter().map(count).collect(), as_of: now.rfc3339() })
    }

    async fn standing_within(&self, filter: &Filter, ids: Vec<String>) -> Result<StandingCounts> {
        let asking = self.asking(self.moment(None).await?, filter).await?;
        let counted = asking.aside(move |asking| {
            let count = |id: String| {
                let n = asking.marked(Mark::Standing(&id)).len() as u64;
                (id, n)
            };
            Ok(ids.into_iter().map(count).collect())
        });
        Ok(StandingCounts { counts: counted.await?, as_of: asking.moment.at.rfc3339() })
    }

    /// A page of the members of a standing audience whom a grant may list, in the order in which the store lists, which stays
    /// as it is. Empty if no such audience stands. A page may be shorter than asked, or empty, and yet have a next one.
    #[boxed]
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
