//! Campaigns: what a batch writes of them, and how it is read.

pub(crate) mod arrivals;
mod conversations;
pub(crate) mod links;
mod mirror;
pub(crate) mod sends;

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::{EventId, MemberId, NoteId};
use zhiyin_model::run::{Note, NoteState, RunMoveKind};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::sends::{SendState, leaves_said};
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

use crate::SqliteStore;
use crate::rows::{self, all, damaged, database, id};
use crate::together::{bytes, number, text, together};
use crate::write::{prepare, run};
pub(crate) use links::{
    LINK, LINK_COUNTED, LINK_NEW, LINKS, LINKS_BY_NOBODY, LINKS_DIGESTED, LINKS_OF_NOBODY, LINKS_SHARED_TO,
    LINKS_TO,
};

pub(crate) const MOVE_NEW: &str = "INSERT INTO run_move (member, campaign, run, kind, place, why, at, event, version) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const NOTE_NEW: &str = "INSERT INTO outbox (id, member, channel, campaign, message, at, state, cause, body) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
/// Tasks are done, and all else is seen.
pub(crate) const NOTE_ON: &str = "UPDATE outbox SET state = ?3 WHERE id = ?1 AND member = ?2 AND state < ?3 \
    AND (channel = 'advisor') = (?3 = 2)";
pub(crate) const MOVES_OF: &str = "SELECT campaign, run, kind, place, why, at, version FROM run_move \
    WHERE member IN (SELECT ?1 UNION ALL SELECT member FROM alias WHERE root = ?1) AND (?2 IS NULL OR campaign = ?2) \
    ORDER BY at DESC, no DESC LIMIT ?3";
pub(crate) const BEGUN: &str = "SELECT DISTINCT member FROM run_move WHERE campaign = ?1 AND kind = 0 AND member > ?2 \
    ORDER BY member LIMIT ?3";
/// Who these are now, and who each of them was, as a JSON list of hexadecimal digits names them.
macro_rules! whom {
    () => {
        "WITH whom AS MATERIALIZED (SELECT DISTINCT COALESCE(a.root, unhex(k.value)) AS root \
         FROM json_each(?1) k LEFT JOIN alias a ON a.member = unhex(k.value)) "
    };
}
pub(crate) const ASSIGNED: &str = concat!(
    whom!(),
    ", i AS MATERIALIZED (SELECT root, root AS member FROM whom \
     UNION ALL SELECT w.root, a.member FROM whom w JOIN alias a ON a.root = w.root) \
     SELECT i.root, t.member, t.run, t.kind, t.place, t.why, t.at, t.version \
     FROM i CROSS JOIN run_move t ON t.member = i.member WHERE t.campaign = ?2 ORDER BY i.root, t.at, t.no"
);
pub(crate) const GIVEN: &str = concat!(
    whom!(),
    "SELECT c.member, c.offer, t.at, t.given FROM whom w CROSS JOIN coupon c ON c.member = w.root \
     CROSS JOIN coupon_move t ON t.coupon = c.id AND t.kind <> 0 WHERE t.given <> 0"
);
pub(crate) const NOTES_OF: &str = "SELECT id, member, channel, campaign, message, at, state, cause, body FROM outbox \
    WHERE member = ?1 AND (?2 IS NULL OR channel = ?2) ORDER BY at DESC, id LIMIT ?3";
pub(crate) const NOTE: &str =
    "SELECT id, member, channel, campaign, message, at, state, cause, body FROM outbox WHERE id = ?";
pub(crate) const NOTES_OPEN: &str = "SELECT id, member, channel, campaign, message, at, state, cause, body FROM outbox \
    WHERE channel = ?1 AND state = 0 AND (?2 IS NULL OR (at, id) > (?2, ?3)) ORDER BY at, id LIMIT ?4";
pub(crate) const DIGESTED: &str = "SELECT o.id, o.member, o.channel, o.campaign, o.message, o.at, o.state, o.cause, o.body, \
    s.state, s.others FROM outbox o LEFT JOIN send s ON s.id = o.id";
pub(crate) const MOVES_DIGESTED: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.campaign, t.kind, t.place, t.at \
    FROM run_move t JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const NOTES_TO: &str = "UPDATE outbox SET member = ?2 WHERE member = ?1";
pub(crate) const SUBJECTS: &str = "SELECT body FROM outbox WHERE member = ?";
/// Nobody is asked to do anything for them any more.
pub(crate) const BLANK: &str = "UPDATE outbox SET body = ?2, state = 2 WHERE member = ?1";
pub(crate) const BODIES: &str = "SELECT id, member, at, body FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const BODY_SET: &str = "UPDATE outbox SET body = ?2 WHERE id = ?1";
/// What is no task that is open, nor on its way, nor to be told of.
macro_rules! settled {
    () => {
        "NOT (o.channel = 'advisor' AND o.state = 0) AND NOT EXISTS (SELECT 1 FROM send s WHERE s.id = o.id \
         AND (s.state IN (0, 1) OR s.told = 0))"
    };
}
pub(crate) const NOTE_TEXTS_OLD: &str = concat!(
    "UPDATE outbox SET body = x'03' WHERE id IN (SELECT o.id FROM outbox o WHERE o.at < ?1 AND length(o.body) > 1 AND ",
    settled!(),
    " ORDER BY o.at, o.id LIMIT ?2)"
);
pub(crate) const NOTES_OLD: &str = concat!(
    "SELECT o.id FROM outbox o WHERE o.at < ?1 AND length(o.body) <= 1 AND ",
    settled!(),
    " ORDER BY o.at, o.id LIMIT ?2"
);
pub(crate) const NOTE_GONE: &str = "DELETE FROM outbox WHERE id = ?";
pub(crate) const SEND_GONE: &str = "DELETE FROM send WHERE id = ?";
pub(crate) const POOL_SET: &str = "INSERT INTO pool (pool, taken) VALUES (?1, ?2) \
    ON CONFLICT (pool) DO UPDATE SET taken = excluded.taken WHERE pool.taken <> ?3";
pub(crate) const ANEW: &str = "UPDATE member SET version = 0 WHERE no > ?1 AND no <= ?2 AND version <> 0";
pub(crate) const ANEW_LAST: &str = "SELECT MAX(no) FROM member";
/// How many rows of members are judged anew at once: what a statement changes is kept in memory until it ends.
const ANEW_ROWS: i64 = 16_384;

/// Writes what a batch says of campaigns.
pub(crate) fn flush(
    c: &Connection,
    said: &RunFlush,
    version: i64,
    seq: impl Fn(EventId) -> Result<i64>,
) -> Result<()> {
    together(c, MOVE_NEW, &said.moves, |one| {
        let (member, of) = (bytes(one.member.bytes()), bytes(one.run.bytes()));
        let (campaign, place, why) = (text(&one.campaign), text(&one.place), text(&one.why));
        let (kind, event) = (number(one.kind.code()), number(seq(one.event)?));
        Ok([member, campaign, of, kind, place, why, number(one.at.0), event, number(version)])
    })?;
    together(c, NOTE_NEW, &said.notes, |set| {
        let note = &set.note;
        Ok([
            bytes(note.id.bytes()),
            bytes(note.member.bytes()),
            text(&note.channel),
            text(&note.campaign),
            text(&note.message),
            number(note.at.0),
            number(note.state.code()),
            bytes(note.cause.bytes()),
            bytes(&set.body.0),
        ])
    })?;
    said.notes.iter().try_for_each(|set| sends::new(c, set))?;
    let mut on = prepare(c, NOTE_ON)?;
    for (id, member, state) in &said.changed {
        run(&mut on, params![id.bytes().as_slice(), member.bytes().as_slice(), state.code()])?;
    }
    links::put(c, &said.links)
}

/// What was said to who ends was said to who they are.
pub(crate) fn join(c: &Connection, joined: &Joined) -> Result<()> {
    let (winner, loser) = (joined.winner.bytes().as_slice(), joined.loser.bytes().as_slice());
    run(&mut prepare(c, NOTES_TO)?, [loser, winner]).map(drop)
}

fn note(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<StoredNote> {
    let state = NoteState::from_code(row.get(6)?).ok_or_else(|| damaged(6, "no state of what was said"))?;
    let note = Note {
        id: id(row, 0)?,
        member: id(row, 1)?,
        channel: row.get(2)?,
        campaign: row.get(3)?,
        message: row.get(4)?,
        at: Ts(row.get(5)?),
        state,
        cause: id(row, 7)?,
    };
    Ok(StoredNote { note, body: rows::body(row, 8, vault)? })
}

/// Who these are now, with what happened to them in a campaign.
fn assigned(c: &Connection, campaign: &str, ids: &[MemberId]) -> Result<Vec<Assigned>> {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    let list = format!("[{}]", quoted.join(","));
    let moves = all(c, ASSIGNED, params![list, campaign], |row| {
        let kind = RunMoveKind::from_code(row.get(3)?);
        let moved = AssignedMove {
            member: id(row, 1)?,
            run: id(row, 2)?,
            kind: kind.ok_or_else(|| damaged(3, "nothing that happens in a run"))?,
            place: row.get(4)?,
            why: row.get(5)?,
            at: Ts(row.get(6)?),
            version: row.get(7)?,
        };
        Ok((id(row, 0)?, moved))
    })?;
    let mut whom: BTreeMap<MemberId, Assigned> = BTreeMap::new();
    for (member, moved) in moves {
        let new = || Assigned { member, moves: Vec::new(), given: Vec::new() };
        whom.entry(member).or_insert_with(new).moves.push(moved);
    }
    let given = all(c, GIVEN, [list], |row| {
        Ok((id(row, 0)?, CouponGiven { offer: row.get(1)?, at: Ts(row.get(2)?), off: row.get(3)? }))
    })?;
    for (member, given) in given {
        if let Some(one) = whom.get_mut(&member) {
            one.given.push(given);
        }
    }
    Ok(whom.into_values().collect())
}

/// What the digest says of what was said, and to whom.
pub(crate) fn said(c: &Connection, vault: &Vault) -> Result<Vec<(MemberId, String)>> {
    let read = all(c, DIGESTED, [], |row| {
        let leaves: Option<(i16, String)> = row.get::<_, Option<i16>>(9)?.zip(row.get(10)?);
        Ok((note(row, vault)?, leaves))
    })?;
    read.into_iter()
        .map(|(StoredNote { note, body }, leaves)| {
            let body = match seal::open(&body) {
                Err(StoreError::Erased) => "(erased)".to_owned(),
                body => body?,
            };
            let Note { channel, campaign, message, at, state, .. } = note;
            let leaves = leaves.map_or_else(String::new, |(state, others)| {
                leaves_said(SendState::from_code(state), &others)
            });
            let said = format!("|{channel}|{campaign}|{message}|{}|{}|{body}{leaves}", at.0, state.name());
            Ok((note.member, said))
        })
        .collect()
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Campaigns for SqliteStore {
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
        let campaign = campaign.map(str::to_owned);
        self.connections
            .read(move |c| {
                all(c, MOVES_OF, params![member.bytes().as_slice(), campaign, most(limit)], |row| {
                    let kind = RunMoveKind::from_code(row.get(2)?);
                    Ok(MoveRead {
                        campaign: row.get(0)?,
                        run: id(row, 1)?,
                        kind: kind.ok_or_else(|| damaged(2, "nothing that happens in a run"))?,
                        place: row.get(3)?,
                        why: row.get(4)?,
                        at: Ts(row.get(5)?),
                        version: row.get(6)?,
                    })
                })
            })
            .await
    }

    async fn assigned(&self, campaign: &str, after: Option<MemberId>, limit: usize) -> Result<AssignedPart> {
        let campaign = campaign.to_owned();
        let after = after.map_or_else(Vec::new, |id| id.bytes().to_vec());
        self.connections
            .read(move |c| {
                let ids: Vec<MemberId> =
                    all(c, BEGUN, params![campaign, after, most(limit)], |row| id(row, 0))?;
                let whom = assigned(c, &campaign, &ids)?;
                Ok(campaigns::assigned_part(&ids, limit, whom))
            })
            .await
    }

    async fn notes_of(
        &self,
        member: MemberId,
        channel: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredNote>> {
        let (channel, vault) = (channel.map(str::to_owned), self.vault());
        self.connections
            .read(move |c| {
                let given = params![member.bytes().as_slice(), channel, most(limit)];
                all(c, NOTES_OF, given, |row| note(row, &vault))
            })
            .await
    }

    async fn note(&self, id: NoteId) -> Result<Option<StoredNote>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let found = prepare(c, NOTE)?.query_row([id.bytes().as_slice()], |row| note(row, &vault));
                found.optional().map_err(database)
            })
            .await
    }

    async fn open_notes(
        &self,
        channel: &str,
        after: Option<(Ts, NoteId)>,
        limit: usize,
    ) -> Result<Vec<StoredNote>> {
        let (channel, vault) = (channel.to_owned(), self.vault());
        self.connections
            .read(move |c| {
                let (at, id) = (after.map(|(at, _)| at.0), after.map(|(_, id)| *id.bytes()));
                let given = params![channel, at, id.as_ref().map(<[u8; 16]>::as_slice), most(limit)];
                all(c, NOTES_OPEN, given, |row| note(row, &vault))
            })
            .await
    }

    async fn let_go_of_notes(&self, texts: Ts, rows: Ts, limit: usize) -> Result<NotesGone> {
        self.connections
            .write(move |c| {
                let texts = run(&mut prepare(c, NOTE_TEXTS_OLD)?, params![texts.0, most(limit)])?;
                let old: Vec<NoteId> = all(c, NOTES_OLD, params![rows.0, most(limit)], |row| id(row, 0))?;
                let (mut gone, mut send) = (prepare(c, NOTE_GONE)?, prepare(c, SEND_GONE)?);
                for id in &old {
                    run(&mut send, [id.bytes().as_slice()])?;
                    run(&mut gone, [id.bytes().as_slice()])?;
                }
                Ok(NotesGone { texts: texts as u64, rows: old.len() as u64 })
            })
            .await
    }

    async fn set_pool(&self, pool: &str, taken: i64, last: i64) -> Result<()> {
        let pool = pool.to_owned();
        let write =
            move |c: &Connection| run(&mut prepare(c, POOL_SET)?, params![pool, taken, last]).map(drop);
        self.connections.write(write).await
    }

    async fn judge_anew(&self) -> Result<()> {
        let mut after = 0;
        loop {
            let until = after + ANEW_ROWS;
            let part = move |c: &Connection| {
                run(&mut prepare(c, ANEW)?, [after, until])?;
                prepare(c, ANEW_LAST)?.query_row([], |row| row.get::<_, Option<i64>>(0)).map_err(database)
            };
            if self.connections.write(part).await?.is_none_or(|last| last <= until) {
                return Ok(());
            }
            after = until;
        }
    }
}
