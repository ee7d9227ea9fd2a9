//! WeChat Pay, API v3: what it tells a merchant (notices), verified on the very bytes that came, and how a merchant's own requests are signed.
//!
//! [`keys`] are those by which either side is known, [`notice`] reads what was told, [`told`] what it means. Nothing here keeps anything,
//! reads a clock or decides: who calls does.
//!
//! Sources: pay.weixin.qq.com/doc/v3/merchant/4012365342 (signatures), …/4012071382 (notices), …/4012082320 (AES-256-GCM).

pub mod keys;
pub mod notice;
pub mod told;

pub use keys::{KeyProblem, Keys, MerchantKey, PlatformKey};
pub use notice::{Heads, Notice, NoticeProblem, read};
pub use told::{Refund, Told, Transaction};
