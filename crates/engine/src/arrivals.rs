//! What comes from platforms: kept before whoever brings it is answered, and made items of later.
//!
//! [`door`] is where it comes in, whatever the kind of channel: verified, then kept with all that comes at the same time in one commit. [`work`] takes what was kept and
//! puts items of the channel's own source into the inbox, each with an id that comes from what came, so what is worked on twice is told
//! once. What only the platform can answer is an errand ([`Errands`]): until somebody does them it waits, and is seen to. [`log`] is what
//! people see of it, try again and drop. Several processes may do all of it at once.

pub mod door;
mod kinds;
pub mod log;
mod pays;
mod shops;
mod sms;
mod wechat;
pub mod work;

use async_trait::async_trait;
pub use work::Worked;
use zhiyin_model::time::Ts;
pub use zhiyin_reach::arrival::{Ask, News, Welcome};
pub use zhiyin_reach::door::{BODY_BYTES_MAX, Brought, Door, Doors, How, NEWS, Refused, WELCOME};

use crate::Result;

/// How long what is done is kept, in days: so long something may be brought again and is known.
pub const KEPT_DAYS: i64 = 30;

/// What came of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// It was done, also where it had been done before.
    Done,
    /// It is to be tried again, at an instant of the wall clock at the earliest; why, by a name.
    Later(Ts, &'static str),
    /// Nobody knows whether it was done: it is to be asked again, at an instant of the wall clock at the earliest.
    Unknown(Ts),
    /// It cannot be done; why, by a name.
    Never(&'static str),
    /// There is nothing to be done; why, by a name.
    Nothing(&'static str),
}

/// What one thing that came says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it happened, by the wall clock, in seconds since 1970 UTC.
    pub at: i64,
    /// What it says, in its order.
    pub news: Vec<News>,
}

/// Whoever asks a platform.
#[async_trait]
pub trait Errands: Send + Sync {
    /// Welcomes somebody: once, whatever comes back. `of` is which of the brand's configured accounts was told; `again`, where somebody
    /// may have done so before and nobody knows.
    async fn welcome(&self, of: &str, welcome: &Welcome, again: bool) -> Errand;
    /// Takes news in, in the order in which it came, and puts what is new into the inbox; what came of each. Nothing, where this is of no
    /// platform that is asked: then news is what it says.
    async fn hear(&self, of: &str, heard: &[Heard], wall: Ts) -> Result<Option<Vec<Errand>>> {
        let _nobody = (of, heard, wall);
        Ok(None)
    }
    /// Asks the platform, and puts what it says where it belongs.
    async fn ask(&self, of: &str, ask: &Ask) -> Errand;
}
