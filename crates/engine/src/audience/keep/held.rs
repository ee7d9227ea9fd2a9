//! Standing audiences held against the condition asked as of now, a part of the members at a time.
//!
//! Whom the columns find by the condition and whom the record has in the audience must be the same members. Where they are not, the
//! member is read again and judged alone, so that what is merely late is no difference: a timer that is due and did not fire
//! yet, a version of the playbook that did not reach them, columns behind, an order dated ahead. What is left is a defect, or a
//! hand in the database: it is counted, logged, and healed by an event of the home's own about that member, which is decided
//! like any other, so whoever enters or leaves by it says so. Nothing is written beside the pipeline.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_audience::{Mark, MemberSet, Question};
use zhiyin_condition::{Leaves, holds};
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;
use zhiyin_store::crowd::Whole;

use super::super::one::One;
use super::super::{checked, person};
use super::{ENTRIES, Keeper};
use crate::accept::{Source, Ties};
use crate::boxed;
use crate::{Engine, Live, Result, clock};

/// Ordinals that are looked at, at once: a block of columns.
const LOOKED: u32 = 65_536;
/// Members who are read again, at once.
const READ_MAX: usize = 200;
/// The source of what asks for somebody to be judged again.
const SOURCE: &str = "reconcile";

/// How standing audiences stood when they were held against their conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reconciled {
    /// Members who were looked at, by this process so far.
    pub looked: u64,
    /// Times that somebody was in a standing audience against its condition, or out of it. Must stay 0.
    pub differences: u64,
    /// How many of them are to be judged again for it.
    pub healing: u64,
    /// When everybody had been looked at; nothing, before the first time.
    pub whole_at: Option<String>,
    /// The instant of the last look; nothing, before the first.
    pub as_of: Option<String>,
    /// Where the next look begins.
    #[serde(skip)]
    pub(super) next: u32,
}

/// A member whom the record has in an audience that does not hold for them, or not in one that does.
struct Wrong {
    member: MemberId,
    audiences: Vec<String>,
    decided_until: Ts,
}

impl Engine {
    /// How far standing audiences were held against their conditions by this process.
    pub fn standing_reconciled(&self) -> Reconciled {
        self.audiences.reconciled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds the next part of the members against the conditions of standing audiences; how many times somebody differed.
    #[boxed]
    pub async fn standing_looked(&self, keeper: &Keeper) -> Result<usize> {
        let home = self.home().await?;
        let live = &keeper.live;
        let late = home.replaying
            || home.version != live.version.version
            || !self.store().feed(keeper.kept.position(), ENTRIES).await?.is_empty();
        if late || live.rules.audiences.is_empty() {
            return Ok(0);
        }
        let now = clock::now(&home);
        let from = self.standing_reconciled().next;
        let (suspects, last) = self.suspects(keeper, from, now).await?;
        // Where there are more than are read at once, the next look begins after them.
        let end = match suspects.get(READ_MAX) {
            Some((ordinal, _)) => *ordinal,
            None => last.min(from.saturating_add(LOOKED)),
        };
        let suspects = suspects.into_iter().take(READ_MAX).map(|(_, member)| member).collect();
        let wrong = self.wrong(keeper, suspects, now).await?;
        // A look through all members, so it is taken only where somebody differs.
        if !wrong.is_empty() && !self.store().members_behind(None, home.version, None, 1).await?.is_empty() {
            return Ok(0);
        }
        let mut healing = 0;
        for one in &wrong {
            healing += u64::from(self.judge_again(one).await?);
        }
        let n = wrong.iter().map(|one| one.audiences.len()).sum();
        if n > 0 {
            let audiences: BTreeSet<&String> = wrong.iter().flat_map(|one| &one.audiences).collect();
            tracing::error!(
                members = wrong.len(),
                ?audiences,
                "standing audiences differed from their conditions; those members are judged again"
            );
            self.measures.audiences().standing_differed(n);
            self.wake();
        }
        let mut told = self.audiences.reconciled.write().unwrap_or_else(PoisonError::into_inner);
        told.differences += n as u64;
        told.healing += healing;
        told.as_of = Some(now.rfc3339());
        told.looked += u64::from(end.saturating_sub(from));
        told.next = end;
        if end >= last {
            told.next = 0;
            told.whole_at = Some(now.rfc3339());
        }
        Ok(n)
    }

    /// Members of a part of whom columns say one thing by the condition and another by the record; and where ordinals end.
    async fn suspects(&self, keeper: &Keeper, from: u32, now: Ts) -> Result<(Vec<(u32, MemberId)>, u32)> {
        let (kept, live) = (Arc::clone(&keeper.kept), Arc::clone(&keeper.live));
        let turn = Arc::clone(&self.audiences.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::Database(error.to_string()))?;
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let seen = kept.population.seen();
            let last = seen.ordinals();
            let part = MemberSet::of(from..last.min(from.saturating_add(LOOKED)));
            let mut suspects = MemberSet::default();
            for rule in &live.rules.audiences {
                let condition = checked(&live, &format!("@{}", rule.id))?;
                let found = seen.find_within(&Question { condition: &condition, now }, Some(&part)).members;
                let held = seen.marked(Mark::Standing(&rule.id)).and(&part);
                suspects = suspects.or(&found.and_not(&held)).or(&held.and_not(&found));
            }
            let suspects = suspects.ordinals().zip(seen.ids(&suspects)).collect();
            Ok((suspects, last))
        });
        looked.await.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Those of suspects of whom the record says what it would not decide now.
    async fn wrong(&self, keeper: &Keeper, suspects: Vec<MemberId>, now: Ts) -> Result<Vec<Wrong>> {
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        let wholes = self.store().crowd().these(suspects).await?;
        // Whoever changed meanwhile may have been read in part, and is looked at another time.
        let changed = self.store().feed(keeper.kept.position(), ENTRIES).await?;
        let changed: BTreeSet<MemberId> = changed.into_iter().flat_map(|entry| entry.members).collect();
        let mut wrong = Vec::new();
        for whole in wholes.into_iter().filter(|whole| !changed.contains(&whole.member.id)) {
            let member = &whole.member;
            let late = member.timers.values().any(|due| *due <= now) || member.decided_until > now;
            if late || member.audiences.closed {
                continue;
            }
            wrong.extend(wrong_of(&keeper.live, whole, now)?);
        }
        Ok(wrong)
    }

    /// Says that a member is to be judged again; whether that was news. As long as nothing was decided for them since, it is said
    /// once.
    async fn judge_again(&self, wrong: &Wrong) -> Result<bool> {
        let named = self.store().identifiers_of(vec![wrong.member]).await?;
        let mut names: Vec<Identifier> =
            named.into_iter().map(|(_, namespace, value)| Identifier { namespace, value }).collect();
        let identity = self.identity();
        names.sort_by_key(|name| identity.rule(&name.namespace).priority);
        let borne = self.borne(&names).await?;
        let Some(name) = borne.iter().find(|(_, member)| *member == wrong.member).map(|(n, _)| &names[*n])
        else {
            tracing::error!("a member who differs bears no name by which they could be judged again");
            return Ok(false);
        };
        let now = clock::now(&self.home().await?);
        let item = json!({
            "type": "track",
            "event": names::AUDIENCES_REVIEWED,
            "messageId": format!("{}/{}", wrong.member, wrong.decided_until.0),
            "timestamp": now.rfc3339(),
            "context": {"externalIds": [{"id": name.value, "type": name.namespace}]},
            "properties": {"audiences": wrong.audiences.join(" ")},
        });
        let source = Source {
            name: SOURCE.to_owned(),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let verdicts = self.accept(&source, &[item.to_string().into_bytes()], None).await?;
        Ok(verdicts.contains(&crate::accept::Verdict::Accepted))
    }
}

/// In which audiences the record has a member wrongly, or wrongly not.
fn wrong_of(live: &Live, whole: Whole, now: Ts) -> Result<Option<Wrong>> {
    let (member, decided_until) = (whole.member.id, whole.member.decided_until);
    let person = person::now(&live.rules, whole)?;
    // What is dated ahead was judged at its own time.
    let ahead = person.orders.iter().map(|row| row.time).chain(person.events.iter().map(|row| row.time));
    if ahead.max().is_some_and(|last| last > now) {
        return Ok(None);
    }
    let mut audiences = Vec::new();
    for rule in &live.rules.audiences {
        let mut condition = checked(live, &format!("@{}", rule.id))?;
        let (zone, exponent) = (live.rules.zone.clone(), live.rules.currency.exponent);
        let leaves = Leaves::collect([&mut condition], zone, exponent);
        let is_in = person.standing.contains(&rule.id);
        if holds(&condition, &leaves, &One::of(&person, &leaves), now).0 != is_in {
            audiences.push(rule.id.clone());
        }
    }
    Ok((!audiences.is_empty()).then_some(Wrong { member, audiences, decided_until }))
}
