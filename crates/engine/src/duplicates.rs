//! Finding likely doubles: reads everybody in bounded pages, compares them ([`zhiyin_decide::duplicates`]), and puts what is
//! likely into the queue for somebody to look at. Nobody is merged here.

use serde::{Deserialize, Serialize};
use zhiyin_decide::duplicates::{self, Profile, SCORE_LEAST, Suggestion as Likely};
use zhiyin_decide::naming;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::id::MemberId;
use zhiyin_model::identifier;
use zhiyin_model::lunar::LunarDay;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Identity;
use zhiyin_model::time::Day;
use zhiyin_store::suggestion::{BY_CHARS_MAX, NewSuggestion, SCORE_PPM_MAX, State, Suggestion};
use zhiyin_store::{StoreError, Wanted};

use crate::accept::Verdict;
use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// How many members are read at once.
const PAGE: usize = 1_000;
/// The most members that are compared in one go: their profiles lie in memory, one to two kilobytes each.
pub const MEMBERS_MAX: usize = 2_000_000;
/// The most pairs that one search puts into the queue, the likeliest first.
pub const PAIRS_MAX: usize = 100_000;

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Members who were compared.
    pub members: usize,
    /// Pairs that are likely one person.
    pub likely: usize,
    /// Of these, how many were not in the queue before.
    pub new: usize,
}

/// Why a pair was suggested, as the queue keeps it: no values of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// What else the two would be, most likely: `relative` or `stranger`.
    pub rival: String,
    /// What each field says.
    pub fields: Vec<FieldSays>,
}

/// What one field says of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSays {
    /// Which.
    pub field: String,
    /// How it agrees.
    pub agrees: String,
    /// How much it speaks for one person against the rival, in bits, to one decimal.
    pub bits: f64,
    /// How many members have the value, where it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_by: Option<u32>,
}

impl Engine {
    /// Searches everybody for likely doubles, from a score on; [`SCORE_LEAST`] if none is given.
    ///
    /// [`EngineError::TooManyMembers`] if there are more than [`MEMBERS_MAX`].
    #[boxed]
    pub async fn find_duplicates(&self, score_least: Option<f64>) -> Result<Searched> {
        let identity = self.live().map(|live| live.playbook.identity.clone()).unwrap_or_default();
        let mut profiles: Vec<Profile> = Vec::new();
        let mut after = None;
        loop {
            // Every version is older than the last there can be: so these are all members, page by page.
            let page = self.store().members_behind(None, i64::MAX, after, PAGE).await?;
            after = page.last().copied();
            let is_last = page.len() < PAGE;
            self.add_profiles(page, &identity, &mut profiles).await?;
            if profiles.len() > MEMBERS_MAX {
                return Err(EngineError::TooManyMembers(MEMBERS_MAX));
            }
            if is_last {
                break;
            }
        }
        let members = profiles.len();
        let score_least = score_least.unwrap_or(SCORE_LEAST);
        let compared = tokio::task::spawn_blocking(move || duplicates::find(&profiles, score_least)).await;
        let mut found = compared.map_err(|_| StoreError::Stopped)?;
        found.truncate(PAIRS_MAX);
        let at = clock::now(&self.home().await?);
        let mut new = 0;
        for pairs in found.chunks(PAGE) {
            let pairs = pairs.iter().map(queued).collect::<Result<Vec<_>>>()?;
            new += self.store().put_suggestions(pairs, at).await?;
        }
        Ok(Searched { members, likely: found.len(), new })
    }

    async fn add_profiles(
        &self,
        page: Vec<MemberId>,
        identity: &Identity,
        profiles: &mut Vec<Profile>,
    ) -> Result<()> {
        let names = self.store().identifiers_of(page.clone()).await?;
        let loaded = self.store().load(Wanted { members: page, ..Wanted::default() }).await?;
        for stored in &loaded.members {
            let first = names.partition_point(|(member, ..)| *member < stored.member.id);
            let n_own = names[first..].partition_point(|(member, ..)| *member == stored.member.id);
            profiles.push(profile(&stored.member, &names[first..first + n_own], identity));
        }
        Ok(())
    }

    /// Decides a suggestion: they are different people, or they were merged. What was decided stays; how it stands now, or
    /// `None` if there is no such suggestion.
    ///
    /// A merge itself is not made here ([`Engine::merge_duplicate`] does that).
    #[boxed]
    pub async fn decide_duplicate(&self, no: i64, state: State, by: &str) -> Result<Option<Suggestion>> {
        let by: String = by.chars().filter(|c| !c.is_control()).take(BY_CHARS_MAX).collect();
        let at = clock::now(&self.home().await?);
        Ok(self.store().decide_suggestion(no, state, &by, at).await?)
    }

    /// The two of a suggestion are one person: merges them, and closes it. Who was known first is who they are. `None` if there
    /// is no such suggestion. Broken off in between, it is closed when it is said again.
    #[boxed]
    pub async fn merge_duplicate(&self, no: i64, by: &str) -> Result<Option<Verdict>> {
        let Some(suggestion) = self.store().suggestion(no).await? else { return Ok(None) };
        let refused = |code, message: &str| Ok(Some(Verdict::Refused(Refusal::new(code, "number", message))));
        match suggestion.state {
            State::Open => {}
            State::Merged => return Ok(Some(Verdict::Duplicate)),
            State::Different => return refused("suggestion_decided", "they were said to be two people"),
        }
        let pair = [suggestion.pair.one, suggestion.pair.other];
        let mut known: Vec<Member> = Vec::new();
        for member in pair {
            let loaded = self.store().load(Wanted { members: vec![member], ..Wanted::default() }).await?;
            known.extend(loaded.members.into_iter().map(|stored| stored.member));
        }
        if known.len() < pair.len() {
            self.decide_duplicate(no, State::Merged, by).await?;
            return Ok(Some(Verdict::Duplicate));
        }
        known.sort_by_key(|member| (member.enrolled_at.unwrap_or(member.known_since), member.id));
        let named = self.store().identifiers_of(pair.to_vec()).await?;
        let mut names: Vec<Identifier> = Vec::new();
        for member in &known {
            let name = named.iter().find(|(of, ..)| *of == member.id);
            let Some((_, namespace, value)) = name.cloned() else {
                return refused("member_unknown", "one of them bears no identifier");
            };
            names.push(Identifier { namespace, value });
        }
        let verdict = self.merge(&names, &format!("suggestion {no}")).await?;
        if !matches!(verdict, Verdict::Refused(_)) {
            self.decide_duplicate(no, State::Merged, by).await?;
        }
        Ok(Some(verdict))
    }
}

/// Reads the evidence of a suggestion.
pub fn why(suggestion: &Suggestion) -> Result<Why> {
    let read = serde_json::from_str(&suggestion.pair.evidence);
    Ok(read.map_err(|error| StoreError::Damaged(format!("evidence {}: {error}", suggestion.no)))?)
}

#[expect(clippy::float_arithmetic, reason = "a likelihood is rounded to be kept")]
fn queued(likely: &Likely) -> Result<NewSuggestion> {
    let fields = likely.evidence.iter().map(|says| FieldSays {
        field: says.field.word().to_owned(),
        agrees: says.agrees.word().to_owned(),
        bits: (says.bits * 10.0).round() / 10.0,
        shared_by: says.shared_by,
    });
    let why = Why { rival: likely.rival.word().to_owned(), fields: fields.collect() };
    let evidence = serde_json::to_string(&why).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let score_ppm = (likely.score * f64::from(SCORE_PPM_MAX)).clamp(0.0, f64::from(SCORE_PPM_MAX)) as i32;
    Ok(NewSuggestion { one: likely.one, other: likely.other, score_ppm, evidence })
}

/// What is compared of a member. Phones and addresses come also from what they are called by.
fn profile(member: &Member, names: &[(MemberId, String, String)], identity: &Identity) -> Profile {
    let mut profile = Profile::new(member.id);
    let text = |keys: &[&str]| naming::told(member, keys).map(str::to_owned);
    profile.names = naming::names(member);
    let told = [("phone", text(&["phone", "mobile"])), ("email", text(&["email"]))];
    let told = told.iter().filter_map(|(kind, value)| value.as_deref().map(|value| (*kind, value)));
    let names = names.iter().map(|(_, namespace, value)| (namespace.as_str(), value.as_str()));
    for (namespace, value) in names.chain(told) {
        let values = match identifier::kind(namespace) {
            "phone" => &mut profile.phones,
            "email" => &mut profile.emails,
            "device" => &mut profile.devices,
            _ => continue,
        };
        let value = identifier::normalise(namespace, value).ok();
        let known = value.filter(|value| !identity.is_blocked(namespace, value) && !values.contains(value));
        values.extend(known.filter(|_| values.len() < duplicates::VALUES_MAX));
    }
    profile.birthday = text(&["birthday"]).and_then(|text| match LunarDay::parse(&text) {
        Some(lunar) => lunar.born(),
        None => Day::parse(text.get(..10)?),
    });
    profile.gender = text(&["gender"]);
    profile.city = text(&["city"]);
    profile.address = text(&["address", "street"]);
    profile.store = member.touches.store.as_ref().map(|(_, store)| store.clone());
    profile
}
