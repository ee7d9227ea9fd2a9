//! Campaigns: what happened in runs lies with the member, what was said in the shard of its own hash, so that each is found by it.

pub(crate) mod arrivals;
mod conversations;
mod mirror;
pub(crate) mod sends;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::{EventId, MemberId, NoteId};
use zhiyin_model::playbook::campaign::OUTSIDE;
use zhiyin_model::run::{Note, NoteState, RunMoveKind};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::sends::{SendState, leaves_said, others_text};
use zhiyin_store::campaigns::{
    self, Assigned, AssignedMove, AssignedPart, Campaigns, CouponGiven, MoveRead, NotesGone, RunFlush,
    StoredNote,
};
use zhiyin_store::flush::Joined;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError, seal};

pub(crate) use arrivals::*;
pub(crate) use conversations::*;
pub(crate) use mirror::*;
pub(crate) use sends::*;

use crate::PgStore;
use crate::batch;
use crate::connection::{Of, Session, Values};
use crate::rows::{Uuid, damaged, get, id};
use crate::schemas::Schemas;
use crate::survey::Survey;

pub(crate) const MOVE_NEW: &str = "INSERT INTO {shard}.run_move (member, campaign, run, kind, place, why, at, event, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::bigint[], \
    $8::bigint[], $9::bigint[])";
pub(crate) const NOTE_NEW: &str = "INSERT INTO {shard}.outbox (id, member, channel, campaign, message, at, state, cause, body) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::smallint[], \
    $8::uuid[], $9::bytea[]) ON CONFLICT (id) DO NOTHING";
/// Tasks are done, and all else is seen.
pub(crate) const NOTE_ON: &str = "UPDATE {shard}.outbox o SET state = u.state \
    FROM unnest($1::uuid[], $2::uuid[], $3::smallint[]) u (id, member, state) \
    WHERE o.id = u.id AND o.member = u.member AND o.state < u.state AND (o.channel = 'advisor') = (u.state = 2)";
pub(crate) const MOVES_OF: &str = "SELECT campaign, run, kind, place, why, at, version FROM {shard}.run_move \
    WHERE (member = $1 OR member IN (SELECT a.member FROM {home}.alias a WHERE a.root = $1)) \
    AND ($2::text IS NULL OR campaign = $2) ORDER BY at DESC, no DESC LIMIT $3";
pub(crate) const BEGUN: &str = "SELECT DISTINCT member FROM {shard}.run_move WHERE campaign = $1 AND kind = 0 \
    AND ($2::uuid IS NULL OR member > $2) ORDER BY member LIMIT $3";
pub(crate) const ROOTS: &str = "SELECT member, root FROM {home}.alias WHERE member = ANY($1::uuid[])";
pub(crate) const WERE: &str = "SELECT member, root FROM {home}.alias WHERE root = ANY($1::uuid[])";
pub(crate) const ASSIGNED: &str = "SELECT member, run, kind, place, why, at, version FROM {shard}.run_move \
    WHERE member = ANY($1::uuid[]) AND campaign = $2 ORDER BY at, no";
pub(crate) const GIVEN: &str = "SELECT c.member, c.offer, t.at, t.given FROM {shard}.coupon c \
    JOIN {shard}.coupon_move t ON t.coupon = c.id WHERE c.member = ANY($1::uuid[]) AND t.given <> 0";
pub(crate) const NOTES_OF: &str = "SELECT id, member, channel, campaign, message, at, state, cause, body FROM {shard}.outbox \
    WHERE member = $1 AND ($2::text IS NULL OR channel = $2) ORDER BY at DESC, id LIMIT $3";
pub(crate) const NOTE: &str =
    "SELECT id, member, channel, campaign, message, at, state, cause, body FROM {shard}.outbox WHERE id = $1";
pub(crate) const NOTES_OPEN: &str = "SELECT id, member, channel, campaign, message, at, state, cause, body FROM {shard}.outbox \
    WHERE channel = $1 AND state = 0 AND ($2::bigint IS NULL OR (at, id) > ($2, $3::uuid)) ORDER BY at, id LIMIT $4";
pub(crate) const DIGESTED: &str = "SELECT o.id, o.member, o.channel, o.campaign, o.message, o.at, o.state, o.cause, o.body, \
    s.state, s.others FROM {shard}.outbox o LEFT JOIN {shard}.send s ON s.id = o.id";
pub(crate) const MOVES_DIGESTED: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), \
    t.campaign, t.kind, t.place, t.at FROM {shard}.run_move t JOIN {events} e ON e.seq = t.event \
    JOIN {home}.source s ON s.no = e.source";
pub(crate) const SUBJECTS: &str = "SELECT substr(body, 1, 17) FROM {shard}.outbox WHERE member = $1";
/// Nobody is asked to do anything for them any more.
pub(crate) const BLANK: &str = "UPDATE {shard}.outbox SET body = '\\x03'::bytea, state = 2 WHERE member = $1";
pub(crate) const BODIES: &str = "SELECT id, member, at, body FROM {shard}.outbox \
    WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2";
pub(crate) const BODY_SET: &str = "UPDATE {shard}.outbox c SET body = u.body \
    FROM unnest($1::uuid[], $2::bytea[]) u (id, body) WHERE c.id = u.id";
pub(crate) const UNSEALED: &str = "SELECT 'message ' || replace(id::text, '-', '') FROM {shard}.outbox \
    WHERE body <> '\\x03'::bytea AND get_byte(body, 0) <> 2 LIMIT 5";
/// What is no task that is open, nor on its way, nor to be told of.
macro_rules! settled {
    () => {
        "NOT (o.channel = 'advisor' AND o.state = 0) AND NOT EXISTS (SELECT 1 FROM {shard}.send s WHERE s.id = o.id \
         AND (s.state IN (0, 1) OR NOT s.told))"
    };
}
pub(crate) const NOTE_TEXTS_OLD: &str = concat!(
    "UPDATE {shard}.outbox SET body = '\\x03'::bytea WHERE id = ANY (ARRAY( \
     SELECT o.id FROM {shard}.outbox o WHERE o.at < $1 AND length(o.body) > 1 AND ",
    settled!(),
    " ORDER BY o.at, o.id LIMIT $2 FOR UPDATE SKIP LOCKED))"
);
/// Rows go with what is known of their way.
pub(crate) const NOTES_GONE: &str = concat!(
    "WITH gone AS (DELETE FROM {shard}.outbox WHERE id = ANY (ARRAY( \
     SELECT o.id FROM {shard}.outbox o WHERE o.at < $1 AND length(o.body) <= 1 AND ",
    settled!(),
    " ORDER BY o.at, o.id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id), \
     sends AS (DELETE FROM {shard}.send s USING gone g WHERE s.id = g.id) SELECT COUNT(*) FROM gone"
);
pub(crate) const POOL_SET: &str = "INSERT INTO {home}.pool AS p (pool, taken) VALUES ($1, $2) \
    ON CONFLICT (pool) DO UPDATE SET taken = excluded.taken WHERE p.taken <> $3";
pub(crate) const ANEW: &str = "UPDATE {shard}.member SET version = 0 WHERE version <> 0";

/// The rows that what a batch says of campaigns is in one shard.
#[derive(Default)]
pub(crate) struct Rows<'f> {
    pub(crate) moves: batch::RunMoves<'f>,
    pub(crate) notes: batch::Notes<'f>,
    pub(crate) sends: batch::SendsNew<'f>,
    pub(crate) changed: batch::NotesOn,
    pub(crate) links: batch::LinksNew<'f>,
}

impl<'f> Rows<'f> {
    /// Puts what a batch says of campaigns apart by shard.
    pub(crate) fn of(
        said: &'f RunFlush,
        schemas: &Schemas,
        version: i64,
        seq: impl Fn(EventId) -> Result<i64>,
    ) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = (0..schemas.shards()).map(|_| Self::default()).collect();
        for one in &said.moves {
            rows[schemas.shard_of(one.member)].moves.push(batch::RunMove {
                member: one.member.into(),
                campaign: &one.campaign,
                run: one.run.into(),
                kind: one.kind.code(),
                place: &one.place,
                why: &one.why,
                at: one.at.0,
                event: seq(one.event)?,
                version,
            });
        }
        for set in &said.notes {
            let note = &set.note;
            rows[schemas.shard_of_hash(note.id.bytes())].notes.push(batch::Note {
                id: note.id.into(),
                member: note.member.into(),
                channel: &note.channel,
                campaign: &note.campaign,
                message: &note.message,
                at: note.at.0,
                state: note.state.code(),
                cause: note.cause.into(),
                body: &set.body.0,
            });
            if OUTSIDE.contains(&note.channel.as_str()) {
                rows[schemas.shard_of_hash(note.id.bytes())].sends.push(batch::SendNew {
                    id: note.id.into(),
                    channel: &note.channel,
                    at: note.at.0,
                    others: others_text(&set.others),
                });
            }
        }
        for (id, member, state) in &said.changed {
            let row = batch::NoteOn { id: (*id).into(), member: (*member).into(), state: state.code() };
            rows[schemas.shard_of_hash(id.bytes())].changed.push(row);
        }
        for (rows, links) in rows.iter_mut().zip(crate::links::rows(&said.links, schemas)) {
            rows.links = links;
        }
        Ok(rows)
    }
}

/// What was said to who ends was said to who they are, in whichever shard it lies.
pub(crate) fn join(schemas: &Schemas, joined: &Joined) -> String {
    let (winner, loser) = (joined.winner, joined.loser);
    let all = (0..schemas.shards()).map(|shard| {
        let shard = schemas.shard(shard);
        format!("UPDATE {shard}.outbox SET member = '{winner}' WHERE member = '{loser}';\n")
    });
    all.collect()
}

fn note(row: &Row, vault: &Vault) -> Result<StoredNote> {
    let state = NoteState::from_code(get(row, 6)?);
    let note = Note {
        id: id(row, 0)?,
        member: id(row, 1)?,
        channel: get(row, 2)?,
        campaign: get(row, 3)?,
        message: get(row, 4)?,
        at: Ts(get(row, 5)?),
        state: state.ok_or_else(|| damaged(6, "no state of what was said"))?,
        cause: id(row, 7)?,
    };
    Ok(StoredNote { note, body: vault.body(get(row, 8)?)? })
}

/// Who these are now, with what happened to them in a campaign.
async fn assigned(session: &Session<'_>, campaign: &str, ids: &[MemberId]) -> Result<Vec<Assigned>> {
    let asked: Vec<Uuid> = ids.iter().copied().map(Uuid::from).collect();
    let now = pairs(&session.rows((ROOTS, 0), &[&asked]).await?)?;
    let roots: BTreeSet<MemberId> = ids.iter().map(|id| *now.get(id).unwrap_or(id)).collect();
    let roots: Vec<Uuid> = roots.into_iter().map(Uuid::from).collect();
    let were = pairs(&session.rows((WERE, 0), &[&roots]).await?)?;
    let all: Vec<Uuid> = roots.iter().copied().chain(were.keys().copied().map(Uuid::from)).collect();
    let name = campaign.to_owned();
    let shards = 0..session.schemas.shards();
    let mut asks: Vec<(Of, Values<'_>)> =
        shards.clone().map(|shard| ((ASSIGNED, shard), vec![&all as _, &name as _])).collect();
    asks.extend(shards.clone().map(|shard| ((GIVEN, shard), vec![&roots as _])));
    let rows = session.ask(asks).await?;
    let (moves, given) = rows.split_at(shards.len());
    let mut whom: BTreeMap<MemberId, Assigned> = BTreeMap::new();
    for row in moves.iter().flatten() {
        let moved = moved(row)?;
        let member = *were.get(&moved.member).unwrap_or(&moved.member);
        let new = || Assigned { member, moves: Vec::new(), given: Vec::new() };
        whom.entry(member).or_insert_with(new).moves.push(moved);
    }
    for row in given.iter().flatten() {
        if let Some(one) = whom.get_mut(&id(row, 0)?) {
            one.given.push(CouponGiven { offer: get(row, 1)?, at: Ts(get(row, 2)?), off: get(row, 3)? });
        }
    }
    // Who they were may lie in other shards; within one the rows are in their order.
    whom.values_mut().for_each(|one| one.moves.sort_by_key(|moved| moved.at));
    Ok(whom.into_values().collect())
}

/// Who was whom, and who they are now.
fn pairs(rows: &[Row]) -> Result<BTreeMap<MemberId, MemberId>> {
    rows.iter().map(|row| Ok((id(row, 0)?, id(row, 1)?))).collect()
}

fn moved(row: &Row) -> Result<AssignedMove> {
    let kind = RunMoveKind::from_code(get(row, 2)?);
    Ok(AssignedMove {
        member: id(row, 0)?,
        run: id(row, 1)?,
        kind: kind.ok_or_else(|| damaged(2, "nothing that happens in a run"))?,
        place: get(row, 3)?,
        why: get(row, 4)?,
        at: Ts(get(row, 5)?),
        version: get(row, 6)?,
    })
}

/// What the digest says of what was said, and to whom.
pub(crate) async fn said(survey: &Survey<'_>, vault: &Vault) -> Result<Vec<(MemberId, String)>> {
    let mut said = Vec::new();
    survey
        .each(DIGESTED, &[], |row| {
            let leaves = get::<Option<i16>>(row, 9)?.zip(get::<Option<&str>>(row, 10)?);
            let leaves = leaves.map(|(state, others)| leaves_said(SendState::from_code(state), others));
            let leaves = leaves.unwrap_or_default();
            let StoredNote { note, body } = note(row, vault)?;
            let body = match seal::open(&body) {
                Err(StoreError::Erased) => "(erased)".to_owned(),
                body => body?,
            };
            let Note { channel, campaign, message, at, state, .. } = note;
            said.push((
                note.member,
                format!("|{channel}|{campaign}|{message}|{}|{}|{body}{leaves}", at.0, state.name()),
            ));
            Ok(())
        })
        .await?;
    Ok(said)
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Campaigns for PgStore {
    fn sends(&self) -> &dyn zhiyin_store::campaigns::sends::Sends {
        self
    }

    fn arrivals(&self) -> &dyn zhiyin_store::campaigns::arrivals::Arrivals {
        self
    }

    fn mirror(&self) -> &dyn zhiyin_store::campaigns::mirror::Mirror {
        self
    }

    fn conversations(&self) -> &dyn zhiyin_store::campaigns::conversations::Conversations {
        self
    }

    fn links(&self) -> &dyn zhiyin_store::links::Links {
        self
    }

    async fn run_moves(
        &self,
        member: MemberId,
        campaign: Option<&str>,
        limit: usize,
    ) -> Result<Vec<MoveRead>> {
        let (key, campaign, most) = (Uuid::from(member), campaign.map(str::to_owned), most(limit));
        let session = self.connections.session().await?;
        // Who they were may lie in other shards.
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((MOVES_OF, shard), vec![&key as _, &campaign as _, &most as _]))
            .collect();
        let rows = session.ask(asks).await?;
        let read = rows.iter().flatten().map(|row| {
            let kind = RunMoveKind::from_code(get(row, 2)?);
            Ok(MoveRead {
                campaign: get(row, 0)?,
                run: id(row, 1)?,
                kind: kind.ok_or_else(|| damaged(2, "nothing that happens in a run"))?,
                place: get(row, 3)?,
                why: get(row, 4)?,
                at: Ts(get(row, 5)?),
                version: get(row, 6)?,
            })
        });
        let mut read: Vec<MoveRead> = read.collect::<Result<_>>()?;
        read.sort_by_key(|one| std::cmp::Reverse(one.at));
        read.truncate(limit);
        Ok(read)
    }

    async fn assigned(&self, campaign: &str, after: Option<MemberId>, limit: usize) -> Result<AssignedPart> {
        let (name, key, most) = (campaign.to_owned(), after.map(Uuid::from), most(limit));
        let session = self.connections.session().await?;
        let shards = 0..session.schemas.shards();
        let asks: Vec<(Of, Values<'_>)> =
            shards.map(|shard| ((BEGUN, shard), vec![&name as _, &key as _, &most as _])).collect();
        let rows = session.ask(asks).await?;
        let mut ids: Vec<MemberId> = rows.iter().flatten().map(|row| id(row, 0)).collect::<Result<_>>()?;
        ids.sort_unstable();
        ids.truncate(limit);
        let whom = assigned(&session, campaign, &ids).await?;
        Ok(campaigns::assigned_part(&ids, limit, whom))
    }

    async fn notes_of(
        &self,
        member: MemberId,
        channel: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredNote>> {
        let (key, channel, most) = (Uuid::from(member), channel.map(str::to_owned), most(limit));
        let vault = self.vault();
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((NOTES_OF, shard), vec![&key as _, &channel as _, &most as _]))
            .collect();
        let rows = session.ask(asks).await?;
        let mut read: Vec<StoredNote> =
            rows.iter().flatten().map(|row| note(row, &vault)).collect::<Result<_>>()?;
        read.sort_by_key(|stored| (std::cmp::Reverse(stored.note.at), stored.note.id));
        read.truncate(limit);
        Ok(read)
    }

    async fn note(&self, id: NoteId) -> Result<Option<StoredNote>> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let row = session.row((NOTE, shard), &[&Uuid::from(id)]).await?;
        row.as_ref().map(|row| note(row, &self.vault())).transpose()
    }

    async fn open_notes(
        &self,
        channel: &str,
        after: Option<(Ts, NoteId)>,
        limit: usize,
    ) -> Result<Vec<StoredNote>> {
        let (channel, most, vault) = (channel.to_owned(), most(limit), self.vault());
        let (at, id) = (after.map(|(at, _)| at.0), after.map(|(_, id)| Uuid::from(id)));
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((NOTES_OPEN, shard), vec![&channel as _, &at as _, &id as _, &most as _]))
            .collect();
        let rows = session.ask(asks).await?;
        let mut read: Vec<StoredNote> =
            rows.iter().flatten().map(|row| note(row, &vault)).collect::<Result<_>>()?;
        read.sort_by_key(|stored| (stored.note.at, stored.note.id));
        read.truncate(limit);
        Ok(read)
    }

    async fn let_go_of_notes(&self, texts: Ts, rows: Ts, limit: usize) -> Result<NotesGone> {
        let session = self.connections.session().await?;
        let mut gone = NotesGone::default();
        for shard in 0..session.schemas.shards() {
            let left = |n: u64| most(limit.saturating_sub(usize::try_from(n).unwrap_or(limit)));
            let (old, older) = (left(gone.texts), left(gone.rows));
            gone.texts += session.run((NOTE_TEXTS_OLD, shard), &[&texts.0, &old]).await?;
            if let Some(row) = session.row((NOTES_GONE, shard), &[&rows.0, &older]).await? {
                gone.rows += u64::try_from(get::<i64>(&row, 0)?).unwrap_or(0);
            }
        }
        Ok(gone)
    }

    async fn set_pool(&self, pool: &str, taken: i64, last: i64) -> Result<()> {
        self.connections.session().await?.run((POOL_SET, 0), &[&pool, &taken, &last]).await.map(drop)
    }

    async fn judge_anew(&self) -> Result<()> {
        let session = self.connections.session().await?;
        for shard in 0..session.schemas.shards() {
            session.run((ANEW, shard), &[]).await?;
        }
        Ok(())
    }
}
