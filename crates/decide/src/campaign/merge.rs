//! Runs of members who turn out to be one person, or two.

use zhiyin_model::member::Member;
use zhiyin_model::run::{KEYS_MAX, OPEN_MAX, Past, RunMoveKind};

use super::{Place, bound, goal, moved, set_timer};
use crate::Scene;
use crate::outcome::Outcome;
use crate::state::State;

/// What another was in is a member's from now on. Two arms of a campaign that meet in one person measure nothing any more.
pub(crate) fn join(scene: &Scene<'_>, winner: &mut State, loser: &Member, out: &mut Outcome) {
    let member = winner.member.id;
    let runs = &mut winner.member.runs;
    let (own, theirs) = (runs.bucket, &loser.runs);
    for run in &theirs.open {
        let is_in = runs.open.iter().any(|mine| mine.campaign == run.campaign && mine.key == run.key);
        if is_in || runs.open.len() >= OPEN_MAX {
            let why = if is_in { "merged" } else { "too_many_runs" };
            let place = Place { campaign: &run.campaign, run: run.id, place: &run.place };
            moved(scene, member, place, RunMoveKind::Ended, why.to_owned(), out);
        } else {
            runs.open.push(run.clone());
        }
    }
    runs.open.sort_by_key(|run| (run.since, run.id));
    for (campaign, past) in &theirs.past {
        let Some(mine) = runs.past.get_mut(campaign) else {
            runs.past.insert(campaign.clone(), past.clone());
            continue;
        };
        let rule = scene.rules.campaigns.iter().find(|rule| rule.id == *campaign && !rule.promised);
        let of_all = |all: Option<u32>| all.is_some_and(|all| all < scene.rules.sending.holdout);
        let held = |past: &Past, all| rule.is_some_and(|rule| past.bucket < rule.holdout || of_all(all));
        if held(mine, own) != held(past, theirs.bucket) && !mine.mixed {
            let of = theirs.open.iter().chain(&runs.open).find(|run| run.campaign == *campaign);
            let run = of.map_or_else(
                || scene.key.derive("run", &[member.bytes(), campaign.as_bytes()]),
                |run| run.id,
            );
            let place = Place { campaign, run, place: "" };
            moved(scene, member, place, RunMoveKind::Mixed, "two arms met".to_owned(), out);
            mine.mixed = true;
        }
        mine.mixed |= past.mixed;
        mine.begun = mine.begun.saturating_add(past.begun);
        mine.last = mine.last.max(past.last);
        let new = past.keys.iter().filter(|key| !mine.keys.contains(key)).copied().collect::<Vec<_>>();
        mine.keys.extend(new);
        let over = mine.keys.len().saturating_sub(KEYS_MAX);
        mine.keys.drain(..over);
        // Of two ways at one split the one who stays goes on theirs; both were told, so neither measures anything.
        for (place, way) in &past.ways {
            mine.ways.entry(place.clone()).or_insert(*way);
        }
    }
    runs.sent.extend(theirs.sent.iter().cloned());
    runs.sent.sort_by_key(|sent| (sent.at, sent.id));
    bound(&mut runs.sent);
    goal::join(&mut runs.over, &theirs.over);
    runs.hours.join(&theirs.hours);
    runs.touched = [runs.touched, theirs.touched].into_iter().flatten().min();
    runs.bucket = runs.bucket.or(theirs.bucket);
    set_timer(scene, winner);
}

/// Runs stay with who stays: what is gone through is gone through. What was sent to the one was sent to either, so that caps hold
/// for both. Who leaves may begin anew, in the arm in which both were: nobody is drawn twice, and who was in two measures nothing.
pub(crate) fn part(scene: &Scene<'_>, stays: &Member, leaves: &mut Member, out: &mut Outcome) {
    leaves.runs.sent.clone_from(&stays.runs.sent);
    leaves.runs.touched = stays.runs.touched;
    leaves.runs.hours.clone_from(&stays.runs.hours);
    leaves.runs.bucket = stays.runs.bucket;
    let member = leaves.id;
    for (campaign, past) in &stays.runs.past {
        let (bucket, mixed, ways) = (past.bucket, past.mixed, past.ways.clone());
        let past = Past { bucket, mixed, ways, ..Past::default() };
        leaves.runs.past.insert(campaign.clone(), past);
        if mixed {
            let run = scene.key.derive("run", &[member.bytes(), campaign.as_bytes()]);
            let place = Place { campaign, run, place: "" };
            moved(scene, member, place, RunMoveKind::Mixed, "two arms met before".to_owned(), out);
        }
    }
}
