//! Members on their way to ClickHouse: everybody once, then whoever changed, by the change feed.
//!
//! Every row bears a *version*: which filling it belongs to, then how far the feed had been read when the member was. What was
//! read is never older than its version says, and whatever changes a member later stands in the feed beyond it, so rows may
//! be sent again, late, by several processes and out of order: the newest wins, and it is the newest. The position is kept in
//! three steps, each after the one before: rows, then how far they go (in ClickHouse, on each server), then what the feed may
//! forget (in the home). Whatever ends in between is said again.
//!
//! Each filling follows the feed under a name of its own ([`filling`](super::filling)): rows of an earlier one lose to its rows,
//! so what somebody sent who still goes on with an earlier one is not there, and is sent again.

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

use super::super::fresh::Freshness;
use super::super::{AT_ONCE, AudienceProblem, person};
use super::filling::{Filling, POSITION_BITS, Stand, filling_of, next, version};
use super::held::Rounds;
use super::servers::{Head, Servers};
use super::{Afar, State};
use crate::boxed;
use crate::{Engine, EngineError, Live, Result, clock};

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
/// How often a process that asks once looks whether the feed is held back still, and how long it waits in between.
const LOOKS: u32 = 40;
const LOOK: Duration = Duration::from_millis(60);

/// Somebody who sends.
pub(super) struct Sender {
    pub(super) servers: Arc<Servers>,
    pub(super) live: Arc<Live>,
    pub(super) tables: Arc<Tables>,
    /// As whom it is noted there.
    reader: String,
    /// Which filling the rows belong to.
    pub(super) filling: Filling,
    pub(super) position: Position,
}

/// What a round came to.
struct Round {
    /// Members sent.
    sent: usize,
    /// Whether that was all there was.
    is_all: bool,
}

impl Engine {
    /// Sends members to ClickHouse until it is told to stop. Whatever fails is tried again, with longer and longer pauses; the
    /// home's work goes on, and what changes meanwhile waits in the feed.
    pub async fn keep_clickhouse(&self, stop: impl Future<Output = ()>) {
        let Some(afar) = self.clickhouse.get() else { return };
        afar.keeps.store(true, Ordering::Relaxed);
        let mut rounds = Rounds::default();
        let keeping = async {
            let mut pause = AGAIN;
            loop {
                let error = match self.sending(afar, &mut pause, &mut rounds).await {
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

    async fn sending(&self, afar: &Afar, pause: &mut Duration, rounds: &mut Rounds) -> Result<Infallible> {
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
                if let Err(error) = self.rows_held(afar, &sender, rounds).await {
                    tracing::warn!(%error, "rows in ClickHouse cannot be held against the record for now");
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
    #[boxed]
    pub async fn clickhouse_caught_up(&self, may_fill: bool) -> Result<usize> {
        let Some(afar) = self.clickhouse.get() else { return Ok(0) };
        let mut held = afar.sender.lock().await;
        let mut sender = match held.take() {
            Some(sender) => sender,
            None => self.sender(afar, may_fill).await?,
        };
        let (mut sent, mut looks) = (0, 0);
        loop {
            match self.round(afar, &mut sender).await? {
                None => sender = self.sender(afar, may_fill).await?,
                Some(round) => {
                    sent += round.sent;
                    // Somebody's transaction may hold the feed back; most are soon over.
                    if round.is_all
                        && (may_fill || looks == LOOKS || matches!(afar.state(), State::Ready { .. }))
                    {
                        *held = Some(sender);
                        return Ok(sent);
                    }
                    if round.is_all {
                        looks += 1;
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
        }
    }

    /// ClickHouse is followed no longer: the feed is kept for it no more. What lies there stays until somebody drops it, and is
    /// written anew before it is asked again.
    #[boxed]
    pub async fn clickhouse_left(&self) -> Result<()> {
        self.let_go_of_fillings(|_| true).await
    }

    /// The feed is kept no longer for these fillings, nor for what followed it before fillings had names.
    async fn let_go_of_fillings(&self, gone: impl Fn(&Filling) -> bool) -> Result<()> {
        const BEFORE: [&str; 2] = ["clickhouse", "clickhouse-end"];
        for (consumer, _) in self.store().crowd().followers().await? {
            if BEFORE.contains(&consumer.as_str()) || Filling::read(&consumer).as_ref().is_some_and(&gone) {
                self.store().crowd().unfollow(&consumer).await?;
            }
        }
        Ok(())
    }

    /// Fillings that follow the feed.
    pub(super) async fn fillings(&self) -> Result<Vec<(Filling, Position)>> {
        let followers = self.store().crowd().followers().await?;
        Ok(followers.into_iter().filter_map(|(name, at)| Some((Filling::read(&name)?, at))).collect())
    }

    /// Somebody who goes on where the last one stopped; who has sent everybody, where that cannot be.
    async fn sender(&self, afar: &Afar, may_fill: bool) -> Result<Sender> {
        let home = self.home().await?;
        let (live, servers) = (self.live_at(home.version).await?, afar.servers().await?);
        let tables = Arc::new(afar.tables(&live, servers.dialect, self.is_sealed()));
        let stamp = home.id_key.digest("audience clickhouse", &[MADE.as_bytes()]);
        let reader: String = stamp.iter().map(|byte| format!("{byte:02x}")).collect();
        let head = servers.head(&tables, &reader).await?;
        // What lies there, then who follows: a filling that began meanwhile is seen.
        let fillings = self.fillings().await?;
        let end = self.store().crowd().feed_end().await?;
        let (filling, position) = (Filling::default(), Position::default());
        let mut sender = Sender { servers, live, tables, reader, filling, position };
        let layout = sender.layout();
        let print = home.id_key.digest("audience clickhouse layout", &[layout.as_bytes()]);
        let print: String = print[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let stand = Stand { head: head.as_ref(), layout: &layout, print: &print, fillings: &fillings, end };
        match stand.goes_on() {
            Some((filling, position)) => {
                let number = filling.number;
                (sender.filling, sender.position) = (filling, position);
                // Whoever ended it may have been killed before it let go of the one before.
                if fillings.iter().any(|(other, _)| other.number < number) {
                    self.let_go_of_fillings(|other| other.number < number).await?;
                }
            }
            None if may_fill => {
                *afar.freshness.lock().await = Freshness::default();
                afar.becomes(State::NotYet("members are being sent to ClickHouse"));
                self.filled(&mut sender, head, &print).await?;
            }
            None => {
                let why = "ClickHouse has not all members yet: `zhiyin serve` sends them, or `zhiyin audience send`";
                return Err(AudienceProblem::Unavailable(why).into());
            }
        }
        Ok(sender)
    }

    /// Sends everybody of the record, and lets go of whoever lies there besides.
    async fn filled(&self, sender: &mut Sender, head: Option<Head>, print: &str) -> Result<()> {
        let watch = clock::stopwatch();
        let noted = head.as_ref().map(|head| filling_of(head.version));
        let Sender { servers, tables, .. } = &*sender;
        tracing::info!(
            fits = head.is_some_and(|head| head.layout == sender.layout()),
            "everybody is sent to ClickHouse"
        );
        servers.migrate(tables).await?;
        let reached = servers.ask(&tables.version_reached()).await?;
        let reached: u64 = reached.trim().parse().map_err(|_| super::Trouble::Refused(0))?;
        loop {
            sender.filling = next(noted, filling_of(reached), &self.fillings().await?, print);
            if sender.filling.number >> (u64::BITS - POSITION_BITS) > 0 {
                let why = "this database of ClickHouse was filled too often: drop it, it is filled anew";
                return Err(AudienceProblem::ClickHouseUnfit(why.to_owned()).into());
            }
            // From before anything is read: whoever changes meanwhile is sent again. Where the feed is kept from before that
            // already, another process may rest on it.
            let name = sender.filling.name();
            sender.position = self.store().feed_position(&name).await?;
            // Whoever took the number at the same time for another layout is seen by one of the two at least.
            if !self.fillings().await?.iter().any(|(other, _)| other.collides(&sender.filling)) {
                break;
            }
            self.store().crowd().unfollow(&name).await?;
        }
        let version = version(sender.filling.number, sender.position);
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
        self.let_go_of_fillings(|other| other.number < sender.filling.number).await?;
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
        // All from before the feed is read: what is not in it came later.
        let (now, horizon) = (clock::now(&home), self.store().crowd().feed_horizon().await?);
        let fillings = self.fillings().await?;
        // Rows of a later filling win over those of this one, so what is sent from here on would not be there.
        if fillings.iter().any(|(other, _)| other.number > sender.filling.number) {
            return Ok(None);
        }
        // Where somebody let go of the feed, it may have forgotten what was not sent.
        let followed = fillings.into_iter().find(|(filling, _)| *filling == sender.filling);
        let Some((_, followed)) = followed else { return Ok(None) };
        // What another process is done with is there.
        sender.position = sender.position.max(followed);
        let (mut last, mut changed, mut is_all) = (sender.position, BTreeSet::new(), false);
        while !is_all && changed.len() < MEMBERS_A_ROUND {
            let entries = self.store().feed(last, ENTRIES).await?;
            is_all = entries.len() < ENTRIES;
            last = entries.last().map_or(last, |entry| entry.position);
            changed.extend(entries.into_iter().flat_map(|entry| entry.members));
        }
        if last != sender.position {
            let version = version(sender.filling.number, last);
            let ids: Vec<MemberId> = changed.iter().copied().collect();
            let mut lines = Vec::new();
            for part in ids.chunks(MEMBERS) {
                lines.extend(self.rows_of(sender, part, version).await?);
                sender.sent(&mut lines, false).await?;
            }
            sender.sent(&mut lines, true).await?;
            sender.noted(version).await?;
            self.store().feed_done(&sender.filling.name(), last).await?;
            sender.position = last;
            self.measures.audiences().changed(changed.len());
        }
        if is_all {
            let mut freshness = afar.freshness.lock().await;
            freshness.read_to_the_end(now, horizon);
            afar.becomes(match freshness.fresh() {
                Some(fresh) => State::Ready { tables: Arc::clone(&sender.tables), fresh },
                None => State::NotYet("the change feed is held back"),
            });
            let behind = freshness.fresh().map_or(0, |fresh| now.0.saturating_sub(fresh.0) / 1_000_000);
            self.measures.audiences().stands(0, 0, behind);
        }
        Ok(Some(Round { sent: changed.len(), is_all }))
    }
}

impl Sender {
    fn layout(&self) -> String {
        format!("{MADE}/{}", self.tables.fingerprint())
    }

    /// Members as lines; done where that holds up nobody.
    pub(super) async fn rows(&self, part: Vec<Whole>, version: u64) -> Result<Vec<String>> {
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
    pub(super) async fn sent(&self, lines: &mut Vec<String>, all: bool) -> Result<()> {
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
            let said = self.servers.ask(&asking.stale(self.filling.number << POSITION_BITS, STALE)).await?;
            let lines: Vec<String> =
                said.lines().filter_map(MemberId::from_hex).map(|member| gone_row(member, version)).collect();
            if lines.is_empty() {
                return Ok(());
            }
            self.servers.send(&self.tables.insertion(), &lines).await?;
        }
    }
}
