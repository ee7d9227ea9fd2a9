//! WeChat Pay, API v3: what it tells a merchant (notices), verified on the very bytes that came, and how a merchant's own requests are signed.
//!
//! [`keys`] are those by which either side is known, [`notice`] reads what was told, [`told`] what it says and [`news`] what that means.
//! [`settings`] is what a brand writes, [`Pay`] asks (its file `pay`; one file a group of calls: [`bill`], [`coupon`],
//! [`transfer`]), `door` takes what
//! is told and `checkup` looks whether all of it works. Nothing here keeps anything but the platform's certificates, and decides nothing.
//!
//! Sources: pay.weixin.qq.com/doc/v3/merchant/4012365342 (signatures), …/4012071382 (notices), …/4012082320 (AES-256-GCM).

pub mod bill;
mod checkup;
pub mod coupon;
mod door;
pub mod keys;
pub mod news;
pub mod notice;
mod oaep;
mod pay;
pub mod settings;
pub mod told;
pub mod transfer;

pub use checkup::check;
pub use keys::{KeyProblem, Keys, MerchantKey, PlatformKey};
pub use notice::{Heads, Notice, NoticeProblem, read};
pub use pay::Pay;
pub use told::{Refund, Told, Transaction, Transfer};

/// What the channel is called.
pub const CHANNEL: &str = "wxpay";
