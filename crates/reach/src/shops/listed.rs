//! What is asked of a shop, whichever it is: what changed since an instant, page by page, and whether what was set up works.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::news::Came;
use crate::platform::{Answer, Step};

/// A part of what changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What is on it.
    pub came: Vec<Came>,
    /// What the next one is asked for by; nothing where this was the last.
    pub next: Option<String>,
}

/// A shop that is asked.
#[async_trait]
pub trait Listed: Send + Sync {
    /// What the channel is called.
    fn channel(&self) -> &'static str;
    /// Whose it is, as the channel names it.
    fn whose(&self) -> String;
    /// Whether it can be asked: what that needs was said.
    fn can_ask(&self) -> bool;
    /// Orders that changed from one instant to another, in seconds since 1970 UTC: the first page, or the one that another named.
    async fn page(&self, from: i64, until: i64, next: Option<&str>) -> Answer<Page>;
    /// Looks whether what was set up works. `home` is where the shop tells this home.
    async fn check(&self, home: &str) -> Vec<Step>;
    /// What a body that the shop sent comes to: a try that keeps nothing and asks for no signature. `topic` is what the shop would call it.
    fn tried(&self, topic: &str, body: &[u8]) -> Vec<Came>;
}

/// Shops by the channel and the name of the brand's account there.
pub type Shops = BTreeMap<(String, String), Arc<dyn Listed>>;
