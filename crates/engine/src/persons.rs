//! Who is whom, as a person says it: merging members, and parting one who was two people, previewed first.

use std::collections::BTreeSet;

use zhiyin_decide::outcome::Outcome;
use zhiyin_decide::person;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::effect::Asset;
use zhiyin_model::event::Refusal;
use zhiyin_model::event::json::write_text;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::Wanted;

use crate::accept::{Source, Ties, Verdict};
use crate::boxed;
use crate::identity::as_kept;
use crate::pipeline::parting;
use crate::{Engine, Result, clock, rebuild};

/// The source of what people say at a desk.
const DESK: &str = "desk";
/// How many are merged at once, and how many identifiers leave at once.
pub const IDENTIFIERS_MAX: usize = 20;

/// What would become of one of two people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// Events of theirs, derived ones included.
    pub events: usize,
    /// Orders.
    pub orders: usize,
    /// Points that can be spent or will be, less debt.
    pub points: i64,
    /// What they would owe: their own lots cannot cover it.
    pub debt: i64,
    /// Growth.
    pub growth: i64,
    /// Their tier.
    pub tier: Option<String>,
    /// Their stage.
    pub stage: Option<String>,
}

impl Engine {
    /// Whose these identifiers are, or why nobody can say.
    async fn members_of(
        &self,
        identifiers: &[Identifier],
    ) -> Result<std::result::Result<Vec<MemberId>, Refusal>> {
        if identifiers.is_empty() || identifiers.len() > IDENTIFIERS_MAX {
            let message = format!("one to {IDENTIFIERS_MAX} identifiers at once");
            return Ok(Err(Refusal::new("too_many_identifiers", "identifiers", message)));
        }
        let borne = self.borne(identifiers).await?;
        for (n, identifier) in identifiers.iter().enumerate() {
            if !borne.iter().any(|(of, _)| *of == n) {
                let message = format!("nobody is known as {}:…", identifier.namespace);
                return Ok(Err(Refusal::new("member_unknown", format!("identifiers[{n}]"), message)));
            }
        }
        Ok(Ok(borne.into_iter().map(|(_, member)| member).collect()))
    }

    /// Merges the members of these identifiers: the first is who they all are. Decided when this returns.
    #[boxed]
    pub async fn merge(&self, identifiers: &[Identifier], reason: &str) -> Result<Verdict> {
        let identifiers = match all_as_kept(identifiers) {
            Ok(identifiers) => identifiers,
            Err(refusal) => return Ok(Verdict::Refused(refusal)),
        };
        match self.members_of(&identifiers).await? {
            Err(refusal) => return Ok(Verdict::Refused(refusal)),
            Ok(members) if members.iter().all(|member| *member == members[0]) => {
                let message = "they are one member already";
                return Ok(Verdict::Refused(Refusal::new("merged_already", "identifiers", message)));
            }
            Ok(_) => {}
        }
        self.says(names::MEMBERS_MERGE_ASKED, &identifiers, reason).await
    }

    /// Parts a member: these identifiers become somebody else's, with their events, orders and points. Decided when this
    /// returns.
    #[boxed]
    pub async fn unmerge(&self, identifiers: &[Identifier], reason: &str) -> Result<Verdict> {
        let identifiers = match all_as_kept(identifiers) {
            Ok(identifiers) => identifiers,
            Err(refusal) => return Ok(Verdict::Refused(refusal)),
        };
        match self.one_of(&identifiers).await? {
            Err(refusal) => Ok(Verdict::Refused(refusal)),
            Ok(_) => self.says(names::MEMBERS_UNMERGED, &identifiers, reason).await,
        }
    }

    async fn one_of(&self, identifiers: &[Identifier]) -> Result<std::result::Result<MemberId, Refusal>> {
        let members = match self.members_of(identifiers).await? {
            Ok(members) => members,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if members.iter().any(|member| *member != members[0]) {
            let message = "these identifiers are not all of one member";
            return Ok(Err(Refusal::new("not_one_member", "identifiers", message)));
        }
        Ok(Ok(members[0]))
    }

    /// What parting would come to: who stays, and who leaves. Nothing is changed.
    #[boxed]
    pub async fn unmerge_preview(
        &self,
        identifiers: &[Identifier],
    ) -> Result<std::result::Result<[Half; 2], Refusal>> {
        let identifiers = match all_as_kept(identifiers) {
            Ok(identifiers) => identifiers,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let member = match self.one_of(&identifiers).await? {
            Ok(member) => member,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let live = self.live()?;
        let home = self.home().await?;
        let loaded = self.store().load(Wanted { members: vec![member], ..Wanted::default() }).await?;
        let Some(stored) = loaded.members.into_iter().next() else {
            let message = "nothing was decided for them yet";
            return Ok(Err(Refusal::new("member_unknown", "identifiers", message)));
        };
        let mut state = rebuild::state(self.store().as_ref(), &live.rules, stored).await?;
        let past = self.store().whole_past(member).await?;
        let leaving: BTreeSet<&Identifier> = identifiers.iter().collect();
        let parting = parting(self.store().as_ref(), &live, member, &past, &leaving).await?;
        let cause = Cause {
            id: EventId::from_bytes([0; 16]),
            name: "preview",
            clock: clock::now(&home),
            replay: false,
        };
        let at = cause.clock.max(state.member.decided_until);
        let scene = Scene { rules: &live.rules, key: &home.id_key, cause, at };
        let mut outcome = Outcome { at, ..Outcome::default() };
        let parted = person::part(&scene, &mut state, MemberId::from_bytes([0; 16]), &parting, &mut outcome);
        let leaves = parting.sides.values().filter(|side| **side == person::Side::Leaves).count();
        let counts = [
            (past.len() - leaves, parting.orders.len() - parted.orders.len()),
            (leaves, parted.orders.len()),
        ];
        let half = |state: &State, (events, orders): (usize, usize)| {
            let points = state.member.account(Asset::Points);
            Half {
                events,
                orders,
                points: points.balance(),
                debt: points.debt,
                growth: state.member.account(Asset::Growth).balance(),
                tier: state.member.term.as_ref().map(|term| term.level.clone()),
                stage: state.member.stage.as_ref().map(|held| held.stage.clone()),
            }
        };
        Ok(Ok([half(&state, counts[0]), half(&parted.other, counts[1])]))
    }

    /// Takes an item of the desk and decides it.
    async fn says(&self, event: &str, identifiers: &[Identifier], reason: &str) -> Result<Verdict> {
        let source = Source {
            name: DESK.to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Insist,
        };
        let now = clock::now(&self.home().await?);
        let body = item(event, identifiers, reason, now);
        let mut verdicts = self.accept(&source, &[body.into_bytes()], None).await?;
        self.drain(512, None, |_| ()).await?;
        let verdict = verdicts.pop();
        Ok(verdict.unwrap_or(Verdict::Duplicate))
    }
}

/// Identifiers as they are kept, or what is wrong with one of them.
fn all_as_kept(identifiers: &[Identifier]) -> std::result::Result<Vec<Identifier>, Refusal> {
    let kept = |(n, identifier)| as_kept(identifier, &format!("identifiers[{n}]"));
    identifiers.iter().enumerate().map(kept).collect()
}

/// An item that names several.
fn item(event: &str, identifiers: &[Identifier], reason: &str, now: Ts) -> String {
    let mut out = String::from("{\"context\":{\"externalIds\":[");
    for (n, identifier) in identifiers.iter().enumerate() {
        out.push_str(if n == 0 { "{\"id\":" } else { ",{\"id\":" });
        write_text(&identifier.value, &mut out);
        out.push_str(",\"type\":");
        write_text(&identifier.namespace, &mut out);
        out.push('}');
    }
    out.push_str("]},\"event\":");
    write_text(event, &mut out);
    out.push_str(",\"properties\":{\"reason\":");
    write_text(reason, &mut out);
    out.push_str("},\"timestamp\":");
    write_text(&now.rfc3339(), &mut out);
    out.push_str(",\"type\":\"track\"}");
    out
}
