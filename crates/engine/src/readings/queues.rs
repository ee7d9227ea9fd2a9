//! What waits for somebody to look at it: pairs that are likely one person, and names that were given up at the door.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::read::GivenUp;
use zhiyin_store::suggestion::{State, Suggestion};

use crate::boxed;
use crate::duplicates::{FieldSays, why};
use crate::sight::{self, Cursors, Page, ReadProblem, admits, sees_all};
use crate::{Engine, Result};

/// How much of a queue is looked at: what comes after is seen once what is before it is decided.
const LOOK_MAX: usize = 10_000;

/// A pair that is likely one person.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DuplicateView {
    /// Its number.
    pub number: i64,
    /// One of the two, by their id.
    pub one: String,
    /// The other.
    pub other: String,
    /// How likely, in millionths.
    pub score_ppm: i32,
    /// `open`, `merged`, `different`.
    pub state: String,
    /// When it was found.
    pub found_at: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
    /// What else they would be, most likely: `relative`, `stranger`.
    pub rival: String,
    /// What speaks for one person, and what against.
    pub evidence: Vec<EvidenceView>,
}

/// What one field says of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EvidenceView {
    /// Which.
    pub field: String,
    /// How it agrees.
    pub agrees: String,
    /// How much it speaks for one person against the rival, in bits, to one decimal.
    pub bits: f64,
    /// How many members have the value, where it is the same.
    pub shared_by: Option<u32>,
}

/// An identifier that was given up at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NameGivenUp {
    /// Place of its item.
    pub seq: i64,
    /// When that happened.
    pub at: String,
    /// Its namespace.
    pub namespace: String,
    /// Why.
    pub why: String,
    /// Whom the item is about, by their id.
    pub member: Option<String>,
    /// Who sent it.
    pub source: String,
    /// What its source calls it; only for who may see people.
    pub message_id: Option<String>,
}

fn duplicate(suggestion: &Suggestion) -> Result<DuplicateView> {
    let why = why(suggestion)?;
    let evidence =
        |FieldSays { field, agrees, bits, shared_by }| EvidenceView { field, agrees, bits, shared_by };
    Ok(DuplicateView {
        number: suggestion.no,
        one: suggestion.pair.one.to_string(),
        other: suggestion.pair.other.to_string(),
        score_ppm: suggestion.pair.score_ppm,
        state: suggestion.state.word().to_owned(),
        found_at: suggestion.found_at.rfc3339(),
        decided_by: suggestion.decided.as_ref().map(|(by, _)| by.clone()),
        decided_at: suggestion.decided.as_ref().map(|(_, at)| at.rfc3339()),
        rival: why.rival,
        evidence: why.fields.into_iter().map(evidence).collect(),
    })
}

fn given_up(mask: Mask, given: GivenUp) -> NameGivenUp {
    NameGivenUp {
        seq: given.seq,
        at: given.time.rfc3339(),
        namespace: given.namespace,
        why: given.reason.name().to_owned(),
        member: given.member.map(|member| member.to_string()),
        source: given.source,
        message_id: (mask == Mask::Full).then_some(given.message_id),
    }
}

impl Engine {
    /// A page of the queue of likely doubles, the likeliest first. Who is bound to places sees pairs of whom both are theirs.
    #[boxed]
    pub async fn duplicates(
        &self,
        grant: &Grant,
        state: Option<State>,
        (limit, cursor): (usize, Option<&str>),
    ) -> Result<Page<DuplicateView>> {
        let filter = self.filter(grant, Operation::DuplicatesReview).await?;
        let limit = sight::limit(limit)?;
        let key = self.home().await?.id_key;
        let word = state.map(State::word);
        let cursors = Cursors::of(&key, json!({"list": "duplicates", "state": word, "place": grant.place}));
        let after = cursors.number(cursor)?;
        let listed = self.store().suggestions(state, LOOK_MAX).await?;
        let from = match after {
            None => 0,
            Some(no) => {
                listed.iter().position(|one| one.no == no).map(|at| at + 1).ok_or(ReadProblem::Cursor)?
            }
        };
        let (mut items, mut last) = (Vec::new(), None);
        for part in listed[from..].chunks(limit) {
            let mut members = Vec::new();
            if !sees_all(&filter) {
                let ids: Vec<MemberId> = part.iter().flat_map(|one| [one.pair.one, one.pair.other]).collect();
                members = self.store().reading().members(ids).await?;
                members.retain(|member| admits(&filter, member));
            }
            let is_seen = |id: MemberId| sees_all(&filter) || members.iter().any(|member| member.id == id);
            for one in part.iter().filter(|one| is_seen(one.pair.one) && is_seen(one.pair.other)) {
                if items.len() == limit {
                    let next = last.map(|no: i64| cursors.text(&no.to_be_bytes()));
                    return Ok(Page { items, next });
                }
                items.push(duplicate(one)?);
                last = Some(one.no);
            }
        }
        Ok(Page { items, next: None })
    }

    /// A pair by its number.
    #[boxed]
    pub async fn duplicate(&self, grant: &Grant, number: i64) -> Result<DuplicateView> {
        let filter = self.filter(grant, Operation::DuplicatesReview).await?;
        let found = self.store().suggestion(number).await?.ok_or(ReadProblem::Nothing)?;
        if !sees_all(&filter) {
            let both = vec![found.pair.one, found.pair.other];
            let mut members = self.store().reading().members(both).await?;
            members.retain(|member| admits(&filter, member));
            if members.len() < 2 {
                return Err(ReadProblem::Nothing.into());
            }
        }
        duplicate(&found)
    }

    /// A page of the identifiers that were given up at the door, the latest first.
    #[boxed]
    pub async fn names_given_up(
        &self,
        grant: &Grant,
        (limit, cursor): (usize, Option<&str>),
    ) -> Result<Page<NameGivenUp>> {
        let filter = self.filter(grant, Operation::DeadLettersRead).await?;
        let limit = sight::limit(limit)?;
        let key = self.home().await?.id_key;
        let cursors = Cursors::of(&key, json!({"list": "given up"}));
        // The item that the page before ended with, and how many of its names were told.
        let spot = match cursors.spot(cursor)? {
            None => None,
            Some(spot) => {
                let (seq, told) = spot.split_first_chunk::<8>().ok_or(ReadProblem::Cursor)?;
                let told = told.first().copied().ok_or(ReadProblem::Cursor)?;
                Some((i64::from_be_bytes(*seq), usize::from(told)))
            }
        };
        let listed = self.store().given_up(LOOK_MAX).await?;
        let from = spot.map_or(0, |(seq, told)| {
            let newer = listed.iter().take_while(|one| one.seq > seq).count();
            let of_it = listed[newer..].iter().take_while(|one| one.seq == seq).count();
            newer + told.min(of_it)
        });
        let end = (from + limit).min(listed.len());
        let next = (end < listed.len() && end > 0).then(|| {
            let seq = listed[end - 1].seq;
            let told = listed[..end].iter().rev().take_while(|one| one.seq == seq).count();
            let told = u8::try_from(told).unwrap_or(u8::MAX);
            cursors.text(&[seq.to_be_bytes().as_slice(), &[told]].concat())
        });
        let items = listed.into_iter().skip(from).take(limit).map(|one| given_up(filter.mask, one));
        Ok(Page { items: items.collect(), next })
    }
}

/// The state of a word; of `all`, none.
pub fn state_of(word: &str) -> Option<Option<State>> {
    match word {
        "all" => Some(None),
        word => State::ALL.into_iter().find(|state| state.word() == word).map(Some),
    }
}

/// An instant, or the beginning of a day of the brand's zone.
pub(crate) fn since(zone: &zhiyin_model::time::Zone, text: &str) -> Option<Ts> {
    zhiyin_model::time::Day::parse(text).map(|day| zone.start(day)).or_else(|| Ts::parse(text))
}
