//! What is said leaves the decision: it counts, it takes what is shared, and it is a row of the outbox. What did not arrive goes on
//! the next channel that its step names.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::coupon::PoolTake;
use zhiyin_model::event::Event;
use zhiyin_model::id::{NoteId, RunId};
use zhiyin_model::personal::Unreachable;
use zhiyin_model::playbook::campaign::SendAt;
use zhiyin_model::run::{NOBODY, Note, NoteState, RunMoveKind, Saying, Sent, quota_of};
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::guard::{Ask, Checked, Verdict, at_hand_over, on_next};
use super::rule::{Act, CampaignRule};
use super::text::{Of, refused, variables};
use super::{PAUSED, Place, STOPPED, bound, hour, is_live, moved};
use crate::Scene;
use crate::outcome::{Known, Outcome, Stop};
use crate::state::State;

/// For how long something is still news, once it was decided: a promise to the reader as much as to the dispatcher.
const PATIENCE_US: i64 = 7 * zhiyin_model::time::DAY_US;
/// How long what a paused campaign says rests before it is looked at again.
const PAUSE_US: i64 = zhiyin_model::time::HOUR_US;

/// What goes out, and of which run it is.
pub(super) struct Handing<'a> {
    pub(super) rule: &'a CampaignRule,
    pub(super) id: NoteId,
    pub(super) message: &'a str,
    pub(super) channel: &'a str,
    pub(super) sells: bool,
    /// Channels to be tried next.
    pub(super) others: Vec<String>,
    pub(super) run: RunId,
    pub(super) place: &'a str,
    /// They are held out: it is only counted.
    pub(super) held: bool,
}

/// What may go out does, or would: it counts for caps either way.
pub(super) fn hand_over(
    scene: &Scene<'_>,
    state: &mut State,
    known: &mut Known,
    handing: &Handing<'_>,
    variables: impl FnOnce(&State) -> BTreeMap<String, String>,
    out: &mut Outcome,
) {
    let (now, rule, id) = (scene.at, handing.rule, handing.id);
    state.member.runs.sent.push(Sent {
        id,
        at: now,
        channel: handing.channel.to_owned(),
        purpose: rule.purpose.clone(),
        sells: handing.sells,
        counts: !rule.promised,
        held: handing.held,
        seen: false,
    });
    bound(&mut state.member.runs.sent);
    if handing.held {
        return;
    }
    hour::sent(scene, handing.channel, &mut state.member.runs.hours, out);
    let mut count = |pool: &str| *Arc::make_mut(&mut known.pools).entry(pool.to_owned()).or_insert(0) += 1;
    if let Some(size) = scene.rules.sending.quota.get(handing.channel) {
        let pool = quota_of(handing.channel, scene.rules.zone.day(now));
        count(&pool);
        out.coupons.take(PoolTake { pool, amount: 1, size: Some(i64::from(*size)) });
    }
    if let Some(size) = rule.at_most.filter(|_| !rule.promised) {
        // Counted where it is told; here only bounded.
        let pool = rule.sent.clone();
        count(&pool);
        out.coupons.take(PoolTake { pool, amount: 0, size: Some(i64::from(size)) });
    }
    let note = Note {
        id,
        member: state.member.id,
        channel: handing.channel.to_owned(),
        campaign: rule.id.clone(),
        message: handing.message.to_owned(),
        at: now,
        state: NoteState::Open,
        cause: scene.cause.id,
    };
    out.runs.notes.push(Saying {
        note,
        variables: variables(state),
        others: handing.others.clone(),
        run: handing.run,
        place: handing.place.to_owned(),
    });
}

fn text<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.properties.get(name).and_then(Scalar::text)
}

fn is_so(event: &Event, name: &str) -> bool {
    matches!(event.properties.get(name), Some(Scalar::Bool(true)))
}

/// Names of the variables that a text was made of begin so among the properties of what failed.
pub const WITH: &str = "with.";

/// What was said did not arrive. Where nobody got it, it counts for nothing (caps, what the campaign sends at most, what it sent); where
/// nothing reaches the member there any more, nothing is sent there again; and it goes on the next of its channels that may be used.
pub(crate) fn failed(
    scene: &Scene<'_>,
    state: &mut State,
    known: &Known,
    event: &Event,
    out: &mut Outcome,
) -> Result<(), Stop> {
    let (Some(id), Some(channel)) =
        (text(event, "message").and_then(NoteId::from_hex), text(event, "channel"))
    else {
        return Ok(());
    };
    let reason = text(event, "reason").unwrap_or("failed");
    if is_so(event, "unreachable") {
        let gone = Unreachable { since: event.time, why: reason.to_owned() };
        state.member.personal.unreachable.insert(channel.to_owned(), gone);
    }
    let sent = &mut state.member.runs.sent;
    // What was not sent, as where a past is played under another playbook, did not fail either; and it fails once.
    let Some(at) = sent.iter().position(|one| one.id == id) else { return Ok(()) };
    let nobody = is_so(event, "released");
    let sells = if nobody { sent.remove(at).sells } else { sent[at].sells };
    let rule = text(event, "campaign").and_then(|of| scene.rules.campaigns.iter().find(|rule| rule.id == of));
    let run = text(event, "run").and_then(RunId::from_hex);
    let (Some(rule), Some(run), Some(message)) = (rule, run, text(event, "text")) else { return Ok(()) };
    let place = text(event, "place").unwrap_or_default();
    let at = Place { campaign: &rule.id, run, place };
    let member = state.member.id;
    let mut known = known.clone();
    let so = if nobody { NOBODY } else { "" };
    moved(scene, member, at, RunMoveKind::NotSent, format!("{channel}: {reason}{so}"), out);
    if nobody {
        *Arc::make_mut(&mut known.pools).entry(rule.sent.clone()).or_insert(0) -= 1;
        out.coupons.take(PoolTake { pool: rule.sent.clone(), amount: -1, size: None });
    }
    let others: Vec<&str> = match event.properties.get("others") {
        Some(Scalar::Texts(texts)) => texts.iter().map(String::as_str).collect(),
        Some(Scalar::Text(text)) => vec![text.as_str()],
        _ => Vec::new(),
    };
    let may = is_live(scene, &known, event.time) && !state.member.audiences.closed;
    let is_halted = known.pools.get(&rule.halt).is_some_and(|halt| *halt > 0);
    if !may || is_halted || !scene.rules.messages.contains_key(message) {
        return Ok(());
    }
    if let Some(why) = refused(scene, message, &said_before(scene, state, rule, event)) {
        moved(scene, member, at, RunMoveKind::NotSent, format!("text: {why}"), out);
        return Ok(());
    }
    let mut traces = Vec::new();
    let window = window_of(rule, place);
    for (i, other) in others.iter().enumerate() {
        let ask = Ask { rule, message, channel: other, at: window, sells, held: false, run: None, but: None };
        let checked = on_next(scene, state, &known, ask);
        traces.push(format!("{other}: {}", checked.said()));
        if checked.verdict != Verdict::Send {
            continue;
        }
        let handing = Handing {
            rule,
            id: scene.key.derive_of(member, "note", &[id.bytes(), other.as_bytes()]),
            message,
            channel: other,
            sells,
            others: others[i + 1..].iter().map(|one| (*one).to_owned()).collect(),
            run,
            place,
            held: false,
        };
        let said = |state: &State| said_before(scene, state, rule, event);
        hand_over(scene, state, &mut known, &handing, said, out);
        moved(scene, member, at, RunMoveKind::Sent, traces.join("; "), out);
        return Ok(());
    }
    if !traces.is_empty() {
        moved(scene, member, at, RunMoveKind::NotSent, traces.join("; "), out);
    }
    Ok(())
}

/// In which window a step sends. Its best hour was when it was sent first.
fn window_of(rule: &CampaignRule, place: &str) -> SendAt {
    let of = rule.at(place).and_then(|at| rule.ops.get(at)).map(|op| &op.act);
    match of {
        Some(Act::Send { at, .. }) => SendAt { best_hour: false, ..*at },
        _ => SendAt::default(),
    }
}

/// What a text said of its run before it did not arrive; what it says of the member is what is known of them now.
fn said_before(
    scene: &Scene<'_>,
    state: &State,
    rule: &CampaignRule,
    event: &Event,
) -> BTreeMap<String, String> {
    let mut known = variables(scene, state, rule, Of { key: "", since: Ts::FOREVER, as_if: false });
    let before = event
        .properties
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(WITH)?.to_owned(), value.text()?.to_owned())));
    known.extend(before);
    known
}

/// A member is written to again on a channel.
pub(crate) fn reachable(state: &mut State, event: &Event) -> Result<(), Stop> {
    let Some(channel) = text(event, "channel") else {
        return Err(Stop::refused("channel_unknown", "properties.channel", "names no channel"));
    };
    if state.member.personal.unreachable.remove(channel).is_none() {
        return Err(Stop::refused("channel_reachable", "properties.channel", "nothing kept them from it"));
    }
    Ok(())
}

/// Something that waits to be handed to somebody outside of the home.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Which.
    pub id: NoteId,
    /// Of which campaign.
    pub campaign: &'a str,
    /// Which message of the playbook.
    pub message: &'a str,
    /// On which channel.
    pub channel: &'a str,
    /// When it was decided.
    pub at: Ts,
}

/// What the guard-rails say of it now, right before it is handed over. Pools must be known ([`super::pools`]).
pub fn before_hand_over(scene: &Scene<'_>, state: &State, known: &Known, outgoing: &Outgoing<'_>) -> Checked {
    let said = |rail, word: &str, verdict| Checked { verdict, trace: vec![(rail, word.to_owned())] };
    let until = outgoing.at.plus_us(PATIENCE_US);
    if scene.at >= until {
        return said("late", "too late by now", Verdict::Never);
    }
    let Some(rule) = scene.rules.campaigns.iter().find(|rule| rule.id == outgoing.campaign) else {
        return said("campaign", "gone", Verdict::Never);
    };
    match known.pools.get(&rule.halt).copied().unwrap_or(0) {
        PAUSED => return said("campaign", "paused", Verdict::Later(scene.at.plus_us(PAUSE_US))),
        STOPPED => return said("campaign", "stopped", Verdict::Never),
        _ => {}
    }
    let sells = scene.rules.messages.get(outgoing.message).copied().unwrap_or(true);
    let ask = Ask {
        rule,
        message: outgoing.message,
        channel: outgoing.channel,
        at: SendAt::default(),
        sells,
        held: false,
        run: None,
        but: Some(outgoing.id),
    };
    let mut checked = at_hand_over(scene, state, known, ask);
    if matches!(checked.verdict, Verdict::Later(at) if at >= until) {
        checked.trace.push(("late", "too late by then".to_owned()));
        checked.verdict = Verdict::Never;
    }
    checked
}
