//! The pure decisions: what an event or a timer means for a member under a playbook.
//!
//! [`decide`] and [`fall_due`] take the compiled playbook ([`rules::Rules`]), a member's state, and what happened,
//! and say what must become true ([`outcome::Outcome`]). No I/O, no clock, no randomness: the same code serves
//! production, the replay of a year, simulation and the fault tests. What a decision needs and was not given it asks
//! for ([`outcome::Missing`]), before it has changed anything; what it will not do it refuses by name.
//! Read on in [`order`] (earning and taking back), [`ledger`] (accounts, lots, holds), [`tier`], [`judge`]
//! (lifecycle and tags), [`audience`] (standing audiences), [`campaign`] (runs, guard-rails), [`points`] (spending), [`coupon`], [`checkout`], [`takeover`] (members of an old system), [`partner`], [`consent`] (what may be
//! done to whom), [`person`] (who is whom), [`duplicates`] (records that are likely of one
//! person), [`draw`] (who wins).

pub mod audience;
pub mod campaign;
pub mod checkout;
pub mod consent;
mod contact;
pub mod coupon;
mod dependant;
pub mod draw;
pub mod duplicates;
pub mod judge;
pub mod ledger;
pub mod naming;
pub mod order;
pub mod outcome;
pub mod partner;
pub mod person;
pub mod points;
pub mod rules;
pub mod state;
pub mod tag;
pub mod takeover;
pub mod tier;

use zhiyin_condition::{EventRow, Row};
use zhiyin_model::event::{Event, names};
use zhiyin_model::id::{EventId, IdKey};
use zhiyin_model::member::Touch;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use outcome::{Known, Outcome, Stop};
use rules::Rules;
use state::State;

/// What causes a decision.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// The event's id.
    pub id: EventId,
    /// What its derived events are named after: `source/message id`.
    pub name: &'a str,
    /// Business time at which it was accepted.
    pub clock: Ts,
    /// Whether it came as history.
    pub replay: bool,
}

/// Everything a decision reads besides the member.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The playbook.
    pub rules: &'a Rules,
    /// Keys derived ids.
    pub key: &'a IdKey,
    /// Why.
    pub cause: Cause<'a>,
    /// Business time of the decision.
    pub at: Ts,
}

impl Scene<'_> {
    /// Whether what happens is history, on which nothing acts.
    pub(crate) fn is_past(&self) -> bool {
        self.cause.replay && self.rules.plays.is_none_or(|since| self.at < since)
    }
}

/// Decides an event about a member. On `Err` the state is as it was.
pub fn decide(
    rules: &Rules,
    key: &IdKey,
    state: &mut State,
    known: &Known,
    event: &Event,
    cause: Cause<'_>,
) -> Result<Outcome, Stop> {
    let at = event.time.max(cause.clock).max(state.member.decided_until);
    let scene = Scene { rules, key, cause, at };
    campaign::ask(&scene, known, event.time)?;
    let mut out = Outcome { at, ..Outcome::default() };
    let newcomer = state.member.enrolled_at.is_none();
    if newcomer && event.takeover.is_none() {
        tier::enrol(&scene, state, event.time, &mut out);
    }
    if let Err(stop) = act(&scene, state, known, event, &mut out) {
        if newcomer {
            state.member.enrolled_at = None;
            state.member.term = None;
            state.member.timers.clear();
        }
        return Err(stop);
    }
    note_profile(scene.rules, state, event);
    note_history(rules, state, event);
    partner::note(&scene, state, event, newcomer, &mut out);
    tier::raise(&scene, state, &mut out);
    coupon::after_order(&scene, state, known, event, &mut out);
    coupon::settle(&scene, state, known, event, &mut out);
    judge::judge(&scene, state, &mut out);
    campaign::after(&scene, state, known, (Some(event), None), &mut out);
    campaign::set_timer(&scene, state);
    // Not the event's own time, which may lie a little ahead: that must not carry what comes next ahead too.
    state.member.decided_until = state.member.decided_until.max(cause.clock);
    Ok(out)
}

/// What the event itself asks for. Nothing is changed before it is certain that all of it can be done.
fn act(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    if let Some(facts) = &event.takeover {
        return takeover::taken_over(scene, state, known, event, facts, out);
    }
    takeover::ask_not_before(state, event)?;
    partner::ask(scene.rules, event)?;
    match event.name.as_str() {
        names::ORDER_COMPLETED | names::ORDER_UPDATED => {
            coupon::ask(scene, known)?;
            coupon::ask_confirmed(scene, state, known, event)?;
            order::completed(scene, state, known, event, out)
        }
        names::ORDER_PAID => {
            coupon::ask_confirmed(scene, state, known, event)?;
            order::paid(scene, state, known, event, out)
        }
        names::ORDER_REFUNDED => order::refunded(scene, state, known, event, out),
        names::ORDER_CANCELLED => order::cancelled(scene, state, known, event, out),
        names::POINTS_SPENT => points::spent(scene, state, known, event, out),
        names::POINTS_POSTED => points::posted(scene, state, known, event, out),
        names::POINTS_VOIDED => points::voided(scene, state, known, event, out),
        names::POINTS_RETURNED => points::returned(scene, state, known, event, out),
        names::POINTS_ADJUSTED => points::adjusted(scene, state, known, event, out),
        names::POINTS_GIFTED => points::gifted(scene, state, known, event, out),
        names::POINTS_RECEIVED => points::received(scene, state, event, out),
        names::COUPON_ISSUED => coupon::issued(scene, state, known, event, out),
        names::COUPON_WITHDRAWN => coupon::withdrawn(scene, state, known, event, out),
        names::COUPON_CLAIMED => coupon::claimed(scene, state, known, event, out),
        names::DRAW_WON => coupon::won(scene, state, known, event, out),
        names::COUPON_REDEEMED => coupon::redeemed(scene, state, event, out),
        names::CHECKOUT_LOCKED => checkout::locked(scene, state, known, event, out),
        names::CHECKOUT_REDEEMED => checkout::redeemed(scene, state, known, event, out),
        names::CHECKOUT_CANCELLED => checkout::cancelled(scene, state, known, event, out),
        names::CHECKOUT_RETURNED => checkout::returned(scene, state, known, event, out),
        names::TILL_LEASED => checkout::leased(scene, state, known, event, out),
        names::TILL_RETURNED => checkout::returned_lease(scene, state, known, event, out),
        names::CONSENT_GIVEN | names::CONSENT_WITHDRAWN => consent::said(scene, state, event),
        names::CONSENT_PREFERENCES => {
            let consents = &mut state.member.personal.consents;
            consent::preferences(&scene.rules.consent, consents, scene.cause.id, event);
            Ok(())
        }
        names::CAMPAIGN_BEGUN => campaign::asked(scene, state, known, event),
        names::MESSAGE_SEEN | names::TASK_DONE => campaign::answered(scene, state, event, out),
        names::LINK_CLICKED | names::LINK_SCANNED => {
            campaign::followed(scene, state, event, out);
            Ok(())
        }
        names::MESSAGE_FAILED => campaign::send::failed(scene, state, known, event, out),
        names::CHANNEL_REACHABLE => campaign::send::reachable(state, event),
        names::TAG_PUT_ON | names::TAG_TAKEN_OFF => tag::by_hand(scene, state, event, out),
        names::CONTACT_ADDED | names::CONTACT_LOST | names::CONTACT_NOTED => contact::told(state, event),
        names::GROUP_JOINED | names::GROUP_LEFT => contact::seated(state, event),
        names::DEPENDANT_TOLD => dependant::told(scene, state, event),
        names::DEPENDANT_REMOVED => dependant::removed(state, event),
        _ => Ok(()),
    }
}

/// A timer of the member falls due: time is an event too.
pub fn fall_due(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    timer: zhiyin_model::effect::TimerKey,
) -> Result<Outcome, Stop> {
    use zhiyin_model::effect::TimerKind;
    campaign::ask(scene, known, scene.at)?;
    let mut out = Outcome { at: scene.at, ..Outcome::default() };
    match timer.kind {
        TimerKind::Activate => ledger::activate(scene, state, known, &mut out, Ts(timer.which))?,
        TimerKind::Expire if coupon::is_timer(timer) => coupon::fall_due(scene, state, known, &mut out)?,
        TimerKind::Expire => ledger::expire(scene, state, known, &mut out, Ts(timer.which))?,
        TimerKind::Tier => tier::judge_term(scene, state, &mut out),
        TimerKind::Lifecycle | TimerKind::Tags => {}
    }
    let due = state.member.timers.remove(&timer);
    if timer.kind == TimerKind::Tier {
        tier::set_timer(scene, state);
    }
    // What changes accounts and tiers at one instant all comes before it is judged (semantics 3).
    let timers = &state.member.timers;
    if !timers.iter().any(|(key, due)| key.kind <= TimerKind::Expire && *due <= scene.at) {
        judge::judge(scene, state, &mut out);
    }
    if state.member.runs.next_due() <= scene.at || timer == campaign::TIMER || !out.facts.is_empty() {
        let due = due.filter(|_| timer == campaign::TIMER);
        campaign::after(scene, state, known, (None, due), &mut out);
    }
    if !scene.rules.campaigns.is_empty() || !state.member.runs.open.is_empty() {
        campaign::set_timer(scene, state);
    }
    state.member.decided_until = state.member.decided_until.max(scene.at);
    Ok(out)
}

/// A new version of the playbook reaches a member: lifecycle and tags are judged by it (semantics 12).
pub fn reach_version(scene: &Scene<'_>, state: &mut State) -> Outcome {
    let mut out = Outcome { at: scene.at, ..Outcome::default() };
    judge::judge(scene, state, &mut out);
    // They may have been silent for long: what time set off meanwhile is not made up for.
    campaign::set_timer_after(scene, state, scene.at.max(scene.cause.clock));
    state.member.decided_until = state.member.decided_until.max(scene.at);
    out
}

/// Attributes and touchpoints (C1, U1).
pub(crate) fn note_profile(rules: &Rules, state: &mut State, event: &Event) {
    let member = &mut state.member;
    // What lasts is told once: another value is taken when so many days are over, and the same one says nothing new.
    let attributes = &member.attributes;
    let told_at = &member.told_at;
    let stays = |name: &String, value: Option<&Scalar>| {
        let (Some(days), Some(known), Some(told)) =
            (rules.lasting.get(name), attributes.get(name), told_at.get(name))
        else {
            return false;
        };
        Some(known) == value || rules.zone.day(event.time).0 - rules.zone.day(*told).0 < *days
    };
    let removed: Vec<String> =
        event.traits_removed.iter().filter(|name| !stays(name, None)).cloned().collect();
    let traits: Vec<(&String, &Scalar)> =
        event.traits.iter().filter(|(name, value)| !stays(name, Some(value))).collect();
    // What is known of a later time stays: items arrive in any order.
    let mut newer = |name: &String| {
        let told = member.told_at.entry(name.clone()).or_insert(event.time);
        let newer = event.time >= *told;
        *told = event.time.max(*told);
        newer
    };
    for name in removed.iter().filter(|name| newer(name)).cloned().collect::<Vec<_>>() {
        member.attributes.remove(&name);
    }
    let told: Vec<_> = traits.into_iter().filter(|(name, _)| newer(name)).collect();
    for (name, value) in told {
        member.attributes.insert(name.clone(), value.clone());
    }
    if let Some(store) = &event.store {
        member.touches.note_store(event.time, store);
    }
    let code = match (&event.touchpoint, &event.store) {
        (Some(touchpoint), _) => Some(touchpoint.clone()),
        (None, Some(store)) => Some(format!("store/{store}")),
        (None, None) => None,
    };
    if let Some(code) = code {
        member.touches.note(Touch { at: event.time, code });
    }
}

/// Whether events of a name are counted by `events("Name")`: not what comes into history as an order.
pub fn is_counted(name: &str) -> bool {
    !matches!(name, names::ORDER_COMPLETED | names::ORDER_UPDATED)
}

/// Events that conditions look back on are taken into the aggregates. Orders do that themselves.
fn note_history(rules: &Rules, state: &mut State, event: &Event) {
    if is_counted(&event.name) && rules.events_used.contains(&event.name) {
        let row = event_row(event);
        state.leaves.observe(&rules.leaves, Row::Event(&row));
    }
}

/// The event as history knows it.
pub fn event_row(event: &Event) -> EventRow {
    EventRow {
        name: event.name.as_str().into(),
        time: event.time,
        store: event.store.as_deref().map(Into::into),
        channel: event.channel.as_deref().map(Into::into),
        properties: event.properties.clone(),
    }
}
