//! The guard-rails: whether something may be sent to a member, in one stated order (T4, docs/guard-rails.md).
//!
//! 1 blocked · 2 consent · 3 reachable · 4 audience · 5 complaint · 6 first touch · 7 holdout · 8 quiet hours · 9 window ·
//! 10 best hour · 11 caps · 12 quota · 13 ceiling · 14 text. The first that says no ends it; one that says "later" names when to
//! ask again, and all are asked again then. Whoever is held out walks the same way, so that both arms meet the same delays and
//! caps. What was promised passes 5, 6, 7, 11 and 13. What leaves the home is asked once more when it is handed over
//! ([`at_hand_over`]).

use zhiyin_condition::holds;
use zhiyin_model::id::NoteId;
use zhiyin_model::personal::Unreachable;
use zhiyin_model::playbook::campaign::{Cap, CapWithin, SendAt};
use zhiyin_model::run::{Run, SENT_MAX, Sent, quota_of};
use zhiyin_model::time::{Day, HOUR_US, Ts};

use super::rule::CampaignRule;
use super::{hour, text};
use crate::Scene;
use crate::consent;
use crate::coupon::rule::{first_of_month, monday};
use crate::outcome::Known;
use crate::state::{State, View};

/// What is to be sent.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// For which campaign.
    pub rule: &'a CampaignRule,
    /// Which message.
    pub message: &'a str,
    /// On which channel.
    pub channel: &'a str,
    /// At which time of day.
    pub at: SendAt,
    /// Whether it sells something.
    pub sells: bool,
    /// Whether the member is held out.
    pub held: bool,
    /// In which run; `None` where that is looked at ahead.
    pub run: Option<&'a Run>,
    /// What is to be sent itself, where it is counted already.
    pub but: Option<NoteId>,
}

/// Whether it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Send,
    /// Not now: to be asked again then.
    Later(Ts),
    /// No.
    Never,
}

/// The answer, and what each guard-rail said up to the one that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whether it may be sent.
    pub verdict: Verdict,
    /// Each that was asked, in order, with its word.
    pub trace: Vec<(&'static str, String)>,
}

impl Checked {
    /// The trace in one line.
    pub fn said(&self) -> String {
        let each: Vec<String> = self.trace.iter().map(|(rail, word)| format!("{rail}: {word}")).collect();
        each.join(", ")
    }
}

/// Asks every guard-rail in order.
pub fn guard(scene: &Scene<'_>, state: &State, known: &Known, ask: Ask<'_>) -> Checked {
    checked(scene, state, known, ask, &[])
}

/// Asks about what did not arrive, on its next channel: what it says was asked when it was decided.
pub(super) fn on_next(scene: &Scene<'_>, state: &State, known: &Known, ask: Ask<'_>) -> Checked {
    checked(scene, state, known, ask, &["text"])
}

/// Asks them once more about what was to be sent, right before somebody outside of the home gets it: all but those that took
/// what they give, or settled when and what, when it was decided.
pub fn at_hand_over(scene: &Scene<'_>, state: &State, known: &Known, ask: Ask<'_>) -> Checked {
    checked(scene, state, known, ask, &TAKEN)
}

fn checked(scene: &Scene<'_>, state: &State, known: &Known, ask: Ask<'_>, but: &[&str]) -> Checked {
    let mut trace = Vec::new();
    for (rail, check) in RAILS.into_iter().filter(|(rail, _)| !but.contains(rail)) {
        if ask.rule.promised && EXEMPT.contains(&rail) {
            trace.push((rail, "promised".to_owned()));
            continue;
        }
        let (word, verdict) = check(scene, state, known, &ask);
        trace.push((rail, word));
        if verdict != Verdict::Send {
            return Checked { verdict, trace };
        }
    }
    Checked { verdict: Verdict::Send, trace }
}

type Check = fn(&Scene<'_>, &State, &Known, &Ask<'_>) -> (String, Verdict);

/// The guard-rails in their order.
const RAILS: [(&str, Check); 14] = [
    ("blocked", blocked),
    ("consent", consented),
    ("reachable", reachable),
    ("audience", in_audience),
    ("complaint", complaint),
    ("first_touch", first_touch),
    ("holdout", holdout),
    ("quiet", quiet),
    ("window", window),
    ("hour", best_hour),
    ("caps", caps),
    ("quota", quota),
    ("ceiling", ceiling),
    ("text", text::rail),
];

/// Those that what was promised passes (semantics 27).
const EXEMPT: [&str; 5] = ["complaint", "first_touch", "holdout", "caps", "ceiling"];

/// Those that were taken or settled when it was decided.
const TAKEN: [&str; 6] = ["holdout", "window", "hour", "quota", "ceiling", "text"];

fn passes(word: &str) -> (String, Verdict) {
    (word.to_owned(), Verdict::Send)
}

fn never(word: &str) -> (String, Verdict) {
    (word.to_owned(), Verdict::Never)
}

/// Why nothing at all is said to somebody, not even by hand: they were erased, or are on the brand's blocklist (`sending.never`).
pub fn why_blocked(scene: &Scene<'_>, state: &State) -> Option<&'static str> {
    if state.member.audiences.closed {
        return Some("erased");
    }
    let rules = scene.rules;
    let is_blocked = rules
        .sending
        .never
        .as_ref()
        .is_some_and(|who| holds(who, &rules.leaves, &View::of(state), scene.at).0);
    is_blocked.then_some("yes")
}

fn blocked(scene: &Scene<'_>, state: &State, _: &Known, _: &Ask<'_>) -> (String, Verdict) {
    why_blocked(scene, state).map_or_else(|| passes("no"), never)
}

fn consented(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    match consent::ask(scene.rules, &state.member, &ask.rule.purpose, ask.channel, scene.at).allowed {
        Ok(ground) => passes(ground.name()),
        Err(refused) => never(refused.name()),
    }
}

fn reachable(_: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    match state.member.personal.unreachable.get(ask.channel) {
        None => passes("yes"),
        Some(Unreachable { since, why }) => never(&format!("no since {}: {why}", since.rfc3339())),
    }
}

fn in_audience(_: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    match ask.rule.audience() {
        None => passes("none"),
        Some(audience) if state.member.audiences.since.contains_key(audience) => passes("in it"),
        Some(_) => never("left it"),
    }
}

fn complaint(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let rules = scene.rules;
    let open = rules
        .sending
        .complaint
        .as_ref()
        .is_some_and(|who| holds(who, &rules.leaves, &View::of(state), scene.at).0);
    match (open, ask.sells) {
        (true, true) => never("open"),
        (true, false) => passes("open, but it sells nothing"),
        (false, _) => passes("none"),
    }
}

fn first_touch(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    match (scene.rules.sending.first_touch && ask.sells, state.member.runs.touched) {
        (false, _) => passes("not needed"),
        (true, Some(_)) => passes("seen"),
        (true, None) => never("nothing was seen yet"),
    }
}

fn holdout(_: &Scene<'_>, _: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    passes(if ask.held { "held out" } else { "not held out" })
}

fn quiet(scene: &Scene<'_>, _: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let Some((from, to)) = scene.rules.sending.quiet.get(ask.channel) else { return passes("none") };
    match silent_until(scene, *from, *to) {
        None => passes("not now"),
        Some(until) => (format!("until {}", until.rfc3339()), Verdict::Later(until)),
    }
}

fn window(scene: &Scene<'_>, _: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let Some((from, to)) = ask.at.within else { return passes("none") };
    // Outside of it, it is silent.
    match silent_until(scene, to, from) {
        None => passes("now"),
        Some(until) => (format!("from {}", until.rfc3339()), Verdict::Later(until)),
    }
}

fn best_hour(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    hour::rail(scene, state, ask)
}

/// When a silence ends in which an instant lies, by the brand's wall clock.
fn silent_until(scene: &Scene<'_>, from: u16, to: u16) -> Option<Ts> {
    let zone = &scene.rules.zone;
    let today = zone.day(scene.at);
    let begins = |day: Day| zone.at_minute(day, from);
    let ends = |day: Day| zone.at_minute(if to > from { day } else { day.plus(1) }, to);
    let within = |day: &Day| begins(*day) <= scene.at && scene.at < ends(*day);
    [today.plus(-1), today].iter().find(|day| within(day)).map(|day| ends(*day))
}

fn caps(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let sent = || state.member.runs.sent.iter().filter(|one| one.counts && ask.but != Some(one.id));
    if sent().count() >= SENT_MAX {
        return never("more than is remembered");
    }
    let mut words = Vec::new();
    let mut later: Option<Ts> = None;
    for cap in &scene.rules.sending.caps {
        let of = cap.of.as_deref();
        if of.is_some_and(|of| of != ask.channel && of != ask.rule.purpose) {
            continue;
        }
        let counted = counted(scene, cap, sent());
        let of = of.map_or(String::new(), |of| format!("{of} "));
        words.push(format!("{} of {} {of}{}", counted.len(), cap.times, within(cap.within)));
        if counted.len() >= usize::from(cap.times) {
            later = later.max(Some(free_at(scene, cap, &counted)));
        }
    }
    let said = if words.is_empty() { "none".to_owned() } else { words.join(" and ") };
    (said, later.map_or(Verdict::Send, Verdict::Later))
}

fn within(within: CapWithin) -> String {
    match within {
        CapWithin::Day => "a day".to_owned(),
        CapWithin::Week => "a week".to_owned(),
        CapWithin::Month => "a month".to_owned(),
        CapWithin::Hours(n) => format!("in {n}h"),
    }
}

/// When what a cap counts of what counts was sent, the oldest first.
fn counted<'s>(scene: &Scene<'_>, cap: &Cap, sent: impl Iterator<Item = &'s Sent>) -> Vec<Ts> {
    let zone = &scene.rules.zone;
    let today = zone.day(scene.at);
    let since = match cap.within {
        CapWithin::Day => zone.start(today),
        CapWithin::Week => zone.start(monday(today)),
        CapWithin::Month => zone.start(first_of_month(today)),
        // What lies exactly so far back counts no more.
        CapWithin::Hours(n) => scene.at.plus_us(1 - i64::from(n) * HOUR_US),
    };
    let is_of = |one: &&Sent| cap.of.as_deref().is_none_or(|of| of == one.channel || of == one.purpose);
    let mut counted: Vec<Ts> = sent.filter(|one| one.at >= since).filter(is_of).map(|one| one.at).collect();
    counted.sort_unstable();
    counted
}

/// When a cap that is reached lets through again.
fn free_at(scene: &Scene<'_>, cap: &Cap, counted: &[Ts]) -> Ts {
    let zone = &scene.rules.zone;
    let today = zone.day(scene.at);
    match cap.within {
        CapWithin::Day => zone.start(today.plus(1)),
        CapWithin::Week => zone.start(monday(today).plus(7)),
        CapWithin::Month => zone.start(first_of_month(first_of_month(today).plus(31))),
        CapWithin::Hours(n) => {
            let oldest = counted[counted.len().saturating_sub(usize::from(cap.times))];
            oldest.plus_us(i64::from(n) * HOUR_US)
        }
    }
}

fn quota(scene: &Scene<'_>, _: &State, known: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let Some(size) = scene.rules.sending.quota.get(ask.channel) else { return passes("none") };
    if ask.held {
        return passes("takes none");
    }
    let zone = &scene.rules.zone;
    let today = zone.day(scene.at);
    let taken = known.pools.get(&quota_of(ask.channel, today)).copied().unwrap_or(0);
    let word = format!("{taken} of {size}");
    let verdict =
        if taken < i64::from(*size) { Verdict::Send } else { Verdict::Later(zone.start(today.plus(1))) };
    (word, verdict)
}

fn ceiling(_: &Scene<'_>, _: &State, known: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let Some(size) = ask.rule.at_most else { return passes("none") };
    let sent = known.pools.get(&ask.rule.sent).copied().unwrap_or(0);
    let word = format!("{sent} of {size}");
    (word, if sent < i64::from(size) { Verdict::Send } else { Verdict::Never })
}
