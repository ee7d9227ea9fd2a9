//! The door for what platforms tell of messages. Neither of them signs what it pushes: who speaks is believed by a secret in the address,
//! which is compared without telling how much of it was right. What is believed can do little: a receipt of Aliyun bears the sealed word of
//! its message, one of Tencent Cloud a number that only the platform and this home know, and an answer takes a consent back.

use async_trait::async_trait;
use subtle::ConstantTimeEq;

use super::settings::Provider;
use super::{Account, CHANNEL};
use crate::door::{BODY_BYTES_MAX, Brought, Door, How, Refused, Taken};

/// What the address calls the secret.
pub(super) const SECRET: &str = "secret";

#[async_trait]
impl Door for Account {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn whose(&self) -> String {
        let settings = self.settings();
        format!("{} {}", settings.provider.name(), settings.sign)
    }

    async fn receive(&self, brought: Brought<'_>, _now: i64) -> Result<Taken, Refused> {
        let Some(secret) = &self.settings().callback_secret else {
            return Err(Refused::new("no_callback_secret", How::Nowhere));
        };
        let said = brought.said(SECRET).unwrap_or_default();
        if !bool::from(secret.said().as_bytes().ct_eq(said.as_bytes())) {
            return Err(Refused::new("secret_wrong", How::Forbidden));
        }
        if brought.body.len() > BODY_BYTES_MAX {
            return Err(Refused::new("too_large", How::TooLarge));
        }
        let read = self.telling().read(brought.body);
        let (kind, kept) = read.ok_or(Refused::new("unreadable", How::Forbidden))?;
        Ok(Taken { kind, kept })
    }

    fn well(&self) -> &'static str {
        match self.settings().provider {
            Provider::Aliyun => r#"{"code":0,"msg":"ok"}"#,
            Provider::Tencent => r#"{"result":0,"errmsg":"OK"}"#,
        }
    }

    fn not_well(&self) -> &'static str {
        match self.settings().provider {
            Provider::Aliyun => r#"{"code":1,"msg":"not taken"}"#,
            Provider::Tencent => r#"{"result":1,"errmsg":"not taken"}"#,
        }
    }
}
