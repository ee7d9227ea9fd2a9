//! Goals that are reached after a run went its whole way: they count as long as the campaign says.

use zhiyin_model::playbook::campaign::Goal;
use zhiyin_model::run::{OVER_MAX, Over, Run, RunMoveKind};
use zhiyin_model::time::Ts;

use super::rule::CampaignRule;
use super::{News, Place, moved};
use crate::Scene;
use crate::outcome::Outcome;
use crate::state::State;

/// Ends of a run after which its goal still counts: it went its way. What was stopped, or is gone, counts no more.
const WENT: [&str; 3] = ["end", "exit", "left"];

/// The last instant at which a goal counts for a run that began at another.
pub(super) fn until(goal: &Goal, since: Ts) -> Ts {
    since.plus_us(i64::from(goal.within_minutes) * 60_000_000)
}

/// A run is over: its goal is watched for, as long as it counts.
pub(super) fn watch(state: &mut State, rule: Option<&CampaignRule>, run: &Run, why: &str, now: Ts) {
    let goal = rule.and_then(|rule| rule.goal.as_ref()).filter(|_| WENT.contains(&why));
    let Some(until) = goal.map(|goal| until(goal, run.since)).filter(|until| *until > now) else { return };
    let over = &mut state.member.runs.over;
    over.push(Over { id: run.id, campaign: run.campaign.clone(), since: run.since, until });
    bound(over);
}

fn bound(over: &mut Vec<Over>) {
    let more = over.len().saturating_sub(OVER_MAX);
    over.drain(..more);
}

/// Something happened: the goals of runs that are over may be reached by it, each once.
pub(super) fn late(scene: &Scene<'_>, state: &mut State, news: &News, out: &mut Outcome) {
    if state.member.runs.over.is_empty() {
        return;
    }
    let member = state.member.id;
    let goal_of = |over: &Over| {
        let rule = scene.rules.campaigns.iter().find(|rule| rule.id == over.campaign)?;
        rule.goal.as_ref().filter(|goal| *goal.event == *news.row.name && scene.at <= over.until)
    };
    state.member.runs.over.retain(|over| {
        let Some(goal) = goal_of(over) else { return true };
        let place = Place { campaign: &over.campaign, run: over.id, place: "" };
        moved(scene, member, place, RunMoveKind::Goal, goal.event.clone(), out);
        false
    });
}

/// What another's runs came to is theirs, too.
pub(super) fn join(mine: &mut Vec<Over>, theirs: &[Over]) {
    let new: Vec<Over> =
        theirs.iter().filter(|one| mine.iter().all(|own| own.id != one.id)).cloned().collect();
    mine.extend(new);
    mine.sort_by(|a, b| (a.since, &a.campaign, a.id).cmp(&(b.since, &b.campaign, b.id)));
    bound(mine);
}
