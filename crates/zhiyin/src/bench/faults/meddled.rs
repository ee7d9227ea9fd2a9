//! The store as an engine of the fault test sees it: at a call that the schedule names it fails or is kept back, and whatever
//! passes is written down in the [`Books`].
//!
//! Real time decides nothing here. An engine renews its shares now and then by the clock; how often depends on the machine,
//! so such a renewal is answered from memory and nobody else hears of it. Shares are lost when the schedule says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use zhiyin_store::flush::Flush;
use zhiyin_store::turn::Turn;
use zhiyin_store::{Append, Receipt, Result, Store, StoreError};

use super::around::{Around, Deed, Wrapped};
use super::books::Books;

/// Longer than any seed takes: nothing lapses by itself.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// More connections than a store has.
const CONNECTIONS_MAX: usize = 4;
/// How often a store may try to come back, and how long it waits in between.
const RECOVERY_MAX: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// What shall go wrong, once.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Calls left until then.
    pub left: u32,
    /// Counts calls of this name only.
    pub only: Option<&'static str>,
    /// Whether the call is done before it goes wrong.
    pub late: bool,
    /// What.
    pub deed: Deed,
}

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is written.
    Written,
    /// It was refused: the turn was over.
    Stale,
    /// Otherwise.
    Failed,
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    fired: bool,
    /// The turn as the engine knows it.
    turn: Turn,
    /// Whether the engine has reason to ask for its turn, beside that time went by.
    asks: bool,
    /// A flush that was written and not yet answered: how far it moved the cursor.
    moves: Option<Option<i64>>,
    flushed: Option<Ended>,
}

/// Whether a call that fails makes a worker doubt what it holds. Where another asked, its worker hears nothing of it and goes on; it
/// would ask for its shares only when real time had gone by.
fn is_workers(call: &str) -> bool {
    !matches!(call, "append" | "apply_playbook" | "retry_dead_letters")
}

/// A store that meddles.
pub struct Meddled {
    inner: Arc<dyn Store>,
    /// What its worker is called in the record: the engine's own name has the time in it.
    name: String,
    books: Arc<Mutex<Books>>,
    state: Mutex<State>,
    reached: Notify,
    go_on: Notify,
}

/// Whoever panicked while they held it has been told of elsewhere.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meddled {
    /// Around a store, for a worker of this name.
    pub fn around(inner: Arc<dyn Store>, name: String, books: Arc<Mutex<Books>>) -> Wrapped<Self> {
        let state = Mutex::new(State { asks: true, ..State::default() });
        Wrapped(Self { inner, name, books, state, reached: Notify::new(), go_on: Notify::new() })
    }

    /// What its worker is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From now on this shall happen.
    pub fn arm(&self, plan: Plan) {
        let mut state = locked(&self.state);
        (state.plan, state.fired, state.flushed) = (Some(plan), false, None);
    }

    /// Nothing shall happen any more; whether it did.
    pub fn disarm(&self) -> bool {
        let mut state = locked(&self.state);
        state.plan = None;
        std::mem::take(&mut state.fired)
    }

    /// Resolves when a call is kept back.
    pub async fn hanging(&self) {
        self.reached.notified().await;
    }

    /// Lets go on what was kept back.
    pub fn let_go(&self) {
        self.go_on.notify_one();
    }

    /// How the first flush since something was planned ended.
    pub fn flushed(&self) -> Option<Ended> {
        locked(&self.state).flushed
    }

    /// The turn as its engine knows it.
    pub fn turn(&self) -> Turn {
        locked(&self.state).turn.clone()
    }

    /// Takes the shares away behind the engine's back, as if it had been silent for too long.
    pub async fn lapse(&self) -> Result<()> {
        self.inner.release(&self.name).await
    }

    /// The server beneath came back: its connections are made anew, and whatever was held is free. The engine does not know.
    pub async fn recover(&self) -> anyhow::Result<()> {
        for _ in 0..RECOVERY_MAX {
            // As many at once as there may be connections, so that none is left that has ended.
            let asked = futures_util::future::join_all((0..CONNECTIONS_MAX).map(|_| self.inner.home())).await;
            if asked.iter().any(Result::is_err) {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let Ok(turn) = self.inner.lease(&self.name, LEASE).await else { continue };
            locked(&self.books).leased(&self.name, &turn);
            if self.inner.release(&self.name).await.is_ok() {
                return Ok(());
            }
        }
        anyhow::bail!("{} does not come back", self.name)
    }

    async fn do_deed(&self, call: &str, deed: Deed) -> Result<()> {
        match deed {
            Deed::Fail => {
                locked(&self.state).asks |= is_workers(call);
                Err(StoreError::Database("planned".to_owned()))
            }
            Deed::Hang => {
                self.reached.notify_one();
                self.go_on.notified().await;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Around for Meddled {
    fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }

    async fn before(&self, call: &'static str) -> Result<Option<Deed>> {
        let plan = {
            let mut state = locked(&self.state);
            let renewal = call == "lease" && !state.asks && !state.turn.is_empty();
            if !renewal {
                locked(&self.books).heard(&self.name, call);
            }
            match &mut state.plan {
                Some(plan) if !renewal && plan.only.is_none_or(|only| only == call) => {
                    if plan.left > 0 {
                        plan.left -= 1;
                        None
                    } else {
                        state.fired = true;
                        state.plan.take()
                    }
                }
                _ => None,
            }
        };
        match plan {
            Some(Plan { late: false, deed, .. }) => self.do_deed(call, deed).await.map(|()| None),
            Some(Plan { deed, .. }) => Ok(Some(deed)),
            None => Ok(None),
        }
    }

    async fn after(&self, call: &'static str, deed: Option<Deed>, well: bool) -> Result<()> {
        if let Some(deed) = deed {
            locked(&self.state).moves = None;
            self.do_deed(call, deed).await?;
        }
        let mut state = locked(&self.state);
        if let Some(cursor) = state.moves.take() {
            state.turn.moved(cursor);
        }
        state.asks |= !well && is_workers(call);
        Ok(())
    }

    async fn lease(&self, _holder: &str, _ttl: Duration) -> Result<Turn> {
        {
            let state = locked(&self.state);
            if !state.asks && !state.turn.is_empty() {
                return Ok(state.turn.clone());
            }
        }
        let turn = self.inner.lease(&self.name, LEASE).await?;
        locked(&self.books).leased(&self.name, &turn);
        let mut state = locked(&self.state);
        (state.turn, state.asks) = (turn.clone(), false);
        Ok(turn)
    }

    async fn release(&self, _holder: &str) -> Result<()> {
        locked(&self.state).asks = true;
        self.inner.release(&self.name).await?;
        locked(&self.state).turn = Turn::default();
        Ok(())
    }

    async fn append(&self, append: Append) -> Result<Vec<Receipt>> {
        let copy = append.clone();
        let receipts = self.inner.append(append).await?;
        locked(&self.books).appended(&copy, &receipts);
        Ok(receipts)
    }

    async fn flush(&self, flush: Flush) -> Result<()> {
        let copy = flush.clone();
        let answer = self.inner.flush(flush).await;
        let ended = match &answer {
            Ok(()) => Ended::Written,
            Err(StoreError::Stale) => Ended::Stale,
            Err(_) => Ended::Failed,
        };
        if ended == Ended::Written {
            locked(&self.books).written(&copy);
        }
        let mut state = locked(&self.state);
        state.flushed.get_or_insert(ended);
        state.moves = (ended == Ended::Written).then_some(copy.cursor);
        answer
    }
}
