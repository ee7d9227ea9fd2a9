//! Handing over, once through: borrow what is due, ask the guard-rails once more, say that it is handed over, hand it over, note what came
//! of it (semantics 17).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use zhiyin_decide::campaign;
use zhiyin_decide::campaign::guard::Verdict;
use zhiyin_decide::campaign::send::{Outgoing, before_hand_over};
use zhiyin_decide::outcome::Known;
use zhiyin_decide::state::State;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::id::EventId;
use zhiyin_model::time::Ts;
use zhiyin_reach::channel::{Again, Form, Handed, NOT_ALLOWED, Parcel};
use zhiyin_reach::retry;
use zhiyin_store::campaigns::sends::{Came, SendRow, SendState};
use zhiyin_store::{Home, StoreError, Wanted, seal};

use super::Lane;
use super::told::UNREACHABLE;
use super::word::{self, For};
use crate::boxed;
use crate::live::Live;
use crate::{Engine, Result, rebuild};

/// How long something is borrowed until it is handed over, and how much longer than a channel says that may take: looking up and noting
/// take their time.
pub(super) const BORROWED_US: i64 = 60_000_000;
/// How many lost ones are looked for at once.
const LOST_AT_ONCE: usize = 500;
/// How long something waits whose channel failed: when that is tried again the breaker says.
pub(super) const CHANNEL_REST: Duration = Duration::from_secs(30);
/// The longest reason that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// What came of one time through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Taken.
    pub sent: usize,
    /// Certainly not taken; tried later.
    pub later: usize,
    /// Not taken for good.
    pub failed: usize,
    /// Stopped by the guard-rails, or without an address.
    pub stopped: usize,
    /// Nobody knows.
    pub unknown: usize,
}

impl Dispatched {
    /// How many were looked at.
    pub fn moved(&self) -> usize {
        self.sent + self.later + self.failed + self.stopped + self.unknown
    }
}

/// Whether a channel answered, with how long it asks to be left alone where it did not; nothing, where it was not asked.
type Answered = Option<std::result::Result<(), Option<Duration>>>;

/// What is to be done with something that was borrowed.
pub(super) enum Due<T> {
    /// To be handed over.
    Go(Box<T>),
    /// Not now.
    Later(Ts, String),
    /// Never.
    Stopped(String),
    /// Nobody is there any more.
    Erased,
}

/// Something that the guard-rails let through, without its address.
pub(super) struct Going {
    /// What the outbox says.
    pub(super) body: String,
    /// To whom.
    pub(super) state: State,
    /// Whether it was promised.
    pub(super) promised: bool,
}

pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Engine {
    /// Hands over what is due of a channel, at most as many as it takes at a time. `now` is the wall clock's.
    #[boxed]
    pub async fn hand_over(&self, lane: &mut Lane, now: Ts) -> Result<Dispatched> {
        let sends = self.store().coupons().campaigns().sends();
        let name = lane.name();
        let again = lane.channel.again() == Again::ByKey;
        let lost = sends.lost(name, now, again, LOST_AT_ONCE).await?;
        if !lost.is_empty() && !again {
            tracing::warn!(
                channel = name,
                lost = lost.len(),
                "channels: of these nobody knows whether they arrived"
            );
            self.measures.sends().came(name, "unknown", lost.len());
        }
        let Ok(live) = self.live() else { return Ok(Dispatched::default()) };
        let zone = &live.rules.zone;
        let room = lane.room(sends, zone, now, lane.channel.at_once()).await?;
        if room == 0 {
            return Ok(Dispatched::default());
        }
        let until = now.plus_us(BORROWED_US);
        let mut claimed = sends.claim(name, now, until, room).await?;
        if claimed.is_empty() {
            return Ok(Dispatched::default());
        }
        // Of two dispatchers one may have been quicker.
        let may = lane.take(sends, zone, now, claimed.len()).await?;
        for row in claimed.split_off(may) {
            let back = Came { counts: false, due: now, ..came(&row, SendState::Waiting) };
            sends.note(back).await?;
        }
        let home = self.home().await?;
        let shared: &Lane = lane;
        let all = claimed.iter().map(|row| self.hand_one(shared, (&home, &live), row, now));
        let mut dispatched = Dispatched::default();
        for handed in join_all(all).await {
            let (came, answered) = handed?;
            match answered {
                Some(Ok(())) => lane.breaker.well(),
                Some(Err(rest)) => lane.breaker.failed(now.0, rest),
                None => {}
            }
            let count = match came {
                SendState::Sent => &mut dispatched.sent,
                SendState::Waiting | SendState::Handed => &mut dispatched.later,
                SendState::Unknown => &mut dispatched.unknown,
                SendState::Stopped | SendState::Dropped => &mut dispatched.stopped,
                SendState::Failed | SendState::Bounced => &mut dispatched.failed,
            };
            *count += 1;
            self.measures.sends().came(
                name,
                if came == SendState::Waiting { "later" } else { came.name() },
                1,
            );
        }
        Ok(dispatched)
    }

    /// One of them: where it stands then, and whether the channel answered (with how long it asks to be left alone).
    async fn hand_one(
        &self,
        lane: &Lane,
        with: (&Home, &Arc<Live>),
        row: &SendRow,
        now: Ts,
    ) -> Result<(SendState, Answered)> {
        let sends = self.store().coupons().campaigns().sends();
        let parcel = match self.due(lane, with, row, now).await? {
            Due::Go(parcel) => parcel,
            other => return Ok((self.not_handed(row, other).await?, None)),
        };
        let charge = lane.channel.charge(&parcel).map(|charge| (i64::from(charge.parts), charge.cost));
        let permit = lane.channel.permit(&parcel);
        if let Some(permit) = &permit
            && !self.take_permit(permit, row.id).await?
        {
            let stopped = Due::<Parcel>::Stopped(format!("permit: {NOT_ALLOWED}"));
            return Ok((self.not_handed(row, stopped).await?, None));
        }
        let within = lane.channel.within();
        let until = now.plus_us(micros(within).saturating_add(BORROWED_US));
        if !sends.handing(row.id, row.attempts, until, charge).await? {
            // Somebody else has it by now.
            return Ok((SendState::Handed, None));
        }
        let handed = tokio::time::timeout(within, lane.channel.hand_over(&parcel)).await;
        let handed = handed.unwrap_or(Handed::Unknown { code: "timeout".to_owned() });
        if let Some(permit) = &permit {
            self.permit_came(permit, row.id, &handed).await?;
        }
        if let Handed::Taken { receipt } = &handed
            && lane.channel.tells_later()
        {
            self.keep_receipt((&parcel.namespace, receipt), row.id, now).await?;
        }
        let answered = match &handed {
            Handed::Later { channel: true, rest, .. } => Err(*rest),
            Handed::Later { rest: Some(rest), .. } => Err(Some(*rest)),
            _ => Ok(()),
        };
        let noted = noted(row, handed, now);
        let state = noted.state;
        if state == SendState::Unknown || state == SendState::Failed {
            tracing::warn!(channel = row.channel, send = %row.id, state = state.name(), why = noted.error, "channels");
        }
        sends.note(noted).await?;
        Ok((state, Some(answered)))
    }

    /// Notes of something that was borrowed that it is not handed over now, or never; where it stands then.
    pub(super) async fn not_handed<T>(&self, row: &SendRow, due: Due<T>) -> Result<SendState> {
        let noted = match due {
            Due::Later(due, why) => {
                Came { counts: false, due, error: Some(why), ..came(row, SendState::Waiting) }
            }
            Due::Stopped(why) => Came { error: Some(why), tell: true, ..came(row, SendState::Stopped) },
            Due::Erased | Due::Go(_) => {
                Came { error: Some("erased".to_owned()), ..came(row, SendState::Dropped) }
            }
        };
        let state = noted.state;
        self.store().coupons().campaigns().sends().note(noted).await?;
        Ok(state)
    }

    /// Whether something may still be handed over, and what.
    async fn due(
        &self,
        lane: &Lane,
        with: (&Home, &Arc<Live>),
        row: &SendRow,
        now: Ts,
    ) -> Result<Due<Parcel>> {
        let going = match self.let_through(with, row, now).await? {
            Due::Go(going) => going,
            Due::Later(due, why) => return Ok(Due::Later(due, why)),
            Due::Stopped(why) => return Ok(Due::Stopped(why)),
            Due::Erased => return Ok(Due::Erased),
        };
        let names = self.store().identifiers_of(vec![row.member]).await?;
        let of = |wanted: String| {
            let mut found = names.iter().filter(|(_, namespace, _)| *namespace == wanted);
            found.next_back().map(|(_, _, value)| (wanted.clone(), value.clone()))
        };
        let body: Value = serde_json::from_str(&going.body)
            .map_err(|error| StoreError::Damaged(format!("what was said: {error}")))?;
        let form: Option<Form> = body.get("form").cloned().and_then(|form| serde_json::from_value(form).ok());
        let Some(to) = lane.channel.finds_by(form.as_ref()).into_iter().find_map(of) else {
            return Ok(Due::Stopped("address: none".to_owned()));
        };
        let parcel = Parcel { form, ..parcel(lane, (with.0, row), &body, (to, going.promised), now) };
        if let Some(account) = lane.channel.of_contacts(&parcel) {
            let is_over = going.state.member.personal.contacts.iter().any(|(channel, of, contact)| {
                channel == lane.name() && of == account && contact.ended.is_some()
            });
            if is_over {
                return Ok(Due::Stopped("contact: ended".to_owned()));
            }
        }
        Ok(Due::Go(Box::new(parcel)))
    }

    /// Asks the guard-rails once more.
    pub(super) async fn let_through(
        &self,
        with: (&Home, &Arc<Live>),
        row: &SendRow,
        now: Ts,
    ) -> Result<Due<Going>> {
        let (home, live) = with;
        let store = self.store().as_ref();
        let Some(note) = store.coupons().campaigns().note(row.id).await? else { return Ok(Due::Erased) };
        let body = match seal::open(&note.body) {
            Err(StoreError::Erased) => return Ok(Due::Erased),
            body => body?,
        };
        let loaded = store.load(Wanted { members: vec![row.member], ..Wanted::default() }).await?;
        let Some(stored) = loaded.members.into_iter().find(|stored| stored.member.id == row.member) else {
            return Ok(Due::Stopped("member: gone".to_owned()));
        };
        let state = rebuild::state(store, &live.rules, stored).await?;
        let business = if home.replaying { home.clock } else { now.plus_us(home.offset_us) };
        let at = business.max(home.clock).max(state.member.decided_until);
        let cause = Cause { id: EventId::from_bytes([0; 16]), name: "hand over", clock: at, replay: false };
        let scene = Scene { rules: &live.rules, key: &home.id_key, cause, at };
        let outgoing = Outgoing {
            id: row.id,
            campaign: &row.campaign,
            message: &row.message,
            channel: &row.channel,
            at: row.at,
        };
        let rule = live.rules.campaigns.iter().find(|rule| rule.id == row.campaign);
        let pools = match rule {
            Some(rule) => store.coupons().pools(campaign::pools(&scene, rule)).await?,
            None => Default::default(),
        };
        let known = Known { pools: Arc::new(pools), live_since: home.live_since, ..Known::default() };
        let checked = before_hand_over(&scene, &state, &known, &outgoing);
        let why = || {
            let last = checked.trace.last();
            last.map_or_else(String::new, |(rail, word)| short(&format!("{rail}: {word}")))
        };
        match checked.verdict {
            Verdict::Send => {}
            Verdict::Later(then) => {
                let wait = then.0.saturating_sub(at.0).max(1);
                return Ok(Due::Later(now.plus_us(wait), why()));
            }
            Verdict::Never => return Ok(Due::Stopped(why())),
        }
        let promised = rule.is_some_and(|rule| rule.promised);
        Ok(Due::Go(Box::new(Going { body, state, promised })))
    }
}

/// What is handed over. What was promised is no advertising: nobody unsubscribes from it.
fn parcel(
    lane: &Lane,
    (home, row): (&Home, &SendRow),
    body: &Value,
    ((namespace, to), promised): ((String, String), bool),
    now: Ts,
) -> Parcel {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let leave = word::word(&home.id_key, For::Leave, row.id);
    let leave_url = lane.public_url.as_ref().filter(|_| !promised);
    Parcel {
        key: *row.id.bytes(),
        to,
        namespace,
        subject: text("subject").unwrap_or_default(),
        text: text("text").unwrap_or_default(),
        html: text("html").filter(|html| !html.trim().is_empty()),
        english: text("language").as_deref() == Some("en"),
        word: word::word(&home.id_key, For::Mail, row.id),
        leave_url: leave_url.map(|url| format!("{url}/v1/unsubscribe/{leave}")),
        promised,
        form: None,
        at_seconds: u64::try_from(now.0.div_euclid(1_000_000)).unwrap_or(0),
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(ERROR_CHARS_MAX).collect()
}

pub(super) fn came(row: &SendRow, state: SendState) -> Came {
    Came {
        id: row.id,
        attempts: row.attempts,
        counts: true,
        state,
        due: row.due,
        tried_at: None,
        receipt: None,
        error: None,
        tell: false,
    }
}

/// What is noted of an answer: the whole of semantics 17.
fn noted(row: &SendRow, handed: Handed, now: Ts) -> Came {
    let tried = |state| Came { tried_at: Some(now), due: now, ..came(row, state) };
    match handed {
        Handed::Taken { receipt } => {
            let receipt = Some(short(&receipt)).filter(|receipt| !receipt.is_empty());
            Came { receipt, ..tried(SendState::Sent) }
        }
        Handed::Refused { code, unreachable } => {
            let code = if unreachable { format!("{UNREACHABLE}{code}") } else { code };
            Came { error: Some(short(&code)), tell: true, ..tried(SendState::Failed) }
        }
        // The channel failed: no message is to blame, and none is given up for it.
        Handed::Later { code, channel: true, .. } => {
            let due = now.plus_us(micros(CHANNEL_REST));
            Came { counts: false, due, error: Some(short(&code)), ..tried(SendState::Waiting) }
        }
        Handed::Later { code, rest, channel: false } => {
            let pause = retry::pause(row.attempts, row.id.bytes());
            match pause.map(|pause| pause.max(rest.unwrap_or_default())) {
                Some(pause) => {
                    let due = now.plus_us(micros(pause));
                    Came { due, error: Some(short(&code)), ..tried(SendState::Waiting) }
                }
                None => Came { error: Some(short(&code)), tell: true, ..tried(SendState::Failed) },
            }
        }
        Handed::Unknown { code } => Came { error: Some(short(&code)), ..tried(SendState::Unknown) },
    }
}

#[cfg(test)]
mod tests {
    use zhiyin_model::id::{MemberId, NoteId};

    use super::*;

    fn row(attempts: i64) -> SendRow {
        SendRow {
            id: NoteId::from_bytes([3; 16]),
            member: MemberId::from_bytes([1; 16]),
            channel: "email".to_owned(),
            campaign: "back".to_owned(),
            message: "hi".to_owned(),
            at: Ts(0),
            state: SendState::Handed,
            attempts,
            due: Ts(0),
            tried_at: None,
            receipt: None,
            error: None,
            others: Vec::new(),
            parts: None,
            cost: None,
            arrived_at: None,
        }
    }

    /// Semantics 17: what may be handed over again and what never, and what the pipeline is told.
    #[test]
    fn what_may_be_sent_again_and_what_never() {
        let later = |channel| Handed::Later { code: "x".to_owned(), rest: None, channel };
        let refused = |unreachable| Handed::Refused { code: "x".to_owned(), unreachable };
        let taken = Handed::Taken { receipt: "r".to_owned() };
        let unknown = Handed::Unknown { code: "x".to_owned() };
        for (attempts, handed, state, counts, tell) in [
            (1, taken.clone(), SendState::Sent, true, false),
            (9, taken, SendState::Sent, true, false),
            (1, unknown.clone(), SendState::Unknown, true, false),
            (9, unknown, SendState::Unknown, true, false),
            (1, later(false), SendState::Waiting, true, false),
            (9, later(false), SendState::Waiting, true, false),
            (10, later(false), SendState::Failed, true, true),
            (10, later(true), SendState::Waiting, false, false),
            (1, refused(false), SendState::Failed, true, true),
            (1, refused(true), SendState::Failed, true, true),
        ] {
            let noted = noted(&row(attempts), handed.clone(), Ts(1_000));
            assert_eq!(
                (noted.state, noted.counts, noted.tell),
                (state, counts, tell),
                "{handed:?} at attempt {attempts}"
            );
            // Only what waits is ever borrowed again.
            assert_eq!(noted.due > Ts(1_000), state == SendState::Waiting, "{handed:?}");
        }
    }

    #[test]
    fn whoever_asks_for_a_rest_gets_it() {
        let rest = Some(Duration::from_secs(7_200));
        let noted = noted(&row(1), Handed::Later { code: "x".to_owned(), rest, channel: false }, Ts(0));
        assert_eq!(noted.due, Ts(7_200_000_000));
    }
}
