//! Short messages (短信) by Aliyun and by Tencent Cloud: sent by templates that the platform approved, with receipts and answers of people.
//!
//! [`templates`] says which registered template says a text, [`segments`] as how many it is billed. [`settings`] is what a brand writes for
//! one account; an [`Account`] asks and sends ([`aliyun`], [`tencent`]: one file a platform, with how it is signed), [`Sms`] is the channel
//! of all accounts. [`told`] reads what platforms tell, `door` believes it, `checkup` looks whether all of it works.
//!
//! Neither platform knows a message by a key of ours: Aliyun's `OutId` and Tencent's `SessionContext` only come back with receipts. So what
//! may have been taken is never said again ([`Again::Never`]); whether it was, a receipt tells, or whoever asks for it.

mod account;
pub mod aliyun;
mod checkup;
mod codes;
mod door;
pub mod segments;
pub mod settings;
pub mod templates;
pub mod tencent;
pub mod told;

use std::time::Duration;

use async_trait::async_trait;

pub use account::{Account, Sms};
pub use checkup::check;
pub use told::{Reply, Report, SmsNews};

use crate::channel::{Again, Channel, Charge, Handed, Parcel};

/// What the channel is called.
pub const CHANNEL: &str = "sms";
/// By which names people are found.
const NAMESPACES: [&str; 1] = ["phone"];
/// How long a hand-over takes at most: connecting, and the answer.
const HANDED_WITHIN: Duration = Duration::from_secs(20);

#[async_trait]
impl Channel for Sms {
    fn name(&self) -> &'static str {
        CHANNEL
    }

    fn namespaces(&self) -> &'static [&'static str] {
        &NAMESPACES
    }

    fn again(&self) -> Again {
        Again::Never
    }

    fn at_once(&self) -> usize {
        self.most_at_once()
    }

    fn within(&self) -> Duration {
        HANDED_WITHIN
    }

    fn charge(&self, parcel: &Parcel) -> Option<Charge> {
        self.fitting(parcel).ok().map(|(_, fitting)| fitting.charge)
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        match self.fitting(parcel) {
            Ok((account, fitting)) => {
                account.send(&fitting, &parcel.to, &parcel.word, parcel.at_seconds).await
            }
            Err(why) => Handed::Refused { code: why.to_owned(), unreachable: false },
        }
    }
}
