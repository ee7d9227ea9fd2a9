//! When time sets campaigns off for a member.

use zhiyin_condition::Birthday;
use zhiyin_model::effect::{TimerKey, TimerKind};
use zhiyin_model::playbook::campaign::{Trigger, Wait};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Day, Ts, Zone};

use super::rule::CampaignRule;
use crate::Scene;
use crate::state::State;

/// When a campaign is due. It is a timer of tags, the third one: a release that knows of no campaigns judges tags then, which
/// does no harm.
pub(crate) const TIMER: TimerKey = TimerKey { kind: TimerKind::Tags, which: 2 };

/// Sets the timer for what is due next: a run that waits, or something that time sets off. History arms nothing, and disarms
/// nothing: what it comes to is armed when the home begins its business.
pub(crate) fn set_timer(scene: &Scene<'_>, state: &mut State) {
    set_timer_after(scene, state, scene.at);
}

/// The same; what time sets off is of after an instant, never before that of the decision.
pub(crate) fn set_timer_after(scene: &Scene<'_>, state: &mut State, after: Ts) {
    let stays = |due: &Ts| scene.is_past() || *due <= after;
    let pending = state.member.timers.get(&TIMER).copied().filter(stays);
    // What could not go on though it was due (the home did not act yet) is looked at again in a day, never at once.
    let next_due = state.member.runs.next_due();
    let next_due = if next_due <= scene.at { scene.at.plus_us(DAY_US) } else { next_due };
    let mut due = pending.unwrap_or(Ts::FOREVER).min(next_due);
    if !scene.is_past() && !state.member.audiences.closed {
        let timed = scene.rules.campaigns.iter().filter(|rule| rule.is_timed());
        due = timed.filter_map(|rule| next(scene, state, rule, after)).fold(due, Ts::min);
    }
    if due == Ts::FOREVER {
        state.member.timers.remove(&TIMER);
    } else {
        state.member.timers.insert(TIMER, due);
    }
}

/// When time next sets a campaign off for a member, after an instant.
pub(crate) fn next(scene: &Scene<'_>, state: &State, rule: &CampaignRule, after: Ts) -> Option<Ts> {
    let zone = &scene.rules.zone;
    let next = match &rule.on {
        Trigger::Every { weekday, minute, audience } => {
            state.member.audiences.since.get(audience)?;
            next_minute(zone, *weekday, *minute, after)
        }
        Trigger::Date { attribute, days, minute } => {
            let date =
                state.member.attributes.get(attribute).and_then(Scalar::text).and_then(Birthday::parse)?;
            let days = i32::from(*days);
            let mut kept = zone.day(after).plus(-days - 2);
            loop {
                kept = date.next_after(kept)?;
                let at = zone.at_minute(kept.plus(days), *minute);
                if at > after {
                    break at;
                }
            }
        }
        _ => return None,
    };
    let day = zone.day(next);
    rule.until.is_none_or(|until| day <= until).then_some(next)
}

/// The next instant at which a wall clock shows a minute, on a weekday where one is named.
pub(super) fn next_minute(zone: &Zone, weekday: Option<u8>, minute: u16, after: Ts) -> Ts {
    let today = zone.day(after);
    let fits = |day: &Day| weekday.is_none_or(|weekday| (day.0 + 3).rem_euclid(7) == i32::from(weekday));
    let days = (0..=14).map(|n| today.plus(n)).filter(fits);
    days.map(|day| zone.at_minute(day, minute)).find(|at| *at > after).unwrap_or(Ts::FOREVER)
}

/// Until when a step waits that began at an instant.
pub(crate) fn until(zone: &Zone, wait: Wait, since: Ts) -> Ts {
    match wait {
        Wait::Minutes(minutes) => since.plus_us(i64::from(minutes) * 60_000_000),
        Wait::Days(days) => {
            let minute = u16::try_from(zone.time_of_day_us(since) / 60_000_000).unwrap_or(0);
            let at = zone.at_minute(zone.day(since).plus(i32::from(days)), minute);
            // To the microsecond, so that who began later goes on later.
            at.plus_us(zone.time_of_day_us(since) % 60_000_000)
        }
        Wait::Until { weekday, minute } => next_minute(zone, weekday, minute, since),
    }
}
