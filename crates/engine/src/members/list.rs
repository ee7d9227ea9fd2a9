//! Lists of members: all, or found by how their name begins, narrowed by what they are; a page at a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_decide::naming::{self, Asked, Forms};
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_store::reading::{Spot, Which};

use super::{MemberListed, brief, identifiers};
use crate::boxed;
use crate::sight::{self, Cursors, Page, ReadProblem, admits, bounded};
use crate::{Engine, Result};

/// How many rows are looked at for one page.
const LOOK_MAX: usize = 2_000;
/// How many members are read at once, at least.
const AT_ONCE: usize = 50;

/// What is asked of a list of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersAsked {
    /// How their name begins: characters, pinyin or initials of a Chinese name, the beginning of any word of another.
    pub name: Option<String>,
    /// Tier level.
    pub tier: Option<String>,
    /// Lifecycle stage.
    pub lifecycle: Option<String>,
    /// A tag that holds.
    pub tag: Option<String>,
    /// A standing audience that they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The store where they were met last.
    pub store: Option<String>,
    /// Who looks after them.
    pub advisor: Option<String>,
    /// How many, 1 to 200.
    #[serde(skip)]
    pub limit: usize,
    /// Where the page before ended.
    #[serde(skip)]
    pub cursor: Option<String>,
}

/// A list on its way: keys of the index to be looked up one after the other, and whom they may find.
struct Listing<'l> {
    asked: &'l MembersAsked,
    filter: &'l Filter,
    name: Option<Asked>,
    prefixes: Vec<String>,
    keys: Vec<Option<i64>>,
}

impl Listing<'_> {
    /// Whether a member who was found in a phase is listed there.
    fn lists(&self, phase: usize, member: &Member) -> bool {
        let is = |asked: &Option<String>, is: Option<&str>| asked.is_none() || asked.as_deref() == is;
        admits(self.filter, member)
            && is(&self.asked.store, sight::store(member))
            && is(&self.asked.advisor, naming::advisor(member))
            && self.name.as_ref().is_none_or(|asked| self.is_called(phase, asked, member))
    }

    fn is_called(&self, phase: usize, asked: &Asked, member: &Member) -> bool {
        let forms: Vec<Forms> = naming::names(member).iter().filter_map(|name| Forms::of(name)).collect();
        if !forms.iter().any(|forms| forms.begins_with(asked)) {
            return false;
        }
        // Whom an earlier key finds was listed there.
        let earlier = &self.prefixes[..phase.min(self.prefixes.len())];
        earlier.is_empty()
            || !forms.iter().any(|forms| earlier.iter().any(|one| forms.prefixes().contains(one)))
    }
}

/// A spot within a phase.
fn spot_of(phase: usize, spot: &Spot) -> Vec<u8> {
    let phase = u8::try_from(phase).unwrap_or(u8::MAX);
    std::iter::once(phase).chain(spot.0.iter().copied()).collect()
}

impl Engine {
    /// A page of members whom a grant may list, in the order in which the store lists, which stays as it is.
    #[boxed]
    pub async fn members(&self, grant: &Grant, asked: &MembersAsked) -> Result<Page<MemberListed>> {
        let Page { items, next } = self.members_listed(grant, asked).await?;
        Ok(Page { items: items.into_iter().map(|(_, shown)| shown).collect(), next })
    }

    /// The same, each with all that is known of them: not to be shown.
    pub(crate) async fn members_listed(
        &self,
        grant: &Grant,
        asked: &MembersAsked,
    ) -> Result<Page<(Member, MemberListed)>> {
        let filter = self.filter(grant, Operation::MemberList).await?;
        let limit = sight::limit(asked.limit)?;
        bounded(&[
            ("tier", asked.tier.as_deref()),
            ("lifecycle", asked.lifecycle.as_deref()),
            ("tag", asked.tag.as_deref()),
            ("audience", asked.audience.as_deref()),
            ("store", asked.store.as_deref()),
            ("advisor", asked.advisor.as_deref()),
        ])?;
        let home = self.home().await?;
        let name = match &asked.name {
            None => None,
            Some(_) if filter.mask != Mask::Full && grant.may(Operation::MemberLookup).is_err() => {
                return Err(ReadProblem::NameRefused.into());
            }
            Some(text) => Some(Asked::of(text).ok_or(ReadProblem::Name)?),
        };
        let prefixes = name.as_ref().map(Asked::prefixes).unwrap_or_default();
        let advisor = match &filter.bound {
            Bound::Advisor(code) => Some(code),
            _ => asked.advisor.as_ref(),
        };
        let mut keys: Vec<Option<i64>> =
            prefixes.iter().map(|prefix| Some(naming::prefix_key(&home.id_key, prefix))).collect();
        if keys.is_empty() {
            keys.push(advisor.map(|code| naming::advisor_key(&home.id_key, code)));
        }
        let cursors = Cursors::of(&home.id_key, json!({"list": "members", "asked": asked}));
        let begins = cursors.spot(asked.cursor.as_deref())?;
        let listing = Listing { asked, filter: &filter, name, prefixes, keys };
        let (listed, next) = self.listed(&listing, limit, begins).await?;
        let named = match filter.mask {
            Mask::Hidden => Vec::new(),
            _ => self.store().identifiers_of(listed.iter().map(|member| member.id).collect()).await?,
        };
        let mut shown = identifiers(filter.mask, named);
        let items = listed.into_iter().map(|member| {
            let shown = brief(filter.mask, &member, shown.remove(&member.id).unwrap_or_default());
            (member, shown)
        });
        Ok(Page { items: items.collect(), next: next.map(|spot| cursors.text(&spot)) })
    }

    /// Who is listed on a page, and where the next one begins.
    async fn listed(
        &self,
        listing: &Listing<'_>,
        limit: usize,
        begins: Option<Vec<u8>>,
    ) -> Result<(Vec<Member>, Option<Vec<u8>>)> {
        let first = begins.as_ref().and_then(|spot| spot.first()).map_or(0, |phase| usize::from(*phase));
        if first >= listing.keys.len() {
            return Err(ReadProblem::Cursor.into());
        }
        let mut after = begins.map(|spot| Spot(spot[1..].to_vec())).filter(|spot| !spot.0.is_empty());
        let reading = self.store().reading();
        let (mut listed, mut looked): (Vec<Member>, usize) = (Vec::new(), 0);
        // Where the page ends if one more is found.
        let mut end: Option<Vec<u8>> = None;
        let look = (limit + 1).max(AT_ONCE);
        for (phase, key) in listing.keys.iter().enumerate().skip(first) {
            loop {
                let asked = listing.asked;
                let (tier, stage, tag) = (asked.tier.clone(), asked.lifecycle.clone(), asked.tag.clone());
                let which = Which { key: *key, tier, stage, tag, audience: asked.audience.clone() };
                let part = reading.list(which, after.take(), look).await?;
                looked += look;
                let ids: Vec<MemberId> = part.members.iter().map(|(_, id)| *id).collect();
                let read = if ids.is_empty() { Vec::new() } else { reading.members(ids).await? };
                let mut read: BTreeMap<MemberId, Member> =
                    read.into_iter().map(|member| (member.id, member)).collect();
                for (spot, id) in &part.members {
                    let Some(member) = read.remove(id).filter(|member| listing.lists(phase, member)) else {
                        continue;
                    };
                    if listed.len() == limit {
                        return Ok((listed, end));
                    }
                    listed.push(member);
                    end = Some(spot_of(phase, spot));
                }
                let Some(next) = part.next else { break };
                if looked >= LOOK_MAX {
                    return Ok((listed, Some(spot_of(phase, &next))));
                }
                after = Some(next);
            }
        }
        Ok((listed, None))
    }
}
