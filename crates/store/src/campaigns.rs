//! What a home keeps of campaigns: runs lie packed in the member's row, what happened in them is written once, and what was said
//! to members is the outbox, whose bodies are sealed under the member like those of events.

pub mod arrivals;
pub mod conversations;
pub mod mirror;
pub mod sends;

use async_trait::async_trait;
use zhiyin_model::id::{MemberId, NoteId, RunId};
use zhiyin_model::link::Link;
use zhiyin_model::run::{Note, NoteState, RunMove, RunMoveKind, Runs, SLOTS};
use zhiyin_model::time::Ts;

use crate::seal::Sealed;
use crate::{Result, StoreError};

/// Something said to a member, to be written. One that is there already stays as it is: its id is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSet {
    /// What.
    pub note: Note,
    /// Its text and the variables it was made of, as JSON.
    pub body: Sealed,
    /// Channels to be tried next, in order, where it leaves the home and does not arrive.
    pub others: Vec<String>,
}

/// What a batch says of campaigns.
#[derive(Clone, Debug, Default)]
pub struct RunFlush {
    /// What happened, in order.
    pub moves: Vec<RunMove>,
    /// What is said.
    pub notes: Vec<NoteSet>,
    /// Where what was said stands from now on; it never goes back.
    pub changed: Vec<(NoteId, MemberId, NoteState)>,
    /// Short links that stand in what is said. One that is there already stays as it is.
    pub links: Vec<Link>,
}

/// Something said, with its body opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredNote {
    /// What.
    pub note: Note,
    /// Its body.
    pub body: Sealed,
}

/// Something that happened in a run, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveRead {
    /// The campaign.
    pub campaign: String,
    /// The run.
    pub run: RunId,
    /// What.
    pub kind: RunMoveKind,
    /// At which step.
    pub place: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Ts,
    /// By which version of the playbook.
    pub version: i64,
}

/// Something that happened to somebody in a campaign, with who they were at the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedMove {
    /// Who they were: their id before they turned out to be somebody else, too.
    pub member: MemberId,
    /// The run.
    pub run: RunId,
    /// What.
    pub kind: RunMoveKind,
    /// At which step; empty where it is about none.
    pub place: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Ts,
    /// By which version of the playbook.
    pub version: i64,
}

/// What a coupon took off when it was used, or, below zero, what of it came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponGiven {
    /// Of which offer.
    pub offer: String,
    /// When.
    pub at: Ts,
    /// How much, in minor units.
    pub off: i64,
}

/// Somebody who began a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Who they are now.
    pub member: MemberId,
    /// What happened to them in it, under whichever ids, oldest first.
    pub moves: Vec<AssignedMove>,
    /// What their coupons took off, of whichever offers; in any order.
    pub given: Vec<CouponGiven>,
}

/// A part of those who began a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignedPart {
    /// Each of them once in all parts: several ids that turned out to be one person come with the least of these ids.
    pub assigned: Vec<Assigned>,
    /// After whom the next part begins; nothing, where this is the last.
    pub last: Option<MemberId>,
}

/// What was let go of what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotesGone {
    /// Messages that say nothing any more.
    pub texts: u64,
    /// Messages of which nothing is kept any more.
    pub rows: u64,
}

/// Campaigns.
#[async_trait]
pub trait Campaigns: Send + Sync {
    /// What leaves the home, on its way.
    fn sends(&self) -> &dyn sends::Sends;
    /// What came from platforms.
    fn arrivals(&self) -> &dyn arrivals::Arrivals;
    /// What platforms last showed.
    fn mirror(&self) -> &dyn mirror::Mirror;
    /// Conversations with members.
    fn conversations(&self) -> &dyn conversations::Conversations;
    /// Short links.
    fn links(&self) -> &dyn crate::links::Links;
    /// What happened to a member, and to who they were, newest first: in one campaign, or in all.
    async fn run_moves(
        &self,
        member: MemberId,
        campaign: Option<&str>,
        limit: usize,
    ) -> Result<Vec<MoveRead>>;
    /// Those who began a campaign, in the order of the ids under which they did, after one of these; of at most `limit` ids.
    async fn assigned(&self, campaign: &str, after: Option<MemberId>, limit: usize) -> Result<AssignedPart>;
    /// What was said to a member, newest first: on one channel, or on all.
    async fn notes_of(
        &self,
        member: MemberId,
        channel: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredNote>>;
    /// One of them.
    async fn note(&self, id: NoteId) -> Result<Option<StoredNote>>;
    /// What is open on a channel, of all members, oldest first, after one of them.
    async fn open_notes(
        &self,
        channel: &str,
        after: Option<(Ts, NoteId)>,
        limit: usize,
    ) -> Result<Vec<StoredNote>>;
    /// Lets go of the text of what was said before an instant, and of all that is kept of what was said before another one (which is no
    /// later) and has no text any more: of at most `limit` each, the oldest first. What is on its way or is yet to be told of, and
    /// tasks that are open, stay whole. What counts lies elsewhere: with the member, in pools, and in moves of runs.
    async fn let_go_of_notes(&self, texts: Ts, rows: Ts, limit: usize) -> Result<NotesGone>;
    /// Says how much is taken of a pool, whatever it was: a campaign's halt. Where it stands at `last` it stays.
    async fn set_pool(&self, pool: &str, taken: i64, last: i64) -> Result<()>;
    /// Lets every member be judged by the live version of the playbook anew.
    async fn judge_anew(&self) -> Result<()>;
}

/// Puts a part together: `ids` began the campaign, each of `whom` is who they are now with what happened to them.
pub fn assigned_part(ids: &[MemberId], limit: usize, whom: Vec<Assigned>) -> AssignedPart {
    let is_here = |one: &Assigned| {
        let begun = one.moves.iter().filter(|moved| moved.kind == RunMoveKind::Began);
        // Who began under several ids comes with the first of them.
        begun.map(|moved| moved.member).min().is_some_and(|first| ids.binary_search(&first).is_ok())
    };
    let last = ids.last().copied().filter(|_| ids.len() >= limit);
    AssignedPart { assigned: whom.into_iter().filter(is_here).collect(), last }
}

/// Runs as they lie in a member's row; nothing of who is in none.
pub fn pack_runs(runs: &Runs) -> Result<Option<Vec<u8>>> {
    if runs.is_empty() {
        return Ok(None);
    }
    rmp_serde::to_vec(runs).map(Some).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_runs`] wrote.
pub fn unpack_runs(bytes: Option<&[u8]>) -> Result<Runs> {
    let Some(bytes) = bytes else { return Ok(Runs::default()) };
    rmp_serde::from_slice(bytes).map_err(|_| StoreError::Damaged("the runs of a member".to_owned()))
}

/// What the digest says of runs: nothing that comes from the home's keys, and nothing of who is in none.
pub fn runs_said(runs: &Runs) -> String {
    let mut said = String::new();
    for run in &runs.open {
        let waits = run.waits.map(|at| at.0);
        said += &format!(
            "|run {} {:?} {} {} {waits:?} {} {}",
            run.campaign, run.key, run.since.0, run.place, run.due.0, run.held
        );
    }
    for (campaign, past) in &runs.past {
        said += &format!("|past {campaign} {} {} {}", past.begun, past.last.0, past.mixed);
    }
    for sent in &runs.sent {
        said +=
            &format!("|sent {} {} {} {} {}", sent.at.0, sent.channel, sent.purpose, sent.counts, sent.held);
    }
    for over in &runs.over {
        said += &format!("|over {} {} {}", over.campaign, over.since.0, over.until.0);
    }
    for (slot, (sent, seen)) in (0..SLOTS).map(|slot| (slot, runs.hours.of(slot))) {
        if sent > 0 {
            said += &format!("|hour {slot} {seen} of {sent}");
        }
    }
    said + &runs.touched.map_or_else(String::new, |at| format!("|touched {}", at.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use zhiyin_model::run::{Hours, Over, Past, Run, Sent};

    use super::*;

    #[test]
    fn runs_are_read_as_they_were_written_and_damage_says_so() {
        let run = Run {
            id: RunId::from_bytes([1; 16]),
            campaign: "win-back".to_owned(),
            key: "o1".to_owned(),
            since: Ts(5),
            place: "2.then.1".to_owned(),
            waits: Some(Ts(6)),
            due: Ts::FOREVER,
            held: true,
            hour: Some(10),
        };
        let past = Past {
            begun: 2,
            last: Ts(5),
            bucket: 17,
            mixed: false,
            keys: vec![u64::MAX],
            ways: BTreeMap::from([("2".to_owned(), 1)]),
        };
        let sent = Sent {
            id: NoteId::from_bytes([2; 16]),
            at: Ts(7),
            channel: "inbox".to_owned(),
            purpose: "marketing".to_owned(),
            sells: true,
            counts: true,
            held: false,
            seen: true,
        };
        let id = RunId::from_bytes([3; 16]);
        let over = Over { id, campaign: "win-back".to_owned(), since: Ts(1), until: Ts(9) };
        let mut hours = Hours::default();
        hours.sent(10);
        hours.seen(10);
        let runs = Runs {
            open: vec![run],
            past: BTreeMap::from([("win-back".to_owned(), past)]),
            sent: vec![sent],
            touched: Some(Ts(1)),
            bucket: Some(9_999),
            over: vec![over],
            hours,
        };
        for runs in [Runs::default(), runs] {
            let packed = pack_runs(&runs).unwrap();
            assert_eq!(packed.is_none(), runs.is_empty());
            assert_eq!(unpack_runs(packed.as_deref()).unwrap(), runs);
            assert_eq!(runs_said(&runs).is_empty(), runs.is_empty());
            assert!(!runs_said(&runs).contains(&RunId::from_bytes([1; 16]).to_string()));
        }
        assert!(matches!(unpack_runs(Some(&[0xc0])), Err(StoreError::Damaged(_))));
        assert!(unpack_runs(Some(&[0x91, 0x90])).is_err(), "too little of it");
    }

    #[test]
    fn runs_that_were_written_before_goals_and_hours_were_kept_are_read() {
        let sent = (NoteId::from_bytes([2; 16]), Ts(7), "inbox", "marketing", true, true, false);
        let run = (RunId::from_bytes([1; 16]), "win-back", "", Ts(5), "1", None::<Ts>, Ts(6), false);
        let open = [run];
        let before = (open, BTreeMap::<String, Past>::new(), [sent], Some(Ts(1)), Some(17_u32));
        let runs = unpack_runs(Some(&rmp_serde::to_vec(&before).unwrap())).unwrap();
        assert_eq!((runs.sent.len(), runs.touched, runs.bucket), (1, Some(Ts(1)), Some(17)));
        assert_eq!((runs.open[0].due, runs.open[0].hour), (Ts(6), None));
        assert!(runs.over.is_empty() && runs.hours.is_empty() && !runs.sent[0].seen);
    }
}
