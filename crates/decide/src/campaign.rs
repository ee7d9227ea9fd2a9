//! Campaigns (T1, T2, T4, T7, T8): what sets one off for a member, and how their runs move on.
//!
//! A run lies in the member's state and moves with what happens to them and with their one timer of campaigns, so who waits
//! costs nothing. Only what happens after the home went live sets anything off or moves it (semantics 13). Before anything is
//! sent the guard-rails are asked ([`guard`]); whoever is held out goes the same way and gets nothing.

mod ahead;
mod budget;
mod goal;
pub mod guard;
mod hour;
mod merge;
pub mod rule;
pub mod send;
pub mod text;
mod walk;
mod when;

use std::borrow::Cow;
use std::collections::BTreeMap;

use zhiyin_condition::{EventRow, OrderRow, holds};
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::effect::OrderStatus;
use zhiyin_model::event::{Event, names};
use zhiyin_model::id::{MemberId, NoteId, RunId};
use zhiyin_model::link::LinkCode;
use zhiyin_model::member::Member;
use zhiyin_model::playbook::campaign::{ADVISOR, Again, Trigger};
use zhiyin_model::run::{
    BUCKETS, KEYS_MAX, NoteState, OPEN_MAX, Past, Run, RunMove, RunMoveKind, SENT_DAYS, SENT_MAX, Sent,
    count_of, quota_of,
};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Ts};

use crate::outcome::{Known, Missing, Outcome, Stop};
use crate::state::{State, View};
use crate::{Scene, coupon, event_row, judge, order};
use rule::CampaignRule;

pub use ahead::{Outlook, outlook, pools};
pub(crate) use merge::{join, part};
pub use text::{Of, VARIABLES, of_member, variables};
pub(crate) use when::{TIMER, set_timer, set_timer_after};

/// How often what a campaign does may set off another within one decision: beyond that it is no news.
const ROUNDS_MAX: usize = 4;
/// The longest key of a run, in characters.
const KEY_CHARS_MAX: usize = 100;

/// What a halt of a campaign is kept as.
pub const PAUSED: i64 = 1;
/// It is stopped for good.
pub const STOPPED: i64 = 2;

/// Something that happened, as conditions see it.
struct News {
    row: EventRow,
    order: Option<OrderRow>,
    /// The campaign that somebody says the member is to go through.
    asked: bool,
}

/// Whether something acts: it happened after the home went live, and came in as news.
fn is_live(scene: &Scene<'_>, known: &Known, happened: Ts) -> bool {
    let since = scene.rules.plays.or(known.live_since);
    !scene.is_past() && since.is_some_and(|since| happened >= since)
}

/// Asks for what campaigns share, before anything is changed: whether they are halted, what channels have taken, what is left of
/// coupons and budgets. Once a batch knows, an event costs one look-up, and one more for each channel that has a quota.
pub(crate) fn ask(scene: &Scene<'_>, known: &Known, happened: Ts) -> Result<(), Stop> {
    let rules = scene.rules;
    if rules.campaigns.is_empty() || !is_live(scene, known, happened) {
        return Ok(());
    }
    let (shared, is_missing) = (&rules.campaign_pools, |pool: &String| !known.pools.contains_key(pool));
    let mut missing = shared.missing(&known.pools);
    if !rules.sending.quota.is_empty() {
        let day = rules.zone.day(scene.at);
        missing.extend(rules.sending.quota.keys().map(|channel| quota_of(channel, day)).filter(is_missing));
    }
    if !missing.is_empty() {
        return Err(Stop::Missing(Missing::Pools(missing)));
    }
    let mut coded = shared.coded.iter().filter_map(|offer| rules.coupons.get(offer));
    coded.try_for_each(|rule| coupon::ask_codes(rule, known))
}

/// Somebody says that a member is to go through a campaign: refused by name where that cannot be.
pub(crate) fn asked(scene: &Scene<'_>, state: &State, known: &Known, event: &Event) -> Result<(), Stop> {
    let field = "properties.campaign";
    // What names no campaign of ours is somebody else's news.
    let Some(id) = event.properties.get("campaign").and_then(Scalar::text) else { return Ok(()) };
    let refused = |code, message: &str| Err(Stop::refused(code, field, message));
    let Some(rule) = scene.rules.campaigns.iter().find(|rule| rule.id == id) else {
        return refused("campaign_unknown", "the playbook has no campaign of this id");
    };
    if rule.on != Trigger::Command {
        return refused("campaign_not_by_command", "this campaign is set off by something else");
    }
    if !is_live(scene, known, event.time) {
        return refused("history_sets_nothing_off", "what is imported as history sets no campaign off");
    }
    match may_begin(scene, state, known, rule, &key_of(rule, &event.properties)) {
        Ok(()) => Ok(()),
        Err(code) => refused(code, "the member cannot go through it now"),
    }
}

/// What was said to a member was seen, or done by their advisor.
pub(crate) fn answered(
    scene: &Scene<'_>,
    state: &mut State,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let is_task = event.name == names::TASK_DONE;
    let (field, name) = if is_task { ("properties.task", "task") } else { ("properties.message", "message") };
    let Some(text) = event.properties.get(name).and_then(Scalar::text) else { return Ok(()) };
    let Some(id) = NoteId::from_hex(text) else {
        return Err(Stop::refused("message_unknown", field, "names nothing that was said to the member"));
    };
    let runs = &mut state.member.runs;
    let sent = runs.sent.iter_mut().find(|sent| sent.id == id && !sent.held);
    let fits = |channel: &str| (channel == ADVISOR) == is_task;
    if sent.as_ref().is_some_and(|sent| !fits(&sent.channel)) {
        return Err(Stop::refused("message_unknown", field, "names something else"));
    }
    if let Some(sent) = sent {
        if !sent.sells && !is_task {
            runs.touched = runs.touched.or(Some(scene.at));
        }
        hour::seen(scene, sent, &mut runs.hours, out);
    }
    let becomes = if is_task { NoteState::Done } else { NoteState::Seen };
    out.runs.changed.push((id, state.member.id, becomes));
    Ok(())
}

/// A member followed a link: if it stood in something that was sent to them, they saw that, on whichever channel.
pub(crate) fn followed(scene: &Scene<'_>, state: &mut State, event: &Event, out: &mut Outcome) {
    let text = |name: &str| event.properties.get(name).and_then(Scalar::text);
    let (Some(link), Some(page)) = (text("link"), text("page")) else { return };
    let runs = &mut state.member.runs;
    let is_of = |sent: &&mut Sent| !sent.held && LinkCode::of_note(scene.key, sent.id, page).as_str() == link;
    let Some(sent) = runs.sent.iter_mut().rev().find(is_of) else { return };
    if !sent.sells {
        runs.touched = runs.touched.or(Some(scene.at));
    }
    hour::seen(scene, sent, &mut runs.hours, out);
    out.runs.changed.push((sent.id, state.member.id, NoteState::Seen));
}

/// Moves what a member is in, and begins what is set off, by an event, by the campaigns' timer (with the instant for which it was
/// set), and by what the decision at hand says of them.
pub(crate) fn after(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    (event, due): (Option<&Event>, Option<Ts>),
    out: &mut Outcome,
) {
    let nothing = scene.rules.campaigns.is_empty() && state.member.runs.open.is_empty();
    let happened = event.map_or(scene.at, |event| event.time);
    if nothing || state.member.audiences.closed || !is_live(scene, known, happened) {
        return;
    }
    let mut known = Cow::Borrowed(known);
    forget(&mut state.member, scene.at);
    let mut heard = 0;
    for round in 0..ROUNDS_MAX {
        let event = event.filter(|_| round == 0);
        let mut news: Vec<News> =
            event.and_then(|event| read(scene, &known, event, out)).into_iter().collect();
        let facts = out.facts[heard..].iter();
        news.extend(facts.map(|said| {
            let properties =
                said.properties.iter().map(|(name, value)| ((*name).to_owned(), Scalar::Text(value.clone())));
            let row = EventRow {
                name: said.name.into(),
                time: scene.at,
                store: None,
                channel: None,
                properties: properties.collect(),
            };
            News { row, order: None, asked: false }
        }));
        heard = out.facts.len();
        if round > 0 && news.is_empty() {
            break;
        }
        let mut changed = false;
        for one in &news {
            goal::late(scene, state, one, out);
            changed |= walk::all(scene, state, &mut known, Some(one), out);
            begin_by(scene, state, &known, one, out);
        }
        if let Some(due) = due.filter(|_| round == 0) {
            begin_by_time(scene, state, &known, due, out);
        }
        changed |= walk::all(scene, state, &mut known, None, out);
        if changed {
            judge::judge(scene, state, out);
        }
    }
}

/// An event as conditions see it; `None` where it is no news: an order that is reported again.
fn read(scene: &Scene<'_>, known: &Known, event: &Event, out: &Outcome) -> Option<News> {
    let is_order = matches!(event.name.as_str(), names::ORDER_COMPLETED | names::ORDER_UPDATED);
    if is_order && known.order.as_ref().is_some_and(|order| order.status == OrderStatus::Placed) {
        return None;
    }
    let order = out.order.as_ref().filter(|_| is_order);
    let order = order.and_then(|placed| order::row(&scene.rules.currency, placed, event).ok());
    let asked = event.name == names::CAMPAIGN_BEGUN;
    Some(News { row: event_row(event), order, asked })
}

fn holds_of(
    scene: &Scene<'_>,
    state: &State,
    condition: Option<&zhiyin_condition::Condition>,
    news: Option<&News>,
) -> bool {
    let Some(condition) = condition else { return true };
    let view = View {
        event: news.map(|one| &one.row),
        order: news.and_then(|one| one.order.as_ref()),
        ..View::of(state)
    };
    holds(condition, &scene.rules.leaves, &view, scene.at).0
}

/// Begins what something that happened sets off.
fn begin_by(scene: &Scene<'_>, state: &mut State, known: &Known, news: &News, out: &mut Outcome) {
    for rule in &scene.rules.campaigns {
        let text = |name: &str| news.row.properties.get(name).and_then(Scalar::text);
        let sets_off = match &rule.on {
            Trigger::Event(name) => *name == *news.row.name,
            Trigger::Enters(audience) => {
                &*news.row.name == names::AUDIENCE_ENTERED && text("audience") == Some(audience.as_str())
            }
            Trigger::Leaves(audience) => {
                &*news.row.name == names::AUDIENCE_LEFT && text("audience") == Some(audience.as_str())
            }
            Trigger::Command => news.asked && text("campaign") == Some(rule.id.as_str()),
            Trigger::Every { .. } | Trigger::Date { .. } => false,
        };
        if sets_off && holds_of(scene, state, rule.when.as_ref(), Some(news)) {
            begin(scene, state, known, rule, key_of(rule, &news.row.properties), out);
        }
    }
}

/// Begins what time sets off at the instant for which the timer was set.
fn begin_by_time(scene: &Scene<'_>, state: &mut State, known: &Known, due: Ts, out: &mut Outcome) {
    for rule in scene.rules.campaigns.iter().filter(|rule| rule.is_timed()) {
        if when::next(scene, state, rule, due.plus_us(-1)) == Some(due) {
            begin(scene, state, known, rule, String::new(), out);
        }
    }
}

/// What a run is about.
fn key_of(rule: &CampaignRule, properties: &BTreeMap<String, Scalar>) -> String {
    let name = match (&rule.again, &rule.on) {
        (Again::Per(name), _) => name.as_str(),
        (_, Trigger::Command) => "key",
        _ => return String::new(),
    };
    let text = match properties.get(name) {
        Some(Scalar::Text(text)) => text.clone(),
        Some(Scalar::Number(number)) => number.normalize().to_string(),
        _ => String::new(),
    };
    text.chars().take(KEY_CHARS_MAX).collect()
}

fn hash_of(scene: &Scene<'_>, domain: &str, parts: &[&[u8]]) -> u64 {
    let digest = scene.key.digest(domain, parts);
    u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

fn bucket(scene: &Scene<'_>, what: &str, member: MemberId) -> u32 {
    let hash = hash_of(scene, "holdout", &[what.as_bytes(), member.bytes()]);
    u32::try_from(hash % u64::from(BUCKETS)).unwrap_or(0)
}

/// Whether a member may begin a run now, or the name of why not.
fn may_begin(
    scene: &Scene<'_>,
    state: &State,
    known: &Known,
    rule: &CampaignRule,
    key: &str,
) -> Result<(), &'static str> {
    let day = scene.rules.zone.day(scene.at);
    if rule.from.is_some_and(|from| day < from) || rule.until.is_some_and(|until| day > until) {
        return Err("campaign_not_running");
    }
    match known.pools.get(&rule.halt).copied().unwrap_or(0) {
        PAUSED => return Err("campaign_paused"),
        STOPPED => return Err("campaign_stopped"),
        _ => {}
    }
    let runs = &state.member.runs;
    let past = runs.past.get(&rule.id);
    let begun = past.map_or(0, |past| past.begun);
    let is_in = runs.open.iter().any(|run| run.campaign == rule.id);
    let may = match &rule.again {
        Again::Once => begun == 0,
        Again::AfterExit => !is_in,
        Again::AfterDays(days) => {
            let last = past.map_or(Ts::MIN, |past| past.last);
            !is_in && (begun == 0 || last.plus_us(i64::from(*days) * DAY_US) <= scene.at)
        }
        Again::Per(_) => {
            let hash = hash_of(scene, "run key", &[rule.id.as_bytes(), key.as_bytes()]);
            !key.is_empty() && past.is_none_or(|past| !past.keys.contains(&hash))
        }
        Again::AtMost(times) => !is_in && begun < u32::from(*times),
    };
    if !may {
        return Err("not_again");
    }
    if !holds_of(scene, state, rule.who.as_ref(), None) {
        return Err("not_eligible");
    }
    if holds_of(scene, state, rule.leave.as_ref(), None) && rule.leave.is_some() {
        return Err("left");
    }
    if runs.open.len() >= OPEN_MAX { Err("too_many_runs") } else { Ok(()) }
}

/// A member begins a run, if they may. What only the member's own past forbids is no news; what does not fit is told.
fn begin(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    rule: &CampaignRule,
    key: String,
    out: &mut Outcome,
) {
    let begun = state.member.runs.past.get(&rule.id).map_or(0, |past| past.begun);
    // Of what set it off, too: who was parted from another may begin anew what they began before they were one.
    let (member, cause) = (state.member.id, scene.cause.id);
    let parts: [&[u8]; 5] =
        [member.bytes(), rule.id.as_bytes(), key.as_bytes(), &begun.to_le_bytes(), cause.bytes()];
    let id: RunId = scene.key.derive("run", &parts);
    match may_begin(scene, state, known, rule, &key) {
        Ok(()) => {}
        Err(code @ ("too_many_runs" | "campaign_paused")) => {
            let place = Place { campaign: &rule.id, run: id, place: "" };
            moved(scene, member, place, RunMoveKind::NotBegun, code.to_owned(), out);
            return;
        }
        Err(_) => return,
    }
    let runs = &mut state.member.runs;
    let own = bucket(scene, &rule.id, member);
    let past = runs.past.entry(rule.id.clone()).or_insert_with(|| Past { bucket: own, ..Past::default() });
    past.begun = past.begun.saturating_add(1);
    past.last = scene.at;
    if matches!(rule.again, Again::Per(_)) {
        past.keys.push(hash_of(scene, "run key", &[rule.id.as_bytes(), key.as_bytes()]));
        let over = past.keys.len().saturating_sub(KEYS_MAX);
        past.keys.drain(..over);
    }
    let all = *runs.bucket.get_or_insert(bucket(scene, "", member));
    let held = !rule.promised && (past.bucket < rule.holdout || all < scene.rules.sending.holdout);
    let place = rule.ops.first().map(|op| op.place.clone()).unwrap_or_default();
    runs.open.push(Run {
        id,
        campaign: rule.id.clone(),
        key,
        since: scene.at,
        place,
        waits: None,
        due: Ts::MIN,
        held,
        hour: None,
    });
    let word = if held { "held out" } else { "not held out" };
    let place = Place { campaign: &rule.id, run: id, place: "" };
    moved(scene, member, place, RunMoveKind::Began, word.to_owned(), out);
}

/// Where in which run.
#[derive(Clone, Copy)]
struct Place<'a> {
    campaign: &'a str,
    run: RunId,
    place: &'a str,
}

/// Tells what happened, and counts it.
fn moved(
    scene: &Scene<'_>,
    member: MemberId,
    place: Place<'_>,
    kind: RunMoveKind,
    why: String,
    out: &mut Outcome,
) {
    let Place { campaign, run, place } = place;
    if kind != RunMoveKind::Delayed {
        out.coupons.take(PoolTake { pool: count_of(campaign, kind.name()), amount: 1, size: None });
    }
    out.runs.moves.push(RunMove {
        member,
        campaign: campaign.to_owned(),
        run,
        kind,
        place: place.to_owned(),
        why,
        at: scene.at,
        event: scene.cause.id,
    });
}

/// Sends that no cap looks back on are forgotten, and runs whose goal counts no more.
fn forget(member: &mut Member, at: Ts) {
    let since = at.plus_us(-SENT_DAYS * DAY_US);
    member.runs.sent.retain(|sent| sent.at >= since);
    member.runs.over.retain(|over| over.until >= at);
}

/// No more sends are remembered than may be: what caps do not count is forgotten first, then what is oldest.
fn bound(sent: &mut Vec<Sent>) {
    while sent.len() > SENT_MAX {
        let first = sent.iter().position(|one| !one.counts).unwrap_or(0);
        sent.remove(first);
    }
}
