//! One member whole: who they are, what they have, how they stand and why, what they told, and who they were.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zhiyin_decide::naming;
use zhiyin_decide::tier::outlook;
use zhiyin_model::consent::Ground;
use zhiyin_model::effect::Asset;
use zhiyin_model::mask::Mask;
use zhiyin_model::member::{Member, Touch};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::read::{DeadLetter, MemberWhole};

use super::contacts::{self, ContactView, GroupView};
use super::orders::{LotView, lot};
use super::{IdentifierView, NamesView, unless_forever};
use crate::audiences::{self, AudienceView};
use crate::boxed;
use crate::sight::{self, ReadProblem};
use crate::told::{Spoken, Standing};
use crate::{Engine, Live, Result, clock};

/// How many of what grows with history are shown: lots, expiries, holds, aliases, refusals.
const SHOWN_MAX: usize = 20;
/// How many dead letters are looked at for those of one member.
const LETTERS_LOOK: usize = 10_000;

/// A member whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberView {
    /// Their id.
    pub id: String,
    /// What they are called.
    pub name: Option<String>,
    /// What they are known by.
    pub identifiers: Vec<IdentifierView>,
    /// When they were first heard of.
    pub known_since: String,
    /// When they enrolled.
    pub enrolled_at: Option<String>,
    /// What they told, or others of them. Numbers are exact, as text.
    pub attributes: BTreeMap<String, Value>,
    /// The store where they were met last.
    pub store: Option<String>,
    /// Who looks after them, by their code among the staff.
    pub advisor: Option<String>,
    /// Where they were met.
    pub touches: TouchesView,
    /// Orders that count.
    pub orders: OrdersSum,
    /// Accounts: points, growth.
    pub accounts: Vec<AccountView>,
    /// Lots of points in the order in which they are spent, the first 20.
    pub lots: Vec<LotView>,
    /// When points expire next, the first 20 instants.
    pub expiries: Vec<ExpiryView>,
    /// What is promised and neither posted nor voided.
    pub holds: Vec<HoldView>,
    /// The tier that they hold; nothing before they enrolled.
    pub tier: Option<TierView>,
    /// Terms, the oldest first.
    pub terms: Vec<TermView>,
    /// The lifecycle stage.
    pub lifecycle: Option<LifecycleView>,
    /// Moves between stages, the oldest first.
    pub moves: Vec<MoveView>,
    /// Tags that hold, and why.
    pub tags: Vec<TagView>,
    /// Standing audiences they are in.
    pub audiences: Vec<AudienceView>,
    /// What may be done for each purpose on each channel.
    pub consents: Vec<ConsentView>,
    /// Every yes and no as it was said, the oldest first.
    pub consents_said: Vec<ConsentSaid>,
    /// Whom they care for.
    pub dependants: Vec<DependantView>,
    /// With whom of the brand's staff they are, or were, in contact.
    pub contacts: Vec<ContactView>,
    /// In which groups they are, or were.
    pub groups: Vec<GroupView>,
    /// Whom they were before they were merged.
    pub merged_from: Vec<AliasView>,
    /// The latest names that their events gave up.
    pub given_up: Vec<GivenUpView>,
    /// The latest events of theirs that could not be decided.
    pub refusals: Vec<RefusalView>,
}

/// Where a member was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TouchesView {
    /// The first time.
    pub first: Option<TouchView>,
    /// The last time.
    pub last: Option<TouchView>,
    /// Up to which instant an old system kept their books.
    pub taken_over: Option<String>,
}

/// Where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TouchView {
    /// When.
    pub at: String,
    /// The touchpoint's code.
    pub touchpoint: String,
    /// What it is called, where the playbook declares it.
    pub name: Option<NamesView>,
}

/// Sums of orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrdersSum {
    /// How many count.
    pub count: i64,
    /// What was paid for them and did not come back, in minor units.
    pub paid_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountView {
    /// Of what: `points`, `growth`.
    pub asset: String,
    /// What the member is shown and may spend: never below zero.
    pub shown: i64,
    /// What can be spent, less nothing.
    pub active: i64,
    /// Earned, not yet spendable.
    pub pending: i64,
    /// Part of what is active that is promised.
    pub held: i64,
    /// Owed.
    pub debt: i64,
}

/// Points that expire together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExpiryView {
    /// When; they do not count any more from then on.
    pub at: String,
    /// How many.
    pub points: i64,
}

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HoldView {
    /// Its id: what a posting or a voiding names.
    pub id: String,
    /// Of what.
    pub asset: String,
    /// How much.
    pub amount: i64,
}

/// How a member stands between levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TierView {
    /// The level held.
    pub level: String,
    /// What members call it.
    pub name: NamesView,
    /// Since when this term runs.
    pub from: String,
    /// The day at whose beginning it ends and is judged again.
    pub ends: String,
    /// Growth that counts today.
    pub growth: i64,
    /// Over how many days growth counts.
    pub over_days: i32,
    /// The next level, and what is missing to it.
    pub next: Option<LevelAhead>,
    /// What growth stops counting first.
    pub lapses: Option<LapseView>,
    /// What keeps the level at the end of the term.
    pub keep: Option<KeepView>,
}

/// A level that is not reached yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LevelAhead {
    /// Its id.
    pub level: String,
    /// What members call it.
    pub name: NamesView,
    /// The growth from which it is held.
    pub growth_needed: i64,
    /// How much of that is missing today.
    pub growth_missing: i64,
}

/// Growth that stops counting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LapseView {
    /// From which day on.
    pub day: String,
    /// How much.
    pub growth: i64,
}

/// What keeps a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeepView {
    /// The growth that must count when the term ends.
    pub growth_needed: i64,
    /// How much of that is missing if nothing more is earned.
    pub growth_missing: i64,
    /// The last day on which it can be earned.
    pub by: String,
}

/// A term of a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TermView {
    /// The level.
    pub level: String,
    /// Since when.
    pub from: String,
    /// The day at whose beginning it was to end.
    pub ends: String,
}

/// A lifecycle stage that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LifecycleView {
    /// Its id.
    pub stage: String,
    /// What people call it.
    pub name: NamesView,
    /// Since when.
    pub since: String,
    /// The condition under which a member is in it, as the live playbook writes it.
    pub rule: Option<String>,
}

/// A move between stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MoveView {
    /// From where; nothing at first.
    pub from: Option<String>,
    /// To where.
    pub to: String,
    /// When.
    pub at: String,
}

/// A tag, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TagView {
    /// Its id.
    pub tag: String,
    /// What people call it.
    pub name: NamesView,
    /// The group it is listed in.
    pub group: Option<String>,
    /// Since when.
    pub since: String,
    /// Whether a rule put it on, and may take it off.
    pub by_rule: bool,
    /// That rule, as the live playbook writes it; nothing, where it has none of this tag any more, or somebody put it on.
    pub rule: Option<String>,
    /// The last day on which the rule holds.
    pub until: Option<String>,
}

/// What may be done for a purpose on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsentView {
    /// For what.
    pub purpose: String,
    /// On which channel; `all` where the purpose has none.
    pub channel: String,
    /// Whether it may be done.
    pub allowed: bool,
    /// On what ground, or why not: `given`, `withdrawn`, `minor`…
    pub why: String,
    /// Since when it was given.
    pub since: Option<String>,
    /// Until when time alone does not change it.
    pub until: Option<String>,
}

/// A yes or a no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsentSaid {
    /// When.
    pub at: String,
    /// Yes, or no.
    pub given: bool,
    /// To what.
    pub purpose: String,
    /// On which channel.
    pub channel: String,
    /// To which version of the text.
    pub version: Option<String>,
    /// Where.
    pub source: Option<String>,
    /// Who said it for them.
    pub guardian: Option<String>,
}

/// Somebody a member cares for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DependantView {
    /// Child, parent…
    pub kind: String,
    /// What they are called.
    pub name: Option<String>,
    /// When they are, or were, to be born.
    pub due_on: Option<String>,
    /// When they were born.
    pub birthday: Option<String>,
    /// Their gender.
    pub gender: Option<String>,
}

/// Whom a member was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AliasView {
    /// The id that ended.
    pub id: String,
    /// Since when it is this member.
    pub since: String,
}

/// A name that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GivenUpView {
    /// When its event happened.
    pub at: String,
    /// Its namespace.
    pub namespace: String,
    /// Why.
    pub why: String,
}

/// An event that could not be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusalView {
    /// Its place: what a retry names.
    pub seq: i64,
    /// When it happened.
    pub at: String,
    /// What it is called.
    pub event: String,
    /// Who sent it.
    pub source: String,
    /// Why, as a name.
    pub code: String,
    /// The field at fault.
    pub field: String,
}

fn touch(live: &Live, touch: &Touch) -> TouchView {
    let name = live.playbook.touchpoint(&touch.code).map(|known| NamesView::from(&known.name));
    TouchView { at: touch.at.rfc3339(), touchpoint: touch.code.clone(), name }
}

fn accounts(member: &Member) -> Vec<AccountView> {
    let of = |asset: &Asset| {
        let account = member.account(*asset);
        AccountView {
            asset: asset.name().to_owned(),
            shown: account.shown(),
            active: account.active,
            pending: account.pending,
            held: account.held,
            debt: account.debt,
        }
    };
    Asset::ALL.iter().map(of).collect()
}

/// Points by when they expire, those that never do left out.
fn expiries(lots: &[(i64, i64, Ts, Ts)]) -> Vec<ExpiryView> {
    let mut sums: BTreeMap<Ts, i64> = BTreeMap::new();
    for (remaining, _, _, at) in lots.iter().filter(|(.., at)| *at != Ts::FOREVER) {
        *sums.entry(*at).or_default() += remaining;
    }
    let view = |(at, points): (Ts, i64)| ExpiryView { at: at.rfc3339(), points };
    sums.into_iter().take(SHOWN_MAX).map(view).collect()
}

fn tier(live: &Live, member: &Member, now: Ts) -> Option<TierView> {
    let term = member.term.as_ref()?;
    let rules = &live.rules;
    let name = |id: &str| {
        live.playbook.tiers.level(id).map(|level| NamesView::from(&level.name)).unwrap_or_default()
    };
    let outlook = outlook(rules, member, rules.zone.day(now));
    let next = outlook.next.map(|(level, needed, missing)| LevelAhead {
        name: name(&level),
        level,
        growth_needed: needed,
        growth_missing: missing,
    });
    let keep = outlook.keep.map(|(needed, missing)| KeepView {
        growth_needed: needed,
        growth_missing: missing,
        by: term.ends.plus(-1).to_string(),
    });
    Some(TierView {
        level: term.level.clone(),
        name: name(&term.level),
        from: term.from.rfc3339(),
        ends: term.ends.to_string(),
        growth: outlook.growth,
        over_days: rules.tiers.over_days,
        next,
        lapses: outlook.lapses.map(|(day, growth)| LapseView { day: day.to_string(), growth }),
        keep,
    })
}

fn lifecycle(live: &Live, member: &Member) -> Option<LifecycleView> {
    let held = member.stage.as_ref()?;
    let known = live.playbook.stage(&held.stage);
    Some(LifecycleView {
        stage: held.stage.clone(),
        name: known.map(|stage| NamesView::from(&stage.name)).unwrap_or_default(),
        since: held.since.rfc3339(),
        rule: known.map(|stage| stage.when.text.clone()),
    })
}

fn tags(live: &Live, member: &Member) -> Vec<TagView> {
    let of = |(tag, held): (&String, &zhiyin_model::member::TagHeld)| {
        let known = live.playbook.tags.get(tag);
        let rule = known.and_then(|known| known.who.as_ref()).filter(|_| held.by_rule);
        TagView {
            tag: tag.clone(),
            name: known.map(|known| NamesView::from(&known.name)).unwrap_or_default(),
            group: known.and_then(|known| known.group.clone()),
            since: held.since.rfc3339(),
            by_rule: held.by_rule,
            rule: rule.map(|rule| rule.text.clone()),
            until: known.and_then(|known| known.until).map(|day| day.to_string()),
        }
    };
    member.tags.iter().map(of).collect()
}

fn consent(standing: Standing) -> ConsentView {
    let (allowed, why, since) = match standing.answer.allowed {
        Ok(ground) => {
            let since = if let Ground::Given { since, .. } = ground { Some(since.rfc3339()) } else { None };
            (true, ground.name(), since)
        }
        Err(refused) => (false, refused.name(), None),
    };
    ConsentView {
        purpose: standing.purpose,
        channel: standing.channel,
        allowed,
        why: why.to_owned(),
        since,
        until: unless_forever(standing.answer.until),
    }
}

fn said(mask: Mask, spoken: Spoken) -> ConsentSaid {
    ConsentSaid {
        at: spoken.at.rfc3339(),
        given: spoken.given,
        purpose: spoken.purpose,
        channel: spoken.channel,
        version: Some(spoken.version).filter(|version| !version.is_empty()),
        source: spoken.source,
        guardian: spoken.guardian.and_then(|guardian| mask.name(&guardian)),
    }
}

fn dependants(mask: Mask, member: &Member) -> Vec<DependantView> {
    let of = |one: zhiyin_model::dependant::Dependant<'_>| DependantView {
        kind: one.kind.to_owned(),
        name: one.name.and_then(|name| mask.name(name)),
        due_on: one.due_on.map(|day| day.to_string()),
        birthday: one.birthday.map(|day| day.to_string()),
        gender: one.gender.map(str::to_owned),
    };
    member.personal.dependants.known().map(of).collect()
}

fn refusal(letter: DeadLetter) -> RefusalView {
    RefusalView {
        seq: letter.seq,
        at: letter.time.rfc3339(),
        event: letter.name,
        source: letter.source,
        code: letter.code,
        field: letter.field,
    }
}

impl Engine {
    /// One member whole, as far as a grant may see.
    #[boxed]
    pub async fn member(&self, grant: &Grant, id: &str) -> Result<MemberView> {
        let (filter, seen) = self.seen(grant, Operation::MemberRead, id).await?;
        let (mask, live) = (filter.mask, self.live()?);
        let now = clock::now(&self.home().await?);
        let (store, reading) = (self.store(), self.store().reading());
        let (whole, holds, aliases, letters) = tokio::try_join!(
            store.member_whole(seen.id),
            reading.open_holds(seen.id, SHOWN_MAX),
            reading.aliases(seen.id, SHOWN_MAX),
            reading.letters_about(seen.id, LETTERS_LOOK),
        )?;
        // Who was merged between two looks is found under who they are the next time.
        let whole: MemberWhole = whole.ok_or(ReadProblem::Nobody)?;
        let member = &whole.member;
        let spoke = !member.personal.consents.is_empty();
        let spoken = if spoke { self.consents_said(member.id).await? } else { Vec::new() };
        let named = |(namespace, value): &(String, String)| {
            let value = mask.identifier(namespace, value)?;
            Some(IdentifierView { namespace: namespace.clone(), value })
        };
        Ok(MemberView {
            id: member.id.to_string(),
            name: sight::called(mask, member),
            identifiers: whole.identifiers.iter().filter_map(named).collect(),
            known_since: member.known_since.rfc3339(),
            enrolled_at: member.enrolled_at.map(Ts::rfc3339),
            attributes: sight::attributes(mask, &live.playbook, member),
            store: sight::store(member).map(str::to_owned),
            advisor: naming::advisor(member).map(str::to_owned),
            touches: TouchesView {
                first: member.touches.first.as_ref().map(|one| touch(&live, one)),
                last: member.touches.last.as_ref().map(|one| touch(&live, one)),
                taken_over: member.touches.taken_over.map(Ts::rfc3339),
            },
            orders: OrdersSum {
                count: whole.orders.0,
                paid_minor: whole.orders.1,
                currency: live.rules.currency.code.clone(),
            },
            accounts: accounts(member),
            lots: whole.lots.iter().take(SHOWN_MAX).map(|one| lot(one, now)).collect(),
            expiries: expiries(&whole.lots),
            holds: holds
                .iter()
                .map(|hold| HoldView {
                    id: hold.id.to_string(),
                    asset: hold.asset.name().to_owned(),
                    amount: hold.amount,
                })
                .collect(),
            tier: tier(&live, member, now),
            terms: whole
                .terms
                .iter()
                .map(|(level, from, ends)| TermView {
                    level: level.clone(),
                    from: from.rfc3339(),
                    ends: ends.to_string(),
                })
                .collect(),
            lifecycle: lifecycle(&live, member),
            moves: whole
                .stages
                .iter()
                .map(|(from, to, at)| MoveView { from: from.clone(), to: to.clone(), at: at.rfc3339() })
                .collect(),
            tags: tags(&live, member),
            audiences: audiences::of(&live, member),
            consents: self.consents(member).await?.into_iter().map(consent).collect(),
            consents_said: spoken.into_iter().map(|one| said(mask, one)).collect(),
            dependants: dependants(mask, member),
            contacts: contacts::of(member),
            groups: contacts::groups_of(member),
            merged_from: aliases
                .iter()
                .map(|(id, since)| AliasView { id: id.to_string(), since: since.rfc3339() })
                .collect(),
            given_up: whole
                .given_up
                .iter()
                .map(|(at, namespace, why)| GivenUpView {
                    at: at.rfc3339(),
                    namespace: namespace.clone(),
                    why: why.name().to_owned(),
                })
                .collect(),
            refusals: letters.into_iter().take(SHOWN_MAX).map(refusal).collect(),
        })
    }
}
