//! WeCom (企业微信): what it sends to us, and a client of its server API, for a brand's own self-built app.
//!
//! [`crypto`] tells whether it was WeCom that spoke and what it said, [`callback`] what that means.
//!
//! [`settings`] is what a brand writes, [`limits`] what the platform allows and since when,
//! [`call`] makes one call and says what came of it ([`trouble`], by the numbers of [`errcodes`]), [`apis`] lists every call that is
//! made with what is known when its answer is lost. The rest is one file a group of calls, each a struct in and a struct out, checked by
//! [`bounds`] before anything leaves the house.
//!
//! [`desk`] says all of it in the words of [`crate::platform`], which are those that a home knows.
//!
//! Nothing is kept here and nothing is decided: ids that have to be remembered (`config_id`, `msgid`, `jobid`, `media_id` until it
//! expires) are the caller's, and so are pauses, budgets and the time. `docs/wecom-api.md` has a row for each call.

pub mod apis;
pub mod attachments;
pub mod bounds;
pub mod call;
pub mod callback;
pub mod checkup;
pub mod contacts;
pub mod crypto;
pub mod desk;
mod door;
pub mod errcodes;
pub mod groups;
pub mod ids;
pub mod limits;
pub mod mass;
pub mod media;
pub mod moments;
pub mod notify;
mod numbers;
pub mod pages;
pub mod service;
pub mod settings;
pub mod staff;
pub mod tags;
pub mod transfer;
pub mod trouble;
pub mod ways;
pub mod welcome;

pub use call::Wecom;
pub use desk::Desk;
pub use trouble::{Fault, Trouble};

/// What the channel is called.
pub const CHANNEL: &str = "wecom";
/// How people outside of the corp are named in a home.
pub const NAMESPACE: &str = "wecom_external";
