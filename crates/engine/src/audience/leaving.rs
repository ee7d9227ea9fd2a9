//! Letting go of who follows the change feed no more: what a consumer has not read is kept for it, whether it comes again or not.

use super::keep::Keeping;
use crate::boxed;
use crate::{Engine, Result};

impl Engine {
    /// As whom the change feed is followed, by name.
    #[boxed]
    pub async fn followers(&self) -> Result<Vec<String>> {
        let followers = self.store().crowd().followers().await?;
        Ok(followers.into_iter().map(|(name, _)| name).collect())
    }

    /// The feed is kept no longer for a consumer, nor for the marks of its snapshots; whether there was one. One that is alive
    /// notices, and begins anew from the record.
    #[boxed]
    pub async fn feed_left(&self, consumer: &str) -> Result<bool> {
        let known = self.store().crowd().followed(consumer).await?.is_some();
        let how = Keeping { bytes: 0, consumer: consumer.to_owned(), folder: None };
        self.forget_marks(&how, None).await?;
        self.store().crowd().unfollow(consumer).await?;
        Ok(known)
    }
}
