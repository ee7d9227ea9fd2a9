//! Platforms on which the brand's staff know its customers: what they show is learned, and what is to be there is made there.
//!
//! One idea carries it. A home keeps a [`mirror`] of what it last saw, and of what it made. **What is seen and differs from the mirror is
//! an event**, put into the inbox before the mirror is changed, under an id that comes from the row and the version that was read: so a
//! crash in between tells the same once more. **What is to be there and is not in the mirror is a call**: that it is going to be made is
//! written before, what came of it after; where nobody knows, the platform is asked.
//!
//! Work is done in rounds ([`Engine::work_platforms`]), each of which does a bounded part of one thing for one account, and is told the
//! time. Several processes may do all of it at once.

mod came;
mod contacts;
mod convert;
pub mod errands;
mod greeting;
mod group_ways;
mod groups;
pub(crate) mod had;
pub mod inbox;
mod looks;
pub(crate) mod media;
mod mirror;
mod notices;
pub mod posts;
mod pull;
mod say;
mod seats;
mod shelf;
pub mod standing;
mod tags;
pub(crate) mod tasks;
mod transfers;
mod ways;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Platform;

use crate::sends::settings::Platforms;
use crate::{Engine, Result, clock};

pub(crate) use came::Came;
pub use errands::errands;
pub(crate) use greeting::problems;
pub(crate) use mirror::{About, Kept, Put, Row};
pub use seats::{AccountSeats, SeatsView};
pub use transfers::asked::{TransferAsked, TransferView};
pub use ways::shown::{MadeToday, WayView, WaysAsked};
pub use zhiyin_reach::platform::{Health, Step, Worded};

/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_millis(500);
/// How long to wait before trying again where a round failed.
const OUT_OF_REACH: Duration = Duration::from_secs(5);

/// One account of the brand's on a platform.
#[derive(Clone)]
pub struct At {
    /// What the brand calls it.
    pub account: String,
    /// The platform, spoken to as this account.
    pub desk: Arc<dyn Platform>,
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At({} {})", self.desk.channel(), self.account)
    }
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How much was done.
    pub done: usize,
    /// When it wants to be called next, if it knows.
    pub next: Option<Ts>,
}

/// A round: its name, and what it does.
type Named = (&'static str, for<'a> fn(&'a Engine, &'a At, Ts) -> BoxFuture<'a, Result<Round>>);

/// All rounds, in the order in which they are made.
const ROUNDS: [Named; 13] = [
    ("replies", inbox::reply_round),
    ("desks", inbox::hear_round),
    ("look", |engine, at, wall| Box::pin(engine.look_round(at, wall))),
    ("pull", |engine, at, wall| Box::pin(engine.pull_round(at, wall))),
    ("mark", |engine, at, wall| Box::pin(engine.mark_round(at, wall))),
    ("ways", |engine, at, wall| Box::pin(engine.keep_ways(at, wall))),
    ("came", |engine, at, wall| Box::pin(engine.give_by_ways(at, wall))),
    ("transfers", |engine, at, wall| Box::pin(engine.pass_on(at, wall))),
    ("convert", |engine, at, wall| Box::pin(engine.convert_round(at, wall))),
    ("seats", |engine, at, wall| Box::pin(engine.measure_seats(at, wall))),
    ("posts", posts::round),
    ("tasks", tasks::round),
    ("notices", notices::round),
];

/// All accounts of platforms that can be asked.
pub fn all(platforms: &Platforms) -> Vec<At> {
    let at = |(account, desk): (&String, &Arc<dyn Platform>)| At {
        account: account.clone(),
        desk: Arc::clone(desk),
    };
    platforms.desks.iter().map(at).collect()
}

impl Engine {
    /// Makes every round of every account once; what they did, and when the first of them wants to be called next. One that fails is
    /// logged and keeps no other from being made.
    pub async fn round_of_platforms(&self, all: &[At], wall: Ts) -> Round {
        let mut whole = Round::default();
        match self.gather_sends(all, wall).await {
            Ok(round) => whole.done += round.done,
            Err(error) => tracing::warn!(%error, "platforms: what is due is not gathered for now"),
        }
        for at in all {
            for (name, round) in ROUNDS {
                match round(self, at, wall).await {
                    Ok(Round { done, next }) => {
                        whole.done += done;
                        whole.next = whole.next.into_iter().chain(next).min();
                    }
                    Err(error) => {
                        tracing::warn!(round = name, ?at, %error, "platforms: nothing is done for now");
                        let again = wall.plus_us(i64::try_from(OUT_OF_REACH.as_micros()).unwrap_or(i64::MAX));
                        whole.next = whole.next.into_iter().chain([again]).min();
                    }
                }
            }
        }
        whole
    }

    /// Makes rounds of all accounts until told to stop.
    pub async fn work_platforms(&self, all: Vec<At>, stop: impl Future) {
        let mut stop = pin!(stop);
        if all.is_empty() {
            drop(stop.await);
            return;
        }
        loop {
            let rest = match self.round_of_platforms(&all, clock::wall()).await {
                Round { done: 0, .. } => REST,
                Round { .. } => Duration::ZERO,
            };
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
}
