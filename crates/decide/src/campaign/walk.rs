//! A run goes from step to step until it waits or ends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_condition::holds;
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::event::names;
use zhiyin_model::id::NoteId;
use zhiyin_model::member::TagHeld;
use zhiyin_model::playbook::campaign::{Goal, Passed};
use zhiyin_model::run::{BUCKETS, Run, RunMoveKind};
use zhiyin_model::time::{DAY_US, Ts};

use super::guard::{Ask, Verdict, guard};
use super::rule::{Act, CampaignRule, Op};
use super::send::{self, Handing};
use super::text::{Of, variables};
use super::{News, PAUSED, Place, STOPPED, goal, hash_of, holds_of, hour, moved, when};
use crate::coupon::{self, Told};
use crate::outcome::{Known, Outcome, Said, Stop};
use crate::state::{State, View};
use crate::{Scene, judge, points};

/// For how long something waits for a time at which it may be sent: after that it is news no more.
const PATIENCE_US: i64 = 7 * DAY_US;
/// How long a paused campaign's run rests before it is looked at again.
const PAUSE_US: i64 = DAY_US;

/// Whether a run goes on.
enum Go {
    /// To what it does next.
    On(usize),
    /// It stays where it is.
    Rests,
    /// It is over, and why.
    Ends(&'static str),
}

/// What a walk reads and writes beside the run.
struct Walk<'w> {
    scene: &'w Scene<'w>,
    state: &'w mut State,
    known: &'w mut Known,
    news: Option<&'w News>,
    out: &'w mut Outcome,
    /// Whether anything that conditions ask about changed.
    changed: bool,
}

/// Moves all open runs; whether anything that conditions ask about changed.
pub(super) fn all(
    scene: &Scene<'_>,
    state: &mut State,
    known: &mut Cow<'_, Known>,
    news: Option<&News>,
    out: &mut Outcome,
) -> bool {
    if state.member.runs.open.is_empty() {
        return false;
    }
    // Only who is in something takes anything of what is shared.
    let known = known.to_mut();
    let open = std::mem::take(&mut state.member.runs.open);
    let mut walk = Walk { scene, state, known, news, out, changed: false };
    let mut stays = Vec::with_capacity(open.len());
    for mut run in open {
        let rule = scene.rules.campaigns.iter().find(|rule| rule.id == run.campaign);
        match walk.run(rule, &mut run) {
            Go::Ends(why) => {
                walk.tell(&run, RunMoveKind::Ended, why.to_owned());
                goal::watch(walk.state, rule, &run, why, scene.at);
            }
            Go::On(_) | Go::Rests => stays.push(run),
        }
    }
    let changed = walk.changed;
    // What began meanwhile (nothing does) would come after.
    stays.append(&mut state.member.runs.open);
    state.member.runs.open = stays;
    changed
}

impl Walk<'_> {
    fn tell(&mut self, run: &Run, kind: RunMoveKind, why: String) {
        let place = Place { campaign: &run.campaign, run: run.id, place: &run.place };
        moved(self.scene, self.state.member.id, place, kind, why, self.out);
    }

    fn run(&mut self, rule: Option<&CampaignRule>, run: &mut Run) -> Go {
        let Some(rule) = rule else { return Go::Ends("campaign_gone") };
        let halt = self.known.pools.get(&rule.halt).copied().unwrap_or(0);
        if halt == STOPPED {
            return Go::Ends("campaign_stopped");
        }
        if let Some(goal) = rule.goal.as_ref().filter(|goal| self.reaches(goal, run)) {
            self.tell(run, RunMoveKind::Goal, goal.event.clone());
            return Go::Ends("goal");
        }
        if rule.leave.is_some() && holds_of(self.scene, self.state, rule.leave.as_ref(), None) {
            return Go::Ends("left");
        }
        // A version of the playbook in which the step is no more ends who stands at it.
        let Some(mut at) = rule.at(&run.place) else { return Go::Ends("step_gone") };
        loop {
            let op = &rule.ops[at];
            match self.step(rule, op, at, run, halt == PAUSED) {
                Go::On(next) if next >= rule.ops.len() => return Go::Ends("end"),
                Go::On(next) => {
                    at = next;
                    run.place.clone_from(&rule.ops[at].place);
                    (run.waits, run.due, run.hour) = (None, Ts::MIN, None);
                }
                stop => return stop,
            }
        }
    }

    /// Whether what happened is what the campaign is for. What set it off is not.
    fn reaches(&self, goal: &Goal, run: &Run) -> bool {
        let until = goal::until(goal, run.since);
        self.news.is_some_and(|news| *goal.event == *news.row.name && self.scene.at <= until)
    }

    fn step(&mut self, rule: &CampaignRule, op: &Op, at: usize, run: &mut Run, is_paused: bool) -> Go {
        let now = self.scene.at;
        match &op.act {
            Act::Wait(wait) => match run.waits {
                Some(_) if now >= run.due => Go::On(at + 1),
                Some(_) => Go::Rests,
                None => rest(run, now, when::until(&self.scene.rules.zone, *wait, now)),
            },
            Act::Await { event, when, within_minutes, missed } => match run.waits {
                None => rest(run, now, now.plus_us(i64::from(*within_minutes) * 60_000_000)),
                Some(_) => {
                    let came = self.news.is_some_and(|news| {
                        *event == *news.row.name
                            && holds_of(self.scene, self.state, when.as_ref(), Some(news))
                    });
                    match (came, now >= run.due) {
                        (true, _) => Go::On(at + 1),
                        (false, true) => Go::On(*missed),
                        (false, false) => Go::Rests,
                    }
                }
            },
            Act::Until { holds: what, within_minutes, missed } => {
                let since = *run.waits.get_or_insert(now);
                let last = since.plus_us(i64::from(*within_minutes) * 60_000_000);
                let (is_so, until) = holds(what, &self.scene.rules.leaves, &View::of(self.state), now);
                if is_so {
                    return Go::On(at + 1);
                }
                if now >= last {
                    return Go::On(*missed);
                }
                run.due = last.min(until);
                Go::Rests
            }
            Act::If { holds, otherwise } => {
                let is_so = holds_of(self.scene, self.state, Some(holds), None);
                Go::On(if is_so { at + 1 } else { *otherwise })
            }
            Act::Split(ways) => {
                let way = self.way(rule, (op.place.as_str(), ways.as_slice()));
                self.tell(run, RunMoveKind::Arm, (way + 1).to_string());
                Go::On(ways.get(way).map_or(at + 1, |(_, way)| *way))
            }
            Act::Jump(to) => Go::On(*to),
            Act::Exit => Go::Ends("exit"),
            _ if is_paused => {
                if run.due <= now {
                    run.due = now.plus_us(PAUSE_US);
                }
                Go::Rests
            }
            Act::Send { .. } => self.send(rule, &op.act, at, run),
            act => {
                if !run.held {
                    self.give(rule, act, run);
                }
                Go::On(at + 1)
            }
        }
    }

    /// Which way the member goes at a split: drawn when they first stand at it, the same in every run.
    fn way(&mut self, rule: &CampaignRule, (place, ways): (&str, &[(u32, usize)])) -> usize {
        let member = &mut self.state.member;
        let past = member.runs.past.get_mut(&rule.id);
        let kept = past.as_ref().and_then(|past| past.ways.get(place)).map(|way| usize::from(*way));
        if let Some(way) = kept.filter(|way| *way < ways.len()) {
            return way;
        }
        let parts: [&[u8]; 3] = [member.id.bytes(), rule.id.as_bytes(), place.as_bytes()];
        let mut left = hash_of(self.scene, "split", &parts) % u64::from(BUCKETS);
        let way = ways.iter().position(|(share, _)| {
            let is_it = left < u64::from(*share);
            left = left.saturating_sub(u64::from(*share));
            is_it
        });
        let way = way.unwrap_or(ways.len().saturating_sub(1));
        if let Some(past) = past {
            past.ways.insert(place.to_owned(), u16::try_from(way).unwrap_or(u16::MAX));
        }
        way
    }

    /// Sends on the first channel that may be used, or waits for the first that will.
    fn send(&mut self, rule: &CampaignRule, act: &Act, step: usize, run: &mut Run) -> Go {
        let Act::Send { message, by, at: time } = act else { return Go::On(step + 1) };
        let now = self.scene.at;
        if run.waits.is_some() && now < run.due {
            return Go::Rests;
        }
        let sells = self.scene.rules.messages.get(message).copied().unwrap_or(true);
        let (mut traces, mut later) = (Vec::new(), Ts::FOREVER);
        for channel in by {
            let (at, held) = (*time, run.held);
            if time.best_hour && run.hour.is_none() {
                let asked = Ask { rule, message, channel, at, sells, held, run: Some(&*run), but: None };
                run.hour = hour::best(self.scene, self.state, &asked);
            }
            let asked = Ask { rule, message, channel, at, sells, held, run: Some(&*run), but: None };
            let checked = guard(self.scene, self.state, self.known, asked);
            traces.push(format!("{channel}: {}", checked.said()));
            match checked.verdict {
                Verdict::Send => {
                    let others = by.iter().skip_while(|one| *one != channel).skip(1);
                    let handing = Handing {
                        rule,
                        id: self.note(run),
                        message,
                        channel,
                        sells,
                        others: others.cloned().collect(),
                        run: run.id,
                        place: &run.place,
                        held: run.held,
                    };
                    let of = Of { key: &run.key, since: run.since, as_if: false };
                    let variables = |state: &State| variables(self.scene, state, rule, of);
                    send::hand_over(self.scene, self.state, self.known, &handing, variables, self.out);
                    let kind = if run.held { RunMoveKind::HeldOut } else { RunMoveKind::Sent };
                    self.tell(run, kind, traces.join("; "));
                    return Go::On(step + 1);
                }
                Verdict::Later(at) => later = later.min(at),
                Verdict::Never => {}
            }
        }
        let since = *run.waits.get_or_insert(now);
        if later == Ts::FOREVER || later > since.plus_us(PATIENCE_US) {
            let late = if later == Ts::FOREVER { "" } else { "; too late by then" };
            self.tell(run, RunMoveKind::NotSent, format!("{}{late}", traces.join("; ")));
            return Go::On(step + 1);
        }
        run.due = later.max(now.plus_us(1));
        self.tell(run, RunMoveKind::Delayed, traces.join("; "));
        Go::Rests
    }

    /// The id of what a run says at its step: lies with what else is said to the member.
    fn note(&self, run: &Run) -> NoteId {
        let parts: [&[u8]; 2] = [run.id.bytes(), run.place.as_bytes()];
        self.scene.key.derive_of(self.state.member.id, "note", &parts)
    }

    fn take(&mut self, pool: String, amount: i64, size: i64) {
        *Arc::make_mut(&mut self.known.pools).entry(pool.clone()).or_insert(0) += amount;
        self.out.coupons.take(PoolTake { pool, amount, size: Some(size) });
    }

    /// Whether a campaign's budget has room for what a step costs at most; where it has not, that is told.
    fn affords(&mut self, rule: &CampaignRule, act: &Act, what: &str, run: &Run) -> bool {
        let Some(budget) = &rule.budget else { return true };
        let spent = self.known.pools.get(&budget.pool).copied().unwrap_or(0);
        let is_in = spent.saturating_add(budget.cost(act)) <= budget.size;
        if !is_in {
            self.tell(run, RunMoveKind::NoCoupon, format!("{what}: budget_used"));
        }
        is_in
    }

    /// What a step cost at most is gone of a campaign's budget.
    fn pay(&mut self, rule: &CampaignRule, act: &Act) {
        if let Some(budget) = &rule.budget {
            self.take(budget.pool.clone(), budget.cost(act), budget.size);
        }
    }

    /// What a step gives or marks, and whom it tells.
    fn give(&mut self, rule: &CampaignRule, act: &Act, run: &Run) {
        match act {
            Act::Coupon(offer) => self.give_coupon((rule, act), offer, run),
            Act::Points(amount) => self.give_points((rule, act), *amount, run),
            Act::Webhook { name, with } => self.webhook(rule, (name, with), run),
            Act::Tag(tag, on) => self.tag(tag, *on, run),
            Act::Set(name, value) => {
                let member = &mut self.state.member;
                member.attributes.insert(name.clone(), value.clone());
                member.told_at.insert(name.clone(), self.scene.at);
                self.tell(run, RunMoveKind::Marked, format!("{name} is set"));
                self.changed = true;
            }
            _ => {}
        }
    }

    fn give_coupon(&mut self, (rule, act): (&CampaignRule, &Act), offer: &str, run: &Run) {
        if self.affords(rule, act, offer, run) && self.coupon(offer, run) {
            self.pay(rule, act);
        }
    }

    fn give_points(&mut self, (rule, act): (&CampaignRule, &Act), amount: i64, run: &Run) {
        if self.affords(rule, act, &format!("{amount} points"), run) {
            points::give(self.scene, self.state, self.out, amount);
            self.tell(run, RunMoveKind::Points, amount.to_string());
            self.changed = true;
            self.pay(rule, act);
        }
    }

    /// Who has an endpoint for it is told: an event of the member's, which is in the record with this very decision.
    fn webhook(&mut self, rule: &CampaignRule, (name, with): (&str, &BTreeMap<String, Passed>), run: &Run) {
        let of = Of { key: &run.key, since: run.since, as_if: false };
        let known = variables(self.scene, self.state, rule, of);
        let passed = with.iter().filter_map(|(key, value)| match value {
            Passed::Text(text) => Some((key, text.as_str())),
            Passed::Of(name) => Some((key, known.get(name)?.as_str())),
        });
        // Texts by texts serialize.
        let passed = serde_json::to_string(&passed.collect::<BTreeMap<_, _>>()).unwrap_or_default();
        let properties = vec![
            ("webhook", name.to_owned()),
            ("campaign", run.campaign.clone()),
            ("run", run.id.to_string()),
            ("step", run.place.clone()),
            ("with", passed),
        ];
        self.out.facts.push(Said { name: names::CAMPAIGN_STEP, properties });
        self.tell(run, RunMoveKind::Marked, format!("webhook {name}"));
    }

    /// Whether it was given.
    fn coupon(&mut self, offer: &str, run: &Run) -> bool {
        let told = Told { field: "", says: true };
        match coupon::issue(self.scene, self.state, self.known, (offer, 1), told, self.out) {
            // What this decision took of its pieces and codes counts there already.
            Ok(()) => {
                self.tell(run, RunMoveKind::Coupon, offer.to_owned());
                self.changed = true;
                true
            }
            Err(Stop::Refused(refusal)) => {
                self.tell(run, RunMoveKind::NoCoupon, format!("{offer}: {}", refusal.code));
                false
            }
            // What campaigns give was asked for before.
            Err(Stop::Missing(_)) => {
                self.tell(run, RunMoveKind::NoCoupon, format!("{offer}: not known"));
                false
            }
        }
    }

    fn tag(&mut self, tag: &str, on: bool, run: &Run) {
        let held = self.state.member.tags.contains_key(tag);
        let by_hand = self.scene.rules.hand_tags.contains_key(tag);
        match on {
            true if by_hand => {
                let held_now = TagHeld { since: self.scene.at, by_rule: false };
                self.state.member.tags.insert(tag.to_owned(), held_now);
            }
            false if by_hand => drop(self.state.member.tags.remove(tag)),
            _ => return,
        }
        if held != on {
            judge::moved(self.scene, self.state, self.out, tag, on);
        }
        self.tell(run, RunMoveKind::Marked, format!("{tag} {}", if on { "put on" } else { "taken off" }));
        self.changed = true;
    }
}

/// A run rests at a step that it begins now.
fn rest(run: &mut Run, now: Ts, due: Ts) -> Go {
    (run.waits, run.due) = (Some(now), due);
    Go::Rests
}
