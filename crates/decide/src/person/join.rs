//! Two members are one person.

use zhiyin_model::effect::{Asset, Lot, TagMove};
use zhiyin_model::member::{Member, TagHeld};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts};

use super::{Moved, hand_over, lot_timers};
use crate::consent::member_of_age;
use crate::outcome::{History, Known, Outcome, Stop};
use crate::state::State;
use crate::{Scene, audience, campaign, contact, coupon, judge, order, tier};

/// What `loser` was and had is `winner`'s from now on; the loser's rows of lots, holds and orders follow with their ids.
/// `history` is all that counts of both, `lots` are the loser's open ones. What is left of the loser is forgotten by whoever asked.
///
/// The older enrolment is kept, the better of the two running terms, of each attribute what was told last, the first and
/// the last touch of both, all tags and audiences; then tier, stage, tags and audiences are judged by the joined history.
pub fn join(
    scene: &Scene<'_>,
    winner: &mut State,
    loser: &State,
    (history, lots): (&History, &[Lot]),
    out: &mut Outcome,
) {
    accounts(scene, winner, &loser.member, out);
    personal(scene, &mut winner.member, &loser.member);
    profile(&mut winner.member, &loser.member);
    contact::tags_anew(&mut winner.member, scene.at);
    tags(scene, &mut winner.member, &loser.member, out);
    audience::join(&mut winner.member, &loser.member);
    let (member, other) = (&mut winner.member, &loser.member);
    member.known_since = member.known_since.min(other.known_since);
    member.enrolled_at = [member.enrolled_at, other.enrolled_at].into_iter().flatten().min();
    member.decided_until = member.decided_until.max(other.decided_until).max(scene.at);
    if member.stage.is_none() {
        member.stage.clone_from(&other.stage);
    }
    // The loser's own timers ended with them: what will become of their lots is set anew.
    for lot in lots {
        lot_timers(member, lot);
    }
    coupon::join(member, other);
    let today = scene.rules.zone.day(scene.at);
    for (day, amount) in &other.growth_days {
        member.book_growth(*day, *amount, today, scene.rules.tiers.over_days);
    }
    winner.leaves = order::rebuild(scene.rules, history, None);
    tier::take_better(scene, winner, loser.member.term.as_ref(), out);
    if winner.member.enrolled_at.is_some() {
        tier::raise(scene, winner, out);
    }
    judge::judge(scene, winner, out);
    campaign::join(scene, winner, &loser.member, out);
}

/// Asks for what campaigns share, before anything is changed: being one person may set one off.
pub fn ask(scene: &Scene<'_>, known: &Known) -> Result<(), Stop> {
    campaign::ask(scene, known, scene.at)
}

/// What being one person sets off, once both are joined: whoever is in a standing audience now in which neither was, or in one no
/// more, enters or leaves it. By then what either went through is what they went through.
pub fn sets_off(scene: &Scene<'_>, winner: &mut State, known: &Known, out: &mut Outcome) {
    campaign::after(scene, winner, known, (None, None), out);
    campaign::set_timer(scene, winner);
}

/// Balances move by transfers: what lots have left, debt, and growth by the days of its orders.
fn accounts(scene: &Scene<'_>, winner: &mut State, loser: &Member, out: &mut Outcome) {
    let between = (loser.id, winner.member.id);
    let today = scene.rules.zone.day(scene.at);
    let points = loser.account(Asset::Points);
    for (amount, debt) in [(points.active + points.pending, false), (points.debt, true)] {
        if amount > 0 {
            hand_over(scene, out, between, &Moved { asset: Asset::Points, amount, day: today, debt });
        }
    }
    let growth = loser.account(Asset::Growth).active;
    let recent: i64 = loser.growth_days.iter().map(|(_, amount)| amount).sum();
    // What lies too far back for any judgement comes in one piece, as far back as that.
    let long_ago = (Day(today.0 - scene.rules.tiers.over_days - 1), growth - recent);
    for (day, amount) in loser.growth_days.iter().copied().chain([long_ago]) {
        let moved = Moved { asset: Asset::Growth, amount: amount.abs(), day, debt: false };
        match amount {
            0 => {}
            1.. => drop(hand_over(scene, out, between, &moved)),
            _ => drop(hand_over(scene, out, (between.1, between.0), &moved)),
        }
    }
    for (asset, held) in &loser.accounts {
        let account = winner.member.accounts.entry(*asset).or_default();
        account.active += held.active;
        account.pending += held.pending;
        account.held += held.held;
        account.debt += held.debt;
    }
}

/// Of each attribute what was told last; where both were told at one instant, the greater, so that it does not matter who
/// joins whom.
fn profile(member: &mut Member, other: &Member) {
    for (name, told) in &other.told_at {
        let mine = (member.told_at.get(name).copied().unwrap_or(Ts::MIN), text(member.attributes.get(name)));
        let theirs = (*told, text(other.attributes.get(name)));
        if theirs <= mine {
            continue;
        }
        member.told_at.insert(name.clone(), *told);
        match other.attributes.get(name) {
            Some(value) => drop(member.attributes.insert(name.clone(), value.clone())),
            None => drop(member.attributes.remove(name)),
        }
    }
    let touches = [other.touches.first.clone(), other.touches.last.clone()];
    for touch in touches.into_iter().flatten() {
        let same_instant = member.touches.last.as_ref().filter(|last| last.at == touch.at).cloned();
        member.touches.note(touch);
        if let Some(last) = same_instant {
            member.touches.last = member.touches.last.take().max(Some(last));
        }
    }
    member.touches.taken_over = member.touches.taken_over.max(other.touches.taken_over);
    if let Some((at, store)) = &other.touches.store {
        let mine = member.touches.store.take();
        member.touches.store = mine.max(Some((*at, store.clone())));
    }
}

/// What either said of themselves. Asked before their birthdays are one: each no stands by the age of who said it.
fn personal(scene: &Scene<'_>, member: &mut Member, other: &Member) {
    let (mine, theirs) = (member_of_age(scene.rules, member), member_of_age(scene.rules, other));
    let consents = (&other.personal.consents, theirs);
    member.personal.consents.join(&scene.rules.consent, mine, consents, scene.at);
    member.personal.dependants.join(&other.personal.dependants);
    member.personal.join_unreachable(&other.personal);
    member.personal.contacts.join(&other.personal.contacts);
    member.personal.groups.join(&other.personal.groups);
}

fn text(value: Option<&Scalar>) -> Option<String> {
    value.map(|value| format!("{value:?}"))
}

fn tags(scene: &Scene<'_>, member: &mut Member, other: &Member, out: &mut Outcome) {
    for (tag, held) in &other.tags {
        match member.tags.get_mut(tag) {
            Some(mine) => {
                *mine = TagHeld { since: mine.since.min(held.since), by_rule: mine.by_rule && held.by_rule };
            }
            None => {
                member.tags.insert(tag.clone(), held.clone());
                let (member, tag, at, event) = (member.id, tag.clone(), scene.at, scene.cause.id);
                out.tags.push(TagMove { member, tag, on: true, at, event });
            }
        }
    }
}
