//! WeCom: what it sends to us. [`crypto`] tells whether it was WeCom that spoke and what it said, [`callback`] what that means.

pub mod callback;
pub mod crypto;
