//! Members on their way to ClickHouse: everybody once, then whoever changed, by the change feed.
//!
//! Every row bears a *version*: which filling it belongs to, then how far the feed had been read when the member was. What was
//! read is never older than its version says, and whatever changes a member later stands in the feed beyond it, so rows may
//! be sent again, late, by several processes and out of order: the newest wins, and it is the newest. The position is kept in
//! three steps, each after the one before: rows, then how far they go (in ClickHouse, on each server), then what the feed may
//! forget (in the home). Whatever ends in between is said again.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use zhiyin_audience::sql::{Among, Asked, Asking, Tables, gone_row, member_row};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::StoreError;
use zhiyin_store::crowd::Whole;
use zhiyin_store::feed::Position;

use super::super::{AT_ONCE, AudienceProblem, person};
use super::servers::{Head, Servers};
use super::{Afar, State};
use crate::{Engine, EngineError, Live, Result, clock};

/// As whom the change feed is followed: all processes of a home as one.
pub const CONSUMER: &str = "clickhouse";
/// By whom the feed's end is looked at.
const PROBE: &str = "clickhouse-end";
/// Changes with how persons are made of the record, and how rows are made of them.
const MADE: &str = "1";
/// Entries of the feed that are read at once, and members who are sent in one round at most.
const ENTRIES: usize = 64;
const MEMBERS_A_ROUND: usize = 20_000;
/// Members who are read again at once.
const MEMBERS: usize = 500;
/// Bytes of lines that are gathered before they are sent.
const LINES_BYTES: usize = 6 << 20;
/// Rows that are looked for at once that a filling did not write.
const STALE: usize = 20_000;
/// How long it rests where nothing came; a batch of this process wakes it earlier.
const REST: Duration = Duration::from_millis(250);
/// The least pause between two rounds that sent something: ClickHouse is better served by few large inserts.
const BETWEEN: Duration = Duration::from_millis(500);
/// How long it waits before trying again what failed; twice as long each time, up to the second.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// How often it is looked whether the servers still have what they are believed to have.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Bits of a version that say how far the feed was read; those above say which filling it is.
const POSITION_BITS: u32 = 48;

/// Somebody who sends.
pub(super) struct Sender {
    servers: Arc<Servers>,
    live: Arc<Live>,
    tables: Arc<Tables>,
    /// As whom it is noted there.
    reader: String,
    /// Which filling the rows belong to.
    filling: u64,
    position: Position,
}

/// What a round came to.
struct Round {
    /// Members sent.
    sent: usize,
    /// Whether that was all there was.
    is_all: bool,
}

/// A place in the feed as one number: by its transaction where there are several at a time, else by its own.
const fn place(position: Position) -> u64 {
    let place = if position.tx > 0 { position.tx } else { position.no };
    place.cast_unsigned() & ((1 << POSITION_BITS) - 1)
}

const fn version(filling: u64, position: Position) -> u64 {
    filling << POSITION_BITS | place(position)
}

const fn filling_of(version: u64) -> u64 {
    version >> POSITION_BITS
}

/// From where it goes on that stands noted there, if it can: what the home's feed has forgotten must be there, and what is there
/// must be of a time that the home has come to.
fn goes_on(
    head: Option<&Head>,
    layout: &str,
    followed: Option<Position>,
    end: Position,
) -> Option<(u64, Position)> {
    let (head, followed) = (head?, followed?);
    let reached = head.version & ((1 << POSITION_BITS) - 1);
    let is_whole = head.layout == layout && place(followed) <= reached && reached <= place(end);
    is_whole.then_some((filling_of(head.version), followed))
}

impl Engine {
    /// Sends members to ClickHouse until it is told to stop. Whatever fails is tried again, with longer and longer pauses; the
    /// home's work goes on, and what changes meanwhile waits in the feed.
    pub async fn keep_clickhouse(&self, stop: impl Future<Output = ()>) {
        let Some(afar) = self.clickhouse.get() else { return };
        afar.keeps.store(true, Ordering::Relaxed);
        let keeping = async {
            let mut pause = AGAIN;
            loop {
                let error = match self.sending(afar, &mut pause).await {
                    Ok(never) => match never {},
                    Err(error) => error,
                };
                if !matches!(error, EngineError::NoPlaybook) {
                    tracing::warn!(%error, "members do not get to ClickHouse for now; trying again");
                    self.measures.audiences().failed();
                }
                if let (State::NotYet(_) | State::Trouble(_), EngineError::Audience(problem)) =
                    (afar.state(), &error)
                    && let AudienceProblem::ClickHouse(trouble) = problem
                {
                    afar.becomes(State::Trouble(*trouble));
                }
                self.is_behind(afar).await;
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(AGAIN_MAX);
            }
        };
        tokio::select! {
            () = keeping => {}
            () = stop => {}
        }
        afar.keeps.store(false, Ordering::Relaxed);
    }

    async fn sending(&self, afar: &Afar, pause: &mut Duration) -> Result<Infallible> {
        let mut written = self.written.subscribe();
        loop {
            let mut sender = self.sender(afar, true).await?;
            let begun = clock::stopwatch();
            while begun.elapsed() < LOOK_EVERY {
                let watch = clock::stopwatch();
                let Some(round) = self.round(afar, &mut sender).await? else { break };
                *pause = AGAIN;
                if !round.is_all {
                    continue;
                }
                tokio::select! {
                    _ = written.changed() => {}
                    () = tokio::time::sleep(REST) => {}
                }
                if round.sent > 0 {
                    tokio::time::sleep(BETWEEN.saturating_sub(watch.elapsed())).await;
                }
            }
        }
    }

    async fn is_behind(&self, afar: &Afar) {
        let (State::Ready { fresh, .. }, Ok(home)) = (afar.state(), self.home().await) else { return };
        self.measures.audiences().stands(0, 0, (clock::now(&home).0 - fresh.0) / 1_000_000);
    }

    /// Brings ClickHouse up to now, where this process does not do so all the while; everybody is sent first where they have to
    /// be, if that may be. How many members were sent.
    pub async fn clickhouse_caught_up(&self, may_fill: bool) -> Result<usize> {
        let Some(afar) = self.clickhouse.get() else { return Ok(0) };
        let mut held = afar.sender.lock().await;
        let mut sender = match held.take() {
            Some(sender) => sender,
            None => self.sender(afar, may_fill).await?,
        };
        let mut sent = 0;
        loop {
            match self.round(afar, &mut sender).await? {
                None => sender = self.sender(afar, may_fill).await?,
                Some(round) => {
                    sent += round.sent;
                    if round.is_all {
                        *held = Some(sender);
                        return Ok(sent);
                    }
                }
            }
        }
    }

    /// ClickHouse is followed no longer: the feed is kept for it no more. What lies there stays until somebody drops it, and is
    /// written anew before it is asked again.
    pub async fn clickhouse_left(&self) -> Result<()> {
        Ok(self.store().crowd().unfollow(CONSUMER).await?)
    }

    /// Somebody who goes on where the last one stopped; who has sent everybody, where that cannot be.
    async fn sender(&self, afar: &Afar, may_fill: bool) -> Result<Sender> {
        let home = self.home().await?;
        let (live, servers) = (self.live_at(home.version).await?, afar.servers().await?);
        let tables = Arc::new(afar.tables(&live, servers.dialect, self.is_sealed()));
        let stamp = home.id_key.digest("audience clickhouse", &[MADE.as_bytes()]);
        let reader: String = stamp.iter().map(|byte| format!("{byte:02x}")).collect();
        let head = servers.head(&tables, &reader).await?;
        let crowd = self.store().crowd();
        let followed = crowd.followed(CONSUMER).await?;
        let end = self.feed_end().await?;
        let mut sender = Sender { servers, live, tables, reader, filling: 0, position: Position::default() };
        let layout = sender.layout();
        match goes_on(head.as_ref(), &layout, followed, end) {
            Some((filling, position)) => (sender.filling, sender.position) = (filling, position),
            None if may_fill => {
                afar.becomes(State::NotYet("members are being sent to ClickHouse"));
                self.filled(&mut sender, head).await?;
            }
            None => {
                let why = "ClickHouse has not all members yet: `zhiyin serve` sends them, or `zhiyin audience send`";
                return Err(AudienceProblem::Unavailable(why).into());
            }
        }
        Ok(sender)
    }

    async fn feed_end(&self) -> Result<Position> {
        // One that a killed process left stands where the end was then.
        self.store().crowd().unfollow(PROBE).await?;
        let end = self.store().feed_position(PROBE).await?;
        self.store().crowd().unfollow(PROBE).await?;
        Ok(end)
    }

    /// Sends everybody of the record, and lets go of whoever lies there besides.
    async fn filled(&self, sender: &mut Sender, head: Option<Head>) -> Result<()> {
        let watch = clock::stopwatch();
        let Sender { servers, tables, .. } = &*sender;
        tracing::info!(
            fits = head.is_some_and(|head| head.layout == sender.layout()),
            "everybody is sent to ClickHouse"
        );
        servers.migrate(tables).await?;
        let reached = servers.ask(&tables.version_reached()).await?;
        let reached: u64 = reached.trim().parse().map_err(|_| super::Trouble::Refused(0))?;
        sender.filling = filling_of(reached) + 1;
        if sender.filling >> (u64::BITS - POSITION_BITS) > 0 {
            let why = "this database of ClickHouse was filled too often: drop it, it is filled anew";
            return Err(AudienceProblem::ClickHouseUnfit(why.to_owned()).into());
        }
        // From before anything is read: whoever changes meanwhile is sent again. Where the feed is kept from before that
        // already, another process may rest on it.
        sender.position = self.store().feed_position(CONSUMER).await?;
        let version = version(sender.filling, sender.position);
        let (mut after, mut lines, mut members) = (None, Vec::new(), 0usize);
        loop {
            // What was read is on its way while the next part is read.
            let (part, sent) = tokio::join!(
                async { self.store().crowd().after(after, AT_ONCE).await },
                sender.sent(&mut lines, false)
            );
            let part = part?;
            sent?;
            let n = part.len();
            after = part.last().map(|whole| whole.member.id).or(after);
            lines.extend(sender.rows(part, version).await?);
            members += n;
            if n < AT_ONCE {
                break;
            }
        }
        sender.sent(&mut lines, true).await?;
        sender.let_go_of_others(version).await?;
        sender.noted(version).await?;
        self.measures.audiences().rebuilt();
        tracing::info!(members, seconds = watch.elapsed().as_secs(), "everybody was sent to ClickHouse");
        Ok(())
    }

    /// Sends whoever changed, as far as the feed shows; nothing where the playbook means other columns by now.
    async fn round(&self, afar: &Afar, sender: &mut Sender) -> Result<Option<Round>> {
        let home = self.home().await?;
        if home.version != sender.live.version.version {
            let live = self.live_at(home.version).await?;
            let tables = afar.tables(&live, sender.servers.dialect, self.is_sealed());
            if tables != *sender.tables {
                return Ok(None);
            }
            sender.live = live;
        }
        let now = clock::now(&home);
        // What another process is done with is there.
        let followed = self.store().crowd().followed(CONSUMER).await?;
        // Where somebody let go of the feed, it may have forgotten what was not sent.
        let Some(followed) = followed else { return Ok(None) };
        sender.position = sender.position.max(followed);
        let (mut last, mut changed, mut is_all) = (sender.position, BTreeSet::new(), false);
        while !is_all && changed.len() < MEMBERS_A_ROUND {
            let entries = self.store().feed(last, ENTRIES).await?;
            is_all = entries.len() < ENTRIES;
            last = entries.last().map_or(last, |entry| entry.position);
            changed.extend(entries.into_iter().flat_map(|entry| entry.members));
        }
        if last != sender.position {
            let version = version(sender.filling, last);
            let ids: Vec<MemberId> = changed.iter().copied().collect();
            let mut lines = Vec::new();
            for part in ids.chunks(MEMBERS) {
                let mut gone: BTreeSet<MemberId> = part.iter().copied().collect();
                let whole = self.store().crowd().these(part.to_vec()).await?;
                gone.retain(|member| !whole.iter().any(|whole| whole.member.id == *member));
                lines.extend(sender.rows(whole, version).await?);
                lines.extend(gone.into_iter().map(|member| gone_row(member, version)));
                sender.sent(&mut lines, false).await?;
            }
            sender.sent(&mut lines, true).await?;
            sender.noted(version).await?;
            self.store().feed_done(CONSUMER, last).await?;
            sender.position = last;
            self.measures.audiences().changed(changed.len());
        }
        if is_all {
            afar.becomes(State::Ready { tables: Arc::clone(&sender.tables), fresh: now });
            self.measures.audiences().stands(0, 0, 0);
        }
        Ok(Some(Round { sent: changed.len(), is_all }))
    }
}

impl Sender {
    fn layout(&self) -> String {
        format!("{MADE}/{}", self.tables.fingerprint())
    }

    /// Members as lines; done where that holds up nobody.
    async fn rows(&self, part: Vec<Whole>, version: u64) -> Result<Vec<String>> {
        let (live, tables) = (Arc::clone(&self.live), Arc::clone(&self.tables));
        let made = tokio::task::spawn_blocking(move || {
            let row = |whole| {
                let person = tables.trimmed(person::now(&live.rules, whole)?);
                Ok(member_row(&person, &tables, version))
            };
            part.into_iter().map(row).collect::<Result<Vec<String>>>()
        });
        made.await.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Sends lines if they are many, or all there are.
    async fn sent(&self, lines: &mut Vec<String>, all: bool) -> Result<()> {
        if lines.is_empty() || (!all && lines.iter().map(String::len).sum::<usize>() < LINES_BYTES) {
            return Ok(());
        }
        self.servers.send(&self.tables.insertion(), lines).await?;
        lines.clear();
        Ok(())
    }

    /// Notes on each server how far its rows go.
    async fn noted(&self, version: u64) -> Result<()> {
        let noted = self.tables.position_kept(&self.reader, version, &self.layout());
        Ok(self.servers.tell_each(&[noted]).await?)
    }

    /// Whoever lies there from an earlier filling is in the record no more.
    async fn let_go_of_others(&self, version: u64) -> Result<()> {
        let asked = Asked { now: Ts(0), rows_until: None };
        let asking = Asking { tables: &self.tables, asked, among: Among::Everyone };
        loop {
            let said = self.servers.ask(&asking.stale(self.filling << POSITION_BITS, STALE)).await?;
            let lines: Vec<String> =
                said.lines().filter_map(MemberId::from_hex).map(|member| gone_row(member, version)).collect();
            if lines.is_empty() {
                return Ok(());
            }
            self.servers.send(&self.tables.insertion(), &lines).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(tx: i64, no: i64) -> Position {
        Position { tx, no }
    }

    #[test]
    fn a_later_filling_and_a_later_place_in_the_feed_make_a_greater_version() {
        let ascending = [
            version(1, at(0, 0)),
            version(1, at(0, 9)),
            version(1, at(40, 1)),
            version(2, at(0, 0)),
            version(2, at(7, i64::MAX)),
            version(65_535, at(1 << 40, 3)),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
        assert_eq!(filling_of(ascending[4]), 2);
    }

    #[test]
    fn it_goes_on_only_where_nothing_can_be_missing() {
        let head = |filling, no| Head { version: version(filling, at(0, no)), layout: "a".to_owned() };
        for (why, head, layout, followed, end, expected) in [
            ("as it was left", Some(head(3, 9)), "a", Some(at(0, 9)), 12, Some((3, at(0, 9)))),
            ("killed before the home knew", Some(head(3, 9)), "a", Some(at(0, 7)), 12, Some((3, at(0, 7)))),
            ("nothing lies there", None, "a", Some(at(0, 9)), 12, None),
            ("other attributes", Some(head(3, 9)), "b", Some(at(0, 9)), 12, None),
            ("the feed was let go of", Some(head(3, 9)), "a", None, 12, None),
            ("the servers were set back", Some(head(3, 5)), "a", Some(at(0, 9)), 12, None),
            ("the home was set back", Some(head(3, 9)), "a", Some(at(0, 2)), 4, None),
        ] {
            let found = goes_on(head.as_ref(), layout, followed, at(0, end));
            assert_eq!(found, expected, "{why}");
        }
    }
}
