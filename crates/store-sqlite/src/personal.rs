//! Personal data of a home in a file: sealing what it held before, erasing a person, telling all of one.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::personal::{Personal, Told};
use zhiyin_store::read::MemberWhole;
use zhiyin_store::seal::envelope::{ERASED, Subject, subject_of};
use zhiyin_store::seal::personal::{Kept, NowSealed, Unsealed};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::seal::{Sealed, is_erased};
use zhiyin_store::{PastEvent, Result, StoreError, archive};

use crate::SqliteStore;
use crate::campaigns;
use crate::checkouts::{BLANK, BODIES, BODY_SET, SUBJECTS};
use crate::coupons::codes;
use crate::load::timeline;
use crate::reading::FOUND_GONE_OF;
use crate::rows::{self, all, database, id};
use crate::write::{FEED_NEW, prepare, run};
use crate::{lists, names, report};

pub(crate) const MARKED: &str = "UPDATE home SET id_key = ? WHERE one = 1";
/// Programs that do not know how homes are sealed are refused from now on.
pub(crate) const SEALERS_ONLY: &str = "UPDATE migration SET oldest = number WHERE number = 4";
pub(crate) const IDENTIFIERS: &str =
    "SELECT hash, value FROM identifier WHERE hash > ? ORDER BY hash LIMIT ?";
pub(crate) const IDENTIFIER_SET: &str = "UPDATE identifier SET value = ?2 WHERE hash = ?1";
pub(crate) const MEMBERS: &str = "SELECT no, id, attributes, touches, told_at, leaves, personal FROM member WHERE no > ? ORDER BY no LIMIT ?";
pub(crate) const MEMBER_SET: &str = "UPDATE member SET attributes = ?2, touches = ?3, told_at = ?4, leaves = ?5, personal = NULL WHERE no = ?1";
pub(crate) const EVENTS: &str = "SELECT seq, member, time, body, message_id, called IS NULL FROM event WHERE seq > ? ORDER BY seq LIMIT ?";
pub(crate) const EVENT_SET: &str = "UPDATE event SET body = ?2, message_id = ?3, called = ?4 WHERE seq = ?1";
pub(crate) const LETTERS: &str = "SELECT d.seq, e.member, d.at, d.field, d.message FROM dead_letter d \
    JOIN event e ON e.seq = d.seq WHERE d.seq > ? ORDER BY d.seq LIMIT ?";
pub(crate) const LETTER_SET: &str = "UPDATE dead_letter SET field = '', message = ?2 WHERE seq = ?1";

pub(crate) const STAFF: &str =
    "SELECT place, code, name FROM staff WHERE (place, code) > (?1, ?2) ORDER BY place, code LIMIT ?3";
pub(crate) const STAFF_SET: &str = "UPDATE staff SET name = ?3 WHERE place = ?1 AND code = ?2";

/// Events of a member: their timeline, what waits, what could not be decided; and events of others that may reach them.
pub(crate) const EVENTS_OF: &str = concat!(
    timeline!(),
    "SELECT seq FROM t UNION SELECT seq FROM event WHERE derived = 0 \
     AND seq > (SELECT cursor FROM slot) AND (member = ?1 OR member IN (SELECT member FROM alias WHERE root = ?1)) \
     UNION SELECT e.seq FROM (SELECT seq FROM queue UNION SELECT seq FROM retry \
     UNION SELECT seq FROM dead_letter) w CROSS JOIN event e ON e.seq = w.seq \
     WHERE e.member = ?1 OR e.member IN (SELECT member FROM alias WHERE root = ?1)"
);
pub(crate) const EVENTS_REACHING: &str = "SELECT seq FROM event \
    WHERE reached = ?1 OR reached IN (SELECT member FROM alias WHERE root = ?1)";
/// What a member was called before they were merged.
pub(crate) const ALIASES_OF: &str = "SELECT member FROM alias WHERE root = ?";
pub(crate) const EVENT_SUBJECTS: &str = "SELECT body, called FROM event WHERE seq = ?";
pub(crate) const MEMBER_SUBJECT: &str = "SELECT attributes FROM member WHERE id = ?";
pub(crate) const NAME_SUBJECTS: &str =
    "SELECT value FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1";
pub(crate) const NAMED: &str = "SELECT member, substr(value, 1, 17) FROM identifier";
/// By more than batches may be under way at once: what was decided before the erasure is refused, and one that stands behind a batch
/// which failed does not pass for the next.
pub(crate) const BATCH_ON: &str = "UPDATE slot SET batch = batch + 1024";
/// Whoever accepts items looks again whether the keys are there that they sealed under.
pub(crate) const ERASED_ON: &str = "UPDATE home SET erasures = erasures + 1 WHERE one = 1";
pub(crate) const NAMES_GONE: &str =
    "DELETE FROM identifier WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1";
/// A body that is in a file stays there, where nobody opens it any more.
pub(crate) const EVENT_BLANK: &str =
    "UPDATE event SET body = CASE WHEN length(body) > 0 THEN ?2 ELSE body END, called = NULL WHERE seq = ?1";
pub(crate) const LETTER_BLANK: &str = "UPDATE dead_letter SET field = '', message = '(erased)' WHERE seq = ?";
/// Aggregates are built anew from what is left, because no fingerprint is theirs; they are in no audience any more
/// (`packed::CLOSED`).
pub(crate) const MEMBER_BLANK: &str = "UPDATE member SET attributes = ?2, touches = ?3, told_at = ?4, leaves = ?5, \
    fingerprint = '', personal = NULL, audiences = X'C0', runs = NULL WHERE id = ?1";
pub(crate) const TIMELINE_WHOLE: &str = concat!(
    timeline!(),
    "SELECT e.seq, s.name, COALESCE(e.called, e.message_id), e.time, e.name, e.body, e.id FROM t \
     CROSS JOIN event e ON e.seq = t.seq CROSS JOIN source s ON s.no = e.source ORDER BY e.time, e.seq"
);

/// How far a home has been sealed that was not.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Identifiers(Vec<u8>),
    Members(i64),
    Events(i64),
    Letters(i64),
    Staff(String, String),
    Codes(i64, i64),
    Checkouts(Vec<u8>),
    Outbox(Vec<u8>),
    Arrivals(Vec<u8>),
    Mirror(Vec<u8>),
    Done,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Identifiers(Vec::new())
    }
}

fn member_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Subject>> {
    Ok(rows::id_or_none::<zhiyin_model::id::MemberKind>(row, column)?.map(|member| *member.bytes()))
}

/// A thing that came back as another than it was asked for: a defect of ours.
fn mixed() -> StoreError {
    StoreError::Damaged("a value was sealed as another".to_owned())
}

/// Seals the next rows of a stage; how many were looked at, and the stage from then on.
fn seal_stage(c: &Connection, vault: &Vault, stage: Stage, limit: usize) -> Result<(usize, Stage)> {
    let limit = limit as i64;
    match stage {
        Stage::Identifiers(after) => identifiers(c, vault, after, limit),
        Stage::Members(after) => members(c, vault, after, limit),
        Stage::Events(after) => events(c, vault, after, limit),
        Stage::Letters(after) => letters(c, vault, after, limit),
        Stage::Staff(place, code) => staff(c, vault, (place, code), limit),
        Stage::Codes(no, place) => Ok(match codes::seal_next(c, vault, (no, place), limit)? {
            (n, Some((no, place))) => (n, Stage::Codes(no, place)),
            (_, None) => (1, Stage::Checkouts(Vec::new())),
        }),
        Stage::Checkouts(after) => {
            let found = bodies(c, vault, (BODIES, BODY_SET), (after, limit))?;
            Ok(found.map_or((1, Stage::Outbox(Vec::new())), |(n, last)| (n, Stage::Checkouts(last))))
        }
        Stage::Outbox(after) => {
            let found = bodies(c, vault, (campaigns::BODIES, campaigns::BODY_SET), (after, limit))?;
            Ok(found.map_or((1, Stage::Arrivals(Vec::new())), |(n, last)| (n, Stage::Outbox(last))))
        }
        Stage::Arrivals(after) => {
            let of = (campaigns::ARRIVAL_BODIES, campaigns::ARRIVAL_BODY_SET);
            let found = bodies(c, vault, of, (after, limit))?;
            Ok(found.map_or((1, Stage::Mirror(Vec::new())), |(n, last)| (n, Stage::Arrivals(last))))
        }
        Stage::Mirror(after) => {
            let of = (campaigns::REFLECTION_BODIES, campaigns::REFLECTION_BODY_SET);
            let found = bodies(c, vault, of, (after, limit))?;
            Ok(found.map_or((0, Stage::Done), |(n, last)| (n, Stage::Mirror(last))))
        }
        Stage::Done => Ok((0, Stage::Done)),
    }
}

fn identifiers(c: &Connection, vault: &Vault, after: Vec<u8>, limit: i64) -> Result<(usize, Stage)> {
    let found: Vec<(Subject, Vec<u8>)> = all(c, IDENTIFIERS, params![after, limit], |row| {
        let hash = row.get_ref(0)?.as_blob()?.try_into();
        Ok((hash.map_err(|_| rows::damaged(0, "not a hash"))?, row.get(1)?))
    })?;
    let Some((last, _)) = found.last() else { return Ok((1, Stage::Members(0))) };
    let next = Stage::Identifiers(last.to_vec());
    let open: Vec<_> = found.iter().filter(|(_, value)| subject_of(value).is_none()).collect();
    let values: Vec<_> = open.iter().map(|(hash, value)| Unsealed::Identifier(*hash, value)).collect();
    let mut set = prepare(c, IDENTIFIER_SET)?;
    for ((hash, _), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Value(value) = sealed else { return Err(mixed()) };
        run(&mut set, params![hash.as_slice(), value])?;
    }
    Ok((found.len(), next))
}

fn members(c: &Connection, vault: &Vault, after: i64, limit: i64) -> Result<(usize, Stage)> {
    let found = all(c, MEMBERS, [after, limit], |row| {
        let kept = Kept {
            attributes: row.get(2)?,
            touches: row.get(3)?,
            told_at: row.get(4)?,
            leaves: row.get(5)?,
            personal: row.get(6)?,
        };
        Ok((row.get::<_, i64>(0)?, id::<zhiyin_model::id::MemberKind>(row, 1)?, kept))
    })?;
    let Some((last, ..)) = found.last() else { return Ok((1, Stage::Events(0))) };
    let (n, next) = (found.len(), Stage::Members(*last));
    let unsealed =
        |kept: &Kept| subject_of(&kept.attributes).is_none() && !is_erased(&Sealed(kept.attributes.clone()));
    let open: Vec<_> = found.into_iter().filter(|(.., kept)| unsealed(kept)).collect();
    let values: Vec<_> =
        open.iter().map(|(_, member, kept)| Unsealed::Member(*member.bytes(), kept.clone())).collect();
    let mut set = prepare(c, MEMBER_SET)?;
    for ((no, ..), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Member(kept) = sealed else { return Err(mixed()) };
        run(&mut set, params![no, kept.attributes, kept.touches, kept.told_at, kept.leaves])?;
    }
    Ok((n, next))
}

fn events(c: &Connection, vault: &Vault, after: i64, limit: i64) -> Result<(usize, Stage)> {
    let found = all(c, EVENTS, [after, limit], |row| {
        let event: (i64, Option<Subject>, i64) = (row.get(0)?, member_of(row, 1)?, row.get(2)?);
        Ok((event, row.get::<_, Vec<u8>>(3)?, row.get::<_, String>(4)?, row.get::<_, bool>(5)?))
    })?;
    let Some(((last, ..), ..)) = found.last() else { return Ok((1, Stage::Letters(0))) };
    let (n, next) = (found.len(), Stage::Events(*last));
    // What was erased bears the hash already.
    let is_open = |body: &[u8], unsealed: bool| unsealed && body != [ERASED];
    let open: Vec<_> = found.into_iter().filter(|(_, body, _, unsealed)| is_open(body, *unsealed)).collect();
    let values: Vec<_> = open
        .iter()
        .map(|((_, member, time), body, message_id, _)| Unsealed::Event(*member, Ts(*time), body, message_id))
        .collect();
    let mut set = prepare(c, EVENT_SET)?;
    for (((seq, ..), ..), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Event(body, message_id, called) = sealed else { return Err(mixed()) };
        run(&mut set, params![seq, body, message_id, called])?;
    }
    Ok((n, next))
}

fn letters(c: &Connection, vault: &Vault, after: i64, limit: i64) -> Result<(usize, Stage)> {
    let found = all(c, LETTERS, [after, limit], |row| {
        let letter: (i64, Option<Subject>, i64) = (row.get(0)?, member_of(row, 1)?, row.get(2)?);
        Ok((letter, row.get::<_, String>(3)?, row.get::<_, String>(4)?))
    })?;
    let Some(((last, ..), ..)) = found.last() else {
        return Ok((1, Stage::Staff(String::new(), String::new())));
    };
    let (n, next) = (found.len(), Stage::Letters(*last));
    let open: Vec<_> = found.into_iter().filter(|(.., message)| !message.starts_with('~')).collect();
    let values: Vec<_> = open
        .iter()
        .map(|((_, member, at), field, message)| Unsealed::Letter(*member, Ts(*at), field, message))
        .collect();
    let mut set = prepare(c, LETTER_SET)?;
    for (((seq, ..), ..), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Letter(message) = sealed else { return Err(mixed()) };
        run(&mut set, params![seq, message])?;
    }
    Ok((n, next))
}

fn staff(
    c: &Connection,
    vault: &Vault,
    (place, code): (String, String),
    limit: i64,
) -> Result<(usize, Stage)> {
    let found = all(c, STAFF, params![place, code, limit], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    let Some((place, code, _)) = found.last() else { return Ok((1, Stage::Codes(i64::MIN, 0))) };
    let next = Stage::Staff(place.clone(), code.clone());
    let open: Vec<_> = found.iter().filter(|(.., name)| subject_of(name).is_none()).collect();
    let values: Vec<_> = open.iter().map(|(place, code, name)| Unsealed::Staff(place, code, name)).collect();
    let mut set = prepare(c, STAFF_SET)?;
    for ((place, code, _), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Value(name) = sealed else { return Err(mixed()) };
        run(&mut set, params![place, code, name])?;
    }
    Ok((found.len(), next))
}

/// Seals bodies of checkouts, of what was said, or of what came; how many were looked at, and the last of them.
fn bodies(
    c: &Connection,
    vault: &Vault,
    (read, write): (&str, &str),
    (after, limit): (Vec<u8>, i64),
) -> Result<Option<(usize, Vec<u8>)>> {
    let found = all(c, read, params![after, limit], |row| {
        let of: (Vec<u8>, Option<Subject>, i64) = (row.get(0)?, member_of(row, 1)?, row.get(2)?);
        Ok((of, row.get::<_, Vec<u8>>(3)?))
    })?;
    let Some(((last, ..), _)) = found.last() else { return Ok(None) };
    let (n, last) = (found.len(), last.clone());
    let is_open = |body: &[u8]| subject_of(body).is_none() && body != [ERASED];
    let open: Vec<_> = found.into_iter().filter(|(_, body)| is_open(body)).collect();
    let values = open.iter().map(|((_, member, at), body)| Unsealed::Event(*member, Ts(*at), body, ""));
    let values: Vec<_> = values.collect();
    let mut set = prepare(c, write)?;
    for (((id, ..), _), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Event(body, ..) = sealed else { return Err(mixed()) };
        run(&mut set, params![id, body])?;
    }
    Ok(Some((n, last)))
}

fn subjects_of(c: &Connection, member: MemberId) -> Result<Vec<Subject>> {
    let key = member.bytes().as_slice();
    let mut subjects = BTreeSet::from([*member.bytes()]);
    let aliases = all(c, ALIASES_OF, [key], |row| id::<zhiyin_model::id::MemberKind>(row, 0))?;
    subjects.extend(aliases.iter().map(|alias| *alias.bytes()));
    let mut take = |stored: Option<Vec<u8>>| subjects.extend(stored.as_deref().and_then(subject_of));
    for sql in [MEMBER_SUBJECT, NAME_SUBJECTS, SUBJECTS, campaigns::SUBJECTS] {
        all(c, sql, [key], |row| row.get(0))?.into_iter().for_each(&mut take);
    }
    let mut event = prepare(c, EVENT_SUBJECTS)?;
    for seq in all(c, EVENTS_OF, [key], |row| row.get::<_, i64>(0))? {
        let (body, called) =
            event.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)?;
        take(body);
        take(called);
    }
    Ok(subjects.into_iter().collect())
}

fn erase(c: &Connection, member: MemberId, reaching: &[i64]) -> Result<()> {
    let key = member.bytes().as_slice();
    run(&mut prepare(c, BATCH_ON)?, [])?;
    run(&mut prepare(c, ERASED_ON)?, [])?;
    let mut seqs = all(c, EVENTS_OF, [key], |row| row.get::<_, i64>(0))?;
    seqs.extend(reaching);
    let mut event = prepare(c, EVENT_BLANK)?;
    let mut letter = prepare(c, LETTER_BLANK)?;
    for seq in seqs {
        run(&mut event, params![seq, [ERASED].as_slice()])?;
        run(&mut letter, [seq])?;
    }
    run(&mut prepare(c, names::SEEN_GONE)?, [key])?;
    run(&mut prepare(c, campaigns::ARRIVALS_ERASED)?, [key])?;
    run(&mut prepare(c, campaigns::CONVERSATIONS_ERASED)?, [key])?;
    run(&mut prepare(c, campaigns::REFLECTIONS_ERASED)?, [key])?;
    run(&mut prepare(c, NAMES_GONE)?, [key])?;
    run(&mut prepare(c, lists::ERASED)?, [key])?;
    run(&mut prepare(c, FOUND_GONE_OF)?, [key])?;
    run(&mut prepare(c, BLANK)?, params![key, [ERASED].as_slice()])?;
    run(&mut prepare(c, campaigns::SEND_ERASED)?, [key])?;
    run(&mut prepare(c, campaigns::BLANK)?, params![key, [ERASED].as_slice()])?;
    campaigns::links::erase(c, member)?;
    let kept = Kept::erased();
    let values = params![key, kept.attributes, kept.touches, kept.told_at, kept.leaves];
    run(&mut prepare(c, MEMBER_BLANK)?, values)?;
    run(&mut prepare(c, FEED_NEW)?, params![key, [0u8; 0].as_slice()]).map(drop)
}

fn told(c: &Connection, vault: &Vault, member: MemberId) -> Result<Vec<(Told, PastEvent)>> {
    all(c, TIMELINE_WHOLE, [member.bytes().as_slice()], |row| {
        let (seq, time, name): (i64, Ts, String) = (row.get(0)?, Ts(row.get(3)?), row.get(4)?);
        let body = Sealed(row.get(5)?);
        let past =
            PastEvent { id: id(row, 6)?, seq, user_namespace: String::new(), time, name: name.clone(), body };
        let message_id = rows::called(row, 2, vault)?;
        let told = Told { seq, source: row.get(1)?, message_id, time, name, body: Sealed(Vec::new()) };
        Ok((told, past))
    })
}

#[async_trait]
impl Personal for SqliteStore {
    fn keep_vault(&self, vault: Arc<Vault>) {
        *self.vault.write().unwrap_or_else(PoisonError::into_inner) = vault;
    }

    fn vault(&self) -> Arc<Vault> {
        SqliteStore::vault(self)
    }

    async fn mark_sealed(&self, mark: [u8; 32]) -> Result<()> {
        self.connections
            .write(move |c| {
                run(&mut prepare(c, MARKED)?, [mark.as_slice()])?;
                run(&mut prepare(c, SEALERS_ONLY)?, []).map(drop)
            })
            .await
    }

    async fn seal_some(&self, limit: usize) -> Result<usize> {
        let stage = self.sealing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let vault = self.vault();
        let (n, next) = self.connections.write(move |c| seal_stage(c, &vault, stage, limit)).await?;
        *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(n)
    }

    async fn rewrite(&self) -> Result<()> {
        self.connections
            .alone(|c| {
                c.execute_batch("VACUUM").map_err(database)?;
                c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(database)
            })
            .await
    }

    async fn subjects_of(&self, member: MemberId) -> Result<Vec<Subject>> {
        self.connections.read(move |c| subjects_of(c, member)).await
    }

    async fn named_under(
        &self,
        subjects: Arc<BTreeSet<Subject>>,
        members: Arc<BTreeSet<MemberId>>,
    ) -> Result<Vec<(MemberId, Subject)>> {
        self.connections
            .survey(move |c| {
                let mut found = BTreeSet::new();
                let mut statement = c.prepare(NAMED).map_err(database)?;
                let mut rows = statement.query([]).map_err(database)?;
                while let Some(row) = rows.next().map_err(database)? {
                    let member = id(row, 0).map_err(database)?;
                    let value = row.get_ref(1).map_err(database)?.as_blob().unwrap_or_default();
                    let under = subject_of(value)
                        .filter(|subject| members.contains(&member) || subjects.contains(subject));
                    found.extend(under.map(|subject| (member, subject)));
                }
                Ok(found.into_iter().collect())
            })
            .await
    }

    async fn erase(&self, member: MemberId) -> Result<()> {
        // Looked for beforehand, because it is a look through all events: what comes in meanwhile came after.
        let reaching = self
            .connections
            .survey(move |c| all(c, EVENTS_REACHING, [member.bytes().as_slice()], |row| row.get::<_, i64>(0)))
            .await?;
        self.connections.write(move |c| erase(c, member, &reaching)).await
    }

    async fn timeline(&self, member: MemberId) -> Result<Vec<Told>> {
        let vault = self.vault();
        let opening = Arc::clone(&vault);
        let told = self.connections.survey(move |c| told(c, &opening, member)).await?;
        let (mut told, mut past): (Vec<Told>, Vec<PastEvent>) = told.into_iter().unzip();
        archive::fill(&self.archive(), past.iter_mut())?;
        vault.open_past(past.iter_mut())?;
        for (told, past) in told.iter_mut().zip(past) {
            told.body = past.body;
        }
        Ok(told)
    }

    async fn member_entire(&self, member: MemberId) -> Result<Option<MemberWhole>> {
        let vault = self.vault();
        self.connections.survey(move |c| report::member_whole(c, &vault, member, i64::MAX)).await
    }
}
