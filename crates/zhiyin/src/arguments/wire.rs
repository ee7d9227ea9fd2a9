//! How what programs send is taken.

use clap::Args;
use zhiyin_engine::delivery::Terms;

/// How what programs send is taken.
#[derive(Clone, Debug, Args)]
pub struct Wire {
    /// Namespace of the `userId` of what programs send.
    #[arg(long, value_name = "NAMESPACE", default_value = "user")]
    user_namespace: String,
    /// How many items may wait in the inbox before senders are told to come back later.
    #[arg(long, value_name = "ITEMS", default_value = "200000")]
    inbox_max: u64,
}

impl Wire {
    /// As the engine takes it.
    pub fn terms(self) -> Terms {
        Terms { user_namespace: self.user_namespace, waiting_max: self.inbox_max }
    }
}
