//! Personal data of a home in PostgreSQL: sealing what it held before, erasing a person, telling all of one.

mod sealing;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::personal::{Personal, Told};
use zhiyin_store::read::MemberWhole;
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::envelope::{Subject, subject_of};
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{PastEvent, Result, archive};

use crate::PgStore;
use crate::campaigns::{ARRIVALS_ERASED, ARRIVALS_NAMES, CONVERSATIONS_ERASED, REFLECTIONS_ERASED};
use crate::connection::{Said, Step, Tx, Values};
use crate::load::timeline;
use crate::memory::HOME_HELD;
use crate::reading::FOUND_GONE;
use crate::rows::{Uuid, database, get, id};
use crate::survey::{Survey, survey};
use crate::write::FEED_NEW;
use crate::{names, report};

pub(crate) use sealing::*;

/// Whom an event is about, or may reach: a member, whatever they were called before they were merged.
macro_rules! of {
    ($column:literal) => {
        concat!(
            "(e.",
            $column,
            " = $1 OR e.",
            $column,
            " IN (SELECT member FROM {home}.alias WHERE root = $1))"
        )
    };
}

/// Events of a member that are not in their timeline: what waits, what could not be decided.
macro_rules! aside {
    ($said:literal) => {
        concat!(
            "SELECT ",
            $said,
            " FROM {shard}.event e WHERE ",
            of!("member"),
            " AND e.derived = 0 AND e.seq < 4611686018427387904 AND e.seq > (SELECT MIN(cursor) FROM {home}.slot) \
             UNION SELECT ",
            $said,
            " FROM (SELECT seq FROM {shard}.queue UNION SELECT seq FROM {shard}.retry \
             UNION SELECT seq FROM {shard}.dead_letter) w JOIN {shard}.event e ON e.seq = w.seq WHERE ",
            of!("member")
        )
    };
}
pub(crate) const EVENTS_OF: &str = concat!(timeline!(), "SELECT seq FROM t");
pub(crate) const EVENT_SUBJECTS: &str = concat!(
    timeline!(),
    "SELECT substr(e.body, 1, 17), substr(e.called, 1, 17) FROM t JOIN {events} e ON e.seq = t.seq"
);
pub(crate) const EVENTS_ASIDE: &str = aside!("e.seq");
pub(crate) const ASIDE_SUBJECTS: &str = aside!("substr(e.body, 1, 17), substr(e.called, 1, 17)");
/// Events of others that may reach a member.
pub(crate) const EVENTS_REACHING: &str = concat!(
    "SELECT e.seq FROM {shard}.event e WHERE ",
    of!("reached"),
    " AND e.reached IS NOT NULL AND e.seq < 4611686018427387904"
);
/// What a member was called before they were merged.
pub(crate) const ALIASES_OF: &str = "SELECT uuid_send(member) FROM {home}.alias WHERE root = $1";
pub(crate) const MEMBER_SUBJECT: &str = "SELECT attributes FROM {shard}.member WHERE id = $1";
pub(crate) const NAME_SUBJECTS: &str = "SELECT value FROM {shard}.identifier WHERE member = $1";
pub(crate) const NAMED: &str = "SELECT member, substr(value, 1, 17) FROM {shard}.identifier";
pub(crate) const BATCH_ON: &str = "UPDATE {home}.slot SET batch = batch + 1 WHERE slot = $1";
/// Whoever accepts items looks again whether the keys are there that they sealed under.
pub(crate) const ERASED_ON: &str = "UPDATE {home}.home SET erasures = erasures + 1 WHERE one = 1";
pub(crate) const NAMES_GONE: &str = "DELETE FROM {shard}.identifier WHERE member = $1";
/// A body that is in a file stays there, where nobody opens it any more.
pub(crate) const EVENT_BLANK: &str = "UPDATE {shard}.event SET called = NULL, \
    body = CASE WHEN length(body) > 0 THEN '\\x03'::bytea ELSE body END WHERE seq = ANY($1)";
pub(crate) const LETTER_BLANK: &str =
    "UPDATE {shard}.dead_letter SET field = '', message = '(erased)' WHERE seq = ANY($1)";
/// Aggregates are built anew from what is left, because no fingerprint is theirs; they are in no audience any more
/// (`packed::CLOSED`).
pub(crate) const MEMBER_BLANK: &str = "UPDATE {shard}.member SET attributes = $2, touches = $3, told_at = $4, \
    leaves = $5, fingerprint = '', personal = NULL, audiences = '\\xc0'::bytea, runs = NULL WHERE id = $1";
pub(crate) const TIMELINE_WHOLE: &str = concat!(
    timeline!(),
    "SELECT e.seq, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), e.time, e.name, e.body, e.id FROM t \
     JOIN {events} e ON e.seq = t.seq JOIN {home}.source s ON s.no = e.source ORDER BY e.time, e.seq"
);

fn told(row: &Row, vault: &Vault) -> Result<(Told, PastEvent)> {
    let (seq, time, name): (i64, Ts, String) = (get(row, 0)?, Ts(get(row, 3)?), get(row, 4)?);
    let body = Sealed(get(row, 5)?);
    let past =
        PastEvent { id: id(row, 6)?, seq, user_namespace: String::new(), time, name: name.clone(), body };
    let message_id = vault.called_text(get(row, 2)?)?;
    let told = Told { seq, source: get(row, 1)?, message_id, time, name, body: Sealed(Vec::new()) };
    Ok((told, past))
}

/// Erases a member. The home is held, so that no name is settled for them meanwhile; and their share moves on, so that what
/// was decided with them in memory is refused.
async fn erase(tx: &Tx<'_>, member: MemberId) -> Result<()> {
    let schemas = tx.session()?.schemas;
    let (slot, shard, key) = (schemas.slot_of(member), schemas.shard_of(member), Uuid::from(member));
    let mut steps = vec![
        Step::Say("BEGIN"),
        Step::Ask((HOME_HELD, 0), vec![]),
        Step::Run((BATCH_ON, 0), vec![&slot]),
        Step::Run((ERASED_ON, 0), vec![]),
        Step::Ask((EVENTS_OF, shard), vec![&key]),
    ];
    for shard in 0..schemas.shards() {
        steps.extend([EVENTS_ASIDE, EVENTS_REACHING].map(|sql| Step::Ask((sql, shard), vec![&key])));
    }
    let named = steps.len();
    steps.extend((0..schemas.shards()).map(|shard| Step::Ask((ARRIVALS_NAMES, shard), vec![&key])));
    let mut said = tx.send(steps).await.map_err(database)?;
    let names = said.split_off(named).into_iter().flat_map(Said::rows).map(|row| get(&row, 0));
    let names: Vec<Uuid> = names.collect::<Result<_>>()?;
    let seqs = said.into_iter().skip(4).flat_map(Said::rows).map(|row| get(&row, 0));
    let seqs: Vec<i64> = seqs.collect::<Result<_>>()?;
    let kept = Kept::erased();
    let (members, events) = (member.bytes().to_vec(), Vec::<u8>::new());
    let mut steps = Vec::new();
    for shard in 0..schemas.shards() {
        steps.push(Step::Run((EVENT_BLANK, shard), vec![&seqs]));
        steps.push(Step::Run((LETTER_BLANK, shard), vec![&seqs]));
        steps.push(Step::Run((names::SEEN_GONE, shard), vec![&key]));
        steps.push(Step::Run((NAMES_GONE, shard), vec![&key]));
        steps.push(Step::Run((ARRIVALS_ERASED, shard), vec![&names]));
        steps.push(Step::Run((CONVERSATIONS_ERASED, shard), vec![&names]));
        steps.push(Step::Run((REFLECTIONS_ERASED, shard), vec![&names]));
        steps.push(Step::Run((crate::checkouts::BLANK, shard), vec![&key]));
        steps.push(Step::Run((crate::campaigns::SEND_ERASED, shard), vec![&key]));
        steps.push(Step::Run((crate::campaigns::BLANK, shard), vec![&key]));
        steps.push(Step::Run((crate::links::OF_NOBODY, shard), vec![&key]));
        steps.push(Step::Run((crate::links::BY_NOBODY, shard), vec![&key]));
    }
    let values: Values<'_> = vec![&key, &kept.attributes, &kept.touches, &kept.told_at, &kept.leaves];
    let erased = vec![key];
    steps.push(Step::Run((FOUND_GONE, shard), vec![&erased]));
    steps.push(Step::Run((MEMBER_BLANK, shard), values));
    steps.push(Step::Run((crate::lists::ERASED, 0), vec![&key]));
    steps.push(Step::Run((FEED_NEW, 0), vec![&members, &events]));
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map(drop).map_err(database)
}

async fn subjects_of(survey: &Survey<'_>, member: MemberId) -> Result<Vec<Subject>> {
    let mut subjects = BTreeSet::from([*member.bytes()]);
    let mut take = |row: &Row| {
        for column in 0..row.len() {
            subjects.extend(get::<Option<&[u8]>>(row, column)?.and_then(subject_of));
        }
        Ok(())
    };
    let key = Uuid::from(member);
    let shard = survey.schemas.shard_of(member);
    survey.shard(shard, EVENT_SUBJECTS, &[&key], &mut take).await?;
    survey.shard(shard, MEMBER_SUBJECT, &[&key], &mut take).await?;
    survey.each(NAME_SUBJECTS, &[&key], &mut take).await?;
    survey.each(ASIDE_SUBJECTS, &[&key], &mut take).await?;
    survey.each(crate::checkouts::SUBJECTS, &[&key], &mut take).await?;
    survey.each(crate::campaigns::SUBJECTS, &[&key], &mut take).await?;
    for row in survey.home(ALIASES_OF, &[&key]).await? {
        subjects.extend(get::<&[u8]>(&row, 0)?.try_into().ok().into_iter().collect::<Vec<Subject>>());
    }
    Ok(subjects.into_iter().collect())
}

async fn named_under(
    survey: &Survey<'_>,
    subjects: &BTreeSet<Subject>,
    members: &BTreeSet<MemberId>,
) -> Result<Vec<(MemberId, Subject)>> {
    let mut found = BTreeSet::new();
    survey
        .each(NAMED, &[], |row| {
            let member = id(row, 0)?;
            let under = subject_of(get(row, 1)?)
                .filter(|subject| members.contains(&member) || subjects.contains(subject));
            found.extend(under.map(|subject| (member, subject)));
            Ok(())
        })
        .await?;
    Ok(found.into_iter().collect())
}

#[async_trait]
impl Personal for PgStore {
    fn keep_vault(&self, vault: Arc<Vault>) {
        *self.vault.write().unwrap_or_else(PoisonError::into_inner) = vault;
    }

    fn vault(&self) -> Arc<Vault> {
        PgStore::vault(self)
    }

    async fn mark_sealed(&self, mark: [u8; 32]) -> Result<()> {
        let tx = self.connections.session().await?.transaction();
        let mark = mark.as_slice();
        let steps = vec![
            Step::Say("BEGIN"),
            Step::Ask((HOME_HELD, 0), vec![]),
            Step::Run((MARKED, 0), vec![&mark]),
            Step::Run((SEALERS_ONLY, 0), vec![]),
            Step::Say("COMMIT"),
        ];
        let done = tx.send(steps).await.map(drop).map_err(database);
        tx.end(done).await
    }

    async fn seal_some(&self, limit: usize) -> Result<usize> {
        let stage = self.sealing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut client = self.connections.survey().await?;
        let tx = client.transaction().await.map_err(database)?;
        let (schemas, vault) = (&self.connections.schemas, self.vault());
        let (n, next) = Sealing { tx: &tx, schemas, vault: &vault, limit }.stage(stage).await?;
        tx.commit().await.map_err(database)?;
        *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(n)
    }

    async fn rewrite(&self) -> Result<()> {
        let client = self.connections.survey().await?;
        for shard in 0..self.connections.schemas.shards() {
            for table in ["identifier", "member", "event", "message", "dead_letter"] {
                let sql = format!("VACUUM FULL {{shard}}.{table}");
                client.batch_execute(&self.connections.schemas.sql(&sql, shard)).await.map_err(database)?;
            }
        }
        Ok(())
    }

    async fn subjects_of(&self, member: MemberId) -> Result<Vec<Subject>> {
        survey!(self, survey => subjects_of(&survey, member))
    }

    async fn named_under(
        &self,
        subjects: Arc<BTreeSet<Subject>>,
        members: Arc<BTreeSet<MemberId>>,
    ) -> Result<Vec<(MemberId, Subject)>> {
        survey!(self, survey => named_under(&survey, &subjects, &members))
    }

    async fn erase(&self, member: MemberId) -> Result<()> {
        let tx = self.connections.session().await?.transaction();
        let erased = erase(&tx, member).await;
        tx.end(erased).await
    }

    async fn timeline(&self, member: MemberId) -> Result<Vec<Told>> {
        let vault = self.vault();
        let found =
            survey!(self, survey => report::all(&survey, TIMELINE_WHOLE, member, |row| told(row, &vault)))?;
        let (mut told, mut past): (Vec<Told>, Vec<PastEvent>) = found.into_iter().unzip();
        archive::fill(&self.archive(), past.iter_mut())?;
        vault.open_past(past.iter_mut())?;
        for (told, past) in told.iter_mut().zip(past) {
            told.body = past.body;
        }
        Ok(told)
    }

    async fn member_entire(&self, member: MemberId) -> Result<Option<MemberWhole>> {
        survey!(self, survey => report::member_whole(&survey, &self.vault(), member, i64::MAX))
    }
}
