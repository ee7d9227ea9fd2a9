//! Members of an old system come over with what they had there (C7): points as lots with their last days, growth, a tier
//! to the end of its term, tags, when they enrolled.
//!
//! What comes in is owed from the first day, by transfers of a kind of their own. What the member did before, up to the
//! instant of the take-over, is in what was handed over: such orders come into history and earn nothing, and such moves of
//! points are refused.

use zhiyin_model::effect::{Order, OrderStatus, OrderTerms, TagMove, TransferKind};
use zhiyin_model::event::{Event, Refusal, Takeover, names};
use zhiyin_model::member::{Member, TagHeld, Term};
use zhiyin_model::money::Money;
use zhiyin_model::time::{Day, Ts};

use crate::ledger::{self, Lifetime, Purpose};
use crate::outcome::{Known, Missing, Outcome, Stop};
use crate::rules::Rules;
use crate::state::State;
use crate::{Scene, tier};

/// Whether an event lies before the instant up to which an old system kept this member's books.
pub fn is_before(state: &State, event: &Event) -> bool {
    state.member.touches.taken_over.is_some_and(|instant| event.time < instant)
}

/// Refuses to move points by what happened before: what was taken over counts it already.
pub fn ask_not_before(state: &State, event: &Event) -> Result<(), Stop> {
    let moves = [names::POINTS_SPENT, names::POINTS_ADJUSTED, names::POINTS_GIFTED];
    if moves.contains(&event.name.as_str()) && is_before(state, event) {
        let message = "it happened before the member was taken over: their balance counts it already";
        return Err(Stop::refused("before_takeover", "timestamp", message));
    }
    Ok(())
}

/// When somebody enrolled who was taken over.
pub fn enrolled((instant, facts): (Ts, &Takeover)) -> Ts {
    facts.enrolled.unwrap_or(instant).min(instant)
}

/// What a take-over says of the member themselves.
pub fn note(member: &mut Member, (instant, facts): (Ts, &Takeover)) {
    let enrolled = enrolled((instant, facts));
    member.touches.taken_over = member.touches.taken_over.max(Some(instant));
    member.known_since = member.known_since.min(enrolled);
    member.enrolled_at = Some(member.enrolled_at.map_or(enrolled, |since| since.min(enrolled)));
    if let Some(store) = &facts.home_store {
        member.touches.note_store(enrolled, store);
    }
}

/// The term of the tier that was taken over. Without a last day it lasts as long as any, from its first day if it has one.
pub fn term(rules: &Rules, (instant, facts): (Ts, &Takeover)) -> Option<Term> {
    let taken = facts.tier.as_ref()?;
    let zone = &rules.zone;
    let begins = taken.from.unwrap_or_else(|| zone.day(instant));
    let ends = taken.last_day.map_or(begins.plus(rules.tiers.over_days), |last| last.plus(1));
    let from = taken.from.map_or(instant, |from| zone.start(from)).min(instant);
    Some(Term { level: taken.level.clone(), from, ends })
}

/// A member comes over.
pub fn taken_over(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    facts: &Takeover,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let taken = (event.time, facts);
    ask(scene, state, known, taken)?;
    note(&mut state.member, taken);
    for lot in &facts.lots {
        let expires_at = lot.last_day.map_or(Ts::FOREVER, |last| scene.rules.zone.start(last.plus(1)));
        let life = Lifetime { active_at: scene.at, expires_at };
        ledger::earn(scene, state, out, TransferKind::TakeOver, lot.points, life, Purpose::default());
    }
    if facts.growth > 0 {
        growth(scene, state, taken, out);
    }
    match term(scene.rules, taken) {
        Some(term) => tier::take_over(scene, state, term, out),
        None if state.member.term.is_none() => tier::begin_by_growth(scene, state, out),
        None => {}
    }
    for tag in &facts.tags {
        if state.member.tags.contains_key(tag) {
            continue;
        }
        state.member.tags.insert(tag.clone(), TagHeld { since: scene.at, by_rule: false });
        let (member, tag, at, event) = (state.member.id, tag.clone(), scene.at, scene.cause.id);
        out.tags.push(TagMove { member, tag, on: true, at, event });
    }
    Ok(())
}

/// Growth stands as an order of its own kind, dated on its day.
fn growth(scene: &Scene<'_>, state: &mut State, (instant, facts): (Ts, &Takeover), out: &mut Outcome) {
    let today = scene.rules.zone.day(instant);
    let day = facts.growth_day.unwrap_or(today);
    let order = Order {
        id: scene.key.derive("taken over", &[scene.cause.id.bytes()]),
        member: state.member.id,
        time: scene.rules.zone.start(day).min(instant),
        store: None,
        channel: None,
        paid: Money::ZERO,
        refunded: Money::ZERO,
        status: OrderStatus::TakenOver,
        event: scene.cause.id,
        terms: OrderTerms {
            growth_kept: facts.growth,
            times: 1000,
            expires_at: instant,
            ..OrderTerms::default()
        },
    };
    ledger::take_over_growth(scene, state, out, (facts.growth, day), order.id);
    out.order = Some(order);
}

/// Refuses what cannot be taken over, before anything changes.
fn ask(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    (instant, facts): (Ts, &Takeover),
) -> Result<(), Stop> {
    let rules = scene.rules;
    if state.member.touches.taken_over.is_some() {
        let message = "this member was taken over already, by another row";
        return Err(Stop::refused("taken_over_already", "context.externalIds", message));
    }
    let here = state.member.enrolled_at.is_some();
    if here && !facts.join {
        let message = "one of these identifiers is of a member who is here already";
        return Err(Stop::refused("member_known", "context.externalIds", message));
    }
    check(rules, (instant, facts))?;
    if here {
        let history = known.history.as_ref().ok_or(Stop::Missing(Missing::History))?;
        if history.orders.iter().any(|(_, order)| order.time < instant) {
            return Err(Stop::Refused(orders_came_first()));
        }
    }
    Ok(())
}

/// The refusal of somebody whose orders from before came in before them.
pub fn orders_came_first() -> Refusal {
    let message = "orders from before the take-over came in first and have earned: members are taken over before their orders";
    Refusal::new("orders_came_first", "context.externalIds", message)
}

/// Refuses what these rules do not know or what had ended before the take-over.
pub fn check(rules: &Rules, (instant, facts): (Ts, &Takeover)) -> Result<(), Refusal> {
    let today = rules.zone.day(instant);
    let past = |day: Option<Day>| day.is_some_and(|day| rules.zone.start(day.plus(1)) <= instant);
    if let Some(i) = facts.lots.iter().position(|lot| past(lot.last_day)) {
        let field = format!("properties.lots[{i}].last_day");
        return Err(Refusal::new("points_expired", field, "these points had expired before the take-over"));
    }
    if facts.growth_day.is_some_and(|day| day > today) {
        return Err(Refusal::new("bad_date", "properties.growth_day", "not after the take-over"));
    }
    if let Some(tier) = &facts.tier {
        if !rules.tiers.levels.iter().any(|(level, _)| *level == tier.level) {
            return Err(Refusal::new(
                "tier_unknown",
                "properties.tier.level",
                "the playbook has no such tier",
            ));
        }
        if tier.from.is_some_and(|from| from > today) {
            return Err(Refusal::new("bad_date", "properties.tier.from", "not after the take-over"));
        }
        if term(rules, (instant, facts)).is_some_and(|term| rules.zone.start(term.ends) <= instant) {
            let message = "its term had ended before the take-over";
            return Err(Refusal::new("tier_ended", "properties.tier.last_day", message));
        }
    }
    if facts.tags.iter().any(|tag| rules.tags.iter().any(|rule| rule.id == *tag)) {
        let message = "a tag that the playbook gives by a rule is not taken over";
        return Err(Refusal::new("tag_by_rule", "properties.tags", message));
    }
    Ok(())
}
