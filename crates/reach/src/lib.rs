//! The outside world: how the home speaks to somebody else's server, and what it does not let itself be talked into.
//!
//! [`address`] says to whom it may be spoken, [`client`] speaks, [`signature`] says who spoke ([`signed`], where anybody must be able to tell), [`retry`] when to speak again.
//! [`template`] turns a text with variables into what is said, [`mjml`] a page of an e-mail into the HTML of such a text, [`poster`] a drawing into a picture, with a code of [`qr`] on it.
//! [`channel`] is what a channel out of the home is, [`email`] is one ([`came_back`] reads what comes back of it), [`pace`] and
//! [`breaker`] bound how much is handed over.
//! [`platform`] is what a home asks of a platform on which staff know customers, in words that name none.
//! [`wecom`] is what WeCom says to us, [`arrival`] what that means.
//! [`clickhouse`] speaks to one kind of server at length: that of a brand which has outgrown one machine.
//! [`wecom`] is a client of one platform at length: what its staff say to customers goes through it.
//! [`shops`] is what shops tell and list.
//! [`sms`] sends short messages by two platforms.
//! [`wechat`] is the other platform's: official accounts and mini programs, as doors, channels and apps ([`app`]).
//! [`oidc`] is whoever says for the brand who somebody is that signs in.
//! [`settings`] is what the settings of all channels share, [`secret`] where they say that secrets are.
//! Nothing here knows a rule of the business, a store, or the time: clocks and chance are parameters.

pub mod address;
pub mod app;
pub mod arrival;
pub mod breaker;
pub mod came_back;
pub mod channel;
pub mod clickhouse;
pub mod client;
pub mod door;
pub mod email;
pub mod mjml;
pub mod oidc;
pub mod pace;
pub mod platform;
mod png;
pub mod poster;
pub mod qr;
pub mod retry;
pub mod secret;
pub mod settings;
pub mod shops;
pub mod signature;
pub mod signed;
pub mod sms;
pub mod template;
mod token;
pub mod wechat;
pub mod wecom;
mod wire;
pub mod wxpay;
