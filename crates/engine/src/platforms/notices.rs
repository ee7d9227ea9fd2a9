//! Words to the brand's own staff, on their phones: tasks for a member's advisor, and that something waits to be confirmed. Each is said
//! once; and of what one of the staff would get beyond what the platform lets through (it throws more away without a word) nothing is
//! said before there is room again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zhiyin_decide::naming;
use zhiyin_model::id::{MemberId, NoteId};
use zhiyin_model::playbook::campaign::ADVISOR;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_reach::platform::{Notice, Trouble};
use zhiyin_store::campaigns::StoredNote;
use zhiyin_store::campaigns::mirror::ReflectionId;
use zhiyin_store::{StoreError, Wanted, seal};

use super::tasks::{again, seconds};
use super::{About, At, Kept, Put, Round, Row};
use crate::boxed;
use crate::{Engine, Result};

/// The kinds of their rows.
const TOLD: &str = "staff_told";
const REMINDED: &str = "staff_reminded";
const STAFF: &str = "staff_with_customers";
const ADVICE: &str = "advice";
const LOOKED: &str = "advice_looked";
/// What is bounded, in which windows.
const SUBJECT: &str = "notify.per_staff";
const WINDOWS: [&str; 2] = ["minute", "hour"];
/// For how long it is believed who of the staff has customers.
const STAFF_US: i64 = HOUR_US;
/// How often a row is written again that somebody else wrote.
const WRITTEN_MAX: usize = 5;
/// Tasks that are older are no news.
const NEWS_US: i64 = DAY_US;
/// How long it is kept in mind that something was said.
const SAID_KEPT_US: i64 = 8 * DAY_US;
/// How many tasks are looked at, and how many are told, at a time.
const LOOKED_AT_ONCE: usize = 200;
const TOLD_AT_ONCE: usize = 50;
/// How long between two looks for new tasks.
const LOOK_US: i64 = 5_000_000;
/// For how long somebody may take who tells.
const LENT_US: i64 = 2 * 60_000_000;
/// How often it is tried to tell somebody.
const TRIES_MAX: i64 = 8;
/// The longest title and text of a word to staff, in bytes, where the platform does not say.
const TITLE_BYTES: u64 = 128;
const TEXT_BYTES: u64 = 512;

/// What one of the staff was told in windows of the platform: which, and how often.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told(BTreeMap<String, (i64, u64)>);

/// On which of the platform's days somebody was last reminded.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Reminded {
    day: i64,
}

/// Who of the staff has customers, and when that was asked.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Staff {
    accounts: Vec<String>,
    asked: Ts,
}

/// A task of an advisor, on its way to their phone.
#[derive(Debug, Serialize, Deserialize)]
struct Advice {
    note: NoteId,
    member: MemberId,
    #[serde(default)]
    tries: i64,
    /// What came of it: `told`, or why not; nothing while it is open.
    #[serde(default)]
    came: Option<String>,
}

/// Up to when tasks were looked at.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Looked {
    /// In business time.
    up_to: Ts,
}

/// What came of a word to one of the staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// They were told.
    Yes,
    /// Not now: at an instant.
    Later(Ts),
    /// Never; why, by a name.
    No(String),
}

/// A round that brings advisors their tasks.
pub(super) fn round<'a>(engine: &'a Engine, at: &'a At, wall: Ts) -> BoxFuture<'a, Result<Round>> {
    Box::pin(engine.round_of_notices(at, wall))
}

/// As much of a text as fits into so many bytes.
pub(super) fn cut(text: &str, bytes: u64) -> String {
    let most = usize::try_from(bytes).unwrap_or(usize::MAX);
    if text.len() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub('…'.len_utf8());
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

impl Engine {
    /// Accounts of a platform that may have customers, as it said within the hour.
    pub(crate) async fn staff_of(&self, at: &At, wall: Ts) -> Result<Vec<String>> {
        let kept = self.kept(at).await?;
        let id = kept.id(STAFF, &[]);
        let known: BTreeMap<ReflectionId, Row<Staff>> = kept.get(vec![id]).await?;
        let known = known.into_values().next();
        if let Some(row) = &known
            && wall.0.saturating_sub(row.what.asked.0) < STAFF_US
        {
            return Ok(known.map(|row| row.what.accounts).unwrap_or_default());
        }
        match at.desk.accounts().await {
            Ok(accounts) => {
                let what = Staff { accounts, asked: wall };
                let read = known.map_or(0, |row| row.version);
                kept.put(vec![Put {
                    kind: STAFF,
                    id,
                    part: id,
                    read,
                    due: None,
                    about: About::Nobody,
                    what: &what,
                }])
                .await?;
                Ok(what.accounts)
            }
            // Whom it had is better than nobody.
            Err(trouble) => {
                tracing::info!(?at, why = trouble.why(), "platforms: staff are not known anew");
                Ok(known.map(|row| row.what.accounts).unwrap_or_default())
            }
        }
    }

    /// Takes one of what somebody may be told now; else when there is room again.
    async fn may_tell(&self, kept: &Kept<'_>, at: &At, account: &str, wall: Ts) -> Result<Option<Ts>> {
        let now = seconds(wall);
        let id = kept.id(TOLD, &[&account.to_lowercase()]);
        for _ in 0..WRITTEN_MAX {
            let known: BTreeMap<ReflectionId, Row<Told>> = kept.get(vec![id]).await?;
            let (read, mut told) =
                known.into_values().next().map_or((0, Told::default()), |row| (row.version, row.what));
            let mut full = None;
            for window in WINDOWS {
                let (Some(most), Some(this)) =
                    (at.desk.limit(SUBJECT, window, now), at.desk.window(window, now))
                else {
                    continue;
                };
                let so_far = told.0.entry(window.to_owned()).or_insert((this, 0));
                if so_far.0 != this {
                    *so_far = (this, 0);
                }
                so_far.1 += 1;
                if so_far.1 > most {
                    let rest = if window == "minute" { 60 } else { 3_600 };
                    let next = now.div_euclid(rest).saturating_add(1).saturating_mul(rest);
                    full = full.max(Some(Ts(next.saturating_mul(1_000_000))));
                }
            }
            if full.is_some() {
                return Ok(full);
            }
            let put = Put {
                kind: TOLD,
                id,
                part: kept.id(TOLD, &[]),
                read,
                due: None,
                about: About::Nobody,
                what: &told,
            };
            if kept.put(vec![put]).await?.first() == Some(&true) {
                return Ok(None);
            }
        }
        Ok(Some(wall.plus_us(1_000_000)))
    }

    /// Says something to one of the staff, as far as the platform lets it through.
    pub(crate) async fn tell_account(
        &self,
        kept: &Kept<'_>,
        at: &At,
        (account, notice): (&str, &Notice),
        wall: Ts,
    ) -> Result<Heard> {
        if let Some(then) = self.may_tell(kept, at, account, wall).await? {
            return Ok(Heard::Later(then));
        }
        Ok(match at.desk.notify(&[account.to_owned()], notice).await {
            Ok(not_told) if not_told.is_empty() => Heard::Yes,
            Ok(_) => Heard::No("account_unknown".to_owned()),
            Err(Trouble::Later { rest, .. }) => {
                Heard::Later(wall.plus_us(crate::sends::micros(rest.max(Duration::from_secs(5)))))
            }
            // Word for word again it is heard once.
            Err(Trouble::Unknown { .. }) => Heard::Later(wall.plus_us(15_000_000)),
            Err(trouble) => Heard::No(trouble.why().to_owned()),
        })
    }

    /// Reminds somebody that there is something to confirm: once a day of the platform's, however many tasks wait.
    pub(super) async fn remind(&self, kept: &Kept<'_>, at: &At, account: &str, wall: Ts) -> Result<()> {
        let day = at.desk.window("day", seconds(wall)).unwrap_or_else(|| seconds(wall).div_euclid(86_400));
        let id = kept.id(REMINDED, &[&account.to_lowercase()]);
        let known: BTreeMap<ReflectionId, Row<Reminded>> = kept.get(vec![id]).await?;
        let known = known.into_values().next();
        if known.as_ref().is_some_and(|row| row.what.day >= day) {
            return Ok(());
        }
        let read = known.map_or(0, |row| row.version);
        let what = Reminded { day };
        let put = Put {
            kind: REMINDED,
            id,
            part: kept.id(REMINDED, &[]),
            read,
            due: None,
            about: About::Nobody,
            what: &what,
        };
        if kept.put(vec![put]).await?.first() != Some(&true) {
            return Ok(());
        }
        let is_english = self.live().is_ok_and(|live| speaks_english(&live.playbook));
        let (title, text) = if is_english {
            ("Messages wait for you", "Messages to your customers wait for you to confirm them.")
        } else {
            ("群发任务待确认", "有发给您客户的群发消息待您确认，请在企业微信中完成发送。")
        };
        let notice = Notice { title: title.to_owned(), text: text.to_owned(), url: None };
        let heard = self.tell_account(kept, at, (account, &notice), wall).await?;
        tracing::debug!(?at, account, ?heard, "platforms: staff were reminded");
        Ok(())
    }

    /// Brings advisors the tasks that are new.
    #[boxed]
    pub(crate) async fn round_of_notices(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let mut done = self.let_go_of_media(&kept, wall).await?;
        done += self.look_for_advice(&kept, wall).await?;
        let rows: Vec<Row<Advice>> = kept.lend(ADVICE, wall, wall.plus_us(LENT_US), TOLD_AT_ONCE).await?;
        done += rows.len();
        for row in rows {
            self.advise(&kept, at, row, wall).await?;
        }
        Ok(Round { done, next: kept.next(ADVICE).await? })
    }

    /// Makes a row of each open task that has none.
    async fn look_for_advice(&self, kept: &Kept<'_>, wall: Ts) -> Result<usize> {
        let home = self.home().await?;
        if home.live_since.is_none() {
            return Ok(0);
        }
        let id = kept.id(LOOKED, &[]);
        let lent: Vec<Row<Looked>> = kept.lend(LOOKED, wall, wall.plus_us(LOOK_US), 1).await?;
        let business = if home.replaying { home.clock } else { wall.plus_us(home.offset_us) };
        let Some(row) = lent.into_iter().next() else {
            let known: BTreeMap<ReflectionId, Row<Looked>> = kept.get(vec![id]).await?;
            if known.is_empty() {
                let what = Looked { up_to: business };
                let put = Put {
                    kind: LOOKED,
                    id,
                    part: id,
                    read: 0,
                    due: Some(wall),
                    about: About::Nobody,
                    what: &what,
                };
                kept.put(vec![put]).await?;
            }
            return Ok(0);
        };
        let mut after = Some((row.what.up_to.min(business).plus_us(-NEWS_US), NoteId::from_bytes([0; 16])));
        let (mut new, mut up_to) = (0, row.what.up_to);
        loop {
            let notes = self.store().coupons().campaigns().open_notes(ADVISOR, after, LOOKED_AT_ONCE).await?;
            let whole = notes.len() == LOOKED_AT_ONCE;
            after = notes.last().map(|one| (one.note.at, one.note.id));
            up_to = after.map_or(up_to, |(at, _)| up_to.max(at));
            new += self.put_advice(kept, notes.iter().collect(), (business, wall)).await?;
            if !whole {
                break;
            }
        }
        let what = Looked { up_to };
        let due = Some(wall.plus_us(LOOK_US));
        kept.put(vec![Put {
            kind: LOOKED,
            id,
            part: id,
            read: row.version,
            due,
            about: About::Nobody,
            what: &what,
        }])
        .await?;
        Ok(new)
    }

    async fn put_advice(
        &self,
        kept: &Kept<'_>,
        notes: Vec<&StoredNote>,
        (business, wall): (Ts, Ts),
    ) -> Result<usize> {
        let notes = notes.into_iter().filter(|one| business.0.saturating_sub(one.note.at.0) < NEWS_US);
        let notes: BTreeMap<ReflectionId, &StoredNote> =
            notes.map(|one| (kept.id(ADVICE, &[&one.note.id.to_string()]), one)).collect();
        if notes.is_empty() {
            return Ok(0);
        }
        let known: BTreeMap<ReflectionId, Row<Advice>> = kept.get(notes.keys().copied().collect()).await?;
        let new = notes.iter().filter(|(id, _)| !known.contains_key(id));
        let new: Vec<(ReflectionId, Advice)> = new
            .map(|(id, one)| {
                (*id, Advice { note: one.note.id, member: one.note.member, tries: 0, came: None })
            })
            .collect();
        let part = kept.id(ADVICE, &[]);
        let puts = new.iter().map(|(id, what)| Put {
            kind: ADVICE,
            id: *id,
            part,
            read: 0,
            due: Some(wall),
            about: About::Nobody,
            what,
        });
        let puts: Vec<Put<'_, Advice>> = puts.collect();
        if puts.is_empty() {
            return Ok(0);
        }
        let written = kept.put(puts).await?;
        Ok(written.into_iter().filter(|written| *written).count())
    }

    /// Brings an advisor a task; where it was said before, or is no task any more, it is forgotten after a while.
    async fn advise(&self, kept: &Kept<'_>, at: &At, mut row: Row<Advice>, wall: Ts) -> Result<()> {
        if row.what.came.is_some() {
            return kept.forget(vec![(row.id, row.version)]).await.map(drop);
        }
        let heard = match self.advice(at, &row.what, wall).await? {
            Ok((account, notice)) => self.tell_account(kept, at, (&account, &notice), wall).await?,
            Err(why) => Heard::No(why.to_owned()),
        };
        row.what.tries += 1;
        let due = match heard {
            Heard::Later(then) if row.what.tries < TRIES_MAX => {
                then.max(again(wall, row.what.tries.min(1), row.id, Duration::ZERO))
            }
            Heard::Later(_) => {
                row.what.came = Some("not_now".to_owned());
                wall.plus_us(SAID_KEPT_US)
            }
            Heard::Yes => {
                row.what.came = Some("told".to_owned());
                wall.plus_us(SAID_KEPT_US)
            }
            Heard::No(why) => {
                tracing::debug!(?at, note = %row.what.note, why, "platforms: an advisor is not told");
                row.what.came = Some(why);
                wall.plus_us(SAID_KEPT_US)
            }
        };
        let put = Put {
            kind: ADVICE,
            id: row.id,
            part: row.part,
            read: row.version,
            due: Some(due),
            about: About::Nobody,
            what: &row.what,
        };
        kept.put(vec![put]).await.map(drop)
    }

    /// Whose phone a task goes to, and in which words; else why to nobody's.
    async fn advice(
        &self,
        at: &At,
        advice: &Advice,
        wall: Ts,
    ) -> Result<std::result::Result<(String, Notice), &'static str>> {
        let Some(stored) = self.store().coupons().campaigns().note(advice.note).await? else {
            return Ok(Err("gone"));
        };
        if stored.note.state != zhiyin_model::run::NoteState::Open {
            return Ok(Err("done"));
        }
        let body = match seal::open(&stored.body) {
            Err(StoreError::Erased) => return Ok(Err("erased")),
            body => body?,
        };
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let loaded = self.store().load(Wanted { members: vec![advice.member], ..Wanted::default() }).await?;
        let Some(member) = loaded.members.into_iter().find(|stored| stored.member.id == advice.member) else {
            return Ok(Err("gone"));
        };
        let member = member.member;
        let staff = self.staff_of(at, wall).await?;
        let is_here = |account: &&str| staff.iter().any(|one| one.eq_ignore_ascii_case(account));
        // Who is said to look after them; else whom of the staff they added last.
        let own = naming::advisor(&member).filter(|code| is_here(code)).map(str::to_owned);
        let contacts = member.personal.contacts.iter();
        let latest = contacts
            .filter(|(channel, account, contact)| {
                *channel == at.desk.channel() && contact.ended.is_none() && is_here(account)
            })
            .max_by_key(|(.., contact)| contact.since)
            .map(|(_, account, _)| account.to_owned());
        let Some(account) = own.or(latest) else { return Ok(Err("nobody")) };
        let live = self.live()?;
        let is_english = speaks_english(&live.playbook);
        let now = seconds(wall);
        let most = |subject: &str, usual: u64| at.desk.limit(subject, "call", now).unwrap_or(usual);
        let title = if is_english { "A task for a member of yours" } else { "会员跟进任务" };
        let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
        // Two tasks that say the same are two: the platform throws the same words away.
        let mark: String = advice.note.to_string().chars().take(6).collect();
        let room = most("notify.description_bytes", TEXT_BYTES).saturating_sub(16);
        let address = live.playbook.links.address.as_str();
        let url = (!address.is_empty()).then(|| format!("{address}/#task={}", advice.note));
        let notice = Notice {
            title: cut(title, most("notify.title_bytes", TITLE_BYTES)),
            text: format!("{}\n#{mark}", cut(text, room)),
            url,
        };
        Ok(Ok((account, notice)))
    }
}

/// Whether staff are spoken to in English: the brand's first language.
fn speaks_english(playbook: &zhiyin_model::playbook::Playbook) -> bool {
    playbook.languages.first() == Some(&zhiyin_model::playbook::Language::En)
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("好物", 6), "好物");
        assert_eq!(cut("好物好", 8), "好…");
        assert_eq!(cut("abcdef", 5), "ab…");
    }
}
