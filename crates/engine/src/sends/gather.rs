//! Messages that staff confirm by hand before they go out: what is due at one time and says the same through the same account is gathered
//! into one task, so that whoever confirms it does so once ([`crate::platforms`]).
//!
//! It is the dispatcher's work as on any other channel ([`super::hand`]): what is due is borrowed, the guard-rails are asked once more, and
//! the address is looked up. It is in the task's row before it counts as being handed over, so of whoever is killed in between the send is
//! either in no task, or in one that looks at it again before the platform is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;
use zhiyin_decide::state::State;
use zhiyin_model::id::NoteId;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Trouble;
use zhiyin_store::campaigns::mirror::PartId;
use zhiyin_store::campaigns::sends::SendRow;
use zhiyin_store::{Home, StoreError};

use super::hand::{BORROWED_US, CHANNEL_REST, Due, Going, micros, short};
use crate::boxed;
use crate::live::Live;
use crate::platforms::tasks::{
    self, CONFIRM_USUAL_US, Errand, Picture, Reaches, Sending, Stage, TASK, Words,
};
use crate::platforms::{About, At, Kept, Put, Round, Row, media};
use crate::{Engine, Result};

/// How many are gathered at a time.
const AT_ONCE: usize = 500;
/// How many are looked at side by side.
const SIDE_BY_SIDE: usize = 16;
/// How long a task waits for more once something came.
const QUIET_US: i64 = 10_000_000;
/// How long it waits for more at most.
const OPEN_US: i64 = 2 * 60_000_000;
/// How often a task is looked for that may become more.
const LOOKED_MAX: usize = 8;
/// How many tasks that say the same are looked at.
const SAME_MAX: usize = 200;
/// How many customers get one task, where the platform does not say.
const CUSTOMERS_USUAL: u64 = 1_000;

/// Something that is due, with all that is needed to gather it.
struct Addressed {
    row: SendRow,
    /// Through which of the accounts that the home has on the platform.
    at: usize,
    /// Whose message it is.
    account: String,
    /// Whose customer it is for.
    customer: String,
    words: Words,
    confirm_us: i64,
}

/// What a message says, as the outbox has it.
fn words_of(body: &str) -> Result<(Words, Option<String>, Option<String>)> {
    let body: Value =
        serde_json::from_str(body).map_err(|error| StoreError::Damaged(format!("what was said: {error}")))?;
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let card = text(&body["card"]["title"]).zip(text(&body["card"]["url"]));
    let words = Words { text: text(&body["text"]).unwrap_or_default(), picture: None, card };
    Ok((words, text(&body["persona"]), text(&body["poster"])))
}

impl Engine {
    /// Gathers what is due on the channels of platforms; `all` is every account that the home has there.
    #[boxed]
    pub async fn gather_sends(&self, all: &[At], wall: Ts) -> Result<Round> {
        let mut whole = Round::default();
        let mut channels: Vec<&'static str> = all.iter().map(|at| at.desk.channel()).collect();
        channels.dedup();
        for channel in channels {
            let of: Vec<At> = all.iter().filter(|at| at.desk.channel() == channel).cloned().collect();
            whole.done += self.gather(channel, &of, wall).await?;
        }
        Ok(whole)
    }

    async fn gather(&self, channel: &'static str, all: &[At], wall: Ts) -> Result<usize> {
        let Ok(live) = self.live() else { return Ok(0) };
        let sends = self.store().coupons().campaigns().sends();
        let claimed = sends.claim(channel, wall, wall.plus_us(BORROWED_US), AT_ONCE).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let n = claimed.len();
        let home = self.home().await?;
        let mut kept = Vec::with_capacity(all.len());
        for at in all {
            kept.push((self.kept(at).await?, self.senders(at, all.len(), wall).await?));
        }
        let mut addressed: Vec<Addressed> = Vec::with_capacity(n);
        for part in claimed.chunks(SIDE_BY_SIDE) {
            let each = part.iter().map(|row| self.address(all, &kept, (&home, &live), row, wall));
            for one in join_all(each).await {
                match one? {
                    Due::Go(one) => addressed.push(*one),
                    Due::Erased => {}
                    Due::Later(..) | Due::Stopped(_) => self.counted(channel, 1),
                }
            }
        }
        for (i, at) in all.iter().enumerate() {
            let Some((kept, _)) = kept.get(i) else { continue };
            let of: Vec<&Addressed> = addressed.iter().filter(|one| one.at == i).collect();
            self.gather_at(kept, at, of, wall).await?;
        }
        Ok(n)
    }

    fn counted(&self, channel: &'static str, n: usize) {
        self.measures.sends().came(channel, "stopped", n);
    }

    /// Which accounts of a platform have customers; nobody is asked where the home has only one there.
    async fn senders(&self, at: &At, n_accounts: usize, wall: Ts) -> Result<Option<Vec<String>>> {
        if n_accounts < 2 {
            return Ok(None);
        }
        self.staff_of(at, wall).await.map(Some)
    }

    /// Whether one of them may be handed over, by whom and to whom. What may not is noted here.
    async fn address(
        &self,
        all: &[At],
        kept: &[(Kept<'_>, Option<Vec<String>>)],
        with: (&Home, &Arc<Live>),
        row: &SendRow,
        wall: Ts,
    ) -> Result<Due<Addressed>> {
        let due = match self.let_through(with, row, wall).await? {
            Due::Go(going) => self.addressed(all, kept, (with.1, row), *going, wall).await?,
            Due::Later(due, why) => Due::Later(due, why),
            Due::Stopped(why) => Due::Stopped(why),
            Due::Erased => Due::Erased,
        };
        match due {
            Due::Go(one) => Ok(Due::Go(one)),
            other => {
                self.not_handed(
                    row,
                    match &other {
                        Due::Later(due, why) => Due::<Addressed>::Later(*due, why.clone()),
                        Due::Stopped(why) => Due::Stopped(why.clone()),
                        _ => Due::Erased,
                    },
                )
                .await?;
                Ok(other)
            }
        }
    }

    async fn addressed(
        &self,
        all: &[At],
        kept: &[(Kept<'_>, Option<Vec<String>>)],
        (live, row): (&Arc<Live>, &SendRow),
        going: Going,
        wall: Ts,
    ) -> Result<Due<Addressed>> {
        let (mut words, persona, poster) = words_of(&going.body)?;
        let staff: Vec<Option<&[String]>> = kept.iter().map(|(_, staff)| staff.as_deref()).collect();
        let Some((i, account)) = by_whom(all, &staff, &going.state, persona.as_deref()) else {
            // Who is known elsewhere may be a contact all the same: the next word reaches them.
            self.want_to_know(all, row.member, wall).await?;
            return Ok(Due::Stopped("address: none".to_owned()));
        };
        let (Some(at), Some((kept, _))) = (all.get(i), kept.get(i)) else {
            return Ok(Due::Stopped("address: none".to_owned()));
        };
        let names = self.store().identifiers_of(vec![row.member]).await?;
        let mut names = names.into_iter().filter(|(_, namespace, _)| namespace == at.desk.namespace());
        let Some((.., customer)) = names.next_back() else {
            return Ok(Due::Stopped("address: none".to_owned()));
        };
        if let Some(poster) = poster {
            let png = match self.poster_for(&poster, &going.state).await? {
                Ok(png) => png,
                Err(refusal) => return Ok(Due::Stopped(short(&format!("poster: {}", refusal.code)))),
            };
            let hash = media::hash_of(&png);
            match self.media(kept, at, (&hash, &png), wall).await? {
                Ok(_) => words.picture = Some(Picture { poster, member: row.member, hash }),
                Err(Trouble::Later { why, rest }) => {
                    let rest = rest.max(CHANNEL_REST);
                    return Ok(Due::Later(wall.plus_us(micros(rest)), format!("poster: {why}")));
                }
                Err(trouble) => return Ok(Due::Stopped(short(&format!("poster: {}", trouble.why())))),
            }
        }
        let minutes = live.playbook.messages.get(&row.message).and_then(|terms| terms.confirm_minutes);
        let confirm_us = minutes.map_or(CONFIRM_USUAL_US, |minutes| i64::from(minutes) * 60_000_000);
        Ok(Due::Go(Box::new(Addressed { row: row.clone(), at: i, account, customer, words, confirm_us })))
    }

    /// Puts what is due into tasks of an account, after whoever has had as many as the platform allows was left out.
    async fn gather_at(&self, kept: &Kept<'_>, at: &At, all: Vec<&Addressed>, wall: Ts) -> Result<()> {
        let wanted: Vec<(NoteId, String)> =
            all.iter().map(|one| (one.row.id, one.customer.clone())).collect();
        let full = self.may_have(kept, at, &wanted, wall).await?;
        let mut same: BTreeMap<PartId, Vec<&Addressed>> = BTreeMap::new();
        for one in all {
            if let Some(why) = full.get(&one.row.id) {
                let stopped = Due::<Addressed>::Stopped(short(&format!("platform_quota: {why}")));
                self.not_handed(&one.row, stopped).await?;
                self.counted(at.desk.channel(), 1);
                continue;
            }
            let part = tasks::part_of(kept, &one.account, &one.words, one.confirm_us);
            same.entry(part).or_default().push(one);
        }
        for (part, of) in same {
            self.gather_same(kept, at, part, of, wall).await?;
        }
        Ok(())
    }

    /// Puts sends that say the same through the same account into a task that may become more, or into new ones.
    async fn gather_same(
        &self,
        kept: &Kept<'_>,
        at: &At,
        part: PartId,
        of: Vec<&Addressed>,
        wall: Ts,
    ) -> Result<()> {
        let now = wall.0.div_euclid(1_000_000);
        let most = at.desk.limit("mass_send.external_userids", "call", now).unwrap_or(CUSTOMERS_USUAL);
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let mut open = of;
        for _ in 0..LOOKED_MAX {
            let Some(first) = open.first() else { return Ok(()) };
            let (rows, _): (Vec<Row<Errand>>, _) = kept.list(TASK, part, None, SAME_MAX).await?;
            let may_grow = |row: &Row<Errand>| {
                row.what.stage == Stage::Gathering
                    && matches!(&row.what.to, Reaches::Members(sends) if sends.len() < most)
                    && wall.0.saturating_sub(row.what.opened.0) < OPEN_US
            };
            let mut row = match rows.into_iter().find(may_grow) {
                Some(row) => row,
                None => Row {
                    id: kept.id(TASK, &[&first.row.id.to_string(), &first.row.attempts.to_string()]),
                    version: 0,
                    part,
                    due: None,
                    what: Errand {
                        account: first.account.clone(),
                        words: first.words.clone(),
                        to: Reaches::Members(Vec::new()),
                        stage: Stage::Gathering,
                        opened: wall,
                        confirm_us: first.confirm_us,
                        tries: 0,
                        by: None,
                    },
                },
            };
            let Reaches::Members(sends) = &mut row.what.to else { return Ok(()) };
            let room = most.saturating_sub(sends.len()).min(open.len());
            let rest = open.split_off(room);
            let added: Vec<Sending> = open.iter().map(|one| sending(kept, one)).collect();
            sends.extend(added.iter().cloned());
            let is_full = sends.len() >= most;
            let closes = wall.plus_us(QUIET_US).min(row.what.opened.plus_us(OPEN_US));
            let (due, until) = (if is_full { wall } else { closes }, row.what.lost_at());
            let put = Put {
                kind: TASK,
                id: row.id,
                part,
                read: row.version,
                due: Some(due),
                about: About::Nobody,
                what: &row.what,
            };
            if kept.put(vec![put]).await?.first() != Some(&true) {
                // Somebody else added to it, or closed it.
                open.extend(rest);
                continue;
            }
            self.are_handed(&added, until, wall).await?;
            open = rest;
        }
        // They are borrowed no more in a minute, and are gathered then.
        Ok(())
    }

    async fn are_handed(&self, sends: &[Sending], until: Ts, wall: Ts) -> Result<()> {
        let store = self.store().coupons().campaigns().sends();
        for part in sends.chunks(SIDE_BY_SIDE * 4) {
            for noted in join_all(part.iter().map(|one| store.note(tasks::handed(one, until, wall)))).await {
                noted?;
            }
        }
        Ok(())
    }
}

fn sending(kept: &Kept<'_>, one: &Addressed) -> Sending {
    Sending {
        send: one.row.id,
        attempts: one.row.attempts,
        member: one.row.member,
        whom: kept.customer(&one.customer),
    }
}

/// Which of a member's contacts says it: one of the persona's, where somebody speaks as that; else the latest. `staff` are those of each
/// account of the home's, where it has several.
fn by_whom(
    all: &[At],
    staff: &[Option<&[String]>],
    state: &State,
    persona: Option<&str>,
) -> Option<(usize, String)> {
    let mut found: Vec<(Ts, usize, &str)> = Vec::new();
    for (channel, account, contact) in state.member.personal.contacts.iter() {
        if contact.ended.is_some() || contact.half {
            continue;
        }
        let is_of = |(i, at): &(usize, &At)| {
            at.desk.channel() == channel
                && match staff.get(*i).copied().flatten() {
                    Some(staff) => staff.iter().any(|one| one.eq_ignore_ascii_case(account)),
                    None => true,
                }
        };
        if let Some((i, _)) = all.iter().enumerate().find(is_of) {
            found.push((contact.since, i, account));
        }
    }
    if let Some(persona) = persona
        && all.iter().any(|at| !at.desk.accounts_of(persona).is_empty())
    {
        found.retain(|(_, i, account)| {
            all.get(*i).is_some_and(|at| at.desk.persona(account) == Some(persona))
        });
    }
    found.into_iter().max().map(|(_, i, account)| (i, account.to_owned()))
}
