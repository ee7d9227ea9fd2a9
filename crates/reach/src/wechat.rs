//! WeChat (微信): official accounts (公众号) and mini programs (小程序) of a brand, one app each.
//!
//! [`settings`] is what a brand writes, [`call`] makes one call with the app's token, [`errcodes`] names what the platform says no with,
//! [`apis`] lists every call. [`door`] takes what the platform tells and [`news`] is what that means; [`sending`] is the channel of
//! template and subscription messages; [`apps`] is what an app can do ([`crate::app`]): signing in, phone numbers, scene codes, pages.
//! [`checkup`] looks whether all of it works. Nothing is kept here but tokens and tickets until they end, and nothing is decided.
//!
//! What callbacks are encrypted with is WeCom's scheme ([`crate::wecom::crypto`]): the receiver is the app.
//!
//! Sources: developers.weixin.qq.com/doc/offiaccount and …/miniprogram/dev, read on 2026-11-28; `docs/connect-wechat.md` has the limits.

pub mod apis;
pub mod apps;
pub mod call;
pub mod checkup;
pub mod door;
pub mod errcodes;
pub mod news;
pub mod sending;
pub mod settings;

pub use call::Wechat;
pub use checkup::check;
pub use sending::Sending;

/// What the channel of official accounts is called.
pub const CHANNEL: &str = "wechat";
/// What the channel of mini programs is called.
pub const MINI: &str = "wechat_mini";
/// How people are named across apps of one owner.
pub const ACROSS: &str = "unionid";
