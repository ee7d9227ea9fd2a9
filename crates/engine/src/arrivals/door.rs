//! The door for what platforms bring: who speaks is checked, and what they say is kept before they are answered.
//!
//! Many bring something at once, and each waits for a commit: so whoever comes while one is being written shares the next. When
//! [`ArrivalDoor::receive`] returns well it is on disk; where its caller goes away meanwhile it may be, and is known again when it is
//! brought again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::sync::{Mutex as Turn, OnceCell, oneshot};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::wecom::callback::{CallbackProblem, Callbacks, Received, Signed};
use zhiyin_reach::wecom::{CHANNEL, NAMESPACE};
use zhiyin_store::campaigns::arrivals::{NewArrival, arrival_id};
use zhiyin_store::{StoreError, seal};

use super::{NEWS, WELCOME};
use crate::{Engine, EngineError, Result, clock};

/// How many callbacks one commit takes at most.
const AT_ONCE: usize = 256;

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// No account is configured under this name.
    AccountUnknown,
    /// What came is not as agreed.
    Problem(CallbackProblem),
}

impl NotTaken {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountUnknown => "account_unknown",
            Self::Problem(problem) => problem.name(),
        }
    }
}

impl From<CallbackProblem> for NotTaken {
    fn from(problem: CallbackProblem) -> Self {
        Self::Problem(problem)
    }
}

/// Somebody who waits for what they brought to be kept.
struct Bringing {
    what: Vec<NewArrival>,
    kept: oneshot::Sender<std::result::Result<bool, String>>,
}

/// The door of one home.
pub struct ArrivalDoor {
    engine: Arc<Engine>,
    accounts: BTreeMap<String, Callbacks>,
    bringing: Mutex<Vec<Bringing>>,
    turn: Turn<()>,
    /// The home's, which never changes: asked for once.
    key: OnceCell<IdKey>,
}

impl ArrivalDoor {
    /// For the accounts of these names.
    pub fn new(engine: Arc<Engine>, accounts: BTreeMap<String, Callbacks>) -> Self {
        Self { engine, accounts, bringing: Mutex::default(), turn: Turn::new(()), key: OnceCell::new() }
    }

    /// Whether anybody is expected here.
    pub fn is_open(&self) -> bool {
        !self.accounts.is_empty()
    }

    fn account(&self, name: &str) -> std::result::Result<(&str, &Callbacks), NotTaken> {
        let found = self.accounts.get_key_value(name).ok_or(NotTaken::AccountUnknown)?;
        Ok((found.0, found.1))
    }

    fn refused<T>(&self, problem: NotTaken) -> std::result::Result<T, NotTaken> {
        self.engine.measures.arrivals().refused(CHANNEL, problem.name());
        tracing::warn!(channel = CHANNEL, why = problem.name(), "callback not taken");
        Err(problem)
    }

    /// The answer to a platform that asks whether this address is ours.
    ///
    /// # Errors
    /// By the name of what is wrong; it is counted and logged here.
    pub fn echo(
        &self,
        account: &str,
        signed: Signed<'_>,
        echo: &str,
    ) -> std::result::Result<Vec<u8>, NotTaken> {
        let now = clock::wall().0.div_euclid(1_000_000);
        let echoed = self.account(account).and_then(|(_, of)| Ok(of.echo(signed, echo, now)?));
        echoed.or_else(|problem| self.refused(problem))
    }

    /// Refuses something before it was read whole.
    pub fn turned_away(&self, why: CallbackProblem) -> NotTaken {
        match self.refused::<()>(why.into()) {
            Ok(()) => why.into(),
            Err(problem) => problem,
        }
    }

    /// Takes what was posted; whether it is new. What is brought again is taken as well and kept once.
    pub async fn receive(
        &self,
        account: &str,
        signed: Signed<'_>,
        body: &[u8],
    ) -> Result<std::result::Result<bool, NotTaken>> {
        let now = clock::wall();
        let seconds = now.0.div_euclid(1_000_000);
        let read =
            self.account(account).and_then(|(name, of)| Ok((name, of, of.receive(signed, body, seconds)?)));
        let (name, of, received) = match read {
            Ok(read) => read,
            Err(problem) => return Ok(self.refused(problem)),
        };
        let kind = received.notice.told.name();
        let key =
            self.key.get_or_try_init(async || Ok::<_, EngineError>(self.engine.home().await?.id_key)).await?;
        let is_new = self.keep(what(key, (name, of.corp_id()), &received, now)).await?;
        self.engine.measures.arrivals().came(CHANNEL, kind, is_new);
        Ok(Ok(is_new))
    }

    /// Keeps what comes with what others bring at the same time; whether it is new.
    async fn keep(&self, what: Vec<NewArrival>) -> Result<bool> {
        let (kept, is_kept) = oneshot::channel();
        self.bringing.lock().unwrap_or_else(PoisonError::into_inner).push(Bringing { what, kept });
        let turn = self.turn.lock().await;
        let bringing: Vec<Bringing> = {
            let mut waiting = self.bringing.lock().unwrap_or_else(PoisonError::into_inner);
            let n = waiting.len().min(AT_ONCE);
            waiting.drain(..n).collect()
        };
        if !bringing.is_empty() {
            self.write(bringing).await;
        }
        drop(turn);
        // Turns are taken in the order in which one came, so by now somebody has written it, or went away in the middle.
        match is_kept.await {
            Ok(Ok(is_new)) => Ok(is_new),
            Ok(Err(error)) => Err(StoreError::Unreachable(error).into()),
            Err(_) => Err(StoreError::Stopped.into()),
        }
    }

    async fn write(&self, bringing: Vec<Bringing>) {
        let all: Vec<NewArrival> = bringing.iter().flat_map(|one| one.what.iter().cloned()).collect();
        let written = self.engine.store().coupons().campaigns().arrivals().arrive(all).await;
        let mut are_new = written.map(Vec::into_iter).map_err(|error| error.to_string());
        for one in bringing {
            let answer = match &mut are_new {
                // The news is the first; what else it comes to stands and falls with it.
                Ok(are_new) => {
                    let of_it: Vec<bool> = are_new.by_ref().take(one.what.len()).collect();
                    Ok(of_it.first().copied().unwrap_or_default())
                }
                Err(error) => Err(error.clone()),
            };
            // Whoever brought it may have gone.
            drop(one.kept.send(answer));
        }
    }
}

/// What is kept of a callback: the news, and before it whom somebody may welcome.
fn what(key: &IdKey, (account, corp): (&str, &str), received: &Received, now: Ts) -> Vec<NewArrival> {
    let about = match received.notice.told.customer().map(|customer| normalise(NAMESPACE, customer)) {
        Some(Ok(value)) => seal::lookup(key, &Identifier { namespace: NAMESPACE.to_owned(), value }),
        _ => key.digest("arrivals about nobody", &[&now.0.div_euclid(DAY_US).to_le_bytes()]),
    };
    let id = arrival_id(key, CHANNEL, &received.key);
    let arrival = |id, lane: &str, body: serde_json::Value| NewArrival {
        id,
        channel: CHANNEL.to_owned(),
        lane: lane.to_owned(),
        at: now,
        about,
        body: seal::seal(&body.to_string()),
    };
    let news = json!({"account": account, "corp": corp, "text": received.text});
    let mut all = vec![arrival(id, NEWS, news)];
    if let Some(welcome) = received.notice.welcome(now.0.div_euclid(1_000_000)) {
        let id = arrival_id(key, CHANNEL, &[received.key.as_slice(), WELCOME.as_bytes()].concat());
        let body = json!({
            "account": account, "staff": welcome.account, "customer": welcome.customer, "way": welcome.way,
            "code": welcome.code, "until": welcome.until,
        });
        all.push(arrival(id, WELCOME, body));
    }
    all
}
