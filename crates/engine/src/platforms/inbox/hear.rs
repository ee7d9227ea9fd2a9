//! What was said at desks is pulled, a part at a time, from where it was last.
//!
//! A callback only says that there is something, so it is a row that is due; the same row is due again after a while without any, which
//! heals what callbacks lost.

mod taking;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zhiyin_model::event::names;
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::platform::{Asker, Speaker, Spoken, SpokenPage, SpokenWhat, Trouble};
use zhiyin_store::campaigns::mirror::ReflectionId;

use super::super::say;
use super::super::tasks::{again, seconds};
use super::super::{About, At, Kept, Put, Round, Row};
use super::{EVENT_CHARS_MAX, Found, Rows, TRIES, Whose, cut, window};
use crate::{Engine, Result, boxed};
pub(super) use taking::Hearing;

/// The kinds of rows of desks, and of when they were listed.
pub(super) const DESK: &str = "desk";
const LISTED: &str = "desks";
/// How long it is believed which desks there are; and how long somebody who may not know is left alone.
const LISTED_US: i64 = HOUR_US;
/// After how long a desk is looked at without being told, in microseconds: the platform lets it be asked seldom without a token.
const HEAL_US: i64 = 5 * 60_000_000;
/// How many desks are pulled from in one round, and how long one process has a desk.
const DESKS_AT_ONCE: usize = 8;
const LENT_US: i64 = 2 * 60_000_000;
/// How many words are pulled at a time.
const WORDS_AT_ONCE: usize = 100;
/// For how long what news bore is believed to be good, in seconds, where the platform does not say.
const FRESH_S: u64 = 600;

/// A desk, and how far it was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pulled {
    desk: String,
    pub(super) name: String,
    /// From where to go on.
    cursor: Option<String>,
    /// What news of it bore, and until when that is good, in seconds.
    token: Option<(String, i64)>,
    /// How often it was told that there is something.
    told: u64,
    tries: i64,
    /// Why it could not be asked.
    why: Option<String>,
}

/// When desks were listed, or are to be.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Listed {
    next: Ts,
}

/// A round that hears what was said.
pub(in crate::platforms) fn round<'a>(
    engine: &'a Engine,
    at: &'a At,
    wall: Ts,
) -> BoxFuture<'a, Result<Round>> {
    Box::pin(engine.round_of_desks(at, wall))
}

impl Kept<'_> {
    /// Notes that something was said at a desk, or at any: it is pulled at once.
    pub(in crate::platforms) async fn spoken_at(
        &self,
        desk: Option<&str>,
        token: Option<&str>,
        wall: Ts,
    ) -> Result<()> {
        let part = self.id(DESK, &[]);
        let Some(desk) = desk else {
            let (rows, _) = self.list::<Pulled>(DESK, part, None, 5_000).await?;
            for row in rows {
                // What a word of any desk bears is of none.
                self.tell_desk(&row.what.desk, None, wall).await?;
            }
            return Ok(());
        };
        self.tell_desk(desk, token, wall).await
    }

    async fn tell_desk(&self, desk: &str, token: Option<&str>, wall: Ts) -> Result<()> {
        let (id, part) = (self.id(DESK, &[desk]), self.id(DESK, &[]));
        let fresh = self.at.desk.limit("service.token_seconds", "each", seconds(wall)).unwrap_or(FRESH_S);
        let until = seconds(wall).saturating_add(i64::try_from(fresh).unwrap_or(0));
        for _ in 0..TRIES {
            let row: Option<Row<Pulled>> = self.get(vec![id]).await?.remove(&id);
            let (read, mut what) = row.map_or_else(
                || (0, Pulled { desk: desk.to_owned(), ..Pulled::default() }),
                |row| (row.version, row.what),
            );
            what.told += 1;
            what.token = token.map(|token| (token.to_owned(), until)).or(what.token);
            let put = Put { kind: DESK, id, part, read, due: Some(wall), about: About::Nobody, what: &what };
            if self.put(vec![put]).await?.first() == Some(&true) {
                return Ok(());
            }
        }
        // Whoever was quicker told it too, or has it right now and looks again.
        Ok(())
    }

    /// Learns which desks there are, once in a while.
    async fn list_desks(&self, wall: Ts) -> Result<()> {
        let id = self.id(LISTED, &[]);
        let known: Option<Row<Listed>> = self.get(vec![id]).await?.remove(&id);
        if known.as_ref().is_some_and(|row| row.what.next > wall) {
            return Ok(());
        }
        let next = match self.at.desk.helpdesks().await {
            Ok(desks) => {
                let part = self.id(DESK, &[]);
                let ids = desks.iter().map(|one| self.id(DESK, &[&one.desk])).collect();
                let rows: BTreeMap<ReflectionId, Row<Pulled>> = self.get(ids).await?;
                let mut new = Vec::new();
                for one in desks {
                    let id = self.id(DESK, &[&one.desk]);
                    let row = rows.get(&id);
                    if row.is_some_and(|row| row.what.name == one.name) {
                        continue;
                    }
                    let before = row.map(|row| row.what.clone()).unwrap_or_default();
                    let due = row.map_or(Some(wall), |row| row.due);
                    let what = Pulled { desk: one.desk, name: one.name, ..before };
                    new.push((id, row.map_or(0, |row| row.version), due, what));
                }
                let puts = new.iter().map(|(id, read, due, what)| Put {
                    kind: DESK,
                    id: *id,
                    part,
                    read: *read,
                    due: *due,
                    about: About::Nobody,
                    what,
                });
                self.put(puts.collect()).await?;
                wall.plus_us(LISTED_US)
            }
            Err(Trouble::Later { rest, .. }) => {
                wall.plus_us(crate::sends::micros(rest.max(Duration::from_secs(10))))
            }
            // Whoever does not serve customers there may not ask.
            Err(trouble) => {
                tracing::info!(at = ?self.at, why = trouble.why(), "inbox: desks are not known");
                wall.plus_us(LISTED_US)
            }
        };
        let read = known.map_or(0, |row| row.version);
        let what = Listed { next };
        let put = Put { kind: LISTED, id, part: id, read, due: None, about: About::Nobody, what: &what };
        self.put(vec![put]).await.map(drop)
    }
}

impl Engine {
    #[boxed]
    async fn round_of_desks(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        kept.list_desks(wall).await?;
        let rows: Vec<Row<Pulled>> = kept.lend(DESK, wall, wall.plus_us(LENT_US), DESKS_AT_ONCE).await?;
        let mut done = 0;
        for row in rows {
            done += self.pull_desk(&kept, at, row, wall).await?;
        }
        Ok(Round { done, next: kept.next(DESK).await? })
    }

    /// Pulls one part of what was said at a desk.
    async fn pull_desk(&self, kept: &Kept<'_>, at: &At, row: Row<Pulled>, wall: Ts) -> Result<usize> {
        let desk = &row.what;
        let fresh = desk.token.as_ref().filter(|(_, until)| *until > seconds(wall));
        let token = fresh.map(|(token, _)| token.as_str());
        let told = at.desk.spoken(&desk.desk, token, desk.cursor.as_deref(), WORDS_AT_ONCE).await;
        let page = match told {
            Ok(page) => page,
            Err(trouble) => {
                let mut what =
                    Pulled { tries: desk.tries + 1, why: Some(trouble.why().to_owned()), ..desk.clone() };
                let due = match &trouble {
                    Trouble::Later { rest, .. } => again(wall, what.tries.min(6), row.id, *rest),
                    // From the oldest that is kept on: what is known already is known by its id.
                    Trouble::Never { why: "cursor_wrong", .. } if what.cursor.is_some() => {
                        what.cursor = None;
                        wall
                    }
                    _ => wall.plus_us(LISTED_US),
                };
                tracing::info!(
                    ?at,
                    desk = desk.desk,
                    why = trouble.why(),
                    "inbox: a desk is not heard for now"
                );
                let put = Put {
                    kind: DESK,
                    id: row.id,
                    part: row.part,
                    read: row.version,
                    due: Some(due),
                    about: About::Nobody,
                    what: &what,
                };
                return kept.put(vec![put]).await.map(|_| 0);
            }
        };
        self.take_in(kept, at, row, page, wall).await
    }

    /// Takes in what a part says: events first; then words, conversations and the place to go on from, at once.
    async fn take_in(
        &self,
        kept: &Kept<'_>,
        at: &At,
        row: Row<Pulled>,
        page: SpokenPage,
        wall: Ts,
    ) -> Result<usize> {
        let rows = self.inbox_rows().await?;
        let said_by = at.desk.persona(&row.what.desk).map(str::to_owned);
        let persona = said_by
            .or_else(|| Some(row.what.name.clone()).filter(|name| !name.is_empty()))
            .unwrap_or_else(|| row.what.desk.clone());
        let desk = row.what.desk.clone();
        let closes = |when: Ts| window(|subject| at.desk.limit(subject, "each", seconds(when)), when);
        let place = Place {
            of: (at.desk.channel(), &at.account),
            namespace: at.desk.namespace(),
            desk: &desk,
            persona: &persona,
            window: &closes,
        };
        let askers = self.who_asks(&rows, at, &place, &page.items).await?;
        let said: Vec<say::Word> =
            page.items.iter().filter_map(|spoken| event_of(&place, &askers, spoken)).collect();
        for (word, why) in said.iter().zip(kept.say(&said).await?) {
            if let Some(why) = why {
                tracing::warn!(?at, word = word.id, why, "inbox: a word is no event");
            }
        }
        let (mut row, mut more) = (row, page.more);
        for _ in 0..TRIES {
            let mut hearing = Hearing::new(&rows, &place, &askers);
            hearing.load(&page.items).await?;
            for spoken in &page.items {
                hearing.hear(spoken);
            }
            let what = Pulled { cursor: page.next.clone(), tries: 0, why: None, ..row.what.clone() };
            let due = if more { wall } else { wall.plus_us(HEAL_US) };
            let mut things = hearing.things()?;
            things.push(kept.reflect(&Put {
                kind: DESK,
                id: row.id,
                part: row.part,
                read: row.version,
                due: Some(due),
                about: About::Nobody,
                what: &what,
            })?);
            if rows.converse(things, hearing.listed()).await? {
                return Ok(page.items.len() + usize::from(more));
            }
            let Some(now) = kept.get::<Pulled>(vec![row.id]).await?.remove(&row.id) else { return Ok(0) };
            if now.what.cursor != row.what.cursor {
                // Somebody else took the same in.
                return Ok(0);
            }
            // Where it was told meanwhile that there is more, it is pulled again right after.
            more = more || now.what.told != row.what.told;
            row = now;
        }
        Ok(0)
    }

    /// Who those are that were not met at a desk of this persona before: what they call themselves, and who they are elsewhere.
    async fn who_asks(
        &self,
        rows: &Rows<'_>,
        at: &At,
        place: &Place<'_>,
        items: &[Spoken],
    ) -> Result<BTreeMap<String, Asker>> {
        let is_word = |one: &&Spoken| matches!(one.what, SpokenWhat::Word { by: Speaker::Customer, .. });
        let customers: BTreeSet<&str> =
            items.iter().filter(is_word).map(|one| one.customer.as_str()).collect();
        let whose = |customer: &str| rows.whose(place.persona, (place.namespace, customer));
        let known = rows.found::<Whose>(customers.iter().map(|one| whose(one)).collect()).await?;
        let is_new = |customer: &&&str| !matches!(known.get(&whose(customer)), Some(Found::There(_)));
        let new: Vec<String> = customers.iter().filter(is_new).map(|one| (*one).to_owned()).collect();
        let mut askers = BTreeMap::new();
        for some in new.chunks(WORDS_AT_ONCE) {
            match at.desk.askers(some).await {
                Ok(found) => askers.extend(found.into_iter().map(|one| (one.customer.clone(), one))),
                // Who they are elsewhere is learned when they become a contact; their word waits for nothing.
                Err(trouble) => {
                    tracing::info!(?at, why = trouble.why(), "inbox: who asks is not known for now");
                }
            }
        }
        Ok(askers)
    }
}

/// Where something was said.
pub(super) struct Place<'p> {
    /// On which channel, and of which of the brand's accounts.
    pub(super) of: (&'p str, &'p str),
    /// How members are named there.
    pub(super) namespace: &'p str,
    pub(super) desk: &'p str,
    pub(super) persona: &'p str,
    /// Until when a word of an instant may be answered, and how often.
    pub(super) window: &'p (dyn Fn(Ts) -> (Ts, u64) + Send + Sync),
}

/// A word of a member's as an event; nothing, where it is somebody else's.
fn event_of(place: &Place<'_>, askers: &BTreeMap<String, Asker>, spoken: &Spoken) -> Option<say::Word> {
    let SpokenWhat::Word { by: Speaker::Customer, text, attached } = &spoken.what else { return None };
    let mut more: Map<String, Value> = Map::new();
    more.insert("desk".to_owned(), place.desk.into());
    more.insert("persona".to_owned(), place.persona.into());
    more.insert("kind".to_owned(), attached.as_ref().map_or("text", |one| one.kind).into());
    let (words, is_cut) = cut(text, EVENT_CHARS_MAX);
    if !words.is_empty() {
        more.insert("text".to_owned(), words.into());
    }
    if is_cut {
        more.insert("cut".to_owned(), true.into());
    }
    if let Some(one) = attached.as_ref().filter(|one| !one.media.is_empty()) {
        more.insert("media".to_owned(), cut(&one.media, EVENT_CHARS_MAX).0.into());
    }
    Some(say::Word {
        name: names::MESSAGE_RECEIVED,
        customer: spoken.customer.clone(),
        unionid: askers.get(&spoken.customer).and_then(|asker| asker.unionid.clone()),
        id: format!("spoken-{}", cut(&spoken.id, 100).0),
        at: spoken.at,
        more,
    })
}
