//! The door for what platforms bring: who speaks is checked, and what they say is kept before they are answered.
//!
//! Many bring something at once, and each waits for a commit: so whoever comes while one is being written shares the next. When
//! [`ArrivalDoor::receive`] returns well it is on disk; where its caller goes away meanwhile it may be, and is known again when it is
//! brought again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OnceCell, oneshot};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::IdKey;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::door::{BODY_BYTES_MAX, Brought, Door, Doors, How, Kept, Refused};
use zhiyin_store::campaigns::arrivals::{NewArrival, arrival_id};
use zhiyin_store::{StoreError, seal};

use crate::{Engine, EngineError, Result, clock};

/// How many callbacks one commit takes at most.
const AT_ONCE: usize = 256;

/// What kind of channel somebody brings something from that no channel here is called.
const NO_CHANNEL: &str = "none";
/// Nobody is expected there.
const UNKNOWN: Refused = Refused::new("account_unknown", How::Nowhere);

/// Somebody who waits for what they brought to be kept.
struct Bringing {
    what: Vec<NewArrival>,
    kept: oneshot::Sender<std::result::Result<bool, String>>,
}

/// The door of one home.
pub struct ArrivalDoor {
    engine: Arc<Engine>,
    doors: Doors,
    bringing: Mutex<Vec<Bringing>>,
    turn: Turn<()>,
    /// The home's, which never changes: asked for once.
    key: OnceCell<IdKey>,
}

impl ArrivalDoor {
    /// For the accounts of these channels and names.
    pub fn new(engine: Arc<Engine>, doors: Doors) -> Self {
        Self { engine, doors, bringing: Mutex::default(), turn: Turn::new(()), key: OnceCell::new() }
    }

    /// Whether anybody is expected here.
    pub fn is_open(&self) -> bool {
        !self.doors.is_empty()
    }

    /// The largest body that is read there, in bytes.
    pub fn body_bytes_max(&self, channel: &str, account: &str) -> usize {
        self.door(channel, account).map_or(BODY_BYTES_MAX, |door| door.body_bytes_max())
    }

    /// What goes with an answer that is well.
    pub fn well(&self, channel: &str, account: &str) -> &'static str {
        self.door(channel, account).map_or("", |door| door.well())
    }

    /// What goes with an answer that is not well.
    pub fn not_well(&self, channel: &str, account: &str) -> &'static str {
        self.door(channel, account).map_or("", |door| door.not_well())
    }

    fn door(&self, channel: &str, account: &str) -> Option<&Arc<dyn Door>> {
        self.doors.get(&(channel.to_owned(), account.to_owned()))
    }

    /// What a kind of channel is called, where any account is of it: nobody makes up a label of what is measured.
    fn named(&self, channel: &str) -> &'static str {
        let mut of_it = self.doors.values().map(|door| door.channel()).filter(|name| *name == channel);
        of_it.next().unwrap_or(NO_CHANNEL)
    }

    fn refused(&self, channel: &'static str, refused: Refused) -> Refused {
        self.engine.measures.arrivals().refused(channel, refused.why);
        if !refused.is_quiet {
            tracing::warn!(channel, why = refused.why, "callback not taken");
        }
        refused
    }

    /// The answer to a platform that asks whether this address is ours.
    ///
    /// # Errors
    /// By the name of what is wrong; it is counted and logged here.
    pub fn echo(
        &self,
        (channel, account): (&str, &str),
        brought: Brought<'_>,
    ) -> std::result::Result<Vec<u8>, Refused> {
        let now = clock::wall().0.div_euclid(1_000_000);
        let door = self.door(channel, account).ok_or_else(|| self.refused(self.named(channel), UNKNOWN))?;
        door.echo(brought, now).map_err(|refused| self.refused(door.channel(), refused))
    }

    /// Refuses something that is too large, before it was read whole.
    pub fn too_large(&self, channel: &str) -> Refused {
        self.refused(self.named(channel), Refused::new("too_large", How::TooLarge))
    }

    /// Takes what was posted; whether it is new. What is brought again is taken as well and kept once.
    pub async fn receive(
        &self,
        (channel, account): (&str, &str),
        brought: Brought<'_>,
    ) -> Result<std::result::Result<bool, Refused>> {
        let now = clock::wall();
        let Some(door) = self.door(channel, account) else {
            return Ok(Err(self.refused(self.named(channel), UNKNOWN)));
        };
        let taken = match door.receive(brought, now.0.div_euclid(1_000_000)).await {
            Ok(taken) => taken,
            Err(refused) => return Ok(Err(self.refused(door.channel(), refused))),
        };
        let key =
            self.key.get_or_try_init(async || Ok::<_, EngineError>(self.engine.home().await?.id_key)).await?;
        let what: Vec<NewArrival> =
            taken.kept.into_iter().map(|kept| arrival(key, (door.channel(), account), kept, now)).collect();
        // What nobody here has a use for is not kept: there is nothing to do again.
        let is_new = if what.is_empty() { false } else { self.keep(what).await? };
        self.engine.measures.arrivals().came(door.channel(), taken.kind, is_new);
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

/// What is kept, as an arrival. `now` is the wall clock's.
pub(crate) fn arrival(
    key: &IdKey,
    (channel, account): (&'static str, &str),
    kept: Kept,
    now: Ts,
) -> NewArrival {
    let about = kept.about.map(|(namespace, value)| match normalise(&namespace, &value) {
        Ok(value) => Some(seal::lookup(key, &Identifier { namespace, value })),
        Err(_) => None,
    });
    let about = about
        .flatten()
        .unwrap_or_else(|| key.digest("arrivals about nobody", &[&now.0.div_euclid(DAY_US).to_le_bytes()]));
    let mut body = kept.body;
    drop(body.insert("account".to_owned(), account.into()));
    NewArrival {
        id: arrival_id(key, channel, &kept.key),
        channel: channel.to_owned(),
        lane: kept.lane.to_owned(),
        at: now,
        about,
        body: seal::seal(&serde_json::Value::Object(body).to_string()),
    }
}
