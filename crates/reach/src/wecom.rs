//! WeCom: what it sends to us. [`crypto`] tells whether it was WeCom that spoke and what it said, [`callback`] what that means.

pub mod callback;
pub mod crypto;

/// What the channel is called.
pub const CHANNEL: &str = "wecom";
/// How people outside of the corp are named in a home.
pub const NAMESPACE: &str = "wecom_external";
