//! Saying what people answered: once, whatever gets lost. That it is going to be said is written before it is, and whoever finds that
//! written and nothing after it knows that nobody knows: it is not said again.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use zhiyin_decide::campaign::guard::why_blocked;
use zhiyin_decide::{Cause, Scene};
use zhiyin_model::event::names;
use zhiyin_model::id::{EventId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, Reply, Session, Trouble};
use zhiyin_store::Wanted;

use super::super::say;
use super::super::tasks::again;
use super::super::{At, Round, Row};
use super::{Rows, Stage, TRIES, Talk, TalkState, Word};
use crate::apps::AppAt;
use crate::{Engine, Result, clock, rebuild};

/// How many are said in one round, and how long one process has them: longer than saying one may take.
const AT_ONCE: usize = 16;
const LENT_US: i64 = 2 * 60_000_000;
/// How often it is tried to say one that is certainly not said.
const TRIES_MAX: i64 = 8;

/// A round that says what waits.
pub(in crate::platforms) fn round<'a>(
    engine: &'a Engine,
    at: &'a At,
    wall: Ts,
) -> BoxFuture<'a, Result<Round>> {
    Box::pin(engine.round_of_replies(Mouth::Desk(at), wall))
}

/// By whom answers of one account are said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mouth<'m> {
    /// Desks of a platform's customer service.
    Desk(&'m At),
    /// An app of the brand's.
    App(&'m AppAt),
}

impl<'m> Mouth<'m> {
    /// Its channel, and what the brand calls the account.
    fn of(self) -> (&'m str, &'m str) {
        match self {
            Self::Desk(at) => (at.desk.channel(), &at.account),
            Self::App(at) => (at.door, &at.account),
        }
    }

    async fn say(self, reply: &Reply) -> Answer<()> {
        match self {
            Self::Desk(at) => at.desk.reply(reply).await,
            Self::App(at) => at.app.reply(&reply.customer, &reply.text).await,
        }
    }

    /// Who has a customer whom this app may not answer, by a name.
    async fn whose_session(self, word: &Word) -> &'static str {
        let Self::Desk(at) = self else { return "session_elsewhere" };
        match at.desk.session(&word.desk, &word.customer).await {
            Ok(Session::Staff(_)) => "session_with_staff",
            Ok(Session::Queue) => "session_in_queue",
            Ok(Session::Over) => "session_over",
            Ok(Session::Nobody | Session::App) | Err(_) => "session_elsewhere",
        }
    }
}

/// Why an answer was not taken, in the inbox's words: each platform has its own for the same.
fn why_not(trouble: &Trouble) -> &str {
    match trouble.why() {
        "said_nothing_lately" => "reply_window_closed",
        "replies_spent" => "replies_at_most",
        why => why,
    }
}

/// What came of saying something.
enum Came {
    Said,
    Later(Ts),
    Unknown,
    Never(String),
}

impl Engine {
    /// Says what waits to be said by an app.
    pub(crate) async fn replies_of_app(&self, at: &AppAt, wall: Ts) -> Result<Round> {
        self.round_of_replies(Mouth::App(at), wall).await
    }

    async fn round_of_replies(&self, mouth: Mouth<'_>, wall: Ts) -> Result<Round> {
        let rows = self.inbox_rows().await?;
        let lent = rows.lend_words(mouth.of(), (wall, wall.plus_us(LENT_US)), AT_ONCE).await?;
        let (mut done, mut held) = (0, BTreeSet::new());
        for row in lent {
            // Of one conversation nothing is said before what was to be said first.
            if held.contains(&row.what.talk) {
                continue;
            }
            let talk = row.what.talk;
            if !self.work_on_reply(mouth, &rows, row, wall).await? {
                held.insert(talk);
            }
            done += 1;
        }
        let mirror = self.store().coupons().campaigns().mirror();
        Ok(Round { done, next: mirror.next_reflection(&rows.words_of(mouth.of())).await? })
    }

    /// Does what is next for one; whether it is over with, said or not.
    async fn work_on_reply(
        &self,
        mouth: Mouth<'_>,
        rows: &Rows<'_>,
        mut row: Row<Word>,
        wall: Ts,
    ) -> Result<bool> {
        match row.what.stage.clone() {
            Stage::Waiting => {}
            // Whoever had it before did not say what came of it.
            Stage::Handed => return self.came_of(mouth, rows, row, Came::Unknown, wall).await,
            Stage::Delivered { told: false } => return self.tell_answered(mouth, rows, row).await,
            Stage::Heard | Stage::Delivered { told: true } | Stage::Failed(_) | Stage::Unknown => {
                let thing = rows.word(mouth.of(), (row.id, row.version), None, &row.what)?;
                return rows.converse(vec![thing], Vec::new()).await.map(|_| true);
            }
        }
        if let Some(why) = self.not_to_be_said(rows, &row.what).await? {
            return self.came_of(mouth, rows, row, Came::Never(why), wall).await;
        }
        row.what.stage = Stage::Handed;
        let handed = rows.word(mouth.of(), (row.id, row.version), Some(wall.plus_us(LENT_US)), &row.what)?;
        if !rows.converse(vec![handed], Vec::new()).await? {
            return Ok(true);
        }
        row.version += 1;
        let reply = Reply {
            id: row.id.to_string(),
            desk: row.what.desk.clone(),
            customer: row.what.customer.clone(),
            text: row.what.text.clone(),
        };
        let came = match mouth.say(&reply).await {
            Ok(()) => Came::Said,
            Err(Trouble::Later { rest, why }) if row.what.tries + 1 < TRIES_MAX => {
                tracing::info!(?mouth, why, "inbox: an answer waits");
                Came::Later(again(wall, row.what.tries + 1, row.id, rest.max(Duration::from_secs(1))))
            }
            Err(Trouble::Unknown { .. }) => Came::Unknown,
            Err(Trouble::Never { why: "session_elsewhere", .. }) => {
                Came::Never(mouth.whose_session(&row.what).await.to_owned())
            }
            Err(trouble) => Came::Never(why_not(&trouble).to_owned()),
        };
        let is_later = matches!(came, Came::Later(_));
        let settled = self.came_of(mouth, rows, row, came, wall).await?;
        Ok(settled && !is_later)
    }

    /// Why nothing is said to somebody, not even an answer.
    pub(super) async fn not_to_be_answered(&self, member: MemberId) -> Result<Option<&'static str>> {
        let store = self.store().as_ref();
        let loaded = store.load(Wanted { members: vec![member], ..Wanted::default() }).await?;
        let Some(stored) = loaded.members.into_iter().find(|stored| stored.member.id == member) else {
            return Ok(None);
        };
        let (live, home) = (self.live()?, self.home().await?);
        let state = rebuild::state(store, &live.rules, stored).await?;
        let at = clock::now(&home).max(home.clock).max(state.member.decided_until);
        let cause = Cause { id: EventId::from_bytes([0; 16]), name: "answer", clock: at, replay: false };
        let scene = Scene { rules: &live.rules, key: &home.id_key, cause, at };
        Ok(why_blocked(&scene, &state).map(|why| match why {
            "erased" => "member_erased",
            _ => "member_blocked",
        }))
    }

    async fn not_to_be_said(&self, rows: &Rows<'_>, word: &Word) -> Result<Option<String>> {
        let members = rows.members(&[(&word.namespace, &word.customer)]).await?;
        let Some(member) = members.get(&0) else { return Ok(None) };
        Ok(self.not_to_be_answered(*member).await?.map(str::to_owned))
    }

    /// Writes down what came of one, and what that means for its conversation, at once; whether it was written.
    async fn came_of(
        &self,
        mouth: Mouth<'_>,
        rows: &Rows<'_>,
        mut row: Row<Word>,
        came: Came,
        wall: Ts,
    ) -> Result<bool> {
        row.what.tries += 1;
        let due = match &came {
            Came::Said => {
                row.what.stage = Stage::Delivered { told: false };
                Some(wall)
            }
            Came::Later(then) => {
                row.what.stage = Stage::Waiting;
                Some(*then)
            }
            Came::Unknown => {
                row.what.stage = Stage::Unknown;
                None
            }
            Came::Never(why) => {
                row.what.stage = Stage::Failed(why.clone());
                None
            }
        };
        for _ in 0..TRIES {
            let mut things = vec![rows.word(mouth.of(), (row.id, row.version), due, &row.what)?];
            let mut listed = Vec::new();
            if let Some(mut talk) = rows.get::<Talk>(row.what.talk).await? {
                let before = talk.what.clone();
                settle(&mut talk.what, mouth.of().1, &row.what, &came, wall);
                if talk.what != before {
                    things.push(rows.talk(talk.id, talk.version, &talk.what)?);
                    listed.push(talk.what.listed(talk.id));
                }
            }
            if rows.converse(things, listed).await? {
                return Ok(true);
            }
            match rows.get::<Word>(row.id).await? {
                // The conversation is another by now: once more.
                Some(now) if now.version == row.version => {}
                // Somebody else had it meanwhile, or it was erased.
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// That somebody was answered is an event of theirs.
    async fn tell_answered(&self, mouth: Mouth<'_>, rows: &Rows<'_>, mut row: Row<Word>) -> Result<bool> {
        let mut more: Map<String, Value> = Map::new();
        more.insert("desk".to_owned(), row.what.desk.as_str().into());
        more.insert("persona".to_owned(), row.what.persona.as_str().into());
        row.what.who.iter().for_each(|who| drop(more.insert("by".to_owned(), who.as_str().into())));
        let id = format!("answered-{}", row.id);
        match mouth {
            Mouth::Desk(at) => {
                let said = say::Word {
                    name: names::MESSAGE_ANSWERED,
                    customer: row.what.customer.clone(),
                    unionid: None,
                    id,
                    at: row.what.at.0.div_euclid(1_000_000),
                    more,
                };
                self.kept(at).await?.say(&[said]).await?;
            }
            Mouth::App(at) => {
                more.insert("channel".to_owned(), at.door.into());
                more.insert("account_of".to_owned(), at.account.as_str().into());
                let home = self.home().await?;
                let when = row.what.at.plus_us(home.offset_us).min(clock::now(&home));
                let item = json!({
                    "type": "track", "event": names::MESSAGE_ANSWERED, "messageId": id, "timestamp": when.rfc3339(),
                    "context": {"externalIds": [{"id": row.what.customer, "type": row.what.namespace}]}, "properties": more,
                });
                let refused = self.put(at.door, &[item.to_string().into_bytes()]).await?;
                if let Some(why) = refused {
                    tracing::warn!(?at, why, "inbox: an answer is no event");
                }
            }
        }
        row.what.stage = Stage::Delivered { told: true };
        let thing = rows.word(mouth.of(), (row.id, row.version), None, &row.what)?;
        rows.converse(vec![thing], Vec::new()).await.map(|_| true)
    }
}

/// What comes of an answer for its conversation.
fn settle(talk: &mut Talk, account: &str, word: &Word, came: &Came, wall: Ts) {
    let desk = |talk: &mut Talk, change: &dyn Fn(&mut super::Desk)| {
        if let Some(one) = talk.desk_mut(account, &word.desk) {
            change(one);
        }
    };
    match came {
        Came::Later(_) => {}
        Came::Said => {
            talk.trouble = None;
            let is_last = talk.heard.is_none_or(|heard| heard <= word.at);
            if is_last && matches!(talk.state, TalkState::Unread | TalkState::Open) {
                (talk.state, talk.unread) = (TalkState::Answered, 0);
            }
        }
        Came::Unknown => talk.trouble = Some("unknown".to_owned()),
        Came::Never(why) => {
            talk.trouble = Some(why.clone());
            match why.as_str() {
                "replies_at_most" => desk(talk, &|one| one.left = 0),
                "reply_window_closed" => desk(talk, &|one| one.closes = one.closes.min(wall)),
                // It was not said: it may be said once more.
                _ => desk(talk, &|one| one.left = one.left.saturating_add(1)),
            }
            if talk.state == TalkState::Answered {
                talk.state = TalkState::Open;
            }
        }
    }
}
