//! Plays a schedule with all that goes wrong in it: several engines on one home, each with a store handle of its own as other
//! processes would have. What came of each act is compared with the undisturbed run, and the record with the books.
//!
//! Everything is awaited one after the other, so a seed replays exactly.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::{Engine, EngineError};
use zhiyin_model::time::Ts;
use zhiyin_store::Store;

use super::around::{Around, Deed, Wrapped};
use super::books::{Books, Compared};
use super::chance::Chance;
use super::ground::{Ground, Outage};
use super::meddled::{Ended, Meddled, Plan, locked};
use super::plain::{self, Mark};
use super::planted::{self, Defect};
use super::script::{Act, Append, Apply, Retry, Script, Settle, Step, Take, Trouble};
use super::told::{self, Ear};

/// After how many acts the doctor comes; half as often on a server, where it takes longer.
const DOCTOR_EVERY: usize = 25;
/// After one in so many acts somebody is told what happened.
const LISTEN_EVERY: u64 = 3;
/// On a server, one in so many killed engines takes its connections along.
const HARD_EVERY: u32 = 16;
/// After how many batches something that does not come to rest never will.
const BATCHES_MAX: u32 = 5_000;

/// An engine and its store.
struct Hand {
    engine: Arc<Engine>,
    store: Arc<Wrapped<Meddled>>,
    /// What the process is called whose connections these are.
    ends: String,
}

/// What is sure: all that was acknowledged.
struct Sure {
    books: Books,
    /// So much of the log holds it.
    log_bytes: u64,
}

/// A run.
pub struct Play<'s> {
    script: &'s Script,
    marks: &'s [Mark],
    ground: Ground,
    defect: Option<Defect>,
    books: Arc<Mutex<Books>>,
    hands: Vec<Hand>,
    /// Stores of processes that ended without giving up what they held.
    gone: Vec<String>,
    opened: u32,
    /// How many shares the home has.
    slots: usize,
    /// Whom the home tells.
    ear: Ear,
}

/// What came of a call during which something may go wrong.
enum Came<T> {
    /// It ended well.
    Well(T),
    /// What was planned made it fail, or its caller go away.
    Wrong,
}

/// What broke, and at which act.
pub struct Breach {
    /// The number of the act.
    pub act: usize,
    /// What is wrong.
    pub what: String,
}

/// Plays a schedule on a ground; a hash of all that was asked of the stores, or what broke.
pub async fn play(
    script: &Script,
    marks: &[Mark],
    ground: Ground,
    defect: Option<Defect>,
) -> std::result::Result<u64, Breach> {
    let books = Arc::new(Mutex::new(Books::default()));
    let mut play = Play {
        script,
        marks,
        ground,
        defect,
        books,
        hands: Vec::new(),
        gone: Vec::new(),
        opened: 0,
        slots: 1,
        ear: Ear::new(),
    };
    let breach = |act, error: anyhow::Error| Breach { act, what: format!("{error:#}") };
    let mut went = play.begin().await.map_err(|error| breach(0, error));
    for (n, act) in script.acts.iter().enumerate() {
        if went.is_ok() {
            went = play.act(n, act).await.map_err(|error| breach(n, error));
        }
    }
    if went.is_ok() {
        went = play.heard().await.map_err(|error| breach(script.acts.len(), error));
    }
    let Play { ground, hands, books, .. } = play;
    drop(hands);
    let cleared = ground.clear().await.map_err(|error| breach(script.acts.len(), error));
    went.and(cleared).map(|()| locked(&books).trace())
}

impl Play<'_> {
    async fn begin(&mut self) -> Result<()> {
        while self.hands.len() < self.script.hands {
            let hand = self.open(None).await?;
            if self.hands.is_empty() {
                plain::begin(&hand.engine).await?;
                self.slots = usize::try_from(hand.engine.home().await?.slots)?;
            }
            self.hands.push(hand);
        }
        Ok(())
    }

    /// One more engine, on a store handle of its own or on one that is there.
    async fn open(&mut self, inner: Option<Arc<dyn Store>>) -> Result<Hand> {
        self.opened += 1;
        let name = format!("e{}", self.opened);
        let inner = match inner {
            Some(inner) => inner,
            None => planted::around(self.ground.open(&name).await?, self.defect, self.opened),
        };
        let store = Arc::new(Meddled::around(inner, name, Arc::clone(&self.books)));
        let engine = Engine::open_with(Arc::clone(&store) as Arc<dyn Store>, 1, plain::decider).await?;
        Ok(Hand { engine: Arc::new(engine), ends: store.0.name().to_owned(), store })
    }

    fn hand(&self, n: usize) -> Result<(Arc<Engine>, Arc<Wrapped<Meddled>>)> {
        let hand = self.hands.get(n % self.hands.len().max(1)).context("no engine")?;
        Ok((Arc::clone(&hand.engine), Arc::clone(&hand.store)))
    }

    /// All that was told is heard in the end.
    async fn heard(&mut self) -> Result<()> {
        let record = self.record()?;
        self.ear.end(record).await
    }

    /// A store beneath all that meddles.
    fn record(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::clone(self.hand(0)?.1.0.inner()))
    }

    /// The process ends: its engine and its store handle are gone, and what it held is not given up. Another takes its place.
    async fn kill(&mut self, n: usize) -> Result<()> {
        let n = n % self.hands.len();
        let gone = self.hands.remove(n);
        let (name, ends) = (gone.store.0.name().to_owned(), gone.ends.clone());
        drop(gone);
        self.ground.ended(&ends).await?;
        self.gone.push(name);
        let hand = self.open(None).await?;
        self.hands.insert(n, hand);
        Ok(())
    }

    /// The same, but for the connections to a server, which mostly stay: making them is dear. Then it is as if one of several
    /// engines of a process ended.
    async fn kill_mostly(&mut self, n: usize) -> Result<()> {
        if self.ground.is_file() || self.opened.is_multiple_of(HARD_EVERY) {
            return self.kill(n).await;
        }
        let n = n % self.hands.len();
        let gone = self.hands.remove(n);
        self.gone.push(gone.store.0.name().to_owned());
        let inner = Arc::clone(gone.store.0.inner());
        let hand = self.open(Some(inner)).await?;
        self.hands.insert(n, Hand { ends: gone.ends, ..hand });
        Ok(())
    }

    /// What is sure before a disaster.
    fn before(&self, trouble: Trouble) -> Option<Sure> {
        let disaster = matches!(trouble, Trouble::Disaster { .. });
        disaster.then(|| Sure { books: locked(&self.books).clone(), log_bytes: self.ground.sure() })
    }

    /// All processes end, for the machine beneath them did. What was acknowledged before must still be there.
    async fn disaster(&mut self, before: Sure, chance: u64) -> Result<()> {
        let outage = self.ground.disaster(before.log_bytes, chance).await?;
        match outage {
            Outage::All => {
                for n in 0..self.hands.len() {
                    self.kill(n).await?;
                }
            }
            Outage::Connections => {
                for hand in &self.hands {
                    hand.store.0.recover().await?;
                }
            }
            Outage::None => {
                for n in 0..self.hands.len() {
                    self.kill_mostly(n).await?;
                }
            }
        }
        let record = self.record()?;
        Books::sort_out(&self.books, before.books, &record).await?;
        Books::compare(&self.books, &record, Compared::All).await?;
        if outage != Outage::None {
            Books::examine(&self.books, &record).await?;
        }
        Ok(())
    }

    /// Time goes by: what those held who are gone may be taken.
    async fn lapse_gone(&mut self) -> Result<()> {
        let record = self.record()?;
        for gone in self.gone.drain(..) {
            record.release(&gone).await?;
        }
        Ok(())
    }

    async fn act(&mut self, n: usize, act: &Act) -> Result<()> {
        match act {
            Act::Append(append) => self.append(n, append).await?,
            Act::Step(step) => self.step(step).await?,
            Act::Settle(settle) => self.settle(n, settle).await?,
            Act::Apply(apply) => self.apply(n, apply).await?,
            Act::Retry(retry) => self.retry(n, retry).await?,
            Act::Release(hand) => self.hand(*hand)?.0.release().await?,
        }
        let record = self.record()?;
        let mut chance = Chance::new(n as u64);
        if chance.one_in(LISTEN_EVERY) {
            self.ear.listen(Arc::clone(&record), &mut chance).await?;
        }
        let every = if self.ground.is_file() { DOCTOR_EVERY } else { 2 * DOCTOR_EVERY };
        let doctor = n % every == every - 1 || n + 1 == self.script.acts.len();
        let what = if doctor { Compared::All } else { Compared::Written { lots: self.ground.is_file() } };
        Books::compare(&self.books, &record, what).await?;
        if doctor {
            Books::examine(&self.books, &record).await?;
        }
        Ok(())
    }

    /// Awaits what may go wrong as planned. Where it is kept back for good, whoever waited for it goes away.
    async fn attempt<T>(
        &self,
        n: usize,
        plan: Option<Plan>,
        work: impl Future<Output = std::result::Result<T, EngineError>>,
    ) -> Result<Came<T>> {
        let store = self.hand(n)?.1;
        if let Some(plan) = plan {
            store.0.arm(plan);
        }
        tokio::pin!(work);
        let came = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = store.0.hanging() => None,
        };
        let fired = store.0.disarm();
        match came {
            None => Ok(Came::Wrong),
            Some(Err(_)) if fired => Ok(Came::Wrong),
            Some(Ok(_)) if fired => bail!("a call failed, and nobody was told"),
            Some(Ok(done)) => Ok(Came::Well(done)),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Items come in. What is not acknowledged is sent again, as a source does.
    async fn append(&mut self, n: usize, append: &Append) -> Result<()> {
        let (mut plan, kept) = match append.trouble {
            Trouble::Fails { late, .. } => (Some((late, Deed::Fail)), late),
            Trouble::Killed { late, .. } => (Some((late, Deed::Hang)), late),
            Trouble::Disaster { before, .. } => (Some((!before, Deed::Hang)), false),
            _ => (None, false),
        };
        loop {
            let before = self.before(append.trouble);
            let engine = self.hand(append.hand)?.0;
            let source = plain::source(append);
            let take = engine.take(&source, plain::prepared(append), append.now, None);
            let planned = plan.take().map(|(late, deed)| Plan { left: 0, only: Some("append"), late, deed });
            let came = self.attempt(append.hand, planned, take).await?;
            drop(engine);
            if let Came::Well(verdicts) = came {
                return self.is_right_at_the_door(n, &verdicts, kept);
            }
            match append.trouble {
                Trouble::Killed { .. } => self.kill_mostly(append.hand).await?,
                Trouble::Disaster { chance, .. } => {
                    let events: Vec<_> = plain::prepared(append).into_iter().flatten().collect();
                    let before = before.context("nobody noted what was sure")?;
                    let trace = locked(&self.books).trace();
                    *locked(&self.books) = before.books.clone().traced(trace);
                    locked(&self.books).unsure_of(append.source, &events);
                    self.disaster(before, chance).await?;
                }
                _ => {}
            }
        }
    }

    /// What was said at the door is what the undisturbed run was told; what an attempt before had brought in (`kept`: as
    /// planned) is a duplicate by now.
    fn is_right_at_the_door(&self, n: usize, verdicts: &[Verdict], kept: bool) -> Result<()> {
        let kept = locked(&self.books).known_to_survive() || kept;
        for (expected, verdict) in self.marks.get(n).context("no mark")?.verdicts.iter().zip(verdicts) {
            let again = kept && *expected == Verdict::Accepted;
            let expected = if again { &Verdict::Duplicate } else { expected };
            ensure!(verdict == expected, "at the door: {verdict:?}, not {expected:?}");
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step.take {
            Take::Asks => {}
            Take::Handed => self.alone(step.hand).await?,
            Take::Stolen => {
                for (n, hand) in self.hands.iter().enumerate() {
                    if n != step.hand % self.hands.len() && !hand.store.0.turn().is_empty() {
                        hand.store.0.lapse().await?;
                    }
                }
                self.lapse_gone().await?;
            }
        }
        let until = match step.behind_us {
            None => Ts::MIN,
            Some(behind_us) => locked(&self.books).clock().plus_us(-behind_us),
        };
        let plan = match step.trouble {
            Trouble::None => None,
            Trouble::Fails { call, late } => Some(Plan { left: call, only: None, late, deed: Deed::Fail }),
            Trouble::Killed { call, late } | Trouble::Dropped { call, late } => {
                Some(Plan { left: call, only: None, late, deed: Deed::Hang })
            }
            Trouble::Slow { other, batches } => return self.slow(step, until, other, batches).await,
            Trouble::Disaster { before, .. } => {
                Some(Plan { left: 0, only: Some("flush"), late: !before, deed: Deed::Hang })
            }
        };
        let before = self.before(step.trouble);
        let engine = self.hand(step.hand)?.0;
        self.attempt(step.hand, plan, engine.step(step.limit, Some(until))).await?;
        drop(engine);
        match (step.trouble, before) {
            (Trouble::Killed { .. }, _) => self.kill_mostly(step.hand).await,
            (Trouble::Disaster { chance, .. }, Some(before)) => self.disaster(before, chance).await,
            _ => Ok(()),
        }
    }

    /// A commit is kept back while another engine takes the shares over. When it arrives it must be refused.
    async fn slow(&mut self, step: &Step, until: Ts, other: usize, batches: u32) -> Result<()> {
        let (engine, store) = self.hand(step.hand)?;
        store.0.arm(Plan { left: 0, only: Some("flush"), late: false, deed: Deed::Hang });
        let work = engine.step(step.limit, Some(until));
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => {
                // There was nothing to write.
                store.0.disarm();
                return done.map(drop).map_err(Into::into);
            }
            () = store.0.hanging() => {}
        }
        let held = store.0.turn().held;
        store.0.lapse().await?;
        let (taker, takers_store) = self.hand(other)?;
        for _ in 0..batches {
            taker.step(step.limit, Some(until)).await?;
        }
        let taken = takers_store.0.turn().held;
        store.0.let_go();
        work.await?;
        store.0.disarm();
        let over = held
            .iter()
            .any(|mine| taken.iter().any(|theirs| theirs.slot == mine.slot && theirs.token > mine.token));
        let ended = store.0.flushed();
        ensure!(
            !over || ended == Some(Ended::Stale),
            "a flush of shares that had gone to another ended {ended:?}"
        );
        Ok(())
    }

    /// The others give up what they hold, and what those held who are gone may be taken.
    async fn alone(&mut self, n: usize) -> Result<()> {
        for (_, hand) in self.hands.iter().enumerate().filter(|(other, _)| *other != n % self.hands.len()) {
            hand.engine.release().await?;
        }
        self.lapse_gone().await
    }

    /// Something that goes wrong now and then, at any call.
    fn now_and_then(chance: &mut Chance) -> Option<Plan> {
        let deed = if chance.one_in(2) { Deed::Fail } else { Deed::Hang };
        let (left, late) = (u32::try_from(chance.below(10)).unwrap_or(0), chance.one_in(2));
        chance.one_in(14).then_some(Plan { left, only: None, late, deed })
    }

    /// All that waits is decided and timers fire up to an instant, by one engine after the other.
    async fn quiet(&mut self, until: Ts, chance: &mut Chance) -> Result<()> {
        let until = if until == Ts::MIN { until } else { until.max(locked(&self.books).clock()) };
        let slots = self.slots;
        let mut idle = BTreeSet::new();
        let mut batches = 0;
        while idle.len() < slots || self.record()?.any_waiting().await? {
            let n = usize::try_from(chance.below(self.hands.len() as u64))?;
            self.alone(n).await?;
            loop {
                batches += 1;
                ensure!(batches < BATCHES_MAX, "it does not come to rest");
                let limit = usize::try_from(1 + chance.below(16))?;
                let (engine, store) = self.hand(n)?;
                let came =
                    self.attempt(n, Self::now_and_then(chance), engine.step(limit, Some(until))).await?;
                drop(engine);
                match came {
                    Came::Well(step) if step.idle => {
                        idle.extend(store.0.turn().slots());
                        break;
                    }
                    Came::Well(_) => idle.clear(),
                    Came::Wrong => {
                        idle.clear();
                        drop(store);
                        if chance.one_in(2) {
                            self.kill_mostly(n).await?;
                        }
                        break;
                    }
                }
                if let Some(broken) = locked(&self.books).broken() {
                    bail!("{broken}");
                }
            }
        }
        Ok(())
    }

    async fn settle(&mut self, n: usize, settle: &Settle) -> Result<()> {
        self.quiet(settle.until, &mut Chance::new(settle.chance)).await?;
        self.is_at_rest_as_undisturbed(n).await
    }

    async fn is_at_rest_as_undisturbed(&self, n: usize) -> Result<()> {
        if self.may_differ() {
            return Ok(());
        }
        let expected = self.marks.get(n).context("no mark")?;
        let record = self.record()?;
        told::pump(&Engine::open_with(Arc::clone(&record), 1, plain::decider).await?).await?;
        let mark = plain::rest(&record, !expected.members.is_empty()).await?;
        for (what, found, expected) in
            [("dead letters", &mark.dead, &expected.dead), ("members", &mark.members, &expected.members)]
        {
            let other = |these: &[String], those: &[String]| {
                these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>()
            };
            let (ours, theirs) = (other(found, expected), other(expected, found));
            ensure!(found == expected, "{what} at rest are {ours:#?}, undisturbed {theirs:#?}");
        }
        let others = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
            these.difference(those).cloned().collect()
        };
        let (more, less) = (others(&mark.told, &expected.told), others(&expected.told, &mark.told));
        ensure!(more.is_empty() && less.is_empty(), "told at rest {more:#?}, undisturbed {less:#?}");
        ensure!(
            (&mark.digest, mark.clock) == (&expected.digest, expected.clock),
            "at rest the digest is {}, undisturbed {}; clocks {:?} and {:?}",
            mark.digest,
            expected.digest,
            mark.clock,
            expected.clock
        );
        Ok(())
    }

    async fn apply(&mut self, n: usize, apply: &Apply) -> Result<()> {
        let mut chance = Chance::new(apply.chance);
        self.quiet(apply.at, &mut chance).await?;
        let version = plain::dated(apply.version, apply.at)?;
        let mut applied = false;
        loop {
            let hand = usize::try_from(chance.below(self.hands.len() as u64))?;
            self.alone(hand).await?;
            let limit = usize::try_from(1 + chance.below(4))?;
            let plan = if chance.one_in(2) { None } else { Self::now_and_then(&mut chance) };
            let engine = self.hand(hand)?.0;
            let work = async {
                if !applied {
                    engine.store().apply_playbook(version.clone()).await?;
                    applied = true;
                }
                engine.catch_up_playbook(limit).await
            };
            let came = self.attempt(hand, plan, work).await?;
            drop(engine);
            match came {
                Came::Well(_) => return self.is_at_rest_as_undisturbed(n).await,
                Came::Wrong if chance.one_in(2) => self.kill_mostly(hand).await?,
                Came::Wrong => {}
            }
        }
    }

    async fn retry(&mut self, n: usize, retry: &Retry) -> Result<()> {
        let mut chance = Chance::new(retry.chance);
        let back = &self.marks.get(n).context("no mark")?.back;
        let seqs = plain::places(&self.record()?, back).await?;
        ensure!(
            self.may_differ() || seqs.len() == back.len(),
            "of the dead letters {back:?} there are {}",
            seqs.len()
        );
        loop {
            let hand = usize::try_from(chance.below(self.hands.len() as u64))?;
            let late = chance.one_in(2);
            let plan = Plan { left: 0, only: Some("retry_dead_letters"), late, deed: Deed::Fail };
            let plan = chance.one_in(3).then_some(plan);
            let store = Arc::clone(self.hand(hand)?.0.store());
            let work = async { Ok(store.retry_dead_letters(seqs.clone(), retry.at).await?) };
            if let Came::Well(_) = self.attempt(hand, plan, work).await? {
                if !seqs.is_empty() {
                    let clock = self.record()?.home().await?.clock;
                    locked(&self.books).clock_moved(clock);
                }
                return Ok(());
            }
        }
    }

    /// Whether the state may be another than undisturbed: who of several members has an order is nobody's promise where they
    /// are in several shares.
    fn may_differ(&self) -> bool {
        self.script.contested && self.slots > 1
    }
}
